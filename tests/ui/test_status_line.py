"""The line at the bottom says what the program does, and how much memory the model takes."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.loading import GONE
from rtocr_gui.ocr.reading import Stage
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, ExportProgress, ModelStatus
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.status_line import StatusLine
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, label_called, open_and_load


def test_the_line_at_the_bottom_tells_what_tuning_reads(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    said = label_called(window.status_line, "Status")
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
    said = label_called(line, "Status")
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
    said = label_called(window.status_line, "Status")
    words: list[str] = []
    session.opener.changed.connect(lambda _: words.append(said.text()))
    session.open_files([draw_page(name=name) for name in ("1.png", "2.png", "3.png")])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    assert list(dict.fromkeys(words))[:3] == ["Opening 3 files", "Opening 2 files", "Opening 1 file"]
    assert "file" not in said.text()


def test_the_line_at_the_bottom_is_not_ready_until_the_page_has_its_picture(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    said = label_called(window.status_line, "Status")
    words: list[str] = []
    session.shelf.page_selected.connect(lambda _: words.append(said.text()))
    session.page_image_changed.connect(lambda _: words.append(said.text()))
    files = [draw_page(name="1.png"), draw_page(name="2.png")]
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files(files)
    qtbot.waitUntil(lambda: not session.opener.files_left)
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.select(session.shelf.refs[1])
    assert words[-2:] == ["Opening the page", "Ready"]
    files[0].unlink()
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=GONE.__eq__):
        session.shelf.select(session.shelf.refs[0])
    assert words[-1] == "Opening the page"
    assert said.text() == "Ready"


def test_the_status_line_says_that_a_reading_is_traced(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    said = label_called(line, "Status")
    line.show_tracing(True)
    assert said.text() == "Finding where the text was read"
    line.show_tracing(False)
    assert said.text() == "Ready"


def test_the_status_line_says_how_far_an_export_is_also_while_pages_are_read(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    said = label_called(line, "Status")
    line.show_activity(Activity(Stage.DECODE, page=2, page_count=3, together=1, tokens=7))
    assert said.text() == "Reading, 7 tokens (2 of 3 pages)"
    line.show_exporting(ExportProgress(4, 30))
    assert said.text() == "Exporting page 4 of 30 while reading"
    line.show_activity(Activity())
    assert said.text() == "Exporting page 4 of 30"
    line.show_activity(Activity(Stage.ENCODE, page=1, page_count=1, together=1))
    line.show_exporting(ExportProgress())
    assert said.text() == "Encoding the page"


def test_the_status_line_counts_what_is_done_of_pages_that_are_read_at_once(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    said = label_called(line, "Status")
    line.show_activity(Activity(page=3, page_count=12, tokens=523, together=4))
    assert said.text() == "Reading 4 pages at once, 523 tokens (2 of 12 pages done)"
    line.show_activity(Activity(page=3, page_count=12, together=4, seconds_left=250))
    assert said.text() == "Reading 4 pages at once (2 of 12 pages done), 4 min left"
    line.show_activity(Activity(page=3, page_count=3, awaits_files=True))
    assert said.text() == "Waiting for files to open"
