"""The bridge answers every request once, on the main thread, and never dies of a job."""

import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.folders import ListedFiles, list_files
from rtocr_gui.documents.loading import Document
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import DocumentError, ExportError
from rtocr_gui.ocr.reading import TASKS, Mode, ReadSettings, Scaling, StopReason
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.background import engine_bridge
from rtocr_gui.ui.background.engine_bridge import EngineBridge, RenderPage
from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.background.replies import FolderListed
from tests.fake_engine import FakeEngine, Panic
from tests.ui.steps import Draw, held_lane, load_model, pages_opened

SETTINGS = ReadSettings(Scaling(Mode.TINY), TASKS[1])


@pytest.fixture
def opened(qtbot: QtBot, bridge: EngineBridge, draw_page: Draw) -> tuple[PageRef, ...]:
    return pages_opened(qtbot, bridge, draw_page("three.tiff", pages=3))


def test_replies_carry_the_id_of_their_request(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    with qtbot.waitSignal(bridge.page_rendered) as caught:
        request_id = bridge.render_page(opened[1])
    assert caught.args[0].request_id == request_id
    assert caught.args[0].ref == opened[1]
    assert caught.args[0].image.width() == 400


def test_a_folder_is_listed_off_the_main_thread(
    qtbot: QtBot,
    bridge: EngineBridge,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed_on: list[str] = []

    def look(path: Path) -> ListedFiles:
        listed_on.append(threading.current_thread().name)
        return list_files(path)

    monkeypatch.setattr(engine_bridge, "list_files", look)
    files = draw_page("1.png"), draw_page("2.png")
    with qtbot.waitSignal(bridge.folder_listed) as caught:
        request_id = bridge.open_document(tmp_path)
    assert caught.args == [FolderListed(request_id, tmp_path, files, left_out="")]
    assert listed_on == ["files"]


def test_only_the_newest_of_many_plans_is_answered(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    load_model(qtbot, bridge)
    with qtbot.waitSignal(bridge.page_encoded) as caught:
        bridge.encode_page(opened[0], Scaling(Mode.TINY))
    answered: list[int] = []
    bridge.plan_computed.connect(lambda reply: answered.append(reply.request_id))
    encoded = caught.args[0].encoded
    with qtbot.waitSignal(bridge.plan_computed), held_lane(bridge._plan_lane):
        ids = [bridge.compute_plan(encoded, PruneSettings(percent / 100)) for percent in range(1, 100)]
    assert answered == [ids[-1]]


def test_text_reaches_the_window_on_its_own_thread(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    load_model(qtbot, bridge)
    texts: list[str] = []
    bridge.text_streamed.connect(lambda reply: texts.append(reply.text))
    with qtbot.waitSignal(bridge.reading_finished) as caught:
        bridge.read_page(opened[2], SETTINGS)
    assert "".join(texts) == caught.args[0].reading.text == "page 3 of three.tiff at 0.76"


def test_reading_without_a_model_is_told(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    with qtbot.waitSignal(bridge.request_failed) as caught:
        bridge.read_page(opened[0], SETTINGS)
    assert caught.args[0].sentence == "No model is loaded yet. Choose a model first."


@pytest.mark.parametrize("kind", [ZeroDivisionError, Panic])
def test_an_unforeseen_error_is_told_without_its_details_and_the_lane_goes_on(
    qtbot: QtBot,
    bridge: EngineBridge,
    opened: tuple[PageRef, ...],
    fake_engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[BaseException],
) -> None:
    load_model(qtbot, bridge)

    def fail(*_: object) -> None:
        raise kind("secret page text")

    with monkeypatch.context() as patch, qtbot.waitSignal(bridge.request_failed) as caught:
        patch.setattr(fake_engine, "encode", fail)
        bridge.encode_page(opened[0], Scaling(Mode.TINY))
    assert kind.__name__ in caught.args[0].sentence
    assert "secret" not in caught.args[0].sentence
    with qtbot.waitSignal(bridge.page_encoded):
        bridge.encode_page(opened[0], Scaling(Mode.TINY))


def test_stopping_a_reading_leaves_the_others_alone(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...], fake_engine: FakeEngine
) -> None:
    load_model(qtbot, bridge)
    finished: dict[int, StopReason] = {}
    bridge.reading_finished.connect(
        lambda reply: finished.update({reply.request_id: reply.reading.stop_reason})
    )
    fake_engine.gate.clear()
    first, second = (bridge.read_page(ref, SETTINGS) for ref in opened[:2])
    qtbot.waitUntil(fake_engine.reading_began.is_set)
    bridge.stop(first)
    qtbot.waitUntil(lambda: finished == {first: StopReason.CANCELLED})
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: finished.get(second) is StopReason.END)


def test_a_reading_that_is_stopped_before_its_turn_never_begins_and_is_answered(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...], fake_engine: FakeEngine
) -> None:
    load_model(qtbot, bridge)
    staged: list[int] = []
    bridge.stage_entered.connect(lambda reply: staged.append(reply.request_id))
    fake_engine.gate.clear()
    first, second = (bridge.read_page(ref, SETTINGS) for ref in opened[:2])
    qtbot.waitUntil(fake_engine.reading_began.is_set)
    with qtbot.waitSignal(bridge.request_stopped) as caught:
        bridge.stop(second)
        fake_engine.gate.set()
    assert caught.args[0].request_id == second
    assert set(staged) == {first}


def test_closing_ends_the_reading_that_runs_and_those_that_wait(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...], fake_engine: FakeEngine
) -> None:
    load_model(qtbot, bridge)
    fake_engine.gate.clear()
    for ref in opened:
        bridge.read_page(ref, SETTINGS)
    qtbot.waitUntil(fake_engine.reading_began.is_set)
    assert bridge.close(5)


def test_closing_drops_what_waits(bridge: EngineBridge) -> None:
    ran: list[int] = []
    with held_lane(bridge._model_lane):
        bridge._model_lane.submit(lambda: ran.append(1))
        assert not bridge.close(0.05)
    assert bridge.close(5)
    assert ran == []


def test_a_thumbnail_that_cannot_be_had_is_answered_by_an_empty_picture(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    opened[1].path.unlink()
    with qtbot.waitSignal(bridge.thumbnail_rendered) as caught:
        request_id = bridge.render_thumbnail(opened[1])
    assert (caught.args[0].request_id, caught.args[0].ref) == (request_id, opened[1])
    assert caught.args[0].image.isNull()


@pytest.mark.parametrize("held", ["_thumbnail_lane", "_reading_lane"])
def test_neither_the_shown_page_nor_a_file_waits_for_thumbnails_or_pages_to_read(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...], draw_page: Draw, held: str
) -> None:
    with held_lane(getattr(bridge, held)):
        bridge.render_thumbnail(opened[0])
        bridge.read_page(opened[1], SETTINGS)
        with qtbot.waitSignal(bridge.page_rendered):
            bridge.render_page(opened[2])
        pages_opened(qtbot, bridge, draw_page("another.png"))


def test_a_thumbnail_that_a_newer_version_of_its_file_overtakes_is_answered_by_an_empty_picture(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...], draw_page: Draw
) -> None:
    with qtbot.waitSignal(bridge.thumbnail_rendered) as caught, held_lane(bridge._thumbnail_lane):
        bridge.render_thumbnail(opened[0])
        pages_opened(qtbot, bridge, draw_page("one.png").replace(opened[0].path))
    assert caught.args[0].ref == opened[0]
    assert caught.args[0].image.isNull()


