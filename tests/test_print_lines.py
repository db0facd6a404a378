"""Lines of print: found on straight, skewed and unevenly lit pages, across the page and column by column."""

import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from rtocr_gui.documents.print_lines import PrintLine, find_print_lines
from tests.made_pages import noise_page

LINES = ("Chapter 1", "It was a dark night, and rain", "fell", "on the quay where we waited.")
LINE_PX, FIRST_PX = 40, 80


def printed(*columns: tuple[str, ...], size: tuple[int, int] = (900, 600)) -> Image.Image:
    """A white page with these lines of print, column beside column."""
    page = Image.new("RGB", size, "white")
    for number, lines in enumerate(columns):
        for row, line in enumerate(lines):
            place = (60 + 420 * number, FIRST_PX + LINE_PX * row)
            ImageDraw.Draw(page).text(place, line, "black", ImageFont.load_default(24))
    return page


def rows_of(lines: tuple[PrintLine, ...]) -> list[int]:
    """Which row each line stands on, from 0."""
    return [round(((line.top + line.bottom) / 2 - FIRST_PX - 16) / LINE_PX) for line in lines]


def test_each_line_of_print_is_found_where_it_is():
    across, by_column = find_print_lines(printed(LINES))
    assert across == by_column
    assert rows_of(across) == [0, 1, 2, 3]
    font = ImageFont.load_default(24)
    for words, line in zip(LINES, across, strict=True):
        ((left, right),) = line.parts
        assert abs(left - 60) < 6
        assert abs(right - 60 - font.getlength(words)) < 6
        assert 12 < line.height < 30
        assert abs(line.slope) < 0.002


@pytest.mark.parametrize("scale", [0.5, 3])
def test_a_page_of_any_resolution_has_the_same_lines(scale):
    page = printed(LINES)
    usual = find_print_lines(page)[0]
    other = find_print_lines(page.resize((round(900 * scale), round(600 * scale))))[0]
    for one, two in zip(usual, other, strict=True):
        assert abs(one.top - two.top / scale) < 4
        assert abs(one.strokes[-1][1] - two.strokes[-1][1] / scale) < 4


@pytest.mark.parametrize("degrees", [-2.5, -1, 1.7, 3])
def test_the_lines_of_a_skewed_page_fall_or_rise_with_it(degrees):
    lines = tuple(f"{words} {words}" for words in LINES)
    page = printed(lines).rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
    across, _ = find_print_lines(page)
    assert len(across) == len(LINES)
    for line in across:
        assert line.slope == pytest.approx(-math.tan(math.radians(degrees)), abs=0.004)
        assert line.height < 36


@pytest.mark.parametrize("paper", ["grey", "#203040", "shadow"])
def test_print_is_found_on_any_paper(paper):
    page = printed(LINES)
    if paper == "shadow":
        light = np.linspace(0.35, 1, page.width)[None, :, None]
        page = Image.fromarray((np.asarray(page) * light).astype(np.uint8))
    else:
        page = Image.composite(
            Image.new("RGB", page.size, paper), Image.new("RGB", page.size, "white"), page.convert("L")
        )
    assert rows_of(find_print_lines(page)[0]) == [0, 1, 2, 3]


def test_lines_beside_each_other_are_one_across_the_page_and_two_by_column():
    left, right = (
        ("It was a dark night,", "and rain fell on the", "quay where we waited."),
        (
            "Nobody came until it",
            "struck three. Then we",
            "heard a bell, far away.",
        ),
    )
    across, by_column = find_print_lines(printed(left, right))
    assert (rows_of(across), [len(line.parts) for line in across]) == ([0, 1, 2], [2, 2, 2])
    assert (rows_of(by_column), [len(line.parts) for line in by_column]) == ([0, 1, 2] * 2, [1] * 6)
    assert [line.strokes[0][0] < 400 for line in by_column] == [True] * 3 + [False] * 3


def test_a_title_across_two_columns_comes_before_both():
    page = printed(
        ("and rain fell on the", "quay where we waited", "all night for a boat."),
        ("Nobody came to see us.",) * 3,
    )
    ImageDraw.Draw(page).text(
        (60, 20), "A title that stands across both of the columns", "black", font_size=30
    )
    _, by_column = find_print_lines(page)
    assert rows_of(by_column) == [-1, 0, 1, 2, 0, 1, 2]


def test_numbers_that_hang_beside_a_list_are_no_column():
    page = printed(("1.", "2.", "3."))
    for row in range(3):
        place = (120, FIRST_PX + LINE_PX * row)
        ImageDraw.Draw(page).text(place, "Dissolve in a little water", "black", ImageFont.load_default(24))
    assert rows_of(find_print_lines(page)[1]) == [0, 1, 2]


def test_rules_and_frames_are_no_print():
    page = printed(LINES)
    draw = ImageDraw.Draw(page)
    draw.rectangle((30, 60, 870, 560), outline="black", width=3)
    draw.line((60, 520, 800, 520), "black", 4)
    draw.line((500, 60, 500, 560), "black", 2)
    assert rows_of(find_print_lines(page)[0]) == [0, 1, 2, 3]


