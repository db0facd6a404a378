"""What an engine reads, for tests that look at the outcome only."""

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.reading import Reading, ReadingEvent, ReadSettings

if TYPE_CHECKING:
    from rtocr_gui.ocr.engine import Engine


def reading_of(events: Iterable[ReadingEvent]) -> Reading:
    """The reading that events end with."""
    *_, reading = events
    assert isinstance(reading, Reading)
    return reading


def read_page(
    engine: "Engine", page: PageImage, settings: ReadSettings, draft: Sequence[int] | None = None
) -> Reading:
    """Read a page to the end; with a draft as `Engine.read` takes it."""
    return reading_of(engine.read(page, settings, threading.Event(), draft))
