"""What the curve promises: live, found by pointer and keyboard, adopted by a click, honest about doubts."""

import dataclasses
import re
from itertools import combinations
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.truth import Truth
from rtocr_gui.ocr.curve import CURVE_RATIOS, CurvePoint
from rtocr_gui.ocr.reading import StopReason
from rtocr_gui.ui.state.shown import CurveShown
from rtocr_gui.ui.tuning.curve_axes import Series, shares_of
from rtocr_gui.ui.tuning.curve_plot import CurvePlot, describe
from rtocr_gui.ui.tuning.curve_view import CurveView
from rtocr_gui.ui.tuning.plot_colours import PlotColours
from tests.ui.contrast import contrast
from tests.ui.steps import emissions, in_sight, label_called


def make_point(retention: float, automatic: bool = False, error_rate: float | None = None) -> CurvePoint:
    return CurvePoint(
        retention=retention,
        automatic=automatic,
        kept=int(256 * retention),
        total=256,
        similarity=1 - (1 - retention) / 2,
        error_rate=error_rate,
        prefill_ms=200 * retention,
        decode_ms=90.0,
        tokens=310,
        passes=20,
        read_together=False,
        stop_reason=StopReason.END,
        words=22,
        unsure_words=0,
    )


FIRST, *FALLING = (make_point(ratio) for ratio in CURVE_RATIOS)
AUTO = make_point(0.8, automatic=True)
POINTS = (FIRST, AUTO, *FALLING)
WHOLE = CurveShown(POINTS, 9, running=False)


@pytest.fixture
def view(qtbot: QtBot) -> CurveView:
    return in_sight(qtbot, CurveView(), 420, 380)


@pytest.fixture
def chosen(view: CurveView) -> list[float | None]:
    return emissions(view.retention_chosen)


def plot(view: CurveView) -> CurvePlot:
    return view.findChild(CurvePlot)


def button(view: CurveView, text: str) -> QPushButton:
    return next(each for each in view.findChildren(QPushButton) if text in each.text().replace("&", ""))


def caption(view: CurveView) -> QLabel:
    return label_called(view, "Selected point")


def said(view: CurveView, name: str) -> str:
    return label_called(view, name).text()


def place_of(view: CurveView, point: CurvePoint) -> QPoint:
    axes = plot(view)._axes()
    return QPointF(axes.x(point.retention), axes.y(point.similarity)).toPoint()


def test_one_button_begins_and_ends_a_curve(qtbot: QtBot, view: CurveView) -> None:
    with qtbot.waitSignal(view.curve_requested):
        button(view, "Read curve").click()
    view.show_curve(CurveShown((), 9, running=True))
    assert said(view, "Progress of the curve") == "0 of 9"
    assert not button(view, "Read curve").isVisible()
    with qtbot.waitSignal(view.stop_requested):
        button(view, "Stop").click()
    view.show_curve(WHOLE)
    assert not button(view, "Stop").isVisible()
    assert button(view, "Read curve again").isVisible()


def test_points_show_up_as_they_arrive(view: CurveView) -> None:
    for count in range(1, 9):
        view.show_curve(CurveShown(POINTS[:count], 9, running=True))
        assert said(view, "Progress of the curve") == f"{count} of 9"
        assert plot(view).accessibleDescription().count("similar to all tokens") == count
    view.show_curve(WHOLE)
    assert said(view, "Progress of the curve") == ""


def test_a_curve_that_was_stopped_says_how_far_it_came_and_offers_the_rest(
    qtbot: QtBot, view: CurveView
) -> None:
    view.show_curve(CurveShown(POINTS[:3], 9, running=False))
    assert said(view, "Progress of the curve") == "3 of 9"
    assert button(view, "Export").isEnabled()
    with qtbot.waitSignal(view.curve_requested):
        button(view, "Read the rest").click()


def test_export_waits_for_points(qtbot: QtBot, view: CurveView) -> None:
    assert not button(view, "Export").isEnabled()
    view.show_curve(CurveShown((), 9, running=True))
    assert not button(view, "Export").isEnabled()
    view.show_curve(CurveShown(POINTS[:3], 9, running=True))
    with qtbot.waitSignal(view.export_requested):
        button(view, "Export").click()


