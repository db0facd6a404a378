"""What the looks promise: honest scales, colours that everyone can tell apart, text that stays legible."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rtocr_gui.export.looks import (
    MAP_BORDER_RGB,
    MAP_CASING_RGB,
    OPACITY,
    VIRIDIS,
    Legend,
    Look,
    attention_legend,
    attention_tints,
    cell_colours,
    cell_values,
    is_dark_paper,
    legend_of,
    text_density,
    tints,
)
from rtocr_gui.export.overlay import draw_overlay
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.pruning.transport import transport_of
from rtocr_gui.settings import Settings
from tests.made_pages import blank_page
from tests.made_plans import make_plan

SIZE = (700, 990)
# Machado, Oliveira and Fernandes 2009, for linear light.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
MAPS = [look for look in Look if look is not Look.KEPT]


def linear(colours: NDArray[np.generic]) -> NDArray[np.float64]:
    parts = np.asarray(colours, dtype=np.float64) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lightness(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L* of linear light."""
    luminance = light.clip(0) @ (0.2126, 0.7152, 0.0722)
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


def test_one_key_goes_through_all_looks_and_round():
    looks = [Look.KEPT]
    while len(looks) < 5:
        looks.append(looks[-1].next)
    assert looks == [*Look, Look.KEPT]


@pytest.mark.parametrize("sight", [np.eye(3), DEUTERANOPIA])
def test_the_map_grows_lighter_evenly_for_every_eye(sight: NDArray[np.float64]):
    legend = Legend("", "", 0, 1, False, False, VIRIDIS, "")
    colours = legend.colour_at(np.linspace(0, 1, 21, dtype=np.float32))
    steps = np.diff(lightness(linear(colours) @ sight.T))
    assert (steps > 0.4 * steps.mean()).all()


@pytest.mark.parametrize("dark", [False, True])
def test_on_every_colour_of_the_map_text_stays_legible(dark: bool):
    colours = np.array([(*rgb, 255) for rgb in VIRIDIS], dtype=np.uint8)
    paper = linear(tints(colours, OPACITY, dark)) @ (0.2126, 0.7152, 0.0722)
    ink = 1.0 if dark else 0.0
    contrast = (np.maximum(paper, ink) + 0.05) / (np.minimum(paper, ink) + 0.05)
    assert contrast.min() > (2 if dark else 4.5)


def test_without_opacity_a_map_leaves_the_page_as_it_is():
    colours = np.array([(1, 2, 3, 255)], dtype=np.uint8)
    assert tints(colours, 0, dark=False).tolist() == [[255, 255, 255]]
    assert tints(colours, 0, dark=True).tolist() == [[0, 0, 0]]


def test_paper_is_told_by_what_most_of_the_page_is():
    page = np.full((64, 64), 250, np.uint8)
    page[:20] = 0
    assert not is_dark_paper(page)
    assert is_dark_paper(255 - page)


def test_each_look_maps_its_own_values():
    plan = make_plan()
    transport = transport_of(plan)
    assert cell_values(Look.KEPT, plan, transport) is None
    np.testing.assert_array_equal(cell_values(Look.NORM, plan, None), plan.norms)
    np.testing.assert_allclose(cell_values(Look.DENSITY, plan, None), np.linspace(0, 90, 256))
    assert cell_values(Look.MASS, plan, None) is None
    received = cell_values(Look.MASS, plan, transport)
    np.testing.assert_array_equal(received[plan.kept], transport.received)
    assert np.isnan(received[plan.merged]).all()


def test_a_cell_of_the_tiles_has_the_density_of_the_patch_beneath_it():
    plan = make_plan(0.5, Mode.GUNDAM, SIZE, (2, 3))
    layout, density = plan.layout, text_density(plan)
    boxes = layout.boxes[layout.prunable]
    for token in range(layout.cells("local").stop):
        middle = (boxes[token, :2] + boxes[token, 2:]) / 2
        over = (boxes[600:, :2] <= middle) & (middle < boxes[600:, 2:])
        patch = int(np.flatnonzero(over.all(axis=1))[0])
        assert density[token] == pytest.approx(100 * plan.measures.patch_density[patch])
    np.testing.assert_allclose(density[600:], 100 * plan.measures.patch_density, rtol=1e-6)


