"""Finds the blocks that a Markdown text consists of: headings, paragraphs, lists, tables, code and HTML.

Knows how Markdown separates blocks, and leaves it to others what a block says.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

    _BlockRule = Callable[[StateBlock, int, int, bool], bool]

SENTINEL_PARAGRAPH = "\n\nbehind it"
"""A last paragraph; it becomes part of whatever the text before it leaves open."""

_DEEPEST_LEVEL = 16
"""Where a list or quotation may begin; each item of a list takes two levels, and markdown-it reads 20."""
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A block that is part of no other.

    Attributes:
        kind: as markdown-it names the token that it begins with, e.g. `html_block`.
        start: index of its first character, which is the first of a line.
        end: index after its last line.
        tags: the HTML in it: all of an `html_block`, and the single tags elsewhere.
    """

    kind: str
    start: int
    end: int
    tags: str


def blocks_of(markdown: str, *, with_definitions: bool = True) -> list[TextBlock]:
    """Return the blocks of a text in order; between them are blank lines only.

    Args:
        markdown: text.
        with_definitions: take what defines the address of a link for a paragraph, instead of leaving it out.
    """
    begins = [0, *(end.end() for end in _LINE_END.finditer(markdown)), len(markdown)]
    tokens = tokens_of(markdown, with_definitions=with_definitions)
    firsts = [index for index, token in enumerate(tokens) if token.level == 0 and token.map]
    blocks = []
    for index, after in pairwise([*firsts, len(tokens)]):
        first, end = tokens[index].map or (0, 0)
        tags = tags_of(tokens[index:after])
        blocks.append(TextBlock(tokens[index].type, begins[first], begins[min(end, len(begins) - 1)], tags))
    return blocks


def tokens_of(markdown: str, *, with_definitions: bool = True) -> "list[Token]":
    """Parse Markdown with tables; the arguments are those of `blocks_of`."""
    parser = markdown_parser()
    return (parser if with_definitions else parser.enable("reference")).parse(markdown)


def markdown_parser(options: "Mapping[str, bool] | None" = None) -> "MarkdownIt":
    """Make a parser of Markdown with tables that leaves nothing out.

    What defines the address of a link is a paragraph, and so is a list or quotation that is nested too deep.

    Args:
        options: those of markdown-it to set besides the ones of CommonMark.
    """
    from markdown_it import MarkdownIt  # takes a tenth of a second, and few texts need it
    from markdown_it.rules_block import blockquote, list_block

    parser = MarkdownIt("commonmark", options).enable("table").disable("reference")
    parser.block.ruler.at("blockquote", _limited(blockquote), {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.at("list", _limited(list_block), {"alt": ["paragraph", "blockquote"]})
    return parser


def _limited(rule: "_BlockRule") -> "_BlockRule":
    """Make a rule not apply where blocks would be nested so deep that markdown-it drops them."""

    def limited(state: "StateBlock", first: int, end_line: int, silent: bool) -> bool:
        return state.level < _DEEPEST_LEVEL and rule(state, first, end_line, silent)

    return limited


def tags_of(tokens: "list[Token]") -> str:
    """Return the HTML among tokens."""
    parts = (part for token in tokens for part in (token, *(token.children or ())))
    return "".join(part.content for part in parts if part.type in ("html_block", "html_inline"))


def missing_breaks(beside: str) -> str:
    """Return the line breaks that a blank line beside a block lacks; `beside` reads away from the block."""
    there = len(beside[:2]) - len(beside[:2].lstrip("\n"))
    return "\n" * (2 - there) if beside.strip("\n") else ""
