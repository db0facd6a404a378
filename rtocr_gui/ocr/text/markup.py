"""Parses the model's output: the text without grounding markup, and the blocks that the markup describes.

With grounding, each block comes as ``<|ref|>...<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>``. When a
document is converted to Markdown, the reference names the kind of the block, and its text follows;
in the other tasks the reference is the text. Unlimited-OCR always emits places, one line per block:
``<|det|>kind [x1, y1, x2, y2]<|/det|>`` and its text. Marks are also removed from text that is malformed or
was cut short, however they are nested. Nothing in it is ever evaluated. Knows no model and no page.
"""

import re

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.ocr.reading import GREATEST_COORDINATE, Block, Task

_LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_NO_TEXT = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufeff\ufffe\uffff]")
# A kind is a short line: what follows a mark that is never closed is text.
_KIND = r"<\|ref\|>((?:(?!<\|).){0,200})"
_LABEL = re.compile(_KIND + r"<\|/ref\|>(?=<\|det\|>)")
# Where its end is missing and text follows, a mark holds what is in brackets on its line: numbers after them
# belong to the text, and those in lines after a complete list do so at once.
_END_OF_NUMBERS = r"(?:<\|/det\|>[ \t]*|\Z)"
_LIST = r"\s*\[(?:[\d.,\s-]|\[[\d.,\s-]*\])*\]"
_NUMBERS = (
    rf"(?:{_LIST}(?=\s*\n\s*[\d.,-])"
    rf"|[\[\]\d.,\s-]*{_END_OF_NUMBERS}"
    r"|[\[\]\d., \t-]*\]|[ \t]*\[[\[\d., \t-]*)?"
)
_BOXES = re.compile(r"<\|det\|>" + _NUMBERS)
_BOXES_OF_BLOCK = re.compile(_BOXES.pattern + r"\n?")
_STRAY_MARK = re.compile(r"<\|/?(?:ref|det|grounding)\|>")
_MARK_AT_END = re.compile(_STRAY_MARK.pattern + r"\Z")
_LONGEST_MARK = len("<|/grounding|>")
_UP_TO_AN_END = re.compile(r"[^>]*>?")
_UNFINISHED_LABEL = re.compile(_KIND + r"(?:<\|/ref\|>)?\Z")
_BLOCK = re.compile(r"<\|ref\|>((?:(?!<\|).)*)<\|/ref\|><\|det\|>([^<]*)<\|/det\|>", re.DOTALL)
_BLOCK_OF_DOCUMENT = re.compile(_KIND + r"<\|/ref\|><\|det\|>([^<]*)<\|/det\|>")
_BLOCK_OF_KIND = re.compile(r"<\|det\|>\s*([\w-]{1,40})\s*(\[[^<]*)<\|/det\|>")
_KIND_AND_BOXES = re.compile(r"<\|det\|>[ \t]*(?:[\w-]{1,40}[ \t]*(?=\[|\Z))?" + _NUMBERS)
_NUMBER = r"\s*([+-]?\d{1,9})(?:\.\d*)?\s*"
_BOX = re.compile(r"\[" + ",".join([_NUMBER] * 4) + r"\]")
_LONGEST_LABEL = 40
_MOST_BOXES = 200


def strip_grounding(raw_text: str, task: Task) -> str:
    """Remove the grounding markup and control characters; lines end with a newline alone.

    Args:
        raw_text: what the model generated.
        task: what it was asked for.

    Returns:
        The human-readable text.
    """
    text = raw_text
    for mark in (_LINE_END, _NO_TEXT, *_marks(task)):
        text = mark.sub(_rest_of, text)
    return "".join(text[place] for place in _outside_marks(text)) if _STRAY_MARK.search(text) else text


def places_without_grounding(raw_text: str, task: Task) -> tuple[str, NDArray[np.int64]]:
    """Do what `strip_grounding` does, in several times its time, and keep track of where the rest comes from.

    Args:
        raw_text: what the model generated.
        task: what it was asked for.

    Returns:
        The human-readable text, and (length,) ascending: where each of its characters is in `raw_text`.
    """
    text, places = raw_text, np.arange(len(raw_text))
    for mark in (_LINE_END, _NO_TEXT, *_marks(task)):
        stays = np.ones(len(text), dtype=np.bool_)
        for found in mark.finditer(text):
            stays[found.start() + len(_rest_of(found)) : found.end()] = False
        text, places = mark.sub(_rest_of, text), places[stays]
    if _STRAY_MARK.search(text):
        outside = _outside_marks(text)
        text, places = "".join(text[place] for place in outside), places[outside]
    return text, places


def _marks(task: Task) -> tuple[re.Pattern[str], ...]:
    """Return the marks that a task produces, with what belongs to them, in the order of removal."""
    if task.tells_unasked:
        return (_KIND_AND_BOXES,)
    if task.name == "markdown":
        return _LABEL, _UNFINISHED_LABEL, _BOXES_OF_BLOCK
    return (_BOXES,)


def _outside_marks(text: str) -> list[int]:
    """Return the places of what stays when all stray marks are removed, and those that this brings about.

    Marks end with the only ">" in them, so whether one ends there is decided from left to right, once.
    """
    places: list[int] = []
    for piece in _UP_TO_AN_END.finditer(text):
        places += range(*piece.span())
        if mark := _MARK_AT_END.search("".join(text[place] for place in places[-_LONGEST_MARK:])):
            del places[-len(mark[0]) :]
    return places


def _rest_of(mark: re.Match[str]) -> str:
    """Return what replaces a mark: at the start of a line, the blank line Markdown needs between blocks."""
    if mark.re is _LINE_END:
        return "\n"
    if mark.re is not _KIND_AND_BOXES:
        return ""
    before = mark.string[max(mark.start() - 2, 0) : mark.start()]
    return "\n" if before.endswith("\n") and before != "\n\n" else ""


def parse_blocks(raw_text: str, task: Task) -> tuple[Block, ...]:
    """Find the blocks of a page, in the order in which the model emitted them.

    A block with an incomplete mark is ignored. A box is any four numbers in brackets, however deeply
    nested; swapped corners are put in order, numbers beyond the page are clipped to it, and boxes without
    area are dropped.

    Args:
        raw_text: what the model generated, possibly so far.
        task: what it was asked for: converting a document gives kinds followed by their text, the other
            tasks give the words themselves.

    Returns:
        The blocks, with their characters in `strip_grounding(raw_text, task)`. As the text grows, the last
        block may grow and others may follow; nothing else changes.
    """
    text, places = places_without_grounding(raw_text, task)
    asked = _BLOCK_OF_DOCUMENT if task.name == "markdown" else _BLOCK
    found = list((_BLOCK_OF_KIND if task.tells_unasked else asked).finditer(raw_text))
    next_marks = [*[mark.start() for mark in found[1:]], len(raw_text)]
    blocks = []
    for mark, next_mark in zip(found, next_marks, strict=False):
        is_kind = task.name == "markdown"
        first, last = (mark.end(), next_mark) if is_kind else mark.span(1)
        start, end = np.searchsorted(places, [first, last]).tolist()
        content = text[start:end]
        start += len(content) - len(content.lstrip())
        end -= len(content) - len(content.rstrip())
        blocks.append(
            Block(
                label=" ".join(mark[1].split())[:_LONGEST_LABEL] if is_kind else "",
                boxes=_boxes(mark[2]),
                start=start,
                end=max(start, end),
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
