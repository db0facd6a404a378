"""Pages are put into an order of one's own, and everything follows it."""

from itertools import permutations
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.page_model import PAGES_TYPE, PageModel
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    click_row,
    editor_of,
    emissions,
    export_text,
    open_and_load,
    pages_of,
    until_idle,
    until_reading_begins,
)

PLAIN, ALT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def book(qtbot: QtBot, session: Session, window: MainWindow, draw_page: Draw) -> tuple[PageRef, ...]:
    """Five open pages of one file, the first shown."""
    open_and_load(qtbot, session, draw_page(pages=5))
    pages_of(window).resize(pages_of(window).width(), 900)
    return session.shelf.refs


def order(session: Session, window: MainWindow) -> list[int]:
    """The page numbers from 0 in the order of the session, which is that of the list."""
    model = window.page_list.findChild(PageModel)
    assert [model.row(place).entry.key for place in range(model.rowCount())] == list(session.shelf.refs)
    return [ref.index for ref in session.shelf.refs]


def chosen(session: Session, window: MainWindow) -> list[int]:
    """The numbers of the pages that are selected, for the session as in the list."""
    assert session.shelf.selected == window.page_list.selected_keys
    return [ref.index for ref in session.shelf.selected]


def drop(window: MainWindow, row: int, share: float) -> None:
    """Drop what is selected on a row, at a share of its height below its top."""
    view = pages_of(window)
    place = view.visualRect(view.model().index(row, 0))
    point = QPointF(place.center().x(), place.top() + share * place.height())
    data = view.model().mimeData([])
    view.dropEvent(QDropEvent(point, Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, PLAIN))


