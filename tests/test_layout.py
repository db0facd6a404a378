"""Every visual token knows which part of the page it covers."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.layout import TILE_PX, build_layout, page_xywh
from rtocr_gui.ocr.vision.views import PageViews, make_views, tiles_in
from rtocr_gui.tokens import TOKEN_PX, TokenKind, TokenLayout

MODES = st.sampled_from(list(Mode))
SIDES = st.integers(min_value=1, max_value=5000)
DRAWN_SIDES = st.integers(min_value=150, max_value=1500)


def layout_of(mode: Mode, size: tuple[int, int]) -> TokenLayout:
    return build_layout(mode, size, tiles_in(mode, size))


def cells_of(layout: TokenLayout, kind: TokenKind) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Boxes (rows, columns, 4) and padding (rows, columns) of one grid."""
    rows, columns = layout.local_grid if kind is TokenKind.LOCAL else layout.global_grid
    mine = layout.kinds == kind
    return layout.boxes[mine].reshape(rows, columns, 4), layout.padding[mine].reshape(rows, columns)


def view_cells(views: PageViews, kind: TokenKind) -> NDArray[np.uint8]:
    """(rows, columns, 64, 64, 3) pixels that each token of one grid sees."""
    pixels = views.global_view
    if kind is TokenKind.LOCAL:
        across, down = views.crop_wh
        grid = views.tiles.reshape(down, across, TILE_PX, TILE_PX, 3)
        pixels = grid.transpose(0, 2, 1, 3, 4).reshape(down * TILE_PX, across * TILE_PX, 3)
    rows, columns = pixels.shape[0] // TOKEN_PX, pixels.shape[1] // TOKEN_PX
    return pixels.reshape(rows, TOKEN_PX, columns, TOKEN_PX, 3).swapaxes(1, 2)


@pytest.mark.parametrize(
    ("mode", "size", "cells", "length"),
    [
        (Mode.TINY, (900, 700), 64, 73),
        (Mode.SMALL, (900, 700), 100, 111),
        (Mode.BASE, (900, 700), 256, 273),
        (Mode.LARGE, (900, 700), 400, 421),
        (Mode.GUNDAM, (600, 640), 256, 273),
        (Mode.GUNDAM, (2480, 3508), 856, 903),
    ],
)
def test_each_mode_has_its_number_of_tokens(
    mode: Mode, size: tuple[int, int], cells: int, length: int
) -> None:
    layout = layout_of(mode, size)
    assert len(layout.prunable) == cells
    assert len(layout) == length


@given(MODES, SIDES, SIDES)
def test_the_sequence_is_local_rows_then_global_rows_then_the_separator(
    mode: Mode, width: int, height: int
) -> None:
    assume(min(width, height) * mode.view_px > max(width, height))
    layout = layout_of(mode, (width, height))
    expected: list[TokenKind] = []
    for kind, (rows, columns) in (
        (TokenKind.LOCAL, layout.local_grid),
        (TokenKind.GLOBAL, layout.global_grid),
    ):
        expected += ([kind] * columns + [TokenKind.NEWLINE]) * rows
    assert layout.kinds.tolist() == [*expected, TokenKind.SEPARATOR]


@given(MODES, SIDES, SIDES)
def test_the_boxes_of_a_grid_tile_the_page_without_gap_or_overlap(
    mode: Mode, width: int, height: int
) -> None:
    assume(min(width, height) * mode.view_px > max(width, height))
    layout = layout_of(mode, (width, height))
    kinds = [TokenKind.GLOBAL, TokenKind.LOCAL] if layout.local_grid != (0, 0) else [TokenKind.GLOBAL]
    for kind in kinds:
        boxes, padding = cells_of(layout, kind)
        shown_rows = np.flatnonzero(~padding.all(axis=1))
        shown_columns = np.flatnonzero(~padding.all(axis=0))
        shown = boxes[np.ix_(shown_rows, shown_columns)]
        assert not padding[np.ix_(shown_rows, shown_columns)].any()
        x_starts, y_starts, x_ends, y_ends = np.moveaxis(shown, -1, 0)
        for starts, ends, side in ((x_starts, x_ends, width), (y_starts.T, y_ends.T, height)):
            assert np.all(starts == starts[0])
            assert np.all(ends == ends[0])
            assert np.all(starts < ends)
            assert (starts[0, 0], ends[0, -1]) == (0, side)
            assert np.array_equal(starts[0, 1:], ends[0, :-1])


@given(MODES, SIDES, SIDES)
def test_only_cells_of_the_page_have_boxes(mode: Mode, width: int, height: int) -> None:
    assume(min(width, height) * mode.view_px > max(width, height))
    layout = layout_of(mode, (width, height))
    without = layout.padding | (layout.kinds > TokenKind.GLOBAL)
    assert not layout.boxes[without].any()
    assert not layout.padding[layout.kinds != TokenKind.GLOBAL].any()


@settings(max_examples=30)
@given(st.sampled_from([Mode.BASE, Mode.LARGE, Mode.GUNDAM]), DRAWN_SIDES, DRAWN_SIDES)
def test_padding_is_what_pillow_fills_with_grey(mode: Mode, width: int, height: int) -> None:
    views = make_views(Image.new("RGB", (width, height), "white"), mode)
    layout = build_layout(mode, (width, height), views.crop_wh)
    grey = (view_cells(views, TokenKind.GLOBAL) == 127).all(axis=(2, 3, 4))
    assert np.array_equal(cells_of(layout, TokenKind.GLOBAL)[1], grey)
    left, top, page_width, page_height = page_xywh(mode, (width, height))
    rows, columns = np.nonzero((views.global_view == 255).all(axis=2))
    assert (columns.min(), rows.min()) == (left, top)
    assert (columns.max() + 1, rows.max() + 1) == (left + page_width, top + page_height)


@settings(max_examples=60)
@given(MODES, DRAWN_SIDES, DRAWN_SIDES, st.floats(0, 1, exclude_max=True))
def test_ink_inside_a_box_is_seen_by_that_token(mode: Mode, width: int, height: int, pick: float) -> None:
    layout = layout_of(mode, (width, height))
    shown = np.flatnonzero((layout.kinds <= TokenKind.GLOBAL) & ~layout.padding)
    token = shown[int(pick * len(shown))]
    left, top = np.ceil(layout.boxes[token, :2]).astype(int)
    right, bottom = np.floor(layout.boxes[token, 2:]).astype(int)
    assume(right > left and bottom > top)
    page = Image.new("RGB", (width, height), "white")
    page.paste("black", (left, top, right, bottom))
    views = make_views(page, mode)
    kind = TokenKind(layout.kinds[token])
    darkness = 255 - view_cells(views, kind).mean(axis=(2, 3, 4))
    darkness[cells_of(layout, kind)[1]] = 0
    assert darkness.argmax() == np.count_nonzero(layout.kinds[:token] == kind)


def test_a_page_of_which_nothing_would_be_left_has_no_layout() -> None:
    with pytest.raises(ValueError, match="nothing of a page"):
        build_layout(Mode.BASE, (1, 20000), (0, 0))
