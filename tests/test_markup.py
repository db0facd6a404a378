"""Markup for programs is taken out of the text for people, whatever state it is in."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.ocr.markup import places_without_grounding, strip_grounding
from rtocr_gui.ocr.reading import TASKS

MARKDOWN, TEXT, OCR = (
    next(task for task in TASKS if task.name == name) for name in ("markdown", "text", "ocr")
)
MARKS = ["<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "<|grounding|>"]


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
    assert strip_grounding("a<|ref|>b\nc<|det|>d", MARKDOWN) == "ab\ncd"


@given(st.text().filter(lambda text: "<|" not in text))
def test_text_without_markup_stays_as_it_is(text: str) -> None:
    for task in (MARKDOWN, TEXT, OCR):
        assert strip_grounding(text, task) == text


@given(st.lists(st.sampled_from([*MARKS, "a", "1", "[", "\n", " "]), max_size=40))
def test_no_mark_is_left(parts: list[str]) -> None:
    for task in (MARKDOWN, TEXT, OCR):
        text = strip_grounding("".join(parts), task)
        assert not any(mark in text for mark in MARKS)


@given(st.lists(st.sampled_from([*MARKS, "a", "b", "1", "[", "\n", " "]), max_size=40))
def test_each_character_that_stays_is_told_its_place(parts: list[str]) -> None:
    raw = "".join(parts)
    for task in (MARKDOWN, TEXT, OCR):
        text, places = places_without_grounding(raw, task)
        assert "".join(raw[place] for place in places) == text
        assert (places[1:] > places[:-1]).all()


@pytest.mark.parametrize("mark", [*MARKS, "<|ref|>a", "<|det|>[[1, 2", "<|ref|>a<|/ref|><|det|>[["])
def test_a_long_run_of_marks_takes_no_time(mark: str) -> None:
    started = time.perf_counter()
    strip_grounding(mark * 20_000, MARKDOWN)
    assert time.perf_counter() - started < 5
