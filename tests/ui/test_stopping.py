"""Stop keeps what was read, gives back what was there before, and forgets what waits."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import Check, PageRef
from rtocr_gui.errors import DocumentError
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.open_documents import OpenDocuments
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    emissions,
    held_lane,
    open_and_load,
    read_selected,
    until_idle,
    until_reading_begins,
    wait_until_idle,
)


@pytest.mark.parametrize("then", ["nothing", "stop"])
def test_what_is_typed_stays_where_the_stop_of_a_reading_comes_too_late(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    then: str,
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    monkeypatch.setattr(bridge, "stop", lambda _: None)
    session.edit_text("typed")
    if then == "stop":
        session.stop()
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text == "typed"


def test_stop_keeps_what_was_read_and_forgets_the_rest(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
) -> None:
    open_and_load(qtbot, session, draw_page(name="three.tiff", pages=3))
    until_reading_begins(qtbot, fake_engine, session.read_all)
    until_idle(qtbot, session, session.stop)
    assert session.current_text == "page"
    ended = [status.state for status in states.values() if status.state is not PageState.UNREAD]
    assert ended == [PageState.STOPPED]


def test_pages_that_wait_are_shown_so_until_they_are_read_or_reading_is_stopped(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    def shown() -> list[PageState]:
        return [states[ref.label].state for ref in session.shelf.refs]

    open_and_load(qtbot, session, draw_page(name="three.tiff", pages=3))
    until_reading_begins(qtbot, fake_engine, session.read_all)
    assert shown() == [PageState.READING, PageState.WAITING, PageState.WAITING]
    texts = emissions(session.texts.text_changed)
    session.shelf.select(session.shelf.refs[2])
    assert texts[-1].placeholder == "Waiting to be read."
    session.shelf.select(session.shelf.refs[1])
    session.edit_text("mine")
    assert shown() == [PageState.READING, PageState.EDITED, PageState.WAITING]
    until_idle(qtbot, session, session.stop)
    assert shown() == [PageState.STOPPED, PageState.EDITED, PageState.UNREAD]
    session.shelf.select(session.shelf.refs[2])
    assert texts[-1].placeholder == "Not read yet. Press Read."


def test_read_all_goes_on_after_stop_and_begins_anew_only_where_every_page_was_read_in_just_this_way(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path, begun: list[int]
) -> None:
    def read_all() -> list[int]:
        begun.clear()
        until_idle(qtbot, session, session.read_all)
        return list(begun)

    open_and_load(qtbot, session, draw_page(name="three.tiff", pages=3))
    read_selected(qtbot, session)
    until_reading_begins(qtbot, fake_engine, session.read_all)
    until_idle(qtbot, session, session.stop)
    fake_engine.gate.set()
    assert begun == [1, 2]
    assert read_all() == [2, 3]
    assert read_all() == [1, 2, 3]
    session.set_retention(0.4)
    read_selected(qtbot, session)
    assert read_all() == [2, 3]
    session.shelf.rotate(90)
    assert read_all() == [1]
    with qtbot.waitSignal(session.models.adopted):
        session.models.choose(tmp_path / "elsewhere")
    assert read_all() == [1, 2, 3]


def test_read_all_reads_files_that_are_still_being_opened_but_none_that_are_opened_later_or_after_stop(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    def open_files(*names: str) -> None:
        session.open_files([draw_page(name=name) for name in names])

    def wait_for(*names: str) -> None:
        qtbot.waitUntil(lambda: {ref.path.name for ref in session.shelf.refs} >= set(names))
        wait_until_idle(qtbot, session)

    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    open_files("second.png", "third.png")
    session.read_all()
    wait_for("second.png", "third.png")
    open_files("later.png")
    session.read_all()
    session.stop()
    wait_for("later.png")
    open_files("last.png")
    wait_for("last.png")
    read_states = {label for label, status in states.items() if status.state is PageState.READ}
    assert read_states == {"scan.png, page 1", "second.png, page 1", "third.png, page 1"}
    assert len(fake_engine.asked) == 3  # no page was read again


def stop_while_it_streams(
    qtbot: QtBot, session: Session, engine: FakeEngine, ask: Callable[[], None]
) -> None:
    """Ask for a reading and stop it after its first word."""
    engine.gate.clear()
    ask()
    qtbot.waitUntil(lambda: session.current_text == "page")
    until_idle(qtbot, session, session.stop)
    engine.gate.set()


@pytest.mark.parametrize("asked_by", ["slider", "person"])
def test_a_page_that_was_read_gets_its_text_back_where_it_is_read_again_and_stopped(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
    asked_by: str,
) -> None:
    readings = emissions(session.texts.reading_changed)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    ask = session.read_selected if asked_by == "person" else lambda: session.settle_retention(0.25)
    stop_while_it_streams(qtbot, session, fake_engine, ask)
    assert session.current_text == "page 1 of scan.png at 0.76"
    assert readings[-1].text == session.current_text
    assert states["scan.png, page 1"] == PageStatus(session.shelf.current, PageState.READ, "")


def test_a_page_on_which_nothing_was_found_is_empty_again_where_another_reading_is_stopped(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.said = ["\n"]
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    fake_engine.said = []
    stop_while_it_streams(qtbot, session, fake_engine, session.read_selected)
    assert session.current_text.strip() == ""


def test_typed_text_comes_back_where_the_reading_that_should_replace_it_is_stopped(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    stop_while_it_streams(
        qtbot, session, fake_engine, lambda: session.read_replacing((session.shelf.current,))
    )
    assert session.current_text == "mine"
    assert states["scan.png, page 1"].state is PageState.EDITED
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_a_beginning_replaces_a_beginning(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page())
    stop_while_it_streams(qtbot, session, fake_engine, session.read_selected)
    fake_engine.said = ["pages", " and"]
    fake_engine.gate.clear()
    session.read_selected()
    qtbot.waitUntil(lambda: session.current_text == "pages")
    until_idle(qtbot, session, session.stop)
    assert session.current_text == "pages"
    assert states["scan.png, page 1"].state is PageState.STOPPED


def test_a_page_that_is_stopped_before_the_model_began_is_as_it_was_before(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    states: dict[str, PageStatus],
) -> None:
    open_and_load(qtbot, session, draw_page())
    with held_lane(bridge._model_lane):
        session.read_selected()
        session.stop()
    qtbot.waitUntil(lambda: not session.reader.activity.reading)
    assert [status.state for status in states.values()] == [PageState.UNREAD]
    read_selected(qtbot, session)


def test_a_page_that_is_stopped_before_the_model_began_has_not_failed_where_it_cannot_be_rendered(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    states: dict[str, PageStatus],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendering, is_stopped = threading.Event(), threading.Event()

    def render(_documents: OpenDocuments, _ref: PageRef, _check: Check) -> None:
        rendering.set()
        is_stopped.wait()
        raise DocumentError("The file is damaged.")

    open_and_load(qtbot, session, draw_page())
    monkeypatch.setattr(OpenDocuments, "page", render)
    session.read_selected()
    qtbot.waitUntil(rendering.is_set)
    session.stop()
    is_stopped.set()
    wait_until_idle(qtbot, session)
    assert [status.state for status in states.values()] == [PageState.UNREAD]


def test_read_after_stop_reads_the_page_again(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.stop()
    session.read_selected()
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.76") and not session.reader.activity.reading)


@pytest.mark.parametrize("wish", ["model", "rotate"])
def test_a_page_that_was_stopped_is_not_read_for_another_model_nor_as_it_lies_now(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path, wish: str
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.stop()
    if wish == "rotate":
        session.shelf.rotate(90)
    else:
        with qtbot.waitSignal(session.models.ready):
            session.models.choose(tmp_path / "elsewhere")
    fake_engine.gate.set()
    wait_until_idle(qtbot, session)
    assert len(fake_engine.asked) == 1


def test_a_page_that_is_stopped_instead_of_read_anew_is_still_being_read_until_it_ends(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.shelf.rotate(90)
    actions = window.actions_by_name
    actions["stop"].trigger()
    assert session.is_reading
    assert actions["stop"].isEnabled()
    assert not actions["unload"].isEnabled()
    wait_until_idle(qtbot, session)
    assert not actions["stop"].isEnabled()
    assert actions["unload"].isEnabled()
