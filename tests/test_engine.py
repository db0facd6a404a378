"""The engine reads pages with the bundled model: stage by stage, cached, cancellable, unbreakable."""

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import CheckpointError, PruningError, ReadingError, SettingsError
from rtocr_gui.ocr import doubts, page_stages
from rtocr_gui.ocr import engine as engine_module
from rtocr_gui.ocr.decoder.decoding import Decoder, Prompt
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.machine import clock
from rtocr_gui.ocr.machine.threads import usable_cpus, wait_without_spinning
from rtocr_gui.ocr.page_stages import generation_rules
from rtocr_gui.ocr.reading import (
    TASKS,
    EncodedPage,
    Mode,
    Reading,
    ReadingEvent,
    ReadSettings,
    Scaling,
    Stage,
    StopReason,
    TextDelta,
)
from rtocr_gui.ocr.text.markup import parse_blocks, strip_grounding
from rtocr_gui.ocr.text.printed_blocks import move_to_print
from rtocr_gui.ocr.text.unsure_words import find_words
from rtocr_gui.ocr.vision import page_encoder
from rtocr_gui.ocr.vision.cache import ByteBoundedCache
from rtocr_gui.pruning.plan import PruneMethod, PruneSettings, plan_pruning
from rtocr_gui.resources import resource_path
from tests.made_pages import text_page
from tests.readings import reading_of
from tests.small_checkpoint import changed, write_checkpoint
from tests.tasks import MARKDOWN, TEXT

SETTINGS = ReadSettings(Scaling(Mode.TINY), TEXT, PruneSettings(retention=1.0), max_new_tokens=60)


def read(
    engine: Engine, page: PageImage, settings: ReadSettings = SETTINGS, cancel: threading.Event | None = None
) -> list[ReadingEvent]:
    return list(engine.read(page, settings, cancel or threading.Event()))


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[Mode]:
    """The mode of every page that is really encoded during a test."""
    encoded: list[Mode] = []
    encode_views = page_encoder.encode_views

    def counting(model: object, views: object) -> torch.Tensor:
        encoded.append(views.mode)  # type: ignore[attr-defined]
        return encode_views(model, views)  # type: ignore[arg-type]

    monkeypatch.setattr(page_encoder, "encode_views", counting)
    return encoded


@pytest.fixture
def small_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(threads=1)
    engine.load(write_checkpoint(tmp_path / "model"), device="cpu")
    yield engine
    engine.unload()


# --- reading -------------------------------------------------------------------------------------


