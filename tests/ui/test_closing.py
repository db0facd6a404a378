"""The window asks once before it closes over text that is nowhere else, and then only."""

import errno
from pathlib import Path

import pytest
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.questions import Leave
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Loss
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    editor_of,
    export_text,
    open_and_load,
    read,
    read_selected,
    until_idle,
    until_reading_begins,
    wait_until_idle,
)


def test_closing_with_typed_text_asks_and_stays_open_on_no(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_and_load(qtbot, session, draw_page())
    editor_of(window).setPlainText("mine")
    monkeypatch.setattr(questions, "ask_leave", lambda *_: Leave.STAY)
    assert not window.close()
    monkeypatch.setattr(questions, "ask_leave", lambda *_: Leave.LOSE)
    assert window.close()


@pytest.mark.parametrize(
    ("pressed", "leave"),
    [("Export…", Leave.EXPORT), ("Close without exporting", Leave.LOSE), ("Cancel", Leave.STAY)],
)
def test_closing_on_text_that_is_in_no_file_leaves_three_ways(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, pressed: str, leave: Leave
) -> None:
    def press(box: QMessageBox) -> None:
        (button,) = (each for each in box.buttons() if each.text() == pressed)
        button.click()

    monkeypatch.setattr(QMessageBox, "exec", press)
    assert questions.ask_leave(window, "Export before closing?", "It is lost.") is leave


def test_who_exports_at_closing_and_chooses_no_file_keeps_the_window(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "ask_leave", lambda *_: Leave.EXPORT)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: None)
    open_and_load(qtbot, session, draw_page())
    editor_of(window).setPlainText("mine")
    assert not window.close()
    assert not session.exporter.is_exporting
    assert window.notice_bar.notices == ()


