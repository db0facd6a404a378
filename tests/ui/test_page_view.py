"""What the page view promises: the overlay lies where the tokens are, at any zoom and display scale."""

import dataclasses
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPalette, QShortcut
from PySide6.QtWidgets import QLabel, QToolTip
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.export.looks import (
    OPACITY,
    VEIL_RGB,
    Look,
    cell_colours,
    cell_values,
    legend_of,
    tints,
)
from rtocr_gui.export.overlay import draw_lights, draw_overlay
from rtocr_gui.ocr.reading import Block, Mode
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, Transport, plan_pruning
from rtocr_gui.pruning.transport import transport_of
from rtocr_gui.ui.page.page_view import DROP_HINT, PageView
from rtocr_gui.ui.page.token_grid import border_lines, merged_runs, token_grid
from rtocr_gui.ui.page.token_overlay import TokenOverlay
from tests.made_plans import make_plan
from tests.ui.contrast import contrast
from tests.ui.steps import emissions, in_sight, tooltip_at, turn_wheel

PAGE = QSize(600, 800)
SHARP_AT = """
import sys
import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from rtocr_gui.ui.page.page_view import PageView
app = QApplication([])
noise = np.random.default_rng(1).integers(0, 255, (400, 300, 4), dtype=np.uint8)
noise[..., 3] = 255
page = QImage(noise.tobytes(), 300, 400, 1200, QImage.Format.Format_RGB32).copy()
view = PageView()
view.resize(500, 500)
view.show()
view.show_page(page)
view.actual_size()
shown = view.viewport().grab().toImage()
shown.setDevicePixelRatio(1)
place = view.content_rect()
assert shown.width() > 1.4 * view.viewport().width(), "the display scale was not applied"
assert shown.copy(place).convertToFormat(QImage.Format.Format_RGB32) == page
"""


def blank(size: QSize = PAGE, colour: str = "white") -> QImage:
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


@pytest.fixture
def view(qtbot: QtBot) -> PageView:
    return in_sight(qtbot, PageView(), 500, 600)


def shown_colour(view: PageView, page_point: QPointF) -> QColor:
    """Colour on the screen at a point of the page."""
    place = QPointF(view.content_rect().topLeft()) + page_point * view.zoom
    return view.viewport().grab().toImage().pixelColor(place.toPoint())


def centre(plan: PrunePlan, token: int) -> QPointF:
    """Middle of a prunable token's box, in page pixels."""
    left, top, right, bottom = plan.layout.boxes[plan.layout.prunable[token]].tolist()
    return QPointF((left + right) / 2, (top + bottom) / 2)


def on_screen(view: PageView, page_point: QPointF) -> QPoint:
    """Viewport position of a point of the page, at a display scale of 1."""
    return (QPointF(view.content_rect().topLeft()) + page_point * view.zoom).toPoint()


def covering(plan: PrunePlan, tokens: NDArray[np.int64]) -> list[int]:
    """Those of the tokens that cover a part of the page."""
    return [int(token) for token in tokens if not plan.layout.padding[plan.layout.prunable[token]]]


# Where the grid lies


@given(
    mode=st.sampled_from(Mode),
    width=st.integers(1, 8000),
    height=st.integers(1, 8000),
    tiles=st.sampled_from([(1, 2), (2, 1), (2, 3), (3, 3)]),
    name=st.sampled_from(["local", "global"]),
)
@settings(max_examples=30)
def test_every_cell_lies_on_the_box_of_its_token(
    mode: Mode, width: int, height: int, tiles: tuple[int, int], name: str
) -> None:
    assume(max(width, height) < 500 * min(width, height))
    layout = build_layout(mode, (width, height), tiles if mode is Mode.GUNDAM else (0, 0))
    grid = token_grid(layout, name)
    rows, columns = grid.on_page.shape
    x_edges = grid.rectangle.left() + np.arange(columns + 1) * grid.rectangle.width() / columns
    y_edges = grid.rectangle.top() + np.arange(rows + 1) * grid.rectangle.height() / rows
    x_edges, y_edges = x_edges.clip(0, width), y_edges.clip(0, height)
    cells = np.empty((rows, columns, 4))
    cells[..., 0], cells[..., 2] = x_edges[:-1], x_edges[1:]
    cells[..., 1], cells[..., 3] = y_edges[:-1, None], y_edges[1:, None]
    boxes = layout.boxes[layout.prunable][grid.first : grid.first + rows * columns].reshape(cells.shape)
    assert np.allclose(cells[grid.on_page], boxes[grid.on_page], rtol=0, atol=0.01)


