"""The tokens of a reading are found from the shown text, and back, whatever a person corrected."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtocr_gui.ocr.text.token_places import TokenPlaces, token_spans
from tests.tasks import MARKDOWN, TEXT


def offsets_of(tokens: list[str]) -> NDArray[np.int64]:
    return np.cumsum([0, *map(len, tokens)])


def places(tokens: list[str], shown: str) -> TokenPlaces:
    return TokenPlaces("".join(tokens), offsets_of(tokens), TEXT, shown)


def said(tokens: list[str], found: NDArray[np.int64] | None) -> list[str] | None:
    return None if found is None else [tokens[index] for index in found]


WORDS = ["Dear", " Mrs", ".", " Por", "ter", ",\n", "thank", " you"]
READ = "".join(WORDS)


def test_tokens_of_one_character_all_span_it() -> None:
    # Three tokens make up the second character, and one more says nothing at the end.
    assert token_spans(np.array([0, 1, 1, 1, 2, 4, 4])).tolist() == [
        [0, 1],
        [1, 2],
        [1, 2],
        [1, 2],
        [2, 4],
        [4, 4],
    ]
    assert token_spans(np.array([0])).tolist() == []


UNCHANGED = st.characters(exclude_characters="\u2028\u2029\ufeff", exclude_categories=["Cc", "Cn", "Cs"])
"""Characters that the shown text has as the model wrote them."""


@given(st.lists(st.text(UNCHANGED, max_size=3), max_size=12), st.data())
def test_the_tokens_of_an_uncorrected_text_are_those_that_wrote_it(
    tokens: list[str], data: st.DataObject
) -> None:
    shown = "".join(tokens)
    start = data.draw(st.integers(0, len(shown)))
    end = data.draw(st.integers(start, len(shown)))
    spans = token_spans(offsets_of(tokens)).tolist()
    expected = [index for index, (begin, stop) in enumerate(spans) if max(begin, start) < min(stop, end)]
    found = places(tokens, shown).tokens_at(start, end)
    assert (found.tolist() if found is not None else []) == expected
    for index, (begin, stop) in enumerate(spans):
        assert places(tokens, shown).place_of(index) == ((begin, stop) if begin < stop else None)


def test_tokens_are_found_behind_line_ends_that_the_shown_text_writes_otherwise() -> None:
    tokens = ["a", "\r\n", "b\u2028", "\ufeff", "c"]
    found = places(tokens, "a\nb\nc")
    assert [said(tokens, found.tokens_at(at, at + 1)) for at in range(5)] == [
        [token] for token in ("a", "\r\n", "b\u2028", "b\u2028", "c")
    ]
    assert [found.place_of(index) for index in range(5)] == [(0, 1), (1, 2), (2, 4), None, (4, 5)]


def test_a_corrected_letter_stands_for_the_one_that_was_read() -> None:
    shown = READ.replace("Porter", "Parter")
    at = shown.index("a", 6)
    assert said(WORDS, places(WORDS, shown).tokens_at(at, at + 1)) == [" Por"]
    assert places(WORDS, shown).place_of(4) == (shown.index("ter"), shown.index("ter") + 3)


def test_a_word_in_place_of_another_stands_for_it() -> None:
    shown = READ.replace("thank", "Quill")
    at = shown.index("Quill")
    assert said(WORDS, places(WORDS, shown).tokens_at(at, at + 1)) == ["thank"]
    assert places(WORDS, shown).place_of(6) == (at, at + 5)


def test_a_word_in_place_of_another_stands_for_all_of_its_tokens() -> None:
    tokens = ["Dear", " Mrs", " Smi", "th", "s", " you"]
    found = places(tokens, "Dear Mrs Quill you")
    assert said(tokens, found.tokens_at(9, 14)) == [" Smi", "th", "s"]


def test_what_a_person_added_was_never_said() -> None:
    shown = READ.replace("thank", "I wish to thank")
    at = shown.index("I wish")
    assert places(WORDS, shown).tokens_at(at, at + 6) is None
    assert said(WORDS, places(WORDS, shown).tokens_at(at, len(shown))) == ["thank", " you"]


def test_several_words_typed_in_place_of_others_were_never_said() -> None:
    shown = "Dear Mrs. Porter,\nwe regret it"
    at = shown.index("we")
    assert places(WORDS, shown).tokens_at(at, len(shown)) is None


def test_what_a_person_took_out_stands_nowhere() -> None:
    found = places(WORDS, READ.replace("Mrs. ", ""))
    assert found.place_of(2) is None
    assert found.place_of(4) == (8, 11)


def test_an_empty_range_and_an_empty_text_mean_no_token() -> None:
    assert places(WORDS, READ).tokens_at(3, 3) is None
    assert places(WORDS, "").tokens_at(0, 5) is None
    assert places(WORDS, "").place_of(0) is None
    assert places([], "typed").tokens_at(0, 5) is None


def test_markup_is_never_taken_for_the_text_although_they_read_alike() -> None:
    tokens = [
        "<|ref|>",
        "title",
        "<|/ref|>",
        "<|det|>",
        "[[1, 2, 3, 4]]",
        "<|/det|>",
        "\n",
        "title",
        " 1",
        " 2",
    ]
    shown = "title 1 2"
    found = TokenPlaces("".join(tokens), offsets_of(tokens), MARKDOWN, shown)
    assert [found.place_of(index) for index in range(10)] == [None] * 7 + [(0, 5), (5, 7), (7, 9)]
    assert said(tokens, found.tokens_at(0, 5)) == ["title"]
    assert said(tokens, found.tokens_at(5, 7)) == [" 1"]


def test_markup_between_two_blocks_is_not_meant_with_them() -> None:
    tokens = ["one", "<|ref|>", "text", "<|/ref|>", "<|det|>", "[[5, 6]]", "<|/det|>", "\n", "two"]
    found = TokenPlaces("".join(tokens), offsets_of(tokens), MARKDOWN, "onetwo")
    assert said(tokens, found.tokens_at(0, 6)) == ["one", "two"]
    corrected = TokenPlaces("".join(tokens), offsets_of(tokens), MARKDOWN, "one\ntwo")
    assert said(tokens, corrected.tokens_at(0, 7)) == ["one", "two"]
