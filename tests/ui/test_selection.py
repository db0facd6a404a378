"""Several pages selected in the list: they are read, turned and removed together, and no others."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    click_row,
    export_text,
    open_and_load,
    pages_of,
    until_idle,
)


@pytest.fixture
def book(qtbot: QtBot, session: Session, window: MainWindow, draw_page: Draw) -> tuple[PageRef, ...]:
    """Four open pages of one file, the first shown."""
    open_and_load(qtbot, session, draw_page(pages=4))
    return session.shelf.refs


CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def action(window: MainWindow, name: str) -> QAction:
    return window.actions_by_name[name]


def click(
    qtbot: QtBot, window: MainWindow, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    view = pages_of(window)
    view.resize(view.width(), 900)
    click_row(qtbot, view, row, modifier)


def test_only_selected_pages_are_read_in_the_order_of_the_list(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...], told: list[PageStatus]
) -> None:
    click(qtbot, window, 2)
    click(qtbot, window, 0, CTRL)
    until_idle(qtbot, session, action(window, "read").trigger)
    assert [status.ref for status in told if status.state is PageState.READ] == [book[0], book[2]]


def test_wishes_are_for_the_one_page_that_is_selected_even_if_another_is_shown(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    click(qtbot, window, 0)
    click(qtbot, window, 1, CTRL)
    click(qtbot, window, 0, CTRL)
    assert session.shelf.current == book[0]
    action(window, "rotate_right").trigger()
    assert session.shelf.refs == (book[0], book[1].rotated(90), *book[2:])
    qtbot.keyClick(pages_of(window), Qt.Key.Key_Delete)
    assert session.shelf.refs == (book[0], *book[2:])
    assert session.shelf.selected == window.page_list.selected_keys == (book[0],)


def test_menus_count_the_selected_pages_and_the_toolbar_keeps_its_words(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    texts = [action(window, name).text() for name in ("read", "remove")]
    click(qtbot, window, 2, SHIFT)
    assert session.shelf.selected == book[:3]
    assert [action(window, name).text() for name in ("read", "remove")] == [
        "&Read 3 pages",
        "Re&move 3 pages",
    ]
    assert action(window, "read").iconText() == "Read"
    session.shelf.select(book[3])
    assert session.shelf.selected == (book[3],)
    assert [action(window, name).text() for name in ("read", "remove")] == texts == ["&Read", "Re&move page"]


def test_the_texts_of_selected_pages_are_copied_together(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    until_idle(qtbot, session, lambda: session.read(book[:2]))
    session.shelf.select(book[2])
    assert not action(window, "copy").isEnabled()
    pages_of(window).selectAll()
    action(window, "copy").trigger()
    texts = tuple(session.texts.of(session.shelf.selected))
    assert QGuiApplication.clipboard().text() == "\n\n".join(texts)
    assert len(texts) == 2
    assert window.notice_bar.notices[-1].sentence == "Copied the text of 2 pages."
    session.shelf.set_selection((book[0],))
    action(window, "copy").trigger()
    assert session.shelf.current == book[2]
    assert window.notice_bar.notices[-1].sentence == "Copied the text of 1 page."


def test_selected_pages_turn_together_and_stay_selected(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    click(qtbot, window, 1)
    click(qtbot, window, 0, SHIFT)
    for _ in range(2):
        with qtbot.waitSignal(session.page_image_changed):
            action(window, "rotate_right").trigger()
    turned = (book[0].rotated(180), book[1].rotated(180))
    assert session.shelf.refs == (*turned, *book[2:])
    assert session.shelf.selected == window.page_list.selected_keys == turned
    assert session.shelf.current == turned[0]


def test_a_whole_file_turns_and_the_selection_stays(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    click(qtbot, window, 1, SHIFT)
    session.shelf.rotate(90, whole_file=True)
    assert session.shelf.refs == tuple(ref.rotated(90) for ref in book)
    assert session.shelf.selected == window.page_list.selected_keys == session.shelf.refs[:2]


def test_pages_in_hand_that_are_turned_are_read_in_the_order_they_had(
    qtbot: QtBot,
    session: Session,
    window: MainWindow,
    fake_engine: FakeEngine,
    book: tuple[PageRef, ...],
    told: list[PageStatus],
) -> None:
    fake_engine.gate.clear()
    session.read(book[1:])
    pages_of(window).selectAll()
    session.shelf.rotate(90)
    until_idle(qtbot, session, fake_engine.gate.set)
    read = [status.ref for status in told if status.state is PageState.READ]
    assert read == [ref.rotated(90) for ref in book[1:]]


@pytest.mark.parametrize("agreed", [True, False])
@pytest.mark.parametrize("typed", [0, 1, 2])
def test_selected_pages_leave_together_after_one_question_about_what_they_hold(
    qtbot: QtBot,
    session: Session,
    window: MainWindow,
    book: tuple[PageRef, ...],
    monkeypatch: pytest.MonkeyPatch,
    typed: int,
    agreed: bool,
) -> None:
    asked: list[tuple[object, ...]] = []

    def answer(*words: object) -> bool:
        asked.append(words[1:])
        return agreed

    monkeypatch.setattr("rtocr_gui.ui.dialogs.questions.agrees", answer)
    until_idle(qtbot, session, lambda: session.read(book[:3]))
    for ref in book[:typed]:
        session.shelf.select(ref)
        session.edit_text("mine")
    click(qtbot, window, 0)
    click(qtbot, window, 2, SHIFT)
    qtbot.keyClick(pages_of(window), Qt.Key.Key_Delete)
    loss = (
        "The text read from these pages was not exported.",
        "You edited the text of one of these",
        "You edited the text of 2 of these",
    )
    title, text, button = asked[0]
    assert (len(asked), title, button) == (1, "Remove 3 pages?", "Remove")
    assert str(text).startswith(loss[typed])
    assert str(text).endswith("It will be lost unless you restore the pages right away.")
    assert session.shelf.refs == (book[3:] if agreed else book)
    assert session.shelf.current == (book[3] if agreed else book[2])
    assert session.shelf.selected == ((book[3],) if agreed else book[:3])


def test_pages_that_were_exported_leave_without_a_question_and_one_that_is_being_read_does_not(
    qtbot: QtBot,
    session: Session,
    window: MainWindow,
    fake_engine: FakeEngine,
    book: tuple[PageRef, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "rtocr_gui.ui.dialogs.questions.agrees", lambda _, __, text, ___: bool(asked.append(text))
    )
    until_idle(qtbot, session, lambda: session.read(book[:3]))
    export_text(qtbot, session, tmp_path / "out.md")
    click(qtbot, window, 2, SHIFT)
    action(window, "remove").trigger()
    assert session.shelf.refs == book[3:]
    assert not asked
    fake_engine.reading_began.clear()
    begin_reading(qtbot, session, fake_engine)
    action(window, "remove").trigger()
    assert asked == ["The model is still reading this page. What was read so far will be lost with the page."]
    assert session.shelf.refs == book[3:]


def test_pages_that_leave_together_are_told_once_and_what_changes_nothing_is_not_told(
    session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    dropped: list[tuple[PageRef, ...]] = []
    activities: list[Activity] = []
    session.shelf.pages_dropped.connect(dropped.append)
    session.reader.activity_changed.connect(activities.append)
    session.edit_text("mine")
    session.shelf.remove(book[:3])
    assert dropped == [book[:3]]
    assert session.shelf.current == book[3]
    assert not activities


def test_pages_that_were_removed_are_brought_back_with_one_press(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    until_idle(qtbot, session, lambda: session.read(book[1:2]))
    click(qtbot, window, 1)
    qtbot.keyClick(pages_of(window), Qt.Key.Key_Delete)
    assert session.shelf.refs == (book[0], *book[2:])
    (button,) = (each for each in window.notice_bar.findChildren(QPushButton) if each.text() == "Restore")
    button.click()
    assert session.shelf.refs == book
    assert session.shelf.selected == (book[1],)
    assert window.text_column.text_pane.editor.text.startswith("page 2")
    model = pages_of(window).model()
    assert model.row(1).state is PageState.READ
    qtbot.waitUntil(lambda: model.row(1).thumbnail is not None)
    assert window.notice_bar.isHidden()


def test_when_all_pages_leave_nothing_is_shown(
    session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    pages_of(window).selectAll()
    action(window, "remove").trigger()
    assert session.shelf.refs == session.shelf.selected == ()
    assert session.shelf.current is None
    assert not action(window, "remove").isEnabled()
    window.page_list.remove_requested.emit()
    assert session.shelf.refs == ()


def test_a_selected_page_whose_file_lost_it_is_selected_no_longer(
    qtbot: QtBot, session: Session, window: MainWindow, draw_page: Draw, book: tuple[PageRef, ...]
) -> None:
    pages_of(window).selectAll()
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([draw_page(pages=2)])
    assert set(session.shelf.selected) <= set(session.shelf.refs)
    assert session.shelf.selected == window.page_list.selected_keys


def test_the_list_offers_what_can_be_done_with_its_pages(window: MainWindow) -> None:
    offered = {offer.iconText() for offer in pages_of(window).actions()}
    assert offered >= {"Read", "Stop", "Copy text", "Rotate left", "Rotate right", "Remove page"}


def test_a_page_that_was_just_stopped_is_no_reading_to_lose(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    assert session.unsaved.loss(session.shelf.refs).in_hand == 1
    session.stop()
    assert session.reader.activity.together == 1
    assert session.unsaved.loss(session.shelf.refs).in_hand == 0
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: session.reader.activity.together == 0)
