"""Finds where on its page each word of a text is printed, from the lines of print and the widths of letters.

A text that was read tells which words follow each other, but hardly where they are. First its lines, each of
which may stand for several lines of print (a paragraph) or for a part of one (a cell of a table), are matched
with the lines of print in order, so that their widths agree best. Then the words are distributed so that they
agree with the gaps within these lines. Knows no model.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rtocr_gui.documents.line_matching import LineMatcher, Match
from rtocr_gui.documents.picture_pdf import PlacedWord, runs_leftwards
from rtocr_gui.documents.print_fit import (
    LETTERS_PER_HEIGHT,
    WORST_WORDS,
    gap_misfit,
    is_broad,
    length_of,
    letters_in,
    letters_off,
    width_of,
    widths_of,
)
from rtocr_gui.documents.print_lines import Extent, PrintLine, find_print_lines

_FACE = 0.8
"""Height of a line where there is no print, as a share of the distance between lines."""

_FACE_WIDTHS, _GOOD_FIT = (1.0, 1.3, 0.8), 0.7
"""Widths of letters that are tried, relative to those of most faces, until words suit the gaps so well."""

_LONGEST_WORD = 30
"""Letters from which on a word may be broken anywhere: Thai has no blanks either."""

_SLACK_PIECES, _SLACK_LETTERS = 12, 20
"""How much earlier or later a line of print may end than the widths of all words let expect, and how much
longer or shorter it may be for its gaps to be compared."""

_LETTERS_OFF = 32
"""By how many letters a line has to be too long to count as much as one letter in each of its words."""

_LEEWAY = 0.35
"""How much wider or narrower a word may be than its letters let expect, besides one letter."""

_LEADERS = re.compile(r"\.(?:[^\S\n]*\.){4,}")
"""Dots that lead the eye across a line: no words, and read as many or few as they may be."""

_WordsOnLine = tuple[Sequence[str], PrintLine]
"""The words on a line of print."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the page."""


