"""Drafts make reading quicker and change nothing: the same tokens, in fewer passes of the decoder."""

import threading
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.decoder.decoding import Decoder, GreedyGeneration, Prompt
from rtocr_gui.ocr.decoder.drafting import ALLOWANCE, Drafter, EarlierTexts, pass_cost
from rtocr_gui.ocr.decoder.greedy import GenerationRules
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.model.architecture import DecoderSizes
from rtocr_gui.ocr.model.checkpoint import load_model
from rtocr_gui.ocr.model.folder import check_folder
from rtocr_gui.ocr.reading import Mode, Reading, ReadSettings, Scaling, StopReason, TextDelta
from rtocr_gui.pruning.plan import PruneSettings
from tests.readings import read_page
from tests.scripted_decoder import BEGINNING, run_to_end
from tests.small_checkpoint import write_checkpoint
from tests.tasks import TEXT

RATIOS = (
    *(1.0, 0.5),
    *(pytest.param(ratio, marks=pytest.mark.slow) for ratio in (0.9, 0.84, 0.75, 0.65, 0.35, 0.2)),
)
END = 1
VOCABULARY = 40


def steep_cost(tokens: int) -> float:
    """Half a step for every further token."""
    return 1 + 0.5 * (tokens - 1)


class TextDecoder:
    """Wants to say a text; what it wants next depends on all it was fed, as in a real model.

    Once something else was fed, it wants other tokens, so that a wrong token that is left in its memory
    shows. `near_ties` are places where it hesitates when it is fed several tokens at once. Its second choices
    are two that lie so close together that such a pass always turns them.
    """

    def __init__(self, text: Sequence[int], near_ties: frozenset[int] = frozenset()) -> None:
        self.next_position = 0
        self.fed: list[int] = []
        self.passes_of: list[int] = []
        self._text = text
        self._near_ties = near_ties

    def prefill(self, prompt: Prompt) -> Tensor:
        self.next_position = prompt.next_position
        return self._logits(is_shared=False)

    def feed(self, token_ids: Sequence[int]) -> Tensor:
        self.passes_of.append(len(token_ids))
        rows = []
        for token_id in token_ids:
            self.fed.append(token_id)
            self.next_position += 1
            rows.append(self._logits(is_shared=len(token_ids) > 1))
        return torch.stack(rows)

    def take_back(self, count: int) -> None:
        assert 0 < count <= len(self.fed)
        del self.fed[-count:]
        self.next_position -= count

    def _logits(self, is_shared: bool) -> Tensor:
        place = len(self.fed)
        wanted = self._text[place] if place < len(self._text) else END
        if self.fed != list(self._text[:place]):
            wanted = (sum(self.fed) + place) % (VOCABULARY - 3) + 2
        logits = torch.zeros(VOCABULARY)
        logits[VOCABULARY - 2] = 1.0 + (1e-6 if is_shared else -1e-6)
        logits[VOCABULARY - 1] = 1.0
        logits[wanted] = 8.0
        if is_shared and place in self._near_ties:  # the larger rounding error turns the choice
            logits[VOCABULARY - 1] = 8.0 + 1e-6
        return logits


def generate(decoder: TextDecoder, drafter: Drafter | None, **rules: object) -> GreedyGeneration:
    settings = {"end_id": END, "max_new_tokens": 5000, "context_length": 10_000, **rules}
    return run_to_end(decoder, GenerationRules(**settings), drafter=drafter)  # type: ignore[arg-type]


TOKENS = st.lists(st.integers(2, VOCABULARY - 2), max_size=120)
REPETITIVE = st.lists(st.integers(2, 4), max_size=120)


# --- the same tokens -----------------------------------------------------------------------------