def test_closing_asks_nothing_where_all_text_was_emptied(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_and_load(qtbot, session, draw_page())
    editor_of(window).setPlainText("mine")
    editor_of(window).clear()
    monkeypatch.setattr(questions, "ask_leave", lambda *_: pytest.fail("nothing is lost"))
    assert window.close()


def test_closing_asks_before_a_page_that_was_read_is_lost(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(questions, "ask_leave", lambda _, __, text: asked.append(text) or Leave.STAY)
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    read_selected(qtbot, session)
    assert not window.close()
    until_idle(qtbot, session, session.read_all)
    assert not window.close()
    editor_of(window).setPlainText("mine")
    assert not window.close()
    assert asked == [
        "The text read from 1 page was not exported. It will be lost when the window closes.",
        "The text read from 3 pages was not exported. It will be lost when the window closes.",
        "You edited the text of 1 page and did not export it. "
        "The text read from 2 pages was not exported. It will be lost when the window closes.",
    ]
    export_text(qtbot, session, tmp_path / "out.md")
    assert window.close()


def test_text_of_a_file_that_another_export_replaced_is_in_no_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    def export(name: str, *refs: PageRef) -> int:
        """How many texts are in no file once these pages are in one of that name."""
        with qtbot.waitSignal(session.notice_raised):
            session.exporter.export_text(tmp_path / name, refs)
        return session.unsaved.loss(session.shelf.refs).read

    def export_plan(name: str) -> None:
        with qtbot.waitSignal(session.notice_raised):
            session.exporter.export_file("the plan", lambda _, path: None, tmp_path / name)

    (tmp_path / "link.md").symlink_to(tmp_path / "out.md")
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.read_all()
    wait_until_idle(qtbot, session)
    first, second = session.shelf.refs
    assert [export("out.md", first), export("other.md", second)] == [1, 0]
    assert export("out.md", first) == 0
    assert export("link.md", second) == 1
    removed = session.shelf.take_out([first])
    assert export("out.md", second) == 0
    session.shelf.put_back(removed)
    assert session.unsaved.loss([first]).read == 1
    assert export("out.md", first, second) == 0
    assert export("other.md", first, second) == 0
    export_plan("out.md")
    assert session.unsaved.loss([first]).read == 0, "it is in the other file still"
    export_plan("other.md")
    assert session.unsaved.loss([first]).read == 1


def test_an_unexpected_error_does_not_close_the_window_over_a_text(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    monkeypatch.setattr(window.closing, "may_close", fail)
    with pytest.raises(OSError, match="endpoint"):
        window.close()
    assert window.isVisible()


def test_a_text_that_was_cleared_and_exported_is_lost_with_no_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.read_all()
    wait_until_idle(qtbot, session)
    session.edit_text("")
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    export_text(qtbot, session, tmp_path / "out.md")
    with qtbot.waitSignal(session.notice_raised):
        session.exporter.export_text(tmp_path / "out.md", session.shelf.refs[1:])
    assert session.unsaved.loss(session.shelf.refs) == Loss(typed=0, read=0, in_hand=0)


def test_closing_asks_nothing_about_text_that_was_copied_as_it_was_read(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(questions, "ask_leave", lambda _, __, text: asked.append(text) or Leave.STAY)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["copy"].trigger()
    assert window.close()
    window.show()
    editor_of(window).setPlainText("mine")
    window.actions_by_name["copy"].trigger()
    assert not window.close()
    assert [text.partition(" and")[0] for text in asked] == ["You edited the text of 1 page"]


def test_what_was_copied_counts_until_something_else_is_whenever_the_clipboard_tells(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    clipboard = QGuiApplication.clipboard()
    monkeypatch.setattr(QClipboard, "ownsClipboard", lambda _: True)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["copy"].trigger()
    clipboard.dataChanged.emit()  # as on Windows, where it comes later
    assert session.unsaved.loss(session.shelf.refs).read == 0
    clipboard.setText("something else")
    assert session.unsaved.loss(session.shelf.refs).read == 1


def test_a_page_that_comes_back_counts_as_copied_no_longer(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["copy"].trigger()
    session.shelf.remove(session.shelf.refs)
    QGuiApplication.clipboard().setText("something else")
    (offer,) = window.notice_bar.notices[-1].offers
    session.take_offer(offer)
    assert session.unsaved.loss(session.shelf.refs).read == 1


def test_closing_asks_again_where_a_page_was_read_to_its_end_behind_the_question(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read_on(*_: object) -> bool:
        until_idle(qtbot, session, fake_engine.gate.set)
        return True

    asked: list[str] = []
    monkeypatch.setattr(questions, "agrees", read_on)
    monkeypatch.setattr(questions, "ask_leave", lambda _, __, text: asked.append(text) or Leave.STAY)
    open_and_load(qtbot, session, draw_page())
    fake_engine.gate.clear()
    session.read_selected()
    qtbot.waitUntil(lambda: session.current_text.startswith("page"))
    assert not window.close()
    assert asked == ["The text read from 1 page was not exported. It will be lost when the window closes."]


def test_closing_asks_once_though_more_pages_are_read_behind_the_question(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read_on(_: object, __: str, text: str) -> Leave:
        asked.append(text)
        until_idle(qtbot, session, fake_engine.gate.set)
        return Leave.LOSE

    asked: list[str] = []
    monkeypatch.setattr(questions, "ask_leave", read_on)
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    until_idle(qtbot, session, session.read_selected)
    fake_engine.gate.clear()
    session.read_all()
    qtbot.waitUntil(lambda: session.reader.activity.reading)
    assert window.close()
    assert len(asked) == 1


def test_text_that_gave_way_to_another_on_the_clipboard_is_asked_about_again(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    until_idle(qtbot, session, session.read_all)
    for ref in session.shelf.refs:
        session.shelf.select(ref)
        window.actions_by_name["copy"].trigger()
    assert session.unsaved.loss(session.shelf.refs) == Loss(typed=0, read=1, in_hand=0)
    QApplication.clipboard().setText("from elsewhere")
    assert session.unsaved.loss(session.shelf.refs) == Loss(typed=0, read=2, in_hand=0)


def test_removing_a_page_asks_only_while_its_edits_are_in_no_file(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_and_load(qtbot, session, draw_page())
    editor_of(window).setPlainText("mine")
    monkeypatch.setattr(questions, "agrees", lambda *_: False)
    window.actions_by_name["remove"].trigger()
    assert len(session.shelf.refs) == 1
    export_text(qtbot, session, tmp_path / "out.md")
    monkeypatch.setattr(questions, "agrees", lambda *_: pytest.fail("nothing is lost"))
    window.actions_by_name["remove"].trigger()
    assert session.shelf.refs == ()


def test_closing_during_a_reading_ends_within_two_seconds(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    bridge: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(questions, "agrees", lambda _, title, text, __: bool(asked.append((title, text))))
    open_and_load(qtbot, session, draw_page())
    until_reading_begins(qtbot, fake_engine, window.actions_by_name["read"].trigger)
    assert not window.close()
    said = "The model is still reading 1 page. What was read so far will be lost when the window closes."
    assert asked == [("Close while the model is reading?", said)]
    monkeypatch.setattr(questions, "agrees", lambda *_: True)
    assert window.close()
    assert bridge.close(2)
