"""Which characters of a shown text belong to which block of its page, whatever a person corrected.

Knows no model and no window.
"""

from collections.abc import Sequence

import numpy as np

from rtocr_gui.ocr.reading import Block
from rtocr_gui.ocr.text.shown_places import NOWHERE, origins

Place = tuple[int, int]
"""Begin and end of a range of characters, the end not included."""


class BlockPlaces:
    """The blocks of one reading beside the text that is shown of it.

    Args:
        blocks: with their characters in `read`.
        read: text as it was read, without markup.
        shown: the same as it stands now.
    """

    def __init__(self, blocks: Sequence[Block], read: str, shown: str) -> None:
        self.shown = shown
        first, last = origins(read, shown)
        known = np.flatnonzero(first != NOWHERE)
        # Among the characters that were read, both ends ascend.
        begins = np.searchsorted(last[known], [block.start for block in blocks])
        ends = np.searchsorted(first[known], [block.end for block in blocks])
        after = np.append(known, len(shown))
        self._anchors: list[int] = after[begins].tolist()
        self._places: list[Place | None] = [
            (int(known[begin]), int(known[end - 1]) + 1) if begin < end else None
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        ]

    def place_of(self, block: int) -> Place | None:
        """Where a block's text stands; None where it has none, or nothing of it is left."""
        return self._places[block]

    def anchor_of(self, block: int) -> int:
        """Where a block begins among the text around it, though it may have no text itself."""
        return self._anchors[block]

    def block_at(self, start: int, end: int) -> int | None:
        """Tell the first block that a range has a part in; for an empty one, the block it stands in or at."""
        for block, place in enumerate(self._places):
            if place is not None and max(place[0], start) < min(place[1], end):
                return block
        at_edge = (
            block
            for block, place in enumerate(self._places)
            if place is not None and start == end and place[0] <= start <= place[1]
        )
        return next(at_edge, None)
