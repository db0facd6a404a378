"""RTPrune during training: the decoder's input from a pruned page, with gradients.

Which tokens stay, and how the others are distributed over them, is decided by the program's own code and
treated as constant. Merging is linear in the tokens, so gradients reach kept tokens and, scaled by 0.1 T_ij,
merged ones. Deviation: the paper's method is training-free, so a model trained with it must be declared as
such beside its figures.
"""

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rtocr_gui.ocr.vision.views import normalise
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.plan import PruneSettings, plan_pruning
from rtocr_gui.pruning.transport import apply_plan
from rtocr_gui.tokens import TokenLayout

_LEAST_RETENTION = 0.5
_AUTOMATIC_SHARE = 0.4


@dataclass(frozen=True, eq=False, slots=True)
class PrunedPage:
    """The decoder's input from a pruned page.

    Attributes:
        visual: (m, D) surviving tokens of the visual sequence.
        places: (m,) their positions in it, ascending.
        whole: length of the sequence before pruning.
    """

    visual: Tensor
    places: Tensor
    whole: int


def draw_retention(rng: random.Random) -> float | None:
    """Draw a ratio from 0.5 to 1, or None for automatic retention."""
    return None if rng.random() < _AUTOMATIC_SHARE else rng.uniform(_LEAST_RETENTION, 1.0)


def prune_page(visual: Tensor, view: Tensor, layout: TokenLayout, retention: float | None) -> PrunedPage:
    """Prune a page as the program does.

    Args:
        visual: (V, D) whole visual sequence.
        view: (S, S) uint8 global view.
        layout: layout of the sequence.
        retention: share of the prunable tokens to keep; None for automatic retention.
    """
    pixels = np.repeat(view.cpu().numpy()[..., None], 3, axis=-1)
    prunable = torch.from_numpy(layout.prunable).to(visual.device)
    tokens = visual.float()
    measures = measure_tokens(tokens.detach()[prunable], normalise(pixels))
    plan = plan_pruning(layout, measures, PruneSettings(retention))
    merged = apply_plan(tokens, plan)
    return PrunedPage(merged, torch.from_numpy(plan.selected).to(visual.device), len(layout))
