"""Converts Pillow images to Qt images. Safe on any thread; touches no widget."""

from PIL import Image
from PySide6.QtGui import QImage

_STRIP_PX = 256
"""Rows that are copied at a time: other threads wait meanwhile."""


def as_qimage(image: Image.Image) -> QImage:
    """Copy an image into a QImage that owns its memory, in the format that widgets paint fastest."""
    width, height = image.size
    copy = QImage(width, height, QImage.Format.Format_RGB32)
    pixels, row_bytes = memoryview(copy.bits()), copy.bytesPerLine()
    for top in range(0, height, _STRIP_PX):
        bottom = min(top + _STRIP_PX, height)
        strip = image.crop((0, top, width, bottom)).convert("RGB").convert("RGBA")
        pixels[top * row_bytes : bottom * row_bytes] = strip.tobytes("raw", "BGRA")  # 0xAARRGGBB
    return copy
