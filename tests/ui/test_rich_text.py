"""No label takes words from outside, of files, models and persons, for rich text."""

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QLabel,
    QMessageBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.models_window import ModelsWindow
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import ModelStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.ui.steps import (
    until_loaded,
)

OWN_WORDS = {
    *(" Mode ", " Task ", "Re&tention"),
    *("Automatic retention", "This reading and all tokens"),
    *("Text density r₁", "Dissimilarity r₂", "Combined r"),
    "Token counts",
}
"""Captions that never change, and the name of a label that shows figures between words of ours."""


def labels_that_may_be_rich(widget: QWidget) -> set[str]:
    labels = [label for label in widget.findChildren(QLabel) if label.pixmap().isNull()]
    assert labels
    rich = {label for label in labels if label.textFormat() is not Qt.TextFormat.PlainText}
    return {label.accessibleName() or label.text() for label in rich}


def test_no_label_takes_words_from_outside_for_rich_text(qtbot: QtBot, window: MainWindow) -> None:
    models = ModelsWindow()
    qtbot.addWidget(models)
    assert labels_that_may_be_rich(models) == {"&Server", "Folder"}
    window.notice_bar.add(Notice("<b>scan.png</b> failed."))
    column = window.text_column
    for pane in (column.compare, column.curve):
        assert pane.pane  # which has it built
    assert labels_that_may_be_rich(window) == OWN_WORDS


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