def test_a_click_adopts_the_ratio_of_the_point_and_of_auto_automatic(
    qtbot: QtBot, view: CurveView, chosen: list[float | None]
) -> None:
    view.show_curve(WHOLE)
    for point in (FALLING[5], AUTO):
        qtbot.mouseClick(plot(view), Qt.MouseButton.LeftButton, pos=place_of(view, point))
    assert chosen == [0.5, None]


def test_a_click_beside_the_points_adopts_nothing(
    qtbot: QtBot, view: CurveView, chosen: list[float | None]
) -> None:
    view.show_curve(WHOLE)
    qtbot.mouseClick(plot(view), Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    qtbot.mouseClick(plot(view), Qt.MouseButton.RightButton, pos=place_of(view, AUTO))
    assert chosen == []


def test_the_arrow_keys_walk_the_points_by_ratio_and_enter_adopts(
    qtbot: QtBot, view: CurveView, chosen: list[float | None]
) -> None:
    view.show_curve(WHOLE)
    keys = Qt.Key
    walked = []
    for key in (keys.Key_End, keys.Key_Right, keys.Key_Left, keys.Key_Left, keys.Key_Left, keys.Key_Left):
        qtbot.keyClick(plot(view), key)
        walked.append(plot(view).current)
    assert walked == [FIRST, FIRST, FALLING[0], FALLING[1], FALLING[2], AUTO]
    assert said(view, "Selected point") == plot(view).accessibleDescription() == describe(AUTO)
    qtbot.keyClick(plot(view), keys.Key_Return)
    qtbot.keyClick(plot(view), keys.Key_Home)
    qtbot.keyClick(plot(view), keys.Key_Space)
    assert chosen == [None, 0.25]


def test_hovering_names_the_point_and_leaving_forgets_it(qtbot: QtBot, view: CurveView) -> None:
    view.show_curve(WHOLE)
    qtbot.mouseMove(plot(view), place_of(view, FALLING[5]))
    qtbot.waitUntil(lambda: said(view, "Selected point") == describe(FALLING[5]))
    qtbot.mouseMove(plot(view), QPoint(3, 3))
    qtbot.waitUntil(lambda: "Point at a mark" in said(view, "Selected point"))


def test_what_the_accuracy_refers_to_is_named(view: CurveView) -> None:
    view.show_curve(dataclasses.replace(WHOLE, truth=Truth(Path("/scans/<b>letter.txt"), "true")))
    assert said(view, "Selected point").startswith("True text: <b>letter.txt. Point at a mark")
    assert "True text: &lt;b&gt;letter.txt." in caption(view).toolTip()
    view.show_curve(WHOLE)
    assert said(view, "Selected point").startswith("No true text: unsure words hint at errors. Point at a")


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        (Truth(Path(f"{'Report_' * 12}.pdf"), "true"), r"True text: Report_.*….*\.pdf\. Point at a mark"),
        (None, "No true text: .* Point at a mark"),
    ],
)
def test_what_the_accuracy_refers_to_leaves_room_for_the_rest(
    qtbot: QtBot, view: CurveView, truth: Truth | None, said: str
) -> None:
    view.resize(280, 380)  # in a window 860 pixels wide
    view.show_curve(dataclasses.replace(WHOLE, truth=truth))
    label = caption(view)
    hint = label.text()
    assert re.match(said, hint)
    qtbot.waitUntil(lambda: label.width() < 280)
    room = label.fontMetrics().boundingRect(label.contentsRect(), Qt.TextFlag.TextWordWrap, hint)
    assert label.contentsRect().contains(room)


def test_a_point_that_is_gone_is_no_longer_in_hand(qtbot: QtBot, view: CurveView) -> None:
    view.show_curve(WHOLE)
    qtbot.keyClick(plot(view), Qt.Key.Key_Home)
    view.show_curve(CurveShown())
    assert plot(view).current is None
    assert said(view, "Selected point") == ""
    assert "Read the page at 8 ratios" in plot(view).accessibleDescription()


def test_a_point_in_hand_stays_when_others_arrive(qtbot: QtBot, view: CurveView) -> None:
    view.show_curve(CurveShown(POINTS[:2], 9, running=True))
    qtbot.keyClick(plot(view), Qt.Key.Key_Home)
    view.show_curve(CurveShown(POINTS[:4], 9, running=True))
    assert plot(view).current == AUTO


