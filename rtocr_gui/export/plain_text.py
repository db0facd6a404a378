"""Exports the text of many pages as one plain text file, for programs that know no Markdown.

Page texts follow each other with one empty line between them, and are unchanged but for empty lines around
them; pages without text are left out. Knows nothing about figures and readings.
"""

from collections.abc import Iterable
from pathlib import Path

from rtocr_gui.export.markdown import ExportPage
from rtocr_gui.export.writing import write_text_atomically


def export_plain_text(pages: Iterable[ExportPage], path: Path) -> None:
    """Write pages to one plain text file.

    Args:
        pages: pages in order.
        path: the file to write or replace.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    texts = [page.text.strip("\n") for page in pages if page.text.strip()]
    write_text_atomically(path, "\n".join(f"{text}\n" for text in texts))
