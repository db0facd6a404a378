"""Keys that a widget keeps for itself, or leaves, although the window has shortcuts. Knows no widget."""

from PySide6.QtCore import QEvent, QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

_EDITING_KEYS = (Qt.Modifier.CTRL | Qt.Key.Key_E, Qt.Modifier.CTRL | Qt.Key.Key_U)
"""Shortcuts of Export and Unload, and keys of Emacs for the end and the beginning of a line."""


def asks_for(event: QEvent, key: QKeySequence.StandardKey | Qt.Key | QKeyCombination) -> bool:
    """True if Qt is asking whether a key is for the widget, before treating it as a shortcut.

    For Escape pass the key itself: on macOS the standard key Cancel also includes the shortcut of Stop.
    """
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    if isinstance(key, QKeyCombination):
        return event.keyCombination() == key
    return event.key() == key if isinstance(key, Qt.Key) else event.matches(key)


def leaves_to_window(event: QEvent) -> bool:
    """Tell Qt, if it is asking, that a shortcut is not for a line of text, which edits with it on X11."""
    if any(asks_for(event, keys) for keys in _EDITING_KEYS):
        event.ignore()
        return True
    return False


def keeps_escape(event: QEvent) -> bool:
    """Tell Qt, if it is asking, that Escape is for the widget: it would dismiss the notices otherwise."""
    if asks_for(event, Qt.Key.Key_Escape):
        event.accept()
        return True
    return False
