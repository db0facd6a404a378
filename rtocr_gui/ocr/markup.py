"""What the model says, without the markup that is meant for programs.

With grounding, each block comes as ``<|ref|>...<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>``. When a
document is converted to Markdown, the reference names the kind of the block, and its text follows;
in the other tasks the reference is the text. Text that was cut short or is malformed loses its marks
all the same. Knows no model.
"""

import re

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.reading import Task

_LABEL = re.compile(r"<\|ref\|>(?:(?!<\|).)*<\|/ref\|>(?=<\|det\|>)", re.DOTALL)
_BOXES = re.compile(r"<\|det\|>[\[\]\d.,\s-]*(?:<\|/det\|>[ \t]*)?")
_BOXES_OF_BLOCK = re.compile(_BOXES.pattern + r"\n?")
_STRAY_MARK = re.compile(r"<\|/?(?:ref|det|grounding)\|>")
_UNFINISHED_LABEL = re.compile(r"<\|ref\|>(?:(?!<\|).)*(?:<\|/ref\|>)?\Z", re.DOTALL)


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
