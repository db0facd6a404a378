"""What a picture promises on its way to the screen: every pixel arrives."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QImage

from rtocr_gui.ui.background.images import as_qimage


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (37, 256), (64, 700)])
def test_every_pixel_arrives_and_is_opaque(mode: str, size: tuple[int, int]) -> None:
    colours = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    image = Image.fromarray(colours).convert(mode)
    shown = as_qimage(image)
    assert (shown.width(), shown.height(), shown.format()) == (*size, QImage.Format.Format_RGB32)
    numbers = np.frombuffer(shown.constBits(), np.uint32).reshape(size[1], size[0])
    expected = np.asarray(image.convert("RGB"), np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    assert (numbers == (expected | 0xFF000000)).all()
