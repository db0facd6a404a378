"""What the model says, without the markup that is meant for programs.

With grounding, each block comes as ``<|ref|>...<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>``. When a
document is converted to Markdown, the reference names the kind of the block, and its text follows;
in the other tasks the reference is the text. Text that was cut short or is malformed loses its marks
all the same. Knows no model.
"""

import re

from rtocr_gui.ocr.reading import Task

_LABEL = re.compile(r"<\|ref\|>(?:(?!<\|).)*<\|/ref\|>(?=<\|det\|>)", re.DOTALL)
_BOXES = re.compile(r"<\|det\|>[\[\]\d.,\s-]*(?:<\|/det\|>[ \t]*)?")
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
    text = raw_text
    if task.name == "markdown":
        text = _UNFINISHED_LABEL.sub("", _LABEL.sub("", text))
        text = re.sub(_BOXES.pattern + r"\n?", "", text)
    else:
        text = _BOXES.sub("", text)
    return _STRAY_MARK.sub("", text)
