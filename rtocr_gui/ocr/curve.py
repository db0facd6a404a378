"""What a page's text loses as fewer of its visual tokens are kept: readings at many ratios, compared.

Says which readings a curve takes and in which order, and turns each into a point. The order is all
tokens first, then automatic retention, then falling ratios: a reader that keeps the last text of a page
as its draft finds most of the next one in it. Knows no engine, no thread and no window; rapidfuzz is
imported with the first point.
"""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from rtocr_gui.ocr.reading import Reading, ReadSettings, StopReason

CURVE_RATIOS = (1.0, 0.95, 0.9, 0.84, 0.75, 0.65, 0.5, 0.25)
"""The ratios of a curve; the slider's detents are among them."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One reading of a curve.

    Attributes:
        retention: the ratio that was applied, in 0..1.
        automatic: True where the page decided on it.
        kept: visual tokens that were kept.
        total: visual tokens of the page.
        similarity: to the text of the all-token reading, in 0..1; see `comparison.similarity`.
        error_rate: character error rate against a truth; may exceed 1. None without a truth.
        prefill_ms: measured.
        decode_ms: measured; short where the text was verified from a draft.
        tokens: generated tokens.
        passes: forward passes of the decoder after the prefill.
        stop_reason: why the reading ended.
    """

    retention: float
    automatic: bool
    kept: int
    total: int
    similarity: float
    error_rate: float | None
    prefill_ms: float
    decode_ms: float
    tokens: int
    passes: int
    stop_reason: StopReason

    @property
    def is_whole(self) -> bool:
        """True where the model came to an end by itself, neither looping nor cut."""
        return self.stop_reason is StopReason.END

    @property
    def chosen_retention(self) -> float | None:
        """What to set in order to read like this point: its ratio, or None for automatic."""
        return None if self.automatic else self.retention

    @classmethod
    def of(cls, reading: Reading, all_tokens_text: str, truth: str | None) -> Self:
        """Compare a reading.

        Args:
            reading: at some ratio.
            all_tokens_text: of the same page, read with all visual tokens.
            truth: what the page really says, where that is known.
        """
        from rtocr_gui.ocr.text.comparison import character_error_rate, similarity

        return cls(
            retention=reading.retention,
            automatic=reading.automatic,
            kept=reading.kept,
            total=reading.total,
            similarity=similarity(reading.text, all_tokens_text),
            error_rate=None if truth is None else character_error_rate(reading.text, truth),
            prefill_ms=reading.timings.prefill_ms,
            decode_ms=reading.timings.decode_ms,
            tokens=len(reading.token_ids),
            passes=reading.passes,
            stop_reason=reading.stop_reason,
        )


def curve_settings(settings: ReadSettings) -> tuple[ReadSettings, ...]:
    """The readings a curve takes, in the best order; the first keeps all tokens.

    Args:
        settings: of a reading of the page; all but its ratio stays.
    """
    first, *falling = CURVE_RATIOS
    return tuple(
        dataclasses.replace(settings, pruning=dataclasses.replace(settings.pruning, retention=ratio))
        for ratio in (first, None, *falling)
    )


def read_curve(
    read: Callable[[ReadSettings], Reading], settings: ReadSettings, truth: str | None
) -> Iterator[CurvePoint]:
    """Read a page at every ratio of a curve; ends early where a reading is cancelled.

    Args:
        read: reads the page once.
        settings: of a reading of the page; all but its ratio stays.
        truth: what the page really says, where that is known.

    Yields:
        A point after each reading, the all-token reading first.
    """
    all_tokens_text: str | None = None
    for wanted in curve_settings(settings):
        reading = read(wanted)
        if reading.stop_reason is StopReason.CANCELLED:
            return
        if all_tokens_text is None:
            all_tokens_text = reading.text
        yield CurvePoint.of(reading, all_tokens_text, truth)


def doubt(points: tuple[CurvePoint, ...]) -> str:
    """Say what makes a curve hard to trust, in a sentence; empty where nothing does.

    Everything is compared with the all-token reading, so a fault of that one touches every point.
    """
    reference = next((point for point in points if point.kept == point.total), None)
    if reference is None or reference.is_whole:
        return ""
    what = (
        "began to repeat itself"
        if reference.stop_reason is StopReason.LOOP
        else "was cut at its greatest length"
    )
    return (
        f"The all-token reading {what}, so similarity to it says little: a reading that differs may be the "
        "better one."
    )
