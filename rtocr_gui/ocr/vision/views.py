"""Turns a page into the pixels that the vision encoder sees.

Bit-identical to the preprocessing of DeepSeek-OCR, which resizes with Pillow. Knows the five modes;
knows no model and no tensor library.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.layout import TILE_PX, page_xywh
from rtocr_gui.tokens import FEWEST_TILES, MOST_TILES

PADDING_GREY = (127, 127, 127)
"""Fill colour of letterboxing: the mean of the normalisation, truncated as in the reference."""
_PADDING: dict[str, int | tuple[int, ...]] = {"RGB": PADDING_GREY, "L": PADDING_GREY[0]}


@dataclass(frozen=True, eq=False)
class PageViews:
    """A page as the vision encoder sees it.

    Attributes:
        mode: how the page was scaled.
        global_view: (S, S, 3) uint8, the whole page.
        tiles: (T, 640, 640, 3) uint8, the tile canvas cut up row by row; T = 0 without tiles.
        crop_wh: tiles across and down; (0, 0) without tiles.
        page_size_px: (width, height) of the page.
    """

    mode: Mode
    global_view: NDArray[np.uint8]
    tiles: NDArray[np.uint8]
    crop_wh: tuple[int, int]
    page_size_px: tuple[int, int]

    @cached_property
    def normalised_global_view(self) -> NDArray[np.float32]:
        """(3, S, S) the global view in [-1, 1]: what is encoded, and where text density is measured."""
        return normalise(self.global_view)


def make_views(image: Image.Image, mode: Mode, most_tiles: int = MOST_TILES) -> PageViews:
    """Scale a page for one mode.

    Tiny and Small stretch the page to a square; Base and Large letterbox it; Gundam letterboxes it and
    adds the page stretched to a canvas of 2 to 9 tiles, unless it fits into one tile.

    Args:
        image: RGB or grey page; a grey page gives the same views as an RGB page with equal channels, faster.
        mode: how to scale it.
        most_tiles: most tiles in Gundam mode, 2..9; fewer than the published 9 save memory at the cost of
            detail.

    Returns:
        The views.

    Raises:
        ReadingError: the page is so narrow that nothing would be left of it.
        ValueError: it is neither RGB nor grey.
    """
    if image.mode not in _PADDING:
        raise ValueError(f"views are made of RGB or grey pages, not {image.mode}")
    if 0 in page_xywh(mode, image.size)[2:]:
        raise ReadingError(
            f"A page of {image.width} x {image.height} pixels is too narrow for {mode.value} mode. "
            "Crop it to the part with text, or choose Tiny or Small."
        )
    size = (mode.view_px, mode.view_px)
    padding = _PADDING[image.mode]
    global_view = ImageOps.pad(image, size, color=padding) if mode.letterboxed else image.resize(size)
    crop_wh = tiles_in(mode, image.size, most_tiles)
    return PageViews(
        mode=mode,
        global_view=_pixels(global_view),
        tiles=_cut_tiles(image, crop_wh),
        crop_wh=crop_wh,
        page_size_px=image.size,
    )


def tiles_in(mode: Mode, page_size_px: tuple[int, int], most_tiles: int = MOST_TILES) -> tuple[int, int]:
    """Return tiles across and down of a page in a mode: by `choose_tiles` in Gundam, (0, 0) in all others."""
    return choose_tiles(page_size_px, most_tiles) if mode is Mode.GUNDAM else (0, 0)


def choose_tiles(page_size_px: tuple[int, int], most_tiles: int = MOST_TILES) -> tuple[int, int]:
    """Choose the tile grid whose aspect ratio is nearest to the page's (InternVL's rule).

    Of grids with the same aspect ratio, the larger one is chosen if the page has more than half as many
    pixels.

    Args:
        page_size_px: (width, height) of the page.
        most_tiles: 2..9.

    Returns:
        Tiles across and down, 2 to `most_tiles` in total; (0, 0) if the page fits into one tile.
    """
    width, height = page_size_px
    if width <= TILE_PX and height <= TILE_PX:
        return 0, 0
    grids = sorted(
        (
            (across, down)
            for across in range(1, most_tiles + 1)
            for down in range(1, most_tiles + 1)
            if FEWEST_TILES <= across * down <= most_tiles
        ),
        key=lambda grid: grid[0] * grid[1],
    )
    best, best_difference = grids[0], float("inf")
    for across, down in grids:
        difference = abs(width / height - across / down)
        roomy = width * height > 0.5 * TILE_PX * TILE_PX * across * down
        if difference < best_difference or (difference == best_difference and roomy):
            best, best_difference = (across, down), difference
    return best


def normalise(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale 0..255 pixels to [-1, 1] and put the channels first.

    Args:
        pixels: (..., H, W, 3) uint8.

    Returns:
        (..., 3, H, W) float32.
    """
    scaled = (pixels.astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    return np.ascontiguousarray(np.moveaxis(scaled, -1, -3))


def _cut_tiles(image: Image.Image, crop_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Stretch the page to the tile canvas and cut it into (T, 640, 640, 3), row by row."""
    across, down = crop_wh
    if across * down == 0:
        return np.zeros((0, TILE_PX, TILE_PX, 3), dtype=np.uint8)
    canvas = _pixels(image.resize((across * TILE_PX, down * TILE_PX)))
    grid = canvas.reshape(down, TILE_PX, across, TILE_PX, 3)
    return grid.transpose(0, 2, 1, 3, 4).reshape(-1, TILE_PX, TILE_PX, 3)


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Return the (H, W, 3) pixels of an RGB or grey image."""
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
