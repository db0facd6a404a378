"""Opens a scanned file as a list of pages that are rendered one at a time.

Detects when a file changes while it is open. How pages are decoded is in `decoding`; knows no model and no
text.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

from rtocr_gui.documents.halves import cut_half
from rtocr_gui.documents.limits import check_page_count, check_part_size
from rtocr_gui.documents.pages import Check, Crop, Cut, PageImage, PageRef, no_check, rotate
from rtocr_gui.documents.scan_file import ScanFile
from rtocr_gui.errors import DocumentError, FileLost, FileOutdated
from rtocr_gui.files import sentence_on_unreadable
from rtocr_gui.units import counted

DEFAULT_DPI = 200.0
"""Resolution at which PDF pages are rendered."""

_MOST_ENLARGED = 16
"""How much larger than its thumbnail a page is rendered, at most, for the thumbnail of a part."""

GONE = "The file is no longer where it was. Put it back, or open it from its new place."
CLOSED = "The file is not open any more. Open it again."
CHANGED = "The file has changed since it was opened. Open it again."


class Document:
    """An open file, for any thread. Close it (it is a context manager).

    Attributes:
        path: absolute path of the file.
        pages: one reference for each page, in order; nothing is rendered yet.
    """

    def __init__(self, path: Path, sha256: str, stamp: tuple[int, int], source: ScanFile) -> None:
        self.path = path
        self.pages = tuple(PageRef(path, index, sha256) for index in range(source.page_count))
        self._stamp = stamp
        self._source = source
        self._is_closed = False

    def load_page(
        self,
        index: int,
        dpi: float = DEFAULT_DPI,
        rotation_deg: int = 0,
        cuts: tuple[Cut, ...] = (),
        check: Check = no_check,
    ) -> PageImage:
        """Render one page, or a part of it.

        Args:
            index: page number from 0.
            dpi: resolution to render a PDF page at; ignored for pictures.
            rotation_deg: clockwise rotation: 0, 90, 180 or 270.
            cuts: what is cut out of the page as it is in the file, one after the other.
            check: called while waiting.

        Returns:
            The page. Its `dpi` is the resolution it was rendered at (less than requested if the page would
            be too large for memory), or the one the picture states.

        Raises:
            FileLost: the file is gone, closed or has changed.
            DocumentError: the page is damaged, too large or too narrow.
        """
        image, actual_dpi = self._source_of(index).render(index, dpi, check)
        for cut in cuts:
            image = _part_of(image, cut)
            check_part_size(*image.size)
        ref = replace(self.pages[index], rotation_deg=rotation_deg, cuts=cuts)
        return PageImage(ref, rotate(image, rotation_deg), actual_dpi)

    def thumbnail(
        self,
        index: int,
        longest_px: int,
        rotation_deg: int = 0,
        cuts: tuple[Cut, ...] = (),
        check: Check = no_check,
    ) -> Image.Image:
        """Render a page small: RGB, longest side at most `longest_px`, rotated and cut as by `load_page`.

        Raises:
            DocumentError: as `load_page`.
        """
        shown = prod(_longer_share(cut) for cut in cuts)
        whole_px = round(longest_px * min(1 / shown, _MOST_ENLARGED))
        image = self._source_of(index).preview(index, whole_px, check)
        for cut in cuts:
            if min(image.size) < 2:
                break  # a strip of a strip, of which `load_page` says why it is not shown
            image = _part_of(image, cut)
        image.thumbnail((longest_px, longest_px))
        return rotate(image, rotation_deg)

    @property
    def has_changed(self) -> bool:
        """True if there is another file by now in place of the one that was opened."""
        try:
            return _stamp(self.path.stat()) != self._stamp
        except OSError:
            return False  # there is none

    def rest(self) -> None:
        """Release what is only held to be quick with the next page: pages of another document come first."""
        self._source.rest()

    def close(self) -> None:
        """Release the file. Closing twice is harmless."""
        self._is_closed = True
        self._source.rest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _source_of(self, index: int) -> ScanFile:
        if self._is_closed:
            raise FileOutdated(CLOSED)
        if not 0 <= index < len(self.pages):
            raise DocumentError(
                f"There is no page {index + 1}: the file has {counted(len(self.pages), 'page')}."
            )
        try:
            found = _stamp(self.path.stat())
        except OSError as error:
            raise FileLost(GONE) from error
        if found != self._stamp:
            raise FileOutdated(CHANGED)
        return self._source


def _longer_share(cut: Cut) -> float:
    """How much is left of the longer side of a page, at least."""
    return max(cut.right - cut.left, cut.bottom - cut.top) if isinstance(cut, Crop) else 0.5


def _part_of(page: Image.Image, cut: Cut) -> Image.Image:
    try:
        return page.crop(cut.box_px(*page.size)) if isinstance(cut, Crop) else cut_half(page, cut)
    except MemoryError as error:
        raise DocumentError(
            "There is not enough memory to cut the page. Close other programs, or read the whole page."
        ) from error


def open_document(path: Path, password: str | None = None, check: Check = no_check) -> Document:
    """Open a picture or a PDF without decoding or rendering any page.

    Args:
        path: the file; its name does not matter, only its content.
        password: password of an encrypted PDF.
        check: called while waiting.

    Returns:
        The open document, with at least one page.

    Raises:
        PasswordRequired: the PDF is encrypted, and the password is missing or wrong.
        DocumentError: the file does not exist, cannot be read, is not a document, or has too many pages.
    """
    path = path.absolute()
    with _as_document_error():
        stamp = _inspect(path)
    source = ScanFile(path, password, check)
    check_page_count(source.page_count)
    with _as_document_error():
        sha256 = _digest(path, stamp)  # last, as a file may be large, and no document
    return Document(path, sha256, stamp, source)


@contextmanager
def _as_document_error() -> Iterator[None]:
    """Turn an error of the file system into a `DocumentError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise DocumentError("There is no such file. Check its name and location.") from error
    except PermissionError as error:
        raise DocumentError(
            "You have no permission to read this file. Ask its owner, or change its permissions."
        ) from error
    except ValueError as error:
        raise DocumentError(
            "The name of this file contains a character that no file name can have. Choose the file again."
        ) from error
    except OSError as error:
        raise DocumentError(sentence_on_unreadable(error)) from error


def _inspect(path: Path) -> tuple[int, int]:
    """Return the stamp of a file that can be read."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise DocumentError("This is a folder. Open the files in it.")
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError("This is a device or a pipe, not a file. Save its content to a file first.")
    if status.st_size == 0:
        raise DocumentError("The file is empty (0 bytes). Copy or scan it again.")
    with path.open("rb") as file:
        return _stamp(os.fstat(file.fileno()))


def _digest(path: Path, stamp: tuple[int, int]) -> str:
    """Return the SHA-256 digest of a file, which must not have changed since its stamp was taken."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if _stamp(os.fstat(file.fileno())) != stamp:
            raise FileOutdated(CHANGED)
        return digest


def _stamp(status: os.stat_result) -> tuple[int, int]:
    """Return what changes if a file is modified: size and modification time."""
    return status.st_size, status.st_mtime_ns
