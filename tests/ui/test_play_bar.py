"""What the play bar promises: it goes through a reading by itself or by hand, and traces nothing unasked."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible, QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QLabel,
    QScrollArea,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.page.play_bar import SPEEDS, PlayBar
from rtocr_gui.ui.page.token_line import TokenLine
from rtocr_gui.ui.parts.explanation import Explanation
from rtocr_gui.ui.state.shown import TraceShown
from tests.ui.steps import emissions, in_sight, turn_wheel

TOKENS = ["We", " will", " show", " it", "\n", "to", " you"]


def trace_of(tokens: list[str]) -> TraceShown:
    spans, place = [], 0
    for token in tokens:
        spans.append((place, place + len(token)))
        place += len(token)
    return TraceShown("".join(tokens), tuple(spans), layers=2)


@pytest.fixture
def bar(qtbot: QtBot) -> PlayBar:
    return in_sight(qtbot, PlayBar(), 600)


@pytest.fixture
def turns(bar: PlayBar) -> list[int]:
    return emissions(bar.position_changed)


def button(bar: PlayBar, name: str) -> QToolButton:
    return next(found for found in bar.findChildren(QToolButton) if found.accessibleName() == name)


def slider(bar: PlayBar) -> QSlider:
    return bar.findChild(QSlider)


def said(bar: PlayBar) -> str:
    return bar.findChild(TokenLine).accessibleDescription()


def be_quick(bar: PlayBar) -> None:
    bar.findChild(QComboBox).setCurrentIndex(len(SPEEDS) - 1)


def test_it_plays_to_the_end_and_stays_there(qtbot: QtBot, bar: PlayBar, turns: list[int]) -> None:
    bar.show_trace(trace_of(TOKENS))
    be_quick(bar)
    assert (turns, said(bar)) == ([], "We")
    button(bar, "Play").click()
    qtbot.waitUntil(lambda: not bar.is_playing)
    assert turns == [0, 1, 2, 3, 4, 5, 6]
    assert said(bar) == " you"


def test_playing_again_from_the_end_begins_anew(qtbot: QtBot, bar: PlayBar, turns: list[int]) -> None:
    bar.show_trace(trace_of(TOKENS[:3]))
    be_quick(bar)
    bar.show_position(2)
    bar.play()
    qtbot.waitUntil(lambda: not bar.is_playing)
    assert turns == [0, 1, 2]


def test_a_paused_bar_goes_on_where_it_stopped(qtbot: QtBot, bar: PlayBar, turns: list[int]) -> None:
    bar.show_trace(trace_of(TOKENS))
    be_quick(bar)
    pausing = bar.position_changed.connect(lambda position: position != 3 or button(bar, "Pause").click())
    bar.play()
    qtbot.waitUntil(lambda: not bar.is_playing)
    bar.disconnect(pausing)
    before = list(turns)
    bar.play()
    assert turns == [*before, 3]


def test_the_trace_is_asked_for_when_it_is_to_be_played_and_then_plays(
    qtbot: QtBot, bar: PlayBar, turns: list[int]
) -> None:
    with qtbot.waitSignal(bar.trace_requested):
        button(bar, "Play").click()
    bar.show_tracing(True)
    assert "once more" in said(bar)
    bar.show_trace(trace_of(TOKENS))
    bar.show_tracing(False)
    assert bar.is_playing
    assert turns == [0]


def test_a_trace_that_came_for_another_reason_does_not_play(bar: PlayBar, turns: list[int]) -> None:
    bar.show_tracing(True)
    bar.show_trace(trace_of(TOKENS))
    bar.show_tracing(False)
    assert not bar.is_playing
    assert turns == []


def test_a_trace_that_failed_does_not_play_later(bar: PlayBar) -> None:
    bar.play()
    bar.show_tracing(True)
    bar.show_tracing(False)
    bar.show_trace(trace_of(TOKENS))
    assert not bar.is_playing


def test_a_trace_under_way_can_be_stopped(qtbot: QtBot, bar: PlayBar) -> None:
    bar.show_tracing(True)
    with qtbot.waitSignal(bar.stop_requested):
        button(bar, "Stop").click()


def test_the_keys_go_through_the_text(qtbot: QtBot, bar: PlayBar, turns: list[int]) -> None:
    bar.show_trace(trace_of(TOKENS))
    slider(bar).setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Home):
        qtbot.keyClick(slider(bar), key)
    assert turns == [1, 2, 1, 6, 0]


def test_the_space_bar_plays_and_pauses(qtbot: QtBot, bar: PlayBar) -> None:
    bar.show_trace(trace_of(TOKENS))
    slider(bar).setFocus()
    qtbot.keyClick(slider(bar), Qt.Key.Key_Space)
    assert bar.is_playing
    qtbot.keyClick(slider(bar), Qt.Key.Key_Space)
    assert not bar.is_playing


def test_the_wheel_goes_through_the_text(bar: PlayBar, turns: list[int]) -> None:
    bar.show_trace(trace_of(TOKENS))
    turn_wheel(slider(bar))
    assert len(turns) == 1
    assert turns[0] > 0


def test_a_place_chosen_elsewhere_is_shown_and_not_told_again(bar: PlayBar, turns: list[int]) -> None:
    bar.show_trace(trace_of(TOKENS))
    bar.play()
    turns.clear()
    bar.show_position(4)
    assert (bar.position, said(bar), turns) == (4, "\n", [])
    assert not bar.is_playing


def test_another_reading_begins_at_its_beginning(bar: PlayBar, turns: list[int]) -> None:
    bar.show_trace(trace_of(TOKENS))
    bar.play()
    bar.show_position(5)
    turns.clear()
    bar.show_trace(trace_of(["other", " text"]))
    assert (bar.position, said(bar), bar.is_playing, turns) == (0, "other", False, [])


def test_without_a_trace_there_is_nothing_to_slide(bar: PlayBar, turns: list[int]) -> None:
    bar.show_trace(trace_of(TOKENS))
    bar.show_position(5)
    bar.show_trace(None)
    assert not slider(bar).isEnabled()
    assert turns == []
    bar.show_trace(trace_of([]))
    assert not slider(bar).isEnabled()


def test_all_that_was_read_is_asked_for_and_told_until_a_token_is_shown(
    qtbot: QtBot, bar: PlayBar, turns: list[int]
) -> None:
    bar.show_trace(trace_of(TOKENS))
    bar.play()
    turns.clear()
    with qtbot.waitSignal(bar.whole_requested):
        button(bar, "All that was read").click()
    assert not bar.is_playing
    ways_back = (
        lambda: bar.show_position(3),
        lambda: slider(bar).setValue(4),
        lambda: bar.play(),
        lambda: bar.follow_lights(None),
    )
    for go_back in ways_back:
        button(bar, "All that was read").click()
        bar.follow_lights(np.ones(64, np.float32))
        assert "print that stays dark may be missing" in said(bar)
        go_back()
        bar.pause()
        assert said(bar) == TOKENS[bar.position]
    assert turns == [4, 4]


def test_all_that_was_read_is_told_once_the_trace_has_come_and_not_if_it_fails(bar: PlayBar) -> None:
    for comes in (True, False):
        bar.show_trace(None)
        button(bar, "All that was read").click()
        bar.show_tracing(True)
        assert "once more" in said(bar)
        if comes:
            bar.show_trace(trace_of(TOKENS))
        bar.show_tracing(False)
        assert ("stays dark" in said(bar)) is comes
    bar.show_trace(trace_of(TOKENS))
    assert said(bar) == "We", "it was not asked for again"


@pytest.mark.parametrize("by_key", [False, True])
def test_closing_is_a_wish_and_stops_the_play(qtbot: QtBot, bar: PlayBar, by_key: bool) -> None:
    bar.show_trace(trace_of(TOKENS))
    bar.play()
    with qtbot.waitSignal(bar.closed):
        if by_key:
            qtbot.keyClick(slider(bar), Qt.Key.Key_Escape)
        else:
            button(bar, "Close").click()
    assert not bar.is_playing


def test_escape_in_the_bar_is_no_shortcut_of_the_window(qtbot: QtBot) -> None:
    window, bar = QWidget(), PlayBar()
    qtbot.addWidget(window)
    QVBoxLayout(window).addWidget(bar)
    taken: list[str] = []
    QShortcut(QKeySequence("Esc"), window, lambda: taken.append("Esc"))
    window.show()
    bar.show_trace(trace_of(TOKENS))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    slider(bar).setFocus()
    with qtbot.waitSignal(bar.closed):
        qtbot.keyClick(slider(bar), Qt.Key.Key_Escape)
    assert not taken


def test_a_hidden_bar_does_not_play_on(bar: PlayBar) -> None:
    bar.show_trace(trace_of(TOKENS))
    bar.play()
    bar.hide()
    assert not bar.is_playing


def test_the_help_says_what_the_lights_are_and_what_not(bar: PlayBar) -> None:
    bar.show_trace(trace_of(TOKENS))
    for words in (bar.explanation, button(bar, "What is this?").toolTip()):
        assert "averaged over the heads of the decoder's last 2 layers" in words
        assert "second pass" in words
        assert "attention is not an explanation" in words


def test_screen_readers_hear_the_help_without_tags(bar: PlayBar) -> None:
    for trace in (None, trace_of(TOKENS)):
        bar.show_trace(trace)
        heard = QAccessible.queryAccessibleInterface(button(bar, "What is this?"))
        assert heard.text(QAccessible.Text.Description) == bar.explanation


def test_the_help_can_be_opened(qtbot: QtBot, bar: PlayBar) -> None:
    bar.show_trace(trace_of(TOKENS))
    button(bar, "What is this?").click()
    help_window = bar.findChild(Explanation)
    assert help_window.isVisible()
    assert help_window.findChild(QLabel).text() == bar.explanation
    assert help_window.findChild(QScrollArea).verticalScrollBar().maximum() == 0
    qtbot.keyClick(help_window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bar.findChild(Explanation) is None)


def test_the_help_scrolls_on_a_screen_that_is_too_small_for_it(
    qtbot: QtBot, bar: PlayBar, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = SimpleNamespace(availableSize=lambda: QSize(640, 240))
    monkeypatch.setattr(Explanation, "screen", lambda _: screen)
    button(bar, "What is this?").click()
    help_window = bar.findChild(Explanation)
    assert help_window.width() <= 640
    assert help_window.height() <= 240
    assert help_window.rect().contains(help_window.findChild(QDialogButtonBox).geometry())
    area = help_window.findChild(QScrollArea)
    qtbot.waitUntil(area.hasFocus)
    qtbot.keyClick(area, Qt.Key.Key_PageDown)
    assert area.verticalScrollBar().value() > 0
    help_window.close()  # or it would stay in front of the windows of other tests


def test_tokens_of_one_character_are_said_together(bar: PlayBar) -> None:
    bar.show_trace(TraceShown("a漢b", ((0, 1), (1, 2), (1, 2), (1, 2), (2, 3)), 2))
    for token, character in enumerate("a漢漢漢b"):
        bar.show_position(token)
        assert said(bar) == character


def test_the_token_of_the_turn_stands_in_the_middle_in_any_colours(qtbot: QtBot) -> None:
    line = TokenLine()
    qtbot.addWidget(line)
    palette = line.palette()
    palette.setColor(palette.ColorRole.Highlight, QColor("red"))
    line.setPalette(palette)
    line.resize(200, line.sizeHint().height())
    line.say("x" * 200, "word", "y" * 200)
    shown = line.grab().toImage()
    row = shown.height() // 2
    rows = range(shown.height())
    reds = [x for x in range(shown.width()) if any(shown.pixelColor(x, y) == QColor("red") for y in rows)]
    assert abs((reds[0] + reds[-1]) / 2 - shown.width() / 2) < 2
    assert any(shown.pixelColor(x, row) != shown.pixelColor(0, 0) for x in range(reds[0]))


@pytest.mark.parametrize(("words", "is_before_on_the_left"), [("word ", True), ("מילה ", False)])
def test_what_was_read_before_stands_where_the_script_begins(
    qtbot: QtBot, words: str, is_before_on_the_left: bool
) -> None:
    line = in_sight(qtbot, TokenLine(), 200)
    line.say(4 * words, words.strip(), "")
    shown = line.grab().toImage()
    ground = shown.pixelColor(0, 0)
    inked = [x for x in range(200) if any(shown.pixelColor(x, y) != ground for y in range(shown.height()))]
    assert (inked[0] < 70) == is_before_on_the_left
    assert (inked[-1] > 130) != is_before_on_the_left


def test_everything_has_a_name(bar: PlayBar) -> None:
    named = [*bar.findChildren(QToolButton), slider(bar), bar.findChild(QComboBox), bar.findChild(TokenLine)]
    assert all(widget.accessibleName() for widget in named)


def test_it_fits_a_narrow_column(bar: PlayBar) -> None:
    assert bar.minimumSizeHint().width() < 420
