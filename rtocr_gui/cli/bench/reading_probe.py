"""Measures rereading pages and reading several together in a process of its own; prints the figures as JSON.

`promises` starts it as `python -m rtocr_gui.cli.bench.reading_probe reread|curve|together`. It reads the
samples with the bundled miniature. A faster reading counts only if it gives the same tokens. Knows no window.
"""

import json
import random
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.curve import curve_settings
from rtocr_gui.ocr.engine_import import real_engine
from rtocr_gui.ocr.pages_together import PageRequest
from rtocr_gui.ocr.reading import Reading, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.resources import resource_path

_ROUNDS = 5
_CURVE_ROUNDS = 3
_TOGETHER_ROUNDS = 3
_TOGETHER_RATIOS = (1.0, 0.9, 0.84, 0.75, 0.6)
_DIFFERING_SHARE = 0.02


class ReadingProbe:
    """The bundled model, the sample pages, and the settings to read them with."""

    def __init__(self) -> None:
        self._engine = real_engine()
        info = self._engine.load(resource_path("miniature"), "cpu").info
        self.settings = ReadSettings(Scaling(info.modes[0]), info.tasks[0])
        self.pages: list[PageImage] = []
        for path in sorted(resource_path("samples").glob("*.png")):
            with open_document(path) as document:
                self.pages.append(document.load_page(0))

    def read(self, page: PageImage, settings: ReadSettings, draft: Sequence[int] | None = None) -> Reading:
        """Read a page; without a given draft, the engine uses its last text of the page."""
        *_, reading = self._engine.read(page, settings, threading.Event(), draft)
        assert isinstance(reading, Reading)
        return reading

    def read_together(self, requests: Sequence[PageRequest], most: int | None) -> list[Reading]:
        """Read pages, at most `most` at a time; None for what suits the device best."""
        events = self._engine.read_together(requests, most)
        readings = {request: event for request, event in events if isinstance(event, Reading)}
        return [readings[request] for request in requests]

    def encode_anew(self, page: PageImage, number: int) -> PageImage:
        """Return the page under a new name and encode it, so that the engine has its encoding but no text."""
        renamed = _renamed(page, number)
        self._engine.encode(renamed, self.settings.scaling)
        return renamed


def measure_reread() -> dict[str, object]:
    """Measure how many times faster a page is reread than read the first time.

    The draft is the page's own text, or that text with 2 % of its tokens replaced.
    """
    probe = ReadingProbe()
    times_ms: dict[tuple[str, str], float] = defaultdict(float)
    for page in probe.pages:
        token_ids = probe.read(page, probe.settings, ()).token_ids
        rounds: dict[tuple[str, str], list[float]] = defaultdict(list)
        for number in range(_ROUNDS):
            drafts = {"first": (), "same": token_ids, "differing": _damaged(token_ids, number)}
            for name, draft in drafts.items():
                reading = probe.read(page, probe.settings, draft)
                if reading.token_ids != token_ids:
                    sys.exit(
                        f"{page.ref.label} reads differently with a draft ({name}), which must not happen."
                    )
                rounds[name, "decode"].append(reading.timings.decode_ms)
                rounds[name, "whole"].append(reading.timings.prefill_ms + reading.timings.decode_ms)
        for key, measured in rounds.items():
            times_ms[key] += statistics.median(measured)
    return {
        "reread": {
            name: {
                f"{part}_ratio": times_ms["first", part] / times_ms[name, part]
                for part in ("decode", "whole")
            }
            for name in ("same", "differing")
        }
    }


def measure_curve() -> dict[str, object]:
    """Measure how long a retention curve takes in plain readings of the page; encoding is not counted."""
    probe = ReadingProbe()
    wanted = curve_settings(probe.settings)
    plain_s = curve_s = 0.0
    for page in probe.pages:
        plain: list[float] = []
        curve: list[float] = []
        for number in range(_CURVE_ROUNDS):
            unread = probe.encode_anew(page, number)
            started = time.perf_counter()
            for settings in wanted:
                probe.read(unread, settings)
            curve.append(time.perf_counter() - started)
            started = time.perf_counter()
            probe.read(unread, wanted[0], ())
            plain.append(time.perf_counter() - started)
        plain_s += statistics.median(plain)
        curve_s += statistics.median(curve)
    return {"curve": {"points": len(wanted), "ratio": curve_s / plain_s}}


def measure_together() -> dict[str, object]:
    """Measure how many times more pages per minute are read together than one by one, encoding included."""
    probe = ReadingProbe()
    wanted = [replace(probe.settings, pruning=PruneSettings(ratio)) for ratio in _TOGETHER_RATIOS]
    jobs = [(page, settings) for settings in wanted for page in probe.pages]
    times_s: dict[int | None, list[float]] = defaultdict(list)
    first_texts: list[tuple[int, ...]] = []
    for number in range(2 * _TOGETHER_ROUNDS):
        most = (1, None)[number % 2]
        unread = [
            PageRequest(_renamed(page, number * len(jobs) + place), settings, threading.Event())
            for place, (page, settings) in enumerate(jobs)
        ]
        started = time.perf_counter()
        readings = probe.read_together(unread, most)
        times_s[most].append(time.perf_counter() - started)
        first_texts = first_texts or [reading.token_ids for reading in readings]
        if [reading.token_ids for reading in readings] != first_texts:
            sys.exit("Pages read together differ from pages read one by one, which must not happen.")
    alone_s, together_s = (statistics.median(times_s[most]) for most in (1, None))
    return {
        "together": {
            "pages": len(jobs),
            "ratio": alone_s / together_s,
            "pages_per_minute": 60 * len(jobs) / together_s,
            "pages_per_minute_alone": 60 * len(jobs) / alone_s,
        }
    }


def _renamed(page: PageImage, number: int) -> PageImage:
    """Return a page under a new name, so that an engine has nothing cached for it."""
    return replace(page, ref=replace(page.ref, sha256=f"{number:064x}"))


def _damaged(token_ids: Sequence[int], seed: int) -> tuple[int, ...]:
    """Replace 2 % of the tokens with others from the text, at random places."""
    chance = random.Random(seed)
    damaged = list(token_ids)
    for place in chance.sample(range(len(damaged)), max(1, round(_DIFFERING_SHARE * len(damaged)))):
        damaged[place] = chance.choice([other for other in token_ids if other != damaged[place]])
    return tuple(damaged)


if __name__ == "__main__":
    groups = {"reread": measure_reread, "curve": measure_curve, "together": measure_together}
    print(json.dumps(groups[sys.argv[1]]()))
