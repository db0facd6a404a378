"""What the tests of the recipe share: kinds of pages, a learner of few weights, print made by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from recipe.crops import CropPlan
from recipe.encoder_stage import EncoderStage
from recipe.model import Learner, read_sizes
from recipe.pages import Page, PageKind, draw_page
from recipe.typesetting import Print
from rtocr_gui.ocr.model.architecture import Architecture

MINIATURE = Path(__file__).parents[2] / "resources" / "miniature"
RECIPE = Path(__file__).parents[2] / "packaging" / "miniature"
HEADS = RECIPE / "heads.safetensors"
SMALL = PageKind((256, 300), (1.0, 1.0), (9.0, 20.0))
DOCUMENT = PageKind((700, 900), (1.3, 1.4), (8.0, 12.0), rich=1.0)
ENCODER = EncoderStage(CropPlan(SMALL, crop_px=128, crops_per_page=(2, 1), pages_per_batch=2, seed=9))


def tiny_sizes() -> Architecture:
    sizes = read_sizes()
    return replace(
        sizes,
        sam=replace(sizes.sam, width=16, layers=1, heads=2, mlp_width=16, neck_width=8, downsample=(8, 16)),
        clip=replace(sizes.clip, width=16, layers=1, heads=2, mlp_width=16),
        decoder=replace(
            sizes.decoder,
            width=16,
            layers=2,
            dense_layers=1,
            heads=2,
            key_value_heads=2,
            mlp_width=16,
            expert_width=8,
        ),
    )


def tiny_learner() -> Learner:
    torch.manual_seed(5)
    return Learner(tiny_sizes())


def documents(count: int) -> list[Page]:
    return [draw_page(DOCUMENT, 7, index) for index in range(count)]


def made_print(words: dict[tuple[float, float], str], advance: float = 8.0) -> Print:
    """Words by their upper left corner, letters `advance` wide and 16 high; one line for each y."""
    characters, boxes, lines = "", [], []
    for (x, y), word in words.items():
        for index, character in enumerate(word):
            characters += character
            boxes.append((x + index * advance, y, x + (index + 1) * advance, y + 16))
            lines.append(int(y))
    return Print(characters, np.array(boxes, np.float32).reshape(-1, 4), np.array(lines, np.int32))
