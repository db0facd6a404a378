"""Compares two texts: similarity, error rates, and the places where they differ.

Texts are aligned word by word first, so that a changed word stays one change, and then character by
character inside the words that changed. Edit distances and alignments are rapidfuzz's, over Unicode
characters. Knows no model and no window; imports rapidfuzz when first needed.
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
"""Longest excerpt of a difference in a list, in characters."""

_LEADING_CHARACTERS = 9
"""How much of what is alike an excerpt shows that does not begin with its text."""

_TAG = r"</?[a-zA-Z][^<>\n]{0,80}>"
_WORDS = re.compile(rf"\n|[^\S\n]+|{_TAG}|[、。，；：？！]|(?:(?!{_TAG})[^\s、。，；：？！])+")
"""Words, tags, the whitespace between them, and single line breaks. Chinese and Japanese are split into
clauses."""

_LINES = re.compile(r"[^\n]*\n|[^\n]+")

_MOST_PAIRS = 4 * 10**8
"""Limit on the pairs of words or characters in one alignment; this many take 0.1 s on a laptop."""

_MOST_PAIRS_MEASURED = 3 * 10**9
"""Limit on the pairs of characters when measuring an edit distance."""

_ALIKE = 0.5
"""Words at least this similar count as one misread word and are compared character by character."""


def similarity(text: str, other: str) -> float:
    """1 minus the edit distance over the length of the longer text, in 0..1; 1 for two empty texts."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_similarity(text, other)


def as_counted(text: str) -> str:
    """A text as its characters are counted for an error rate.

    Any run of whitespace is one blank, and none at the ends; a letter and its accent are one character,
    however they are encoded.
    """
    return unicodedata.normalize("NFC", " ".join(text.split()))


