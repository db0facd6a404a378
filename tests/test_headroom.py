"""A model or a page for which there is no memory: refused beforehand, told in words, with a way out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr import engine as engine_module
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.memory import headroom
from rtocr_gui.ocr.memory.fit import DoesNotFit
from rtocr_gui.ocr.reading import TASKS, Mode, OutOfMemory, ReadSettings, Scaling, StopReason
from rtocr_gui.ocr.vision import page_encoder
from rtocr_gui.pruning.plan import PruneMethod, PruneSettings
from tests.made_pages import blank_page
from tests.readings import read_page
from tests.small_checkpoint import small_config, write_checkpoint

MB = 10**6
SETTINGS = ReadSettings(Scaling(Mode.GUNDAM), TASKS[1], max_new_tokens=3)

Memory = Callable[[int], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = small_config()
    config["language_config"]["max_position_embeddings"] = 2048
    return write_checkpoint(tmp_path / "model", config)


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    """With a model that was made for every mode."""
    engine = Engine(threads=1)
    engine.load(folder, device="cpu")
    yield engine
    engine.unload()


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """Lets so many bytes be free from then on."""

    def leave(free: int) -> None:
        for module in (headroom, engine_module):
            monkeypatch.setattr(module, "free_bytes", lambda device: free)

    return leave


@pytest.fixture
def page() -> PageImage:
    return blank_page((640, 640 * 3), "scan.png")


# --- a model -------------------------------------------------------------------------------------


def test_a_model_that_does_not_fit_is_refused_and_the_former_one_stays(
    engine: Engine, folder: Path, memory: Memory, page: PageImage
) -> None:
    memory(1000)
    with pytest.raises(DoesNotFit, match=r"on the CPU in \w+ mode; .* is free\.") as caught:
        engine.load(folder, device="cpu")
    assert not caught.value.fit.fits
    assert engine.is_loaded
    memory(10_000 * MB)
    assert read_page(engine, page, SETTINGS).mode is Mode.GUNDAM


def test_a_person_may_load_it_anyway_and_read_with_it(
    engine: Engine, folder: Path, memory: Memory, page: PageImage
) -> None:
    memory(1000)
    assert engine.load(folder, device="cpu", anyway=True).device == "cpu"
    assert read_page(engine, page, SETTINGS).mode is Mode.GUNDAM


def test_who_would_have_loaded_anyway_what_fits_is_still_warned_of_a_page(
    engine: Engine, folder: Path, memory: Memory, page: PageImage
) -> None:
    engine.load(folder, device="cpu", anyway=True)
    memory(MB)
    with pytest.raises(OutOfMemory):
        read_page(engine, page, SETTINGS)


def test_the_mode_that_pages_shall_be_read_in_decides(engine: Engine, folder: Path, memory: Memory) -> None:
    needs = {
        mode: engine.fit(folder, device="cpu", scaling=Scaling(mode)).need.total
        for mode in (Mode.TINY, Mode.LARGE)
    }
    memory((needs[Mode.TINY] + needs[Mode.LARGE]) // 2)
    assert engine.load(folder, device="cpu").info.folder == folder
    with pytest.raises(DoesNotFit, match=r"What fits: read in \w+ mode; "):
        engine.load(folder, device="cpu", scaling=Scaling(Mode.LARGE))


def test_what_the_former_model_takes_is_free_for_the_next_one(
    engine: Engine, folder: Path, memory: Memory
) -> None:
    memory(5 * MB)
    beside = engine.fit(folder, device="cpu").spot.free_bytes
    engine.unload()
    assert beside - engine.fit(folder, device="cpu").spot.free_bytes > 1000


# --- a page --------------------------------------------------------------------------------------


def test_a_page_without_memory_is_refused_before_it_is_begun(
    engine: Engine, memory: Memory, page: PageImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object) -> torch.Tensor:
        raise AssertionError("the page was begun")

    monkeypatch.setattr(page_encoder, "encode_views", never)
    memory(MB)
    sentence = r"not enough memory to read this page in Gundam mode with 3 tiles: that takes .* MB"
    with pytest.raises(OutOfMemory, match=sentence) as caught:
        read_page(engine, page, SETTINGS)
    assert caught.value.retry is None
    with pytest.raises(OutOfMemory, match=sentence):
        engine.encode(page, Scaling(Mode.GUNDAM))


def test_no_smaller_mode_is_advised_where_there_is_none(
    engine: Engine, memory: Memory, page: PageImage
) -> None:
    memory(1000)
    with pytest.raises(OutOfMemory, match=r"is free\. Close other programs\.$"):
        engine.encode(page, Scaling(Mode.TINY))
    with pytest.raises(OutOfMemory, match=r"Choose a smaller mode, or close other programs\.$"):
        engine.encode(page, Scaling(Mode.SMALL))


def test_the_largest_view_that_fits_is_offered(engine: Engine, memory: Memory, page: PageImage) -> None:
    check = headroom.Headroom(engine.checkpoint)
    base, large = (check._need(headroom.View(mode)).page for mode in (Mode.BASE, Mode.LARGE))
    memory((base + large) // 2)
    with pytest.raises(OutOfMemory) as caught:
        read_page(engine, page, ReadSettings(Scaling(Mode.LARGE), TASKS[1], max_new_tokens=3))
    retry = caught.value.retry
    assert retry is not None
    assert retry.scaling == Scaling(Mode.BASE)
    assert read_page(engine, page, retry).mode is Mode.BASE


def test_what_is_encoded_already_needs_memory_for_its_text_only(
    engine: Engine, memory: Memory, page: PageImage
) -> None:
    first = read_page(engine, page, SETTINGS)
    need = headroom.Headroom(engine.checkpoint)._need(headroom.View(Mode.GUNDAM, 3))
    assert need.reading < need.encoding
    memory((need.reading + need.encoding) // 2)
    assert read_page(engine, page, SETTINGS).text == first.text
    attending = replace(SETTINGS, pruning=PruneSettings(method=PruneMethod.VISIONZIP))
    with pytest.raises(OutOfMemory):  # it has to be encoded once more
        read_page(engine, page, attending)


def test_a_graphics_card_is_left_to_refuse_by_itself(
    engine: Engine, memory: Memory, page: PageImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory(0)
    check = headroom.Headroom(engine.checkpoint)
    monkeypatch.setattr(check, "_device", torch.device("cuda"))
    check.check(headroom.View(Mode.LARGE), is_encoded=False)


@pytest.mark.parametrize("failure", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_where_memory_runs_out_all_the_same_less_is_offered_and_what_was_computed_let_go(
    engine: Engine, page: PageImage, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.encode(page, Scaling(Mode.TINY))

    def fail(*arguments: object) -> torch.Tensor:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(page_encoder, "encode_views", fail)
        with pytest.raises(OutOfMemory) as caught:
            read_page(engine, page, SETTINGS)
        retry = caught.value.retry
        assert retry is not None
        assert retry.scaling.mode is not None
        with pytest.raises(ReadingError):  # nothing is kept
            engine.encode(page, Scaling(Mode.TINY))
    assert read_page(engine, page, retry).mode is retry.scaling.mode


# --- a loop --------------------------------------------------------------------------------------


def test_a_reading_that_ended_in_a_loop_offers_another_view(
    engine: Engine, page: PageImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_page(engine, page, SETTINGS).retry is None

    def loops(token_ids: Sequence[int], *_rest: object) -> int | None:
        return 1 if len(token_ids) >= 32 else None

    monkeypatch.setattr("rtocr_gui.ocr.decoder.greedy.find_loop", loops)
    settings = ReadSettings(Scaling(Mode.GUNDAM), TASKS[1], max_new_tokens=150, stop_at_end=False)
    reading = read_page(engine, page, settings)
    assert reading.stop_reason is StopReason.LOOP
    assert (len(reading.token_ids), reading.decoded_tokens) == (1, 128)
    assert reading.tokens_per_second == pytest.approx(128_000 / reading.timings.decode_ms)
    assert reading.retry is not None
    assert reading.retry.scaling == Scaling(Mode.GUNDAM, 2)
