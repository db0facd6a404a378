"""Readings that no model made, for tests that keep, compare or show them."""

from dataclasses import replace
from pathlib import Path

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import Mode, PrefillCost, Reading, ReadSettings, StageTimings, StopReason

REF = PageRef(Path("/scans/page.png"), 0, "ab")


def make_reading(settings: ReadSettings, text: str = "page", **changes: object) -> Reading:
    """A reading of a page of 256 visual tokens, whose automatic ratio is 0.76; a token for each letter.

    Args:
        settings: how it was read.
        text: what was read.
        changes: fields that differ.
    """
    automatic = settings.pruning.retention is None
    retention = 0.76 if settings.pruning.retention is None else settings.pruning.retention
    cost = PrefillCost(10, 1.0, 1)
    reading = Reading(
        ref=REF,
        settings=settings,
        mode=settings.scaling.mode or Mode.BASE,
        model_name="Fake model",
        raw_text=text,
        text=text,
        token_ids=tuple(range(len(text))),
        stop_reason=StopReason.END,
        retention=retention,
        automatic=automatic,
        kept=int(256 * retention),
        total=256,
        padding=0,
        cost=cost,
        cost_of_all=cost,
        passes=3,
        timings=StageTimings(1.0, 2.0, 30.0, 400.0),
    )
    return replace(reading, **changes)