@pytest.mark.parametrize("name", ["local", "global"])
def test_the_token_under_a_point_is_the_one_whose_box_holds_it(name: str) -> None:
    plan = make_plan(mode=Mode.GUNDAM, crop_wh=(2, 3))
    grid = token_grid(plan.layout, name)
    tokens = covering(plan, np.arange(grid.first, grid.first + grid.on_page.size))
    assert [grid.token_at(centre(plan, token)) for token in tokens] == tokens
    assert grid.token_at(QPointF(-300, 5)) is None


def test_runs_cover_exactly_the_merged_cells_and_borders_part_them_from_the_kept() -> None:
    plan = make_plan()
    grid = token_grid(plan.layout, "global")
    veiled = np.zeros(grid.on_page.shape, dtype=int)
    for run in merged_runs(grid, plan.is_kept):
        veiled[int(run.top()), int(run.left()) : int(run.right())] += 1
    kept = plan.is_kept.reshape(veiled.shape)
    assert np.array_equal(veiled, (grid.on_page & ~kept).astype(int))
    both = grid.on_page[:, 1:] & grid.on_page[:, :-1]
    upright = np.zeros(both.shape, dtype=int)
    for line in border_lines(grid, plan.is_kept):
        if line.x1() == line.x2():
            upright[int(line.y1()) : int(line.y2()), int(line.x1()) - 1] += 1
    assert np.array_equal(upright, (both & (kept[:, 1:] != kept[:, :-1])).astype(int))


# What can be seen


@pytest.mark.parametrize("paper", ["white", "black"])
def test_merged_is_veiled_kept_is_clear_and_both_show_without_colour(view: PageView, paper: str) -> None:
    plan = make_plan()
    view.show_page(blank(colour=paper))
    view.show_plan(plan)
    kept = shown_colour(view, centre(plan, covering(plan, plan.kept)[0]))
    merged = shown_colour(view, centre(plan, covering(plan, plan.merged)[0]))
    assert kept == QColor(paper)
    assert contrast(kept, merged) > 1.7
    view.show_page(blank(colour="black" if paper == "white" else "white"))
    view.show_plan(plan)
    text = shown_colour(view, centre(plan, covering(plan, plan.merged)[0]))
    assert contrast(text, merged) > 4.5


def beside_page(view: PageView) -> list[QPoint]:
    """Points just left of the page and just under it."""
    page = view.content_rect()
    left = [QPoint(page.left() - 2, page.center().y() + row) for row in range(16)]
    return left + [QPoint(page.center().x() + column, page.bottom() + 2) for column in range(16)]


def colours_at(view: PageView, points: list[QPoint]) -> list[QColor]:
    image = view.viewport().grab().toImage()
    return [image.pixelColor(point) for point in points]


@pytest.mark.parametrize("look", list(Look))
@pytest.mark.parametrize("mode", [Mode.TINY, Mode.SMALL, Mode.GUNDAM])
def test_nothing_is_painted_beside_the_page_where_no_padding_is(
    view: PageView, mode: Mode, look: Look
) -> None:
    plan = make_plan(0.01, mode, crop_wh=(2, 3) if mode is Mode.GUNDAM else (0, 0))
    view.show_page(blank())
    view.set_look(look)
    bare = colours_at(view, beside_page(view))
    view.show_plan(plan)
    view.show_transport(transport_of(plan))
    assert colours_at(view, beside_page(view)) == bare


def test_padding_is_hatched_beside_the_page_and_told(view: PageView) -> None:
    plan = make_plan(0.5, Mode.BASE)
    view.show_page(blank())
    points = beside_page(view)
    bare = colours_at(view, points)
    view.show_plan(plan)
    hatched = colours_at(view, points)
    assert 0 < sum(one != other for one, other in zip(bare[:16], hatched[:16], strict=True)) < 16
    assert hatched[16:] == bare[16:], "a portrait page is padded at its sides"
    padding = plan.layout.padding[plan.layout.prunable]
    words = tooltip_at(view, points[0])
    assert f"{padding.sum()} cells outside the page" in words
    assert f"{(padding & plan.is_kept).sum()} of them kept" in words
    view.set_overlay_visible(False)
    assert colours_at(view, points) == bare


@pytest.mark.parametrize("window", ["#efefef", "#323232"])
def test_the_hatching_stands_out_beside_the_page(view: PageView, window: str) -> None:
    view.setPalette(QPalette(QColor(window)))
    view.show_page(blank())
    view.show_plan(make_plan(0.5, Mode.BASE))
    left = colours_at(view, beside_page(view)[:16])
    assert max(contrast(one, other) for one in left for other in left) > 1.5


