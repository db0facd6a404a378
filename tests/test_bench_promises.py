"""`rtocr bench` runs its probes and says what they found."""

import argparse
import io
import json
import sys
from pathlib import Path

import pytest

from rtocr_gui.cli.bench import promises
from rtocr_gui.cli.main import main
from rtocr_gui.cli.progress import Progress
from rtocr_gui.errors import ExportError

FIGURES = {
    "plan": {"base": {"ms": 10.0, "floor_ms": 2.5}},
    "window_s": 0.9,
    "qt_platform": "offscreen",
}


def run(*words: str) -> bool:
    parser = argparse.ArgumentParser()
    promises.add_arguments(parser)
    return promises.run(parser.parse_args(words), Progress(sys.stderr, quiet=False))


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that stands in for the probe of plans; a test writes what it does."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setitem(promises.PROBES, "plan", promises.Probe("stand_in", {"STAND_IN": "1"}))
    return tmp_path / "stand_in.py"


def test_the_table_names_each_figure_its_limit_and_its_floor() -> None:
    table = promises.format_table(FIGURES).splitlines()
    assert len(table) == 4
    assert " ".join(table[1].split()) == (
        "Plan, Base (256 tokens) 10.00 ms under 20 ms similarity product alone: 2.5 ms (25%)"
    )
    assert "OVER" not in table[1]
    assert "OVER" in table[2]
    assert "offscreen" in table[3]


def test_a_figure_that_has_a_limit_to_reach_is_marked_below_it() -> None:
    reread = {"same": {"decode_ratio": 5.0, "whole_ratio": 4.9}}
    reached, missed = promises.format_table({"reread": reread}).splitlines()[1:]
    assert reached.endswith("at least 5 ×")
    assert missed.endswith("at least 5 ×  UNDER")


def test_figures_of_a_probe_are_printed_and_written(
    probe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    probe.write_text(f"print('a library speaks')\nprint({json.dumps(json.dumps(FIGURES))})\n")
    file = tmp_path / "figures.json"
    assert run("--only", "plan", "--json", str(file))
    assert "Plan, Base" in capsys.readouterr().out
    assert json.loads(file.read_text()) == FIGURES
    assert run("--only", "plan", "--json", "-")
    assert json.loads(capsys.readouterr().out) == FIGURES, "and nothing else"


def test_a_probe_starts_with_its_environment_and_temporary_settings(probe: Path) -> None:
    probe.write_text(
        "import json, os, sys, time\n"
        "assert 0 <= time.monotonic() - float(sys.argv[2]) < 60\n"
        "print(json.dumps([sys.argv[1], os.environ['STAND_IN'], os.environ['RTOCR_CONFIG_DIR']]))\n"
    )
    argument, stand_in, settings = promises.measure("plan")
    assert (argument, stand_in) == ("plan", "1")
    assert not Path(settings).exists()


def test_of_several_runs_the_one_in_the_middle_counts(
    probe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(promises.PROBES, "plan", promises.Probe("stand_in", middle_of="window_s"))
    waiting = tmp_path / "figures"
    waiting.write_text("5\n1\n4\n2\n3\n")
    probe.write_text(
        f"from pathlib import Path\nfile = Path({str(waiting)!r})\n"
        "first, *rest = file.read_text().split()\nfile.write_text('\\n'.join(rest))\n"
        "print('{\"window_s\": ' + first + '}')\n"
    )
    assert promises.measure("plan") == {"window_s": 3}


def test_a_group_that_fails_is_told_and_does_not_stop_the_others(
    probe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    probe.write_text("import sys\nprint({})\nsys.exit(int(sys.argv[1] == 'plan'))\n")
    monkeypatch.setitem(promises.PROBES, "memory", promises.Probe("stand_in"))
    assert not run("--only", "plan", "--only", "memory")
    assert "rtocr: Measuring plan failed (exit code 1)" in capsys.readouterr().err


def test_figures_are_measured_though_nobody_hears_of_the_progress(
    probe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    probe.write_text(f"print({json.dumps(json.dumps(FIGURES))})\n")
    monkeypatch.setattr(sys, "stderr", Broken())
    assert main(["bench", "--only", "plan"]) == 0
    assert "Plan, Base" in capsys.readouterr().out


def test_an_unwritable_file_is_refused_in_words(probe: Path, tmp_path: Path) -> None:
    probe.write_text("print('{}')\n")
    with pytest.raises(ExportError, match="is a folder"):
        run("--only", "plan", "--json", str(tmp_path))
