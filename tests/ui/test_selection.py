"""Several pages selected in the list: they are read, turned and removed together, and no others."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.main_window import MainWindow
from rtocr_gui.ui.page_model import PageState
from rtocr_gui.ui.session import Session
from rtocr_gui.ui.shown import PageStatus
from tests.ui.steps import open_and_load, until_idle

Draw = Callable[..., Path]


@pytest.fixture
def book(qtbot: QtBot, session: Session, window: MainWindow, draw_page: Draw) -> tuple[PageRef, ...]:
    """Four open pages of one file, the first shown."""
    open_and_load(qtbot, session, draw_page(pages=4))
    return session.refs


def action(window: MainWindow, name: str) -> QAction:
    return window.actions_by_name[name]


def test_only_selected_pages_are_read_in_the_order_of_the_list(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    states: list[PageStatus] = []
    session.page_status_changed.connect(states.append)
    window.page_list.set_selection((book[2], book[0]))
    until_idle(qtbot, session, action(window, "read").trigger)
    assert [told.ref for told in states if told.state is PageState.READ] == [book[0], book[2]]


def test_menus_count_the_selected_pages_and_the_toolbar_keeps_its_words(
    session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    texts = [action(window, name).text() for name in ("read", "remove")]
    window.page_list.set_selection(book[:3])
    assert session.selected == book[:3]
    assert [action(window, name).text() for name in ("read", "remove")] == ["Read 3 pages", "Remove 3 pages"]
    assert action(window, "read").iconText() == "Read"
    session.select_page(book[3])
    assert session.selected == (book[3],)
    assert [action(window, name).text() for name in ("read", "remove")] == texts == ["Read", "Remove page"]


def test_selected_pages_turn_together_and_stay_selected(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    window.page_list.set_selection(book[:2])
    for _ in range(2):
        with qtbot.waitSignal(session.page_image_changed):
            action(window, "rotate_right").trigger()
    turned = (book[0].rotated(180), book[1].rotated(180))
    assert session.refs == (*turned, *book[2:])
    assert session.selected == window.page_list.selected_keys == turned
    assert session.current == turned[0]


def test_pages_that_are_not_shown_turn_alone(
    session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    """The shown page was taken out of the selection again, with Ctrl and a click."""
    session.set_selection(book[1:3])
    session.rotate_selected(90)
    assert session.refs == (book[0], book[1].rotated(90), book[2].rotated(90), book[3])
    assert session.current == window.page_list.current_key == book[0]
    assert session.selected == (book[1].rotated(90), book[2].rotated(90))


@pytest.mark.parametrize("agreed", [True, False])
def test_selected_pages_leave_together_after_one_question_about_what_was_typed(
    session: Session,
    window: MainWindow,
    book: tuple[PageRef, ...],
    monkeypatch: pytest.MonkeyPatch,
    agreed: bool,
) -> None:
    asked: list[tuple[object, ...]] = []

    def answer(*words: object) -> bool:
        asked.append(words[1:])
        return agreed

    monkeypatch.setattr("rtocr_gui.ui.questions.agrees", answer)
    session.edit_text("mine")
    window.page_list.set_selection(book[:3])
    window.page_list.remove_requested.emit()
    title, text, button = asked[0]
    assert (len(asked), title, button) == (1, "Remove 3 pages?", "Remove")
    assert str(text).startswith("You edited the text of one of these pages")
    assert session.refs == (book[3:] if agreed else book)
    assert session.current == (book[3] if agreed else book[0])
    assert session.selected == ((book[3],) if agreed else book[:3])


def test_when_all_pages_leave_nothing_is_shown(
    session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    window.page_list.set_selection(book)
    action(window, "remove").trigger()
    assert session.refs == session.selected == ()
    assert session.current is None
    assert not action(window, "remove").isEnabled()


def test_the_list_offers_what_can_be_done_with_its_pages(window: MainWindow) -> None:
    offered = {offer.text() for offer in window.page_list.focusProxy().actions()}
    assert {"Read", "Stop", "Copy text", "Rotate left", "Rotate right", "Remove from list"} <= offered