def test_the_overlay_can_be_hidden_and_the_plan_comes_back(view: PageView) -> None:
    plan = make_plan()
    merged = centre(plan, covering(plan, plan.merged)[0])
    view.show_page(blank())
    view.show_plan(plan)
    veiled = shown_colour(view, merged)
    view.set_overlay_visible(False)
    assert shown_colour(view, merged) == QColor("white")
    view.set_overlay_visible(True)
    assert shown_colour(view, merged) == veiled


def test_another_page_has_no_overlay_of_the_page_before(view: PageView) -> None:
    plan = make_plan(0.01)
    place = centre(plan, covering(plan, plan.merged)[0])
    view.show_page(blank())
    view.show_plan(plan)
    assert shown_colour(view, place) != QColor("white")
    view.show_message("Opening the next page…")
    view.show_page(blank())
    assert shown_colour(view, place) == QColor("white")


def test_a_plan_that_came_before_its_page_is_shown_over_it(view: PageView) -> None:
    plan = make_plan(0.01)
    view.show_message("Opening the page…")
    view.show_plan(plan)
    view.show_page(blank())
    assert shown_colour(view, centre(plan, covering(plan, plan.merged)[0])) != QColor("white")


def test_a_page_with_tiles_shows_either_grid(view: PageView) -> None:
    plan = make_plan(0.5, Mode.GUNDAM, crop_wh=(2, 3))
    view.show_page(blank())
    view.show_plan(plan)
    views = [view.viewport().grab().toImage()]
    view.set_grid("global")
    views.append(view.viewport().grab().toImage())
    view.set_grid("local")
    views.append(view.viewport().grab().toImage())
    assert views[0] == views[2] != views[1]


def test_a_plan_is_reported_once_when_it_can_be_seen(qtbot: QtBot, view: PageView) -> None:
    plan, painted = make_plan(), []
    view.plan_painted.connect(painted.append)
    view.show_page(blank())
    view.set_overlay_visible(False)
    view.show_plan(plan)
    view.viewport().repaint()
    assert painted == []
    with qtbot.waitSignal(view.plan_painted):
        view.set_overlay_visible(True)
    view.viewport().repaint()
    assert painted == [plan]


@pytest.mark.parametrize("scale", ["1.5", "2"])
def test_a_page_pixel_is_a_screen_pixel_at_any_display_scale(scale: str) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale}
    done = subprocess.run(
        [sys.executable, "-c", SHARP_AT], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_after_zooming_the_page_becomes_smooth(qtbot: QtBot, view: PageView) -> None:
    stripes = blank()
    for row in range(0, PAGE.height(), 2):
        for column in range(PAGE.width()):
            stripes.setPixelColor(column, row, QColor("black"))
    view.show_page(stripes)
    view.viewport().repaint()
    view._zoom_to(0.5)

    def is_grey() -> bool:
        return 100 < shown_colour(view, QPointF(300, 400)).lightness() < 155

    assert not is_grey()
    qtbot.waitUntil(is_grey)


def test_a_message_stands_in_for_a_page(view: PageView) -> None:
    assert view.accessibleDescription() == DROP_HINT
    view.show_page(blank())
    assert view.accessibleDescription() == ""
    view.show_message("The file is damaged. Scan it again.")
    view.show_plan(make_plan())
    assert view.accessibleDescription() == "The file is damaged. Scan it again."
    assert not view.viewport().grab().isNull()
    view.show_message("")
    assert view.accessibleDescription() == DROP_HINT


# Zoom and pan


@pytest.mark.parametrize("page", [blank(), None])
def test_the_page_stands_in_a_frame_while_it_has_the_keyboard(
    qtbot: QtBot, view: PageView, page: QImage | None
) -> None:
    if page is not None:
        view.show_page(page)
    view.fit_width()
    corner, highlight = QPoint(1, 1), view.palette().highlight().color()
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    assert view.viewport().grab().toImage().pixelColor(corner) == highlight
    view.clearFocus()
    assert view.viewport().grab().toImage().pixelColor(corner) != highlight


def test_fitting_shows_the_whole_page_also_after_a_resize(view: PageView) -> None:
    view.show_page(blank())
    for size in (QSize(500, 600), QSize(300, 700), QSize(900, 250)):
        view.resize(size)
        assert view.view_rect().contains(view.content_rect())
        assert view.verticalScrollBar().maximum() == view.horizontalScrollBar().maximum() == 0


def test_fitting_the_width_needs_no_horizontal_scroll_bar(view: PageView) -> None:
    view.show_page(blank(QSize(600, 3000)))
    view.fit_width()
    view.resize(420, 600)
    assert view.horizontalScrollBar().maximum() == 0
    assert view.verticalScrollBar().maximum() > 0
    assert view.content_rect().width() > 0.9 * view.viewport().width()


def test_the_wheel_zooms_at_the_pointer(view: PageView) -> None:
    view.show_page(blank(QSize(2000, 3000)))
    view.actual_size()
    pointer = QPoint(320, 130)
    before = view.to_content(QPointF(pointer))
    turn_wheel(view.viewport(), pointer, Qt.KeyboardModifier.ControlModifier)
    assert view.zoom == pytest.approx(1.25)
    moved = view.to_content(QPointF(pointer)) - before
    assert abs(moved.x()) <= 1
    assert abs(moved.y()) <= 1


def test_the_wheel_scrolls_and_with_shift_sideways(view: PageView) -> None:
    view.show_page(blank(QSize(2000, 3000)))
    view.actual_size()
    across, down = view.horizontalScrollBar(), view.verticalScrollBar()
    start = across.value(), down.value()
    turn_wheel(view.viewport(), QPoint(50, 50), Qt.KeyboardModifier.NoModifier, -120)
    assert across.value() == start[0]
    assert down.value() > start[1]
    turn_wheel(view.viewport(), QPoint(50, 50), Qt.KeyboardModifier.ShiftModifier, -120)
    assert across.value() > start[0]


def test_dragging_moves_the_page_with_the_pointer(qtbot: QtBot, view: PageView) -> None:
    view.show_page(blank(QSize(2000, 3000)))
    view.actual_size()
    before = view.content_rect().topLeft()
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    qtbot.mouseMove(view.viewport(), QPoint(170, 150))
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(170, 150))
    assert view.content_rect().topLeft() - before == QPoint(-30, -50)


