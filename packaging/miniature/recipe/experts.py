"""Runs all experts of a layer on all tokens, which a GPU computes faster than each expert on its own tokens.

A layer of the miniature has few and narrow experts. Looking up which tokens go to which of them makes a GPU
wait several times per layer; computing every expert for every token costs four times the arithmetic and no
wait. Knows the stock experts interface only.
"""

from typing import Any

import torch
from torch import Tensor
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

EVERY_EXPERT = "every_expert"
"""Name of `run_every_expert` in the stock model's configuration."""


def run_every_expert(experts: Any, states: Tensor, chosen: Tensor, shares: Tensor) -> Tensor:
    """Compute the weighted sum of the chosen experts, like the stock experts.

    Args:
        experts: stock module with stacked weights.
        states: (T, D) hidden states.
        chosen: (T, K) indices of the chosen experts.
        shares: (T, K) their weights.

    Returns:
        (T, D).
    """
    every_share = shares.new_zeros(len(states), experts.num_experts).scatter(1, chosen, shares)  # (T, E)
    gate, up = torch.einsum("td,eid->eti", states, experts.gate_up_proj).chunk(2, dim=-1)
    inner = experts.act_fn(gate) * up * every_share.T[..., None].to(gate.dtype)
    return torch.einsum("eti,edi->td", inner, experts.down_proj)


ALL_EXPERTS_FUNCTIONS.register(EVERY_EXPERT, run_every_expert)
