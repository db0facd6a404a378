"""The window fits on the screen, whatever it shows and however large the print, and keeps its place."""

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QLineEdit, QStyle, QToolButton
from pytestqt.qtbot import QtBot

from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.ui.contrast import contrast
from tests.ui.steps import Draw, editor_of, open_and_load, read


def test_the_arrow_of_the_model_button_does_not_touch_the_name(window: MainWindow) -> None:
    chip = window.tool_bar.model_chip
    arrow_px = chip.style().pixelMetric(QStyle.PixelMetric.PM_MenuButtonIndicator, None, chip)
    name_px = chip.fontMetrics().horizontalAdvance(chip.text())
    assert chip.sizeHint().width() >= name_px + 2 * arrow_px


def test_what_has_no_room_in_the_toolbar_is_offered_in_a_dark_window_too(
    monkeypatch: pytest.MonkeyPatch, window: MainWindow
) -> None:
    dark = QPalette(QColor("#323232"))
    monkeypatch.setattr(QGuiApplication, "palette", lambda: dark)
    window.setPalette(dark)
    window.tool_bar.resize(400, window.tool_bar.height())
    more = window.tool_bar.findChild(QToolButton, "qt_toolbar_ext_button")
    assert more.isVisible()
    shown = more.grab().toImage()
    row = [shown.pixelColor(x, shown.height() // 2) for x in range(shown.width())]
    assert max(contrast(colour, QColor("#323232")) for colour in row) > 4.5
    assert more.toolTip()


def test_the_text_stays_where_it_is_whether_its_summary_takes_one_line_or_two(window: MainWindow) -> None:
    column = window.text_column
    line_px = column.summary.fontMetrics().horizontalAdvance("read ")
    tops = set()
    for share in (0, 0.5, 1.5):
        column.summary.setText("read " * int(share * column.summary.width() / line_px))
        QApplication.processEvents()
        tops.add(column.text_pane.y())
    assert len(tops) == 1


def test_after_a_long_summary_the_text_has_its_room_again(window: MainWindow) -> None:
    column = window.text_column
    QApplication.processEvents()
    top = column.text_pane.y()
    column.summary.setText("a long warning " * 60)
    QApplication.processEvents()
    assert column.text_pane.y() > top
    column.summary.setText("read")
    QApplication.processEvents()
    assert column.text_pane.y() == top


def test_the_window_remembers_its_place(window: MainWindow, session: Session) -> None:
    window.resize(1000, 700)
    window.close()
    assert session.choices.settings.window_geometry
    assert session.choices.settings.window_state


def test_a_small_window_stays_small_whatever_is_shown_in_it(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    window.resize(1000, 640)
    for name in ("compare", "curve", "trace"):
        window.actions_by_name[name].trigger()
    qtbot.waitUntil(lambda: session.tuning.has_curve and not session.tuning.is_reading)
    with qtbot.waitSignal(session.tuning.comparison_changed, check_params_cb=lambda shown: shown is not None):
        session.tuning.compare(PruneSettings(1.0), PruneSettings(0.5))
    QApplication.processEvents()
    assert (window.width(), window.height()) == (1000, 640)
    assert window.minimumSizeHint().height() <= 640
    assert window.minimumSizeHint().width() <= 1000


def test_the_text_has_more_room_than_the_figures_at_first(window: MainWindow) -> None:
    window.resize(800, 600)
    text_px, figures_px = window.text_column.sizes()
    assert text_px > 1.1 * figures_px


def test_the_list_is_as_wide_as_its_rows_at_first(window: MainWindow) -> None:
    assert window.page_list.width() == pytest.approx(window.page_list.sizeHint().width(), abs=2)


def test_in_large_print_the_window_opens_larger(
    qtbot: QtBot, qapp: QApplication, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened_width_px(points: float) -> int:
        font = QFont(usual)
        font.setPointSizeF(points)
        qapp.setFont(font)
        window = MainWindow(session)
        qtbot.addWidget(window)
        return window.width()

    monkeypatch.setattr("rtocr_gui.ui.window.main_window.within_screen", lambda size, _: size)
    usual = qapp.font()
    try:
        assert opened_width_px(20) == pytest.approx(2 * opened_width_px(10), rel=0.1)
    finally:
        qapp.setFont(usual)


@pytest.fixture
def large_print(qapp: QApplication) -> Iterator[None]:
    """Windows made from now on are in print of 20 points."""
    usual, large = qapp.font(), QFont(qapp.font())
    large.setPointSizeF(20)
    qapp.setFont(large)
    yield
    qapp.setFont(usual)


def test_in_large_print_the_summary_the_text_and_what_is_to_be_found_are_not_cut(
    qtbot: QtBot, large_print: None, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    window.resize(1200, 800)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["replace"].trigger()
    QApplication.processEvents()
    column = window.text_column
    assert column.summary.height() >= column.summary.heightForWidth(column.summary.width())
    assert editor_of(window).height() >= 4 * window.fontMetrics().lineSpacing()
    for line in column.find_bar.findChildren(QLineEdit):
        assert line.width() >= 16 * window.fontMetrics().averageCharWidth()


def test_all_bars_fit_on_a_very_small_screen(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    for name in ("find", "trace"):
        window.actions_by_name[name].trigger()
    window.notice_bar.add(Notice("Something to know."))
    window.resize(630, 370)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (630, 370)
    bar = window.retention_bar
    assert bar.visibleRegion().boundingRect() == bar.rect()
    find_bar = window.text_column.find_bar
    find_bar.setFocus()
    qtbot.waitUntil(lambda: find_bar.visibleRegion().boundingRect().width() == find_bar.width())


def test_what_gets_the_focus_comes_into_sight_on_a_very_small_screen(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.resize(630, 370)
    QApplication.processEvents()
    last = window.text_column.panel.currentWidget()
    window.text_column.parent().parent().verticalScrollBar().setValue(0)
    assert last.visibleRegion().boundingRect().bottom() < last.rect().bottom()
    last.setFocus()
    qtbot.waitUntil(lambda: last.visibleRegion().boundingRect().bottom() == last.rect().bottom())


@pytest.mark.parametrize("opened", ["find", "replace"])
def test_a_bar_that_opens_comes_into_sight_in_large_print(
    qtbot: QtBot, large_print: None, window: MainWindow, session: Session, draw_page: Draw, opened: str
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.notice_bar.add(Notice("Something to know."))
    window.resize(1213, 700)
    QApplication.processEvents()
    window.actions_by_name[opened].trigger()
    line = QApplication.focusWidget()
    assert isinstance(line, QLineEdit)
    qtbot.waitUntil(lambda: line.visibleRegion().boundingRect() == line.rect())


def test_a_new_window_fits_on_the_screen(window: MainWindow) -> None:
    room = window.screen().availableSize()
    assert window.width() <= room.width()
    assert window.height() <= room.height()


def test_a_remembered_place_that_is_none_does_not_keep_the_window_from_opening(
    qtbot: QtBot, session: Session
) -> None:
    session.choices.remember(window_geometry="\ud800", window_state="ffff", column_state="\0")
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.show()
    assert window.isVisible()


def test_the_size_of_the_text_is_remembered(window: MainWindow, session: Session) -> None:
    window.actions_by_name["larger_text"].trigger()
    window.actions_by_name["larger_text"].trigger()
    window.actions_by_name["smaller_text"].trigger()
    assert session.choices.settings.text_zoom == 1
