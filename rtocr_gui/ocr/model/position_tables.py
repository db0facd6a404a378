"""Caches the position tables of the vision encoders, computed on the CPU once per size of view.

The stock encoders interpolate their tables to the view in every pass and every layer. Not every device
can do that: MPS supports antialiased bicubic interpolation only since PyTorch 2.8. But a table depends on
weights and size alone, so the stock code computes it from a copy of the weights on the CPU, and the result
is kept on the model's device. Knows the stock model's vision encoders; knows no page.
"""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration


def keep_position_tables(model: UnlimitedOcrForConditionalGeneration) -> None:
    """Let a model compute each position table once. On a CPU, its visual tokens are bit-identical.

    Args:
        model: a model in evaluation mode; its weights must not change from here on.
    """
    tower = model.model.vision_tower
    _keep_positions_of_sam(tower.sam_encoder)
    for layer in tower.sam_encoder.layers:
        _keep_relative_positions(layer.attn)
    _keep_positions_of_clip(tower.vision_encoder.embeddings)


class _Tables:
    """Tables by size, each computed when first requested."""

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
    """Cache the absolute positions, requested by patches down and across."""
    stock, device = type(encoder).interpolate_pos_encoding, encoder.pos_embed.device
    weights = SimpleNamespace(pos_embed=encoder.pos_embed.cpu())
    tables = _Tables(lambda *size: stock(weights, *size))
    encoder.interpolate_pos_encoding = lambda *size: tables.on(device, *size)


def _keep_relative_positions(attention: Any) -> None:
    """Cache the relative positions along each axis, requested by the patches of query and key."""
    stock = type(attention).get_rel_pos

    def tables_of(weights: Tensor) -> _Tables:
        return _Tables(lambda query, key: stock(SimpleNamespace(), query, key, weights))

    axes = {id(weights): tables_of(weights.cpu()) for weights in (attention.rel_pos_h, attention.rel_pos_w)}
    attention.get_rel_pos = lambda query, key, weights: axes[id(weights)].on(weights.device, query, key)


def _keep_positions_of_clip(embeddings: Any) -> None:
    """Cache the positions of the class token and the patches, requested by pixels down and across."""
    twin, width = copy.deepcopy(embeddings).cpu(), embeddings.embed_dim

    def compute(tokens: int, height: int, across: int) -> Tensor:
        table: Tensor = twin.interpolate_pos_encoding(torch.empty(1, tokens, width), height, across)
        return table

    tables = _Tables(compute)
    embeddings.interpolate_pos_encoding = lambda given, *size: tables.on(given.device, given.shape[1], *size)
