"""Follows one reading to its end: tells how it goes on, and lets Ctrl-C stop it in good order."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rtocr_gui.cli.progress import Progress
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.reading import Reading, ReadingEvent, Stage, TextDelta


def follow(events: Iterator[ReadingEvent], label: str, progress: Progress) -> Reading:
    """Tell how a reading goes on, until it is finished.

    Args:
        events: as the engine yields them.
        label: what is read, for the progress line.
        progress: where it is told.

    Raises:
        ReadingError: the events ended without a reading.
    """
    token_count, decoding_since_s = 0, time.monotonic()
    for event in events:
        match event:
            case Stage():
                progress.show(f"{label}: {event.value}")
                decoding_since_s = time.monotonic()
            case TextDelta():
                token_count += event.token_count
                seconds = max(time.monotonic() - decoding_since_s, 1e-3)
                progress.update(
                    f"{label}: decode, {token_count} tokens, {token_count / seconds:.0f} tokens/s"
                )
            case Reading():
                return event
    raise ReadingError("The reading ended without a result. Try the page again.")


@contextmanager
def interrupt_sets(cancel: threading.Event) -> Iterator[None]:
    """Let the first Ctrl-C stop the reading between two decode steps, and the second one at once."""

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
