"""What comparing two texts promises: nothing is lost, changed words stay together, no text breaks it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.ocr.text.comparison import (
    EXCERPT_LENGTH,
    Change,
    TextComparison,
    character_error_rate,
    compare_texts,
    similarity,
)

HOSTILE = "\0\n\r\t \u00a0\u0301\u0323\u200d\u202e\u05d0\u0627\u3002\u4e2d\ufffd\U0001f44d\U0001f3fdab."
texts = st.text(st.sampled_from("ab \n") | st.sampled_from(HOSTILE) | st.characters(), max_size=60)


@st.composite
def readings(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts that share most of their words."""
    words = draw(
        st.lists(st.sampled_from(["Total", "12.50", "the", "quick", "fox", "\n", "café"]), max_size=30)
    )
    changed = list(words)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(changed)))
        changed[at : at + draw(st.integers(0, 3))] = draw(st.lists(texts, max_size=2))
    return " ".join(words), " ".join(changed)


pairs = st.tuples(texts, texts) | readings()


def told(comparison: TextComparison) -> list[tuple[str, str]]:
    return [
        (difference.left.of(comparison.left), difference.right.of(comparison.right))
        for difference in comparison.differences
    ]


def changed_characters(comparison: TextComparison) -> list[tuple[str, str]]:
    return [
        (segment.left.of(comparison.left), segment.right.of(comparison.right))
        for segment in comparison.segments
        if segment.change is not Change.EQUAL
    ]


@given(pairs)
def test_segments_cover_both_texts_in_order_and_equal_ones_are_equal(pair: tuple[str, str]) -> None:
    comparison = compare_texts(*pair)
    left_end = right_end = 0
    for segment in comparison.segments:
        assert (segment.left.start, segment.right.start) == (left_end, right_end)
        left_end, right_end = segment.left.end, segment.right.end
        left, right = segment.left.of(pair[0]), segment.right.of(pair[1])
        assert {
            Change.EQUAL: bool(left) and left == right,
            Change.REPLACED: bool(left) and bool(right) and left != right,
            Change.DELETED: bool(left) and not right,
            Change.INSERTED: bool(right) and not left,
        }[segment.change]
    assert (left_end, right_end) == (len(pair[0]), len(pair[1]))
    kinds = [segment.change is Change.EQUAL for segment in comparison.segments]
    assert all(kind != following for kind, following in pairwise(kinds))


@given(pairs)
def test_applying_the_differences_to_the_left_text_gives_the_right_one(pair: tuple[str, str]) -> None:
    comparison = compare_texts(*pair)
    text = pair[0]
    for difference in reversed(comparison.differences):
        replacement = difference.right.of(pair[1])
        text = text[: difference.left.start] + replacement + text[difference.left.end :]
    assert text == pair[1]


@given(pairs)
def test_every_changed_character_lies_in_a_difference(pair: tuple[str, str]) -> None:
    comparison = compare_texts(*pair)
    for segment in comparison.segments:
        within = [
            difference
            for difference in comparison.differences
            if difference.left.start <= segment.left.start <= segment.left.end <= difference.left.end
            and difference.right.start <= segment.right.start <= segment.right.end <= difference.right.end
        ]
        assert segment.change is Change.EQUAL or len(within) == 1


@given(pairs)
def test_the_figure_is_the_similarity_of_the_texts(pair: tuple[str, str]) -> None:
    assert compare_texts(*pair).similarity == pytest.approx(similarity(*pair))


@given(pairs, st.integers(0, 99))
def test_a_place_of_equal_text_is_found_beside_and_back(pair: tuple[str, str], at: int) -> None:
    comparison = compare_texts(*pair)
    position = min(at, len(pair[0]))
    beside = comparison.place_on_the_right(position)
    assert 0 <= beside <= len(pair[1])
    if any(
        segment.change is Change.EQUAL and segment.left.start <= position < segment.left.end
        for segment in comparison.segments
    ):
        assert pair[1][beside] == pair[0][position]
        assert comparison.place_on_the_left(beside) == position


def test_a_misread_word_is_one_difference_marked_where_its_characters_differ() -> None:
    comparison = compare_texts("The quick brown fox", "The qulck brown fix")
    assert told(comparison) == [("quick", "qulck"), ("fox", "fix")]
    assert changed_characters(comparison) == [("i", "l"), ("o", "i")]


