"""How large a window may open on its screen."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

_FRAME = QSize(10, 40)
"""Space for the window manager's frame, whose size is known only once the window is shown."""


def within_screen(size: QSize, window: QWidget) -> QSize:
    """Limit a size to what fits on the window's screen."""
    return size.boundedTo(window.screen().availableSize() - _FRAME)
