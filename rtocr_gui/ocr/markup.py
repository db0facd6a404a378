"""What the model says: its text without the markup for programs, and the blocks the markup tells of.

With grounding, each block comes as ``<|ref|>...<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>``. When a
document is converted to Markdown, the reference names the kind of the block, and its text follows;
in the other tasks the reference is the text. Text that was cut short or is malformed loses its marks
all the same. Nothing of it is ever evaluated. Knows no model and no page.
"""

import re

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.reading import GREATEST_COORDINATE, Block, Task

_LABEL = re.compile(r"<\|ref\|>(?:(?!<\|).)*<\|/ref\|>(?=<\|det\|>)", re.DOTALL)
_BOXES = re.compile(r"<\|det\|>[\[\]\d.,\s-]*(?:<\|/det\|>[ \t]*)?")
_BOXES_OF_BLOCK = re.compile(_BOXES.pattern + r"\n?")
_STRAY_MARK = re.compile(r"<\|/?(?:ref|det|grounding)\|>")
_UNFINISHED_LABEL = re.compile(r"<\|ref\|>(?:(?!<\|).)*(?:<\|/ref\|>)?\Z", re.DOTALL)
_BLOCK = re.compile(r"<\|ref\|>((?:(?!<\|).)*)<\|/ref\|><\|det\|>([^<]*)<\|/det\|>", re.DOTALL)
_NUMBER = r"\s*([+-]?\d{1,9})(?:\.\d*)?\s*"
_BOX = re.compile(r"\[" + ",".join([_NUMBER] * 4) + r"\]")
_LONGEST_LABEL = 40
_MOST_BOXES = 200


def strip_grounding(raw_text: str, task: Task) -> str:
    """Take the grounding markup out.

    Args:
        raw_text: what the model said.
        task: what it was asked for.

    Returns:
        The text for people.
    """
    return places_without_grounding(raw_text, task)[0]


def places_without_grounding(raw_text: str, task: Task) -> tuple[str, NDArray[np.int64]]:
    """Take the grounding markup out, and tell where the rest comes from.

    Args:
        raw_text: what the model said.
        task: what it was asked for.

    Returns:
        The text for people, and (length,) ascending, the place of each of its characters in `raw_text`.
    """
    in_blocks = _LABEL, _UNFINISHED_LABEL, _BOXES_OF_BLOCK, _STRAY_MARK
    marks = in_blocks if task.name == "markdown" else (_BOXES, _STRAY_MARK)
    text, places = raw_text, np.arange(len(raw_text))
    for mark in marks:
        stays = np.ones(len(text), dtype=np.bool_)
        for found in mark.finditer(text):
            stays[found.start() : found.end()] = False
        text, places = mark.sub("", text), places[stays]
    return text, places


def parse_blocks(raw_text: str, task: Task) -> tuple[Block, ...]:
    """Find the blocks of a page, in the order in which the model told them.

    A block whose mark is not complete yet, or never was, is none. Boxes are found as four numbers in
    brackets, however deep those are nested; reversed corners are put right, numbers beyond the page are
    put on its edge, and what has no area then is left out.

    Args:
        raw_text: what the model said, possibly so far.
        task: what it was asked for: converting a document gives kinds with the text after them, the
            other tasks give the words themselves.

    Returns:
        The blocks, with their characters in `strip_grounding(raw_text, task)`. When the text goes on,
        the last block may grow and others come; nothing else changes.
    """
    text, places = places_without_grounding(raw_text, task)
    found = list(_BLOCK.finditer(raw_text))
    next_marks = [*[mark.start() for mark in found[1:]], len(raw_text)]
    blocks = []
    for mark, next_mark in zip(found, next_marks, strict=False):
        is_kind = task.name == "markdown"
        first, last = (mark.end(), next_mark) if is_kind else mark.span(1)
        start, end = np.searchsorted(places, [first, last]).tolist()
        content = text[start:end]
        blocks.append(
            Block(
                label=" ".join(mark[1].split())[:_LONGEST_LABEL] if is_kind else "",
                boxes=_boxes(mark[2]),
                start=start + len(content) - len(content.lstrip()),
                end=max(start, end - len(content) + len(content.rstrip())),
            )
        )
    return tuple(blocks)


def _boxes(text: str) -> tuple[tuple[int, int, int, int], ...]:
    boxes = []
    for found in _BOX.finditer(text):
        numbers = [min(max(int(number), 0), GREATEST_COORDINATE) for number in found.groups()]
        (left, right), (top, bottom) = sorted(numbers[0::2]), sorted(numbers[1::2])
        if left < right and top < bottom:
            boxes.append((left, top, right, bottom))
        if len(boxes) == _MOST_BOXES:
            break
    return tuple(boxes)
