"""Decodes pictures of more than 8 bits to 8, as bright as they are.

Pillow reads the values of such files, but not what they mean. Of colours it keeps the upper 8 bits. Knows no
page and no file.
"""

from typing import Any

from PIL import Image, ImageFile, TiffImagePlugin

_FEWER_BITS = (8, 10, 12, 14)
"""What scanners and programs put into 16 bits, in which such a page would be black."""

_PLANES = ("R", "G", "B", "A")
"""What Pillow calls the parts of a picture that hold a single colour."""


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
        from rtocr_gui.documents.decoding.deep_greys import grey_of_deep  # needs NumPy, as few pictures do

        return grey_of_deep(image)
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
    bits = bits_of(brightest, dropped=8)
    if bits == 16 or brightest == 0:
        return image
    most = 2 ** (bits - 8) - 1
    return image.point([min(255, level * 255 // most) for level in range(256)] * len(extrema))


def bits_of(brightest: int, dropped: int = 0) -> int:
    """Return how many bits the values of a picture of 16 have, by the greatest without its dropped bits."""
    return next((fewer for fewer in _FEWER_BITS if brightest < 2 ** (fewer - dropped)), 16)
