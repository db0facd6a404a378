"""Renders Markdown as HTML for a preview: all text is seen, whatever tags are missing.

Formulae are shown as they are written. What looks like the address of a link that the text names elsewhere is
a source or a note more often, and is text.

Texts hold HTML that a model or a person wrote: tables that were cut short, names in angle brackets, tags
without an end. In the result every element is closed, none but known tags and attributes remain, and what
else looks like a tag is text. Pictures are the words that describe them. Elements that would take very long
to lay out are limited. Knows no widget.
"""

import html
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from rtocr_gui.export.blocks import markdown_parser
from rtocr_gui.export.formulae import DISPLAYED, Formulae

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MOST_TABLES = 3
"""Tables within each other; layout takes exponential time in their depth."""
MOST_OPEN = 32
"""Elements of all kinds within each other."""
MOST_BLANK_CELLS = 1000
"""Cells without text that tables with pipes get in all, for rows longer than their first."""
MOST_SPANNED = 50
"""Columns or rows of one cell."""

_PIPE = re.compile(r"(?<!\\)\|")
"""What separates cells: `escapedSplit` takes a pipe after any backslash as text."""
_LANGUAGE = re.compile(r"\{?[\w+#.-]*\}?")
"""What names the language of a code block, right after its fence; other words are more often decoration."""
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NO_TAG = re.compile(r"<(?!(?:[a-zA-Z][^<>]*|/[a-zA-Z][a-zA-Z0-9]*\s*)>)")
_EMPTY = frozenset({"br", "hr", "img"})
_ROWS = frozenset({"table", "thead", "tbody", "tfoot", "tr"})
_CELLS = frozenset({"td", "th"})
_OTHERS = frozenset(
    {
        *("a", "b", "blockquote", "caption", "center", "cite", "code", "dd", "del", "div", "dl", "dt", "em"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s"),
        *("small", "span", "strike", "strong", "sub", "sup", "tt", "u", "ul", "var"),
    }
)
_KNOWN = _EMPTY | _ROWS | _CELLS | _OTHERS
_ATTRIBUTES = frozenset({"align", "border", "colspan", "href", "rowspan", "start", "style"})
_VALUELESS = frozenset({"border", "nowrap"})
"""Attributes that need no value; any other word without one shows that a tag is none."""
_BRACKET = "-qt-list-number-suffix: ')'"
"""How Qt is told to number a list 1), 2)."""
_ALIGNMENT = re.compile(r"text-align:\s*(left|right|center);?")


def as_html(markdown: str) -> str:
    """Render Markdown with tables; a line break is one, as a letter or a receipt is not running text."""
    parser = markdown_parser({"breaks": True})
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.block.ruler.before(
        "table", "displayed_formula", _displayed_formula, {"alt": ["paragraph", "blockquote", "list"]}
    )
    parser.validateLink = lambda url: bool(url)  # type: ignore[method-assign]  # none is followed
    for kind in ("html_block", "html_inline"):
        parser.add_render_rule(kind, _written_tags)
    tokens = parser.parse(markdown)
    if wider := _with_room_for_all_cells(markdown, tokens):
        tokens = parser.parse(wider)
    for token in tokens:
        if token.type == "ordered_list_open" and token.markup == ")":
            token.attrSet("style", _BRACKET)
        if token.type == "fence" and not _LANGUAGE.fullmatch(token.info.rstrip()):
            token.content = f"{token.info.strip()}\n{token.content}"
    tidy = _Tidy()
    tidy.feed(parser.renderer.render(tokens, parser.options, {}))
    return tidy.finished()


def _with_room_for_all_cells(markdown: str, tokens: "Sequence[Token]") -> str:
    """Widen tables with pipes to their longest row, as Markdown drops cells of one longer than the first.

    Where that would take too many blank cells, those that are too many are joined to the last one instead.

    Returns:
        The Markdown with such tables; empty if no table needs it.
    """
    if not any(token.type == "table_open" for token in tokens):
        return ""
    lines = re.split(r"\r\n?|\n", markdown)
    columns, spare, is_changed = 0, MOST_BLANK_CELLS, False
    for token in reversed(tokens):  # so that the cells of the first row are counted before the table begins
        columns += token.type == "th_open"
        if token.type == "table_open" and token.map is not None:
            first, after = token.map
            counts = [columns, *map(_count_of_cells, lines[first + 2 : after])]
            width = _affordable_width(counts, spare)
            if width > columns:
                spare -= _blanks(width, counts)
                for number, cell in ((first, "  |"), (first + 1, " --- |")):
                    line = lines[number].rstrip()
                    ended = line if line.endswith("|") and not line.endswith("\\|") else f"{line} |"
                    lines[number] = ended + cell * (width - columns)
            for number, count in enumerate(counts[1:], first + 2):
                if count > width:
                    lines[number] = _joined_from(width, lines[number])
            is_changed |= max(counts) > columns
            columns = 0
    return "\n".join(lines) if is_changed else ""


def _affordable_width(counts: Sequence[int], spare: int) -> int:
    """Return the most cells of a row, or as many as leave no more than `spare` blank; at least the first."""
    widths = range(counts[0], max(counts) + 1)
    fitting = bisect_right(widths, spare, key=lambda width: _blanks(width, counts))
    return widths[max(0, fitting - 1)]


def _joined_from(width: int, row: str) -> str:
    """Make what stands in cells after the first `width` ones a part of the last of those."""
    end = len(row.rstrip("| \t"))
    pipes = [pipe.start() for pipe in _PIPE.finditer(row, 0, end)]
    opening = row.lstrip("> \t").startswith("|")
    first_too_many = pipes[width - 1 + opening]
    return row[:first_too_many] + _PIPE.sub(r"\\|", row[first_too_many:end]) + row[end:]


def _blanks(width: int, counts: Iterable[int]) -> int:
    return sum(max(0, width - count) for count in counts)


def _count_of_cells(row: str) -> int:
    """Count the cells of a row up to the last with text in it."""
    from markdown_it.rules_block.table import escapedSplit

    cells = escapedSplit(row.lstrip("> \t").rstrip("| \t"))
    return len(cells) - (cells[0] == "")


def _formula(state: "StateInline", silent: bool) -> bool:
    """Take a formula as it is written, line by line: a rule of markdown-it."""
    known = state.env.setdefault("formulae", {})  # of each heading, cell and paragraph
    if state.src not in known:
        known[state.src] = Formulae(state.src)
    end = known[state.src].end_of(state.pos)
    if end is None or end > state.posMax:
        return False
    if state.src[state.pos + 2 : end - 2].strip().isdecimal():
        return False  # the number of a note, whose brackets are escaped
    lines = state.src[state.pos : end].split("\n")
    state.pos = end
    for number, line in enumerate([] if silent else lines):
        if number:
            state.push("softbreak", "br", 0)
        state.push("code_inline", "code", 0).content = line.strip()
    return True


def _displayed_formula(state: "StateBlock", first: int, end_line: int, silent: bool) -> bool:
    """Take the lines of a formula as one block, whatever they begin with: a rule of markdown-it.

    A formula on one line needs no such rule, and a blank line ends none.
    """

    def line(number: int) -> str:
        return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]

    begun = line(first)
    end = DISPLAYED.get(begun[:2])
    if end is None or first < state.env.get(f"no {end} before", 0) or state.is_code_block(first):
        return False
    last, rest = first, begun[2:]
    while end not in rest:
        last += 1
        if last >= end_line or state.isEmpty(last) or state.sCount[last] < state.blkIndent:
            state.env[f"no {end} before"] = last
            return False
        rest = line(last)
    if last == first:
        return False
    if not silent:
        state.push("formula_open", "div", 1)
        inline = state.push("inline", "", 0)
        inline.content = state.getLines(first, last + 1, state.blkIndent, False).strip()
        inline.children = []
        state.push("formula_close", "div", -1)
        state.line = last + 1
    return True


