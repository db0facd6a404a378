"""Renders the pages of PDF files with PDFium."""

import logging
import math
import re
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from ctypes import c_double
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as raw

from rtocr_gui.documents.decoding.scan import Rendered
from rtocr_gui.documents.limits import PDF_LEAST_DPI, PDF_PIXEL_LIMIT, POINTS_PER_INCH, check_page_size
from rtocr_gui.errors import DocumentError, PasswordRequired

_FINEST_PREVIEW_DPI, _PIECE_BYTES = 200.0, 1 << 18

_MOST_PARTS, _MOST_NESTED = 20_000, 8
"""Text, pictures and lines that are looked at on a page, and how deep they may be nested."""

_MOST_CHARACTERS = 100_000
"""Characters of a page that are looked at; a densely printed one has about ten thousand."""

_SCAN_SHARE = 0.5
"""Share of a page from which on pictures may be the scan of it, which some programs cut into strips."""

_MOST_UNKNOWN = 0.01
"""Share of the characters of a text that may be unknown, or outside the page."""

_HYPHEN_AT_END = re.compile("[\x02\ufffe]")
"""What PDFium has for the hyphen of a word that is broken between two lines, and for the end of the line."""

logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # its warnings are for developers


class OpenPdf:
    """A PDF with at least one page."""

    def __init__(self, path: Path, password: str | None) -> None:
        """Open it without loading any page.

        Raises:
            PasswordRequired: it is encrypted, and the password is missing or wrong.
            DocumentError: it is damaged, has no pages, or is protected in a way PDFium does not support.
        """
        self._pdf = _open(path, password)
        self._has_forms = False

    def count_pages(self) -> int:
        """Return how many pages it says that it has."""
        return len(self._pdf)

    def render(self, index: int, dpi: float) -> Rendered:
        """Render one page on white.

        Args:
            index: page number, from 0.
            dpi: resolution; less is used if the page would otherwise have more than `PDF_PIXEL_LIMIT` pixels.

        Raises:
            DocumentError: the page is damaged, absurdly large or a strip.
        """
        with self._page(index) as page:
            return _draw(page, _affordable_dpi(dpi, *page.get_size()))

    def preview(self, index: int, longest_px: int) -> Rendered:
        """Render one page so that its longest side has about `longest_px` pixels.

        Raises:
            DocumentError: as `render`.
        """
        with self._page(index) as page:
            size_pt = page.get_size()
            affordable = _affordable_dpi(_FINEST_PREVIEW_DPI, *size_pt)
            return _draw(page, min(affordable, longest_px / max(size_pt) * POINTS_PER_INCH))

    def own_text(self, index: int, rotation_deg: int) -> str:
        """Return the text that is printed on a page, as it is in the file.

        Args:
            index: page number, from 0.
            rotation_deg: clockwise rotation relative to the file with which the page is read: 0, 90, 180 or
                270. PDFium tells lines in another order where they are not upright.

        Returns:
            The text with LF line ends and without surrounding whitespace. Empty if there is none, if it is
            not what is seen (an OCR program writes its text unseen over the picture of a page, and text may
            lie outside the area that a page is cropped to), or if the file does not tell the characters of
            its typefaces.

        Raises:
            DocumentError: the page is damaged.
        """
        with self._page(index) as page, suppress(pypdfium2.PdfiumError):
            if not _may_be_a_scan(page):
                in_file_deg = page.get_rotation()
                page.set_rotation((in_file_deg + rotation_deg) % 360)
                try:
                    return _text_of(page)
                finally:
                    page.set_rotation(in_file_deg)
        return ""

    def close(self) -> None:
        """Release the file."""
        self._pdf.close()

    @contextmanager
    def _page(self, index: int) -> Iterator[Any]:
        if not self._has_forms:
            self._has_forms = True
            with suppress(pypdfium2.PdfiumError):
                self._pdf.init_forms()  # otherwise the contents of form fields stay invisible
        try:
            page = self._pdf[index]
        except pypdfium2.PdfiumError as error:
            raise DocumentError(
                "This page of the PDF is damaged and cannot be rendered. Get a fresh copy of the file, "
                "or print it to a new PDF in another program."
            ) from error
        with closing(page):
            yield page


def _may_be_a_scan(page: Any) -> bool:
    """True if text on a page is not seen, pictures cover most of it, or it has too many parts to tell."""
    width_pt, height_pt = page.get_size()
    scan: float = _SCAN_SHARE * width_pt * height_pt
    pictures = 0.0
    for number, part in enumerate(page.get_objects(max_depth=_MOST_NESTED)):
        if number == _MOST_PARTS:
            return True
        if part.type == raw.FPDF_PAGEOBJ_TEXT:
            if raw.FPDFTextObj_GetTextRenderMode(part.raw) == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
                return True
        elif part.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = part.get_bounds()
            pictures += (right - left) * (top - bottom)
    return pictures > scan


