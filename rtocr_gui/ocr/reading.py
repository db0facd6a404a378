"""The settings of a reading, and its results.

Plain, frozen types without torch, so that windows, scripts and exports can hold them. Knows no
model: how a page becomes tokens and text is in `page_stages`.
"""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import ReadingError, SettingsError
from rtocr_gui.pruning.plan import PruneSettings, TokenMeasures
from rtocr_gui.tokens import FEWEST_TILES, MOST_TILES, TokenLayout


class Mode(Enum):
    """How a page is scaled before it is encoded; the values are the names used on the command line."""

    TINY = "tiny"
    SMALL = "small"
    BASE = "base"
    LARGE = "large"
    GUNDAM = "gundam"

    @property
    def label(self) -> str:
        """Human-readable name, e.g. "Base"."""
        return self.value.capitalize()

    @property
    def view_px(self) -> int:
        """Side of the global view in pixels."""
        return {"tiny": 512, "small": 640, "base": 1024, "large": 1280, "gundam": 1024}[self.value]

    @property
    def letterboxed(self) -> bool:
        """True if the page keeps its aspect ratio on a grey square, False if it is stretched."""
        return self.view_px >= 1024


@dataclass(frozen=True, slots=True)
class Scaling:
    """The user's choice of how to scale pages.

    Attributes:
        mode: the mode; None to choose one for each page by its size and density (`auto_mode`).
        most_tiles: most tiles of a page in Gundam mode, 2..9.
    """

    mode: Mode | None
    most_tiles: int = MOST_TILES

    def __post_init__(self) -> None:
        if not FEWEST_TILES <= self.most_tiles <= MOST_TILES:
            raise SettingsError(f"A page can have {FEWEST_TILES} to {MOST_TILES} tiles.")

    @property
    def name(self) -> str:
        """Name of the mode in settings and on the command line."""
        return self.mode.value if self.mode else "auto"

    @property
    def label(self) -> str:
        """Human-readable name, e.g. "Base", "Gundam, at most 4 tiles", "Auto"."""
        return self._named + (f", at most {self.most_tiles} tiles" if self.is_limited else "")

    @property
    def phrase(self) -> str:
        """The same within a sentence, e.g. "Base mode", "Gundam mode with at most 4 tiles"."""
        return f"{self._named} mode" + (f" with at most {self.most_tiles} tiles" if self.is_limited else "")

    @property
    def is_limited(self) -> bool:
        """True if the limit may leave a page with fewer tiles than it would have."""
        return self.mode in (None, Mode.GUNDAM) and self.most_tiles < MOST_TILES

    @property
    def _named(self) -> str:
        return self.mode.label if self.mode else "Auto"


@dataclass(frozen=True, slots=True)
class Task:
    """One thing the model was trained to do with a page.

    Attributes:
        name: stable identifier, as used in settings, `rtocr.json` and on the command line.
        label: name in menus.
        prompt: text after the visual tokens, e.g. ``"\\nFree OCR."``.
        words: what the user typed, for a task made by `asking`; empty for the others.
        tells_unasked: True if the model emits places although the prompt does not ask for them; the mark of
            each block then contains its kind and its box.
    """

    name: str
    label: str
    prompt: str
    words: str = ""
    tells_unasked: bool = False

    @property
    def asks_for_places(self) -> bool:
        """True if the prompt asks where something is on the page."""
        return "<|grounding|>" in self.prompt or "<|ref|>" in self.prompt

    @property
    def reads_all_print(self) -> bool:
        """True if its text is all of the print on a page."""
        return self.name in ("markdown", "text", "ocr")

    @property
    def tells_places(self) -> bool:
        """True if the model emits where on the page it read something."""
        return self.asks_for_places or self.tells_unasked


TASKS: tuple[Task, ...] = (
    Task("markdown", "Document to Markdown", "\n<|grounding|>Convert the document to markdown."),
    Task("text", "Plain text", "\nFree OCR."),
    Task("ocr", "OCR this image", "\n<|grounding|>OCR this image."),
    Task("figure", "Figure", "\nParse the figure."),
    Task("describe", "Describe", "\nDescribe this image in detail."),
)
"""The prompts that DeepSeek-OCR was published with, in menu order."""


