"""What the retention bar promises: it follows, it tells moving from rest, and it does not echo."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QSlider, QSpinBox
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.retention_bar import RetentionBar
from tests.ui.plans import make_plan


class Heard:
    """Every ratio a bar told, in order."""

    def __init__(self, bar: RetentionBar) -> None:
        self.changed: list[float | None] = []
        self.released: list[float | None] = []
        bar.retention_changed.connect(self.changed.append)
        bar.retention_released.connect(self.released.append)


@pytest.fixture
def bar(qtbot: QtBot) -> RetentionBar:
    made = RetentionBar()
    qtbot.addWidget(made)
    made.resize(900, made.sizeHint().height())
    made.show()
    return made


@pytest.fixture
def heard(bar: RetentionBar) -> Heard:
    return Heard(bar)


def slider(bar: RetentionBar) -> QSlider:
    return bar.findChild(QSlider)


def auto_box(bar: RetentionBar) -> QCheckBox:
    return next(box for box in bar.findChildren(QCheckBox) if box.accessibleName() == "Automatic retention")


def counts(bar: RetentionBar) -> str:
    return next(
        label.text() for label in bar.findChildren(QLabel) if label.accessibleName() == "Token counts"
    )


def test_counts_say_what_the_plan_keeps_and_what_the_page_would_choose(bar: RetentionBar) -> None:
    bar.show_plan(make_plan(0.5))
    assert "128 of 256 kept, 128 merged" in counts(bar)
    assert "automatic: 76 %" in counts(bar)
    bar.show_plan(None)
    assert counts(bar) == "No tokens counted yet"


def test_automatic_is_the_start_and_shows_the_ratio_of_the_page(bar: RetentionBar) -> None:
    bar.show_plan(make_plan(None))
    assert bar.retention is None
    assert auto_box(bar).isChecked()
    assert slider(bar).value() == 76


def test_dragging_tells_every_ratio_and_releasing_the_last_one(bar: RetentionBar, heard: Heard) -> None:
    bar.show_plan(make_plan(None))
    slider(bar).setSliderDown(True)
    slider(bar).setValue(60)
    slider(bar).setValue(40)
    assert (heard.changed, heard.released) == ([0.6, 0.4], [])
    slider(bar).setSliderDown(False)
    assert heard.released == [0.4]
    assert not auto_box(bar).isChecked()


def test_a_click_that_moves_nothing_releases_nothing(bar: RetentionBar, heard: Heard) -> None:
    slider(bar).setSliderDown(True)
    slider(bar).setSliderDown(False)
    assert heard.released == []


def test_a_key_step_is_told_at_once_and_released_when_the_keys_are_quiet(
    qtbot: QtBot, bar: RetentionBar, heard: Heard
) -> None:
    bar.set_retention(0.5)
    with qtbot.waitSignal(bar.retention_released):
        qtbot.keyClick(slider(bar), Qt.Key.Key_Left)
        qtbot.keyClick(slider(bar), Qt.Key.Key_PageDown)
        assert heard.changed == [0.49, 0.39]
    assert heard.released == [0.39]


def test_the_wheel_is_released_once_it_stands_still(qtbot: QtBot, bar: RetentionBar, heard: Heard) -> None:
    bar.set_retention(0.5)
    middle = QPointF(slider(bar).rect().center())
    turn = QWheelEvent(
        middle,
        slider(bar).mapToGlobal(middle),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    with qtbot.waitSignal(bar.retention_released):
        QApplication.sendEvent(slider(bar), turn)
        assert len(heard.changed) == 1
    assert heard.released == heard.changed
    assert heard.released[0] > 0.5


def test_a_typed_number_counts_when_it_is_entered(qtbot: QtBot, bar: RetentionBar, heard: Heard) -> None:
    spin = bar.findChild(QSpinBox)
    spin.selectAll()
    qtbot.keyClicks(spin, "33")
    assert heard.changed == []
    qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert (heard.changed, heard.released) == ([0.33], [0.33])
    assert slider(bar).value() == 33


def test_automatic_can_be_taken_back_and_switched_off_at_the_same_ratio(
    qtbot: QtBot, bar: RetentionBar, heard: Heard
) -> None:
    bar.show_plan(make_plan(0.4))
    bar.set_retention(0.4)
    auto_box(bar).click()
    assert (heard.changed, heard.released) == ([None], [None])
    assert slider(bar).value() == 76
    auto_box(bar).click()
    assert heard.released == [None, 0.76]


def test_a_ratio_chosen_elsewhere_is_shown_without_an_echo(bar: RetentionBar, heard: Heard) -> None:
    bar.set_retention(0.255)
    assert bar.retention == 0.255
    assert slider(bar).value() in (25, 26)
    bar.set_retention(None)
    bar.set_reread(False)
    assert (heard.changed, heard.released) == ([], [])


def test_a_ratio_chosen_elsewhere_does_not_tear_the_slider_from_the_hand(bar: RetentionBar) -> None:
    slider(bar).setSliderDown(True)
    slider(bar).setValue(40)
    bar.set_retention(0.9)
    assert slider(bar).value() == 40
    slider(bar).setSliderDown(False)


def test_a_late_plan_does_not_move_a_slider_set_by_hand(bar: RetentionBar) -> None:
    bar.set_retention(0.3)
    bar.show_plan(make_plan(None))
    assert slider(bar).value() == 30


def test_reading_again_on_release_is_told_only_when_the_person_switches_it(
    qtbot: QtBot, bar: RetentionBar
) -> None:
    switched: list[bool] = []
    bar.reread_toggled.connect(switched.append)
    bar.set_reread(False)
    assert switched == []
    next(box for box in bar.findChildren(QCheckBox) if box is not auto_box(bar)).click()
    assert switched == [True]


def test_every_control_has_a_name_and_a_tooltip(bar: RetentionBar) -> None:
    for control in (slider(bar), bar.findChild(QSpinBox), *bar.findChildren(QCheckBox)):
        assert control.toolTip()
        assert control.accessibleName() or control.text()
