"""Compares readings of a page at many retention ratios: what the text loses as fewer tokens are kept.

Defines which readings a curve needs and in which order, and turns each into a point. The order is all
tokens first, then automatic retention, then falling ratios, so that the previous text of the page is a good
draft for the next one. Knows no engine, no thread and no window; imports rapidfuzz with the first point.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
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
        automatic: True if the ratio came from the page.
        kept: number of visual tokens kept.
        total: number of visual tokens on the page.
        similarity: similarity to the text of the all-token reading, in 0..1; see `comparison.similarity`.
        error_rate: character error rate against the true text; may exceed 1. None without a true text.
        prefill_ms: measured time of the prefill.
        decode_ms: measured time of decoding; short if the text was verified from a draft, long if
            other pages were decoded in the same passes.
        tokens: generated tokens.
        passes: forward passes of the decoder after the prefill.
        read_together: True if other pages took part in some of them.
        stop_reason: why the reading ended.
        words: number of words in the text.
        unsure_words: how many of them the model was unsure of, which hints at errors without a true text.
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
    read_together: bool
    stop_reason: StopReason
    words: int
    unsure_words: int

    @property
    def is_whole(self) -> bool:
        """True if the model ended the text itself, without a loop or a cut."""
        return self.stop_reason is StopReason.END

    @property
    def sure_share(self) -> float | None:
        """Share of the words that the model was sure of, in 0..1; None without words."""
        return 1 - self.unsure_words / self.words if self.words else None

    @property
    def chosen_retention(self) -> float | None:
        """The setting that reads like this point: its ratio, or None for automatic."""
        return None if self.automatic else self.retention

    @classmethod
    def of(cls, reading: Reading, all_tokens_text: str, truth: str | None) -> Self:
        """Make the point of a reading.

        Args:
            reading: a reading at any ratio.
            all_tokens_text: text of the same page, read with all visual tokens.
            truth: true text of the page, if known.
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
            read_together=reading.read_together,
            stop_reason=reading.stop_reason,
            words=reading.word_count,
            unsure_words=len(reading.unsure_words),
        )


def curve_settings(settings: ReadSettings) -> tuple[ReadSettings, ...]:
    """Return the settings of the readings a curve needs, in the best order; the first keeps all tokens.

    Args:
        settings: settings of a reading of the page; only the ratio is changed.
    """
    first, *falling = CURVE_RATIOS
    return tuple(
        dataclasses.replace(settings, pruning=dataclasses.replace(settings.pruning, retention=ratio))
        for ratio in (first, None, *falling)
    )


def read_curve(
    read: Callable[[ReadSettings], Reading], settings: ReadSettings, truth: str | None
) -> Iterator[CurvePoint]:
    """Read a page at every ratio of a curve; ends early if a reading is cancelled.

    Args:
        read: reads the page once.
        settings: settings of a reading of the page; only the ratio is changed.
        truth: true text of the page, if known.

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


def doubt(points: Sequence[CurvePoint]) -> str:
    """Explain in a sentence why a curve is hard to trust; empty if there is no reason.

    Every point is compared with the all-token reading, so a fault in that one affects all of them.
    """
    reference = next((point for point in points if point.kept == point.total), None)
    if reference is None or reference.is_whole:
        return ""
    what = (
        "began to repeat itself"
        if reference.stop_reason is StopReason.LOOP
        else "was cut off at the length limit"
    )
    return (
        f"The all-token reading {what}, so similarity to it says little: a reading that differs may be the "
        "better one."
    )
