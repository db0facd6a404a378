"""The choices of the menu *Model*: device, precision, tiles, and how long an idle model stays in memory.

Whether this computer has a device is known only once torch is imported, so all possible devices are offered,
and the loader reports a missing one. Loads nothing.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from rtocr_gui.ocr.machine.spot import VALUE_BYTES
from rtocr_gui.settings import Settings

Value = TypeVar("Value")

_GRAPHICS = ("Apple GPU (MPS)", "mps") if sys.platform == "darwin" else ("NVIDIA GPU (CUDA)", "cuda")
_DEVICES = (("Automatic", "auto"), ("Processor (CPU)", "cpu"), _GRAPHICS)
_PRECISIONS = (("Automatic", "auto"), *((precision, precision) for precision in VALUE_BYTES))
_TILES = (("At most 9 (as published)", 9), ("At most 6", 6), ("At most 4", 4), ("At most 2", 2))
_MINUTES = (
    ("Never", 0),
    ("After 5 minutes", 5),
    ("After 15 minutes", 15),
    ("After an hour", 60),
)


class ModelMenus(QObject):
    """Attaches a menu of choices to some of the actions.

    Signals:
        device_chosen (str), precision_chosen (str): how the model should run.
        most_tiles_chosen (int): most tiles of a page in Gundam mode.
        idle_time_chosen (int): minutes after which an idle model is unloaded; 0 for never.

    Args:
        actions: every action of the window, by name.
        parent: the window.
    """

    device_chosen = Signal(str)
    precision_chosen = Signal(str)
    most_tiles_chosen = Signal(int)
    idle_time_chosen = Signal(int)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self._devices = _Choice(actions["device"], _DEVICES, self.device_chosen.emit, parent)
        self._precisions = _Choice(actions["precision"], _PRECISIONS, self.precision_chosen.emit, parent)
        self._tiles = _Choice(actions["tiles"], _TILES, self.most_tiles_chosen.emit, parent)
        self._minutes = _Choice(actions["idle"], _MINUTES, self.idle_time_chosen.emit, parent)

    @Slot(object)
    def show_settings(self, settings: Settings) -> None:
        """Mark the choices in use."""
        self._devices.show(settings.device, settings.device)
        self._precisions.show(settings.precision, settings.precision)
        self._tiles.show(settings.most_tiles, f"At most {settings.most_tiles}")
        self._minutes.show(settings.unload_after_min, f"After {settings.unload_after_min} minutes")


class _Choice(Generic[Value]):
    """One of several values, in the menu of an action."""

    def __init__(
        self,
        action: QAction,
        values: Sequence[tuple[str, Value]],
        choose: Callable[[Value], object],
        parent: QWidget,
    ) -> None:
        self._choose = choose
        self._menu = QMenu(parent)
        self._group = QActionGroup(self._menu)
        for label, value in values:
            self._add(label, value)
        action.setMenu(self._menu)

    def show(self, value: Value, label: str) -> None:
        """Mark a value; one that is not offered, from a settings file, is added."""
        offered = next((each for each in self._group.actions() if each.data() == value), None)
        (offered or self._add(label, value)).setChecked(True)

    def _add(self, label: str, value: Value) -> QAction:
        action = QAction(label, self._group)
        action.setCheckable(True)
        action.setData(value)
        action.triggered.connect(lambda: self._choose(value))
        self._menu.addAction(action)
        return action
