"""A page whose file changed or went away keeps its text and its state, and no other is read in its place."""

from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.notices import Offer
from rtocr_gui.ui.state.open_pages import RemovedPages
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.page_model import PageModel
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, begin_reading, emissions, open_and_load, read_selected, until_idle


def test_what_was_read_comes_back_where_its_file_changed_and_was_opened_again(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], offers: list[Offer]
) -> None:
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    until_idle(qtbot, session, lambda: session.read(session.shelf.refs[:1]))
    former, text = session.shelf.refs, session.current_text
    draw_page("other.png").replace(path)
    session.open_files([path])
    qtbot.waitUntil(lambda: bool(offers))
    assert notices == ["two.tiff has changed and was opened again. Removed 2 pages of its earlier version."]
    assert len(session.shelf.refs) == 1
    session.take_offer(offers[0])
    assert session.shelf.refs[:2] == former
    assert session.current_text == text != ""


def test_a_changed_file_that_is_opened_again_keeps_its_place_in_the_list(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    paths = [draw_page("first.tiff", pages=2), draw_page("second.png"), draw_page("third.tiff", pages=2)]
    open_and_load(qtbot, session, *paths)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 5)
    draw_page("other.tiff", pages=3).replace(paths[0])
    with qtbot.waitSignal(session.shelf.pages_opened):
        session.open_files(paths[:1])
    names = [(ref.path.name[:1], ref.index) for ref in session.shelf.refs]
    assert names == [("f", 0), ("f", 1), ("f", 2), ("s", 0), ("t", 0), ("t", 1)]
    draw_page("other.png").replace(paths[2])
    with qtbot.waitSignal(session.shelf.pages_opened):
        session.open_files(paths[2:])
    assert [ref.path.name[:1] for ref in session.shelf.refs] == ["f", "f", "f", "s", "t"]


def test_a_changed_file_of_which_nothing_was_read_is_opened_again_without_a_word(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str]
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    draw_page("other.png").replace(path)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    assert notices == []


def test_a_page_of_a_file_that_changed_is_never_read_in_its_place(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str]
) -> None:
    open_and_load(qtbot, session, draw_page("scan.png"))
    session.edit_text("old and mine")
    old = session.shelf.current
    draw_page("other.png").replace(old.path)
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([old.path])
    qtbot.waitUntil(lambda: session.shelf.current != old)
    session.edit_text("new and mine")
    session.read_replacing((old,))
    qtbot.waitUntil(lambda: any("has changed" in notice for notice in notices))
    assert session.current_text == "new and mine"
    assert session.unsaved.loss(session.shelf.refs).typed == 2


def test_the_shown_page_is_read_while_its_file_is_away_but_not_once_another_is_in_its_place(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
    states: dict[str, PageStatus],
) -> None:
    path = draw_page("scan.png")
    open_and_load(qtbot, session, path)
    path.rename(tmp_path / "away")
    read_selected(qtbot, session)
    text = session.current_text
    assert states["scan.png, page 1"].state is PageState.READ
    draw_page("other.png").replace(path)
    read_selected(qtbot, session)
    assert notices == ["scan.png: The file has changed since it was opened. Open it again."]
    assert states["scan.png, page 1"].state is PageState.FAILED
    assert session.current_text == text != ""


def test_a_file_that_was_put_back_is_shown_again_when_it_is_opened_again(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    path.rename(away)
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=lambda text: "no longer" in text):
        session.shelf.select(session.shelf.refs[1])
    away.rename(path)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
        session.shelf.select(session.shelf.refs[1])


def see_picture(qtbot: QtBot, session: Session, ref: PageRef) -> None:
    """Show a page, and wait for its picture."""
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.select(ref)


def miss_picture(qtbot: QtBot, session: Session, ref: PageRef) -> None:
    """Show a page whose file is away, and wait for what stands in place of its picture."""
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=lambda text: "no longer" in text):
        session.shelf.select(ref)


def test_a_page_without_picture_and_text_failed_until_its_file_is_put_back(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, states: dict[str, PageStatus]
) -> None:
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    path.rename(away)
    miss_picture(qtbot, session, session.shelf.refs[1])
    lost = states["two.tiff, page 2"]
    assert (lost.state, "no longer" in lost.sentence) == (PageState.FAILED, True)
    away.rename(path)
    session.shelf.select(session.shelf.refs[0])
    see_picture(qtbot, session, session.shelf.refs[1])
    assert states["two.tiff, page 2"] == PageStatus(session.shelf.refs[1], PageState.UNREAD, "")


