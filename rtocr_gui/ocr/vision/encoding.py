"""Encodes views into visual tokens with the model's own vision encoders.

Knows the stock model's interface; knows no page, no plan and no text.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.ocr.vision.views import PageViews, normalise


@torch.inference_mode()
def encode_views(model: UnlimitedOcrForConditionalGeneration, views: PageViews) -> Tensor:
    """Encode a page.

    Args:
        model: a model in evaluation mode.
        views: the views of one page.

    Returns:
        (n, D) the whole visual sequence in the model's type and on its device, newlines and separator
        included, in the order of `layout.build_layout`.
    """
    across, down = views.crop_wh
    tiled = len(views.tiles) > 0
    features = model.get_image_features(
        pixel_values=_pixel_values(model, views.normalised_global_view[None]),
        pixel_values_local=_pixel_values(model, normalise(views.tiles)) if tiled else None,
        num_local_patches=[len(views.tiles)] if tiled else None,
        patches_grid=[[across, down]] if tiled else None,
    )
    sequence: Tensor = features.pooler_output[0]
    return sequence


def encode_with_cls_attention(
    model: UnlimitedOcrForConditionalGeneration, views: PageViews
) -> tuple[Tensor, NDArray[np.float32]]:
    """Encode a page, and measure the attention of the CLIP tower's class token in its last layer.

    Args:
        model: a model in evaluation mode.
        views: the views of one page.

    Returns:
        The visual sequence, bit-identical to that of `encode_views`; and (N,) the attention on each
        prunable token in sequence order, averaged over heads. Each view has its own softmax, over its
        tokens and the class token.
    """
    with _cls_attention_of(model) as seen:
        sequence = encode_views(model, views)
    attention = seen[0].ravel()  # global view, row by row
    if len(views.tiles):
        across, down = views.crop_wh
        side = round(seen[1].shape[1] ** 0.5)
        canvas = seen[1].reshape(down, across, side, side).transpose(0, 2, 1, 3)
        attention = np.concatenate([canvas.ravel(), attention])
    return sequence, attention


@contextmanager
def _cls_attention_of(model: UnlimitedOcrForConditionalGeneration) -> Iterator[list[NDArray[np.float32]]]:
    """Watch the last CLIP layer; every pass through it appends one (views, tokens) array.

    The layer itself runs unchanged, with whatever attention kernel it uses; the class token's row is
    computed again from the layer's own projections, because fused kernels do not return attention.
    """
    layer = model.model.vision_tower.vision_encoder.encoder.layers[-1].self_attn
    seen: list[NDArray[np.float32]] = []

    def watch(attention: Any, _arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        hidden: Tensor = named["hidden_states"]  # (views, 1 + tokens, width)
        heads = (*hidden.shape[:2], attention.num_heads, attention.head_dim)
        keys = attention.k_proj(hidden).view(heads).float()
        query = attention.q_proj(hidden[:, :1]).view(heads[0], *heads[2:]).float()
        scores = torch.einsum("vhd,vthd->vht", query, keys) * attention.scale
        shares = scores.softmax(dim=-1).mean(dim=1)[:, 1:]
        seen.append(shares.cpu().numpy())

    handle = layer.register_forward_pre_hook(watch, with_kwargs=True)
    try:
        yield seen
    finally:
        handle.remove()


def _pixel_values(model: UnlimitedOcrForConditionalGeneration, pixels: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(pixels).to(device=model.device, dtype=model.dtype)
