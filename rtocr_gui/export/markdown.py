"""Exports the text of many pages as one Markdown file.

Each page begins with a comment that names its file and page, and pages are separated by a rule:

    <!-- page: letter.pdf, page 1 -->

    Dear Sir or Madam

    ---

    <!-- page: letter.pdf, page 2 -->

Comments are invisible when rendered; the blank lines keep a rule from turning the line above it into
a heading. Page texts are unchanged, with one newline after each, so that splitting the file at the comments
recovers every page; but a table or code block that a page leaves open is closed, or it would swallow the next
page. Knows nothing about readings: people edit what was read.
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
        label: file and page, as in `PageRef.label`.
        text: its Markdown.
    """

    label: str
    text: str


def markdown_of_pages(pages: Sequence[ExportPage]) -> str:
    """Join pages into one Markdown text that ends with a newline; empty without pages."""
    return "".join(map(markdown_after, (None, *pages), pages))


def markdown_after(before: ExportPage | None, page: ExportPage) -> str:
    """Return what a page adds to a text that ends with the page `before` it; None for the first page."""
    own = f"<!-- page: {_in_comment(page.label)} -->\n\n{page.text}\n"
    if before is None:
        return own
    ends = missing_ends(before.text)
    return f"{ends}\n\n---\n\n{own}" if ends else f"\n---\n\n{own}"


def export_markdown(pages: Sequence[ExportPage], path: Path) -> None:
    """Write pages to one Markdown file.

    Args:
        pages: pages in order.
        path: the file to write or replace.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    write_text_atomically(path, markdown_of_pages(pages))


def _in_comment(label: str) -> str:
    """Escape a label: it neither ends the comment nor controls a terminal that shows it."""
    escaped = label.replace("&", "&amp;").replace("\n", "&#10;").replace("\r", "&#13;")
    escaped = re.sub("(?<=-)-", "&#45;", escaped)
    escaped = re.sub(r"[\0-\x1f\x7f-\x9f]", "\ufffd", escaped)
    return escaped.encode("utf-8", "replace").decode("utf-8")  # a file name may not be valid text
