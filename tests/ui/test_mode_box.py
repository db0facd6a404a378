"""The mode box offers Auto and says what it came to; the menu beside it limits the tiles."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QAction,
)
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import Mode, Scaling
from rtocr_gui.settings import Settings
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    open_and_load,
    turn_wheel,
    until_idle,
)


def choose(window: MainWindow, mode: Mode | None) -> None:
    box = window.tool_bar.mode_box
    box.setCurrentIndex(1 + list(Mode).index(mode) if mode else 0)
    box.activated.emit(box.currentIndex())


def tile_actions(window: MainWindow) -> list[QAction]:
    menu = window.actions_by_name["tiles"].menu()
    assert isinstance(menu, QMenu)
    return menu.actions()


def test_who_has_chosen_nothing_has_auto(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    assert window.tool_bar.mode_box.currentText() == "Auto"

    open_and_load(qtbot, session, draw_page())

    assert session.choices.mode is None
    assert window.tool_bar.mode_box.currentIndex() == 0


def test_auto_says_which_mode_the_page_got(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    assert window.tool_bar.mode_box.currentText() == "Auto (Tiny)"

    session.shelf.remove((session.shelf.current,))

    assert window.tool_bar.mode_box.currentText() == "Auto"


def test_auto_takes_no_mode_for_its_own_that_a_page_alone_has(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    until_idle(qtbot, session, lambda: session.read((session.shelf.current,), Scaling(Mode.SMALL)))
    assert session.planner.encoded is not None
    assert session.planner.encoded.mode is Mode.SMALL
    assert window.tool_bar.mode_box.currentText() == "Auto"


def test_a_chosen_mode_is_shown_used_and_remembered(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan is not None):
        choose(window, Mode.SMALL)
    assert window.tool_bar.mode_box.currentText() == "Small (untrained)"
    assert window.tool_bar.mode_box.itemText(0) == "Auto"
    assert session.choices.settings.mode == "small"

    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan is not None):
        choose(window, None)

    assert window.tool_bar.mode_box.currentText() == "Auto (Tiny)"
    assert session.choices.settings.mode == "auto"


def test_the_wheel_chooses_only_in_a_box_that_has_the_focus(window: MainWindow, session: Session) -> None:
    choose(window, Mode.SMALL)
    box = window.tool_bar.mode_box
    for turned in (box, window.tool_bar.task_box):
        turn_wheel(turned)
        assert not turned.hasFocus()
    assert session.choices.mode is Mode.SMALL
    box.setFocus()
    turn_wheel(box)
    assert session.choices.mode is Mode.TINY


@pytest.mark.parametrize("settings", [Settings(mode="base", most_tiles=4)])
def test_a_mode_of_the_last_start_is_in_use_again(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())

    assert window.tool_bar.mode_box.currentData() is Mode.BASE
    with qtbot.waitSignal(session.texts.reading_changed, check_params_cb=lambda reading: reading is not None):
        session.read_selected()
    assert fake_engine.asked[-1].scaling == Scaling(Mode.BASE, most_tiles=4)


@pytest.mark.parametrize("settings", [Settings(mode="base")])
def test_what_is_chosen_while_the_model_loads_stays_chosen(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    with qtbot.waitSignal(session.models.changed, check_params_cb=lambda status: status.model is not None):
        session.models.load()
        choose(window, Mode.GUNDAM)
        tile_actions(window)[2].trigger()
    assert (session.choices.settings.mode, session.choices.settings.most_tiles) == ("gundam", 4)
    assert window.tool_bar.mode_box.currentData() is Mode.GUNDAM


def test_auto_tells_its_rule(window: MainWindow) -> None:
    box = window.tool_bar.mode_box

    for tip in (box.toolTip(), box.itemData(0, Qt.ItemDataRole.ToolTipRole)):
        assert "smallest mode in which its print is tall enough to read" in tip


def test_fewer_tiles_are_chosen_marked_remembered_and_used(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    assert [action.isChecked() for action in tile_actions(window)] == [True, False, False, False]

    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan is not None):
        tile_actions(window)[2].trigger()
    with qtbot.waitSignal(session.texts.reading_changed, check_params_cb=lambda reading: reading is not None):
        session.read_selected()

    assert [action.isChecked() for action in tile_actions(window)] == [False, False, True, False]
    assert session.choices.settings.most_tiles == 4
    assert fake_engine.asked[-1].scaling == Scaling(None, most_tiles=4)


def test_modes_the_model_was_not_made_for_are_marked(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    labels = [window.tool_bar.mode_box.itemText(row) for row in range(window.tool_bar.mode_box.count())]
    assert labels[1:] == [
        "Tiny",
        "Small (untrained)",
        "Base (untrained)",
        "Large (untrained)",
        "Gundam (untrained)",
    ]
