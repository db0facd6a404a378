"""What the window needs of an engine that reads. Knows no torch: the real one is `ocr.engine.Engine`."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.pages_together import PageEvent, PageRequest
from rtocr_gui.ocr.reading import (
    EncodedPage,
    LoadedModel,
    ReadingEvent,
    ReadingTrace,
    ReadSettings,
    Scaling,
)

if TYPE_CHECKING:
    from rtocr_gui.ocr.fit import Fit


class ReadingEngine(Protocol):
    """Loads, encodes and reads, synchronously and on one thread at a time; tests give the bridge a fake."""

    @property
    def is_loaded(self) -> bool: ...

    def fit(
        self, folder: Path, device: str = "auto", precision: str = "auto", scaling: Scaling | None = None
    ) -> "Fit": ...

    def load(
        self,
        folder: Path,
        device: str = "auto",
        precision: str = "auto",
        scaling: Scaling | None = None,
        anyway: bool = False,
    ) -> LoadedModel: ...

    def unload(self) -> None: ...

    def encode(self, page: PageImage, scaling: Scaling) -> EncodedPage: ...

    def read(
        self, page: PageImage, settings: ReadSettings, cancel: threading.Event
    ) -> Iterator[ReadingEvent]: ...

    def read_together(
        self, requests: Iterable[PageRequest | None]
    ) -> Iterator[tuple[PageRequest, PageEvent]]: ...

    def trace(
        self, page: PageImage, settings: ReadSettings, token_ids: Sequence[int], cancel: threading.Event
    ) -> ReadingTrace | None: ...
