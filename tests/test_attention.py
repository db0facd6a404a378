"""The attention of a second pass is what a reading had: row by row, at any chunk, in the last layers."""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.decoder import attention
from rtocr_gui.ocr.decoder.attention import trace_reading
from rtocr_gui.ocr.decoder.decoding import Prompt, build_prompt
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.model.checkpoint import load_model
from rtocr_gui.ocr.model.folder import check_folder
from rtocr_gui.ocr.reading import Mode, Reading, ReadingTrace, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PruneMethod, PrunePlan, PruneSettings, plan_pruning
from rtocr_gui.resources import resource_path
from tests.readings import read_page
from tests.sample_pages import SAMPLES, load_sample
from tests.tasks import TEXT

SELECTED = np.array([0, 3, 4, 9, 11, 20, 21, 22, 29])
TOKEN_IDS = [*range(70, 107)]


@pytest.fixture(scope="module")
def model() -> UnlimitedOcrForConditionalGeneration:
    """Random weights in three layers (the golden model)."""
    folder = check_folder(Path(__file__).parent / "golden" / "tiny_model")
    return load_model(folder, torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def prompt(model: UnlimitedOcrForConditionalGeneration) -> Prompt:
    """A pruned page: positions leave gaps."""
    visual_tokens = torch.randn(len(SELECTED), 128, generator=torch.Generator().manual_seed(3))
    return build_prompt(model, [0], visual_tokens, SELECTED, 30, [7, 8, 9])


COLUMNS = torch.tensor([1, 2, 4, 6])


def trace(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt, layers: int = 2, columns: Tensor = COLUMNS
) -> Tensor:
    rows = trace_reading(model, prompt, TOKEN_IDS, columns, threading.Event(), layers)
    assert rows is not None
    return rows


def stock_attentions(model: UnlimitedOcrForConditionalGeneration, prompt: Prompt) -> list[Tensor]:
    """What stock transformers gives of one pass over everything: (heads, m + T, m + T) of each layer."""
    generated = model.get_input_embeddings()(torch.tensor(TOKEN_IDS))
    positions = prompt.next_position + torch.arange(len(TOKEN_IDS))
    model.set_attn_implementation({"text_config": "eager"})
    try:
        output: Any = model(
            inputs_embeds=torch.cat([prompt.embeddings, generated])[None],
            position_ids=torch.cat([prompt.position_ids, positions])[None],
            attention_mask=torch.ones((1, len(prompt.position_ids) + len(TOKEN_IDS)), dtype=torch.int64),
            output_attentions=True,
        )
    finally:
        model.set_attn_implementation({"text_config": "sdpa"})
    return [layer[0] for layer in output.attentions]


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_row_is_the_attention_of_the_token_before_as_stock_transformers_gives_it(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt, layers: int
) -> None:
    before_first = len(prompt.position_ids) - 1
    rows = slice(before_first, before_first + len(TOKEN_IDS))
    averaged = torch.stack(stock_attentions(model, prompt)[-layers:]).mean(dim=(0, 1))
    expected = averaged[rows][:, COLUMNS]
    torch.testing.assert_close(trace(model, prompt, layers), expected, rtol=0, atol=1e-6)
    assert not torch.allclose(expected[1:], expected[:-1], atol=1e-4)  # a row too far would be seen


@pytest.mark.parametrize("chunk_tokens", [1, 5, 36, 37, 38])
def test_chunks_change_nothing(
    model: UnlimitedOcrForConditionalGeneration,
    prompt: Prompt,
    monkeypatch: pytest.MonkeyPatch,
    chunk_tokens: int,
) -> None:
    at_once = trace(model, prompt)
    monkeypatch.setattr(attention, "CHUNK_TOKENS", chunk_tokens)
    torch.testing.assert_close(trace(model, prompt), at_once, rtol=0, atol=1e-6)


def test_all_columns_of_the_first_row_sum_to_one(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt
) -> None:
    sums = trace(model, prompt, columns=torch.arange(len(prompt.position_ids))).sum(dim=1)
    assert sums[0].item() == pytest.approx(1, abs=1e-5)
    assert (sums[1:] < 1).all()  # later ones attend to what was said as well


def test_no_token_has_no_row(model: UnlimitedOcrForConditionalGeneration, prompt: Prompt) -> None:
    rows = trace_reading(model, prompt, [], COLUMNS, threading.Event())
    assert rows is not None
    assert rows.shape == (0, 4)


def attention_kinds(model: UnlimitedOcrForConditionalGeneration) -> set[str]:
    return {model.config._attn_implementation, model.config.text_config._attn_implementation}


def hooks(model: UnlimitedOcrForConditionalGeneration) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


@contextmanager
def on_each_pass(model: UnlimitedOcrForConditionalGeneration, act: Any) -> Iterator[None]:
    hook = model.model.language_model.register_forward_hook(lambda *_: act())
    try:
        yield
    finally:
        hook.remove()


def test_it_stops_before_the_next_chunk_once_cancelled(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "CHUNK_TOKENS", 10)
    cancel, hooks_before = threading.Event(), hooks(model)
    passes: list[str] = []

    def cancel_in_the_second_chunk() -> None:
        passes.append(model.config.text_config._attn_implementation)
        if len(passes) == 3:
            cancel.set()

    with on_each_pass(model, cancel_in_the_second_chunk):
        assert trace_reading(model, prompt, TOKEN_IDS, COLUMNS, cancel) is None
        assert passes == ["sdpa", "eager", "eager"]
        assert trace_reading(model, prompt, TOKEN_IDS, COLUMNS, cancel) is None
    assert len(passes) == 3
    assert (attention_kinds(model), hooks(model)) == ({"sdpa"}, hooks_before)


def test_a_failure_leaves_the_model_as_it_was(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt
) -> None:
    hooks_before = hooks(model)

    def fail() -> None:
        if model.config.text_config._attn_implementation == "eager":
            raise RuntimeError("out of memory")

    with on_each_pass(model, fail), pytest.raises(RuntimeError):
        trace(model, prompt)
    assert (attention_kinds(model), hooks(model)) == ({"sdpa"}, hooks_before)


def test_weights_are_let_go_pass_by_pass(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "CHUNK_TOKENS", 8)
    seen: list[weakref.ref[Tensor]] = []
    alive: list[int] = []

    def note(_module: object, _inputs: object, output: tuple[Tensor, Tensor | None]) -> None:
        if output[1] is not None:
            assert output[1].shape[-2] <= 8
            seen.append(weakref.ref(output[1]))

    hook = model.model.language_model.layers[-1].self_attn.register_forward_hook(note)
    try:
        with on_each_pass(model, lambda: alive.append(sum(weights() is not None for weights in seen))):
            trace(model, prompt)
    finally:
        hook.remove()
    assert len(seen) == 5
    assert alive == [0] * 6


# --- the bundled model, on the sample pages ------------------------------------------------------

LETTER = resource_path("samples/letter.png")


def read(engine: Engine, page: PageImage, pruning: PruneSettings) -> Reading:
    return read_page(engine, page, ReadSettings(Scaling(Mode.TINY), TEXT, pruning))


def plan_of(engine: Engine, page: PageImage, reading: Reading) -> PrunePlan:
    encoded = engine.encode(page, reading.settings.scaling)
    return plan_pruning(encoded.layout, encoded.measures, reading.settings.pruning)


def trace_of(engine: Engine, page: PageImage, reading: Reading) -> ReadingTrace:
    found = engine.trace(page, reading.settings, reading.token_ids, threading.Event())
    assert found is not None
    return found


def predicted_tokens(engine: Engine, page: PageImage, reading: Reading) -> list[int]:
    """What the second pass itself would have said at every place."""
    model = engine.checkpoint.model
    states: list[Tensor] = []
    hook = model.model.language_model.register_forward_hook(
        lambda _module, _inputs, output: states.append(output.last_hidden_state[0])
    )
    try:
        trace_of(engine, page, reading)
    finally:
        hook.remove()
    with torch.inference_mode():
        return model.lm_head(torch.cat(states[1:])).argmax(dim=-1).tolist()


@pytest.mark.parametrize("retention", [1.0, None, 0.5])
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_second_pass_would_say_the_same(
    miniature_engine: Engine, path: Path, retention: float | None
) -> None:
    page = load_sample(path)
    reading = read(miniature_engine, page, PruneSettings(retention))
    assert predicted_tokens(miniature_engine, page, reading) == list(reading.token_ids)


@pytest.mark.parametrize("method", PruneMethod)
def test_a_trace_covers_the_page_of_its_reading(miniature_engine: Engine, method: PruneMethod) -> None:
    page = load_sample(LETTER)
    reading = read(miniature_engine, page, PruneSettings(0.75, method=method))
    found = trace_of(miniature_engine, page, reading)
    assert found.attention.shape == (len(reading.token_ids), 64)
    assert (found.raw_text, found.settings) == (reading.raw_text, reading.settings)
    assert found.offsets.tolist()[-1] == len(reading.raw_text)
    plan = plan_of(miniature_engine, page, reading)
    assert (found.attention[:, plan.merged] == 0).all()
    assert (found.attention[:, plan.kept] > 0).any(axis=0).all()
    assert found.attention.sum(axis=1).max() <= 1


def test_what_is_traced_is_the_attention_on_the_kept_tokens_and_no_others(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = load_sample(LETTER)
    reading = read(miniature_engine, page, PruneSettings(0.5, method=PruneMethod.NORM_ONLY))
    looked_at: list[Tensor] = []

    def note(_model: object, prompt: Prompt, _ids: object, columns: Tensor, _cancel: object) -> None:
        looked_at.append(prompt.embeddings[columns])

    monkeypatch.setattr("rtocr_gui.ocr.page_stages.trace_reading", note)
    miniature_engine.trace(page, reading.settings, reading.token_ids, threading.Event())
    norms = torch.linalg.vector_norm(looked_at[0], dim=1).numpy()
    plan = plan_of(miniature_engine, page, reading)
    np.testing.assert_allclose(norms, plan.norms[plan.kept], rtol=1e-5)


def test_most_letters_are_read_where_they_stand(miniature_engine: Engine) -> None:
    page = load_sample(LETTER)
    reading = read(miniature_engine, page, PruneSettings(1.0))
    found = trace_of(miniature_engine, page, reading)
    strongest = found.attention.argmax(axis=1).reshape(-1)
    lines = np.array([reading.raw_text.count("\n", 0, place) for place in found.offsets[:-1]])
    # The printed lines are 54 pixels high, with half a line between paragraphs; a cell is 64 pixels high.
    middles_px = np.array([43, 124, 178, 232, 286, 367, 421])[lines.clip(max=6)]
    layout = plan_of(miniature_engine, page, reading).layout
    boxes = layout.boxes[layout.prunable[strongest]]
    on_its_line = (boxes[:, 1] < middles_px + 27) & (boxes[:, 3] > middles_px - 27)
    assert on_its_line.mean() > 0.9


def test_a_cancelled_trace_is_none(miniature_engine: Engine) -> None:
    page = load_sample(LETTER)
    cancel = threading.Event()
    cancel.set()
    settings = ReadSettings(Scaling(Mode.TINY), TEXT)
    assert miniature_engine.trace(page, settings, [70, 71], cancel) is None


def test_nothing_is_traced_of_tokens_that_the_model_does_not_have(miniature_engine: Engine) -> None:
    with pytest.raises(ReadingError, match="another model"):
        miniature_engine.trace(
            load_sample(LETTER), ReadSettings(Scaling(Mode.TINY), TEXT), [5000], threading.Event()
        )
