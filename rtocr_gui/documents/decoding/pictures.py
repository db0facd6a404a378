"""Decodes pictures into pages: PNG, JPEG, JPEG 2000, TIFF, WebP, AVIF, BMP and GIF, with Pillow.

Every frame of a TIFF, GIF, WebP, AVIF or animated PNG is a page, except the reduced copies and masks that a
TIFF can hold; of a multi-picture JPEG, only the first is, as the others are previews and depth maps of the
same shot. Pictures whose pixels are not square, such as faxes, are stretched. The file is reopened for each
page, except that a GIF, WebP or AVIF animation stays open, as each frame is made from the one before.
"""

import itertools
import math
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from rtocr_gui.documents.decoding.deep_pictures import decode_to_8_bits, tags_of
from rtocr_gui.documents.decoding.scan import TIFF_MARKS, Rendered
from rtocr_gui.documents.limits import (
    MOST_PAGES,
    PICTURE_PIXEL_LIMIT,
    check_animation_size,
    check_page_count,
    check_page_size,
)
from rtocr_gui.errors import DocumentError
from rtocr_gui.files import sentence_on_unreadable

FORMATS = ("PNG", "JPEG", "JPEG2000", "TIFF", "WEBP", "AVIF", "BMP", "GIF")

_AVIF = re.compile(rb".{4}ftyp(avif|avis)", re.DOTALL)
"""What an AVIF file begins with."""

_HEIC = re.compile(rb".{4}ftyp.{0,40}(heic|heix|heim|heis|hevc|hevx)", re.DOTALL)
"""What a HEIC file begins with: it may name its kind after a more general one."""

# Errors that Pillow's decoders raise on damaged data.
DECODER_FAILURES = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
)

_ANIMATED = ("GIF", "WEBP", "AVIF")
"""Formats of animations that stay open; in those of PNG, Pillow loses its place."""

_BEGINNING_BYTES = 64
"""What of a file is looked at to tell its kind."""

_PIECE_PX = 1 << 16

_NEAR_LEVELS = 96
"""Greys that differ by less from black or from white are dark or light print."""

TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to turn a picture upright, by its EXIF orientation."""

_ON_ITS_SIDE = (5, 6, 7, 8)
"""The orientations that exchange width and height."""

_NEW_SUBFILE_TYPE = 254
_REDUCED_COPY, _MASK = 1, 4
"""Bits of that TIFF tag."""

_LEAST_STRETCH, _GREATEST_STRETCH = 1.05, 4
"""Ratio of the resolutions along both axes from which pixels count as not square; a greater one than that of
any fax is a mistake."""


class OpenPicture:
    """The frames of a picture file that are pages."""

    def __init__(self, path: Path) -> None:
        """Inspect the file without decoding it.

        Raises:
            DocumentError: it is not a picture, is damaged, or its only page is too large or a strip.
        """
        self._path = path
        self._animation: ImageFile.ImageFile | None = None
        self._held = ExitStack()
        with _as_document_error(path), _opened(path) as image:
            self._frames = _page_frames(image)
            self._is_animation = image.format in _ANIMATED and len(self._frames) > 1
            if len(self._frames) > 1 and image.format != "TIFF":
                check_page_count(len(self._frames))
                check_animation_size(len(self._frames), *image.size)
            elif len(self._frames) == 1:
                image.seek(self._frames[0])
                check_page_size(*image.size)

    def count_pages(self) -> int:
        """Return how many there are, at least 1."""
        return len(self._frames)

    def render(self, index: int, dpi: float) -> Rendered:  # noqa: ARG002
        """Decode one frame at its own resolution, upright and with square pixels; `dpi` is ignored.

        Raises:
            DocumentError: the frame is damaged, too large or a strip.
        """
        with self._frame(index) as image:
            check_page_size(*image.size)
            dpi_xy, density_xy = _stated_dpi(image), _stated_density(image)
            page = _with_square_pixels(_upright_rgb(image), density_xy)
        return _rendered(page, max(dpi_xy) if dpi_xy else None)

    def preview(self, index: int, longest_px: int) -> Rendered:
        """Decode a small version of a frame: upright, longest side at most `longest_px`.

        Raises:
            DocumentError: as `render`.
        """
        with self._frame(index) as image:
            check_page_size(*image.size)
            density_xy = _stated_density(image)
            image.draft("RGB", (longest_px, longest_px))
            page = _with_square_pixels(_upright_rgb(image), density_xy)
        page.thumbnail((longest_px, longest_px))
        return _rendered(page, None)

    def own_text(self, index: int, rotation_deg: int) -> str:  # noqa: ARG002
        """Return nothing: a picture has no text of its own."""
        return ""

    def close(self) -> None:
        """Release the file, if it is held as an animation."""
        self._animation = None
        self._held.close()

    @contextmanager
    def _frame(self, index: int) -> Iterator[ImageFile.ImageFile]:
        """Open a frame without decoding it; any failure inside becomes a `DocumentError`."""
        with _as_document_error(self._path), self._image() as image:
            for frame in range(image.tell() + 1, index) if self._is_animation else ():
                image.seek(frame)
                check_animation_size(len(self._frames), *image.size)  # a frame may enlarge it
            image.seek(self._frames[index])
            info = image.info.copy()
            yield image
            image.info = info

    @contextmanager
    def _image(self) -> Iterator[ImageFile.ImageFile]:
        if not self._is_animation:
            with _opened(self._path) as image:
                yield image
            return
        if self._animation is None:
            self._animation = self._held.enter_context(_opened(self._path))
        try:
            yield self._animation
        except BaseException:
            self.close()  # what a failure leaves behind is no base for other frames
            raise


def _rendered(page: Image.Image, dpi: float | None) -> Rendered:
    """Return a page in pieces: as a whole, it would take as much memory as it does already."""
    tops = range(0, page.height, max(1, _PIECE_PX // page.width))
    pieces = (page.crop((0, top, page.width, min(top + tops.step, page.height))) for top in tops)
    return Rendered(page.size, dpi, (piece.tobytes("raw", "RGBX") for piece in pieces))


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    # Not by its path: Pillow would map an uncompressed TIFF into memory, and mixes up the rows of one
    # that lies on its side.
    with path.open("rb") as stream, Image.open(stream, formats=FORMATS) as image:
        yield image


@contextmanager
def _as_document_error(path: Path) -> Iterator[None]:
    """Turn a failure to decode a file into a `DocumentError`."""
    # Pillow's limit and warning are process-wide. Its own checks catch sizes that the header does not state.
    Image.MAX_IMAGE_PIXELS = PICTURE_PIXEL_LIMIT
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DocumentError(
            f"The picture would unpack to more than {PICTURE_PIXEL_LIMIT / 1e6:,.0f} million pixels. "
            "Save it at a lower resolution."
        ) from error
    except UnidentifiedImageError as error:
        raise DocumentError(_why_unidentified(path)) from error
    except MemoryError as error:
        raise DocumentError(
            "There is not enough memory to unpack the picture. Close other programs, or save it at a lower "
            "resolution."
        ) from error
    except DECODER_FAILURES as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DocumentError(sentence_on_unreadable(error)) from error
        raise DocumentError(
            "The picture is damaged or cut off and cannot be decoded. "
            "Get a fresh copy, scan it again, or save it again in another program."
        ) from error


def _why_unidentified(path: Path) -> str:
    """Say why Pillow knows no format for a file, by what it begins with."""
    try:
        with path.open("rb") as stream:
            beginning = stream.read(_BEGINNING_BYTES)
    except OSError:
        beginning = b""
    if beginning.startswith(TIFF_MARKS):
        return (
            "This kind of TIFF cannot be opened, or its beginning is damaged. "
            "Save it with 8 or 16 bits for each of its colours, or get a fresh copy."
        )
    if _AVIF.match(beginning):  # not all of Pillow's wheels can decode it
        return (
            "This AVIF picture is damaged or cut off, or this computer cannot decode it. "
            "Get a fresh copy, or save it as JPEG or PNG first."
        )
    if _HEIC.match(beginning):
        return "This is a HEIC picture, which RTOCR does not read. Save it as JPEG or PNG first."
    return (
        "This is not a PDF, PNG, JPEG, JPEG 2000, TIFF, WebP, AVIF, BMP or GIF file, or its beginning is "
        "damaged. Convert it to one of these, or get a fresh copy."
    )


def _page_frames(image: ImageFile.ImageFile) -> Sequence[int]:
    """Return the frames that are pages; of a TIFF, all if each claims to be a copy or a mask."""
    if image.format != "TIFF":
        return range(1 if image.format == "MPO" else getattr(image, "n_frames", 1))
    are_pages = list(itertools.islice(_tiff_frames(image), MOST_PAGES + 1))  # more are refused
    return [frame for frame, is_page in enumerate(are_pages) if is_page] or range(len(are_pages))


def _tiff_frames(image: ImageFile.ImageFile) -> Iterator[bool]:
    """Yield of each frame of a TIFF whether it is a page: no reduced copy or mask of another.

    A damaged one is a page. Pillow's `n_frames` would fail at it, and so lose all the others.
    """
    for frame in itertools.count():
        try:
            image.seek(frame)
        except EOFError:
            return
        except DECODER_FAILURES:
            if image.tell() != frame:  # the way to it, and to all after it, is lost
                return
            yield True
        else:
            kind = tags_of(image).get(_NEW_SUBFILE_TYPE, 0)
            yield not (isinstance(kind, int) and kind & (_REDUCED_COPY | _MASK))


def _upright_rgb(image: ImageFile.ImageFile) -> Image.Image:
    """Apply the EXIF orientation, drop alpha, and bring any colour mode to 8-bit RGB."""
    page = _without_alpha(decode_to_8_bits(image))  # a TIFF comes out upright, without its orientation
    transposition = TRANSPOSITIONS.get(_orientation(image))
    return page if transposition is None else page.transpose(transposition)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of a picture; 1, upright, if its EXIF data is unreadable.

    `ImageOps.exif_transpose` gives the same pixels but fails on photographs with malformed tags.
    """
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DECODER_FAILURES:
        return 1
    return orientation if orientation in TRANSPOSITIONS else 1


