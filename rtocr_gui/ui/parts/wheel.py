"""Lets the wheel change a box or a slider only where the person went to it, and not on its way elsewhere."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QWidget


def take_wheel_when_focused(*widgets: QWidget) -> None:
    """Leave the wheel to what lies behind these, unless they have the focus; the wheel gives them none."""
    for widget in widgets:
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.installEventFilter(_Unfocused(widget))


class _Unfocused(QObject):
    """Keeps the wheel from a widget without focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Wheel or (isinstance(watched, QWidget) and watched.hasFocus()):
            return False
        event.ignore()
        return True
