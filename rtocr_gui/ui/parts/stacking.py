"""Panes one below the other, without gaps."""

from PySide6.QtWidgets import QVBoxLayout, QWidget


def stack(column: QWidget, *panes: QWidget, growing: QWidget) -> None:
    """Put panes into a widget, from top to bottom; one of them takes the remaining space."""
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    for pane in panes:
        layout.addWidget(pane, 1 if pane is growing else 0)
