"""Pages on their way through the model: those that wait for it, and those being read.

Runs on the model lane. A page that is only viewed is encoded between two passes over those being read.
Other jobs for the model run before further pages begin. Knows replies; no Qt, no widget.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.pages_together import PageEvent, PageFailed, PageRequest
from rtocr_gui.ocr.reading import Reading, Scaling, Stage
from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.background.page_reading import PageReading, ReadingReply
from rtocr_gui.ui.background.replies import PageEncoded, RequestFailed, RequestStopped, StageEntered

Reply = ReadingReply | RequestStopped | RequestFailed


@dataclass(frozen=True, eq=False, slots=True)
class PageToEncode:
    """A page to measure without reading it, if it is still wanted when its turn comes."""

    request_id: int
    page: PageImage
    scaling: Scaling
    is_wanted: Callable[[], bool]


class PageScheduler:
    """Has pages encoded and read, one job of the lane for all of them.

    Args:
        lane: of the model.
        engine: returns the engine with its model for a request id, or raises if there is none; called on
            the lane.
        tell: called with each reply, on the lane.
    """

    def __init__(
        self, lane: Lane, engine: Callable[[int], PageEngine], tell: Callable[[Reply], None]
    ) -> None:
        self._lane = lane
        self._engine = engine
        self._tell = tell
        # At most one encoding waits: a person may leaf through a hundred pages while the model is busy.
        self._to_encode: PageToEncode | None = None
        self._to_read: deque[PageReading] = deque()
        self._in_hand: dict[PageRequest, PageReading] = {}
        self._reads = False
        self._change = threading.Lock()

    def encode(self, wanted: PageToEncode) -> None:
        """Encode a page soon, instead of one that is still waiting."""
        with self._change:
            self._to_encode = wanted
            if not self._reads:
                self._lane.submit(self._encode_waiting)

    def read(self, reading: PageReading) -> None:
        """Read a page once it is its turn."""
        with self._change:
            self._to_read.append(reading)
            if not self._reads:
                self._reads = True
                self._lane.submit(self._read_waiting)

    def _encode_waiting(self) -> None:
        with self._change:
            wanted, self._to_encode = self._to_encode, None
        if wanted is None or not wanted.is_wanted():
            return
        try:
            engine = self._engine(wanted.request_id)
            self._tell(StageEntered(wanted.request_id, Stage.ENCODE))
            encoded = engine.encode(wanted.page, wanted.scaling)
            self._tell(PageEncoded(wanted.request_id, wanted.scaling, encoded))
        except BaseException as error:
            self._tell(RequestFailed.by(wanted.request_id, error))

    def _read_waiting(self) -> None:
        """Read the page that has waited longest, and those that may join it."""
        self._encode_waiting()
        try:
            for request, event in self._events():
                self._hear(self._in_hand[request], event)
                self._encode_waiting()
            for reading in self._in_hand.values():  # stopped just before it began
                self._tell(RequestStopped(reading.request_id))
        except BaseException as error:
            for reading in self._in_hand.values():
                self._tell(RequestFailed.by(reading.request_id, error))
        self._in_hand.clear()
        with self._change:
            self._reads = bool(self._to_read)
            if self._reads or self._to_encode is not None:
                self._lane.submit(self._read_waiting if self._reads else self._encode_waiting)

    def _events(self) -> Iterator[tuple[PageRequest, PageEvent]]:
        """The engine's events for the next page, or for the next pages together."""
        first = self._take_next(joins=False)
        if first is None:
            return
        engine = self._engine(first.request_id)
        if first.with_others:
            yield from engine.read_together(self._joining(first))
        else:
            yield from engine.read_together((first.request,), most=1)

    def _joining(self, first: PageReading) -> Iterator[PageRequest | None]:
        reading: PageReading | None = first
        while True:
            yield reading.request if reading is not None else None
            reading = self._take_next(joins=True)

    def _take_next(self, joins: bool) -> PageReading | None:
        """Take the page that has waited longest and is still wanted, if it may begin now."""
        while self._to_read:
            reading = self._to_read[0]
            is_wanted = not reading.request.cancel.is_set()
            if is_wanted and joins and (not reading.with_others or self._lane.is_awaited):
                return None
            self._to_read.popleft()
            if is_wanted:
                self._in_hand[reading.request] = reading
                return reading
            self._tell(RequestStopped(reading.request_id))
        return None

    def _hear(self, reading: PageReading, event: PageEvent) -> None:
        if isinstance(event, PageFailed):
            self._tell(RequestFailed.by(reading.request_id, event.error))
        else:
            for reply in reading.replies_to(event):
                self._tell(reply)
        if isinstance(event, Reading | PageFailed):
            del self._in_hand[reading.request]
