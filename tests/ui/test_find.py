"""Finding words: on the page that is shown first, then on the others, and never in the way of typing."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QToolButton
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state import finder
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Found
from rtocr_gui.ui.text.find_bar import FindBar
from rtocr_gui.ui.text.markdown_editor import PLACES_LIT
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    editor_of,
    emissions,
    in_sight,
    open_and_load,
    read_selected,
    sentences_in,
    until_idle,
)

FIRST = "One word here.\nAnother Word,\nand no more."
SECOND = "A page without it."
THIRD = "The last word."


@pytest.fixture
def searched(qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw) -> MainWindow:
    """Three pages with text, the first one shown, the bar open."""
    open_and_load(qtbot, session, draw_page(pages=3))
    for ref, text in reversed([*zip(session.shelf.refs, (FIRST, SECOND, THIRD), strict=True)]):
        session.shelf.select(ref)
        session.edit_text(text)
        session.shelf.select(None)
    session.shelf.select(session.shelf.refs[0])
    window.actions_by_name["find"].trigger()
    return window


def bar(window: MainWindow) -> FindBar:
    return window.text_column.find_bar


def line(window: MainWindow) -> QLineEdit:
    return bar(window).findChild(QLineEdit)


def outcome(window: MainWindow) -> str:
    return bar(window).findChild(QLabel).text()


def selected(window: MainWindow) -> tuple[int, str]:
    cursor = editor_of(window).textCursor()
    return cursor.selectionStart(), cursor.selectedText()


def highlighted(window: MainWindow) -> list[str]:
    return [selection.cursor.selectedText() for selection in editor_of(window).extraSelections()]


def test_very_many_pages_are_searched_little_by_little(
    qtbot: QtBot, searched: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "SLICE_S", -1.0)
    found = emissions(session.finder.found_changed)
    session.finder.search("word")
    at_once = found[-1]
    qtbot.waitUntil(lambda: found[-1] is not at_once)  # once another page was searched
    assert (found[-1].places, found[-1].elsewhere) == (at_once.places, 1)
    session.finder.search("a")
    session.finder.stop()
    QApplication.processEvents()
    assert found[-1] == Found()


def test_typing_goes_to_the_first_place_and_lights_up_all_of_the_page(
    qtbot: QtBot, searched: MainWindow
) -> None:
    qtbot.keyClicks(line(searched), "word")
    assert line(searched).hasFocus()
    assert selected(searched) == (4, "word")
    assert highlighted(searched) == ["word", "Word"]
    assert outcome(searched) == "1 of 2, 1 elsewhere"


def test_return_goes_through_all_pages_and_round(
    qtbot: QtBot, searched: MainWindow, session: Session
) -> None:
    qtbot.keyClicks(line(searched), "word")
    seen = []
    for _ in range(4):
        seen.append(
            (session.shelf.refs.index(session.shelf.current), selected(searched)[0], outcome(searched))
        )
        qtbot.keyClick(line(searched), Qt.Key.Key_Return)
    assert seen == [
        (0, 4, "1 of 2, 1 elsewhere"),
        (0, 23, "2 of 2, 1 elsewhere"),
        (2, 9, "1 of 1, 2 elsewhere"),
        (0, 4, "1 of 2, 1 elsewhere"),
    ]


def test_shift_and_return_go_the_other_way(qtbot: QtBot, searched: MainWindow, session: Session) -> None:
    qtbot.keyClicks(line(searched), "word")
    seen = []
    for _ in range(4):
        seen.append((session.shelf.refs.index(session.shelf.current), selected(searched)[0]))
        qtbot.keyClick(line(searched), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert seen == [(0, 4), (2, 9), (0, 23), (0, 4)]


def test_what_stands_on_other_pages_only_is_said_and_gone_to_when_asked(
    qtbot: QtBot, searched: MainWindow, session: Session
) -> None:
    qtbot.keyClicks(line(searched), "last")
    assert session.shelf.current == session.shelf.refs[0]
    assert outcome(searched) == "None here, 1 elsewhere"
    searched.actions_by_name["find_next"].trigger()
    assert session.shelf.current == session.shelf.refs[2]
    assert selected(searched) == (4, "last")


def test_the_only_place_is_found_again(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "another")
    for name in ("find_next", "find_previous"):
        searched.actions_by_name[name].trigger()
        assert selected(searched) == (15, "Another")


def test_what_is_nowhere_is_said_and_leaves_the_text_alone(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "nowhere")
    assert outcome(searched) == "Not found"
    assert selected(searched)[1] == "no"  # as far as it was found
    assert highlighted(searched) == []
    usable = [
        one.accessibleName()
        for one in bar(searched).findChildren(QToolButton)
        if one.isEnabled() and one.accessibleName()
    ]
    assert usable == ["Close"]
    qtbot.keyClick(line(searched), Qt.Key.Key_Return)
    assert editor_of(searched).toPlainText() == FIRST


def test_pages_that_were_not_read_may_hold_it(
    qtbot: QtBot, searched: MainWindow, session: Session, draw_page: Draw
) -> None:
    qtbot.keyClicks(line(searched), "nowhere")
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([draw_page("other.png", pages=2)])
    assert outcome(searched) == "Not found; 2 unread"


def test_who_moves_the_cursor_goes_on_from_there(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "word")
    editor_of(searched).moveCursor(QTextCursor.MoveOperation.End)
    assert outcome(searched) == "2 here, 1 elsewhere"
    searched.actions_by_name["find_previous"].trigger()
    assert selected(searched) == (23, "Word")


def test_typing_into_the_text_is_followed(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "word")
    editor_of(searched).moveCursor(QTextCursor.MoveOperation.Start)
    qtbot.keyClicks(editor_of(searched), "word ")
    assert highlighted(searched) == ["word", "word", "Word"]
    assert outcome(searched) == "3 here, 1 elsewhere"


def test_a_page_that_is_chosen_by_hand_shows_its_own_places(
    qtbot: QtBot, searched: MainWindow, session: Session
) -> None:
    qtbot.keyClicks(line(searched), "word")
    session.shelf.select(session.shelf.refs[2])
    assert highlighted(searched) == ["word"]
    assert outcome(searched) == "1 here, 2 elsewhere"
    session.shelf.select(session.shelf.refs[1])
    assert outcome(searched) == "None here, 3 elsewhere"
    session.shelf.select(None)
    assert outcome(searched) == "None here, 3 elsewhere"


def test_a_reading_is_searched_as_it_comes(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    window.text_column.begin_find()
    qtbot.keyClicks(line(window), "page 1 of scan")
    read_selected(qtbot, session)
    assert highlighted(window) == ["page 1 of scan"]
    assert outcome(window) == "1 here"


def test_escape_closes_the_bar_and_no_notice_and_goes_back_to_the_place(
    qtbot: QtBot, searched: MainWindow
) -> None:
    searched.notice_bar.add(Notice("Something went wrong."))
    qtbot.keyClicks(line(searched), "another")
    searched.activateWindow()
    qtbot.keyClick(line(searched), Qt.Key.Key_Escape)
    assert not bar(searched).isVisible()
    assert editor_of(searched).hasFocus()
    assert highlighted(searched) == []
    assert selected(searched) == (15, "Another")
    assert sentences_in(searched.notice_bar) == ("Something went wrong.",)


def test_the_next_place_is_asked_for_without_the_bar(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "word")
    qtbot.keyClick(line(searched), Qt.Key.Key_Escape)
    assert highlighted(searched) == []
    for name, place in (("find_next", (23, "Word")), ("find_previous", (4, "word"))):
        searched.actions_by_name[name].trigger()
        assert bar(searched).isVisible()
        assert selected(searched) == place
        assert highlighted(searched) == ["word", "Word"]


def test_ctrl_g_goes_to_the_next_place_as_in_other_programs(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "word")
    searched.activateWindow()
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    for modifiers, place in ((control, (23, "Word")), (control | shift, (4, "word"))):
        qtbot.keyClick(line(searched), Qt.Key.Key_G, modifiers)
        assert selected(searched) == place


def test_the_next_place_of_nothing_is_asked_about(searched: MainWindow) -> None:
    searched.text_column.end_find()
    searched.actions_by_name["find_next"].trigger()
    assert line(searched).hasFocus()
    assert selected(searched)[1] == ""


def test_what_is_selected_is_looked_for(searched: MainWindow) -> None:
    searched.text_column.end_find()
    editor_of(searched).moveCursor(QTextCursor.MoveOperation.Start)
    editor_of(searched).moveCursor(QTextCursor.MoveOperation.EndOfWord, QTextCursor.MoveMode.KeepAnchor)
    searched.actions_by_name["find"].trigger()
    assert line(searched).text() == "One"
    editor_of(searched).selectAll()
    searched.text_column.end_find()
    searched.actions_by_name["find"].trigger()
    assert line(searched).text() == "One"


def test_what_was_typed_is_not_replaced_by_what_was_found(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "wordy")
    searched.actions_by_name["find"].trigger()
    assert line(searched).selectedText() == "wordy"


def test_return_on_a_button_goes_nowhere_else(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "word")
    buttons = {one.accessibleName(): one for one in bar(searched).findChildren(QToolButton)}
    buttons["Previous match"].setFocus()
    qtbot.keyClick(buttons["Previous match"], Qt.Key.Key_Return)
    assert selected(searched) == (4, "word")


def test_a_text_that_is_replaced_is_gone_through_from_its_beginning(
    qtbot: QtBot, searched: MainWindow, session: Session
) -> None:
    qtbot.keyClicks(line(searched), "page")
    session.shelf.select(session.shelf.refs[0])
    with qtbot.waitSignal(session.texts.reading_changed, check_params_cb=lambda record: record is not None):
        session.read_replacing((session.shelf.current,))
    assert outcome(searched) == "1 here, 1 elsewhere"
    qtbot.keyClick(line(searched), Qt.Key.Key_Return)
    assert selected(searched) == (0, "page")


def test_what_is_read_on_other_pages_is_counted(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=2))
    window.text_column.begin_find()
    qtbot.keyClicks(line(window), "page 2")
    assert outcome(window) == "Not found; 2 unread"
    until_idle(qtbot, session, session.read_all)
    qtbot.waitUntil(lambda: outcome(window) == "None here, 1 elsewhere")


def test_a_text_is_searched_while_it_grows(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    draw_page: Draw,
) -> None:
    timer = session.finder.findChild(QTimer)
    timer.setInterval(0)
    open_and_load(qtbot, session, draw_page())
    window.text_column.begin_find()
    line(window).setText("page")
    with qtbot.waitSignal(bridge.text_streamed) as streamed:
        begin_reading(qtbot, session, fake_engine)
    qtbot.waitUntil(lambda: outcome(window) == "1 here" and not timer.isActive())
    bridge.text_streamed.emit(streamed.args[0])
    qtbot.waitUntil(lambda: outcome(window) == "2 here")
    until_idle(qtbot, session, fake_engine.gate.set)


def test_what_stood_on_a_page_that_left_is_counted_no_more(
    qtbot: QtBot, searched: MainWindow, session: Session
) -> None:
    qtbot.keyClicks(line(searched), "word")
    session.shelf.remove(session.shelf.refs[2:])
    assert outcome(searched) == "1 of 2"


def test_of_very_many_places_those_around_the_chosen_one_light_up(qtbot: QtBot, searched: MainWindow) -> None:
    editor_of(searched).setPlainText("x " * 3000)
    line(searched).setText("x")
    assert len(highlighted(searched)) == PLACES_LIT
    qtbot.keyClick(line(searched), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert outcome(searched) == "3,000 of 3,000"
    lit = [one.cursor.selectionStart() for one in editor_of(searched).extraSelections()]
    assert selected(searched)[0] in lit


def test_where_a_page_was_read_is_lit_again_when_finding_comes_back_to_it(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=2))
    until_idle(qtbot, session, session.read_all)
    window.actions_by_name["trace"].setChecked(True)
    lights = emissions(session.tuning.spotlight.attention_changed)
    window.text_column.begin_find()
    line(window).setText("scan")
    for _ in range(2):
        qtbot.waitUntil(lambda: bool(lights) and lights[-1] is not None)
        lights.clear()
        window.actions_by_name["find_next"].trigger()
    qtbot.waitUntil(lambda: bool(lights) and lights[-1] is not None)


def test_looking_for_nothing_finds_nothing(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "word")
    line(searched).setText(" ")
    assert outcome(searched) == ""
    assert highlighted(searched) == []


def test_an_emptied_line_leaves_nothing_of_what_was_found(qtbot: QtBot, searched: MainWindow) -> None:
    qtbot.keyClicks(line(searched), "word")
    assert outcome(searched) != ""
    line(searched).clear()
    assert outcome(searched) == ""
    assert highlighted(searched) == []
    places = [one for one in bar(searched).findChildren(QToolButton) if "match" in one.toolTip()]
    assert [one.isEnabled() for one in places] == [False, False]


def test_rare_characters_move_no_place(qtbot: QtBot, searched: MainWindow, session: Session) -> None:
    session.shelf.select(session.shelf.refs[1])
    editor_of(searched).setPlainText("𝔸 word 𝔸 word")
    qtbot.keyClicks(line(searched), "word")
    searched.actions_by_name["find_next"].trigger()
    assert selected(searched) == (11, "word")
    assert highlighted(searched) == ["word", "word"]


def test_the_places_are_shown_in_the_text_whatever_is_in_front(searched: MainWindow) -> None:
    searched.text_column.show_compare()
    assert not editor_of(searched).isVisible()
    line(searched).setText("word")
    assert editor_of(searched).isVisible()


def test_there_is_nothing_to_find_before_there_is_text(window: MainWindow) -> None:
    assert not window.actions_by_name["find"].isEnabled()
    window.actions_by_name["find"].trigger()
    assert not bar(window).isVisible()


def test_large_numbers_are_grouped() -> None:
    assert Found("a", ((0, 1),) * 1200, 1100, 2500).sentence == "1,101 of 1,200, 2,500 elsewhere"


def test_suggested_words_can_be_cleared_at_once(searched: MainWindow) -> None:
    bar(searched).closed.emit()
    searched.text_column.text_pane.select(4, 8)
    words, changes = emissions(bar(searched).words_changed), emissions(line(searched).textChanged)
    searched.actions_by_name["find"].trigger()
    assert (words, changes) == (["word"], ["word"]), "the button to clear them follows the second"


def test_files_are_not_dropped_into_the_words(searched: MainWindow) -> None:
    assert not line(searched).acceptDrops()


def test_ending_the_search_goes_back_to_the_comparison_in_front(qtbot: QtBot, searched: MainWindow) -> None:
    searched.activateWindow()
    qtbot.waitUntil(searched.isActiveWindow)
    searched.actions_by_name["compare"].trigger()
    searched.actions_by_name["find"].trigger()
    qtbot.keyClick(line(searched), Qt.Key.Key_Escape)
    assert searched.text_column.compare.isAncestorOf(searched.focusWidget())


@pytest.mark.parametrize("replacing", [False, True])
def test_what_was_found_is_not_cut_short_in_a_window_of_common_size(qtbot: QtBot, replacing: bool) -> None:
    bar = FindBar()
    in_sight(qtbot, bar, width=50 * bar.fontMetrics().averageCharWidth())
    bar.begin("word", replacing=replacing)
    bar.show_found(Found("word", ((0, 4), (9, 13)), 0, 2))
    QApplication.processEvents()
    outcome = bar.findChild(QLabel)
    assert outcome.text() == "1 of 2, 2 elsewhere"
    assert outcome.width() >= outcome.fontMetrics().horizontalAdvance(outcome.text())


def test_in_a_narrow_bar_the_lines_have_rows_of_their_own(qtbot: QtBot) -> None:
    bar = in_sight(qtbot, FindBar(), width=400)
    bar.begin("word", replacing=True)
    bar.show_found(Found("word", (), None, 40))
    words, by = bar.findChildren(QLineEdit)
    outcome = bar.findChild(QLabel)
    QApplication.processEvents()
    assert words.geometry().center().y() == outcome.geometry().center().y()
    for width, is_narrow in ((180, True), (400, False), (180, True)):
        bar.resize(width, bar.sizeHint().height())
        QApplication.processEvents()
        assert (words.width() > width / 2) is is_narrow
        assert (outcome.y() > by.geometry().bottom()) is is_narrow
        assert all(bar.rect().contains(each.geometry()) for each in (words, by, outcome))