def test_pages_are_dropped_between_two_others_or_at_the_end(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    drop(window, 2, 0.8)
    assert order(session, window) == [1, 2, 0, 3, 4]
    drop(window, 1, 0.2)
    assert order(session, window) == [1, 0, 2, 3, 4]
    view = pages_of(window)
    click_row(qtbot, view, 3, CTRL)
    drop(window, 4, 3.0)
    assert order(session, window) == [1, 2, 4, 0, 3]
    assert chosen(session, window) == [0, 3]
    drop(window, 3, 0.8)
    assert order(session, window) == [1, 2, 4, 0, 3]


def test_pages_that_move_stay_selected_and_shown_and_shift_goes_on_from_where_it_began(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    view = pages_of(window)
    click_row(qtbot, view, 1)
    click_row(qtbot, view, 2, SHIFT)
    shown = emissions(session.page_selected)
    drop(window, 4, 0.8)
    assert order(session, window) == [0, 3, 4, 1, 2]
    assert (chosen(session, window), session.shelf.current, shown) == ([1, 2], book[2], [])
    click_row(qtbot, view, 1, SHIFT)
    assert chosen(session, window) == [3, 4, 1]


def test_alt_with_an_arrow_moves_pages_up_and_down(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    view = pages_of(window)
    view.setFocus()
    click_row(qtbot, view, 1)
    click_row(qtbot, view, 3, CTRL)
    for key, expected in (
        (Qt.Key.Key_Down, [0, 2, 1, 4, 3]),
        (Qt.Key.Key_Down, [0, 2, 4, 1, 3]),
        (Qt.Key.Key_Down, [0, 2, 4, 1, 3]),
        (Qt.Key.Key_Up, [0, 2, 1, 3, 4]),
        (Qt.Key.Key_Up, [0, 1, 3, 2, 4]),
        (Qt.Key.Key_Up, [1, 3, 0, 2, 4]),
        (Qt.Key.Key_Up, [1, 3, 0, 2, 4]),
    ):
        qtbot.keyClick(view, key, ALT)
        assert (order(session, window), chosen(session, window)) == (expected, [1, 3])
    assert session.shelf.current == book[3]


def test_alt_with_an_arrow_is_left_to_texts_and_boxes_and_the_tooltip_says_so(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    editor = editor_of(window)
    editor.setFocus()
    qtbot.keyClick(editor, Qt.Key.Key_Down, ALT)
    assert order(session, window) == [0, 1, 2, 3, 4]
    key = QKeySequence("Alt+Down").toString(QKeySequence.SequenceFormat.NativeText)
    assert window.actions_by_name["move_down"].toolTip().endswith(f"({key} in the list)")


def test_a_page_that_moves_out_of_sight_is_followed(
    qtbot: QtBot, session: Session, window: MainWindow, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=30))
    view = pages_of(window)
    for _ in range(29):
        window.actions_by_name["move_down"].trigger()
    assert session.shelf.refs[-1] == session.shelf.current
    place = view.visualRect(view.currentIndex())
    assert 0 <= place.top() < place.bottom() < view.viewport().height()
    view.scrollToTop()
    window.actions_by_name["move_up"].trigger()
    assert view.verticalScrollBar().value() == 0


def test_all_is_read_found_and_exported_in_the_order_of_the_list(
    qtbot: QtBot,
    session: Session,
    window: MainWindow,
    book: tuple[PageRef, ...],
    told: list[PageStatus],
    tmp_path: Path,
) -> None:
    session.shelf.move_selected(book[3])
    until_idle(qtbot, session, session.read_all)
    wanted = [1, 2, 0, 3, 4]
    assert [status.ref.index for status in told if status.state is PageState.READ] == wanted
    export_text(qtbot, session, tmp_path / "book.md")
    lines = (tmp_path / "book.md").read_text().splitlines()
    assert [int(line.split()[1]) - 1 for line in lines if line.startswith("page ")] == wanted
    session.finder.search("page")
    visited = []
    for _ in wanted:
        session.finder.go_on("page")
        visited.append(session.shelf.current.index)
    assert visited == [3, 4, 1, 2, 0]


def test_files_that_come_are_listed_behind_pages_that_were_moved(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...], draw_page: Draw
) -> None:
    session.shelf.move_selected(None)
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([draw_page("more.png")])
    assert order(session, window) == [1, 2, 3, 4, 0, 0]
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([book[0].path])
    assert order(session, window) == [1, 2, 3, 4, 0, 0]


def test_the_earlier_version_of_a_file_is_the_earlier_one_wherever_it_is_listed() -> None:
    pages = OpenPages()
    earlier, later = (PageRef(Path("/scan.png"), 0, sha256) for sha256 in ("before", "after"))
    pages.add([earlier])
    pages.add([later])
    pages.move([earlier], None)
    assert [entry.detail for entry in pages.entries] == ["", "earlier version"]
    assert [pages.has_newer(ref) for ref in (earlier, later)] == [True, False]
    pages.remove([later])
    assert not pages.has_newer(earlier)


@pytest.mark.parametrize("leaving", [*permutations(range(4), 3)])
def test_pages_that_were_removed_come_back_to_their_places_in_whatever_order(
    leaving: tuple[int, ...],
) -> None:
    for returning in permutations(range(3)):
        pages = OpenPages()
        book = tuple(PageRef(Path("/book.pdf"), index, "sha256") for index in range(4))
        pages.add(book)
        removed = [pages.remove([book[index]]) for index in leaving]
        for place in returning:
            pages.put_back(removed[place])
        assert pages.refs == book


def test_a_page_that_comes_back_stands_before_the_one_that_followed_it_wherever_that_was_moved() -> None:
    pages = OpenPages()
    book = tuple(PageRef(Path("/book.pdf"), index, "sha256") for index in range(5))
    pages.add(book)
    removed = [pages.remove([book[index]]) for index in (1, 4)]
    pages.move([book[2]], book[0])
    pages.rotate([book[2]], 90)
    pages.add([PageRef(Path("/more.png"), 0, "sha256")])
    for each in removed:
        pages.put_back(each)
    assert [ref.index for ref in pages.refs] == [1, 2, 0, 3, 4, 0]


def test_files_that_are_dropped_on_the_list_are_left_to_the_window(
    qtbot: QtBot, session: Session, window: MainWindow, book: tuple[PageRef, ...], draw_page: Draw
) -> None:
    data, viewport = QMimeData(), pages_of(window).viewport()
    data.setUrls([QUrl.fromLocalFile(str(draw_page("dropped.png")))])
    actions, left = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(9, 9), actions, data, left, PLAIN)
    enter.ignore()
    QApplication.sendEvent(viewport, enter)
    assert enter.isAccepted()
    with qtbot.waitSignal(session.shelf.pages_changed):
        QApplication.sendEvent(viewport, QDropEvent(QPointF(9, 9), actions, data, left, PLAIN))
    assert session.shelf.refs[-1].path.name == "dropped.png"


def test_what_is_dragged_out_of_the_list_is_no_file_and_nothing_for_another_window(
    window: MainWindow, book: tuple[PageRef, ...]
) -> None:
    view = pages_of(window)
    data = view.model().mimeData(view.selectedIndexes())
    assert data.formats() == [PAGES_TYPE]
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, PLAIN)
    enter.ignore()
    QApplication.sendEvent(view.viewport(), enter)
    assert not enter.isAccepted()


def test_pages_that_wait_are_read_in_their_new_order(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    book: tuple[PageRef, ...],
    fake_engine: FakeEngine,
) -> None:
    began: list[PageRef] = emissions(session.reader.began)
    until_reading_begins(qtbot, fake_engine, session.read_all)
    session.shelf.select(book[4])
    for _ in range(3):
        window.actions_by_name["move_up"].trigger()
    fake_engine.gate.set()
    until_idle(qtbot, session, lambda: None)
    assert [ref.index for ref in began] == [0, 4, 1, 2, 3]
