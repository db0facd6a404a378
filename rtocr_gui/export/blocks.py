"""Finds the blocks that a Markdown text consists of: headings, paragraphs, lists, tables, code and HTML.

Knows how Markdown separates blocks, and leaves it to others what a block says.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

SENTINEL_PARAGRAPH = "\n\nbehind it"
"""A last paragraph; it becomes part of whatever the text before it leaves open."""

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


def blocks_of(markdown: str) -> list[TextBlock]:
    """Return the blocks of a text in order; between them are blank lines only."""
    begins = [0, *(end.end() for end in _LINE_END.finditer(markdown)), len(markdown)]
    tokens = tokens_of(markdown)
    firsts = [index for index, token in enumerate(tokens) if token.level == 0 and token.map]
    blocks = []
    for index, after in zip(firsts, [*firsts[1:], len(tokens)], strict=True):
        first, end = tokens[index].map or (0, 0)
        tags = tags_of(tokens[index:after])
        blocks.append(TextBlock(tokens[index].type, begins[first], begins[min(end, len(begins) - 1)], tags))
    return blocks


def tokens_of(markdown: str) -> "list[Token]":
    """Parse Markdown with tables; what defines the address of a link is a paragraph."""
    from markdown_it import MarkdownIt  # takes a tenth of a second, and few texts need it

    return MarkdownIt("commonmark").enable("table").disable("reference").parse(markdown)


def tags_of(tokens: "list[Token]") -> str:
    """Return the HTML among tokens."""
    parts = (part for token in tokens for part in (token, *(token.children or ())))
    return "".join(part.content for part in parts if part.type in ("html_block", "html_inline"))


def missing_breaks(beside: str) -> str:
    """Return the line breaks that a blank line beside a block lacks; `beside` reads away from the block."""
    there = len(beside[:2]) - len(beside[:2].lstrip("\n"))
    return "\n" * (2 - there) if beside.strip("\n") else ""
