"""Keys that a widget keeps for itself where a shortcut of the window would take them. Knows no widget."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QKeyEvent, QKeySequence


def asks_for(event: QEvent, key: QKeySequence.StandardKey) -> bool:
    """True where Qt asks, before it takes keys for a shortcut, whether they are for the widget."""
    is_override = event.type() == QEvent.Type.ShortcutOverride
    return is_override and isinstance(event, QKeyEvent) and event.matches(key)
