"""Inverts pages with light print on a dark ground, for models that have only seen dark print on light pages.

Knows pixels; no mode, no model and no torch.
"""

import numpy as np
from PIL import Image, ImageOps

_GROUND_SHARE = 0.6
_OUTLYING_SHARE = 0.0002
_DARK_BELOW, _DARK_SHARE = 128, 1 / 3


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

    Three fifths of its pixels must be darker than mid-grey and in the darkest third of the greys on the
    page. So a light page remains one with a black border, a dark heading or a dark half, and so does a
    photograph of it in bad light, on which the print is darker still.

    Args:
        image: RGB or grey page.
    """
    counts = np.cumsum(image.convert("L").histogram())
    shares = (_OUTLYING_SHARE, _GROUND_SHARE, 1 - _OUTLYING_SHARE)
    darkest, ground, lightest = np.searchsorted(counts, np.multiply(shares, counts[-1]))
    return bool(ground < _DARK_BELOW and ground - darkest <= _DARK_SHARE * (lightest - darkest))
