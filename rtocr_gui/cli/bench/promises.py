"""`rtocr bench`: measures the figures that the program promises, and prints them beside their limits.

Each group of figures is measured in a process of its own, so that groups do not disturb each other. Knows
neither torch nor Qt: the probes do.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from rtocr_gui.cli.bench import accuracy, decoding
from rtocr_gui.cli.columns import aligned
from rtocr_gui.cli.outputs import takes_stdout, write_output
from rtocr_gui.cli.progress import Progress
from rtocr_gui.cli.values import json_target
from rtocr_gui.errors import RtocrError

_RUNS = 5
_AS_ANY_START_BUT_THE_FIRST = {"PYTHONDONTWRITEBYTECODE": ""}
"""Let Python cache bytecode, as it does for an installed program."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_WITHOUT_QT_WARNINGS = {"QT_LOGGING_RULES": "default.warning=false"}
"""They are about what a display cannot do."""


class BenchmarkError(RtocrError):
    """A figure could not be measured."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A group of figures and the process that measures them.

    Attributes:
        module: run with `python -m`, the name of the group and the `time.monotonic()` of the start; prints
            one JSON object as its last line.
        environment: environment variables for the process.
        middle_of: a figure that varies between runs: several are made, and the one with the median of this
            figure counts.
    """

    module: str
    environment: Mapping[str, str] = field(default_factory=dict)
    middle_of: str | None = None


PROBES = {
    "plan": Probe("rtocr_gui.cli.bench.plan_probe", _ONE_THREAD),
    "reread": Probe("rtocr_gui.cli.bench.reading_probe", _ONE_THREAD),
    "curve": Probe("rtocr_gui.cli.bench.reading_probe", _ONE_THREAD),
    "together": Probe("rtocr_gui.cli.bench.reading_probe", _ONE_THREAD),
    "overlay": Probe("rtocr_gui.ui.probe", _WITHOUT_QT_WARNINGS),
    "drag": Probe("rtocr_gui.ui.probe", _WITHOUT_QT_WARNINGS),
    "window": Probe("rtocr_gui.ui.start_probe", _AS_ANY_START_BUT_THE_FIRST, middle_of="window_s"),
    "gap": Probe("rtocr_gui.ui.probe", _WITHOUT_QT_WARNINGS),
    "memory": Probe("rtocr_gui.ui.probe", _WITHOUT_QT_WARNINGS),
}
"""The choices of `--only`, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A figure that the program promises: one line of the table.

    Attributes:
        path: dotted path of the figure in the JSON.
        label: its name in the table.
        unit: its unit.
        limit: upper limit on a quiet machine.
        at_least: True if the limit is a lower one instead.
    """

    path: str
    label: str
    unit: str
    limit: float
    at_least: bool = False

    def is_missed_by(self, value: float) -> bool:
        """True if a measured value is on the wrong side of the limit."""
        return value < self.limit if self.at_least else value >= self.limit


