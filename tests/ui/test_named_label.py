"""What labels with a name promise: screen readers hear their text too, and what it changes to."""

from collections.abc import Callable

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import Stage
from rtocr_gui.ui.dialogs.download_box import DownloadBox
from rtocr_gui.ui.dialogs.models_window import ModelsWindow
from rtocr_gui.ui.page.overlay_bar import OverlayBar
from rtocr_gui.ui.page.page_view import PageView
from rtocr_gui.ui.page.play_bar import PlayBar
from rtocr_gui.ui.parts.form_parts import plain_label
from rtocr_gui.ui.parts.named_label import NamedLabel
from rtocr_gui.ui.state.shown import Activity
from rtocr_gui.ui.text.compare_view import CompareView
from rtocr_gui.ui.tuning.curve_view import CurveView
from rtocr_gui.ui.tuning.figures_panel import FiguresPanel
from rtocr_gui.ui.tuning.retention_bar import RetentionBar
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.status_line import StatusLine
from rtocr_gui.ui.window.tool_bar import ToolBar
from tests.ui.steps import label_called

PANES = (
    *(StatusLine, CompareView, FiguresPanel, PageView, PlayBar, CurveView, RetentionBar),
    *(DownloadBox, ModelsWindow),
)

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def heard(widget: QWidget) -> tuple[str, str]:
    """What a screen reader is told of a widget: its name and its description."""
    told = QAccessible.queryAccessibleInterface(widget)
    return told.text(QAccessible.Text.Name), told.text(QAccessible.Text.Description)


@pytest.mark.parametrize("make", [NamedLabel, lambda name: plain_label(name=name)])
def test_a_named_label_is_heard_with_its_text_after_each_change(
    qtbot: QtBot, make: Callable[[str], QLabel]
) -> None:
    label = make("Status")
    qtbot.addWidget(label)
    assert heard(label) == ("Status", "")
    label.setText("Reading")
    assert (label.text(), heard(label)) == ("Reading", ("Status", "Reading"))
    label.clear()
    assert (label.text(), heard(label)) == ("", ("Status", ""))


@pytest.mark.parametrize("figure", ["88 %", "6.7 GB", "412 bytes", "41 ms", "12.3 s", "3 min", "2 h"])
@pytest.mark.parametrize("make", [plain_label, lambda text: plain_label(text, "Status")])
def test_no_line_ends_between_a_figure_and_its_unit(
    qtbot: QtBot, make: Callable[[str], QLabel], figure: str
) -> None:
    label = make(f"It is {figure}.")
    qtbot.addWidget(label)
    assert label.text() == f"It is {figure}."
    assert QLabel.text(label) == f"It is {figure.replace(' ', NO_BREAK_SPACE)}."
    label.setText("3 minutes of 2 scans")
    assert QLabel.text(label) == "3 minutes of 2 scans"


@pytest.mark.parametrize("pane", PANES, ids=lambda pane: pane.__name__)
def test_no_label_of_a_pane_hides_its_text_behind_its_name(qtbot: QtBot, pane: type[QWidget]) -> None:
    shown = pane()
    qtbot.addWidget(shown)
    named = [label for label in shown.findChildren(QLabel) if label.accessibleName()]
    assert named
    for label in named:
        label.setText("what is seen")
        if pane is not RetentionBar:  # whose label shows fewer words than are heard where space is short
            assert heard(label) == (label.accessibleName(), "what is seen")
        assert heard(label)[1]


@pytest.mark.parametrize("pane", [CompareView, PlayBar, ToolBar, OverlayBar], ids=lambda pane: pane.__name__)
def test_every_choice_is_labelled(qtbot: QtBot, pane: type[QWidget], window: MainWindow) -> None:
    assert window.text_column.compare.pane
    boxes = window.findChild(pane).findChildren(QComboBox)
    assert boxes
    for box in boxes:
        relations = QAccessible.queryAccessibleInterface(box).relations(QAccessible.RelationFlag.Label)
        assert [label.text(QAccessible.Text.Name).strip() for label, _ in relations] == [box.accessibleName()]


def test_progress_is_heard_as_it_is_seen(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    status = label_called(line, "Status")
    assert heard(status) == ("Status", "Ready")
    line.show_activity(Activity(Stage.DECODE, page=3, page_count=9, tokens=120, together=1))
    assert heard(status) == ("Status", "Reading, 120 tokens (3 of 9 pages)")
    line.show_activity(Activity())
    assert heard(status) == ("Status", "Ready")
