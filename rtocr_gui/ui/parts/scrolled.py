"""Panes that scroll if there is too little space for them, instead of making their window grow."""

from typing import cast

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QWidget


def scrolled(pane: QWidget) -> QScrollArea:
    """A pane in a frameless scroll area that scrolls to the widget with the focus, however it got it."""
    area = _FollowingArea()
    area.setWidget(pane)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


class _FollowingArea(QScrollArea):
    """Qt scrolls to a widget that got the focus by Tab only."""

    def __init__(self) -> None:
        super().__init__()
        cast(QApplication, QApplication.instance()).focusChanged.connect(self._follow)

    @Slot(QWidget, QWidget)
    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        if now is not None and self.isAncestorOf(now):
            self.ensureWidgetVisible(now)