def _with_square_pixels(page: Image.Image, density_xy: tuple[float, float] | None) -> Image.Image:
    """Stretch a page along the axis of its lower density.

    Raises:
        DocumentError: it would be too large, or a strip.
    """
    if density_xy is None or not _LEAST_STRETCH < max(density_xy) / min(density_xy) < _GREATEST_STRETCH:
        return page
    across, down = (max(density_xy) / density for density in density_xy)
    size = round(page.width * across), round(page.height * down)
    check_page_size(*size)
    return page.resize(size, Image.Resampling.BICUBIC)


def _without_alpha(image: Image.Image) -> Image.Image:
    """Drop alpha, as the reference does; but print that would vanish gets a ground on which it shows."""
    transparent = image.convert("RGBA") if image.has_transparency_data else None
    image.info.pop("transparency", None)  # otherwise Pillow warns about its loss, which is intended
    opaque = image.convert("RGB")
    ground = None if transparent is None else _ground_to_show(transparent, opaque)
    if transparent is None or ground is None:
        return opaque
    return Image.alpha_composite(Image.new("RGBA", image.size, ground), transparent).convert("RGB")


def _ground_to_show(transparent: Image.Image, opaque: Image.Image) -> str | None:
    """Return the colour to put an RGBA picture on, so that its print shows; None if it does without alpha."""
    if not opaque.getcolors(maxcolors=1):
        return "white" if _is_dark_on_clear_black(transparent) else None
    if not _is_print(transparent.getchannel("A").histogram()):
        return None
    return "black" if any(opaque.convert("L").histogram()[-_NEAR_LEVELS:]) else "white"


def _is_print(alpha: list[int]) -> bool:
    """True if most of a picture is either clear or solid, but not all alike, by its histogram of alpha."""
    return sum(alpha) < 2 * (alpha[0] + alpha[255]) and sum(alpha) not in alpha


def _is_dark_on_clear_black(picture: Image.Image) -> bool:
    """True if the print of an RGBA picture is dark, and its clear parts are black beneath, as is common."""
    grey, alpha = picture.convert("L"), picture.getchannel("A")
    clear = grey.histogram(alpha.point([255] + [0] * 255))
    shown = grey.histogram(alpha.point([0] + [255] * 255))
    is_black = 0 < clear[0] == sum(clear)
    return is_black and sum(shown[:_NEAR_LEVELS]) > sum(shown[-_NEAR_LEVELS:])


def _stated_dpi(image: Image.Image) -> tuple[float, float] | None:
    """Return the resolution that a file states before it is decoded, across and down the upright page.

    In dots per inch; None if missing or implausible.
    """
    stated = _pair(image, image.info.get("dpi"))
    return stated if stated is not None and all(10 <= dpi <= 20_000 for dpi in stated) else None


def _stated_density(image: Image.Image) -> tuple[float, float] | None:
    """Return how dense the pixels are, across and down the upright page, in whatever unit; None if unknown.

    Without a unit, TIFF, JPEG and PNG still state the ratio.
    """
    info = image.info
    if "dpi" in info:
        return _stated_dpi(image)
    jfif = info.get("jfif_density") if info.get("jfif_unit") == 0 else None
    return _pair(image, info.get("resolution") or jfif or info.get("aspect"))


def _pair(image: Image.Image, stated: Any) -> tuple[float, float] | None:
    """Return two stated numbers, across and down the upright page, if they are finite and above 0."""
    try:
        across, down = float(stated[0]), float(stated[1])
    except (TypeError, LookupError, ValueError, ArithmeticError):
        return None
    if not all(math.isfinite(number) and number > 0 for number in (across, down)):
        return None
    return (down, across) if _orientation(image) in _ON_ITS_SIDE else (across, down)
