"""Measures the pruning step in a process of its own, and prints the figures as JSON.

`promises` starts it as `python -m rtocr_gui.cli.bench.plan_probe plan`, because the threads of the numeric
libraries are determined by the environment at the start of a process. Knows no window.
"""

import json
import statistics
import time
from collections.abc import Callable

import torch

from rtocr_gui.documents.specimen import specimen_page
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.ocr.vision.views import make_views
from rtocr_gui.pruning.measures import measure_tokens, pairwise_cosine
from rtocr_gui.pruning.plan import PruneSettings, plan_pruning
from rtocr_gui.pruning.transport import apply_plan

HIDDEN_SIZE = 1280
"""Hidden size of DeepSeek-OCR, used for timing the pruning step."""

_PLAN_MODES = {"base": Mode.BASE, "large": Mode.LARGE, "gundam2x3": Mode.GUNDAM}
_PLAN_ROUNDS = 25


def measure_plan() -> dict[str, object]:
    """Time the pruning step of an A4 page in three modes, on one thread."""
    torch.set_num_threads(1)
    return {"plan": {name: _plan_figures(mode) for name, mode in _PLAN_MODES.items()}}


def _plan_figures(mode: Mode) -> dict[str, float]:
    """Time the whole step, and its lower bound: norms and the N x N product alone.

    Both alternate, so that other work on the machine affects them equally.
    """
    views = make_views(specimen_page(), mode)
    view = views.normalised_global_view
    layout = build_layout(mode, views.page_size_px, views.crop_wh)
    generator = torch.Generator().manual_seed(1)
    shared = 0.7 * torch.randn(HIDDEN_SIZE, generator=generator)
    sequence = torch.randn(len(layout), HIDDEN_SIZE, generator=generator) + shared
    prunable = sequence[torch.from_numpy(layout.prunable)]
    cosines = torch.empty((len(prunable), len(prunable)))

    def step() -> None:
        plan = plan_pruning(layout, measure_tokens(prunable, view), PruneSettings())
        apply_plan(sequence, plan)

    def floor() -> None:
        pairwise_cosine(prunable, torch.linalg.vector_norm(prunable, dim=1), cosines)

    step_ms, floor_ms = _medians_ms(step, floor)
    return {"ms": step_ms, "floor_ms": floor_ms}


def _medians_ms(*actions: Callable[[], None]) -> list[float]:
    """Run the actions in turn, and return the median time of each, not counting the first round."""
    rounds: list[list[float]] = []
    for _ in range(_PLAN_ROUNDS + 1):
        times = []
        for action in actions:
            started = time.perf_counter()
            action()
            times.append((time.perf_counter() - started) * 1000)
        rounds.append(times)
    return [statistics.median(times) for times in zip(*rounds[1:], strict=True)]


if __name__ == "__main__":
    print(json.dumps(measure_plan()))
