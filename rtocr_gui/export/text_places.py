"""Finds where on its page each word of a text is printed, from the lines of print and the widths of letters.

A text that was read tells which words follow each other, but hardly where they are. First its lines, each of
which may stand for several lines of print (a paragraph) or for a part of one (a cell of a table), are matched
with the lines of print in order, so that their widths agree best. Then the words are distributed so that they
agree with the gaps within these lines. Knows no model.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rtocr_gui.documents.picture_pdf import PlacedWord, runs_leftwards
from rtocr_gui.documents.print_lines import Extent, PrintLine, find_print_lines

_LETTERS_PER_HEIGHT = 1.9
"""Letters of average width in a line of print that is as wide as it is high; measured on pages of manuals."""

_FACE = 0.8
"""Height of a line where there is no print, as a share of the distance between lines."""

_LEAST_HEIGHT = 0.85
"""Height that a line without tall letters is taken to have, as a share of the median."""

_WORST_LINE, _WITHOUT_TEXT, _WITHOUT_PRINT, _JOINED = 2.0, 0.5, 2.5, 0.05
"""Costs of matching lines, where lines that are e times too wide cost 1: the most for widths, a line of print
without text, a line of text without print, and each line of either that is joined to another."""

_MOST_JOINED = 8
"""Most lines of text in one line of print."""

_LONGEST_WORD = 30
"""Letters from which on a word may be broken anywhere: Thai has no blanks either."""

_SLACK_PIECES, _SLACK_LETTERS = 12, 20
"""How much earlier or later a line of print may end than the widths of all words let expect, and how much
longer or shorter it may be for its gaps to be compared."""

_WORST_WORDS, _LETTERS_OFF = 6.0, 32
"""Most that words which do not suit the gaps cost, where one letter too wide costs 1; and by how many letters
a line has to be too long to cost 1."""

_LEEWAY = 0.35
"""How much wider or narrower a word may be than its letters let expect, besides one letter."""

_NARROWEST = 0.3
"""Least width of a word, which may be an accent alone, in letters of average width."""

_NARROW, _WIDE = frozenset("!\"'(),-./:;I[]`fijlrt|"), frozenset("%@MWmw")

_Group = tuple[list[str], Sequence[PrintLine]]
"""Words, and the lines of print that they stand on."""

_Match = tuple[Sequence[str], PrintLine]
"""The words on a line of print."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the page."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a text.

    Attributes:
        text: its lines.
        box: where it is on the page; None if that is unknown.
    """

    text: str
    box: Box | None = None


def place_words(parts: Iterable[TextPart], page: Image.Image) -> list[tuple[PlacedWord, ...]]:
    """Find where the words of a text are printed.

    Args:
        parts: the text, without markup.
        page: the picture of the page.

    Returns:
        The words on each line of print, in the order of the text. A word that is broken between two lines is
        two.
    """
    orders = find_print_lines(page)
    placed: list[tuple[PlacedWord, ...]] = []
    for part in parts:
        lines = [words for words in map(str.split, part.text.splitlines()) if words]
        if not lines:
            continue
        box = part.box or (0.0, 0.0, float(page.width), float(page.height))
        within = [[*_within(prints, box)] for prints in orders]
        if within[0]:
            ways = (_line_up(lines, prints) for prints in (within[:1] if within[0] == within[1] else within))
            lined_up = min(
                ways, key=lambda way: sum(len(words) * _misfit(words, line) for words, line in way)
            )
        else:
            lined_up = _without_print(lines, box)
        placed += (_fill(words, line) for words, line in lined_up)
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


def _without_print(lines: Sequence[Sequence[str]], box: Box) -> list[_Match]:
    """Line up words where there is no print: as large as a box has room for, from its upper left corner."""
    left, top, right, bottom = box
    lengths = [_length(words) for words in lines]
    height = min((bottom - top) / len(lines), (right - left) * _LETTERS_PER_HEIGHT / max(lengths))
    ends = [left + length * height / _LETTERS_PER_HEIGHT for length in lengths]
    return [
        (words, PrintLine(((left, end),), top + row * height, top + (row + _FACE) * height, 0.0))
        for row, (words, end) in enumerate(zip(lines, ends, strict=True))
    ]


def _match(lines: Sequence[Sequence[str]], prints: Sequence[PrintLine]) -> list[_Group]:
    """Match lines of text with lines of print, in order."""
    taken = _cheapest_steps([_length(words) + 1 for words in lines], prints)
    groups: list[_Group] = []
    waiting: list[str] = []  # words without print, which go with those before them
    text, line = len(lines), len(prints)
    while text or line:
        texts_taken, prints_taken = taken[text, line].tolist()
        words = [word for words in lines[text - texts_taken : text] for word in words] + waiting
        if texts_taken and prints_taken:
            groups.append((words, prints[line - prints_taken : line]))
            words = []
        waiting = words
        text, line = text - texts_taken, line - prints_taken
    groups.reverse()
    if waiting:
        first, there = groups[0] if groups else ([], prints[:1])
        groups[:1] = [(waiting + first, there)]
    return groups


def _cheapest_steps(letters: Sequence[float], prints: Sequence[PrintLine]) -> NDArray[np.int32]:
    """Find the cheapest way to take all lines of text and of print, step by step.

    Args:
        letters: how long each line of text is, in letters of average width.
        prints: the lines of print.

    Returns:
        (T + 1, P + 1, 2): how many lines of text and of print the last step takes when so many are taken.
    """
    texts = np.append(0, letters).cumsum()
    inks = np.append(0, list(_letters_in(prints))).cumsum()
    shape = len(texts), len(inks)
    cost, taken = np.full(shape, np.inf), np.zeros((*shape, 2), np.int32)
    cost[0, 0] = 0

    def offer(text: int, line: int, costs: NDArray[np.float64], texts_taken: int, prints_taken: int) -> None:
        place = text, slice(line, line + len(costs))
        is_better = costs < cost[place]
        cost[place][is_better] = costs[is_better]
        taken[place][is_better] = texts_taken, prints_taken

    numbers = np.arange(len(inks))
    for text in range(len(texts)):
        if text:
            offer(text, 0, cost[text - 1] + _WITHOUT_PRINT, 1, 0)
            length = texts[text] - texts[text - 1]
            for joined in numbers[1:].tolist():
                wide = inks[joined:] - inks[:-joined]
                misfit = _width_misfit(length, wide)
                offer(text, joined, cost[text - 1, :-joined] + misfit + _JOINED * (joined - 1), 1, joined)
                if wide.min() > length and misfit.min() == _WORST_LINE:
                    break
        for joined in range(2, min(_MOST_JOINED, text) + 1):
            misfit = _width_misfit(texts[text] - texts[text - joined], np.diff(inks))
            offer(text, 1, cost[text - joined, :-1] + misfit + _JOINED * (joined - 1), joined, 1)
        # Lines of print without text, any number of them at a time.
        saving = cost[text] - _WITHOUT_TEXT * numbers
        last = np.maximum.accumulate(np.where(saving <= np.minimum.accumulate(saving), numbers, 0))
        cost[text] = saving[last] + _WITHOUT_TEXT * numbers
        taken[text, last < numbers] = np.stack([0 * last, numbers - last], axis=1)[last < numbers]
    return taken


def _width_misfit(letters: float, wide: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.minimum(np.abs(np.log(wide / letters)), _WORST_LINE)


def _letters_in(prints: Sequence[PrintLine]) -> Iterator[float]:
    """Estimate how many letters of average width each line of print has."""
    least = _LEAST_HEIGHT * float(np.median([line.height for line in prints]))
    return (1 + _LETTERS_PER_HEIGHT * line.width / max(line.height, least) for line in prints)


def _line_up(lines: Sequence[Sequence[str]], prints: Sequence[PrintLine]) -> list[_Match]:
    """Find out which words stand on which line of print."""
    return [
        (words, line)
        for group, taken in _match(lines, prints)
        for words, line in zip(_broken(group, taken), taken, strict=True)
        if words
    ]


def _broken(words: Sequence[str], prints: Sequence[PrintLine]) -> list[list[str]]:
    """Break words into lines of print, within a word only where it may be broken anywhere."""
    if len(prints) == 1:
        return [[*words]]
    pieces = [piece for word in words for piece in _pieces(word)]

    def misfit(number: int, start: int, end: int) -> float:
        return _misfit("".join(pieces[start:end]).split(), prints[number])

    shares = _shares([_width(piece) for piece in pieces], list(_letters_in(prints)), misfit)
    return ["".join(pieces[share]).split() for share in shares]


def _pieces(word: str) -> Iterator[str]:
    """Divide a word where a line may end: Chinese and Japanese have no blanks. The last piece has one."""
    breaks = [
        place
        for place in range(1, len(word))
        if len(word) > _LONGEST_WORD or _is_broad(word[place - 1]) or _is_broad(word[place])
    ]
    for start, end in pairwise([0, *breaks, len(word)]):
        yield word[start:end] + " " * (end == len(word))


def _misfit(words: Sequence[str], line: PrintLine) -> float:
    """Measure how badly words suit the gaps of a line of print, in 0..`_WORST_WORDS`."""
    cut = line.cut(len(words)) if words else []
    if not 0 < len(words) == len(cut):
        return _WORST_WORDS
    return float(np.minimum(_letters_off(words, cut), _WORST_WORDS).mean())


def _fill(words: Sequence[str], line: PrintLine) -> tuple[PlacedWord, ...]:
    """Place words on a line of print: between its widest gaps if these allow it, else filling its parts."""
    if runs_leftwards("".join(words)):
        return _fill_rightwards(words[::-1], line)[::-1]
    return _fill_rightwards(words, line)


def _fill_rightwards(words: Sequence[str], line: PrintLine) -> tuple[PlacedWord, ...]:
    cut = line.cut(len(words))
    if len(cut) == len(words) and (_letters_off(words, cut) <= 1 + _LEEWAY * _widths(words)).all():
        return tuple(_placed(word, *extent, line) for word, extent in zip(words, cut, strict=True))
    widths = [_width(f"{word} ") for word in words]
    shares = _shares(widths, [right - left for left, right in line.parts], lambda *_: 0.0)
    return tuple(
        _placed(word, left + (right - left) * start, left + (right - left) * end, line)
        for share, (left, right) in zip(shares, line.parts, strict=True)
        for word, (start, end) in zip(words[share], _shares_of_line(words[share]), strict=True)
    )


def _letters_off(words: Sequence[str], extents: Sequence[Extent]) -> NDArray[np.float64]:
    """Return by how many letters each word is wider or narrower than its place, relative to all of them."""
    widths, places = _widths(words), np.array([right - left for left, right in extents])
    off: NDArray[np.float64] = np.abs(places * (widths.sum() / places.sum()) - widths)
    return off


def _placed(word: str, left: float, right: float, line: PrintLine) -> PlacedWord:
    fall = line.slope * left
    return PlacedWord(word, left, right, line.top + fall, line.bottom + fall, line.slope)


def _shares(
    widths: Sequence[float], room: Sequence[float], misfit: Callable[[int, int, int], float]
) -> list[slice]:
    """Distribute pieces among containers, in order.

    Args:
        widths: how wide each piece is, in letters.
        room: how much of them each container holds, relative to the others.
        misfit: returns what it costs, in 0..`_WORST_WORDS`, if a container (by its number) holds the pieces
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
        added = ((taken - width) / _LETTERS_OFF) ** 2 + _WORST_WORDS
        for row, column in zip(*np.nonzero(np.abs(taken - width) < _SLACK_LETTERS), strict=True):
            added[row, column] += misfit(number, ends[column], next_ends[row]) - _WORST_WORDS
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
    widths = _widths(words)
    ends = (widths + 1).cumsum() - 1
    whole = ends[-1:]
    return list(zip(((ends - widths) / whole).tolist(), (ends / whole).tolist(), strict=True))


def _length(words: Sequence[str]) -> float:
    """Estimate the width of a line of words, in letters of average width."""
    return float(_widths(words).sum()) + len(words) - 1


def _widths(words: Iterable[str]) -> NDArray[np.float64]:
    """Estimate the width of each word, in letters of average width."""
    return np.array([_width(word) for word in words])


def _width(word: str) -> float:
    return max(_NARROWEST, sum(map(_width_of, word)))


def _width_of(letter: str) -> float:
    if letter in _NARROW:
        return 0.6
    if _is_broad(letter):
        return 2.0
    if unicodedata.combining(letter):
        return 0.0
    return 1.6 if letter in _WIDE else 1.3 if letter.isupper() else 1.0


def _is_broad(letter: str) -> bool:
    """True for the letters of Chinese, Japanese and Korean."""
    return unicodedata.east_asian_width(letter) in "WF"
