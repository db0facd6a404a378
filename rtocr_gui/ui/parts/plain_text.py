"""How Qt handles plain text: in a fixed-width font, in tooltips, and counted in UTF-16."""

import html
import re
from collections.abc import Sequence
from itertools import accumulate

from PySide6.QtGui import QFont, QFontDatabase

_UNRULY = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_UNIT = re.compile(r"(?<=\d) (?=(?:%|[kMG]B|bytes|m?s|min|h)(?!\w))")
_LONG_WORD = re.compile(r"[^\s/\\\u200b]{40}(?=[^\s/\\\u200b\u0300-\u036f])")


def qt_begins(text: str) -> Sequence[int]:
    """UTF-16 positions of each character and the end: beyond the Basic Multilingual Plane each takes two."""
    if max(text, default="") <= "\uffff":
        return range(len(text) + 1)
    return [*accumulate((1 + (character > "\uffff") for character in text), initial=0)]


def fixed_font(like: QFont) -> QFont:
    """The system's fixed-width font, in the size of another."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPointSizeF(like.pointSizeF())
    return font


def one_line(text: str) -> str:
    """A text, such as a file name, that neither breaks the line it is in nor turns what surrounds it."""
    return _UNRULY.sub("\N{REPLACEMENT CHARACTER}", text)


def breakable(text: str) -> str:
    """A text in which words too long for a line, such as file names, can be broken."""
    return _LONG_WORD.sub("\\g<0>\u200b", text)


def tied(text: str) -> str:
    """A text in which no line ends between a figure and its unit."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", text)


def plain_tip(text: str) -> str:
    """A tooltip for text from outside, such as file names, that never mistakes it for rich text."""
    return f'<span style="white-space: pre-wrap">{html.escape(text)}</span>'
