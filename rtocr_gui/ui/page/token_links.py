"""Lines from one cell to others, as wide as the mass that passed. Knows only rectangles and weights."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

_LINE, _CASING = QColor(220, 38, 127), QColor(255, 255, 255)
_WIDEST = 5


@dataclass(frozen=True, slots=True)
class Target:
    """One end of a line.

    Attributes:
        cell: where it lies, in device pixels.
        weight: width of its line, 1 for the widest.
        is_elsewhere: True if the cell belongs to a grid that is not shown.
    """

    cell: QRectF
    weight: float
    is_elsewhere: bool


def paint_links(painter: QPainter, source: QRectF, targets: Sequence[Target], line_width: float) -> None:
    """Outline a cell and its targets and join them by lines.

    Args:
        painter: in device pixels.
        source: cell from which the lines start.
        targets: cells to which they lead.
        line_width: of a thin line, in device pixels.
    """
    painter.save()
    for casing, colour in ((2, _CASING), (0, _LINE)):  # all casings lie beneath all lines
        extra = casing * line_width
        for target in targets:
            width = max(1.0, _WIDEST * target.weight) * line_width
            style = Qt.PenStyle.DashLine if target.is_elsewhere and not casing else Qt.PenStyle.SolidLine
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(_pen(colour, width + extra, style))
            painter.drawLine(QLineF(source.center(), target.cell.center()))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            painter.setPen(_pen(colour, 2 * line_width + extra, style))
            painter.drawRect(target.cell)
        painter.setPen(_pen(colour, 3 * line_width + extra, Qt.PenStyle.SolidLine))
        painter.drawRect(source)
    painter.restore()


def _pen(colour: QColor, width: float, style: Qt.PenStyle) -> QPen:
    return QPen(colour, width, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin)
