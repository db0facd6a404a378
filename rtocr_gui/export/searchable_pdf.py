"""Exports pages as a PDF that looks like the scans, and whose text can be searched and copied.

Each page is its picture, with the words of its text where they are printed, unseen. Markup is left out: the
picture shows what it stands for. `text_places` finds the places, `picture_pdf` writes the file.
"""

import html
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.documents.picture_pdf import PicturePdf
from rtocr_gui.errors import ExportError
from rtocr_gui.export.text_places import Box, TextPart, place_words
from rtocr_gui.export.writing import write_bytes_atomically
from rtocr_gui.ocr.reading import Block

_PICTURE = re.compile(r"!\[([^\[\]\n]{0,500})\]\([^()\n]{0,500}\)")
_BEFORE_LINE = re.compile(r"^ {0,3}(?:#{1,6} |```\w*$|(?=[^\n]*---)[ |:-]+$)", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<![\w*\\])(\*{1,3})(?=[^\s*])([^*\n]{1,2000})(?<=[^\s*])\1(?![\w*])")
_LINE_END = re.compile(r"</tr>|</p>|</div>|<br\s*/?>", re.IGNORECASE)
_CELL = re.compile(r"</?(?:table|thead|tbody|tfoot|tr|td|th|caption|p|div)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:b|center|em|i|s|small|span|strong|sub|sup|u)\b[^<>]*>", re.IGNORECASE)
_FORMULA_EDGE = re.compile(r"\\[()\[\]]")
_ENTITY = re.compile(r"&#?\w{1,32};")


def add_page(
    pdf: PicturePdf, page: PageImage, text: str, blocks: Sequence[Block] = (), starts: Sequence[int] = ()
) -> None:
    """Add a page to a PDF.

    Args:
        pdf: the PDF.
        page: the page.
        text: its text, as Markdown.
        blocks: what the model reported of places on it.
        starts: where each block begins in the text.

    Raises:
        ExportError: there is not enough memory.
    """
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
    """True if a PDF has all of a text, which it has not if there is markup in it.

    Dots that lead the eye, as in a table of contents, are left out of it too, but are no loss.
    """
    return _printed(text).split() == text.split()


def _parts(
    text: str, blocks: Sequence[Block], starts: Sequence[int], page_size_px: tuple[int, int]
) -> Iterator[TextPart]:
    """Divide a text into the parts whose places are known; what is between them goes with the one before."""
    boxes = [_around(block.boxes_px(page_size_px)) for block in blocks]
    placed = [(box, start) for box, start in zip(boxes, starts, strict=True) if box is not None]
    if not placed:
        yield TextPart(_printed(text))
    edges = [0, *(start for _, start in placed[1:]), len(text)]
    for (box, _), (begin, end) in zip(placed, pairwise(edges), strict=False):
        yield TextPart(_printed(text[begin:end]), box)


def _around(boxes: Sequence[Box]) -> Box | None:
    """Return the box around some boxes; None if there are none."""
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _printed(markdown: str) -> str:
    """Return the words that Markdown shows, line by line."""
    text = _BEFORE_LINE.sub("", _PICTURE.sub(r"\1", markdown))
    text = _FORMULA_EDGE.sub("", _EMPHASIS.sub(r"\2", text))
    text = _TAG.sub("", _CELL.sub(" ", _LINE_END.sub("\n", text)))
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
