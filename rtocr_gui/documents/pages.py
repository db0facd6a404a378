"""The page types that travel through the program. Knows Pillow images, no file formats."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image


@dataclass(frozen=True, slots=True)
class PageRef:
    """Names one page of one file, by content.

    Attributes:
        path: absolute path of the file.
        index: page number in the file, from 0.
        sha256: hexadecimal digest of the file's bytes, so that a changed file is another page.
    """

    path: Path
    index: int
    sha256: str

    @property
    def label(self) -> str:
        """What a list shows: the file name and the page number as people count."""
        return f"{self.path.name}, page {self.index + 1}"


@dataclass(frozen=True, eq=False, slots=True)
class PageImage:
    """One rendered page.

    Attributes:
        ref: which page.
        image: RGB, EXIF orientation applied, alpha dropped.
        dpi: resolution it was rendered or scanned at; None where the file does not tell.
    """

    ref: PageRef
    image: Image.Image
    dpi: float | None