def test_a_page_without_picture_is_not_told_besides_to_have_no_plan(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    tmp_path: Path,
    notices: list[str],
) -> None:
    failures = emissions(bridge.request_failed)
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    path.rename(tmp_path / "away")
    miss_picture(qtbot, session, session.shelf.refs[1])
    qtbot.waitUntil(lambda: len(failures) == 2)
    assert notices == []


def test_an_edited_page_stays_edited_while_its_file_is_away_and_once_it_is_put_back(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, states: dict[str, PageStatus]
) -> None:
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    read_selected(qtbot, session)
    session.edit_text("mine")
    edited = session.shelf.current
    see_picture(qtbot, session, session.shelf.refs[1])
    path.rename(away)
    miss_picture(qtbot, session, edited)
    assert states[edited.label].state is PageState.EDITED
    away.rename(path)
    see_picture(qtbot, session, session.shelf.refs[1])
    see_picture(qtbot, session, edited)
    assert states[edited.label].state is PageState.EDITED
    assert session.current_text == "mine"


def test_why_a_reading_ended_is_still_told_after_the_picture_was_away(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
    states: dict[str, PageStatus],
) -> None:
    fake_engine.looping = {Mode.TINY}
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    read_selected(qtbot, session)
    looped = session.shelf.current
    told = states[looped.label]
    assert "repeat itself" in told.sentence
    see_picture(qtbot, session, session.shelf.refs[1])
    path.rename(away)
    miss_picture(qtbot, session, looped)
    away.rename(path)
    see_picture(qtbot, session, session.shelf.refs[1])
    see_picture(qtbot, session, looped)
    assert states[looped.label] == told


def test_a_page_that_is_being_read_is_shown_so_though_its_file_went_away(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
    states: dict[str, PageStatus],
) -> None:
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    begin_reading(qtbot, session, fake_engine)
    being_read = session.shelf.current
    see_picture(qtbot, session, session.shelf.refs[1])
    path.rename(tmp_path / "away")
    miss_picture(qtbot, session, being_read)
    assert states[being_read.label].state is PageState.READING


def test_an_earlier_version_of_a_file_keeps_its_state_and_says_that_only_its_text_is_left(
    qtbot: QtBot, session: Session, draw_page: Draw, states: dict[str, PageStatus], notices: list[str]
) -> None:
    messages = emissions(session.page_message_changed)
    open_and_load(qtbot, session, draw_page("scan.png"))
    session.edit_text("old and mine")
    old = session.shelf.current
    draw_page("other.png").replace(old.path)
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([old.path])
    qtbot.waitUntil(lambda: session.shelf.current != old)
    session.shelf.select(old)
    qtbot.waitUntil(lambda: "only its text is left" in messages[-1])
    assert states[old.label].state is PageState.EDITED
    assert notices == []


def test_a_page_that_cannot_be_encoded_keeps_its_picture(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages: list[str] = []
    open_and_load(qtbot, session, draw_page())
    session.page_message_changed.connect(messages.append)

    def fail(*_: object) -> None:
        raise ReadingError("There is not enough memory.")

    monkeypatch.setattr(fake_engine, "encode", fail)
    with qtbot.waitSignal(session.notice_raised):
        session.set_mode(Mode.LARGE)
    assert notices == ["scan.png: There is not enough memory."]
    assert not messages


def test_pages_of_a_file_that_changed_leave_the_list_at_once_though_more_files_are_coming(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    paths = [draw_page(f"{number}.png") for number in range(5)]
    session.open_files(paths)
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    draw_page("other.png").replace(paths[2])
    session.shelf.findChild(QTimer).setInterval(2**30)
    model = window.page_list.findChild(PageModel)
    left: list[bool] = []

    def look(removed: RemovedPages) -> None:
        left.extend(model.position(page.ref) is None for page in removed.pages)

    session.shelf.pages_outdated.connect(look)
    session.open_files(paths)
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    assert left == [True]
    assert [ref.path for ref in session.shelf.refs] == paths
