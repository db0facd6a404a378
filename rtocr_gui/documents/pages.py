"""The page types used throughout the program. Knows Pillow images, no file formats."""

from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

_TRANSPOSES = {
    90: Image.Transpose.ROTATE_270,  # Pillow counts anticlockwise
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
ROTATIONS_DEG = (0, *_TRANSPOSES)
"""Clockwise rotations a page can have."""


@dataclass(frozen=True, slots=True)
class PageRef:
    """Identifies one page of one file by content, with its rotation.

    Attributes:
        path: absolute path of the file.
        index: page number in the file, from 0.
        sha256: hexadecimal digest of the file's bytes, so that a changed file is a different page.
        rotation_deg: clockwise rotation relative to the file: 0, 90, 180 or 270.
    """

    path: Path
    index: int
    sha256: str
    rotation_deg: int = 0

    def __post_init__(self) -> None:
        if self.rotation_deg not in ROTATIONS_DEG:
            raise ValueError(f"a page cannot be turned by {self.rotation_deg} degrees")

    def rotated(self, degrees: int) -> "PageRef":
        """Return the same page, rotated clockwise by this much more."""
        return replace(self, rotation_deg=(self.rotation_deg + degrees) % 360)

    @property
    def unrotated(self) -> "PageRef":
        """The page as it is in the file."""
        return replace(self, rotation_deg=0) if self.rotation_deg else self

    @property
    def label(self) -> str:
        """Name in lists: the file name and the page number from 1."""
        return f"{self.path.name}, page {self.index + 1}"


@dataclass(frozen=True, eq=False, slots=True)
class PageImage:
    """One rendered page.

    Attributes:
        ref: which page.
        image: RGB, EXIF orientation and rotation applied, alpha dropped.
        dpi: resolution it was rendered or scanned at; None if the file does not state it.
    """

    ref: PageRef
    image: Image.Image
    dpi: float | None


def rotate(image: Image.Image, degrees: int) -> Image.Image:
    """Rotate a picture clockwise by 0, 90, 180 or 270 degrees, losslessly."""
    return image.transpose(_TRANSPOSES[degrees]) if degrees else image
