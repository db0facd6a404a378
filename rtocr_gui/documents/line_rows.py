"""Finds the rows of ink that the lines of print in one column take up."""

import math

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.documents.masks import Mask

Range = tuple[int, int]
"""The first, and the one after the last."""

_LEAST_HEIGHT_PX = 4
"""Lower runs of rows are dust, dotted rules, or the dots of letters."""

_LEAST_LIKENESS = 0.3
"""How much the ink must be like itself, some rows farther down, for that to be the distance of lines."""

_THIN, _FLOOR = 0.35, 1.5
"""Share of the ink of the fullest row above and below that a row between touching lines has at most, and how
many times as much as such a row the first and last ones of a line have at least."""


def line_rows(ink: Mask) -> list[Range]:
    """Return the first row of each line, and the row after its last."""
    counts = ink.sum(axis=1)
    joined: list[Range] = []
    for top, bottom in runs(counts > 1):
        # The dots and accents of letters stand above them, with a small gap.
        if joined and top - joined[-1][1] <= 2 and joined[-1][1] - joined[-1][0] < _LEAST_HEIGHT_PX:
            top = joined.pop()[0]
        joined.append((top, bottom))
    ranges = [each for each in joined if each[1] - each[0] >= _LEAST_HEIGHT_PX]
    if not ranges:
        return []
    height = min(float(np.median([bottom - top for top, bottom in ranges])), _line_distance(counts))
    return [part for each in ranges for part in _apart(counts, each, height)]


def _line_distance(counts: NDArray[np.int64]) -> float:
    """Return after how many rows the ink of a page repeats itself; infinity if it does not.

    Lines that all touch each other are not told apart by blank rows.
    """
    around = counts - counts.mean()
    spectrum = np.abs(np.fft.rfft(around, 2 * len(around))) ** 2
    likeness = np.fft.irfft(spectrum)[: len(around) // 2]
    least = _LEAST_LIKENESS * likeness[:1]
    is_peak = (likeness[1:-1] > likeness[:-2]) & (likeness[1:-1] >= likeness[2:]) & (likeness[1:-1] > least)
    peaks = np.flatnonzero(is_peak) + 1
    peaks = peaks[peaks >= 2 * _LEAST_HEIGHT_PX]
    return float(peaks[0]) if len(peaks) else math.inf


def _apart(counts: NDArray[np.int64], lines: Range, height: float, least: float = 0) -> list[Range]:
    """Part lines that touch each other, or that a stroke runs across, where their ink is thinnest.

    Args:
        counts: how much ink each row has.
        lines: the rows of the lines.
        height: that of most lines.
        least: how much ink the first and the last row of a line must exceed.
    """
    full = lines[0] + np.flatnonzero(counts[slice(*lines)] > least)
    top, bottom = int(full[0]), int(full[-1]) + 1
    first, last = round(top + 0.5 * height), round(bottom - 0.5 * height)
    if bottom - top < 1.4 * height or first >= last:
        return [(top, bottom)]
    ink = counts[top:bottom]
    above, below = np.maximum.accumulate(ink), np.maximum.accumulate(ink[::-1])[::-1]
    is_thin = ink <= _THIN * np.minimum(above, below)
    is_thin[: first - top] = is_thin[last - top :] = False
    if not is_thin.any():
        return [(top, bottom)]
    thinnest = top + int(np.where(is_thin, ink, math.inf).argmin())
    parts = (top, thinnest), (thinnest, bottom)
    return [each for part in parts for each in _apart(counts, part, height, _FLOOR * counts[thinnest])]


def runs(mask: NDArray[np.bool_]) -> list[Range]:
    """Return where each run of true values begins, and where it ends, exclusive."""
    changes = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))
