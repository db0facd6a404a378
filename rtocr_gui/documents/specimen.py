"""Draws a printed page for measurements without a document of the user's. Knows no file."""

from PIL import Image, ImageDraw

A4_AT_200_DPI = (1654, 2339)
_LINES = 50


def specimen_page(number: int = 1) -> Image.Image:
    """Draw an A4 page full of print, at 200 dpi.

    Args:
        number: each number gives a different page.
    """
    page = Image.new("RGB", A4_AT_200_DPI, "white")
    draw = ImageDraw.Draw(page)
    for line in range(_LINES):
        words = f"Page {number}, line {line}: " + "the quick brown fox jumps over the lazy dog " * 2
        draw.text((120, 120 + 42 * line), words, "black", font_size=28)
    return page
