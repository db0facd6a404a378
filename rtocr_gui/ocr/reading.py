"""What a person asks of the reader, and what comes back.

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
    """How a page is scaled before it is encoded (values are the names used on the command line)."""

    TINY = "tiny"
    SMALL = "small"
    BASE = "base"
    LARGE = "large"
    GUNDAM = "gundam"

    @property
    def view_px(self) -> int:
        """Side of the global view in pixels."""
        return {"tiny": 512, "small": 640, "base": 1024, "large": 1280, "gundam": 1024}[self.value]

    @property
    def letterboxed(self) -> bool:
        """True where the page keeps its proportions on a grey square, False where it is stretched."""
        return self.view_px >= 1024


@dataclass(frozen=True, slots=True)
class Scaling:
    """How pages are to be scaled: what a person chooses.

    Attributes:
        mode: None to let each page decide by its size and density (`auto_mode`).
        most_tiles: most tiles of a page in Gundam mode, 2..9.
    """

    mode: Mode | None
    most_tiles: int = MOST_TILES

    def __post_init__(self) -> None:
        if not FEWEST_TILES <= self.most_tiles <= MOST_TILES:
            raise SettingsError(f"A page can have {FEWEST_TILES} to {MOST_TILES} tiles.")

    @property
    def name(self) -> str:
        """The mode, as settings and the command line name it."""
        return self.mode.value if self.mode else "auto"

    @property
    def label(self) -> str:
        """What to call it, e.g. "Base", "Gundam, at most 4 tiles", "Auto"."""
        limited = self.mode in (None, Mode.GUNDAM) and self.most_tiles < MOST_TILES
        return self.name.capitalize() + (f", at most {self.most_tiles} tiles" if limited else "")


@dataclass(frozen=True, slots=True)
class Task:
    """One thing the model was trained to do with a page.

    Attributes:
        name: stable identifier, as used in settings, `rtocr.json` and on the command line.
        label: what a menu shows.
        prompt: what follows the visual tokens, e.g. ``"\\nFree OCR."``.
        words: what a person typed, of a task that `asking` makes; empty for the others.
        tells_unasked: True where the model tells places although nothing in the prompt asks for them; the
            mark of each block then holds its kind and its box.
    """

    name: str
    label: str
    prompt: str
    words: str = ""
    tells_unasked: bool = False

    @property
    def asks_for_places(self) -> bool:
        """True where the prompt asks where on the page something stands."""
        return "<|grounding|>" in self.prompt or "<|ref|>" in self.prompt

    @property
    def tells_places(self) -> bool:
        """True where the model says where on the page it read something."""
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
"""The right and the lower edge of a page, where the model tells places."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Everything that decides what a reading of a page gives.

    Attributes:
        scaling: how the page is scaled.
        task: what the model is asked for.
        pruning: retention ratio, or automatic.
        max_new_tokens: upper limit of generated tokens, at least 1.
        stop_at_end: False to go on past the end-of-text token (reference numbers only).
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
    """There is not enough memory to read a page as it was asked for.

    Attributes:
        retry: settings that need less; None where there are none.
    """

    def __init__(self, sentence: str, retry: ReadSettings | None = None) -> None:
        super().__init__(sentence)
        self.retry = retry


class StopReason(Enum):
    """Why a reading ended."""

    END = "end"
    LENGTH = "length"
    LOOP = "loop"
    CANCELLED = "cancelled"


class Stage(Enum):
    """What the model is busy with; the values are what the status line shows."""

    ENCODE = "encode"
    PRUNE = "prune"
    PREFILL = "prefill"
    DECODE = "decode"


@dataclass(frozen=True, slots=True)
class StageTimings:
    """Wall-clock time of each stage of one reading, in milliseconds. A cached encoding costs 0.

    Of pages that are read together, each has its own encoding, pruning and prefill, during which the others
    wait; decoding is the time of the passes it took part in, all of which each of them counts.
    """

    encode_ms: float
    prune_ms: float
    prefill_ms: float
    decode_ms: float


