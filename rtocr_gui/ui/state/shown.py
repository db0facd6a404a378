"""What the session and its parts pass to the panes: frozen values that say what to show, not how."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.truth import Truth
from rtocr_gui.errors import FileLost, FileOutdated, RtocrError
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
from rtocr_gui.ui.background.replies import RequestFailed
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.units import counted, grouped, percent


@dataclass(frozen=True, slots=True)
class ShownText:
    """What the text pane shows.

    Attributes:
        text: recognised or edited text.
        read_only: True while the page is being read.
        placeholder: what is shown while there is no text.
        summary: one line on how the text came about; may be empty.
    """

    text: str
    read_only: bool
    placeholder: str
    summary: str


def pruning_label(pruning: PruneSettings, retention: float | None = None) -> str:
    """Name a way of pruning: "All tokens", "RTPrune 50 %", "Auto (77 %)", "Random 50 %".

    Args:
        pruning: what was requested.
        retention: the ratio that automatic retention chose, in 0..1; None before it is known.
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
        left: the reference reading.
        right: the reading compared with it.
        comparison: of their texts.
        error_rates: of the left and the right one, as in `CurvePoint`; None without a true text.
    """

    left: Reading
    right: Reading
    comparison: TextComparison
    error_rates: tuple[float, float] | None = None

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
    """What the figures panel shows about a page.

    Attributes:
        plan: for the current ratio; None while the page is not encoded.
        reading: the newest reading; None before the first.
        all_tokens: a reading of the page with the same settings that kept every token; None without one.
        lack: why there is no reading, in a sentence; empty if there is one.
    """

    plan: PrunePlan | None = None
    reading: Reading | None = None
    all_tokens: Reading | None = None
    lack: str = ""


@dataclass(frozen=True, slots=True)
class CurveShown:
    """A retention curve, as far as it has been read.

    Attributes:
        points: in the order in which they were read.
        expected: how many points a complete curve has; 0 while no curve is requested.
        running: True while readings are under way.
        truth: what error rates refer to; None without it.
    """

    points: tuple[CurvePoint, ...] = ()
    expected: int = 0
    running: bool = False
    truth: Truth | None = None

    @property
    def is_whole(self) -> bool:
        """True if all points have been read."""
        return 0 < self.expected == len(self.points)


@dataclass(frozen=True, slots=True)
class TraceShown:
    """A traced reading, which can be played token by token.

    Attributes:
        raw_text: what the model emitted.
        spans: start and end of each token in it; tokens that form one character together share its span.
        layers: how many of the decoder's last layers the attention was averaged over.
    """

    raw_text: str = field(repr=False)
    spans: tuple[tuple[int, int], ...] = field(repr=False)
    layers: int


@dataclass(frozen=True, slots=True)
class BlocksShown:
    """The blocks of a page that the model has reported so far.

    Attributes:
        blocks: in the order in which they were reported.
        text: as it was read; the blocks' character ranges refer to it.
        lack: why there are no blocks, in a sentence; empty if there are some.
    """

    blocks: tuple[Block, ...] = ()
    text: str = field(default="", repr=False)
    lack: str = ""


NO_PAGE_NO_BLOCKS = BlocksShown(lack="Open a scan to see its blocks.")


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
        model: the one in use; None if there is none, and while another is being loaded.
        sentence: its name and state.
        loading: True while a model is being loaded, or this one reloaded.
        unloaded: True while it takes no memory; it is loaded again when it is needed.
    """

    model: LoadedModel | None
    sentence: str
    loading: bool = False
    unloaded: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """What the reader is doing; the defaults mean that it is idle.

    Attributes:
        stage: of the page being read that began first; None before the model begins with it.
        page: its number among the requested pages, from 1.
        page_count: how many pages were requested since the reader was last idle.
        tokens: how many tokens have been decoded so far, for all pages being read.
        together: how many pages are being read; 0 while pages wait for the model or their files to open.
        awaits_files: True if more pages will be requested as soon as their files are open.
        seconds_left: how long the remaining pages will take; None if unknown.
    """

    stage: Stage | None = None
    page: int = 0
    page_count: int = 0
    tokens: int = 0
    together: int = 0
    awaits_files: bool = False
    seconds_left: float | None = None

    @property
    def reading(self) -> bool:
        """True while a page is being read."""
        return self.together > 0

    @property
    def is_idle(self) -> bool:
        """True if no page is being read, waits to be, or will."""
        return not (self.page_count or self.awaits_files)


@dataclass(frozen=True, slots=True)
class Found:
    """Where words occur in the texts.

    Attributes:
        words: the words searched for; empty if there is no search.
        places: start and end (exclusive) of each match on the shown page, in order.
        chosen: which of these is selected, from 0; None for none.
        elsewhere: how many matches other pages have.
        unread: how many pages have not been read, and may contain them too.
    """

    words: str = ""
    places: tuple[tuple[int, int], ...] = ()
    chosen: int | None = None
    elsewhere: int = 0
    unread: int = 0

    @property
    def count(self) -> int:
        """How many matches all pages have."""
        return len(self.places) + self.elsewhere

    @property
    def sentence(self) -> str:
        """The result in words."""
        if not self.words:
            return ""
        if not self.count:
            return f"Not found; {grouped(self.unread)} unread" if self.unread else "Not found"
        here = grouped(len(self.places)) if self.places else "None"
        here = f"{here} here" if self.chosen is None else f"{grouped(self.chosen + 1)} of {here}"
        return f"{here}, {grouped(self.elsewhere)} elsewhere" if self.elsewhere else here


