"""Recognises which published model a config.json describes: DeepSeek-OCR or one of its siblings.

Knows the name, modes and prompts of each. Their sizes are in `architecture`; knows no files and no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.model_files import as_written
from rtocr_gui.ocr.reading import TASKS, Mode, Task

_GET_ANOTHER = (
    "Download DeepSeek-OCR in the Models window or with “rtocr models download”, or choose another folder."
)


@dataclass(frozen=True, slots=True)
class Family:
    """A published model, and all models trained from it that keep its layout.

    Attributes:
        name: its name in the window and in exports.
        description: what it reads, in a sentence or two.
        model_types: accepted values of `model_type` in config.json.
        modes: modes it was published for; the first is the default.
        tasks: the prompts it was published with; the first is the default.
        has_window: True if a generated token attends to the whole prompt, but only to the latest generated
            tokens.
    """

    name: str
    description: str
    model_types: tuple[str, ...]
    modes: tuple[Mode, ...]
    tasks: tuple[Task, ...]
    has_window: bool


DEEPSEEK_OCR = Family(
    name="DeepSeek-OCR",
    description=(
        "The published model: reads whole documents with tables, formulae and figures, in many languages."
    ),
    model_types=("deepseek_vl_v2",),
    modes=(Mode.BASE, Mode.GUNDAM, Mode.LARGE, Mode.SMALL, Mode.TINY),
    tasks=TASKS,
    has_window=False,
)

UNLIMITED_OCR = Family(
    name="Unlimited-OCR",
    description=(
        "Baidu's sibling of DeepSeek-OCR, whose memory does not grow with its text: converts documents with "
        "tables, formulae and figures, and does nothing else."
    ),
    model_types=("unlimited-ocr", "unlimited_ocr"),
    modes=(Mode.BASE, Mode.GUNDAM),
    tasks=(Task("markdown", "Document to Markdown", "document parsing.", tells_unasked=True),),
    has_window=True,
)

FAMILIES = (DEEPSEEK_OCR, UNLIMITED_OCR)


def recognise(config: Mapping[str, Any]) -> Family:
    """Find which published model this is.

    Args:
        config: the parsed config.json.

    Raises:
        CheckpointError: it is a different model; the message names it where it is known.
    """
    model_type = config.get("model_type")
    if _is_deepseek_ocr_2(config):
        raise CheckpointError(
            "This is DeepSeek-OCR-2, which RTOCR cannot use. Its encoder turns a page into 144 tokens per "
            "tile and 256 for the whole page, in an order of its own: a token stands for no place on the "
            f"page, so RTOCR could neither show nor prune what the model looks at. {_GET_ANOTHER}"
        )
    if "text_config" in config and "language_config" not in config:
        raise CheckpointError(
            "The model's config.json is not the published one, but one that transformers wrote "
            "(“text_config” in place of “language_config”), which RTOCR does not read. Put the published "
            "config.json in its place, or choose another folder."
        )
    for family in FAMILIES:
        if model_type in family.model_types:
            return family
    shown = as_written(model_type) if "model_type" in config else "missing"
    known = " and ".join(f"“{family.model_types[0]}” ({family.name})" for family in FAMILIES)
    raise CheckpointError(
        f"The model's config.json cannot be used: “model_type” is {shown}, but RTOCR supports only "
        f"{known}. {_GET_ANOTHER}"
    )


def _is_deepseek_ocr_2(config: Mapping[str, Any]) -> bool:
    """True for its own `model_type`, or for DeepSeek-OCR's, which it was published with, and its encoder."""
    vision = config.get("vision_config")
    return config.get("model_type") == "deepseek_ocr2" or (
        config.get("model_type") in DEEPSEEK_OCR.model_types
        and isinstance(vision, Mapping)
        and (
            vision.get("model_name") == "deepencoderv2"
            or (isinstance(vision.get("width"), Mapping) and "qwen2-0-5b" in vision["width"])
        )
    )
