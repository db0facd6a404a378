"""What the window needs of an engine that reads. Knows no torch: the real one is `ocr.engine.Engine`."""

import threading
from collections.abc import Sequence
from typing import Protocol

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.reading import ReadingTrace, ReadSettings


class ReadingEngine(PageEngine, Protocol):
    """Lets its model go, too, and tells where a reading was looked up."""

    @property
    def is_loaded(self) -> bool: ...

    def unload(self) -> None: ...

    def trace(
        self, page: PageImage, settings: ReadSettings, token_ids: Sequence[int], cancel: threading.Event
    ) -> ReadingTrace | None: ...