def test_keys_zoom_scroll_and_fit(qtbot: QtBot, view: PageView) -> None:
    view.show_page(blank(QSize(1000, 2000)))
    fitted = view.zoom
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.zoom == pytest.approx(fitted * 1.25)
    qtbot.keyClick(view, Qt.Key.Key_Minus)
    assert view.zoom == pytest.approx(fitted)
    qtbot.keyClick(view, Qt.Key.Key_1)
    assert view.zoom == 1
    qtbot.keyClick(view, Qt.Key.Key_Home)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    one_step = view.verticalScrollBar().value()
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert 0 < one_step < view.verticalScrollBar().value()
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()
    qtbot.keyClick(view, Qt.Key.Key_0)
    assert view.zoom == pytest.approx(fitted)


def test_a_zoom_is_told_and_kept_for_the_next_page(view: PageView) -> None:
    told: list[float] = []
    view.show_page(blank())
    view.zoom_changed.connect(told.append)
    view.zoom_in()
    assert told == [view.zoom]
    view.show_page(blank(QSize(900, 900)))
    assert told == [view.zoom]
    assert view.verticalScrollBar().value() == 0


def test_zooming_nothing_does_nothing(view: PageView) -> None:
    zoom = view.zoom
    view.zoom_in()
    view.actual_size()
    view.fit_width()
    assert view.zoom == zoom


def test_a_very_long_page_can_be_shown_at_any_zoom(view: PageView) -> None:
    view.show_page(blank(QSize(40, 20000)))
    view.show_plan(make_plan(0.5, Mode.BASE, (40, 20000)))
    for zoom in (0.02, 1, 16):
        view._zoom_to(zoom)
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
        assert shown_colour(view, view.to_content(QPointF(view.viewport().rect().center()))).isValid()


# Hover


def test_hovering_tells_the_token_and_its_fate(qtbot: QtBot, view: PageView) -> None:
    plan = make_plan()
    view.show_page(blank())
    view.show_plan(plan)
    bare = picture(view)
    kept, merged = covering(plan, plan.kept)[0], covering(plan, plan.merged)[0]
    for token, fate in ((kept, "Kept"), (merged, "Merged")):
        place = on_screen(view, centre(plan, token))
        qtbot.mouseMove(view.viewport(), place)
        assert picture(view) != bare
        rank = plan.ranks[token] + 1
        density = 90 * token / 255
        assert tooltip_at(view, place) == (
            f"{fate}: norm {plan.norms[token]:.1f}, rank {rank} of 256\nText density {density:.0f} %"
        )
    qtbot.mouseMove(view.viewport(), QPoint(1, 1))
    assert picture(view) == bare
    QToolTip.hideText()


