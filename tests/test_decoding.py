"""Generation: positions, greedy choice, the ban on repetition, and the reasons to stop."""

import math
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.decoder.decoding import Decoder, GreedyGeneration, build_prompt
from rtocr_gui.ocr.decoder.greedy import Candidates, GenerationRules, GreedyText
from rtocr_gui.ocr.decoder.repetition import banned_tokens
from rtocr_gui.ocr.model.checkpoint import load_model
from rtocr_gui.ocr.model.folder import check_folder
from rtocr_gui.ocr.reading import Mode, StopReason
from rtocr_gui.ocr.vision.encoding import encode_views
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.ocr.vision.views import PageViews, make_views, normalise
from tests.made_pages import noise_page
from tests.scripted_decoder import BEGINNING, ScriptedDecoder, run_to_end
from tests.small_checkpoint import write_checkpoint

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


def generate(
    wanted: Sequence[int], *, cancel: threading.Event | None = None, **rules: object
) -> GreedyGeneration:
    settings = {"end_id": 1, "max_new_tokens": 5000, "context_length": 10_000, **rules}
    return run_to_end(ScriptedDecoder(wanted), GenerationRules(**settings), cancel)  # type: ignore[arg-type]


# --- why it stops --------------------------------------------------------------------------------


def test_the_end_token_ends_the_text_and_is_not_part_of_it() -> None:
    generation = generate([7, 8, 9, 1])
    assert generation.token_ids == [7, 8, 9]
    assert generation.stop_reason is StopReason.END


def test_without_an_end_token_generation_goes_on() -> None:
    generation = generate([7, 1], end_id=None, max_new_tokens=6)
    assert generation.token_ids == [7, 1, 7, 1, 7, 1]
    assert generation.stop_reason is StopReason.LENGTH


@pytest.mark.parametrize("spoilt", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_no_text(spoilt: float) -> None:
    logits = torch.zeros(2, 10)
    logits[0, 2] = 1
    logits[1, 3] = spoilt
    text = GreedyText(GenerationRules(None, max_new_tokens=5, context_length=9), threading.Event())
    assert text.choose(Candidates(logits, of_shared_pass=False), 0)
    with pytest.raises(ReadingError, match="not finite"):
        text.choose(Candidates(logits, of_shared_pass=False), 1)
    assert text.token_ids == [2]


def test_a_text_as_long_as_allowed_stops_there() -> None:
    generation = generate([*range(2, 900)], max_new_tokens=5)
    assert generation.token_ids == [2, 3, 4, 5, 6]
    assert generation.stop_reason is StopReason.LENGTH


def test_no_token_is_fed_beyond_the_context() -> None:
    generation = generate([*range(2, 900)], context_length=14)
    assert generation.token_ids == [2, 3, 4, 5, 6]
    assert generation._decoder.next_position == 14
    assert generation.stop_reason is StopReason.LENGTH


def test_it_stops_before_the_next_step_once_cancelled() -> None:
    cancel = threading.Event()
    decoder = ScriptedDecoder([*range(2, 900)])
    rules = GenerationRules(end_id=1, max_new_tokens=100, context_length=1000)
    generation = GreedyGeneration(decoder, rules, cancel)  # type: ignore[arg-type]
    generation.prefill(BEGINNING)
    for token_id in generation:
        if token_id == 4:
            cancel.set()
    assert generation.token_ids == [2, 3, 4]
    assert decoder.fed == [2, 3]
    assert generation.stop_reason is StopReason.CANCELLED


def test_cancelled_from_the_start_it_does_not_even_take_the_prompt_in() -> None:
    cancel = threading.Event()
    cancel.set()
    generation = generate([7, 8], cancel=cancel)
    assert generation._decoder.next_position == 0
    assert generation.token_ids == []
    assert generation.stop_reason is StopReason.CANCELLED


# --- what may not repeat -------------------------------------------------------------------------


def reference_bans(token_ids: list[int], size: int, window: int) -> set[int]:
    """The rule as DeepSeek-OCR's own processor words it, n-gram by n-gram."""
    if len(token_ids) < size:
        return set()
    prefix = tuple(token_ids[-(size - 1) :])
    begin = max(0, len(token_ids) - window)
    ngrams = [tuple(token_ids[i : i + size]) for i in range(begin, len(token_ids) - size + 1)]
    return {ngram[-1] for ngram in ngrams if ngram[:-1] == prefix}


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(2, 6), st.integers(0, 30))
def test_the_ban_is_the_published_one(token_ids: list[int], size: int, beyond: int) -> None:
    window = size + beyond
    assert set(banned_tokens(token_ids, size, window)) == reference_bans(token_ids, size, window)


