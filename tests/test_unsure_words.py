"""Words that the model was unsure of are found by the probabilities of their tokens, also in edited text."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.ocr.reading import Task
from rtocr_gui.ocr.text.unsure_words import (
    UNSURE_BELOW,
    UnsureWords,
    find_unsure_words,
    find_words,
    is_unsure,
)
from tests.tasks import MARKDOWN, TEXT

LOW, HIGH = UNSURE_BELOW - 0.1, 0.999


def unsure(*tokens: tuple[str, float], task: Task = TEXT) -> list[str]:
    """The unsure words of a text, given its tokens and their probabilities."""
    pieces, probabilities = [text for text, _ in tokens], [probability for _, probability in tokens]
    raw_text, offsets = "".join(pieces), np.cumsum([0, *map(len, pieces)])
    shown = raw_text if task is TEXT else raw_text.rpartition("<|/det|>")[2]
    places = find_unsure_words(find_words(shown), raw_text, offsets, probabilities, task)
    return [shown[start:end] for start, end in places]


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in find_words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear  Mrs. Porter,\n\t*thank* you", ["Dear", "Mrs.", "Porter,", "*thank*", "you"]),
        ("<table><tr><td>12,50</td><td>a b</td></tr></table>", ["12,50", "a", "b"]),
        ("<center>Figure 1</center> <EM>mole</EM>", ["Figure", "1", "mole"]),
        ("a < b — | ... |---| 1", ["a", "b", "1"]),
        ("mail <me@home.example> now", ["mail", "<me@home.example>", "now"]),
        ("日本語 text、テスト", ["日", "本", "語", "text、", "テ", "ス", "ト"]),
        ("한국어 문서", ["한국어", "문서"]),
        ("", []),
    ],
)
def test_words_have_a_letter_or_digit_and_are_not_in_tags(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize("sign", ["." * 200_000, "<b" * 100_000, "a<" * 100_000, "<td>" * 50_000])
def test_words_are_found_quickly_whatever_a_model_writes(sign: str) -> None:
    started = time.process_time()
    find_words(sign)
    assert time.process_time() - started < 5  # a quadratic search takes minutes


def test_a_word_is_as_sure_as_all_its_tokens_together() -> None:
    each = math.sqrt(UNSURE_BELOW)
    surer, less_sure = ("t", each + 0.01), ("t", each - 0.01)
    assert unsure(surer, surer, (" ", LOW), less_sure, less_sure) == ["tt"]
    assert unsure(surer, less_sure, less_sure) == ["ttt"]
    assert unsure(less_sure, less_sure, (" ", LOW), surer, surer) == ["tt"]


def test_the_blank_before_a_word_belongs_to_its_token_but_not_to_the_word_before() -> None:
    assert unsure(("Dear", HIGH), (" Mrs", LOW), (".\n\n", HIGH), ("\nPorter", HIGH)) == ["Mrs."]
    assert unsure(("Dear", HIGH), (" ", LOW), ("Mrs", HIGH)) == []


def test_bytes_of_one_character_count_together() -> None:
    raw_text, offsets = "dé x", np.array([0, 1, 1, 2, 3, 4])  # the two bytes of é both begin at it
    probabilities = [HIGH, HIGH, LOW, HIGH, HIGH]
    assert find_unsure_words(find_words(raw_text), raw_text, offsets, probabilities, TEXT) == ((0, 2),)


def test_markup_does_not_count_and_places_are_those_in_the_text_without_it() -> None:
    mark = ("<|ref|>text<|/ref|><|det|>[[1, 2, 30, 40]]<|/det|>", LOW)
    assert unsure(mark, ("Dear", HIGH), (" Mrs", LOW), task=MARKDOWN) == ["Mrs"]


def test_of_scripts_without_blanks_each_character_counts_but_runs_are_one_place() -> None:
    assert unsure(("日", LOW), ("本", LOW), ("語", HIGH), ("。x", LOW)) == ["日", "本", "。x"]
    assert UnsureWords([(0, 1), (1, 2), (3, 5)], "日本語。x", "「日本語。x").words == ((1, 3), (4, 6))


def test_a_token_that_is_impossible_or_says_nothing_does_no_harm() -> None:
    assert unsure(("", LOW), ("Dear", 0.0), (" Mrs", HIGH), ("", LOW)) == ["Dear"]
    assert unsure() == []


TOKENS = st.lists(st.tuples(st.text("ab,. \n", min_size=1, max_size=3), st.floats(0, 1)), max_size=20)


@given(TOKENS)
def test_words_are_unsure_by_the_product_over_tokens_that_first_write_in_them(
    tokens: list[tuple[str, float]],
) -> None:
    text, begin = "".join(piece for piece, _ in tokens), 0
    product = dict.fromkeys(find_words(text), 1.0)
    for piece, probability in tokens:
        first = begin + len(piece) - len(piece.lstrip())
        for start, end in product:
            if start <= first < end and piece.strip():
                product[start, end] *= probability
        begin += len(piece)
    clear = {word for word in product if abs(product[word] - UNSURE_BELOW) > 1e-9}
    pieces = [piece for piece, _ in tokens]
    offsets, probabilities = np.cumsum([0, *map(len, pieces)]), [probability for _, probability in tokens]
    found = find_unsure_words(product, text, offsets, probabilities, TEXT)
    assert clear & set(found) == {word for word in clear if product[word] < UNSURE_BELOW}


@pytest.mark.parametrize(
    ("unsure_count", "words", "expected"),
    [(0, 0, False), (9, 9, False), (3, 10, True), (24, 100, False), (25, 100, True), (100, 100, True)],
)
def test_a_text_is_to_be_checked_if_a_quarter_of_its_words_are_unsure_unless_they_are_few(
    unsure_count: int, words: int, *, expected: bool
) -> None:
    assert is_unsure(unsure_count, words) is expected


# --- in a corrected text ---------------------------------------------------------------------------

READ = "Deer Mrs Porter,\nthank yov for\nyour letter."
UNSURE = tuple((READ.index(word), READ.index(word) + len(word)) for word in ("Deer", "yov", "letter."))


def left(shown: str) -> list[str]:
    return [shown[start:end] for start, end in UnsureWords(UNSURE, READ, shown).words]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (READ, ["Deer", "yov", "letter."]),
        (READ.replace("Deer", "Dear"), ["yov", "letter."]),
        (READ.replace("yov", "you").replace("\n", " "), ["Deer", "letter."]),
        (READ.replace("thank yov for\n", ""), ["Deer", "letter."]),
        ("New words before.\n\n" + READ, ["Deer", "yov", "letter."]),
        (READ.replace("letter.", "letters."), ["Deer", "yov"]),
        (READ.replace("letter.", "letter.”"), ["Deer", "yov"]),
        (READ.replace("yov", "yovr").replace("Deer", "(Deer"), ["letter."]),
        ("", []),
        ("Quite another text", []),
    ],
)
def test_a_word_stays_unsure_until_it_is_changed(shown: str, expected: list[str]) -> None:
    assert left(shown) == expected


def test_of_a_word_that_is_typed_once_more_only_the_one_that_was_read_stays_unsure() -> None:
    assert UnsureWords([(5, 6)], "Page 1", "Page 1 of 1").words == ((5, 6),)


@given(st.text("Deryov letMs,.\n", max_size=60))
def test_what_is_left_was_unsure_and_comes_in_order(shown: str) -> None:
    found = UnsureWords(UNSURE, READ, shown).words
    assert set(left(shown)) <= {"Deer", "yov", "letter."}
    assert list(found) == sorted(set(found))
