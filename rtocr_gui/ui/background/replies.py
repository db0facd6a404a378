"""What the bridge answers: one frozen value per event, each with the id of the request it answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from PySide6.QtGui import QImage

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import RtocrError
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
from rtocr_gui.ui.background.errors_in_words import in_words
from rtocr_gui.ui.background.load_request import LoadRequest

if TYPE_CHECKING:
    from rtocr_gui.ocr.memory.fit import Fit


@dataclass(frozen=True, slots=True)
class DocumentOpened:
    """A file was opened and its pages are known."""

    request_id: int
    path: Path
    pages: tuple[PageRef, ...]


@dataclass(frozen=True, slots=True)
class FolderListed:
    """A folder was listed.

    Attributes:
        request_id: of the request.
        folder: which one.
        files: the files to open in it.
        left_out: a sentence about pictures in it that RTOCR does not read; empty if there are none.
    """

    request_id: int
    folder: Path
    files: tuple[Path, ...]
    left_out: str


@dataclass(frozen=True, eq=False, slots=True)
class PageRendered:
    """A page was rendered, at full size or as a thumbnail.

    Attributes:
        request_id: of the request.
        ref: which page.
        image: null for a thumbnail that could not be rendered.
    """

    request_id: int
    ref: PageRef
    image: QImage


@dataclass(frozen=True, slots=True)
class ExportProgressed:
    """A page was rendered for an export, which has taken this many so far."""

    request_id: int
    pages: int


@dataclass(frozen=True, slots=True)
class FitJudged:
    """Whether a model fits into free memory."""

    request_id: int
    folder: Path
    fit: "Fit"


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """A model was loaded as requested."""

    request_id: int
    request: LoadRequest
    model: LoadedModel


@dataclass(frozen=True, slots=True)
class StageEntered:
    """The model began a stage of a page."""

    request_id: int
    stage: Stage


@dataclass(frozen=True, eq=False, slots=True)
class PageEncoded:
    """A page, scaled as requested, was encoded and its visual tokens measured; plans can be made."""

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
    """Where on its page a reading was read."""

    request_id: int
    trace: ReadingTrace


@dataclass(frozen=True, eq=False, slots=True)
class PlanComputed:
    """A plan for the ratio requested last."""

    request_id: int
    plan: PrunePlan


@dataclass(frozen=True, eq=False, slots=True)
class TransportSolved:
    """Where the merged tokens of a plan go."""

    request_id: int
    transport: Transport


@dataclass(frozen=True, eq=False, slots=True)
class Computed:
    """The result of a computation."""

    request_id: int
    result: Any


@dataclass(frozen=True, slots=True)
class Exported:
    """An export was written to its file."""

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
        kind: class of the error.
        retry: settings that may work instead; None if none are known.
        fit: for a model not loaded for lack of memory, what it needs and what would fit.
    """

    request_id: int
    sentence: str
    kind: type[BaseException] = RtocrError
    retry: ReadSettings | None = None
    fit: "Fit | None" = None

    @classmethod
    def by(cls, request_id: int, error: BaseException) -> Self:
        """Describe an error for a request."""
        from rtocr_gui.ocr.memory.fit import DoesNotFit

        return cls(
            request_id,
            in_words(error),
            type(error),
            retry=error.retry if isinstance(error, OutOfMemory) else None,
            fit=error.fit if isinstance(error, DoesNotFit) else None,
        )
