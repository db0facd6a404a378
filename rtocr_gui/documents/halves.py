"""Cuts a page into halves along a seam between its lines or columns. Knows pixels, no file formats."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rtocr_gui.documents.pages import Half

_LONGEST_PX = 1600
"""Longest side of the page on which the seam is found: lines of print are still apart."""

_MIDDLE_SHARE = 1 / 3
"""Share of the page, around its middle, in which the seam runs."""

_ROW_PX, _COLUMN_PX = 2, 8
"""Size of the cells from which the seam is made, across and along it."""

_STEEPEST = 2
"""Most rows that the seam rises or falls from one column to the next: more than a page is skewed."""

_STEP_COST, _DETOUR_COST = 0.05, 0.1
"""Cost of a row of rise, and of a cell at the edge of the middle, where a cell of average ink costs 1."""


def cut_half(page: Image.Image, half: Half) -> Image.Image:
    """Cut out one half of a page.

    The seam crosses as little print as possible, near the middle. What lies beyond it in the half is painted
    in the colour of the paper, so both halves together show everything once.

    Args:
        page: RGB, at least 2 x 2.
        half: which half.

    Returns:
        The half, as wide or as high as the page.
    """
    if half.is_beside:
        # Transposing takes the left half to the top, as a quarter turn does.
        turned = cut_half(page.transpose(Image.Transpose.TRANSPOSE), half.rotated(90))
        return turned.transpose(Image.Transpose.TRANSPOSE)
    seam = _find_seam(page)
    low, high = int(seam.min()), int(seam.max())
    band = np.asarray(page.crop((0, low, page.width, high + 1)))
    paper = np.median(band[seam - low, np.arange(page.width)], axis=0).round().astype(np.uint8)
    is_above = np.arange(low, high + 1)[:, None] < seam
    kept = is_above if half.is_first else ~is_above
    part = page.crop((0, 0, page.width, high) if half.is_first else (0, low, page.width, page.height))
    part.paste(Image.fromarray(np.where(kept[:, :, None], band, paper)), (0, low if half.is_first else 0))
    return part


def _find_seam(page: Image.Image) -> NDArray[np.intp]:
    """Find the first row below the seam in each column of pixels: (W,), each in 1..H - 1."""
    width, height = page.size
    ink = _ink(page)
    rows, columns = ink.shape
    cost = ink + _DETOUR_COST * np.abs(np.linspace(-1, 1, rows))[:, None]
    steps = np.arange(-_STEEPEST, _STEEPEST + 1)
    least, came_from = cost[:, 0], np.zeros((columns, rows), np.intp)
    for column in range(1, columns):
        padded = np.pad(least, _STEEPEST, constant_values=np.inf)
        before = np.lib.stride_tricks.sliding_window_view(padded, len(steps)) + _STEP_COST * np.abs(steps)
        best = before.argmin(axis=1)
        came_from[column] = np.arange(rows) + steps[best]
        least = before.min(axis=1) + cost[:, column]
    path = [int(least.argmin())]
    for column in range(columns - 1, 0, -1):
        path.append(int(came_from[column, path[-1]]))
    share = (1 - _MIDDLE_SHARE) / 2 + _MIDDLE_SHARE * (np.array(path[::-1]) + 0.5) / rows
    along = np.interp((np.arange(width) + 0.5) / width, (np.arange(columns) + 0.5) / columns, share)
    seam: NDArray[np.intp] = np.clip((along * height).round().astype(np.intp), 1, height - 1)
    return seam


def _ink(page: Image.Image) -> NDArray[np.float32]:
    """Measure how much the grey changes in each cell of the middle of a page, relative to the average."""
    width, height = page.size
    top, bottom = (round(height * (1 + sign * _MIDDLE_SHARE) / 2) for sign in (-1, 1))
    middle = page.crop((0, top, width, max(bottom, top + 1))).convert("L")
    scale = min(1.0, _LONGEST_PX / max(height, width))
    rows = max(1, round(middle.height * scale / _ROW_PX))
    columns = max(1, round(middle.width * scale / _COLUMN_PX))
    small = middle.resize((columns * _COLUMN_PX, rows * _ROW_PX), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.float32)
    change = np.abs(np.diff(grey, axis=0, prepend=grey[:1])) + np.abs(
        np.diff(grey, axis=1, prepend=grey[:, :1])
    )
    ink = change.reshape(rows, _ROW_PX, columns, _COLUMN_PX).mean(axis=(1, 3))
    measured: NDArray[np.float32] = ink / max(1e-6, float(ink.mean()))
    return measured
