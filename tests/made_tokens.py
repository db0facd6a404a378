"""Visual tokens that nobody encoded, for tests that choose and merge them."""

import numpy as np
import torch
from torch import Tensor

from rtocr_gui.tokens import TokenKind, TokenLayout

HIDDEN_SIZE = 8
GREY_VIEW = np.zeros((3, 64, 64), dtype=np.float32)


def grid_layout(rows: int, columns: int, crop_wh: tuple[int, int] = (0, 0)) -> TokenLayout:
    """Rows of tiles, rows of the global view, the separator, as the README of the golden folder states it."""
    width, height = (10 * tiles for tiles in crop_wh)
    local = [*[TokenKind.LOCAL] * width, TokenKind.NEWLINE] * height
    whole = [*[TokenKind.GLOBAL] * columns, TokenKind.NEWLINE] * rows
    kinds = np.array([*local, *whole, TokenKind.SEPARATOR], dtype=np.uint8)
    return TokenLayout(
        kinds=kinds,
        padding=np.zeros(len(kinds), dtype=np.bool_),
        boxes=np.zeros((len(kinds), 4), dtype=np.float32),
        local_grid=(height, width),
        global_grid=(rows, columns),
        page_size_px=(64 * columns, 64 * rows),
    )


def random_sequence(layout: TokenLayout, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Tokens that share a direction, as a page's do, so that cosines differ from 0."""
    generator = torch.Generator().manual_seed(seed)
    shared = torch.randn(HIDDEN_SIZE, generator=generator)
    return (torch.randn(len(layout), HIDDEN_SIZE, generator=generator) + shared).to(dtype)
