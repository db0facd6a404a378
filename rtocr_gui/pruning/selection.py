"""Ranks tokens by norm, and finds the positions of the visual sequence that survive a selection.

Pure NumPy on norms and token kinds. Knows no features, no ratio and no model. Source: RTPrune,
arXiv 2605.00392, "read once".
"""

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.tokens import TokenKind, TokenLayout


def order_by_norm(norms: NDArray[np.float32]) -> NDArray[np.int64]:
    """Sort tokens by falling L2 norm.

    Deviation: the reference leaves ties to the sorting library; here the lowest index comes first, so
    that the same page always gives the same plan.

    Args:
        norms: (N,) L2 norms, finite.

    Returns:
        (N,) token indices, largest norm first.
    """
    return np.argsort(-norms, kind="stable")


def surviving_positions(layout: TokenLayout, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the positions of the visual sequence that the decoder receives.

    Kept tokens and the separator stay. Of a run of newlines with nothing kept between them, only
    the first stays.

    Args:
        layout: visual sequence of n positions, N of them prunable.
        kept: (K,) kept tokens, as indices into the N prunable ones.

    Returns:
        (m,) positions in the sequence, ascending.
    """
    stays = layout.kinds >= TokenKind.NEWLINE
    stays[layout.prunable[kept]] = True
    positions = np.flatnonzero(stays)
    is_newline = layout.kinds[positions] == TokenKind.NEWLINE
    follows_newline = np.zeros_like(is_newline)
    follows_newline[1:] = is_newline[:-1]
    selected: NDArray[np.int64] = positions[~(is_newline & follows_newline)]
    return selected
