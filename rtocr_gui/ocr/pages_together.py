"""Reads several pages at once: each goes through its own stages, and all decode in the same passes.

A page that waits for the next pass yields None; once all of them wait, the pass is made. Pages begin one by
one, with passes in between, so that the first ones make progress while others are still being encoded. A page
that ends or fails does not affect the others, and makes room for the next one. If a pass fails, the page that
began last fails with it, and from then on fewer pages are read together. Knows neither the model nor torch.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import RtocrError
from rtocr_gui.ocr.reading import ReadingEvent, ReadSettings

GOING_ON_SHARE = 0.25
"""Default for `read_together`. A larger share would spend time on passes over few pages instead of many."""


@dataclass(frozen=True, eq=False, slots=True)
class PageRequest:
    """A page to be read together with others.

    Attributes:
        page: the rendered page.
        settings: its settings, which may differ from page to page.
        cancel: stops this page; pages that share an event stop together.
    """

    page: PageImage
    settings: ReadSettings
    cancel: threading.Event


@dataclass(frozen=True, eq=False, slots=True)
class PageFailed:
    """A page could not be read; its last event."""

    error: RtocrError


PageEvent = ReadingEvent | PageFailed
"""An event of one of several pages; its last is the `Reading` or `PageFailed`."""

Steps = Generator[ReadingEvent | None, None, None]
"""The events of one page, stage by stage; None while it waits for a pass."""


class SharedDecoder(Protocol):
    """Decodes one token of every page per pass."""

    def feed(self) -> None:
        """Make a pass; if it fails, it may succeed with one page fewer."""


def read_together(
    requests: Iterable[PageRequest | None],
    begin: Callable[[PageRequest], Steps],
    decoder: SharedDecoder,
    most: int,
    going_on_share: float = GOING_ON_SHARE,
) -> Iterator[tuple[PageRequest, PageEvent]]:
    """Read pages, several at a time.

    Args:
        requests: the next one is taken whenever there is room, so that pages can be rendered late; None if
            none is ready yet. A request that is cancelled before it begins is skipped.
        begin: returns the steps of a page, which wait whenever they need a decoder pass.
        decoder: makes the passes.
        most: how many pages to read at a time, at least 1.
        going_on_share: before another page begins, the others continue for at least this share of the time
            that the last one took to begin.

    Yields:
        The request and its event; events of several pages are interleaved.
    """
    waiting = iter(requests)
    running: list[_Page] = []
    beginning_s = going_on_s = 0.0
    while True:
        started = time.perf_counter()
        may_begin = not running or (len(running) < most and going_on_s >= going_on_share * beginning_s)
        request = _next_wanted(waiting) if may_begin else None
        if request is not None:
            running.append(_Page(request, begin(request)))
        if not running:
            return
        for page in running:
            yield from page.go_on()
        left = [page for page in running if not page.has_ended]
        if len(left) == len(running):
            try:
                decoder.feed()
            except (RuntimeError, MemoryError) as error:
                yield from running[-1].go_on(error)
                most = max(1, len(running) - 1)
        running = [page for page in left if not page.has_ended]
        took_s = time.perf_counter() - started
        beginning_s, going_on_s = (took_s, 0.0) if request is not None else (beginning_s, going_on_s + took_s)


class _Page:
    """A page that is being read."""

    def __init__(self, request: PageRequest, steps: Steps) -> None:
        self.has_ended = False
        self._request = request
        self._steps = steps

    def go_on(self, failure: Exception | None = None) -> Iterator[tuple[PageRequest, PageEvent]]:
        """Yield the page's events until it waits or ends.

        Args:
            failure: error of the pass it waited for; None if the pass was made.
        """
        try:
            event = next(self._steps) if failure is None else self._steps.throw(failure)
            while event is not None:
                yield self._request, event
                event = next(self._steps)
        except StopIteration:
            self.has_ended = True
        except RtocrError as error:
            self.has_ended = True
            yield self._request, PageFailed(error)


def _next_wanted(waiting: Iterator[PageRequest | None]) -> PageRequest | None:
    return next((request for request in waiting if request is None or not request.cancel.is_set()), None)
