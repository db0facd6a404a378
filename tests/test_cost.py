"""What the computed cost of a prefill promises: the number that torch's own counter counts, and the bytes
that the cache really holds."""

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch.utils.flop_counter import FlopCounterMode

from rtocr_gui.ocr.decoder.cost import prefill_cost
from rtocr_gui.ocr.decoder.decoding import Decoder, Prompt, build_prompt
from rtocr_gui.ocr.model.architecture import DecoderSizes, read_architecture
from rtocr_gui.ocr.model.checkpoint import Checkpoint, load_checkpoint
from rtocr_gui.ocr.model.folder import open_folder
from rtocr_gui.resources import resource_path
from tests.small_checkpoint import small_config, small_weights, write_checkpoint, write_config

CPU = torch.device("cpu")
VISUAL_LENGTH = 73
"""Of a page in Tiny mode."""


@pytest.fixture(scope="module", params=["small", "miniature"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    if request.param == "miniature":
        return load_checkpoint(open_folder(resource_path("miniature")), CPU, torch.float32)
    return load_checkpoint(
        open_folder(write_checkpoint(tmp_path_factory.mktemp("small") / "model")), CPU, torch.float32
    )


@pytest.fixture
def eager_attention(checkpoint: Checkpoint) -> Iterator[None]:
    """Attention that the counter can see into."""
    checkpoint.model.set_attn_implementation({"text_config": "eager"})
    yield
    checkpoint.model.set_attn_implementation({"text_config": "sdpa"})


def prompt_of(checkpoint: Checkpoint, visual_tokens: int) -> Prompt:
    """A prompt with so many of a page's visual tokens left."""
    decoder = checkpoint.architecture.decoder
    tokens = torch.randn(visual_tokens, decoder.width, generator=torch.Generator().manual_seed(5))
    return build_prompt(
        checkpoint.model,
        [0],
        tokens.to(checkpoint.model.dtype),
        np.arange(visual_tokens),
        VISUAL_LENGTH,
        [5, 6, 7],
    )


def counted(checkpoint: Checkpoint, prompt: Prompt) -> int:
    with FlopCounterMode(display=False) as counter:
        Decoder(checkpoint.model).prefill(prompt)
    return counter.get_total_flops()


def cache_bytes(checkpoint: Checkpoint, prompt: Prompt) -> int:
    decoder = Decoder(checkpoint.model)
    decoder.prefill(prompt)
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in decoder._cache.layers)


@pytest.mark.usefixtures("eager_attention")
@pytest.mark.parametrize("visual_tokens", [1, 37, VISUAL_LENGTH])
def test_the_operations_are_those_that_a_counter_counts(checkpoint: Checkpoint, visual_tokens: int) -> None:
    prompt = prompt_of(checkpoint, visual_tokens)
    cost = prefill_cost(checkpoint.architecture.decoder, visual_tokens + 4, 4)
    assert cost.flops == counted(checkpoint, prompt)
    assert cost.prompt_tokens == len(prompt.position_ids)


def test_a_counter_counts_nothing_of_fused_attention_on_a_cpu(checkpoint: Checkpoint) -> None:
    decoder, tokens = checkpoint.architecture.decoder, VISUAL_LENGTH + 4
    unseen = 4 * decoder.layers * tokens**2 * decoder.width
    cost = prefill_cost(decoder, tokens, 4)
    assert counted(checkpoint, prompt_of(checkpoint, VISUAL_LENGTH)) == cost.flops - unseen


@pytest.mark.usefixtures("eager_attention")
def test_a_counter_counts_nothing_of_grouped_experts(checkpoint: Checkpoint) -> None:
    decoder, tokens = checkpoint.architecture.decoder, VISUAL_LENGTH + 4
    expert_layers = decoder.layers - decoder.dense_layers
    unseen = 6 * tokens * decoder.width * expert_layers * decoder.experts_per_token * decoder.expert_width
    usual = checkpoint.model.get_experts_implementation()
    checkpoint.model.set_experts_implementation("grouped_mm")
    try:
        seen = counted(checkpoint, prompt_of(checkpoint, VISUAL_LENGTH))
    finally:
        checkpoint.model.set_experts_implementation(usual)
    assert seen == prefill_cost(decoder, tokens, 4).flops - unseen


@pytest.mark.parametrize("visual_tokens", [1, 37, VISUAL_LENGTH])
def test_the_bytes_are_those_that_the_cache_holds(checkpoint: Checkpoint, visual_tokens: int) -> None:
    cost = prefill_cost(checkpoint.architecture.decoder, visual_tokens + 4, 4)
    assert cost.cache_bytes == cache_bytes(checkpoint, prompt_of(checkpoint, visual_tokens))


def test_half_precision_halves_the_cache(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(open_folder(write_checkpoint(tmp_path / "model")), CPU, torch.bfloat16)
    cost = prefill_cost(checkpoint.architecture.decoder, VISUAL_LENGTH + 4, checkpoint.model.dtype.itemsize)
    assert cost.cache_bytes == cache_bytes(checkpoint, prompt_of(checkpoint, VISUAL_LENGTH))
    assert (
        cost.cache_bytes * 2
        == prefill_cost(checkpoint.architecture.decoder, VISUAL_LENGTH + 4, 4).cache_bytes
    )


def test_heads_that_share_keys_cost_less(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model")
    config = copy.deepcopy(small_config())
    config["language_config"]["num_key_value_heads"] = 1
    write_config(folder, config)
    save_file(small_weights(config), folder / "model.safetensors")
    checkpoint = load_checkpoint(open_folder(folder), CPU, torch.float32)
    decoder, tokens = checkpoint.architecture.decoder, VISUAL_LENGTH + 4
    prompt = prompt_of(checkpoint, VISUAL_LENGTH)
    cost = prefill_cost(decoder, tokens, 4)
    assert cost.cache_bytes == cache_bytes(checkpoint, prompt)
    assert counted(checkpoint, prompt) == cost.flops - 4 * decoder.layers * tokens**2 * decoder.width


def test_pruning_saves_more_than_its_share_of_operations() -> None:
    decoder: DecoderSizes = read_architecture(small_config()).decoder
    whole, pruned = prefill_cost(decoder, 400, 2), prefill_cost(decoder, 200, 2)
    assert pruned.flops < whole.flops / 2
    assert pruned.cache_bytes * 2 == whole.cache_bytes
