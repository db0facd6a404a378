"""Words that the model was unsure of are underlined, and visited one after the other, page by page."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette, QTextCharFormat
from PySide6.QtWidgets import QListView
from pytestqt.qtbot import QtBot

from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.text.markdown_editor import PLACES_LIT
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.contrast import contrast
from tests.ui.steps import (
    Draw,
    begin_reading,
    editor_of,
    held_lane,
    open_and_load,
    read_selected,
    sentences_in,
    until_idle,
)

SAID = ["Dear ", "Mrs Potrer,\n", "thank yov ", "for 𝒚our letter."]


@pytest.fixture
def read_pages(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> MainWindow:
    """Three pages, of which the first and the last were read, each with two unsure words."""
    fake_engine.said, fake_engine.unsure_of = SAID, {"Potrer,", "yov"}
    open_and_load(qtbot, session, draw_page(pages=3))
    for ref in (session.shelf.refs[2], session.shelf.refs[0]):
        session.shelf.select(ref)
        read_selected(qtbot, session)
    return window


def underlined(window: MainWindow) -> list[str]:
    wave = QTextCharFormat.UnderlineStyle.WaveUnderline
    marks = editor_of(window).extraSelections()
    return [mark.cursor.selectedText() for mark in marks if mark.format.underlineStyle() is wave]


def visit(window: MainWindow, name: str, session: Session) -> tuple[int, str]:
    """Go to another unsure word. Returns the number of its page, and the word."""
    window.actions_by_name[name].trigger()
    assert session.shelf.current is not None
    return session.shelf.current.index, editor_of(window).textCursor().selectedText()


def rewrite(window: MainWindow, word: str, by: str) -> None:
    """Change a word as a person would."""
    editor = editor_of(window)
    start = editor.text.index(word)
    editor.select(start, start + len(word))
    editor.textCursor().insertText(by)


def test_unsure_words_are_underlined_once_a_page_is_read(read_pages: MainWindow, session: Session) -> None:
    assert underlined(read_pages) == ["Potrer,", "yov"]
    session.shelf.select(session.shelf.refs[1])
    assert underlined(read_pages) == []
    session.shelf.select(session.shelf.refs[2])
    assert underlined(read_pages) == ["Potrer,", "yov"]


def test_a_key_switches_the_underlines_off_and_on_also_from_within_the_text(
    qtbot: QtBot, read_pages: MainWindow
) -> None:
    read_pages.activateWindow()
    editor_of(read_pages).setFocus()
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    for expected in ([], ["Potrer,", "yov"]):
        qtbot.keyClick(editor_of(read_pages), Qt.Key.Key_F4, keys)
        assert underlined(read_pages) == expected


def test_the_summary_counts_them_until_the_text_is_edited(read_pages: MainWindow, session: Session) -> None:
    assert "2 of 8 words unsure" in read_pages.text_column.summary.text()
    rewrite(read_pages, "Potrer", "Porter")
    assert "unsure" not in read_pages.text_column.summary.text()


def test_while_a_page_is_read_again_none_of_its_former_words_are_underlined(
    qtbot: QtBot, read_pages: MainWindow, session: Session, fake_engine: FakeEngine
) -> None:
    fake_engine.unsure_of = {"letter."}
    begin_reading(qtbot, session, fake_engine)
    qtbot.waitUntil(lambda: editor_of(read_pages).text == SAID[0])
    assert underlined(read_pages) == []
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: underlined(read_pages) == ["letter."])


def test_a_word_that_was_corrected_is_no_longer_underlined(qtbot: QtBot, read_pages: MainWindow) -> None:
    rewrite(read_pages, "Potrer", "Porter")
    qtbot.waitUntil(lambda: underlined(read_pages) == ["yov"])
    rewrite(read_pages, "\n", " ")
    rewrite(read_pages, "yov", "you")
    qtbot.waitUntil(lambda: underlined(read_pages) == [])
    editor_of(read_pages).undo()
    qtbot.waitUntil(lambda: underlined(read_pages) == ["yov"])


def test_in_a_corrected_text_they_are_found_when_its_page_is_shown_again(
    qtbot: QtBot, read_pages: MainWindow, session: Session
) -> None:
    rewrite(read_pages, "Dear", "To 𝒚ou, dear")
    session.shelf.select(session.shelf.refs[2])
    session.shelf.select(session.shelf.refs[0])
    qtbot.waitUntil(lambda: underlined(read_pages) == ["Potrer,", "yov"])


def test_rotating_a_page_leaves_its_text_as_it_was_marked(read_pages: MainWindow, session: Session) -> None:
    session.shelf.rotate(90)
    assert underlined(read_pages) == ["Potrer,", "yov"]


def test_one_word_after_the_other_is_visited_page_by_page_and_round(
    read_pages: MainWindow, session: Session
) -> None:
    forth = [visit(read_pages, "next_unsure", session) for _ in range(5)]
    assert forth == [(0, "Potrer,"), (0, "yov"), (2, "Potrer,"), (2, "yov"), (0, "Potrer,")]
    back = [visit(read_pages, "previous_unsure", session) for _ in range(5)]
    assert back == [(2, "yov"), (2, "Potrer,"), (0, "yov"), (0, "Potrer,"), (2, "yov")]


def test_pages_are_visited_in_their_order_either_way(
    qtbot: QtBot, read_pages: MainWindow, session: Session
) -> None:
    session.shelf.select(session.shelf.refs[1])
    read_selected(qtbot, session)
    session.shelf.select(session.shelf.refs[0])
    forth = [visit(read_pages, "next_unsure", session)[0] for _ in range(6)]
    back = [visit(read_pages, "previous_unsure", session)[0] for _ in range(6)]
    assert (forth, back) == ([0, 0, 1, 1, 2, 2], [2, 1, 1, 0, 0, 2])


def test_the_first_word_of_a_page_is_visited_wherever_the_cursor_was_on_another(
    qtbot: QtBot, read_pages: MainWindow, session: Session, fake_engine: FakeEngine
) -> None:
    fake_engine.unsure_of = {"Dear"}
    session.shelf.select(session.shelf.refs[1])
    read_selected(qtbot, session)
    session.shelf.select(session.shelf.refs[0])
    editor_of(read_pages).select(30, 30)
    session.shelf.select(session.shelf.refs[1])
    assert visit(read_pages, "next_unsure", session) == (1, "Dear")


def test_what_is_typed_after_a_visit_goes_into_the_text(
    qtbot: QtBot, read_pages: MainWindow, session: Session
) -> None:
    read_pages.page_list.findChild(QListView).setFocus()
    visit(read_pages, "next_unsure", session)
    qtbot.waitUntil(editor_of(read_pages).hasFocus)
    qtbot.keyClicks(editor_of(read_pages), "Porter,")
    assert session.current_text.startswith("Dear Mrs Porter,\nthank yov")


def test_from_a_page_without_a_text_the_next_one_with_such_a_word_is_visited(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.said, fake_engine.unsure_of = SAID, {"yov"}
    open_and_load(qtbot, session, draw_page(pages=2))
    until_idle(qtbot, session, lambda: session.read(session.shelf.refs[1:]))
    window.actions_by_name["next_unsure"].trigger()
    qtbot.waitUntil(lambda: editor_of(window).textCursor().selectedText() == "yov")
    assert session.shelf.current == session.shelf.refs[1]


def test_a_page_that_leaves_while_a_word_is_sought_is_passed_over(
    qtbot: QtBot, read_pages: MainWindow, session: Session, bridge: EngineBridge
) -> None:
    rewrite(read_pages, "Potrer", "Porter")
    rewrite(read_pages, "yov", "you")
    with held_lane(bridge._compute_lane):
        read_pages.actions_by_name["next_unsure"].trigger()
        session.shelf.remove(session.shelf.refs[2:])
    qtbot.waitUntil(lambda: "No unsure words are left." in sentences_in(read_pages.notice_bar))


def test_a_word_that_is_sought_is_forgotten_once_another_page_is_shown(
    qtbot: QtBot, read_pages: MainWindow, session: Session, bridge: EngineBridge
) -> None:
    rewrite(read_pages, "Potrer", "Porter")
    with held_lane(bridge._compute_lane):
        read_pages.actions_by_name["next_unsure"].trigger()
        session.shelf.select(session.shelf.refs[2])
    qtbot.waitUntil(lambda: underlined(read_pages) == ["Potrer,", "yov"])
    assert not editor_of(read_pages).textCursor().hasSelection()


def test_a_word_that_is_sought_is_forgotten_once_the_person_types_on(
    qtbot: QtBot, read_pages: MainWindow, session: Session, bridge: EngineBridge
) -> None:
    shown = session.shelf.current
    rewrite(read_pages, "Potrer", "Porter")
    rewrite(read_pages, "yov", "you")
    with held_lane(bridge._compute_lane):
        read_pages.actions_by_name["next_unsure"].trigger()
        rewrite(read_pages, "Dear", "My dear")
    qtbot.waitUntil(lambda: underlined(read_pages) == [])
    assert session.shelf.current == shown


def test_visiting_goes_on_from_the_cursor(read_pages: MainWindow, session: Session) -> None:
    editor_of(read_pages).select(15, 15)
    assert visit(read_pages, "next_unsure", session) == (0, "yov")
    editor_of(read_pages).select(20, 20)
    assert visit(read_pages, "previous_unsure", session) == (0, "Potrer,")


def test_pages_whose_words_were_all_corrected_are_passed_over(
    qtbot: QtBot, read_pages: MainWindow, session: Session
) -> None:
    session.shelf.select(session.shelf.refs[2])
    for word, by in (("Potrer", "Porter"), ("yov", "you")):
        rewrite(read_pages, word, by)
    session.shelf.select(session.shelf.refs[0])
    editor_of(read_pages).select(30, 30)
    read_pages.actions_by_name["next_unsure"].trigger()
    qtbot.waitUntil(lambda: editor_of(read_pages).textCursor().selectedText() == "Potrer,")
    assert session.shelf.current == session.shelf.refs[0]


def test_where_all_were_corrected_it_says_so(qtbot: QtBot, read_pages: MainWindow, session: Session) -> None:
    session.shelf.remove(session.shelf.refs[1:])
    for word, by in (("Potrer", "Porter"), ("yov", "you")):
        rewrite(read_pages, word, by)
    read_pages.actions_by_name["previous_unsure"].trigger()
    qtbot.waitUntil(lambda: "No unsure words are left." in sentences_in(read_pages.notice_bar))


def test_without_any_there_is_nothing_to_visit(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    for name in ("next_unsure", "previous_unsure"):
        assert not window.actions_by_name[name].isEnabled()


def test_underlining_can_be_switched_off_and_stays_so(read_pages: MainWindow, session: Session) -> None:
    read_pages.actions_by_name["unsure"].trigger()
    assert underlined(read_pages) == []
    assert not session.choices.settings.unsure_marked
    session.shelf.select(session.shelf.refs[2])
    assert underlined(read_pages) == []
    assert visit(read_pages, "next_unsure", session) == (2, "Potrer,")
    read_pages.actions_by_name["unsure"].trigger()
    assert underlined(read_pages) == ["Potrer,", "yov"]


@pytest.mark.parametrize("settings", [Settings(unsure_marked=False)])
def test_it_starts_as_it_was_left(read_pages: MainWindow) -> None:
    assert not read_pages.actions_by_name["unsure"].isChecked()
    assert underlined(read_pages) == []


def test_underlining_is_nothing_to_undo_and_no_edit(read_pages: MainWindow, session: Session) -> None:
    assert not editor_of(read_pages).can_undo
    assert "edited" not in read_pages.text_column.summary.text()


def test_of_very_many_words_the_first_are_underlined(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.said, fake_engine.unsure_of = ["word "] * (PLACES_LIT + 50), {"word"}
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert underlined(window) == ["word"] * PLACES_LIT


@pytest.mark.parametrize("ground", ["#ffffff", "#f0f0f0", "#2b2b2b", "#000000"])
def test_the_line_is_seen_on_light_and_dark_grounds(read_pages: MainWindow, ground: str) -> None:
    palette = QPalette(QColor(ground))
    palette.setColor(QPalette.ColorRole.Base, QColor(ground))
    editor_of(read_pages).setPalette(palette)
    (colour, *_) = (mark.format.underlineColor() for mark in editor_of(read_pages).extraSelections())
    assert contrast(colour, QColor(ground)) >= 3
