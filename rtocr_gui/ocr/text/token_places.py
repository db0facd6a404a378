"""Maps between the tokens of a reading and the characters of its shown text.

The shown text differs from the model's output in two ways: the markup was removed, which is traced
exactly, and a person may have corrected the rest, which is aligned. Knows no model and no window; imports
rapidfuzz only for a corrected text.
"""

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.reading import Task
from rtocr_gui.ocr.text.markup import places_without_grounding
from rtocr_gui.ocr.text.shown_places import NOWHERE, origins


def token_spans(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the range of characters that each token contributes to.

    Args:
        offsets: (T + 1,) ascending, where each token begins, followed by the length of the text.

    Returns:
        (T, 2) start and end of each. Tokens that share one character all span it.
    """
    begins = offsets[:-1]
    next_places = np.searchsorted(offsets, begins, side="right").clip(max=len(begins))
    return np.stack([begins, offsets[next_places]], axis=1)  # (T, 2)


class TokenPlaces:
    """Maps between the tokens of one reading and its shown text.

    Args:
        raw_text: what the model generated.
        offsets: (T + 1,) as `token_spans` takes them.
        task: what it was asked for, which determines the markup.
        shown: the text as it stands now.
    """

    def __init__(self, raw_text: str, offsets: NDArray[np.int64], task: Task, shown: str) -> None:
        self.shown = shown
        self._spans = token_spans(offsets)
        read, raw_places = places_without_grounding(raw_text, task)
        # One more entry at the end, for the index `NOWHERE`.
        raw_places = np.append(raw_places, NOWHERE)
        first, last = origins(read, shown)
        self._first, self._last = raw_places[first], raw_places[last]

    def tokens_at(self, start: int, end: int) -> NDArray[np.int64] | None:
        """Return the tokens of a range of the shown text, ascending; None if nothing of it was read."""
        is_placed = self._first[start:end] != NOWHERE
        if not is_placed.any():
            return None
        first, last = self._first[start:end][is_placed], self._last[start:end][is_placed]
        # Character by character, to exclude markup between them.
        begins, ends = self._spans.T
        borders = np.zeros(len(self._spans) + 1, dtype=np.int64)
        np.add.at(borders, np.searchsorted(ends, first, side="right"), 1)
        np.add.at(borders, np.searchsorted(begins, last, side="right"), -1)
        return np.flatnonzero(borders.cumsum() > 0)

    def place_of(self, token: int) -> tuple[int, int] | None:
        """Return where a token's text is shown; None for markup and for text that was deleted."""
        begin, end = self._spans[token]
        seen = np.flatnonzero((self._first != NOWHERE) & (self._first < end) & (self._last >= begin))
        return (int(seen[0]), int(seen[-1]) + 1) if len(seen) else None
