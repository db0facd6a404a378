"""Markup for programs is taken out of the text for people, whatever state it is in."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.ocr.reading import Block, Task
from rtocr_gui.ocr.text.markup import parse_blocks, places_without_grounding, strip_grounding
from tests.tasks import MARKDOWN, OCR, TEXT

MARKS = ["<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "<|grounding|>"]
LINE_ENDS = ["\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"]
NO_TEXT = (
    "".join(map(chr, {*range(32), *range(127, 160), *range(0xFDD0, 0xFDF0)} - {*b"\t\n\v\f\r\x85"}))
    + "\ufeff\ufffe\uffff"
)
PARTS_OF_MARKS = ["<", "|", ">", "<|", "ref|>", "<|/", "det", "|>"]


def test_a_document_keeps_its_blocks_and_loses_their_kinds_and_places() -> None:
    raw = (
        "<|ref|>title<|/ref|><|det|>[[10, 20, 900, 60]]<|/det|>\n# Annual report\n\n"
        "<|ref|>text<|/ref|><|det|>[[10, 80, 900, 200]]<|/det|>\nWe grew by 4 < 5 percent.  \n\n"
        "<|ref|>image<|/ref|><|det|>[[0, 0, 5, 5], [6, 6, 9, 9]]<|/det|>\n"
    )
    assert strip_grounding(raw, MARKDOWN) == "# Annual report\n\nWe grew by 4 < 5 percent.  \n\n"


def test_recognised_words_keep_their_text_and_lose_their_places() -> None:
    raw = "<|ref|>The quick<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\n"
    raw += "<|ref|>fox<|/ref|><|det|>[[5, 6, 7, 8]]<|/det|>\n"
    assert strip_grounding(raw, OCR) == "The quick\nfox\n"


@pytest.mark.parametrize(
    "rest", ["<|ref|>", "<|ref|>tit", "<|ref|>title<|/ref|>", "<|ref|>title<|/ref|><|det|>[[10, 2"]
)
def test_a_document_cut_short_within_a_mark_ends_before_it(rest: str) -> None:
    assert strip_grounding("# Report\n" + rest, MARKDOWN) == "# Report\n"


def test_a_place_that_was_never_closed_takes_no_text_along() -> None:
    assert strip_grounding("<|det|>[[1, 2]]\nText goes on.", MARKDOWN) == "Text goes on."
    for numbers in ("2024\n1,234.50\n- 7\nTotal", "[1] Notes", "12.50\n13.70\n"):
        assert strip_grounding(f"<|det|>[[1, 2, 30, 40]]\n{numbers}", MARKDOWN) == numbers
    assert strip_grounding("<|det|>[[1, 2, 3, 4],\n[5, 6, 7, 8]]<|/det|>\nHello", MARKDOWN) == "Hello"
    assert strip_grounding("a<|ref|>b\nc<|det|>d", MARKDOWN) == "ab\ncd"


def test_a_kind_that_was_never_closed_takes_no_text_along() -> None:
    for body in ("text\nBody one.\n\nBody two.", "title\n", "word " * 50):
        assert strip_grounding(f"# A\n\n<|ref|>{body}", MARKDOWN) == f"# A\n\n{body}"
        closed = f"<|ref|>{body}<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>"
        assert strip_grounding(closed, MARKDOWN) == body
        assert not parse_blocks(closed, MARKDOWN)


@given(st.text().filter(lambda text: "<|" not in text and not set(text) & {*LINE_ENDS, *NO_TEXT}))
def test_text_without_markup_stays_as_it_is(text: str) -> None:
    for task in (MARKDOWN, TEXT, OCR):
        assert strip_grounding(text, task) == text


def test_lines_end_with_a_newline_alone_and_control_characters_are_dropped() -> None:
    for task in (MARKDOWN, TEXT, OCR):
        assert strip_grounding("a\r\nb\rc\n\rd\u2028e\u2029f\fg\t\r", task) == "a\nb\nc\n\nd\ne\nf\ng\t\n"
        assert strip_grounding(f"{NO_TEXT}a<|/re{NO_TEXT}f|>b", task) == "ab"


def test_marks_that_others_break_in_two_are_removed_too() -> None:
    for task in (MARKDOWN, TEXT, OCR):
        assert strip_grounding("<|<|/ref|>ref|>Title", task) == "Title"
        assert strip_grounding("<|ref|<|/d<|grounding|>et|>>a < b|>", task) == "a < b|>"


@given(st.lists(st.sampled_from([*MARKS, *PARTS_OF_MARKS, "a", "1", "[", "\n", " "]), max_size=40))
def test_no_mark_is_left(parts: list[str]) -> None:
    for task in (MARKDOWN, TEXT, OCR):
        text = strip_grounding("".join(parts), task)
        assert not any(mark in text for mark in MARKS)


@given(
    st.lists(
        st.sampled_from([*MARKS, *PARTS_OF_MARKS, *LINE_ENDS, *NO_TEXT, "a", "b", "1", "[", "\n", " "]),
        max_size=40,
    )
)
def test_each_character_that_stays_is_told_its_place(parts: list[str]) -> None:
    raw = "".join(parts)
    for task in (MARKDOWN, TEXT, OCR):
        text, places = places_without_grounding(raw, task)
        assert "".join("\n" if raw[place] in LINE_ENDS else raw[place] for place in places) == text
        assert (places[1:] > places[:-1]).all()


@pytest.mark.parametrize("mark", [*MARKS, "<|ref|>a", "<|det|>[[1, 2", "<|ref|>a<|/ref|><|det|>[["])
def test_a_long_run_of_marks_takes_no_time(mark: str) -> None:
    started = time.process_time()
    strip_grounding(mark * 20_000, MARKDOWN)
    assert time.process_time() - started < 5


def test_marks_that_are_deeply_nested_take_no_time() -> None:
    started = time.process_time()
    assert strip_grounding("<|" * 20_000 + "ref|>" * 20_000, TEXT) == ""
    assert time.process_time() - started < 5


# --- blocks --------------------------------------------------------------------------------------

DOCUMENT = (
    "<|ref|>title<|/ref|><|det|>[[10, 20, 900, 60]]<|/det|>\n# Annual report\n\n"
    "<|ref|>text<|/ref|><|det|>[[10, 80, 900, 200]]<|/det|>\nWe grew by 4 < 5 percent.  \n\n"
    "<|ref|>image<|/ref|><|det|>[[0, 0, 5, 5], [6, 6, 9, 9]]<|/det|>\n"
)


def contents(raw: str, blocks: tuple[Block, ...], task: Task = MARKDOWN) -> list[tuple[str, str]]:
    text = strip_grounding(raw, task)
    return [(block.label, text[block.start : block.end]) for block in blocks]


def test_a_document_has_blocks_with_kind_place_and_text() -> None:
    blocks = parse_blocks(DOCUMENT, MARKDOWN)
    assert contents(DOCUMENT, blocks) == [
        ("title", "# Annual report"),
        ("text", "We grew by 4 < 5 percent."),
        ("image", ""),
    ]
    assert [block.boxes for block in blocks] == [
        ((10, 20, 900, 60),),
        ((10, 80, 900, 200),),
        ((0, 0, 5, 5), (6, 6, 9, 9)),
    ]


def test_recognised_words_are_blocks_without_a_kind() -> None:
    raw = "<|ref|>The quick<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\n"
    raw += "<|ref|> fox <|/ref|><|det|>[[5, 6, 7, 8]]<|/det|>\n"
    blocks = parse_blocks(raw, OCR)
    assert contents(raw, blocks, OCR) == [("", "The quick"), ("", "fox")]
    assert blocks[1].boxes == ((5, 6, 7, 8),)


@pytest.mark.parametrize(
    ("written", "boxes"),
    [
        ("[[1,2,3,4]]", ((1, 2, 3, 4),)),
        ("[1, 2, 3, 4]", ((1, 2, 3, 4),)),
        ("[[[1, 2, 3, 4]], [5, 6, 7, 8]]", ((1, 2, 3, 4), (5, 6, 7, 8))),
        ("[[900, 800, 100, 200]]", ((100, 200, 900, 800),)),
        ("[[-50, 10, 5000, 999999999]]", ((0, 10, 999, 999),)),
        ("[[1.7, 2.2, 30.9, 40]]", ((1, 2, 30, 40),)),
        ("[[5, 5, 5, 90]]", ()),
        ("[[10, 20, 30, 20]]", ()),
        ("[[1000, 1, 2000, 2]]", ()),
        ("[[1, 2, 3]]", ()),
        ("[[1, 2, 3, 4, 5]]", ()),
        ("[[1, 2, x, 4]]", ()),
        ("[[1e3, 2, 3, 4]]", ()),
        ("[[" + "9" * 5000 + ", 1, 2, 3]]", ()),
        ("", ()),
        ("__import__('os')", ()),
    ],
)
def test_boxes_are_read_as_far_as_they_make_sense(
    written: str, boxes: tuple[tuple[int, int, int, int], ...]
) -> None:
    (block,) = parse_blocks(f"<|ref|>text<|/ref|><|det|>{written}<|/det|>\nWords", MARKDOWN)
    assert block.boxes == boxes


@pytest.mark.parametrize(
    ("written", "label"),
    [("a" * 50, "a" * 40), (" page  number ", "page number"), ("x " * 30, "x " * 20)],
)
def test_the_kind_of_a_block_is_a_short_line(written: str, label: str) -> None:
    (block,) = parse_blocks(f"<|ref|>{written}<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nWords", MARKDOWN)
    assert block.label == label


def test_a_thousand_boxes_of_one_block_are_cut_to_what_can_be_shown() -> None:
    boxes = ", ".join("[1, 2, 3, 4]" for _ in range(1000))
    (block,) = parse_blocks(f"<|ref|>text<|/ref|><|det|>[{boxes}]<|/det|>", MARKDOWN)
    assert len(block.boxes) == 200


def test_a_block_that_was_told_keeps_kind_place_and_beginning_while_the_text_streams() -> None:
    told = [parse_blocks(DOCUMENT[:length], MARKDOWN) for length in range(len(DOCUMENT) + 1)]
    for now, later in itertools.pairwise(told):
        assert len(now) <= len(later)
        assert now[:-1] == later[: len(now[:-1])]
        assert [(block.label, block.boxes) for block in now] == [
            (block.label, block.boxes) for block in later[: len(now)]
        ]
        if now and now[-1].start < now[-1].end:
            assert later[len(now) - 1].start == now[-1].start


@given(st.lists(st.sampled_from([*MARKS, "[[1, 2, 30, 40]]", "[", "9", ",", "a", "\n", " "]), max_size=40))
def test_blocks_of_any_text_lie_in_the_text_and_on_the_page(parts: list[str]) -> None:
    raw = "".join(parts)
    for task in (MARKDOWN, OCR):
        length = len(strip_grounding(raw, task))
        for block in parse_blocks(raw, task):
            assert 0 <= block.start <= block.end <= length
            for left, top, right, bottom in block.boxes:
                assert 0 <= left < right <= 999
                assert 0 <= top < bottom <= 999


def test_boxes_cover_the_page_from_edge_to_edge() -> None:
    block = Block("image", ((0, 0, 999, 999), (333, 0, 666, 999)), 0, 0)
    assert block.boxes_px((300, 1000)) == ((0, 0, 300, 1000), (100, 0, 200, 1000))


def test_a_long_text_of_broken_marks_is_parsed_at_once() -> None:
    started = time.process_time()
    parse_blocks("<|ref|>a<|/ref|><|det|>[" * 20_000, MARKDOWN)
    parse_blocks("<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nWords\n" * 5_000, MARKDOWN)
    assert time.process_time() - started < 5


@given(st.lists(st.sampled_from([*MARKS, "[[1, 2, 30, 40]]", "a", "a" * 99, " ", "\n", "\r"]), max_size=30))
def test_text_that_streams_without_its_markup_only_grows_for_a_document(parts: list[str]) -> None:
    shown = [strip_grounding("".join(parts[:count]), MARKDOWN) for count in range(len(parts) + 1)]
    assert all(later.startswith(now) for now, later in itertools.pairwise(shown))
