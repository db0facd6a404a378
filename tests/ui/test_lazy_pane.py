"""A pane that nobody looked at costs nothing, and is connected once somebody does."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QTabWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.parts.lazy_pane import LazyPane


class Fields(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.field, self.button = QLineEdit(), QPushButton("Go")
        column = QVBoxLayout(self)
        column.addWidget(self.field)
        column.addWidget(self.button)
        self.setFocusProxy(self.field)


@pytest.fixture
def lazy(qtbot: QtBot) -> LazyPane[Fields]:
    made = LazyPane(Fields)
    qtbot.addWidget(made)
    return made


def test_a_pane_is_built_when_it_is_first_shown_and_only_then(lazy: LazyPane[Fields]) -> None:
    lazy.hide()
    assert not lazy.findChildren(Fields)
    lazy.show()
    assert lazy.findChildren(Fields)
    pane = lazy.pane
    assert pane.isVisible()
    lazy.hide()
    lazy.show()
    assert lazy.pane is pane
    assert lazy.findChildren(Fields) == [pane]


def test_a_pane_is_told_of_once_as_it_is_built(lazy: LazyPane[Fields]) -> None:
    built: list[Fields] = []
    lazy.built.connect(built.append)
    pane = lazy.pane
    lazy.show()
    assert lazy.pane is pane
    assert built == [pane]


def test_the_focus_goes_round_through_the_pane_and_all_that_is_beside_it(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    tabs, lazy, after = QTabWidget(), LazyPane(Fields), QPushButton("After")
    tabs.addTab(QLineEdit(), "First")
    tabs.addTab(lazy, "Second")
    column = QVBoxLayout(window)
    column.addWidget(tabs)
    column.addWidget(after)
    window.show()
    tabs.setCurrentIndex(1)
    lazy.setFocus()
    pane = lazy.pane
    assert window.focusWidget() is pane.field
    qtbot.keyClick(pane.field, Qt.Key.Key_Tab)
    assert window.focusWidget() is pane.button
    qtbot.keyClick(pane.button, Qt.Key.Key_Tab)
    assert window.focusWidget() is after
    qtbot.keyClick(after, Qt.Key.Key_Tab)
    assert window.focusWidget() is tabs.tabBar()
    for widget in (after, pane.button, pane.field, tabs.tabBar()):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Backtab)
        assert window.focusWidget() is widget
