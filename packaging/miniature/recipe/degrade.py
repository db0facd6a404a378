"""Simulates the effects of scanning: skew, bleed-through, blur, uneven light, noise, 1-bit, JPEG.

Choosing the damage is separate from applying it; the truth is moved along with the pixels. Knows no text.
"""

import io
import math
import random
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from recipe.blocks import Block
from recipe.typesetting import Print

MOST_SKEW_DEGREES = 2.0


@dataclass(frozen=True, slots=True)
class Damage:
    """How a page is scanned; zero skips a step.

    Attributes:
        paper: grey of the paper.
        ink: grey of the ink.
        skew_degrees: clockwise rotation.
        bleed: how strongly the other side shines through, in 0..1.
        blur_px: radius of the blur.
        shade: how much darker the darkest corner is, in 0..1.
        noise: standard deviation in grey levels.
        jpeg_quality: 1..95.
        threshold: grey below which a pixel of a 1-bit scan is black.
    """

    paper: int = 255
    ink: int = 0
    skew_degrees: float = 0.0
    bleed: float = 0.0
    blur_px: float = 0.0
    shade: float = 0.0
    noise: float = 0.0
    jpeg_quality: int = 0
    threshold: int = 0

    @classmethod
    def none(cls, rng: random.Random) -> "Damage":
        """Return a clean page, often on tinted paper or in grey ink."""
        if rng.random() < 0.5:
            return cls()
        return cls(paper=rng.randint(215, 255), ink=rng.randint(0, 90))


def choose_damage(rng: random.Random) -> Damage:
    """Choose the damage of a scan; each kind occurs on some pages only."""

    def sometimes(share: float, value: float) -> float:
        return value if rng.random() < share else 0.0

    one_bit = rng.random() < 0.12
    return Damage(
        paper=rng.randint(190, 255),
        ink=rng.randint(0, 100),
        skew_degrees=sometimes(0.5, rng.uniform(-MOST_SKEW_DEGREES, MOST_SKEW_DEGREES)),
        bleed=0.0 if one_bit else sometimes(0.15, rng.uniform(0.03, 0.18)),
        blur_px=sometimes(0.4, rng.uniform(0.3, 0.9)),
        shade=sometimes(0.3, rng.uniform(0.05, 0.25 if one_bit else 0.45)),
        noise=sometimes(0.5, rng.uniform(2, 16)),
        jpeg_quality=int(sometimes(0.3, rng.randint(25, 85))),
        threshold=rng.randint(100, 150) if one_bit else 0,
    )


@dataclass(frozen=True, eq=False, slots=True)
class Scan:
    """A scanned page, and how its content was moved.

    Attributes:
        image: grey image, as large as the sheet.
        skew_degrees: clockwise rotation about the centre.
    """

    image: Image.Image
    skew_degrees: float

    def move_print(self, print_: Print) -> Print:
        """Return the print at its new place; its boxes stay upright and keep their size."""
        if not self.skew_degrees:
            return print_
        centres = print_.centres
        shift = self._moved(centres) - centres
        return replace(print_, boxes=print_.boxes + np.concatenate([shift, shift], axis=1))

    def move_block(self, block: Block) -> Block:
        """Return a block at its new place: the upright box around its corners."""
        if not self.skew_degrees:
            return block
        x1, y1, x2, y2 = block.box
        corners = self._moved(np.array([(x1, y1), (x2, y1), (x1, y2), (x2, y2)], np.float32))
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return replace(block, box=(float(left), float(top), float(right), float(bottom)))

    def _moved(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        angle = math.radians(self.skew_degrees)
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], np.float32)
        centre = np.array(self.image.size, np.float32) / 2
        return ((points - centre) @ turn + centre).astype(np.float32)


def damage_page(image: Image.Image, damage: Damage, rng: np.random.Generator) -> Scan:
    """Scan a sheet.

    Args:
        image: grey image, black on white.
        damage: what to apply to it.
        rng: determines noise and light.

    Returns:
        The scan.
    """
    if damage.skew_degrees:
        image = image.rotate(-damage.skew_degrees, Image.Resampling.BICUBIC, fillcolor=255)
    if damage.blur_px:
        image = image.filter(ImageFilter.GaussianBlur(damage.blur_px))
    pixels = np.asarray(image, np.float32)
    if damage.bleed:
        behind = np.asarray(ImageOps.mirror(image.filter(ImageFilter.GaussianBlur(1.5))), np.float32)
        pixels = np.minimum(pixels, 255 - damage.bleed * (255 - behind))
    pixels = damage.ink + pixels * ((damage.paper - damage.ink) / 255)
    if damage.shade:
        pixels = pixels * (1 - damage.shade * _uneven_light(image.size, rng))
    if damage.noise:
        pixels = pixels + damage.noise * rng.standard_normal(pixels.shape, np.float32)
    if damage.threshold:
        pixels = np.where(pixels < damage.threshold, 0.0, 255.0)
    scanned = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return Scan(_as_jpeg(scanned, damage.jpeg_quality), damage.skew_degrees)


def _uneven_light(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return an (H, W) smooth random field in 0..1."""
    coarse = Image.fromarray(rng.random((3, 3), np.float32) * 255)
    return np.clip(np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.float32) / 255, 0, 1)


def _as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    if not quality:
        return image
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("L")