def _written_tags(_renderer: object, tokens: "Sequence[Token]", index: int, *_rest: object) -> str:
    """Return the HTML within a text without comments, each < that begins no whole tag escaped."""
    commented, end, rest = tokens[index].content.rpartition("-->")  # from which on no comment has an end
    return _NO_TAG.sub("&lt;", _COMMENT.sub("", commented + end) + rest)


class _Tidy(HTMLParser):
    """Puts HTML together again, sound."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._open: list[str] = []
        self._left_out: Counter[str] = Counter()  # what is nested too deeply, and has not ended yet

    def finished(self) -> str:
        """Return the whole, with all elements closed."""
        self.close()
        self._end_to(0)
        return "".join(self._pieces).rstrip()

    def set_cdata_mode(self, *_args: object, **_options: object) -> None:
        """Do nothing: what follows a <script>, which is text here, is no script."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_prose = any(value is None and name not in _VALUELESS for name, value in attrs)
        if tag not in _KNOWN or is_prose:
            self.handle_data(self.get_starttag_text() or "")
        elif tag == "img":
            self.handle_data(dict(attrs).get("alt") or "")
        elif tag in _EMPTY:
            self._pieces.append(f"<{tag}{_attributes(attrs)}>")
        elif self._is_too_deep(tag):
            self._left_out[tag] += 1
        else:
            self._pieces.append(f"<{tag}{_attributes(attrs)}>")
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._left_out[tag]:
            self._left_out[tag] -= 1
        elif tag in self._open:
            self._left_out.clear()
            self._end_to(len(self._open) - 1 - self._open[::-1].index(tag))
        elif tag not in _EMPTY:
            self.handle_data(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if data.strip() and self._open and self._open[-1] in _ROWS:
            self._begin_cell()
        self._pieces.append(html.escape(data, quote=False))

    def _begin_cell(self) -> None:
        """Give text in a table, but in none of its cells, a cell: it would not be shown otherwise."""
        missing = ("td",) if self._open[-1] == "tr" else ("tr", "td")
        self._pieces += [f"<{tag}>" for tag in missing]
        self._open += missing

    def _is_too_deep(self, tag: str) -> bool:
        if self._left_out.total() or len(self._open) >= MOST_OPEN:
            return True
        return tag == "table" and self._open.count("table") >= MOST_TABLES

    def _end_to(self, depth: int) -> None:
        """End all elements but the outermost ones."""
        self._pieces += [f"</{tag}>" for tag in reversed(self._open[depth:])]
        del self._open[depth:]


def _attributes(attrs: list[tuple[str, str | None]]) -> str:
    written = []
    for name, value in attrs:
        if name not in _ATTRIBUTES:
            continue
        kept: str | None = value or ""
        if name in ("colspan", "rowspan"):
            kept = str(min(MOST_SPANNED, int(kept))) if kept and kept.isdecimal() else None
        elif name == "style" and value != _BRACKET:
            alignment = _ALIGNMENT.fullmatch(kept or "")
            name, kept = "align", alignment[1] if alignment else None
        if kept is not None:
            written.append(f' {name}="{html.escape(kept)}"')
    return "".join(written)
