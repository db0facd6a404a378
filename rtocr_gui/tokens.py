"""What each visual token of a page is, and which part of the page it covers.

Plain NumPy types that every package shares: `ocr` builds a layout from the preprocessing geometry,
`pruning` reads the kinds, `ui` and `export` draw the boxes. Knows no model, no image, no plan.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TOKEN_PX = 64
"""Side of the square of view pixels that one visual token covers."""

FEWEST_TILES, MOST_TILES = 2, 9
"""How many tiles a page can have in Gundam mode, if it has any."""

GridName = Literal["local", "global"]
"""The two grids of a Gundam page; in other modes a page has only the global one, which stands for both."""


class TokenKind(IntEnum):
    """Role of one position in the visual sequence that the decoder receives."""

    LOCAL = 0
    """A 64 x 64 pixel cell of the tile canvas (Gundam only)."""
    GLOBAL = 1
    """A 64 x 64 pixel cell of the global view."""
    NEWLINE = 2
    """Ends a row of cells; carries no page content."""
    SEPARATOR = 3
    """The one token that ends the visual sequence."""


@dataclass(frozen=True, eq=False)
class TokenLayout:
    """The visual sequence of one page in one mode, position by position.

    Attributes:
        kinds: (n,) uint8, a `TokenKind` for each position.
        padding: (n,) bool, True where a cell lies wholly in letterbox padding and covers none of the page.
        boxes: (n, 4) float32, xyxy in page pixels, clipped to the page. All zero for newlines,
            the separator and padding cells.
        local_grid: (rows, columns) of the tile canvas; (0, 0) where the mode made no tiles.
        global_grid: (rows, columns) of the global view.
        page_size_px: (width, height) of the page the boxes refer to.
    """

    kinds: NDArray[np.uint8]
    padding: NDArray[np.bool_]
    boxes: NDArray[np.float32]
    local_grid: tuple[int, int]
    global_grid: tuple[int, int]
    page_size_px: tuple[int, int]

    def __post_init__(self) -> None:
        count = len(self.kinds)
        if self.padding.shape != (count,) or self.boxes.shape != (count, 4):
            raise ValueError("kinds, padding and boxes of a token layout must have one row each per token")
        for array in (self.kinds, self.padding, self.boxes):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.kinds)

    @cached_property
    def prunable(self) -> NDArray[np.int64]:
        """(N,) positions in the sequence that hold page content, ascending: local, then global cells."""
        return np.flatnonzero(self.kinds <= TokenKind.GLOBAL)

    @property
    def has_tiles(self) -> bool:
        """True where two grids lie over the page."""
        return self.local_grid[0] * self.local_grid[1] > 0

    def cells(self, grid: GridName) -> slice:
        """Slice of a grid's cells among the prunable tokens; without tiles both names mean the global one."""
        local_count = self.local_grid[0] * self.local_grid[1]
        return slice(0, local_count) if grid == "local" and local_count else slice(local_count, None)
