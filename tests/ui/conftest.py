"""The window's parts, put together around a fake engine."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PIL import Image, ImageDraw
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from rtocr_gui.settings import Settings
from rtocr_gui.ui.app import Program
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.garbage import collect_if_due
from rtocr_gui.ui.state.notices import Offer
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, emissions


@pytest.fixture(autouse=True)
def garbage_is_collected_between_tests() -> Iterator[None]:
    """As in the program, and for the same reason: never within a call of Qt."""
    gc.disable()
    yield
    collect_if_due()
    gc.enable()


@pytest.fixture(autouse=True)
def every_dialog_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that a test does not answer fails it: it would wait for ever."""

    def ask(dialog: QDialog) -> int:
        pytest.fail(f"nobody answers: {dialog.windowTitle()}")

    for kind in (QDialog, QMessageBox, QInputDialog, QFileDialog):
        monkeypatch.setattr(kind, "exec", ask)

    def ask_at_once(*_: object) -> None:
        pytest.fail("nobody answers")

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", ask_at_once)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", ask_at_once)
    monkeypatch.setattr(QInputDialog, "getText", ask_at_once)


@pytest.fixture(autouse=True)
def opened_outside(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files and folders that other programs would open; no test starts one."""
    opened: list[Path] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: not opened.append(Path(url.toLocalFile())))
    return opened


@pytest.fixture
def agreeing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who agrees to whatever would be lost."""
    monkeypatch.setattr(questions, "agrees", lambda *_: True)


@pytest.fixture
def draw_page(tmp_path: Path) -> Draw:
    """Draws a page of one or several frames and returns its file."""

    def draw(name: str = "scan.png", pages: int = 1) -> Path:
        frames = []
        for number in range(pages):
            frame = Image.new("RGB", (400, 500), "white")
            ImageDraw.Draw(frame).text((40, 40), f"{name} {number}", fill="black", font_size=40)
            frames.append(frame)
        path = tmp_path / name
        frames[0].save(path, save_all=pages > 1, append_images=frames[1:])
        return path

    return draw


@pytest.fixture
def fake_engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def bridge(qtbot: QtBot, fake_engine: FakeEngine) -> Iterator[EngineBridge]:
    made = EngineBridge(lambda: fake_engine)
    yield made
    fake_engine.load_gate.set()
    fake_engine.gate.set()
    assert made.close(30)  # a lane may be importing torch, on a busy machine


@pytest.fixture
def settings() -> Settings:
    """What is remembered from the last start."""
    return Settings()


@pytest.fixture
def session(bridge: EngineBridge, settings: Settings, tmp_path: Path) -> Iterator[Session]:
    made = Session(bridge, settings, tmp_path / "bundled")
    yield made
    # Left to the garbage collector, its timers may end on the thread of a lane, which crashes.
    shiboken6.delete(made)


@pytest.fixture
def window(qtbot: QtBot, session: Session) -> MainWindow:
    made = MainWindow(session)
    qtbot.addWidget(made, before_close_func=_let_close)
    made.show()
    return made


def _let_close(window: MainWindow) -> None:
    """Nobody is asked at the end of a test whether what was read may go."""
    window.closing.may_close = lambda: True


@pytest.fixture
def program(qtbot: QtBot, fake_engine: FakeEngine, settings: Settings, tmp_path: Path) -> Iterator[Program]:
    """The whole program, which is not started yet."""
    made = Program(settings, lambda: fake_engine)
    qtbot.addWidget(made.window, before_close_func=_let_close)
    yield made
    assert made.bridge.close(30, 30)
    made.pictures.delete()


@pytest.fixture
def told(session: Session) -> list[PageStatus]:
    """All that is said of how far pages are."""
    return emissions(session.texts.page_status_changed)


@pytest.fixture
def states(session: Session) -> dict[str, PageStatus]:
    """The newest status of each page, by label."""
    newest: dict[str, PageStatus] = {}
    session.texts.page_status_changed.connect(lambda status: newest.update({status.ref.label: status}))
    return newest


@pytest.fixture
def notices(session: Session) -> list[str]:
    """The sentences that the session tells, in order."""
    heard: list[str] = []
    session.notice_raised.connect(lambda notice: heard.append(notice.sentence))
    return heard


@pytest.fixture
def offers(session: Session) -> list[Offer]:
    """What the session offers, in order."""
    made: list[Offer] = []
    session.notice_raised.connect(lambda notice: made.extend(notice.offers))
    return made


@pytest.fixture
def begun(session: Session) -> list[int]:
    """The number of each page whose reading began, in order."""
    told: list[int] = []
    session.texts.page_status_changed.connect(
        lambda status: told.append(status.ref.index + 1) if status.state is PageState.READING else None
    )
    return told
