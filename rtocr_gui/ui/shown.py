"""What the session tells the panes: frozen values that say what to show, and nothing of how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import LoadedModel, Reading, ReadSettings, Stage, StageTimings
from rtocr_gui.ui.page_model import PageState


@dataclass(frozen=True, slots=True)
class ShownText:
    """What the text pane shows.

    Attributes:
        text: recognised or edited text.
        read_only: True while the page is being read.
        placeholder: what stands there while there is no text.
        summary: one line on how the text came about; empty where it was not read.
    """

    text: str
    read_only: bool
    placeholder: str
    summary: str


@dataclass(frozen=True, slots=True)
class ReadingRecord:
    """What is kept of a finished reading for as long as its page is open; a few numbers, no arrays.

    Attributes:
        settings: what was asked for.
        model_name: which model read it.
        kept: how many of `total` visual tokens the model was given.
        total: how many the page has.
        automatic: True where the page decided on the ratio.
        timings: stage by stage.
        tokens_per_second: decoding speed.
    """

    settings: ReadSettings
    model_name: str
    kept: int
    total: int
    automatic: bool
    timings: StageTimings
    tokens_per_second: float

    @classmethod
    def of(cls, reading: Reading) -> Self:
        """Keep the numbers of a reading."""
        return cls(
            reading.settings,
            reading.model_name,
            len(reading.plan.kept),
            len(reading.plan.norms),
            reading.plan.automatic,
            reading.timings,
            reading.tokens_per_second,
        )


@dataclass(frozen=True, slots=True)
class PageStatus:
    """The state of one page in the list, with the sentence that explains a failure."""

    ref: PageRef
    state: PageState
    sentence: str


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The model the window names. `model` is None while loading and where loading failed."""

    model: LoadedModel | None
    sentence: str
    loading: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """What the reader is doing; the defaults mean nothing.

    Attributes:
        ref: the page in hand.
        stage: the stage it is in; None before the model got it.
        page: its number among the pages asked for, from 1.
        page_count: how many pages were asked for since the reader was last idle.
        tokens: how many tokens were decoded so far.
        reading: False while pages wait for the model.
    """

    ref: PageRef | None = None
    stage: Stage | None = None
    page: int = 0
    page_count: int = 0
    tokens: int = 0
    reading: bool = False


@dataclass(frozen=True, slots=True)
class PageFailure:
    """A page that could not be read, and why."""

    ref: PageRef
    sentence: str


@dataclass(frozen=True, slots=True)
class OverwriteQuestion:
    """Pages that are about to be read again although a person edited their text."""

    edited: tuple[PageRef, ...]
    unedited: tuple[PageRef, ...]


@dataclass(frozen=True, slots=True)
class PasswordQuestion:
    """An encrypted file, and what is known of its password so far."""

    path: Path
    sentence: str