def character_error_rate(text: str, truth: str) -> float:
    """Edit distance over the length of the truth, both `as_counted`; may exceed 1.

    For an empty truth, 0 or 1.
    """
    from rapidfuzz.distance import Levenshtein

    text, truth = as_counted(text), as_counted(truth)
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
    """A range of characters, end exclusive. An empty one is a position between two characters."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Number of characters."""
        return self.end - self.start

    def of(self, text: str) -> str:
        """Return this range of a text."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of both texts that is equal throughout or changed throughout."""

    left: Span
    right: Span
    change: Change

    @classmethod
    def between(cls, start: tuple[int, int], end: tuple[int, int], *, equal: bool) -> Self:
        """Build the stretch between two pairs of positions; an empty side makes it inserted or deleted."""
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
        left: its range in the left text.
        right: its range in the right text.
        change: whether it was replaced, deleted or inserted.
        left_excerpt: its beginning in the left text, or what leads to the first character that differs if
            that is further on, to show in a list; whitespace is made visible.
        right_excerpt: the same for the right text.
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
        segments: both texts from beginning to end, as stretches that are equal or changed.
        differences: the changes, in order; each covers one or more changed segments and whole words.
        similarity: the `similarity` of the whole texts; a lower bound for very long texts that have almost
            nothing in common.
    """

    left: str = field(repr=False)
    right: str = field(repr=False)
    segments: tuple[Segment, ...] = field(repr=False)
    differences: tuple[Difference, ...] = field(repr=False)
    similarity: float

    def place_on_the_right(self, position: int) -> int:
        """Return the position in the right text that corresponds to one in the left text."""
        index = bisect_right(self.segments, position, key=lambda segment: segment.left.start) - 1
        segment = self.segments[max(index, 0)] if self.segments else None
        return _place_beside(position, segment.left, segment.right) if segment else 0

    def place_on_the_left(self, position: int) -> int:
        """Return the position in the left text that corresponds to one in the right text."""
        index = bisect_right(self.segments, position, key=lambda segment: segment.right.start) - 1
        segment = self.segments[max(index, 0)] if self.segments else None
        return _place_beside(position, segment.right, segment.left) if segment else 0


def compare_texts(left: str, right: str) -> TextComparison:
    """Align two texts.

    Args:
        left: any text.
        right: any text.

    Returns:
        The alignment. Stretches too long to align in reasonable time (tens of thousands of words or
        characters with none in common) are a single change.
    """
    segments: list[Segment] = []
    differences: list[Difference] = []
    for block, alike in _joined(left, _align_words(left, right), right):
        if block.change is Change.EQUAL:
            segments.append(block)
            continue
        excerpts = _excerpts(block.left.of(left), block.right.of(right))
        differences.append(Difference(block.left, block.right, block.change, *excerpts))
        segments += _align_characters(left, block, right) if alike else [block]
    merged = tuple(_merge_equal(segments))
    return TextComparison(left, right, merged, tuple(differences), _measured_similarity(left, merged, right))


def _align_words(left: str, right: str) -> list[Segment]:
    """Align by words, by lines if there are too many words, and not at all if there are too many lines."""
    for pattern in (_WORDS, _LINES):
        left_units, right_units = pattern.findall(left), pattern.findall(right)
        if _pairs(left_units, right_units) <= _MOST_PAIRS:
            return _align(left_units, right_units)
    start, end = _in_common(left, right)
    corners = (0, 0), (start, start), (len(left) - end, len(right) - end), (len(left), len(right))
    stretches = zip(corners, corners[1:], (True, False, True), strict=False)
    return [Segment.between(a, b, equal=equal) for a, b, equal in stretches if a != b]


def _align_characters(left: str, block: Segment, right: str) -> list[Segment]:
    """Align a changed block character by character."""
    units = _characters(block.left.of(left)), _characters(block.right.of(right))
    if _pairs(*units) > _MOST_PAIRS:
        return [block]
    return _align(*units, at=(block.left.start, block.right.start))


def _align(left: Sequence[str], right: Sequence[str], at: tuple[int, int] = (0, 0)) -> list[Segment]:
    """Align two sequences of strings, and return the stretches in characters.

    Maximises the number of matches and allows no substitutions: otherwise a line break could be taken for
    a misread word, to save an insertion and a deletion.

    Args:
        left: units of one text, in order.
        right: units of the other text.
        at: where they begin in their texts.
    """
    from rapidfuzz.distance import Indel

    # rapidfuzz compares strings in a sequence by their hashes, but integers by value.
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
    """Count the pairs that an alignment considers: a common beginning and end cost nothing."""
    alike = sum(_in_common(left, right))
    return (len(left) - alike) * (len(right) - alike)


def _in_common(left: Sequence[str], right: Sequence[str]) -> tuple[int, int]:
    """Count the equal units at the beginning and at the end."""
    from rapidfuzz.distance import Postfix, Prefix

    start = Prefix.similarity(left, right)
    return start, min(Postfix.similarity(left, right), min(len(left), len(right)) - start)


def _joined(left: str, blocks: Iterable[Segment], right: str) -> list[tuple[Segment, bool]]:
    """Join changed words on one line into a run, except those that are one misread word each.

    Returns:
        The blocks, each with whether its two sides are similar enough to compare character by character.
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
    """True if one text is a misreading of the other, or its beginning or end."""
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
    """Split into characters as a person counts them: a combining mark belongs to the one before it."""
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
    """Merge consecutive equal stretches."""
    merged: list[Segment] = []
    for segment in segments:
        if merged and merged[-1].change is segment.change is Change.EQUAL:
            start = merged[-1].left.start, merged[-1].right.start
            merged[-1] = Segment.between(start, (segment.left.end, segment.right.end), equal=True)
        else:
            merged.append(segment)
    return merged


def _measured_similarity(left: str, segments: Iterable[Segment], right: str) -> float:
    """Measure `similarity` faster with the alignment, whose changes are an upper bound on the distance."""
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


def _excerpts(left: str, right: str) -> tuple[str, str]:
    """Return excerpts of two texts that show where these differ."""
    from rapidfuzz.distance import Prefix

    begins_alike = Prefix.similarity(left, right)
    if begins_alike < EXCERPT_LENGTH - 1:
        return _excerpt(left), _excerpt(right)
    left, right = (f"…{text[begins_alike - _LEADING_CHARACTERS :]}" for text in (left, right))
    return _excerpt(left), _excerpt(right)


def _excerpt(text: str) -> str:
    """Return the beginning of a text on one line, with symbols for invisible characters."""
    symbols = {"\n": "↵", "\t": "⇥"}
    begun = text[:EXCERPT_LENGTH]
    shown = begun if begun.strip(" ") else "␣" * len(begun)
    if not shown.isprintable():
        shown = "".join(
            symbols.get(character, character if character.isprintable() else "\ufffd") for character in shown
        )
    return f"{shown[:-1]}…" if len(text) > EXCERPT_LENGTH else shown