@dataclass(frozen=True, slots=True)
class TextChange:
    """Parts of the text of a page, and what to write in their place.

    Attributes:
        ref: the page.
        text: its text before.
        replacements: start and end (exclusive) of each part, in order and without overlap, and what to write.
    """

    ref: PageRef
    text: str = field(repr=False)
    replacements: tuple[tuple[int, int, str], ...] = field(repr=False)

    @property
    def changed_text(self) -> str:
        """The text after it."""
        parts, rest = list[str](), 0
        for start, end, new in self.replacements:
            parts += self.text[rest:start], new
            rest = end
        return "".join((*parts, self.text[rest:]))

    @property
    def reverse(self) -> "TextChange":
        """What takes it back."""
        former, shift = list[tuple[int, int, str]](), 0
        for start, end, new in self.replacements:
            former.append((start + shift, start + shift + len(new), self.text[start:end]))
            shift += len(new) - (end - start)
        return TextChange(self.ref, self.changed_text, tuple(former))


@dataclass(frozen=True, slots=True)
class Replacing:
    """Words that are replaced on several pages.

    Attributes:
        words: what was searched for.
        by: what is written instead, as typed.
        changes: of each page.
    """

    words: str
    by: str
    changes: tuple[TextChange, ...] = field(repr=False)

    @property
    def extent(self) -> str:
        """How many matches on how many pages."""
        matches = sum(len(change.replacements) for change in self.changes)
        return f"{counted(matches, 'match', 'matches')} on {counted(len(self.changes), 'page')}"


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export is.

    Attributes:
        page: how many pages it has taken.
        page_count: how many it takes in all; 0 once all exports have ended.
    """

    page: int = 0
    page_count: int = 0


@dataclass(frozen=True, slots=True)
class PageFailure:
    """What could not be done with a page, and why.

    Attributes:
        ref: the page.
        sentence: what happened and what to do.
        kind: class of the error.
        retry: settings that may work instead; None if none are known.
    """

    ref: PageRef
    sentence: str
    kind: type[BaseException] = RtocrError
    retry: ReadSettings | None = None

    @classmethod
    def of(cls, ref: PageRef, failure: RequestFailed) -> "PageFailure":
        """Say of which page the failure of a request is."""
        return cls(ref, failure.sentence, failure.kind, failure.retry)

    @property
    def lacks_file(self) -> bool:
        """True if its file is gone, closed or replaced."""
        return issubclass(self.kind, FileLost)

    @property
    def may_reopen(self) -> bool:
        """True if opening its file again may help."""
        return issubclass(self.kind, FileOutdated)


@dataclass(frozen=True, slots=True)
class OverwriteQuestion:
    """Pages that are about to be read again although a person edited their text.

    Attributes:
        refs: the pages to read, in order.
        edited: those of them whose text was edited.
        cut: how many of those were not read to their end.
        name: of the only one that was edited; empty if several were.
        scaling: how the pages that are read are scaled from then on; None for no change.
    """

    refs: tuple[PageRef, ...]
    edited: frozenset[PageRef]
    cut: int
    name: str
    scaling: Scaling | None


@dataclass(frozen=True, slots=True)
class Loss:
    """What would be lost with pages, counted in pages.

    Attributes:
        typed: how many hold typed text that is in no file.
        read: how many others hold text that is neither in a file nor on the clipboard.
        in_hand: how many are being read.
    """

    typed: int
    read: int
    in_hand: int

    @property
    def is_text(self) -> bool:
        """True if text would be lost that was typed, or read to its end."""
        return self.typed + self.read > 0

    @property
    def matters(self) -> bool:
        """True if a person should be asked before pages are removed: one is soon read again, many are not."""
        return self.typed + self.in_hand > 0 or self.read > 1

    def in_words(self, pages: Callable[[int], str], when: str) -> str:
        """Say what would be lost.

        Args:
            pages: names this many of the pages.
            when: when it is lost, or what would keep it.
        """
        sentences = []
        if self.typed:
            sentences.append(f"You edited the text of {pages(self.typed)} and did not export it.")
        if self.read:
            sentences.append(f"The text read from {pages(self.read)} was not exported.")
        if self.in_hand:
            sentences.append(f"The model is still reading {pages(self.in_hand)}.")
        what = "It" if self.is_text else "What was read so far"
        return " ".join([*sentences, f"{what} will be lost {when}."])


@dataclass(frozen=True, slots=True)
class PasswordQuestion:
    """An encrypted file, and a sentence on why its password is needed."""

    path: Path
    sentence: str
