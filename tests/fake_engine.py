"""An engine without a model: quick, predictable, and as slow or broken as a test asks.

It reads "page N of NAME at R" so that a test can tell which page was read at which ratio.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import CheckpointError, ReadingError
from rtocr_gui.ocr.layout import build_layout
from rtocr_gui.ocr.reading import (
    TASKS,
    EncodedPage,
    LoadedModel,
    Mode,
    ModelInfo,
    PrefillCost,
    Reading,
    ReadingEvent,
    ReadSettings,
    Stage,
    StageTimings,
    StopReason,
    TextDelta,
)
from rtocr_gui.pruning.plan import TokenMeasures, plan_pruning
from rtocr_gui.pruning.selection import order_by_norm
from rtocr_gui.tokens import TokenLayout


def measure_by_seed(layout: TokenLayout, seed: int) -> TokenMeasures:
    """Measures of tokens that nobody encoded: norms from a seed, nothing similar to anything."""
    count = len(layout.prunable)
    norms = np.random.default_rng(seed).uniform(1, 9, count).astype(np.float32)
    cells = layout.global_grid[0] * layout.global_grid[1]
    return TokenMeasures(
        norms=norms,
        order=order_by_norm(norms),
        similarity=np.eye(count, dtype=np.float32),
        patch_density=np.full(cells, 0.2, dtype=np.float32),
        text_density=0.2,
        dissimilarity=0.7,
        measure_ms=1.0,
    )


class FakeEngine:
    """Stands in for `ocr.engine.Engine`.

    Attributes:
        broken_pages: file names whose reading fails.
        gate: while cleared, a reading waits after its first word (and still sees a cancel).
        reading_began: set when a reading has said its first word.
        load_error: raised by `load` where it is given.
    """

    def __init__(self) -> None:
        self.broken_pages: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.reading_began = threading.Event()
        self.load_error: CheckpointError | None = None
        self.threads: set[str] = set()

    def load(self, folder: Path, device: str = "auto") -> LoadedModel:
        self.threads.add(threading.current_thread().name)
        if self.load_error is not None:
            raise self.load_error
        info = ModelInfo(folder, "Fake model", "Reads nothing.", (Mode.TINY,), TASKS[1:2], 10, 40)
        return LoadedModel(info, "cpu", "float32", 1.0)

    def encode(self, page: PageImage, mode: Mode) -> EncodedPage:
        layout = build_layout(mode, page.image.size, (2, 3) if mode is Mode.GUNDAM else (0, 0))
        return EncodedPage(page.ref, mode, layout, measure_by_seed(layout, page.ref.index), 2.0)

    def read(
        self, page: PageImage, settings: ReadSettings, cancel: threading.Event
    ) -> Iterator[ReadingEvent]:
        yield Stage.ENCODE
        encoded = self.encode(page, settings.mode)
        yield encoded
        yield Stage.PRUNE
        if page.ref.path.name in self.broken_pages:
            raise ReadingError("The model could not read this page.")
        plan = plan_pruning(encoded.layout, encoded.measures, settings.pruning)
        yield Stage.DECODE
        words = f"page {page.ref.index + 1} of {page.ref.path.name} at {plan.retention:.2f}".split(" ")
        said: list[str] = []
        for position, word in enumerate(words):
            said.append(word if position == 0 else f" {word}")
            yield TextDelta(said[-1], 1)
            self.reading_began.set()
            while not self.gate.wait(0.005) and not cancel.is_set():
                pass
            if cancel.is_set():
                break
        text = "".join(said)
        yield Reading(
            ref=page.ref,
            settings=settings,
            model_name="Fake model",
            raw_text=text,
            text=text,
            token_ids=tuple(range(len(said))),
            stop_reason=StopReason.CANCELLED if cancel.is_set() else StopReason.END,
            plan=plan,
            cost=PrefillCost(len(plan.selected) + 3, 1e9 * len(plan.selected), 100 * len(plan.selected)),
            cost_of_all=PrefillCost(len(plan.layout) + 3, 1e9 * len(plan.layout), 100 * len(plan.layout)),
            passes=len(said),
            timings=StageTimings(2.0, 1.0, 3.0, 40.0),
        )
