"""The text of many pages as one Markdown file.

Each page begins with a comment that names its file and page, and a rule stands between two pages:

    <!-- page: letter.pdf, page 1 -->

    Dear Sir or Madam

    ---

    <!-- page: letter.pdf, page 2 -->

Comments are invisible when rendered; the blank lines keep a rule from turning the line above it into
a heading. Page texts are taken as they are, with one newline after each, so that cutting the file at
the comments gives every page back; only a table or a code block that a page leaves open is ended before
the next page, which it would take in. Knows nothing of readings: people edit what was read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rtocr_gui.export.tables import missing_ends
from rtocr_gui.export.writing import write_text_atomically


@dataclass(frozen=True, slots=True)
class ExportPage:
    """One page of an export.

    Attributes:
        label: names file and page, as `PageRef.label` does.
        text: Markdown.
    """

    label: str
    text: str


def markdown_of_pages(pages: Sequence[ExportPage]) -> str:
    """Join pages to one Markdown text that ends with a newline; empty without pages."""
    return "".join(map(markdown_behind, (None, *pages), pages))


def markdown_behind(before: ExportPage | None, page: ExportPage) -> str:
    """What a page adds to a Markdown text that ends with the one before it; None where it is the first."""
    own = f"<!-- page: {_in_comment(page.label)} -->\n\n{page.text}\n"
    if before is None:
        return own
    ends = missing_ends(before.text)
    return f"{ends}\n\n---\n\n{own}" if ends else f"\n---\n\n{own}"


def export_markdown(pages: Sequence[ExportPage], path: Path) -> None:
    """Write pages to one Markdown file.

    Args:
        pages: in the order of the file.
        path: the file to write or replace.

    Raises:
        ExportError: nothing was written, and a file that was there is as it was.
    """
    write_text_atomically(path, markdown_of_pages(pages))


def _in_comment(label: str) -> str:
    """Write a label so that it cannot end a comment, with character references as HTML knows them."""
    escaped = label.replace("&", "&amp;").replace("\n", "&#10;").replace("\r", "&#13;")
    escaped = re.sub("(?<=-)-", "&#45;", escaped)
    return escaped.encode("utf-8", "replace").decode("utf-8")  # a file name may be no text at all
