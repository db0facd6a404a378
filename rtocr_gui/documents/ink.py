"""Finds the ink of the print on a page, and levels it. Knows pixels, and no lines."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from rtocr_gui.documents.masks import Mask, grown
from rtocr_gui.documents.paper import LEAST_CONTRAST, Levels, Paper, find_paper

_LONGEST_PX = 1600
"""Longest side of the page on which lines are found: small print is still legible there."""

_DARK = 0.6
"""Share of the grey level of the paper below which what begins at an edge may surround it."""

_SHORTEST_EDGE, _FRINGE_PX = 1 / 20, 3
"""Share of an edge that is dark in one piece where a surround begins, and how far the surround blurs."""

_SHADED, _SHADING_PX, _AROUND = 0.75, 8, 0.1
"""Share of the grey level of the paper around below which a page is shaded; how far on each side its own is
averaged, so that most lines of print are lighter; and how far the lightest paper is looked for, as a share of
the longer side: light falls off more slowly."""

_STEEPEST, _SLOPE_STEPS = 0.06, (0.004, 0.0005)
"""Range in which the slope of the lines is searched for, and the steps, the first of which lead near it."""

_RULE_SHARE, _SHORTEST_RULE_PX = 1 / 6, 8
"""Straight runs of ink of this share of the longer side and more are rules, frames and parts of pictures."""


@dataclass(frozen=True, eq=False, slots=True)
class LevelledInk:
    """The print on a page, reduced to some size, with level lines and upright gutters.

    Attributes:
        ink: (H, W) where there is print, or something else that stands out from the paper, except rules and
            frames.
        shaded: (H, W) where the page, averaged over some pixels, is much darker than the paper around.
        size_px: width and height of the reduced page before it was levelled.
        slope: how much its lines fell from one pixel to the next on its right.
        lift: by how many rows its upper left corner was moved down.
        shift: by how many columns it was moved to the right.
    """

    ink: Mask
    shaded: Mask
    size_px: tuple[int, int]
    slope: float
    lift: int
    shift: int

    def before_levelling(self, mask: Mask) -> Mask:
        """Return what is marked (H, W) on the levelled page as it is on the reduced one."""
        width, height = self.size_px
        rows, columns = np.mgrid[:height, :width]
        level_rows = np.rint(rows - self.slope * columns).astype(np.int64) + self.lift
        level_columns = np.rint(columns + self.slope * rows).astype(np.int64) + self.shift
        found: Mask = mask[level_rows, level_columns]
        return found


def levelled_ink(page: Image.Image) -> LevelledInk:
    """Find the ink of the print on a page, and level it at the slope at which lines are told apart best.

    Args:
        page: RGB or grey.
    """
    scale = min(1.0, _LONGEST_PX / max(page.size))
    size = max(1, round(page.width * scale)), max(1, round(page.height * scale))
    grey = _without_surround(page.convert("L").resize(size, Image.Resampling.BOX))
    paper = find_paper(grey)
    ink = _ink(grey, paper.behind(grey))
    slope = _slope(ink)
    levelled, lift, shift = _levelled(ink, slope)
    shaded, _, _ = _levelled(_shaded(grey, paper), slope)
    return LevelledInk(_without_rules(levelled), shaded, size, slope, lift, shift)


def _without_surround(grey: Image.Image) -> Image.Image:
    """Paint what is dark around light paper like it: the lid of a scanner, corners of a levelled scan."""
    pixels = np.asarray(grey)
    paper = np.uint8(np.median(pixels))
    dark = pixels < _DARK * paper
    surround = np.zeros_like(dark)
    for turns in range(4):
        inwards, found = np.rot90(dark, turns), np.rot90(surround, turns)
        # Print that is cut by the edge is dark there too, but never for long.
        begins = _long_runs(inwards[:1], max(1, round(_SHORTEST_EDGE * inwards.shape[1])))
        found |= np.logical_and.accumulate(inwards) & begins
    return Image.fromarray(np.where(grown(surround, _FRINGE_PX), paper, pixels))


def _ink(grey: Image.Image, behind: Levels) -> Mask:
    """Tell print from the paper behind it."""
    contrast = np.abs(np.asarray(grey, np.int16) - behind)
    strong: Mask = contrast >= max(LEAST_CONTRAST, 0.3 * float(np.quantile(contrast, 0.995)))
    padded = np.pad(strong, 1)
    around = sum(
        padded[row : row + strong.shape[0], column : column + strong.shape[1]].astype(np.uint8)
        for row in range(3)
        for column in range(3)
    )
    return strong & (around > 2)  # not dust


def _shaded(grey: Image.Image, paper: Paper) -> Mask:
    """Tell where a page is much darker than the paper around."""
    reach = round(_AROUND * max(paper.squares.size))
    lightest = paper.squares.filter(ImageFilter.MaxFilter(2 * reach + 1))
    around = lightest.resize(grey.size, Image.Resampling.BILINEAR)
    shaded: Mask = np.asarray(grey.filter(ImageFilter.BoxBlur(_SHADING_PX))) < _SHADED * np.asarray(around)
    return shaded


def _without_rules(ink: Mask) -> Mask:
    length = max(round(max(ink.shape) * _RULE_SHARE), _SHORTEST_RULE_PX)
    return ink & ~_rules(ink, length) & ~_rules(ink.T, length).T


def _rules(ink: Mask, length: int) -> Mask:
    """Mark the long runs of ink along rows; where the page was levelled, these step to the rows beside."""
    around = np.pad(ink, ((2, 2), (0, 0)))
    runs = _long_runs(around[:-2] | around[1:-1] | around[2:], length)
    return runs[:-2] | runs[1:-1] | runs[2:]


def _long_runs(ink: Mask, length: int) -> Mask:
    """Mark the runs of at least `length` pixels in each row."""
    if ink.shape[1] < length:
        return np.zeros_like(ink)
    sums = np.pad(ink, ((0, 0), (1, 0))).cumsum(axis=1, dtype=np.int32)
    begins = (sums[:, length:] - sums[:, :-length]) == length
    changes = np.zeros((ink.shape[0], ink.shape[1] + 1), np.int32)
    changes[:, : begins.shape[1]] += begins
    changes[:, length : length + begins.shape[1]] -= begins
    return changes.cumsum(axis=1)[:, :-1] > 0


def _slope(ink: Mask) -> float:
    """Return the slope at which lines and the gaps between them are told apart best."""
    rows, columns = np.nonzero(ink)
    if not len(rows):
        return 0.0

    def contrast(slope: float) -> float:
        level = np.rint(rows - slope * columns).astype(np.int64)
        profile = np.bincount(level - level.min())
        return float((np.diff(profile.astype(np.float64)) ** 2).sum())

    best, reach = 0.0, _STEEPEST
    for step in _SLOPE_STEPS:
        steps = round(reach / step)
        around = (best + number * step for number in range(-steps, steps + 1))
        best = max(around, key=lambda slope: (contrast(slope), -abs(slope)))
        reach = step
    return best


def _levelled(ink: Mask, slope: float) -> tuple[Mask, int, int]:
    """Make lines level and gutters upright, and return by how much the corner was moved down and right."""
    rows, columns = ink.shape
    fall, lean = math.ceil(abs(slope) * columns), math.ceil(abs(slope) * rows)
    lift, shift = (fall, 0) if slope > 0 else (0, lean)
    levelled = np.zeros((rows + fall, columns + lean), np.bool_)
    old_rows, old_columns = np.nonzero(ink)
    new_rows = np.rint(old_rows - slope * old_columns).astype(np.int64) + lift
    new_columns = np.rint(old_columns + slope * old_rows).astype(np.int64) + shift
    levelled[new_rows, new_columns] = True
    return levelled, lift, shift
