"""Finds where lines of print are only the lines of one paragraph, so that they can be joined.

A model that reads line by line ends its lines where the printed ones end. Where a line was full, its
paragraph goes on in the next. Knows characters, and which words follow a hyphen that stays. A salutation or
a signature that is as long as full lines is joined like them.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from rtocr_gui.ocr.text.text_search import is_chinese_or_japanese

Join = tuple[int, int, str]
"""Start and end (exclusive) of what separates two lines, and what to write there."""

_FULL = 0.93
"""How long, as a share of the usual length, a line would have been with the first word of the next."""

_USUAL = 0.8
"""Share of the lines around that are no longer than usual ones."""

_LONGEST = 130
"""Most characters of a line of print; longer ones are paragraphs."""

_ALIKE, _FEWEST_ALIKE = 0.2, 0.22
"""How much full lines differ, as a share of the usual length, and the least share of lines that are full."""

_ALIKE_PER_LONGER = 3
"""Fewest full lines for each that is longer; the lengths of paragraphs differ more than those of lines."""

_WHOLE_SENTENCE = 0.9
"""Below this share of the usual length, a line that ends with a sentence is the last one of its paragraph.

One that is longer than full lines is a whole paragraph.
"""

_BETWEEN_BLOCKS = re.compile(
    r"(^`{3,}[^`\n]*\n.*?(?:^`{3,}|\Z)|^~{3,}.*?(?:^~{3,}|\Z)|\n(?:[ \t]*\n)+)", re.DOTALL | re.MULTILINE
)
"""Code between fences, or from one to the end, and empty lines."""

_NO_PROSE = re.compile(r"\s{4}|[#|<>]|```|[\W_]+$|.*(?:\t|\|| {3}|(?:[.…·] ?){4})")
"""Headings, tables, quotations, code, rules, lines in columns, and leaders."""

_CHINESE_FIGURE = r"[\d一二三四五六七八九十百]{1,3}"
_ITEM = re.compile(
    # The ranges are arrows, figures and letters in circles, and shapes, ticks and other symbols.
    r"\s*(?:[-*+•–—·]\s|[‣⁃\u2190-\u21ff\u2460-\u24ff\u25a0-\u27bf]"
    r"|\(?(?:\d{1,3}|[a-z]|[ivx]{2,5}|[IVX]{2,5})[.)]\s|\(?[A-Z]\)\s|\d{1,3}(?:\.\d{1,3})+\.?\s+[^\W\d_a-z]"
    rf"|第{_CHINESE_FIGURE}[条條章节節]\s|[（(]?{_CHINESE_FIGURE}[、．）)])"
)
"""What begins an item of a list, or a heading with a number."""

_NUMBER = re.compile(r"\s*(?:\[\d{1,3}\]|(?:Art\.|§) ?\d{1,3}|\d{1,3}(?:\.\d{1,3})+|[A-Z](?=[.:]))[.:)]?\s")
"""What begins an item as well, but after a sentence or another item only."""

_FIGURE_LAST = re.compile(r"\d ?(?:[%$€£¥円元]|[A-Z]{3})?$")
_SENTENCE_END = re.compile(r"[.!?:;…。！？：；．][\"'”’»)」』）】]*$")
_HYPHENATED = re.compile(r"[^\W\d_][-\u00ad\u2010]$")
_SUSPENDED = re.compile(r"[-\u2010](?:and|or|to(?= \S*-)|und|oder|bzw\.|sowie|en|of|et|ou|y|e|o)(?!\S)")
"""A hyphen at the end of a line that is no division, and the next word, as in `short- or long-term`.

`to` ends too many words elsewhere: `mol-to`.
"""


def line_joins(text: str) -> tuple[Join, ...]:
    """Find the ends of lines after which a paragraph goes on.

    Args:
        text: as it was read; lines end with a newline.

    Returns:
        Where to join lines, in order, and by what: a blank; nothing in Chinese and Japanese; and nothing in
        the place of a hyphen, where a word goes on in lower case. The hyphen of `short- or long-term` stays.
    """
    joins: list[Join] = []
    place = 0
    for block in _BETWEEN_BLOCKS.split(text):
        lines = block.split("\n")
        printed = [] if block.startswith(("```", "~~~")) else list(filter(str.strip, lines))
        usual = _usual_length(printed)
        are_paragraphs = _are_paragraphs(printed, usual)
        rows = _table_rows(lines)
        for (line, is_row), (following, is_row_next) in pairwise(zip(lines, rows, strict=True)):
            end = place + len(line)
            if usual and not (is_row or is_row_next) and _goes_on(line, following, usual, are_paragraphs):
                joins.append(_join(line, following, end))
            place = end + 1
        place += len(lines[-1])
    return tuple(joins)


def with_lines_joined(text: str) -> str:
    """Return a text with one line for each paragraph."""
    pieces: list[str] = []
    place = 0
    for start, end, between in line_joins(text):
        pieces += text[place:start], between
        place = end
    return "".join([*pieces, text[place:]])


def _usual_length(lines: Sequence[str]) -> int:
    """Return how long full lines are; 0 if lines do not end because they are full."""
    lengths = sorted(map(len, lines)) or [0]
    usual = lengths[round(_USUAL * (len(lengths) - 1))]
    alike = sum(abs(length - usual) <= _ALIKE * usual for length in lengths)
    longer = sum(length > (1 + _ALIKE) * usual for length in lengths)
    fewest = max(_FEWEST_ALIKE * len(lengths), min(2, len(lengths) - 1), _ALIKE_PER_LONGER * longer)
    return usual if usual <= _LONGEST and alike >= fewest else 0


def _are_paragraphs(lines: Sequence[str], usual: int) -> bool:
    """True if most full lines end with a sentence; those of print end anywhere in one."""
    full = [line for line in lines[:-1] if len(line) >= (1 - _ALIKE) * usual]
    return 2 * sum(_SENTENCE_END.search(line) is not None for line in full) > len(full)


def _table_rows(lines: Sequence[str]) -> list[bool]:
    """Tell which lines end with a figure, as the one before or after does."""
    figures = [_FIGURE_LAST.search(line) is not None for line in lines]
    around = zip([False, *figures], figures, [*figures[1:], False], strict=False)
    return [figure and (before or after) for before, figure, after in around]


def _goes_on(line: str, following: str, usual: int, are_paragraphs: bool) -> bool:
    words = following.split(maxsplit=1)
    if not (line.strip() and words):
        return False
    if _NO_PROSE.match(line) or _NO_PROSE.match(following) or _ITEM.match(following):
        return False
    is_sentence_end = _SENTENCE_END.search(line)
    if _NUMBER.match(following) and (is_sentence_end or _NUMBER.match(line)):
        return False
    if _HYPHENATED.search(line) and words[0][0].islower():
        return True
    is_full = _WHOLE_SENTENCE * usual <= len(line) <= (1 + _ALIKE) * usual
    if is_sentence_end and (are_paragraphs or not is_full):
        return False
    first = 1 if is_chinese_or_japanese(words[0][0]) else len(words[0])
    return len(line) + 1 + first >= _FULL * usual


def _join(line: str, following: str, end: int) -> Join:
    start, stop = len(line) - len(line.rstrip()), len(following) - len(following.lstrip())
    first, last = following.lstrip()[0], line.rstrip()[-1]
    if _HYPHENATED.search(line.rstrip()) and not _SUSPENDED.match(last + following.lstrip()):
        return (end - start - first.islower(), end + 1 + stop, "")
    between = "" if is_chinese_or_japanese(first) and is_chinese_or_japanese(last) else " "
    return (end - start, end + 1 + stop, between)
