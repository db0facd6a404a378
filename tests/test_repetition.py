"""Endless repetition is recognised in time, and what repeats itself by right is left alone."""

import itertools
import re
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.ocr.decoder.decoding import GreedyGeneration
from rtocr_gui.ocr.decoder.greedy import GenerationRules
from rtocr_gui.ocr.decoder.repetition import (
    BYTES_PER_TOKEN,
    LONGEST_PERIOD,
    NGRAM_SIZE,
    NGRAM_WINDOW,
    find_loop,
    find_tabs,
)
from rtocr_gui.ocr.reading import StopReason
from tests.scripted_decoder import ScriptedDecoder, run_to_end

END, FALLBACK = 1, 999
TD, END_TD, TR, END_TR = 2, 3, 4, 5
TABLE = frozenset({TD, END_TD})
TAB, FOUR_TABS = 9, 990
TABS = {TAB: 1, FOUR_TABS: 4}


def generate(wanted: Sequence[int], allowed_ids: frozenset[int] = TABLE, scale: int = 1) -> GreedyGeneration:
    """Let a decoder say a text under the default rules; after its end it would begin anew."""
    ngram, window = NGRAM_SIZE * scale, NGRAM_WINDOW * scale
    rules = GenerationRules(END, 8192, 20_000, ngram, window, allowed_ids, scale, TABS)
    return run_to_end(ScriptedDecoder(wanted), rules)


def words(text: str) -> list[int]:
    """A text as a tokenizer with whole words might see it; table tags are tokens of their own."""
    tags = {"<td>": TD, "</td>": END_TD, "<tr>": TR, "</tr>": END_TR}
    numbers = itertools.count(10)
    known: dict[str, int] = {}
    pieces = re.findall(r"</?t[dr]>|[A-Za-z]+|\d{1,3}|\.{1,16}|\s+|.", text)
    return [tags.get(piece) or known.setdefault(piece, next(numbers)) for piece in pieces]


def characters(text: str) -> list[int]:
    """A text as the miniature sees it."""
    return [*text.encode()]


# --- loops ---------------------------------------------------------------------------------------

GOOD = [*range(100, 160)]


def counting() -> Iterator[int]:
    for number in itertools.count():
        yield from (20, 21, 300 + number % 500, 22, 23, 24)


def drifting_boxes() -> Iterator[int]:
    """The same block again and again, a little farther down the page each time."""
    for number in itertools.count():
        yield from (
            30,
            31,
            32,
            33,
            34,
            35,
            36,
            37,
            38,
            39,
            40,
            41,
            42,
            43,
            44,
            45,
            46,
            400 + number % 400,
            47,
            48,
        )


def half_wrong() -> Iterator[int]:
    """A sentence of forty tokens in which one differs each time."""
    for number in itertools.count():
        yield from ((500 + number % 400 if place == number % 40 else 50 + place) for place in range(40))


LOOPS: dict[str, Iterator[int]] = {
    "one token": itertools.repeat(7),
    "two tokens": itertools.cycle([7, 8]),
    "a phrase": itertools.cycle(range(10, 25)),
    "a sentence": itertools.cycle(range(10, 71)),
    "a paragraph": itertools.cycle(range(10, 10 + LONGEST_PERIOD)),
    "a table row": itertools.cycle([TR, TD, 50, END_TD, TD, 51, END_TD, TD, 52, END_TD, END_TR]),
    "empty cells": itertools.cycle([TD, END_TD]),
    "rows that are counted": counting(),
    "blocks that drift": drifting_boxes(),
    "a sentence with changes": half_wrong(),
}


@pytest.mark.parametrize("kind", LOOPS)
def test_a_loop_ends_the_text_and_the_good_part_stays(kind: str) -> None:
    generation = generate([*GOOD, *itertools.islice(LOOPS[kind], 8000)])
    assert generation.stop_reason is StopReason.LOOP
    assert len(generation.token_ids) < 5000
    assert generation.loop_start is not None
    assert len(GOOD) <= generation.loop_start < len(GOOD) + 400
    assert generation.token_ids[: len(GOOD)] == GOOD


