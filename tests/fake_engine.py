"""An engine without a model: quick, predictable, and as slow or broken as a test asks.

It reads "page N of NAME at R" so that a test can tell which page was read at which ratio.
"""

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import CheckpointError, ReadingError
from rtocr_gui.ocr.memory.fit import DoesNotFit, Fit
from rtocr_gui.ocr.model.model_info import LoadedModel, ModelInfo
from rtocr_gui.ocr.pages_together import PageEvent, PageRequest, Steps, read_together
from rtocr_gui.ocr.reading import (
    TASKS,
    Doubt,
    EncodedPage,
    Mode,
    OutOfMemory,
    PrefillCost,
    Reading,
    ReadingEvent,
    ReadingTrace,
    ReadSettings,
    Scaling,
    Stage,
    StageTimings,
    StopReason,
    TextDelta,
)
from rtocr_gui.ocr.text.markup import parse_blocks, strip_grounding
from rtocr_gui.ocr.text.unsure_words import find_words
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.pruning.plan import PrunePlan, plan_pruning
from tests.made_plans import measure_by_seed


class Panic(BaseException):
    """What a library in Rust raises: no `Exception`."""


class FakeEngine:
    """Stands in for `ocr.engine.Engine`.

    Attributes:
        broken_pages: file names whose reading fails.
        gate: while cleared, a reading waits after its first word (and still sees a cancel), and so does a
            trace.
        reading_began: set when a reading has said its first word.
        asked: the settings of each reading that began, in order.
        on_asked: called on the thread of a reading before its first word.
        load_gate: while cleared, `load` waits before it does anything else.
        load_began: set when it waits, or was let through.
        load_error: raised by `load` where it is given.
        broken_precisions: those that `load` refuses.
        need: whether a model fits; it is loaded then, or anyway. None where everything fits.
        traced: settings of every trace that was begun.
        tasks: what its model was made for.
        weight_bytes: how large it is.
        loads: what was loaded: folder, device, precision and scaling.
        said: what it says of every page, token by token, in place of the page's name.
        pages_at_once: how many pages it reads at a time.
        too_large: modes in which memory runs out; in those of `dry` only after the first word.
        dry: see there.
        looping: modes in which a reading ends in a loop.
        endless: names of pages, as in lists, whose reading stops at the length limit.
        retry: how to scale a page instead, where memory ran out or a reading looped.
        doubts: the doubt about its texts, by mode.
        larger_mode: the mode to choose where print is too small.
        unsure_of: words that it is unsure of.
    """

    def __init__(self) -> None:
        self.broken_pages: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.reading_began = threading.Event()
        self.load_gate = threading.Event()
        self.load_gate.set()
        self.load_began = threading.Event()
        self.load_error: BaseException | None = None
        self.broken_precisions: set[str] = set()
        self.need: Fit | None = None
        self.threads: set[str] = set()
        self.asked: list[ReadSettings] = []
        self.on_asked: Callable[[], None] = lambda: None
        self.traced: list[ReadSettings] = []
        self.tasks = TASKS[1:2]
        self.weight_bytes = 40
        self.loads: list[tuple[Path, str, str, Scaling]] = []
        self.is_loaded = False
        self.said: list[str] = []
        self.pages_at_once = 1
        self.too_large: set[Mode] = set()
        self.dry: set[Mode] = set()
        self.looping: set[Mode] = set()
        self.endless: set[str] = set()
        self.retry: Scaling | None = None
        self.doubts: dict[Mode, Doubt] = {}
        self.unsure_of: set[str] = set()
        self.larger_mode: Mode | None = None

    def fit(
        self, folder: Path, device: str = "auto", precision: str = "auto", scaling: Scaling = Scaling(None)
    ) -> Fit:
        del folder, device, precision, scaling
        if self.need is None:
            raise CheckpointError("Nobody asked the test about memory.")
        return self.need

    def load(
        self,
        folder: Path,
        device: str = "auto",
        precision: str = "auto",
        scaling: Scaling = Scaling(None),
        anyway: bool = False,
    ) -> LoadedModel:
        self.threads.add(threading.current_thread().name)
        self.load_began.set()
        self.load_gate.wait()
        if self.load_error is not None:
            raise self.load_error
        if precision in self.broken_precisions:
            raise CheckpointError(f"No model runs in {precision}.")
        if self.need is not None and not (self.need.fits or anyway):
            raise DoesNotFit(self.need)
        self.loads.append((folder, device, precision, scaling))
        self.is_loaded = True
        info = ModelInfo(
            folder, "Fake model", "Reads nothing.", (Mode.TINY,), self.tasks, 10, self.weight_bytes
        )
        return LoadedModel(info, "cpu", "float32", 1.0, pages_at_once=self.pages_at_once)

    def unload(self) -> None:
        self.is_loaded = False

    def encode(self, page: PageImage, scaling: Scaling) -> EncodedPage:
        assert self.is_loaded
        mode = scaling.mode or Mode.TINY
        layout = build_layout(mode, page.image.size, (2, 3) if mode is Mode.GUNDAM else (0, 0))
        seed = page.ref.index + zlib.crc32(self.loads[-1][0].name.encode())  # each model sees other tokens
        doubt = self.doubts.get(mode)
        doubt = doubt if doubt in (Doubt.SMALL_PRINT, Doubt.LONG_PAGE) else None
        larger_mode = self.larger_mode if doubt is Doubt.SMALL_PRINT else None
        return EncodedPage(page.ref, mode, layout, measure_by_seed(layout, seed), 2.0, doubt, larger_mode)

    def read(
        self, page: PageImage, settings: ReadSettings, cancel: threading.Event
    ) -> Iterator[ReadingEvent]:
        assert self.is_loaded
        self.asked.append(settings)
        self.on_asked()
        yield Stage.ENCODE
        encoded = self.encode(page, settings.scaling)
        yield encoded
        yield Stage.PRUNE
        if page.ref.path.name in self.broken_pages:
            raise ReadingError("The model could not read this page.")
        if encoded.mode in self.too_large:
            raise self._out_of_memory(settings)
        plan = plan_pruning(encoded.layout, encoded.measures, settings.pruning)
        yield Stage.DECODE
        said: list[str] = []
        for word in self.said or words_of(page, plan):
            said.append(word)
            yield TextDelta(said[-1], 1)
            self.reading_began.set()
            if encoded.mode in self.dry:
                raise self._out_of_memory(settings)
            while not self.gate.wait(0.005) and not cancel.is_set():
                pass
            if cancel.is_set():
                break
        text = "".join(said)
        stop_reason = StopReason.LENGTH if page.ref.label in self.endless else StopReason.END
        if encoded.mode in self.looping:
            stop_reason = StopReason.LOOP
        if cancel.is_set():
            stop_reason = StopReason.CANCELLED
        yield Reading(
            ref=page.ref,
            settings=settings,
            mode=encoded.mode,
            model_name="Fake model",
            raw_text=text,
            text=strip_grounding(text, settings.task),
            token_ids=tuple(range(len(said))),
            stop_reason=stop_reason,
            retention=plan.retention,
            automatic=plan.automatic,
            kept=len(plan.kept),
            total=len(plan.norms),
            padding=int(plan.layout.padding.sum()),
            cost=PrefillCost(len(plan.selected) + 3, 1e9 * len(plan.selected), 100 * len(plan.selected)),
            cost_of_all=PrefillCost(len(plan.layout) + 3, 1e9 * len(plan.layout), 100 * len(plan.layout)),
            passes=len(said),
            timings=StageTimings(2.0, 1.0, 3.0, 40.0),
            blocks=parse_blocks(text, settings.task),
            retry=self._retry(settings) if stop_reason is StopReason.LOOP else None,
            doubt=self.doubts.get(encoded.mode),
            larger_mode=encoded.larger_mode,
            needs_large_print=True,
            word_count=len(find_words(text)),
            unsure_words=tuple(
                (start, end) for start, end in find_words(text) if text[start:end] in self.unsure_of
            ),
        )

    def _retry(self, settings: ReadSettings) -> ReadSettings | None:
        return None if self.retry is None else replace(settings, scaling=self.retry)

    def _out_of_memory(self, settings: ReadSettings) -> OutOfMemory:
        return OutOfMemory("There is not enough memory to read this page.", self._retry(settings))

    def read_together(
        self, requests: Iterable[PageRequest | None], most: int | None = None
    ) -> Iterator[tuple[PageRequest, PageEvent]]:
        """Read so many pages in turn, a word of each; three where neither caller nor test say how many.

        A page begins with each word of the others, however long that takes.
        """

        def begin(request: PageRequest) -> Steps:
            for event in self.read(request.page, request.settings, request.cancel):
                yield event
                if isinstance(event, TextDelta):
                    self.reading_began.set()
                    yield None
                    while not self.gate.wait(0.005) and not request.cancel.is_set():
                        yield None

        at_once = most or (self.pages_at_once if self.pages_at_once > 1 else 3)
        yield from read_together(requests, begin, _NoDecoder(), at_once, going_on_share=0)

    def trace(
        self, page: PageImage, settings: ReadSettings, token_ids: Sequence[int], cancel: threading.Event
    ) -> ReadingTrace | None:
        """Say that each word was looked up in the cell of its number, and a little in the next one."""
        self.traced.append(settings)
        if page.ref.path.name in self.broken_pages:
            raise ReadingError("The model could not trace this page.")
        while not self.gate.wait(0.005) and not cancel.is_set():
            pass
        if cancel.is_set():
            return None
        encoded = self.encode(page, settings.scaling)
        plan = plan_pruning(encoded.layout, encoded.measures, settings.pruning)
        words = (self.said or words_of(page, plan))[: len(token_ids)]
        attention = np.zeros((len(words), len(plan.norms)), dtype=np.float32)
        attention[np.arange(len(words)), np.arange(len(words))] = 0.4
        attention[np.arange(len(words)), np.arange(len(words)) + 1] = 0.1
        return ReadingTrace(
            settings=settings,
            raw_text="".join(words),
            offsets=np.cumsum([0, *map(len, words)]),
            attention=attention,
            layers=2,
        )


class _NoDecoder:
    """Lets pages wait for each other, and does nothing else."""

    def feed(self) -> None:
        pass


def words_of(page: PageImage, plan: PrunePlan) -> list[str]:
    """What the fake engine reads, token by token."""
    words = f"page {page.ref.index + 1} of {page.ref.path.name} at {plan.retention:.2f}".split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]
