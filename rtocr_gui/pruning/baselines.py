"""How other methods choose the tokens to keep: what RTPrune is compared with, at the same K.

Every method takes what it looks at and K, and gives the K tokens it keeps. Pure NumPy on what was
measured once per page. Knows no ratio, no layout and no model; what becomes of the tokens that are
not kept is in `transport`. None of these is meant for reading documents, and none is a default.
"""

import numpy as np
from numpy.typing import NDArray

_CONTEXTUAL_SHARE = 5 / 32
# What is left of a similarity in float32 after many subtractions; below it, gains are noise.
_LEAST_GAIN = 1e-6
_LEAST_RELEVANCE = 1e-6


def choose_at_random(total: int, count: int, seed: int) -> NDArray[np.int64]:
    """Keep tokens drawn without replacement: what any method has to beat.

    Of one seed, a smaller draw is part of a larger one.

    Args:
        total: N, tokens to draw from.
        count: K, at most N.
        seed: of the draw.

    Returns:
        (K,) tokens.
    """
    return np.random.default_rng(seed).permutation(total)[:count]


def choose_diverse(similarity: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Keep tokens that lie far from each other (DivPrune, arXiv 2503.02175, algorithm 1).

    Max-min diversity by the paper's greedy solution: the first token is the one whose nearest
    neighbour is farthest, and each further one is farthest from all that are kept, in cosine distance
    1 - cos. A smaller choice is part of a larger one.

    Deviations: of equal distances the lowest index is taken, and no token is taken twice (where only
    duplicates are left, the published code takes the same one again).

    Args:
        similarity: (N, N) cosine of every pair.
        count: K, at most N.

    Returns:
        (K,) tokens in the order of choice.
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
    """Keep what the encoder's class token attends to, and a sample of the rest (VisionZip, arXiv 2412.04467).

    Dominant tokens are those of largest attention. Contextual tokens stand at even steps among the
    others, in the order of the page; the tokens of neither kind are merged into them. 5 of 32 kept
    tokens are contextual, as in the paper's settings (10 of 64, 20 of 128, 30 of 192), rounded down.

    Deviations: attention is that of the CLIP tower's last layer, whose output DeepSeek-OCR reads,
    where LLaVA reads the one before and so does the paper. The class token itself is not kept, for
    DeepSeek-OCR never passes it on. Tokens of all views of a page compete in one ranking, although
    each view's attention has a softmax of its own; the paper prunes each view apart.

    Args:
        cls_attention: (N,) the class token's attention on each token.
        count: K, at most N.

    Returns:
        The dominant tokens, and the contextual ones ascending: K together.
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
    """Keep tokens that are relevant and unlike each other (CDPruner, arXiv 2506.10967).

    Greedy maximum a posteriori inference of a determinantal point process with the kernel
    diag(q) S diag(q), S the cosine of the tokens and q their relevance scaled to 0..1: each step takes
    the token that raises the determinant most, by a Cholesky factor that grows a row at a time
    (Chen et al., arXiv 1709.05135). A smaller choice is part of a larger one.

    Deviations: the paper's relevance is that of a token to the user's question. Reading a page asks no
    question, and DeepSeek-OCR has no text encoder, so the token's norm, which RTPrune finds to follow
    the text, stands in its place. Where no token adds more than rounding (more tokens wanted than
    the features have dimensions, duplicates), the paper's gain has no square root; the rest follows by
    falling norm.

    Args:
        similarity: (N, N) cosine of every pair.
        norms: (N,) L2 norm of each token.
        count: K, at most N.

    Returns:
        (K,) tokens in the order of choice.
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