def test_a_reading_tells_the_blocks_that_the_model_told_and_moves_them_to_their_print_if_it_is_rough(
    small_engine: Engine, miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "<|ref|>title<|/ref|><|det|>[[10, 20, 900, 60]]<|/det|>\n# Report"
    page, told = text_page("blocks.png"), parse_blocks(said, MARKDOWN)

    def spell(_: object, token_ids: Sequence[int]) -> tuple[str, NDArray[np.int64]]:
        return said, np.linspace(0, len(said), len(token_ids) + 1).astype(np.int64)

    monkeypatch.setattr(page_stages, "spell", spell)
    for engine, blocks in (
        (small_engine, told),
        (miniature_engine, move_to_print(told, "# Report", page.image)),
    ):
        reading = reading_of(read(engine, page, replace(SETTINGS, task=MARKDOWN)))
        assert reading.blocks == blocks
        assert reading.text[slice(reading.blocks[0].start, reading.blocks[0].end)] == "# Report"
    assert blocks != told


def test_a_reading_tells_its_stages_in_order_and_ends_with_itself(miniature_engine: Engine) -> None:
    events = read(miniature_engine, text_page("stages.png"))
    kinds = [event if isinstance(event, Stage) else type(event) for event in events]
    assert kinds[:5] == [Stage.ENCODE, EncodedPage, Stage.PRUNE, Stage.PREFILL, Stage.DECODE]
    assert set(kinds[5:-1]) == {TextDelta}
    assert kinds[-1] is Reading


def test_the_deltas_are_the_text(miniature_engine: Engine) -> None:
    events = read(miniature_engine, text_page("deltas.png"))
    deltas = [event for event in events if isinstance(event, TextDelta)]
    reading = reading_of(events)
    assert "".join(delta.text for delta in deltas) == reading.raw_text != ""
    assert sum(delta.token_count for delta in deltas) == len(reading.token_ids)
    assert reading.text == strip_grounding(reading.raw_text, TEXT)


def test_a_reading_tells_the_words_that_the_model_was_unsure_of(miniature_engine: Engine) -> None:
    clear, blurred = text_page("clear.png"), text_page("blurred.png")
    small = blurred.image.reduce(6).resize(blurred.image.size)
    sure = reading_of(read(miniature_engine, clear))
    unsure = reading_of(read(miniature_engine, replace(blurred, image=small)))
    assert len(sure.unsure_words) < len(unsure.unsure_words)
    words = set(find_words(unsure.text))
    assert unsure.word_count == len(words)
    assert words >= set(unsure.unsure_words)
    described = reading_of(
        read(miniature_engine, replace(blurred, image=small), replace(SETTINGS, task=TASKS[4]))
    )
    assert described.unsure_words == (), "it may choose among words"


def test_a_reading_says_what_it_rests_on(miniature_engine: Engine) -> None:
    scan = text_page("facts.png")
    events = read(miniature_engine, scan, replace(SETTINGS, pruning=PruneSettings(retention=0.5)))
    reading = reading_of(events)
    assert reading.ref == scan.ref
    assert reading.model_name == "RTOCR Miniature"
    assert isinstance(events[1], EncodedPage)
    plan = plan_pruning(events[1].layout, events[1].measures, reading.settings.pruning)
    assert (reading.kept, reading.total, reading.retention, reading.automatic) == (32, 64, 0.5, False)
    assert reading.padding == plan.layout.padding.sum()
    assert reading.cost.prompt_tokens == 1 + len(plan.selected) + len(TEXT.prompt)
    assert reading.timings.encode_ms == events[1].encode_ms > 0
    assert reading.timings.cached_ms == 0
    assert min(reading.timings.prune_ms, reading.timings.prefill_ms, reading.timings.decode_ms) > 0


def test_no_stage_ends_before_the_device_has_finished_it(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_for: list[torch.device] = []
    monkeypatch.setattr(clock, "wait_for", waited_for.append)
    events = miniature_engine.read(text_page("course.png"), SETTINGS, threading.Event())
    waits_before = {event: len(waited_for) for event in events if isinstance(event, Stage)}
    assert waits_before == {Stage.ENCODE: 0, Stage.PRUNE: 1, Stage.PREFILL: 2, Stage.DECODE: 3}


def test_the_same_page_gives_the_same_text(miniature_engine: Engine) -> None:
    first, second = (reading_of(read(miniature_engine, text_page("twice.png"))) for _ in range(2))
    assert first.token_ids == second.token_ids


def test_a_limit_of_tokens_is_kept_and_told(miniature_engine: Engine) -> None:
    settings = replace(SETTINGS, max_new_tokens=3, stop_at_end=False)
    reading = reading_of(read(miniature_engine, text_page("limit.png"), settings))
    assert len(reading.token_ids) == 3
    assert reading.stop_reason is StopReason.LENGTH


def test_what_may_not_repeat_is_as_the_model_was_published(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = miniature_engine.checkpoint
    rules = generation_rules(checkpoint, SETTINGS)
    assert (rules.ngram_size, rules.ngram_window, rules.scale) == (120, 360, 4), "each token is a byte"
    assert rules.tabs == dict.fromkeys(checkpoint.tokenizer.encode("\t"), 1)
    monkeypatch.setattr(checkpoint.tokenizer, "is_of_bytes", False)
    rules = generation_rules(checkpoint, SETTINGS)
    assert (rules.ngram_size, rules.ngram_window, rules.scale) == (30, 90, 1)
    assert {checkpoint.tokenizer.token_bytes(token_id) for token_id in rules.allowed_ids} == {
        b"<td>",
        b"</td>",
    }


def test_a_model_loaded_on_one_thread_reads_on_another(miniature_engine: Engine) -> None:
    here = reading_of(read(miniature_engine, text_page("thread.png")))
    events: list[ReadingEvent] = []
    worker = threading.Thread(target=lambda: events.extend(read(miniature_engine, text_page("thread.png"))))
    worker.start()
    worker.join()
    assert reading_of(events).token_ids == here.token_ids


def test_whoever_takes_the_events_is_not_put_into_inference_mode(miniature_engine: Engine) -> None:
    for _ in miniature_engine.read(text_page("mode.png"), SETTINGS, threading.Event()):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_reads_with_the_layout_of_its_page(small_engine: Engine, mode: Mode) -> None:
    scan = text_page(size=(700, 500))
    settings = ReadSettings(Scaling(mode), TEXT, max_new_tokens=2)
    if mode is Mode.GUNDAM:
        with pytest.raises(ReadingError, match="this model takes 512 in all"):
            read(small_engine, scan, settings)
        return
    events = read(small_engine, scan, settings)
    assert isinstance(events[1], EncodedPage)
    assert events[1].layout.page_size_px == (700, 500)
    assert reading_of(events).total == (mode.view_px // 64) ** 2


@pytest.mark.parametrize(
    ("mode", "room", "advice"),
    [(Mode.GUNDAM, 512, "Choose a smaller mode."), (Mode.TINY, 70, "Choose another model.")],
)
def test_a_page_for_which_a_model_has_no_room_is_told_what_helps(
    tmp_path: Path, mode: Mode, room: int, advice: str
) -> None:
    config = changed("language_config/max_position_embeddings", room)
    engine = Engine(threads=1)
    engine.load(write_checkpoint(tmp_path / "model", config), device="cpu")
    with pytest.raises(ReadingError, match=f"takes {room} in all. {advice}"):
        read(engine, text_page(size=(700, 500)), replace(SETTINGS, scaling=Scaling(mode)))


# --- stopping ------------------------------------------------------------------------------------


def test_cancelled_after_some_text_it_ends_with_that_text(miniature_engine: Engine) -> None:
    cancel = threading.Event()
    settings = replace(SETTINGS, stop_at_end=False)
    events: list[ReadingEvent] = []
    for event in miniature_engine.read(text_page("stop.png"), settings, cancel):
        events.append(event)
        if isinstance(event, TextDelta):
            cancel.set()
    reading = reading_of(events)
    assert reading.stop_reason is StopReason.CANCELLED
    assert len(reading.token_ids) == 1
    assert [event.text for event in events if isinstance(event, TextDelta)] == [reading.raw_text]


def test_cancelled_before_it_began_it_says_nothing(miniature_engine: Engine) -> None:
    cancel = threading.Event()
    cancel.set()
    reading = reading_of(read(miniature_engine, text_page("never.png"), cancel=cancel))
    assert reading.stop_reason is StopReason.CANCELLED
    assert reading.raw_text == ""


def test_a_reading_may_be_abandoned_and_the_next_begun(miniature_engine: Engine) -> None:
    events = miniature_engine.read(text_page("left.png"), SETTINGS, threading.Event())
    assert next(events) is Stage.ENCODE
    events.close()  # type: ignore[attr-defined]
    assert reading_of(read(miniature_engine, text_page("left.png"))).raw_text


def test_what_a_baseline_made_of_a_page_is_no_draft(miniature_engine: Engine) -> None:
    at_half = replace(SETTINGS, pruning=PruneSettings(0.5))
    by_norm = replace(SETTINGS, pruning=PruneSettings(0.5, method=PruneMethod.NORM_ONLY))
    first = reading_of(read(miniature_engine, text_page("no-baseline.png"), at_half))
    read(miniature_engine, text_page("baseline.png"), by_norm)
    after_it = reading_of(read(miniature_engine, text_page("baseline.png"), at_half))
    assert after_it.token_ids == first.token_ids
    assert after_it.passes == first.passes
    assert reading_of(read(miniature_engine, text_page("baseline.png"), at_half)).passes < first.passes


def test_measuring_counts_as_pruning_where_a_page_is_new(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour_ms, measure = 3_600_000.0, page_encoder.measure_tokens
    monkeypatch.setattr(
        page_encoder, "measure_tokens", lambda *given: replace(measure(*given), measure_ms=hour_ms)
    )
    settings = replace(SETTINGS, max_new_tokens=1)
    first, again = (
        reading_of(read(miniature_engine, text_page("measured.png"), settings)).timings.prune_ms
        for _ in range(2)
    )
    assert again < hour_ms < first < 2 * hour_ms


# --- encoding once -------------------------------------------------------------------------------


def test_a_page_is_encoded_once_for_any_number_of_ratios(
    miniature_engine: Engine, encodings: list[Mode]
) -> None:
    encoded = miniature_engine.encode(text_page("once.png"), Scaling(Mode.TINY))
    for retention in (1.0, 0.5, None):
        settings = replace(SETTINGS, pruning=PruneSettings(retention), max_new_tokens=1)
        events = read(miniature_engine, text_page("once.png"), settings)
        assert isinstance(events[1], EncodedPage)
        assert events[1].measures is encoded.measures
        timings = reading_of(events).timings
        assert (timings.encode_ms, timings.cached_ms) == (0, encoded.encode_ms)
    assert encodings == [Mode.TINY]


def test_another_mode_size_resolution_or_file_is_another_encoding(
    small_engine: Engine, encodings: list[Mode]
) -> None:
    scan = text_page()
    others = [
        replace(scan, image=scan.image.resize((300, 300))),
        replace(scan, dpi=300),
        replace(scan, ref=replace(scan.ref, index=1)),
        replace(scan, ref=replace(scan.ref, sha256="changed")),
    ]
    for each in (scan, *others, scan, *others):
        small_engine.encode(each, Scaling(Mode.TINY))
    small_engine.encode(scan, Scaling(Mode.SMALL))
    assert encodings == [Mode.TINY] * 5 + [Mode.SMALL]


def test_another_model_encodes_anew(small_engine: Engine, encodings: list[Mode], tmp_path: Path) -> None:
    small_engine.encode(text_page(), Scaling(Mode.TINY))
    small_engine.load(tmp_path / "model", device="cpu")
    small_engine.encode(text_page(), Scaling(Mode.TINY))
    assert len(encodings) == 2


def test_pages_beyond_the_bound_are_encoded_again(tmp_path: Path, encodings: list[Mode]) -> None:
    engine = Engine(threads=1, cache_bytes=0)
    engine.load(write_checkpoint(tmp_path / "model"), device="cpu")
    for _ in range(2):
        engine.encode(text_page(), Scaling(Mode.TINY))
    assert len(encodings) == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60)), max_size=40))
def test_the_cache_never_holds_more_than_its_bound_and_forgets_the_oldest(
    puts: list[tuple[int, int]],
) -> None:
    cache: ByteBoundedCache[int, str] = ByteBoundedCache(100)
    expected: dict[int, int] = {}
    for key, size in puts:
        cache.put(key, f"{key}:{size}", size)
        expected.pop(key, None)
        expected[key] = size
        while sum(expected.values()) > 100:
            del expected[next(iter(expected))]
    assert [cache.get(key) for key in range(6)] == [
        f"{key}:{expected[key]}" if key in expected else None for key in range(6)
    ]


def test_what_was_asked_for_stays_longer() -> None:
    cache: ByteBoundedCache[str, int] = ByteBoundedCache(2)
    cache.put("a", 1, 1)
    cache.put("b", 2, 1)
    cache.get("a")
    cache.put("c", 3, 1)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]


