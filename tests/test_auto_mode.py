"""Mode Auto: which mode a page is read in by its size and by the density of its print."""

import functools
import itertools
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.model.model_info import PUBLISHED_PRINT
from rtocr_gui.ocr.reading import Doubt, Mode, Reading, ReadSettings, Scaling
from rtocr_gui.ocr.vision.auto_mode import (
    PITCH_PER_X_HEIGHT,
    PagePrint,
    stroke_pitch,
)
from rtocr_gui.ocr.vision.layout import TILE_PX
from rtocr_gui.ocr.vision.views import choose_tiles, make_views, tiles_in
from rtocr_gui.tokens import FEWEST_TILES, MOST_TILES
from tests.readings import read_page
from tests.small_checkpoint import changed, write_checkpoint
from tests.tasks import TEXT

if TYPE_CHECKING:
    from rtocr_gui.ocr.engine import Engine

A4_200_DPI = 1654, 2339
ALL_MODES = tuple(Mode)
BY_COST = ALL_MODES
"""A page that is too large for one tile costs the more tokens the later its mode comes."""

ROOM_FOR_GUNDAM = changed("language_config/max_position_embeddings", 2048)

WORDS = "the quick brown fox jumps over the lazy dog and then some more of it; "

modes_of_models = st.lists(st.sampled_from(Mode), min_size=1, unique=True)
sides_px = st.integers(1, 5000)
pitches_px = st.floats(1, 500)
tile_counts = st.integers(FEWEST_TILES, MOST_TILES)
aspect_ratios = st.just(math.inf) | st.floats(1, 9)


def choose_mode(page: Image.Image, modes: Sequence[Mode], most_tiles: int = MOST_TILES) -> Mode:
    return PagePrint(page.size, stroke_pitch(page), most_tiles).best_mode(modes)


def read_briefly(engine: "Engine", page: PageImage, scaling: Scaling) -> Reading:
    return read_page(engine, page, ReadSettings(scaling, TEXT, max_new_tokens=1))


@functools.cache
def printed_page(
    size: tuple[int, int], x_height_px: float, share: float = 1.0, ink: int = 0, paper: int = 255
) -> Image.Image:
    """A page with lines of print from the top down to a share of its height."""
    page = Image.new("L", size, paper)
    print_on(page, x_height_px, 0.05 * size[1], share * 0.95 * size[1], ink)
    return page.convert("RGB")


def print_on(page: Image.Image, x_height_px: float, top: float, bottom: float, ink: int = 0) -> None:
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(_font_size(x_height_px))
    line, left = WORDS * 20, 0.06 * page.width
    while font.getlength(line) > 0.88 * page.width and len(line) > 10:
        line = line[: int(len(line) * 0.95)]
    for number, y in enumerate(np.arange(top, bottom - 2 * x_height_px, 2.6 * x_height_px)):
        draw.text((left, y), line[number % 7 :], ink, font)


def _font_size(x_height_px: float) -> float:
    _, top, _, bottom = ImageFont.load_default(1000).getbbox("x")
    return 1000 * x_height_px / (bottom - top)


def x_height_in_view(size: tuple[int, int], mode: Mode, x_height_px: float) -> float:
    """How tall letters are in the view that shows them larger; stretching counts by its worse side."""
    width, height = size
    across, down = tiles_in(mode, size)
    of_tiles = min(across * TILE_PX / width, down * TILE_PX / height)
    return x_height_px * max(of_tiles, mode.view_px / max(size))


# The density of print ----------------------------------------------------------------------


@pytest.mark.parametrize("x_height_px", [8, 12, 20, 40])
def test_how_far_strokes_stand_apart_tells_the_height_of_the_letters(x_height_px: float) -> None:
    pitch = stroke_pitch(printed_page(A4_200_DPI, x_height_px))

    assert pitch is not None
    assert pitch / x_height_px == pytest.approx(0.58, abs=0.13)


