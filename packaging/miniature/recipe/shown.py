"""One page as the encoder sees it, with the labels of what is printed where.

The views are made by the program's own preprocessing, so that the model learns from exactly the pixels it
will see. Knows modes; no task and no text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recipe.labels import BlockLabels, block_labels, places_of_print, point_labels, slot_labels
from recipe.pages import Page
from recipe.typesetting import Print
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.layout import TILE_PX, build_layout, page_xywh
from rtocr_gui.ocr.vision.views import PageViews, make_views
from rtocr_gui.tokens import TOKEN_PX, TokenLayout


@dataclass(frozen=True, eq=False, slots=True)
class ShownPage:
    """One page as the encoder sees it.

    Attributes:
        view: (S, S) uint8.
        view_points: its dense labels.
        view_slots: its dense labels.
        view_blocks: which block each of its (N,) visual tokens is part of.
        speakers: (blocks,) the visual token that represents each block; -1 if none does.
        cells: (characters of the print,) the visual token of each.
        slots: (characters of the print,) its slot in that token.
        tiles: (T, 640, 640) uint8, or None.
        tile_points: their dense labels.
        tile_slots: their dense labels.
        crop_wh: tiles across and down.
        layout: layout of the visual sequence; None if the page itself is the view.
    """

    view: Tensor
    view_points: Tensor
    view_slots: Tensor
    view_blocks: BlockLabels
    speakers: NDArray[np.int64]
    cells: NDArray[np.int64]
    slots: NDArray[np.int64]
    tiles: Tensor | None = None
    tile_points: Tensor | None = None
    tile_slots: Tensor | None = None
    crop_wh: tuple[int, int] = (0, 0)
    layout: TokenLayout | None = None


def show(page: Page, mode: Mode | None) -> ShownPage:
    """Scale a page for a mode, and label the views.

    Args:
        page: the page.
        mode: the mode; None if the page itself is the view.

    Returns:
        Views and labels.
    """
    size = page.image.size
    if mode is None:
        view = torch.from_numpy(np.array(page.image))
        blocks = _told_blocks(page, None)
        return ShownPage(view, *_labels(page.print, size), *blocks, *_places(page.print, size))
    views = make_views(page.image, mode)
    view_size = (mode.view_px, mode.view_px)
    left, top, *shown = page_xywh(mode, size)
    on_view = page.print.scaled(*_scales(shown, size), left, top)
    view = torch.from_numpy(np.array(views.global_view[..., 0]))
    layout = build_layout(mode, size, views.crop_wh)
    labels, blocks = _labels(on_view, view_size), _told_blocks(page, layout)
    if not len(views.tiles):
        return ShownPage(view, *labels, *blocks, *_places(on_view, view_size), layout=layout)
    across, down = views.crop_wh
    canvas = (across * TILE_PX, down * TILE_PX)
    on_canvas = page.print.scaled(*_scales(canvas, size))
    places, tiles = _places(on_canvas, canvas), _tiles(on_canvas, views)
    return ShownPage(view, *labels, *blocks, *places, *tiles, views.crop_wh, layout)


def _scales(shown_px: Sequence[int], size_px: tuple[int, int]) -> tuple[float, float]:
    return shown_px[0] / size_px[0], shown_px[1] / size_px[1]


def _tiles(on_canvas: Print, views: PageViews) -> tuple[Tensor, Tensor, Tensor]:
    """Return the tiles with their labels, row by row."""
    across, down = views.crop_wh
    labelled = [
        _labels(on_canvas.scaled(1, 1, -column * TILE_PX, -row * TILE_PX), (TILE_PX, TILE_PX))
        for row in range(down)
        for column in range(across)
    ]
    points, slots = zip(*labelled, strict=True)
    return torch.from_numpy(np.array(views.tiles[..., 0])), torch.stack(points), torch.stack(slots)


def _labels(print_: Print, size_px: tuple[int, int]) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(point_labels(print_, size_px)), torch.from_numpy(slot_labels(print_, size_px))


def _beginnings(page: Page) -> NDArray[np.float32]:
    """Return (blocks, 3): x near the left edge of each block, and y of its first and last lines."""
    x, y = page.print.centres.T
    beginnings = []
    for block in page.blocks:
        left, top, right, bottom = block.box
        inset = min(page.x_height_px, (right - left) / 2)
        lines = y[(x >= left) & (x < right) & (y >= top) & (y < bottom)]
        first, last = (lines[0], lines[-1]) if len(lines) else (top + inset, bottom - inset)
        beginnings.append((max(0, left) + inset, first, max(first, last)))  # a line may rise
    return np.array(beginnings, np.float32).reshape(-1, 3)


def _told_blocks(page: Page, layout: TokenLayout | None) -> tuple[BlockLabels, NDArray[np.int64]]:
    """Return `ShownPage.view_blocks` and `ShownPage.speakers`."""
    if layout is None:
        side = page.image.width // TOKEN_PX
        corners = np.indices((side, side), np.float32)[::-1].reshape(2, -1).T * TOKEN_PX
        boxes = np.concatenate([corners, corners + TOKEN_PX], axis=1)
        places = _behind_newlines(np.arange(side * side), side)
    else:
        places = layout.prunable[layout.cells("global")]
        boxes = layout.boxes[places]
    told, speakers = block_labels(page.blocks, _beginnings(page), page.image.size, boxes)
    return told, np.where(speakers >= 0, places[speakers], -1)


def _places(print_: Print, size_px: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (characters of the print,) the position of the visual token that covers each, and its slot.

    Args:
        print_: print in pixels of the view, or of the tile canvas, which comes first in the visual sequence.
        size_px: (width, height) of view or canvas.
    """
    tokens, slots = places_of_print(print_, size_px)
    return np.where(tokens >= 0, _behind_newlines(tokens, size_px[0] // TOKEN_PX), -1), slots


def _behind_newlines(tokens: NDArray[np.int64], across: int) -> NDArray[np.int64]:
    """Return the positions of tokens, counted row by row, in a sequence whose rows end in a newline."""
    return tokens + tokens // across
