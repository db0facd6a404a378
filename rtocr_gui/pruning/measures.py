"""Everything a plan needs to know of a page's visual tokens, measured once per page and mode.

The token-by-token cosine is the one large product here. Dissimilarity and the transport of any
plan are read off it, so that neither planning nor moving the slider touches the hidden size again.
Knows torch tensors, no model and no layout. Source: RTPrune, arXiv 2605.00392.
"""

import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtocr_gui.errors import PruningError
from rtocr_gui.pruning.plan import TokenMeasures
from rtocr_gui.pruning.retention import dissimilarity, patch_text_density
from rtocr_gui.pruning.selection import order_by_norm

_SMALLEST_NORM = 1e-12
_STRIPS = 4


@torch.inference_mode()
def measure_tokens(
    tokens: Tensor, view: NDArray[np.float32], cls_attention: NDArray[np.float32] | None = None
) -> TokenMeasures:
    """Measure norms, similarity and text density.

    Args:
        tokens: (N, D) prunable visual tokens in any floating type, on any device; local and global
            tokens pooled, newlines and separator left out.
        view: (3, 64 * g, 64 * g) float32 global view in [-1, 1].
        cls_attention: (N,) what the encoder's class token attends to, for the methods that ask for it.

    Returns:
        The measures, in NumPy.

    Raises:
        PruningError: there is no token, a token is not finite, or a shape is wrong.
    """
    started = time.perf_counter()
    if tokens.ndim != 2 or 0 in tokens.shape:
        raise PruningError(
            f"The visual tokens have shape {tuple(tokens.shape)}, but tokens by hidden size is needed. "
            "Encode the page again."
        )
    if cls_attention is not None and cls_attention.shape != (len(tokens),):
        raise PruningError(
            f"The vision encoder gave {len(tokens)} visual tokens, but attention of shape "
            f"{cls_attention.shape}. Encode the page again."
        )
    features = tokens.float()
    count = len(features)
    measured = features.new_empty((count + 1, count))  # the similarity, and the norms below it
    torch.linalg.vector_norm(features, dim=1, out=measured[count])
    pairwise_cosine(features, measured[count], out=measured[:count])
    # A graphics processor is still at it while the page's pixels are looked at; then all is fetched at once.
    patch_density = patch_text_density(view)
    fetched: NDArray[np.float32] = measured.cpu().numpy()
    similarity, norms = fetched[:count], fetched[count]
    if not np.isfinite(norms).all():
        raise PruningError(
            "The model gave visual tokens that are not finite numbers. Encode the page again; if that does "
            "not help, choose another precision or device, or check the model files."
        )
    return TokenMeasures(
        norms=norms,
        order=order_by_norm(norms),
        similarity=similarity,
        patch_density=patch_density,
        text_density=float(patch_density.mean(dtype=np.float64)),
        dissimilarity=dissimilarity(similarity),
        measure_ms=(time.perf_counter() - started) * 1000,
        cls_attention=cls_attention,
    )


def pairwise_cosine(features: Tensor, norms: Tensor, out: Tensor) -> None:
    """Compute the cosine of every pair of tokens; that of a zero vector is 0.

    The product runs in strips: what lies left of a strip's diagonal block is mirrored from the
    strips above, not computed again.

    Args:
        features: (N, D) float32.
        norms: (N,) L2 norms of the rows.
        out: (N, N) float32, which takes the cosines.
    """
    unit = features / norms.clamp_min(_SMALLEST_NORM).unsqueeze(1)
    count = len(unit)
    strip = -(-count // _STRIPS)
    for start in range(0, count, strip):
        stop = start + strip
        out[start:stop, start:] = unit[start:stop] @ unit[start:].T
        out[stop:, start:stop] = out[start:stop, stop:].T
