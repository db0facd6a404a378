"""Finds where the parts of a text are printed, from rough boxes and from the lines of print.

A small model tells what a part says better than where it is. So all lines of the text are matched with the
lines of print in order, as `text_places` does for words; a line of print costs more the farther it is from
the box of the part. Knows no model.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rtocr_gui.documents.line_matching import Match
from rtocr_gui.documents.print_lines import PrintLine, find_print_lines
from rtocr_gui.documents.text_places import Box, TextPart, around, line_up

_AWAY, _NEAR_AWAY = 10.0, 0.01
"""What it costs that print is the height of the page above or below the box of its text, where print that is
twice as long as its text costs 1.2; and what part of that height is not counted."""

_BESIDE, _NEAR_BESIDE = 2.0, 0.1
"""The same of print that is beside the box, in widths of the page: a line across columns is not in one."""

_MOST_ASTRAY = 0.7
"""The most that it costs: a box may be far too low for its text, and the print below belongs to it too."""

_ABOVE, _BELOW = 0.2, 0.3
"""Blank that belongs to a part above and below its print, in heights of its lines of print."""


def place_parts(parts: Sequence[TextPart], page: Image.Image) -> list[Box | None]:
    """Find where the parts of a text are printed.

    Args:
        parts: the text in the order in which it was read, without markup, with boxes that may be rough.
        page: the picture of the page.

    Returns:
        The box of the print of each part; None where none was found.
    """
    texts = [(number, words) for number, part in enumerate(parts) for words in part.lines]
    owners, lines = [owner for owner, _ in texts], [words for _, words in texts]
    boxes = [parts[owner].box for owner in owners]
    orders = dict.fromkeys(find_print_lines(page)) if lines else ()
    matches = line_up(lines, orders, partial(_astray, boxes, page.size)).matches
    printed: list[list[Box]] = [[] for _ in parts]
    for text, extent in _places(matches):
        printed[owners[text]].append(extent)
    return [None if place is None else _on_page(place, page) for place in map(around, printed)]


def _astray(
    boxes: Sequence[Box | None], page_size_px: tuple[int, int], prints: Sequence[PrintLine]
) -> NDArray[np.float64]:
    """Return (T, P) what it costs that each text stands on each line of print, by where its box is."""
    across, down = page_size_px
    lefts, rights = np.array([(line.strokes[0][0], line.strokes[-1][1]) for line in prints]).T
    slopes, edges = np.array([(line.slope, line.top + line.bottom) for line in prints]).T
    middles = (edges + slopes * (lefts + rights)) / 2
    costs = np.zeros((len(boxes), len(prints)))
    for row, box in enumerate(boxes):
        if box is not None:
            left, top, right, bottom = box
            away = np.maximum(top - middles, middles - bottom) / down
            beside = (np.maximum(left - lefts, 0) + np.maximum(rights - right, 0)) / across
            costs[row] = _AWAY * np.maximum(away - _NEAR_AWAY, 0)
            costs[row] += _BESIDE * np.maximum(beside - _NEAR_BESIDE, 0)
    return np.minimum(costs, _MOST_ASTRAY)


def _places(matches: Sequence[Match]) -> Iterator[tuple[int, Box]]:
    """Yield the place of each piece of print, with the number of the line of text that it shows."""
    for texts, prints in matches:
        for line in prints:
            upper, lower = line.top - _ABOVE * line.height, line.bottom + _BELOW * line.height
            # Several lines of text on one of print are cells, which have wide gaps between them.
            for text, (left, right) in zip(texts, line.cut(len(texts)), strict=False):
                falls = line.slope * left, line.slope * right
                yield text, (left, upper + min(falls), right, lower + max(falls))


def _on_page(box: Box, page: Image.Image) -> Box:
    left, top, right, bottom = box
    return max(left, 0), max(top, 0), min(right, page.width), min(bottom, page.height)
