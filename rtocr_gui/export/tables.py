"""Converts HTML tables in Markdown to pipe tables where possible without loss.

The model writes tables as HTML, which every Markdown program renders but which is hard to read and edit as
text. A pipe table has one header row, no cells that span columns or rows, and one line per row; a table that
needs more, is nested or is not well formed is left exactly as it is, and so is one that begins no line, holds
a blank line, or is in a list, a quotation, code or a comment. The first row becomes the header, as the model
does not mark one. Also finds what would close a table or a block of code that a text leaves open. Knows no
page and no file.
"""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from rtocr_gui.export.blocks import SENTINEL_PARAGRAPH, blocks_of, missing_breaks, tags_of, tokens_of
from rtocr_gui.export.formulae import Formulae

if TYPE_CHECKING:
    from markdown_it.token import Token

_TABLE_TAG = re.compile(r"<(?:table\b|(/)table\s*>)", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BAR = re.compile(r"\\.|\|", re.DOTALL)
"""A bar, or a one-character command: a bar after a line break `\\\\` is not a norm bar."""
_REMARK = re.compile(r"<[!?]")
_SPECIAL = re.compile(r"([\\`*_\[\]~|])")
_PARENTS = {
    "table": ("",),
    "thead": ("table",),
    "tbody": ("table",),
    "tfoot": ("table",),
    "tr": ("table", "thead", "tbody", "tfoot"),
    "td": ("tr",),
    "th": ("tr",),
}
_INLINE = frozenset({"b", "strong", "i", "em", "u", "s", "sub", "sup", "code", "small"})
_CELLS = ("td", "th")
_RAW_ENDS = (
    ("<!--", "-->"),
    ("<![cdata[", "]]>"),
    ("<!", ">"),
    ("<?", "?>"),
    ("<pre", "</pre>"),
    ("<script", "</script>"),
    ("<style", "</style>"),
    ("<textarea", "</textarea>"),
)
"""How HTML begins that blank lines do not end in Markdown, and what ends it."""
_RAW = re.compile("|".join(re.escape(begin) for begin, _ in _RAW_ENDS), re.IGNORECASE)
_OPENING = re.compile(f"```|~~~|<table|{_RAW.pattern}", re.IGNORECASE)


def with_pipe_tables(markdown: str) -> str:
    """Convert HTML tables to pipe tables where possible; everything else is unchanged."""
    pieces: list[str] = []
    done = 0
    for start, end in _tables(markdown):
        rows = _rows_of(markdown[start:end])
        if rows is not None:
            before, after = markdown[done:start], markdown[end:]
            pieces += [before, missing_breaks(before[::-1])]
            pieces += [_pipe_table(rows), missing_breaks(after)]
            done = end
    return "".join([*pieces, markdown[done:]])


def missing_ends(markdown: str) -> str:
    """Return what closes the block or tables that a text leaves open, e.g. because it was stopped."""
    if not _OPENING.search(markdown):
        return ""
    tokens = tokens_of(markdown + SENTINEL_PARAGRAPH)
    end = _end_of(tokens[-1])
    return "\n".join(filter(None, (end, "</td></tr></table>" * open_tables(tags_of(tokens)))))


def open_tables(tags: str, before: int = 0) -> int:
    """Return how many tables are open after some HTML, given how many are before it."""
    for tag in _TABLE_TAG.finditer(_COMMENT.sub("", tags)):
        before = max(0, before - 1) if tag[1] else before + 1
    return before


def _end_of(last: "Token") -> str:
    """Return what ends a fence or a block of HTML; empty for what a blank line ends."""
    if last.type == "fence":
        return last.markup
    begins = last.content.lstrip().lower() if last.type == "html_block" else ""
    return next((end for begin, end in _RAW_ENDS if begins.startswith(begin)), "")


def _tables(markdown: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each table that begins a line of HTML, or follows one that does."""
    blocks = blocks_of(markdown) if _TABLE_TAG.search(markdown) else []
    depth = 0
    for block in blocks:
        if block.kind == "html_block" and not depth:
            raw = _RAW.search(markdown, block.start, block.end)
            yield from _tables_within(markdown, block.start, raw.start() if raw else block.end)
        depth = open_tables(block.tags, depth)


def _tables_within(markdown: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield those of one block, which begins a line; tables in others are part of these."""
    depth, done, begins_line = 0, start, True
    for tag in _TABLE_TAG.finditer(markdown, start, end):
        if not tag[1]:
            if not depth:
                before = markdown[done : tag.start()].rstrip(" \t")
                begins_line = before.endswith(("\r", "\n")) or (begins_line and not before)
                start = done + len(before)
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                done = tag.end()
                if begins_line:
                    yield start, done


class _Refused(Exception):
    """The table cannot be written as a pipe table."""


class _TableParser(HTMLParser):
    """Collects the cells of one well-formed table; anything else is refused.

    Attributes:
        rows: the cells of each row, as Markdown.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self._cell: list[str] = []
        self._text: list[str] = []

    @property
    def is_closed(self) -> bool:
        """True if every element has been closed."""
        return not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_text()
        parent = self._open[-1] if self._open else ""
        spans = any(name in ("rowspan", "colspan") and value != "1" for name, value in attrs)
        if tag == "br" and self._in_cell:
            self._cell.append("<br>")
            return
        if tag in _INLINE and self._in_cell:
            self._cell.append(f"<{tag}>")
        elif parent not in _PARENTS.get(tag, ()) or spans:
            raise _Refused
        elif tag == "tr":
            self.rows.append([])
        elif tag in _CELLS:
            self._cell = []
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # HTML ignores the slash

    def handle_endtag(self, tag: str) -> None:
        self._end_text()
        if not self._open or self._open.pop() != tag:
            raise _Refused
        if tag in _CELLS:
            self.rows[-1].append(" ".join("".join(self._cell).split()))
        elif tag in _INLINE:
            self._cell.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self._text.append(data)
        elif data.strip():
            raise _Refused

    def _end_text(self) -> None:
        """Escape the text before a tag as a whole: a < within a formula ends a piece of it."""
        self._cell.append(_escaped("".join(self._text)))
        self._text = []

    @property
    def _in_cell(self) -> bool:
        return any(tag in _CELLS for tag in self._open)


def _rows_of(table: str) -> list[list[str]] | None:
    """Return the rows of a table as Markdown, all of equal length; None if pipes cannot express it."""
    if _REMARK.search(table):
        return None
    parser = _TableParser()
    try:
        parser.feed(table)
        parser.close()
    except _Refused:
        return None
    width = max((len(row) for row in parser.rows), default=0)
    if not width or not parser.is_closed:
        return None
    return [row + [""] * (width - len(row)) for row in parser.rows]


def _escaped(text: str) -> str:
    """Escape plain text for a cell; formulae stay unchanged except for bars, which would end the cell."""
    pieces = list(Formulae(text).pieces())
    plain = [html.escape(_SPECIAL.sub(r"\\\1", piece), quote=False) for piece in pieces[0::2]]
    formulae = [_BAR.sub(_spelt_bar, html.escape(piece, quote=False)) for piece in pieces[1::2]]
    return "".join(piece for pair in zip(plain, [*formulae, ""], strict=True) for piece in pair)


def _spelt_bar(found: re.Match[str]) -> str:
    """Spell a bar or a norm bar of a formula without the character `|`; other commands stay."""
    return {"|": r"\vert ", r"\|": r"\Vert "}.get(found[0], found[0])


def _pipe_table(rows: list[list[str]]) -> str:
    header, *body = [f"| {' | '.join(row)} |" for row in rows]
    rule = f"|{' --- |' * len(rows[0])}"
    return "\n".join([header, rule, *body])
