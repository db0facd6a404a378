"""Baselines: how other methods select the tokens to keep, for comparison with RTPrune at the same K.

Each function takes K and the measures its method uses, and returns the K tokens to keep. Pure NumPy on
what was measured once per page. Knows no ratio, no layout and no model; what happens to the remaining
tokens is in `transport`. None of these methods was designed for documents, and none is a default.
"""

import numpy as np
from numpy.typing import NDArray

_CONTEXTUAL_SHARE = 5 / 32
# Similarities are float32: after many subtractions, gains below this are rounding noise.
_LEAST_GAIN = 1e-6
_LEAST_RELEVANCE = 1e-6


def choose_at_random(total: int, count: int, seed: int) -> NDArray[np.int64]:
    """Draw tokens uniformly without replacement: the baseline any method has to beat.

    With the same seed, a smaller draw is a prefix of a larger one.

    Args:
        total: N, tokens to draw from.
        count: K, 0..N.
        seed: seed of the random generator.

    Returns:
        (K,) tokens in the order drawn.
    """
    return np.random.default_rng(seed).permutation(total)[:count]


def choose_diverse(similarity: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Select tokens that lie far from each other (DivPrune, arXiv 2503.02175, algorithm 1).

    Greedy solution of the max-min diversity problem with cosine distance d_ij = 1 - cos(v_i, v_j):

        s_1 = argmax_i min_{j != i} d_ij
        s_k = argmax_i min_{j in {s_1, ..., s_{k-1}}} d_ij

    A smaller selection is a prefix of a larger one.

    Deviations: ties go to the lowest index, and no token is selected twice (once only duplicates are
    left, the published code selects the same token again).

    Args:
        similarity: (N, N) cosine of every pair, -1..1.
        count: K, 0..N.

    Returns:
        (K,) tokens in the order of selection.
    """
    distance = 1 - similarity
    np.fill_diagonal(distance, np.inf)
    nearest = distance.min(axis=0)  # (N,)
    chosen = np.empty(count, dtype=np.int64)
    for step in range(count):
        token = chosen[step] = nearest.argmax()
        nearest = np.minimum(nearest if step else np.inf, distance[token])
        nearest[token] = -np.inf
    return chosen


def choose_attended(
    cls_attention: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Select what the class token attends to, and a sample of the rest (VisionZip, arXiv 2412.04467).

    C = floor(5 K / 32) of the kept tokens are contextual, as in the paper's settings (10 of 64, 20 of
    128, 30 of 192). The K - C tokens of largest attention are dominant. The contextual tokens are
    sampled from the other R tokens in sequence order, at every floor(R / C)-th. `transport` merges the
    tokens of neither kind into the contextual ones.

    Deviations: the attention is that of the last layer of the CLIP tower, whose output DeepSeek-OCR
    uses; the paper takes the second to last, as LLaVA does. The class token itself is not kept, as
    DeepSeek-OCR never passes it on. The tokens of all views of a page are ranked together, although
    each view has its own softmax; the paper prunes each view separately.

    Args:
        cls_attention: (N,) the class token's attention on each token, 0..1.
        count: K, 0..N.

    Returns:
        (K - C,) the dominant tokens by falling attention, and (C,) the contextual ones ascending.
    """
    contextual_count = int(count * _CONTEXTUAL_SHARE)
    order = np.argsort(-cls_attention, kind="stable")
    dominant = order[: count - contextual_count]
    others = np.sort(order[count - contextual_count :])
    step = max(1, len(others) // max(1, contextual_count))
    return dominant, others[::step][:contextual_count]


def choose_likely(
    similarity: NDArray[np.float32], norms: NDArray[np.float32], count: int
) -> NDArray[np.int64]:
    """Select tokens that are relevant and unlike each other (CDPruner, arXiv 2506.10967).

    Greedy maximum a posteriori inference for a determinantal point process with kernel
    L = diag(q) S diag(q), where S_ij = cos(v_i, v_j) and q_i is the relevance of token i, min-max scaled
    to 0..1. Each step selects the token that raises the determinant most,

        s_k = argmax_i det(L_{s_1, ..., s_{k-1}, i}) = argmax_i ( L_ii - |c_i|^2 ),

    with c_i the column of token i in a Cholesky factor that grows by one row per step (Chen et al.,
    arXiv 1709.05135). A smaller selection is a prefix of a larger one.

    Deviations: the paper's q is the relevance of a token to the user's question. Reading a page asks
    no question and DeepSeek-OCR has no text encoder, so q is the token's L2 norm, which RTPrune found
    to follow the text. Once no gain exceeds rounding (duplicates, or K above the feature dimension),
    the paper's update would take the square root of a number that is not positive; here the remaining
    tokens follow by falling norm.

    Args:
        similarity: (N, N) cosine of every pair, -1..1.
        norms: (N,) L2 norm of each token.
        count: K, 0..N.

    Returns:
        (K,) tokens in the order of selection.
    """
    spread = float(np.ptp(norms))
    above = (norms - norms.min()).astype(np.float64) / spread if spread else np.ones(len(norms))
    relevance = above + _LEAST_RELEVANCE
    kernel = relevance[:, None] * similarity * relevance  # (N, N)
    gains = np.diagonal(kernel).copy()
    factor = np.empty((count, len(norms)))
    chosen: list[int] = []
    while len(chosen) < count:
        token = int(gains.argmax())
        if gains[token] <= _LEAST_GAIN:
            break
        known = factor[: len(chosen)]
        row = (kernel[token] - known[:, token] @ known) / np.sqrt(gains[token])
        factor[len(chosen)] = row
        gains -= row * row
        gains[token] = -np.inf
        chosen.append(token)
    left = np.setdiff1d(np.arange(len(norms)), chosen)
    by_norm = left[np.argsort(-norms[left], kind="stable")]
    return np.concatenate([np.array(chosen, dtype=np.int64), by_norm[: count - len(chosen)]])