GREATEST_COORDINATE = 999
"""Coordinate of the right and lower edges of a page in the places that the model emits."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Everything that determines the result of reading a page.

    Attributes:
        scaling: how the page is scaled.
        task: what the model is asked for.
        pruning: retention ratio, or automatic, and method.
        max_new_tokens: most tokens to generate, at least 1.
        stop_at_end: False to continue past the end-of-text token (for reference numbers only).
    """

    scaling: Scaling
    task: Task
    pruning: PruneSettings = PruneSettings()
    max_new_tokens: int = 8192
    stop_at_end: bool = True

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise SettingsError("A reading needs room for at least one token.")


class OutOfMemory(ReadingError):
    """There is not enough memory to read a page with the requested settings.

    Attributes:
        retry: settings that need less; None if there are none.
    """

    def __init__(self, sentence: str, retry: ReadSettings | None) -> None:
        super().__init__(sentence)
        self.retry = retry


class StopReason(Enum):
    """Why a reading ended."""

    END = "end"
    LENGTH = "length"
    LOOP = "loop"
    CANCELLED = "cancelled"


class Doubt(Enum):
    """Why a text may be wrong or incomplete although it was read to its end, the gravest first.

    Attributes:
        SMALL_PRINT: the print of the page is too small in the mode, judged by the distance between strokes.
        LONG_PAGE: the page is too long or too wide for the model in the mode.
        UNREAD_PRINT: much of the print seems to be missing in the text, judged by the strokes of letters.
        UNSURE_WORDS: the model was unsure of many words.
    """

    SMALL_PRINT = "print too small"
    LONG_PAGE = "page too long or too wide"
    UNREAD_PRINT = "print that was not read"
    UNSURE_WORDS = "words that the model was unsure of"


class Stage(Enum):
    """What the model is doing with a page."""

    ENCODE = "encode"
    PRUNE = "prune"
    PREFILL = "prefill"
    DECODE = "decode"


@dataclass(frozen=True, slots=True)
class StageTimings:
    """Wall-clock time of each stage of one reading, in milliseconds.

    Pages that are read together each have their own encoding, pruning and prefill, during which the others
    wait; `decode_ms` is the full time of all passes that a page took part in, shared or not.

    Attributes:
        encode_ms: of both vision encoders; 0 if the encoding was cached.
        prune_ms: of planning and merging; of measuring the tokens, too, if they were encoded now.
        prefill_ms: of the prompt's pass through the decoder.
        decode_ms: of all passes after that.
        cached_ms: how long that encoding took before; 0 if it was not cached.
    """

    encode_ms: float
    prune_ms: float
    prefill_ms: float
    decode_ms: float
    cached_ms: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class EncodedPage:
    """A page as the decoder will see it, before anything is pruned.

    Attributes:
        ref: which page.
        mode: how it was scaled.
        layout: what each position in the visual sequence is and covers.
        measures: norms, similarity and text density, from which any plan can be made at once.
        encode_ms: how long the vision encoder took when it ran.
        doubt: why any text read from it may be wrong; None if nothing is known against it.
        larger_mode: the mode to choose instead if the print is too small; None if no mode shows it larger.
    """

    ref: PageRef
    mode: Mode
    layout: TokenLayout
    measures: TokenMeasures
    encode_ms: float
    doubt: Doubt | None = None
    larger_mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class PrefillCost:
    """The cost of a prefill, computed from the sizes of the model and not measured.

    Attributes:
        prompt_tokens: tokens in the prefill: prompt and surviving visual tokens.
        flops: floating-point operations of the prefill.
        cache_bytes: keys and values of the prompt, which stay in memory while the page is read.
    """

    prompt_tokens: int
    flops: float
    cache_bytes: int


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a page whose place the model emitted.

    Attributes:
        label: its kind, as the model names it ("title", "text", "table", "image", ...); empty if the model
            emitted the place of words without a kind.
        boxes: xyxy in 0..999, where 0 and 999 are the edges of the page, each with a positive area; empty if
            the model emitted no valid box.
        start: where its characters begin in the human-readable text.
        end: where they end there, exclusive.
        is_found: True if its place is not the emitted one, but where its text was found on the page.
    """

    label: str
    boxes: tuple[tuple[int, int, int, int], ...]
    start: int
    end: int
    is_found: bool = False

    def boxes_px(self, page_size_px: tuple[int, int]) -> tuple[tuple[float, float, float, float], ...]:
        """Return the boxes in page pixels.

        The model emits places on the page, not on the view it was shown: letterboxing and stretching are
        already undone, in every mode.

        Args:
            page_size_px: (width, height).
        """
        across, down = page_size_px
        return tuple(
            (
                left * across / GREATEST_COORDINATE,
                top * down / GREATEST_COORDINATE,
                right * across / GREATEST_COORDINATE,
                bottom * down / GREATEST_COORDINATE,
            )
            for left, top, right, bottom in self.boxes
        )


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Text decoded since the last delta.

    Attributes:
        text: empty only if decoding ended within a character.
        token_count: number of tokens decoded since.
    """

    text: str
    token_count: int