def test_a_few_outliers_do_not_flatten_the_scale_and_are_told():
    plan = make_plan()
    values = np.linspace(10, 20, 256, dtype=np.float32)
    on_page = np.flatnonzero(~plan.layout.padding[plan.layout.prunable])
    values[on_page[:2]] = 900
    legend = legend_of(Look.NORM, plan, values)
    assert 10 <= legend.low < legend.high < 20
    assert legend.high_text.startswith("> ")
    assert "900" in legend.note
    assert legend.colour_at(values)[on_page[0]].tolist() == list(VIRIDIS[-1])


def test_padding_does_not_count_for_the_scale():
    plan = make_plan()
    values = np.full(256, 5, np.float32)
    values[plan.layout.padding[plan.layout.prunable]] = 1000
    legend = legend_of(Look.NORM, plan, values)
    assert (legend.low_text, legend.high_text) == ("5.0", "5.0")


@pytest.mark.parametrize(
    ("low", "high", "unit", "texts"),
    [
        (3.2, 48.9, "", ("3", "49")),
        (0.351, 0.484, "merged tokens", ("0.35", "0.48")),
        (0, 64.2, "%", ("0 %", "64 %")),
        (0.3512, 0.3549, "", ("0.3512", "0.3549")),
    ],
)
def test_a_legend_shows_as_many_digits_as_tell_its_ends_apart(
    low: float, high: float, unit: str, texts: tuple[str, str]
):
    legend = Legend("x", unit, low, high, False, False, VIRIDIS, "")
    assert (legend.low_text, legend.high_text) == texts


def test_where_every_token_has_the_same_value_there_is_still_a_legend_and_a_colour():
    plan = make_plan()
    for values in (np.zeros(256, np.float32), np.full(256, np.nan, np.float32)):
        legend = legend_of(Look.MASS, plan, values)
        assert legend.low == legend.high
        assert cell_colours(Look.MASS, plan, values, legend).shape == (256, 4)


def test_the_most_attended_cell_is_the_brightest_and_an_unattended_one_is_dimmed():
    attention = np.zeros(256, np.float32)
    attention[[3, 9]] = (0.1, 0.4)
    light = lightness(linear(attention_tints(attention, dark=False)))
    assert light.argmax() == 9
    assert light[9] > light[3] + 5 > light[0] + 10
    assert len(set(map(tuple, attention_tints(attention * 0, dark=False).tolist()))) == 1


def test_the_attention_that_the_shown_grid_cannot_show_is_told():
    plan = make_plan(0.5, Mode.GUNDAM, SIZE, (2, 3))
    attention = np.zeros(856, np.float32)
    attention[[0, 1]] = 0.35
    padded = np.flatnonzero(plan.layout.padding[plan.layout.prunable])
    attention[padded[0]] = 0.05
    attention[600 + 8 * 16 + 8] = 0.25
    legend = attention_legend(attention, plan.layout, "local")
    assert "On the other grid: at most 25 %." in legend.note
    assert "In padding, which covers no page: at most 5 %." in legend.note
    assert legend.high == pytest.approx(35)
    assert "On the other grid: at most 35 %." in attention_legend(attention, plan.layout, "global").note
    assert attention_legend(attention, plan.layout, "global").title == "Attention"
    attention[600 + 8 * 16 + 8] = 0.03
    assert attention_legend(attention, plan.layout, "global").title == "Attention (other grid)"
    assert attention_legend(attention, plan.layout, "local").title == "Attention"


# The picture


