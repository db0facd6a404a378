"""Batches for the encoder: small crops of pages with dense labels, determined by seeds alone.

A batch is a function of its number, so that a training can be resumed anywhere. Knows pages and labels; no
model.
"""

import math
import random
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from recipe.labels import point_labels, slot_labels
from recipe.pages import PageKind, draw_page
from recipe.typesetting import Print

_LEAST_SCALE = 0.8
_LUCK = (0.3, 1.0)


@dataclass(frozen=True, slots=True)
class CropPlan:
    """What the crops of a batch are cut from.

    Attributes:
        kind: kind of the pages.
        crop_px: side of a crop, a multiple of a token.
        crops_per_page: crops across and down; a page is at least this large.
        pages_per_batch: number of pages to draw.
        seed: seed of the pages.
        crops_kept: how many of a page's crops to keep, fuller ones more often; None for all.
        first_kind: kind of the pages in the first batches, which are easier.
        first_batches: number of those batches.
    """

    kind: PageKind
    crop_px: int
    crops_per_page: tuple[int, int]
    pages_per_batch: int
    seed: int
    crops_kept: int | None = None
    first_kind: PageKind | None = None
    first_batches: int = 0

    @property
    def crops_per_batch(self) -> int:
        """Number of crops in a batch."""
        across, down = self.crops_per_page
        return self.pages_per_batch * (self.crops_kept or across * down)

    def kind_of(self, number: int) -> PageKind:
        """Return the kind of pages that the batch of this number is cut from."""
        return self.first_kind if self.first_kind and number < self.first_batches else self.kind


@dataclass(frozen=True, eq=False, slots=True)
class CropBatch:
    """Crops and their dense labels.

    Attributes:
        views: (B, S, S) uint8.
        points: (B, S/16, S/4) uint8 classes.
        slots: (B, tokens, slots) uint8 classes.
    """

    views: Tensor
    points: Tensor
    slots: Tensor


class CropBatches(Dataset[CropBatch]):
    """Batches by number.

    Args:
        plan: how to make them.
    """

    def __init__(self, plan: CropPlan) -> None:
        self._plan = plan

    def __getitem__(self, number: int) -> CropBatch:
        """Draw one batch."""
        plan = self._plan
        views, points, slots = [], [], []
        for index in range(plan.pages_per_batch):
            page_index = number * plan.pages_per_batch + index
            page = draw_page(plan.kind_of(number), plan.seed, page_index)
            rng = random.Random(f"crop:{plan.seed}:{page_index}")
            crops = _cut(page.image, page.print, plan, rng)
            for view, print_ in _fuller(crops, plan, rng):
                views.append(view)
                size = (plan.crop_px, plan.crop_px)
                points.append(point_labels(print_, size))
                slots.append(slot_labels(print_, size))
        return CropBatch(*(torch.from_numpy(np.stack(part)) for part in (views, points, slots)))


_Crop = tuple[NDArray[np.uint8], Print]


def _fuller(crops: list[_Crop], plan: CropPlan, rng: random.Random) -> list[_Crop]:
    """Keep fuller crops more often than others: the model learns from what is printed."""
    if plan.crops_kept is None:
        return crops

    def fullness(crop: _Crop) -> float:
        centres = crop[1].centres
        inside = ((centres >= 0) & (centres < plan.crop_px)).all(axis=1)
        return (1 + int(inside.sum())) * rng.uniform(*_LUCK)

    return sorted(crops, key=fullness, reverse=True)[: plan.crops_kept]


def _cut(image: Image.Image, print_: Print, plan: CropPlan, rng: random.Random) -> list[_Crop]:
    """Cut neighbouring crops at a place off any grid; half of the time, scaled down."""
    across, down = plan.crops_per_page
    width, height = across * plan.crop_px, down * plan.crop_px
    page_width, page_height = image.size
    least = max(_LEAST_SCALE, width / page_width, height / page_height)
    scale = rng.uniform(least, 1.0) if rng.random() < 0.5 else 1.0
    left, top = rng.uniform(0, page_width - width / scale), rng.uniform(0, page_height - height / scale)
    if scale == 1.0:
        left, top = math.floor(left), math.floor(top)
    box = (left, top, left + width / scale, top + height / scale)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box))
    moved = print_.scaled(scale, scale, -left * scale, -top * scale)
    crops = []
    for y in range(0, height, plan.crop_px):
        for x in range(0, width, plan.crop_px):
            part = pixels[y : y + plan.crop_px, x : x + plan.crop_px]
            crops.append((part, moved.scaled(1, 1, -x, -y)))
    return crops