@dataclass(frozen=True, slots=True)
class LinedUp:
    """Lines of text, matched with lines of print.

    Attributes:
        matches: all lines of text in order, with the print that they stand on.
        words: the words on each line of print, in the order of the text; those of a line that is not printed
            are with those beside them. Empty if there is no print.
    """

    matches: list[Match]
    words: list[_WordsOnLine]


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a text.

    Attributes:
        text: its lines.
        box: where it is on the page; None if that is unknown.
    """

    text: str
    box: Box | None = None

    @property
    def lines(self) -> list[list[str]]:
        """The words of each line that has any, without dots that lead the eye."""
        return [words for words in map(str.split, _LEADERS.sub(" ", self.text).splitlines()) if words]


def around(boxes: Sequence[Box]) -> Box | None:
    """Return the box around some boxes; None if there are none."""
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def place_words(parts: Iterable[TextPart], page: Image.Image) -> list[tuple[PlacedWord, ...]]:
    """Find where the words of a text are printed.

    Args:
        parts: the text, without markup. Dots that lead the eye, as in a table of contents, are left out.
        page: the picture of the page.

    Returns:
        The words on each line of print, in the order of the text. A word that is broken between two lines is
        two.
    """
    orders = find_print_lines(page)
    placed: list[tuple[PlacedWord, ...]] = []
    for part in parts:
        lines = part.lines
        if not lines:
            continue
        box = part.box or (0.0, 0.0, float(page.width), float(page.height))
        within = [[*_within(prints, box)] for prints in dict.fromkeys(orders)]
        on_lines = line_up(lines, within).words or _without_print(lines, box)
        placed += (_fill(words, line) for words, line in on_lines)
    return placed


def _within(prints: Iterable[PrintLine], box: Box) -> Iterator[PrintLine]:
    """Cut lines of print to what is within a box."""
    left, top, right, bottom = box
    for line in prints:
        strokes = tuple(
            stroke
            for stroke in line.strokes
            if left <= (middle := sum(stroke) / 2) <= right
            and top <= (line.top + line.bottom) / 2 + line.slope * middle <= bottom
        )
        if strokes:
            yield replace(line, strokes=strokes)


def _without_print(lines: Sequence[Sequence[str]], box: Box) -> list[_WordsOnLine]:
    """Line up words where there is no print: as large as a box has room for, from its upper left corner."""
    left, top, right, bottom = box
    lengths = [length_of(words) for words in lines]
    height = min((bottom - top) / len(lines), (right - left) * LETTERS_PER_HEIGHT / max(lengths))
    ends = [left + length * height / LETTERS_PER_HEIGHT for length in lengths]
    return [
        (words, PrintLine(((left, end),), top + row * height, top + (row + _FACE) * height, 0.0))
        for row, (words, end) in enumerate(zip(lines, ends, strict=True))
    ]


def line_up(
    lines: Sequence[Sequence[str]],
    orders: Iterable[Sequence[PrintLine]],
    astray: Callable[[Sequence[PrintLine]], NDArray[np.float64]] | None = None,
) -> LinedUp:
    """Find out which words stand on which line of print.

    Args:
        lines: the words of each line of text, at least one.
        orders: the lines of print, in any orders in which they may be read.
        astray: returns (T, P) what it costs that each line of text stands on each of these lines of print,
            by where it is said to be; None for nothing.
    """
    best, least = LinedUp([], []), math.inf
    matchers = [
        LineMatcher(lines, prints, astray(prints) if astray else np.zeros((len(lines), len(prints))))
        for prints in orders
        if prints
    ]
    for width in _FACE_WIDTHS:
        for matcher in matchers:
            matches = matcher.match(width)
            on_lines = _words_on_lines(lines, matcher.prints, matches)
            misfit = sum(len(words) * gap_misfit(words, line) for words, line in on_lines)
            if misfit < least:
                best, least = LinedUp(matches, on_lines), misfit
        if least < _GOOD_FIT * sum(len(words) for words, _ in best.words):
            break
    return best


def _words_on_lines(
    lines: Sequence[Sequence[str]], prints: Sequence[PrintLine], matches: Iterable[Match]
) -> list[_WordsOnLine]:
    """Break lines of text into the words on each line of print."""
    on_lines: list[_WordsOnLine] = []
    for texts, taken in _all_on_print(matches):
        there = taken or prints[:1]
        words = [word for text in texts for word in lines[text]]
        on_lines += (each for each in zip(_broken(words, there), there, strict=True) if each[0])
    return on_lines


def _all_on_print(matches: Iterable[Match]) -> list[Match]:
    """Join lines of text without print to those before them, and the first ones to those after."""
    joined: list[Match] = []
    for texts, taken in matches:
        if joined and not (taken and joined[-1][1]):
            before, there = joined.pop()
            joined.append((range(before.start, texts.stop), there or taken))
        else:
            joined.append((texts, taken))
    return joined


def _broken(words: Sequence[str], prints: Sequence[PrintLine]) -> list[list[str]]:
    """Break words into lines of print, within a word only where it may be broken anywhere."""
    if len(prints) == 1:
        return [[*words]]
    pieces = [piece for word in words for piece in _pieces(word)]

    def misfit(number: int, start: int, end: int) -> float:
        return gap_misfit("".join(pieces[start:end]).split(), prints[number])

    shares = _shares([width_of(piece) for piece in pieces], list(letters_in(prints)), misfit)
    return ["".join(pieces[share]).split() for share in shares]


def _pieces(word: str) -> Iterator[str]:
    """Divide a word where a line may end: Chinese and Japanese have no blanks. The last piece has one."""
    breaks = [
        place
        for place in range(1, len(word))
        if len(word) > _LONGEST_WORD or is_broad(word[place - 1]) or is_broad(word[place])
    ]
    for start, end in pairwise([0, *breaks, len(word)]):
        yield word[start:end] + " " * (end == len(word))


def _fill(words: Sequence[str], line: PrintLine) -> tuple[PlacedWord, ...]:
    """Place words on a line of print: between its widest gaps if these allow it, else filling its parts."""
    if runs_leftwards("".join(words)):
        return _fill_rightwards(words[::-1], line)[::-1]
    return _fill_rightwards(words, line)


def _fill_rightwards(words: Sequence[str], line: PrintLine) -> tuple[PlacedWord, ...]:
    cut = line.cut(len(words))
    if len(cut) == len(words) and (letters_off(words, cut) <= 1 + _LEEWAY * widths_of(words)).all():
        return tuple(_placed(word, *extent, line) for word, extent in zip(words, cut, strict=True))
    widths = [width_of(f"{word} ") for word in words]
    shares = _shares(widths, [right - left for left, right in line.parts], lambda *_: 0.0)
    return tuple(
        _placed(word, left + (right - left) * start, left + (right - left) * end, line)
        for share, (left, right) in zip(shares, line.parts, strict=True)
        for word, (start, end) in zip(words[share], _shares_of_line(words[share]), strict=True)
    )


def _placed(word: str, left: float, right: float, line: PrintLine) -> PlacedWord:
    fall = line.slope * left
    return PlacedWord(word, left, right, line.top + fall, line.bottom + fall, line.slope)


def _shares(
    widths: Sequence[float],
    room: Sequence[float],
    misfit: Callable[[int, int, int], float],
) -> list[slice]:
    """Distribute pieces among containers, in order.

    Args:
        widths: how wide each piece is, in letters.
        room: how much of them each container holds, relative to the others.
        misfit: returns what it costs, in 0..`WORST_WORDS`, if a container (by its number) holds the pieces
            between two indices.
    """
    count = len(widths)
    filled = np.append(0, widths).cumsum()
    wanted = np.append(0, room).cumsum() * filled[-1] / np.sum(room)
    nearest = np.searchsorted(filled, wanted).tolist()
    ends, costs = [0], np.zeros(1)  # how many pieces the containers so far may hold, and at what cost
    choices: list[tuple[list[int], NDArray[np.intp]]] = []
    for number, width in enumerate(np.diff(wanted).tolist()):
        near = range(nearest[number + 1] - _SLACK_PIECES, nearest[number + 1] + _SLACK_PIECES + 1)
        is_last = number + 1 == len(room)
        next_ends = [count] if is_last else [end for end in near if 0 <= end <= count]
        taken = filled[next_ends][:, None] - filled[ends]
        added = ((taken - width) / _LETTERS_OFF) ** 2 + WORST_WORDS
        for row, column in zip(*np.nonzero(np.abs(taken - width) < _SLACK_LETTERS), strict=True):
            added[row, column] += misfit(number, ends[column], next_ends[row]) - WORST_WORDS
        totals = np.where(taken >= 0, added + costs, np.inf)
        choices.append((ends, totals.argmin(axis=1)))
        ends, costs = next_ends, totals.min(axis=1)
    shares: list[slice] = []
    choice, end = 0, count
    for starts, best in reversed(choices):
        choice = int(best[choice])
        shares.append(slice(starts[choice], end))
        end = starts[choice]
    return shares[::-1]


def _shares_of_line(words: Sequence[str]) -> list[Extent]:
    """Return where each word begins and ends on a line that they fill, in 0..1."""
    widths = widths_of(words)
    ends = (widths + 1).cumsum() - 1
    whole = ends[-1:]
    return list(zip(((ends - widths) / whole).tolist(), (ends / whole).tolist(), strict=True))
