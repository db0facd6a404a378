"""What the tests of the session and of the window do first."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QListView, QWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity
from rtocr_gui.ui.window.notice_bar import NoticeBar
from tests.fake_engine import FakeEngine


def open_and_load(qtbot: QtBot, session: Session, *paths: Path) -> None:
    """Load the model, open files, and wait for their pages and the plan of the first."""
    with qtbot.waitSignal(session.plan_changed, check_params_cb=lambda plan: plan is not None):
        session.models.load()
        session.open_files(paths)
    qtbot.waitUntil(lambda: {ref.path for ref in session.refs} >= set(paths))


def begin_reading(qtbot: QtBot, session: Session, engine: FakeEngine) -> None:
    """Read the selected pages up to where the engine waits for its gate."""
    engine.gate.clear()
    session.read_selected()
    qtbot.waitUntil(engine.reading_began.is_set)


def begin_loading(qtbot: QtBot, engine: FakeEngine, ask: Callable[[], object]) -> None:
    """Ask for a model, up to where the engine waits for its gate."""
    engine.load_gate.clear()
    engine.load_began.clear()
    ask()
    qtbot.waitUntil(engine.load_began.is_set)


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
    with qtbot.waitSignal(session.activity_changed, check_params_cb=lambda activity: activity == Activity()):
        ask()


def wait_until_idle(qtbot: QtBot, session: Session) -> None:
    """Wait for readings that were asked for before."""
    qtbot.waitUntil(lambda: session.activity == Activity())


def export_text(qtbot: QtBot, session: Session, path: Path) -> None:
    """Export the text of all pages, and wait until it is told what became of it."""
    with qtbot.waitSignal(session.notice_raised):
        session.export(path)


def sentences_in(bar: NoticeBar) -> tuple[str, ...]:
    """What the notices say that are shown, oldest first."""
    return tuple(label.text() for label in bar.findChildren(QLabel) if label.isVisibleTo(bar))


def click_row(
    qtbot: QtBot, view: QListView, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Click a row of a list, in sight."""
    place = view.visualRect(view.model().index(row, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, place)


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
