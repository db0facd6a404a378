"""What is known of every file in the process that decodes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

_PDF_MARK, PDF_MARK_WITHIN_BYTES = b"%PDF-", 1024
"""What a PDF begins with, and within how many bytes."""

TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_JPEG_2000_MARKS = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n")

_PICTURE_MARKS = (*TIFF_MARKS, *_JPEG_2000_MARKS, b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
"""What PNG, JPEG, JPEG 2000, TIFF and GIF files begin with; a comment may follow that looks like another
format."""


def is_pdf(beginning: bytes) -> bool:
    """Tell a PDF from a picture by its first `PDF_MARK_WITHIN_BYTES` bytes."""
    return _PDF_MARK in beginning and not beginning.startswith(_PICTURE_MARKS)


@dataclass(frozen=True, eq=False, slots=True)
class Rendered:
    """A page.

    Attributes:
        size_px: width and height.
        dpi: resolution that it was rendered at, or that a picture states; None if it states none.
        pixels: row by row, in pieces: red, green, blue and a byte that is none of a colour for each, as in
            Pillow's memory.
    """

    size_px: tuple[int, int]
    dpi: float | None
    pixels: Iterator[bytes]


class OpenScan(Protocol):
    """An open file with at least one page; errors are `DocumentError`s."""

    def count_pages(self) -> int:
        """Return how many pages there are, or how many a PDF says that it has."""

    def render(self, index: int, dpi: float) -> Rendered:
        """Render a page, from 0, at this resolution if it has none of its own."""

    def preview(self, index: int, longest_px: int) -> Rendered:
        """Render a page, from 0, about as small as this on its longest side."""

    def own_text(self, index: int, rotation_deg: int) -> str:
        """Return the text that is printed on a page, as it is in the file; empty if that is unreliable."""

    def close(self) -> None:
        """Release the file."""
