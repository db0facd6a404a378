"""What the comparison promises: it asks for what was chosen, marks what differs, and leads to each place."""

import dataclasses

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFont, QPalette, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QComboBox, QLabel, QListView, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import TASKS, Mode, Reading, ReadSettings, Scaling, StopReason
from rtocr_gui.ocr.text.comparison import Difference, compare_texts
from rtocr_gui.pruning.plan import PruneMethod, PruneSettings
from rtocr_gui.ui.state.shown import ComparisonShown
from rtocr_gui.ui.text.compare_view import SAME, CompareView
from rtocr_gui.ui.text.compared_text import ComparedText
from tests.made_readings import make_reading
from tests.ui.steps import emissions, in_sight, label_called, turn_wheel

LEFT = "Order 12\nTotal 12.50\nPaid in cash\n"
RIGHT = "Order 12\nTota1 12.50 EUR\nin cash\n"


def reading(text: str, pruning: PruneSettings) -> Reading:
    return make_reading(ReadSettings(Scaling(Mode.BASE), TASKS[1], pruning), text)


def shown(left: str, right: str) -> ComparisonShown:
    return ComparisonShown(
        reading(left, PruneSettings(1.0)),
        reading(right, PruneSettings(0.5, method=PruneMethod.RANDOM)),
        compare_texts(left, right),
    )


@pytest.fixture
def view(qtbot: QtBot) -> CompareView:
    return in_sight(qtbot, CompareView(), 600, 400)


@pytest.fixture
def places(view: CompareView) -> list[Difference]:
    return emissions(view.place_chosen)


def texts(view: CompareView) -> tuple[ComparedText, ComparedText]:
    left, right = sorted(view.findChildren(ComparedText), key=lambda text: text.accessibleName())
    return left, right


def called(view: CompareView, name: str) -> QWidget:
    return next(widget for widget in view.findChildren(QWidget) if widget.accessibleName() == name)


def box(view: CompareView, name: str) -> QComboBox:
    found = called(view, name)
    assert isinstance(found, QComboBox)
    return found


def button(view: CompareView, text: str) -> QPushButton:
    return next(found for found in view.findChildren(QPushButton) if found.text() == text)


def summary(view: CompareView) -> str:
    return label_called(view, "Outcome of the comparison").text()


def differences(view: CompareView) -> QListView:
    found = called(view, "Differences")
    assert isinstance(found, QListView)
    return found


