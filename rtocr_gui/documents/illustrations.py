"""Finds the illustrations on a page, in which no lines of print are to be looked for.

Lines of print are parted by rows with little ink. Where ink goes on over many times the height of a line,
there is a photograph, a dot screen or a drawing, which reaches as far as the page is shaded. Two things go
on as well: large letters, whose strokes are thin for their height, and a dark frame around print.
"""

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image

from rtocr_gui.documents.ink import LevelledInk, levelled_ink
from rtocr_gui.documents.line_rows import Range, line_rows
from rtocr_gui.documents.masks import Mask, connected, first_of, opened

_STRIP = 1 / 24
"""Width of the strips in which ink is parted into lines, as a share of the longer side of the page."""

_FEWEST_LINES, _LINE, _TALL = 20, 2.0, 5.0
"""Lines in all strips below which their height is unknown; in such heights, the tallest lines of print, and
the ink that may be an illustration."""

_SOLID, _TOWERING = 1 / 32, 1 / 12
"""In shares of the longer side: how thick ink is that no stroke of a letter is, and how tall no letter is."""

_MOST_TALL, _ACROSS, _LEAST_GAPS = 0.8, 0.1, 0.12
"""Of a frame around print: most tall ink for each line, the share of lines in a row that is a gap between
them, and the least share of such rows."""

_CELL_PX = 4
"""Width and height of the cells in which the extent of an illustration is told."""


def find_illustrations(page: Image.Image) -> Image.Image:
    """Find the illustrations on a page.

    Args:
        page: RGB or grey.

    Returns:
        A grey picture of the same size: white where they are, black elsewhere.
    """
    levelled = levelled_ink(page)
    found = levelled.before_levelling(illustrations_in(levelled))
    return Image.fromarray(np.uint8(255) * found).resize(page.size, Image.Resampling.NEAREST)


def illustrations_in(levelled: LevelledInk) -> Mask:
    """Mark (H, W) the illustrations on a levelled page, each with all that is in the rectangle around it."""
    ink = levelled.ink
    found = np.zeros_like(ink)
    strips = _strips(ink)
    heights = [bottom - top for _, rows in strips for top, bottom in rows]
    if len(heights) < _FEWEST_LINES:
        return found
    line_height, longer = float(np.median(heights)), max(ink.shape)
    tall = _marked(ink.shape, strips, _TALL * line_height)
    if not tall.any():
        return found
    towering = _marked(ink.shape, strips, max(_TALL * line_height, _TOWERING * longer))
    lines = _marked(ink.shape, strips, 0, _LINE * line_height) & ~tall
    # What is no thicker than a line of print may touch an illustration, but is none.
    reach = math.ceil(line_height / _CELL_PX) // 2
    core = _in_cells(ink & tall)
    areas = opened(core | _in_cells(levelled.shaded), reach)
    solid = opened(core, max(reach, round(_SOLID * longer / _CELL_PX) // 2))
    solid |= opened(_in_cells(ink & towering), reach)
    for place in _boxes(solid & areas, areas):
        if not _is_print(lines[place], tall[place]):
            found[place] = True
    return found


def _is_print(lines: Mask, tall: Mask) -> bool:
    """Tell a dark frame around print, where the gaps between lines go across, from an illustration."""
    is_gap = lines.sum(axis=1) < _ACROSS * (~tall).sum(axis=1)
    return bool(tall.sum() < _MOST_TALL * lines.sum() and is_gap.mean() > _LEAST_GAPS)


def _strips(ink: Mask) -> list[tuple[slice, list[Range]]]:
    """Return the columns of strips that overlap by half, each with its rows of ink."""
    width = max(8, round(_STRIP * max(ink.shape)))
    return [
        (slice(left, left + width), line_rows(ink[:, left : left + width]))
        for left in range(0, max(1, ink.shape[1] - width // 2), width // 2)
    ]


def _marked(
    shape: tuple[int, ...], strips: list[tuple[slice, list[Range]]], least: float, most: float = math.inf
) -> Mask:
    """Mark the ink in strips whose runs of rows are `least` to `most` high."""
    marked = np.zeros(shape, np.bool_)
    for columns, rows in strips:
        for top, bottom in rows:
            if least <= bottom - top <= most:
                marked[top:bottom, columns] = True
    return marked


def _in_cells(mask: Mask) -> Mask:
    """Tell in which cells anything is marked."""
    padded = np.pad(mask, [(0, -side % _CELL_PX) for side in mask.shape])
    rows, columns = (side // _CELL_PX for side in padded.shape)
    return np.asarray(padded.reshape(rows, _CELL_PX, columns, _CELL_PX).any(axis=(1, 3)))


def _boxes(cores: Mask, areas: Mask) -> Iterator[tuple[slice, slice]]:
    """Find the rows and columns, in pixels, of each connected area with a core, and of one cell around."""
    while cores.any():
        area = connected(first_of(cores), areas)
        cores = cores & ~area
        rows, columns = (
            slice(max(0, marked[0] - 1) * _CELL_PX, (marked[-1] + 2) * _CELL_PX)
            for marked in (np.flatnonzero(area.any(axis=axis)) for axis in (1, 0))
        )
        yield rows, columns
