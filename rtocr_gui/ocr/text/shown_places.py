"""Where the characters of a text come from that a person may have corrected.

Knows two texts and nothing of tokens, blocks or windows; loads rapidfuzz when a text was corrected.
"""

import re

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.text.comparison import Change, compare_texts

NOWHERE = -1
"""Stands for the place of what nobody read."""

_BLANK = re.compile(r"\s")


def origins(read: str, shown: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell what was read where each character of a shown text stands now.

    A word that a person typed in place of another stands for that one; text typed in place of several
    words, or of nothing, stands for nothing that was read.

    Args:
        read: text as it was read, without markup.
        shown: the same as it stands now.

    Returns:
        First and last character of `read`, each (length of `shown`,) and ascending but for `NOWHERE`.
    """
    first = np.full(len(shown), NOWHERE)
    last = np.full(len(shown), NOWHERE)
    if read == shown:
        first[:] = last[:] = np.arange(len(read))
        return first, last
    for segment in compare_texts(read, shown).segments:
        said, seen = slice(*segment.left), slice(*segment.right)
        if segment.change is Change.EQUAL:
            first[seen] = last[seen] = np.arange(*segment.left)
        elif segment.change is Change.REPLACED and not _BLANK.search(read[said] + shown[seen]):
            first[seen], last[seen] = said.start, said.stop - 1
    return first, last
