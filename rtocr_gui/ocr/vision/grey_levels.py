"""Finds the grey levels of a picture that given shares of its pixels do not exceed. Knows pixels only."""

from collections.abc import Sequence

import numpy as np
from PIL import Image


def grey_levels(grey: Image.Image, shares: Sequence[float]) -> list[int]:
    """Return the grey levels, 0..255, that these shares of the pixels do not exceed."""
    counts = np.cumsum(grey.histogram())
    return [int(level) for level in np.searchsorted(counts, np.multiply(shares, counts[-1]))]
