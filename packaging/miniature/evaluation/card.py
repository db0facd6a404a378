"""Writes the model card of a new miniature: a template, filled in with training facts and figures.

What only a person can write stays marked. Knows the folders of a training and the tables; runs no model.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from string import Template

from recipe.states import read_facts
from recipe.training import LOG_FILE
from recipe.typefaces import find_typefaces
from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.model_info import ModelInfo

TEMPLATE = Path(__file__).parent / "card.md"
TO_WRITE = "TO WRITE:"
"""Marks what a person has to write in the template."""

_SECONDS_PER_HOUR = 3600


def write_card(info: ModelInfo, runs: Sequence[Path], tables: str) -> str:
    """Fill the template.

    Args:
        info: description of the checkpoint.
        runs: folders of its training stages, in order.
        tables: its figures as Markdown.

    Raises:
        CheckpointError: a folder has no state or no log of a training, or they are damaged.
        MissingMaterial: see `find_typefaces`.
    """
    families = {held_out: _families(held_out) for held_out in (False, True)}
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=info.name,
        millions=f"{info.parameter_count / 1e6:.1f}",
        megabytes=f"{info.weight_bytes / 1e6:.0f}",
        modes=", ".join(mode.label for mode in info.modes),
        prompts=", ".join(f"`{task.prompt.strip()}`" for task in info.tasks),
        families=", ".join(families[False]),
        held_out=", ".join(families[True]),
        stages="".join(_stage_row(run) for run in runs),
        machine=f"{platform.system()}, {platform.machine()}",
        tables=tables.rstrip(),
    )


def _families(held_out: bool) -> list[str]:
    return [typeface.family.name for typeface in find_typefaces(held_out)]


def _stage_row(run: Path) -> str:
    """Format a row of the table of stages from a stage's state and log."""
    said, lines = read_facts(run), _read_log(run / LOG_FILE)
    if missing := {"stage", "step", "seed", "items_per_step"} - said.keys():
        lacks = ", ".join(sorted(missing))
        raise CheckpointError(
            f"The state in {run} does not tell its {lacks}: go on with that training, or leave the stage out."
        )
    name, steps = said["stage"], int(said["step"])
    counted = {"step", "seconds", "items_per_s", "bytes"}
    last = ", ".join(f"{name} {value:.3g}" for name, value in lines[-1].items() if name not in counted)
    cells = (
        name,
        said["seed"],
        f"{steps:,}",
        _items(said),
        f"{_hours(lines):.1f}",
        last,
    )
    return f"| {' | '.join(cells)} |\n"


def _read_log(path: Path) -> list[dict[str, float]]:
    """Return the lines of a log, except those that were cut short by a kill."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        with suppress(ValueError):
            lines.append(json.loads(line))
    if not lines:
        raise CheckpointError(
            f"{path} is missing or tells of no step: go on with that training, which logs its last step, or "
            "leave the stage out."
        )
    return lines


def _items(said: Mapping[str, str]) -> str:
    """Tell how many crops or pages a stage learnt from: pages by the average of its batches."""
    passes = int(said.get("passes", 1))
    items = int(said["step"]) * int(said["items_per_step"]) // passes
    counted = f"{items:,}" if said["stage"] == "encoder" else f"about {round(items, 2 - len(str(items))):,}"
    return f"{passes} x {counted}" if passes > 1 else counted


def _hours(lines: Sequence[dict[str, float]]) -> float:
    """Return the total time of the training, whose clock restarts each time it is resumed."""
    seconds = [line["seconds"] for line in lines]
    ends = [now for now, later in zip(seconds, [*seconds[1:], 0.0], strict=True) if later < now]
    return sum(ends) / _SECONDS_PER_HOUR
