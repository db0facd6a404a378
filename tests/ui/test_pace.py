"""The time that the remaining pages take is told by those that have ended."""

import pytest

from rtocr_gui.ui.state.pace import Pace


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
