"""The engine is made behind the window; what is done to spare the window never keeps it from being made."""

import gc
import importlib.machinery
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from rtocr_gui.ui.background.engine_start import make_engine
from rtocr_gui.ui.garbage import MainThreadGarbage, collect_if_due

MANY = 100_000
"""More objects than Python makes without looking for garbage."""


class EngineModule(ModuleType):
    """Stands in for `ocr.engine`, and makes many objects while it is imported.

    Attributes:
        has_window: True to look meanwhile as a window does; otherwise Python does.
        looks: how often garbage was looked for.
    """

    has_window = False
    looks = 0

    class Engine:
        pass

    def __getattribute__(self, name: str) -> object:
        if name == "Engine":
            gc.callbacks.append(self.count_look)
            self.made = [[number] for number in range(MANY)]
            if self.has_window:
                collect_if_due()
            gc.callbacks.remove(self.count_look)
        return super().__getattribute__(name)

    def count_look(self, phase: str, info: dict[str, int]) -> None:
        self.looks += phase == "start"


@pytest.fixture
def engine_module(monkeypatch: pytest.MonkeyPatch) -> EngineModule:
    module = EngineModule("rtocr_gui.ocr.engine")
    monkeypatch.setitem(sys.modules, "rtocr_gui.ocr.engine", module)
    return module


@pytest.fixture
def garbage(qapp: QApplication) -> Iterator[MainThreadGarbage]:
    parent = QObject()
    yield MainThreadGarbage(parent)
    shiboken6.delete(parent)


@pytest.fixture
def torch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that torch is found in, with no library in it yet."""
    spec = importlib.machinery.ModuleSpec("torch", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("importlib.util.find_spec", lambda _: spec)
    (tmp_path / "lib").mkdir()
    return tmp_path


def test_nobody_looks_for_garbage_until_the_engine_is_there(
    engine_module: EngineModule, torch_folder: Path
) -> None:
    gc.enable()
    thresholds = gc.get_threshold()
    assert isinstance(make_engine(), EngineModule.Engine)
    assert engine_module.looks == 0
    assert gc.isenabled()
    assert gc.get_threshold() == thresholds


def test_what_looks_for_garbage_in_the_window_does_not_until_the_engine_is_there(
    engine_module: EngineModule, torch_folder: Path, garbage: MainThreadGarbage
) -> None:
    engine_module.has_window = True
    make_engine()
    assert engine_module.looks == 0


def test_a_library_that_cannot_be_loaded_ahead_is_left_to_the_import(
    engine_module: EngineModule, torch_folder: Path
) -> None:
    for name in ("libtorch_cpu.so", "libtorch_python.so"):
        (torch_folder / "lib" / name).write_bytes(b"no library")
    assert isinstance(make_engine(), EngineModule.Engine)
