"""What the tests of the session and of the window do first, and where they look."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QPoint, QPointF, Qt, SignalInstance
from PySide6.QtGui import QHelpEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QLabel,
    QListView,
    QPlainTextEdit,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.background.replies import DocumentOpened
from rtocr_gui.ui.dialogs.download_box import DownloadBox
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.notice_bar import NoticeBar
from tests.fake_engine import FakeEngine

Draw = Callable[..., Path]
"""The type of the fixture `draw_page`."""

Widget = TypeVar("Widget", bound=QWidget)


def in_sight(qtbot: QtBot, widget: Widget, width: int | None = None, height: int | None = None) -> Widget:
    """Show a widget until the end of the test, as large as it would like to be unless told otherwise."""
    qtbot.addWidget(widget)
    size = widget.sizeHint()
    widget.resize(width or size.width(), height or size.height())
    widget.show()
    return widget


def emissions(signal: SignalInstance) -> list[Any]:
    """What a signal carries from now on, in order."""
    heard: list[Any] = []
    signal.connect(heard.append)
    return heard


def open_and_load(qtbot: QtBot, session: Session, *paths: Path) -> None:
    """Load the model, open files, and wait for their pages and the plan of the first."""
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan is not None):
        session.models.load()
        session.open_files(paths)
    qtbot.waitUntil(lambda: {ref.path for ref in session.shelf.refs} >= set(paths))


def load_model(qtbot: QtBot, bridge: EngineBridge) -> None:
    """Load a model where there is no session."""
    with qtbot.waitSignal(bridge.model_loaded):
        bridge.load_model(LoadRequest(Path("model"), "cpu"))


def pages_opened(qtbot: QtBot, bridge: EngineBridge, path: Path) -> tuple[PageRef, ...]:
    """Open a file where there is no session, and return its pages."""
    with qtbot.waitSignal(bridge.document_opened) as caught:
        bridge.open_document(path)
    opened = caught.args[0]
    assert isinstance(opened, DocumentOpened)
    return opened.pages


def until_reading_begins(qtbot: QtBot, engine: FakeEngine, ask: Callable[[], object]) -> None:
    """Ask for readings, up to where the engine waits for its gate."""
    engine.gate.clear()
    engine.reading_began.clear()
    ask()
    qtbot.waitUntil(engine.reading_began.is_set)


def begin_reading(qtbot: QtBot, session: Session, engine: FakeEngine) -> None:
    """Read the selected pages up to where the engine waits for its gate."""
    until_reading_begins(qtbot, engine, session.read_selected)


def read_in_part(qtbot: QtBot, session: Session, engine: FakeEngine) -> None:
    """Read the selected pages, and stop once the shown one has some text."""
    begin_reading(qtbot, session, engine)
    qtbot.waitUntil(lambda: bool(session.current_text))
    session.stop()
    until_idle(qtbot, session, engine.gate.set)


def begin_loading(qtbot: QtBot, engine: FakeEngine, ask: Callable[[], object]) -> None:
    """Ask for a model, up to where the engine waits for its gate."""
    engine.load_gate.clear()
    engine.load_began.clear()
    ask()
    qtbot.waitUntil(engine.load_began.is_set)


def until_loaded(qtbot: QtBot, session: Session, ask: Callable[[], object]) -> None:
    """Ask for a model, and wait until one is told to be in use."""
    with qtbot.waitSignal(session.models.changed, check_params_cb=lambda status: status.model is not None):
        ask()


@contextmanager
def held_lane(lane: Lane) -> Iterator[None]:
    """Keep a lane from all that is asked of it until the end of the block."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        release.wait()

    lane.submit(hold)
    held.wait()
    try:
        yield
    finally:
        release.set()


def until_idle(qtbot: QtBot, session: Session, ask: Callable[[], object]) -> None:
    """Ask for readings, and wait until the reader is told to be idle."""
    with qtbot.waitSignal(
        session.reader.activity_changed, check_params_cb=lambda activity: activity == Activity()
    ):
        ask()


def read_selected(qtbot: QtBot, session: Session) -> None:
    """Read the selected pages to the end."""
    until_idle(qtbot, session, session.read_selected)


def read(qtbot: QtBot, window: MainWindow, session: Session) -> None:
    """Read the selected pages to the end, as the window's own action does."""
    until_idle(qtbot, session, window.actions_by_name["read"].trigger)


def wait_until_idle(qtbot: QtBot, session: Session) -> None:
    """Wait for readings that were asked for before."""
    qtbot.waitUntil(lambda: session.reader.activity == Activity())


def export_text(qtbot: QtBot, session: Session, path: Path) -> None:
    """Export the text of all pages, and wait until it is told what became of it."""
    with qtbot.waitSignal(session.notice_raised):
        session.exporter.export_text(path)


def sentences_in(bar: NoticeBar) -> tuple[str, ...]:
    """What the notices say that are shown, oldest first."""
    return tuple(label.text() for label in bar.findChildren(QLabel) if label.isVisibleTo(bar))


def choices(box: DownloadBox) -> list[str]:
    """The buttons of the download that can be seen."""
    buttons = (box.start, box.pause, box.discard)
    return [button.text().replace("&", "") for button in buttons if button.isVisible()]


def label_called(parent: QWidget, name: str) -> QLabel:
    """The label that screen readers hear called so."""
    return next(label for label in parent.findChildren(QLabel) if label.accessibleName() == name)


def editor_of(window: MainWindow) -> QPlainTextEdit:
    """Where the text of the page is shown and typed."""
    return window.text_column.text_pane.findChild(QPlainTextEdit)


def pages_of(window: MainWindow) -> QListView:
    """The list of pages."""
    return window.page_list.findChild(QListView)


def click_row(
    qtbot: QtBot, view: QListView, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Click a row of a list, in sight."""
    place = view.visualRect(view.model().index(row, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def tooltip_at(area: QAbstractScrollArea, place: QPoint) -> str:
    """The tooltip that is shown at a place in a view."""
    help_event = QHelpEvent(QHelpEvent.Type.ToolTip, place, area.viewport().mapToGlobal(place))
    QApplication.sendEvent(area.viewport(), help_event)
    return QToolTip.text()


def turn_wheel(
    widget: QWidget,
    place: QPoint | None = None,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    angle: int = 120,
) -> None:
    """Turn the wheel, by a notch up and over the middle of a widget unless told otherwise."""
    point = QPointF(widget.rect().center() if place is None else place)
    turn = QWheelEvent(
        point,
        widget.mapToGlobal(point),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, turn)