@pytest.mark.parametrize(
    ("point", "second_line"),
    [
        (make_point(0.5, error_rate=0.1), {Series.ACCURACY: 0.9}),
        (make_point(0.5, error_rate=3.0), {Series.ACCURACY: 0.0}),
        (dataclasses.replace(make_point(0.5), unsure_words=11), {Series.SURE_WORDS: 0.5}),
        (dataclasses.replace(make_point(0.5), words=0), {}),
    ],
)
def test_sure_words_stand_in_for_accuracy_where_the_true_text_is_unknown(
    point: CurvePoint, second_line: dict[Series, float]
) -> None:
    assert shares_of(point) == {Series.SIMILARITY: 0.75} | second_line


def test_a_point_is_described_with_all_its_figures() -> None:
    assert describe(AUTO) == "Auto, 80 %: 204 of 256 tokens · 90.0 % similar to all tokens · prefill 160 ms"
    with_truth = dataclasses.replace(make_point(0.5, error_rate=0.031), stop_reason=StopReason.LOOP)
    assert describe(with_truth) == (
        "50 %: 128 of 256 tokens · 75.0 % similar to all tokens · error rate 3.1 % · prefill 100 ms · "
        "began to repeat itself"
    )
    unsure = dataclasses.replace(AUTO, unsure_words=5)
    assert "similar to all tokens · 5 of 22 words unsure · prefill" in describe(unsure)


def test_a_doubtful_all_token_reading_is_told_above_the_curve(view: CurveView) -> None:
    view.show_curve(WHOLE)
    assert said(view, "Warning about the curve") == ""
    looping = dataclasses.replace(FIRST, stop_reason=StopReason.LOOP)
    view.show_curve(CurveShown((looping, *POINTS[1:]), 9))
    assert "began to repeat itself" in said(view, "Warning about the curve")


def test_no_curve_is_offered_where_nothing_can_be_read(view: CurveView) -> None:
    view.set_ready(False)
    assert not button(view, "Read curve").isEnabled()
    view.set_ready(True)
    assert button(view, "Read curve").isEnabled()


@pytest.mark.parametrize("size", [(300, 200), (500, 600)])
def test_every_point_lies_inside_the_plot_whatever_its_figures(
    view: CurveView, size: tuple[int, int]
) -> None:
    hopeless = dataclasses.replace(make_point(0.05, error_rate=3.0), similarity=0.0, prefill_ms=12345.0)
    view.resize(*size)
    view.show_curve(CurveShown((*POINTS, hopeless), 10))
    for point in (*POINTS, hopeless):
        assert plot(view).rect().contains(place_of(view, point))
    assert place_of(view, hopeless).x() < place_of(view, FALLING[-1]).x() < place_of(view, FIRST).x()
    assert place_of(view, hopeless).y() > place_of(view, FIRST).y()
    assert not plot(view).grab().isNull()


@pytest.mark.parametrize("has_truth", [True, False])
@pytest.mark.parametrize("points", [9, 20])
def test_words_and_numbers_around_the_plot_never_touch_and_are_never_cut(
    qtbot: QtBot, points: int, has_truth: bool
) -> None:
    shown = CurvePlot()
    qtbot.addWidget(shown)
    shown.setFont(QFont(shown.font().family(), points))
    shown.show_points((AUTO, make_point(0.5, error_rate=0.1 if has_truth else None)))
    metrics = shown.fontMetrics()
    for width in (320, 360, 460, 900):
        shown.resize(width, shown.minimumSizeHint().height())
        labels = shown._axes().ratio_labels(metrics)
        assert {"25", "50", "100"} <= {label for _, label in labels}
        boxes = [entry.box for entry in shown._legend()] + [box for box, _ in labels]
        assert not any(box.intersects(other) for box, other in combinations(boxes, 2))
        assert all(QRectF(shown.rect()).contains(box) for box in boxes)


@pytest.mark.parametrize("ground", ["white", "#1e1e1e"])
def test_every_colour_stands_out_from_the_ground_and_from_each_other(ground: str) -> None:
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.Base, QColor(ground))
    palette.setColor(QPalette.ColorRole.Text, QColor("black" if ground == "white" else "white"))
    colours = PlotColours.of(palette)
    for colour in (*colours.series, colours.faint):
        assert contrast(colour, colours.ground) >= 3
    assert len({colour.name() for colour in colours.series}) == len(Series)
