"""Keys that widgets keep for themselves, and those that they leave to the window."""

import runpy
import sys

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.page.page_column import PageColumn
from rtocr_gui.ui.parts import actions
from rtocr_gui.ui.parts.actions import make_actions
from rtocr_gui.ui.parts.keys import asks_for, keeps_escape, leaves_to_window
from tests.ui.steps import in_sight

OVERRIDE, PRESS = QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress


class KeyThatCancels(QKeyEvent):
    """As Ctrl+. is on macOS."""

    def matches(self, key: QKeySequence.StandardKey) -> bool:
        return key is QKeySequence.StandardKey.Cancel


@pytest.mark.parametrize(
    ("kind", "key", "expected"),
    [(OVERRIDE, Qt.Key.Key_Escape, True), (OVERRIDE, Qt.Key.Key_A, False), (PRESS, Qt.Key.Key_Escape, False)],
)
def test_escape_is_asked_for_before_it_is_a_shortcut(kind: QEvent.Type, key: Qt.Key, expected: bool) -> None:
    assert asks_for(QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier), Qt.Key.Key_Escape) is expected


def test_another_key_that_cancels_is_left_to_the_window() -> None:
    event = KeyThatCancels(OVERRIDE, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert asks_for(event, QKeySequence.StandardKey.Cancel)
    assert not asks_for(event, Qt.Key.Key_Escape)


def test_escape_is_kept_from_the_notices_and_nothing_else_is() -> None:
    asked = QKeyEvent(OVERRIDE, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    other = QKeyEvent(OVERRIDE, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier)
    for event in (asked, other):
        event.ignore()
    assert (keeps_escape(asked), asked.isAccepted()) == (True, True)
    assert (keeps_escape(other), other.isAccepted()) == (False, False)


@pytest.mark.parametrize(
    ("key", "modifier", "leaves"),
    [
        (Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier, True),
        (Qt.Key.Key_U, Qt.KeyboardModifier.ControlModifier, True),
        (Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier, False),
        (Qt.Key.Key_E, Qt.KeyboardModifier.NoModifier, False),
    ],
)
def test_shortcuts_that_edit_a_line_on_x11_are_left_to_the_window(
    key: Qt.Key, modifier: Qt.KeyboardModifier, leaves: bool
) -> None:
    event = QKeyEvent(OVERRIDE, key, modifier)
    event.accept()
    assert (leaves_to_window(event), event.isAccepted()) == (leaves, not leaves)


def test_a_letter_shows_the_tokens_of_the_whole_page_and_is_a_shortcut_of_the_page_alone(
    qtbot: QtBot,
) -> None:
    window = in_sight(qtbot, QMainWindow(), 800, 600)
    by_name = make_actions(window)
    column = PageColumn(by_name)
    window.setCentralWidget(column)
    with qtbot.waitActive(window):
        window.activateWindow()
    for widget in (column.play_bar, column.page_view):
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_G)
        assert by_name["global_grid"].isChecked() is (widget is column.page_view)


@pytest.mark.parametrize(("system", "key"), [("darwin", "⌘"), ("win32", "Ctrl")])
def test_a_tip_names_the_key_that_goes_with_the_wheel_as_the_system_does(
    monkeypatch: pytest.MonkeyPatch, system: str, key: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    tips = {spec.name: spec.tip for spec in runpy.run_path(actions.__file__)["SPECS"]}
    assert all(tips[name].endswith(f"the wheel with {key}") for name in ("larger_text", "smaller_text"))
