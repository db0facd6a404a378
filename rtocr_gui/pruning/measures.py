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
    norms = torch.linalg.vector_norm(features, dim=1)
    if not bool(norms.isfinite().all()):
        raise PruningError(
            "The model gave visual tokens that are not finite numbers. Encode the page again; if that does "
            "not help, choose another precision or device, or check the model files."
        )
    similarity = pairwise_cosine(features, norms).cpu().numpy()  # (N, N)
    patch_density = patch_text_density(view)
    host_norms = norms.cpu().numpy()
    return TokenMeasures(
        norms=host_norms,
        order=order_by_norm(host_norms),
        similarity=similarity,
        patch_density=patch_density,
        text_density=float(patch_density.mean(dtype=np.float64)),
        dissimilarity=dissimilarity(similarity),
        measure_ms=(time.perf_counter() - started) * 1000,
        cls_attention=cls_attention,
    )


def pairwise_cosine(features: Tensor, norms: Tensor) -> Tensor:
    """Compute the cosine of every pair of tokens; that of a zero vector is 0.

    The product runs in strips: what lies left of a strip's diagonal block is mirrored from the
    strips above, not computed again.

    Args:
        features: (N, D) float32.
        norms: (N,) L2 norms of the rows.

    Returns:
        (N, N) float32.
    """
    unit = features / norms.clamp_min(_SMALLEST_NORM).unsqueeze(1)
    count = len(unit)
    cosines = unit.new_empty((count, count))
    strip = -(-count // _STRIPS)
    for start in range(0, count, strip):
        stop = start + strip
        cosines[start:stop, start:] = unit[start:stop] @ unit[start:].T
        cosines[stop:, start:stop] = cosines[start:stop, stop:].T
    return cosines