def test_a_page_of_few_words_measures_like_a_full_one() -> None:
    full, few = (stroke_pitch(printed_page(A4_200_DPI, 16, share)) for share in (1.0, 0.1))

    assert full is not None
    assert few == pytest.approx(full, rel=0.2)


def test_small_print_below_a_large_heading_is_what_counts() -> None:
    page = printed_page(A4_200_DPI, 60, share=0.6).convert("L")
    print_on(page, 12, 1700, 2200)

    assert stroke_pitch(page.convert("RGB")) == pytest.approx(
        stroke_pitch(printed_page(A4_200_DPI, 12)), rel=0.3
    )


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_measures_like_one_that_stands(turn: int) -> None:
    page = printed_page(A4_200_DPI, 16)

    assert stroke_pitch(page.rotate(turn, expand=True)) == pytest.approx(stroke_pitch(page), rel=0.2)


def test_light_print_on_dark_paper_measures_like_dark_print() -> None:
    page = printed_page(A4_200_DPI, 16)

    assert stroke_pitch(ImageOps.invert(page)) == pytest.approx(stroke_pitch(page), rel=0.2)


def test_pale_print_measures_like_black_print() -> None:
    pale = printed_page(A4_200_DPI, 16, ink=150, paper=230)

    assert stroke_pitch(pale) == pytest.approx(stroke_pitch(printed_page(A4_200_DPI, 16)), rel=0.2)


def test_shadow_and_noise_of_a_scan_are_not_print() -> None:
    chance = np.random.default_rng(5)

    def scanned(page: Image.Image, noise: float = 6) -> Image.Image:
        shadow = np.linspace(0.6, 1, page.width)[None, :, None]
        grain = chance.normal(0, noise, (page.height, page.width, 1))
        return Image.fromarray(np.clip(np.asarray(page) * shadow + grain, 0, 255).astype(np.uint8))

    page = printed_page((1000, 1400), 20)
    empty = Image.new("RGB", page.size, "white")

    assert stroke_pitch(scanned(page)) == pytest.approx(stroke_pitch(page), rel=0.2)
    assert all(choose_mode(scanned(empty, noise), ALL_MODES) is Mode.TINY for noise in (6, 25))


@pytest.mark.parametrize("x_height_px", [12, 20, 40])
@pytest.mark.parametrize("paper", [215, 235, 250])
def test_the_specks_of_a_dithered_page_are_no_strokes(x_height_px: float, paper: int) -> None:
    page = printed_page((1000, 1400), x_height_px, ink=30, paper=paper)
    dithered = page.convert("1").convert("RGB")
    pitch, dithered_pitch = stroke_pitch(page), stroke_pitch(dithered)
    assert pitch is not None
    assert dithered_pitch == pytest.approx(pitch, rel=0.35)


@pytest.mark.parametrize("brightness", [0.5, 0.8, 1.2])
@pytest.mark.parametrize("paper", ["white", "black"])
def test_the_specks_of_a_dithered_photograph_are_no_strokes(brightness: float, paper: str) -> None:
    page = printed_page((1000, 1400), 12, share=0.6).convert("L").point(lambda level: 255 * (level > 150))
    pitch = stroke_pitch(page.convert("RGB"))
    shades = np.random.default_rng(3).integers(0, 256, (9, 12), dtype=np.uint8)
    photograph = Image.fromarray(shades).resize((600, 400), Image.Resampling.BICUBIC)
    page.paste(photograph.point(lambda level: brightness * level).convert("1"), (200, 930))
    page = page if paper == "white" else ImageChops.invert(page)
    assert stroke_pitch(page.convert("RGB")) == pytest.approx(pitch, rel=0.25)


def test_fine_print_in_black_and_white_is_measured_as_it_is() -> None:
    page = printed_page((1000, 1400), 7)
    black_and_white = page.convert("L").point(lambda level: 255 * (level > 150)).convert("RGB")
    black_and_white.putpixel((5, 5), (0, 0, 0))  # a speck alone makes no dithered page
    assert stroke_pitch(black_and_white) == pytest.approx(stroke_pitch(page), abs=1)


