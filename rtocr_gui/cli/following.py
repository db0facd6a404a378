"""Follows readings to their end: reports their progress, and lets Ctrl-C stop them cleanly.

Knows reading events and signals; no page and no model.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rtocr_gui.cli.progress import Progress
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.pages_together import PageEvent, PageFailed
from rtocr_gui.ocr.reading import Reading, ReadingEvent, Stage, TextDelta
from rtocr_gui.units import counted, speed


def follow(events: Iterator[ReadingEvent], label: str, progress: Progress) -> Reading:
    """Report the progress of a reading until it is finished.

    Args:
        events: events yielded by the engine.
        label: what is being read, for the progress line.
        progress: receives the progress.

    Raises:
        ReadingError: the events ended without a reading.
    """
    following = Following(progress)
    for event in events:
        if isinstance(event, Reading):
            return event
        following.tell(label, event)
    raise ReadingError("The reading ended without a result. Try the page again.")


class Following:
    """Reports the progress of several simultaneous readings in one line.

    Args:
        progress: receives the progress.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._running: list[str] = []
        self._token_count = 0
        self._decoding_since_s = 0.0

    def tell(self, label: str, event: PageEvent) -> None:
        """Report an event.

        Args:
            label: the reading it belongs to.
            event: an event yielded by the engine.
        """
        match event:
            case Stage():
                if event is Stage.DECODE and not self._running:
                    self._token_count, self._decoding_since_s = 0, time.monotonic()
                if event is Stage.DECODE:
                    self._running.append(label)
                self._progress.show(f"{label}: {event.value}")
            case TextDelta():
                self._token_count += event.token_count
                seconds = max(time.monotonic() - self._decoding_since_s, 1e-3)
                others = f" and {len(self._running) - 1} more" if len(self._running) > 1 else ""
                self._progress.update(
                    f"{self._running[0]}{others}: decode, {counted(self._token_count, 'token')}, "
                    f"{speed(self._token_count / seconds)} tokens/s"
                )
            case Reading() | PageFailed() if label in self._running:
                self._running.remove(label)


@contextmanager
def interrupt_raises() -> Iterator[None]:
    """Let Ctrl-C interrupt a wait for the user at once, where it otherwise stops readings cleanly."""
    with _on_interrupt(signal.default_int_handler):
        yield


@contextmanager
def interrupt_sets(cancel: threading.Event) -> Iterator[None]:
    """Let the first Ctrl-C stop the reading between two decoding steps, and the second one at once."""

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    with _on_interrupt(on_interrupt):
        yield


@contextmanager
def _on_interrupt(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Call a handler on Ctrl-C, unless that is ignored, as in what a script runs in the background."""
    previous = signal.getsignal(signal.SIGINT)
    if previous is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
