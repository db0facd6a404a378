"""Matches the lines of a text with lines of print, in order.

A line of text may stand for several lines of print (a paragraph) or for a part of one (a cell of a table).
Some print has no text (a picture, a line that was not read), and some text no print. Knows no places.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.documents.print_fit import gap_misfit, length_of, letters_in
from rtocr_gui.documents.print_lines import PrintLine

_WORST_LINE, _WITHOUT_TEXT, _WITHOUT_PRINT, _JOINED, _CELL = 8.0, 0.5, 2.5, 0.05, 0.1
"""Costs of matching lines, where one that is e times too wide costs 2: the most for widths, a line of print
without text, a line of text without print, each line of either that is joined to another, and each cell of a
line of print that is not a line of text."""

_GAPS, _MOST_GAPS, _COMPARED, _MOST_COMPARED = 0.05, 2.0, 1.0, 20_000
"""Cost of words that are a letter too wide for their gaps on average; how many letters count at most; the
most that the lengths of lines cost whose gaps are compared; and the most pairs of lines of which some are."""

_MOST_WIDE = 20
"""How much wider than a line of text the print may be that is considered for it."""

_MOST_JOINED = 8
"""Most lines of text in one line of print."""

Match = tuple[range, Sequence[PrintLine]]
"""Numbers of lines of text, and the lines of print that they stand on; none if they are not printed."""


class LineMatcher:
    """Matches lines of text with lines of print, for letters of any width.

    Args:
        lines: the words of T lines of text.
        prints: the P lines of print.
        astray: (T, P) what it costs in addition that a line of text stands on a line of print.

    Attributes:
        prints: as given.
    """

    def __init__(
        self, lines: Sequence[Sequence[str]], prints: Sequence[PrintLine], astray: NDArray[np.float64]
    ) -> None:
        self.prints = prints
        self._lines = lines
        self._astray = astray
        self._gap_misfits = np.full(astray.shape, np.nan)  # each is found once it is asked for

    def match(self, width: float) -> list[Match]:
        """Match all lines in order.

        Args:
            width: how wide letters are, relative to most faces.

        Returns:
            All lines of text in order, with their print.
        """
        taken = self._cheapest_steps(width)
        matches: list[Match] = []
        text, line = len(self._lines), len(self.prints)
        while text or line:
            texts_taken, prints_taken = taken[text, line].tolist()
            if texts_taken:
                matches.append((range(text - texts_taken, text), self.prints[line - prints_taken : line]))
            text, line = text - texts_taken, line - prints_taken
        return matches[::-1]

    def _cheapest_steps(self, width: float) -> NDArray[np.int32]:
        """Find the cheapest way to take all lines of text and of print, step by step; see `match`.

        Returns:
            (T + 1, P + 1, 2): how many lines of text and of print the last step takes when so many are taken.
        """
        texts = np.append(0, [width * (length_of(words) + 1) for words in self._lines]).cumsum()
        inks = np.append(0, list(letters_in(self.prints))).cumsum()
        cells = np.array([len(line.parts) for line in self.prints])
        alone = _length_misfit(np.diff(texts)[:, None], np.diff(inks)) + _CELL * (cells - 1)
        alone += self._costs_of_gaps(where=alone < _COMPARED)
        alone += self._astray
        astray_up_to = np.pad(self._astray, ((0, 0), (1, 0))).cumsum(axis=1)
        shape = len(texts), len(inks)
        cost, taken = np.full(shape, np.inf), np.zeros((*shape, 2), np.int32)
        cost[0, 0] = 0

        def offer(
            text: int, line: int, costs: NDArray[np.float64], texts_taken: int, prints_taken: int
        ) -> None:
            place = text, slice(line, line + len(costs))
            is_better = costs < cost[place]
            cost[place][is_better] = costs[is_better]
            taken[place][is_better] = texts_taken, prints_taken

        numbers = np.arange(len(inks))
        for text in range(len(texts)):
            if text:
                offer(text, 0, cost[text - 1] + _WITHOUT_PRINT, 1, 0)
                offer(text, 1, cost[text - 1, :-1] + alone[text - 1], 1, 1)
                length = texts[text] - texts[text - 1]
                for joined in numbers[2:].tolist():
                    wide = inks[joined:] - inks[:-joined]
                    misfit = _length_misfit(length, wide) + _JOINED * (joined - 1)
                    misfit += astray_up_to[text - 1, joined:] - astray_up_to[text - 1, :-joined]
                    offer(text, joined, cost[text - 1, :-joined] + misfit, 1, joined)
                    if wide.min() > _MOST_WIDE * length:
                        break
            for joined in range(2, min(_MOST_JOINED, text) + 1):
                misfit = _length_misfit(texts[text] - texts[text - joined], np.diff(inks))
                misfit += _JOINED * (joined - 1) + _CELL * np.abs(cells - joined)
                misfit += self._astray[text - joined : text].mean(axis=0)
                offer(text, 1, cost[text - joined, :-1] + misfit, joined, 1)
            # Any number of lines of print without text: each costs the same, so that all that counts before
            # them is the cost so far without that of as many.
            saving = cost[text] - _WITHOUT_TEXT * numbers
            last = np.maximum.accumulate(np.where(saving <= np.minimum.accumulate(saving), numbers, 0))
            cost[text] = saving[last] + _WITHOUT_TEXT * numbers
            taken[text, last < numbers] = np.stack([0 * last, numbers - last], axis=1)[last < numbers]
        return taken

    def _costs_of_gaps(self, where: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return (T, P) what it costs there that lines of text do not suit the gaps of lines of print."""
        if where.size > _MOST_COMPARED:
            return np.zeros(where.shape)
        for text, line in zip(*np.nonzero(where & np.isnan(self._gap_misfits)), strict=True):
            self._gap_misfits[text, line] = gap_misfit(self._lines[text], self.prints[line])
        return np.where(where, _GAPS * np.minimum(self._gap_misfits, _MOST_GAPS), 0.0)


def _length_misfit(letters: NDArray[np.float64] | float, wide: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure how badly the length of a text suits that of print: slightly wrong costs little, more much."""
    off = np.abs(np.log(wide / letters))
    misfit: NDArray[np.float64] = np.minimum(off * (1 + off), _WORST_LINE)
    return misfit
