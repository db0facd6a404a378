"""Dense labels: what each part of a view contains.

An encoder supervised by them learns to read long before a decoder could teach it. There are three kinds: at
points 4 pixels apart, the character that covers the point; for each visual token, its characters line by line
and column by column, so that one missed character does not shift all that follow on its line; and for each
visual token of a whole page, the block that it is part of. Knows boxes and classes; no pixels and no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recipe.alphabet import CLASS_OF, NOTHING
from recipe.blocks import KINDS, Block
from recipe.typesetting import Print
from rtocr_gui.tokens import TOKEN_PX

PATCH_PX = 16
POINTS_PER_PATCH = 4
"""Points lie side by side on the middle line of each patch."""

SLOT_LINES, SLOT_COLUMNS, SLOT_PLACES = 5, 4, 4
SLOTS = SLOT_LINES * SLOT_COLUMNS * SLOT_PLACES
"""A token's slots for characters: lines of patch-wide columns, each with this many places; characters beyond
that have no label."""

THIRD_LINE_SLOT = 2 * SLOT_COLUMNS * SLOT_PLACES
"""First slot of a token's third line."""

WITHIN_STEPS = 16
"""Number of steps that a token is divided into along each axis, to locate an edge of its block in it."""

UNSAID = 255
"""Class of a slot that has no label."""

_POINT_PX = PATCH_PX // POINTS_PER_PATCH
_COLUMN_PX = TOKEN_PX // SLOT_COLUMNS


