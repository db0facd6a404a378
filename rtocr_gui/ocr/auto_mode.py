"""Which mode a page is read in where the person leaves that to the page.

Knows pixels and modes; no model, no window.
"""

from collections.abc import Sequence

from PIL import Image

from rtocr_gui.ocr.reading import Mode


def choose_mode(image: Image.Image, modes: Sequence[Mode]) -> Mode:
    """Choose the smallest mode that shows a page without shrinking it, else the one that shrinks it least.

    Args:
        image: RGB page.
        modes: modes that the model was made for, at least one.

    Returns:
        One of `modes`.
    """
    by_size = sorted(modes, key=lambda mode: (mode is Mode.GUNDAM, mode.view_px))
    longest = max(image.size)
    return next((mode for mode in by_size if longest <= mode.view_px), by_size[-1])
