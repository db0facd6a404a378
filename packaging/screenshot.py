"""Takes the README's picture: the real window on a virtual display, while a sample page is tuned.

A page is read from two thirds of its tokens and compared with the reading from all, and its curve is read.

    .venv/bin/python packaging/screenshot.py

Writes `packaging/readme/window.png`. Needs Linux with xvfb and openbox.
"""

import argparse
import os
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer

from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.settings import Settings
from rtocr_gui.ui.app import Program, make_application, sample_pages
from rtocr_gui.ui.probe import run_until
from rtocr_gui.ui.state.page_entry import PageState
from tests.virtual_display import virtual_display

PICTURE = Path(__file__).parent / "readme" / "window.png"
PAINT_MS = 500
RETENTION = 0.65


def main() -> None:
    """Read the first sample, and save what the screen shows."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    with virtual_display() as environment:
        os.environ.update(environment)
        application = make_application()
        take(Program(Settings()))
        application.quit()


def take(program: Program) -> None:
    """Read a page in the window and save the picture."""
    session, window = program.session, program.window
    program.start(sample_pages())
    run_until(session.planner.plan_changed, lambda plan: plan is not None)
    session.set_retention(RETENTION)
    QTimer.singleShot(0, session.read_selected)
    run_until(session.texts.page_status_changed, lambda status: status.state is PageState.READ)
    window.actions_by_name["compare"].trigger()
    QTimer.singleShot(0, lambda: session.tuning.compare(PruneSettings(1.0), PruneSettings(RETENTION)))
    run_until(session.tuning.comparison_changed, lambda shown: shown is not None)
    QTimer.singleShot(0, window.actions_by_name["curve"].trigger)
    run_until(session.tuning.curve_changed, lambda shown: len(shown.points) == shown.expected > 0)
    settle()
    frame = window.frameGeometry()
    picture = window.screen().grabWindow(0, frame.x(), frame.y(), frame.width(), frame.height())
    PICTURE.parent.mkdir(exist_ok=True)
    if not picture.save(str(PICTURE)):
        raise SystemExit(f"{PICTURE} could not be written.")
    print(f"{PICTURE}: {picture.width()} x {picture.height()} pixels")
    window.hide()  # closing asks about text that is in no file
    program.bridge.close(timeout_s=5)


def settle() -> None:
    """Let the last painting reach the screen."""
    loop = QEventLoop()
    QTimer.singleShot(PAINT_MS, loop.quit)
    loop.exec()


if __name__ == "__main__":
    main()
