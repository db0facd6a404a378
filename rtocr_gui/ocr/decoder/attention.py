"""Where a reading was looked up on its page: the decoder's attention, collected in a second pass.

The finished text goes through the decoder once more, many tokens at a time (teacher forcing), under
stock transformers' eager attention, which gives its weights; reading itself never pays for that. What
is kept of each layer is the little that is asked for, so memory stays bounded however long the text
is. Knows the stock model's interface; knows no page, no plan and no text.
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
"""How many of the decoder's last layers are averaged. With the bundled model, two point most exactly at the
letter that is written next; layers before them look around."""

CHUNK_TOKENS = 256
"""How many tokens go through the decoder at once; the weights of one layer are held for so many."""


@torch.inference_mode()
def trace_reading(
    model: UnlimitedOcrForConditionalGeneration,
    prompt: Prompt,
    token_ids: Sequence[int],
    columns: Tensor,
    cancel: threading.Event,
    layers: int = LAYERS,
) -> Tensor | None:
    """Collect the attention that each token of a reading was predicted with.

    Args:
        model: that read.
        prompt: what the reading began with.
        token_ids: T generated tokens.
        columns: (C,) int64, places in the prompt to look at.
        cancel: checked before every chunk.
        layers: how many of the decoder's last layers to average.

    Returns:
        (T, C) float32 on the CPU, in 0..1: row i is the attention of the token before token i, whose
        output token i was, averaged over heads and layers. None where it was cancelled.
    """
    decoder: Any = model.model.language_model
    cache = DynamicCache(config=decoder.config)
    inputs, positions = _inputs(model, prompt, token_ids)
    _keep_whole_prompt(cache, len(prompt.position_ids))
    asked = len(prompt.position_ids) - 1
    rows = torch.zeros((len(token_ids), len(columns)))
    if cancel.is_set() or not token_ids:
        return None if cancel.is_set() else rows
    # An explicit mask: gaps between positions would else be taken for borders of packed sequences.
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
    """Embeddings and positions of the prompt and of the generated tokens; the last predicts none."""
    fed = torch.tensor(token_ids[:-1], dtype=torch.int64, device=prompt.embeddings.device)
    generated = model.get_input_embeddings()(fed)
    places = prompt.next_position + torch.arange(len(fed), device=prompt.position_ids.device)
    return torch.cat([prompt.embeddings, generated]), torch.cat([prompt.position_ids, places])


def _keep_whole_prompt(cache: DynamicCache, prompt_tokens: int) -> None:
    """Tell layers with a window where the prompt ends, which they keep whole: it comes in two passes."""
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
    """Let the last layers add (queries, C) weights, averaged over heads, to the list at every pass."""
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
