"""Colours of plots and bars, for light and dark palettes.

The series colours are those of Okabe and Ito ("Color Universal Design", 2008), which people with any common
colour blindness can tell apart; the lighter ones are used on dark backgrounds. Painters add a shape, a dash
or a pattern, so that nothing depends on colour alone.
"""

from dataclasses import dataclass
from typing import Self

from PySide6.QtGui import QColor, QPalette

from rtocr_gui.ui.parts.colours import mixed

_SERIES_ON_LIGHT = ("#0072b2", "#d55e00", "#a8487f", "#007a5a")
_SERIES_ON_DARK = ("#56b4e9", "#e69f00", "#cc79a7", "#2bc8a0")


@dataclass(frozen=True, slots=True)
class PlotColours:
    """The colours to paint with.

    Attributes:
        ground: behind the plot.
        text: labels.
        faint: less important labels and marks.
        grid: lines behind the curves.
        frame: outlines.
        focus: the selected point, and the frame of a focused plot.
        series: one colour for each series.
    """

    ground: QColor
    text: QColor
    faint: QColor
    grid: QColor
    frame: QColor
    focus: QColor
    series: tuple[QColor, ...]

    @classmethod
    def of(cls, palette: QPalette) -> Self:
        """The colours that suit a palette."""
        ground, text = palette.base().color(), palette.text().color()
        dark = ground.lightnessF() < 0.5
        return cls(
            ground=ground,
            text=text,
            faint=mixed(text, ground, 0.4),
            grid=mixed(text, ground, 0.85),
            frame=mixed(text, ground, 0.55),
            focus=palette.highlight().color(),
            series=tuple(QColor(name) for name in (_SERIES_ON_DARK if dark else _SERIES_ON_LIGHT)),
        )