@pytest.mark.parametrize("degrees", [0, 0.4, 1.5])
@pytest.mark.parametrize("margin", [0, 60])
def test_what_is_dark_around_a_page_is_no_print(degrees, margin):
    lines = tuple(f"{words} {words}" for words in LINES * 2)
    scan = ImageOps.expand(printed(lines), margin, "#101010")
    across, _ = find_print_lines(scan.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="#101010"))
    assert len(across) == len(lines)
    assert all(line.height < 36 for line in across)
    assert all(line.strokes[0][0] > margin + 40 for line in across)
    assert across[0].slope == pytest.approx(-math.tan(math.radians(degrees)), abs=0.002)


def test_print_that_is_cut_by_an_edge_is_print():
    whole = find_print_lines(printed(LINES))[0]
    (left, _), (top, bottom) = whole[0].strokes[0], (whole[0].top, whole[-1].bottom)
    cut = printed(LINES).crop((round(left) + 4, round(top) + 6, 900, round(bottom) - 6))
    lines, _ = find_print_lines(cut)
    assert len(lines) == len(whole)
    assert [line.strokes[-1][1] for line in lines] == pytest.approx(
        [line.strokes[-1][1] - round(left) - 4 for line in whole], abs=2
    )


@pytest.mark.parametrize("degrees", [-2.5, 2, 3])
def test_marks_at_the_edge_of_a_skewed_page_are_on_it_and_have_a_width(degrees):
    page = printed(tuple(f"{words} {words}" for words in LINES))
    page = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
    for y in range(6, 600, 31):
        for x in (0, 899):
            ImageDraw.Draw(page).line((x, y, x, y + 8), "black")
    for lines in find_print_lines(page):
        assert all(0 <= left < right <= 900 for line in lines for left, right in line.strokes)


@pytest.mark.parametrize("degrees", [-1.5, 0, 0.7, 2])
def test_thin_rules_of_a_skewed_page_are_no_print(degrees):
    page = printed((f"{LINES[1]} {LINES[3]}",) * 8)
    for row in range(8):
        y = FIRST_PX - 3 + LINE_PX * row
        ImageDraw.Draw(page).line((40, y, 860, y), "black", 2)
    across, _ = find_print_lines(page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white"))
    assert len(across) == 8
    assert all(line.height < 30 for line in across)


ACROSS_LINES = {
    "crease": lambda draw: draw.line((520, 0, 540, 1000), "grey", 2),
    "ring": lambda draw: draw.ellipse((300, 290, 620, 610), outline="blue", width=4),
    "bracket": lambda draw: draw.line([(50, 212), (30, 230), (30, 440), (50, 458)], "blue", 4),
    "holes": lambda draw: [draw.ellipse((5, top, 45, top + 50), "black") for top in (200, 600)],
}


@pytest.mark.parametrize("stroke", ACROSS_LINES)
def test_lines_that_a_stroke_runs_across_are_told_apart(stroke):
    page = printed((f"{LINES[1]} {LINES[3]}",) * 20, size=(900, 1000))
    ACROSS_LINES[stroke](ImageDraw.Draw(page))
    lines, _ = find_print_lines(page)
    assert rows_of(lines) == [*range(20)]
    assert all(line.height < 30 for line in lines)


def test_lines_that_touch_are_told_apart():
    page = printed(("Ügly çédille gypsy jÅg",) * 5)
    tight = Image.new("RGB", page.size, "white")
    for row in range(5):
        line = page.crop((0, FIRST_PX + LINE_PX * row, 900, FIRST_PX + LINE_PX * (row + 1)))
        tight.paste(line.crop((0, 2, 900, 30)), (0, 100 + 27 * row))
    lines, _ = find_print_lines(tight)
    assert len(lines) == 5
    assert all(18 < line.height < 34 for line in lines)


def test_a_blank_page_has_no_lines():
    for colour in ("white", "black"):
        assert find_print_lines(Image.new("RGB", (300, 400), colour)) == ((), ())


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (8, 400), (2000, 40), (300, 300)])
def test_lines_on_a_page_of_noise_are_within_it(size):
    for lines in find_print_lines(noise_page(*size)):
        for line in lines:
            assert line.strokes[0][0] >= 0
            assert line.strokes[-1][1] <= size[0]
            assert line.height > 0


def test_a_line_is_cut_at_its_widest_gaps():
    line = PrintLine(((0, 10), (12, 20), (30, 38), (40, 44), (100, 120)), 0, 10, 0)
    assert line.width == 44 + 20
    assert line.parts == [(0, 44), (100, 120)]
    assert line.cut(1) == [(0, 120)]
    assert line.cut(3) == [(0, 20), (30, 44), (100, 120)]
    assert line.cut(9) == [*line.strokes]
