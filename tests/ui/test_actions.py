"""Every wish has a way in, by menu and by key, with a name of its own, and only where it makes sense."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QTabBar, QToolButton, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.export.looks import Look
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.dialogs.shortcut_list import ShortcutList
from rtocr_gui.ui.parts.actions import MENUS, SPECS
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, begin_reading, editor_of, emissions, held_lane, open_and_load, pages_of


def test_every_action_is_in_a_menu_and_says_what_it_does(window: MainWindow) -> None:
    listed = {name for names in MENUS.values() for name in names if name}
    assert listed == {spec.name for spec in SPECS} == set(window.actions_by_name)
    assert all(action.toolTip() for action in window.actions_by_name.values())


def test_no_two_actions_share_a_shortcut(window: MainWindow) -> None:
    keys = [key.toString() for action in window.actions_by_name.values() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_no_two_things_in_sight_share_a_mnemonic(window: MainWindow) -> None:
    column = window.text_column
    tabs = [bar.tabText(index) for bar in window.findChildren(QTabBar) for index in range(bar.count())]
    labels = [label.text() for label in window.findChildren(QLabel) if label.buddy()]
    column.show_curve()
    buttons = [button.text() for button in window.findChildren(QAbstractButton) if button.isVisible()]
    keys = [
        QKeySequence.mnemonic(text).toString() for text in (*MENUS, *tabs, *labels, *buttons) if "&" in text
    ]
    assert len(keys) >= 14
    assert len(keys) == len(set(keys))


def test_everything_that_takes_the_focus_has_a_name(window: MainWindow) -> None:
    for lazy in (window.text_column.compare, window.text_column.curve):
        assert lazy.pane
    window.notice_bar.add_problem("Something to know.")  # whose buttons are named with it
    nameless = [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.window() is window
        and (isinstance(widget, QTabBar) or not widget.objectName().startswith("qt_"))  # parts of another
        and not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
    ]
    assert nameless == []


def test_no_two_items_of_a_menu_share_a_mnemonic(window: MainWindow) -> None:
    menus = [action.menu() for action in window.menuBar().actions()]
    for items in (*(menu.actions() for menu in menus), pages_of(window).actions()):
        keys = [QKeySequence.mnemonic(item.text()).toString() for item in items if "&" in item.text()]
        assert keys
        assert len(keys) == len(set(keys))


def test_an_empty_window_offers_only_what_makes_sense(window: MainWindow) -> None:
    off = ("read", "read_all", "stop", "export", "copy", "remove")
    assert not any(window.actions_by_name[name].isEnabled() for name in off)
    assert window.actions_by_name["open"].isEnabled()


@pytest.mark.parametrize("name", ["find", "copy"])
def test_the_buttons_below_the_text_name_their_keys(window: MainWindow, name: str) -> None:
    tips = [button.toolTip() for button in window.text_column.text_pane.findChildren(QToolButton)]
    keys = window.actions_by_name[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    assert any(tip.endswith(f"({keys})") for tip in tips)


def test_the_list_of_shortcuts_holds_all_that_the_menus_have_and_where_they_work(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.activateWindow()
    qtbot.keyClick(window, QKeySequence(QKeySequence.StandardKey.HelpContents)[0].key())
    tree = window.findChild(ShortcutList).findChild(QTreeWidget)
    menus = [tree.topLevelItem(index) for index in range(tree.topLevelItemCount())]
    panes = ["On the page", "In the page list", "In Find", "In Compare", "On the retention curve"]
    panes += ["While the reading is played", "Elsewhere"]
    assert [menu.text(0) for menu in menus] == ["File", "Edit", "Read", "View", "Model", "Help", *panes]
    assert all(pane.child(index).text(1) for pane in menus[6:] for index in range(pane.childCount()))
    lines = [menu.child(index) for menu in menus[:6] for index in range(menu.childCount())]
    keys = {line.text(0): line.text(1) for line in lines}
    with_keys = [action for action in window.actions_by_name.values() if action.shortcuts()]
    assert len(keys) == len(lines) == len(with_keys)
    for action in with_keys:
        native = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        assert keys[action.iconText()].startswith(native)
    assert keys["Next look"] == "L on the page"
    assert tree.sizeHintForColumn(0) + tree.sizeHintForColumn(1) <= tree.viewport().width()
    window.findChild(ShortcutList).close()


def test_macos_moves_no_action_but_two_to_a_menu_of_its_own(window: MainWindow) -> None:
    roles = {name: action.menuRole() for name, action in window.actions_by_name.items()}
    assert roles.pop("about") is QAction.MenuRole.AboutRole
    assert roles.pop("quit") is QAction.MenuRole.QuitRole
    assert set(roles.values()) == {QAction.MenuRole.NoRole}


def test_tab_goes_from_the_text_to_the_buttons_below_it(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.read_selected()
    qtbot.waitUntil(lambda: window.actions_by_name["copy"].isEnabled())
    editor_of(window).setFocus()
    visited = []
    for _ in range(2):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        visited.append(window.focusWidget().defaultAction())
    assert visited == [window.actions_by_name[name] for name in ("find", "copy")]


def test_read_all_updates_the_actions_a_few_times_however_many_pages_there_are(
    qtbot: QtBot, window: MainWindow, session: Session, bridge: EngineBridge, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("many.tiff", pages=40))
    updates = [emissions(told) for told in (session.reader.activity_changed, session.texts.text_changed)]
    with held_lane(bridge._model_lane):
        session.read_all()
        session.stop()
        assert sum(map(len, updates)) < 10
    qtbot.waitUntil(lambda: session.reader.activity.is_idle)


def test_the_panes_offer_what_their_actions_do(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    def ready(pane: QWidget, name: str) -> bool:
        button = next(each for each in pane.findChildren(QPushButton) if name in each.text())
        return button.isEnabled()

    compare, curve = window.text_column.compare.pane, window.text_column.curve.pane
    assert not ready(compare, "Compare")
    assert not ready(curve, "cur")
    open_and_load(qtbot, session, draw_page())
    assert ready(compare, "Compare")
    assert ready(curve, "cur")
    fake_engine.gate.clear()
    session.tuning.compare(PruneSettings(1.0), PruneSettings(0.5))
    assert not ready(curve, "cur")
    session.stop()
    fake_engine.gate.set()


def test_single_letters_are_shortcuts_of_the_page_alone(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("scan.png"), draw_page("letter.png"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    pages = pages_of(window)
    pages.setFocus()
    qtbot.keyClick(pages, Qt.Key.Key_L)
    assert session.shelf.current.path.name == "letter.png"
    assert session.choices.look is Look.KEPT
    window.page_column.page_view.setFocus()
    qtbot.keyClick(window.page_column.page_view, Qt.Key.Key_L)
    assert session.choices.look is not Look.KEPT


def test_the_text_of_a_page_that_is_read_anew_at_once_can_be_exported_while_another_is_shown(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    read, shown = session.shelf.refs
    session.shelf.select(read)
    begin_reading(qtbot, session, fake_engine)
    session.settle_retention(0.5)
    session.shelf.select(shown)
    qtbot.waitUntil(lambda: session.texts.is_any)
    assert session.reader.is_reading(read)
    assert window.actions_by_name["export"].isEnabled()
    assert window.actions_by_name["find"].isEnabled()
