"""Renders the pages of PDF files.

PDFium does it in a process of its own (`pdf_process`), so that no file can take the program with it. Knows
nothing about hashes or page lists.
"""

from pathlib import Path
from typing import Any

from PIL import Image

from rtocr_gui.documents.limits import PDF_PREVIEW_TIME_LIMIT_S, PDF_TIME_LIMIT_S
from rtocr_gui.documents.pages import Check, no_check
from rtocr_gui.documents.pdf_process import PDFIUM, PdfiumEnded, PdfiumTooSlow
from rtocr_gui.errors import DocumentError
from rtocr_gui.units import time_in_words

DEFAULT_DPI = 200.0

_PRINT_ANEW = "print it to a new PDF in another program."


class PdfFile:
    """The pages of one PDF.

    Attributes:
        page_count: number of pages, at least 1.
    """

    def __init__(self, path: Path, password: str | None, check: Check = no_check) -> None:
        """Count the pages without loading any.

        Args:
            path: the file.
            password: its password, if it is encrypted.
            check: called while waiting.

        Raises:
            PasswordRequired: it is encrypted, and the password is missing or wrong.
            DocumentError: it is damaged, has no pages, or is protected in a way PDFium does not support.
        """
        self._path = path
        self._password = password
        self.page_count: int = self._ask("Opening the PDF", PDF_TIME_LIMIT_S, check, "page_count")[0]
        self.rest()

    def render(self, index: int, dpi: float, check: Check) -> tuple[Image.Image, float]:
        """Render one page on white.

        Returns:
            The page as RGB, and the resolution it was rendered at: `dpi`, or less if the page would
            otherwise have more than `PDF_PIXEL_LIMIT` pixels.

        Raises:
            DocumentError: the page is damaged, absurdly large or a strip, or takes too much memory or time.
        """
        return self._render(index, dpi, None, PDF_TIME_LIMIT_S, check)

    def preview(self, index: int, longest_px: int, check: Check) -> Image.Image:
        """Render one page so that its longest side has at most `longest_px` pixels.

        Raises:
            DocumentError: as `render`.
        """
        image, _dpi = self._render(index, DEFAULT_DPI, longest_px, PDF_PREVIEW_TIME_LIMIT_S, check)
        image.thumbnail((longest_px, longest_px))
        return image

    def own_text(self, index: int, rotation_deg: int) -> str:
        """Return the text that is printed on a page, as `pdf_worker.OpenPdf.own_text` does.

        Raises:
            DocumentError: the page is damaged, or takes too much memory or time.
        """
        doing, question = "Looking for the text of this page of the PDF", ("own_text", index, rotation_deg)
        return str(self._ask(doing, PDF_TIME_LIMIT_S, no_check, *question)[0])

    def rest(self) -> None:
        """Close the file until the next page is wanted."""
        PDFIUM.release(self._path)

    def _render(
        self, index: int, dpi: float, longest_px: int | None, limit_s: float, check: Check
    ) -> tuple[Image.Image, float]:
        doing = "Rendering this page of the PDF"
        pixels, data = self._ask(doing, limit_s, check, "render", index, dpi, longest_px)
        width, height, stride, actual_dpi = pixels
        return Image.frombuffer("RGB", (width, height), data, "raw", "BGR", stride, 1), actual_dpi

    def _ask(
        self, doing: str, limit_s: float, check: Check, name: str, *arguments: object
    ) -> tuple[Any, bytes]:
        try:
            return PDFIUM.ask(self._path, self._password, name, *arguments, limit_s=limit_s, check=check)
        except PdfiumTooSlow as error:
            raise DocumentError(
                f"{doing} was given up after {time_in_words(limit_s)}. It is damaged, or far more intricate "
                f"than usual: {_PRINT_ANEW}"
            ) from error
        except PdfiumEnded as error:
            raise DocumentError(
                f"{doing} failed. It is damaged, or takes more memory than it may: {_PRINT_ANEW}"
            ) from error
