"""Decodes pictures of more than 8 bits to 8, as bright as they are.

Pillow reads the values of such files, but not what they mean: how many bits there really are, whether 0 is
white, which range floats have. Of colours it keeps the upper 8 bits. Knows no page and no file.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin

_BAND_ROWS = 256

_FEWER_BITS = (8, 10, 12, 14)
"""What scanners and programs put into 16 bits, in which such a page would be black."""

_BLANK_BITS = 10
"""Where 0 is white, a page without more bits is hardly one with print, but blank."""

_DIM_PAPER = 128
"""A page without a brighter value is hardly one of 8 bits."""

_PLANES = ("R", "G", "B", "A")
"""What Pillow calls the parts of a picture that hold a single colour."""

_UNSIGNED = 1
"""The sample format of a TIFF that states none."""

_WHITE_IS_ZERO = 0
"""The photometric interpretation of a TIFF in which high values are dark."""


def decode_to_8_bits(image: ImageFile.ImageFile) -> Image.Image:
    """Decode a picture in its own mode, or in L where that has more than 8 bits for a grey.

    Args:
        image: an open file at the frame to decode, which is decoded in place.

    Raises:
        Exception: one of `pictures.DECODER_FAILURES`.
    """
    _read_planes_whole(image)
    is_deep_colour = _is_deep_colour(image)
    image.load()
    if image.mode == "F" or image.mode.startswith("I"):
        return _grey_of_deep(image)
    return _brightened(image) if is_deep_colour else image


def tags_of(image: Image.Image) -> Any:
    """Return the tags of a TIFF; none of another picture."""
    return getattr(image, "tag_v2", {})


def _read_planes_whole(image: ImageFile.ImageFile) -> None:
    """Have colours of 16 bits read as such in an uncompressed TIFF that holds one colour after the other.

    Pillow reads these as 8 bits, and so mixes up the rows.
    """
    tags = tags_of(image)
    if image.format != "TIFF" or set(tags.get(TiffImagePlugin.BITSPERSAMPLE, ())) != {16}:
        return
    order = "L" if tags.prefix == b"II" else "B"
    image.tile = [
        tile._replace(args=(f"{tile.args[0]};16{order}", *tile.args[1:]))
        if tile.codec_name == "raw" and isinstance(tile.args, tuple) and tile.args[0] in _PLANES
        else tile
        for tile in image.tile
    ]


def _is_deep_colour(image: ImageFile.ImageFile) -> bool:
    """True if a picture that is not decoded yet has 16 bits for each colour, and alpha as deep or none."""
    is_colour = image.mode == "RGBA" or (image.mode == "RGB" and not image.has_transparency_data)
    states_bits = image.format in ("PNG", "TIFF") and any(";16" in str(tile.args) for tile in image.tile)
    return is_colour and states_bits


def _brightened(image: Image.Image) -> Image.Image:
    """Brighten colours and alpha of 10 to 14 bits in 16: 2 to 6 are left, as Pillow keeps the upper 8."""
    extrema: Any = image.getextrema()
    is_opaque = len(extrema) == 4 and extrema[3] == (255, 255)
    brightest = max(most for _, most in (extrema[:3] if is_opaque else extrema))
    bits = _bits_of(brightest, dropped=8)
    if bits == 16 or brightest == 0:
        return image
    most = 2 ** (bits - 8) - 1
    return image.point([min(255, level * 255 // most) for level in range(256)] * len(extrema))


def _bits_of(brightest: int, dropped: int = 0) -> int:
    """Return how many bits the values of a picture of 16 have, by the greatest without its dropped bits."""
    return next((fewer for fewer in _FEWER_BITS if brightest < 2 ** (fewer - dropped)), 16)


def _grey_of_deep(image: Image.Image) -> Image.Image:
    """Convert grey values of more than 8 bits to 8 bits.

    Values of up to 16 bits are scaled from their full range; a TIFF states the number of bits and whether 0
    is white, neither of which Pillow applies. 32-bit integers and floats have no agreed range: what looks
    like 8 bits is taken as it is, and other pages are stretched from their darkest to their brightest value.
    A page of one value is blank, and NaN is dark.
    """
    convert = _scale_16_bits(image) if image.mode.startswith("I;16") else _stretch(image)
    grey = np.empty((image.height, image.width), np.uint8)
    for rows, values in _bands(image):
        grey[rows] = convert(values)
    return Image.fromarray(grey)


def _scale_16_bits(image: Image.Image) -> Callable[[NDArray[Any]], NDArray[np.uint8]]:
    bits = min(16, tags_of(image).get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0])
    if bits == 16:
        brightest = max(int(values.max()) for _, values in _bands(image))
        bits = _bits_of(brightest)
        if _is_white_zero(image) and bits <= _BLANK_BITS:
            bits = 16
    most = 2**bits - 1
    levels = np.arange(2**16).clip(max=most)
    if _is_white_zero(image):
        levels = most - levels
    greys: NDArray[np.uint8] = ((levels * 255 + most // 2) // most).astype(np.uint8)
    return lambda values: greys[values]


def _stretch(image: Image.Image) -> Callable[[NDArray[Any]], NDArray[np.uint8]]:
    darkest, brightest = math.inf, -math.inf
    for _, values in _bands(image):
        finite = values[np.isfinite(values)].astype(np.float64)
        darkest = min(darkest, float(finite.min(initial=darkest)))
        brightest = max(brightest, float(finite.max(initial=brightest)))
    if darkest > brightest:
        darkest = brightest = 0.0
    if darkest >= 0 and _DIM_PAPER <= brightest <= 255:
        darkest, brightest = 0.0, 255.0
    elif darkest == brightest and (darkest > 0 or _is_white_zero(image)):
        return lambda values: np.full(values.shape, 255, np.uint8)
    span = brightest - darkest or 1.0
    black = brightest if _is_white_zero(image) else darkest

    def convert(values: NDArray[Any]) -> NDArray[np.uint8]:
        numbers = np.nan_to_num(values.astype(np.float64), nan=black, posinf=brightest, neginf=darkest)
        return np.rint(np.abs(numbers - black) * (255 / span)).astype(np.uint8)

    return convert


def _is_white_zero(image: Image.Image) -> bool:
    return bool(tags_of(image).get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO)


def _bands(image: Image.Image) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield the rows in bands: as NumPy numbers, they take several times the memory of the pixels.

    Pillow's 32-bit integers have a sign, whether the file's have one or not.
    """
    sample_format = tags_of(image).get(TiffImagePlugin.SAMPLEFORMAT, (_UNSIGNED,))
    is_unsigned = image.mode == "I" and sample_format == (_UNSIGNED,)
    for top in range(0, image.height, _BAND_ROWS):
        rows = slice(top, min(top + _BAND_ROWS, image.height))
        values = np.asarray(image.crop((0, rows.start, image.width, rows.stop)))
        yield rows, values.view(np.uint32) if is_unsigned else values