def test_the_second_best_token_is_taken_where_the_best_is_banned() -> None:
    generation = generate([5, 6, 7], ngram_size=3, ngram_window=20, max_new_tokens=8)
    assert generation.token_ids == [5, 6, 7, 5, 6, 999, 5, 6]


def test_the_third_best_is_taken_where_the_second_is_banned_as_well() -> None:
    generation = generate([5, 7], ngram_size=2, ngram_window=20, max_new_tokens=6)
    assert generation.token_ids == [5, 7, 5, 999, 5, 998]


def test_allowed_tokens_may_repeat() -> None:
    generation = generate([5, 6, 7], ngram_size=3, ngram_window=20, max_new_tokens=8, allowed_ids={5, 6, 7})
    assert generation.token_ids == [5, 6, 7, 5, 6, 7, 5, 6]


def test_what_left_the_window_may_come_again() -> None:
    text = [*range(2, 52), *range(2, 52)]
    inside = generate([*text, 1], ngram_size=3, ngram_window=90, max_new_tokens=100)
    outside = generate([*text, 1], ngram_size=3, ngram_window=40, max_new_tokens=100)
    assert 999 in inside.token_ids
    assert outside.token_ids == text


# --- how sure each choice was --------------------------------------------------------------------


def test_each_token_has_the_probability_that_the_logits_give_it() -> None:
    generation = generate([5, 6, 7], ngram_size=3, ngram_window=20, max_new_tokens=8)
    others = torch.cat([torch.zeros(990), torch.linspace(0.1, 1, 10)]).exp().sum() - 1
    probability = {token: float(torch.tensor(2).exp() / (others + torch.tensor(2).exp())) for token in (5, 6)}
    second_best = float(torch.tensor(1).exp() / (others + torch.tensor(2).exp()))
    assert generation.token_ids[3:6] == [5, 6, 999]  # the ban turned the last one
    assert generation.probabilities[3:6] == pytest.approx([probability[5], probability[6], second_best])
    assert len(generation.probabilities) == len(generation.token_ids)


def test_the_end_of_a_text_has_no_probability_of_its_own() -> None:
    generation = generate([7, 8, 9, 1])
    assert len(generation.probabilities) == len(generation.token_ids) == 3


@given(st.lists(st.floats(-60, 60), min_size=2, max_size=9), st.sampled_from([torch.float32, torch.bfloat16]))
def test_probabilities_are_those_of_a_softmax_in_any_precision(row: list[float], dtype: torch.dtype) -> None:
    logits = torch.tensor([row, row[::-1]]).to(dtype)
    candidates, expected = Candidates(logits, of_shared_pass=False), logits.double().softmax(dim=-1)
    assert candidates.probabilities == pytest.approx(expected.amax(dim=-1).tolist(), rel=1e-4)
    assert candidates.probability_of(0, 1) == pytest.approx(float(expected[1, 0]), rel=1e-4, abs=1e-30)


# --- the stock model, step by step ---------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_model() -> UnlimitedOcrForConditionalGeneration:
    """Random weights, in whose text the least difference shows (the golden model)."""
    return load_model(check_folder(Path(__file__).parent / "golden" / "tiny_model"), CPU, torch.float32)


