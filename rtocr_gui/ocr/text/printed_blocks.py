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

GridBox = tuple[int, int, int, int]
"""Left, top, right and bottom in 0..999 of the page."""

_LEAST_REST = 0.5
"""What part of the height of a picture must be left without the print of other blocks."""


def move_to_print(blocks: Sequence[Block], text: str, page: Image.Image) -> tuple[Block, ...]:
    """Move blocks to where their text is printed.

    Args:
        blocks: the blocks of a page, with the boxes that the model emitted.
        text: the human-readable text that they are parts of.
        page: the picture of the page.

    Returns:
        The same blocks. Those without text, such as pictures, and those whose print was not found keep their
        boxes, but not the print of others at their edges.
    """
    parts = [
        TextPart(printed_text(text[block.start : block.end]), around(block.boxes_px(page.size)))
        for block in blocks
    ]
    places = [None if box is None else _on_grid(box, page) for box in place_parts(parts, page)]
    print_ = [place for place in places if place is not None]
    return tuple(
        replace(block, boxes=tuple(_without(print_, box) for box in block.boxes))
        if place is None
        else replace(block, boxes=(place,), is_found=True)
        for block, place in zip(blocks, places, strict=True)
    )


def _without(print_: Sequence[GridBox], box: GridBox) -> GridBox:
    """Cut the print of other blocks off the top and the bottom of a box, unless that leaves too little."""
    left, top, right, bottom = box
    for x1, y1, x2, y2 in print_:
        if x1 < right and left < x2 and y1 < bottom and top < y2:
            if y1 + y2 < box[1] + box[3]:
                top = y2
            else:
                bottom = y1
    return (left, top, right, bottom) if bottom - top >= _LEAST_REST * (box[3] - box[1]) else box


def _on_grid(box: Box, page: Image.Image) -> GridBox:
    """Return a box in pixels as the smallest one in 0..999 that contains it."""
    (left, right), (top, bottom) = (
        (math.floor(first * GREATEST_COORDINATE / side), math.ceil(last * GREATEST_COORDINATE / side))
        for first, last, side in zip(box[:2], box[2:], page.size, strict=True)
    )
    return left, top, right, bottom
