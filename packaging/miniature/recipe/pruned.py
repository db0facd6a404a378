"""RTPrune during the training: what the decoder is given of a page at some retention, with gradients.

Which tokens stay, and how the others are spread over them, is decided by the program's own code and taken
as given. Merging is linear in the tokens, so gradients reach those that stay and, a tenth as strong, those
that are merged. The paper is training-free: that a model was taught so has to be said beside its figures.
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
    """What the decoder is given of a page.

    Attributes:
        visual: (m, D) surviving tokens of the visual sequence.
        places: (m,) where they stood in it, ascending.
        whole: length of the sequence before.
    """

    visual: Tensor
    places: Tensor
    whole: int


def draw_retention(rng: random.Random) -> float | None:
    """A ratio from 0.5 to 1, or now and then None: the page decides."""
    return None if rng.random() < _AUTOMATIC_SHARE else rng.uniform(_LEAST_RETENTION, 1.0)


def prune_page(visual: Tensor, view: Tensor, layout: TokenLayout, retention: float | None) -> PrunedPage:
    """Prune a page as the program does.

    Args:
        visual: (V, D) whole visual sequence.
        view: (S, S) uint8 global view.
        layout: of the sequence.
        retention: share of the prunable tokens to keep; None where the page decides.
    """
    pixels = np.repeat(view.numpy()[..., None], 3, axis=-1)
    prunable = torch.from_numpy(layout.prunable).to(visual.device)
    with torch.autocast(visual.device.type, enabled=False):
        tokens = visual.float()
        measures = measure_tokens(tokens.detach()[prunable], normalise(pixels))
        plan = plan_pruning(layout, measures, PruneSettings(retention))
        merged = apply_plan(tokens, plan)
    return PrunedPage(merged, torch.from_numpy(plan.selected).to(visual.device), len(layout))
