"""Whether much of a page was not read is told by the strokes of its letters, in any face and script."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from rtocr_gui.documents.loading import open_document
from rtocr_gui.ocr.vision.unread_print import count_strokes, has_unread_print
from tests.made_pages import noise_page
from tests.sample_pages import SAMPLES

LINES = (
    "Minutes of the harbour board, second of May",
    "The board met in the old customs house. Mr Porter",
    "was in the chair, and eleven members had come.",
    "Repairs to the northern mole will begin in June.",
    "Until then, boats may moor at the fish market.",
)
TEXT = "\n".join(LINES)


def printed(size: int = 26) -> Image.Image:
    page = Image.new("RGB", (1000, 500), "white")
    font = ImageFont.load_default(size)
    for row, line in enumerate(LINES):
        ImageDraw.Draw(page).text((60, 50 + round(1.6 * size) * row), line, "black", font)
    return page


@pytest.mark.parametrize("size", [14, 26, 36])
def test_a_text_that_was_read_whole_has_all_print(size):
    strokes = count_strokes(printed(size))
    assert not has_unread_print(TEXT, strokes)
    assert not has_unread_print(TEXT.replace("the", "tho").replace("Mr", ""), strokes)


@pytest.mark.parametrize("left", [1, 2])
def test_a_text_of_which_most_lines_are_missing_has_not(left):
    assert has_unread_print("\n".join(LINES[:left]), count_strokes(printed()))


@pytest.mark.parametrize(("size", "is_print"), [(76, True), (100, False)])
def test_a_title_is_print_unless_it_is_too_tall_for_that(size, is_print):
    page = printed()
    without = count_strokes(page)
    ImageDraw.Draw(page).text((60, 320), "Minutes", "black", ImageFont.load_default(size))
    assert (count_strokes(page) > without) is is_print


def test_a_title_and_a_photograph_are_no_unread_print():
    page = Image.new("RGB", (900, 1200), "white")
    ImageDraw.Draw(page).text((60, 60), "A short title", "black", ImageFont.load_default(40))
    page.paste(noise_page(700, 800).resize((700, 800)), (100, 200))
    assert not has_unread_print("A short title", count_strokes(page))


@pytest.mark.parametrize(("letter", "most"), [("i", 166), ("\u5ddd", 416)])
def test_letters_of_many_strokes_count_for_more(letter, most):
    assert not has_unread_print(letter * 100, most)
    assert has_unread_print(letter * 100, most + 1)


def test_a_page_with_little_print_is_not_judged():
    assert not has_unread_print("i", 99)
    assert has_unread_print("i", 100)


def test_markup_is_no_print_that_was_read():
    cells = "".join(f"<td>{number}</td>" for number in range(10, 50))
    strokes = count_strokes(printed())
    assert len(cells) > strokes
    assert has_unread_print(f"<table><tr>{cells}</tr></table>", strokes)
    assert has_unread_print(f"{LINES[0]}{'<p></p>' * strokes}", strokes)
    assert has_unread_print(f"{LINES[0]}\n\n![](page.assets/{'figure' * 50}.png)", strokes)
    assert not has_unread_print(TEXT.replace("of", "<b>of</b>"), strokes)


def test_what_stands_in_angle_brackets_on_the_page_is_print():
    assert not has_unread_print("<harbour><mole>north</mole></harbour>" * 5, 100)


def test_a_page_without_text_is_told_otherwise():
    assert not has_unread_print(" \n", count_strokes(printed()))


def test_blank_pages_have_no_print():
    assert count_strokes(Image.new("RGB", (400, 300), "white")) == 0
    assert not has_unread_print("", 0)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_sample_pages_have_all_their_print_in_their_true_texts(sample: Path):
    with open_document(sample) as document:
        strokes = count_strokes(document.load_page(0).image)
    assert strokes > 50
    assert not has_unread_print(sample.with_suffix(".txt").read_text("utf-8"), strokes)
