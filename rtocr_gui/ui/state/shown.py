"""What the session tells the panes: frozen values that say what to show, and nothing of how."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.curve import CurvePoint
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.reading import (
    Block,
    Mode,
    PrefillCost,
    Reading,
    ReadSettings,
    Scaling,
    Stage,
    StageTimings,
    StopReason,
)
from rtocr_gui.ocr.text.comparison import TextComparison
from rtocr_gui.pruning.plan import PruneMethod, PrunePlan, PruneSettings
from rtocr_gui.ui.state.page_model import PageState
from rtocr_gui.units import counted, grouped, percent


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
    """What is kept of a finished reading for as long as its page is open: text and numbers, no arrays.

    Attributes:
        settings: what was asked for.
        mode: how the page was scaled, be it by Auto or by name.
        model_name: which model read it.
        text: for people.
        raw_text: what the model said, markup and all.
        token_ids: what it said, token by token.
        stop_reason: why it ended.
        retention: the ratio that was applied, in 0..1.
        automatic: True where the page decided on the ratio.
        kept: how many of `total` visual tokens the model was given.
        total: how many the page has.
        padding: how many of `total` cover no page.
        cost: of its prefill, computed.
        cost_of_all: of the prefill with all visual tokens, computed.
        passes: forward passes of the decoder after the prefill.
        timings: stage by stage, measured.
        read_together: True where the passes of the decoder were shared with other pages.
        is_legible: False where the print of the page is too small in that mode to be read well.
        larger_mode: the mode of the model to choose in that case; None where no mode shows it larger.
    """

    settings: ReadSettings
    mode: Mode
    model_name: str
    text: str = field(repr=False)
    raw_text: str = field(repr=False)
    token_ids: tuple[int, ...] = field(repr=False)
    stop_reason: StopReason
    retention: float
    automatic: bool
    kept: int
    total: int
    padding: int
    cost: PrefillCost
    cost_of_all: PrefillCost
    passes: int
    timings: StageTimings
    read_together: bool = False
    is_legible: bool = True
    larger_mode: Mode | None = None

    @property
    def tokens_per_second(self) -> float:
        """Decoding speed; 0 where nothing was decoded."""
        seconds = self.timings.decode_ms / 1000
        return len(self.token_ids) / seconds if seconds > 0 else 0.0

    @classmethod
    def of(cls, reading: Reading) -> Self:
        """Keep the text and the numbers of a reading."""
        plan = reading.plan
        return cls(
            settings=reading.settings,
            mode=reading.mode,
            model_name=reading.model_name,
            text=reading.text,
            raw_text=reading.raw_text,
            token_ids=reading.token_ids,
            stop_reason=reading.stop_reason,
            retention=plan.retention,
            automatic=plan.automatic,
            kept=len(plan.kept),
            total=len(plan.norms),
            padding=int(plan.layout.padding.sum()),
            cost=reading.cost,
            cost_of_all=reading.cost_of_all,
            passes=reading.passes,
            timings=reading.timings,
            read_together=reading.read_together,
            is_legible=reading.is_legible,
            larger_mode=reading.larger_mode,
        )


def pruning_label(pruning: PruneSettings, retention: float | None = None) -> str:
    """Name a way of pruning: "All tokens", "RTPrune 50 %", "Auto (77 %)", "Random 50 %".

    Args:
        pruning: what was asked for.
        retention: the ratio that automatic retention came to, in 0..1; None before it is known.
    """
    if pruning.retention == 1:
        return "All tokens"
    if pruning.retention is not None:
        return f"{pruning.method.label} {percent(pruning.retention)}"
    automatic = "Auto" if retention is None else f"Auto ({percent(retention)})"
    return automatic if pruning.method is PruneMethod.RTPRUNE else f"{pruning.method.label}, {automatic}"


@dataclass(frozen=True, slots=True)
class ComparisonShown:
    """Two readings of one page, and where their texts differ.

    Attributes:
        left: the reading that the other is held against.
        right: the other.
        comparison: of their texts.
    """

    left: ReadingRecord
    right: ReadingRecord
    comparison: TextComparison

    @property
    def left_label(self) -> str:
        """How the left reading was made."""
        return pruning_label(self.left.settings.pruning, self.left.retention)

    @property
    def right_label(self) -> str:
        """How the right reading was made."""
        return pruning_label(self.right.settings.pruning, self.right.retention)


@dataclass(frozen=True, eq=False, slots=True)
class FiguresShown:
    """What the figures panel shows of a page.

    Attributes:
        plan: of the ratio that is chosen now; None while the page is not encoded.
        reading: the newest reading; None before the first.
        all_tokens: a reading of the same page in the same way that kept every token, where there is one.
    """

    plan: PrunePlan | None = None
    reading: ReadingRecord | None = None
    all_tokens: ReadingRecord | None = None


@dataclass(frozen=True, slots=True)
class CurveShown:
    """A retention curve, as far as it was read.

    Attributes:
        points: in the order they were read.
        expected: how many there are when all is read; 0 while no curve was asked for.
        running: True while readings are under way.
        truth: file that the error rates are against; None without one.
    """

    points: tuple[CurvePoint, ...] = ()
    expected: int = 0
    running: bool = False
    truth: Path | None = None

    @property
    def is_whole(self) -> bool:
        """True where all was read."""
        return 0 < self.expected == len(self.points)


@dataclass(frozen=True, slots=True)
class TraceShown:
    """A reading that can be played token by token, because it is known where each was looked up.

    Attributes:
        raw_text: what the model said.
        spans: begin and end of each token in it; tokens that make up one character together share it.
        layers: how many of the decoder's last layers the attention was averaged over.
    """

    raw_text: str = field(repr=False)
    spans: tuple[tuple[int, int], ...] = field(repr=False)
    layers: int


@dataclass(frozen=True, slots=True)
class BlocksShown:
    """The parts of a page that the model gave a place, so far.

    Attributes:
        blocks: in the order in which they were told.
        text: as it was read; the characters of the blocks are characters of it.
        lack: why there is no block, in a sentence; empty where there are some.
    """

    blocks: tuple[Block, ...] = ()
    text: str = field(default="", repr=False)
    lack: str = ""


@dataclass(frozen=True, slots=True)
class PageStatus:
    """The state of one page in the list, with the sentence that explains a failure."""

    ref: PageRef
    state: PageState
    sentence: str


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The model the window names.

    Attributes:
        model: the one in use; None before there is one, while it makes room for another, and where there
            is none.
        sentence: its name and how it stands.
        loading: True while a model is loaded, or this one once more.
        unloaded: True while it takes no memory; it is loaded again when it is needed.
    """

    model: LoadedModel | None
    sentence: str
    loading: bool = False
    unloaded: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """What the reader is doing; the defaults mean nothing.

    Attributes:
        stage: of the page in hand that began first; None before the model got it.
        page: its number among the pages asked for, from 1.
        page_count: how many pages were asked for since the reader was last idle.
        tokens: how many tokens were decoded so far, of all pages in hand.
        together: how many pages are in hand; 0 while pages wait for the model.
    """

    stage: Stage | None = None
    page: int = 0
    page_count: int = 0
    tokens: int = 0
    together: int = 0

    @property
    def reading(self) -> bool:
        """True while a page is being read."""
        return self.together > 0


