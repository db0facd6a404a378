"""Converts Pillow images to Qt images. Safe on any thread; touches no widget."""

from PIL import Image
from PySide6.QtGui import QImage


def as_qimage(image: Image.Image) -> QImage:
    """Copy an image into a QImage that owns its memory, in the format that widgets paint fastest."""
    rgb = image.convert("RGBX")
    shared = QImage(rgb.tobytes(), rgb.width, rgb.height, 4 * rgb.width, QImage.Format.Format_RGBX8888)
    return shared.convertToFormat(QImage.Format.Format_RGB32)