def test_lines_and_blocks_follow_a_page_that_moves_under_a_resting_pointer(
    qtbot: QtBot, view: PageView
) -> None:
    view.show_page(blank())
    view.show_plan(make_plan())
    view.show_blocks([Block("text", ((0, 0, 999, 499),), 0, 5), Block("text", ((0, 500, 999, 999),), 5, 9)])
    view.actual_size()
    blocks = emissions(view.block_hovered)
    pointer = QPoint(250, 200)
    qtbot.mouseMove(view.viewport(), pointer)
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: blocks == [0, 1])
    scrolled = picture(view)
    qtbot.mouseMove(view.viewport(), pointer + QPoint(1, 0))  # within the cell
    assert picture(view) == scrolled
    view.fit_page()
    qtbot.waitUntil(lambda: blocks == [0, 1, 0])
    zoomed = picture(view)
    qtbot.mouseMove(view.viewport(), pointer)
    assert picture(view) == zoomed


def test_words_on_a_cell_go_away_with_what_they_say(qtbot: QtBot, view: PageView) -> None:
    view.show_page(blank())
    plan = make_plan(mode=Mode.GUNDAM, crop_wh=(2, 3))
    changes = (lambda: view.set_grid("global"), lambda: view.show_plan(plan))
    for change in changes:
        view.show_plan(plan)
        place = on_screen(view, centre(plan, covering(plan, plan.kept)[0]))
        qtbot.mouseMove(view.viewport(), place)
        assert tooltip_at(view, place)
        change()
        qtbot.waitUntil(lambda: not QToolTip.isVisible())


# Looks


@pytest.fixture
def tiled(view: PageView) -> PrunePlan:
    """A plan for the shown page, which has tiles; its transport is not there yet."""
    plan = make_plan(0.5, Mode.GUNDAM, crop_wh=(2, 3))
    view.show_page(blank())
    view.show_plan(plan)
    return plan


def picture(view: PageView) -> QImage:
    return view.viewport().grab().toImage()


def test_every_look_shows_another_picture_with_its_legend(view: PageView, tiled: PrunePlan) -> None:
    legends = emissions(view.legend_changed)
    view.show_transport(transport_of(tiled))
    pictures = []
    for look in Look:
        view.set_look(look)
        pictures.append(picture(view))
    assert all(one != other for one, other in pairwise(pictures))
    assert [legend.title for legend in legends if legend] == ["Norm", "Mass received", "Text density"]
    view.set_look(Look.KEPT)
    assert legends[-1] is None


@pytest.mark.parametrize("look", list(Look))
@pytest.mark.parametrize("paper", ["white", "black"])
@pytest.mark.parametrize("opacity", [0.05, 1.0])
def test_the_window_shows_what_the_exported_picture_shows(
    view: PageView, look: Look, paper: str, opacity: float
) -> None:
    plan = make_plan(0.5)
    transport = transport_of(plan)
    page = PageImage(PageRef(Path("/page.png"), 0, "0" * 64), Image.new("RGB", (600, 800), paper), None)
    drawn = draw_overlay(page, plan, "global", look, transport, opacity)
    view.set_look(look)
    view.set_opacity(opacity)
    view.show_page(blank(colour=paper))
    view.show_plan(plan)
    view.show_transport(transport)
    assert_looks_like(drawn, view, plan, plan.kept if look is Look.MASS else np.arange(256))


@pytest.mark.parametrize("paper", ["white", "black"])
def test_the_window_shows_the_lights_that_the_exported_picture_shows(view: PageView, paper: str) -> None:
    plan, attention = make_plan(0.5), np.linspace(0, 0.8, 256, dtype=np.float32)
    page = PageImage(PageRef(Path("/page.png"), 0, "0" * 64), Image.new("RGB", (600, 800), paper), None)
    view.show_page(blank(colour=paper))
    view.show_plan(plan)
    view.show_attention(attention)
    assert_looks_like(draw_lights(page, plan.layout, attention, "global"), view, plan, np.arange(256))


def assert_looks_like(drawn: Image.Image, view: PageView, plan: PrunePlan, tokens: NDArray[np.int64]) -> None:
    """The middles of some cells that are in view have the same colour there as in a picture."""
    view.actual_size()
    for token in covering(plan, tokens)[::7]:
        place = centre(plan, token)
        if view.viewport().rect().contains(on_screen(view, place)):
            shown = shown_colour(view, place).getRgb()[:3]
            np.testing.assert_allclose(shown, drawn.getpixel((int(place.x()), int(place.y()))), atol=2)


