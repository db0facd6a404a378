"""Causal attention for a CPU: in blocks of queries, each of which sees only the keys up to its end.

A decoder step on a page is a fifth faster than with the stock kernel. Scores have the precision of the
values, bfloat16 in training, as in the stock "eager" attention. Knows the stock attention interface only.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface

BY_BLOCKS = "by_blocks"
"""Name of `attend_by_blocks` in the stock model's configuration."""

_BLOCK = 512


def attend_by_blocks(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: None, scaling: float, **_: Any
) -> tuple[Tensor, None]:
    """Compute causal attention like the stock attention does without a mask.

    Args:
        module: attention module of the stock model, with as many key heads as query heads.
        query: (B, H, S, D).
        key: (B, H, S, D).
        value: (B, H, S, D).
        attention_mask: must be None.
        scaling: factor for the scores.

    Returns:
        (B, S, H, D), and None for the weights.
    """
    assert attention_mask is None
    assert module.num_key_value_groups == 1
    assert query.shape == key.shape
    query = query * scaling
    later = value.new_full((_BLOCK, _BLOCK), -torch.inf).triu(1)
    seen = []
    for start, asking in enumerate(torch.split(query, _BLOCK, dim=2)):
        first, end = start * _BLOCK, start * _BLOCK + asking.shape[2]
        scores = asking @ key[:, :, :end].mT
        scores[..., first:] += later[: end - first, : end - first]
        seen.append(scores.softmax(-1) @ value[:, :, :end])
    return torch.cat(seen, dim=2).transpose(1, 2), None


AttentionInterface.register(BY_BLOCKS, attend_by_blocks)