def test_print_whose_lines_fall_in_with_the_rows_looked_at_is_seen() -> None:
    for spacing in (9, 12, 13, 18, 26):
        page = np.full((192 * spacing // 2, 1200), 255, np.uint8)
        page[::spacing, ::8] = 0
        page[1::spacing, ::8] = 0

        assert stroke_pitch(Image.fromarray(page).convert("RGB")) is not None, spacing


def test_an_empty_page_has_no_print() -> None:
    assert stroke_pitch(Image.new("RGB", A4_200_DPI, "white")) is None


# The rule ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [(500, 500), (640, 640), (1000, 1400), A4_200_DPI, (2480, 3508), (3508, 2480)]
)
@pytest.mark.parametrize("x_height_px", [10, 14, 20, 32, 48])
def test_letters_are_ten_pixels_tall_in_the_view_where_a_mode_can_show_them_so(
    size: tuple[int, int], x_height_px: float
) -> None:
    tallest = max(x_height_in_view(size, mode, x_height_px) for mode in Mode)

    chosen = choose_mode(printed_page(size, x_height_px), ALL_MODES)

    assert x_height_in_view(size, chosen, x_height_px) >= 0.85 * min(10, tallest)


@pytest.mark.parametrize("size", [(1000, 1400), A4_200_DPI])
@pytest.mark.parametrize("x_height_px", [14, 20, 32, 48])
def test_no_mode_is_chosen_where_half_the_scale_would_do(size: tuple[int, int], x_height_px: float) -> None:
    chosen = choose_mode(printed_page(size, x_height_px), ALL_MODES)

    assert chosen is Mode.TINY or x_height_in_view(size, chosen, x_height_px) < 20


@pytest.mark.parametrize(
    ("size", "x_height_px", "mode"),
    [
        ((480, 360), 14, Mode.TINY),
        ((640, 640), 11, Mode.SMALL),
        ((1200, 1600), 18, Mode.BASE),
        ((1240, 1754), 16, Mode.LARGE),
        (A4_200_DPI, 15, Mode.GUNDAM),
        (A4_200_DPI, 60, Mode.TINY),
        ((2480, 3508), 22, Mode.GUNDAM),
    ],
    ids=["note", "card", "large print", "A4 at 150 dpi", "A4 at 200 dpi", "poster", "A4 at 300 dpi"],
)
def test_pages_as_people_have_them_get_the_mode_one_would_choose(
    size: tuple[int, int], x_height_px: float, mode: Mode
) -> None:
    assert choose_mode(printed_page(size, x_height_px), ALL_MODES) is mode


def test_an_empty_page_costs_as_little_as_a_page_can() -> None:
    assert choose_mode(Image.new("RGB", A4_200_DPI, "white"), ALL_MODES) is Mode.TINY
    assert choose_mode(Image.new("RGB", A4_200_DPI, "white"), (Mode.GUNDAM, Mode.LARGE)) is Mode.LARGE


def test_a_strip_is_not_squeezed_into_a_square() -> None:
    assert choose_mode(printed_page((1200, 80), 20), ALL_MODES) is Mode.BASE
    assert PagePrint((600, 1800), 20.0).best_mode(ALL_MODES) is Mode.BASE


def test_fewer_tiles_make_large_the_mode_that_shows_a_page_best() -> None:
    page = printed_page(A4_200_DPI, 12)

    assert choose_mode(page, ALL_MODES) is Mode.GUNDAM
    assert choose_mode(page, ALL_MODES, most_tiles=2) is Mode.LARGE


@pytest.mark.parametrize(
    ("size", "pitch_px", "mode"),
    [
        ((1900, 950), 6, Mode.GUNDAM),
        ((1900, 949), 6, Mode.LARGE),
        ((949, 1900), 6, Mode.LARGE),
        ((1900, 949), 16, Mode.BASE),
        ((1900, 949), 3, Mode.GUNDAM),
        ((1900, 212), 3, Mode.GUNDAM),
        ((1899, 211), 3, Mode.LARGE),
    ],
    ids=[
        "just short enough",
        "too wide",
        "too tall",
        "too wide, larger print",
        "illegible in Large",
        "just no strip",
        "a strip",
    ],
)
def test_a_long_page_is_not_read_in_gundam_by_a_model_that_cannot_where_another_mode_will_do(
    size: tuple[int, int], pitch_px: float, mode: Mode
) -> None:
    page = PagePrint(size, pitch_px, gundam_aspect_ratio=2.0)

    assert page.best_mode(ALL_MODES) is mode
    assert page.best_mode((Mode.GUNDAM,)) is Mode.GUNDAM


def test_larger_print_on_a_page_gets_no_larger_mode() -> None:
    chosen = [choose_mode(printed_page((1000, 1400), 7 * 1.4**step), ALL_MODES) for step in range(7)]

    assert [BY_COST.index(mode) for mode in chosen] == sorted(map(BY_COST.index, chosen), reverse=True)
    assert len(set(chosen)) >= 4


@given(sides_px, sides_px, st.lists(pitches_px, min_size=2), tile_counts, aspect_ratios)
def test_print_that_stands_wider_gets_no_larger_mode(
    width: int, height: int, pitches: list[float], most_tiles: int, aspect: float
) -> None:
    tiles = choose_tiles((width, height), most_tiles)
    costs = {mode: mode.view_px**2 for mode in Mode}
    costs[Mode.GUNDAM] += tiles[0] * tiles[1] * TILE_PX**2

    pages = [
        PagePrint((width, height), pitch, most_tiles, PUBLISHED_PRINT, aspect) for pitch in sorted(pitches)
    ]
    spent = [costs[page.best_mode(ALL_MODES)] for page in pages]

    assert spent == sorted(spent, reverse=True)


@given(sides_px, sides_px, st.none() | pitches_px, modes_of_models, tile_counts, aspect_ratios)
def test_the_mode_is_one_of_the_models_in_whatever_order_these_are_told(
    width: int, height: int, pitch: float | None, modes: list[Mode], most_tiles: int, aspect: float
) -> None:
    page_print = PagePrint((width, height), pitch, most_tiles, PUBLISHED_PRINT, aspect)
    chosen = page_print.best_mode(modes)

    assert chosen in modes
    assert chosen is page_print.best_mode(modes[::-1])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), modes_of_models)