@pytest.mark.parametrize("period", [2, 3, 7, 15, 25, 30, 40, 41, 52, 60, 61, 62, 70])
def test_a_loop_that_the_ban_keeps_changing_ends_all_the_same(period: int) -> None:
    generation = generate([*GOOD, *[*range(2, 2 + period)] * 100], allowed_ids=frozenset())
    assert generation.stop_reason is StopReason.LOOP
    assert len(generation.token_ids) < len(GOOD) + 800


@pytest.mark.parametrize("period", [7, 25, 40, 41, 52, 61])
def test_what_the_ban_changed_tells_early_where_such_a_loop_began(period: int) -> None:
    generation = generate([*GOOD, *[*range(2, 2 + period)] * 100], allowed_ids=frozenset())
    assert len(generation.token_ids) < len(GOOD) + 400
    assert generation.loop_start == len(GOOD) + period


@pytest.mark.parametrize("scale", [1, BYTES_PER_TOKEN])
@pytest.mark.parametrize("tab", TABS)
def test_a_run_of_tabs_ends_the_text_where_it_began(tab: int, scale: int) -> None:
    run = [tab] * (60 // TABS[tab])
    generation = generate([*GOOD, TAB, TAB, 20, *run, 21, *run, END], frozenset({tab}), scale)
    assert generation.stop_reason is StopReason.LOOP
    assert generation.loop_start == len(GOOD) + 3
    assert generation.token_ids == [*GOOD, TAB, TAB, 20, *run]


def test_tabs_of_any_length_add_up() -> None:
    assert find_tabs([20, *[FOUR_TABS, TAB] * 12], TABS) == 1
    assert find_tabs([20, *[FOUR_TABS, TAB] * 11, FOUR_TABS], TABS) is None


def test_a_loop_is_looked_for_every_few_tokens() -> None:
    generation = run_to_end(ScriptedDecoder([*GOOD, *[7] * 1000]), GenerationRules(END, 8192, 20_000))
    assert generation.loop_start == len(GOOD) + 1
    assert len(generation.token_ids) <= len(GOOD) + 150 + 32


@given(st.integers(1, 160), st.integers(0, 100), st.integers(0, 2**32 - 1))
def test_an_exact_loop_is_three_periods_and_150_tokens(period: int, before: int, seed: int) -> None:
    passage = np.random.default_rng(seed).permutation(10_000)[:period]
    needed = max(3 * period, 150)
    looping = np.concatenate([10_000 + np.arange(before), np.resize(passage, needed)]).tolist()
    assert find_loop(looping) == before + period
    assert find_loop(looping[:-1]) is None


def test_a_text_that_just_left_a_loop_is_no_loop() -> None:
    assert find_loop([*range(50)] * 4)
    assert find_loop([*[*range(50)] * 4, 51]) is None


def test_a_period_above_the_longest_is_no_loop() -> None:
    assert find_loop([*range(LONGEST_PERIOD + 1)] * 4) is None


# --- no loops ------------------------------------------------------------------------------------

TITLES = """
Introduction; A short history of the harbour; Tides and currents; Lights, buoys and beacons; Pilots; Rules of
the road; Signals by day and night; Weather; Charts and how to correct them; Anchors and cables; Ropes; Knots
and splices; Sails and their care; Engines; Fuel; Fire on board; Man overboard; First aid; Provisions; Duties
of the watch; Compass and deviation; Fixing the position; Dead reckoning; Radio; Flags; Fog; Ice; Rivers and
locks; Customs and papers; Insurance; Laying up; Painting; Index of places
"""


def contents_page() -> str:
    lines = [f"{number}. {' '.join(title.split())}" for number, title in enumerate(TITLES.split(";"), 1)]
    return "\n".join(f"{line} {'.' * (64 - len(line))} {7 * place + 3}" for place, line in enumerate(lines))


def long_table() -> str:
    generator = np.random.default_rng(5)
    cells = [[str(generator.integers(0, 500)) for _ in range(5)] for _ in range(120)]
    return "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in cells)


def sparse_table() -> str:
    rows = [f"<tr><td>{number % 7}</td>" + "<td></td>" * 5 + "</tr>" for number in range(60)]
    return "".join(rows)


def code() -> str:
    functions = [
        f"def get_{name}(self) -> int:\n    if self._{name} is None:\n        raise ValueError('{name}')\n"
        f"    return self._{name}\n\n"
        for name in ("width", "height", "depth", "weight", "colour", "label", "owner", "price", "amount")
    ]
    return "#" * 79 + "\n" + "".join(functions) + "}\n" * 20


@pytest.mark.parametrize(
    "text",
    [contents_page(), long_table(), sparse_table(), code()],
    ids=["contents", "table", "sparse", "code"],
)
def test_what_repeats_itself_by_right_is_no_loop(text: str) -> None:
    tokens = words(text)
    assert all(find_loop(tokens[:end], (), TABLE) is None for end in range(0, len(tokens), 16))


def test_lines_of_tabs_dots_dashes_and_underscores_are_no_loop() -> None:
    text = characters("".join(f"{name}{sign * 59}" for name, sign in zip("abcd", "\t.-_", strict=True)))
    assert generate([*text, *characters("." * 100), END], scale=BYTES_PER_TOKEN).stop_reason is StopReason.END


PRICES = "Coffee, large, with milk    2.50\nTea, with lemon or milk     2.00\n" * 3
ADDRESS = "Department of Public Works\n14 Harbour Street, Newport\n" * 2


@pytest.mark.parametrize(
    "text",
    [contents_page(), code(), PRICES, ADDRESS, "Room 12 is closed.\n" * 6],
    ids=["contents", "code", "prices", "address", "rooms"],
)
def test_nor_is_it_letter_by_letter_under_the_ban(text: str) -> None:
    tokens = characters(text)
    generation = generate([*tokens, END], scale=BYTES_PER_TOKEN)
    assert generation.stop_reason is StopReason.END
    assert len(generation.token_ids) == len(tokens)


def test_a_form_of_equal_rows_is_read_to_its_end_letter_by_letter() -> None:
    rows = characters("Yes No Yes No Yes No Yes\n" * 16 + "Thank you for your answers.")
    assert generate([*rows, END], scale=BYTES_PER_TOKEN).stop_reason is StopReason.END
    assert all(find_loop(rows[:end], (), TABLE, BYTES_PER_TOKEN) is None for end in range(0, len(rows), 16))


@pytest.mark.parametrize("passage", ["-", "and so on, ", "The same sentence, again and again. " * 4])
def test_a_loop_letter_by_letter_ends_the_text(passage: str) -> None:
    good = characters("Something else comes before. ")
    generation = generate([*good, *characters(passage) * 2000], scale=BYTES_PER_TOKEN)
    assert generation.stop_reason is StopReason.LOOP
    assert len(generation.token_ids) < 4000
    assert generation.loop_start is not None
    assert generation.loop_start < len(good) + 3 * max(len(passage), 30 * BYTES_PER_TOKEN)


def test_empty_cells_are_as_many_in_any_vocabulary() -> None:
    cells = [TD, END_TD] * 2000
    assert [len(generate(cells, scale=scale).token_ids) for scale in (1, BYTES_PER_TOKEN)] == [1024, 1024]


def test_a_row_that_is_a_table_for_the_most_part_may_be_repeated_like_a_whole_one() -> None:
    row = [*[TD, 50, 51, END_TD] * 5, 7]
    assert find_loop(row * 12, (), TABLE) is None
    assert find_loop(row * 12) is not None


def test_rows_that_are_counted_may_go_on_for_a_long_page() -> None:
    rows = [token for row in range(400) for token in (1, 2, 1000 + row, 3, 1, 2, 3)]
    assert find_loop(rows) is None


def test_changes_by_the_ban_in_a_text_that_is_new_are_no_loop() -> None:
    text = [*range(1000, 1300)]
    assert find_loop(text, [*range(20, 300, 30)]) is None
