"""Drives the real program in a real window, as a person would, and prints what came of it as JSON.

Run as `python -m tests.real_window_driver SCENARIO FILE...` with a display; `test_real_window` does.
"""

import json
import sys
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, SignalInstance
from PySide6.QtGui import QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QSlider, QStyle, QStyleOptionSlider, QToolBar

from rtocr_gui.settings import Settings
from rtocr_gui.ui import app
from rtocr_gui.ui.probe import run_until
from rtocr_gui.ui.state.page_entry import PageState
from tests.ui.steps import sentences_in

PATIENCE_S = 100


def wait_until(signal: SignalInstance, wanted: Callable[[Any], bool]) -> Any:
    """Let the program run until a signal carries what is wanted, and return that."""
    (value,) = run_until(signal, wanted, PATIENCE_S)
    return value


def read_and_tune(files: list[Path]) -> dict[str, object]:
    """Press Read, drag the slider to 40 %, let it go."""
    application = app.make_application()
    program = app.Program(Settings())
    session, window = program.session, program.window
    program.start(files)
    torch_at_show = "torch" in sys.modules
    wait_until(session.planner.plan_changed, lambda plan: plan is not None)
    read_button = window.findChild(QToolBar).widgetForAction(window.actions_by_name["read"])
    QTest.mouseClick(read_button, Qt.MouseButton.LeftButton)
    wait_until(session.texts.page_status_changed, lambda status: status.state is PageState.READ)
    first_text = session.current_text
    before = window.page_column.page_view.grab().toImage()

    slider = window.retention_bar.findChild(QSlider)
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    style, control = slider.style(), QStyle.ComplexControl.CC_Slider
    handle = style.subControlRect(control, option, QStyle.SubControl.SC_SliderHandle, slider).center()
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=handle)
    QTest.mouseMove(slider, QPoint(int(slider.width() * 0.40), handle.y()))
    dragged = wait_until(window.page_column.page_view.plan_painted, lambda plan: 0.35 < plan.retention < 0.45)
    during = window.page_column.page_view.grab().toImage()
    text_during_drag = session.current_text
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(int(slider.width() * 0.40), handle.y()))
    wait_until(session.reader.activity_changed, lambda activity: activity.reading)
    wait_until(session.reader.activity_changed, lambda activity: not activity.reading)
    figures = {
        "platform": application.platformName(),
        "torch_at_show": torch_at_show,
        "first_text": first_text,
        "overlay_changed_while_dragging": before != during,
        "text_during_drag": text_during_drag,
        "kept_while_dragging": len(dragged.kept),
        "kept_by_second_reading": window.text_column.summary.text().split()[2],
        "notices": sentences_in(window.notice_bar),
        "pages": len(session.shelf.refs),
    }
    window.actions_by_name["copy"].trigger()  # so that nothing is lost by closing
    window.close()
    figures["ended"] = program.bridge.close(5)
    return figures


def agree() -> None:
    """Press the button of the question that is asked."""
    box = QApplication.activeModalWidget()
    next(button for button in box.findChildren(QPushButton) if button.text() == "Close").click()


def close_while_reading(files: list[Path]) -> dict[str, object]:
    """Close the window in the middle of a reading."""
    closed_at = 0.0

    class Closing(app.Program):
        def start(self, files: Any) -> None:
            super().start(files)
            self.session.page_selected.connect(self.session.read_selected)
            self.session.texts.text_appended.connect(self.close_once)

        def close_once(self, _: str) -> None:
            nonlocal closed_at
            if not closed_at:
                closed_at = time.monotonic()
                QTimer.singleShot(0, agree)
                self.window.close()

    app.Program = Closing  # type: ignore[misc]
    code = app.main([str(path) for path in files])
    return {"code": code, "seconds": time.monotonic() - closed_at, "text_came": closed_at > 0}


def find_shared_keys(_: list[Path]) -> dict[str, object]:
    """Find the keys that both an action and a widget of the window would take."""
    _application = app.make_application()
    program = app.Program(Settings())
    window = program.window
    of_actions = {key for action in window.actions_by_name.values() for key in action.shortcuts()}
    of_widgets = set(chain.from_iterable(map(QShortcut.keys, window.findChildren(QShortcut))))
    program.bridge.close(5)
    return {
        "widgets": sorted(key.toString() for key in of_widgets),
        "shared": sorted(key.toString() for key in of_actions & of_widgets),
    }


SCENARIOS = {
    "read_and_tune": read_and_tune,
    "close_while_reading": close_while_reading,
    "find_shared_keys": find_shared_keys,
}

if __name__ == "__main__":
    scenario = SCENARIOS[sys.argv[1]]
    json.dump(scenario([Path(name) for name in sys.argv[2:]]), sys.stdout)
