"""A block of a page is found in the shown text, and back, whatever a person corrected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.ocr.reading import Block
from rtocr_gui.ocr.text.block_places import BlockPlaces
from rtocr_gui.ocr.text.markup import parse_blocks, strip_grounding
from tests.tasks import MARKDOWN

RAW = (
    "<|ref|>title<|/ref|><|det|>[[10, 20, 900, 60]]<|/det|>\n# Annual report\n\n"
    "<|ref|>image<|/ref|><|det|>[[10, 70, 900, 300]]<|/det|>\n\n"
    "<|ref|>text<|/ref|><|det|>[[10, 310, 900, 400]]<|/det|>\nWe grew by four percent.\n"
)
READ = strip_grounding(RAW, MARKDOWN)
BLOCKS = parse_blocks(RAW, MARKDOWN)
TITLE, IMAGE, TEXT = range(3)


def places(shown: str) -> BlockPlaces:
    return BlockPlaces(BLOCKS, READ, shown)


def text_of(shown: str, block: int) -> str | None:
    place = places(shown).place_of(block)
    return None if place is None else shown[slice(*place)]


def test_an_uncorrected_text_has_its_blocks_where_they_were_read() -> None:
    assert text_of(READ, TITLE) == "# Annual report"
    assert text_of(READ, IMAGE) is None
    assert text_of(READ, TEXT) == "We grew by four percent."


def test_a_block_without_text_has_no_place_among_corrected_words() -> None:
    assert BlockPlaces([Block("image", (), 2, 2)], "word here", "wxyz here").place_of(0) is None


def test_a_corrected_block_keeps_its_corrections() -> None:
    shown = READ.replace("four", "all of forty").replace("Annual", "The annual")
    assert text_of(shown, TITLE) == "# The annual report"
    assert text_of(shown, TEXT) == "We grew by all of forty percent."


def test_what_is_typed_at_the_edges_of_a_block_belongs_to_it() -> None:
    shown = READ.replace("# Annual", "The # Annual").replace("four percent.", "four times.") + "New."
    assert text_of(shown, TITLE) == "The # Annual report"
    assert text_of(shown, TEXT) == "We grew by four times."


def test_what_is_typed_on_behind_a_block_belongs_to_it() -> None:
    assert text_of(READ.replace("report", "report 2024"), TITLE) == "# Annual report 2024"


def test_a_picture_stays_before_its_caption_when_that_is_typed_anew() -> None:
    assert places(READ.replace("We grew by four percent.", "A quiz.")).anchor_of(IMAGE) == READ.index("We ")


@pytest.mark.parametrize("end", ["Intro. And more.", "Intro.\nNew at the end."])
def test_a_picture_at_the_end_stays_behind_what_is_typed_there(end: str) -> None:
    read = "# Title\n\nIntro.\n\n"
    shown = f"# Title\n\n{end}"
    assert BlockPlaces([Block("image", (), len(read), len(read))], read, shown).anchor_of(0) == len(shown)


def test_a_block_that_was_deleted_has_no_place() -> None:
    shown = READ.replace("# Annual report\n\n", "")
    assert text_of(shown, TITLE) is None
    assert text_of(shown, TEXT) == "We grew by four percent."


@pytest.mark.parametrize("shown", [READ, "Preface\n\n" + READ, READ.replace("grew", "shrank")])
def test_a_picture_stays_between_the_texts_it_was_between(shown: str) -> None:
    anchor = places(shown).anchor_of(IMAGE)
    assert shown[:anchor].strip().endswith("# Annual report")
    assert shown[anchor:].strip().startswith("We ")


def test_the_cursor_is_in_the_block_it_stands_in_or_at() -> None:
    found = places(READ)
    start, end = found.place_of(TITLE) or (0, 0)
    assert [found.block_at(place, place) for place in (start, start + 3, end)] == [TITLE, TITLE, TITLE]
    assert found.block_at(end + 1, end + 1) is None
    assert found.block_at(len(READ), len(READ)) is None


def test_a_selection_means_the_first_block_it_has_a_part_in() -> None:
    found = places(READ)
    start, end = found.place_of(TITLE) or (0, 0)
    assert found.block_at(end - 1, len(READ)) == TITLE
    assert found.block_at(end, len(READ)) == TEXT
    assert found.block_at(start, start + 1) == TITLE


@given(st.text(alphabet="# Wegrow\n.", max_size=60))
def test_blocks_lie_in_any_text_in_order(shown: str) -> None:
    found = places(shown)
    ends = [0]
    for block in range(len(BLOCKS)):
        assert 0 <= found.anchor_of(block) <= len(shown)
        place = found.place_of(block)
        if place is not None:
            assert ends[-1] <= place[0] < place[1] <= len(shown)
            ends.append(place[1])
