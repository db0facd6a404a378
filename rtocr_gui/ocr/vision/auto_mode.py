"""Which mode a page is read in where the person leaves that to the page.

The rule, "Auto": of the modes that the model was made for, take the one of fewest visual tokens in whose view
the print is large enough to read, enlarged or not. Where the print is too small for all of them, take the
one that shows it largest. Tiny and Small stretch the page to a square and are for pages not too long.

How large the print must be is said by its density: how far apart its strokes stand along a line. That holds
for any script, bold or light, and needs no letters to be found. Knows pixels and modes; no model, no
window, and no torch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from rtocr_gui.ocr.model.model_info import PUBLISHED_PRINT, PrintSizes
from rtocr_gui.ocr.reading import MOST_TILES, Mode
from rtocr_gui.ocr.vision.layout import TILE_PX, letterbox_xywh
from rtocr_gui.ocr.vision.views import choose_tiles

PITCH_PER_X_HEIGHT = 0.55
"""How far apart the strokes of upright Latin print stand, over its x-height."""

MOST_STRETCH = 2.0
"""A page of longer proportions is not stretched to a square: its letters could not be told."""

_LINES = 192
"""Rows that are looked at, and columns; a large page takes some 20 ms."""

_FINE_SHARE = 0.25
_REACH_PX = 16
_LEAST_CONTRAST, _CONTRAST_SHARE = 10, 0.1
_OUTLYING_SHARE = 0.002
_STEP_SHARE, _NOISE_MARGIN = 0.25, 2 / 0.45
"""Two deviations: of noise alone, a quarter of all steps between neighbours are below 0.45 of one."""


def stroke_pitch(image: Image.Image) -> float | None:
    """Measure how far apart the strokes of a page's print stand.

    Along some rows and columns of pixels, every change from light to dark is a stroke; light print on dark
    measures alike. A quarter of the strokes follow the one before at the distance that is given, or closer.
    Small print has the more strokes, so some of it on a page of large print counts.

    Args:
        image: RGB page.

    Returns:
        Page pixels; None where there is no print.
    """
    pitches = [
        float(np.quantile(distances, _FINE_SHARE))
        for lines in (_rows(image), _columns(image))
        if (distances := _stroke_distances(lines)).size
    ]
    return min(pitches, default=None)


def mode_for_print(
    page_size_px: tuple[int, int],
    pitch_px: float | None,
    modes: Sequence[Mode],
    most_tiles: int = MOST_TILES,
    sizes: PrintSizes = PUBLISHED_PRINT,
) -> Mode:
    """Choose a mode for a page by the rule above.

    Args:
        page_size_px: (width, height) of the page.
        pitch_px: how far apart strokes stand, in page pixels; None for an empty page.
        modes: at least one.
        most_tiles: most tiles in Gundam mode, 2..9.
        sizes: how large print has to be for the model.

    Returns:
        One of `modes`; never one that leaves nothing of a narrow page where there is another.
    """
    shown = [mode for mode in modes if _shows(page_size_px, mode)] or list(modes)
    whole = [mode for mode in shown if mode.letterboxed or _length(page_size_px) <= MOST_STRETCH] or shown
    by_cost = sorted(whole, key=lambda mode: (_pixel_count(page_size_px, mode, most_tiles), mode.value))
    scales = {mode: _scale(page_size_px, mode, most_tiles) for mode in by_cost}
    enough_px = sizes.well_px * PITCH_PER_X_HEIGHT
    legible = (mode for mode in by_cost if pitch_px is None or pitch_px * scales[mode] >= enough_px)
    return next(legible, max(by_cost, key=lambda mode: scales[mode]))


def is_legible(
    page_size_px: tuple[int, int],
    pitch_px: float | None,
    mode: Mode,
    most_tiles: int = MOST_TILES,
    sizes: PrintSizes = PUBLISHED_PRINT,
) -> bool:
    """Tell whether a mode shows the print of a page tall enough.

    The choice of a mode errs on the side of tall print, this on the side of silence.

    Args:
        page_size_px: (width, height) of the page.
        pitch_px: how far apart strokes stand, in page pixels; None for an empty page, which is legible.
        mode: that it is read in.
        most_tiles: most tiles in Gundam mode, 2..9.
        sizes: how large print has to be for the model.
    """
    if pitch_px is None:
        return True
    return pitch_px * _scale(page_size_px, mode, most_tiles) >= sizes.least_px * PITCH_PER_X_HEIGHT


def larger_mode(
    page_size_px: tuple[int, int],
    pitch_px: float | None,
    mode: Mode,
    modes: Sequence[Mode],
    most_tiles: int = MOST_TILES,
    sizes: PrintSizes = PUBLISHED_PRINT,
) -> Mode | None:
    """Find the mode to choose where one shows the print too small.

    Args:
        page_size_px: (width, height) of the page.
        pitch_px: how far apart strokes stand, in page pixels.
        mode: that shows it too small.
        modes: at least one.
        most_tiles: most tiles in Gundam mode, 2..9.
        sizes: how large print has to be for the model.

    Returns:
        What the page would choose; None where that shows it no larger.
    """
    best = mode_for_print(page_size_px, pitch_px, modes, most_tiles, sizes)
    is_larger = _scale(page_size_px, best, most_tiles) > _scale(page_size_px, mode, most_tiles)
    return best if is_larger else None


def _rows(image: Image.Image) -> Image.Image:
    """Some rows as one grey picture.

    They slant by the step from one to the next, so that no lines of print can fall between them all.
    """
    width, height = image.size
    count = min(height, _LINES)
    step = height / count
    rows = image.transform((width, count), Image.Transform.AFFINE, (1, 0, 0, step / width, step, 0))
    return rows.convert("L")


def _columns(image: Image.Image) -> Image.Image:
    """Some columns likewise, each lying down."""
    width, height = image.size
    count = min(width, _LINES)
    step = width / count
    columns = image.transform((height, count), Image.Transform.AFFINE, (step / height, step, 0, 1, 0, 0))
    return columns.convert("L")


def _stroke_distances(lines: Image.Image) -> NDArray[np.int64]:
    """Distances between strokes that follow each other on a line.

    A pixel is light or dark where it differs enough from its neighbourhood on the line; that evens out
    shadows. Between a stroke and the next the line must have been light.

    Args:
        lines: grey; a row of pixels for each line.
    """
    around = lines.filter(ImageFilter.BoxBlur((_REACH_PX, 0)))
    differences = (np.asarray(lines, dtype=np.int16) - np.asarray(around)).ravel()
    places = np.flatnonzero(np.abs(differences) > _contrast(lines))
    is_dark = differences[places] < 0
    strokes = places[1:][is_dark[1:] & ~is_dark[:-1]]
    same_line = np.diff(strokes // lines.width) == 0
    distances: NDArray[np.int64] = np.diff(strokes)[same_line]
    return distances


def _contrast(lines: Image.Image) -> float:
    """By how many grey levels ink differs from what is around it, but noise does not."""
    darkest, lightest = _level(lines, _OUTLYING_SHARE), _level(lines, 1 - _OUTLYING_SHARE)
    step = _level(ImageChops.difference(lines, ImageChops.offset(lines, 1, 0)), _STEP_SHARE)
    return max(_LEAST_CONTRAST, _CONTRAST_SHARE * (lightest - darkest), _NOISE_MARGIN * step)


def _level(picture: Image.Image, share: float) -> int:
    """The grey level that a share of the pixels does not exceed."""
    counts = np.cumsum(picture.histogram())
    return int(np.searchsorted(counts, share * counts[-1]))


def _shows(page_size_px: tuple[int, int], mode: Mode) -> bool:
    return not mode.letterboxed or 0 not in letterbox_xywh(page_size_px, mode.view_px)[2:]


def _length(page_size_px: tuple[int, int]) -> float:
    return max(page_size_px) / min(page_size_px)


def _pixel_count(page_size_px: tuple[int, int], mode: Mode, most_tiles: int) -> int:
    """Pixels of all views; a visual token covers 64 x 64 of them."""
    across, down = _tiles(page_size_px, mode, most_tiles)
    return mode.view_px**2 + across * down * TILE_PX**2


def _scale(page_size_px: tuple[int, int], mode: Mode, most_tiles: int) -> float:
    """View pixels for a page pixel, on the side that is shrunk more; of tiles and global view, the better."""
    width, height = page_size_px
    across, down = _tiles(page_size_px, mode, most_tiles)
    of_tiles = min(across * TILE_PX / width, down * TILE_PX / height)
    return max(of_tiles, mode.view_px / max(width, height))


def _tiles(page_size_px: tuple[int, int], mode: Mode, most_tiles: int) -> tuple[int, int]:
    return choose_tiles(page_size_px, most_tiles) if mode is Mode.GUNDAM else (0, 0)
