"""Moves the content of merged tokens into the kept ones, in the way of the plan's own method.

The application of a plan, apart from its decision. RTPrune's entropic optimal transport is solved by
POT on the similarities the plan already holds; VisionZip averages; the other methods merge nothing.
Knows no model and no page. Source: RTPrune, arXiv 2605.00392, "read twice".
"""

import numpy as np
import ot
from numpy.typing import NDArray
from torch import Tensor

from rtocr_gui.errors import PruningError
from rtocr_gui.pruning.plan import PruneMethod, PrunePlan, Transport, contextual_tokens
from rtocr_gui.pruning.sending import send

_DUSTBIN_SIMILARITY = 0.2
_REGULARISATION = 1.0
_MERGE_WEIGHT = 0.1
# Costs lie in [-1, 1], so the scaling contracts by 0.6 or better: 60 steps reach this at worst, 10 as a rule.
_MARGINAL_ERROR = 1e-12
_MERGING_METHODS = (PruneMethod.RTPRUNE, PruneMethod.VISIONZIP)


def solve_transport(similarity: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distribute each merged token over the kept tokens and a dustbin.

    Entropic optimal transport with cost -similarity and regularisation 1, on a matrix bordered by
    a dustbin row and column of similarity 0.2. Every token carries mass 1; the dustbin row carries
    P, the dustbin column K. The reference runs 100 iterations in float32; this runs to convergence
    in float64.

    Args:
        similarity: (K, P) cosine of kept and merged tokens, in -1..1.

    Returns:
        (K + 1, P + 1) masses; the last row and column are the dustbins. Rows of kept tokens and
        columns of merged tokens sum to 1.
    """
    kept_count, merged_count = similarity.shape
    total = kept_count + merged_count
    cost = np.full((kept_count + 1, merged_count + 1), -_DUSTBIN_SIMILARITY)
    np.negative(similarity, out=cost[:-1, :-1])
    if kept_count == 0 or merged_count == 0:
        all_to_dustbin = np.ones_like(cost)
        all_to_dustbin[-1, -1] = 0.0
        return all_to_dustbin
    row_mass = np.full(kept_count + 1, 1.0 / total)
    row_mass[-1] = merged_count / total
    column_mass = np.full(merged_count + 1, 1.0 / total)
    column_mass[-1] = kept_count / total
    masses: NDArray[np.float64] = ot.sinkhorn(
        row_mass, column_mass, cost, _REGULARISATION, stopThr=_MARGINAL_ERROR
    )
    scaled: NDArray[np.float64] = masses * total
    return scaled


def transport_of(plan: PrunePlan) -> Transport:
    """Tell how much of each merged token goes into each kept token, by the plan's own method.

    Args:
        plan: K tokens kept, P merged.

    Returns:
        RTPrune: the optimal transport, without its dustbins. VisionZip: each merged token goes whole into
        the contextual token it resembles most (the paper compares attention keys; here, what RTPrune
        compares, the tokens themselves). Otherwise nothing: zeros.
    """
    mass = np.zeros((len(plan.kept), len(plan.merged)), dtype=np.float32)
    if mass.size == 0:
        return Transport(mass)
    match plan.method:
        case PruneMethod.RTPRUNE:
            similarity = plan.measures.similarity[np.ix_(plan.kept, plan.merged)]
            mass = solve_transport(similarity)[:-1, :-1].astype(np.float32)
        case PruneMethod.VISIONZIP:
            targets = contextual_tokens(plan.measures, len(plan.kept))
            if len(targets):
                nearest = targets[plan.measures.similarity[np.ix_(targets, plan.merged)].argmax(axis=0)]
                mass[np.searchsorted(plan.kept, nearest), np.arange(len(plan.merged))] = 1
    return Transport(mass)


def apply_plan(tokens: Tensor, plan: PrunePlan) -> Tensor:
    """Give the visual sequence that the decoder receives.

    RTPrune: kept_i += 0.1 * sum_j T_ij merged_j. VisionZip: a contextual token becomes the mean of itself
    and the tokens that are merged into it (the published code adds their mean to it instead, ahead of the
    projector, which would double its norm behind it). The other methods leave the kept tokens as they are.

    Args:
        tokens: (n, D) whole visual sequence in any floating type, on any device.
        plan: made from these tokens.

    Returns:
        (m, D) rows `plan.selected`, same type and device; gradients go through. Newlines and the separator
        are unchanged; where nothing is merged, so is everything else.

    Raises:
        PruningError: the plan is about a sequence of another length.
    """
    if tokens.ndim != 2 or len(tokens) != len(plan.layout):
        raise PruningError(
            f"The plan is about {len(plan.layout)} visual tokens, but the sequence has shape "
            f"{tuple(tokens.shape)}. Plan the page again."
        )
    device = tokens.device
    survivors = tokens[send(plan.selected, device)]  # (m, D)
    if plan.method not in _MERGING_METHODS or len(plan.kept) == 0 or len(plan.merged) == 0:
        return survivors
    transport = transport_of(plan)
    merged_rows = send(plan.layout.prunable[plan.merged], device)
    carried = send(transport.mass, device) @ tokens[merged_rows].float()  # (K, D)
    kept_rows = send(np.searchsorted(plan.selected, plan.layout.prunable[plan.kept]), device)
    result = survivors.float()
    if plan.method is PruneMethod.RTPRUNE:
        result.index_add_(0, kept_rows, carried, alpha=_MERGE_WEIGHT)
    else:
        parts = 1 + send(transport.received, device).unsqueeze(1)  # (K, 1)
        result[kept_rows] = (result[kept_rows] + carried) / parts
    return result.to(tokens.dtype)
