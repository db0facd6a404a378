"""Finds the lines of print on a page, by its levelled ink. Knows neither text nor file formats."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rtocr_gui.documents.ink import Mask, levelled_ink

Extent = tuple[float, float]
"""Left and right edge, in pixels."""

_Range = tuple[int, int]

_LEAST_HEIGHT_PX = 4
"""Lower runs of rows are dust, dotted rules, or the dots of letters."""

_WIDE_GAP, _GUTTER, _COLUMN = 1.5, 1.0, 8.0
"""Widths in heights of a line: of a wide gap within it, and the least between columns and of columns."""

_LOW, _FEWEST_LEADERS = 0.25, 5
"""Height and width of dots, in heights of their line, and how many beside each other lead the eye."""

_LEAST_LIKENESS = 0.3
"""How much the ink must be like itself, some rows farther down, for that to be the distance of lines."""

_THIN, _FLOOR = 0.35, 1.5
"""Share of the ink of the fullest row above and below that a row between touching lines has at most, and how
many times as much as such a row the first and last ones of a line have at least."""


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
    """Find the first of these only, which takes less time."""
    whole, on_page = _levelled_page(page)
    return tuple(map(on_page, whole.lines()))


def _levelled_page(page: Image.Image) -> "tuple[_Region, Callable[[_Line], PrintLine]]":
    """Level the print of a page, and return with it what finds out where its lines are on the page."""
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

    rows, columns = levelled.ink.shape
    return _Region(levelled.ink, (0, rows), (0, columns)), on_page


@dataclass(frozen=True, slots=True)
class _Line:
    strokes: tuple[_Range, ...]
    top: int
    bottom: int


@dataclass(frozen=True, slots=True)
class _Region:
    """A rectangle of the levelled page."""

    page: Mask
    rows: _Range
    columns: _Range

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
            for above, below in _line_ranges(ink)
        ]


def _by_column(whole: _Region) -> Iterator[_Line]:
    """Find lines in the order of reading: cut a page between columns, or else at the highest blank."""
    heights = [bottom - top for top, bottom in _line_ranges(whole.ink)]
    if not heights:
        return
    height = float(np.median(heights))
    waiting = [whole]
    while waiting:
        region = waiting.pop()
        ranges = _line_ranges(region.ink)
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
    printed = _runs(_columns(ink))
    gaps = [
        (before[1], after[0])
        for before, after in pairwise(printed)
        if after[0] - before[1] >= _GUTTER * height
        and min(before[1] - printed[0][0], printed[-1][1] - after[0]) >= _COLUMN * height
    ]
    for start, end in sorted(gaps, key=lambda gap: gap[0] - gap[1]):
        middle = (start + end) // 2
        if all(len(_line_ranges(side)) > 2 for side in (ink[:, :middle], ink[:, middle:])):
            return middle
    return None


def _widest_gap(ranges: list[_Range]) -> int:
    """Return the middle of the widest gap between lines; of similar ones, the one nearest to the middle."""
    edges = [(above[1], below[0]) for above, below in pairwise(ranges)]
    widest = max(end - start for start, end in edges)
    centre = (ranges[0][0] + ranges[-1][1]) / 2
    wide = [sum(edge) // 2 for edge in edges if edge[1] - edge[0] >= 0.9 * widest]
    return min(wide, key=lambda middle: abs(middle - centre))


def _strokes(line: Mask) -> list[_Range]:
    """Return where each run of columns with print begins and ends, without dots that lead the eye."""
    strokes = _runs(_columns(line))
    is_low = np.array([_is_low(line[:, slice(*stroke)]) for stroke in strokes])
    for first, end in _runs(is_low) if len(strokes) > _FEWEST_LEADERS else ():
        is_low[first:end] = end - first >= _FEWEST_LEADERS
    return [stroke for stroke, low in zip(strokes, is_low, strict=True) if not low] or strokes


def _is_low(stroke: Mask) -> bool:
    if stroke.shape[1] > _LOW * len(stroke):
        return False
    rows = np.flatnonzero(stroke.any(axis=1))
    return bool(rows[-1] - rows[0] < _LOW * len(stroke))


def _line_ranges(ink: Mask) -> list[_Range]:
    """Return the first row of each line, and the row after its last."""
    counts = ink.sum(axis=1)
    joined: list[_Range] = []
    for top, bottom in _runs(counts > 1):
        # The dots and accents of letters stand above them, with a small gap.
        if joined and top - joined[-1][1] <= 2 and joined[-1][1] - joined[-1][0] < _LEAST_HEIGHT_PX:
            top = joined.pop()[0]
        joined.append((top, bottom))
    ranges = [each for each in joined if each[1] - each[0] >= _LEAST_HEIGHT_PX]
    if not ranges:
        return []
    height = min(float(np.median([bottom - top for top, bottom in ranges])), _line_distance(counts))
    return [part for each in ranges for part in _apart(counts, each, height)]


def _line_distance(counts: NDArray[np.int64]) -> float:
    """Return after how many rows the ink of a page repeats itself; infinity if it does not.

    Lines that all touch each other are not told apart by blank rows.
    """
    around = counts - counts.mean()
    spectrum = np.abs(np.fft.rfft(around, 2 * len(around))) ** 2
    likeness = np.fft.irfft(spectrum)[: len(around) // 2]
    least = _LEAST_LIKENESS * likeness[:1]
    is_peak = (likeness[1:-1] > likeness[:-2]) & (likeness[1:-1] >= likeness[2:]) & (likeness[1:-1] > least)
    peaks = np.flatnonzero(is_peak) + 1
    peaks = peaks[peaks >= 2 * _LEAST_HEIGHT_PX]
    return float(peaks[0]) if len(peaks) else math.inf


def _apart(counts: NDArray[np.int64], lines: _Range, height: float, least: float = 0) -> list[_Range]:
    """Part lines that touch each other, or that a stroke runs across, where their ink is thinnest.

    Args:
        counts: how much ink each row has.
        lines: the rows of the lines.
        height: that of most lines.
        least: how much ink the first and the last row of a line must exceed.
    """
    full = lines[0] + np.flatnonzero(counts[slice(*lines)] > least)
    top, bottom = int(full[0]), int(full[-1]) + 1
    first, last = round(top + 0.5 * height), round(bottom - 0.5 * height)
    if bottom - top < 1.4 * height or first >= last:
        return [(top, bottom)]
    ink = counts[top:bottom]
    above, below = np.maximum.accumulate(ink), np.maximum.accumulate(ink[::-1])[::-1]
    is_thin = ink <= _THIN * np.minimum(above, below)
    is_thin[: first - top] = is_thin[last - top :] = False
    if not is_thin.any():
        return [(top, bottom)]
    thinnest = top + int(np.where(is_thin, ink, math.inf).argmin())
    parts = (top, thinnest), (thinnest, bottom)
    return [each for part in parts for each in _apart(counts, part, height, _FLOOR * counts[thinnest])]


def _runs(mask: NDArray[np.bool_]) -> list[_Range]:
    """Return where each run of true values begins, and where it ends, exclusive."""
    changes = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))


def _columns(ink: Mask) -> Mask:
    """Tell in which columns there is ink."""
    printed: Mask = np.logical_or.reduce(ink)
    return printed
