"""Batches for the decoder: whole views of pages with the target texts.

A batch is a function of its number. Knows modes and tasks; no model.
"""

import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from tokenizers import Encoding, Tokenizer
from torch import Tensor
from torch.utils.data import Dataset

from recipe.labels import THIRD_LINE_SLOT, BlockLabels
from recipe.pages import Page, PageKind, draw_page
from recipe.shown import show
from recipe.texts import paragraph
from recipe.typesetting import Print
from rtocr_gui.ocr.reading import GREATEST_COORDINATE, TASKS, Mode
from rtocr_gui.ocr.vision.views import choose_tiles
from rtocr_gui.tokens import TokenLayout

TOKENIZER = Path(__file__).parents[3] / "resources" / "miniature" / "tokenizer.json"
PADDING = -100
"""Target after the end of a text."""

_LEAST_AGREEING = 4

_MISREAD_SHARE = 0.03
"""Share of the decoder's input ids that are replaced."""
_LOST_SHARE, _LOST_LENGTH = 0.006, 9.0
"""Share of those ids at which a passage of other text begins, and the passage's mean length in ids."""
_LOST_LINE_SHARE = 0.05
"""Share of the lines whose beginning is replaced by that of another line."""

_LINE_WEIGHT = 4.0
"""Weight of an id after a newline: a line that is not found costs all of its characters."""
_LOW_LINE_WEIGHT = 3.0
"""Weight of an id on the third line of its visual token or a later one: they are few, and are read worst."""
_BOX_WEIGHT = 3.0
"""Weight of the kind and box of a block: they are few, and what follows depends on them."""
_END_WEIGHT = 4.0
"""Weight of a text's end: if it is not found, the page is repeated endlessly; with more, texts end early."""

_GROUNDING = re.compile(r"<\|ref\|>(?P<kind>\w+)<\|/ref\|><\|det\|>\[\[(?P<box>[\d, ]+)\]\]<\|/det\|>")
_NUMBER = re.compile(r"\d+")

_PROMPTS = {task.name: task.prompt for task in TASKS}


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """One way to show pages.

    Attributes:
        kind: kind of the pages.
        mode: how they are scaled; None if the page itself is the view, a square of whole tokens.
        pages: number of pages in a part; in Gundam, all with the tile grid of the first.
        weight: relative frequency of this plan.
        markdown: share of parts with Markdown with grounding as the target.
    """

    kind: PageKind
    mode: Mode | None
    pages: int
    weight: float = 1.0
    markdown: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """Pages of one shape.

    Attributes:
        views: (B, S, S) uint8.
        view_points: dense labels of the views.
        view_slots: dense labels of the views.
        view_blocks: which block each of the (B, N) visual tokens of the views is part of.
        tiles: (B, T, 640, 640) uint8, or None.
        tile_points: dense labels of the tiles, (B * T, ...).
        tile_slots: dense labels of the tiles.
        crop_wh: tiles across and down.
        layouts: layouts of the visual sequences; empty if the page itself is the view.
        prompt: (P,) ids.
        targets: (B, L) ids with the end token, then `PADDING`.
        given: (B, L) the same ids as input to the decoder, some of them wrong; arbitrary after the end.
        weights: (B, L) weight of each id.
        looked_at: (B, L) visual token in which each id is printed; -1 if unknown.
        slots_at: (B, L) its slot in that token; -1 if unknown.
        edges_at: (B, L) at the first digit of an edge of a block, that edge as a share of the page; -1
            everywhere else.
    """

    views: Tensor
    view_points: Tensor
    view_slots: Tensor
    view_blocks: BlockLabels
    tiles: Tensor | None
    tile_points: Tensor | None
    tile_slots: Tensor | None
    crop_wh: tuple[int, int]
    layouts: tuple[TokenLayout, ...]
    prompt: Tensor
    targets: Tensor
    given: Tensor
    weights: Tensor
    looked_at: Tensor
    slots_at: Tensor
    edges_at: Tensor


