"""The engine is made behind the window; what is done to spare the window never keeps it from being made."""

import gc
import importlib.machinery
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rtocr_gui.ui.background.engine_start import make_engine


class EngineModule(ModuleType):
    """Stands in for `ocr.engine`, and notes whether garbage was looked for while it was imported."""

    looked_for_garbage: bool | None = None

    class Engine:
        pass

    def __getattribute__(self, name: str) -> object:
        if name == "Engine":
            self.looked_for_garbage = gc.isenabled()
        return super().__getattribute__(name)


@pytest.fixture
def engine_module(monkeypatch: pytest.MonkeyPatch) -> EngineModule:
    module = EngineModule("rtocr_gui.ocr.engine")
    monkeypatch.setitem(sys.modules, "rtocr_gui.ocr.engine", module)
    return module


@pytest.fixture
def torch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that torch is found in, with no library in it yet."""
    spec = importlib.machinery.ModuleSpec("torch", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("importlib.util.find_spec", lambda _: spec)
    (tmp_path / "lib").mkdir()
    return tmp_path


def test_garbage_is_looked_for_again_once_the_engine_is_there(
    engine_module: EngineModule, torch_folder: Path
) -> None:
    assert gc.isenabled()
    assert isinstance(make_engine(), EngineModule.Engine)
    assert engine_module.looked_for_garbage is False
    assert gc.isenabled()


def test_a_library_that_cannot_be_loaded_ahead_is_left_to_the_import(
    engine_module: EngineModule, torch_folder: Path
) -> None:
    for name in ("libtorch_cpu.so", "libtorch_python.so"):
        (torch_folder / "lib" / name).write_bytes(b"no library")
    assert isinstance(make_engine(), EngineModule.Engine)
