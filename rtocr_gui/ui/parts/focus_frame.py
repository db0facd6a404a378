"""The frame of a widget that has the focus, where the style draws none."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen

_WIDTH_PX = 2


def paint_frame(painter: QPainter, around: QRect, colour: QColor) -> None:
    """Paint a frame within the edge of a rectangle, both in widget pixels."""
    inset = _WIDTH_PX // 2
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, _WIDTH_PX))
    painter.drawRect(around.adjusted(inset, inset, -inset, -inset))
