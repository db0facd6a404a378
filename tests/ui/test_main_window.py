"""What the window promises: every wish has a way in, and nothing typed is lost on the way out."""

import dataclasses
import errno
import importlib.metadata
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QAccessible,
    QAction,
    QClipboard,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QFont,
    QGuiApplication,
    QImage,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListView,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QSlider,
    QSpinBox,
    QStyle,
    QTabBar,
    QToolButton,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from rtocr_gui import __main__ as entry
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.export.looks import Look
from rtocr_gui.ocr.reading import Mode, Stage
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.settings import Settings
from rtocr_gui.ui import app
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.questions import Leave
from rtocr_gui.ui.dialogs.shortcut_list import ShortcutList
from rtocr_gui.ui.page.play_bar import PlayBar
from rtocr_gui.ui.page.token_line import TokenLine
from rtocr_gui.ui.parts.actions import MENUS, SPECS
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, Loss, ModelStatus, PasswordQuestion
from rtocr_gui.ui.text.compare_view import CompareView
from rtocr_gui.ui.tuning.curve_view import CurveView
from rtocr_gui.ui.window.main_window import MainWindow
from tests.broken_files import encrypted_pdf
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_loading,
    begin_reading,
    editor_of,
    emissions,
    export_text,
    held_lane,
    open_and_load,
    pages_of,
    read_selected,
    sentences_in,
    until_idle,
    until_loaded,
    until_reading_begins,
    wait_until_idle,
)


def read(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    until_idle(qtbot, session, window.actions_by_name["read"].trigger)


def begin_watching(qtbot: QtBot, window: MainWindow, session: Session, path: Path) -> PlayBar:
    """Read a page, and open the bar that plays its text."""
    open_and_load(qtbot, session, path)
    read(qtbot, window, session)
    window.actions_by_name["trace"].trigger()
    return window.page_column.play_bar


def test_every_action_is_in_a_menu_and_says_what_it_does(window: MainWindow) -> None:
    listed = {name for names in MENUS.values() for name in names if name}
    assert listed == {spec.name for spec in SPECS} == set(window.actions_by_name)
    assert all(action.toolTip() for action in window.actions_by_name.values())


def test_no_two_actions_share_a_shortcut(window: MainWindow) -> None:
    keys = [key.toString() for action in window.actions_by_name.values() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_no_two_things_in_sight_share_a_mnemonic(window: MainWindow) -> None:
    column = window.text_column
    tabs = [bar.tabText(index) for bar in window.findChildren(QTabBar) for index in range(bar.count())]
    labels = [label.text() for label in window.findChildren(QLabel) if label.buddy()]
    column.show_curve()
    buttons = [button.text() for button in window.findChildren(QAbstractButton) if button.isVisible()]
    keys = [
        QKeySequence.mnemonic(text).toString() for text in (*MENUS, *tabs, *labels, *buttons) if "&" in text
    ]
    assert len(keys) >= 14
    assert len(keys) == len(set(keys))


def test_everything_that_takes_the_focus_has_a_name(window: MainWindow) -> None:
    for lazy in (window.text_column.compare, window.text_column.curve):
        assert lazy.pane
    window.notice_bar.add_problem("Something to know.")  # whose buttons are named with it
    nameless = [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.window() is window
        and not widget.objectName().startswith("qt_")  # a part of one that has a name
        and not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
    ]
    assert nameless == []


def test_no_two_items_of_a_menu_share_a_mnemonic(window: MainWindow) -> None:
    menus = [action.menu() for action in window.menuBar().actions()]
    for items in (*(menu.actions() for menu in menus), pages_of(window).actions()):
        keys = [QKeySequence.mnemonic(item.text()).toString() for item in items if "&" in item.text()]
        assert keys
        assert len(keys) == len(set(keys))


def test_the_arrow_of_the_model_button_does_not_touch_the_name(window: MainWindow) -> None:
    chip = window.tool_bar.model_chip
    arrow_px = chip.style().pixelMetric(QStyle.PixelMetric.PM_MenuButtonIndicator, None, chip)
    name_px = chip.fontMetrics().horizontalAdvance(chip.text())
    assert chip.sizeHint().width() >= name_px + 2 * arrow_px


def test_the_model_button_tells_screen_readers_which_model_it_is(
    window: MainWindow, session: Session
) -> None:
    chip = window.tool_bar.model_chip
    session.models.changed.emit(ModelStatus(None, "R&D is loading…", loading=True))
    told = QAccessible.queryAccessibleInterface(chip)
    assert told.text(QAccessible.Text.Name) == "Model"
    assert told.text(QAccessible.Text.Description) == "R&D is loading…"


def test_an_empty_window_offers_only_what_makes_sense(window: MainWindow) -> None:
    off = ("read", "read_all", "stop", "export", "copy", "remove")
    assert not any(window.actions_by_name[name].isEnabled() for name in off)
    assert window.actions_by_name["open"].isEnabled()


def test_read_shows_the_text_and_how_it_came_about(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    assert editor_of(window).toPlainText() == "page 1 of scan.png at 0.76"
    assert "48 of 64 tokens (ratio 76 %, automatic)" in window.text_column.summary.text()


def test_the_text_stays_where_it_is_whether_its_summary_takes_one_line_or_two(window: MainWindow) -> None:
    column = window.text_column
    line_px = column.summary.fontMetrics().horizontalAdvance("read ")
    tops = set()
    for share in (0, 0.5, 1.5):
        column.summary.setText("read " * int(share * column.summary.width() / line_px))
        QApplication.processEvents()
        tops.add(column.text_pane.y())
    assert len(tops) == 1


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


@pytest.mark.parametrize("name", ["find", "copy"])
def test_the_buttons_below_the_text_name_their_keys(window: MainWindow, name: str) -> None:
    tips = [button.toolTip() for button in window.text_column.text_pane.findChildren(QToolButton)]
    keys = window.actions_by_name[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    assert any(tip.endswith(f"({keys})") for tip in tips)


def test_the_list_of_shortcuts_holds_all_that_the_menus_have_and_where_they_work(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.activateWindow()
    qtbot.keyClick(window, QKeySequence(QKeySequence.StandardKey.HelpContents)[0].key())
    tree = window.findChild(ShortcutList).findChild(QTreeWidget)
    menus = [tree.topLevelItem(index) for index in range(tree.topLevelItemCount())]
    panes = ["On the page", "In the page list", "In Find", "In Compare", "On the retention curve"]
    panes += ["While the reading is played", "Elsewhere"]
    assert [menu.text(0) for menu in menus] == ["File", "Edit", "Read", "View", "Model", "Help", *panes]
    assert all(pane.child(index).text(1) for pane in menus[6:] for index in range(pane.childCount()))
    lines = [menu.child(index) for menu in menus[:6] for index in range(menu.childCount())]
    keys = {line.text(0): line.text(1) for line in lines}
    with_keys = [action for action in window.actions_by_name.values() if action.shortcuts()]
    assert len(keys) == len(lines) == len(with_keys)
    for action in with_keys:
        native = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        assert keys[action.iconText()].startswith(native)
    assert keys["Next look"] == "L on the page"
    assert tree.sizeHintForColumn(0) + tree.sizeHintForColumn(1) <= tree.viewport().width()
    window.findChild(ShortcutList).close()


def test_the_command_names_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", {"rtocr-gui": "1.2.3"}.__getitem__)
    with pytest.raises(SystemExit) as ended:
        app.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "rtocr-gui 1.2.3\n"


def test_without_a_display_the_program_says_how_to_read_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.setenv(name, "")
    with pytest.raises(SystemExit, match="There is no display"):
        app.main([])


def test_on_a_display_that_cannot_be_reached_the_program_says_how_to_read_without_one() -> None:
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "unreachable"}
    ended = subprocess.run(
        [sys.executable, "-m", "rtocr_gui"],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    *_, said = ended.stderr.splitlines()
    assert said == "No window can be opened on this display. To read without one: rtocr read FILE"


def test_ctrl_c_ends_a_program_that_has_no_window_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "load", lambda: lambda: signal.getsignal(signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    try:
        assert entry.main() == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_a_folder_that_is_gone_the_program_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "has_current_folder", lambda: False)
    with pytest.raises(SystemExit, match="The current folder no longer exists"):
        app.main(["letter.png"])


def test_about_names_the_version(monkeypatch: pytest.MonkeyPatch, window: MainWindow) -> None:
    told: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: told.extend((box.text(), box.informativeText())))
    monkeypatch.setattr(importlib.metadata, "version", {"rtocr-gui": "1.2.3"}.__getitem__)
    window.actions_by_name["about"].trigger()
    assert told[0] == "RTOCR 1.2.3"
    assert told[1].startswith("RTOCR reads scanned pages")


def test_a_question_stands_in_its_box_and_no_file_name_is_rich_text(
    monkeypatch: pytest.MonkeyPatch, window: MainWindow
) -> None:
    shown: list[str] = []

    def note(box: QMessageBox) -> None:
        labels = [label for label in box.findChildren(QLabel) if label.text()]
        assert all(label.textFormat() is Qt.TextFormat.PlainText for label in labels)
        shown.extend(label.text() for label in labels)

    monkeypatch.setattr(QMessageBox, "exec", note)
    assert not questions.agrees(window, "Replace <b>a</b>?", "It is <i>lost</i>.", "Replace")
    assert shown == ["Replace <b>a</b>?", "It is <i>lost</i>."]


def test_macos_moves_no_action_but_two_to_a_menu_of_its_own(window: MainWindow) -> None:
    roles = {name: action.menuRole() for name, action in window.actions_by_name.items()}
    assert roles.pop("about") is QAction.MenuRole.AboutRole
    assert roles.pop("quit") is QAction.MenuRole.QuitRole
    assert set(roles.values()) == {QAction.MenuRole.NoRole}


def test_copied_files_are_opened_by_paste(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(draw_page()))])
    QGuiApplication.clipboard().setMimeData(data)
    window.actions_by_name["paste"].trigger()
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 1)


def test_copied_files_and_pictures_go_to_the_window_also_while_the_person_types(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    files, picture, words = QMimeData(), QMimeData(), QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(draw_page("other.png")))])
    files.setText(files.urls()[0].toString())
    picture.setImageData(QImage(8, 8, QImage.Format.Format_RGB32))
    words.setText("words")
    pasted: list[object] = []
    window.actions_by_name["paste"].triggered.connect(lambda: pasted.append(copied))
    editor = editor_of(window)
    window.activateWindow()
    editor.setFocus()
    for copied in (files, picture, words):
        QGuiApplication.clipboard().setMimeData(copied)
        qtbot.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    QGuiApplication.clipboard().clear()
    qtbot.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert pasted == [files, picture, words]
    assert editor.toPlainText() == "words"
    assert sentences_in(window.notice_bar)[-1] == "There is no image and no file to paste."
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)


