"""Garbage with Qt objects in it is destroyed where Qt objects belong."""

import gc
import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.garbage import MainThreadGarbage, collect_if_due

ROOT = Path(__file__).parents[2]

MANY = 100_000
"""More objects than what earlier tests left behind may free meanwhile."""


class Ring:
    """Garbage that only a look for it finds, and that tells on which thread it was found."""

    def __init__(self, found_on: list[str]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: found_on.append(threading.current_thread().name))


@pytest.fixture
def garbage(qapp: QApplication) -> Iterator[MainThreadGarbage]:
    thresholds = gc.get_threshold()
    gc.collect()
    gc.set_threshold(50, 10, 1000)
    gc.enable()
    parent = QObject()
    yield MainThreadGarbage(parent)
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("garbage")
def test_a_busy_lane_finds_no_garbage_and_the_main_thread_does() -> None:
    found_on: list[str] = []
    Ring(found_on)
    lane = threading.Thread(target=lambda: [[number] for number in range(MANY)], name="lane")
    lane.start()
    lane.join()
    assert found_on == []
    kept = [[number] for number in range(MANY)]
    collect_if_due()
    assert found_on == [threading.main_thread().name]
    assert len(kept) == MANY


@pytest.mark.usefixtures("garbage")
def test_it_looks_by_itself_from_time_to_time(qtbot: QtBot) -> None:
    found_on: list[str] = []
    Ring(found_on)
    kept = [[number] for number in range(MANY)]
    qtbot.waitUntil(lambda: len(found_on) == 1)
    assert len(kept) == MANY


@pytest.mark.usefixtures("garbage")
def test_where_little_was_made_nothing_is_looked_through() -> None:
    found_on: list[str] = []
    gc.collect()
    Ring(found_on)
    collect_if_due()
    assert found_on == []


_MEASURED = """
import gc
from rtocr_gui.settings import Settings
from rtocr_gui.ui.probe import Probe
from tests.fake_engine import FakeEngine
probe = Probe((), Settings(), FakeEngine)
probe.finish({"python_looks_itself": gc.isenabled()})
"""


def test_the_program_that_is_measured_looks_as_the_real_one_does() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["python_looks_itself"] is False
