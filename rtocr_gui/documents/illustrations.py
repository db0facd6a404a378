"""Finds the illustrations on a page, in which no lines of print are to be looked for.

Lines of print are parted by rows with little ink. Where ink goes on over many times the height of a line,
there is a photograph, a dot screen or a drawing, which reaches as far as the page is shaded.
"""

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFilter

from rtocr_gui.documents.ink import Mask, levelled_ink
from rtocr_gui.documents.line_rows import line_rows

_STRIP = 1 / 24
"""Width of the strips in which ink is parted into lines, as a share of the longer side of the page."""

_FEWEST_LINES, _TALL = 20, 5.0
"""Lines in all strips below which their height is unknown, and the heights from which ink is no line."""

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
    found = levelled.before_levelling(illustrations_in(levelled.ink, levelled.shaded))
    return Image.fromarray(np.uint8(255) * found).resize(page.size, Image.Resampling.NEAREST)


def illustrations_in(ink: Mask, shaded: Mask) -> Mask:
    """Mark the illustrations on a levelled page, each with all that is in the rectangle around it.

    Args:
        ink: (H, W) as in `LevelledInk`.
        shaded: (H, W) as there.
    """
    tall, line_height = _tall_ink(ink)
    if not tall.any():
        return tall
    # What is no thicker than a line of print may touch an illustration, but is none.
    thickness = math.ceil(line_height / _CELL_PX)
    core = _in_cells(tall)
    areas = _opened(core | _in_cells(shaded), thickness)
    found = np.zeros_like(areas)
    for rows, columns in _boxes(_opened(core, thickness), areas):
        found[rows, columns] = True
    height, width = ink.shape
    return found.repeat(_CELL_PX, axis=0).repeat(_CELL_PX, axis=1)[:height, :width]


def _tall_ink(ink: Mask) -> tuple[Mask, float]:
    """Mark the ink that is no line of print, and return with it the height of most lines."""
    width = max(8, round(_STRIP * max(ink.shape)))
    strips = [
        (slice(left, left + width), line_rows(ink[:, left : left + width]))
        for left in range(0, max(1, ink.shape[1] - width // 2), width // 2)
    ]
    heights = [bottom - top for _, rows in strips for top, bottom in rows]
    tall = np.zeros_like(ink)
    if len(heights) < _FEWEST_LINES:
        return tall, 0.0
    line_height = float(np.median(heights))
    for columns, rows in strips:
        for top, bottom in rows:
            if bottom - top >= _TALL * line_height:
                tall[top:bottom, columns] = ink[top:bottom, columns]
    return tall, line_height


def _in_cells(mask: Mask) -> Mask:
    """Tell in which cells anything is marked."""
    padded = np.pad(mask, [(0, -side % _CELL_PX) for side in mask.shape])
    rows, columns = (side // _CELL_PX for side in padded.shape)
    return np.asarray(padded.reshape(rows, _CELL_PX, columns, _CELL_PX).any(axis=(1, 3)))


def _opened(cells: Mask, reach: int) -> Mask:
    """Keep only what squares of more than `reach` cells fit into."""
    size = reach // 2 * 2 + 1
    image = Image.fromarray(np.uint8(255) * cells)
    opened = image.filter(ImageFilter.MinFilter(size)).filter(ImageFilter.MaxFilter(size))
    return np.asarray(opened) > 0


def _boxes(cores: Mask, areas: Mask) -> Iterator[tuple[slice, slice]]:
    """Find the rows and columns of each connected area with a core, and of the cells around it."""
    cores = cores.copy()
    while cores.any():
        first = np.zeros_like(cores)
        first.flat[cores.argmax()] = True
        area = _connected(first, areas)
        rows, columns = (
            slice(max(0, marked[0] - 1), marked[-1] + 2)
            for marked in (np.flatnonzero(area.any(axis=axis)) for axis in (1, 0))
        )
        yield rows, columns
        cores[rows, columns] = False


def _connected(first: Mask, areas: Mask) -> Mask:
    """Return the connected area that the first cell is in."""
    found, count = first, 0
    while (now := int(found.sum())) > count:
        count = now
        found = _along_rows(_along_rows(found, areas).T, areas.T).T
    return found


def _along_rows(found: Mask, areas: Mask) -> Mask:
    """Extend what was found to the ends of its runs along rows."""
    begins = areas & ~np.pad(areas, ((0, 0), (1, 0)))[:, :-1]
    runs = begins.cumsum().reshape(areas.shape) * areas
    is_found = np.zeros(runs.max() + 1, np.bool_)
    is_found[runs[found]] = True
    extended: Mask = is_found[runs] & areas
    return extended
