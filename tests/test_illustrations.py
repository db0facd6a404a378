"""Illustrations: no lines of print are found in them, and none beside them is lost."""

import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from rtocr_gui.documents.illustrations import illustrations_in
from rtocr_gui.documents.ink import levelled_ink
from rtocr_gui.documents.print_lines import PrintLine, find_print_lines
from rtocr_gui.documents.text_places import TextPart, place_words

SIZE = (1000, 1400)
FONT, LINE_PX, FIRST_PX = ImageFont.load_default(20), 30, 60
COLUMN = (
    "The board met on the second of May in",
    "the old customs house. Mr Porter was in",
    "the chair, and eleven members had come.",
    "Repairs to the northern mole will begin",
    "in June. Until then, boats may moor at",
    "the fish market, where the fee is paid.",
)
LINES = COLUMN * 6
PLACES = {"beside": (520, 300, 940, 760), "below": (60, 1160, 940, 1380)}


def printed(lines: tuple[str, ...] = LINES, font: ImageFont.FreeTypeFont = FONT) -> Image.Image:
    page = Image.new("L", SIZE, "white")
    for row, line in enumerate(lines):
        ImageDraw.Draw(page).text((60, FIRST_PX + LINE_PX * row), line, "black", font)
    return page


def photograph(width: int, height: int) -> Image.Image:
    """Dark and light shapes of all sizes, with soft and hard edges."""
    generator = np.random.default_rng(3)
    layers = [
        Image.fromarray(generator.integers(0, 256, (height // size + 1, width // size + 1), dtype=np.uint8))
        for size in (4, 16, 64)
    ]
    pictures = [np.asarray(layer.resize((width, height), Image.Resampling.BICUBIC)) for layer in layers]
    return Image.fromarray((np.mean(pictures, axis=0) * 0.8).astype(np.uint8))


def dot_screen(width: int, height: int) -> Image.Image:
    """The same as the press prints it."""
    row, column = np.mgrid[:height, :width] * 2 * math.pi / 5
    screen = (np.sin(row + column) * np.sin(row - column) + 1) * 127.5
    dots = np.where(screen < np.asarray(photograph(width, height)), 255, 0).astype(np.uint8)
    return Image.fromarray(dots).filter(ImageFilter.GaussianBlur(0.7))


def black_and_white(width: int, height: int) -> Image.Image:
    """The same as a fax scatters it."""
    return photograph(width, height).convert("1").convert("L")


def bars(width: int, height: int) -> Image.Image:
    chart = Image.new("L", (width, height), "white")
    for number in range(5):
        left = (2 * number + 1) * width // 11
        ImageDraw.Draw(chart).rectangle((left, height * number // 10, left + width // 11, height), "#444")
    return chart


PICTURES = [photograph, dot_screen, black_and_white, bars]


def illustrated(picture, place: str) -> Image.Image:
    page, (left, top, right, bottom) = printed(), PLACES[place]
    page.paste(picture(right - left, bottom - top), (left, top))
    return page


def has_illustrations(page: Image.Image) -> bool:
    """True if anything on a page is taken for an illustration."""
    return bool(illustrations_in(levelled_ink(page)).any())


def rows_of(lines: tuple[PrintLine, ...]) -> list[int]:
    """Which row each line stands on, from 0."""
    return [round(((line.top + line.bottom) / 2 - FIRST_PX - 14) / LINE_PX) for line in lines]


@pytest.mark.parametrize("degrees", [pytest.param(0, marks=pytest.mark.slow), 1.2])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("picture", PICTURES)
def test_no_lines_are_found_in_an_illustration_and_none_beside_it_is_lost(picture, place, degrees):
    page = illustrated(picture, place)
    upright = printed().rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
    page = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
    without = find_print_lines(upright)[0]
    found = find_print_lines(page)[0]
    assert len(without) == len(LINES)
    assert [line.top for line in found[: len(LINES)]] == pytest.approx([line.top for line in without], abs=4)
    assert all(line.strokes[-1][1] < 520 for line in found[: len(LINES)])
    assert sum(line.width for line in found[len(LINES) :]) < 20


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("picture", PICTURES)
def test_words_stand_where_they_are_printed_also_beside_an_illustration(picture, place):
    text = TextPart("\n".join(LINES))
    usual = place_words([text], printed())
    placed = place_words([text], illustrated(picture, place))
    assert [[word.text for word in line] for line in placed] == [list(line.split()) for line in LINES]
    for one, other in zip(usual, placed, strict=True):
        for word, same in zip(one, other, strict=True):
            assert (word.left, word.top) == pytest.approx((same.left, same.top), abs=3)


def test_a_line_that_touches_an_illustration_stays():
    page = printed(tuple(line for row, line in enumerate(LINES) if row not in range(10, 20)))
    page.paste(photograph(880, 280), (60, FIRST_PX + LINE_PX * 26))
    assert rows_of(find_print_lines(page)[0]) == list(range(26))


def test_a_page_without_illustrations_keeps_all_its_ink():
    heavy = tuple(line.upper() for line in COLUMN)
    pages = [printed(), printed((*heavy, *COLUMN * 4)), printed(COLUMN[:2])]
    table = printed()
    for row in range(0, 37, 3):
        ImageDraw.Draw(table).line((50, 55 + 30 * row, 560, 55 + 30 * row), "black", 3)
    ImageDraw.Draw(table).rectangle((50, 55, 560, 55 + 36 * 30), outline="black", width=4)
    bold = Image.new("L", SIZE, "white")
    for row, line in enumerate(LINES):
        place = (60, FIRST_PX + LINE_PX * row)
        ImageDraw.Draw(bold).text(place, line, "black", FONT, stroke_width=1)
    assert not any(has_illustrations(page) for page in (*pages, table, bold))


def test_a_large_capital_and_a_title_are_no_illustrations():
    page = printed(LINES[4:])
    ImageDraw.Draw(page).text((620, 60), "Of", "black", ImageFont.load_default(140))
    assert not has_illustrations(page)


@pytest.mark.parametrize("size_px", [80, 110, 140])
def test_a_heavy_title_above_small_print_stays(size_px):
    title = ("Mooring", "at the fish", "market")
    page, font = Image.new("L", SIZE, "white"), ImageFont.load_default(size_px)
    for row, words in enumerate(title):
        place = (60, 40 + 1.2 * size_px * row)
        ImageDraw.Draw(page).text(place, words, "black", font, stroke_width=3)
    top = round(80 + 3.6 * size_px)
    for row in range((SIZE[1] - 60 - top) // 18):
        ImageDraw.Draw(page).text(
            (60, top + 18 * row), LINES[row % 6] * 2, "black", ImageFont.load_default(14)
        )
    assert not has_illustrations(page)


@pytest.mark.parametrize("grey", ["#000", "#555", "#888"])
@pytest.mark.parametrize("box", [(40, 320, 960, 692), (40, 320, 500, 900)])
def test_print_in_a_dark_box_stays(box, grey):
    page = printed()
    inside = [row for row in range(len(LINES)) if box[1] < FIRST_PX + LINE_PX * row < box[3] - LINE_PX]
    ImageDraw.Draw(page).rectangle(box, grey)
    for row in inside:
        ImageDraw.Draw(page).text((60, FIRST_PX + LINE_PX * row), LINES[row], "white", FONT)
    assert len(inside) > 10
    assert set(inside) <= set(rows_of(find_print_lines(page)[0]))


@pytest.mark.parametrize("degrees", [pytest.param(0, marks=pytest.mark.slow), 1.2])
@pytest.mark.parametrize("count", [1, 2, 5, 16])
@pytest.mark.parametrize(
    ("grey", "print_grey"), [("#000", "white"), ("#555", "white"), ("#888", "white"), ("#aaa", "black")]
)
def test_print_in_a_coloured_box_stands_where_it_does_without(grey, print_grey, count, degrees):
    page, first = printed(), 8
    top = FIRST_PX + LINE_PX * first - 2
    ImageDraw.Draw(page).rectangle((40, top, 560, top + LINE_PX * count), grey)
    for row in range(first, first + count):
        ImageDraw.Draw(page).text((60, FIRST_PX + LINE_PX * row), LINES[row], print_grey, FONT)
    places = []
    for each in (printed(), page):
        scan = each.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
        placed = [word for line in place_words([TextPart("\n".join(LINES))], scan) for word in line]
        places.append([(word.left, word.top) for word in placed])
    distance = np.abs(np.subtract(*places)).max(axis=1)
    assert len(distance) == sum(len(line.split()) for line in LINES)
    assert (distance > 6).sum() <= 4


@pytest.mark.parametrize("place", PLACES)
def test_words_in_a_drawing_with_a_blank_field_are_in_no_coloured_box(place):
    page, (left, top, right, bottom) = printed(), PLACES[place]
    draw, middle = ImageDraw.Draw(page), (top + bottom) // 2
    draw.rectangle((left, top, right, bottom), "#444")
    draw.rectangle((left, middle, right, bottom), "#777")
    for row in range(3):
        draw.text((left + 20, middle + 10 + 36 * row), COLUMN[row], "white", FONT)
    assert find_print_lines(page)[0] == find_print_lines(printed())[0]


@pytest.mark.parametrize("width_px", [30, 90])
def test_print_in_a_thick_frame_stays(width_px):
    page = printed(LINES[4:-4]).resize((800, 1120)).convert("L")
    framed = Image.new("L", SIZE, "white")
    framed.paste(page, (120, 140))
    ImageDraw.Draw(framed).rectangle((10, 10, 990, 1390), outline="black", width=width_px)
    assert len(find_print_lines(framed)[0]) >= len(LINES[4:-4])


def test_print_between_dots_is_no_illustration():
    page = Image.new("L", SIZE, "white")
    for left in range(0, SIZE[0], 14):
        for top in range(0, SIZE[1], 14):
            ImageDraw.Draw(page).ellipse((left, top, left + 3, top + 3), "#555")
    for row in range(20):
        ImageDraw.Draw(page).text((60, 60 + 60 * row), COLUMN[row % 6], "black", ImageFont.load_default(44))
    assert not has_illustrations(page)
