"""The position tables of the vision encoders: computed on the CPU, once for each size of view, and kept.

The stock encoders scale their tables to the view in every pass and every layer. Not every device can do
that: MPS has antialiased bicubic scaling only since PyTorch 2.8. But a table depends on weights and size
alone. So the stock code computes it from a copy of the weights on the CPU, and what it gave is kept on
the device of the model. Knows the stock model's vision encoders; knows no page.
"""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration


def keep_position_tables(model: UnlimitedOcrForConditionalGeneration) -> None:
    """Let a model compute each position table once. Its visual tokens stay the same to the bit on a CPU.

    Args:
        model: in evaluation mode; its weights must not change from here on.
    """
    tower = model.model.vision_tower
    _keep_positions_of_sam(tower.sam_encoder)
    for layer in tower.sam_encoder.layers:
        _keep_relative_positions(layer.attn)
    _keep_positions_of_clip(tower.vision_encoder.embeddings)


class _Tables:
    """Tables by their size, each computed when it is first asked for."""

    def __init__(self, compute: Callable[..., Tensor]) -> None:
        self._compute = compute
        self._tables: dict[tuple[torch.device, tuple[int, ...]], Tensor] = {}

    def on(self, device: torch.device, *size: int) -> Tensor:
        key = device, size
        if key not in self._tables:
            with torch.inference_mode(mode=False), torch.no_grad():
                self._tables[key] = self._compute(*size).to(device)
        return self._tables[key]


def _keep_positions_of_sam(encoder: Any) -> None:
    """Absolute positions, asked for as patches down and across."""
    stock, device = type(encoder).interpolate_pos_encoding, encoder.pos_embed.device
    weights = SimpleNamespace(pos_embed=encoder.pos_embed.cpu())
    tables = _Tables(lambda *size: stock(weights, *size))
    encoder.interpolate_pos_encoding = lambda *size: tables.on(device, *size)


def _keep_relative_positions(attention: Any) -> None:
    """Positions relative to each other along one axis, asked for as patches of query and key."""
    stock = type(attention).get_rel_pos

    def tables_of(weights: Tensor) -> _Tables:
        return _Tables(lambda query, key: stock(SimpleNamespace(), query, key, weights))

    axes = {id(weights): tables_of(weights.cpu()) for weights in (attention.rel_pos_h, attention.rel_pos_w)}
    attention.get_rel_pos = lambda query, key, weights: axes[id(weights)].on(weights.device, query, key)


def _keep_positions_of_clip(embeddings: Any) -> None:
    """Positions of the class token and the patches, asked for as pixels down and across."""
    twin, width = copy.deepcopy(embeddings).cpu(), embeddings.embed_dim

    def compute(tokens: int, height: int, across: int) -> Tensor:
        table: Tensor = twin.interpolate_pos_encoding(torch.empty(1, tokens, width), height, across)
        return table

    tables = _Tables(compute)
    embeddings.interpolate_pos_encoding = lambda given, *size: tables.on(given.device, given.shape[1], *size)
