"""The slider gives another plan at once, and another text once it is let go."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSlider, QSpinBox
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    editor_of,
    emissions,
    held_lane,
    open_and_load,
    read,
    read_selected,
    until_idle,
    until_reading_begins,
)


def test_the_slider_changes_the_plan_at_once_and_the_text_on_release(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    slider = window.retention_bar.findChild(QSlider)
    slider.setSliderDown(True)
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: len(plan.kept) == 25):
        slider.setSliderPosition(40)
    assert editor_of(window).toPlainText().endswith("at 0.76")
    slider.setSliderDown(False)
    qtbot.waitUntil(lambda: editor_of(window).toPlainText().endswith("at 0.40"))


def test_a_key_on_the_slider_does_not_have_the_page_read_that_is_shown_next(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    until_idle(qtbot, session, window.actions_by_name["read_all"].trigger)
    qtbot.keyClick(window.retention_bar.findChild(QSlider), Qt.Key.Key_Left)
    session.shelf.select(session.shelf.refs[1])
    window.retention_bar.findChild(QTimer).timeout.emit()
    assert not session.reader.activity.reading
    assert len(fake_engine.asked) == 2


@pytest.mark.parametrize(
    ("retention", "typed", "ratio"), [(None, "50", 0.5), (None, "76", 0.76), (0.8, "150", 1.0)]
)
def test_an_action_takes_the_ratio_that_is_still_being_typed(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    retention: float | None,
    typed: str,
    ratio: float,
) -> None:
    session.choose_retention(retention)
    open_and_load(qtbot, session, draw_page())
    qtbot.waitUntil(lambda: session.tuning.has_plan)  # the box shows the automatic ratio, 76 %
    type_percent(qtbot, window, typed)
    read(qtbot, window, session)
    window.retention_bar.findChild(QTimer).timeout.emit()
    assert not session.reader.activity.reading
    assert [settings.pruning.retention for settings in fake_engine.asked] == [ratio]
    assert session.choices.settings.retention == ratio


def type_percent(qtbot: QtBot, window: MainWindow, typed: str) -> None:
    """Type a retention ratio without leaving its box."""
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    box = window.retention_bar.findChild(QSpinBox)
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, typed)


@pytest.mark.parametrize("name", ["stop", "unload"])
def test_who_ends_something_while_a_ratio_is_typed_starts_no_reading(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    name: str,
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    type_percent(qtbot, window, "50")
    window.actions_by_name[name].setEnabled(True)
    window.actions_by_name[name].trigger()
    window.retention_bar.findChild(QTimer).timeout.emit()
    assert session.choices.settings.retention == 0.5
    assert not session.reader.activity.reading
    assert len(fake_engine.asked) == 1


def test_letting_the_slider_go_reads_a_read_page_again(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.settle_retention(0.25)
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.25") and not session.reader.activity.reading)


def test_letting_the_slider_go_leaves_a_corrected_page_alone(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    asked = emissions(session.overwrite_questioned)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan.retention == 0.25):
        session.settle_retention(0.25)
    assert not asked
    assert not session.reader.activity.reading
    assert session.current_text == "mine"


def test_letting_the_slider_go_counts_for_a_corrected_page_that_is_about_to_be_read_again(
    qtbot: QtBot, session: Session, bridge: EngineBridge, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    with held_lane(bridge._model_lane):
        session.read_replacing((session.shelf.current,))
        session.settle_retention(0.25)
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.25") and not session.reader.activity.reading)


def test_letting_the_slider_go_reads_nothing_where_the_person_switched_that_off(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    before = session.current_text
    session.choices.remember(reread_on_release=False)
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan.retention == 0.25):
        session.settle_retention(0.25)
    assert not session.reader.activity.reading
    assert session.current_text == before


def test_moving_the_slider_during_a_reading_starts_it_over_at_the_new_ratio(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.settle_retention(0.3)
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.30") and not session.reader.activity.reading)


def test_pages_that_wait_are_not_read_at_a_ratio_that_the_slider_passes_over(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    session.settle_retention(0.8)
    until_reading_begins(qtbot, fake_engine, session.read_all)
    session.set_retention(0.2)
    assert session.planner.plan is not None
    until_idle(qtbot, session, fake_engine.gate.set)
    texts = []
    for ref in session.shelf.refs:
        session.shelf.select(ref)
        texts.append(session.current_text)
    assert [text.rpartition(" at ")[2] for text in texts] == 3 * ["0.80"]
    session.read_all()
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text.endswith("at 0.20")


def test_a_page_whose_slider_is_let_go_is_read_before_those_that_wait(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, begun: list[int]
) -> None:
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    until_reading_begins(qtbot, fake_engine, session.read_all)
    session.settle_retention(0.3)
    until_idle(qtbot, session, fake_engine.gate.set)
    assert begun == [1, 1, 2, 3]


def test_a_page_that_waits_goes_first_once_its_slider_is_let_go(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, begun: list[int]
) -> None:
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    session.shelf.select(session.shelf.refs[2])
    read_selected(qtbot, session)
    begun.clear()
    fake_engine.gate.clear()
    session.read_all()
    session.settle_retention(0.3)
    until_idle(qtbot, session, fake_engine.gate.set)
    assert begun == [1, 3, 2]
