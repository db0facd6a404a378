"""Moves the content of merged tokens into the kept ones by entropic optimal transport.

The application of a plan, apart from its decision. The transport is solved by POT on the
similarities the plan already holds. Knows no model and no page. Source: RTPrune, arXiv
2605.00392, "read twice".
"""

import numpy as np
import ot
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtocr_gui.errors import PruningError
from rtocr_gui.pruning.plan import PrunePlan

_DUSTBIN_SIMILARITY = 0.2
_REGULARISATION = 1.0
_MERGE_WEIGHT = 0.1
# Costs lie in [-1, 1], so the scaling contracts by 0.6 or better: 60 steps reach this at worst, 10 as a rule.
_MARGINAL_ERROR = 1e-12


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


def transport_mass(plan: PrunePlan) -> NDArray[np.float64]:
    """Tell how much of each merged token goes into each kept token.

    Args:
        plan: K tokens kept, P merged.

    Returns:
        (K, P) masses. A column sums to less than 1: the rest of that token goes to the dustbin.
    """
    similarity = plan.measures.similarity[np.ix_(plan.kept, plan.merged)]
    return solve_transport(similarity)[:-1, :-1]


@torch.no_grad()
def apply_plan(tokens: Tensor, plan: PrunePlan) -> Tensor:
    """Give the visual sequence that the decoder receives: kept_i += 0.1 * sum_j T_ij merged_j.

    Args:
        tokens: (n, D) whole visual sequence in any floating type, on any device.
        plan: made from these tokens.

    Returns:
        (m, D) rows `plan.selected`, same type and device. Newlines and the separator are
        unchanged; where nothing is merged, so is everything else.

    Raises:
        PruningError: the plan is about a sequence of another length.
    """
    if tokens.ndim != 2 or len(tokens) != len(plan.layout):
        raise PruningError(
            f"The plan is about {len(plan.layout)} visual tokens, but the sequence has shape "
            f"{tuple(tokens.shape)}. Plan the page again."
        )
    device = tokens.device
    survivors = tokens[torch.from_numpy(plan.selected).to(device)]  # (m, D)
    if len(plan.kept) == 0 or len(plan.merged) == 0:
        return survivors
    kept_rows = np.searchsorted(plan.selected, plan.layout.prunable[plan.kept])
    merged_rows = plan.layout.prunable[plan.merged]
    mass = torch.from_numpy(transport_mass(plan)).float().to(device)  # (K, P)
    merged = tokens[torch.from_numpy(merged_rows).to(device)].float()  # (P, D)
    result = survivors.float()
    result.index_add_(0, torch.from_numpy(kept_rows).to(device), mass @ merged, alpha=_MERGE_WEIGHT)
    return result.to(tokens.dtype)
