"""What a person types stays with its page, can be undone, and is replaced by nothing unasked."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.questions import Overwrite
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import OverwriteQuestion, PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    editor_of,
    emissions,
    open_and_load,
    pages_of,
    read,
    read_selected,
    until_idle,
    wait_until_idle,
)


def test_typed_text_is_kept_when_the_person_says_so(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    editor_of(window).setPlainText("mine")
    monkeypatch.setattr(questions, "ask_overwrite", lambda *_: Overwrite.KEEP)
    window.actions_by_name["read"].trigger()
    assert session.current_text == "mine"
    assert editor_of(window).toPlainText() == "mine"


def test_nothing_can_be_typed_before_a_page_is_open(qtbot: QtBot, window: MainWindow) -> None:
    editor = editor_of(window)
    qtbot.keyClicks(editor, "mine")
    assert editor.toPlainText() == ""
    assert editor.placeholderText() == "Open a scan to read its text."


def test_who_types_while_a_file_opens_goes_on_typing_into_the_same_page(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"))
    first = session.shelf.current
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([draw_page("b.png")])
        qtbot.keyClicks(editor_of(window), "mi")
    qtbot.keyClicks(editor_of(window), "ne")
    assert session.shelf.current == first
    assert session.current_text == "mine"
    assert len(session.shelf.refs) == 2


def test_a_page_that_was_removed_comes_back_with_nothing_to_undo(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    first = draw_page("a.png")
    open_and_load(qtbot, session, first, draw_page("b.png"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    editor_of(window).insertPlainText("typed")
    editor_of(window).undo()
    session.shelf.remove((session.shelf.current,))
    with qtbot.waitSignal(session.page_selected):
        session.open_files([first])
    assert not editor_of(window).document().isRedoAvailable()


def test_typing_is_undone_and_redone_from_the_menu_in_sight(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    undo, redo = (window.actions_by_name[name] for name in ("undo", "redo"))
    open_and_load(qtbot, session, draw_page())
    assert not undo.isEnabled()
    qtbot.keyClicks(editor_of(window), "mine")
    assert (undo.isEnabled(), redo.isEnabled()) == (True, False)
    window.text_column.show_compare()
    undo.trigger()
    assert session.current_text == ""
    assert editor_of(window).isVisible()
    assert (undo.isEnabled(), redo.isEnabled()) == (False, True)
    redo.trigger()
    assert session.current_text == "mine"
    until_idle(qtbot, session, lambda: session.read_replacing(session.shelf.refs))
    assert not undo.isEnabled(), "what was read is nobody's typing"


def test_typing_is_undone_by_key_only_where_one_types(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    qtbot.keyClicks(editor_of(window), "mine")
    for focused, text in ((pages_of(window), "mine"), (editor_of(window), "")):
        focused.setFocus()
        qtbot.keyClick(focused, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert session.current_text == text


def test_opening_the_file_again_that_is_edited_leaves_cursor_and_undo_alone(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    qtbot.keyClicks(editor_of(window), "mine")
    qtbot.keyClick(editor_of(window), Qt.Key.Key_Left)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    assert editor_of(window).textCursor().position() == 3
    editor_of(window).undo()
    assert session.current_text == ""


@pytest.mark.parametrize("answer", [Overwrite.REPLACE, Overwrite.KEEP])
def test_pages_are_read_in_order_whether_they_were_edited_or_not(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    answer: Overwrite,
) -> None:
    monkeypatch.setattr(questions, "ask_overwrite", lambda *_: answer)
    open_and_load(qtbot, session, draw_page("book.tiff", pages=3))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    first, second, third = session.shelf.refs
    session.shelf.select(third)
    session.edit_text("mine")
    begun = emissions(session.reader.began)
    until_idle(qtbot, session, session.read_all)
    assert begun == ([first, second, third] if answer is Overwrite.REPLACE else [first, second])


@pytest.mark.parametrize(
    ("pages", "pressed", "answer"),
    [
        (1, "Replace", Overwrite.REPLACE),
        (1, "Keep my text", Overwrite.KEEP),
        (1, None, Overwrite.KEEP),
        (3, "Replace", Overwrite.REPLACE),
        (3, "Keep my text", Overwrite.KEEP),
        (3, "Cancel", Overwrite.READ_NOTHING),
        (3, None, Overwrite.READ_NOTHING),
    ],
)
def test_before_edited_text_is_replaced_it_can_be_kept_and_other_pages_left_unread(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    pages: int,
    pressed: str | None,
    answer: Overwrite,
) -> None:
    def press(box: QMessageBox) -> None:
        labels = {button.text(): button for button in box.buttons()}
        assert set(labels) == {"Replace", "Keep my text"} | ({"Cancel"} if pages > 1 else set())
        (labels[pressed] if pressed else box.escapeButton()).click()

    monkeypatch.setattr(QMessageBox, "exec", press)
    open_and_load(qtbot, session, draw_page("book.tiff", pages=pages))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == pages)
    session.edit_text("mine")
    begun = emissions(session.reader.began)
    window.actions_by_name["read_all"].trigger()
    wait_until_idle(qtbot, session)
    first, *others = session.shelf.refs
    replaced = [first] if answer is Overwrite.REPLACE else []
    assert begun == ([] if answer is Overwrite.READ_NOTHING else [*replaced, *others])


def test_pages_are_turned_from_within_the_text_which_is_typed_into_at_once(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(name="three.tiff", pages=3))
    editor = editor_of(window)
    editor.setFocus()
    qtbot.waitUntil(editor.hasFocus)
    shown = []
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        qtbot.keyClick(editor, key, Qt.KeyboardModifier.ControlModifier)
        shown.append(session.shelf.current.index)
    assert shown == [1, 2, 2, 1]
    assert window.page_list.selected_keys == (session.shelf.current,)
    qtbot.keyClicks(editor, "mine")
    assert session.current_text == "mine"


def test_typing_makes_a_page_exportable(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    assert not window.actions_by_name["export"].isEnabled()
    editor_of(window).setPlainText("mine")
    assert window.actions_by_name["export"].isEnabled()
    assert window.text_column.summary.text() == "typed by you"


def test_text_that_is_typed_after_all_was_deleted_can_be_copied_and_exported(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    editor, actions = editor_of(window), [window.actions_by_name[name] for name in ("export", "copy", "find")]
    editor.selectAll()
    qtbot.keyClick(editor, Qt.Key.Key_Delete)
    assert not any(action.isEnabled() for action in actions)
    qtbot.keyClicks(editor, "my own")
    assert all(action.isEnabled() for action in actions)
    for _ in "my own":
        qtbot.keyClick(editor, Qt.Key.Key_Backspace)
    assert not any(action.isEnabled() for action in actions)


def test_the_text_that_streams_in_can_be_copied_and_found(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    qtbot.waitUntil(lambda: bool(session.current_text))
    qtbot.waitUntil(lambda: all(window.actions_by_name[name].isEnabled() for name in ("copy", "find")))
    until_idle(qtbot, session, fake_engine.gate.set)


def test_who_undoes_all_typing_edited_nothing(
    qtbot: QtBot, session: Session, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    text = session.current_text
    session.edit_text(f"{text} and mine")
    assert states["scan.png, page 1"].state is PageState.EDITED
    with qtbot.waitSignal(session.texts.summary_changed) as told:
        session.edit_text(text)
    assert "edited" not in told.args[0]
    assert states["scan.png, page 1"].state is PageState.READ
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_what_is_told_in_place_of_a_text_is_told_anew_once_all_typing_is_undone(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.broken_pages = {"scan.png"}
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    editor = editor_of(window)
    assert editor.placeholderText() == "The model could not read this page."
    qtbot.keyClicks(editor, "mine")
    editor.undo()
    assert editor.toPlainText() == ""
    assert editor.placeholderText() == "Not read yet. Press Read."


def test_typed_text_is_not_replaced_without_asking(qtbot: QtBot, session: Session, draw_page: Draw) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    with qtbot.waitSignal(session.overwrite_questioned) as asked:
        session.read_selected()
    question: OverwriteQuestion = asked.args[0]
    assert question.edited == {session.shelf.current}
    assert session.current_text == "mine"
    session.read_replacing(question.refs)
    qtbot.waitUntil(lambda: session.current_text.startswith("page 1") and not session.reader.activity.reading)
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_pages_that_left_while_the_person_was_asked_are_not_read(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    kept, removed = session.shelf.refs
    session.edit_text("mine")
    with qtbot.waitSignal(session.overwrite_questioned) as asked:
        session.read((kept, removed))
    question: OverwriteQuestion = asked.args[0]
    assert (question.refs, question.edited) == ((kept, removed), {kept})
    session.shelf.remove((removed,))
    session.read_replacing(question.refs)
    assert session.reader.activity.page_count == 1
    wait_until_idle(qtbot, session)
    assert session.current_text.startswith("page 1")


def test_typed_text_that_waits_to_be_replaced_is_shown_as_typed_again_once_more_is_typed(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    begin_reading(qtbot, session, fake_engine)
    second = session.shelf.refs[1]
    session.shelf.select(second)
    session.edit_text("mine")
    session.read_replacing((second,))
    assert states[second.label].state is PageState.WAITING
    session.edit_text("all mine")
    assert states[second.label].state is PageState.EDITED
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text == "all mine"
