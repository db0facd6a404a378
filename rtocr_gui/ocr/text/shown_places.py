"""Traces the characters of a text that a person may have corrected back to the text as it was read.

Knows two texts and nothing about tokens, blocks or windows; imports rapidfuzz only for a corrected text.
"""

import re

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.text.comparison import Change, compare_texts

NOWHERE = -1
"""Position of a character that was not read but typed."""

_BLANK = re.compile(r"\s")


def origins(read: str, shown: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the characters of `read` that each character of `shown` stands for.

    A word that a person typed in place of another word stands for it; text typed in place of several
    words, or of nothing, stands for nothing that was read.

    Args:
        read: the text as it was read, without markup.
        shown: the text as it stands now.

    Returns:
        First and last character in `read`, each (length of `shown`,) and ascending except for `NOWHERE`.
    """
    first = np.full(len(shown), NOWHERE)
    last = np.full(len(shown), NOWHERE)
    if read == shown:
        first[:] = last[:] = np.arange(len(read))
        return first, last
    for segment in compare_texts(read, shown).segments:
        read_part, shown_part = slice(*segment.left), slice(*segment.right)
        if segment.change is Change.EQUAL:
            first[shown_part] = last[shown_part] = np.arange(*segment.left)
        elif segment.change is Change.REPLACED and not _BLANK.search(read[read_part] + shown[shown_part]):
            first[shown_part], last[shown_part] = read_part.start, read_part.stop - 1
    return first, last
