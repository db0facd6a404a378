"""Measures what a plan needs to know about a page's visual tokens, once per page and mode.

The N x N cosine similarity is the one large product here. Dissimilarity and the transport of any plan
are derived from it, so that neither planning nor moving the slider touches the hidden size again.
Knows torch tensors; knows no model and no layout. Source: RTPrune, arXiv 2605.00392.
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
    """Measure norms, cosine similarity, text density and dissimilarity.

    Args:
        tokens: (N, D) prunable visual tokens of any floating type, on any device; local and global
            tokens pooled, newlines and separator excluded.
        view: (3, 64 * g, 64 * g) float32 global view in [-1, 1].
        cls_attention: (N,) attention of the encoder's class token, for the methods that need it.

    Returns:
        The measures as NumPy arrays.

    Raises:
        PruningError: there are no tokens, a token is not finite, a shape is wrong, or a pixel is out of
            range.
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
    measured = features.new_empty((count + 1, count))  # the similarity, and the norms as its last row
    torch.linalg.vector_norm(features, dim=1, out=measured[count])
    pairwise_cosine(features, measured[count], out=measured[:count])
    # A GPU computes the product while the CPU filters the page; one transfer then fetches everything.
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
    """Compute the cosine of every pair of tokens, S_ij = <v_i, v_j> / (|v_i| |v_j|).

    The cosine with a zero vector is 0. The product is computed in strips of rows, each from its
    diagonal block rightwards; what lies left of that block is mirrored from the strips above.

    Args:
        features: (N, D) float32.
        norms: (N,) L2 norms of the rows.
        out: (N, N) float32, receives the cosines.
    """
    unit = features / norms.clamp_min(_SMALLEST_NORM).unsqueeze(1)
    count = len(unit)
    strip = -(-count // _STRIPS)
    for start in range(0, count, strip):
        stop = start + strip
        out[start:stop, start:] = unit[start:stop] @ unit[start:].T
        out[stop:, start:stop] = out[start:stop, stop:].T