def test_a_copied_picture_goes_to_the_window_also_from_the_find_line(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    window.activateWindow()
    window.text_column.begin_find()
    line = window.text_column.find_bar.findChild(QLineEdit)
    words = QMimeData()
    words.setText("words")
    QGuiApplication.clipboard().setMimeData(words)
    qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    QGuiApplication.clipboard().setImage(QImage(8, 8, QImage.Format.Format_RGB32))
    with qtbot.waitSignal(window.arrivals.picture_came):
        qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert line.text() == "words"


def test_pasting_nothing_is_told(window: MainWindow) -> None:
    QGuiApplication.clipboard().clear()
    window.actions_by_name["paste"].trigger()
    assert sentences_in(window.notice_bar) == ("There is no image and no file to paste.",)


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


def test_modes_the_model_was_not_made_for_are_marked(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    labels = [window.tool_bar.mode_box.itemText(row) for row in range(window.tool_bar.mode_box.count())]
    assert labels[1:] == [
        "Tiny",
        "Small (untrained)",
        "Base (untrained)",
        "Large (untrained)",
        "Gundam (untrained)",
    ]


def test_typed_text_is_kept_when_the_person_says_so(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    editor_of(window).setPlainText("mine")
    monkeypatch.setattr(questions, "ask_overwrite", lambda *_: False)
    window.actions_by_name["read"].trigger()
    assert session.current_text == "mine"
    assert editor_of(window).toPlainText() == "mine"


def test_closing_with_typed_text_asks_and_stays_open_on_no(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_and_load(qtbot, session, draw_page())
    editor_of(window).setPlainText("mine")
    monkeypatch.setattr(questions, "ask_leave", lambda *_: Leave.STAY)
    assert not window.close()
    monkeypatch.setattr(questions, "ask_leave", lambda *_: Leave.LOSE)
    assert window.close()


@pytest.mark.parametrize(
    ("pressed", "leave"),
    [("Export…", Leave.EXPORT), ("Close without exporting", Leave.LOSE), ("Cancel", Leave.STAY)],
)
def test_closing_on_text_that_is_in_no_file_leaves_three_ways(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, pressed: str, leave: Leave
) -> None:
    def press(box: QMessageBox) -> None:
        (button,) = (each for each in box.buttons() if each.text() == pressed)
        button.click()

    monkeypatch.setattr(QMessageBox, "exec", press)
    assert questions.ask_leave(window, "Export before closing?", "It is lost.") is leave


def test_who_exports_at_closing_and_chooses_no_file_keeps_the_window(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "ask_leave", lambda *_: Leave.EXPORT)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: None)
    open_and_load(qtbot, session, draw_page())
    editor_of(window).setPlainText("mine")
    assert not window.close()
    assert not session.exporter.is_exporting
    assert window.notice_bar.notices == ()


def test_closing_asks_nothing_where_all_text_was_emptied(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_and_load(qtbot, session, draw_page())
    editor_of(window).setPlainText("mine")
    editor_of(window).clear()
    monkeypatch.setattr(questions, "ask_leave", lambda *_: pytest.fail("nothing is lost"))
    assert window.close()


def test_closing_asks_before_a_page_that_was_read_is_lost(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(questions, "ask_leave", lambda _, __, text: asked.append(text) or Leave.STAY)
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    read_selected(qtbot, session)
    assert not window.close()
    until_idle(qtbot, session, session.read_all)
    assert not window.close()
    editor_of(window).setPlainText("mine")
    assert not window.close()
    assert asked == [
        "The text read from 1 page was not exported. It will be lost when the window closes.",
        "The text read from 3 pages was not exported. It will be lost when the window closes.",
        "You edited the text of 1 page and did not export it. "
        "The text read from 2 pages was not exported. It will be lost when the window closes.",
    ]
    export_text(qtbot, session, tmp_path / "out.md")
    assert window.close()


def test_text_of_a_file_that_another_export_replaced_is_in_no_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    def export(name: str, *refs: PageRef) -> int:
        """How many texts are in no file once these pages are in one of that name."""
        with qtbot.waitSignal(session.notice_raised):
            session.exporter.export_text(tmp_path / name, refs)
        return session.unsaved.loss(session.shelf.refs).read

    def export_plan(name: str) -> None:
        with qtbot.waitSignal(session.notice_raised):
            session.exporter.export_file("the plan", lambda _, path: None, tmp_path / name)

    (tmp_path / "link.md").symlink_to(tmp_path / "out.md")
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.read_all()
    wait_until_idle(qtbot, session)
    first, second = session.shelf.refs
    assert [export("out.md", first), export("other.md", second)] == [1, 0]
    assert export("out.md", first) == 0
    assert export("link.md", second) == 1
    removed = session.shelf.remove([first])
    assert export("out.md", second) == 0
    session.shelf.put_back(removed)
    assert session.unsaved.loss([first]).read == 1
    assert export("out.md", first, second) == 0
    assert export("other.md", first, second) == 0
    export_plan("out.md")
    assert session.unsaved.loss([first]).read == 0, "it is in the other file still"
    export_plan("other.md")
    assert session.unsaved.loss([first]).read == 1


def test_an_unexpected_error_does_not_close_the_window_over_a_text(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bool:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    monkeypatch.setattr(window.dialogues, "may_close", fail)
    with pytest.raises(OSError, match="endpoint"):
        window.close()
    assert window.isVisible()


def test_a_remembered_folder_that_is_out_of_reach_is_not_offered(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bool:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    asked: list[Path] = []
    monkeypatch.setattr(questions, "ask_export_path", lambda *words: asked.append(words[2]))
    session.choices.remember(export_folder="/mnt/share")
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    monkeypatch.setattr(os, "stat", fail)
    window.actions_by_name["export"].trigger()
    monkeypatch.undo()
    assert asked
    assert asked[0].parent != Path("/mnt/share")


def test_a_text_that_was_cleared_and_exported_is_lost_with_no_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.read_all()
    wait_until_idle(qtbot, session)
    session.edit_text("")
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    export_text(qtbot, session, tmp_path / "out.md")
    with qtbot.waitSignal(session.notice_raised):
        session.exporter.export_text(tmp_path / "out.md", session.shelf.refs[1:])
    assert session.unsaved.loss(session.shelf.refs) == Loss(typed=0, read=0, in_hand=0)


def test_closing_asks_nothing_about_text_that_was_copied_as_it_was_read(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(questions, "ask_leave", lambda _, __, text: asked.append(text) or Leave.STAY)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["copy"].trigger()
    assert window.close()
    window.show()
    editor_of(window).setPlainText("mine")
    window.actions_by_name["copy"].trigger()
    assert not window.close()
    assert [text.partition(" and")[0] for text in asked] == ["You edited the text of 1 page"]


def test_what_was_copied_counts_until_something_else_is_whenever_the_clipboard_tells(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    clipboard = QGuiApplication.clipboard()
    monkeypatch.setattr(QClipboard, "ownsClipboard", lambda _: True)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["copy"].trigger()
    clipboard.dataChanged.emit()  # as on Windows, where it comes later
    assert session.unsaved.loss(session.shelf.refs).read == 0
    clipboard.setText("something else")
    assert session.unsaved.loss(session.shelf.refs).read == 1


def test_a_page_that_comes_back_counts_as_copied_no_longer(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name["copy"].trigger()
    session.remove_pages(session.shelf.refs)
    QGuiApplication.clipboard().setText("something else")
    (offer,) = window.notice_bar.notices[-1].offers
    session.take_offer(offer)
    assert session.unsaved.loss(session.shelf.refs).read == 1


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
    with qtbot.waitSignal(session.shelf.file_opened):
        session.open_files([path])
    assert statuses[-1].state is PageState.UNREAD
    assert not window.notice_bar.notices


def test_closing_asks_again_where_a_page_was_read_to_its_end_behind_the_question(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read_on(*_: object) -> bool:
        until_idle(qtbot, session, fake_engine.gate.set)
        return True

    asked: list[str] = []
    monkeypatch.setattr(questions, "agrees", read_on)
    monkeypatch.setattr(questions, "ask_leave", lambda _, __, text: asked.append(text) or Leave.STAY)
    open_and_load(qtbot, session, draw_page())
    fake_engine.gate.clear()
    session.read_selected()
    qtbot.waitUntil(lambda: session.current_text.startswith("page"))
    assert not window.close()
    assert asked == ["The text read from 1 page was not exported. It will be lost when the window closes."]


def test_closing_asks_once_though_more_pages_are_read_behind_the_question(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read_on(_: object, __: str, text: str) -> Leave:
        asked.append(text)
        until_idle(qtbot, session, fake_engine.gate.set)
        return Leave.LOSE

    asked: list[str] = []
    monkeypatch.setattr(questions, "ask_leave", read_on)
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    until_idle(qtbot, session, session.read_selected)
    fake_engine.gate.clear()
    session.read_all()
    qtbot.waitUntil(lambda: session.reader.activity.reading)
    assert window.close()
    assert len(asked) == 1


def test_text_that_gave_way_to_another_on_the_clipboard_is_asked_about_again(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    until_idle(qtbot, session, session.read_all)
    for ref in session.shelf.refs:
        session.shelf.select(ref)
        window.actions_by_name["copy"].trigger()
    assert session.unsaved.loss(session.shelf.refs) == Loss(typed=0, read=1, in_hand=0)
    QApplication.clipboard().setText("from elsewhere")
    assert session.unsaved.loss(session.shelf.refs) == Loss(typed=0, read=2, in_hand=0)


def test_removing_a_page_asks_only_while_its_edits_are_in_no_file(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_and_load(qtbot, session, draw_page())
    editor_of(window).setPlainText("mine")
    monkeypatch.setattr(questions, "agrees", lambda *_: False)
    window.actions_by_name["remove"].trigger()
    assert len(session.shelf.refs) == 1
    export_text(qtbot, session, tmp_path / "out.md")
    monkeypatch.setattr(questions, "agrees", lambda *_: pytest.fail("nothing is lost"))
    window.actions_by_name["remove"].trigger()
    assert session.shelf.refs == ()


def test_an_encrypted_file_asks_for_its_password(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[PasswordQuestion] = []
    monkeypatch.setattr(questions, "ask_password", lambda _, question: asked.append(question) or "")
    question = PasswordQuestion(tmp_path / "secret.pdf", "It is encrypted.")
    session.shelf.password_needed.emit(question)
    assert asked == [question]
    assert sentences_in(window.notice_bar) == ("secret.pdf: not opened. It is encrypted.",)


def test_export_writes_the_file_that_was_chosen(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.md")
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export"].trigger()
    assert "page 1 of scan.png" in (tmp_path / "out.md").read_text(encoding="utf-8")
    assert sentences_in(window.notice_bar) == (f"Exported 1 page to {tmp_path / 'out.md'}.",)


def test_what_a_checkpoint_says_of_itself_is_never_rendered_as_markup(
    qtbot: QtBot, window: MainWindow, session: Session
) -> None:
    until_loaded(qtbot, session, session.models.load)
    hostile = dataclasses.replace(
        session.models.model.info, name="R&D", description='<img src="/etc/passwd">'
    )
    model = dataclasses.replace(session.models.model, info=hostile)
    session.models.changed.emit(ModelStatus(model, hostile.name))
    assert "<img" not in window.tool_bar.model_chip.toolTip()
    assert "&lt;img" in window.tool_bar.model_chip.toolTip()
    assert window.tool_bar.model_chip.shortcut().isEmpty()


def test_the_window_remembers_its_place(window: MainWindow, session: Session) -> None:
    window.resize(1000, 700)
    window.close()
    assert session.choices.settings.window_geometry
    assert session.choices.settings.window_state


def test_closing_during_a_reading_ends_within_two_seconds(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    bridge: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(questions, "agrees", lambda _, title, text, __: bool(asked.append((title, text))))
    open_and_load(qtbot, session, draw_page())
    until_reading_begins(qtbot, fake_engine, window.actions_by_name["read"].trigger)
    assert not window.close()
    said = "The model is still reading 1 page. What was read so far will be lost when the window closes."
    assert asked == [("Close while the model is reading?", said)]
    monkeypatch.setattr(questions, "agrees", lambda *_: True)
    assert window.close()
    assert bridge.close(2)


def test_who_types_while_a_file_opens_goes_on_typing_into_the_same_page(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"))
    first = session.shelf.current
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([draw_page("b.png")])
        qtbot.keyClicks(editor_of(window), "mi")
    qtbot.keyClicks(editor_of(window), "ne")
    assert session.shelf.current == first
    assert session.current_text == "mine"
    assert len(session.shelf.refs) == 2


def test_a_page_that_was_removed_comes_back_with_nothing_to_undo(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    first = draw_page("a.png")
    open_and_load(qtbot, session, first, draw_page("b.png"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    editor_of(window).insertPlainText("typed")
    editor_of(window).undo()
    session.remove_pages((session.shelf.current,))
    with qtbot.waitSignal(session.page_selected):
        session.open_files([first])
    assert not editor_of(window).document().isRedoAvailable()


def test_typing_is_undone_and_redone_from_the_menu_in_sight(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    undo, redo = (window.actions_by_name[name] for name in ("undo", "redo"))
    open_and_load(qtbot, session, draw_page())
    assert not undo.isEnabled()
    qtbot.keyClicks(editor_of(window), "mine")
    assert (undo.isEnabled(), redo.isEnabled()) == (True, False)
    window.text_column.show_compare()
    undo.trigger()
    assert session.current_text == ""
    assert editor_of(window).isVisible()
    assert (undo.isEnabled(), redo.isEnabled()) == (False, True)
    redo.trigger()
    assert session.current_text == "mine"
    until_idle(qtbot, session, lambda: session.read_replacing(session.shelf.refs))
    assert not undo.isEnabled(), "what was read is nobody's typing"


def test_typing_is_undone_by_key_only_where_one_types(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    qtbot.keyClicks(editor_of(window), "mine")
    for focused, text in ((pages_of(window), "mine"), (editor_of(window), "")):
        focused.setFocus()
        qtbot.keyClick(focused, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert session.current_text == text


def test_opening_the_file_again_that_is_edited_leaves_cursor_and_undo_alone(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    qtbot.keyClicks(editor_of(window), "mine")
    qtbot.keyClick(editor_of(window), Qt.Key.Key_Left)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    assert editor_of(window).textCursor().position() == 3
    editor_of(window).undo()
    assert session.current_text == ""


def test_files_dropped_on_a_pane_are_opened(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(draw_page("a.png"))), QUrl.fromLocalFile(str(draw_page("b.png")))])
    copy, left, no_key = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    place = window.page_column.page_view.viewport()
    QApplication.sendEvent(place, QDragEnterEvent(QPoint(5, 5), copy, data, left, no_key))
    QApplication.sendEvent(place, QDropEvent(QPoint(5, 5), copy, data, left, no_key))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)


def test_an_export_is_never_suggested_beside_a_pasted_page(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested: list[Path] = []
    monkeypatch.setattr(questions, "ask_export_path", lambda _, title, path, kinds: suggested.append(path))
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    session.choices.remember(export_folder="/no/such/folder")
    window.actions_by_name["export"].trigger()
    assert suggested[0].name == "scan.md"
    assert suggested[0].parent not in (session.shelf.current.path.parent, Path("/no/such/folder"))
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _: "/no/such/documents")
    window.actions_by_name["export"].trigger()
    assert suggested[1].parent == Path.home()


def test_the_text_of_a_folder_is_exported_under_its_name_to_where_the_last_was(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suggested: list[Path] = []
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(
        questions,
        "ask_export_path",
        lambda _, title, path, kinds: suggested.append(path) or tmp_path / "out" / "mine.md",
    )
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    read(qtbot, window, session)
    folder = session.shelf.current.path.parent
    for _ in range(2):
        with qtbot.waitSignal(session.notice_raised):
            window.actions_by_name["export"].trigger()
    assert suggested[0].name == f"{folder.name}.md"
    assert suggested[1] == tmp_path / "out" / f"{folder.name}.md"
    assert session.choices.settings.last_folder == ""


def test_selected_pages_are_exported_alone_and_only_they_are_saved(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.md")
    open_and_load(qtbot, session, *(draw_page(name) for name in ("a.png", "b.png", "c.png")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    assert not window.actions_by_name["export_selected"].isEnabled()
    session.read_all()
    wait_until_idle(qtbot, session)
    window.page_list.select(session.shelf.refs[0])
    window.page_list.select_too([session.shelf.refs[2]])
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export_selected"].trigger()
    text = (tmp_path / "out.md").read_text()
    assert [f"of {name}.png" in text for name in "abc"] == [True, False, True]
    assert session.unsaved.loss(session.shelf.refs).read == 1


def test_each_file_is_exported_to_one_of_its_own_and_none_is_replaced_unasked(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.md").write_text("corrected by hand")
    asked: list[list[str]] = []
    answers = iter((False, True))

    def ask_replace(_: object, files: list[Path]) -> bool:
        asked.append([file.name for file in files])
        return next(answers)

    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: out)
    monkeypatch.setattr(questions, "ask_replace", ask_replace)
    action = window.actions_by_name["export_by_scan"]
    open_and_load(qtbot, session, *(draw_page(name, pages=2) for name in ("a.tiff", "b.tiff", "c.tiff")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 6)
    assert not action.isEnabled()
    session.read((session.shelf.refs[0], *session.shelf.refs[2:4]))
    wait_until_idle(qtbot, session)
    action.trigger()
    assert asked == [["b.md"]]
    assert not session.exporter.is_exporting
    with qtbot.waitSignal(session.notice_raised):
        action.trigger()
    assert {file.name: file.read_text().count("<!-- page: ") for file in out.iterdir()} == {
        "a.md": 1,
        "b.md": 2,
    }
    assert sentences_in(window.notice_bar)[-1] == (
        f"Exported 3 pages to 2 files in {out}. Pages without text, left out: 3."
    )
    assert session.unsaved.loss(session.shelf.refs).read == 0


def test_a_text_that_comes_while_the_question_is_open_replaces_no_file_unasked(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("corrected by hand")
    asked: list[list[str]] = []

    def ask_replace(_: object, files: list[Path]) -> bool:
        asked.append([file.name for file in files])
        session.shelf.select(session.shelf.refs[1])
        session.edit_text("typed meanwhile")
        return len(asked) == 1

    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: tmp_path)
    monkeypatch.setattr(questions, "ask_replace", ask_replace)
    open_and_load(qtbot, session, *(draw_page(name) for name in ("a.png", "b.png")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    read(qtbot, window, session)
    window.actions_by_name["export_by_scan"].trigger()
    assert asked == [["a.md"], ["b.md"]]
    assert not session.exporter.is_exporting


def test_a_file_keeps_its_name_whichever_scans_have_text(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, *(draw_page(name) for name in ("scan.png", "scan.tiff")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    session.shelf.select(session.shelf.refs[1])
    session.edit_text("typed")
    before = session.exporter.files_in(tmp_path)
    session.shelf.select(session.shelf.refs[0])
    session.edit_text("typed too")
    assert before == session.exporter.files_in(tmp_path)[1:]


def test_no_open_scan_is_replaced_by_a_file_for_another(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scan = draw_page()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scan.md").symlink_to(scan)
    before = scan.read_bytes()
    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: tmp_path / "out")
    open_and_load(qtbot, session, scan)
    read(qtbot, window, session)
    window.actions_by_name["export_by_scan"].trigger()
    assert not session.exporter.is_exporting
    assert sentences_in(window.notice_bar)[-1] == (
        "scan.md: not overwritten, because it is open as a scan. Export to another folder."
    )
    assert scan.read_bytes() == before


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
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: False)
    window.open_outside(tmp_path / "out")
    assert sentences_in(window.notice_bar)[-1] == f"No program was found to open “{tmp_path / 'out'}”."
    with qtbot.waitSignal(window.log_requested):
        window.actions_by_name["log"].trigger()


def test_a_scan_that_is_open_is_not_overwritten_by_an_export(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = draw_page()
    before = scan.read_bytes()
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: scan.parent / "." / scan.name)
    open_and_load(qtbot, session, scan)
    read(qtbot, window, session)
    window.actions_by_name["export_overlay"].trigger()
    assert not session.exporter.is_exporting
    assert sentences_in(window.notice_bar) == (
        "scan.png: not overwritten, because it is open as a scan. Export under another name.",
    )
    assert scan.read_bytes() == before


@pytest.mark.parametrize(
    ("action", "name", "ending"),
    [
        ("export", "out.png", ".md"),
        ("export", "out.docx", ".md"),
        ("export_overlay", "out.JPG", ".png"),
        ("export_plan", "out.pdf", ".json"),
    ],
)
def test_nothing_is_exported_under_the_name_of_another_kind_of_file(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    name: str,
    ending: str,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / name)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name[action].trigger()
    assert not session.exporter.is_exporting
    (sentence,) = sentences_in(window.notice_bar)
    assert sentence.startswith(f"{name}: not written, because it would be no {Path(name).suffix} file.")
    assert sentence.endswith(f"Choose a name that ends in {ending}.")


@pytest.mark.parametrize("action", ["export", "export_by_scan"])
def test_a_scan_that_is_open_is_not_replaced_by_a_figure(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
) -> None:
    (tmp_path / "scan.assets").mkdir()
    figure = tmp_path / "scan.assets" / "page-1-figure-1.png"
    draw_page().replace(figure)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "scan.md")
    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: tmp_path)
    open_and_load(qtbot, session, draw_page(), figure)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    read(qtbot, window, session)
    window.actions_by_name[action].trigger()
    assert not session.exporter.is_exporting
    (sentence,) = sentences_in(window.notice_bar)
    assert sentence.startswith(
        "page-1-figure-1.png: this scan is open, and it lies in the folder where the figures would be"
    )


def test_a_very_long_name_has_room_for_what_is_added_to_it(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda _, title, path, kinds: tmp_path / path.name)
    open_and_load(qtbot, session, draw_page(f"{240 * 'n'}.png"))
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export_overlay"].trigger()
    assert (tmp_path / f"{200 * 'n'}-overlay.png").exists()
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / f"{300 * 'n'}.png")
    with qtbot.waitSignal(session.notice_raised) as told:
        window.actions_by_name["export_overlay"].trigger()
    assert "was not written (File name too long)" in told.args[0].sentence


@pytest.mark.parametrize("agrees", [True, False])
def test_pages_are_read_in_order_whether_they_were_edited_or_not(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    agrees: bool,
) -> None:
    monkeypatch.setattr(questions, "ask_overwrite", lambda *_: agrees)
    open_and_load(qtbot, session, draw_page("book.tiff", pages=3))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    first, second, third = session.shelf.refs
    session.shelf.select(third)
    session.edit_text("mine")
    begun = emissions(session.reader.began)
    until_idle(qtbot, session, session.read_all)
    assert begun == ([first, second, third] if agrees else [first, second])


def test_passwords_are_asked_for_one_after_the_other(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    open_dialogs: list[str] = []
    asked: list[str] = []

    def ask(_: object, question: PasswordQuestion) -> str:
        assert not open_dialogs
        open_dialogs.append(question.path.name)
        asked.append(question.path.name)
        if question.path.name == "a.pdf":
            session.shelf.password_needed.emit(PasswordQuestion(tmp_path / "b.pdf", "It is encrypted."))
        open_dialogs.pop()
        return ""

    monkeypatch.setattr(questions, "ask_password", ask)
    session.shelf.password_needed.emit(PasswordQuestion(tmp_path / "a.pdf", "It is encrypted."))
    assert asked == ["a.pdf", "b.pdf"]


def test_pages_are_turned_from_within_the_text_which_is_typed_into_at_once(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(name="three.tiff", pages=3))
    editor = editor_of(window)
    editor.setFocus()
    qtbot.waitUntil(editor.hasFocus)
    shown = []
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        qtbot.keyClick(editor, key, Qt.KeyboardModifier.ControlModifier)
        shown.append(session.shelf.current.index)
    assert shown == [1, 2, 2, 1]
    assert window.page_list.selected_keys == (session.shelf.current,)
    qtbot.keyClicks(editor, "mine")
    assert session.current_text == "mine"


def test_a_password_is_tried_on_the_other_files_that_wait_and_those_of_another_one_are_asked_for(
    qtbot: QtBot, window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passwords = {"a.pdf": "summer", "b.pdf": "winter", "c.pdf": "summer", "d.pdf": "summer"}
    for name, password in passwords.items():
        (tmp_path / name).write_bytes(encrypted_pdf(password))
    asked: list[PasswordQuestion] = []
    others: list[PasswordQuestion] = []  # than the first, during which they come
    session.shelf.password_needed.connect(others.append)

    def ask(_: object, question: PasswordQuestion) -> str:
        asked.append(question)
        qtbot.waitUntil(lambda: len(others) == len(passwords) - 2 + len(asked))
        return passwords[question.path.name]

    monkeypatch.setattr(questions, "ask_password", ask)
    session.open_files([tmp_path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == len(passwords))
    assert [question.path.name for question in asked] == ["a.pdf", "b.pdf"]
    assert asked[0].sentence == asked[1].sentence


def test_an_encrypted_file_that_is_opened_twice_is_asked_for_once_and_a_wrong_password_is_told(
    qtbot: QtBot, window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scan = tmp_path / "a.pdf"
    scan.write_bytes(encrypted_pdf("summer"))
    asked: list[str] = []

    def ask(_: object, question: PasswordQuestion) -> str:
        asked.append(question.sentence)
        qtbot.waitUntil(lambda: session.shelf.files_left == 1)
        return "winter" if len(asked) == 1 else "summer"

    monkeypatch.setattr(questions, "ask_password", ask)
    session.open_files([scan, tmp_path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 1)
    assert [sentence.split(".")[0] for sentence in asked] == ["The PDF is encrypted", "The password is wrong"]


def test_a_file_whose_password_is_not_given_is_awaited_no_longer(
    qtbot: QtBot, window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scan = tmp_path / "a.pdf"
    scan.write_bytes(encrypted_pdf())
    monkeypatch.setattr(questions, "ask_password", lambda *_: "")
    session.open_files([scan])
    session.read_all()
    assert session.reader.activity == Activity(awaits_files=True)
    qtbot.waitUntil(lambda: session.reader.activity == Activity())
    assert window.status_line.findChildren(QLabel)[0].text() == "Ready"


def test_the_newest_of_many_notices_is_in_sight(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    for number in range(20):
        session.notice_raised.emit(Notice(f"notice {number}"))
    bar = window.notice_bar.findChild(QScrollArea).verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())


def test_typing_makes_a_page_exportable(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    assert not window.actions_by_name["export"].isEnabled()
    editor_of(window).setPlainText("mine")
    assert window.actions_by_name["export"].isEnabled()
    assert window.text_column.summary.text() == "typed by you"


def test_tab_goes_from_the_text_to_the_buttons_below_it(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.read_selected()
    qtbot.waitUntil(lambda: window.actions_by_name["copy"].isEnabled())
    editor_of(window).setFocus()
    visited = []
    for _ in range(2):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        visited.append(window.focusWidget().defaultAction())
    assert visited == [window.actions_by_name[name] for name in ("find", "copy")]


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
    assert find_bar.visibleRegion().boundingRect().width() == find_bar.width()


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


def test_a_new_window_fits_on_the_screen(window: MainWindow) -> None:
    room = window.screen().availableSize()
    assert window.width() <= room.width()
    assert window.height() <= room.height()


def test_the_line_at_the_bottom_tells_what_tuning_reads(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    said = window.status_line.findChildren(QLabel)[0]
    fake_engine.gate.clear()
    window.actions_by_name["curve"].trigger()
    assert said.text() == "Reading the curve, 0 of 9"
    window.actions_by_name["stop"].trigger()
    qtbot.waitUntil(lambda: said.text() == "Ready")
    session.tuning.compare(PruneSettings(1.0), PruneSettings(0.5))
    assert said.text() != "Ready"
    window.actions_by_name["stop"].trigger()
    qtbot.waitUntil(lambda: said.text() == "Ready")
    fake_engine.gate.set()


@pytest.mark.parametrize(("dtype", "told"), [("float32", "80.0 MB weights"), ("bfloat16", "40.0 MB weights")])
def test_the_line_at_the_bottom_tells_the_memory_of_the_weights_as_they_are_used(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, dtype: str, told: str
) -> None:
    open_and_load(qtbot, session, draw_page())
    model = session.models.model
    model = replace(model, dtype=dtype, info=replace(model.info, parameter_count=20_000_000))
    window.status_line.show_model(ModelStatus(model, ""))
    assert [label.text() for label in window.status_line.findChildren(QLabel) if told in label.text()]


def test_the_line_at_the_bottom_is_not_ready_while_the_model_loads_or_looks_at_the_page(
    window: MainWindow,
) -> None:
    line = window.status_line
    said = line.findChildren(QLabel)[0]
    line.show_model(ModelStatus(None, "Loading…", loading=True))
    assert said.text() == "Loading the model"
    line.show_model(ModelStatus(None, "No model is loaded."))
    assert said.text() == "Ready"
    line.show_encoding(True)
    assert said.text() == "Encoding the page"
    line.show_activity(Activity(Stage.DECODE, page=1, page_count=1, together=1))
    assert said.text() == "Reading"
    line.show_encoding(False)
    line.show_activity(Activity())
    assert said.text() == "Ready"


def test_the_line_at_the_bottom_counts_the_files_that_are_still_to_be_opened(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    said = window.status_line.findChildren(QLabel)[0]
    words: list[str] = []
    session.shelf.opening_changed.connect(lambda _: words.append(said.text()))
    session.open_files([draw_page(name=name) for name in ("1.png", "2.png", "3.png")])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    assert words[:2] == ["Opening 3 files", "Opening 2 files"]
    assert not said.text().startswith("Opening")


def test_text_that_is_typed_after_all_was_deleted_can_be_copied_and_exported(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    editor, actions = editor_of(window), [window.actions_by_name[name] for name in ("export", "copy", "find")]
    editor.selectAll()
    qtbot.keyClick(editor, Qt.Key.Key_Delete)
    assert not any(action.isEnabled() for action in actions)
    qtbot.keyClicks(editor, "my own")
    assert all(action.isEnabled() for action in actions)
    for _ in "my own":
        qtbot.keyClick(editor, Qt.Key.Key_Backspace)
    assert not any(action.isEnabled() for action in actions)


def test_the_text_that_streams_in_can_be_copied_and_found(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    qtbot.waitUntil(lambda: bool(session.current_text))
    qtbot.waitUntil(lambda: all(window.actions_by_name[name].isEnabled() for name in ("copy", "find")))
    until_idle(qtbot, session, fake_engine.gate.set)


def test_read_all_updates_the_actions_a_few_times_however_many_pages_there_are(
    qtbot: QtBot, window: MainWindow, session: Session, bridge: EngineBridge, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("many.tiff", pages=40))
    updates = [emissions(told) for told in (session.reader.activity_changed, session.texts.text_changed)]
    with held_lane(bridge._model_lane):
        session.read_all()
        session.stop()
        assert sum(map(len, updates)) < 10
    qtbot.waitUntil(lambda: session.reader.activity.is_idle)


def test_the_overlay_of_a_page_that_is_only_looked_at_can_be_exported(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    exports = [window.actions_by_name[name] for name in ("export_overlay", "export_plan")]
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    for ref in session.shelf.refs:
        with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan is not None):
            session.shelf.select(None)
            assert not any(action.isEnabled() for action in exports)
            session.shelf.select(ref)
        assert all(action.isEnabled() for action in exports)


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


def test_a_file_name_is_in_the_title_to_the_letter(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("scan[*].png"))
    qtbot.waitUntil(lambda: window.windowHandle().title().startswith("scan[*].png, page 1"))


def test_a_remembered_place_that_is_none_does_not_keep_the_window_from_opening(
    qtbot: QtBot, session: Session
) -> None:
    session.choices.remember(window_geometry="\ud800", window_state="ffff", column_state="\0")
    window = MainWindow(session)
    qtbot.addWidget(window)
    window.show()
    assert window.isVisible()


def test_stop_ends_the_wait_for_files(
    qtbot: QtBot, window: MainWindow, session: Session, bridge: EngineBridge, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    said = window.status_line.findChildren(QLabel)[0]
    with held_lane(bridge._document_lane):
        session.open_files([draw_page("late.png")])
        window.actions_by_name["read_all"].trigger()
        assert said.text() == "Waiting for files to open"
        assert not session.can_unload
        window.actions_by_name["stop"].trigger()
        assert said.text() == "Ready"
        assert not window.actions_by_name["stop"].isEnabled()
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    assert session.reader.activity == Activity()


def test_the_panes_offer_what_their_actions_do(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    def ready(pane: QWidget, name: str) -> bool:
        button = next(each for each in pane.findChildren(QPushButton) if name in each.text())
        return button.isEnabled()

    compare, curve = window.text_column.compare.pane, window.text_column.curve.pane
    assert not ready(compare, "Compare")
    assert not ready(curve, "cur")
    open_and_load(qtbot, session, draw_page())
    assert ready(compare, "Compare")
    assert ready(curve, "cur")
    fake_engine.gate.clear()
    session.tuning.compare(PruneSettings(1.0), PruneSettings(0.5))
    assert not ready(curve, "cur")
    session.stop()
    fake_engine.gate.set()


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


def test_single_letters_are_shortcuts_of_the_page_alone(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("scan.png"), draw_page("letter.png"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    pages = pages_of(window)
    pages.setFocus()
    qtbot.keyClick(pages, Qt.Key.Key_L)
    assert session.shelf.current.path.name == "letter.png"
    assert session.choices.look is Look.KEPT
    window.page_column.page_view.setFocus()
    qtbot.keyClick(window.page_column.page_view, Qt.Key.Key_L)
    assert session.choices.look is not Look.KEPT


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


@pytest.mark.parametrize(
    ("action", "ending", "begins"),
    [
        ("export_plan", "-plan.json", b"{"),
        ("export_overlay", "-overlay.png", b"\x89PNG"),
        ("export_curve", "-curve.csv", b"retention,"),
    ],
)
def test_what_is_tuned_is_exported_to_the_file_that_was_chosen(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    action: str,
    ending: str,
    begins: bytes,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda _, title, path, kinds: tmp_path / path.name)
    open_and_load(qtbot, session, draw_page())
    session.tuning.read_curve()
    qtbot.waitUntil(lambda: session.tuning.has_curve and not session.tuning.is_reading)
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name[action].trigger()
    assert (tmp_path / f"scan{ending}").read_bytes().startswith(begins)


def test_a_page_is_told_from_others_of_its_file_in_the_suggested_name(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested: list[str] = []
    monkeypatch.setattr(questions, "ask_export_path", lambda _, __, path, ___: suggested.append(path.name))
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.split_pages(session.shelf.refs[1:], beside=True)
    for ref in session.shelf.refs:
        session.shelf.select(ref)
        qtbot.waitUntil(lambda: session.tuning.has_plan)
        window.actions_by_name["export_plan"].trigger()
    assert suggested == ["two-plan.json", "two-page-2-left-plan.json", "two-page-2-right-plan.json"]


def test_a_place_where_nothing_could_be_written_is_not_suggested_again(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "none" / "out.json")
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(session.notice_raised) as told:
        window.actions_by_name["export_plan"].trigger()
    assert "was not written" in told.args[0].sentence
    assert session.choices.settings.export_folder == ""


def test_a_save_dialog_gives_a_name_without_a_suffix_the_suggested_one(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def accept(dialog: QFileDialog) -> int:
        dialog.selectFile("mine")
        return QFileDialog.DialogCode.Accepted

    monkeypatch.setattr(QFileDialog, "exec", accept)
    path = questions.ask_export_path(window, "Export curve", tmp_path / "scan-curve.csv", "Table (*.csv)")
    assert path == tmp_path / "mine.csv"


def test_a_save_dialog_takes_quotes_for_no_several_names(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(QFileDialog, "exec", lambda _: QFileDialog.DialogCode.Accepted)
    suggested = tmp_path / 'a 5" disk, "old".md'
    path = questions.ask_export_path(window, "Export Markdown", suggested, "Markdown (*.md)")
    assert path == tmp_path / "a 5' disk, 'old'.md"


@pytest.mark.parametrize("is_there", [False, True])
def test_a_date_at_the_end_of_a_name_is_no_suffix(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_there: bool
) -> None:
    def accept(dialog: QFileDialog) -> int:
        dialog.selectFile("Minutes 12.05.2026")
        return QFileDialog.DialogCode.Accepted

    written = tmp_path / "Minutes 12.05.2026.md"
    if is_there:
        written.touch()
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "exec", accept)
    monkeypatch.setattr(questions, "agrees", lambda _, title, text, verb: asked.append(text))
    path = questions.ask_export_path(window, "Export Markdown", tmp_path / "scan.md", "Markdown (*.md)")
    assert path == (None if is_there else written)
    assert asked == [f"“{written.name}” already exists. Exporting replaces it."] * is_there


@pytest.mark.parametrize(("kind", "name"), [("JSON (*.json)", "mine.json"), ("All files (*)", "mine.csv")])
def test_a_name_without_a_suffix_gets_that_of_the_kind_that_is_chosen(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, name: str
) -> None:
    def accept(dialog: QFileDialog) -> int:
        dialog.selectFile("mine")
        dialog.filterSelected.emit(kind)
        return QFileDialog.DialogCode.Accepted

    monkeypatch.setattr(QFileDialog, "exec", accept)
    kinds = "Table (*.csv);;JSON (*.json)"
    path = questions.ask_export_path(window, "Export curve", tmp_path / "scan-curve.csv", kinds)
    assert path == tmp_path / name


def test_no_dialog_stays_once_it_is_answered(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for kind in (QMessageBox, QFileDialog):
        monkeypatch.setattr(kind, "exec", lambda _: 0)
    questions.agrees(window, "Replace?", "It is lost.", "Replace")
    questions.ask_leave(window, "Export before closing?", "It is lost.")
    questions.tell_about_program(window)
    questions.ask_export_path(window, "Export curve", tmp_path / "curve.csv", "Table (*.csv)")
    qtbot.waitUntil(lambda: not window.findChildren(QDialog))


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


def test_the_size_of_the_text_is_remembered(window: MainWindow, session: Session) -> None:
    window.actions_by_name["larger_text"].trigger()
    window.actions_by_name["larger_text"].trigger()
    window.actions_by_name["smaller_text"].trigger()
    assert session.choices.settings.text_zoom == 1
