"""What pages are marked with, and how marks grow and connect."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Mask = NDArray[np.bool_]

_MOST_REACH = 10
"""The farthest that marks grow at once: the blur that shows it rounds to whole grey levels."""


def grown(mask: Mask, reach: int) -> Mask:
    """Mark also what is within `reach` of what is marked, both along rows and along columns.

    Args:
        mask: (H, W).
        reach: number of pixels, at least 0.
    """
    while reach > 0:
        blurred = Image.fromarray(np.uint8(255) * mask).filter(ImageFilter.BoxBlur(min(reach, _MOST_REACH)))
        mask, reach = np.asarray(blurred) > 0, reach - _MOST_REACH
    return mask


def opened(mask: Mask, reach: int) -> Mask:
    """Keep only what squares of 2 reach + 1 pixels fit into; see `grown`."""
    return grown(~grown(~mask, reach), reach)


def connected(first: Mask, areas: Mask) -> Mask:
    """Return the connected area around what is marked first.

    Args:
        first: (H, W), within the areas.
        areas: (H, W). What touches at a corner only is not connected.
    """
    found, count = first, 0
    while (now := int(found.sum())) > count:
        count = now
        found = _along_rows(_along_rows(found, areas).T, areas.T).T
    return found


def first_of(mask: Mask) -> Mask:
    """Mark only the first marked pixel, row by row; there must be one."""
    first = np.zeros_like(mask)
    first.flat[mask.argmax()] = True
    return first


def _along_rows(found: Mask, areas: Mask) -> Mask:
    """Extend what was found to the ends of its runs along rows."""
    begins = areas & ~np.pad(areas, ((0, 0), (1, 0)))[:, :-1]
    runs = begins.cumsum().reshape(areas.shape) * areas
    is_found = np.zeros(runs.max() + 1, np.bool_)
    is_found[runs[found]] = True
    extended: Mask = is_found[runs] & areas
    return extended
