"""What the text pane promises: what a person typed is told, what a reading wrote is not, and the
preview trusts no text."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QAction,
    QColor,
    QImage,
    QPaintEvent,
    QPalette,
    QRegion,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QTabBar, QTabWidget, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.settings import SMALLEST_ZOOM
from rtocr_gui.ui.state.shown import Found
from rtocr_gui.ui.text import page_documents
from rtocr_gui.ui.text.safe_preview import PREVIEW_MS, SafePreview
from rtocr_gui.ui.text.text_pane import TextPane
from tests.ui.contrast import contrast
from tests.ui.steps import emissions, in_sight, turn_wheel

LINES = "\n".join(f"line {number}" for number in range(200))


@pytest.fixture
def pane(qtbot: QtBot) -> TextPane:
    return in_sight(qtbot, TextPane(), 400, 300)


@pytest.fixture
def edits(pane: TextPane) -> list[str]:
    heard: list[str] = []
    pane.editor.text_edited.connect(lambda text, _: heard.append(text))
    return heard


def editor(pane: TextPane) -> QPlainTextEdit:
    return pane.findChild(QPlainTextEdit)


def preview(pane: TextPane) -> SafePreview:
    return pane.findChild(SafePreview)


def show_preview(pane: TextPane) -> None:
    pane.findChild(QTabWidget).setCurrentWidget(preview(pane))


def buttons(pane: TextPane) -> dict[str, QToolButton]:
    return {button.text(): button for button in pane.findChildren(QToolButton) if button.text()}


@pytest.mark.parametrize("window", ["#efefef", "#323232"])
def test_tabs_that_have_the_focus_are_told_from_those_that_do_not(
    qtbot: QtBot, pane: TextPane, window: str
) -> None:
    palette = QPalette(QColor(window))
    palette.setColor(QPalette.ColorRole.Highlight, QColor("#308cc6"))
    pane.setPalette(palette)
    bar, pictures = pane.findChild(QTabBar), []
    for focused in (editor(pane), bar):
        focused.setFocus()
        qtbot.waitUntil(focused.hasFocus)
        pictures.append(bar.grab().toImage())
    (before, after), tab = pictures, bar.tabRect(0)
    rows = [QPoint(tab.center().x(), y) for y in range(tab.top(), tab.bottom())]
    assert max(contrast(before.pixelColor(each), after.pixelColor(each)) for each in rows) > 2.5


def test_only_the_person_edits(qtbot: QtBot, pane: TextPane, edits: list[str]) -> None:
    pane.show_text("read")
    pane.editor.append_text(" on")
    pane.show_message("nothing yet")
    pane.show_text("Total 12")
    assert edits == []
    editor(pane).moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(editor(pane), ".5")
    assert edits == ["Total 12.", "Total 12.5"]


def test_the_wheel_with_ctrl_makes_the_text_larger_and_smaller_within_limits(
    pane: TextPane, edits: list[str]
) -> None:
    zooms = emissions(pane.zoom_changed)
    pane.show_text(LINES)
    usual = [view.font().pointSizeF() for view in (editor(pane), preview(pane))]
    turn_wheel(editor(pane).viewport(), angle=360, modifiers=Qt.KeyboardModifier.ControlModifier)
    turn_wheel(preview(pane).viewport(), angle=-120, modifiers=Qt.KeyboardModifier.ControlModifier)
    assert zooms == [1, 2, 3, 2]
    assert [view.font().pointSizeF() - 2 for view in (editor(pane), preview(pane))] == usual
    turn_wheel(editor(pane).viewport(), angle=-12_000, modifiers=Qt.KeyboardModifier.ControlModifier)
    assert zooms[-1] == SMALLEST_ZOOM
    turn_wheel(editor(pane).viewport())
    assert zooms[-1] == SMALLEST_ZOOM
    assert not edits


def test_a_remembered_size_of_the_text_follows_the_font_of_the_window(pane: TextPane) -> None:
    pane.set_zoom(4)
    font = pane.font()
    font.setPointSizeF(20)
    pane.setFont(font)
    assert editor(pane).font().pointSizeF() == preview(pane).font().pointSizeF() == 24


def test_text_whose_font_is_given_in_pixels_keeps_its_size(pane: TextPane) -> None:
    font = pane.font()
    font.setPixelSize(24)
    pane.setFont(font)
    assert editor(pane).font().pointSizeF() == preview(pane).font().pointSizeF() > 12


def test_a_change_of_colours_or_font_is_no_edit(pane: TextPane, edits: list[str]) -> None:
    pane.show_text("read")
    dark = pane.palette()
    dark.setColor(dark.ColorRole.Window, QColor("black"))
    pane.setPalette(dark)
    font = pane.font()
    font.setPointSizeF(font.pointSizeF() * 1.5)
    pane.setFont(font)
    assert edits == []
    assert pane.editor.text == "read"


def test_text_is_told_character_for_character(pane: TextPane, edits: list[str]) -> None:
    text = "12\u00a0000 €\n\nÄpfel\t日本語 👍🏽"
    pane.show_text(text)
    assert pane.editor.text == text
    editor(pane).insertPlainText("x")
    assert edits == ["x" + text]


def test_undo_never_takes_back_what_a_reading_wrote(pane: TextPane, edits: list[str]) -> None:
    pane.show_text("page one", 1)
    pane.show_text("page two", 2)
    pane.editor.append_text(" streamed")
    editor(pane).undo()
    assert pane.editor.text == "page two streamed"
    assert edits == []


def test_what_was_typed_can_be_undone_after_a_look_at_other_pages(pane: TextPane, edits: list[str]) -> None:
    pane.show_text("page one", 1)
    editor(pane).selectAll()
    editor(pane).insertPlainText("lost")
    for _ in range(2):
        pane.show_text("page two", 2)
        assert not editor(pane).document().isUndoAvailable()
        pane.show_text("lost", 1)
    assert edits == ["lost"]
    editor(pane).undo()
    assert pane.editor.text == "page one"
    assert edits == ["lost", "page one"]
    pane.show_text("page two", 2)
    pane.show_text("page one", 1)
    editor(pane).redo()
    assert edits == ["lost", "page one", "lost"]


def test_another_size_of_print_is_nothing_to_undo(pane: TextPane, edits: list[str]) -> None:
    pane.show_text("page one", 1)
    editor(pane).selectAll()
    editor(pane).insertPlainText("mine")
    font = pane.font()
    font.setPointSizeF(2 * font.pointSizeF())
    pane.setFont(font)
    editor(pane).undo()
    assert pane.editor.text == "page one"


def test_a_page_that_was_read_anew_meanwhile_has_nothing_to_undo(pane: TextPane) -> None:
    pane.show_text("page one", 1)
    editor(pane).insertPlainText("typed ")
    pane.show_text("page two", 2)
    pane.show_text("read anew", 1)
    assert pane.editor.text == "read anew"
    assert not editor(pane).document().isUndoAvailable()


def test_typed_text_that_comes_back_after_a_stopped_reading_can_still_be_undone(pane: TextPane) -> None:
    pane.show_text("as read", 1)
    editor(pane).selectAll()
    editor(pane).insertPlainText("mine")
    pane.show_text("", 1)
    pane.editor.append_text("read a")
    pane.show_text("read an", 1)  # what looked like text turned out to be markup
    assert not pane.editor.can_undo
    pane.show_text("mine", 1)
    pane.undo()
    assert pane.editor.text == "as read"


def test_nothing_is_left_to_redo_once_typing_goes_on(qtbot: QtBot, pane: TextPane) -> None:
    told: list[tuple[bool, bool]] = []
    pane.editor.undo_changed.connect(lambda: told.append((pane.editor.can_undo, pane.editor.can_redo)))
    qtbot.keyClicks(pane.editor, "one")
    qtbot.keyClick(pane.editor, Qt.Key.Key_Backspace)
    pane.undo()
    assert told[-1] == (True, True)
    qtbot.keyClicks(pane.editor, "x")
    assert pane.editor.text == "onex"
    assert told[-1] == (True, False)


def test_of_very_many_pages_only_the_newest_can_be_undone(
    pane: TextPane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_documents, "UNDOABLE_PAGES", 2)
    for page in range(4):
        pane.show_text("text", page)
        editor(pane).insertPlainText("x")
    undoable = []
    for page in range(4):
        pane.show_text("xtext", page)
        undoable.append(editor(pane).document().isUndoAvailable())
    assert undoable == [False, False, True, True]


def test_nothing_is_kept_of_pages_that_left_the_list(pane: TextPane) -> None:
    for page in range(3):
        pane.show_text("text", page)
        editor(pane).insertPlainText("x")
    pane.editor.forget_others([1, 2])
    undoable = []
    for page in range(2):
        pane.show_text("xtext", page)
        undoable.append(editor(pane).document().isUndoAvailable())
    assert undoable == [False, True]


def test_what_was_found_goes_with_the_text_it_was_found_in(pane: TextPane) -> None:
    pane.show_text("one two", 1)
    pane.editor.show_found(Found("two", ((4, 7),), None, 1))
    assert len(editor(pane).extraSelections()) == 1
    pane.show_text("two", 2)
    assert editor(pane).extraSelections() == []  # Qt crashes where it looks at one whose document is gone


def test_a_page_that_is_looked_at_again_has_the_colours_and_the_size_of_now(pane: TextPane) -> None:
    pane.show_text("page one", 1)
    editor(pane).insertPlainText("x")
    pane.show_text("page two", 2)
    font = pane.font()
    font.setPointSizeF(font.pointSizeF() * 1.5)
    pane.setFont(font)
    pane.show_text("xpage one", 1)
    assert editor(pane).document().defaultFont() == editor(pane).font()


def test_a_page_keeps_its_place_when_its_text_is_written_anew(pane: TextPane) -> None:
    pane.show_message("nothing yet", "page 1")
    pane.editor.append_text(LINES)
    bar = editor(pane).verticalScrollBar()
    bar.setValue(50)
    pane.show_text(LINES, "page 1")
    assert bar.value() == 50
    pane.show_text(LINES, "page 2")
    assert bar.value() == 0


PARAGRAPHS = "\n".join(f"paragraph {number} " + "that is wrapped " * (number % 30) for number in range(200))


def first_words(pane: TextPane) -> str:
    """What the line at the top begins with."""
    view = editor(pane)
    cursor = view.cursorForPosition(
        view.viewport().rect().topLeft() + QPoint(0, view.fontMetrics().height() // 2)
    )
    return view.toPlainText()[cursor.position() :][:20]


def stream(pane: TextPane, text: str) -> None:
    for line in text.splitlines(keepends=True):
        pane.editor.append_text(line)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_text_of_long_lines_that_is_replaced_keeps_its_place(pane: TextPane, share: float) -> None:
    pane.show_message("nothing yet", "page 1")
    stream(pane, PARAGRAPHS + "\n" * 30)
    bar = editor(pane).verticalScrollBar()
    bar.setValue(round(share * (bar.maximum() - 30)))
    before = first_words(pane)
    for end in ("", "!", ""):
        pane.show_text(PARAGRAPHS + end + "\n" * 30, "page 1")
        assert first_words(pane) == before


@pytest.mark.parametrize("text", [LINES, PARAGRAPHS])
def test_a_text_that_is_replaced_while_its_end_is_followed_is_followed_on(pane: TextPane, text: str) -> None:
    pane.show_message("nothing yet", "page 1")
    stream(pane, f"{text}\nmarkup")
    pane.show_text(text, "page 1")
    stream(pane, "\nmore" * 50)
    bar = editor(pane).verticalScrollBar()
    assert bar.value() == bar.maximum() > 0


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_text_that_is_read_again_keeps_its_place(pane: TextPane, share: float) -> None:
    pane.show_message("nothing yet", "page 1")
    stream(pane, PARAGRAPHS)
    bar = editor(pane).verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    bar.setValue(round(share * bar.maximum()))
    before = first_words(pane)
    for _ in range(2):
        pane.show_message("Reading…", "page 1")
        stream(pane, PARAGRAPHS)
        assert first_words(pane) == before
        pane.show_text(PARAGRAPHS, "page 1")
        assert first_words(pane) == before


def test_a_text_that_comes_back_before_it_was_read_again_keeps_its_place(pane: TextPane) -> None:
    pane.show_text(PARAGRAPHS, "page 1")
    editor(pane).verticalScrollBar().setValue(100)
    before = first_words(pane)
    pane.show_message("Reading…", "page 1")
    pane.editor.append_text(PARAGRAPHS[: len(PARAGRAPHS) // 4])
    pane.show_text(PARAGRAPHS, "page 1")
    assert first_words(pane) == before


def test_who_scrolls_while_a_text_is_read_again_is_not_moved(pane: TextPane) -> None:
    pane.show_text(LINES, "page 1")
    bar = editor(pane).verticalScrollBar()
    bar.setValue(150)
    pane.show_message("Reading…", "page 1")
    stream(pane, LINES[: len(LINES) // 2])
    turn_wheel(editor(pane).viewport())
    place = bar.value()
    assert 0 < place < bar.maximum()
    stream(pane, LINES[len(LINES) // 2 :])
    assert bar.value() == place


def test_a_text_that_is_read_again_and_is_shorter_now_is_followed_to_its_end(pane: TextPane) -> None:
    pane.show_text(LINES, "page 1")
    bar = editor(pane).verticalScrollBar()
    bar.setValue(150)
    pane.show_message("Reading…", "page 1")
    stream(pane, LINES[: len(LINES) // 2])
    assert bar.value() == bar.maximum()
    pane.show_text(LINES[: len(LINES) // 2].strip(), "page 1")
    assert bar.value() == bar.maximum()


def test_the_preview_keeps_its_place_while_a_text_is_read_again(pane: TextPane) -> None:
    show_preview(pane)
    text = LINES.replace("\n", "\n\n")
    pane.show_text(text, "page 1")
    bar = preview(pane).verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    place = bar.value()
    pane.show_message("Reading…", "page 1")
    for half in (text[: len(text) // 4], text[len(text) // 4 :]):
        assert bar.value() == bar.maximum()
        pane.editor.append_text(half)
        preview(pane).catch_up()
    assert bar.value() == place > 0


def test_streaming_follows_the_end_while_the_person_is_there(pane: TextPane) -> None:
    pane.show_text(LINES)
    bar = editor(pane).verticalScrollBar()
    bar.setValue(bar.maximum())
    pane.editor.append_text("\nmore" * 50)
    assert bar.value() == bar.maximum()


def test_streaming_follows_the_end_when_the_scroll_bar_makes_the_lines_shorter(pane: TextPane) -> None:
    bar = editor(pane).verticalScrollBar()
    for width in range(300, 400, 7):
        pane.resize(width, 300)
        pane.show_message("Reading…", f"page of {width}")
        while bar.value() < 5:
            pane.editor.append_text("several words of a line ")
            QApplication.processEvents()
            assert bar.value() == bar.maximum()


def test_streaming_leaves_cursor_selection_and_place_alone(pane: TextPane) -> None:
    pane.show_text(LINES)
    cursor = editor(pane).textCursor()
    cursor.setPosition(3)
    cursor.setPosition(9, QTextCursor.MoveMode.KeepAnchor)
    editor(pane).setTextCursor(cursor)
    editor(pane).verticalScrollBar().setValue(20)
    pane.editor.append_text("\nmore" * 50)
    assert (editor(pane).textCursor().anchor(), editor(pane).textCursor().position()) == (3, 9)
    assert editor(pane).verticalScrollBar().value() == 20


def test_streaming_does_not_drag_a_cursor_at_the_end_along(pane: TextPane) -> None:
    pane.show_text("abc")
    editor(pane).moveCursor(QTextCursor.MoveOperation.End)
    pane.editor.append_text("def")
    assert editor(pane).textCursor().position() == 3


def test_whether_there_is_something_to_undo_is_told_page_by_page(pane: TextPane) -> None:
    told: list[tuple[bool, bool]] = []
    pane.editor.undo_changed.connect(lambda: told.append((pane.editor.can_undo, pane.editor.can_redo)))
    pane.show_text("", page="one")
    editor(pane).insertPlainText("typed")
    assert told[-1] == (True, False)
    pane.editor.setReadOnly(True)
    assert told[-1] == (False, False)
    pane.editor.setReadOnly(False)
    pane.undo()
    assert told[-1] == (False, True)
    pane.show_text("", page="two")
    assert told[-1] == (False, False)
    pane.show_text("", page="one")
    assert told[-1] == (False, True)
    pane.editor.forget_others([])
    assert told[-1] == (False, False)


def test_read_only_text_cannot_be_typed_into(qtbot: QtBot, pane: TextPane, edits: list[str]) -> None:
    pane.show_text("abc")
    pane.editor.setReadOnly(True)
    qtbot.keyClicks(editor(pane), "x")
    assert (pane.editor.text, edits) == ("abc", [])
    pane.editor.setReadOnly(False)
    qtbot.keyClicks(editor(pane), "x")
    assert pane.editor.text == "xabc"


def test_a_message_stands_where_there_is_no_text(pane: TextPane) -> None:
    pane.show_text("abc")
    pane.show_message("Press Read.")
    assert pane.editor.text == ""
    assert editor(pane).placeholderText() == "Press Read."


def test_a_text_that_is_deleted_does_not_seem_to_be_awaited(qtbot: QtBot, pane: TextPane) -> None:
    pane.show_message("Reading…", "page 1")
    pane.editor.append_text("abc")
    pane.show_text("abc", "page 1")
    editor(pane).selectAll()
    qtbot.keyClick(editor(pane), Qt.Key.Key_Delete)
    assert pane.editor.text == ""
    assert [view.placeholderText() for view in (editor(pane), preview(pane))] == ["", ""]


class PaintedRegion(QObject):
    """Notes what of a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.region = QRegion()
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if isinstance(event, QPaintEvent):
            self.region += event.region()
        return False


