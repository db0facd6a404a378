"""Lets the wheel change a box or a slider only if it has the focus, not while scrolling past it."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QWidget


def take_wheel_when_focused(*widgets: QWidget) -> None:
    """Pass wheel events on to what lies behind these widgets, unless they have the focus."""
    for widget in widgets:
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.installEventFilter(_Unfocused(widget))


class _Unfocused(QObject):
    """Keeps wheel events from a widget without focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Wheel or (isinstance(watched, QWidget) and watched.hasFocus()):
            return False
        event.ignore()
        return True