PROMISES = (
    Promise("plan.base.ms", "Plan, Base (256 tokens)", "ms", 20),
    Promise("plan.large.ms", "Plan, Large (400 tokens)", "ms", 30),
    Promise("plan.gundam2x3.ms", "Plan, Gundam 2x3 (856 tokens)", "ms", 45),
    Promise("reread.same.decode_ratio", "Reading again, same text, decoding", "×", 5, at_least=True),
    Promise("reread.same.whole_ratio", "Reading again, same text, with prefill", "×", 5, at_least=True),
    Promise("reread.differing.decode_ratio", "Reading again, 2 % differ, decoding", "×", 2.5, at_least=True),
    Promise(
        "reread.differing.whole_ratio", "Reading again, 2 % differ, with prefill", "×", 2.5, at_least=True
    ),
    Promise("curve.ratio", "Curve of 9 points, against one reading", "×", 3),
    Promise("together.ratio", "15 pages together, against one by one", "×", 3, at_least=True),
    Promise("overlay.median_ms", "Slider to painted overlay, median", "ms", 8),
    Promise("overlay.worst_ms", "Slider to painted overlay, worst", "ms", 30),
    Promise("drag.waited_ms", "Drag at 60/s, any look, longest wait of a move", "ms", 33),
    Promise("drag.unpainted_ms", "Drag at 60/s, any look, longest until painted", "ms", 33),
    Promise("drag.gap_ms", "Largest event-loop gap, drag at 60/s", "ms", 33),
    Promise("window_s", "Window shown after process start", "s", 0.6),
    Promise("gap_ms.reading", "Largest event-loop gap, reading", "ms", 50),
    Promise("gap_ms.importing", "Largest event-loop gap, importing", "ms", 300),
    Promise("memory.growth_percent", "Peak memory growth, last 5 of 20 pages", "%", 2),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `rtocr bench`, of `rtocr bench accuracy` and of `rtocr bench decoding`."""
    figures = parser.add_subparsers(dest="figures", metavar="[accuracy|decoding]")
    accuracy.add_arguments(
        figures.add_parser("accuracy", help="compare what is read with the true text, method by method")
    )
    decoding.add_arguments(
        figures.add_parser(
            "decoding", help="measure each stage of a reading, and compare decoding with stock transformers"
        )
    )
    parser.add_argument(
        "--json",
        type=json_target,
        metavar="FILE",
        help="also write the figures to a file; - writes only these, to stdout",
    )
    parser.add_argument(
        "--only", action="append", choices=tuple(PROBES), help="measure only this group; may be repeated"
    )


def run(arguments: argparse.Namespace, progress: Progress) -> bool:
    """Measure, print the table, and write the JSON if requested.

    Args:
        arguments: `json` (a `Target` or None) and `only` (list of probe names or None).
        progress: receives what is being measured, and errors.

    Returns:
        True if every group could be measured. A figure beyond its limit is marked but not a failure: the
        machine may be busy.

    Raises:
        ExportError: the JSON file cannot be written.
    """
    figures: dict[str, Any] = {}
    all_measured = True
    for name in arguments.only or PROBES:
        progress.say(f"Measuring {name} …")
        try:
            figures |= measure(name)
        except BenchmarkError as error:
            progress.complain(str(error))
            all_measured = False
    if not takes_stdout(arguments):
        print(format_table(figures))
    if arguments.json is not None:
        write_output(arguments.json, json.dumps(figures, indent=2) + "\n")
    return all_measured


def measure(name: str) -> dict[str, Any]:
    """Measure one group of figures.

    Args:
        name: a key of `PROBES`.

    Returns:
        Its figures, nested as in the JSON file.

    Raises:
        BenchmarkError: the probe failed or printed no figures.
    """
    middle_of = PROBES[name].middle_of
    if middle_of is None:
        return _run_probe(name)
    runs = sorted((_run_probe(name) for _ in range(_RUNS)), key=itemgetter(middle_of))
    return runs[_RUNS // 2]


def _run_probe(name: str) -> dict[str, Any]:
    probe = PROBES[name]
    with tempfile.TemporaryDirectory(prefix="rtocr-bench-") as settings:
        environment = {**os.environ, **probe.environment, "RTOCR_CONFIG_DIR": settings}
        finished = subprocess.run(
            [sys.executable, "-m", probe.module, name, str(time.monotonic())],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    lines = finished.stdout.splitlines()
    if finished.returncode != 0 or not lines:
        raise BenchmarkError(
            f"Measuring {name} failed (exit code {finished.returncode}); the reason is printed above."
        )
    figures: dict[str, Any] = json.loads(lines[-1])
    return figures


def format_table(figures: dict[str, Any]) -> str:
    """Format the measured figures, one line each, beside their limits.

    Args:
        figures: nested as in the JSON file; groups may be missing.

    Returns:
        The table as text.
    """
    rows = [("", "measured", "limit", "")]
    for promise in PROMISES:
        value = _look_up(figures, promise.path)
        if value is None:
            continue
        floor = _look_up(figures, promise.path.removesuffix("ms") + "floor_ms")
        remarks = [("UNDER" if promise.at_least else "OVER")] if promise.is_missed_by(value) else []
        if floor is not None:
            remarks.append(f"similarity product alone: {floor:.1f} ms ({floor / value:.0%})")
        rows.append(
            (
                promise.label,
                f"{value:.2f} {promise.unit}",
                f"{'at least' if promise.at_least else 'under'} {promise.limit:g} {promise.unit}",
                ", ".join(remarks),
            )
        )
    lines = aligned(rows, left=(0, 3))
    if "qt_platform" in figures:
        lines.append(f"The window was measured on the Qt platform “{figures['qt_platform']}”.")
    return "\n".join(lines)


def _look_up(figures: dict[str, Any], path: str) -> float | None:
    node: Any = figures
    for key in path.split("."):
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, int | float) else None
