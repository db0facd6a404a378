"""Text density r1 and dissimilarity r2, the two terms of the automatic retention ratio.

Pure NumPy on pixels and on a similarity matrix. Knows no layout and no model. Source:
RTPrune, arXiv 2605.00392, "dynamic pruning ratio".
"""

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.errors import PruningError
from rtocr_gui.tokens import TOKEN_PX

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
# In float32, sqrt(x) > 0.2 holds exactly for those x that exceed this value.
_EDGE_MAGNITUDE_SQUARED = np.float32(0.2) * np.float32(0.2)


def patch_text_density(view: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure the share of edge pixels in each 64 x 64 patch of the global view.

    With Y = 0.299 R + 0.587 G + 0.114 B and the 3 x 3 Sobel filters S_x and S_y, a pixel is an edge where

        sqrt( (S_x * Y)^2 + (S_y * Y)^2 ) > 0.2

    and r1 is the mean of the shares. As in the reference, each patch is filtered separately with one
    pixel of zero padding, so even a white page has edges along its patch borders.

    One row of patches is filtered at a time, so that its working memory stays in the CPU cache.

    Args:
        view: (3, 64 * g, 64 * g) float32 RGB in [-1, 1].

    Returns:
        (g * g,) shares in 0..1, row by row.

    Raises:
        PruningError: the view is not square, does not divide into whole patches, or is out of range.
    """
    channels, height, width = view.shape if view.ndim == 3 else (0, 0, 0)
    if channels != 3 or height != width or height == 0 or height % TOKEN_PX:
        raise PruningError(
            f"The global view has shape {view.shape}, but a colour square of whole {TOKEN_PX}-pixel patches "
            "is needed. Encode the page again."
        )
    grid = height // TOKEN_PX
    padded = np.zeros((grid, TOKEN_PX + 2, TOKEN_PX + 2), dtype=np.float32)
    density = np.empty((grid, grid), dtype=np.float32)
    for patch_row in range(grid):
        band = view[:, patch_row * TOKEN_PX : (patch_row + 1) * TOKEN_PX]
        if not (band.min() >= -1.001 and band.max() <= 1.001):
            raise PruningError("The global view has pixels outside -1..1. Encode the page again.")
        grey = _LUMA[0] * band[0] + _LUMA[1] * band[1] + _LUMA[2] * band[2]
        padded[:, 1:-1, 1:-1] = grey.reshape(TOKEN_PX, grid, TOKEN_PX).swapaxes(0, 1)
        density[patch_row] = _edges(padded).mean(axis=(1, 2))
    return density.ravel()


def _edges(padded: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell where the Sobel magnitude of zero-padded patches (g, 66, 66) exceeds 0.2: (g, 64, 64).

    In colours, some pixels are so close to 0.2 that rounding decides. So the taps are added in the order of
    the reference's convolution: row by row, without separating the filters.
    """
    above, beside, below = padded[:, :-2], padded[:, 1:-1], padded[:, 2:]
    left, middle, right = np.s_[..., :-2], np.s_[..., 1:-1], np.s_[..., 2:]
    across = above[left] - above[right] + 2 * beside[left] - 2 * beside[right] + below[left] - below[right]
    down = above[left] + 2 * above[middle] + above[right] - below[left] - 2 * below[middle] - below[right]
    return across**2 + down**2 > _EDGE_MAGNITUDE_SQUARED


def dissimilarity(similarity: NDArray[np.float32]) -> float:
    """Measure how little the tokens of a page repeat each other.

        r2 = 1 - 1/N sum_i 1/(N - 1) sum_{j != i} cos(v_i, v_j)^2

    A single token repeats nothing: r2 = 1.

    Args:
        similarity: (N, N) cosine of every pair, N at least 1.

    Returns:
        r2 in 0..1.
    """
    count = len(similarity)
    if count == 1:
        return 1.0
    # sum() adds pairwise; the running float32 sum of einsum is off by more than 1e-6 on uniform pages.
    row_sums = np.square(similarity).sum(axis=1) - np.diagonal(similarity) ** 2
    repeated = float(row_sums.sum(dtype=np.float64)) / (count * (count - 1))
    return min(1.0, max(0.0, 1.0 - repeated))
