"""Pages made for a test: with words, with noise, with nothing on them."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rtocr_gui.documents.pages import PageImage, PageRef


def page_image(size: tuple[int, int] = (400, 300), text: str = "A good page") -> Image.Image:
    """A white page with a line of text and a black corner at its top left, to tell which way is up."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0] // 8, size[1] // 8), fill="black")
    draw.text((size[0] // 4, size[1] // 2), text, fill="black", font_size=max(10, size[1] // 12))
    return image


def noise_page(width: int, height: int) -> Image.Image:
    """A page on which no pixel tells anything of another."""
    pixels = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def blank_page(size: tuple[int, int], name: str = "page.png") -> PageImage:
    """A white page of this file."""
    return PageImage(PageRef(Path(name), 0, "0" * 64), Image.new("RGB", size, "white"), None)


def text_page(
    name: str = "page.png", words: str = "Hello there", size: tuple[int, int] = (512, 512)
) -> PageImage:
    """A white page of this file with a line of words at its top left."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((20, 20), words, "black", ImageFont.load_default(40))
    return PageImage(PageRef(Path("/scans") / name, 0, sha256=f"{name}: {words}"), image, dpi=200)
