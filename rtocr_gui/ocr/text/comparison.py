"""How two texts differ: similarity, error rates, and the places where they part.

Texts are aligned word by word first, so that a changed word stays one change, and then character by
character inside the words that changed. Edit distances and alignments are rapidfuzz's, over Unicode
characters. Knows no model and no window; loads rapidfuzz when it is first needed.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate
from typing import NamedTuple, Self

EXCERPT_LENGTH = 40
"""Characters of a difference that a list shows."""

_WORDS = re.compile(r"\n|[^\S\n]+|[^\s、。，；：？！]+|[、。，；：？！]")
"""Words, what stands between them, and single line breaks. Chinese and Japanese are cut into clauses."""

_LINES = re.compile(r"[^\n]*\n|[^\n]+")

_MOST_PAIRS = 4 * 10**8
"""Pairs of words, or of characters, that one alignment may weigh up; 0.1 s on a laptop."""

_MOST_PAIRS_MEASURED = 3 * 10**9
"""Pairs of characters that measuring an edit distance may weigh up."""

_ALIKE = 0.5
"""Words at least so similar are one word that was misread, and are compared inside."""


def similarity(text: str, other: str) -> float:
    """1 minus the edit distance over the length of the longer text, in 0..1; two empty texts are alike."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_similarity(text, other)


def character_error_rate(text: str, truth: str) -> float:
    """Edit distance over the length of the truth; may exceed 1. Of an empty truth: 0 or 1."""
    from rapidfuzz.distance import Levenshtein

    if not truth:
        return float(bool(text))
    return Levenshtein.distance(text, truth) / len(truth)


class Change(Enum):
    """What happens to a stretch of the left text on the way to the right one."""

    EQUAL = "equal"
    REPLACED = "replaced"
    DELETED = "deleted"
    INSERTED = "inserted"


class Span(NamedTuple):
    """A range of characters, the end left out. An empty one is a place between two characters."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many characters it holds."""
        return self.end - self.start

    def of(self, text: str) -> str:
        """What stands there."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of both texts that is equal, or changed from its first to its last character."""

    left: Span
    right: Span
    change: Change

    @classmethod
    def between(cls, start: tuple[int, int], end: tuple[int, int], *, equal: bool) -> Self:
        """The stretch from one pair of places to another; which side is empty says how it changed."""
        left, right = Span(start[0], end[0]), Span(start[1], end[1])
        if equal:
            change = Change.EQUAL
        elif start[0] == end[0]:
            change = Change.INSERTED
        else:
            change = Change.DELETED if start[1] == end[1] else Change.REPLACED
        return cls(left, right, change)


@dataclass(frozen=True, slots=True)
class Difference:
    """One change as a person counts them: a word, or a run of words or lines.

    Attributes:
        left: what it takes up in the left text.
        right: what it takes up in the right text.
        change: whether it was replaced, deleted or inserted.
        left_excerpt: its beginning in the left text, to show in a list; blanks are made visible.
        right_excerpt: the same of the right text.
    """

    left: Span
    right: Span
    change: Change
    left_excerpt: str
    right_excerpt: str


@dataclass(frozen=True, slots=True)
class TextComparison:
    """Where two texts are the same and where they differ.

    Attributes:
        left: one text.
        right: the other.
        segments: both texts from beginning to end, equal and changed stretches in turn, to the character.
        differences: the changes, in order; each covers one or more changed segments and whole words.
        similarity: of the whole texts, as `similarity` gives it. Where very long texts have almost
            nothing in common it is a lower bound.
    """

    left: str = field(repr=False)
    right: str = field(repr=False)
    segments: tuple[Segment, ...] = field(repr=False)
    differences: tuple[Difference, ...] = field(repr=False)
    similarity: float

    def place_on_the_right(self, position: int) -> int:
        """The place in the right text that stands beside a place in the left one."""
        index = bisect_right(self.segments, position, key=lambda segment: segment.left.start) - 1
        segment = self.segments[max(index, 0)] if self.segments else None
        return _place_beside(position, segment.left, segment.right) if segment else 0

    def place_on_the_left(self, position: int) -> int:
        """The place in the left text that stands beside a place in the right one."""
        index = bisect_right(self.segments, position, key=lambda segment: segment.right.start) - 1
        segment = self.segments[max(index, 0)] if self.segments else None
        return _place_beside(position, segment.right, segment.left) if segment else 0


def compare_texts(left: str, right: str) -> TextComparison:
    """Align two texts.

    Args:
        left: any text.
        right: any text.

    Returns:
        The alignment. Stretches too long to be aligned in time (tens of thousands of words or
        characters without one in common) are one change as a whole.
    """
    segments: list[Segment] = []
    differences: list[Difference] = []
    for block, alike in _joined(left, _align_words(left, right), right):
        if block.change is Change.EQUAL:
            segments.append(block)
            continue
        differences.append(
            Difference(
                block.left,
                block.right,
                block.change,
                _excerpt(block.left.of(left)),
                _excerpt(block.right.of(right)),
            )
        )
        segments += _align_characters(left, block, right) if alike else [block]
    merged = tuple(_merge_equal(segments))
    return TextComparison(left, right, merged, tuple(differences), _measured_similarity(left, merged, right))


def _align_words(left: str, right: str) -> list[Segment]:
    """Align by words; by lines where there are too many words, and not at all beyond that."""
    for pattern in (_WORDS, _LINES):
        left_units, right_units = pattern.findall(left), pattern.findall(right)
        if _pairs(left_units, right_units) <= _MOST_PAIRS:
            return _align(left_units, right_units)
    start, end = _in_common(left, right)
    corners = (0, 0), (start, start), (len(left) - end, len(right) - end), (len(left), len(right))
    stretches = zip(corners, corners[1:], (True, False, True), strict=False)
    return [Segment.between(a, b, equal=equal) for a, b, equal in stretches if a != b]