def test_words_that_have_nothing_in_common_are_one_run() -> None:
    comparison = compare_texts("sum: one two three\nend", "sum: zap bilk grog\nend")
    assert told(comparison) == [("one two three", "zap bilk grog")] == changed_characters(comparison)


def test_runs_end_with_their_line() -> None:
    assert told(compare_texts("one two\nfour six", "zap bilk\nlynch\tjab")) == [
        ("one two", "zap bilk"),
        ("four six", "lynch\tjab"),
    ]


def test_a_line_that_was_left_out_is_one_deletion() -> None:
    (difference,) = compare_texts("Apples 3\nPears 4 EUR\nPlums 5", "Apples 3\nPlums 5").differences
    assert difference.change is Change.DELETED
    assert difference.left_excerpt in ("Pears 4 EUR↵", "↵Pears 4 EUR")


def test_a_line_break_is_no_misread_word() -> None:
    comparison = compare_texts("Total 12.50\nPaid in cash", "Total 12.50 EUR\nin cash")
    assert told(comparison) == [("", " EUR"), ("Paid ", "")]


def test_a_word_that_goes_on_is_marked_where_it_goes_on() -> None:
    assert changed_characters(compare_texts("Total", "Total: 12.50 EUR")) == [("", ": 12.50 EUR")]


def test_an_accent_belongs_to_its_letter() -> None:
    assert changed_characters(compare_texts("cafe\u0301s", "cafes")) == [("e\u0301", "e")]


def test_a_clause_is_the_word_of_a_text_without_spaces() -> None:
    assert told(compare_texts("今日は晴れ。明日は雨。", "今日は晴れ。明日は雪。")) == [
        ("明日は雨", "明日は雪")
    ]


def test_a_changed_cell_of_a_table_is_one_difference() -> None:
    cells = "<table><tr><td>Item</td><td>12</td></tr><tr><td>a < b</td><td>5</td></tr></table>"
    assert told(compare_texts(cells, cells.replace("12", "13").replace("5", "60"))) == [
        ("12", "13"),
        ("5", "60"),
    ]


def test_excerpts_are_one_short_line_and_show_what_is_blank() -> None:
    excerpts = [
        compare_texts("", text).differences[0].right_excerpt
        for text in ("\n", "  ", "a\tb\0\u202e", "x" * 41, "x" * 40)
    ]
    assert excerpts == ["↵", "␣␣", "a⇥b\ufffd\ufffd", "x" * 39 + "…", "x" * 40]
    assert len(excerpts[3]) == EXCERPT_LENGTH


def test_excerpts_show_a_change_that_is_far_from_the_beginning() -> None:
    clause = "今日は" * 20
    (difference,) = compare_texts(f"{clause}晴れ。", f"{clause}雨。").differences
    assert (difference.left_excerpt, difference.right_excerpt) == (
        "…今日は今日は今日は晴れ",
        "…今日は今日は今日は雨",
    )


def test_two_equal_texts_have_no_difference() -> None:
    for text in ("", "\n", "the same"):
        comparison = compare_texts(text, text)
        assert (comparison.differences, comparison.similarity) == ((), 1.0)


def test_one_change_in_a_million_characters_without_a_space_is_found() -> None:
    text = "abcde" * 200_000
    comparison = compare_texts(text, text[:400_003] + "!" + text[400_003:])
    assert changed_characters(comparison) == [("", "!")]
    assert comparison.similarity > 0.999


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("abcde" * 200_000, "edcba" * 200_000),
        ("\n" * 1_000_000, "a\n" * 500_000),
        ("a b" * 300_000, "b c" * 300_000),
    ],
)
def test_a_million_characters_with_little_in_common_are_still_told_whole(left: str, right: str) -> None:
    comparison = compare_texts(left, right)
    assert "".join(segment.right.of(right) for segment in comparison.segments) == right
    assert comparison.segments[-1].left.end == len(left)
    assert 0 <= comparison.similarity < 1


def test_the_error_rate_is_measured_against_the_truth() -> None:
    assert character_error_rate("12.5", "12.50") == pytest.approx(0.2)
    assert character_error_rate("", "") == 0
    assert character_error_rate("x", "") == 1
    assert character_error_rate("\ncafe\u0301 \r\n au  lait\n", "caf\u00e9\nau lait") == 0
