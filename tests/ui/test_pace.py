"""The time that the remaining pages take is told by those that have ended."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.state.pace import Pace
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity
from tests.broken_files import encrypted_pdf
from tests.ui.steps import Draw, emissions, open_and_load, wait_until_idle


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def end_pages(pace: Pace, clock: Clock, *seconds: float) -> None:
    """Read pages that take so long, one after the other."""
    for took_s in seconds:
        pace.begin()
        clock.now_s += took_s
        pace.end_page(in_hand=0)


def test_the_time_left_is_that_of_an_average_page_for_each() -> None:
    pace = Pace(clock := Clock())
    end_pages(pace, clock, 10, 20, 15)
    assert pace.seconds_left(in_hand=0, waiting=4) == pytest.approx(60)


def test_pages_that_are_read_at_once_are_taken_for_half_read() -> None:
    pace = Pace(clock := Clock())
    for _ in range(16):
        pace.begin()
    clock.now_s += 22
    for in_hand in (15, 14, 14):
        pace.end_page(in_hand)
    assert pace.seconds_left(in_hand=14, waiting=3) == pytest.approx(22)


def test_the_time_of_the_pages_in_hand_passes_and_is_unknown_once_the_last_ones_are_late() -> None:
    pace = Pace(clock := Clock())
    end_pages(pace, clock, 10, 10, 10)
    told = []
    for _ in range(3):
        told.append((pace.seconds_left(in_hand=2, waiting=1), pace.seconds_left(in_hand=2, waiting=0)))
        clock.now_s += 6
    assert told == [(20, 10), (14, 4), (10, None)]


@pytest.mark.parametrize("seconds", [(), (30, 30), (1, 1, 1, 1)])
def test_nothing_is_told_after_a_few_pages_or_seconds(seconds: tuple[float, ...]) -> None:
    pace = Pace(clock := Clock())
    end_pages(pace, clock, *seconds)
    assert pace.seconds_left(in_hand=1, waiting=100) is None


def test_a_pause_begins_a_new_estimate() -> None:
    pace = Pace(clock := Clock())
    end_pages(pace, clock, 10, 10, 10)
    pace.reset()
    clock.now_s += 3600
    assert pace.seconds_left(in_hand=0, waiting=1) is None
    end_pages(pace, clock, 20, 20, 20)
    assert pace.seconds_left(in_hand=0, waiting=1) == pytest.approx(20)


def test_the_time_in_which_files_are_awaited_is_not_that_of_pages(
    qtbot: QtBot, session: Session, tmp_path: Path, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()

    def read_for_10_s() -> None:
        clock.now_s += 10

    monkeypatch.setattr(session.reader, "_pace", Pace(clock))
    session.reader.began.connect(read_for_10_s)
    told = emissions(session.reader.activity_changed)
    locked = tmp_path / "locked.pdf"
    locked.write_bytes(encrypted_pdf())
    open_and_load(qtbot, session, draw_page("book.tiff", pages=3))
    with qtbot.waitSignal(session.opener.password_needed):
        session.open_files([locked])
        session.read_all()
    qtbot.waitUntil(lambda: told[-1] == Activity(page=3, page_count=3, awaits_files=True))
    clock.now_s += 3600
    session.shelf.pages_opened.connect(lambda _: session.opener.leave_locked(locked))
    session.open_files([draw_page("more.tiff", pages=5)])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 8)
    wait_until_idle(qtbot, session)
    assert {activity.seconds_left for activity in told} == {None, 10}