def test_a_message_that_follows_another_is_painted_as_a_whole(qtbot: QtBot, pane: TextPane) -> None:
    pane.show_message("Not read yet. Press Read.", "page 1")
    viewport = editor(pane).viewport()
    QApplication.processEvents()
    painted = PaintedRegion(viewport)
    pane.show_message("No text was found on this page.", "page 1")
    qtbot.waitUntil(lambda: painted.region == QRegion(viewport.rect()))


def test_a_button_below_the_text_does_what_its_action_does_and_can_do_when_that_can(
    qtbot: QtBot, pane: TextPane
) -> None:
    action = QAction("Copy text", pane)
    action.setEnabled(False)
    pane.add_buttons(action)
    assert not buttons(pane)["Copy text"].isEnabled()
    action.setEnabled(True)
    with qtbot.waitSignal(action.triggered):
        buttons(pane)["Copy text"].click()


def test_the_preview_shows_markdown_and_html_tables(pane: TextPane) -> None:
    pane.show_text("# Head\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<table><tr><td>cell</td></tr></table>\n")
    show_preview(pane)
    shown = preview(pane).toPlainText()
    assert all(word in shown for word in ("Head", "1", "2", "cell"))
    assert not any(mark in shown for mark in ("#", "|", "<td>"))


def test_the_preview_breaks_lines_where_the_text_does(pane: TextPane) -> None:
    pane.show_text("Dear Anna,\nthank you.\n\nKind regards\nBen\\\nand Eve\n\n- milk\n- bread\n")
    show_preview(pane)
    assert preview(pane).toPlainText().split("\n") == [
        *("Dear Anna,", "thank you.", "Kind regards", "Ben", "and Eve", "milk", "bread")
    ]
    assert "lines as on the page" in pane.findChild(QTabWidget).tabToolTip(1)


