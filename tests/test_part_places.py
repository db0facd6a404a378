"""The parts of a text, and the blocks of a page, are found where they are printed, from rough boxes."""

import cmath
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.documents.part_places import place_parts
from rtocr_gui.documents.text_places import Box, TextPart, around
from rtocr_gui.ocr.reading import GREATEST_COORDINATE, Block, Mode, ReadSettings, Scaling
from rtocr_gui.ocr.text.printed_blocks import move_to_print
from rtocr_gui.pruning.plan import PruneSettings
from tests.readings import read_page
from tests.tasks import MARKDOWN

SIZE = (1000, 700)
FONT = ImageFont.load_default(22)
TITLE = ("Minutes of the harbour board",)
FIRST = ("The board met on the second of May in the old", "customs house. Mr Porter was in the chair, and")
FIRST += ("eleven members had come.",)
SECOND = ("Repairs to the northern mole will begin in June.", "Until then, boats may moor at the market.")


def printed(*parts: tuple[Sequence[str], int, int]) -> tuple[Image.Image, list[Box]]:
    """A page with parts of given lines, each from its left upper corner, and the boxes of the letters."""
    page = Image.new("RGB", SIZE, "white")
    draw, boxes = ImageDraw.Draw(page), list[Box]()
    for lines, left, top in parts:
        places = [(left, top + 36 * row) for row in range(len(lines))]
        for place, line in zip(places, lines, strict=True):
            draw.text(place, line, "black", FONT)
        ink = [draw.textbbox(place, line, FONT) for place, line in zip(places, lines, strict=True)]
        lefts, tops, rights, bottoms = zip(*ink, strict=True)
        boxes.append((min(lefts), min(tops), max(rights), max(bottoms)))
    return page, boxes


def moved(box: Box, right: float, down: float) -> Box:
    return box[0] + right, box[1] + down, box[2] + right, box[3] + down


def is_around(place: Box | None, print_: Box) -> bool:
    """True if a place holds the print, and little besides."""
    assert place is not None
    sides = [outer - inner for outer, inner in zip(place, print_, strict=True)]
    return -10 <= sides[0] <= 4 and -10 <= sides[1] <= 4 and -4 <= sides[2] <= 10 and -4 <= sides[3] <= 12


@pytest.mark.parametrize("down", [-30, 0, 50])
@pytest.mark.parametrize("joined", ["\n", " "])
def test_parts_are_found_where_they_are_printed_and_not_where_their_boxes_are(down, joined):
    page, ink = printed((TITLE, 70, 60), (FIRST, 70, 130), (SECOND, 70, 238))
    parts = [
        TextPart(joined.join(lines), moved(box, 40, down))
        for lines, box in zip((TITLE, FIRST, SECOND), ink, strict=True)
    ]
    assert all(map(is_around, place_parts(parts, page), ink))


def test_of_the_same_words_in_two_places_the_box_tells_which_are_meant():
    lines = ("The same words",)
    page, ink = printed(*((lines, 70, 60 + 120 * row) for row in range(5)))
    for row, box in enumerate(ink):
        (place,) = place_parts([TextPart(lines[0], moved(box, 30, 25))], page)
        assert is_around(place, ink[row])


def test_of_rows_of_the_same_cells_the_box_tells_which_are_meant():
    rows = [
        ((word,), left, 60 + 120 * row) for row in range(5) for word, left in (("Apples", 70), ("2.90", 600))
    ]
    page, ink = printed(*rows)
    for row in range(5):
        left, top, _, bottom = moved(ink[2 * row], 30, 25)
        (place,) = place_parts([TextPart("Apples\n2.90", (left, top, 700, bottom))], page)
        assert is_around(place, around(ink[2 * row : 2 * row + 2]))


def test_a_part_without_a_box_is_found_by_its_text():
    page, ink = printed((TITLE, 70, 60), (FIRST, 70, 130), (SECOND, 70, 400))
    parts = [TextPart("\n".join(lines)) for lines in (TITLE, FIRST, SECOND)]
    assert all(map(is_around, place_parts(parts, page), ink))


def test_parts_beside_each_other_on_one_line_are_told_apart():
    page, (left, right, below) = printed((("Annual report",), 70, 60), (("17",), 880, 60), (FIRST, 70, 140))
    parts = [
        TextPart("Annual report", left),
        TextPart("17", moved(right, 0, 20)),
        TextPart(" ".join(FIRST), below),
    ]
    first, second, third = place_parts(parts, page)
    assert is_around(first, left)
    assert is_around(second, right)
    assert is_around(third, below)


def test_columns_beside_each_other_are_told_apart():
    left = ["It was a dark night and rain", "fell on the quay. We waited"] * 5
    right = ["Nobody came until three. Then", "we heard a bell on the water"] * 5
    page, ink = printed((left, 60, 60), (right, 540, 60))
    parts = [
        TextPart(" ".join(lines), moved(box, 20, 15)) for lines, box in zip((left, right), ink, strict=True)
    ]
    assert all(map(is_around, place_parts(parts, page), ink))