def stock_generate(
    model: UnlimitedOcrForConditionalGeneration,
    views: PageViews,
    before: list[int],
    after: list[int],
    count: int,
) -> list[int]:
    """What stock `generate` makes of pixels."""
    tiled = len(views.tiles) > 0
    visual_length = len(build_layout(views.mode, views.page_size_px, views.crop_wh))
    ids = torch.tensor([[*before, *[model.config.image_token_id] * visual_length, *after]])
    output = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        pixel_values=torch.from_numpy(normalise(views.global_view[None])),
        pixel_values_local=torch.from_numpy(normalise(views.tiles)) if tiled else None,
        num_local_patches=[len(views.tiles)] if tiled else None,
        patches_grid=[list(views.crop_wh)] if tiled else None,
        do_sample=False,
        min_new_tokens=count,
        max_new_tokens=count,
        pad_token_id=2,
    )
    return output[0, ids.shape[1] :].tolist()


def own_generate(
    model: UnlimitedOcrForConditionalGeneration,
    views: PageViews,
    before: list[int],
    after: list[int],
    count: int,
) -> list[int]:
    tokens = encode_views(model, views)
    prompt = build_prompt(model, before, tokens, np.arange(len(tokens)), len(tokens), after)
    rules = GenerationRules(end_id=None, max_new_tokens=count, context_length=8192)
    generation = GreedyGeneration(Decoder(model), rules, threading.Event())
    generation.prefill(prompt)
    return list(generation)


@pytest.mark.parametrize(
    ("mode", "size", "count"),
    [(Mode.TINY, (400, 500), 160), (Mode.BASE, (1024, 900), 160), (Mode.GUNDAM, (700, 1300), 40)],
)
def test_keeping_everything_gives_what_stock_generate_gives(
    tiny_model: UnlimitedOcrForConditionalGeneration, mode: Mode, size: tuple[int, int], count: int
) -> None:
    # A wrong sliding window would show from token 139 on in Tiny, from token 145 on in Base.
    views = make_views(noise_page(*size), mode)
    arguments = (tiny_model, views, [0], [10, 20, 30], count)
    expected = stock_generate(*arguments)
    assert len(expected) == count
    assert own_generate(*arguments) == expected


def test_steps_give_the_logits_of_one_long_prompt(tmp_path: Path) -> None:
    model = load_model(check_folder(write_checkpoint(tmp_path / "model")), CPU, torch.float32)
    visual_tokens = torch.randn(9, 16, generator=torch.Generator().manual_seed(3))
    selected = np.array([0, 3, 4, 9, 11, 20, 21, 22, 29])
    after = [*range(70, 90)]
    decoder = Decoder(model)
    logits = decoder.prefill(build_prompt(model, [0], visual_tokens, selected, 30, after[:5]))
    for count, token_id in enumerate(after[5:], start=5):
        whole = Decoder(model).prefill(build_prompt(model, [0], visual_tokens, selected, 30, after[:count]))
        torch.testing.assert_close(logits, whole, rtol=0, atol=1e-5)
        logits = decoder.feed([token_id])[0]
    assert decoder.next_position == 1 + 30 + len(after)


@given(st.sets(st.integers(0, 29), min_size=1), st.integers(0, 3), st.integers(0, 4))
def test_what_is_left_of_a_page_keeps_its_positions(chosen: set[int], before: int, after: int) -> None:
    assume(before + after)
    model = UnlimitedOcrForConditionalGeneration.__new__(UnlimitedOcrForConditionalGeneration)
    torch.nn.Module.__init__(model)
    embeddings = torch.nn.Embedding(50, 4)
    model.get_input_embeddings = lambda: embeddings
    selected = np.array(sorted(chosen))
    tokens = torch.randn(len(selected), 4)
    prompt = build_prompt(model, [3] * before, tokens, selected, 30, [4] * after)
    expected = [*range(before), *(before + selected), *range(before + 30, before + 30 + after)]
    assert prompt.position_ids.tolist() == expected
    assert prompt.next_position == before + 30 + after
    assert torch.equal(prompt.embeddings[before : before + len(selected)], tokens)
    assert torch.equal(prompt.embeddings[:before], embeddings.weight[3].expand(before, 4))