@pytest.mark.parametrize("look", list(Look))
@given(zoom=st.floats(0.05, 16), seed=st.integers(0, 99))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_cell_is_coloured_where_its_token_is_at_any_zoom(
    view: PageView, look: Look, zoom: float, seed: int
) -> None:
    view.clearFocus()  # its frame would lie over cells at the edge
    plan = make_plan(0.5, Mode.GUNDAM, crop_wh=(2, 3))
    view.show_page(blank())
    view.set_look(look)
    view.show_plan(plan)
    transport = transport_of(plan)
    view.show_transport(transport)
    values = cell_values(look, plan, transport)
    legend = legend_of(look, plan, values)
    colours = cell_colours(look, plan, values, legend)
    cells = plan.layout.boxes[plan.layout.prunable]
    view._zoom_to(zoom)
    across, down = view.horizontalScrollBar(), view.verticalScrollBar()
    chosen = np.random.default_rng(seed).uniform(0, 1, 2)
    across.setValue(round(across.maximum() * chosen[0]))
    down.setValue(round(down.maximum() * chosen[1]))
    image = picture(view)
    assert legend == view._overlay.legend
    for x, y in np.random.default_rng(seed).uniform(0, 1, (30, 2)) * (view.width(), view.height()):
        token = view._token_at(QPointF(x, y))
        point = view.to_content(QPointF(x, y))
        if token is None or not view.viewport().rect().contains(int(x), int(y)):
            continue
        left, top, right, bottom = cells[token].tolist()
        inset_px = 4 / view.zoom
        if not (
            left + inset_px < point.x() < right - inset_px and top + inset_px < point.y() < bottom - inset_px
        ):
            continue
        if look is Look.MASS and not plan.is_kept[token]:
            continue  # hatched
        colour = image.pixelColor(int(x), int(y))
        if look is Look.KEPT:
            share = OPACITY * colours[token, 3] / 255
            expected = 255 * (1 - share) + share * colours[token, :3]
        else:
            expected = tints(colours[[token]], OPACITY, dark=False)[0]
        np.testing.assert_allclose(colour.getRgb()[:3], expected, atol=3)


def test_opacity_goes_from_the_bare_page_to_covering_it(view: PageView) -> None:
    plan = make_plan()
    merged = centre(plan, covering(plan, plan.merged)[0])
    view.show_page(blank())
    view.show_plan(plan)
    shades = []
    for opacity in (0, 0.3, 0.8, 1):
        view.set_opacity(opacity)
        shades.append(shown_colour(view, merged).lightness())
    assert shades[0] == 255
    assert shades == sorted(shades, reverse=True)
    assert shown_colour(view, merged) == QColor(*VEIL_RGB)


def test_attention_lights_cells_up_until_it_is_taken_away(view: PageView) -> None:
    plan, legends = make_plan(), []
    view.show_page(blank())
    view.show_plan(plan)
    before = picture(view)
    view.legend_changed.connect(legends.append)
    attention = np.zeros(256, np.float32)
    lit, unlit = covering(plan, plan.kept)[:2]
    attention[lit] = 0.5
    view.show_attention(attention)
    assert contrast(shown_colour(view, centre(plan, lit)), shown_colour(view, centre(plan, unlit))) > 2
    assert legends[-1].title == "Attention"
    view.show_attention(None)
    assert picture(view) == before
    assert legends[-1] is None


def test_attention_is_shown_with_the_tokens_that_it_is_for(view: PageView, tiled: PrunePlan) -> None:
    plan, legends = make_plan(), []
    view.legend_changed.connect(legends.append)
    before = picture(view)
    view.show_attention(np.ones(256, np.float32))
    assert picture(view) == before
    view.show_plan(None)
    view.show_plan(plan)
    assert legends[-1].title == "Attention"
    view.show_plan(tiled)
    assert picture(view) == before


# Transport, lines and the pinned cell


def test_the_transport_is_wanted_once_a_plan_and_only_where_it_shows(view: PageView) -> None:
    wanted: list[bool] = []
    view.transport_requested.connect(lambda: wanted.append(True))
    view.show_page(blank())
    view.show_plan(make_plan(0.5))
    assert wanted == []
    view.set_look(Look.MASS)
    view.set_opacity(0.4)
    assert len(wanted) == 1
    second = make_plan(0.6)
    view.show_plan(second)
    view.show_plan(second)
    assert len(wanted) == 2
    view.show_transport(transport_of(second))
    view.set_look(Look.NORM)
    view.set_look(Look.MASS)
    assert len(wanted) == 2
    view.set_overlay_visible(False)
    view.show_plan(make_plan(0.7))
    assert len(wanted) == 2
    view.set_overlay_visible(True)
    assert len(wanted) == 3


def test_a_transport_of_a_plan_before_is_left_aside(view: PageView) -> None:
    view.show_page(blank())
    view.set_look(Look.MASS)
    view.show_plan(make_plan(0.6))
    before = picture(view)
    view.show_transport(transport_of(make_plan(0.5)))
    assert picture(view) == before