@given(
    text=TOKENS | REPETITIVE,
    draft=TOKENS | REPETITIVE,
    near_ties=st.frozensets(st.integers(0, 120), max_size=6),
    limit=st.integers(1, 130),
    context=st.integers(11, 140),
    ban=st.sampled_from([(0, 0), (2, 6), (4, 30)]),
)
def test_a_text_is_the_same_whatever_the_draft(
    text: list[int],
    draft: list[int],
    near_ties: frozenset[int],
    limit: int,
    context: int,
    ban: tuple[int, int],
) -> None:
    rules = {
        "max_new_tokens": limit,
        "context_length": context,
        "ngram_size": ban[0],
        "ngram_window": ban[1],
    }
    plain_decoder, decoder = TextDecoder(text), TextDecoder(text, near_ties)
    plain = generate(plain_decoder, None, **rules)
    drafted = generate(decoder, Drafter(draft, steep_cost), **rules)
    assert drafted.token_ids == plain.token_ids
    assert drafted.stop_reason is plain.stop_reason
    assert len(drafted.probabilities) == len(drafted.token_ids)


@given(text=TOKENS, places=st.lists(st.integers(0, 119), max_size=4), cuts=st.integers(0, 3))
def test_a_text_is_the_same_with_a_draft_that_differs_a_little(
    text: list[int], places: list[int], cuts: int
) -> None:
    draft = [7 if place in places else token for place, token in enumerate(text)]
    del draft[20 : 20 + cuts]
    drafted = generate(TextDecoder(text), Drafter(draft, steep_cost))
    assert drafted.token_ids == text
    assert drafted.stop_reason is StopReason.END


def test_what_a_chunk_leaves_undecided_is_chosen_by_itself() -> None:
    text = [*range(2, 38)] * 3
    decoder = TextDecoder(text, near_ties=frozenset({50}))
    drafted = generate(decoder, Drafter(text, steep_cost))
    assert drafted.token_ids == text
    assert 1 in decoder.passes_of


def test_a_choice_that_the_ban_turns_is_made_by_itself() -> None:
    text = [2, 3, 4, 5, 6, 7] * 10
    ban = {"ngram_size": 4, "ngram_window": 30}
    plain = generate(TextDecoder(text), None, **ban)
    assert VOCABULARY - 1 in plain.token_ids
    drafted = generate(TextDecoder(text), Drafter(text, steep_cost), **ban)
    assert drafted.token_ids == plain.token_ids


def test_cancelling_in_the_middle_of_a_chunk_keeps_what_was_chosen() -> None:
    text = [*range(2, 38)] * 3
    cancel = threading.Event()
    generation = GreedyGeneration(
        TextDecoder(text),  # type: ignore[arg-type]
        GenerationRules(end_id=END, max_new_tokens=500, context_length=1000),
        cancel,
        Drafter(text, steep_cost),
    )
    generation.prefill(BEGINNING)
    for _ in generation:
        if len(generation.token_ids) == 11:
            cancel.set()
    assert generation.token_ids == text[:11]
    assert generation.stop_reason is StopReason.CANCELLED


# --- in fewer passes -----------------------------------------------------------------------------


def passes(text: Sequence[int], draft: Sequence[int]) -> int:
    return generate(TextDecoder(text), Drafter(draft, partial(pass_cost, SIZES))).passes


