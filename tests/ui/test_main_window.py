"""What the window promises: what is done in one part of it is seen and followed in the others."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QComboBox, QListView, QPushButton, QScrollArea, QSlider, QToolButton
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import Mode
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.page.play_bar import PlayBar
from rtocr_gui.ui.page.token_line import TokenLine
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, ModelStatus
from rtocr_gui.ui.text.compare_view import CompareView
from rtocr_gui.ui.tuning.curve_view import CurveView
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_loading,
    editor_of,
    emissions,
    held_lane,
    label_called,
    open_and_load,
    pages_of,
    read,
    sentences_in,
    until_idle,
    until_reading_begins,
)


def begin_watching(qtbot: QtBot, window: MainWindow, session: Session, path: Path) -> PlayBar:
    """Read a page, and open the bar that plays its text."""
    open_and_load(qtbot, session, path)
    read(qtbot, window, session)
    window.actions_by_name["trace"].trigger()
    return window.page_column.play_bar


def test_the_model_button_tells_screen_readers_which_model_it_is(
    window: MainWindow, session: Session
) -> None:
    chip = window.tool_bar.model_chip
    session.models.changed.emit(ModelStatus(None, "R&D is loading…", loading=True))
    told = QAccessible.queryAccessibleInterface(chip)
    assert told.text(QAccessible.Text.Name) == "Model"
    assert told.text(QAccessible.Text.Description) == "R&D is loading…"


def test_read_shows_the_text_and_how_it_came_about(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    assert editor_of(window).toPlainText() == "page 1 of scan.png at 0.76"
    assert "48 of 64 tokens (ratio 76 %, automatic)" in window.text_column.summary.text()


def test_copying_the_text_is_told_for_a_while(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["copy"].trigger()
    assert QGuiApplication.clipboard().text() == session.current_text
    assert window.notice_bar.notices == (Notice("Copied the text of this page.", is_passing=True),)


def test_the_key_that_copies_copies_text_in_the_page_list_and_no_name(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    qtbot.keyClick(pages_of(window), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == session.current_text


@pytest.mark.parametrize("name", ["read", "read_all"])
def test_what_is_read_is_seen_also_where_the_comparison_was_in_front(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, name: str
) -> None:
    open_and_load(qtbot, session, draw_page())
    window.text_column.show_compare()
    assert not editor_of(window).isVisible()
    until_idle(qtbot, session, window.actions_by_name[name].trigger)
    assert editor_of(window).isVisible()


def test_a_file_that_opens_after_all_and_its_pages_are_no_longer_said_to_have_failed(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    path = draw_page("scan.png")
    good = path.read_bytes()
    path.write_bytes(b"damaged")
    with qtbot.waitSignal(session.notice_raised):
        session.open_files([path])
    path.write_bytes(good)
    open_and_load(qtbot, session, path)
    assert not window.notice_bar.notices
    (ref,) = session.shelf.refs
    statuses = emissions(session.texts.page_status_changed)
    fake_engine.broken_pages.add(path.name)
    with qtbot.waitSignal(session.notice_raised):
        session.read((ref,))
    assert statuses[-1].state is PageState.FAILED
    with qtbot.waitSignal(session.opener.opened):
        session.open_files([path])
    assert statuses[-1].state is PageState.UNREAD
    assert not window.notice_bar.notices


def test_the_folder_of_a_written_file_and_the_log_are_opened_by_the_desktop(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opened_outside: list[Path],
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out" / "mine.md")
    (tmp_path / "out").mkdir()
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export"].trigger()
    (button,) = (each for each in window.notice_bar.findChildren(QPushButton) if each.text() == "Show folder")
    button.click()
    assert opened_outside == [tmp_path / "out"]
    assert any("Exported" in sentence for sentence in sentences_in(window.notice_bar)), "wanted again"
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: False)
    window.open_outside(tmp_path / "out")
    assert sentences_in(window.notice_bar)[-1] == f"No program was found to open “{tmp_path / 'out'}”."
    with qtbot.waitSignal(window.log_requested):
        window.actions_by_name["log"].trigger()


def test_the_newest_of_many_notices_is_in_sight(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    for number in range(20):
        session.notice_raised.emit(Notice(f"notice {number}"))
    bar = window.notice_bar.findChild(QScrollArea).verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())


def test_nothing_is_compared_by_a_model_that_is_about_to_leave(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
) -> None:
    tuning = [window.actions_by_name[name] for name in ("compare", "curve")]
    open_and_load(qtbot, session, draw_page())
    assert all(action.isEnabled() for action in tuning)
    begin_loading(qtbot, fake_engine, lambda: session.models.choose(tmp_path / "other"))
    assert not any(action.isEnabled() for action in tuning)
    fake_engine.load_gate.set()
    qtbot.waitUntil(lambda: all(action.isEnabled() for action in tuning))


def test_the_keyboard_stays_with_the_button_that_takes_the_place_of_reading_the_curve(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    curve = window.text_column.curve.pane
    begin, stop = (
        next(each for each in curve.findChildren(QPushButton) if name in each.text())
        for name in ("Rea&d", "Sto&p")
    )
    window.text_column.show_curve()
    window.activateWindow()
    begin.setFocus()
    until_reading_begins(qtbot, fake_engine, begin.click)
    assert stop.hasFocus()
    stop.click()
    fake_engine.gate.set()
    qtbot.waitUntil(begin.hasFocus)


def test_the_title_names_the_file_to_the_letter_and_its_page_if_it_has_several(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    handle = window.windowHandle()
    open_and_load(qtbot, session, draw_page("scan[*].png"), draw_page("book.tiff", pages=2))
    only, first, second = session.shelf.refs
    session.shelf.select(first)
    qtbot.waitUntil(lambda: handle.title() == "book.tiff, page 1 — RTOCR")
    session.shelf.select(only)
    qtbot.waitUntil(lambda: handle.title() == "scan[*].png — RTOCR")
    session.shelf.split((only,), beside=True)
    qtbot.waitUntil(lambda: handle.title() == "scan[*].png, left half — RTOCR")
    session.shelf.remove(session.shelf.refs[:3])
    assert session.shelf.current == second
    qtbot.waitUntil(lambda: handle.title() == "book.tiff, page 2 — RTOCR")
    session.shelf.remove((second,))
    qtbot.waitUntil(lambda: handle.title() == "RTOCR")


def test_a_name_neither_breaks_nor_turns_the_title(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("a\u202egnp.png"))
    assert window.windowTitle() == "a\ufffdgnp.png — RTOCR"
    session.open_files([draw_page("a\nb.png")])
    qtbot.waitUntil(lambda: window.windowTitle() == "a\ufffdb.png — RTOCR")


def test_the_title_names_the_folder_while_another_file_of_the_same_name_is_open(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path, draw_page: Draw
) -> None:
    handle = window.windowHandle()
    (tmp_path / "may").mkdir()
    first = draw_page()
    open_and_load(qtbot, session, first)
    assert handle.title() == "scan.png — RTOCR"
    session.open_files([draw_page("other.png").rename(tmp_path / "may" / "scan.png")])
    qtbot.waitUntil(lambda: handle.title() == "may/scan.png — RTOCR")
    session.shelf.remove(tuple(ref for ref in session.shelf.refs if ref.path == first))
    qtbot.waitUntil(lambda: handle.title() == "scan.png — RTOCR")


def test_stop_ends_the_wait_for_files(
    qtbot: QtBot, window: MainWindow, session: Session, bridge: EngineBridge, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    said = label_called(window.status_line, "Status")
    with held_lane(bridge._page_lane):
        session.open_files([draw_page("late.png")])
        window.actions_by_name["read_all"].trigger()
        assert said.text() == "Waiting for files to open"
        assert not session.can_unload
        window.actions_by_name["stop"].trigger()
        assert said.text() == "Opening 1 file"
        assert not window.actions_by_name["stop"].isEnabled()
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    assert session.reader.activity == Activity()


def test_stop_ends_a_search_for_where_it_looked(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    fake_engine.gate.clear()
    session.tuning.spotlight.trace()
    assert window.actions_by_name["stop"].isEnabled()
    window.actions_by_name["stop"].trigger()
    assert not window.actions_by_name["stop"].isEnabled()
    fake_engine.gate.set()


def test_the_differences_are_in_sight_and_gone_through_from_anywhere_in_the_window(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    window.resize(1280, 820)
    window.actions_by_name["compare"].trigger()
    with qtbot.waitSignal(session.tuning.comparison_changed, check_params_cb=lambda shown: shown is not None):
        session.tuning.compare(PruneSettings(1.0), PruneSettings(0.5))
    differences = window.text_column.compare.findChild(QListView)
    qtbot.waitUntil(lambda: differences.isVisible() and not differences.visibleRegion().isEmpty())
    assert differences.visibleRegion().boundingRect() == differences.rect()
    window.page_column.page_view.setFocus()
    window.actions_by_name["overlay"].setChecked(False)
    lights = emissions(session.tuning.spotlight.attention_changed)
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert differences.currentIndex().row() == 0
    assert window.actions_by_name["overlay"].isChecked()
    qtbot.waitUntil(lambda: bool(lights) and lights[-1] is not None)
    qtbot.keyClick(window.page_column.page_view, Qt.Key.Key_Escape)
    assert lights[-1] is None
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert lights[-1] is not None
    window.text_column.text_pane.show_tab(editor_of(window))
    assert lights[-1] is None


def test_what_is_changed_on_the_page_is_not_hidden_by_the_next_token_that_is_played(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    bar = begin_watching(qtbot, window, session, draw_page())
    changes = (lambda: session.set_retention(0.4), lambda: window.actions_by_name["next_look"].trigger())
    for change in changes:
        bar.play()
        qtbot.waitUntil(lambda: bar.is_playing)
        change()
        assert not bar.is_playing


@pytest.mark.parametrize("has_text", [True, False])
def test_a_point_of_the_curve_moves_the_slider_and_is_read(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, has_text: bool
) -> None:
    open_and_load(qtbot, session, draw_page())
    if has_text:
        read(qtbot, window, session)
    window.text_column.curve.pane.retention_chosen.emit(0.5)
    assert window.retention_bar.findChild(QSlider).value() == 50
    qtbot.waitUntil(lambda: editor_of(window).toPlainText().endswith("at 0.50"))


def test_panes_are_built_when_they_are_opened_and_then_know_what_the_window_knows(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    column = window.text_column
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.retention_bar.retention_changed.emit(0.62)
    session.tuning.read_curve()
    qtbot.waitUntil(lambda: session.tuning.has_curve and not session.tuning.is_reading)
    assert not any(map(window.findChildren, (CompareView, CurveView)))
    column.show_curve()
    assert [button.text() for button in column.curve.findChildren(QPushButton) if button.isVisible()] == [
        "Rea&d curve again",
        "E&xport…",
    ]
    assert column.curve.findChild(QPushButton).isEnabled()
    column.show_compare()
    assert any(
        "62 %" in box.itemText(row)
        for box in column.compare.findChildren(QComboBox)
        for row in range(box.count())
    )
    window.actions_by_name["trace"].trigger()
    assert window.page_column.play_bar.isVisible()


def test_hiding_the_panel_is_remembered(window: MainWindow, session: Session) -> None:
    assert window.text_column.panel.isVisible()
    window.actions_by_name["panel"].trigger()
    assert not window.text_column.panel.isVisible()
    assert not session.choices.settings.panel_visible


@pytest.mark.parametrize("settings", [Settings(panel_visible=False)])
def test_the_panel_stays_hidden_when_it_was(window: MainWindow) -> None:
    assert not window.text_column.panel.isVisible()
    assert not window.actions_by_name["panel"].isChecked()


def test_who_asks_for_the_curve_is_shown_the_panel(window: MainWindow, session: Session) -> None:
    panel = window.text_column.panel
    window.actions_by_name["panel"].trigger()
    assert not session.choices.settings.panel_visible
    window.actions_by_name["curve"].setEnabled(True)
    window.actions_by_name["curve"].trigger()
    assert panel.isVisible()


def test_where_it_looks_is_asked_for_played_and_closed(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["overlay"].setChecked(False)
    window.actions_by_name["trace"].trigger()
    assert window.page_column.play_bar.isVisible()
    assert window.page_column.play_bar.isAncestorOf(window.focusWidget())
    assert window.actions_by_name["overlay"].isChecked()
    assert not session.tuning.spotlight.is_tracing
    with qtbot.waitSignal(
        session.tuning.spotlight.attention_changed, check_params_cb=lambda lit: lit is not None
    ):
        window.page_column.play_bar.play()
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert not window.page_column.play_bar.isVisible()
    assert window.focusWidget() is window.page_column.page_view
    assert not window.actions_by_name["trace"].isChecked()


def test_all_that_was_read_is_lit_by_one_button_until_the_look_changes(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    bar = begin_watching(qtbot, window, session, draw_page())
    buttons = {each.accessibleName(): each for each in bar.findChildren(QToolButton)}
    with qtbot.waitSignal(
        session.tuning.spotlight.attention_changed, check_params_cb=lambda lit: lit is not None
    ):
        buttons["All that was read"].click()
    line = bar.findChild(TokenLine)
    assert "stays dark" in line.accessibleDescription()
    session.tuning.show_next_look()
    assert line.accessibleDescription() == "page", "the first word"


def test_the_grid_is_offered_with_tiles_and_every_way_to_choose_it_agrees(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    button = next(
        each
        for each in window.page_column.overlay_bar.findChildren(QToolButton)
        if each.defaultAction() is window.actions_by_name["global_grid"]
    )
    assert not button.isVisible()
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan is not None):
        session.set_mode(Mode.GUNDAM)
    assert button.isVisible()
    button.click()
    assert window.actions_by_name["global_grid"].isChecked()
    assert session.choices.settings.grid == "global"
    window.actions_by_name["global_grid"].trigger()
    assert not button.isChecked()
    assert session.choices.settings.grid == "local"