def test_masses_stay_while_the_next_plan_waits_for_its_own(view: PageView) -> None:
    first = make_plan(0.5)
    view.show_page(blank())
    view.set_look(Look.MASS)
    view.show_plan(first)
    token = covering(first, first.kept)[0]
    bare = shown_colour(view, centre(first, token))
    view.show_transport(transport_of(first))
    coloured = shown_colour(view, centre(first, token))
    view.show_plan(dataclasses.replace(first))
    assert shown_colour(view, centre(first, token)) == coloured != bare


def test_masses_are_coloured_once_a_transport_not_once_a_plan() -> None:
    first = make_plan(0.5)
    second = plan_pruning(first.layout, first.measures, PruneSettings(0.6))
    overlay = TokenOverlay()
    overlay.set_look(Look.MASS)
    overlay.show(first)
    overlay.show_transport(transport_of(first))
    colours = overlay.mask
    overlay.show(second)
    assert overlay.mask is colours
    overlay.show_transport(transport_of(second))
    assert overlay.mask is not colours


def test_lights_are_not_crossed_by_lines_of_a_cell_that_nobody_pinned(
    qtbot: QtBot, view: PageView, tiled: PrunePlan
) -> None:
    token = covering(tiled, tiled.merged)[1]
    place = on_screen(view, centre(tiled, token))
    view.show_transport(transport_of(tiled))
    view.show_attention(np.linspace(0, 1, len(tiled.norms), dtype=np.float32))
    lights = picture(view)
    qtbot.mouseMove(view.viewport(), place)
    assert picture(view) == lights
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert picture(view) != lights


def test_only_a_cell_whose_lines_are_drawn_tells_of_lines(
    qtbot: QtBot, view: PageView, tiled: PrunePlan
) -> None:
    here, other = (on_screen(view, centre(tiled, token)) for token in covering(tiled, tiled.merged)[:2])
    view.show_transport(transport_of(tiled))
    view.show_attention(np.linspace(0, 1, len(tiled.norms), dtype=np.float32))
    assert "Lines:" not in tooltip_at(view, here)
    view.show_attention(None)
    assert "Lines:" in tooltip_at(view, here)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=here)
    assert "Lines:" in tooltip_at(view, here)
    words = tooltip_at(view, other)
    assert "is lost" in words
    assert "Lines:" not in words
    QToolTip.hideText()


def test_lines_appear_when_the_transport_of_a_hovered_cell_arrives(
    qtbot: QtBot, view: PageView, tiled: PrunePlan
) -> None:
    token = covering(tiled, tiled.merged)[0]
    place = on_screen(view, centre(tiled, token))
    with qtbot.waitSignal(view.transport_requested):
        qtbot.mouseMove(view.viewport(), place)
    assert "lost" not in tooltip_at(view, place)
    without = picture(view)
    transport = transport_of(tiled)
    view.show_transport(transport)
    assert picture(view) != without
    lost = 1 - transport.mass[:, np.searchsorted(tiled.merged, token)].sum()
    words = tooltip_at(view, place)
    assert f"{100 * lost:.0f} % is lost" in words
    assert "the 6 that took most" in words
    QToolTip.hideText()


def test_a_kept_cell_tells_what_it_takes_in_and_from_which_grid(view: PageView, tiled: PrunePlan) -> None:
    mass = np.zeros((len(tiled.kept), len(tiled.merged)), np.float32)
    kept = covering(tiled, tiled.kept)[0]
    far, near = np.flatnonzero(tiled.merged >= 600), np.flatnonzero(tiled.merged < 600)
    mass[0 if kept == tiled.kept[0] else np.searchsorted(tiled.kept, kept), [*far[:2], near[0]]] = (
        0.1,
        0.2,
        0.3,
    )
    view.show_transport(Transport(mass))
    words = tooltip_at(view, on_screen(view, centre(tiled, kept)))
    assert "Takes in 0.60 merged tokens" in words
    assert "the 3 that gave most, 100 % of it" in words
    assert "2 of 3 lie in the whole-page grid" in words
    QToolTip.hideText()


def pinned(view: PageView, plan: PrunePlan) -> int | None:
    """The token that the details are of, by the rank that stands there; None without details."""
    card = view.viewport().findChild(QLabel)
    if not card.isVisible():
        return None
    (rank,) = re.findall(r"rank (\d+)", card.text())
    (token,) = np.flatnonzero(plan.ranks == int(rank) - 1).tolist()
    return token


