"""Computes which part of the page each visual token covers: the inverse of `views`.

Knows the geometry of DeepSeek-OCR's preprocessing (64 pixels per token, stretch, letterbox, tiles)
and the order of the visual sequence. Knows no pixels and no model.
"""

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.reading import Mode
from rtocr_gui.tokens import TOKEN_PX, TokenKind, TokenLayout

TILE_PX = 640
"""Side of one Gundam tile."""


def page_xywh(mode: Mode, page_size_px: tuple[int, int]) -> tuple[int, int, int, int]:
    """Compute where a page lies on the global view: on all of it, or where `PIL.ImageOps.pad` places it.

    Args:
        mode: how the page is scaled.
        page_size_px: (width, height) of the page.

    Returns:
        Left, top, width and height of the page on the view, with Pillow's own rounding. A side of a
        very long and narrow page can round to 0.
    """
    page_width, page_height = page_size_px
    width = height = view_px = mode.view_px
    if mode.letterboxed and page_width > page_height:
        height = round(page_height / page_width * view_px)
    elif mode.letterboxed and page_width < page_height:
        width = round(page_width / page_height * view_px)
    return round((view_px - width) * 0.5), round((view_px - height) * 0.5), width, height


def build_layout(mode: Mode, page_size_px: tuple[int, int], crop_wh: tuple[int, int]) -> TokenLayout:
    """Lay out the visual sequence: local rows, then global rows, each with its newline, then the separator.

    Args:
        mode: how the page is scaled.
        page_size_px: (width, height) of the page, both at least 1.
        crop_wh: tiles across and down; (0, 0) if the page has no tiles.

    Returns:
        The layout of all tokens, with boxes in page pixels.

    Raises:
        ValueError: the page is so narrow that nothing of it would be left on the view.
    """
    view_px = mode.view_px
    columns, rows = view_px // TOKEN_PX, view_px // TOKEN_PX
    place = page_xywh(mode, page_size_px)
    if 0 in place[2:]:
        raise ValueError(f"nothing of a page of {page_size_px} pixels is left on a view of {view_px} pixels")
    parts = [_grid_rows(TokenKind.GLOBAL, (columns, rows), place, page_size_px)]
    canvas_px = crop_wh[0] * TILE_PX, crop_wh[1] * TILE_PX
    local_columns, local_rows = canvas_px[0] // TOKEN_PX, canvas_px[1] // TOKEN_PX
    if local_columns * local_rows:
        local = _grid_rows(TokenKind.LOCAL, (local_columns, local_rows), (0, 0, *canvas_px), page_size_px)
        parts.insert(0, local)
    separator = np.full(1, TokenKind.SEPARATOR, np.uint8), np.zeros(1, np.bool_), np.zeros((1, 4), np.float32)
    kinds, padding, boxes = map(np.concatenate, zip(*parts, separator, strict=True))
    return TokenLayout(
        kinds=kinds,
        padding=padding,
        boxes=boxes,
        local_grid=(local_rows, local_columns),
        global_grid=(rows, columns),
        page_size_px=page_size_px,
    )


def _grid_rows(
    kind: TokenKind,
    grid_wh: tuple[int, int],
    place_xywh: tuple[int, int, int, int],
    page_size_px: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.float32]]:
    """Return the kinds, padding flags and boxes of a grid of cells, row by row, each row with its newline.

    Args:
        kind: kind of the cells.
        grid_wh: cells across and down.
        place_xywh: where the page lies on the view or canvas, in pixels of the latter.
        page_size_px: (width, height) of the page.
    """
    columns, rows = grid_wh
    left, top, width, height = place_xywh
    x_edges = _cell_edges(columns, left, width, page_size_px[0])
    y_edges = _cell_edges(rows, top, height, page_size_px[1])
    kinds = np.full((rows, columns + 1), TokenKind.NEWLINE, dtype=np.uint8)
    kinds[:, :columns] = kind
    padding = np.zeros((rows, columns + 1), dtype=np.bool_)
    padding[:, :columns] = (x_edges[:-1] == x_edges[1:]) | (y_edges[:-1] == y_edges[1:])[:, None]
    boxes = np.zeros((rows, columns + 1, 4), dtype=np.float32)
    boxes[:, :columns, 0::2] = np.stack([x_edges[:-1], x_edges[1:]], axis=-1)
    boxes[:, :columns, 1::2] = np.stack([y_edges[:-1], y_edges[1:]], axis=-1)[:, None]
    boxes[padding] = 0
    return kinds.ravel(), padding.ravel(), boxes.reshape(-1, 4)


def _cell_edges(cells: int, offset_px: int, extent_px: int, page_px: int) -> NDArray[np.float64]:
    """Return the (cells + 1,) edges of the cells along one axis in page pixels, clipped to the page.

    The page begins at `offset_px` on the view and spans `extent_px` of it.
    """
    view_edges = np.arange(cells + 1, dtype=np.float64) * TOKEN_PX
    return np.clip((view_edges - offset_px) * page_px / extent_px, 0, page_px)
