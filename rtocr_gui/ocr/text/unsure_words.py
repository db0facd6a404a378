"""Finds the words of a text that the model was unsure of, and where they are once it was corrected.

The probability of a word is the product of those of its tokens: the share that the model gives to this word,
of all that it might have written there. It does not depend on how many tokens the vocabulary has for a word.
Knows probabilities and characters, no model and no page; imports rapidfuzz when it compares texts.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.documents.printed_text import TAG
from rtocr_gui.ocr.reading import Task
from rtocr_gui.ocr.text.markup import places_without_grounding
from rtocr_gui.ocr.text.shown_places import NOWHERE, origins

UNSURE_BELOW = 0.7
"""Probability below which a word is unsure. Of the miniature's wrong words, most are below it, and of those
below it, most are wrong (`packaging/decisions/11-unsure-words.md`)."""

_UNSURE_SHARE, _FEWEST_WORDS = 0.25, 10
"""A text is to be checked if this share of its words is unsure, and it has at least so many words."""

_BROAD = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORDS = re.compile(rf"{TAG}|([{_BROAD}]|(?:(?!{TAG})[^\s{_BROAD}])+)")
"""Tags, and as a group, words; of scripts without blanks, each character."""


def find_words(text: str) -> tuple[tuple[int, int], ...]:
    """Return the start and end (exclusive) of each word with a letter or digit, except those in tags."""
    return tuple(
        found.span() for found in _WORDS.finditer(text) if found[1] and any(map(str.isalnum, found[1]))
    )


def find_right_words(text: str, truth: str) -> set[tuple[int, int]]:
    """Return start and end (exclusive) of the words of a text that are those of the true one, in order."""
    from rapidfuzz.distance import Indel

    places = find_words(text)
    read, true = ([one[start:end] for start, end in find_words(one)] for one in (text, truth))
    blocks = Indel.opcodes(read, true).as_matching_blocks()
    return {places[at] for block in blocks for at in range(block.a, block.a + block.size)}


def find_unsure_words(
    words: Iterable[tuple[int, int]],
    raw_text: str,
    offsets: NDArray[np.int64],
    probabilities: Sequence[float],
    task: Task,
) -> tuple[tuple[int, int], ...]:
    """Find the words with a probability below `UNSURE_BELOW`.

    Args:
        words: all words of the text without markup, as `find_words` finds them.
        raw_text: what the model generated.
        offsets: (T + 1,) where each token begins in it, followed by its length.
        probabilities: (T,) of the tokens, in 0..1.
        task: what it was asked for, which determines the markup.

    Returns:
        Those of them that are unsure, in the same order.
    """
    _, places = places_without_grounding(raw_text, task)
    begins, ends = offsets[:-1], offsets[1:]
    printed = [place for place, character in enumerate(raw_text) if not character.isspace()]
    # A token of a vocabulary of words begins with the blank before its word.
    next_printed = np.array([*printed, len(raw_text)])[np.searchsorted(printed, begins)]
    counted_at = np.where(next_printed < ends, next_printed, begins)
    log_p = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), np.finfo(np.float64).tiny))
    by_character = np.bincount(counted_at, weights=log_p, minlength=len(raw_text) + 1)
    up_to = np.concatenate([[0.0], np.cumsum(by_character[places])])
    return tuple((start, end) for start, end in words if up_to[end] - up_to[start] < np.log(UNSURE_BELOW))


def is_unsure(unsure: int, words: int) -> bool:
    """True if so many of the words of a text are unsure that it is to be checked as a whole."""
    return words >= _FEWEST_WORDS and unsure >= _UNSURE_SHARE * words


class UnsureWords:
    """The unsure words of a reading in its shown text; a word that a person changed is no longer one.

    Args:
        words: start and end (exclusive) of each in `read`, ascending.
        read: the text as it was read, without markup.
        shown: the text as it stands now.

    Attributes:
        shown: as given.
        words: start and end (exclusive) of each in `shown`, ascending; neighbours without a blank between
            them are one.
    """

    def __init__(self, words: Sequence[tuple[int, int]], read: str, shown: str) -> None:
        self.shown = shown
        first, last = origins(read, shown)
        is_same = (first == last) & (first != NOWHERE)
        now_at = np.full(len(read), NOWHERE)
        now_at[first[is_same]] = np.flatnonzero(is_same)
        whole = set(find_words(shown))
        found: list[tuple[int, int]] = []
        for start, end in words:
            begin = int(now_at[start])
            now = begin, begin + end - start
            if now not in whole or shown[slice(*now)] != read[start:end]:
                continue
            joins = bool(found) and found[-1][1] == begin
            found.append((found.pop()[0], now[1]) if joins else now)
        self.words = tuple(found)
