"""What the tests of the session and of the window do first."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from rtocr_gui.ui.session import Session


def open_and_load(qtbot: QtBot, session: Session, *paths: Path) -> None:
    """Load the model, open files, and wait for the plan of the first page."""
    with qtbot.waitSignal(session.plan_changed, check_params_cb=lambda plan: plan is not None):
        session.load_model()
        session.open_files(paths)
