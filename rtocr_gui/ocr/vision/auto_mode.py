"""Chooses the mode for a page when the user leaves it to the page ("Auto").

The rule: of the modes the model was made for, take the one with the fewest visual tokens whose view shows
the print large enough to read, enlarged or not. If the print is too small in all of them, take the one that
shows it largest. Tiny and Small stretch the page to a square, so they are not used for very long pages.
Some models read very long or wide pages badly in Gundam; for these pages it is used only if no other mode
shows the print large enough to be read at all, and never for strips as long as the longest row of tiles or
longer, which it would distort.

The size of the print is measured by its density: the distance between strokes along a line. This works for
any script and weight, and needs no letter detection. Knows pixels and modes; no model, no window and no
torch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from rtocr_gui.documents.illustrations import find_illustrations
from rtocr_gui.ocr.model.model_info import PUBLISHED_PRINT, PrintSizes
from rtocr_gui.ocr.reading import Doubt, Mode
from rtocr_gui.ocr.vision.grey_levels import grey_levels
from rtocr_gui.ocr.vision.layout import TILE_PX, page_xywh
from rtocr_gui.ocr.vision.views import tiles_in
from rtocr_gui.tokens import MOST_TILES

PITCH_PER_X_HEIGHT = 0.55
"""Distance between the strokes of upright Latin print, as a multiple of its x-height."""

MOST_STRETCH = 2.0
"""A page with a larger aspect ratio is not stretched to a square: its letters would be unrecognisable."""

_LINES = 192
"""Number of rows, and of columns, to sample; a large page takes about 20 ms."""

_FINE_SHARE = 0.25
"""The quantile of the distances that counts (`packaging/decisions/7-auto-mode-by-stroke-pitch.md`)."""

_SPECK_SHARE, _SPECK_BLUR_PX, _FINEST_PX = 0.05, 0.5, 3.5
_REACH_PX = 16
_LEAST_CONTRAST, _CONTRAST_SHARE = 10, 0.1
_OUTLYING_SHARE = 0.002
_STEP_SHARE, _NOISE_MARGIN = 0.25, 2 / 0.45
"""Two standard deviations of the noise: in Gaussian noise, a quarter of the absolute differences between
neighbouring pixels are below 0.45 standard deviations."""


def stroke_pitch(image: Image.Image) -> float | None:
    """Measure the distance between the strokes of a page's print.

    Along sampled rows and columns of pixels, every change from light to dark is a stroke; light print on a
    dark background measures the same. The result is the lower quartile of the distances between successive
    strokes. Small print has more strokes, so even a little of it counts on a page of large print.

    Args:
        image: RGB page.

    Returns:
        Distance in page pixels; None if there is no print.
    """
    grey = image.convert("L")
    if any(grey.histogram()[1:-1]):
        return _pitch_of(grey)
    pitch = _pitch_of(_evened(grey))
    if pitch is not None and pitch < _FINEST_PX:
        # The specks of dithered photographs are as fine. To look for these takes longer than all the rest.
        return _pitch_of(_without_illustrations(grey)) or pitch
    return pitch


@dataclass(frozen=True, slots=True)
class PagePrint:
    """What decides which modes show the print of a page large enough to read.

    Attributes:
        page_size_px: (width, height) of the page.
        pitch_px: distance between strokes in page pixels; None for an empty page, which any mode shows.
        most_tiles: most tiles in Gundam mode, 2..9.
        sizes: how large print must be for the model.
        gundam_aspect_ratio: longer to shorter side of the page up to which the model reads well in Gundam,
            at least 1.
    """

    page_size_px: tuple[int, int]
    pitch_px: float | None
    most_tiles: int = MOST_TILES
    sizes: PrintSizes = PUBLISHED_PRINT
    gundam_aspect_ratio: float = math.inf

    def best_mode(self, modes: Sequence[Mode]) -> Mode:
        """Choose a mode for the page by the rule above.

        Args:
            modes: modes to choose from, at least one.

        Returns:
            One of `modes`; one in which nothing of a narrow page would be left only if there is no other.
        """
        shorter, longer = sorted(self.page_size_px)
        may_be_stretched = longer <= MOST_STRETCH * shorter
        shown = [mode for mode in modes if 0 not in page_xywh(mode, self.page_size_px)[2:]] or list(modes)
        whole = [mode for mode in shown if mode.letterboxed or may_be_stretched] or shown
        if self.is_too_long_for(Mode.GUNDAM):
            others = [mode for mode in whole if mode is not Mode.GUNDAM]
            is_strip = longer >= MOST_TILES * shorter
            whole = [mode for mode in others if is_strip or self.is_legible_in(mode)] or whole
        by_cost = sorted(whole, key=lambda mode: (self._pixel_count(mode), mode.value))
        legible = (mode for mode in by_cost if self._has_pitch(mode, self.sizes.well_px))
        return next(legible, max(by_cost, key=self._scale))

    def is_legible_in(self, mode: Mode) -> bool:
        """Decide whether a mode shows the print large enough to read.

        `best_mode` aims for print that is read well (`well_px`); this check only requires `least_px`, so
        that the user is not warned needlessly.
        """
        return self._has_pitch(mode, self.sizes.least_px)

    def is_too_long_for(self, mode: Mode) -> bool:
        """Decide whether the page is too long or too wide to be read well in a mode."""
        shorter, longer = sorted(self.page_size_px)
        return mode is Mode.GUNDAM and longer > self.gundam_aspect_ratio * shorter

    def doubt_in(self, mode: Mode) -> Doubt | None:
        """Return what is doubtful about any text that is read in a mode; None if nothing is."""
        if not self.is_legible_in(mode):
            return Doubt.SMALL_PRINT
        return Doubt.LONG_PAGE if self.is_too_long_for(mode) else None

    def larger_mode(self, mode: Mode, modes: Sequence[Mode]) -> Mode | None:
        """Find a better mode when one shows the print too small.

        Args:
            mode: the mode that shows it too small.
            modes: modes to choose from, at least one.

        Returns:
            The best mode; None if it does not show the print larger.
        """
        best = self.best_mode(modes)
        return best if self._scale(best) > self._scale(mode) else None

    def _has_pitch(self, mode: Mode, x_height_px: float) -> bool:
        """True if print is shown as large as Latin print with this x-height."""
        return self.pitch_px is None or self.pitch_px * self._scale(mode) >= x_height_px * PITCH_PER_X_HEIGHT

    def _pixel_count(self, mode: Mode) -> int:
        """Count the pixels of all views; a visual token covers 64 x 64 of them."""
        across, down = tiles_in(mode, self.page_size_px, self.most_tiles)
        return mode.view_px**2 + across * down * TILE_PX**2

    def _scale(self, mode: Mode) -> float:
        """View pixels per page pixel along the axis shrunk more; the larger of tiles and global view."""
        width, height = self.page_size_px
        across, down = tiles_in(mode, self.page_size_px, self.most_tiles)
        of_tiles = min(across * TILE_PX / width, down * TILE_PX / height)
        return max(of_tiles, mode.view_px / max(width, height))


def _pitch_of(grey: Image.Image) -> float | None:
    pitches = [
        float(np.quantile(distances, _FINE_SHARE))
        for lines in (_rows(grey), _columns(grey))
        if (distances := _stroke_distances(lines)).size
    ]
    return min(pitches, default=None)


def _evened(grey: Image.Image) -> Image.Image:
    """Blur a dithered page a little: its specks, which stand for grey, would count as strokes.

    A black and white page is one if many of its dark pixels have no dark neighbour.
    """
    specks = ImageChops.difference(grey, ImageChops.lighter(grey, grey.filter(ImageFilter.RankFilter(3, 1))))
    is_dithered = specks.histogram()[-1] > _SPECK_SHARE * grey.histogram()[0]
    return grey.filter(ImageFilter.BoxBlur(_SPECK_BLUR_PX)) if is_dithered else grey


def _without_illustrations(grey: Image.Image) -> Image.Image:
    """Paint the illustrations on a black and white page like its paper."""
    dark, *_, light = grey.histogram()
    printed = grey if light > dark else ImageChops.invert(grey)
    paper = Image.new("L", grey.size, "white" if light > dark else "black")
    return Image.composite(paper, grey, find_illustrations(printed))


def _rows(grey: Image.Image) -> Image.Image:
    """Sample rows into one image.

    Each row slants down to where the next one begins, so that no line of print can fall between them.
    """
    width, height = grey.size
    count = min(height, _LINES)
    step = height / count
    return grey.transform((width, count), Image.Transform.AFFINE, (1, 0, 0, step / width, step, 0))


def _columns(grey: Image.Image) -> Image.Image:
    """Sample columns in the same way, each as a row of the image."""
    width, height = grey.size
    count = min(width, _LINES)
    step = width / count
    return grey.transform((height, count), Image.Transform.AFFINE, (step / height, step, 0, 1, 0, 0))


def _stroke_distances(lines: Image.Image) -> NDArray[np.int64]:
    """Measure the distances between successive strokes on each line.

    A pixel is light or dark if it differs enough from its neighbourhood on the line; this evens out
    shadows. Between two strokes, the line must have been light.

    Args:
        lines: grey image; each row of pixels is a line.
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
    """Return the difference in grey levels that separates ink from its surroundings, above the noise."""
    darkest, lightest = grey_levels(lines, (_OUTLYING_SHARE, 1 - _OUTLYING_SHARE))
    (step,) = grey_levels(ImageChops.difference(lines, ImageChops.offset(lines, 1, 0)), (_STEP_SHARE,))
    return max(_LEAST_CONTRAST, _CONTRAST_SHARE * (lightest - darkest), _NOISE_MARGIN * step)
