"""Sets words on a sheet and records where every character is.

Words are placed one by one, so that the recorded places are accurate to a pixel however long the line is.
Knows type and ink; does not know what the words mean or how a page is made up.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from recipe.typefaces import Style, Typeface

_ABOVE_BASELINE, _BELOW_BASELINE = 1.45, 0.4
"""Extent of a character's box in x-heights: up to the ascenders and down to the descenders."""


@dataclass(frozen=True, eq=False, slots=True)
class Print:
    """Characters and where they are printed.

    Attributes:
        characters: C characters, including spaces within lines.
        boxes: (C, 4) float32 xyxy in pixels.
        lines: (C,) int32, equal for characters on one printed line.
    """

    characters: str
    boxes: NDArray[np.float32]
    lines: NDArray[np.int32]

    @property
    def centres(self) -> NDArray[np.float32]:
        """(C, 2) x and y of the centres of the boxes."""
        middles: NDArray[np.float32] = (self.boxes[:, :2] + self.boxes[:, 2:]) * np.float32(0.5)
        return middles

    def scaled(self, x_scale: float, y_scale: float, left: float = 0, top: float = 0) -> "Print":
        """Return the same print on a page that was scaled and then moved right and down."""
        scale = np.array([x_scale, y_scale] * 2, np.float32)
        return replace(self, boxes=self.boxes * scale + np.array([left, top] * 2, np.float32))


@dataclass(frozen=True, slots=True)
class Type:
    """One style of a typeface at one size."""

    font: ImageFont.FreeTypeFont
    x_height_px: float

    @classmethod
    def of(cls, typeface: Typeface, style: Style, x_height_px: float) -> "Type":
        """Return the type with this x-height, to a quarter pixel of type size."""
        return cls(typeface.font(style, typeface.size_for(x_height_px)), x_height_px)

    @property
    def size_px(self) -> float:
        """The type size."""
        return float(self.font.size)

    def width(self, text: str) -> float:
        """Return the width of a text, without kerning."""
        return sum(_advance(self.font, character) for character in text)


@functools.lru_cache(maxsize=2_048)
def _advance(font: ImageFont.FreeTypeFont, character: str) -> float:
    return float(font.getlength(character))


def break_lines(text: str, type_: Type, width_px: float) -> list[list[str]]:
    """Break running text into lines of words, each as full as possible; a word too long has its own line."""
    lines: list[list[str]] = [[]]
    space, filled = type_.width(" "), 0.0
    for word in text.split():
        width = type_.width(word)
        if lines[-1] and filled + space + width > width_px:
            lines.append([])
        filled = filled + space + width if lines[-1] else width
        lines[-1].append(word)
    return lines if lines[0] else []


class Sheet:
    """A white sheet to print on.

    Args:
        image: white grey image, which is printed on.

    Attributes:
        image: as given.
        canvas: for rules and figures.
    """

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.canvas = ImageDraw.Draw(image)
        self._characters: list[str] = []
        self._boxes: list[tuple[float, float, float, float]] = []
        self._lines: list[int] = []
        self._line = 0

    @property
    def print(self) -> Print:
        """What has been printed so far."""
        boxes = np.array(self._boxes, np.float32).reshape(-1, 4)
        return Print("".join(self._characters), boxes, np.array(self._lines, np.int32))

    def begin_line(self) -> None:
        """Start a new line for the words set from now on."""
        self._line += 1

    def set_words(
        self,
        words: Sequence[str],
        type_: Type,
        left: float,
        baseline: float,
        space_px: float,
        emphasis: Sequence[Type | None] = (),
    ) -> float:
        """Print words on the current line.

        Args:
            words: words without spaces.
            type_: type to set them in.
            left: x where the first word begins.
            baseline: y of the baseline.
            space_px: width of the spaces.
            emphasis: other types for the first words; None for `type_`.

        Returns:
            The x where the last word ends.
        """
        top = baseline - _ABOVE_BASELINE * type_.x_height_px
        bottom = baseline + _BELOW_BASELINE * type_.x_height_px
        for index, word in enumerate(words):
            if index:
                self._remember(" ", left, top, left + space_px, bottom)
                left += space_px
            chosen = (emphasis[index] if index < len(emphasis) else None) or type_
            self.canvas.text((left, baseline), word, fill=0, font=chosen.font, anchor="ls")
            for character in word:
                right = left + _advance(chosen.font, character)
                self._remember(character, left, top, right, bottom)
                left = right
        return left

    def _remember(self, character: str, left: float, top: float, right: float, bottom: float) -> None:
        self._characters.append(character)
        self._boxes.append((left, top, right, bottom))
        self._lines.append(self._line)
