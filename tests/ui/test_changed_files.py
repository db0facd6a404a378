"""A page whose file changed or went away keeps its text and its state, and no other is read in its place."""

from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.loading import CHANGED, CLOSED, GONE
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.notices import Notice, Offer, OpenAgain
from rtocr_gui.ui.state.open_pages import RemovedPages
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.page_model import PageModel
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    emissions,
    export_text,
    open_and_load,
    read_selected,
    until_idle,
    until_loaded,
)

KEPT = (
    "scan.png has changed and was opened again. "
    "Kept 1 page of its earlier version, with the text that you typed."
)


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
    qtbot.waitUntil(lambda: any("only its text is left" in notice for notice in notices))
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
    assert notices == [f"scan.png: {CHANGED}"]
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
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    failures, stopped = emissions(bridge.request_failed), emissions(bridge.request_stopped)
    path.rename(tmp_path / "away")
    miss_picture(qtbot, session, session.shelf.refs[1])
    # The page is to be encoded too, which fails as well, unless it is stopped before.
    qtbot.waitUntil(lambda: len(failures) + len(stopped) == 2)
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
    assert notices == [KEPT]


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

    def look(_path: Path, removed: RemovedPages) -> None:
        left.extend(model.position(page.ref) is None for page in removed.pages)

    session.shelf.pages_outdated.connect(look)
    session.open_files(paths)
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    assert left == [True]
    assert [ref.path for ref in session.shelf.refs] == paths


def see_that_it_changed(qtbot: QtBot, session: Session, ref: PageRef) -> None:
    """Show a page, and wait until its file is said to have changed."""
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=CHANGED.__eq__):
        session.shelf.select(ref)


def button_called(window: MainWindow, name: str) -> QPushButton:
    """The button of the notices with this name that can be seen."""
    buttons = window.notice_bar.findChildren(QPushButton)
    (button,) = (one for one in buttons if one.text() == name and one.isVisible())
    return button


def open_again(qtbot: QtBot, session: Session, path: Path) -> None:
    """Take the offer to open a file again, and wait for its pages."""
    with qtbot.waitSignal(session.shelf.pages_opened):
        session.take_offer(OpenAgain(path))


