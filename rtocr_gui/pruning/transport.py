"""Applies a plan: merges the content of the other tokens into the kept ones, by the plan's method.

RTPrune's entropic optimal transport is solved by POT on the similarities the plan already holds;
VisionZip averages; the other methods merge nothing. Knows no model and no page. Source: RTPrune,
arXiv 2605.00392, "read twice".
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
# Costs lie in [-1, 1], so an iteration shrinks the error to 0.6 or less: at worst 60 reach this, usually 10.
_MARGINAL_ERROR = 1e-12


def solve_transport(similarity: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distribute each merged token over the kept tokens and a dustbin.

    Solves the entropic optimal transport problem

        T = argmin_T <T, -S>_F + sum_ij T_ij log T_ij
        s.t. T 1 = a, T^T 1 = b, T >= 0

    where S is the similarity bordered by a dustbin row and a dustbin column of 0.2, and the marginals
    are a = (1, ..., 1, P) and b = (1, ..., 1, K): every token carries mass 1. POT solves it with all
    masses divided by K + P. If K or P is 0, all mass goes to the dustbin.

    Deviation: the reference runs 100 Sinkhorn iterations in float32; this runs to convergence in
    float64. The two agree to about 1e-8.

    Args:
        similarity: (K, P) cosine of kept and merged tokens, in -1..1.

    Returns:
        (K + 1, P + 1) masses T; the last row and column are the dustbins. Rows of kept tokens and
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
    """Compute how much of each merged token goes into each kept token, by the plan's method.

    RTPrune: `solve_transport`, without the dustbins. VisionZip: T_ij = 1 for the contextual token i of
    largest cosine with j, else 0. Otherwise zeros.

    Deviation: VisionZip's paper compares attention keys; here the tokens themselves are compared, as in
    RTPrune.

    Args:
        plan: K tokens kept, P merged.

    Returns:
        The masses T, (K, P).

    Raises:
        PruningError: VisionZip's plan was made from measures without the class token's attention.
    """
    mass = np.zeros((len(plan.kept), len(plan.merged)), dtype=np.float32)
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
    """Build the visual sequence that the decoder receives.

    With kept tokens v_i, merged tokens u_j and T from `transport_of`:

        RTPrune:    v_i <- v_i + 0.1 sum_j T_ij u_j
        VisionZip:  v_i <- (v_i + sum_j T_ij u_j) / (1 + sum_j T_ij)

    The other methods leave the kept tokens unchanged.

    Deviation: VisionZip's published code adds the mean of the u_j to v_i before the projector; after
    the projector, where this runs, that would double the norm.

    Args:
        tokens: (n, D) whole visual sequence of any floating type, on any device.
        plan: a plan made for these tokens.

    Returns:
        (m, D) the rows `plan.selected`, same type and device; gradients flow through. Newlines and the
        separator are unchanged.

    Raises:
        PruningError: the plan was made for a sequence of a different length.
    """
    if tokens.ndim != 2 or len(tokens) != len(plan.layout):
        raise PruningError(
            f"The plan is about {len(plan.layout)} visual tokens, but the sequence has shape "
            f"{tuple(tokens.shape)}. Plan the page again."
        )
    device = tokens.device
    survivors = tokens[send(plan.selected, device)]  # (m, D)
    transport = transport_of(plan)
    if not transport.mass.any():
        return survivors
    merged_rows = send(plan.layout.prunable[plan.merged], device)
    carried = send(transport.mass, device) @ tokens[merged_rows].float()  # (K, D)
    kept_rows = send(plan.kept_rows, device)
    result = survivors.float()
    if plan.method is PruneMethod.RTPRUNE:
        result.index_add_(0, kept_rows, carried, alpha=_MERGE_WEIGHT)
    else:
        parts = 1 + send(transport.received, device).unsqueeze(1)  # (K, 1)
        result[kept_rows] = (result[kept_rows] + carried) / parts
    return result.to(tokens.dtype)
