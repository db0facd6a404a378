"""Inverts pages with light print on a dark ground, for models that have only seen dark print on light pages.

Knows pixels; no mode, no model and no torch.
"""

from PIL import Image, ImageOps

from rtocr_gui.ocr.vision.grey_levels import grey_levels

_GROUND_SHARE = 0.6
_OUTLYING_SHARE = 0.0002
_DARK_BELOW = 128
_LEAST_CONTRAST = 48
_MARGIN_SHARE = 0.05
_CELLS, _FIELD_SHARE = 32, 0.75


def as_light_page(image: Image.Image) -> Image.Image:
    """Invert a page whose ground is dark.

    Args:
        image: RGB or grey page.

    Returns:
        The inverted page; the page itself if its ground is light.
    """
    return ImageOps.invert(image) if has_dark_ground(image) else image


def has_dark_ground(image: Image.Image) -> bool:
    """Decide whether most of a page is dark.

    Three fifths of its pixels must be in the darkest third of the greys on the page, also of the part around
    all that is light. So a light page remains one in a wide black border, with a dark heading or a dark half,
    and so does a photograph of it in bad light, on which the print is darker still.

    These pixels must also be darker than mid-grey, or have light print on them, as a slide in orange does.
    Dark print at most half as bright as such a ground always outweighs what is light. Where it is fainter, a
    form on coloured paper is told from a slide by its light fields or margin: they are wider than strokes.

    Args:
        image: RGB or grey page.
    """
    grey = image.convert("L")
    cell_px = max(1, max(grey.size) // _CELLS)
    return _is_mostly_dark(grey, cell_px) and _is_mostly_dark(_part_around_light(grey), cell_px)


def _is_mostly_dark(grey: Image.Image, cell_px: int) -> bool:
    darkest, ground, lightest = grey_levels(grey, (_OUTLYING_SHARE, _GROUND_SHARE, 1 - _OUTLYING_SHARE))
    if ground - darkest > (lightest - darkest) / 3:
        return False
    if ground < _DARK_BELOW:
        return True
    contrast = lightest - ground
    (lightest_cell,) = grey_levels(grey.reduce(cell_px), (1,))
    return contrast >= _LEAST_CONTRAST and lightest_cell - ground < _FIELD_SHARE * contrast


def _part_around_light(grey: Image.Image) -> Image.Image:
    """Return the part of a page that holds all in the lightest third of its greys, and a margin."""
    darkest, lightest = grey_levels(grey, (_OUTLYING_SHARE, 1 - _OUTLYING_SHARE))
    least = lightest - (lightest - darkest) // 3
    box = grey.point([level >= least for level in range(256)]).getbbox()
    assert box is not None, "no pixel is the lightest"
    (left, top, right, bottom), (width, height) = box, grey.size
    x, y = round(_MARGIN_SHARE * width), round(_MARGIN_SHARE * height)
    return grey.crop((max(0, left - x), max(0, top - y), min(width, right + x), min(height, bottom + y)))