@dataclass(frozen=True, slots=True)
class Found:
    """Where words stand in the texts.

    Attributes:
        words: that are looked for; empty where nothing is.
        places: on the page that is shown, from start to before end, in order.
        chosen: which of these is selected, from 0; None for none.
        elsewhere: how often they stand on other pages.
        unread: how many pages have not been read, and may hold them too.
    """

    words: str = ""
    places: tuple[tuple[int, int], ...] = ()
    chosen: int | None = None
    elsewhere: int = 0
    unread: int = 0

    @property
    def count(self) -> int:
        """How often they stand on all pages."""
        return len(self.places) + self.elsewhere

    @property
    def sentence(self) -> str:
        """The same for a person."""
        if not self.words:
            return ""
        if not self.count:
            return f"Not found; {counted(self.unread, 'page')} not read yet" if self.unread else "Not found"
        here = grouped(len(self.places)) if self.places else "None"
        here = f"{here} here" if self.chosen is None else f"{grouped(self.chosen + 1)} of {here}"
        return f"{here}, {grouped(self.elsewhere)} on other pages" if self.elsewhere else here


@dataclass(frozen=True, slots=True)
class PageFailure:
    """A page that could not be read, why, and what may work instead."""

    ref: PageRef
    sentence: str
    retry: ReadSettings | None = None


@dataclass(frozen=True, slots=True)
class OverwriteQuestion:
    """Pages that are about to be read again although a person edited their text.

    Attributes:
        edited: whose text was edited.
        unedited: those that are read whatever the answer is.
        scaling: how the pages that are read are scaled from then on; None for as before.
    """

    edited: tuple[PageRef, ...]
    unedited: tuple[PageRef, ...]
    scaling: Scaling | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes with pages that are let go of, counted in pages.

    Attributes:
        typed: how many hold typed text that is in no file.
        read: how many others hold text that is in no file.
        in_hand: how many are being read.
    """

    typed: int
    read: int
    in_hand: int

    @property
    def matters(self) -> bool:
        """True where a person is asked first: one page is soon read again, many are not."""
        return self.typed + self.in_hand > 0 or self.read > 1


@dataclass(frozen=True, slots=True)
class PasswordQuestion:
    """An encrypted file, and what is known of its password so far."""

    path: Path
    sentence: str