class ReadingBatches(Dataset[list[Part]]):
    """Batches by number.

    Args:
        plans: the ways to show pages.
        parts: number of parts in a batch.
        seed: seed of the pages.
        end_id: id of the token that ends a text.
        processes: number of processes that share a step: they use the same plans, so as not to wait for each
            other.
    """

    def __init__(
        self, plans: tuple[ViewPlan, ...], parts: int, seed: int, end_id: int, processes: int = 1
    ) -> None:
        self._plans, self._parts, self._seed, self._end_id = plans, parts, seed, end_id
        self._processes = processes
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(TOKENIZER))
        (self._break_id,) = self._encode("\n").ids

    def __getitem__(self, number: int) -> list[Part]:
        """Draw one batch."""
        step, weights = number // self._processes, [plan.weight for plan in self._plans]
        plans = random.Random(f"plans:{self._seed}:{step}").choices(self._plans, weights, k=self._parts)
        rng, misreading = (random.Random(f"{use}:{self._seed}:{number}") for use in ("batch", "misread"))
        return [self._part(plan, rng, misreading) for plan in plans]

    def _part(self, plan: ViewPlan, rng: random.Random, misreading: random.Random) -> Part:
        task = "markdown" if rng.random() < plan.markdown else "text"
        pages = self._pages(plan, rng)
        shown = [show(page, plan.mode) for page in pages]
        said = [page.grounded if task == "markdown" else page.text for page in pages]
        encodings = [self._encode(text) for text in said]
        longest = 1 + max(len(encoding.ids) for encoding in encodings)
        targets = torch.full((len(pages), longest), PADDING)
        given = torch.full((len(pages), longest), self._end_id)
        weights = torch.ones(len(pages), longest)
        looked_at, slots_at = (torch.full((len(pages), longest), -1) for _ in range(2))
        edges_at = torch.full((len(pages), longest), -1.0)
        for row, (encoding, text, page, one) in enumerate(zip(encodings, said, pages, shown, strict=True)):
            length, ids = len(encoding.ids), torch.tensor([*encoding.ids, self._end_id])
            targets[row, : length + 1] = ids
            given[row, :length] = torch.tensor(self._misread(encoding.ids, misreading))
            weights[row, 1 : length + 1].masked_fill_(ids[:-1] == self._break_id, _LINE_WEIGHT)
            weights[row, length] = _END_WEIGHT
            starts = [start for start, _ in encoding.offsets]
            printed = find_in_print(text, page.print)[starts]
            for told, of_print in ((looked_at, one.cells), (slots_at, one.slots)):
                told[row, :length] = torch.from_numpy(np.append(of_print, -1)[printed])
            if task == "markdown":
                saying, speakers, edges = (
                    torch.from_numpy(told[starts]) for told in find_in_boxes(text, one.speakers)
                )
                looked_at[row, :length] = torch.where(saying, speakers, looked_at[row, :length])
                weights[row, :length].masked_fill_(saying, _BOX_WEIGHT)
                edges_at[row, :length] = edges
        low = slots_at >= THIRD_LINE_SLOT
        weights[low] = weights[low].clamp(min=_LOW_LINE_WEIGHT)
        tiled = shown[0].tiles is not None
        return Part(
            views=torch.stack([one.view for one in shown]),
            view_points=torch.stack([one.view_points for one in shown]),
            view_slots=torch.stack([one.view_slots for one in shown]),
            view_blocks=BlockLabels(*map(torch.stack, zip(*(one.view_blocks for one in shown), strict=True))),
            tiles=_stacked([one.tiles for one in shown]) if tiled else None,
            tile_points=_stacked([one.tile_points for one in shown]).flatten(0, 1) if tiled else None,
            tile_slots=_stacked([one.tile_slots for one in shown]).flatten(0, 1) if tiled else None,
            crop_wh=shown[0].crop_wh,
            layouts=tuple(one.layout for one in shown if one.layout is not None),
            prompt=torch.tensor(self._encode(_PROMPTS[task]).ids),
            targets=targets,
            given=given,
            weights=weights,
            looked_at=looked_at,
            slots_at=slots_at,
            edges_at=edges_at,
        )

    def _pages(self, plan: ViewPlan, rng: random.Random) -> list[Page]:
        pages: list[Page] = []
        while len(pages) < plan.pages:
            page = draw_page(plan.kind, self._seed, rng.getrandbits(40))
            alike = plan.mode is not Mode.GUNDAM or not pages or _tiles_of(page) == _tiles_of(pages[0])
            if alike:
                pages.append(page)
        return pages

    def _misread(self, ids: list[int], rng: random.Random) -> list[int]:
        """Replace some ids with wrong ones, so that the decoder learns to recover from its own mistakes.

        Single ids are replaced by others from the text, and passages by text that is not on the page or by
        another line of it, as the decoder writes when it has lost its place: it should still know how far it
        has come, and which line it has not read yet.
        """
        told = [rng.choice(ids) if rng.random() < _MISREAD_SHARE else one for one in ids]
        lines = [0, *(place + 1 for place, one in enumerate(ids[:-1]) if one == self._break_id)]

        def lose(start: int, another_line: bool) -> None:
            length = 1 + int(rng.expovariate(1 / _LOST_LENGTH))
            line = rng.choice(lines)
            other = ids[line:] if another_line else self._encode(paragraph(rng, length)).ids
            other = other[: min(length, len(ids) - start)]
            told[start : start + len(other)] = other

        for start in range(len(ids)):
            if rng.random() < _LOST_SHARE:
                lose(start, another_line=rng.random() < 0.5)
        for start in lines:
            if rng.random() < _LOST_LINE_SHARE:
                lose(start, another_line=True)
        return told

    def _encode(self, text: str) -> Encoding:
        return self._tokenizer.encode(text, add_special_tokens=False)


