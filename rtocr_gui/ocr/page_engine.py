"""The interface of an engine for commands and window. Knows no torch: the real one is `engine.Engine`."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.pages_together import PageEvent, PageRequest
from rtocr_gui.ocr.reading import EncodedPage, ReadingEvent, ReadingTrace, ReadSettings, Scaling

if TYPE_CHECKING:
    from rtocr_gui.ocr.memory.fit import Fit


class PageEngine(Protocol):
    """Loads, encodes and reads, synchronously and on one thread at a time; tests use a fake."""

    @property
    def is_loaded(self) -> bool:
        """True while a model is loaded."""

    def fit(
        self, folder: Path, device: str = "auto", precision: str = "auto", scaling: Scaling = Scaling(None)
    ) -> "Fit":
        """Find out whether a checkpoint folder fits into memory."""

    def load(
        self,
        folder: Path,
        device: str = "auto",
        precision: str = "auto",
        scaling: Scaling = Scaling(None),
        anyway: bool = False,
    ) -> LoadedModel:
        """Load a checkpoint folder."""

    def unload(self) -> None:
        """Unload the model."""

    def encode(self, page: PageImage, scaling: Scaling) -> EncodedPage:
        """Encode a page into measured visual tokens."""

    def read(
        self, page: PageImage, settings: ReadSettings, cancel: threading.Event
    ) -> Iterator[ReadingEvent]:
        """Read a page; the last event is its `Reading`."""

    def read_together(
        self, requests: Iterable[PageRequest | None], most: int | None = None
    ) -> Iterator[tuple[PageRequest, PageEvent]]:
        """Read pages, at most `most` at a time; the last event of each is its `Reading` or `PageFailed`."""

    def trace(
        self, page: PageImage, settings: ReadSettings, token_ids: Sequence[int], cancel: threading.Event
    ) -> ReadingTrace | None:
        """Trace where on its page a reading comes from; None if cancelled."""