_PLAIN_SHARE = 0.9
"""With at least this many passes per token, decoding counts as plain: a draft saved next to nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A finished or stopped reading of a page: text and numbers, no arrays.

    Attributes:
        ref: which page.
        settings: what was asked for.
        mode: how the page was scaled.
        model_name: which model read it.
        raw_text: what the model generated, including markup, up to where it began to repeat itself.
        text: the same without grounding markup, human-readable.
        token_ids: generated token ids of that text, without the end-of-text token.
        stop_reason: why decoding ended.
        retention: the ratio that was applied, in 0..1.
        automatic: True if the ratio came from the page.
        kept: how many of `total` visual tokens were kept.
        total: how many prunable visual tokens the page has.
        padding: how many of `total` lie wholly in padding.
        cost: cost of this reading's prefill.
        cost_of_all: cost of a prefill that keeps every visual token.
        passes: decoder passes after the prefill; fewer than tokens if a draft helped.
        timings: time of each stage.
        blocks: parts of the page whose place the model emitted, with their characters in `text`.
        retry: settings to try instead if the reading ended in a loop; None if there are none.
        cut_tokens: how many more tokens were decoded, which only repeated the text and were cut off.
        read_together: True if decoder passes, and so their time, were shared with other pages.
        doubt: the gravest doubt about the text; None if there is none.
        larger_mode: the mode to choose instead if the print is too small; None if no mode shows it larger.
        needs_large_print: True if the published models read smaller print than this one.
        word_count: number of words in `text`.
        unsure_words: start and end (exclusive) in `text` of each word that the model was unsure of,
            ascending; none for tasks that ask for anything but the print of the page.
    """

    ref: PageRef
    settings: ReadSettings
    mode: Mode
    model_name: str
    raw_text: str = field(repr=False)
    text: str = field(repr=False)
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
    blocks: tuple[Block, ...] = ()
    retry: ReadSettings | None = None
    cut_tokens: int = 0
    read_together: bool = False
    doubt: Doubt | None = None
    larger_mode: Mode | None = None
    needs_large_print: bool = False
    word_count: int = 0
    unsure_words: tuple[tuple[int, int], ...] = ()

    @property
    def was_pruned_by_hand(self) -> bool:
        """True if tokens were merged because the person chose a ratio."""
        return not self.automatic and self.kept < self.total

    @property
    def unsure_share(self) -> float:
        """Share of the words that the model was unsure of, in 0..1; 0 without words."""
        return len(self.unsure_words) / self.word_count if self.word_count else 0.0

    @property
    def decoded_tokens(self) -> int:
        """How many tokens were decoded, including those that were cut off."""
        return len(self.token_ids) + self.cut_tokens

    @property
    def tokens_per_second(self) -> float:
        """Decoding speed; 0 if nothing was decoded."""
        seconds = self.timings.decode_ms / 1000
        return self.decoded_tokens / seconds if seconds > 0 else 0.0

    @property
    def was_drafted(self) -> bool:
        """True if so many tokens came from a draft that the decoding time is not that of plain decoding.

        Plain decoding takes one pass per token. A line that repeats on the page saves a few passes in any
        reading, which changes little.
        """
        return self.passes < _PLAIN_SHARE * (self.decoded_tokens - 1)


@dataclass(frozen=True, eq=False, slots=True)
class ReadingTrace:
    """Which visual tokens the decoder attended to for each token it generated.

    Attributes:
        settings: settings of the reading that was traced.
        raw_text: what was generated.
        offsets: (T + 1,) int64 ascending, where the characters of each token begin in `raw_text`; the
            last entry is its length.
        attention: (T, N) float32, attention on each prunable visual token when a token was predicted, in
            0..1, averaged over heads and the last `layers` layers; 0 for merged tokens. A row sums to less
            than 1: the rest went to text, newlines and the separator.
        layers: how many of the decoder's last layers were averaged.
    """

    settings: ReadSettings
    raw_text: str
    offsets: NDArray[np.int64]
    attention: NDArray[np.float32]
    layers: int


ReadingEvent = Stage | EncodedPage | TextDelta | Reading
"""What `Engine.read` yields: the stages in turn, the `EncodedPage` when it is encoded, the text as it is
decoded; the `Reading` is last and comes exactly once."""
