"""Finds the lines of print on a page, by its levelled ink. Knows neither text nor file formats."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from PIL import Image

from rtocr_gui.documents.illustrations import illustrations_in
from rtocr_gui.documents.ink import levelled_ink
from rtocr_gui.documents.line_rows import Range, line_rows, runs
from rtocr_gui.documents.masks import Mask

Extent = tuple[float, float]
"""Left and right edge, in pixels."""

_WIDE_GAP, _GUTTER, _COLUMN = 1.5, 1.0, 8.0
"""Widths in heights of a line: of a wide gap within it, and the least between columns and of columns."""

_LOW, _FEWEST_LEADERS = 0.25, 5
"""Height and width of dots, in heights of their line, and how many beside each other lead the eye."""


@dataclass(frozen=True)
class PrintLine:
    """A line of print.

    Attributes:
        strokes: left and right edge of each run of columns with print, from left to right, in pixels.
        top: the upper edge where it, if extended, meets the left edge of the page, in pixels.
        bottom: the same of the lower edge.
        slope: how much the line falls from one pixel to the next on its right.
    """

    strokes: tuple[Extent, ...]
    top: float
    bottom: float
    slope: float

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """Width of the print in pixels, without wide gaps."""
        return sum(right - left for left, right in self.parts)

    @property
    def parts(self) -> list[Extent]:
        """Left and right edge of what stands between wide gaps."""
        return self._between([gap for gap in self._gaps if gap[1] - gap[0] >= _WIDE_GAP * self.height])

    def cut(self, count: int) -> list[Extent]:
        """Return left and right edges of parts with the widest gaps between them, as many as there are.

        Args:
            count: the most parts, at least 1.
        """
        return self._between(sorted(self._gaps_by_width[: count - 1]))

    @cached_property
    def _gaps_by_width(self) -> list[Extent]:
        return sorted(self._gaps, key=lambda gap: gap[0] - gap[1])

    @property
    def _gaps(self) -> list[Extent]:
        return [(before[1], after[0]) for before, after in pairwise(self.strokes)]

    def _between(self, gaps: Sequence[Extent]) -> list[Extent]:
        starts = [self.strokes[0][0], *(gap[1] for gap in gaps)]
        ends = [*(gap[0] for gap in gaps), self.strokes[-1][1]]
        return list(zip(starts, ends, strict=True))


def find_print_lines(page: Image.Image) -> tuple[tuple[PrintLine, ...], tuple[PrintLine, ...]]:
    """Find the lines of print on a page, which may be skewed a little.

    Args:
        page: RGB or grey.

    Returns:
        The lines across the whole page from top to bottom, and those of each column after the other.
    """
    whole, on_page = _levelled_page(page)
    return tuple(map(on_page, whole.lines())), tuple(map(on_page, _by_column(whole)))


def find_lines_across(page: Image.Image) -> tuple[PrintLine, ...]:
    """Find only the lines across the whole page, from top to bottom, which takes less time."""
    whole, on_page = _levelled_page(page)
    return tuple(map(on_page, whole.lines()))


def _levelled_page(page: Image.Image) -> "tuple[_Region, Callable[[_Line], PrintLine]]":
    """Level the print of a page, and return also a function that places its lines on the page."""
    levelled = levelled_ink(page)
    width, height = levelled.size_px
    across, down = page.width / width, page.height / height

    def on_page(line: _Line) -> PrintLine:
        lean = levelled.shift + levelled.slope * ((line.top + line.bottom) / 2 - levelled.lift)
        # What is levelled may reach beyond the edges of the page; no stroke becomes narrower than a pixel.
        edges = np.clip(np.array(line.strokes) - lean, (0, 1), (width - 1, width)) * across
        strokes = tuple((left, right) for left, right in edges.tolist())
        top, bottom = (line.top - levelled.lift) * down, (line.bottom - levelled.lift) * down
        return PrintLine(strokes, top, bottom, levelled.slope * down / across)

    ink = levelled.ink & ~illustrations_in(levelled)
    rows, columns = ink.shape
    return _Region(ink, (0, rows), (0, columns)), on_page


@dataclass(frozen=True, slots=True)
class _Line:
    strokes: tuple[Range, ...]
    top: int
    bottom: int


@dataclass(frozen=True, slots=True)
class _Region:
    """A rectangle of the levelled page."""

    page: Mask
    rows: Range
    columns: Range

    @property
    def ink(self) -> Mask:
        return self.page[slice(*self.rows), slice(*self.columns)]

    def lines(self) -> list[_Line]:
        """Find the lines in it, as if it were one column."""
        ink, top, left = self.ink, self.rows[0], self.columns[0]
        return [
            _Line(
                tuple((left + first, left + end) for first, end in _strokes(ink[above:below])),
                top + above,
                top + below,
            )
            for above, below in line_rows(ink)
        ]


def _by_column(whole: _Region) -> Iterator[_Line]:
    """Find lines in the order of reading: cut a page between columns, or else at the highest blank."""
    heights = [bottom - top for top, bottom in line_rows(whole.ink)]
    if not heights:
        return
    height = float(np.median(heights))
    waiting = [whole]
    while waiting:
        region = waiting.pop()
        ranges = line_rows(region.ink)
        if (gutter := _gutter(region.ink, height)) is not None:
            left, right = region.columns
            middle = left + gutter
            waiting.append(_Region(region.page, region.rows, (middle, right)))
            waiting.append(_Region(region.page, region.rows, (left, middle)))
        elif len(ranges) > 1:
            top, bottom = region.rows
            middle = top + _widest_gap(ranges)
            waiting.append(_Region(region.page, (middle, bottom), region.columns))
            waiting.append(_Region(region.page, (top, middle), region.columns))
        else:
            yield from region.lines()


def _gutter(ink: Mask, height: float) -> int | None:
    """Return the middle of the widest gap between two columns of some lines each; None if there is none."""
    if len(ink) < 3 * height:
        return None
    printed = runs(_columns(ink))
    gaps = [
        (before[1], after[0])
        for before, after in pairwise(printed)
        if after[0] - before[1] >= _GUTTER * height
        and min(before[1] - printed[0][0], printed[-1][1] - after[0]) >= _COLUMN * height
    ]
    for start, end in sorted(gaps, key=lambda gap: gap[0] - gap[1]):
        middle = (start + end) // 2
        if all(len(line_rows(side)) > 2 for side in (ink[:, :middle], ink[:, middle:])):
            return middle
    return None


def _widest_gap(ranges: list[Range]) -> int:
    """Return the middle of the widest gap between lines; of similar ones, the one nearest to the middle."""
    edges = [(above[1], below[0]) for above, below in pairwise(ranges)]
    widest = max(end - start for start, end in edges)
    centre = (ranges[0][0] + ranges[-1][1]) / 2
    wide = [sum(edge) // 2 for edge in edges if edge[1] - edge[0] >= 0.9 * widest]
    return min(wide, key=lambda middle: abs(middle - centre))


def _strokes(line: Mask) -> list[Range]:
    """Return where each run of columns with print begins and ends, without dots that lead the eye."""
    strokes = runs(_columns(line))
    is_low = np.array([_is_low(line[:, slice(*stroke)]) for stroke in strokes])
    for first, end in runs(is_low) if len(strokes) > _FEWEST_LEADERS else ():
        is_low[first:end] = end - first >= _FEWEST_LEADERS
    return [stroke for stroke, low in zip(strokes, is_low, strict=True) if not low] or strokes


def _is_low(stroke: Mask) -> bool:
    if stroke.shape[1] > _LOW * len(stroke):
        return False
    rows = np.flatnonzero(stroke.any(axis=1))
    return bool(rows[-1] - rows[0] < _LOW * len(stroke))


def _columns(ink: Mask) -> Mask:
    """Tell in which columns there is ink."""
    printed: Mask = np.logical_or.reduce(ink)
    return printed