def _text_of(page: Any) -> str:
    text_page = page.get_textpage()
    try:
        count = text_page.count_chars()
        if count > _MOST_CHARACTERS or _outside(text_page, *page.get_bbox()) > _MOST_UNKNOWN * count:
            return ""
        text: str = text_page.get_text_range()
    finally:
        text_page.close()
    text = _HYPHEN_AT_END.sub("-\n", text.replace("\r\n", "\n")).strip()
    unknown = sum(unicodedata.category(letter) in ("Co", "Cn") or letter == "\ufffd" for letter in text)
    return text if unknown <= _MOST_UNKNOWN * len(text) else ""


def _outside(text_page: Any, left: float, bottom: float, right: float, top: float) -> int:
    """Return how many characters begin outside an area; PDFium makes up those at the ends of lines."""
    x, y, count = c_double(), c_double(), 0
    for number in range(text_page.count_chars()):
        raw.FPDFText_GetCharOrigin(text_page, number, x, y)
        is_inside = left <= x.value <= right and bottom <= y.value <= top
        count += not is_inside and not raw.FPDFText_IsGenerated(text_page, number)
    return count


def _draw(page: Any, dpi: float) -> Rendered:
    try:
        scale = dpi / POINTS_PER_INCH
        bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=True)
    except MemoryError as error:
        raise DocumentError(
            "There is not enough memory to render the page. "
            "Close other programs, or choose a lower resolution."
        ) from error
    return Rendered((bitmap.width, bitmap.height), dpi, _pieces_of(bitmap))


def _pieces_of(bitmap: Any) -> Iterator[bytes]:
    with closing(bitmap):
        pixels = memoryview(bitmap.buffer)
        for begin in range(0, len(pixels), _PIECE_BYTES):
            yield bytes(pixels[begin : begin + _PIECE_BYTES])
        pixels.release()


def _affordable_dpi(dpi: float, width_pt: float, height_pt: float) -> float:
    """Return the requested resolution, or the highest that keeps the page within `PDF_PIXEL_LIMIT`."""
    if not (width_pt > 0 and height_pt > 0):
        raise DocumentError(
            "The page is empty: it is cropped to an area outside its sheet. "
            "Undo the cropping in another program, or print it to a new PDF."
        )
    width_in, height_in = width_pt / POINTS_PER_INCH, height_pt / POINTS_PER_INCH
    affordable = min(dpi, math.sqrt(PDF_PIXEL_LIMIT / (width_in * height_in)))
    if affordable < min(dpi, PDF_LEAST_DPI):
        raise DocumentError(
            f"The page claims to be {width_in * 2.54:,.0f} x {height_in * 2.54:,.0f} cm, "
            "too large to be rendered. Print it to a PDF with an ordinary page size."
        )
    check_page_size(math.ceil(width_in * affordable), math.ceil(height_in * affordable))
    return affordable


def _open(path: Path, password: str | None) -> Any:
    """Load a document with at least one page.

    Does not use `PdfDocument(path)`, which for a document without pages reports the error of the
    last file that failed before it.
    """
    path_bytes = str(path).encode("utf-8", "surrogateescape") + b"\0"
    password_bytes = (password or "").encode("utf-8", "surrogateescape") + b"\0"
    handle = raw.FPDF_LoadDocument(path_bytes, password_bytes)
    if not handle and password and raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
        handle = raw.FPDF_LoadDocument(path_bytes, b"\0")  # it may be meant for another file
    if not handle:
        raise _refusal(raw.FPDF_GetLastError(), bool(password))
    document = pypdfium2.PdfDocument(handle)
    if len(document) == 0:
        document.close()
        raise DocumentError("The PDF has no pages. Check that it was saved completely.")
    return document


def _refusal(error_code: int, password_given: bool) -> DocumentError:
    """Explain why PDFium did not load a document."""
    if error_code == raw.FPDF_ERR_PASSWORD:
        if password_given:
            return PasswordRequired("The password is wrong. Try again, and check capital letters.")
        return PasswordRequired("The PDF is encrypted. Enter its password to open it.")
    if error_code == raw.FPDF_ERR_SECURITY:
        return DocumentError(
            "The PDF is protected in a way that cannot be opened here. Save it without protection first."
        )
    return DocumentError(
        "The PDF is damaged or cut off and cannot be opened. "
        "Get a fresh copy, or repair it in another program."
    )