def test_a_click_pins_a_cell_whose_details_follow_the_plan_until_it_is_clicked_again(
    qtbot: QtBot, view: PageView
) -> None:
    plan = make_plan(0.5)
    view.show_page(blank())
    view.show_plan(plan)
    view.show_transport(transport_of(plan))
    token = covering(plan, plan.kept)[3]
    place = on_screen(view, centre(plan, token))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    card = view.viewport().findChild(QLabel)
    assert pinned(view, plan) == token
    assert card.text().startswith("Kept")
    assert view.accessibleDescription() == card.text()
    qtbot.mouseMove(view.viewport(), QPoint(1, 1))
    fewer = make_plan(0.01)
    view.show_plan(fewer)
    assert card.isVisible()
    assert card.text().startswith("Kept" if fewer.is_kept[token] else "Merged")
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert not card.isVisible()


def test_another_cell_takes_the_pin_and_beside_the_page_it_is_gone(qtbot: QtBot, view: PageView) -> None:
    plan = make_plan()
    view.show_page(blank())
    view.show_plan(plan)
    for token in covering(plan, plan.kept)[:2]:
        place = on_screen(view, centre(plan, token))
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert pinned(view, plan) == token
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert pinned(view, plan) is None


def test_dragging_the_page_pins_nothing(qtbot: QtBot, view: PageView) -> None:
    plan = make_plan(page_size_px=(2000, 3000))
    view.show_page(blank(QSize(2000, 3000)))
    view.show_plan(plan)
    view.actual_size()
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    qtbot.mouseMove(view.viewport(), QPoint(150, 150))
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(150, 150))
    assert pinned(view, plan) is None


def test_the_pin_is_set_moved_and_taken_away_by_keys(qtbot: QtBot, view: PageView) -> None:
    plan, seen = make_plan(), []
    view.show_page(blank())
    view.show_plan(plan)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Escape, Qt.Key.Key_Left):
        qtbot.keyClick(view, key)
        seen.append(pinned(view, plan))
    start = seen[0]
    assert start is not None
    assert seen == [start, start + 1, start + 17, None, None]


def test_keys_move_the_pin_on_in_the_grid_that_is_shown(
    qtbot: QtBot, view: PageView, tiled: PrunePlan
) -> None:
    view.show_page(blank())
    view.show_plan(tiled)
    view.set_grid("local")
    qtbot.keyClick(view, Qt.Key.Key_Return)
    before = view._overlay.cell_of(pinned(view, tiled)).center()
    card = view.viewport().findChild(QLabel)
    assert "In the tile grid" not in card.text()
    view.set_grid("global")
    assert "In the tile grid" in card.text()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    now = view._overlay.grid.cell(pinned(view, tiled))
    assert now.translated(-now.width(), 0).contains(before)
    assert "In the tile grid" not in card.text()


def test_escape_reaches_the_pin_before_a_shortcut(qtbot: QtBot, view: PageView) -> None:
    plan, dismissed = make_plan(), []
    QShortcut(Qt.Key.Key_Escape, view, lambda: dismissed.append(True))
    view.show_page(blank())
    view.show_plan(plan)
    view.activateWindow()
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert dismissed == []
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert dismissed == [True]


def test_a_pinned_cell_stays_in_sight_when_keys_move_it(qtbot: QtBot, view: PageView) -> None:
    view.show_page(blank())
    view.show_plan(make_plan(0.5, Mode.GUNDAM, crop_wh=(2, 3)))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    view._zoom_to(6)
    for _ in range(40):
        qtbot.keyClick(view, Qt.Key.Key_Down)
    cell = view._overlay.focus_cells()[0]
    assert view.viewport().rect().contains(on_screen(view, cell.center()))
    assert cell.bottom() == pytest.approx(PAGE.height())


def test_a_pin_outlives_a_change_of_grid_but_not_of_page_or_mode(view: PageView, tiled: PrunePlan) -> None:
    view._pin(5)
    view.set_grid("global")
    assert pinned(view, tiled) == 5
    other_mode = make_plan(0.5, Mode.BASE)
    view.show_plan(other_mode)
    assert pinned(view, other_mode) is None
    view._pin(200)
    assert pinned(view, other_mode) == 200
    view.show_page(blank())
    assert pinned(view, other_mode) is None


def test_the_details_of_a_pinned_cell_do_not_cover_its_lines(view: PageView, tiled: PrunePlan) -> None:
    view.resize(900, 900)
    view.show_transport(transport_of(tiled))
    card = view.viewport().findChild(QLabel)
    for token in covering(tiled, tiled.merged)[::60]:
        view._pin(token)
        assert not card.geometry().contains(on_screen(view, centre(tiled, token)))
