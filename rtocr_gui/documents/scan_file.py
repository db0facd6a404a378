"""A file of scans, decoded in a process of its own so that it cannot take the program with it."""

import itertools
from pathlib import Path

from PIL import Image

from rtocr_gui.documents.decoders import (
    DECODERS,
    Answer,
    DecodedPage,
    DecoderEnded,
    DecoderTooSlow,
    OpenedFile,
)
from rtocr_gui.documents.limits import PREVIEW_TIME_LIMIT_S, TIME_LIMIT_S
from rtocr_gui.documents.pages import Check, no_check
from rtocr_gui.errors import DocumentError
from rtocr_gui.units import time_in_words

_numbers = itertools.count()

_SAVE_ANEW = "save it anew in another program, or print it to a new PDF."


class ScanFile:
    """The pages of a picture or PDF; any thread may ask for them.

    Attributes:
        page_count: number of pages, at least 1.
    """

    def __init__(self, path: Path, password: str | None, check: Check = no_check) -> None:
        """Count the pages without decoding any.

        Args:
            path: the file.
            password: its password, if it is an encrypted PDF.
            check: called while waiting.

        Raises:
            PasswordRequired: it is encrypted, and the password is missing or wrong.
            DocumentError: it cannot be read, is no document, is damaged, has no pages, or is protected in a
                way PDFium does not support.
        """
        self._file = OpenedFile(str(path), password, next(_numbers))
        self.page_count = self._ask(int, "Opening the file", TIME_LIMIT_S, check, "count_pages")
        self.rest()

    def render(self, index: int, dpi: float, check: Check) -> DecodedPage:
        """Render one page.

        Returns:
            The page as RGB, and its resolution: of a picture the one it states, if any; of a PDF page `dpi`,
            or less if the page would otherwise have more than `PDF_PIXEL_LIMIT` pixels.

        Raises:
            DocumentError: the page is damaged, too large or a strip, or takes too much memory or time.
        """
        return self._ask(DecodedPage, "Decoding this page", TIME_LIMIT_S, check, "render", index, dpi)

    def preview(self, index: int, longest_px: int, check: Check) -> Image.Image:
        """Render one page as RGB, its longest side about `longest_px`.

        Raises:
            DocumentError: as `render`.
        """
        question = "preview", index, longest_px
        return self._ask(DecodedPage, "Decoding this page", PREVIEW_TIME_LIMIT_S, check, *question).image

    def own_text(self, index: int, rotation_deg: int) -> str:
        """Return the text that a page of a PDF has of its own, as `decoding.pdf.OpenPdf.own_text` does.

        Raises:
            DocumentError: the page is damaged, or takes too much memory or time.
        """
        doing, question = "Looking for the text of this page", ("own_text", index, rotation_deg)
        return self._ask(str, doing, PREVIEW_TIME_LIMIT_S, no_check, *question)

    def rest(self) -> None:
        """Release the file until the next page is wanted."""
        DECODERS.release(self._file)

    def _ask(
        self, kind: type[Answer], doing: str, limit_s: float, check: Check, name: str, *arguments: object
    ) -> Answer:
        try:
            return DECODERS.ask(kind, self._file, name, *arguments, limit_s=limit_s, check=check)
        except DecoderTooSlow as error:
            raise DocumentError(
                f"{doing} was given up after {time_in_words(limit_s)}. It is damaged, or far more intricate "
                f"than usual: {_SAVE_ANEW}"
            ) from error
        except DecoderEnded as error:
            raise DocumentError(
                f"{doing} failed. It is damaged, or takes more memory than it may: {_SAVE_ANEW}"
            ) from error
