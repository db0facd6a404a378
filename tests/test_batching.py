"""Several pages together: each gives what it gives by itself, in fewer passes of the decoder."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr import pages_together
from rtocr_gui.ocr.decoder import batching, greedy
from rtocr_gui.ocr.decoder.batching import PAGES_AT_ONCE, Batch, SharedGeneration, pages_at_once
from rtocr_gui.ocr.decoder.decoding import Decoder, GreedyGeneration, Prompt
from rtocr_gui.ocr.decoder.greedy import GenerationRules, GreedyText
from rtocr_gui.ocr.decoder.growing_cache import make_cache
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.machine import clock
from rtocr_gui.ocr.model.architecture import read_architecture
from rtocr_gui.ocr.model.checkpoint import load_model
from rtocr_gui.ocr.model.folder import check_folder
from rtocr_gui.ocr.pages_together import PageEvent, PageFailed, PageRequest, Steps
from rtocr_gui.ocr.reading import (
    Mode,
    OutOfMemory,
    Reading,
    ReadSettings,
    Scaling,
    Stage,
    StopReason,
    TextDelta,
)
from rtocr_gui.ocr.vision import page_encoder
from rtocr_gui.pruning.plan import PruneSettings
from tests.readings import read_page
from tests.small_checkpoint import small_config, write_checkpoint
from tests.tasks import TEXT

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
SIZES = read_architecture(small_config()).decoder


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> UnlimitedOcrForConditionalGeneration:
    """Random weights, in whose text the least difference shows."""
    folder = write_checkpoint(tmp_path_factory.mktemp("tiny") / "model")
    return load_model(check_folder(folder), CPU, torch.float32)


# --- texts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """What is generated: from which places of how long a sequence, and how long the text may be."""

    seed: int
    kept: tuple[int, ...]
    beyond: int
    rules: GenerationRules

    def prompt(self, width: int) -> Prompt:
        generator = torch.Generator().manual_seed(self.seed)
        return Prompt(
            embeddings=torch.randn(len(self.kept), width, generator=generator),
            position_ids=torch.tensor(self.kept),
            next_position=self.kept[-1] + 1 + self.beyond,
        )


def by_itself(model: UnlimitedOcrForConditionalGeneration, page: Page) -> GreedyText:
    generation = GreedyGeneration(Decoder(model), page.rules, threading.Event())
    generation.prefill(page.prompt(model.config.text_config.hidden_size))
    for _ in generation:
        pass
    return generation


def together(
    model: UnlimitedOcrForConditionalGeneration, pages: Sequence[Page], most: int
) -> list[SharedGeneration]:
    """Generate all texts, at most so many at a time: as one ends, the next one begins."""
    batch = Batch(model)
    generations = [SharedGeneration(batch, page.rules, threading.Event()) for page in pages]
    waiting = list(zip(generations, pages, strict=True))
    running: list[Iterator[int | None]] = []
    while waiting or running:
        while waiting and len(running) < most:
            generation, page = waiting.pop(0)
            generation.prefill(page.prompt(model.config.text_config.hidden_size))
            running.append(iter(generation))
        running = [steps for steps in running if any(token_id is None for token_id in steps)]
        assert len(batch) == len(running)
        if running:
            batch.feed()
    return generations


@st.composite
def pages(draw: st.DrawFn) -> Page:
    ngram_size = draw(st.sampled_from([0, 3]))
    return Page(
        seed=draw(st.integers(0, 2**16)),
        kept=tuple(sorted(draw(st.sets(st.integers(0, 60), min_size=1, max_size=40)))),
        beyond=draw(st.integers(0, 20)),
        rules=GenerationRules(
            end_id=draw(st.sampled_from([1, None])),
            max_new_tokens=draw(st.integers(1, 24)),
            context_length=draw(st.sampled_from([70, 512])),
            ngram_size=ngram_size,
            ngram_window=10 * ngram_size,
        ),
    )


# Of a million tokens, one is so close a choice that rounding turns it all the same; let it not be today.
@settings(derandomize=True, max_examples=15)
@given(st.lists(pages(), min_size=2, max_size=5), st.integers(2, 4))
def test_texts_together_say_what_each_says_by_itself(
    tiny_model: UnlimitedOcrForConditionalGeneration, wanted: list[Page], most: int
) -> None:
    for page, text in zip(wanted, together(tiny_model, wanted, most), strict=True):
        alone = by_itself(tiny_model, page)
        assert text.token_ids == alone.token_ids
        assert text.stop_reason is alone.stop_reason
        assert text.probabilities == pytest.approx(alone.probabilities, rel=1e-3)


FREE = GenerationRules(end_id=None, max_new_tokens=12, context_length=512)
THREE = [
    Page(1, (0, 1, 2, 9, 10, 40), 3, FREE),
    Page(2, tuple(range(30)), 0, FREE),
    Page(3, (0, 7), 5, replace(FREE, max_new_tokens=5)),
]


def test_a_choice_that_rounding_might_turn_is_made_from_exactly_what_the_text_alone_has(
    tiny_model: UnlimitedOcrForConditionalGeneration, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen_from: list[torch.Tensor] = []
    choose = GreedyText.choose

    def noting(text: GreedyText, candidates: greedy.Candidates, row: int) -> bool:
        is_chosen = choose(text, candidates, row)
        if is_chosen:
            chosen_from.append(candidates.logits[row])
        return is_chosen

    monkeypatch.setattr(GreedyText, "choose", noting)
    monkeypatch.setattr(greedy, "_are_close", lambda logits: [True] * len(logits))
    texts = together(tiny_model, THREE, most=3)
    shared = sorted(chosen_from, key=lambda logits: logits.tolist())
    chosen_from.clear()
    for page in THREE:
        by_itself(tiny_model, page)
    alone = sorted(chosen_from, key=lambda logits: logits.tolist())
    assert len(shared) == len(alone) == sum(len(text.token_ids) for text in texts)
    assert all(torch.equal(one, other) for one, other in zip(shared, alone, strict=True))


def test_one_text_is_stopped_and_the_others_go_on(tiny_model: UnlimitedOcrForConditionalGeneration) -> None:
    width = tiny_model.config.text_config.hidden_size
    batch, cancel = Batch(tiny_model), threading.Event()
    stopped, other = SharedGeneration(batch, FREE, cancel), SharedGeneration(batch, FREE, threading.Event())
    stopped.prefill(THREE[0].prompt(width))
    other.prefill(THREE[1].prompt(width))
    running = [iter(stopped), iter(other)]
    while running:
        if len(stopped.token_ids) == 4:
            cancel.set()
        running = [steps for steps in running if any(token_id is None for token_id in steps)]
        batch.feed()
    assert stopped.stop_reason is StopReason.CANCELLED
    assert len(stopped.token_ids) == 5  # the pass was made when it was stopped
    assert other.token_ids == by_itself(tiny_model, THREE[1]).token_ids


def test_a_text_that_waits_says_so_as_often_as_it_is_asked(
    tiny_model: UnlimitedOcrForConditionalGeneration,
) -> None:
    batch = Batch(tiny_model)
    text = SharedGeneration(batch, FREE, threading.Event())
    text.prefill(THREE[0].prompt(tiny_model.config.text_config.hidden_size))
    steps = iter(text)
    assert next(steps) == text.token_ids[-1]
    assert [next(steps) for _ in range(3)] == [None] * 3
    batch.feed()
    assert next(steps) == text.token_ids[-1]
    assert len(text.token_ids) == 2


def test_a_text_that_is_let_go_leaves_no_memory_behind(
    tiny_model: UnlimitedOcrForConditionalGeneration,
) -> None:
    batch = Batch(tiny_model)
    text = SharedGeneration(batch, FREE, threading.Event())
    text.prefill(THREE[0].prompt(tiny_model.config.text_config.hidden_size))
    steps = iter(text)
    next(steps)
    steps.close()
    assert len(batch) == 0
    assert batch._cache.get_seq_length() == 0


def test_a_text_that_cannot_be_let_go_spoils_no_other(
    monkeypatch: pytest.MonkeyPatch, tiny_model: UnlimitedOcrForConditionalGeneration
) -> None:
    alone = [by_itself(tiny_model, page).token_ids for page in THREE]
    cut, fails = Batch._cache_of, [True]

    def runs_out_once(batch: Batch, states: Iterable[Any]) -> Any:
        kept = list(states)
        if kept and len(batch) == len(THREE) and fails and fails.pop():
            raise torch.OutOfMemoryError
        return cut(batch, kept)

    batch = Batch(tiny_model)
    texts = [SharedGeneration(batch, page.rules, threading.Event()) for page in THREE]
    for text, page in zip(texts, THREE, strict=True):
        text.prefill(page.prompt(tiny_model.config.text_config.hidden_size))
    monkeypatch.setattr(Batch, "_cache_of", runs_out_once)
    with pytest.raises(torch.OutOfMemoryError):
        batch.leave(texts[0])
    batch.leave(texts[0])
    running = [iter(text) for text in texts[1:]]
    while running := [steps for steps in running if any(token_id is None for token_id in steps)]:
        batch.feed()
    assert [text.token_ids for text in texts[1:]] == alone[1:]


def test_a_text_that_has_ended_is_not_lost_where_there_is_no_memory_to_let_it_go(
    monkeypatch: pytest.MonkeyPatch, tiny_model: UnlimitedOcrForConditionalGeneration
) -> None:
    alone = [by_itself(tiny_model, page).token_ids for page in THREE]
    leave, failed = Batch.leave, list[SharedGeneration]()

    def runs_out_once(batch: Batch, text: SharedGeneration) -> None:
        if not failed:
            failed.append(text)
            raise torch.OutOfMemoryError
        leave(batch, text)

    monkeypatch.setattr(Batch, "leave", runs_out_once)
    batch = Batch(tiny_model)
    texts = [SharedGeneration(batch, page.rules, threading.Event()) for page in THREE]
    for text, page in zip(texts, THREE, strict=True):
        text.prefill(page.prompt(tiny_model.config.text_config.hidden_size))
    running = [iter(text) for text in texts]
    while running := [steps for steps in running if any(token_id is None for token_id in steps)]:
        batch.feed()
    assert failed
    assert [text.token_ids for text in texts] == alone
    assert len(batch) == 0


@pytest.mark.parametrize("device", ["cpu", "mps"])  # whose layers grow, and are stock
def test_a_pass_that_fails_midway_can_be_made_again(
    device: str, monkeypatch: pytest.MonkeyPatch, tiny_model: UnlimitedOcrForConditionalGeneration
) -> None:
    alone = [by_itself(tiny_model, page).token_ids for page in THREE]
    last_layer = tiny_model.model.language_model.layers[-1]
    forward, runs, shared_runs = last_layer.forward, iter(range(1000)), iter(range(1000))

    def runs_out_in_places(*args: Any, **named: Any) -> Any:
        run = next(runs)
        if run in (4, 7, 8):  # three prompts come first
            raise torch.OutOfMemoryError
        output = forward(*args, **named)
        if run == 10:  # between keys and values
            memory: Any = batch._cache.layers[-1]
            memory.values = memory.values[..., :-1, :]
            raise torch.OutOfMemoryError
        return output

    def found_out_late(logits: torch.Tensor, of_shared_pass: bool) -> greedy.Candidates:
        if of_shared_pass and next(shared_runs) in (1, 5):
            raise torch.OutOfMemoryError
        return greedy.Candidates(logits, of_shared_pass)

    monkeypatch.setattr(last_layer, "forward", runs_out_in_places)
    monkeypatch.setattr(batching, "Candidates", found_out_late)
    monkeypatch.setattr(batching, "make_cache", lambda config, _: make_cache(config, torch.device(device)))
    batch = Batch(tiny_model)
    texts = [SharedGeneration(batch, page.rules, threading.Event()) for page in THREE]
    for text, page in zip(texts, THREE, strict=True):
        text.prefill(page.prompt(tiny_model.config.text_config.hidden_size))
    running, failures = [iter(text) for text in texts], 0
    while running := [steps for steps in running if any(token_id is None for token_id in steps)]:
        while True:
            try:
                batch.feed()
                break
            except torch.OutOfMemoryError:
                failures += 1
    assert failures == 6
    assert [text.token_ids for text in texts] == alone


# --- how many ------------------------------------------------------------------------------------


def stand_in(layer_type: str = "full_attention", device: str = "cpu") -> UnlimitedOcrForConditionalGeneration:
    text_config = SimpleNamespace(layer_types=[layer_type])
    return SimpleNamespace(  # type: ignore[return-value]
        config=SimpleNamespace(text_config=text_config), device=torch.device(device), dtype=torch.float32
    )


@pytest.mark.parametrize(
    ("device", "width", "count"),
    [
        ("cpu", 256, PAGES_AT_ONCE),
        ("cpu", 1280, 1),
        ("cuda", 1280, PAGES_AT_ONCE),
        ("mps", 256, PAGES_AT_ONCE),
    ],
)
def test_pages_go_together_where_that_is_quicker(
    monkeypatch: pytest.MonkeyPatch, device: str, width: int, count: int
) -> None:
    monkeypatch.setattr(batching, "free_bytes", lambda _: 2**40)
    assert pages_at_once(stand_in(device=device), replace(SIZES, width=width)) == count


def test_no_more_pages_go_together_than_the_memory_holds_at_their_greatest_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page_bytes = 512 * 2 * 16 * 2 * 4  # tokens; keys and values, their width; layers; bytes
    monkeypatch.setattr(batching, "free_bytes", lambda _: 2 * 3 * page_bytes)
    assert pages_at_once(stand_in(), SIZES) == 3
    monkeypatch.setattr(batching, "free_bytes", lambda _: 0)
    assert pages_at_once(stand_in(), SIZES) == 1


def test_a_person_may_ask_for_another_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "free_bytes", lambda _: 0)
    assert pages_at_once(stand_in(), SIZES, wanted=5) == 5


def test_a_model_that_forgets_its_own_text_reads_page_by_page() -> None:
    assert pages_at_once(stand_in("reference_sliding_attention"), SIZES, wanted=5) == 1


# --- pages ---------------------------------------------------------------------------------------


def requests_of(samples: Sequence[PageImage], name: str, ratios: Sequence[float]) -> list[PageRequest]:
    """Each sample at each ratio, under names that the engine never heard."""
    return [
        PageRequest(
            replace(page, ref=replace(page.ref, path=Path(name) / f"{ratio}" / page.ref.path.name)),
            ReadSettings(Scaling(Mode.TINY), TEXT, PruneSettings(ratio), max_new_tokens=40),
            threading.Event(),
        )
        for ratio in ratios
        for page in samples
    ]


Alone = Callable[[Sequence[float]], list[Reading]]


@pytest.fixture(scope="module")
def read_alone(miniature_engine: Engine, samples: list[PageImage]) -> Alone:
    """Gives the reading of each sample at each ratio by itself, in the order of `requests_of`."""

    @cache
    def at(ratio: float) -> list[Reading]:
        return [
            read_page(miniature_engine, request.page, request.settings, ())
            for request in requests_of(samples, "alone", [ratio])
        ]

    return lambda ratios: [reading for ratio in ratios for reading in at(ratio)]


Events = Sequence[tuple[PageRequest, PageEvent]]


def outcome(events: Events, request: PageRequest) -> PageEvent:
    """The last that was heard of a page."""
    return [event for about, event in events if about is request][-1]


def said(reading: PageEvent) -> object:
    return (reading.token_ids, reading.stop_reason) if isinstance(reading, Reading) else reading


def test_samples_together_are_read_token_by_token_as_one_by_one(
    miniature_engine: Engine, samples: list[PageImage], read_alone: Alone
) -> None:
    ratios = (1.0, 0.84, 0.5)
    alone = read_alone(ratios)
    requests = requests_of(samples, "together", ratios)
    events = list(miniature_engine.read_together(requests, most=4))
    assert [said(outcome(events, request)) for request in requests] == list(map(said, alone))


def test_of_each_page_the_same_is_told_as_of_one(miniature_engine: Engine, samples: list[PageImage]) -> None:
    requests = requests_of(samples, "events", [0.9])
    events = list(miniature_engine.read_together(requests, most=3))
    for request in requests:
        own = [event for about, event in events if about is request]
        stages = [event for event in own if isinstance(event, Stage)]
        assert stages == [Stage.ENCODE, Stage.PRUNE, Stage.PREFILL, Stage.DECODE]
        reading = own[-1]
        assert isinstance(reading, Reading)
        assert "".join(event.text for event in own if isinstance(event, TextDelta)) == reading.raw_text
        assert reading.read_together
        assert min(reading.timings.encode_ms, reading.timings.prefill_ms, reading.timings.decode_ms) > 0
    about = [request for request, event in events if isinstance(event, TextDelta)]
    assert any(one is not other for one, other in pairwise(about))


def test_pages_are_asked_for_when_there_is_room(miniature_engine: Engine, samples: list[PageImage]) -> None:
    asked: list[PageRequest] = []

    def asking() -> Iterator[PageRequest]:
        for request in requests_of(samples, "room", [1.0, 0.9]):
            asked.append(request)
            yield request

    ended = 0
    for _, event in miniature_engine.read_together(asking(), most=2):
        assert len(asked) <= ended + 2
        ended += isinstance(event, Reading)
    assert ended == len(asked) == 2 * len(samples)


def test_the_first_page_is_heard_of_before_the_others_are_encoded(
    miniature_engine: Engine, samples: list[PageImage]
) -> None:
    requests = requests_of(samples, "soon", [1.0])
    listening = miniature_engine.read_together(requests, most=3)
    for request, event in listening:
        assert request is requests[0]
        if isinstance(event, TextDelta):
            break
    list(listening)


def test_the_others_go_on_before_a_page_begins_in_proportion_to_the_time_that_takes(
    samples: list[PageImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(pages_together.time, "perf_counter", lambda: clock.now)
    happened: list[str] = []

    def begin(request: PageRequest) -> Steps:
        happened.append("begin")
        clock.now += 10
        for _ in range(5):
            yield None

    class Passes:
        def feed(self) -> None:
            happened.append("pass")
            clock.now += 1

    list(pages_together.read_together(requests_of(samples, "turns", [1.0])[:3], begin, Passes(), most=2))
    first_two = ["begin", *["pass"] * 4, "begin"]  # after 11 seconds, and three that are a quarter of them
    assert happened[: len(first_two)] == first_two


def test_a_page_that_is_stopped_stops_alone_and_one_that_did_not_begin_is_left_out(
    miniature_engine: Engine, samples: list[PageImage], read_alone: Alone
) -> None:
    requests = requests_of(samples, "stopped", [1.0, 0.9])
    stopped, *others, left_out = requests
    events = []
    for request, event in miniature_engine.read_together(requests, most=2):
        events.append((request, event))
        if request is stopped and isinstance(event, TextDelta):
            stopped.cancel.set()
            left_out.cancel.set()
    ended = outcome(events, stopped)
    assert isinstance(ended, Reading)
    assert ended.stop_reason is StopReason.CANCELLED
    assert len(ended.token_ids) == 1
    assert all(about is not left_out for about, _ in events)
    _, *alone, _ = read_alone([1.0, 0.9])
    assert [said(outcome(events, request)) for request in others] == list(map(said, alone))


def test_a_page_that_fails_fails_alone(
    miniature_engine: Engine, samples: list[PageImage], read_alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(samples, "failing", [1.0])
    alone = read_alone([1.0])
    encode_views, broken = page_encoder.encode_views, iter([False, True, False])

    def failing(model: object, views: object) -> torch.Tensor:
        if next(broken):
            raise RuntimeError("boom")
        return encode_views(model, views)  # type: ignore[arg-type]

    monkeypatch.setattr(page_encoder, "encode_views", failing)
    events = list(miniature_engine.read_together(requests, most=3))
    failed = outcome(events, requests[1])
    assert isinstance(failed, PageFailed)
    assert "The model failed on this page." in str(failed.error)
    for place in (0, 2):
        assert said(outcome(events, requests[place])) == said(alone[place])


def test_a_page_that_fails_before_its_first_token_leaves_the_passes_of_the_others(
    miniature_engine: Engine, samples: list[PageImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(samples, "late", [1.0])
    wait_for, waits = clock.wait_for, iter(range(1000))

    def failing(device: torch.device) -> None:
        if next(waits) == 5:  # after the prefill of the second page
            raise RuntimeError("CUDA error: found out late")
        wait_for(device)

    monkeypatch.setattr(clock, "wait_for", failing)
    events = list(miniature_engine.read_together(requests, most=2))
    assert isinstance(outcome(events, requests[1]), PageFailed)
    for request in (requests[0], requests[2]):
        assert isinstance(outcome(events, request), Reading)


@pytest.mark.parametrize("failure", [RuntimeError("a kernel failed"), MemoryError()], ids=repr)
def test_whatever_a_pass_fails_with_is_told_of_the_newest_page_alone(
    samples: list[PageImage], failure: Exception
) -> None:
    requests = requests_of(samples[:2], "failing", [1.0])
    sizes: list[int] = []
    waiting: set[PageRequest] = set()

    def begin(request: PageRequest) -> Steps:
        waiting.add(request)
        try:
            yield None
            yield None
        except (RuntimeError, MemoryError) as error:
            raise ReadingError("It failed.") from error
        finally:
            waiting.discard(request)
        yield Stage.DECODE

    def feed() -> None:
        sizes.append(len(waiting))
        if len(waiting) == 2:
            raise failure

    events = list(pages_together.read_together(requests, begin, SimpleNamespace(feed=feed), 2, 0))
    assert outcome(events, requests[0]) is Stage.DECODE
    failed = outcome(events, requests[1])
    assert isinstance(failed, PageFailed)
    assert failed.error.__cause__ is failure
    assert 2 in sizes


def test_where_a_pass_fails_the_newest_page_fails_and_fewer_go_on(
    miniature_engine: Engine, samples: list[PageImage], read_alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(samples, "memory", [1.0, 0.9])
    alone = read_alone([1.0, 0.9])
    feed, sizes = Batch.feed, list[int]()

    def failing(batch: Batch) -> None:
        sizes.append(len(batch))
        if len(batch) == sizes.count(3) == 3:
            raise torch.OutOfMemoryError("out of memory")
        feed(batch)

    monkeypatch.setattr(Batch, "feed", failing)
    events = list(miniature_engine.read_together(requests, most=3))
    failed = outcome(events, requests[2])
    assert isinstance(failed, PageFailed)
    assert isinstance(failed.error, OutOfMemory)
    assert "Read fewer pages at a time" in str(failed.error)
    assert sizes.count(3) == 3
    assert set(sizes[sizes.index(3) + 3 :]) <= {1, 2}
    for place in (0, 1, 3, 4, 5):
        assert said(outcome(events, requests[place])) == said(alone[place])


def test_a_page_whose_numbers_are_not_finite_fails_alone(
    miniature_engine: Engine, samples: list[PageImage], read_alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(samples, "overflowing", [1.0])
    alone = read_alone([1.0])
    forward, passes = Batch._forward, iter(range(1000))

    def overflowing(batch: Batch, *given: Any) -> torch.Tensor:
        logits = forward(batch, *given)
        if next(passes) > 8 and len(batch) == 3:
            logits[1] = math.nan
        return logits

    monkeypatch.setattr(Batch, "_forward", overflowing)
    events = list(miniature_engine.read_together(requests, most=3))
    failed = outcome(events, requests[1])
    assert isinstance(failed, PageFailed)
    assert "not finite" in str(failed.error)
    for place in (0, 2):
        assert said(outcome(events, requests[place])) == said(alone[place])


def test_a_page_that_was_read_before_has_its_text_for_a_draft(
    miniature_engine: Engine, samples: list[PageImage]
) -> None:
    requests = requests_of(samples, "again", [0.9])
    first = list(miniature_engine.read_together(requests, most=3))
    again = list(miniature_engine.read_together(requests, most=3))
    for request in requests:
        reading = outcome(again, request)
        assert isinstance(reading, Reading)
        assert said(reading) == said(outcome(first, request))
        assert reading.passes < len(reading.token_ids) / 4


def test_whoever_stops_listening_leaves_nothing_behind(
    miniature_engine: Engine, samples: list[PageImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[Batch] = []
    feed = Batch.feed

    def noting(batch: Batch) -> None:
        batches.append(batch)
        feed(batch)

    monkeypatch.setattr(Batch, "feed", noting)
    listening = miniature_engine.read_together(requests_of(samples, "left", [1.0]), most=3)
    for _, event in listening:
        if batches and len(batches[0]) == 3 and isinstance(event, TextDelta):
            break
    listening.close()  # type: ignore[attr-defined]
    assert len(batches[0]) == 0
