"""Estimates how well words suit a line of print: by its length, and by the gaps within it.

Widths are in letters of average width. Faces differ, so they are compared in relation to each other where
that is possible. Knows the widths of letters, and no pixels.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.documents.print_lines import Extent, PrintLine

LETTERS_PER_HEIGHT = 1.9
"""Letters of average width in a line of print that is as wide as it is high; measured on pages of manuals."""

_LEAST_HEIGHT = 0.85
"""Height that a line without tall letters is taken to have, as a share of the median."""

WORST_WORDS = 6.0
"""The misfit of words that do not suit the gaps at all."""

_NARROWEST = 0.3
"""Least width of a word, which may be an accent alone, in letters of average width."""

_NARROW, _WIDE = frozenset("!\"'(),-./:;I[]`fijlrt|"), frozenset("%@MWmw")


def letters_in(prints: Sequence[PrintLine]) -> Iterator[float]:
    """Estimate how many letters of average width each line of print has."""
    least = _LEAST_HEIGHT * float(np.median([line.height for line in prints]))
    return (1 + LETTERS_PER_HEIGHT * line.width / max(line.height, least) for line in prints)


def gap_misfit(words: Sequence[str], line: PrintLine) -> float:
    """Measure how badly words suit the gaps of a line of print, in 0..`WORST_WORDS`."""
    cut = line.cut(len(words)) if words else []
    if not 0 < len(words) == len(cut):
        return WORST_WORDS
    return float(np.minimum(letters_off(words, cut), WORST_WORDS).mean())


def letters_off(words: Sequence[str], extents: Sequence[Extent]) -> NDArray[np.float64]:
    """Return by how many letters each word is wider or narrower than its place, relative to all of them."""
    widths, places = widths_of(words), np.array([right - left for left, right in extents])
    off: NDArray[np.float64] = np.abs(places * (widths.sum() / places.sum()) - widths)
    return off


def length_of(words: Sequence[str]) -> float:
    """Estimate the width of a line of words, in letters of average width."""
    return float(widths_of(words).sum()) + len(words) - 1


def widths_of(words: Iterable[str]) -> NDArray[np.float64]:
    """Estimate the width of each word, in letters of average width."""
    return np.array([width_of(word) for word in words])


@lru_cache(maxsize=10_000)
def width_of(word: str) -> float:
    """Estimate the width of a word, in letters of average width."""
    return max(_NARROWEST, sum(map(_letter_width, word)))


def _letter_width(letter: str) -> float:
    if letter in _NARROW:
        return 0.6
    if is_broad(letter):
        return 2.0
    if unicodedata.combining(letter):
        return 0.0
    return 1.6 if letter in _WIDE else 1.3 if letter.isupper() else 1.0


def is_broad(letter: str) -> bool:
    """True for the letters of Chinese, Japanese and Korean."""
    return unicodedata.east_asian_width(letter) in "WF"