SIZES = DecoderSizes(
    width=256,
    layers=4,
    heads=4,
    key_value_heads=4,
    dense_layers=1,
    mlp_width=768,
    experts=8,
    experts_per_token=2,
    shared_experts=1,
    expert_width=192,
    vocabulary=800,
    context_length=4096,
    bos_token_id=0,
    eos_token_id=1,
)
LONG_TEXT = [2 + (place * place + place // 7) % 37 for place in range(500)]


def test_the_same_text_takes_a_few_passes() -> None:
    assert passes(LONG_TEXT, LONG_TEXT) <= 6


def test_one_replaced_token_costs_two_passes_more() -> None:
    draft = [*LONG_TEXT[:250], 39, *LONG_TEXT[251:]]
    assert passes(LONG_TEXT, draft) <= passes(LONG_TEXT, LONG_TEXT) + 5


@pytest.mark.parametrize("count", [1, 5, 30])
def test_left_out_and_added_tokens_are_found_again(count: int) -> None:
    shorter = [*LONG_TEXT[:250], *LONG_TEXT[250 + count :]]
    assert passes(LONG_TEXT, shorter) <= 6 + count + 10
    assert passes(shorter, LONG_TEXT) <= 6 + 16


def test_a_text_that_repeats_itself_is_its_own_draft() -> None:
    row = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    text = [token for number in range(20) for token in (*row, 17 + number)]
    assert passes(text, ()) < len(text) / 2


NEAR_TIES = st.frozensets(st.integers(0, 120))


@given(text=TOKENS | REPETITIVE, draft=TOKENS | REPETITIVE, near_ties=NEAR_TIES)
def test_guesses_never_cost_much_more_than_they_save(
    text: list[int], draft: list[int], near_ties: frozenset[int]
) -> None:
    decoder = TextDecoder(text, near_ties)
    generate(decoder, Drafter(draft, steep_cost))
    spent = sum(steep_cost(tokens) for tokens in decoder.passes_of)
    worst_guess = steep_cost(129)
    assert spent <= len(text) * 1.02 + ALLOWANCE + worst_guess


def test_guessing_ends_where_every_choice_is_close() -> None:
    everywhere = frozenset(range(len(LONG_TEXT) + 1))
    decoder = TextDecoder(LONG_TEXT, near_ties=everywhere)
    generate(decoder, Drafter(LONG_TEXT, partial(pass_cost, SIZES)))
    assert len(decoder.passes_of) <= len(LONG_TEXT) * 1.05


def test_a_draft_is_followed_on_behind_each_choice_that_was_made_by_itself() -> None:
    every_fifth = frozenset(range(0, len(LONG_TEXT), 5))
    decoder = TextDecoder(LONG_TEXT, near_ties=every_fifth)
    generate(decoder, Drafter(LONG_TEXT, partial(pass_cost, SIZES)))
    assert len(decoder.passes_of) < len(LONG_TEXT) / 2


def test_a_pass_over_more_tokens_costs_more_but_less_than_one_by_one() -> None:
    costs = [pass_cost(SIZES, tokens) for tokens in (1, 2, 8, 32, 128)]
    assert costs[0] == 1
    assert costs == sorted(costs)
    assert all(cost < tokens for cost, tokens in zip(costs[1:], (2, 8, 32, 128), strict=True))


def test_on_a_cpu_a_wide_decoder_gains_by_long_guesses_only() -> None:
    wide = replace(SIZES, width=1280, experts=64, experts_per_token=6, expert_width=896, vocabulary=129_280)
    costs = {tokens: pass_cost(wide, tokens, on_cpu=True) for tokens in (1, 9, 33, 129)}
    assert costs[1] == 1
    assert costs[9] > 6 > pass_cost(wide, 9)
    assert costs[33] < 33 / 1.5
    assert costs[129] < 129 / 4
    assert pass_cost(SIZES, 9, on_cpu=True) == pass_cost(SIZES, 9)


def test_the_draft_is_the_text_of_the_nearest_retention() -> None:
    texts = EarlierTexts()
    assert list(texts.nearest(30)) == []
    texts.add(64, [1, 2, 3], is_whole=True)
    texts.add(20, [4, 5], is_whole=True)
    assert list(texts.nearest(50)) == [1, 2, 3]
    assert list(texts.nearest(21)) == [4, 5]


def test_a_reading_that_was_stopped_is_a_draft_only_until_another_came_to_its_end() -> None:
    texts = EarlierTexts()
    texts.add(64, [1, 2, 3], is_whole=False)
    texts.add(50, [1, 2], is_whole=False)
    assert list(texts.nearest(50)) == [1, 2, 3]
    texts.add(64, [9, 8], is_whole=True)
    assert list(texts.nearest(64)) == [9, 8]
    texts.add(30, [9], is_whole=False)
    assert list(texts.nearest(30)) == [9, 8]
    assert texts.nbytes == 2 * 4


def test_of_many_texts_of_a_page_the_newest_are_kept() -> None:
    texts = EarlierTexts()
    for kept in range(40):
        texts.add(kept, [kept], is_whole=True)
    assert list(texts.nearest(0)) == [24]
    assert texts.nbytes == 16 * 4


def test_the_size_of_earlier_texts_is_what_they_take() -> None:
    texts = EarlierTexts()
    tracemalloc.start()
    texts.add(64, list(range(100_000, 110_000)), is_whole=True)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert texts.nbytes == pytest.approx(taken, rel=0.1)


# --- with real models ----------------------------------------------------------------------------


def read_plainly(
    engine: Engine, page: PageImage, settings: ReadSettings, monkeypatch: pytest.MonkeyPatch
) -> Reading:
    with monkeypatch.context() as patch:
        patch.setattr(Drafter, "guess", lambda *_: [])
        return read_page(engine, page, settings, ())


@pytest.mark.parametrize("ratio", RATIOS)
def test_samples_are_read_again_token_by_token_as_without_a_draft(
    miniature_engine: Engine, samples: list[PageImage], monkeypatch: pytest.MonkeyPatch, ratio: float
) -> None:
    passes = dict.fromkeys(("plain", "again"), 0)
    for page in samples:
        settings = ReadSettings(Scaling(Mode.TINY), TEXT, PruneSettings(ratio))
        plain = read_plainly(miniature_engine, page, settings, monkeypatch)
        other_ratio = read_page(miniature_engine, page, replace(settings, pruning=PruneSettings(0.77)))
        from_other_text = read_page(miniature_engine, page, settings, other_ratio.token_ids)
        again = read_page(miniature_engine, page, settings)
        assert from_other_text.token_ids == again.token_ids == plain.token_ids
        assert from_other_text.unsure_words == again.unsure_words == plain.unsure_words
        assert again.stop_reason is plain.stop_reason
        passes["plain"] += plain.passes
        passes["again"] += again.passes
    assert passes["again"] < passes["plain"] / 8


def test_a_reading_that_was_stopped_slows_the_next_one_down_no_more_than_none(
    miniature_engine: Engine, samples: list[PageImage]
) -> None:
    page = samples[0]
    settings = ReadSettings(Scaling(Mode.TINY), TEXT, PruneSettings(0.9))
    read_page(miniature_engine, page, settings)
    at_half = replace(settings, pruning=PruneSettings(0.5))
    cancel = threading.Event()
    for event in miniature_engine.read(page, at_half, cancel):
        if isinstance(event, TextDelta):
            cancel.set()
    again = read_page(miniature_engine, page, at_half)
    assert again.passes < len(again.token_ids) / 2


def test_a_first_reading_says_the_same_in_no_more_passes(
    miniature_engine: Engine, samples: list[PageImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ReadSettings(Scaling(Mode.TINY), TEXT, PruneSettings(1.0))
    for page in samples:
        plain = read_plainly(miniature_engine, page, settings, monkeypatch)
        first = read_page(miniature_engine, page, settings, ())
        assert first.token_ids == plain.token_ids
        assert first.passes <= plain.passes


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("ban", [(0, 0), (3, 40)], ids=["free", "ban"])
def test_the_tiny_model_says_the_same_with_any_draft(tmp_path: Path, ban: tuple[int, int]) -> None:
    folder = write_checkpoint(tmp_path / "model")
    model = load_model(check_folder(folder), torch.device("cpu"), torch.float32)
    generator = torch.Generator().manual_seed(3)
    prompt = Prompt(
        embeddings=torch.randn(30, model.config.text_config.hidden_size, generator=generator),
        position_ids=torch.tensor([*range(12), *range(40, 58)]),
        next_position=60,
    )
    rules = GenerationRules(
        end_id=None, max_new_tokens=200, context_length=4096, ngram_size=ban[0], ngram_window=ban[1]
    )

    def said(draft: Sequence[int] | None) -> tuple[list[int], StopReason | None]:
        drafter = None if draft is None else Drafter(draft, lambda tokens: 1 + 0.01 * (tokens - 1))
        generation = GreedyGeneration(Decoder(model), rules, threading.Event(), drafter)
        generation.prefill(prompt)
        return list(generation), generation.stop_reason

    plain, reason = said(None)
    for draft in ((), plain, plain[::-1], [*plain[:30], 5, *plain[33:]], plain[50:]):
        assert said(draft) == (plain, reason)