def test_the_lines_of_a_list_item_stay_one_item_in_the_preview(pane: TextPane) -> None:
    pane.show_text(
        "1. The roof\nIt has leaked.\n   Two offers came.\n2. The feast\n**June** it is.\n\n"
        "- milk\\\nor cream\n- bread\n\n3) last\n\n1. before a table\n\n|a|b|\n|-|-|\n|c|d|\n"
    )
    show_preview(pane)
    document, numbers = preview(pane).document(), {}
    for number in range(document.blockCount()):
        block = document.findBlockByNumber(number)
        if block.textList() is not None:
            numbers[block.text().replace("\u2028", "/")] = block.textList().itemText(block)
    assert numbers == {
        "The roof/It has leaked./Two offers came.": "1.",
        "The feast/June it is.": "2.",
        "milk/or cream": ".",
        "bread": ".",
        "last": "3)",
        "before a table": "1.",
    }


def test_the_cursor_returns_to_its_place_in_a_text_that_is_read_again(pane: TextPane) -> None:
    for place, moved, expected in ((30, None, 30), (30, 3, 3), (300, None, 0)):
        pane.show_text("The old harbour is closed, and the ferry goes elsewhere.\n" * 9, "page 1")
        cursor = editor(pane).textCursor()
        cursor.setPosition(place)
        editor(pane).setTextCursor(cursor)
        pane.show_message("being read", "page 1")
        stream(pane, "The old harbour")
        if moved is not None:
            cursor.setPosition(moved)
            editor(pane).setTextCursor(cursor)
        stream(pane, " is closed, and the ferry goes elsewhere.")
        assert editor(pane).textCursor().position() == expected
        pane.show_message("another", "page 2")


