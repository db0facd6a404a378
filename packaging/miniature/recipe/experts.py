"""All experts of a layer at once: what a GPU computes faster than each expert on its own tokens.

A layer of the miniature has few and narrow experts. Looking up which tokens go to which of them stops a GPU
several times a layer; computing every expert for every token costs four times the arithmetic and no stop.
"""

from typing import Any

import torch
from torch import Tensor
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

EVERY_EXPERT = "every_expert"
"""The name that the stock model's configuration knows `run_every_expert` by."""


def run_every_expert(experts: Any, states: Tensor, chosen: Tensor, shares: Tensor) -> Tensor:
    """The weighted sum of the chosen experts, as the stock experts give it.

    Args:
        experts: stock module with stacked weights.
        states: (T, D).
        chosen: (T, K) numbers of experts.
        shares: (T, K) their weights.

    Returns:
        (T, D).
    """
    every_share = shares.new_zeros(len(states), experts.num_experts).scatter(1, chosen, shares)  # (T, E)
    gate, up = torch.einsum("td,eid->eti", states, experts.gate_up_proj).chunk(2, dim=-1)
    inner = experts.act_fn(gate) * up * every_share.T[..., None].to(gate.dtype)
    return torch.einsum("eti,edi->td", inner, experts.down_proj).to(states.dtype)


ALL_EXPERTS_FUNCTIONS.register(EVERY_EXPERT, run_every_expert)