def test_a_lane_does_its_jobs_in_order_and_all_of_them_before_it_finishes() -> None:
    lane, ran = Lane("patient"), list[int]()
    with held_lane(lane):
        assert not lane.is_awaited
        for number in range(3):
            lane.submit(partial(ran.append, number))
        assert lane.is_awaited
        assert not lane.finish(0)
    assert lane.wait(20)
    assert not lane.is_busy
    assert ran == [0, 1, 2]


def test_a_lane_goes_on_after_a_job_that_raised_and_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    lane, ran = Lane("sturdy"), list[int]()
    lane.submit(partial(int, "no number"))
    lane.submit(partial(ran.append, 1))
    assert lane.finish(20)
    assert ran == [1]
    assert not lane.is_busy
    assert [(args.exc_type, args.thread.name) for args in told if args.thread] == [(ValueError, "sturdy")]


def test_a_page_is_exported_off_the_main_thread_and_a_failure_is_told(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    written: list[tuple[str, PageRef]] = []

    def write(render_page: RenderPage) -> None:
        written.append((threading.current_thread().name, render_page(opened[1]).ref))
        if len(written) == 2:
            raise ExportError("The disk is full.")

    with qtbot.waitSignal(bridge.exported) as caught:
        request_id = bridge.export(write)
    assert caught.args[0].request_id == request_id
    assert written == [("export", opened[1])]
    with qtbot.waitSignal(bridge.request_failed) as caught:
        bridge.export(write)
    assert caught.args[0].sentence == "The disk is full."


def test_no_export_waits_for_a_page_that_takes_long_though_a_file_was_closed(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> None:
        begun.set()
        gate.wait(20)
        raise DocumentError("The share is gone.")

    monkeypatch.setattr(Document, "load_page", hang)
    bridge.render_page(opened[0])
    begun.wait()
    bridge.close_document(opened[0].path)
    with qtbot.waitSignal(bridge.exported):
        bridge.export(lambda _: None)
    gate.set()


def test_closing_waits_for_an_export_that_is_writing_and_lets_it_begin_with_no_further_page(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    began, disk = threading.Event(), threading.Event()
    written: list[object] = []

    def write(render_page: RenderPage) -> None:
        for ref in opened:
            page = render_page(ref)
            began.set()
            assert disk.wait(20)
            written.append(page.ref)

    bridge.export(write)
    bridge.export(lambda _: written.append("one that did not begin"))
    qtbot.waitUntil(began.is_set)
    assert not bridge.close(0.01)
    with qtbot.waitSignal(bridge.request_stopped):
        disk.set()
        assert bridge.close(5)
    assert written == [opened[0]]


def test_closing_has_more_patience_with_a_file_than_with_the_rest(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    began, written = threading.Event(), threading.Event()

    def write(render_page: RenderPage) -> None:
        began.set()
        with suppress(BaseException):
            while True:
                render_page(opened[0])  # until the bridge is being closed
        written.set()

    bridge.export(write)
    qtbot.waitUntil(began.is_set)
    bridge.close(0, writing_timeout_s=20)
    assert written.is_set()


def test_a_trace_is_answered_with_the_id_of_its_request(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...]
) -> None:
    load_model(qtbot, bridge)
    with qtbot.waitSignal(bridge.reading_traced) as caught:
        request_id = bridge.trace_page(opened[0], SETTINGS, (1, 2, 3))
    assert caught.args[0].request_id == request_id
    assert caught.args[0].trace.raw_text == "page 1 of"


def test_a_trace_that_is_stopped_says_so_and_gives_nothing(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...], fake_engine: FakeEngine
) -> None:
    load_model(qtbot, bridge)
    fake_engine.gate.clear()
    running = bridge.trace_page(opened[0], SETTINGS, (1, 2, 3))
    waiting = bridge.trace_page(opened[1], SETTINGS, (1, 2, 3))
    qtbot.waitUntil(lambda: len(fake_engine.traced) == 1)
    stopped: list[int] = []
    bridge.request_stopped.connect(lambda reply: stopped.append(reply.request_id))
    bridge.stop(waiting)
    bridge.stop(running)
    qtbot.waitUntil(lambda: stopped == [running, waiting])
    assert len(fake_engine.traced) == 1


def test_a_trace_that_is_stopped_before_its_turn_renders_no_page(
    qtbot: QtBot, bridge: EngineBridge, opened: tuple[PageRef, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[PageRef] = []
    monkeypatch.setattr(bridge._documents, "page", rendered.append)
    with qtbot.waitSignal(bridge.request_stopped) as caught, held_lane(bridge._page_lane):
        request_id = bridge.trace_page(opened[0], SETTINGS, (1, 2, 3))
        bridge.stop(request_id)
    assert caught.args[0].request_id == request_id
    assert not rendered
