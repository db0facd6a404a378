"""What the wheel does: it changes a box or a slider only if that has the focus; with Ctrl it zooms text."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

WHEEL_NOTCH = 120
"""What Qt reports for a notch of the wheel."""


def take_wheel_when_focused(*widgets: QWidget) -> None:
    """Pass wheel events on to what lies behind these widgets, unless they have the focus."""
    for widget in widgets:
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.installEventFilter(_Unfocused(widget))


def zoom_by_wheel(zoom: Callable[[int], None], *views: QAbstractScrollArea) -> None:
    """Call `zoom` with 1 or -1 for each notch that the wheel is turned over these views with Ctrl."""
    for view in views:
        view.viewport().installEventFilter(_Zooming(zoom, view))


class _Zooming(QObject):
    """Takes wheel events with Ctrl; small turns, as of a touchpad, add up."""

    def __init__(self, zoom: Callable[[int], None], parent: QObject) -> None:
        super().__init__(parent)
        self._zoom = zoom
        self._turned = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QWheelEvent) or event.modifiers() != Qt.KeyboardModifier.ControlModifier:
            return False
        self._turned += event.angleDelta().y()
        while abs(self._turned) >= WHEEL_NOTCH:
            step = 1 if self._turned > 0 else -1
            self._turned -= step * WHEEL_NOTCH
            self._zoom(step)
        return True


class _Unfocused(QObject):
    """Keeps wheel events from a widget without focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Wheel or (isinstance(watched, QWidget) and watched.hasFocus()):
            return False
        event.ignore()
        return True
