"""Brings grey values of more than 8 bits to 8.

Pillow does not tell what such values mean: how many bits there really are, whether 0 is white, which range
floats have.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from rtocr_gui.documents.decoding.deep_pictures import bits_of, tags_of

_BAND_ROWS = 256

_BLANK_BITS = 10
"""Where 0 is white, a page without more bits is hardly one with print, but blank."""

_DIM_PAPER = 128
"""A page without a brighter value is hardly one of 8 bits."""

_UNSIGNED = 1
"""The sample format of a TIFF that states none."""

_WHITE_IS_ZERO = 0
"""The photometric interpretation of a TIFF in which high values are dark."""


def grey_of_deep(image: Image.Image) -> Image.Image:
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
        bits = bits_of(brightest)
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
