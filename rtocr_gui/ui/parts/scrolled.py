"""Panes that scroll if there is too little space for them, instead of making their window grow."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


def scrolled(pane: QWidget) -> QScrollArea:
    """A pane in a frameless scroll area; Tab goes to the widgets in it, and scrolls to them."""
    area = QScrollArea()
    area.setWidget(pane)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