def test_a_file_that_changed_is_opened_again_at_the_page_that_is_shown_and_in_its_place(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    book, last = draw_page("book.tiff", pages=3), draw_page("last.png")
    open_and_load(qtbot, session, book, last)
    draw_page("other.tiff", pages=4).replace(book)
    see_that_it_changed(qtbot, session, session.shelf.refs[1])
    (notice,) = window.notice_bar.notices
    assert (notice.sentence, notice.offers) == (f"book.tiff, page 2: {CHANGED}", (OpenAgain(book),))
    see_that_it_changed(qtbot, session, session.shelf.refs[2])
    assert len(window.notice_bar.notices) == 1
    with qtbot.waitSignal(session.page_image_changed):
        button_called(window, "Open again").click()
    assert [(ref.path, ref.index) for ref in session.shelf.refs] == [
        *((book, at) for at in range(4)),
        (last, 0),
    ]
    assert session.shelf.current == session.shelf.refs[2]
    assert window.notice_bar.notices == ()


@pytest.mark.parametrize("what", ["encoding", "curve", "trace"])
def test_what_else_is_to_be_done_with_a_page_of_a_changed_file_offers_to_open_it_again(
    qtbot: QtBot, session: Session, draw_page: Draw, offers: list[Offer], what: str
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    read_selected(qtbot, session)
    offers.clear()
    draw_page("other.png").replace(path)
    with qtbot.waitSignal(session.notice_raised):
        if what == "encoding":
            session.set_mode(Mode.TINY)
        elif what == "curve":
            session.tuning.read_curve()
        else:
            session.tuning.spotlight.trace()
    assert offers == [OpenAgain(path)]


def test_what_is_opened_again_is_not_taken_for_what_was_refused_before(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    book, last = draw_page("book.tiff", pages=3), draw_page("last.png")
    open_and_load(qtbot, session, book, last)
    session.shelf.select(session.shelf.refs[2])
    draw_page("other.tiff", pages=3).replace(book)
    (tmp_path / "empty.png").touch()
    with qtbot.waitSignal(session.opener.refused):
        session.open_files([tmp_path / "empty.png"])
    open_again(qtbot, session, book)
    assert session.shelf.current == session.shelf.refs[2]
    with qtbot.waitSignal(session.opener.refused):
        session.open_files([tmp_path / "empty.png"])
    draw_page("other.png").replace(last)
    open_again(qtbot, session, last)
    assert session.shelf.current == session.shelf.refs[2]


def test_a_file_that_lost_pages_is_opened_again_at_its_last_one(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    path = draw_page("book.tiff", pages=3)
    open_and_load(qtbot, session, path)
    draw_page("other.tiff", pages=2).replace(path)
    see_that_it_changed(qtbot, session, session.shelf.refs[2])
    open_again(qtbot, session, path)
    assert session.shelf.current == session.shelf.refs[1]


def test_where_another_file_is_shown_it_stays_while_one_that_changed_is_opened_again(
    qtbot: QtBot, session: Session, draw_page: Draw, offers: list[Offer]
) -> None:
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, draw_page("first.png"), path)
    draw_page("other.tiff", pages=2).replace(path)
    shown, *former = session.shelf.refs
    until_idle(qtbot, session, lambda: session.read(tuple(former)))
    assert set(offers) == {OpenAgain(path)}
    open_again(qtbot, session, path)
    assert session.shelf.current == shown
    assert set(former).isdisjoint(session.shelf.refs)


def test_what_was_typed_stays_before_the_new_version_of_its_page_which_is_shown(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], states: dict[str, PageStatus]
) -> None:
    listed = emissions(session.shelf.pages_changed)
    path = draw_page()
    open_and_load(qtbot, session, path, draw_page("last.png"))
    session.edit_text("mine")
    former = session.shelf.current
    draw_page("other.png").replace(path)
    until_idle(qtbot, session, lambda: session.read_replacing((former,)))
    assert states[former.label].state is PageState.FAILED
    open_again(qtbot, session, path)
    assert [entry.detail for entry in listed[-1]] == ["earlier version", "", ""]
    assert session.shelf.current == session.shelf.refs[1]
    assert notices == [f"scan.png: {CHANGED}", KEPT]
    session.shelf.select(former)
    assert session.current_text == "mine"
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_a_page_whose_reading_failed_says_no_longer_to_open_its_file_once_that_was_done(
    qtbot: QtBot, session: Session, draw_page: Draw, told: list[PageStatus]
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.edit_text("mine")
    former = session.shelf.current
    draw_page("other.png").replace(path)
    until_idle(qtbot, session, lambda: session.read_replacing((former,)))
    open_again(qtbot, session, path)
    last = [status for status in told if status.ref == former][-1]
    assert (last.state, last.sentence) == (PageState.EDITED, "")


def test_a_page_that_failed_before_another_model_was_loaded_is_no_longer_said_to_lack_its_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, told: list[PageStatus]
) -> None:
    path, away = draw_page(), tmp_path / "away.png"
    open_and_load(qtbot, session, draw_page("first.png"), path)
    ref = session.shelf.refs[1]
    path.rename(away)
    until_idle(qtbot, session, lambda: session.read((ref,)))
    assert told[-1].sentence == GONE
    until_loaded(qtbot, session, lambda: session.models.choose(tmp_path / "other"))
    away.rename(path)
    with qtbot.waitSignal(session.opener.opened):
        session.open_files([path])
    last = [status for status in told if status.ref == ref][-1]
    assert (last.state, last.sentence) == (PageState.UNREAD, "")


def test_who_types_while_a_file_is_opened_again_keeps_the_page(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    draw_page("other.png").replace(path)
    session.take_offer(OpenAgain(path))
    shown = session.shelf.current
    with qtbot.waitSignal(session.shelf.pages_opened):
        session.edit_text("mine")
    assert session.shelf.current == shown
    assert session.current_text == "mine"
    assert len(session.shelf.refs) == 2


@pytest.mark.parametrize("is_saved", [False, True])
def test_text_that_is_in_no_file_can_be_restored_until_the_person_dismisses_it(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, is_saved: bool
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    read_selected(qtbot, session)
    if is_saved:
        export_text(qtbot, session, tmp_path / "text.md")
    draw_page("other.png").replace(path)
    raised: list[Notice] = emissions(session.notice_raised)
    open_again(qtbot, session, path)
    (notice,) = raised
    assert [offer.label for offer in notice.offers] == ["Restore"]
    assert notice.is_passing is is_saved


def test_a_file_that_is_not_open_any_more_is_opened_again(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    offers: list[Offer],
    tmp_path: Path,
) -> None:
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    session.edit_text("mine")
    session.shelf.remove(session.shelf.refs)
    qtbot.waitUntil(lambda: not bridge._documents._documents)
    path.rename(away)
    with qtbot.waitSignal(session.opener.refused):
        session.take_offer(offers.pop())
    away.rename(path)
    first, second = session.shelf.refs
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=CLOSED.__eq__):
        session.shelf.select(second)
    assert offers == [OpenAgain(path)]
    with qtbot.waitSignal(session.page_image_changed):
        session.take_offer(offers[0])
    assert session.shelf.current == second
    assert session.shelf.refs == (first, second)


def test_all_files_that_changed_are_opened_again_with_one_press(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    paths = [draw_page(f"{number}.png") for number in range(3)]
    open_and_load(qtbot, session, *paths)
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    former = session.shelf.refs
    for path in paths:
        draw_page("other.png").replace(path)
    until_idle(qtbot, session, lambda: session.read(former))
    button_called(window, "Open all 3 again").click()
    qtbot.waitUntil(lambda: set(former).isdisjoint(session.shelf.refs))
    assert [ref.path for ref in session.shelf.refs] == paths
    assert session.shelf.current == session.shelf.refs[0]
    assert not window.notice_bar.isVisible()
