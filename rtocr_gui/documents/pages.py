"""The page types used throughout the program. Knows Pillow images, no file formats."""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from PIL import Image

_TRANSPOSES = {
    90: Image.Transpose.ROTATE_270,  # Pillow counts anticlockwise
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
ROTATIONS_DEG = (0, *_TRANSPOSES)
"""Clockwise rotations a page can have."""


class Half(Enum):
    """One of the two parts of a page that was cut. `rotated` relies on the order, which is clockwise."""

    TOP = "top"
    RIGHT = "right"
    BOTTOM = "bottom"
    LEFT = "left"

    def rotated(self, degrees: int) -> "Half":
        """Return where this half is once the page is rotated clockwise."""
        sides = list(Half)
        return sides[(sides.index(self) + degrees // 90) % 4]

    @property
    def is_beside(self) -> bool:
        """True if the other half is beside it, False if that is above or below."""
        return self in (Half.LEFT, Half.RIGHT)

    @property
    def is_first(self) -> bool:
        """True if it is read before the other half."""
        return self in (Half.LEFT, Half.TOP)


@dataclass(frozen=True, slots=True)
class PageRef:
    """Identifies one page of one file by content, or a half of it, with its rotation.

    Attributes:
        path: absolute path of the file.
        index: page number in the file, from 0.
        sha256: hexadecimal digest of the file's bytes, so that a changed file is a different page.
        rotation_deg: clockwise rotation relative to the file: 0, 90, 180 or 270.
        half: the half of the page as it is in the file; None for the whole page.
    """

    path: Path
    index: int
    sha256: str
    rotation_deg: int = 0
    half: Half | None = None

    def __post_init__(self) -> None:
        if self.rotation_deg not in ROTATIONS_DEG:
            raise ValueError(f"a page cannot be turned by {self.rotation_deg} degrees")

    def rotated(self, degrees: int) -> "PageRef":
        """Return the same page, rotated clockwise by this much more."""
        return replace(self, rotation_deg=(self.rotation_deg + degrees) % 360)

    @property
    def unrotated(self) -> "PageRef":
        """The same page or half, not rotated."""
        return replace(self, rotation_deg=0) if self.rotation_deg else self

    def halves(self, *, beside: bool) -> "tuple[PageRef, PageRef]":
        """Return the halves of a whole page, the one that is read first before the other.

        Args:
            beside: True for halves beside each other, as the page is rotated; False for one above the other.
        """
        first, second = (Half.LEFT, Half.RIGHT) if beside else (Half.TOP, Half.BOTTOM)
        return self._half(first), self._half(second)

    def _half(self, side: Half) -> "PageRef":
        return replace(self, half=side.rotated(-self.rotation_deg))

    @property
    def whole(self) -> "PageRef":
        """The page that this is, or is a half of, as it is in the file."""
        return replace(self, rotation_deg=0, half=None) if self.rotation_deg or self.half else self

    @property
    def turned_half(self) -> Half | None:
        """The half of the page as it is rotated; None for the whole page."""
        return self.half.rotated(self.rotation_deg) if self.half is not None else None

    @property
    def side(self) -> str:
        """Name of `turned_half` ("left half"); empty for the whole page."""
        return f"{self.turned_half.value} half" if self.turned_half is not None else ""

    def overlaps(self, other: "PageRef") -> bool:
        """True if both show some of the same part of the same page, however rotated."""
        is_apart = self.half is not None and self.half.rotated(180) is other.half
        return self.whole == other.whole and not is_apart

    @property
    def label(self) -> str:
        """Name in lists: the file name, the page number from 1, and which half it is."""
        return ", ".join(filter(None, (self.path.name, f"page {self.index + 1}", self.side)))


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