@settings(max_examples=50)
def test_any_pixels_get_a_mode_and_always_the_same(
    width: int, height: int, seed: int, modes: list[Mode]
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    page = Image.fromarray(pixels)

    chosen = choose_mode(page, modes)

    assert chosen in modes
    assert choose_mode(page, modes) is chosen


@pytest.mark.parametrize("size", [(1, 1), (20000, 1), (20000, 9), (20000, 10), (10, 20000), (3, 9000)])
def test_no_page_is_too_narrow_for_the_mode_it_gets(size: tuple[int, int]) -> None:
    page = Image.new("RGB", size, "white")
    possible = {mode for mode in Mode if _can_be_made(page, mode)}
    for count in range(1, len(Mode) + 1):
        for modes in itertools.combinations(Mode, count):
            assert choose_mode(page, modes) in (possible & set(modes) or modes)


def _can_be_made(page: Image.Image, mode: Mode) -> bool:
    try:
        make_views(page, mode)
    except ReadingError:
        return False
    return True


def test_a_legible_pitch_is_that_of_letters_ten_pixels_tall() -> None:
    assert stroke_pitch(printed_page(A4_200_DPI, 10)) == pytest.approx(10 * PITCH_PER_X_HEIGHT, abs=1)


def test_a_page_read_in_auto_is_encoded_as_in_the_mode_that_auto_came_to(tmp_path: Path) -> None:
    from rtocr_gui.ocr.engine import Engine

    engine = Engine(threads=1)
    folder = write_checkpoint(tmp_path / "model", ROOM_FOR_GUNDAM)
    modes = engine.load(folder, device="cpu").info.modes
    image = printed_page((400, 300), 20)
    page = PageImage(PageRef(tmp_path / "page.png", 0, sha256="page"), image, dpi=200)

    encoded = engine.encode(page, Scaling(None))

    assert len(modes) > 1
    assert encoded.mode is choose_mode(image, modes)
    assert encoded.measures is engine.encode(page, Scaling(encoded.mode)).measures
    engine.unload()


def test_a_model_for_larger_print_chooses_larger_modes_and_calls_more_too_small(tmp_path: Path) -> None:
    from rtocr_gui.ocr.engine import Engine

    folder = write_checkpoint(tmp_path / "model")
    page = PageImage(
        PageRef(tmp_path / "page.png", 0, sha256="page"), printed_page((1000, 1400), 16.0), dpi=150
    )
    told = {"name": "Mine", "description": "Reads.", "modes": ["tiny", "small", "base"], "tasks": ["text"]}
    readings = []
    for least, well, mode in (
        (2, 5, None),
        (4, 8, None),
        (40, 50, None),
        (4, 5, Mode.TINY),
        (7, 8, Mode.TINY),
    ):
        said = told | {"x_height_px": {"least": least, "well": well}}
        (folder / "rtocr.json").write_text(json.dumps(said))
        engine = Engine(threads=1)
        engine.load(folder, device="cpu")
        readings.append(read_briefly(engine, page, Scaling(mode)))
        engine.unload()
    assert [(one.mode, one.doubt is Doubt.SMALL_PRINT, one.larger_mode) for one in readings] == [
        (Mode.SMALL, False, None),
        (Mode.BASE, False, None),
        (Mode.BASE, True, None),
        (Mode.TINY, False, None),
        (Mode.TINY, True, Mode.BASE),
    ]
    assert [one.needs_large_print for one in readings] == [False, False, True, False, True]


def test_gundam_is_avoided_in_auto_only_and_only_where_the_model_states_so(tmp_path: Path) -> None:
    from rtocr_gui.ocr.engine import Engine

    folder = write_checkpoint(tmp_path / "model", ROOM_FOR_GUNDAM)
    page = PageImage(PageRef(tmp_path / "page.png", 0, sha256="page"), printed_page((1300, 430), 12), dpi=96)
    told = {"name": "Mine", "description": "Reads.", "modes": ["large", "gundam"], "tasks": ["text"]}
    sizes = {"x_height_px": {"least": 6, "well": 16}}
    chosen, by_hand = [], []
    for description in ({}, {"gundam_up_to_aspect_ratio": 4}, {"gundam_up_to_aspect_ratio": 2.4}):
        (folder / "rtocr.json").write_text(json.dumps({**told, **sizes, **description}))
        engine = Engine(threads=1)
        engine.load(folder, device="cpu")
        chosen.append(read_briefly(engine, page, Scaling(None)))
        by_hand.append(read_briefly(engine, page, Scaling(Mode.GUNDAM)))
        engine.unload()

    assert [(one.mode, one.doubt is Doubt.LONG_PAGE) for one in chosen] == [
        (Mode.GUNDAM, False),
        (Mode.GUNDAM, False),
        (Mode.LARGE, False),
    ]
    assert [(one.mode, one.doubt is Doubt.LONG_PAGE) for one in by_hand] == [
        (Mode.GUNDAM, False),
        (Mode.GUNDAM, False),
        (Mode.GUNDAM, True),
    ]


# Print that is too small ----------------------------------------------------------------------


def test_the_samples_are_legible_to_the_model_that_comes_with_them(samples: list[PageImage]) -> None:
    assert samples
    for sample in samples:
        page = sample.image
        assert PagePrint(page.size, stroke_pitch(page)).is_legible_in(Mode.TINY), sample.ref.path.name


@pytest.mark.parametrize("size", [(512, 512), (640, 640), (900, 600), (1000, 1400), A4_200_DPI])
@pytest.mark.parametrize("mode", [Mode.TINY, Mode.BASE, Mode.GUNDAM])
@pytest.mark.parametrize("x_height_px", [8, 10, 12, 16])
def test_letters_eight_pixels_tall_in_the_view_or_more_are_never_called_too_small(
    size: tuple[int, int], mode: Mode, x_height_px: float
) -> None:
    page = printed_page(size, x_height_px / x_height_in_view(size, mode, 1))

    assert PagePrint(size, stroke_pitch(page)).is_legible_in(mode)


@pytest.mark.parametrize("dpi", [150, 200, 300])
def test_a_letter_scanned_as_people_do_is_too_small_for_tiny_and_small(dpi: int) -> None:
    size = round(8.27 * dpi), round(11.69 * dpi)
    letter = PagePrint(size, stroke_pitch(printed_page(size, 0.5 * 11 / 72 * dpi)))

    assert not letter.is_legible_in(Mode.TINY)
    assert not letter.is_legible_in(Mode.SMALL)
    assert letter.is_legible_in(Mode.BASE)
    assert letter.larger_mode(Mode.TINY, (Mode.TINY,)) is None
    assert letter.larger_mode(Mode.TINY, ALL_MODES) is letter.best_mode(ALL_MODES)


@given(sides_px, sides_px, st.none() | pitches_px, modes_of_models, tile_counts, aspect_ratios)
def test_no_page_is_called_illegible_in_a_mode_that_it_chose_for_its_print(
    width: int, height: int, pitch: float | None, modes: list[Mode], most_tiles: int, aspect: float
) -> None:
    page_print = PagePrint((width, height), pitch, most_tiles, PUBLISHED_PRINT, aspect)
    chosen = page_print.best_mode(modes)

    assert page_print.is_legible_in(chosen) or page_print.larger_mode(chosen, modes) is None


def test_an_empty_page_is_legible_in_every_mode() -> None:
    assert all(PagePrint(A4_200_DPI, None).is_legible_in(mode) for mode in Mode)


def test_a_reading_knows_whether_the_print_is_too_small_which_is_measured_once(
    tmp_path: Path, measured: list[Image.Image]
) -> None:
    from rtocr_gui.ocr.engine import Engine

    engine = Engine(threads=1)
    folder = write_checkpoint(tmp_path / "model", ROOM_FOR_GUNDAM)
    modes = engine.load(folder, device="cpu").info.modes
    page = PageImage(PageRef(tmp_path / "page.png", 0, sha256="page"), printed_page((1000, 1400), 8), dpi=200)

    chosen = read_briefly(engine, page, Scaling(None))
    tiny = read_briefly(engine, page, Scaling(Mode.TINY))

    assert tiny.doubt is Doubt.SMALL_PRINT
    assert tiny.larger_mode is chosen.mode
    assert tiny.larger_mode in modes
    assert chosen.larger_mode is None
    assert measured == [page.image]
    engine.unload()


def test_choosing_a_mode_loads_no_torch() -> None:
    program = "import sys, rtocr_gui.ocr.vision.auto_mode; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_mode_to_choose_follows_the_tiles_of_gundam_where_a_page_is_encoded_already(
    tmp_path: Path,
) -> None:
    from rtocr_gui.ocr.engine import Engine

    engine = Engine(threads=1)
    engine.load(write_checkpoint(tmp_path / "model", ROOM_FOR_GUNDAM), device="cpu")
    image = printed_page(A4_200_DPI, 6)
    page = PageImage(PageRef(tmp_path / "page.png", 0, sha256="page"), image, dpi=200)
    scalings = [Scaling(Mode.LARGE, most) for most in (9, 2, 9)]
    before = [engine.encode(page, scaling) for scaling in scalings]
    after = [read_briefly(engine, page, scaling) for scaling in scalings]
    engine.unload()
    for told in before, after:
        assert [one.larger_mode for one in told] == [Mode.GUNDAM, None, Mode.GUNDAM]
        assert {one.doubt for one in told} == {Doubt.SMALL_PRINT}
