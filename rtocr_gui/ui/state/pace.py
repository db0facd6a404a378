"""Foretells how long pages will take, by those that have ended. Knows no page; the clock is an argument."""

from collections.abc import Callable

_LEAST_PAGES, _LEAST_S = 3, 20.0
"""What an estimate is based on at least: a first page alone may be a cover."""


class Pace:
    """Measures how long a page takes on average, while pages are being read.

    Args:
        clock: returns seconds since some fixed moment.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began_s: float | None = None
        self._took_s = 0.0
        self._pages = 0

    def begin(self) -> None:
        """A page begins; the time runs from the first on."""
        if self._began_s is None:
            self._began_s, self._took_s, self._pages = self._clock(), 0.0, 0

    def end_page(self) -> None:
        """A page has ended."""
        if self._began_s is not None:
            self._took_s = self._clock() - self._began_s
            self._pages += 1

    def reset(self) -> None:
        """Nothing is read for a while, or by another model from now on."""
        self._began_s = None

    def seconds_left(self, pages: int) -> float | None:
        """How long so many pages will take; None while that cannot be told."""
        if self._began_s is None or self._pages < _LEAST_PAGES or self._took_s < _LEAST_S:
            return None
        return self._took_s / self._pages * pages