def test_print_that_is_in_no_part_is_in_no_place():
    page, (title, _, second) = printed((TITLE, 70, 60), (FIRST, 70, 150), (SECOND, 70, 320))
    parts = [TextPart(TITLE[0], moved(title, 0, 20)), TextPart(" ".join(SECOND), moved(second, 0, -20))]
    first, last = place_parts(parts, page)
    assert is_around(first, title)
    assert is_around(last, second)


def test_pictures_are_in_no_place():
    page, ink = printed((TITLE, 70, 60), (FIRST, 70, 130), (SECOND, 70, 560))
    draw = ImageDraw.Draw(page)
    draw.rectangle((70, 260, 900, 540), "#9db7c9")
    draw.polygon([(200, 460), (520, 460), (470, 520), (250, 520)], "#7a3b2e")
    draw.polygon([(350, 290), (350, 450), (480, 450)], "white")
    parts = [
        TextPart(" ".join(lines), moved(box, 0, down))
        for lines, box, down in zip((TITLE, FIRST, SECOND), ink, (30, 60, -60), strict=True)
    ]
    assert all(map(is_around, place_parts(parts, page), ink))


def test_a_title_is_in_its_place_however_tall_it_is():
    page, ink = printed((FIRST, 70, 330), (SECOND, 70, 460))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(80)
    draw.text((70, 160), "Harbour board", "black", font)
    title = draw.textbbox((70, 160), "Harbour board", font)
    parts = [TextPart("Harbour board", title), *(TextPart(" ".join(lines)) for lines in (FIRST, SECOND))]
    first, *rest = place_parts(parts, page)
    assert first is not None
    assert (first[0], first[2]) == pytest.approx((title[0], title[2]), abs=8)
    assert all(map(is_around, rest, ink))


def test_what_is_not_printed_has_no_place():
    page, ink = printed((TITLE, 70, 60))
    long = "and much more that nobody printed, here or anywhere else at all, in so many lines " * 3
    parts = [TextPart(TITLE[0], ink[0]), TextPart(""), TextPart(long, (70, 500, 900, 640))]
    found, empty, unprinted = place_parts(parts, page)
    assert is_around(found, ink[0])
    assert empty is None
    assert unprinted is None
    blank = Image.new("RGB", SIZE, "white")
    assert place_parts(parts, blank) == [None] * 3
    assert place_parts([TextPart(" \n")], page) == [None]
    assert place_parts([], page) == []


def turned(box: Box, degrees: float) -> Box:
    """The box of a part of a page after the page was turned around its middle."""
    turn, middle = cmath.rect(1, -math.radians(degrees)), complex(*SIZE) / 2
    left, top, right, bottom = box
    corners = [middle + turn * (complex(x, y) - middle) for x in (left, right) for y in (top, bottom)]
    across, down = [corner.real for corner in corners], [corner.imag for corner in corners]
    return min(across), min(down), max(across), max(down)


@pytest.mark.parametrize("degrees", [-3, -2, 1.5, 3])
def test_parts_of_a_skewed_page_are_found(degrees):
    page, ink = printed((TITLE, 70, 120), (FIRST, 70, 220), (SECOND, 70, 400))
    page = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
    parts = [TextPart(" ".join(lines), box) for lines, box in zip((TITLE, FIRST, SECOND), ink, strict=True)]
    for place, box in zip(place_parts(parts, page), ink, strict=True):
        assert is_around(place, turned(box, degrees))


def test_on_a_skewed_page_the_box_tells_which_of_the_same_words_are_meant():
    lines = ("The same words",)
    page, ink = printed(*((lines, 700, 60 + 60 * row) for row in range(9)))
    page = page.rotate(3, Image.Resampling.BICUBIC, fillcolor="white")
    for box in [turned(box, 3) for box in ink]:
        (place,) = place_parts([TextPart(lines[0], box)], page)
        assert is_around(place, box)


LINE = st.text(alphabet="abc .漢", max_size=30)
ROUGH = st.tuples(*[st.floats(0, 400)] * 2, *[st.floats(401, 1000)] * 2)


@settings(max_examples=40)
@given(
    st.lists(st.builds(TextPart, st.lists(LINE, max_size=4).map("\n".join), st.none() | ROUGH), max_size=5)
)
def test_every_place_is_on_the_page_and_has_an_area(parts):
    page, _ = printed((TITLE, 70, 2), (FIRST, 2, 640))
    places = place_parts(parts, page)
    assert len(places) == len(parts)
    for place in places:
        if place is not None:
            left, top, right, bottom = place
            assert 0 <= left < right <= SIZE[0]
            assert 0 <= top < bottom <= SIZE[1]


def on_grid(box: Box) -> tuple[int, int, int, int]:
    left, top, right, bottom = (
        round(edge * GREATEST_COORDINATE / side) for edge, side in zip(box, SIZE * 2, strict=True)
    )
    return left, top, right, bottom


