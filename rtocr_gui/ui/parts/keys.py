"""Keys that a widget keeps for itself where a shortcut of the window would take them. Knows no widget."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence


def asks_for(event: QEvent, key: QKeySequence.StandardKey | Qt.Key) -> bool:
    """True where Qt asks, before it takes keys for a shortcut, whether they are for the widget.

    Escape is named as the key that it is: what cancels also has another key on macOS, that of Stop.
    """
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    return event.key() == key if isinstance(key, Qt.Key) else event.matches(key)
