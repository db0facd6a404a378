"""Estimates how long pages will take by how long others took. Knows no page; the clock is an argument."""

from collections.abc import Callable

_LEAST_PAGES, _LEAST_S = 3, 20.0
"""What an estimate is based on at least: a first page alone may be a cover."""

_HALF = 0.5
"""Share of a page that has been read, on average, while it is being read."""


class Pace:
    """Measures how long a page takes on average; several may be read at once.

    Args:
        clock: returns seconds since some fixed moment.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began_s: float | None = None
        self._ended = 0
        self._last_end_s = 0.0
        self._page_s: float | None = None

    def begin(self) -> None:
        """A page begins; the time runs from the first on."""
        if self._began_s is None:
            self._began_s = self._clock()

    def end_page(self, in_hand: int) -> None:
        """A page has ended, while so many others are being read."""
        if self._began_s is not None:
            self._last_end_s, self._ended = self._clock(), self._ended + 1
            took_s = self._last_end_s - self._began_s
            if self._ended >= _LEAST_PAGES and took_s >= _LEAST_S:
                self._page_s = took_s / (self._ended + _HALF * in_hand)

    def reset(self) -> None:
        """Nothing is read for a while: that time is not the pages', and another model may be next."""
        self._began_s, self._ended, self._page_s = None, 0, None

    def seconds_left(self, in_hand: int, waiting: int) -> float | None:
        """How long pages that are being read and that wait will take; None while that cannot be told.

        That is so before enough pages have ended, and once the last ones take longer than was expected.
        """
        if self._page_s is None:
            return None
        since_end_s = self._clock() - self._last_end_s
        in_hand_s = max(0.0, self._page_s * _HALF * in_hand - since_end_s)
        return (self._page_s * waiting + in_hand_s) or None