def test_a_value_above_the_bound_pushes_nothing_out() -> None:
    cache: ByteBoundedCache[str, int] = ByteBoundedCache(10)
    cache.put("a", 1, 10)
    cache.put("b", 2, 11)
    assert [cache.get(key) for key in "ab"] == [1, None]


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (RuntimeError("a kernel failed"), "failed on this page"),
        (
            torch.OutOfMemoryError("CUDA out of memory"),
            "not enough memory to read this page in .*Tiny mode",
        ),
        (MemoryError(), "not enough memory"),
    ],
)
def test_a_failing_page_is_told_in_words_and_the_next_one_is_read(
    miniature_engine: Engine, failure: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise failure

    scan = text_page(f"broken-{type(failure).__name__}.png")
    with monkeypatch.context() as patch:
        patch.setattr(page_encoder, "encode_views", fail)
        with pytest.raises(ReadingError, match=sentence) as caught:
            read(miniature_engine, scan)
    assert caught.value.__cause__ is failure
    assert reading_of(read(miniature_engine, scan)).raw_text


def test_a_page_whose_print_cannot_be_measured_for_lack_of_memory_is_told_in_words(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(page_encoder, "stroke_pitch", fail)
    with pytest.raises(ReadingError, match="not enough memory to read this page"):
        read(miniature_engine, text_page("unmeasured.png"), replace(SETTINGS, scaling=Scaling(None)))


def test_the_print_of_a_page_is_measured_before_its_text_and_not_as_a_part_of_pruning(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []
    monkeypatch.setattr(page_encoder, "stroke_pitch", lambda _: order.append("measured"))
    settings = ReadSettings(Scaling(Mode.TINY), TEXT, max_new_tokens=4)
    events = miniature_engine.read(text_page("in order.png"), settings, threading.Event())
    while (event := next(events, None)) is not None:
        order.append(event)
    assert order.index("measured") < order.index(Stage.PRUNE)


def test_a_failure_in_the_middle_of_the_text_is_told_in_words(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("device lost")

    monkeypatch.setattr("rtocr_gui.ocr.decoder.decoding.Decoder.feed", fail)
    with pytest.raises(ReadingError, match="failed on this page"):
        read(miniature_engine, text_page("middle.png"))


def test_a_text_that_repeats_itself_is_cut_where_it_begins_to(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = miniature_engine.checkpoint
    said = checkpoint.tokenizer.encode("A title" + " and on" * 200)
    sure_up_to = len(checkpoint.tokenizer.encode("A title"))
    monkeypatch.setattr(doubts, "has_unread_print", lambda *_: True)

    def feed(decoder: Decoder, token_ids: list[int]) -> torch.Tensor:
        first = decoder.next_position - begins_at
        decoder.next_position += len(token_ids)
        wanted = torch.tensor(said[first + 1 : first + 1 + len(token_ids)])
        places = first + 1 + torch.arange(len(token_ids))
        how_sure = torch.where(places < sure_up_to, 30.0, 1.0)[:, None]
        return how_sure * torch.nn.functional.one_hot(wanted, 1000)

    def prefill(decoder: Decoder, prompt: Prompt) -> torch.Tensor:
        nonlocal begins_at
        begins_at = decoder.next_position = prompt.next_position
        return 30.0 * torch.nn.functional.one_hot(torch.tensor(said[0]), 1000)

    def take_back(decoder: Decoder, count: int) -> None:
        decoder.next_position -= count

    begins_at = 0
    monkeypatch.setattr(Decoder, "feed", feed)
    monkeypatch.setattr(Decoder, "prefill", prefill)
    monkeypatch.setattr(Decoder, "take_back", take_back)
    reading = reading_of(
        read(miniature_engine, text_page("loop.png"), replace(SETTINGS, max_new_tokens=1000))
    )
    assert reading.stop_reason is StopReason.LOOP
    assert reading.text == reading.raw_text == "A title and on"
    assert (reading.word_count, reading.unsure_words) == (4, ((8, 11), (12, 14)))
    assert reading.doubt is None, "what was not read is known"
    assert len(reading.token_ids) == len(checkpoint.tokenizer.encode("A title and on"))


def test_tokens_that_are_no_numbers_are_refused(
    miniature_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_encoder, "encode_views", lambda model, views: torch.full((73, 256), np.nan))
    with pytest.raises(PruningError, match="not finite"):
        miniature_engine.encode(text_page("nan.png"), Scaling(Mode.TINY))


def test_without_a_model_nothing_is_read() -> None:
    engine = Engine()
    with pytest.raises(ReadingError, match="No model is loaded"):
        engine.encode(text_page(), Scaling(Mode.TINY))
    with pytest.raises(ReadingError, match="No model is loaded"):
        read(engine, text_page())


def test_a_folder_or_device_that_cannot_be_used_leaves_the_former_model(
    small_engine: Engine, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError):
        small_engine.load(tmp_path / "nowhere", device="cpu")
    with pytest.raises(SettingsError):
        small_engine.load(tmp_path / "model", device="cuda:99")
    assert small_engine.encode(text_page(), Scaling(Mode.TINY))


def test_an_unloaded_model_is_gone(small_engine: Engine) -> None:
    small_engine.unload()
    with pytest.raises(ReadingError, match="No model is loaded"):
        small_engine.encode(text_page(), Scaling(Mode.TINY))


# --- what it runs on -----------------------------------------------------------------------------


def test_loading_says_what_runs_where() -> None:
    engine = Engine(threads=1)
    loaded = engine.load(resource_path("miniature"), device="cpu")
    assert (loaded.device, loaded.dtype) == ("cpu", "float32")
    assert loaded.info.folder == resource_path("miniature")
    assert loaded.load_ms > 0


@pytest.mark.parametrize(("asked", "used"), [(None, 2), (1, 1), (5, 5)])
def test_threads_are_as_many_as_the_process_may_use_unless_told(
    asked: int | None, used: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.setattr(engine_module, "usable_cpus", lambda: 2)
    Engine(threads=asked).load(write_checkpoint(tmp_path / "model"), device="cpu")
    assert chosen == [used]


@pytest.mark.parametrize(
    ("limit", "cpus"), [("150000 100000\n", 1), ("max 100000\n", 6), ("300000 100000\n", 3), ("nonsense", 6)]
)
@pytest.mark.parametrize("group", ["", "user.slice/rtocr.service", "user.slice"])
def test_the_limit_of_a_container_or_a_service_counts(
    limit: str, cpus: int, group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(6)), raising=False)
    own = tmp_path / "own"
    own.write_text("0::/user.slice/rtocr.service\n")
    (tmp_path / group).mkdir(parents=True, exist_ok=True)
    (tmp_path / group / "cpu.max").write_text(limit)
    assert usable_cpus(tmp_path, own) == cpus
    assert usable_cpus(tmp_path, tmp_path / "missing") == 6


@pytest.mark.parametrize(("quota", "cpus"), [("200000", 2), ("-1", 6)])
def test_the_limit_of_an_older_container_counts(
    quota: str, cpus: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(6)), raising=False)
    own, group = tmp_path / "own", tmp_path / "cpu,cpuacct"
    own.write_text("5:memory:/\n4:cpu,cpuacct:/docker/a\n")
    group.mkdir()
    (group / "cpu.cfs_quota_us").write_text(quota)
    (group / "cpu.cfs_period_us").write_text("100000")
    assert usable_cpus(tmp_path, own) == cpus


def test_threads_sleep_while_they_wait_unless_the_person_chose_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    wait_without_spinning()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    wait_without_spinning()
    assert os.environ["OMP_WAIT_POLICY"] == "active"
