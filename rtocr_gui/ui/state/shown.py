"""What the session tells the panes: frozen values that say what to show, and nothing of how."""

from dataclasses import dataclass, field
from pathlib import Path

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.curve import CurvePoint
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.reading import (
    Block,
    Reading,
    ReadSettings,
    Scaling,
    Stage,
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

    left: Reading
    right: Reading
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
    reading: Reading | None = None
    all_tokens: Reading | None = None


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
    def is_text(self) -> bool:
        """True where text is lost that was typed, or read to its end."""
        return self.typed + self.read > 0

    @property
    def matters(self) -> bool:
        """True where a person is asked before pages leave the list: one is soon read again, many are not."""
        return self.typed + self.in_hand > 0 or self.read > 1


@dataclass(frozen=True, slots=True)
class PasswordQuestion:
    """An encrypted file, and what is known of its password so far."""

    path: Path
    sentence: str
