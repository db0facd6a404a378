"""What the overlay bar promises: it says what the colours mean, and tells choices once, when made by hand."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor, QPalette
from PySide6.QtWidgets import QComboBox, QMainWindow, QSlider, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.export.looks import OPACITY, VIRIDIS, Legend, Look
from rtocr_gui.ui.page.overlay_bar import OverlayBar
from rtocr_gui.ui.parts.actions import make_actions
from tests.ui.contrast import contrast
from tests.ui.steps import emissions, in_sight

LEGEND = Legend("Mass received", "merged tokens", 0.351, 0.484, True, True, VIRIDIS, "0.2 to 0.9 occur.")


@pytest.fixture
def bar(qtbot: QtBot) -> Iterator[OverlayBar]:
    owner = QMainWindow()
    yield in_sight(qtbot, OverlayBar(make_actions(owner)["global_grid"]), 700)
    owner.deleteLater()


def child(bar: OverlayBar, kind: type[QWidget]) -> QWidget:
    found = bar.findChild(kind)
    assert found is not None
    return found


def strip(bar: OverlayBar) -> QWidget:
    """The painted legend."""
    return next(widget for widget in bar.findChildren(QWidget) if "Legend" in type(widget).__name__)


def hues(widget: QWidget) -> set[str]:
    image = widget.grab().toImage()
    row = image.height() // 2
    return {image.pixelColor(column, row).name() for column in range(image.width())}


def test_a_look_chosen_by_hand_is_told_and_one_set_is_not(qtbot: QtBot, bar: OverlayBar) -> None:
    told = emissions(bar.look_chosen)
    bar.set_look(Look.MASS)
    assert (bar.look, told) == (Look.MASS, [])
    qtbot.keyClick(child(bar, QComboBox), Qt.Key.Key_Down)
    assert told == [Look.DENSITY] == [bar.look]


def test_opacity_moved_by_hand_is_told_and_one_set_is_not(qtbot: QtBot, bar: OverlayBar) -> None:
    told = emissions(bar.opacity_changed)
    slider = child(bar, QSlider)
    assert isinstance(slider, QSlider)
    assert slider.value() == round(100 * OPACITY)
    bar.set_opacity(0.3)
    assert (slider.value(), told) == (30, [])
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert told == [0.31]
    assert "31 %" in slider.toolTip()


def test_a_grid_is_offered_for_pages_with_tiles_only(bar: OverlayBar) -> None:
    button = child(bar, QToolButton)
    assert not button.isVisible()
    bar.show_grids(True)
    assert button.isVisible()
    bar.set_overlay_visible(False)
    assert not button.isEnabled()
    bar.show_grids(False)
    assert not button.isVisible()


@pytest.mark.parametrize("window", ["#efefef", "#323232"])
def test_a_switch_that_is_on_is_told_from_one_that_is_off(bar: OverlayBar, window: str) -> None:
    palette = QPalette(QColor(window))
    palette.setColor(QPalette.ColorRole.Highlight, QColor("#308cc6"))
    bar.setPalette(palette)
    bar.show_grids(True)
    button = child(bar, QToolButton)
    assert isinstance(button, QToolButton)
    off = button.grab().toImage()
    button.defaultAction().toggle()
    on = button.grab().toImage()
    middle = off.width() // 2
    columns = [[image.pixelColor(middle, row) for row in range(image.height())] for image in (off, on)]
    assert max(contrast(one, other) for one, other in zip(*columns, strict=True)) > 2.5


def test_a_page_with_tiles_takes_no_more_room_than_another(bar: OverlayBar) -> None:
    least = bar.minimumSizeHint()
    bar.show_grids(True)
    assert bar.minimumSizeHint() == least


def test_the_legend_shows_its_colours_and_tells_its_values(bar: OverlayBar) -> None:
    assert strip(bar).accessibleName() == "Clear: kept. Veiled: merged."
    bar.set_look(Look.MASS)
    assert len(hues(strip(bar))) == 1, "a map whose values are not there yet"
    bar.show_legend(LEGEND)
    assert strip(bar).accessibleName() == "Mass received (merged tokens): < 0.35 to > 0.48"
    assert LEGEND.note in strip(bar).toolTip()
    assert len(hues(strip(bar))) > 50


def test_the_colours_in_the_legend_are_those_on_white_paper(bar: OverlayBar) -> None:
    bar.show_legend(LEGEND)
    bar.set_opacity(0)
    shown = {QColor(name).saturation() for name in hues(strip(bar))}
    bar.set_opacity(1)
    assert max(shown) < max(QColor(name).saturation() for name in hues(strip(bar)))


@pytest.mark.parametrize("look", list(Look))
def test_everything_fits_in_a_narrow_pane(bar: OverlayBar, look: Look) -> None:
    bar.show_grids(True)
    bar.set_look(look)
    bar.show_legend(None if look is Look.KEPT else LEGEND)
    bar.resize(400, bar.height())
    assert bar.minimumSizeHint().width() <= 400
    right_edges = [widget.geometry().right() for widget in (child(bar, QToolButton), strip(bar))]
    assert max(right_edges) < 400
    if look is not Look.KEPT:
        assert len(hues(strip(bar))) > 10


@pytest.mark.parametrize("look", [Look.KEPT, Look.MASS])
def test_a_legend_without_room_for_words_shows_its_colours(bar: OverlayBar, look: Look) -> None:
    bar.show_grids(True)
    bar.set_look(look)
    bar.show_legend(None if look is Look.KEPT else LEGEND)
    bar.resize(bar.minimumSizeHint().width(), bar.height())
    assert strip(bar).width() < 12 * bar.fontMetrics().averageCharWidth()
    assert len(hues(strip(bar))) > 2


def test_everything_has_a_name_and_a_tooltip(bar: OverlayBar) -> None:
    bar.show_grids(True)
    for kind in (QComboBox, QSlider, QToolButton):
        assert QAccessible.queryAccessibleInterface(child(bar, kind)).text(QAccessible.Text.Name)
        assert child(bar, kind).toolTip()
    assert strip(bar).accessibleName()
