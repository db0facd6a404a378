"""Reads several pages at once: each goes through its stages, and all decode in the same passes.

A page that waits for the next pass says so; when all of them do, the pass is made. Pages begin one by one,
with passes between them, so that the first are heard of and go on while others are still encoded. One that
ends or fails leaves the others alone, and makes room for the next one. Where a pass fails, the page that
began last fails with it, and from then on fewer go together. Knows neither the model nor torch.
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
"""As `read_together` takes it. More would let passes over few pages take the time of passes over many."""


@dataclass(frozen=True, eq=False, slots=True)
class PageRequest:
    """A page that shall be read together with others.

    Attributes:
        page: as it was rendered.
        settings: what is asked of it; they may differ from page to page.
        cancel: stops this page and no other. Pages that have the same one stop together.
    """

    page: PageImage
    settings: ReadSettings
    cancel: threading.Event


@dataclass(frozen=True, eq=False, slots=True)
class PageFailed:
    """A page could not be read: the last that is heard of it."""

    error: RtocrError


PageEvent = ReadingEvent | PageFailed
"""What is told of one of several pages: last its `Reading`, or that it failed."""

Steps = Generator[ReadingEvent | None, None, None]
"""What happens to one page, stage by stage; None while it waits for a pass."""


class SharedDecoder(Protocol):
    """What decodes a token of every page in one pass."""

    def feed(self) -> None:
        """Make a pass; where it fails, one page less may make it."""


def read_together(
    requests: Iterable[PageRequest | None],
    begin: Callable[[PageRequest], Steps],
    decoder: SharedDecoder,
    most: int,
    going_on_share: float = GOING_ON_SHARE,
) -> Iterator[tuple[PageRequest, PageEvent]]:
    """Read pages, several at a time.

    Args:
        requests: asked for the next one whenever there is room, so that pages can be rendered late; None
            where none is there yet. One that is cancelled before it begins is left out.
        begin: gives the steps of a page, which wait whenever they need a pass of the decoder.
        decoder: makes the passes.
        most: how many pages are read at a time, at least 1.
        going_on_share: before another page begins, the others go on for so large a share of the time that the
            last one took to begin.

    Yields:
        Which page, and what happened to it; events of several pages take turns.
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
        """Tell what happens until the page waits, or ends.

        Args:
            failure: what happened to the pass it waited for; None where it was made.
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