def _align_characters(left: str, block: Segment, right: str) -> list[Segment]:
    """Align the inside of a changed block."""
    units = _characters(block.left.of(left)), _characters(block.right.of(right))
    if _pairs(*units) > _MOST_PAIRS:
        return [block]
    return _align(*units, at=(block.left.start, block.right.start))


def _align(left: Sequence[str], right: Sequence[str], at: tuple[int, int] = (0, 0)) -> list[Segment]:
    """Align two sequences of strings, and give the stretches in characters.

    As much as possible is matched and nothing stands in for anything else: else a line break would be
    taken for a misread word, to spare an insertion and a deletion.

    Args:
        left: units of one text, in order.
        right: units of the other.
        at: where they begin in their texts.
    """
    from rapidfuzz.distance import Indel

    # rapidfuzz compares hashes of what is no character; numbers stand for themselves.
    numbers: dict[str, int] = {}
    ids = [[numbers.setdefault(unit, len(numbers)) for unit in side] for side in (left, right)]
    left_places = [*accumulate(map(len, left), initial=at[0])]
    right_places = [*accumulate(map(len, right), initial=at[1])]
    places = [(0, 0)]
    equal: list[bool] = []
    for code in Indel.opcodes(*ids):
        if equal and equal[-1] == (code.tag == "equal"):
            places.pop()
        else:
            equal.append(code.tag == "equal")
        places.append((code.src_end, code.dest_end))
    corners = [(left_places[i], right_places[j]) for i, j in places]
    stretches = zip(corners, corners[1:], equal, strict=False)
    return [Segment.between(start, end, equal=same) for start, end, same in stretches]


def _pairs(left: Sequence[str], right: Sequence[str]) -> int:
    """How many pairs an alignment weighs up: what begins and ends alike costs nothing."""
    alike = sum(_in_common(left, right))
    return (len(left) - alike) * (len(right) - alike)


def _in_common(left: Sequence[str], right: Sequence[str]) -> tuple[int, int]:
    """How many units of the beginning, and of the end, are the same."""
    from rapidfuzz.distance import Postfix, Prefix

    start = Prefix.similarity(left, right)
    return start, min(Postfix.similarity(left, right), min(len(left), len(right)) - start)


def _joined(left: str, blocks: Iterable[Segment], right: str) -> list[tuple[Segment, bool]]:
    """Join changed words of one line into a run, unless each is one word that was misread.

    Returns:
        The blocks, each with whether its two sides are alike enough to compare their characters.
    """
    joined: list[tuple[Segment, bool]] = []
    for block in blocks:
        alike = block.change is Change.EQUAL or _are_alike(block.left.of(left), block.right.of(right))
        if not alike and len(joined) >= 2:
            (before, before_alike), (gap, _) = joined[-2:]
            blank = gap.left.of(left)
            if not before_alike and blank.isspace() and "\n" not in blank:
                del joined[-2:]
                start = before.left.start, before.right.start
                block = Segment.between(start, (block.left.end, block.right.end), equal=False)
        joined.append((block, alike))
    return joined


def _are_alike(text: str, other: str) -> bool:
    """True where one text is a misreading of the other, or goes on where the other ends or begins."""
    from rapidfuzz.distance import Levenshtein

    shorter, longer = sorted((text, other), key=len)
    if not shorter:
        return False
    if longer.startswith(shorter) or longer.endswith(shorter):
        return True
    if _pairs(text, other) > _MOST_PAIRS_MEASURED:
        return False
    return Levenshtein.normalized_similarity(text, other, score_cutoff=_ALIKE) > 0


def _characters(text: str) -> list[str]:
    """The characters as a person counts them: a combining mark belongs to the one before it."""
    if text.isascii():
        return list(text)
    characters: list[str] = []
    for character in text:
        if characters and unicodedata.category(character).startswith("M"):
            characters[-1] += character
        else:
            characters.append(character)
    return characters


def _merge_equal(segments: Iterable[Segment]) -> list[Segment]:
    """Let equal stretches that follow each other be one."""
    merged: list[Segment] = []
    for segment in segments:
        if merged and merged[-1].change is segment.change is Change.EQUAL:
            start = merged[-1].left.start, merged[-1].right.start
            merged[-1] = Segment.between(start, (segment.left.end, segment.right.end), equal=True)
        else:
            merged.append(segment)
    return merged


def _measured_similarity(left: str, segments: Iterable[Segment], right: str) -> float:
    """`similarity`, sped up by what the alignment tells: the distance is at most what it changes."""
    from rapidfuzz.distance import Levenshtein

    changed = [segment for segment in segments if segment.change is not Change.EQUAL]
    distance = sum(max(segment.left.length, segment.right.length) for segment in changed)
    longer = max(len(left), len(right))
    if not distance:
        return 1.0
    if distance * longer <= _MOST_PAIRS_MEASURED:
        distance = Levenshtein.distance(left, right, score_cutoff=distance)
    return 1 - distance / longer


def _place_beside(position: int, here: Span, beside: Span) -> int:
    return min(beside.end, beside.start + position - here.start)


def _excerpt(text: str) -> str:
    """The beginning of a text on one line, with a sign for what could not be seen."""
    signs = {"\n": "↵", "\t": "⇥"}
    begun = text[:EXCERPT_LENGTH]
    shown = begun if begun.strip(" ") else "␣" * len(begun)
    if not shown.isprintable():
        shown = "".join(signs.get(sign, sign if sign.isprintable() else "\ufffd") for sign in shown)
    return f"{shown[:-1]}…" if len(text) > EXCERPT_LENGTH else shown