def _tiles_of(page: Page) -> tuple[int, int]:
    return choose_tiles(page.image.size)


def find_in_print(text: str, print_: Print) -> NDArray[np.int64]:
    """Find each character of a text in the print of the same page.

    Text and print may differ in whitespace, markup and order; they are matched where at least a few
    characters in a row agree.

    Args:
        text: the target text.
        print_: print of the same page.

    Returns:
        (characters of the text,) indices into the print; -1 if unknown.
    """
    found = np.full(len(text), -1, np.int64)
    for same in Levenshtein.opcodes(text, print_.characters):
        if same.tag == "equal" and same.src_end - same.src_start >= _LEAST_AGREEING:
            found[same.src_start : same.src_end] = np.arange(same.dest_start, same.dest_end)
    return found


def find_in_boxes(
    text: str, speakers: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float32]]:
    """Find the characters that state the kind and box of a block, where to look for them, and the edges.

    Args:
        text: Markdown with grounding.
        speakers: (blocks,) the visual token that represents each block; -1 if none does.

    Returns:
        (characters of the text,) each: True for a kind or box; the token that represents that block, -1 if
        none does; and at the first digit of an edge, the edge as a share of the page, else -1.
    """
    saying = np.zeros(len(text), np.bool_)
    looked_at = np.full(len(text), -1, np.int64)
    edges = np.full(len(text), -1, np.float32)
    for said, speaker in zip(_GROUNDING.finditer(text), speakers, strict=True):
        for group in ("kind", "box"):
            saying[slice(*said.span(group))] = True
            looked_at[slice(*said.span(group))] = speaker
        for number in _NUMBER.finditer(text, *said.span("box")):
            edges[number.start()] = int(number[0]) / GREATEST_COORDINATE
    return saying, looked_at, edges


def _stacked(tensors: "list[Tensor | None]") -> Tensor:
    return torch.stack([tensor for tensor in tensors if tensor is not None])
