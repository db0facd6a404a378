"""Measures the core in a process of its own, and prints the figures as JSON.

`benchmark` starts it as `python -m rtocr_gui.cli.probe plan|memory`: the threads of the numeric
libraries are settled by the environment a process starts with, and peak memory belongs to a
process as a whole. Knows no window.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.layout import build_layout
from rtocr_gui.ocr.reading import Mode, ReadSettings
from rtocr_gui.ocr.views import make_views, normalise
from rtocr_gui.pruning.measures import measure_tokens, pairwise_cosine
from rtocr_gui.pruning.plan import PruneSettings, plan_pruning
from rtocr_gui.pruning.transport import apply_plan
from rtocr_gui.resources import resource_path

HIDDEN_SIZE = 1280
"""Hidden size of DeepSeek-OCR, at which the pruning step is timed."""

_A4_AT_200_DPI = (1654, 2339)
_PLAN_MODES = {"base": Mode.BASE, "large": Mode.LARGE, "gundam2x3": Mode.GUNDAM}
_PLAN_ROUNDS = 25
_MEMORY_PAGES = 20
_LAST_PAGES = 5
_MEMORY_NEW_TOKENS = 32


def measure_plan() -> dict[str, object]:
    """Time the pruning step of an A4 page in three modes, on one thread."""
    torch.set_num_threads(1)
    return {"plan": {name: _plan_figures(mode) for name, mode in _PLAN_MODES.items()}}


def _plan_figures(mode: Mode) -> dict[str, float]:
    """Time the whole step, and its floor: norms and the token-by-token product alone.

    Both run in turn, so that other work on the machine touches them alike.
    """
    views = make_views(_drawn_page(0), mode)
    view = normalise(views.global_view)
    layout = build_layout(mode, views.page_size_px, views.crop_wh)
    generator = torch.Generator().manual_seed(1)
    shared = 0.7 * torch.randn(HIDDEN_SIZE, generator=generator)
    sequence = torch.randn(len(layout), HIDDEN_SIZE, generator=generator) + shared
    prunable = sequence[torch.from_numpy(layout.prunable)]

    def step() -> None:
        plan = plan_pruning(layout, measure_tokens(prunable, view), PruneSettings())
        apply_plan(sequence, plan)

    def floor() -> None:
        pairwise_cosine(prunable, torch.linalg.vector_norm(prunable, dim=1))

    step_ms, floor_ms = _medians_ms(step, floor)
    return {"ms": step_ms, "floor_ms": floor_ms}


def measure_memory() -> dict[str, object]:
    """Tell by how much the last pages of a long reading raise the peak memory of the process."""
    engine = Engine(threads=1)
    loaded = engine.load(resource_path("miniature"), device="cpu")
    settings = ReadSettings(Mode.BASE, loaded.info.tasks[0], max_new_tokens=_MEMORY_NEW_TOKENS)
    peaks = []
    for number in range(_MEMORY_PAGES):
        page = PageImage(PageRef(Path(f"page {number}"), 0, f"{number:064x}"), _drawn_page(number), dpi=None)
        for _ in engine.read(page, settings, threading.Event()):
            pass
        peaks.append(_peak_bytes())
    before = peaks[-1 - _LAST_PAGES]
    return {
        "memory": {
            "growth_percent": 100 * (peaks[-1] - before) / before,
            "peak_mib": peaks[-1] / 2**20,
        }
    }


def _medians_ms(*actions: Callable[[], None]) -> list[float]:
    """Run the actions in turn and give the median time of each, the first round left out."""
    rounds: list[list[float]] = []
    for _ in range(_PLAN_ROUNDS + 1):
        times = []
        for action in actions:
            started = time.perf_counter()
            action()
            times.append((time.perf_counter() - started) * 1000)
        rounds.append(times)
    return [statistics.median(times) for times in zip(*rounds[1:], strict=True)]


def _drawn_page(number: int) -> Image.Image:
    """A printed A4 page, another one for each number."""
    page = Image.new("RGB", _A4_AT_200_DPI, "white")
    draw = ImageDraw.Draw(page)
    for line in range(50):
        words = f"Page {number}, line {line}: " + "the quick brown fox jumps over the lazy dog " * 2
        draw.text((120, 120 + 42 * line), words, "black", font_size=28)
    return page


def _peak_bytes() -> int:
    if sys.platform == "win32":
        raise SystemExit("Peak memory is measured on Linux and macOS only.")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    print(json.dumps({"plan": measure_plan, "memory": measure_memory}[sys.argv[1]]()))
