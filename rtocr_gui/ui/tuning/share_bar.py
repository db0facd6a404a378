"""A bar that shows shares of one: each segment with its own colour and pattern.

Knows nothing about what the shares mean; the caller says so in words beside it.
"""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from rtocr_gui.ui.tuning.plot_colours import PlotColours


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar.

    Attributes:
        share: how much of the whole bar, in 0..1.
        series: which colour and pattern, from 0.
    """

    share: float
    series: int


class ShareBar(QWidget):
    """A horizontal bar from 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self._segments: tuple[Segment, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_segments(self, *segments: Segment) -> None:
        """Show segments from the left; the rest of the bar stays empty."""
        self._segments = segments
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(90, round(self.fontMetrics().height() * 0.8))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = PlotColours.of(self.palette())
        with QPainter(self) as painter:
            box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.setPen(colours.frame)
            painter.setBrush(self.palette().base())
            painter.drawRect(box)
            left = box.left()
            for segment in self._segments:
                width = segment.share * box.width()
                part = QRectF(left, box.top(), width, box.height())
                painter.fillRect(part, colours.series[segment.series])
                if segment.series:
                    painter.fillRect(part, QBrush(colours.text, Qt.BrushStyle.BDiagPattern))
                left += width
