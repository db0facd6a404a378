"""The programs for models of full size say in a sentence what is no model, or already there."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="the system does not tell how much memory was in use")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Starts a program with its arguments, in this process."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "packaging" / "fullsize")
    for variable in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
        monkeypatch.setenv(variable, "65536")

    def run(program: str, *words: object) -> object:
        monkeypatch.setattr(sys, "argv", [program, *map(str, words)])
        return importlib.import_module(program).main()

    return run


@pytest.mark.parametrize("program", ["decode_together", "measure_memory", "open_window", "read_page"])
def test_a_folder_that_holds_no_model_is_told(
    program: str, call: Callable[..., object], tmp_path: Path
) -> None:
    for folder, said in ((tmp_path, "no file “config.json”"), (tmp_path / "nowhere", "There is no folder")):
        with pytest.raises(SystemExit, match=said):
            call(program, folder)


def test_a_checkpoint_is_not_written_over_what_is_there(call: Callable[..., object], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=f"{tmp_path}: File exists"):
        call("make_checkpoint", tmp_path)
