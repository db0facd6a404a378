"""Judges whether much of the print on a page is missing in its text, by the strokes of the letters.

A model may leave out lines or columns without a sign. Letters are made of strokes: runs of columns with ink,
of which most letters have one, and touching letters one together. On 225 pages (20 of manuals, the others
drawn, a third of these as scans), true texts had at least 0.66 letters for each stroke, most of them more
than one. Knows no model.
"""

import numpy as np
from PIL import Image

from rtocr_gui.documents.print_fit import is_broad
from rtocr_gui.documents.print_lines import find_lines_across
from rtocr_gui.documents.printed_text import printed_text

_FEWEST_STROKES = 100
"""Below this, a page has too little print for a judgement."""

_LEAST_LETTERS = 0.6
"""Letters for each stroke below which much of the print is missing."""

_TALLEST = 2.5
"""Height from which lines are pictures and not counted, in heights of most lines."""

_STROKES_OF_BROAD = 2.5
"""Most strokes of a letter of Chinese, Japanese or Korean, on average."""


def count_strokes(page: Image.Image) -> int:
    """Count the strokes in the lines of print on a page."""
    lines = find_lines_across(page)
    if not lines:
        return 0
    tallest = _TALLEST * float(np.median([line.height for line in lines]))
    return sum(len(line.strokes) for line in lines if line.height <= tallest)


def has_unread_print(text: str, strokes: int) -> bool:
    """True if much of the print on a page is missing in a text that was read from all of it.

    Without any text it is False: the back of the sheet may shine through, and that there is none is told.

    Args:
        text: what was read, with its markup.
        strokes: as `count_strokes` counts them.
    """
    letters = sum(
        _STROKES_OF_BROAD if is_broad(letter) else 1.0
        for letter in printed_text(text)
        if not letter.isspace()
    )
    return strokes >= _FEWEST_STROKES and 0 < letters < _LEAST_LETTERS * strokes
