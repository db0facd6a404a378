"""A page that takes hours to decode is given up as soon as nobody waits for it."""

import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents import scan_file
from rtocr_gui.documents.decoders import DECODERS, DecoderTooSlow
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import TASKS, Mode, ReadSettings, Scaling
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.session import Session
from tests.broken_files import endless_pdf
from tests.opened_files import written
from tests.ui.steps import Draw, emissions, load_model, open_and_load, pages_opened

SETTINGS = ReadSettings(Scaling(Mode.TINY), TASKS[1])


@pytest.fixture
def endless(qtbot: QtBot, bridge: EngineBridge, tmp_path: Path) -> PageRef:
    (ref,) = pages_opened(qtbot, bridge, written(tmp_path / "endless.pdf", endless_pdf()))
    return ref


@pytest.fixture
def good(qtbot: QtBot, bridge: EngineBridge, draw_page: Draw) -> PageRef:
    (ref,) = pages_opened(qtbot, bridge, draw_page("good.png"))
    return ref


def begun(qtbot: QtBot, request_id: int = 0) -> int:
    """The id of a request, once it is worked on."""
    qtbot.waitUntil(lambda: any(thread.name == "decoder" for thread in threading.enumerate()))
    return request_id


@pytest.mark.parametrize("wanted_for", ["view", "encode"])
def test_a_page_that_is_left_is_given_up_for_the_one_that_is_shown(
    qtbot: QtBot, bridge: EngineBridge, endless: PageRef, good: PageRef, wanted_for: str
) -> None:
    def request(ref: PageRef) -> int:
        return bridge.render_page(ref) if wanted_for == "view" else bridge.encode_page(ref, SETTINGS.scaling)

    stopped = emissions(bridge.request_stopped)
    begun(qtbot, request(endless))
    request(good)
    with qtbot.waitSignal(bridge.page_rendered) as caught:
        bridge.render_page(good)
    assert caught.args[0].ref == good
    assert stopped == []


def test_a_slow_thumbnail_lets_the_others_pass_and_is_tried_once_more(
    qtbot: QtBot, bridge: EngineBridge, endless: PageRef, good: PageRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_file, "PREVIEW_TIME_LIMIT_S", 2.0)
    answered = emissions(bridge.thumbnail_rendered)
    begun(qtbot, bridge.render_thumbnail(endless))
    bridge.render_thumbnail(good)
    bridge.render_thumbnail(endless)
    qtbot.waitUntil(lambda: len(answered) == 3, timeout=10_000)
    assert [reply.ref for reply in answered] == [good, endless, endless]
    assert [reply.image.isNull() for reply in answered] == [False, True, True]


def test_a_slow_page_lets_the_others_be_read_and_is_tried_once_more(
    qtbot: QtBot, bridge: EngineBridge, endless: PageRef, good: PageRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_model(qtbot, bridge)
    monkeypatch.setattr(scan_file, "TIME_LIMIT_S", 2.0)
    failed = emissions(bridge.request_failed)
    slow = begun(qtbot, bridge.read_page(endless, SETTINGS))
    with qtbot.waitSignal(bridge.reading_finished) as caught:
        reading = bridge.read_page(good, SETTINGS)
    assert (caught.args[0].request_id, failed) == (reading, [])
    qtbot.waitUntil(lambda: [failure.request_id for failure in failed] == [slow])


def test_neither_files_nor_exports_wait_for_a_slow_page(
    qtbot: QtBot, bridge: EngineBridge, endless: PageRef, good: PageRef, draw_page: Draw
) -> None:
    begun(qtbot, bridge.render_page(endless))
    pages_opened(qtbot, bridge, draw_page("another.png"))
    exported: list[PageRef] = []
    with qtbot.waitSignal(bridge.exported):
        bridge.export(lambda render: exported.append(render(good).ref))
    assert exported == [good]
    assert bridge._page_lane.is_busy


def test_a_slow_page_that_is_stopped_is_not_read(
    qtbot: QtBot, bridge: EngineBridge, endless: PageRef
) -> None:
    reading = begun(qtbot, bridge.read_page(endless, SETTINGS))
    with qtbot.waitSignal(bridge.request_stopped) as caught:
        bridge.stop(reading)
    assert caught.args[0].request_id == reading


def test_the_program_does_not_wait_for_a_slow_page_when_it_ends(
    qtbot: QtBot, bridge: EngineBridge, endless: PageRef
) -> None:
    begun(qtbot, bridge.render_page(endless))
    assert bridge.close(5)


def test_a_page_that_took_too_long_is_not_rendered_once_more_to_be_encoded(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_and_load(qtbot, session, draw_page())
    monkeypatch.setattr(scan_file, "TIME_LIMIT_S", 2.0)
    given_up: list[type[BaseException]] = []
    ask = DECODERS.ask

    def note(*question: object, **limits: object) -> object:
        try:
            return ask(*question, **limits)
        except BaseException as error:
            given_up.append(type(error))
            raise

    monkeypatch.setattr(DECODERS, "ask", note)
    with qtbot.waitSignal(session.shelf.page_failed):
        session.open_files([written(tmp_path / "endless.pdf", endless_pdf())])
    qtbot.waitUntil(lambda: not bridge._page_lane.is_busy)
    assert given_up.count(DecoderTooSlow) == 1


def test_the_view_does_not_wait_for_a_slow_page_whose_file_is_closed(
    qtbot: QtBot, session: Session, bridge: EngineBridge, tmp_path: Path
) -> None:
    with qtbot.waitSignal(session.shelf.pages_opened) as caught:
        session.open_files([written(tmp_path / "endless.pdf", endless_pdf())])
    begun(qtbot)
    session.shelf.remove(caught.args[0])
    qtbot.waitUntil(lambda: not bridge._page_lane.is_busy)
