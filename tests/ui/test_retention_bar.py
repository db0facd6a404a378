"""What the retention bar promises: it follows, it tells moving from rest, and it does not echo."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleFactory,
    QStyleOptionSlider,
)
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ui.tuning.retention_bar import RetentionBar
from rtocr_gui.ui.tuning.retention_slider import DETENTS, RetentionMarks, RetentionSlider
from tests.made_plans import make_plan
from tests.ui.contrast import contrast
from tests.ui.steps import emissions, in_sight, label_called, turn_wheel


class Heard:
    """Every ratio a bar told, in order."""

    def __init__(self, bar: RetentionBar) -> None:
        self.changed: list[float | None] = []
        self.released: list[float | None] = []
        bar.retention_changed.connect(self.changed.append)
        bar.retention_released.connect(self.released.append)


@pytest.fixture
def bar(qtbot: QtBot) -> RetentionBar:
    return in_sight(qtbot, RetentionBar(), 900)


@pytest.fixture
def heard(bar: RetentionBar) -> Heard:
    return Heard(bar)


def slider(bar: RetentionBar) -> QSlider:
    return bar.findChild(QSlider)


def auto_box(bar: RetentionBar) -> QCheckBox:
    return next(box for box in bar.findChildren(QCheckBox) if box.accessibleName() == "Automatic retention")


def counts(bar: RetentionBar) -> str:
    return label_called(bar, "Token counts").text()


def test_counts_say_what_the_plan_keeps_and_what_the_page_would_choose(bar: RetentionBar) -> None:
    bar.show_plan(make_plan(0.5))
    assert "128 of 256 kept, 128 merged" in counts(bar)
    assert "automatic: 76 %" in counts(bar)
    bar.show_plan(None)
    assert counts(bar) == "No tokens counted yet"


def test_automatic_is_the_start_and_shows_the_ratio_of_the_page(bar: RetentionBar) -> None:
    bar.show_plan(make_plan(None))
    assert bar._retention is None
    assert auto_box(bar).isChecked()
    assert slider(bar).value() == 76


def test_nearly_all_is_not_all(bar: RetentionBar) -> None:
    bar.set_retention(0.998)
    assert slider(bar).value() == 99
    bar.set_retention(1.0)
    assert slider(bar).value() == 100


def test_nothing_is_no_ratio_before_the_page_has_one(qtbot: QtBot, bar: RetentionBar, heard: Heard) -> None:
    bar.show_plan(None)
    bar.set_retention(None)
    box = bar.findChild(QSpinBox)
    box.selectAll()
    qtbot.keyClicks(box, "0")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (heard.changed, box.text()) == ([], "–")
    bar.show_plan(make_plan())
    box.editingFinished.emit()
    assert heard.changed == []


def test_a_number_that_was_typed_and_given_up_for_automatic_is_not_chosen_later(
    qtbot: QtBot, bar: RetentionBar, heard: Heard
) -> None:
    bar.show_plan(make_plan())
    box = bar.findChild(QSpinBox)
    box.selectAll()
    qtbot.keyClicks(box, "50")
    bar.set_retention(None)
    box.editingFinished.emit()
    assert heard.changed == []


@pytest.mark.parametrize("typed", ["1", "40", "100"])
def test_any_ratio_can_be_typed_before_the_page_has_one(
    qtbot: QtBot, bar: RetentionBar, heard: Heard, typed: str
) -> None:
    box = bar.findChild(QSpinBox)
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, typed)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (box.text(), heard.released) == (f"{typed} %", [int(typed) / 100])


def test_no_figure_is_shown_before_the_page_has_one(qtbot: QtBot, bar: RetentionBar, heard: Heard) -> None:
    box = bar.findChild(QSpinBox)
    assert box.text() == "–"
    bar.show_plan(make_plan(0.5))
    assert box.text() == "76 %"
    bar.show_plan(None)
    assert box.text() == "–"
    bar.set_retention(0.4)
    assert box.text() == "40 %"
    bar.set_retention(None)
    assert box.text() == "–"
    qtbot.mouseClick(auto_box(bar), Qt.MouseButton.LeftButton)
    assert (box.text(), heard.changed) == ("40 %", [0.4])
    qtbot.mouseClick(auto_box(bar), Qt.MouseButton.LeftButton)
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert box.text() == "–", "there is nothing to step from"
    box.selectAll()
    qtbot.keyClicks(box, "55")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (box.text(), heard.changed) == ("55 %", [0.4, None, 0.55])


@pytest.mark.parametrize("width", [640, 800, 900, 1280])
def test_the_slider_keeps_its_width_whatever_is_counted(bar: RetentionBar, width: int) -> None:
    bar.resize(width, bar.height())
    widths = set()
    for plan in (None, make_plan(0.5), make_plan(0.5, Mode.GUNDAM, crop_wh=(3, 3)), None):
        bar.show_plan(plan)
        QApplication.processEvents()
        widths.add(slider(bar).width())
    assert len(widths) == 1


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


def test_a_ratio_that_is_still_moving_when_another_page_is_shown_is_not_released(
    qtbot: QtBot, bar: RetentionBar, heard: Heard
) -> None:
    bar.set_retention(0.5)
    qtbot.keyClick(slider(bar), Qt.Key.Key_Left)
    bar.drop_release()
    bar.findChild(QTimer).timeout.emit()
    assert heard.released == []
    with qtbot.waitSignal(bar.retention_released):
        qtbot.keyClick(slider(bar), Qt.Key.Key_Left)
    assert heard.released == [0.48]


def test_the_wheel_passes_over_what_has_no_focus(bar: RetentionBar, heard: Heard) -> None:
    bar.set_retention(0.5)
    auto_box(bar).setFocus()
    for control in (slider(bar), bar.findChild(QSpinBox)):
        turn_wheel(control)
        assert not control.hasFocus()
    assert heard.changed == []


def test_the_wheel_is_released_once_it_stands_still(qtbot: QtBot, bar: RetentionBar, heard: Heard) -> None:
    bar.set_retention(0.5)
    slider(bar).setFocus()
    with qtbot.waitSignal(bar.retention_released):
        turn_wheel(slider(bar))
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


def test_more_than_all_is_all_and_not_a_number_without_its_last_digit(
    qtbot: QtBot, bar: RetentionBar, heard: Heard
) -> None:
    bar.set_retention(0.5)
    spin = bar.findChild(QSpinBox)
    spin.selectAll()
    qtbot.keyClicks(spin, "150")
    qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert (heard.changed, heard.released) == ([1.0], [1.0])
    assert spin.text() == "100 %"
    spin.selectAll()
    qtbot.keyClicks(spin, "1500")
    assert spin.text() == "150 %"


@pytest.mark.parametrize(("typed", "ratio"), [("84.25", 0.84), ("84,7", 0.85), ("100.5", 1.0), ("0.3", 0.01)])
def test_decimals_are_rounded_and_not_taken_for_more_digits(
    qtbot: QtBot, bar: RetentionBar, heard: Heard, typed: str, ratio: float
) -> None:
    bar.set_retention(0.5)
    spin = bar.findChild(QSpinBox)
    spin.selectAll()
    qtbot.keyClicks(spin, typed)
    qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert heard.released == [ratio]
    assert spin.text() == f"{100 * ratio:.0f} %"


def test_the_automatic_ratio_is_fixed_by_typing_it(qtbot: QtBot, bar: RetentionBar, heard: Heard) -> None:
    bar.show_plan(make_plan())
    spin = bar.findChild(QSpinBox)
    spin.selectAll()
    qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert heard.changed == []
    qtbot.keyClicks(spin, "76")
    qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert (heard.changed, heard.released) == ([0.76], [0.76])
    assert not auto_box(bar).isChecked()


def test_automatic_can_be_taken_back_and_switched_off_at_the_same_ratio(
    bar: RetentionBar, heard: Heard
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
    assert bar._retention == 0.255
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


def test_reading_again_on_release_is_told_only_when_the_person_switches_it(bar: RetentionBar) -> None:
    switched = emissions(bar.reread_toggled)
    bar.set_reread(False)
    assert switched == []
    next(box for box in bar.findChildren(QCheckBox) if box is not auto_box(bar)).click()
    assert switched == [True]


def test_every_control_has_a_name_and_a_tooltip(bar: RetentionBar) -> None:
    for control in (slider(bar), bar.findChild(QSpinBox), *bar.findChildren(QCheckBox)):
        assert control.toolTip()
        assert control.accessibleName() or control.text()


# Marks and detents


def marks(bar: RetentionBar) -> RetentionMarks:
    return bar.findChild(RetentionMarks)


NO_KEYS = Qt.KeyboardModifier.NoModifier


def drag(
    qtbot: QtBot, bar: RetentionBar, percents: list[int], keys: Qt.KeyboardModifier = NO_KEYS
) -> list[int]:
    """Drag the handle to where the style puts these ratios; gives the ratios it came to."""
    bar.resize(1600, bar.height())  # a pixel is less than a percent
    moved = bar.findChild(RetentionSlider)
    middle = moved.height() // 2
    came_to = []
    qtbot.mousePress(moved, Qt.MouseButton.LeftButton, pos=QPoint(moved.handle_x(moved.value()), middle))
    for percent in percents:
        place = QPointF(moved.handle_x(percent), middle)
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            place,
            moved.mapToGlobal(place),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            keys,
        )
        QApplication.sendEvent(moved, move)
        came_to.append(moved.value())
    qtbot.mouseRelease(moved, Qt.MouseButton.LeftButton)
    return came_to


def test_a_dragged_handle_catches_at_the_detents_only(qtbot: QtBot, bar: RetentionBar, heard: Heard) -> None:
    bar.set_retention(0.6)
    assert drag(qtbot, bar, [52, 51, 50, 49, 48, 26, 80, 83, 99]) == [52, 50, 50, 50, 48, 25, 80, 84, 100]
    assert heard.changed == [0.52, 0.5, 0.48, 0.25, 0.8, 0.84, 1.0]
    assert heard.released == [1.0]


def test_shift_lets_the_handle_pass_the_detents(qtbot: QtBot, bar: RetentionBar) -> None:
    bar.set_retention(0.6)
    shift = Qt.KeyboardModifier.ShiftModifier
    assert drag(qtbot, bar, [51, 49, 83, 99], shift) == [51, 49, 83, 99]


def test_keys_and_typed_numbers_go_past_the_detents(qtbot: QtBot, bar: RetentionBar, heard: Heard) -> None:
    bar.set_retention(0.5)
    qtbot.keyClick(slider(bar), Qt.Key.Key_Right)
    assert heard.changed == [0.51]
    bar.findChild(QSpinBox).setValue(83)
    assert heard.changed == [0.51, 0.83]


@pytest.mark.parametrize("style_name", QStyleFactory.keys())
@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_marks_stand_where_the_handle_would_in_every_style(
    bar: RetentionBar, style_name: str, direction: Qt.LayoutDirection
) -> None:
    style = QStyleFactory.create(style_name)
    bar.setLayoutDirection(direction)
    moved = bar.findChild(RetentionSlider)
    moved.setStyle(style)
    bar.show_plan(make_plan(0.5))
    for mark in marks(bar).marks():
        bar.set_retention(mark.percent / 100)
        option = QStyleOptionSlider()
        moved.initStyleOption(option)
        handle = style.subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, moved
        )
        assert abs(handle.center().x() - mark.x) <= 1
    assert marks(bar).x() == moved.x()
    assert marks(bar).width() == moved.width()
    moved.setStyle(None)


def test_automatic_retention_is_marked_wherever_the_slider_stands(bar: RetentionBar) -> None:
    assert not any(mark.is_automatic for mark in marks(bar).marks())
    bar.show_plan(make_plan(0.3))
    first, *others = marks(bar).marks()
    assert (first.is_automatic, first.label) == (True, "Auto")
    assert first.percent == pytest.approx(76)
    assert {mark.percent for mark in others} == set(DETENTS)
    assert "Automatic retention: 76.0 %" in marks(bar).accessibleDescription()
    bar.show_plan(None)
    assert "not known yet" in marks(bar).accessibleDescription()


def test_every_mark_has_a_name_and_the_ratio_of_the_paper_says_so(bar: RetentionBar) -> None:
    bar.show_plan(make_plan(0.3))
    strip = marks(bar)
    names = {round(mark.percent): strip.name_at(QPoint(mark.x, 1)) for mark in strip.marks()}
    assert names[84] == "84 %: the ratio published in the paper (84.25 %)"
    assert names[76].startswith("Auto: 76.0 %")
    assert "84.25" in slider(bar).toolTip()
    assert strip.name_at(QPoint(strip.marks()[0].x - 30, 1)) == ""


@pytest.mark.parametrize("window", ["#efefef", "#323232"])
def test_the_numbers_below_the_slider_can_be_read_in_light_and_dark(bar: RetentionBar, window: str) -> None:
    bar.setPalette(QPalette(QColor(window)))
    ground, shown = bar.palette().window().color(), marks(bar).grab().toImage()
    for box in (mark.label_box for mark in marks(bar).marks() if mark.label):
        columns, rows = range(box.left(), box.right()), range(box.bottom())
        assert max(contrast(shown.pixelColor(x, y), ground) for x in columns for y in rows) > 4.8


def test_labels_of_marks_never_touch_and_stay_inside(qtbot: QtBot, bar: RetentionBar) -> None:
    bar.show_plan(make_plan(0.3))
    for width in (640, 760, 900, 1600):
        bar.resize(width, bar.height())
        qtbot.waitUntil(lambda: marks(bar).width() == slider(bar).width())
        boxes = [mark.label_box for mark in marks(bar).marks() if mark.label]
        assert len(boxes) > 1
        assert not any(box.intersects(other) for box in boxes for other in boxes if box is not other)
        assert all(marks(bar).rect().contains(box) for box in boxes)


def test_the_numbers_of_the_marks_grow_with_the_font(qtbot: QtBot, bar: RetentionBar) -> None:
    before = marks(bar).marks()[0].label_box
    bar.setFont(QFont(bar.font().family(), 2 * bar.font().pointSize()))
    qtbot.waitUntil(lambda: marks(bar).height() > 1.5 * before.height())
    after = marks(bar).marks()[0].label_box
    assert after.width() > 1.8 * before.width()
    assert marks(bar).rect().contains(after)


def test_a_narrow_bar_says_its_counts_in_fewer_words_and_keeps_them_all_in_the_tooltip(
    qtbot: QtBot, bar: RetentionBar
) -> None:
    bar.show_plan(make_plan(0.5))
    assert bar.minimumSizeHint().width() <= 640
    label = label_called(bar, "Token counts")
    full = "128 of 256 kept, 128 merged · automatic: 76 %"
    bar.resize(bar.minimumSizeHint().width(), bar.height())
    qtbot.waitUntil(lambda: counts(bar) == "128/256")
    assert (label.toolTip(), label.accessibleDescription()) == (full, full)
    bar.resize(900, bar.height())
    qtbot.waitUntil(lambda: counts(bar) == full)


@pytest.fixture
def focused(qtbot: QtBot, bar: RetentionBar) -> QSpinBox:
    """The number, to be typed over, while the ratio is automatic and not known yet."""
    bar.set_retention(None)
    box = bar.findChild(QSpinBox)
    bar.activateWindow()
    qtbot.waitUntil(bar.isActiveWindow)
    box.setFocus()
    box.selectAll()
    return box


def test_a_number_that_is_being_typed_is_not_replaced_by_the_automatic_one(
    qtbot: QtBot, bar: RetentionBar, focused: QSpinBox, heard: Heard
) -> None:
    qtbot.keyClick(focused, Qt.Key.Key_4)
    bar.show_plan(make_plan())
    qtbot.keyClick(focused, Qt.Key.Key_5)
    qtbot.keyClick(focused, Qt.Key.Key_Return)
    assert heard.released == [0.45]


def test_a_number_that_was_begun_and_given_up_makes_room_for_the_automatic_one(
    qtbot: QtBot, bar: RetentionBar, focused: QSpinBox, heard: Heard
) -> None:
    qtbot.keyClick(focused, Qt.Key.Key_Delete)
    bar.show_plan(make_plan())
    assert slider(bar).value() != 76
    slider(bar).setFocus()
    assert (slider(bar).value(), focused.value(), heard.released) == (76, 76, [])
