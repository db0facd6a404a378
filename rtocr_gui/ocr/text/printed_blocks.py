"""Moves blocks to where their text is printed, for models that say only roughly where blocks are.

Knows text, boxes and pages; no model.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from rtocr_gui.documents.part_places import place_parts
from rtocr_gui.documents.printed_text import printed_text
from rtocr_gui.documents.text_places import Box, TextPart, around
from rtocr_gui.ocr.reading import GREATEST_COORDINATE, Block


def move_to_print(blocks: Sequence[Block], text: str, page: Image.Image) -> tuple[Block, ...]:
    """Move blocks to where their text is printed.

    Args:
        blocks: the blocks of a page, with the boxes that the model emitted.
        text: the human-readable text that they are parts of.
        page: the picture of the page.

    Returns:
        The same blocks. Those without text, such as pictures, and those whose print was not found keep their
        boxes.
    """
    parts = [
        TextPart(printed_text(text[block.start : block.end]), around(block.boxes_px(page.size)))
        for block in blocks
    ]
    return tuple(
        block if place is None else replace(block, boxes=(_on_grid(place, page),))
        for block, place in zip(blocks, place_parts(parts, page), strict=True)
    )


def _on_grid(box: Box, page: Image.Image) -> tuple[int, int, int, int]:
    """Return a box in pixels as the smallest one in 0..999 that contains it."""
    across, down = (GREATEST_COORDINATE / side for side in page.size)
    left, top, right, bottom = box
    return (
        math.floor(left * across),
        math.floor(top * down),
        math.ceil(right * across),
        math.ceil(bottom * down),
    )
