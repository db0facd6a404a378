"""The task box offers what the model was made for, and tasks in a person's own words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.asking import ASKS
from rtocr_gui.ocr.reading import TASKS
from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, open_and_load


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person types next; an empty answer cancels. The questions take its place."""
    typed: list[str] = []
    asked: Iterator[str] = iter(typed)
    monkeypatch.setattr(questions, "ask_words", lambda *_: next(asked))
    return typed


def offered(window: MainWindow) -> list[str]:
    box = window.tool_bar.task_box
    return [box.itemText(index) for index in range(box.count()) if box.itemText(index)]


def choose(window: MainWindow, text: str) -> None:
    box = window.tool_bar.task_box
    box.setCurrentIndex(next(index for index in range(box.count()) if box.itemText(index).startswith(text)))
    box.activated.emit(box.currentIndex())


def test_a_model_that_only_reads_text_is_offered_no_words(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    assert offered(window) == ["Plain text"]


def test_no_task_is_shown_before_the_model_tells_its_own_unless_one_was_chosen(
    window: MainWindow, session: Session, answers: list[str]
) -> None:
    box = window.tool_bar.task_box
    session.models.changed.emit(session.models.status)
    assert (box.currentIndex(), box.placeholderText()) == (-1, "Default")
    answers.append("")
    choose(window, ASKS[0].label)
    assert box.currentIndex() == -1
    choose(window, "Plain")
    session.models.changed.emit(session.models.status)
    assert box.currentText() == "Plain text"


def test_the_words_are_asked_for_remembered_and_shown(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    answers: list[str],
) -> None:
    fake_engine.tasks = TASKS
    answers += ["<|ref|>", "total"]
    open_and_load(qtbot, session, draw_page())
    choose(window, "Locate")
    assert session.choices.task.prompt == "\nLocate <|ref|>total<|/ref|> in the image."
    assert (session.choices.settings.task, session.choices.settings.task_words) == ("locate", "total")
    assert window.tool_bar.task_box.currentText() == "Locate “total”"
    session.read_selected()
    qtbot.waitUntil(lambda: bool(session.current_text) and not session.reader.activity.reading)
    assert fake_engine.asked[-1].task == session.choices.task
    choose(window, "Figure")
    assert session.choices.task == TASKS[3]
    assert offered(window)[-2:] == ["Locate…", "Custom prompt…"]


def test_the_words_of_a_person_are_never_taken_for_rich_text(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    answers: list[str],
) -> None:
    fake_engine.tasks = TASKS
    words = "<img src=x> & total"
    answers.append(words)
    open_and_load(qtbot, session, draw_page())
    choose(window, "Custom prompt")
    box, tip = window.tool_bar.task_box, QTextDocument()
    tip.setHtml(box.itemData(box.currentIndex(), Qt.ItemDataRole.ToolTipRole))
    assert tip.toPlainText() == words


def test_who_cancels_keeps_the_task(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    answers: list[str],
) -> None:
    fake_engine.tasks = TASKS
    answers.append("")
    open_and_load(qtbot, session, draw_page())
    choose(window, "Custom prompt")
    assert session.choices.task == TASKS[0]
    assert window.tool_bar.task_box.currentText() == TASKS[0].label


@pytest.mark.parametrize("words", ["", "<image>"])
def test_remembered_words_that_cannot_be_asked_for_are_dropped(
    bridge: EngineBridge, tmp_path: Path, words: str
) -> None:
    session = Session(bridge, Settings(task=ASKS[1].name, task_words=words), tmp_path)
    assert session.choices.task == TASKS[0]
