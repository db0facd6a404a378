"""Take the README's picture: the real window, on a virtual display, after reading a sample page.

    .venv/bin/python packaging/screenshot.py

Writes `packaging/readme/window.png`. Needs Linux with xvfb and openbox.
"""

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer, SignalInstance
from PySide6.QtWidgets import QApplication

from rtocr_gui.ocr.engine import Engine
from rtocr_gui.resources import resource_path
from rtocr_gui.settings import Settings
from rtocr_gui.ui.engine_bridge import EngineBridge
from rtocr_gui.ui.main_window import MainWindow
from rtocr_gui.ui.page_model import PageState
from rtocr_gui.ui.session import Session
from tests.virtual_display import virtual_display

PICTURE = Path(__file__).parent / "readme" / "window.png"
READING_LIMIT_MS = 120_000
PAINT_MS = 500


def main() -> None:
    """Read the first sample, and save what the screen shows."""
    with virtual_display() as environment:
        os.environ.update(environment)
        application = QApplication(["rtocr-gui"])
        bridge = EngineBridge(Engine)
        session = Session(bridge, Settings(), resource_path("miniature"))
        window = MainWindow(session, lambda: None)
        window.show()
        session.open_files(sorted(resource_path("samples").glob("*.png")))
        QTimer.singleShot(0, session.load_model)
        wait_until(session.model_changed, lambda status: not status.loading)
        QTimer.singleShot(0, session.read_current)
        wait_until(session.page_status_changed, lambda status: status.state is PageState.READ)
        settle()
        frame = window.frameGeometry()
        picture = window.screen().grabWindow(0, frame.x(), frame.y(), frame.width(), frame.height())
        PICTURE.parent.mkdir(exist_ok=True)
        if not picture.save(str(PICTURE)):
            raise SystemExit(f"{PICTURE} could not be written.")
        print(f"{PICTURE}: {picture.width()} x {picture.height()} pixels")
        window.close()
        bridge.close(timeout_s=5)
        application.quit()


def wait_until(signal: SignalInstance, wanted: Callable[..., bool]) -> None:
    """Let the program run until a signal carries what is wanted."""
    loop = QEventLoop()
    signal.connect(lambda value: wanted(value) and loop.quit())
    QTimer.singleShot(READING_LIMIT_MS, lambda: loop.exit(1))
    if loop.exec():
        raise SystemExit("The program did not get there in two minutes.")


def settle() -> None:
    """Let the last painting reach the screen."""
    loop = QEventLoop()
    QTimer.singleShot(PAINT_MS, loop.quit)
    loop.exec()


if __name__ == "__main__":
    main()