def test_blocks_are_moved_to_their_print_and_pictures_stay():
    page, (title, text) = printed((TITLE, 70, 60), (FIRST, 70, 300))
    read = f"# {TITLE[0]}\n\n" + " ".join(FIRST)
    start = read.index("The")
    blocks = (
        Block("title", (on_grid(moved(title, 60, 30)),), 0, start - 2),
        Block("image", ((100, 200, 800, 380),), start, start),
        Block("text", (on_grid(moved(text, -50, -40)),), start, len(read)),
    )
    first, picture, last = move_to_print(blocks, read, page)
    assert picture == blocks[1]
    for block, was, ink in ((first, blocks[0], title), (last, blocks[2], text)):
        assert (block.label, block.start, block.end) == (was.label, was.start, was.end)
        assert block.is_found
        (place,) = block.boxes_px(SIZE)
        assert is_around(place, ink)


def test_of_the_same_words_in_two_places_the_box_of_a_block_tells_which_are_meant():
    lines = ("**The** same words",)
    page, ink = printed(*((("The same words",), 70, 60 + 120 * row) for row in range(5)))
    for box in ink:
        (block,) = move_to_print(
            [Block("text", (on_grid(moved(box, 30, 25)),), 0, len(lines[0]))], lines[0], page
        )
        (place,) = block.boxes_px(SIZE)
        assert is_around(place, box)


@pytest.mark.parametrize(
    ("picture", "rest"),
    [
        ((100, 200, 800, 480), (100, 200, 800, 432)),
        ((100, 100, 800, 400), (100, 131, 800, 400)),
        ((100, 60, 800, 400), (100, 131, 800, 400)),
        ((100, 100, 800, 480), (100, 131, 800, 432)),
        ((100, 70, 800, 140), (100, 70, 800, 140)),
        ((600, 70, 900, 400), (600, 70, 900, 400)),
    ],
    ids=["text below", "text above", "text in it", "both", "hardly more than text", "text beside"],
)
def test_a_picture_is_without_the_print_above_and_below(picture, rest):
    page, (title, text) = printed((TITLE, 70, 60), (FIRST, 70, 300))
    read = f"# {TITLE[0]}\n\n" + " ".join(FIRST)
    start = read.index("The")
    blocks = (
        Block("title", (on_grid(title),), 0, start - 2),
        Block("image", (picture,), start, start),
        Block("text", (on_grid(text),), start, len(read)),
    )
    _, moved_picture, _ = move_to_print(blocks, read, page)
    (box,) = moved_picture.boxes
    assert box == pytest.approx(rest, abs=6)


def test_a_block_of_a_table_is_where_its_rows_are():
    rows = ("Apples ripe 2.90", "Pears green 13.40", "Cherries red 8.50")
    page, (title, table) = printed((TITLE, 70, 60), (rows, 70, 200))
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row.split())}</tr>" for row in rows)
    read = f"# {TITLE[0]}\n\n<table>{cells}</table>"
    start = read.index("<table>")
    blocks = [
        Block("title", (on_grid(title),), 0, start),
        Block("table", (on_grid(moved(table, 0, 70)),), start, len(read)),
    ]
    _, moved_table = move_to_print(blocks, read, page)
    (place,) = moved_table.boxes_px(SIZE)
    assert is_around(place, table)


@pytest.mark.parametrize("height", [204, 213, 225])
def test_a_block_that_ends_with_the_page_ends_with_the_grid(height):
    page = Image.new("RGB", (500, height), "white")
    ImageDraw.Draw(page).text((40, height - 23), TITLE[0], "black", FONT)
    (block,) = move_to_print([Block("text", ((0, 700, 999, 999),), 0, len(TITLE[0]))], TITLE[0], page)
    assert block.is_found
    assert block.boxes[0][3] == GREATEST_COORDINATE


@settings(max_examples=30)
@given(st.integers(0, 999), st.integers(0, 999))
def test_a_block_at_the_edge_of_the_page_keeps_to_the_grid(left, top):
    page, _ = printed((TITLE, 0, 0), (SECOND, 460, 640))
    box = (min(left, 998), min(top, 998), 999, 999)
    for block in move_to_print(
        [Block("text", (box,), 0, 10), Block("text", (), 11, 41)], " ".join(SECOND), page
    ):
        for x1, y1, x2, y2 in block.boxes:
            assert 0 <= x1 < x2 <= GREATEST_COORDINATE
            assert 0 <= y1 < y2 <= GREATEST_COORDINATE


@pytest.mark.parametrize("mode", [Mode.SMALL, Mode.BASE])
def test_the_blocks_that_the_miniature_reads_are_where_their_text_is_printed(miniature_engine, mode):
    page, ink = printed((TITLE, 70, 60), (FIRST, 70, 150), (SECOND, 70, 320))
    asked = ReadSettings(Scaling(mode), MARKDOWN, PruneSettings(1.0), max_new_tokens=1000)
    reading = read_page(
        miniature_engine, PageImage(PageRef(Path("board.png"), 0, mode.value), page, dpi=96), asked
    )
    places = {reading.text[block.start : block.end]: block.boxes_px(SIZE) for block in reading.blocks}
    assert len(places) == 3
    for (place,), box in zip(places.values(), ink, strict=True):
        assert is_around(place, box)
