"""The slider gives another plan at once, and another text once it is let go."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSlider, QSpinBox
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, editor_of, open_and_load, read, until_idle


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
