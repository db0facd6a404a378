"""Pillow images to Qt images and back. Safe on any thread; touches no widget."""

from PIL import Image
from PySide6.QtGui import QImage


def as_qimage(image: Image.Image) -> QImage:
    """Copy an RGB image into a QImage of its own memory."""
    rgb = image.convert("RGBX")
    return QImage(rgb.tobytes(), rgb.width, rgb.height, 4 * rgb.width, QImage.Format.Format_RGBX8888).copy()
