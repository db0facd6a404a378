"""How large a window may open on its screen."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

_FRAME = QSize(10, 40)
"""Room for what a window manager draws around a window; it tells only once the window is shown."""


def within_screen(size: QSize, window: QWidget) -> QSize:
    """A size, made smaller where the screen of the window has less room."""
    return size.boundedTo(window.screen().availableSize() - _FRAME)
