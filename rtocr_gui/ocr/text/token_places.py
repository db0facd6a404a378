"""Which tokens of a reading a person means, and where in the text a token stands.

What the model said and what the window shows differ twice: the markup was taken out, which is undone
exactly, and a person may have corrected the rest, which is aligned. Knows no model and no window; loads
rapidfuzz when a text was corrected.
"""

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.reading import Task
from rtocr_gui.ocr.text.markup import places_without_grounding
from rtocr_gui.ocr.text.shown_places import NOWHERE, origins


def token_spans(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the characters that each token has a part in.

    Args:
        offsets: (T + 1,) ascending, where each token begins; last the length of the text.

    Returns:
        (T, 2) begin and end of each. Tokens that make up one character together all span it.
    """
    begins = offsets[:-1]
    next_places = np.searchsorted(offsets, begins, side="right").clip(max=len(begins))
    return np.stack([begins, offsets[next_places]], axis=1)  # (T, 2)


class TokenPlaces:
    """The tokens of one reading beside the text that is shown of it.

    Args:
        raw_text: what the model said.
        offsets: (T + 1,) as `token_spans` takes them.
        task: what it was asked for, which decides on the markup.
        shown: the text as it stands.
    """

    def __init__(self, raw_text: str, offsets: NDArray[np.int64], task: Task, shown: str) -> None:
        self.shown = shown
        self._spans = token_spans(offsets)
        read, raw_places = places_without_grounding(raw_text, task)
        # One more place, which `NOWHERE` picks from the end.
        raw_places = np.append(raw_places, NOWHERE)
        first, last = origins(read, shown)
        self._first, self._last = raw_places[first], raw_places[last]

    def tokens_at(self, start: int, end: int) -> NDArray[np.int64] | None:
        """Tell which tokens said a range of the shown text, in order; None where nothing of it was said."""
        was_said = self._first[start:end] != NOWHERE
        if not was_said.any():
            return None
        first, last = self._first[start:end][was_said], self._last[start:end][was_said]
        # Character by character: the markup between two of them is not meant.
        begins, ends = self._spans.T
        borders = np.zeros(len(self._spans) + 1, dtype=np.int64)
        np.add.at(borders, np.searchsorted(ends, first, side="right"), 1)
        np.add.at(borders, np.searchsorted(begins, last, side="right"), -1)
        return np.flatnonzero(borders.cumsum() > 0)

    def place_of(self, token: int) -> tuple[int, int] | None:
        """Where the shown text has what a token said; None for markup, and where it was taken out."""
        begin, end = self._spans[token]
        seen = np.flatnonzero((self._first != NOWHERE) & (self._first < end) & (self._last >= begin))
        return (int(seen[0]), int(seen[-1]) + 1) if len(seen) else None