def point_labels(print_: Print, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Label each point with the character that covers it.

    Args:
        print_: print in pixels of the view.
        size_px: (width, height) of the view, multiples of a token.

    Returns:
        (height / 16, width / 4) classes; spaces count as nothing.
    """
    width, height = size_px
    labels = np.full((height // PATCH_PX, width // _POINT_PX), NOTHING, np.uint8)
    rows, columns = labels.shape
    left, top, right, bottom = print_.boxes.T
    x_middle, y_middle = print_.centres.T
    column_from, column_to = _covered(left, right, x_middle, _POINT_PX)
    row_from, row_to = _covered(top, bottom, y_middle, PATCH_PX)
    seen = (row_to > 0) & (row_from < rows) & (column_to > 0) & (column_from < columns)
    for index in np.flatnonzero(seen):
        character = print_.characters[index]
        if character != " ":
            labels[max(0, row_from[index]) : row_to[index], max(0, column_from[index]) : column_to[index]] = (
                CLASS_OF[character]
            )
    return labels


def _covered(
    low: NDArray[np.float32], high: NDArray[np.float32], middle: NDArray[np.float32], pitch: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first point inside low..high and the first beyond, or the one nearest the middle."""
    first = np.ceil(low / pitch - 0.5).astype(np.int64)
    end = np.ceil(high / pitch - 0.5).astype(np.int64)
    nearest = np.floor(middle / pitch).astype(np.int64)
    empty = end <= first
    return np.where(empty, nearest, first), np.where(empty, nearest + 1, end)


def slot_labels(print_: Print, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Label the slots of each visual token with the characters whose centre it covers, including spaces.

    Lines are counted from the top of the token; a line is divided into columns, in which characters are
    counted from the left. `NOTHING` follows the last character in each column of a line, and marks the first
    line that does not exist; everything after that is `UNSAID`.

    Args:
        print_: print in pixels of the view.
        size_px: (width, height) of the view, multiples of a token.

    Returns:
        (tokens, 80) classes, tokens row by row.
    """
    width, height = size_px
    token_count = (width // TOKEN_PX) * (height // TOKEN_PX)
    slots = np.full((token_count, SLOT_LINES, SLOT_COLUMNS, SLOT_PLACES), UNSAID, np.uint8)
    slots[:, 0, 0, 0] = NOTHING
    at = _arrange(print_, size_px)
    if not len(at.inside):
        return slots.reshape(-1, SLOTS)
    classes = np.array([CLASS_OF[print_.characters[index]] for index in at.inside], np.uint8)
    _say(slots, at.tokens, at.lines, at.columns, at.places, classes)
    lengths = np.bincount(at.cells, minlength=len(at.pairs) * SLOT_COLUMNS)
    every = np.arange(len(lengths))
    pair = every // SLOT_COLUMNS
    ends = np.full(len(lengths), NOTHING, np.uint8)
    _say(slots, at.pairs[pair, 0], at.line_of_pair[pair], every % SLOT_COLUMNS, lengths, ends)
    line_counts = np.bincount(at.pairs[:, 0], minlength=token_count)
    token_ids = np.flatnonzero(line_counts)
    first = np.zeros_like(token_ids)
    _say(slots, token_ids, line_counts[token_ids], first, first, np.full(len(token_ids), NOTHING, np.uint8))
    return slots.reshape(-1, SLOTS)


def places_of_print(print_: Print, size_px: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the visual token that covers each character, and its slot in that token.

    Args:
        print_: print in pixels of the view.
        size_px: (width, height) of the view, multiples of a token.

    Returns:
        (characters,) tokens, counted row by row, and (characters,) slots, 0..79; -1 if there is none.
    """
    tokens, slots = (np.full(len(print_.characters), -1, np.int64) for _ in range(2))
    at = _arrange(print_, size_px)
    tokens[at.inside] = at.tokens
    slot = (at.lines * SLOT_COLUMNS + at.columns) * SLOT_PLACES + at.places
    slots[at.inside] = np.where((at.lines < SLOT_LINES) & (at.places < SLOT_PLACES), slot, -1)
    return tokens, slots


class BlockLabels(NamedTuple):
    """The block that each visual token is part of.

    Attributes:
        kinds: (..., N) int64 indices into `KINDS`; -1 for no block.
        boxes: (..., N, 4) float32 left, top, right, bottom as shares of the page; arbitrary without a block.
        within: (..., N, 4) int64 step of the token in which each of these edges lies, counted from its left
            or top; `WITHIN_STEPS` if the edge is outside the token; arbitrary without a block.
        speaks: (..., N) bool, True if the token is the one that represents its block.
    """

    kinds: Tensor
    boxes: Tensor
    within: Tensor
    speaks: Tensor


def block_labels(
    blocks: Sequence[Block],
    beginnings: NDArray[np.float32],
    page_size_px: tuple[int, int],
    token_boxes: NDArray[np.float32],
) -> tuple[BlockLabels, NDArray[np.int64]]:
    """Label each visual token of a whole page with its block, the one that covers most of it.

    The kind and box of a block are written before its text, so a token must encode them: the block is
    represented by the token at its left edge on its first line, even if another block covers more of that
    token; if that token already represents a block, by the next one below.

    Args:
        blocks: blocks in reading order.
        beginnings: (blocks, 3) x near the left edge, y of the first and of the last line, in page pixels.
        page_size_px: (width, height).
        token_boxes: (tokens, 4) xyxy in page pixels, row by row; empty in padding.

    Returns:
        Labels of the tokens, and (blocks,) the token that represents each block, -1 if none does.
    """
    boxes = np.array([block.box for block in blocks], np.float32).reshape(-1, 4)
    corners = (
        np.maximum(token_boxes[:, None, :2], boxes[:, :2]),
        np.minimum(token_boxes[:, None, 2:], boxes[:, 2:]),
    )
    covered = (corners[1] - corners[0]).clip(0).prod(axis=-1)  # (tokens, blocks)
    owners = np.pad(covered, ((0, 0), (1, 0))).argmax(axis=1) - 1
    left, top, right, bottom = token_boxes.T
    speakers = np.full(len(blocks), -1, np.int64)
    for index, (x, first, last) in enumerate(beginnings):
        below = np.flatnonzero((left <= x) & (x < right) & (bottom > first) & (top <= last))
        free = below[~np.isin(below, speakers)]
        if len(free):
            speakers[index] = free[0]
            owners[free[0]] = index
    kinds = np.array([*(KINDS.index(block.kind) for block in blocks), -1])
    shares = (np.pad(boxes, ((0, 1), (0, 0))) / np.array(page_size_px * 2, np.float32)).clip(0, 1)
    speaks = np.isin(np.arange(len(token_boxes)), speakers)
    within = _within(boxes, owners, token_boxes)
    told = BlockLabels(*map(torch.from_numpy, (kinds[owners], shares[owners], within, speaks)))
    return told, speakers


def _within(
    boxes: NDArray[np.float32], owners: NDArray[np.int64], token_boxes: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return (tokens, 4), `BlockLabels.within`."""
    edges = np.pad(boxes, ((0, 1), (0, 0)))[owners]
    corners = np.tile(token_boxes[:, :2], 2)
    sides = np.tile(token_boxes[:, 2:], 2) - corners
    steps = np.floor((edges - corners) / np.maximum(sides, 1) * WITHIN_STEPS).astype(np.int64)
    return np.where((steps >= 0) & (steps < WITHIN_STEPS), steps, WITHIN_STEPS)


@dataclass(frozen=True, eq=False, slots=True)
class _Arrangement:
    """Characters by token, line and column.

    Attributes:
        inside: (n,) indices of the characters that are on the view; the next five are about these.
        tokens: token that covers each.
        lines: line within the token, counted from the top.
        columns: column within the token.
        places: place within line and column, from the left.
        cells: index of the pair times the number of columns, plus the column.
        pairs: (p, 2) token and printed line, each pair once.
        line_of_pair: (p,) line of each pair, counted from the top of its token.
    """

    inside: NDArray[np.int64]
    tokens: NDArray[np.int64]
    lines: NDArray[np.int64]
    columns: NDArray[np.int64]
    places: NDArray[np.int64]
    cells: NDArray[np.int64]
    pairs: NDArray[np.int64]
    line_of_pair: NDArray[np.int64]


def _arrange(print_: Print, size_px: tuple[int, int]) -> _Arrangement:
    width, height = size_px
    x, y = print_.centres.T
    inside = np.flatnonzero((x >= 0) & (y >= 0) & (x < width) & (y < height))
    if not len(inside):
        none = inside
        return _Arrangement(none, none, none, none, none, none, np.empty((0, 2), np.int64), none)
    x, y = x[inside], y[inside]
    tokens = (y // TOKEN_PX).astype(np.int64) * (width // TOKEN_PX) + (x // TOKEN_PX).astype(np.int64)
    columns = (x % TOKEN_PX // _COLUMN_PX).astype(np.int64)
    pairs, pair_of = np.unique(np.stack([tokens, print_.lines[inside]], axis=1), axis=0, return_inverse=True)
    line_of_pair = _rank_within(pairs[:, 0], np.bincount(pair_of, y) / np.bincount(pair_of))
    cells = pair_of * SLOT_COLUMNS + columns
    order = np.lexsort((x, cells))
    places = np.empty(len(x), np.int64)
    places[order] = _positions(cells[order])
    return _Arrangement(inside, tokens, line_of_pair[pair_of], columns, places, cells, pairs, line_of_pair)


def _rank_within(groups: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rank of each value within its group."""
    order = np.lexsort((values, groups))
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = _positions(groups[order])
    return ranks


def _positions(sorted_groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0, 1, 2, ... within each run of equal values."""
    starts = np.flatnonzero(np.diff(sorted_groups, prepend=sorted_groups[0] - 1))
    counts = np.diff(starts, append=len(sorted_groups))
    positions: NDArray[np.int64] = np.arange(len(sorted_groups)) - np.repeat(starts, counts)
    return positions


def _say(
    slots: NDArray[np.uint8],
    tokens: NDArray[np.int64],
    lines: NDArray[np.int64],
    columns: NDArray[np.int64],
    places: NDArray[np.int64],
    classes: NDArray[np.uint8],
) -> None:
    fits = (lines < SLOT_LINES) & (places < SLOT_PLACES)
    slots[tokens[fits], lines[fits], columns[fits], places[fits]] = classes[fits]
