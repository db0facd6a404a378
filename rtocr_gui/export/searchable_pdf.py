"""Exports pages as a PDF that looks like the scans, and whose text can be searched and copied.

Each page is its picture, with the words of its text where they are printed, unseen. Markup is left out: the
picture shows what it stands for. `text_places` finds the places, `picture_pdf` writes the file.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.documents.picture_pdf import PicturePdf
from rtocr_gui.documents.printed_text import printed_text
from rtocr_gui.documents.text_places import TextPart, around, place_words
from rtocr_gui.errors import ExportError
from rtocr_gui.export.writing import write_bytes_atomically
from rtocr_gui.ocr.reading import Block


def add_page(
    pdf: PicturePdf,
    page: PageImage,
    text: str,
    blocks: Sequence[Block] = (),
    starts: Sequence[int] | None = None,
) -> None:
    """Add a page to a PDF.

    Args:
        pdf: the PDF.
        page: the page.
        text: its text, as Markdown.
        blocks: what the model reported of places on it. If some were found by their text, none is heeded: all
            of the text together is found with fewer mistakes.
        starts: where each block begins in the text; None for the text as it was read.

    Raises:
        ExportError: there is not enough memory.
    """
    if starts is None:
        starts = [block.start for block in blocks]
    parts = _parts(text, blocks, starts, page.image.size)
    try:
        pdf.add_page(page, place_words(parts, page.image))
    except MemoryError as error:
        raise ExportError(
            "There is not enough memory to add the page to the PDF. "
            "Close other programs, or export fewer pages."
        ) from error


def write_pdf(pdf: PicturePdf, path: Path) -> None:
    """Write a PDF to a file.

    Args:
        pdf: the PDF.
        path: the file to write or replace.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    try:
        data = pdf.save()
    except MemoryError as error:
        raise ExportError(
            f"“{path.name}” was not written: there is not enough memory. "
            "Close other programs, or export fewer pages."
        ) from error
    write_bytes_atomically(path, data)


def is_kept_whole(text: str) -> bool:
    """True if a PDF keeps all of a text; it loses markup.

    Dots that lead the eye, as in a table of contents, are left out of it too, but are no loss.
    """
    return printed_text(text).split() == text.split()


def _parts(
    text: str, blocks: Sequence[Block], starts: Sequence[int], page_size_px: tuple[int, int]
) -> Iterator[TextPart]:
    """Divide a text into the parts whose places are known; what is between them goes with the one before."""
    are_emitted = not any(block.is_found for block in blocks)
    boxes = [around(block.boxes_px(page_size_px)) if are_emitted else None for block in blocks]
    placed = [(box, start) for box, start in zip(boxes, starts, strict=True) if box is not None]
    if not placed:
        yield TextPart(printed_text(text))
    edges = [0, *(start for _, start in placed[1:]), len(text)]
    for (box, _), (begin, end) in zip(placed, pairwise(edges), strict=False):
        yield TextPart(printed_text(text[begin:end]), box)
