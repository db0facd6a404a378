"""Tells the paper of a page, and of coloured boxes on it, from print. Knows grey levels, and no lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from rtocr_gui.documents.masks import Mask, connected, first_of, grown

Levels = NDArray[np.int16]
"""(H, W) grey levels, 0..255."""

_Value = TypeVar("_Value", bound=np.generic)

LEAST_CONTRAST = 28
"""Least difference from the paper that counts as ink, and between papers, in grey levels."""

_SQUARE_PX, _AROUND = 16, 15
"""Side of the squares by which paper is told from print, and of the median over them."""

_PRINTED = 0.03
"""Share of a square that differs from its paper if there is print on it."""

_EVEN, _LOW, _HIGH = 12, (1, 9), (3, 3)
"""Most difference between squares of one paper, in grey levels, and how many rows and columns of them there
are at least: a box may be as low as a line of print."""

_BESIDE = 2
"""How many squares away from a box others are beside it: those at its edges may be of both papers."""

_WHOLE = 0.7
"""Least share of what differs from the paper of the page in one place that a box with print is."""

_SIDES_PX, _EDGE_PX = 6, 3
"""How far from a pixel at the edge of a box it is told whether most paper around is that of the box, and how
far from where this changes the pixels may be a mixture of both."""


@dataclass(frozen=True, eq=False, slots=True)
class Paper:
    """The grey levels of the paper of a page.

    Attributes:
        size_px: width and height of the page.
        squares: the paper of the page behind each square of 16 px, as if there were no boxes.
        with_boxes: with that of coloured boxes that have print on them; the same object if there are none.
    """

    size_px: tuple[int, int]
    squares: Image.Image
    with_boxes: Image.Image

    def behind(self, page: Image.Image) -> Levels:
        """Return (H, W) the level of the paper behind each pixel.

        Args:
            page: grey, of this size.
        """
        evenly = np.asarray(self.with_boxes.resize(self.size_px, Image.Resampling.BILINEAR), np.int16)
        if self.with_boxes is self.squares:
            return evenly
        dark, light = (
            self._by_pixel(self.with_boxes.filter(kind(3)))
            for kind in (ImageFilter.MinFilter, ImageFilter.MaxFilter)
        )
        pixels = np.asarray(page, np.int16)
        is_dark = _share_around(pixels, dark) > _share_around(pixels, light)
        edge = grown(is_dark, _EDGE_PX) & grown(~is_dark, _EDGE_PX)
        sharply = np.where(edge, np.clip(pixels, dark, light), np.where(is_dark, dark, light))
        return np.where(light - dark < LEAST_CONTRAST, evenly, sharply)

    def _by_pixel(self, squares: Image.Image) -> Levels:
        width, height = self.size_px
        pixels = np.asarray(squares, np.int16).repeat(_SQUARE_PX, axis=0).repeat(_SQUARE_PX, axis=1)
        return pixels[:height, :width]


def find_paper(page: Image.Image) -> Paper:
    """Find the paper of a page, which may be unevenly lit or dark.

    Args:
        page: grey.
    """
    squares, is_printed = _squares(page)
    level, even = _even(squares)
    without_boxes = squares.copy()
    boxes, rims, blank = (np.zeros_like(even) for _ in range(3))
    for area, beside, own in _areas_on_others(level, even):
        without_boxes[area] = np.median(without_boxes[beside])
        boxes |= area
        rims |= grown(area, _BESIDE) & ~even & (np.abs(squares - own) <= _EVEN)
        # The squares at its edges are of two papers, and those between two lines may be blank.
        if (~grown(~area, _BESIDE)).any() and not is_printed[~grown(~area, 1)].any():
            blank |= area
    differs = np.abs(squares - np.asarray(_around(without_boxes), np.int16)) >= LEAST_CONTRAST
    boxes = _with_print(boxes, blank, differs)
    paper = _around(np.where(boxes, without_boxes, squares))
    if not boxes.any():
        return Paper(page.size, paper, paper)
    boxes |= rims & grown(boxes, _BESIDE)
    with_boxes = np.where(boxes, level, np.asarray(paper)).astype(np.uint8)
    return Paper(page.size, paper, Image.fromarray(with_boxes))


def _share_around(pixels: Levels, level: Levels) -> NDArray[np.uint8]:
    """Return (H, W) how much around each pixel is of some level, 0..255."""
    like = Image.fromarray(np.uint8(255) * (np.abs(pixels - level) < LEAST_CONTRAST))
    return np.asarray(like.filter(ImageFilter.BoxBlur(_SIDES_PX)))


def _squares(page: Image.Image) -> tuple[Levels, Mask]:
    """Return (rows, columns) the median of each square, and whether it is partly of another level."""
    pixels = np.pad(np.asarray(page), [(0, -side % _SQUARE_PX) for side in page.size[::-1]], mode="edge")
    rows, columns = (side // _SQUARE_PX for side in pixels.shape)
    by_square = pixels.reshape(rows, _SQUARE_PX, columns, _SQUARE_PX)
    # Even heavy print covers less than half of most squares, so that their medians are paper.
    medians = np.median(by_square, axis=(1, 3)).astype(np.int16)
    differs = np.abs(by_square - medians[:, None, :, None]) >= LEAST_CONTRAST
    return medians, np.asarray(differs.mean(axis=(1, 3)) >= _PRINTED)


def _around(squares: Levels) -> Image.Image:
    """Return the paper of a page: what squares around each other have in common."""
    return Image.fromarray(squares.astype(np.uint8)).filter(ImageFilter.MedianFilter(_AROUND))


def _even(squares: Levels) -> tuple[Levels, Mask]:
    """Return the level of the paper around each square, and where squares are like those around."""
    level, even = squares, np.zeros(squares.shape, np.bool_)
    for rows, columns in (_LOW, _HIGH):
        around = np.median(_windows(squares, rows, columns), axis=(2, 3)).astype(np.int16)
        all_like = np.asarray(_windows(np.abs(squares - around) <= _EVEN, rows, columns).all(axis=(2, 3)))
        found = np.asarray(_windows(all_like, rows, columns).any(axis=(2, 3)))
        level, even = np.where(found, around, level), even | found
    return level, even


def _windows(squares: NDArray[_Value], rows: int, columns: int) -> NDArray[_Value]:
    """Return (H, W, rows, columns) the squares around each."""
    padded = np.pad(squares, ((rows // 2, rows // 2), (columns // 2, columns // 2)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (rows, columns))


def _areas_on_others(level: Levels, even: Mask) -> Iterator[tuple[Mask, Mask, int]]:
    """Find even areas that lie on larger ones of another level, from the largest on.

    Each is given with what is even beside it, and with its level.
    """
    areas: list[Mask] = []
    numbers, left = np.full(level.shape, -1), even
    while left.any():
        first = first_of(left)
        area = connected(first, left & (np.abs(level - level[first]) <= _EVEN))
        numbers[area] = len(areas)
        areas.append(area)
        left = left & ~area
    sizes, levels = np.bincount(numbers[even]), np.array([np.median(level[area]) for area in areas], np.int16)
    for number in np.argsort(-sizes, kind="stable"):
        area, own = areas[number], levels[number]
        beside = grown(area, _BESIDE) & even & ~area
        if beside.any():
            around = np.median(levels[numbers[beside]])
            # A box across the page parts its paper.
            alike = [each for each in np.unique(numbers[beside]) if abs(levels[each] - around) <= _EVEN]
            if sizes[alike].sum() > sizes[number] and abs(own - around) >= LEAST_CONTRAST:
                yield area, beside, int(own)


def _with_print(boxes: Mask, blank: Mask, differs: Mask) -> Mask:
    """Keep the boxes that are most of what differs from the paper of the page in one place.

    Photographs have many even parts, and drawings have blank ones.
    """
    left, kept = differs & boxes, np.zeros_like(boxes)
    while left.any():
        part = connected(first_of(left), differs)
        left = left & ~part
        box = part & boxes
        if box.sum() >= _WHOLE * part.sum() and not (grown(part, 1) & blank).any():
            kept |= box
    return kept
