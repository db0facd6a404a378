"""Maps the blocks of a page to the characters of its shown text, which a person may have corrected.

Knows no model and no window.
"""

from collections.abc import Sequence

import numpy as np

from rtocr_gui.ocr.reading import Block
from rtocr_gui.ocr.text.shown_places import NOWHERE, origins

Place = tuple[int, int]
"""Start and end of a range of characters, end exclusive."""


class BlockPlaces:
    """Maps between the blocks of one reading and its shown text.

    Args:
        blocks: the blocks, with their characters in `read`.
        read: the text as it was read, without markup.
        shown: the text as it stands now.
    """

    def __init__(self, blocks: Sequence[Block], read: str, shown: str) -> None:
        self.shown = shown
        first, last = origins(read, shown)
        self._is_typed = first == NOWHERE
        known = np.flatnonzero(~self._is_typed)
        # Over the characters that were read, `first` and `last` both ascend.
        begins = np.searchsorted(last[known], [block.start for block in blocks])
        ends = np.searchsorted(first[known], [block.end for block in blocks])
        # Of what was read before each block, and is still there: its end in the read and in the shown text.
        read_ends = np.append(0, last[known] + 1)[begins].tolist()
        shown_ends = np.append(0, known + 1)[begins].tolist()
        nexts = np.append(known, len(shown))[begins].tolist()
        self._anchors: list[int] = [
            shown_end if read_end == block.start else following
            for block, read_end, shown_end, following in zip(
                blocks, read_ends, shown_ends, nexts, strict=True
            )
        ]
        self._places: list[Place | None] = []
        taken = 0
        for block, begin, end in zip(blocks, begins.tolist(), ends.tolist(), strict=True):
            place = None
            if block.start < block.end and begin < end:
                place = self._with_typed(int(known[begin]), int(known[end - 1]) + 1, taken)
                taken = place[1]
            self._places.append(place)

    def _with_typed(self, start: int, end: int, least: int) -> Place:
        """Add to a block's text what was typed around it on its lines, but nothing before `least`."""
        while start > least and self._is_typed[start - 1] and self.shown[start - 1] != "\n":
            start -= 1
        while end < len(self.shown) and self._is_typed[end] and self.shown[end] != "\n":
            end += 1
        return start, end

    def place_of(self, block: int) -> Place | None:
        """Return where a block's text stands; None if it has none or nothing of it is left."""
        return self._places[block]

    def anchor_of(self, block: int) -> int:
        """Return where a block begins in the surrounding text, even if it has no text itself."""
        return self._anchors[block]

    def block_at(self, start: int, end: int) -> int | None:
        """Return the first block that overlaps a range; for an empty range, the one it lies in or touches."""
        for block, place in enumerate(self._places):
            if place is not None and max(place[0], start) < min(place[1], end):
                return block
        at_edge = (
            block
            for block, place in enumerate(self._places)
            if place is not None and start == end and place[0] <= start <= place[1]
        )
        return next(at_edge, None)
