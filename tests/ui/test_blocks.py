"""The blocks of a page are outlined on it, and a person goes between them and their text."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QTextCursor
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import TASKS, Block
from rtocr_gui.ocr.text import shown_places
from rtocr_gui.ocr.text.comparison import TextComparison, compare_texts
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.page.block_layer import BlockLayer, colour_of
from rtocr_gui.ui.page.page_place import PagePlace
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import BlocksShown
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.contrast import contrast
from tests.ui.steps import Draw, editor_of, emissions, open_and_load, until_idle

TITLE = "<|ref|>title<|/ref|><|det|>[[100, 100, 600, 200]]<|/det|>\n# Report\n\n"
IMAGE = "<|ref|>image<|/ref|><|det|>[[100, 300, 400, 500]]<|/det|>\n\n"
TEXT = "<|ref|>text<|/ref|><|det|>[[100, 600, 900, 900]]<|/det|>\nWe grew by four percent.\n"
KINDS = ["title", "text", "table", "table_caption", "image", "equation", "list"]


@pytest.fixture
def grounded(fake_engine: FakeEngine) -> FakeEngine:
    """Says a title, a picture and a text, each in one token."""
    fake_engine.tasks = TASKS[:1]
    fake_engine.said = [TITLE, IMAGE, TEXT]
    return fake_engine


@pytest.fixture
def shown(session: Session) -> list[BlocksShown]:
    return emissions(session.texts.blocks_changed)


def read(qtbot: QtBot, session: Session, *paths: Path) -> None:
    open_and_load(qtbot, session, *paths)
    session.read_selected()
    qtbot.waitUntil(lambda: bool(session.current_text) and not session.reader.activity.reading)


def marked(window: MainWindow) -> list[str]:
    return [extra.cursor.selectedText() for extra in editor_of(window).extraSelections()]


def put_cursor(window: MainWindow, words: str) -> None:
    editor = editor_of(window)
    cursor = QTextCursor(editor.document())
    cursor.setPosition(editor.toPlainText().index(words))
    editor.setTextCursor(cursor)


# --- the layer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_white_is_readable_on_every_tag(kind: str) -> None:
    assert contrast(QColor("white"), colour_of(kind)) >= 4.5


def test_of_blocks_over_each_other_the_smallest_is_meant() -> None:
    layer = BlockLayer()
    layer.set_page_size(QSize(999, 1998))
    layer.show([Block("text", ((0, 0, 900, 900),), 0, 5), Block("table", ((100, 100, 300, 200),), 5, 9)])
    assert layer.block_at(QPointF(200, 300)) == 1
    assert layer.block_at(QPointF(200, 500)) == 0
    assert layer.block_at(QPointF(950, 100)) is None


def test_a_block_keeps_the_focus_while_others_come() -> None:
    layer = BlockLayer()
    first, second = Block("text", ((0, 0, 9, 9),), 0, 5), Block("text", ((0, 20, 9, 30),), 6, 9)
    layer.show([first])
    layer.set_focus(0)
    layer.show([Block("text", ((0, 0, 9, 9),), 0, 7), second])
    assert layer.focus == 0
    layer.show([second])
    assert layer.focus is None


@pytest.mark.usefixtures("qapp")
def test_blocks_without_boxes_and_without_a_page_are_painted_as_nothing() -> None:
    canvas = QImage(100, 100, QImage.Format.Format_RGB32)
    canvas.fill(Qt.GlobalColor.white)
    blank = canvas.copy()
    layer = BlockLayer()
    for blocks in ([Block("text", ((0, 0, 999, 999),), 0, 1)], [Block("text", (), 0, 1)]):
        layer.show(blocks)
        layer.set_focus(0)
        with QPainter(canvas) as painter:
            layer.paint(painter, PagePlace(canvas.rect(), canvas.rect(), zoom=1.0, device_ratio=1.0))
        assert canvas == blank
        layer.set_page_size(QSize(100, 100))


# --- the session ---------------------------------------------------------------------------------


def test_a_reading_tells_its_blocks(
    qtbot: QtBot, session: Session, grounded: FakeEngine, shown: list[BlocksShown], draw_page: Draw
) -> None:
    read(qtbot, session, draw_page())
    assert [block.label for block in shown[-1].blocks] == ["title", "image", "text"]
    assert shown[-1].lack == ""
    assert session.current_text == "# Report\n\n\nWe grew by four percent.\n"


def test_blocks_come_while_the_text_streams_and_no_markup_is_shown(
    qtbot: QtBot, session: Session, grounded: FakeEngine, shown: list[BlocksShown], draw_page: Draw
) -> None:
    grounded.gate.clear()
    open_and_load(qtbot, session, draw_page())
    session.read_selected()
    qtbot.waitUntil(lambda: bool(shown) and [block.label for block in shown[-1].blocks] == ["title"])
    assert session.reader.activity.reading
    assert session.current_text == "# Report\n\n"
    until_idle(qtbot, session, grounded.gate.set)
    assert len(shown[-1].blocks) == 3


def test_a_task_without_places_says_so(
    qtbot: QtBot, session: Session, shown: list[BlocksShown], draw_page: Draw
) -> None:
    read(qtbot, session, draw_page())
    assert shown[-1].blocks == ()
    assert "“Document to Markdown” does, if the model supports it" in shown[-1].lack


# --- the window ----------------------------------------------------------------------------------


def test_the_pointer_over_a_block_marks_its_text_also_where_it_was_corrected(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    grounded: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
) -> None:
    read(qtbot, session, draw_page())
    editor_of(window).setPlainText("# The report\n\nWe grew by forty percent.\n")
    window.page_column.page_view.block_hovered.emit(2)
    qtbot.waitUntil(lambda: marked(window) == ["We grew by forty percent."])
    window.page_column.page_view.block_hovered.emit(1)
    assert marked(window) == []
    window.page_column.page_view.block_hovered.emit(0)
    assert marked(window) == ["# The report"]
    window.page_column.page_view.block_hovered.emit(None)
    assert marked(window) == []
    session.exporter.export_text(tmp_path / "out.md")  # else the window asks before it closes
    qtbot.waitUntil(lambda: session.unsaved.loss(session.shelf.refs).typed == 0)


def test_a_long_text_that_was_corrected_is_aligned_off_the_main_thread(
    qtbot: QtBot,
    session: Session,
    grounded: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[str] = []

    def compare(left: str, right: str) -> TextComparison:
        threads.append(threading.current_thread().name)
        return compare_texts(left, right)

    monkeypatch.setattr(shown_places, "compare_texts", compare)
    grounded.said = [TITLE, IMAGE, TEXT, "And so on. " * 3_000]
    read(qtbot, session, draw_page())
    session.edit_text(session.current_text.replace("four", "forty"))
    place = session.current_text.index("forty")
    with qtbot.waitSignal(session.blocks.block_pointed, check_params_cb=lambda block: block == 2):
        session.blocks.point_at_text(place, place)
    with qtbot.waitSignal(session.blocks.text_marked) as caught:
        session.blocks.point_at_block(0)
    assert session.current_text[slice(*caught.args[0])] == "# Report"
    session.tuning.spotlight.set_on(True)
    with qtbot.waitSignal(session.tuning.spotlight.token_pointed) as caught:
        session.tuning.spotlight.point_at_text(place, place + 5)
    assert caught.args == [2]
    assert threads == ["compute"] * 2  # for the blocks and for the tokens


def test_a_text_that_could_not_be_aligned_is_aligned_at_the_next_wish(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    grounded: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: str) -> TextComparison:
        raise MemoryError

    read(qtbot, session, draw_page())
    session.edit_text(session.current_text.replace("four", "forty"))
    with monkeypatch.context() as patched, qtbot.waitSignal(bridge.request_failed):
        patched.setattr(shown_places, "compare_texts", fail)
        session.blocks.point_at_block(0)
    with qtbot.waitSignal(session.blocks.text_marked) as caught:
        session.blocks.point_at_block(0)
    assert session.current_text[slice(*caught.args[0])] == "# Report"


def test_the_block_under_the_pointer_is_marked_in_the_text_as_it_stands_once_that_is_aligned(
    qtbot: QtBot,
    session: Session,
    grounded: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release, begun = threading.Event(), threading.Event()

    def compare(left: str, right: str) -> TextComparison:
        begun.set()
        release.wait()
        return compare_texts(left, right)

    monkeypatch.setattr(shown_places, "compare_texts", compare)
    marks = emissions(session.blocks.text_marked)
    read(qtbot, session, draw_page())
    text = session.current_text
    session.edit_text(text.replace("four", "forty"))
    session.blocks.point_at_block(2)
    qtbot.waitUntil(begun.is_set)
    session.edit_text("Preface\n\n" + text)
    session.blocks.point_at_block(0)
    release.set()
    qtbot.waitUntil(lambda: bool(marks))
    assert [session.current_text[slice(*mark)] for mark in marks if mark] == ["# Report"] * 2
    session.edit_text("Introduction\n\n" + text)
    session.blocks.point_at_block(1)
    session.blocks.point_at_block(None)
    with qtbot.waitSignal(session.blocks.block_pointed):
        session.blocks.point_at_text(0, 0)
    assert marks[2:] == [None]


def test_the_pointer_finds_the_block_under_it(
    qtbot: QtBot, window: MainWindow, session: Session, grounded: FakeEngine, draw_page: Draw
) -> None:
    read(qtbot, session, draw_page())
    qtbot.waitUntil(lambda: window.page_column.page_view.accessibleDescription() == "")
    window.actions_by_name["overlay"].setChecked(False)  # a cell under the pointer would bring torch
    heard = emissions(window.page_column.page_view.block_hovered)
    view, page = window.page_column.page_view, window.page_column.page_view.content_rect()
    for share in (0.75, 0.15, 0.95):
        place = page.topLeft() + QPointF(0.35 * page.width(), share * page.height()).toPoint()
        qtbot.mouseMove(view.viewport(), (QPointF(place) / view.device_ratio()).toPoint())
    assert heard == [2, 0, None]


def test_the_cursor_in_a_text_points_at_its_block(
    qtbot: QtBot, window: MainWindow, session: Session, grounded: FakeEngine, draw_page: Draw
) -> None:
    follows = session.blocks.findChild(QTimer)
    read(qtbot, session, draw_page())
    with qtbot.waitSignal(session.blocks.block_pointed, check_params_cb=lambda block: block == 2):
        put_cursor(window, "four")
        assert follows.isActive()
    window.actions_by_name["blocks"].setChecked(False)
    put_cursor(window, "Report")
    assert not follows.isActive()


def test_the_outline_is_seen_until_it_is_switched_off(
    qtbot: QtBot, window: MainWindow, session: Session, grounded: FakeEngine, draw_page: Draw
) -> None:
    read(qtbot, session, draw_page())
    qtbot.waitUntil(lambda: window.page_column.page_view.accessibleDescription() == "")
    action = window.actions_by_name["blocks"]
    with_blocks = window.page_column.page_view.grab().toImage()
    action.trigger()
    assert window.page_column.page_view.grab().toImage() != with_blocks
    assert not session.choices.settings.blocks_visible
    action.trigger()
    assert window.page_column.page_view.grab().toImage() == with_blocks


def test_the_switch_says_why_there_is_nothing_to_outline(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    switch = next(
        each for each in window.page_column.overlay_bar.findChildren(QToolButton) if each.text() == "Blocks"
    )
    assert not switch.isEnabled()
    read(qtbot, session, draw_page())
    assert not switch.isEnabled()
    assert "“Document to Markdown” does, if the model supports it" in switch.toolTip()


def test_the_switch_works_while_the_overlay_is_hidden(
    qtbot: QtBot, window: MainWindow, session: Session, grounded: FakeEngine, draw_page: Draw
) -> None:
    read(qtbot, session, draw_page())
    window.actions_by_name["overlay"].setChecked(False)
    switch = next(
        each for each in window.page_column.overlay_bar.findChildren(QToolButton) if each.text() == "Blocks"
    )
    assert switch.isEnabled()
    assert switch.toolTip() == window.actions_by_name["blocks"].toolTip() != ""


def test_a_block_of_another_page_in_the_same_place_is_not_taken_for_the_one_before(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    grounded: FakeEngine,
    shown: list[BlocksShown],
    draw_page: Draw,
) -> None:
    read(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    until_idle(qtbot, session, session.read_all)
    view = window.page_column.page_view
    qtbot.waitUntil(lambda: bool(shown[-1].blocks))
    hovered = emissions(view.block_hovered)
    view._hover_block(0)
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.select(session.shelf.refs[1])
    view._hover_block(0)
    assert hovered == [0, None, 0]
