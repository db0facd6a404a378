"""What a reader of PDFs finds in one: the text of its pages, and their sizes."""

from contextlib import closing
from pathlib import Path

import pypdfium2


def texts_in(pdf: Path | bytes) -> list[str]:
    """The text of each page, as it is copied."""
    with closing(pypdfium2.PdfDocument(pdf)) as document:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]


def sizes_in(pdf: Path | bytes) -> list[tuple[float, float]]:
    """Width and height of each page, in points."""
    with closing(pypdfium2.PdfDocument(pdf)) as document:
        return [page.get_size() for page in document]
