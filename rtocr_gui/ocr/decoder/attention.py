"""Traces where on its page a reading comes from: the decoder's attention, collected in a second pass.

The finished text goes through the decoder once more, many tokens at a time (teacher forcing), with
stock transformers' eager attention, which returns its weights; reading itself is not slowed down. Only the
requested part of each layer's weights is kept, so memory stays bounded however long the text is. Knows the
stock model's interface; knows no page, no plan and no text.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, UnlimitedOcrForConditionalGeneration

from rtocr_gui.ocr.decoder.decoding import Prompt

LAYERS = 2
"""How many of the decoder's last layers to average. In the bundled model, the last two point most precisely
at the letter written next; earlier layers look around."""

CHUNK_TOKENS = 256
"""How many tokens go through the decoder at once; one layer's attention weights are held for this many."""


@torch.inference_mode()
def trace_reading(
    model: UnlimitedOcrForConditionalGeneration,
    prompt: Prompt,
    token_ids: Sequence[int],
    columns: Tensor,
    cancel: threading.Event,
    layers: int = LAYERS,
) -> Tensor | None:
    """Collect the attention with which each token of a reading was predicted.

    Args:
        model: the model that generated them.
        prompt: the prompt of the reading.
        token_ids: T generated tokens.
        columns: (C,) int64, positions in the prompt to look at.
        cancel: checked before every chunk.
        layers: how many of the decoder's last layers to average.

    Returns:
        (T, C) float32 on the CPU, in 0..1: row i is the attention of the token before token i, which
        predicted it, averaged over heads and layers. None if cancelled.
    """
    decoder: Any = model.model.language_model
    cache = DynamicCache(config=decoder.config)
    inputs, positions = _inputs(model, prompt, token_ids)
    _keep_whole_prompt(cache, len(prompt.position_ids))
    asked = len(prompt.position_ids) - 1
    rows = torch.zeros((len(token_ids), len(columns)))
    if cancel.is_set() or not token_ids:
        return None if cancel.is_set() else rows
    # An explicit mask: otherwise gaps between positions would be taken for borders of packed sequences.
    mask = torch.ones((1, len(inputs)), dtype=torch.int64, device=inputs.device)
    _forward(decoder, inputs[:asked], positions[:asked], mask[:, :asked], cache)
    with _eager_attention(decoder, layers, columns) as collected:
        for begin in range(asked, len(inputs), CHUNK_TOKENS):
            if cancel.is_set():
                return None
            end = min(begin + CHUNK_TOKENS, len(inputs))
            collected.clear()
            _forward(decoder, inputs[begin:end], positions[begin:end], mask[:, :end], cache)
            rows[begin - asked : end - asked] = torch.stack(collected).mean(dim=0).cpu()
    return rows


def _inputs(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt, token_ids: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return embeddings and positions of the prompt and of all generated tokens but the last."""
    fed = torch.tensor(token_ids[:-1], dtype=torch.int64, device=prompt.embeddings.device)
    generated = model.get_input_embeddings()(fed)
    places = prompt.next_position + torch.arange(len(fed), device=prompt.position_ids.device)
    return torch.cat([prompt.embeddings, generated]), torch.cat([prompt.position_ids, places])


def _keep_whole_prompt(cache: DynamicCache, prompt_tokens: int) -> None:
    """Set the prompt's length in windowed layers, which keep all of it: it is fed in two passes."""
    layers: list[Any] = cache.layers
    for layer in layers:
        if layer.is_sliding:
            layer.set_prefill_length(prompt_tokens)


def _forward(decoder: Any, embeddings: Tensor, positions: Tensor, mask: Tensor, cache: DynamicCache) -> None:
    decoder(
        inputs_embeds=embeddings[None],
        position_ids=positions[None],
        attention_mask=mask,
        past_key_values=cache,
        use_cache=True,
    )


@contextmanager
def _eager_attention(decoder: Any, layers: int, columns: Tensor) -> Iterator[list[Tensor]]:
    """Make the last layers append (queries, C) weights, averaged over heads, to the list at every pass."""
    collected: list[Tensor] = []

    def collect(_layer: torch.nn.Module, _inputs: object, output: tuple[Tensor, Tensor]) -> None:
        _attended, weights = output  # (1, heads, queries, keys)
        collected.append(weights[0].index_select(-1, columns).float().mean(dim=0))

    usual = decoder.config._attn_implementation
    hooks = [layer.self_attn.register_forward_hook(collect) for layer in decoder.layers[-layers:]]
    try:
        decoder.set_attn_implementation("eager")
        yield collected
    finally:
        decoder.set_attn_implementation(usual)
        for hook in hooks:
            hook.remove()
