"""How panes share the space of a window, and the window that of its screen."""

from typing import cast

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from rtocr_gui.ui.parts.timers import one_shot

_FRAME = QSize(10, 40)
"""Space for the window manager's frame, whose size is known only once the window is shown."""


def stack(column: QWidget, *panes: QWidget, growing: QWidget) -> None:
    """Put panes into a widget, from top to bottom without gaps; one of them takes the remaining space."""
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for pane in panes:
        layout.addWidget(pane, 1 if pane is growing else 0)


def within_screen(size: QSize, window: QWidget) -> QSize:
    """Limit a size to what fits on the window's screen."""
    return size.boundedTo(window.screen().availableSize() - _FRAME)


def scrolled(pane: QWidget) -> QScrollArea:
    """A frameless area in which a pane scrolls if there is too little space, instead of enlarging the window.

    It scrolls to the widget with the focus, however it got it.
    """
    area = _FollowingArea()
    area.setWidget(pane)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


class _FollowingArea(QScrollArea):
    """Qt scrolls to a widget that got the focus by Tab only, and leaves it where a bar opens above it."""

    def __init__(self) -> None:
        super().__init__()
        # Once the panes have found their places.
        self._soon = one_shot(self, 0, self._follow)
        self.verticalScrollBar().rangeChanged.connect(self._follow_soon)
        cast(QApplication, QApplication.instance()).focusChanged.connect(self._follow_soon)

    @Slot()
    def _follow_soon(self) -> None:
        self._soon.start()

    @Slot()
    def _follow(self) -> None:
        now = QApplication.focusWidget()
        if now is not None and self.isAncestorOf(now):
            self.ensureWidgetVisible(now)
