"""The page types used throughout the program. Knows Pillow images, no file formats."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby, takewhile
from pathlib import Path
from typing import TypeAlias

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
class Crop:
    """A rectangle that a page was cropped to. Edges are shares of its width and height, in 0..1.

    Attributes:
        left: left edge.
        top: upper edge.
        right: right edge, beyond `left`.
        bottom: lower edge, below `top`.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(f"{self} is no part of a page")

    def rotated(self, degrees: int) -> "Crop":
        """Return where this rectangle is once the page is rotated clockwise."""
        crop = self
        for _ in range(degrees // 90 % 4):
            crop = Crop(1 - crop.bottom, crop.left, 1 - crop.top, crop.right)
        return crop

    def box_px(self, width_px: int, height_px: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom on a page of this size, at least 2 x 2 if the page is."""
        left, top = round(self.left * width_px), round(self.top * height_px)
        left, top = max(0, min(left, width_px - 2)), max(0, min(top, height_px - 2))
        right, bottom = round(self.right * width_px), round(self.bottom * height_px)
        return left, top, max(right, min(left + 2, width_px)), max(bottom, min(top + 2, height_px))


Cut: TypeAlias = Half | Crop
"""What can be left of a page."""

Check: TypeAlias = Callable[[], None]
"""Called now and then by whoever waits for a file or page that another process or thread works on: what it
raises is raised there, and gives it up."""

CHECK_INTERVAL_S = 0.5
"""How often that is. Most pages are there before the first: to begin anew would take longer."""


@dataclass(frozen=True, slots=True)
class PageRef:
    """Identifies one page of one file by content, or a part of it, with its rotation.

    Attributes:
        path: absolute path of the file.
        index: page number in the file, from 0.
        sha256: hexadecimal digest of the file's bytes, so that a changed file is a different page.
        rotation_deg: clockwise rotation relative to the file: 0, 90, 180 or 270.
        cuts: halves and crops made one after the other of the page as it is in the file; none for the whole
            page.
    """

    path: Path
    index: int
    sha256: str
    rotation_deg: int = 0
    cuts: tuple[Cut, ...] = ()

    def __post_init__(self) -> None:
        if self.rotation_deg not in ROTATIONS_DEG:
            raise ValueError(f"a page cannot be turned by {self.rotation_deg} degrees")

    def rotated(self, degrees: int) -> "PageRef":
        """Return the same page, rotated clockwise by this much more."""
        return replace(self, rotation_deg=(self.rotation_deg + degrees) % 360)

    @property
    def unrotated(self) -> "PageRef":
        """The same page or part, not rotated."""
        return replace(self, rotation_deg=0) if self.rotation_deg else self

    def halves(self, *, beside: bool) -> "tuple[PageRef, PageRef]":
        """Return both halves of this, in the order of reading.

        Args:
            beside: True for halves beside each other, as the page is rotated; False for one above the other.
        """
        first, second = (Half.LEFT, Half.RIGHT) if beside else (Half.TOP, Half.BOTTOM)
        return self._half(first), self._half(second)

    def _half(self, side: Half) -> "PageRef":
        return self._cut(side.rotated(-self.rotation_deg))

    def cropped(self, crop: Crop) -> "PageRef":
        """Return a part of this, given as it is rotated."""
        return self._cut(crop.rotated(-self.rotation_deg))

    def _cut(self, cut: Cut) -> "PageRef":
        return replace(self, cuts=(*self.cuts, cut))

    @property
    def whole(self) -> "PageRef":
        """The page that this is, or is a part of, as it is in the file."""
        return replace(self, rotation_deg=0, cuts=()) if self.rotation_deg or self.cuts else self

    @property
    def half(self) -> Half | None:
        """The half that it was split into last, as it is in the file; None if it was not split."""
        return next((cut for cut in reversed(self.cuts) if isinstance(cut, Half)), None)

    @property
    def joined(self) -> "PageRef":
        """What this is a half of, rotated as it is; itself if it was not split."""
        split_at = [at for at, cut in enumerate(self.cuts) if isinstance(cut, Half)]
        return replace(self, cuts=self.cuts[: split_at[-1]]) if split_at else self

    @property
    def other_halves(self) -> "tuple[PageRef, ...]":
        """The other half of each split that led to this, rotated as it is: with it, all of the page."""
        return tuple(
            replace(self, cuts=(*self.cuts[:at], cut.rotated(180)))
            for at, cut in enumerate(self.cuts)
            if isinstance(cut, Half)
        )

    @property
    def reading_order(self) -> tuple[bool, ...]:
        """Sorts parts of one page that are rotated alike: for each split, whether it is read second."""
        turned = (cut.rotated(self.rotation_deg) for cut in self.cuts if isinstance(cut, Half))
        return tuple(not half.is_first for half in turned)

    @property
    def cut_from(self) -> "tuple[PageRef, ...]":
        """What this was cut out of, step by step: the whole page first, none of them rotated."""
        return tuple(replace(self.whole, cuts=self.cuts[:count]) for count in range(len(self.cuts)))

    @property
    def is_cropped(self) -> bool:
        """True if it was cropped, and not split after that."""
        return bool(self.cuts) and isinstance(self.cuts[-1], Crop)

    @property
    def uncropped(self) -> "PageRef":
        """What this was last cropped from, however often in a row; itself if it was not cropped."""
        after = tuple(takewhile(lambda cut: isinstance(cut, Crop), reversed(self.cuts)))
        return replace(self, cuts=self.cuts[: -len(after)]) if after else self

    @property
    def part(self) -> str:
        """Which part of the page it is ("left half, part 3 of 4, cropped"); empty for the whole page."""
        halves = {half.value for half in Half}
        return ", ".join(f"{name} half" if name in halves else name for name in self.cut_names)

    @property
    def cut_names(self) -> tuple[str, ...]:
        """The same in few words ("left", "part 3 of 4", "cropped"); none for the whole page."""
        turned = (cut.rotated(self.rotation_deg) for cut in self.cuts)
        runs = groupby(turned, lambda cut: cut.is_beside if isinstance(cut, Half) else None)
        return tuple(_name_of(tuple(run)) for _, run in runs)

    def overlaps(self, other: "PageRef") -> bool:
        """True if both show some of the same part of the same page, however rotated.

        Crops of the same page count as overlapping.
        """
        pairs = zip(self.cuts, other.cuts, strict=False)
        one, another = next((pair for pair in pairs if pair[0] != pair[1]), (None, None))
        are_both_halves = isinstance(one, Half) and one.rotated(180) is another
        return self.whole == other.whole and not are_both_halves

    @property
    def label(self) -> str:
        """Name in lists: the file name, the page number from 1, and which part of it it is."""
        return self._labelled(f"page {self.index + 1}")

    @property
    def label_without_number(self) -> str:
        """The same for the only page of a file."""
        return self._labelled("")

    def _labelled(self, number: str) -> str:
        return ", ".join(filter(None, (self.path.name, number, self.part)))


def _name_of(run: tuple[Cut, ...]) -> str:
    """Name what is left after several crops, or after several halvings in one direction."""
    halves = [cut for cut in run if isinstance(cut, Half)]
    if len(halves) < 2:
        return halves[0].value if halves else "cropped"
    before = 0
    for half in halves:
        before = 2 * before + (not half.is_first)
    return f"part {before + 1} of {2 ** len(halves)}"


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


def no_check() -> None:
    """Wait for as long as it may take."""


def rotate(image: Image.Image, degrees: int) -> Image.Image:
    """Rotate a picture clockwise by 0, 90, 180 or 270 degrees, losslessly."""
    return image.transpose(_TRANSPOSES[degrees]) if degrees else image
