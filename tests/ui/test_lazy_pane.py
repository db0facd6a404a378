"""A pane that nobody looked at costs nothing, and knows everything once somebody does."""

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QTabWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.parts.lazy_pane import LazyPane


class Teller(QObject):
    said = Signal(str)
    counted = Signal(int, int)


class Listener(QWidget):
    wished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[object, ...]] = []
        self.field, self.button = QLineEdit(), QPushButton("Go")
        column = QVBoxLayout(self)
        column.addWidget(self.field)
        column.addWidget(self.button)
        self.setFocusProxy(self.field)

    def hear(self, word: str) -> None:
        self.heard.append((word,))

    def count(self, first: int, second: int) -> None:
        self.heard.append((first, second))


@pytest.fixture
def teller() -> Teller:
    return Teller()


@pytest.fixture
def lazy(qtbot: QtBot, teller: Teller) -> LazyPane[Listener]:
    made = LazyPane(Listener)
    qtbot.addWidget(made)
    made.follow(teller.said, lambda pane: pane.hear)
    made.follow(teller.counted, lambda pane: pane.count)
    return made


def test_a_pane_is_built_when_it_is_first_shown_and_only_then(lazy: LazyPane[Listener]) -> None:
    lazy.hide()
    assert not lazy.findChildren(Listener)
    lazy.show()
    assert lazy.findChildren(Listener)
    pane = lazy.pane
    assert pane.isVisible()
    lazy.hide()
    lazy.show()
    assert lazy.pane is pane
    assert lazy.findChildren(Listener) == [pane]


def test_a_pane_hears_what_was_said_last_in_the_order_in_which_it_was_said(
    lazy: LazyPane[Listener], teller: Teller
) -> None:
    teller.said.emit("one")
    teller.counted.emit(1, 2)
    teller.said.emit("two")
    assert lazy.pane.heard == [(1, 2), ("two",)]


def test_a_pane_hears_everything_once_from_then_on(lazy: LazyPane[Listener], teller: Teller) -> None:
    pane = lazy.pane
    assert not pane.heard
    teller.said.emit("one")
    teller.said.emit("two")
    assert pane.heard == [("one",), ("two",)]


def test_the_wishes_of_a_pane_are_connected_before_it_is_told_anything(
    lazy: LazyPane[Listener], teller: Teller
) -> None:
    heard_when_wired: list[int] = []
    lazy.when_built(lambda pane: heard_when_wired.append(len(pane.heard)))
    teller.said.emit("one")
    assert lazy.pane.heard == [("one",)]
    assert heard_when_wired == [0]


def test_the_focus_goes_round_through_the_pane_and_all_that_is_beside_it(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    tabs, lazy, after = QTabWidget(), LazyPane(Listener), QPushButton("After")
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
