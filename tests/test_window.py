"""What a model with a window says is what the published attention gives, pruned, drafted and traced."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration
from transformers.models.unlimited_ocr import modeling_unlimited_ocr

from rtocr_gui.ocr import page_stages
from rtocr_gui.ocr.decoder import attention
from rtocr_gui.ocr.decoder.attention import trace_reading
from rtocr_gui.ocr.decoder.decoding import Decoder, Prompt, build_prompt
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.model.checkpoint import load_model
from rtocr_gui.ocr.model.families import UNLIMITED_OCR
from rtocr_gui.ocr.model.folder import check_folder
from rtocr_gui.ocr.pages_together import PageRequest
from rtocr_gui.ocr.reading import Mode, Reading, ReadSettings, Scaling, StopReason
from rtocr_gui.pruning.plan import PruneSettings, plan_pruning
from tests.made_pages import text_page
from tests.readings import read_page
from tests.small_checkpoint import unlimited_config, write_checkpoint

CPU = torch.device("cpu")
WINDOW = 8
(DOCUMENT,) = UNLIMITED_OCR.tasks
SETTINGS = ReadSettings(
    Scaling(Mode.TINY), DOCUMENT, PruneSettings(1.0), max_new_tokens=90, stop_at_end=False
)


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("unlimited") / "model", unlimited_config(WINDOW))


@pytest.fixture(scope="module")
def model(unlimited: Path) -> UnlimitedOcrForConditionalGeneration:
    return load_model(check_folder(unlimited), CPU, torch.float32)


@pytest.fixture
def engine(unlimited: Path) -> Engine:
    engine = Engine(threads=1)
    engine.load(unlimited, device="cpu")
    return engine


# --- the window ----------------------------------------------------------------------------------


def pruned_prompt(model: UnlimitedOcrForConditionalGeneration) -> Prompt:
    """A prompt of 16 tokens, in which 18 of 30 visual tokens are missing."""
    tokens = torch.randn((12, 16), generator=torch.Generator().manual_seed(5)) * 0.3
    selected = np.array([0, 1, 4, 5, 6, 9, 11, 15, 16, 18, 25, 29])
    return build_prompt(model, [0], tokens, selected, 30, [50, 51, 52])


def some_tokens(count: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(5, 300, count).tolist()


def reference(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt, token_ids: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """The published attention, written down as one mask over the whole sequence.

    Returns:
        (1 + T, vocabulary) logits after the prompt and after each token; (1 + T, m) the attention to the
        prompt of the last two layers' heads, averaged.
    """
    decoder: Any = model.model.language_model
    embeddings = torch.cat([prompt.embeddings, model.get_input_embeddings()(torch.tensor(token_ids))])
    positions = torch.cat([prompt.position_ids, prompt.next_position + torch.arange(len(token_ids))])
    asking, asked = torch.meshgrid(*[torch.arange(len(positions))] * 2, indexing="ij")
    length = len(prompt.position_ids)
    is_seen = (asked <= asking) & ((asked < length) | (asking - asked < WINDOW))
    weights: list[Tensor] = []
    usual = decoder.config._attn_implementation
    hooks = [
        layer.self_attn.register_forward_hook(lambda *passed: weights.append(passed[2][1][0].mean(dim=0)))
        for layer in decoder.layers[-2:]
    ]
    decoder.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            output = decoder(
                inputs_embeds=embeddings[None],
                position_ids=positions[None],
                attention_mask=torch.where(is_seen, 0.0, -torch.inf)[None, None],
                use_cache=False,
            )
            logits: Tensor = model.lm_head(output.last_hidden_state)[0]
    finally:
        decoder.set_attn_implementation(usual)
        for hook in hooks:
            hook.remove()
    return logits[length - 1 :], torch.stack(weights).mean(dim=0)[length - 1 :, :length]


def test_every_layer_has_the_window_of_the_config(model: UnlimitedOcrForConditionalGeneration) -> None:
    config: Any = model.config.text_config
    assert set(config.layer_types) == {"reference_sliding_attention"}
    assert config.sliding_window == WINDOW


def test_tokens_far_behind_the_window_still_see_the_whole_pruned_prompt(
    model: UnlimitedOcrForConditionalGeneration,
) -> None:
    prompt, token_ids = pruned_prompt(model), some_tokens(5 * WINDOW, seed=1)
    decoder = Decoder(model)
    logits = [decoder.prefill(prompt), *(decoder.feed([token_id])[0] for token_id in token_ids)]
    expected, _ = reference(model, prompt, token_ids)
    torch.testing.assert_close(torch.stack(logits), expected, atol=2e-6, rtol=1e-5)


def test_what_left_the_windows_of_all_layers_is_forgotten(
    model: UnlimitedOcrForConditionalGeneration,
) -> None:
    layers, token_ids = 2, some_tokens(2 * WINDOW, seed=1)
    said = []
    for first in (7, 9):
        decoder = Decoder(model)
        decoder.prefill(pruned_prompt(model))
        said.append(decoder.feed([first, *token_ids]))
    differences = (said[0] - said[1]).abs().amax(dim=-1)
    reach = layers * (WINDOW - 1)
    assert (differences[: reach + 1] > 1e-4).all()
    assert (differences[reach + 1 :] < 1e-6).all()


def test_what_left_the_window_takes_no_memory(model: UnlimitedOcrForConditionalGeneration) -> None:
    decoder = Decoder(model)
    decoder.prefill(pruned_prompt(model))
    for token_id in some_tokens(5 * WINDOW, seed=1):
        decoder.feed([token_id])
        assert all(layer.keys.shape[-2] <= WINDOW for layer in decoder._cache.layers)


def test_neither_a_prompt_nor_a_token_has_the_stock_model_make_masks(
    model: UnlimitedOcrForConditionalGeneration, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    for name in ("create_causal_mask", "create_reference_sliding_window_causal_mask"):
        monkeypatch.setattr(modeling_unlimited_ocr, name, lambda *_, name=name, **__: made.append(name))
    decoder = Decoder(model)
    decoder.prefill(pruned_prompt(model))
    decoder.feed([5])
    assert made == []


@pytest.mark.parametrize("seed", range(4))
def test_guesses_that_are_taken_back_leave_no_trace_in_a_window(
    model: UnlimitedOcrForConditionalGeneration, seed: int
) -> None:
    prompt, token_ids = pruned_prompt(model), some_tokens(6 * WINDOW, seed)
    lengths = np.random.default_rng(seed).integers(0, 2 * WINDOW, (100, 2))
    decoder = Decoder(model)
    logits = [decoder.prefill(prompt)[None]]
    fed = 0
    for right, wrong in lengths.tolist():
        chunk = token_ids[fed : fed + right]
        fed += len(chunk)
        if not chunk and not wrong:
            continue
        logits.append(decoder.feed([*chunk, *some_tokens(wrong, seed)])[: len(chunk)])
        if wrong:
            decoder.take_back(wrong)
        if fed == len(token_ids):
            break
    assert fed == len(token_ids)
    expected, _ = reference(model, prompt, token_ids)
    torch.testing.assert_close(torch.cat(logits), expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("chunk_tokens", [1, 5, 256])
def test_a_trace_looks_through_the_same_window(
    model: UnlimitedOcrForConditionalGeneration, chunk_tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "CHUNK_TOKENS", chunk_tokens)
    prompt, token_ids = pruned_prompt(model), some_tokens(5 * WINDOW, seed=2)
    columns = torch.arange(1, 13)
    rows = trace_reading(model, prompt, token_ids, columns, threading.Event())
    assert rows is not None
    _, expected = reference(model, prompt, token_ids[:-1])
    torch.testing.assert_close(rows, expected[:, columns], atol=1e-6, rtol=1e-5)


# --- reading pages -------------------------------------------------------------------------------


def read(engine: Engine, settings: ReadSettings, draft: Sequence[int] | None = ()) -> Reading:
    return read_page(engine, text_page(), settings, draft)


@pytest.mark.parametrize("retention", [1.0, 0.5])
def test_pages_are_read_token_by_token_as_the_published_attention_has_it(
    engine: Engine, retention: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[Prompt] = []
    prefill = Decoder.prefill

    def noting(decoder: Decoder, prompt: Prompt) -> Tensor:
        prompts.append(prompt)
        return prefill(decoder, prompt)

    monkeypatch.setattr(Decoder, "prefill", noting)
    monkeypatch.setattr(page_stages, "NGRAM_SIZE", 0)  # let n-grams repeat freely
    settings = replace(SETTINGS, pruning=PruneSettings(retention), max_new_tokens=4 * WINDOW - 1)
    reading = read(engine, settings)
    assert reading.stop_reason is StopReason.LENGTH
    assert reading.kept == int(64 * retention)
    checkpoint = engine.checkpoint
    logits, _ = reference(checkpoint.model, prompts[0], reading.token_ids)
    assert logits.argmax(dim=-1)[:-1].tolist() == list(reading.token_ids)
    asked = checkpoint.tokenizer.encode("document parsing.")
    ends = checkpoint.model.get_input_embeddings()(torch.tensor(asked))
    torch.testing.assert_close(prompts[0].embeddings[-len(asked) :], ends)


def test_drafts_change_nothing_but_the_number_of_passes(engine: Engine) -> None:
    alone = read(engine, SETTINGS)
    assert len(alone.token_ids) > 4 * WINDOW
    spoilt = [token_id if place % 11 else 7 for place, token_id in enumerate(alone.token_ids)]
    for draft in (alone.token_ids, spoilt, some_tokens(90, seed=3)):
        drafted = read(engine, SETTINGS, draft)
        assert drafted.token_ids == alone.token_ids
    assert read(engine, SETTINGS, alone.token_ids).passes < alone.passes / 2


def test_pruned_readings_follow_one_another_and_can_be_traced(engine: Engine) -> None:
    full, pruned = (
        read(engine, replace(SETTINGS, pruning=PruneSettings(share)), None) for share in (1.0, 0.4)
    )
    again = read(engine, pruned.settings)
    assert pruned.token_ids == again.token_ids
    assert pruned.kept < full.kept
    trace = engine.trace(text_page(), pruned.settings, pruned.token_ids, threading.Event())
    assert trace is not None
    seen: NDArray[np.bool_] = trace.attention.sum(axis=0) > 0
    encoded = engine.encode(text_page(), pruned.settings.scaling)
    plan = plan_pruning(encoded.layout, encoded.measures, pruned.settings.pruning)
    assert np.array_equal(np.flatnonzero(seen), np.sort(plan.kept))


def test_pages_that_are_read_together_say_what_they_say_by_themselves(
    engine: Engine, unlimited: Path
) -> None:
    pages = [text_page(words="Hello"), text_page(words="there")]
    together = [
        event
        for _, event in engine.read_together(
            [PageRequest(one, SETTINGS, threading.Event()) for one in pages], most=2
        )
        if isinstance(event, Reading)
    ]
    engine.load(unlimited, device="cpu")
    alone = [read_page(engine, one, SETTINGS, ()) for one in pages]
    assert [reading.token_ids for reading in together] == [reading.token_ids for reading in alone]