@dataclass(frozen=True, eq=False, slots=True)
class EncodedPage:
    """A page as the decoder will see it, before anything is pruned.

    Attributes:
        ref: which page.
        mode: how it was scaled.
        layout: what each position of the visual sequence is and covers.
        measures: norms, similarity and text density, from which any plan follows at once.
        encode_ms: how long the vision encoder took when it ran.
        is_legible: False where its print is too small in this mode to be read well, by how close its strokes
            stand.
        larger_mode: the mode of the model to choose in that case; None where no mode shows it larger.
    """

    ref: PageRef
    mode: Mode
    layout: TokenLayout
    measures: TokenMeasures
    encode_ms: float
    is_legible: bool = True
    larger_mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class PrefillCost:
    """What taking in a page costs: computed from the sizes of the model, not measured.

    Attributes:
        prompt_tokens: tokens in the prefill, prompt and surviving visual tokens.
        flops: floating point operations of the prefill.
        cache_bytes: keys and values of the prompt, which stay in memory while the page is read.
    """

    prompt_tokens: int
    flops: float
    cache_bytes: int


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a page that the model gave a place.

    Attributes:
        label: its kind, as the model names it ("title", "text", "table", "image", ...); empty where the
            model gave the place of words and no kind.
        boxes: xyxy in thousandths of the page's width and height, 0..999, each of some area; none where the
            model wrote none that makes sense.
        start: where its characters begin in the text for people.
        end: where they end there, not included.
    """

    label: str
    boxes: tuple[tuple[int, int, int, int], ...]
    start: int
    end: int

    def boxes_px(self, page_size_px: tuple[int, int]) -> tuple[tuple[float, float, float, float], ...]:
        """The boxes in page pixels.

        The model tells places on the page and not on the view it was shown: letterbox and stretch
        are undone already, in every mode.

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
    """Text that was decoded since the last delta."""

    text: str
    token_count: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One finished (or stopped) reading of one page: text and numbers, no arrays.

    Attributes:
        ref: which page.
        settings: what was asked for.
        mode: how the page was scaled.
        model_name: which model read it.
        raw_text: what the model said, markup and all, up to where it began to repeat itself.
        text: the same without grounding markup, for people.
        token_ids: generated token ids of that text, the end-of-text token left out.
        stop_reason: why decoding ended.
        retention: the ratio that was applied, in 0..1.
        automatic: True where the page decided on the ratio.
        kept: how many of `total` visual tokens the model was given.
        total: how many prunable visual tokens the page has.
        padding: how many of `total` cover no page.
        cost: of this reading's prefill.
        cost_of_all: of the prefill that keeps every visual token.
        passes: forward passes of the decoder after the prefill; fewer than tokens where a draft helped.
        timings: stage by stage.
        blocks: parts of the page that the model gave a place, with their characters in `text`.
        retry: what to try instead, where the reading ended in a loop and there is something to try.
        read_together: True where the decoder's passes, and so their time, were shared with other pages.
        is_legible: False where the print of the page is too small in that mode to be read well.
        larger_mode: the mode of the model to choose in that case; None where no mode shows it larger.
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
    read_together: bool = False
    is_legible: bool = True
    larger_mode: Mode | None = None

    @property
    def tokens_per_second(self) -> float:
        """Decoding speed; 0 where nothing was decoded."""
        seconds = self.timings.decode_ms / 1000
        return len(self.token_ids) / seconds if seconds > 0 else 0.0


@dataclass(frozen=True, eq=False, slots=True)
class ReadingTrace:
    """Which visual tokens the decoder attended to for each token it said.

    Attributes:
        ref: which page.
        settings: of the reading that was traced.
        raw_text: what was said.
        offsets: (T + 1,) int64 ascending, where the characters of each token begin in `raw_text`; the
            last entry is its length.
        attention: (T, N) float32, attention on each prunable visual token while that token was
            predicted, in 0..1, averaged over heads and the last `layers` layers; 0 for merged tokens.
            A row sums to less than 1: the rest went to text, newlines and the separator.
        layers: how many of the decoder's last layers were averaged.
    """

    ref: PageRef
    settings: ReadSettings
    raw_text: str
    offsets: NDArray[np.int64]
    attention: NDArray[np.float32]
    layers: int


ReadingEvent = Stage | EncodedPage | TextDelta | Reading
"""What `Engine.read` yields, in this order; the `Reading` is last and comes exactly once."""
