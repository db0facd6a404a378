"""What the bridge answers: one frozen value per event, each with the id of the request it answers."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from PySide6.QtGui import QImage

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import PasswordRequired, RtocrError
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.reading import (
    EncodedPage,
    OutOfMemory,
    Reading,
    ReadingTrace,
    ReadSettings,
    Scaling,
    Stage,
)
from rtocr_gui.pruning.plan import PrunePlan, Transport
from rtocr_gui.ui.background.load_request import LoadRequest

if TYPE_CHECKING:
    from rtocr_gui.ocr.memory.fit import Fit

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DocumentOpened:
    """A file was opened and its pages are known."""

    request_id: int
    path: Path
    pages: tuple[PageRef, ...]


@dataclass(frozen=True, slots=True)
class FolderListed:
    """What was to be opened is a folder, with these files to open in it."""

    request_id: int
    files: tuple[Path, ...]


@dataclass(frozen=True, eq=False, slots=True)
class PageRendered:
    """A page was rendered, in full or (thumbnail) small.

    Attributes:
        request_id: of the request.
        ref: which page.
        image: null for a thumbnail that cannot be had.
    """

    request_id: int
    ref: PageRef
    image: QImage


@dataclass(frozen=True, slots=True)
class FitJudged:
    """It is known whether a model fits into the memory that is free."""

    request_id: int
    folder: Path
    fit: "Fit"


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """A model was loaded as it was asked for."""

    request_id: int
    request: LoadRequest
    model: LoadedModel


@dataclass(frozen=True, slots=True)
class StageEntered:
    """The model began with a stage of a page."""

    request_id: int
    stage: Stage


@dataclass(frozen=True, eq=False, slots=True)
class PageEncoded:
    """A page's visual tokens were measured, scaled as it was asked for; plans can be made."""

    request_id: int
    scaling: Scaling
    encoded: EncodedPage


@dataclass(frozen=True, slots=True)
class TextStreamed:
    """Some more text was decoded."""

    request_id: int
    ref: PageRef
    text: str
    tokens_so_far: int


@dataclass(frozen=True, eq=False, slots=True)
class ReadingFinished:
    """A reading ended, by itself or because it was stopped."""

    request_id: int
    reading: Reading


@dataclass(frozen=True, eq=False, slots=True)
class ReadingTraced:
    """It is known where a reading was looked up on its page."""

    request_id: int
    trace: ReadingTrace


@dataclass(frozen=True, eq=False, slots=True)
class PlanComputed:
    """A plan for the ratio that was asked for last."""

    request_id: int
    plan: PrunePlan


@dataclass(frozen=True, eq=False, slots=True)
class TransportSolved:
    """Where the merged tokens of a plan go."""

    request_id: int
    transport: Transport


@dataclass(frozen=True, eq=False, slots=True)
class Computed:
    """What was to be worked out is known."""

    request_id: int
    result: Any


@dataclass(frozen=True, slots=True)
class Exported:
    """What was to be exported is in its file."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestStopped:
    """A request was stopped, and nothing came of it."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request ended in an error that a person can read.

    Attributes:
        request_id: which request.
        sentence: what happened and what to do.
        needs_password: True where the file would open with the right password.
        retry: settings that may work where these did not; None where nobody knows any.
        fit: what a model needs that was not loaded for lack of memory, and what would fit.
    """

    request_id: int
    sentence: str
    needs_password: bool = False
    retry: ReadSettings | None = None
    fit: "Fit | None" = None

    @classmethod
    def by(cls, request_id: int, error: Exception) -> Self:
        """Say what an error means for a request."""
        from rtocr_gui.ocr.memory.fit import DoesNotFit

        return cls(
            request_id,
            in_words(error),
            needs_password=isinstance(error, PasswordRequired),
            retry=error.retry if isinstance(error, OutOfMemory) else None,
            fit=error.fit if isinstance(error, DoesNotFit) else None,
        )


def in_words(error: Exception) -> str:
    """Put an error into words for the person; what nobody foresaw is logged."""
    if isinstance(error, RtocrError):
        return str(error)
    _log.error("a request failed", exc_info=error)
    return f"Something unforeseen went wrong ({type(error).__name__}). The log has the details."
