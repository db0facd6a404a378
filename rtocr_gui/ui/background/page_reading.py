"""One page while the model reads it: turns the engine's events into replies of the bridge.

Knows no Qt and no engine. Lives on the model lane.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from rtocr_gui.ocr.pages_together import PageEvent, PageRequest
from rtocr_gui.ocr.reading import EncodedPage, Reading, Stage, TextDelta
from rtocr_gui.ui.background.replies import PageEncoded, ReadingFinished, StageEntered, TextStreamed

DELTA_INTERVAL_S = 0.03
"""Interval at which streamed text reaches the window, at most."""

ReadingReply = StageEntered | PageEncoded | TextStreamed | ReadingFinished


@dataclass(slots=True)
class PageReading:
    """A page that waits for the model or is being read.

    Attributes:
        request_id: the request that its replies answer.
        request: the page, how to read it, and the event that stops it.
        with_others: whether it may be read in the same passes as other pages.
    """

    request_id: int
    request: PageRequest
    with_others: bool
    _pending: list[str] = field(default_factory=list)
    _token_count: int = 0
    _sent_at: float = 0.0

    def replies_to(self, event: PageEvent) -> Iterator[ReadingReply]:
        """Replies to an event; text is collected for a moment, so that the window can keep up."""
        if isinstance(event, TextDelta):
            self._pending.append(event.text)
            self._token_count += event.token_count
        is_due = not isinstance(event, TextDelta) or time.monotonic() - self._sent_at >= DELTA_INTERVAL_S
        if self._pending and is_due:
            ref = self.request.page.ref
            yield TextStreamed(self.request_id, ref, "".join(self._pending), self._token_count)
            self._pending.clear()
            self._sent_at = time.monotonic()
        if isinstance(event, Stage):
            yield StageEntered(self.request_id, event)
        elif isinstance(event, EncodedPage):
            yield PageEncoded(self.request_id, self.request.settings.scaling, event)
        elif isinstance(event, Reading):
            yield ReadingFinished(self.request_id, event)
