"""The program starts, or says in a sentence why it does not."""

import importlib.metadata
import os
import signal
import subprocess
import sys

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from rtocr_gui import __main__ as entry
from rtocr_gui.ui import app
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.ui.steps import until_loaded


def test_the_command_names_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", {"rtocr-gui": "1.2.3"}.__getitem__)
    with pytest.raises(SystemExit) as ended:
        app.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "rtocr-gui 1.2.3\n"


def test_without_a_display_the_program_says_how_to_read_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.setenv(name, "")
    with pytest.raises(SystemExit, match="There is no display"):
        app.main([])


def test_on_a_display_that_cannot_be_reached_the_program_says_how_to_read_without_one() -> None:
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "unreachable"}
    ended = subprocess.run(
        [sys.executable, "-m", "rtocr_gui"],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    *_, said = ended.stderr.splitlines()
    assert said == "No window can be opened on this display. To read without one: rtocr read FILE"


def test_ctrl_c_ends_a_program_that_has_no_window_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "load", lambda: lambda: signal.getsignal(signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    try:
        assert entry.main() == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_a_folder_that_is_gone_the_program_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "has_current_folder", lambda: False)
    with pytest.raises(SystemExit, match="The current folder no longer exists"):
        app.main(["letter.png"])


def test_about_names_the_version(monkeypatch: pytest.MonkeyPatch, window: MainWindow) -> None:
    told: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: told.extend((box.text(), box.informativeText())))
    monkeypatch.setattr(importlib.metadata, "version", {"rtocr-gui": "1.2.3"}.__getitem__)
    window.actions_by_name["about"].trigger()
    assert told[0] == "RTOCR 1.2.3"
    assert told[1].startswith("RTOCR reads scanned pages")


def test_about_a_model_says_in_words_where_it_runs(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, window: MainWindow, session: Session
) -> None:
    told: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: told.append(box.informativeText()))
    until_loaded(qtbot, session, session.models.load)
    window.actions_by_name["about_model"].trigger()
    assert "Runs on the CPU in float32." in told[0]
