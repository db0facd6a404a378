"""No label takes words from outside, of files, models and persons, for rich text."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.dialogs.models_window import ModelsWindow
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.window.main_window import MainWindow

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
