"""Replacing words and joining lines: one by one or all of a page at once, and in one step back."""

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import Doubt, Mode
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.text.markdown_editor import MarkdownEditor
from rtocr_gui.ui.text.page_documents import UNDOABLE_PAGES
from rtocr_gui.ui.text.safe_preview import SafePreview
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    editor_of,
    in_sight,
    open_and_load,
    read_in_part,
    read_selected,
    until_idle,
    until_reading_begins,
)

FIRST = "One word here.\nAnother Word,\nand no more."
THIRD = "The last word."


LINES = (
    "A heading\nIt begins on this line and\ngoes on in the next one, so\nthat it ends.\n"
    "Another begins that is as\nlong as the others here are"
)


def show_lines(qtbot: QtBot, session: Session, page: Path) -> None:
    open_and_load(qtbot, session, page)
    (ref,) = session.shelf.refs
    session.edit_text(LINES)
    session.shelf.select(None)
    session.shelf.select(ref)


def test_the_lines_of_paragraphs_are_joined_and_come_back_in_one_step(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    join_lines = window.actions_by_name["join_lines"]
    assert not join_lines.isEnabled()
    show_lines(qtbot, session, draw_page())
    join_lines.trigger()
    assert session.current_text.split("\n") == [
        "A heading",
        "It begins on this line and goes on in the next one, so that it ends.",
        "Another begins that is as long as the others here are",
    ]
    join_lines.trigger()
    window.actions_by_name["undo"].trigger()
    assert session.current_text == LINES


def test_lines_of_a_text_that_is_still_coming_cannot_be_joined(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    show_lines(qtbot, session, draw_page())
    assert window.actions_by_name["join_lines"].isEnabled()
    until_reading_begins(qtbot, fake_engine, lambda: session.read_replacing(session.shelf.refs))
    assert not window.actions_by_name["join_lines"].isEnabled()


def test_only_selected_lines_are_joined_if_there_are_any(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    show_lines(qtbot, session, draw_page())
    window.text_column.text_pane.select(LINES.index("Another"), len(LINES))
    window.actions_by_name["join_lines"].trigger()
    assert session.current_text == LINES.replace("as\nlong", "as long")


@pytest.fixture
def replaced(qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw) -> MainWindow:
    """Three pages with text, the first one shown, and both lines of the bar."""
    open_and_load(qtbot, session, draw_page(pages=3))
    for ref, text in reversed([*zip(session.shelf.refs, (FIRST, "Nothing.", THIRD), strict=True)]):
        session.shelf.select(ref)
        session.edit_text(text)
        session.shelf.select(None)
    session.shelf.select(session.shelf.refs[0])
    window.actions_by_name["replace"].trigger()
    return window


def lines(window: MainWindow) -> list[QLineEdit]:
    return window.text_column.find_bar.findChildren(QLineEdit)


def ask_for(window: MainWindow, words: str, by: str) -> None:
    for line, text in zip(lines(window), (words, by), strict=True):
        line.setText(text)


def press(window: MainWindow, name: str) -> None:
    """Press a button, or choose what the menu of a button offers."""
    for button in window.text_column.find_bar.findChildren(QPushButton):
        if button.text() == name:
            button.click()
        elif button.menu() is not None and button.isEnabled():
            for action in button.menu().actions():
                if action.text().replace("&", "") == name:
                    action.trigger()


def test_the_second_line_is_there_for_replacing_only(replaced: MainWindow) -> None:
    _, by = lines(replaced)
    assert by.isVisible()
    replaced.actions_by_name["find"].trigger()
    assert not by.isVisible()
    replaced.actions_by_name["replace"].trigger()
    assert by.isVisible()
    assert not any(one.isEnabled() for one in replaced.text_column.find_bar.findChildren(QPushButton))


def test_one_match_after_the_other_is_replaced_also_on_other_pages(
    replaced: MainWindow, session: Session
) -> None:
    ask_for(replaced, "word", "term")
    press(replaced, "Replace")
    assert session.current_text == FIRST.replace("word", "term")
    assert editor_of(replaced).textCursor().selectedText() == "Word"
    lines(replaced)[1].setFocus()
    QTest.keyClick(lines(replaced)[1], Qt.Key.Key_Return)
    assert session.current_text == THIRD, "the other page with the word"
    press(replaced, "Replace")
    assert session.current_text == "The last term."
    session.shelf.select(session.shelf.refs[0])
    assert session.current_text == FIRST.replace("word", "term").replace("Word", "Term")


def test_all_of_a_page_are_replaced_in_one_step(replaced: MainWindow, session: Session) -> None:
    ask_for(replaced, "word", "termterm")
    press(replaced, "On this page")
    assert session.current_text == FIRST.replace("word", "termterm").replace("Word", "Termterm")
    replaced.actions_by_name["undo"].trigger()
    assert session.current_text == FIRST
    replaced.actions_by_name["redo"].trigger()
    press(replaced, "On this page")
    assert session.current_text == THIRD, "a page without a match leads to the next one"
    assert editor_of(replaced).textCursor().selectedText() == "word"


def texts(session: Session) -> list[str]:
    return [*session.texts.of(session.shelf.refs)]


def undo_all(window: MainWindow) -> None:
    """Take the oldest offer to undo."""
    buttons = window.notice_bar.findChildren(QPushButton)
    next(one for one in buttons if one.text() == "Undo" and one.isVisible()).click()


def test_all_of_all_pages_are_replaced_and_put_back_at_once(
    replaced: MainWindow, session: Session, notices: list[str]
) -> None:
    ask_for(replaced, "word", "termterm")
    press(replaced, "On all pages")
    shown = FIRST.replace("word", "termterm").replace("Word", "Termterm")
    assert texts(session) == [shown, "Nothing.", "The last termterm."]
    assert editor_of(replaced).toPlainText() == shown
    assert session.shelf.current == session.shelf.refs[0]
    undo_all(replaced)
    assert texts(session) == [FIRST, "Nothing.", THIRD]
    assert editor_of(replaced).toPlainText() == FIRST
    assert notices == [
        "Replaced “word” with “termterm”: 3 matches on 2 pages.",
        "Put “word” back: 3 matches on 2 pages.",
    ]


def test_what_was_replaced_on_all_pages_can_be_undone_on_each_and_so_can_what_was_typed_before(
    replaced: MainWindow, session: Session
) -> None:
    first, second, third = session.shelf.refs
    session.shelf.select(third)
    QTest.keyClicks(editor_of(replaced), "of a text that is gone: ")
    session.shelf.select(first)
    session._pages[third].edit(THIRD)
    undo, redo = (replaced.actions_by_name[name] for name in ("undo", "redo"))
    session.shelf.select(second)
    QTest.keyClicks(editor_of(replaced), "My word. ")
    session.shelf.select(first)
    ask_for(replaced, "word", "term")
    press(replaced, "On all pages")
    session.shelf.select(second)
    assert session.current_text == "My term. Nothing."
    undo.trigger()
    assert session.current_text == "My word. Nothing."
    undo.trigger()
    assert session.current_text == "Nothing."
    redo.trigger()
    redo.trigger()
    session.shelf.select(third)
    assert session.current_text == THIRD.replace("word", "term")
    undo.trigger()
    assert session.current_text == THIRD
    assert not undo.isEnabled()
    redo.trigger()
    undo_all(replaced)
    assert texts(session) == [FIRST, "My word. Nothing.", THIRD]
    session.shelf.select(second)
    undo.trigger()
    assert session.current_text == "My term. Nothing."


def test_as_many_pages_as_keep_what_can_be_undone_keep_what_was_replaced(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("many.tiff", pages=UNDOABLE_PAGES + 2))
    until_idle(qtbot, session, session.read_all)
    first, second, *_, last = session.shelf.refs
    session.shelf.select(second)
    QTest.keyClicks(editor_of(window), "typed ")
    session.shelf.select(first)
    window.actions_by_name["replace"].trigger()
    ask_for(window, "page", "sheet")
    press(window, "On all pages")
    undo = window.actions_by_name["undo"]
    session.shelf.select(last)
    assert session.current_text.startswith("sheet")
    assert not undo.isEnabled()
    session.shelf.select(second)
    for _ in range(2):
        undo.trigger()
    assert session.current_text.startswith("page 2")


def test_the_key_that_closes_the_search_leaves_the_way_back_on_all_pages(
    replaced: MainWindow, session: Session
) -> None:
    ask_for(replaced, "word", "term")
    press(replaced, "On all pages")
    QTest.keyClick(editor_of(replaced), Qt.Key.Key_Escape)
    undo_all(replaced)
    assert texts(session) == [FIRST, "Nothing.", THIRD]


def test_pages_that_were_changed_since_are_not_put_back_and_those_that_were_rotated_are(
    replaced: MainWindow, session: Session, notices: list[str]
) -> None:
    ask_for(replaced, "word", "term")
    press(replaced, "On all pages")
    replaced.actions_by_name["undo"].trigger()
    assert session.current_text == FIRST
    session.edit_text("Mine.")
    session.shelf.select(session.shelf.refs[2])
    session.shelf.rotate(90)
    undo_all(replaced)
    assert texts(session) == ["Mine.", "Nothing.", THIRD]
    assert (
        notices[-1]
        == "Put “word” back: 1 match on 1 page. Pages changed or removed since, or being read, left alone: 1."
    )


def test_pages_on_which_it_was_undone_already_are_not_said_to_be_left_alone(
    replaced: MainWindow, session: Session, notices: list[str]
) -> None:
    ask_for(replaced, "word", "term")
    press(replaced, "On all pages")
    replaced.actions_by_name["undo"].trigger()
    undo_all(replaced)
    assert notices[-1] == "Put “word” back: 1 match on 1 page."
    press(replaced, "On all pages")
    for ref in session.shelf.refs[::2]:
        session.shelf.select(ref)
        replaced.actions_by_name["undo"].trigger()
    undo_all(replaced)
    assert notices[-1] == "“word” is back already."
    assert texts(session) == [FIRST, "Nothing.", THIRD]


def test_what_was_replaced_in_turn_is_put_back_in_turn(
    replaced: MainWindow, session: Session, notices: list[str]
) -> None:
    for words, by in (("last", "first"), ("word", "term")):
        ask_for(replaced, words, by)
        press(replaced, "On all pages")
    undo_all(replaced)
    assert texts(session)[2] == "The first term."
    assert (
        notices[-1]
        == "“last” was not put back. Pages changed or removed since, or being read, left alone: 1."
    )
    undo_all(replaced)
    assert texts(session)[2] == "The first word."
    undo_all(replaced)
    assert texts(session) == [FIRST, "Nothing.", THIRD]


def test_what_was_replaced_on_other_pages_counts_as_typed_until_it_is_put_back(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    states: dict[str, PageStatus],
    notices: list[str],
) -> None:
    open_and_load(qtbot, session, draw_page(pages=2))
    until_idle(qtbot, session, session.read_all)
    window.actions_by_name["replace"].trigger()
    ask_for(window, "page 2", "")
    press(window, "On all pages")
    assert notices == ["Deleted “page 2”: 1 match on 1 page."]
    assert [status.state for status in states.values()] == [PageState.READ, PageState.EDITED]
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    undo_all(window)
    assert [status.state for status in states.values()] == [PageState.READ, PageState.READ]


def test_pages_that_are_being_read_or_wait_for_it_are_left_alone_when_all_are_replaced(
    qtbot: QtBot, replaced: MainWindow, session: Session, fake_engine: FakeEngine, notices: list[str]
) -> None:
    first, second, _ = session.shelf.refs
    until_reading_begins(qtbot, fake_engine, lambda: session.read_replacing((second, first)))
    session.shelf.select(second)
    qtbot.waitUntil(lambda: session.current_text.startswith("page"))
    session.shelf.select(first)
    ask_for(replaced, "page", "sheet")
    press(replaced, "On all pages")
    assert notices == ["Nothing was replaced. Pages being read or waiting, left alone: 1."]
    assert not any(one.text() == "Undo" for one in replaced.notice_bar.findChildren(QPushButton))
    session.shelf.select(second)
    ask_for(replaced, "word", "term")
    press(replaced, "On all pages")
    assert notices[1:] == [
        "Replaced “word” with “term”: 1 match on 1 page. Pages being read or waiting, left alone: 1."
    ]
    assert session.reader.is_waiting(first)
    assert texts(session)[::2] == [FIRST, "The last term."]
    until_idle(qtbot, session, fake_engine.gate.set)
    assert [text.startswith("page") for text in texts(session)] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "words", "by", "then"),
    [
        (
            "\U0001f4dc a \U0001f4dc b a",
            "a",
            "\U0001f4dc\U0001f4dc",
            "\U0001f4dc \U0001f4dc\U0001f4dc \U0001f4dc b \U0001f4dc\U0001f4dc",
        ),
        ("an insti-\ntution, the institution", "institution", "office", "an office, the office"),
        ("rn and rnodem", "rn", "m", "m and modem"),
        ("no, no", "no", "no no", "no no, no no"),
        ("a b c", " b ", "", "a  c"),
    ],
)
def test_what_is_written_stands_where_the_words_were(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    text: str,
    words: str,
    by: str,
    then: str,
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text(text)
    session.texts.show()
    window.actions_by_name["replace"].trigger()
    ask_for(window, words, by)
    press(window, "On this page")
    assert session.current_text == then == editor_of(window).toPlainText()
    window.actions_by_name["undo"].trigger()
    ask_for(window, "", "")
    ask_for(window, words, by)
    for _ in range(2):
        press(window, "Replace")
    assert session.current_text == then


def test_without_a_chosen_match_the_next_one_is_chosen_first(replaced: MainWindow, session: Session) -> None:
    ask_for(replaced, "word", "term")
    editor = editor_of(replaced)
    editor.moveCursor(editor.textCursor().MoveOperation.End)
    press(replaced, "Replace")
    assert (session.current_text, editor.textCursor().selectedText()) == (THIRD, "word")


def test_what_was_replaced_is_seen_and_counts_as_typed(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    window.text_column.text_pane.show_tab(window.text_column.text_pane.findChild(SafePreview))
    window.actions_by_name["replace"].trigger()
    ask_for(window, session.current_text[:4], "x")
    press(window, "On this page")
    assert editor_of(window).isVisible()
    assert states["scan.png, page 1"].state is PageState.EDITED


def test_what_is_known_against_a_text_is_told_until_the_person_types_in_it(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
) -> None:
    fake_engine.doubts = dict.fromkeys(Mode, Doubt.LONG_PAGE)
    open_and_load(qtbot, session, draw_page(pages=2))
    until_idle(qtbot, session, session.read_all)
    window.actions_by_name["replace"].trigger()
    ask_for(window, session.current_text[:4], "x")
    press(window, "On all pages")
    for number in (1, 2):
        status = states[f"scan.png, page {number}"]
        assert status.state is PageState.CHECK
        assert "The page is too long" in status.sentence
    assert "The page is too long" in window.text_column.summary.text()
    assert all(page.edited for page in session._pages)
    for name in ("undo", "redo"):
        window.actions_by_name[name].trigger()
        assert states["scan.png, page 1"].state is PageState.CHECK
    editor_of(window).textCursor().insertText("typed")
    status = states["scan.png, page 1"]
    assert (status.state, status.sentence) == (PageState.EDITED, "")
    assert "too long" not in window.text_column.summary.text()
    assert states["scan.png, page 2"].state is PageState.CHECK


def test_that_a_page_was_not_read_to_its_end_is_told_also_of_a_corrected_text(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_in_part(qtbot, session, fake_engine)
    sentence = "Stopped before the end."
    window.actions_by_name["replace"].trigger()
    ask_for(window, session.current_text[:4], "x")
    press(window, "On this page")
    assert states["scan.png, page 1"].state is PageState.CHECK
    assert states["scan.png, page 1"].sentence == sentence
    session.edit_text("typed")
    assert states["scan.png, page 1"].state is PageState.EDITED
    assert states["scan.png, page 1"].sentence == sentence
    assert sentence in window.text_column.summary.text()
    asked: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append(box.informativeText()))
    session.read_all()
    (question,) = asked
    assert question.startswith("You edited the text of scan.png, which had not been read to the end. ")


def test_nothing_is_replaced_while_a_page_is_read(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, fake_engine: FakeEngine
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    qtbot.waitUntil(lambda: bool(session.current_text))
    before = session.current_text
    window.actions_by_name["replace"].trigger()
    ask_for(window, before[:4], "x")
    assert not any(one.isEnabled() for one in window.text_column.find_bar.findChildren(QPushButton))
    lines(window)[1].setFocus()
    QTest.keyClick(lines(window)[1], Qt.Key.Key_Return)
    editor_of(window).replace([(0, 1, "x")])
    assert session.current_text == before
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text.startswith(before)


@pytest.mark.parametrize("button", ["Replace", "On this page"])
def test_undoing_a_replacement_leaves_the_text_where_it_is(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, button: str
) -> None:
    open_and_load(qtbot, session, draw_page())
    lines_of_text = [f"line {number}" for number in range(400)]
    lines_of_text[317] = "the word"
    session.edit_text("\n".join(lines_of_text))
    session.texts.show()
    window.actions_by_name["replace"].trigger()
    ask_for(window, "word", "term")
    editor = editor_of(window)
    before = editor.verticalScrollBar().value()
    press(window, button)
    window.actions_by_name["undo"].trigger()
    assert editor.textCursor().blockNumber() == 317
    assert editor.verticalScrollBar().value() == before > 0


def test_thousands_of_matches_are_replaced_in_linear_time(qtbot: QtBot) -> None:
    editor = in_sight(qtbot, MarkdownEditor())

    def seconds(count: int) -> float:
        editor.show_text("a " * count)
        began = time.process_time()
        editor.replace([(2 * at, 2 * at + 1, "bc") for at in range(count)])
        assert editor.text == "bc " * count
        return time.process_time() - began

    # Linear time is 8 times as long, and quadratic time 64 times.
    assert min(seconds(8000) for _ in range(2)) < 24 * min(seconds(1000) for _ in range(3))