def rows(view: CompareView, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> list[str]:
    model = differences(view).model()
    return [model.index(row, 0).data(role) for row in range(model.rowCount())]


def choose(view: CompareView, row: int) -> None:
    differences(view).setCurrentIndex(differences(view).model().index(row, 0))


def looks(text: ComparedText, excerpt: str) -> QTextCharFormat:
    """How the first place of an excerpt is drawn."""
    cursor = QTextCursor(text.document())
    cursor.setPosition(text.toPlainText().index(excerpt) + 1)
    return cursor.charFormat()


def requested(qtbot: QtBot, view: CompareView) -> list[PruneSettings]:
    with qtbot.waitSignal(view.comparison_requested) as caught:
        button(view, "Compare").click()
    return list(caught.args)


def test_all_tokens_are_held_against_the_ratio_of_the_slider(qtbot: QtBot, view: CompareView) -> None:
    assert requested(qtbot, view) == [PruneSettings(1.0), PruneSettings()]
    view.show_retention(0.62)
    assert box(view, "Right reading: tokens").currentText() == "Slider: 62 %"
    assert requested(qtbot, view) == [PruneSettings(1.0), PruneSettings(0.62)]


def test_any_ratio_and_every_baseline_can_be_chosen(qtbot: QtBot, view: CompareView) -> None:
    box(view, "Left reading: tokens").setCurrentText("50 %")
    box(view, "Right reading: tokens").setCurrentText("Auto")
    for method in PruneMethod:
        box(view, "Right reading: method").setCurrentText(method.label)
        assert requested(qtbot, view) == [PruneSettings(0.5), PruneSettings(None, method=method)]
    view.show_retention(0.3)
    assert requested(qtbot, view)[0] == PruneSettings(0.5)


def test_no_method_is_chosen_for_all_tokens(qtbot: QtBot, view: CompareView) -> None:
    assert not box(view, "Left reading: method").isEnabled()
    box(view, "Right reading: method").setCurrentText("Random")
    view.show_retention(1.0)
    assert not box(view, "Right reading: method").isEnabled()
    assert requested(qtbot, view) == [PruneSettings(1.0), PruneSettings(1.0)]


def test_both_texts_are_shown_with_how_they_came_about(view: CompareView) -> None:
    view.show_comparison(shown(LEFT, RIGHT))
    left, right = texts(view)
    assert (left.toPlainText(), right.toPlainText()) == (LEFT, RIGHT)
    assert left.accessibleName() == "Left reading: All tokens · 256 of 256 tokens"
    assert right.accessibleName() == "Right reading: Random 50 % · 128 of 256 tokens"


def test_a_reading_that_broke_off_says_so(view: CompareView) -> None:
    comparison = shown(LEFT, RIGHT)
    loop = dataclasses.replace(comparison.right, stop_reason=StopReason.LOOP)
    view.show_comparison(dataclasses.replace(comparison, right=loop))
    assert texts(view)[1].accessibleName().endswith("incomplete")


def test_changes_are_told_apart_by_lines_and_not_by_colour_alone(view: CompareView) -> None:
    view.show_comparison(shown(LEFT, RIGHT))
    left, right = texts(view)
    wave = QTextCharFormat.UnderlineStyle.WaveUnderline
    assert looks(left, "Paid").fontStrikeOut()
    assert looks(right, "EUR").fontUnderline()
    assert looks(left, "l 12.50").underlineStyle() == looks(right, "1 12.50").underlineStyle() == wave
    plain, word = looks(left, "Order"), looks(left, "Tota")
    assert plain.background().style() == Qt.BrushStyle.NoBrush
    assert word.background().color() not in (QColor("black"), looks(left, "l 12.50").background().color())
    assert word.underlineStyle() == QTextCharFormat.UnderlineStyle.NoUnderline


def test_marks_follow_the_colours_and_the_font(view: CompareView) -> None:
    view.show_comparison(shown(LEFT, RIGHT))
    light = looks(texts(view)[0], "Paid").background().color().lightness()
    dark = view.palette()
    dark.setColor(QPalette.ColorRole.Base, QColor("black"))
    dark.setColor(QPalette.ColorRole.Text, QColor("white"))
    view.setPalette(dark)
    assert looks(texts(view)[0], "Paid").background().color().lightness() < light
    view.setFont(QFont(view.font().family(), 20))
    assert texts(view)[0].document().defaultFont().pointSize() == 20
    assert looks(texts(view)[0], "Paid").fontStrikeOut()


def test_the_differences_are_listed_with_their_lines_and_read_out_in_words(view: CompareView) -> None:
    view.show_comparison(shown(LEFT, RIGHT))
    assert rows(view) == ["2:  Total → Tota1", "2:  + ␣EUR".replace("␣", " "), "3:  − Paid "]
    assert rows(view, Qt.ItemDataRole.AccessibleTextRole) == [
        "Line 2, Total on the left, Tota1 on the right",
        "Line 2, only on the right:  EUR",
        "Line 3, only on the left: Paid ",
    ]


def test_what_a_model_read_is_never_taken_for_rich_text(view: CompareView) -> None:
    view.show_comparison(shown("<img src=x.png>", "none"))
    (tip,) = rows(view, Qt.ItemDataRole.ToolTipRole)
    document = QTextDocument()
    document.setHtml(tip)
    assert document.toPlainText() == "Line 1, <img src=x.png> on the left, none on the right"


def test_the_outcome_is_counted_and_never_rounded_up_to_the_same(view: CompareView) -> None:
    view.show_comparison(shown("x" * 9999 + "y", "x" * 10000))
    assert summary(view) == "99.9 % alike · 1 difference"
    view.show_comparison(shown(LEFT, RIGHT))
    assert summary(view).endswith("3 differences")


def test_equal_and_empty_readings_are_told_in_words(view: CompareView) -> None:
    view.show_comparison(shown(LEFT, LEFT))
    assert summary(view) == SAME
    assert differences(view).isHidden()
    view.show_comparison(shown("", ""))
    assert summary(view) == "Neither reading found any text."


def test_error_rates_are_told_where_the_true_text_is_known(view: CompareView) -> None:
    view.show_comparison(dataclasses.replace(shown("one", "one!"), error_rates=(0.0, 0.0123)))
    assert summary(view) == "75.0 % alike · 1 difference · error rates 0.0 % / 1.2 %"
    view.show_comparison(dataclasses.replace(shown("one", "one"), error_rates=(0.5, 0.5)))
    assert summary(view) == f"{SAME} Error rate: 50.0 %"
    view.show_comparison(shown(LEFT, ""))
    assert rows(view) == ["1:  − Order 12↵Total 12.50↵Paid in cash↵"]
    assert texts(view)[1].placeholderText() == "No text was read."


def test_the_keys_go_from_difference_to_difference_and_round(
    qtbot: QtBot, view: CompareView, places: list[Difference]
) -> None:
    comparison = shown(LEFT, RIGHT)
    view.show_comparison(comparison)
    first, second, third = comparison.comparison.differences
    view.activateWindow()
    texts(view)[0].setFocus()
    for modifier in (Qt.KeyboardModifier.NoModifier,) * 4 + (Qt.KeyboardModifier.ShiftModifier,):
        qtbot.keyClick(texts(view)[0], Qt.Key.Key_F8, modifier)
    assert places == [first, second, third, first, third]
    assert any(label.text() == "3 of 3" for label in view.findChildren(QLabel))


def test_the_only_difference_is_shown_again_by_another_step(
    qtbot: QtBot, view: CompareView, places: list[Difference]
) -> None:
    lines = [f"line {number}" for number in range(400)]
    comparison = shown("\n".join(["old", *lines]), "\n".join(["new", *lines]))
    view.show_comparison(comparison)
    left = texts(view)[0]
    view.activateWindow()
    qtbot.keyClick(left, Qt.Key.Key_F8)
    left.verticalScrollBar().setValue(left.verticalScrollBar().maximum())
    qtbot.keyClick(left, Qt.Key.Key_F8)
    assert _line_at_top(left) == "old"
    assert places == [*comparison.comparison.differences] * 2


def test_the_first_step_back_goes_to_the_last_difference(view: CompareView, places: list[Difference]) -> None:
    comparison = shown(LEFT, RIGHT)
    view.show_comparison(comparison)
    next(found for found in view.findChildren(QToolButton) if "Previous" in found.toolTip()).click()
    assert places == [comparison.comparison.differences[-1]]


def test_choosing_points_out_the_place_in_both_texts(view: CompareView) -> None:
    view.show_comparison(shown("👍 " + LEFT, "👍 " + RIGHT))
    choose(view, 0)
    pointed = [text.extraSelections() for text in texts(view)]
    assert [place.cursor.selectedText() for (place,) in pointed] == ["Total", "Tota1"]  # type: ignore[attr-defined]


def test_a_click_on_a_difference_chooses_it(
    qtbot: QtBot, view: CompareView, places: list[Difference]
) -> None:
    comparison = shown(LEFT, RIGHT)
    view.show_comparison(comparison)
    for text, excerpt in zip(texts(view), ("12.50", "EUR"), strict=True):
        cursor = QTextCursor(text.document())
        cursor.setPosition(text.toPlainText().index(excerpt) + 2)
        spot = text.cursorRect(cursor).center()
        qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert places == [comparison.comparison.differences[1]]


def test_texts_scroll_together_by_what_they_say(view: CompareView) -> None:
    lines = [f"line {number}" for number in range(400)]
    longer = [*lines[:10], *(f"new {number}" for number in range(50)), *lines[10:]]
    view.show_comparison(shown("\n".join(lines), "\n".join(longer)))
    left, right = texts(view)
    left.verticalScrollBar().setValue(left.verticalScrollBar().maximum() // 2)
    assert _line_at_top(left) == _line_at_top(right) != "line 0"
    right.verticalScrollBar().setValue(right.verticalScrollBar().maximum() // 3)
    assert _line_at_top(left) == _line_at_top(right)


def test_a_difference_far_down_comes_into_sight_at_one_height(view: CompareView) -> None:
    lines = [f"line {number}" for number in range(400)]
    changed = ["new", *lines[:300], "other words", *lines[301:]]
    comparison = shown("\n".join(lines), "\n".join(changed))
    view.show_comparison(comparison)
    left, right = texts(view)
    difference = comparison.comparison.differences[-1]
    choose(view, 1)
    height = left.height_of(difference.left.start)
    assert 0 < height < left.viewport().height()
    assert abs(right.height_of(difference.right.start) - height) <= 1


def _line_at_top(text: ComparedText) -> str:
    position, _ = text.top()
    return text.toPlainText()[position:].partition("\n")[0]


def test_places_stay_places_whatever_the_text_holds(view: CompareView) -> None:
    hostile = "a\0b\r\nc\u2028d\u2029e\ufdd0f\u202eg👍🏽h\ud800i\u0301"
    view.show_comparison(shown(hostile + " Total", hostile + " Tota1"))
    choose(view, 0)
    (place,) = texts(view)[0].extraSelections()
    assert place.cursor.selectedText() == "Total"  # type: ignore[attr-defined]


def test_texts_can_be_selected_and_not_changed(qtbot: QtBot, view: CompareView) -> None:
    view.show_comparison(shown(LEFT, RIGHT))
    left, _ = texts(view)
    qtbot.keyClicks(left, "typed")
    left.selectAll()
    assert left.toPlainText() == LEFT
    assert left.textCursor().selectedText().startswith("Order 12")


def test_a_comparison_under_way_can_be_stopped_and_says_how_far_it_is(
    qtbot: QtBot, view: CompareView
) -> None:
    view.show_comparison(shown(LEFT, LEFT))
    view.show_activity("Reading: Auto… 12 tokens so far", True)
    assert summary(view) == "Reading: Auto… 12 tokens so far"
    assert button(view, "Compare").isHidden()
    with qtbot.waitSignal(view.stop_requested):
        button(view, "Stop").click()
    view.show_activity("", False)
    assert summary(view) == SAME
    assert button(view, "Stop").isHidden()


def test_without_a_comparison_nothing_is_left_of_the_last_one(
    view: CompareView, places: list[Difference]
) -> None:
    view.show_comparison(shown(LEFT, RIGHT))
    view.show_comparison(None)
    assert [text.toPlainText() for text in texts(view)] == ["", ""]
    assert rows(view) == []
    assert summary(view) == "Choose how each reading is made, then press Compare."
    texts(view)[0].place_clicked.emit(0)
    assert places == []


@pytest.mark.parametrize("row", range(3))
@pytest.mark.parametrize("is_there", [True, False])
def test_what_comes_after_a_chosen_difference_has_none_chosen(
    view: CompareView, places: list[Difference], row: int, is_there: bool
) -> None:
    view.show_comparison(shown(LEFT, RIGHT))
    choose(view, row)
    view.show_comparison(shown(LEFT, RIGHT) if is_there else None)
    assert len(places) == 1
    assert label_called(view, "Number of the selected difference").text() == ""


def test_texts_stand_side_by_side_and_in_a_narrow_pane_one_above_the_other(view: CompareView) -> None:
    def places() -> list[QPoint]:
        return [text.mapTo(view, QPoint()) for text in texts(view)]

    assert places()[0].y() == places()[1].y()
    view.resize(view.minimumSizeHint().width(), 500)
    assert places()[0].x() == places()[1].x()
    assert texts(view)[0].width() > 100


def test_every_control_has_a_name_and_a_tooltip(view: CompareView) -> None:
    view.show_comparison(shown(LEFT, RIGHT))
    for kind in (QComboBox, QPushButton, QToolButton, ComparedText):
        for control in view.findChildren(kind):
            assert control.toolTip()
            assert control.accessibleName() or control.text()


def test_the_keyboard_stays_with_the_button_that_takes_the_place(view: CompareView) -> None:
    view.activateWindow()
    button(view, "Compare").setFocus()
    view.show_activity("Reading…", True)
    assert button(view, "Stop").hasFocus()
    view.show_activity("", False)
    assert button(view, "Compare").hasFocus()


def test_the_wheel_changes_no_choice_while_scrolling_past_it(view: CompareView) -> None:
    boxes = view.findChildren(QComboBox)
    before = [box.currentIndex() for box in boxes]
    for box in boxes:
        turn_wheel(box, angle=-120)
    assert [box.currentIndex() for box in boxes] == before