def test_numbers_of_a_list_have_room_in_large_print(pane: TextPane) -> None:
    preview = pane.findChild(SafePreview)
    pane.zoom(30)
    number_px = preview.fontMetrics().horizontalAdvance("1986.")
    assert preview.document().indentWidth() > number_px > 40


def test_the_preview_follows_a_stream_only_while_it_can_be_seen(qtbot: QtBot, pane: TextPane) -> None:
    pane.editor.append_text("first")
    assert preview(pane).toPlainText() == ""
    show_preview(pane)
    assert preview(pane).toPlainText() == "first"
    pane.editor.append_text(" second")
    qtbot.waitUntil(lambda: preview(pane).toPlainText() == "first second")


def test_a_preview_that_takes_long_follows_less_often(
    qtbot: QtBot, pane: TextPane, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_s = iter((0.0, 0.1, 9.0, 9.0))
    monkeypatch.setattr("rtocr_gui.ui.text.safe_preview.perf_counter", clock_s.__next__)
    pane.editor.append_text("first")
    show_preview(pane)
    pane.editor.append_text(" second")
    (timer,) = (each for each in pane.findChildren(QTimer) if each.isActive() and each.isSingleShot())
    assert timer.interval() == 300
    qtbot.waitUntil(lambda: preview(pane).toPlainText() == "first second")
    assert timer.interval() == PREVIEW_MS


@pytest.mark.parametrize("is_behind", [False, True])
def test_the_preview_of_another_page_begins_at_its_top(pane: TextPane, is_behind: bool) -> None:
    show_preview(pane)
    pane.show_text("short", "page 1")
    if is_behind:
        pane.show_tab(editor(pane))
    pane.show_text(LINES.replace("\n", "\n\n"), "page 2")
    show_preview(pane)
    bar = preview(pane).verticalScrollBar()
    assert (bar.value(), bar.maximum() > 0) == (0, True)


@pytest.mark.parametrize(
    "how", ["![x]({})", '<img src="{}">', '<p style="background-image: url({})">text</p>']
)
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_the_preview_opens_no_file(pane: TextPane, tmp_path: Path, how: str, scheme: str) -> None:
    picture = QImage(100, 100, QImage.Format.Format_RGB32)
    picture.fill(QColor("magenta"))
    assert picture.save(str(tmp_path / "secret.png"))
    pane.show_text(how.format(f"{scheme}{tmp_path / 'secret.png'}"))
    show_preview(pane)
    shown = preview(pane).viewport().grab().toImage()
    colours = {shown.pixelColor(x, y).name() for x in range(shown.width()) for y in range(shown.height())}
    assert QColor("magenta").name() not in colours


@pytest.mark.parametrize("kind", list(QTextDocument.ResourceType))
@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://localhost/x.css", "data:text/plain,x"])
def test_the_preview_loads_nothing_that_the_text_names(
    pane: TextPane, kind: QTextDocument.ResourceType, address: str
) -> None:
    loaded = preview(pane).loadResource(kind.value, QUrl(address))
    assert loaded is None or loaded.size().toTuple() == (1, 1)


def test_a_click_on_a_link_goes_nowhere(qtbot: QtBot, pane: TextPane) -> None:
    pane.show_text("[link](file:///etc/passwd)")
    show_preview(pane)
    view = preview(pane)
    start = view.cursorRect(QTextCursor(view.document())).center()
    start.setX(start.x() + 4)
    assert view.anchorAt(start) == "file:///etc/passwd"
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert view.toPlainText().strip() == "link"
    assert view.source().isEmpty()


def test_dropped_files_are_left_to_the_window_and_dropped_text_is_not(pane: TextPane) -> None:
    files, words = QMimeData(), QMimeData()
    files.setUrls([QUrl.fromLocalFile("/scan.png")])
    files.setText("file:///scan.png")
    words.setText("words")
    assert not editor(pane).canInsertFromMimeData(files)
    assert editor(pane).canInsertFromMimeData(words)


def test_tab_moves_on_to_the_next_control(qtbot: QtBot, pane: TextPane, edits: list[str]) -> None:
    editor(pane).setFocus()
    qtbot.keyClick(editor(pane), Qt.Key.Key_Tab)
    assert edits == []


ASTRAL = "One 👍🏽 two 𝄞 three"


@pytest.fixture
def selections(pane: TextPane) -> list[tuple[int, int]]:
    heard: list[tuple[int, int]] = []
    pane.editor.selection_changed.connect(lambda start, end: heard.append((start, end)))
    return heard


def select(pane: TextPane, word: str) -> None:
    """Select a word as a person does."""
    document = editor(pane).document()
    editor(pane).setTextCursor(document.find(word))


def marked(pane: TextPane) -> list[str]:
    return [extra.cursor.selectedText() for extra in editor(pane).extraSelections()]


@pytest.mark.parametrize("word", ["One", "two", "𝄞", "three"])
def test_a_selection_is_told_in_characters(
    pane: TextPane, selections: list[tuple[int, int]], word: str
) -> None:
    pane.show_text(ASTRAL)
    select(pane, word)
    assert [ASTRAL[start:end] for start, end in selections] == [word]


def test_only_other_selections_are_told(pane: TextPane, selections: list[tuple[int, int]]) -> None:
    pane.show_text("one two")
    select(pane, "two")
    select(pane, "two")
    editor(pane).moveCursor(QTextCursor.MoveOperation.Start)
    editor(pane).moveCursor(QTextCursor.MoveOperation.End)
    assert selections == [(4, 7), (0, 0)]


def test_another_text_takes_the_selection_along(pane: TextPane, selections: list[tuple[int, int]]) -> None:
    pane.show_text("one two")
    select(pane, "two")
    pane.show_text("three four")
    assert selections == [(4, 7), (0, 0)]


@pytest.mark.parametrize("word", ["One", "two", "𝄞", "three"])
def test_a_mark_covers_just_its_characters(pane: TextPane, word: str) -> None:
    pane.show_text(ASTRAL)
    pane.editor.mark((ASTRAL.index(word), ASTRAL.index(word) + len(word)))
    assert marked(pane) == [word]


def test_a_mark_changes_nothing_but_its_looks(
    pane: TextPane, edits: list[str], selections: list[tuple[int, int]]
) -> None:
    pane.show_text("one two three")
    editor(pane).insertPlainText("x")
    select(pane, "two")
    pane.editor.mark((9, 14))
    assert (edits, selections) == (["xone two three"], [(5, 8)])
    assert editor(pane).textCursor().selectedText() == "two"
    assert pane.editor.text == "xone two three"
    pane.editor.mark(None)
    assert marked(pane) == []
    editor(pane).undo()
    assert pane.editor.text == "one two three"


def test_a_mark_comes_into_sight_and_leaves_the_cursor_behind(pane: TextPane) -> None:
    text = "\n".join("word " * 60 for _ in range(100)) + "\nlast"
    pane.show_text(text)
    pane.editor.mark((len(text) - 4, len(text)))
    sight = editor(pane).viewport().rect()
    for share in (0.5, 0.2, 0.9, 0.0, 0.95):
        at = int(share * len(text))
        pane.editor.mark((at, at + 4))
        extra = editor(pane).extraSelections()[0]
        assert sight.contains(editor(pane).cursorRect(extra.cursor))
    assert editor(pane).textCursor().position() == 0


def test_a_mark_that_is_in_sight_scrolls_nothing(pane: TextPane) -> None:
    pane.show_text(LINES)
    bar = editor(pane).verticalScrollBar()
    bar.setValue(50)
    at = LINES.index("line 52")
    pane.editor.mark((at, at + 7))
    assert bar.value() == 50


def test_another_text_has_no_mark(pane: TextPane) -> None:
    pane.show_text("one two")
    pane.editor.mark((0, 3))
    pane.show_text("three four")
    assert marked(pane) == []


def test_a_mark_past_the_end_ends_there(pane: TextPane) -> None:
    pane.show_text("one")
    pane.editor.mark((1, 50))
    assert marked(pane) == ["ne"]
    pane.editor.mark((50, 60))
    assert marked(pane) == [""]


def test_a_mark_follows_the_colours_and_keeps_the_text_readable(pane: TextPane) -> None:
    pane.show_text("one two")
    pane.editor.mark((0, 3))
    palette = pane.palette()
    palette.setColor(palette.ColorRole.Highlight, QColor(200, 0, 100))
    pane.setPalette(palette)
    extra = editor(pane).extraSelections()[0]
    colour = extra.format.background().color()
    assert (colour.red(), colour.green(), colour.blue()) == (200, 0, 100)
    assert colour.alphaF() < 0.5


def test_other_views_stand_beside_the_text(pane: TextPane) -> None:
    view = QPlainTextEdit()
    pane.add_tab(view, "&Compare", "Two readings side by side")
    tabs = pane.findChild(QTabWidget)
    assert [tabs.tabText(index) for index in range(tabs.count())] == ["M&arkdown", "Previe&w", "&Compare"]
    assert tabs.tabToolTip(2) == "Two readings side by side"
    assert tabs.currentIndex() == 0
    pane.show_tab(view)
    assert view.isVisible()
