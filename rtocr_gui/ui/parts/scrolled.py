"""Panes that scroll where there is too little room for them, instead of making their window grow."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


def scrolled(pane: QWidget) -> QScrollArea:
    """A pane in a frameless area that scrolls it; Tab goes to what is in it, and brings that to sight."""
    area = QScrollArea()
    area.setWidget(pane)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
