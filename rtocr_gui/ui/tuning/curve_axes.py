"""Where the values of a retention curve are plotted: two panels, one above the other, over one axis.

Knows points and sizes, and nothing about how they are painted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QFontMetrics

from rtocr_gui.ocr.curve import CurvePoint

AXIS_RATIOS = (1.0, 0.25, 0.5, 0.84, 0.75)
"""Ratios with a line, the most important first: a label that would touch an earlier one is left out."""

_LOWEST_RATIO = 0.2
_HIGHEST_RATIO = 1.02
_LEAST_SPAN = 0.08
_STEPS = (0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_MOST_STEPS = 5


class Series(IntEnum):
    """What is plotted for each point, the first three in the upper panel; the values are places of colours.

    Where the true text is unknown, the words that the model was sure of stand in for accuracy.
    """

    SIMILARITY = 0
    ACCURACY = 1
    SURE_WORDS = 2
    PREFILL = 3


@dataclass(frozen=True, slots=True)
class CurveAxes:
    """The panels and the values at their edges.

    Attributes:
        upper: panel of the shares.
        lower: panel of the prefill times.
        lowest_ratio: at the left edge of both.
        lowest_share: at the bottom of the upper panel, which ends at 1.
        share_step: from one line of the upper panel to the next.
        longest_ms: at the top of the lower panel, which begins at 0.
    """

    upper: QRectF
    lower: QRectF
    lowest_ratio: float
    lowest_share: float
    share_step: float
    longest_ms: float

    @classmethod
    def fitting(
        cls, points: Sequence[CurvePoint], room: QSize, metrics: QFontMetrics, legend_bottom: float
    ) -> Self:
        """Axes that fit all points below a legend, and leave space for the labels beside them."""
        line = metrics.height()
        longest_ms = _round_up(max((point.prefill_ms for point in points), default=1.0))
        left = 10 + max(metrics.horizontalAdvance(text) for text in ("100 %", _axis_label(longest_ms)))
        right = max(10.0, metrics.horizontalAdvance("100") / 2)
        width = max(1.0, room.width() - left - right)
        top = legend_bottom + 0.25 * line + 4
        height = max(2.0, room.height() - top - 3.5 * line - 12)
        upper = QRectF(left, top, width, height * 0.64)
        lower = QRectF(left, upper.bottom() + 1.5 * line + 4, width, height * 0.36)
        shares = [share for point in points for share in shares_of(point).values()]
        most_steps = max(1, int(upper.height() / (1.2 * line)))
        lowest_share, step = _range_below_one(min(shares, default=0.0), most_steps)
        lowest_ratio = min([_LOWEST_RATIO, *(point.retention - 0.03 for point in points)])
        return cls(upper, lower, lowest_ratio, lowest_share, step, longest_ms)

    def x(self, ratio: float) -> float:
        """Position of a ratio in both panels."""
        along = (ratio - self.lowest_ratio) / (_HIGHEST_RATIO - self.lowest_ratio)
        return self.upper.left() + self.upper.width() * along

    def y(self, share: float) -> float:
        """Position of a share in the upper panel."""
        along = (share - self.lowest_share) / (1 - self.lowest_share)
        return self.upper.bottom() - self.upper.height() * along

    def y_ms(self, milliseconds: float) -> float:
        """Position of a time in the lower panel."""
        return self.lower.bottom() - self.lower.height() * milliseconds / self.longest_ms

    def marks(self, point: CurvePoint) -> list[tuple[Series, QPointF]]:
        """Where a point is plotted, by series."""
        x = self.x(point.retention)
        marks = [(series, QPointF(x, self.y(share))) for series, share in shares_of(point).items()]
        return [*marks, (Series.PREFILL, QPointF(x, self.y_ms(point.prefill_ms)))]

    def lines(self) -> list[tuple[float, str]]:
        """Positions of the lines across the panels, and their labels."""
        count = round((1 - self.lowest_share) / self.share_step)
        shares = [1 - self.share_step * number for number in range(count + 1)]
        return [(self.y(share), f"{100 * share:.0f} %") for share in shares] + [
            (self.y_ms(milliseconds), _axis_label(milliseconds)) for milliseconds in (0.0, self.longest_ms)
        ]

    def ratio_labels(self, metrics: QFontMetrics) -> list[tuple[QRectF, str]]:
        """Places of the labels below the panels, and the labels."""
        labels: list[tuple[QRectF, str]] = []
        gap = metrics.averageCharWidth() / 2
        for ratio in AXIS_RATIOS:
            text = f"{100 * ratio:.0f}"
            box = QRectF(0, self.lower.bottom() + 3, metrics.horizontalAdvance(text), metrics.height())
            box.moveLeft(self.x(ratio) - box.width() / 2)
            if not any(box.adjusted(-gap, 0, gap, 0).intersects(other) for other, _ in labels):
                labels.append((box, text))
        return labels


def _axis_label(milliseconds: float) -> str:
    """A time as an axis label."""
    return f"{milliseconds / 1000:g} s" if milliseconds >= 1000 else f"{milliseconds:g} ms"


def shares_of(point: CurvePoint) -> dict[Series, float]:
    """What the upper panel shows for a point, in 0..1, by series."""
    shares = {Series.SIMILARITY: point.similarity}
    if point.error_rate is not None:
        shares[Series.ACCURACY] = max(0.0, 1 - point.error_rate)
    elif point.sure_share is not None:
        shares[Series.SURE_WORDS] = point.sure_share
    return shares


def _range_below_one(lowest: float, most_steps: int) -> tuple[float, float]:
    """The lower end of an axis that ends at 1 and includes `lowest`, and its step."""
    span = max(1 - lowest, _LEAST_SPAN)
    most_steps = min(most_steps, _MOST_STEPS)
    step = next((step for step in _STEPS if span <= most_steps * step + 1e-9), 1.0)
    return 1 - step * math.ceil(span / step - 1e-9), step


def _round_up(number: float) -> float:
    """Round up to the next of 1, 2, 5, 10, 20, 50 and so on."""
    if number <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(number))
    return power * next(lead for lead in (1, 2, 5, 10) if number <= lead * power * (1 + 1e-9))