@pytest.mark.parametrize("look", MAPS)
def test_a_picture_of_a_map_shows_its_colours_and_has_the_legend_beneath(look: Look):
    plan = make_plan(0.6, page_size_px=SIZE)
    transport = transport_of(plan)
    picture = draw_overlay(blank_page(SIZE), plan, "local", look, transport)
    assert picture.width == SIZE[0]
    assert picture.height > SIZE[1]
    beneath = np.asarray(picture.crop((0, SIZE[1], *picture.size)))
    assert len(np.unique(beneath.reshape(-1, 3), axis=0)) > 50
    values = cell_values(look, plan, transport)
    legend = legend_of(look, plan, values)
    expected = tints(cell_colours(look, plan, values, legend), OPACITY, dark=False)
    token = next(int(token) for token in plan.kept if not plan.layout.padding[plan.layout.prunable[token]])
    left, top, right, bottom = plan.layout.boxes[plan.layout.prunable[token]].tolist()
    pixel = picture.getpixel((int(left + right) // 2, int(top + bottom) // 2))
    np.testing.assert_allclose(pixel, expected[token], atol=1)


@pytest.mark.parametrize("look", MAPS)
def test_in_a_map_the_border_between_kept_and_merged_shows_dark_on_light(look: Look):
    plan = make_plan(0.5, Mode.TINY, SIZE)
    pixels = np.asarray(draw_overlay(blank_page(SIZE), plan, "local", look, transport_of(plan)))[: SIZE[1]]
    dark, light = ((pixels == rgb).all(axis=-1) for rgb in (MAP_BORDER_RGB, MAP_CASING_RGB))
    assert dark.any()
    rows, columns = np.nonzero(dark[2:-2, 2:-2])
    near = np.zeros(len(rows), dtype=bool)
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0), (0, 2), (0, -2), (2, 0), (-2, 0)):
        near |= light[rows + 2 + down, columns + 2 + right]
    assert near.mean() > 0.9


def test_merged_tokens_are_hatched_where_only_the_kept_have_a_value():
    plan = make_plan(0.5, Mode.TINY, SIZE)
    picture = draw_overlay(blank_page(SIZE), plan, "local", Look.MASS, transport_of(plan)).convert("L")
    boxes = np.rint(plan.layout.boxes[plan.layout.prunable]).astype(int)

    def shades(tokens: NDArray[np.int64]) -> set[int]:
        inner = boxes[tokens[0]] + (8, 8, -8, -8)
        return set(np.unique(np.asarray(picture.crop(tuple(inner.tolist())))).tolist())

    assert len(shades(plan.merged)) == 2
    assert len(shades(plan.kept)) == 1


def test_what_is_written_on_a_page_stays_black_on_light_and_white_on_dark_paper():
    for paper, ink in (("white", "black"), ("black", "white")):
        page = blank_page(SIZE)
        page.image.paste(paper, (0, 0, *SIZE))
        page.image.paste(ink, (300, 300, 303, 303))
        picture = draw_overlay(page, make_plan(1.0, page_size_px=SIZE), "local", Look.NORM)
        assert picture.getpixel((301, 301)) == Image.new("RGB", (1, 1), ink).getpixel((0, 0))
        assert picture.getpixel((310, 310)) != Image.new("RGB", (1, 1), paper).getpixel((0, 0))


def test_mass_cannot_be_drawn_without_the_transport():
    with pytest.raises(ValueError, match="transport"):
        draw_overlay(blank_page(SIZE), make_plan(page_size_px=SIZE), "local", Look.MASS)


def test_a_narrow_page_has_its_legend_too():
    plan = make_plan(0.5, Mode.TINY, (40, 3000))
    picture = draw_overlay(blank_page((40, 3000)), plan, "local", Look.NORM)
    assert picture.width == 40


def test_pictures_are_covered_at_first_as_much_as_the_window_is() -> None:
    assert Settings().overlay_opacity == OPACITY
