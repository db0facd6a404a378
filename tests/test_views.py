"""Pages become the pixels that the vision encoder was trained on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.layout import TILE_PX
from rtocr_gui.ocr.vision.views import PADDING_GREY, choose_tiles, make_views, normalise
from tests.made_pages import noise_page

SIDES = st.integers(min_value=1, max_value=6000)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_gives_a_square_view_of_its_size(mode: Mode) -> None:
    views = make_views(noise_page(900, 700), mode)
    assert views.global_view.shape == (mode.view_px, mode.view_px, 3)
    assert views.global_view.dtype == np.uint8
    assert views.page_size_px == (900, 700)


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.GUNDAM])
def test_only_gundam_makes_tiles(mode: Mode) -> None:
    views = make_views(noise_page(900, 700), mode)
    assert views.crop_wh == (0, 0)
    assert views.tiles.shape == (0, TILE_PX, TILE_PX, 3)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("size", [(900, 700), (701, 1403)])
def test_a_grey_page_is_seen_as_the_same_page_in_colours(mode: Mode, size: tuple[int, int]) -> None:
    grey = noise_page(*size).convert("L")
    views, coloured = make_views(grey, mode), make_views(grey.convert("RGB"), mode)
    assert np.array_equal(views.global_view, coloured.global_view)
    assert np.array_equal(views.tiles, coloured.tiles)


def test_a_page_of_the_size_of_the_view_is_not_resampled() -> None:
    page = noise_page(1024, 1024)
    assert np.array_equal(make_views(page, Mode.BASE).global_view, np.asarray(page))


def test_gundam_makes_no_more_tiles_than_it_may() -> None:
    views = make_views(noise_page(1400, 2100), Mode.GUNDAM, most_tiles=4)
    assert views.crop_wh == choose_tiles((1400, 2100), 4)
    assert len(views.tiles) <= 4


def test_gundam_tiles_follow_the_page_row_by_row() -> None:
    page = noise_page(2 * TILE_PX, 3 * TILE_PX)
    views = make_views(page, Mode.GUNDAM)
    assert views.crop_wh == (2, 3)
    for index, tile in enumerate(views.tiles):
        row, column = divmod(index, 2)
        box = (column * TILE_PX, row * TILE_PX, (column + 1) * TILE_PX, (row + 1) * TILE_PX)
        assert np.array_equal(tile, np.asarray(page.crop(box)))


def test_a_page_that_fits_into_one_tile_gets_none() -> None:
    assert make_views(noise_page(640, 640), Mode.GUNDAM).crop_wh == (0, 0)
    assert make_views(noise_page(641, 640), Mode.GUNDAM).crop_wh != (0, 0)


@given(SIDES, SIDES)
def test_no_permitted_tile_grid_has_proportions_nearer_to_the_page(width: int, height: int) -> None:
    across, down = choose_tiles((width, height))
    if max(width, height) <= TILE_PX:
        assert (across, down) == (0, 0)
        return
    assert 2 <= across * down <= 9
    nearest = min(abs(width / height - a / d) for a in range(1, 10) for d in range(1, 10) if 2 <= a * d <= 9)
    assert abs(width / height - across / down) == nearest


def test_of_equal_proportions_the_larger_grid_is_for_the_larger_page() -> None:
    assert choose_tiles((700, 700)) == (2, 2)
    assert choose_tiles((2000, 2000)) == (3, 3)
    assert choose_tiles((700, 1400)) == (1, 2)
    assert choose_tiles((1400, 2800)) == (2, 4)
    # A 3 x 3 grid is for pages of more than 1,843,200 pixels, half of its own.
    assert choose_tiles((1357, 1357)) == (2, 2)
    assert choose_tiles((1358, 1358)) == (3, 3)


def test_of_two_grids_just_as_near_the_larger_is_for_the_larger_page() -> None:
    # 1.25 lies halfway between 2 x 2 and 3 x 2; seen as height by width, it would not.
    assert choose_tiles((1235, 988)) == (2, 2)
    assert choose_tiles((1240, 992)) == (3, 2)
    assert choose_tiles((1520, 1216)) == (3, 3)


def test_the_letterbox_is_the_grey_that_normalises_to_almost_zero() -> None:
    view = make_views(noise_page(1000, 500), Mode.BASE).global_view
    assert np.all(view[:256] == PADDING_GREY)
    assert np.all(np.abs(normalise(view[:256])) < 0.004)


def test_normalised_pixels_span_minus_one_to_one_with_channels_first() -> None:
    pixels = np.zeros((2, 4, 5, 3), dtype=np.uint8)
    pixels[..., 1] = 255
    scaled = normalise(pixels)
    assert scaled.shape == (2, 3, 4, 5)
    assert scaled.dtype == np.float32
    assert np.all(scaled[:, 1] == 1)
    assert np.all(scaled[:, 0::2] == -1)


@pytest.mark.parametrize("mode", [Mode.BASE, Mode.LARGE, Mode.GUNDAM])
def test_a_hair_thin_page_is_refused_in_words(mode: Mode) -> None:
    with pytest.raises(ReadingError, match=r"too narrow.*Tiny or Small"):
        make_views(Image.new("RGB", (1, 20000)), mode)


def test_a_hair_thin_page_can_still_be_stretched() -> None:
    assert make_views(Image.new("RGB", (1, 20000)), Mode.TINY).global_view.shape == (512, 512, 3)


def test_a_page_that_is_neither_rgb_nor_grey_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="not CMYK"):
        make_views(Image.new("CMYK", (100, 100)), Mode.TINY)
