"""Measures reading a page again in a process of its own, and prints the figures as JSON.

`benchmark` starts it as `python -m rtocr_gui.cli.reading_probe reread|curve`. It reads the samples with
the bundled miniature. A quicker reading counts only if it gives the same tokens. Knows no window.
"""

import dataclasses
import json
import random
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence

from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.curve import curve_settings
from rtocr_gui.ocr.reading import Reading, ReadSettings, Scaling
from rtocr_gui.ocr.threads import wait_without_spinning
from rtocr_gui.resources import resource_path

_ROUNDS = 5
_CURVE_ROUNDS = 3
_DIFFERING_SHARE = 0.02


class ReadingProbe:
    """The bundled model, the sample pages, and how they are read."""

    def __init__(self) -> None:
        wait_without_spinning()
        from rtocr_gui.ocr.engine import Engine

        self._engine = Engine()
        info = self._engine.load(resource_path("miniature"), "cpu").info
        self.settings = ReadSettings(Scaling(info.modes[0]), info.tasks[0])
        self.pages: list[PageImage] = []
        for path in sorted(resource_path("samples").glob("*.png")):
            with open_document(path) as document:
                self.pages.append(document.load_page(0))

    def read(self, page: PageImage, settings: ReadSettings, draft: Sequence[int] | None = None) -> Reading:
        """Read a page; without a draft of its own, the engine takes what it remembers of the page."""
        *_, reading = self._engine.read(page, settings, threading.Event(), draft)
        assert isinstance(reading, Reading)
        return reading

    def encode_anew(self, page: PageImage, number: int) -> PageImage:
        """Give the page another name, of which the engine remembers nothing but the encoding."""
        renamed = dataclasses.replace(page, ref=dataclasses.replace(page.ref, sha256=f"{number:064x}"))
        self._engine.encode(renamed, self.settings.scaling)
        return renamed


def measure_reread() -> dict[str, object]:
    """Tell how many times quicker than at first a page is read again.

    The draft is the page's own text, or that text with 2 % of its tokens replaced.
    """
    probe = ReadingProbe()
    times_ms: dict[tuple[str, str], float] = defaultdict(float)
    for page in probe.pages:
        said = probe.read(page, probe.settings, ()).token_ids
        rounds: dict[tuple[str, str], list[float]] = defaultdict(list)
        for number in range(_ROUNDS):
            drafts = {"first": (), "same": said, "differing": _damaged(said, number)}
            for name, draft in drafts.items():
                reading = probe.read(page, probe.settings, draft)
                if reading.token_ids != said:
                    sys.exit(f"{page.ref.label} is read otherwise with a draft ({name}); it must not be.")
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
    """Tell how many plain readings of a page its retention curve takes; the page is encoded before."""
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


def _damaged(token_ids: Sequence[int], seed: int) -> tuple[int, ...]:
    """Replace 2 % of the tokens by others of the text, at random places."""
    chance = random.Random(seed)
    damaged = list(token_ids)
    for place in chance.sample(range(len(damaged)), max(1, round(_DIFFERING_SHARE * len(damaged)))):
        damaged[place] = chance.choice([other for other in token_ids if other != damaged[place]])
    return tuple(damaged)


if __name__ == "__main__":
    print(json.dumps({"reread": measure_reread, "curve": measure_curve}[sys.argv[1]]()))
