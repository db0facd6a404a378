"""Text density r1 and dissimilarity r2, the two terms of the automatic retention ratio.

Pure NumPy on pixels and on a similarity matrix. Knows no layout and no model. Source:
RTPrune, arXiv 2605.00392, "dynamic pruning ratio".
"""

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.errors import PruningError
from rtocr_gui.tokens import TOKEN_PX

_PADDED_PX = TOKEN_PX + 2
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
# In float32, sqrt(x) > 0.2 holds exactly for those x that exceed this value.
_EDGE_MAGNITUDE_SQUARED = np.float32(0.2) * np.float32(0.2)


def patch_text_density(view: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure the share of edge pixels in each 64 x 64 patch of the global view.

    With Y = 0.299 R + 0.587 G + 0.114 B and the 3 x 3 Sobel filters S_x and S_y, a pixel is an edge where

        sqrt( (S_x * Y)^2 + (S_y * Y)^2 ) > 0.2

    and r1 is the mean of the shares. As in the reference, each patch is filtered separately with one
    pixel of zero padding, so even a white page has edges along its patch borders.

    The zero-padded patches share one flat buffer, in which every filter tap is a shift of the whole
    buffer. A buffer holds one row of patches and so stays in the CPU cache.

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
    weighted = np.empty((TOKEN_PX, width), dtype=np.float32)
    grey = np.empty_like(weighted)
    padded = np.zeros((_PADDED_PX, grid, _PADDED_PX), dtype=np.float32)
    inside = padded[1:-1, :, 1:-1]
    is_edge = np.zeros(padded.shape, dtype=np.bool_)
    edge_counts = np.empty((grid, grid), dtype=np.int64)
    scratch = np.empty((3, padded.size), dtype=np.float32)
    for patch_row in range(grid):
        band = view[:, patch_row * TOKEN_PX : (patch_row + 1) * TOKEN_PX]
        if not (band.min() >= -1.001 and band.max() <= 1.001):
            raise PruningError("The global view has pixels outside -1..1. Encode the page again.")
        np.multiply(band[0], _LUMA[0], out=grey)
        grey += np.multiply(band[1], _LUMA[1], out=weighted)
        grey += np.multiply(band[2], _LUMA[2], out=weighted)
        inside[...] = grey.reshape(TOKEN_PX, grid, TOKEN_PX)
        _mark_edges(padded, scratch, is_edge)
        column_counts = np.add.reduce(is_edge[1:-1, :, 1:-1].view(np.uint8), axis=0, dtype=np.uint8)
        edge_counts[patch_row] = column_counts.sum(axis=-1, dtype=np.int64)
    return (edge_counts.ravel() / TOKEN_PX**2).astype(np.float32)


def _mark_edges(
    padded: NDArray[np.float32], scratch: NDArray[np.float32], is_edge: NDArray[np.bool_]
) -> None:
    """Set `is_edge` where the Sobel magnitude exceeds 0.2; its values at the borders are meaningless.

    In colours, some pixels are so close to 0.2 that rounding decides. So the taps are added in the order of
    the reference's convolution: row by row, without separating the filters. Index i of a filtered buffer is
    the pixel one row down and one column right.

    Args:
        padded: (66, g, 66) zero-padded patches.
        scratch: (3, 66 * g * 66) working memory.
        is_edge: (66, g, 66) receives the result.
    """
    pixels = padded.reshape(-1)
    twice = np.multiply(pixels, 2, out=scratch[0])
    row = pixels.size // _PADDED_PX
    count = pixels.size - 2 * row - 2
    across, down = scratch[1:, :count]

    np.subtract(pixels[:count], pixels[2 : count + 2], out=across)
    across += twice[row : row + count]
    across -= twice[row + 2 : row + 2 + count]
    across += pixels[2 * row : -2]
    across -= pixels[2 * row + 2 :]

    np.add(pixels[:count], twice[1 : count + 1], out=down)
    down += pixels[2 : count + 2]
    down -= pixels[2 * row : -2]
    down -= twice[2 * row + 1 : -1]
    down -= pixels[2 * row + 2 :]

    across *= across
    down *= down
    across += down
    np.greater(across, _EDGE_MAGNITUDE_SQUARED, out=is_edge.reshape(-1)[row + 1 : row + 1 + count])


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
