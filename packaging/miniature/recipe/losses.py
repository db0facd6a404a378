"""The losses that the training minimises. Knows scores and labels; no data."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from recipe.alphabet import CLASS_OF, NOTHING
from recipe.blocks import KINDS
from recipe.labels import POINTS_PER_PATCH, THIRD_LINE_SLOT, UNSAID, WITHIN_STEPS, BlockLabels
from recipe.model import POSITIONS, STRIPS, DenseHead, EncodedViews, Learner
from rtocr_gui.ocr.vision.layout import TILE_PX
from rtocr_gui.tokens import MOST_TILES, TOKEN_PX, TokenLayout

NORM_SCALE = 16.0
"""Norm of a token that counts as 1 in `norm_loss`."""

_BLANK_NORM, _NORM_PER_DOUBLING = 0.4, 0.25
_BLANK_POINTS_TAUGHT = 8
_NOTHING_WEIGHT = 0.3
_KEPT_LOW_LINE_WEIGHT = 5.0


def dense_loss(
    learner: Learner, encoded: EncodedViews, points: Tensor, slots: Tensor, turn: int
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the loss of the dense labels of points and slots, and of norms that should follow the text.

    Args:
        learner: the learner, for its heads.
        encoded: encoded views.
        points: (B, H, 4 W) uint8 classes.
        slots: (B, N, slots) uint8 classes.
        turn: selects the blank points to include.

    Returns:
        The total loss, and its parts with the shares of right answers.
    """
    by_points, points_right = point_loss(learner.point_head, encoded.neck, points, turn)
    by_tokens, figures = token_loss(learner, encoded, slots)
    return by_points + by_tokens, {"point": by_points.detach(), "points_right": points_right, **figures}


def token_loss(learner: Learner, encoded: EncodedViews, slots: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the part of `dense_loss` about visual tokens: slots, and norms that should follow the text.

    Args:
        learner: the learner, for its head.
        encoded: encoded views.
        slots: (B, N, slots) uint8 classes.

    Returns:
        The total loss, and its parts with the share of right answers.
    """
    by_slots, slots_right = slot_loss(learner.slot_head, encoded.tokens, slots)
    by_norm, correlation = norm_loss(encoded.tokens, slots)
    figures = {
        "slot": by_slots.detach(),
        "norm": by_norm.detach(),
        "slots_right": slots_right,
        "norm_correlation": correlation,
    }
    return by_slots + by_norm, figures


def text_loss(scores: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the cross-entropy of the texts, byte by byte.

    Args:
        scores: (B, L, vocabulary).
        targets: (B, L) ids; negative after the end of a text.
        weights: (B, L) weight of each byte.

    Returns:
        The weighted sum over all bytes, and how many were predicted.
    """
    taught = targets >= 0
    return _surprise(scores[taught], targets[taught], weights[taught])


def look_loss(looks: Tensor, looked_at: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Compute how far the looking heads are from attending to the visual token with the next character.

    Attention to the text counts as lost. When only the visual tokens were compared with each other, six of
    ten heads preferred the right one but gave most of their attention to the text.

    Args:
        looks: (heads, B, Q, S) attention scores, of a sequence whose visual tokens follow its first token.
        looked_at: (B, Q) positions in the visual sequence; negative for no label.
        weights: (B, Q) weight of each character.

    Returns:
        The weighted mean loss, and the share of looks that are strongest where they should be.
    """
    taught = (looked_at >= 0).expand(len(looks), -1, -1)
    return _mean(looks, 1 + looked_at.expand_as(taught), weights.expand_as(taught), taught)


def place_loss(places: Tensor, slots_at: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Compute how far the decoder is from knowing the slot of the next character in its visual token.

    Args:
        places: (B, L, slots) scores.
        slots_at: (B, L) slots; negative for no label.
        weights: (B, L) weight of each character.

    Returns:
        The weighted mean loss, and the share of right slots.
    """
    return _mean(places, slots_at, weights, slots_at >= 0)


def _mean(scores: Tensor, wanted: Tensor, weights: Tensor, taught: Tensor) -> tuple[Tensor, Tensor]:
    surprise, right = _surprise(scores[taught], wanted[taught], weights[taught])
    return surprise / weights[taught].sum().clamp(min=1), right / taught.sum().clamp(min=1)


def _surprise(scores: Tensor, wanted: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weighted sum of the losses of (n, classes) scores, and how many are right."""
    scores = scores.float()
    with torch.no_grad():
        right = (scores.argmax(-1) == wanted).sum()
    return (functional.cross_entropy(scores, wanted, reduction="none") * weights).sum(), right


def point_loss(head: DenseHead, neck: Tensor, points: Tensor, turn: int) -> tuple[Tensor, Tensor]:
    """Compute the loss of predicting the character that covers each point.

    Args:
        head: head that predicts it.
        neck: (B, H, W, C) features of patches.
        points: (B, H, 4 W) classes.
        turn: selects which eighth of the blank points to include.

    Returns:
        The mean loss, and the share of right answers where there is a character.
    """
    labels = points.reshape(-1, POINTS_PER_PATCH).long()  # (patches, points)
    order = torch.arange(labels.numel(), device=labels.device).view_as(labels)
    wanted = (labels != NOTHING) | (order % _BLANK_POINTS_TAUGHT == turn % _BLANK_POINTS_TAUGHT)
    return _places_loss(head, neck.flatten(0, 2), labels, wanted)


def slot_loss(
    head: DenseHead, tokens: Tensor, slots: Tensor, slot_weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Compute the loss of predicting the characters of each visual token, line by line.

    Args:
        head: head that predicts them.
        tokens: (B, N, D).
        slots: (B, N, slots) classes.
        slot_weights: (slots,) weights of the characters; None if all count alike.

    Returns:
        The mean loss, and the share of right answers where there is a character.
    """
    labels = slots.flatten(0, 1).long()
    return _places_loss(head, tokens.flatten(0, 1), labels, labels != UNSAID, slot_weights)


def _places_loss(
    head: DenseHead, features: Tensor, labels: Tensor, wanted: Tensor, place_weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    scores, answers = head(features, wanted).float(), labels[wanted]
    losses = functional.cross_entropy(scores, answers, reduction="none")
    weights = torch.where(answers == NOTHING, _NOTHING_WEIGHT, 1.0)
    if place_weights is not None:
        weights = weights * place_weights.expand_as(labels)[wanted]
    printed = answers != NOTHING
    with torch.no_grad():
        right = ((scores.argmax(-1) == answers) & printed).sum() / printed.sum().clamp(min=1)
    return (losses * weights).sum() / weights.sum().clamp(min=1), right


def kept_loss(
    head: DenseHead, visual: Tensor, slots: Tensor, crop_wh: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Compute how far the decoder has forgotten the characters of the visual tokens at its last layer.

    Characters are read from their tokens as late as there. In weights trained without this loss, a linear
    probe found 0.82 of the characters of small print in tokens as the decoder gets them, and 0.59 there.

    Args:
        head: head that predicts them.
        visual: (B, V, D) visual sequences, as input to the last layer.
        slots: (B, N, slots) classes in the global views; with tiles, (B * T, N, slots) classes in those.
        crop_wh: tiles across and down; (0, 0) without tiles.

    Returns:
        The mean loss, and the share of right answers where there is a character.
    """
    tokens = take_views(visual, math.isqrt(slots.shape[1]), crop_wh)
    slot_weights = torch.ones(head.places, device=slots.device)
    slot_weights[THIRD_LINE_SLOT:] = _KEPT_LOW_LINE_WEIGHT
    return slot_loss(head, tokens, slots, slot_weights)


def take_views(visual: Tensor, side: int, crop_wh: tuple[int, int]) -> Tensor:
    """Take the tokens of the global views or, if there are any, of the tiles from visual sequences.

    Args:
        visual: (B, V, D) visual sequences, in which rows end in a newline and tiles come first.
        side: tokens along a side of a view or tile.
        crop_wh: tiles across and down; (0, 0) without tiles.

    Returns:
        (B, side * side, D) tokens of the views, or (B * T, side * side, D) of the tiles.
    """
    across, down = crop_wh if any(crop_wh) else (1, 1)
    rows, columns = down * side, across * side
    lines = torch.unflatten(visual[:, : rows * (columns + 1)], 1, (rows, columns + 1))
    cells = torch.unflatten(lines[:, :, :columns], 2, (across, side))
    tiles = torch.unflatten(cells, 1, (down, side)).transpose(2, 3)  # (B, down, across, side, side, D)
    return tiles.flatten(3, 4).flatten(0, 2)


def position_loss(head: nn.Linear, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the loss of predicting in which of 16 rows and columns of the view each visual token is.

    The decoder keeps its place by what it has just read and where that was: the characters of the tokens
    alone do not show which of two similar lines it was in. In views of more than 16 rows, some share a class.

    Args:
        head: maps (D) to scores of the rows, then of the columns.
        tokens: (B, N, D) tokens of square views, row by row.

    Returns:
        The mean loss, and the share of right answers.
    """
    side = math.isqrt(tokens.shape[1])
    steps = torch.arange(side, device=tokens.device) * POSITIONS // side
    return _grid_loss(head(tokens).view(len(tokens), side, side, 2, POSITIONS), steps, steps)


def block_loss(head: nn.Linear, tokens: Tensor, told: BlockLabels) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the loss of predicting the block that each visual token of a whole page is part of.

    Kind and box are written before the block is read, so the token that represents the block, which the
    decoder looks at, must encode them. The block's other tokens count as much, because it is from them that
    this token learns about the block.

    Args:
        head: maps (D) to scores of the kinds, then of the strips of left, top, right and bottom.
        tokens: (B, N, D) visual tokens.
        told: labels of the same tokens.

    Returns:
        The average of two mean losses, over all tokens in blocks and over those that represent one; and for
        the latter, the share of right kinds and the mean error of an edge as a share of the page.
    """
    kinds, boxes, part = told.kinds, told.boxes, told.kinds >= 0
    scores = head(tokens[part]).float()
    by_kind = functional.cross_entropy(scores[:, : len(KINDS)], kinds[part], reduction="none")
    strips = scores[:, len(KINDS) :].unflatten(-1, (4, STRIPS))
    each, speaks = by_kind + _edge_surprise(strips, boxes[part]).mean(-1), told.speaks[part]
    count, speaking_count = part.sum().clamp(min=1), speaks.sum().clamp(min=1)
    loss = (each.sum() / count + each[speaks].sum() / speaking_count) / 2
    with torch.no_grad():
        right = (scores[speaks, : len(KINDS)].argmax(-1) == kinds[part][speaks]).sum() / speaking_count
        error = _edge_error(strips, boxes[part])[speaks].sum() / (4 * speaking_count)
    return loss, {"block": loss.detach(), "kinds_right": right, "block_error": error}


def within_loss(head: nn.Linear, tokens: Tensor, told: BlockLabels) -> tuple[Tensor, Tensor]:
    """Compute the loss of predicting whether the edges of its block lie in a visual token, and where in it.

    Trained on edges as places on the page only, tokens located edges in other tokens to about three
    hundredths of the page, which is more than the height of a line of text.

    Args:
        head: maps (D) to scores of the steps and of “beyond”, for left, top, right and bottom.
        tokens: (B, N, D) visual tokens.
        told: labels of the same tokens.

    Returns:
        The mean loss, with equal weight for edges in a token and edges beyond it; and the share of edges in a
        token that are predicted to within one step.
    """
    part = told.kinds >= 0
    wanted = told.within[part]
    scores = head(tokens[part]).float().unflatten(-1, (4, WITHIN_STEPS + 1))
    each = functional.cross_entropy(scores.movedim(-1, 1), wanted, reduction="none")
    inside = wanted < WITHIN_STEPS
    loss = torch.stack([each[one].sum() / one.sum().clamp(min=1) for one in (inside, ~inside)]).mean()
    with torch.no_grad():
        answers = scores.argmax(-1)
        near = ((answers - wanted).abs() <= 1) & (answers < WITHIN_STEPS) & inside
        right = near.sum() / inside.sum().clamp(min=1)
    return loss, right


def edge_loss(edges: Tensor, edges_at: Tensor) -> tuple[Tensor, Tensor]:
    """Compute how far the decoder is from knowing the edge of a block that it is about to write.

    From the digits alone, it learnt only the most common ones for a long time.

    Args:
        edges: (B, L, strips) scores.
        edges_at: (B, L) edges as shares of the page; negative for no label.

    Returns:
        The mean loss, and the mean error as a share of the page.
    """
    taught = edges_at >= 0
    scores, wanted = edges[taught].float(), edges_at[taught]
    count = taught.sum().clamp(min=1)
    with torch.no_grad():
        error = _edge_error(scores, wanted).sum() / count
    return _edge_surprise(scores, wanted).sum() / count, error


def _edge_surprise(scores: Tensor, wanted: Tensor) -> Tensor:
    """Return the (...,) losses of (..., strips) scores; strips near the right one count as nearly right."""
    strips = torch.arange(STRIPS, device=scores.device)
    near = (-0.5 * (strips - wanted[..., None] * (STRIPS - 1)).square()).softmax(-1)
    return -(near * scores.log_softmax(-1)).sum(-1)


def _edge_error(scores: Tensor, wanted: Tensor) -> Tensor:
    """Return the (...,) errors of the strips with the highest scores, as shares of the page."""
    return (scores.argmax(-1) / (STRIPS - 1) - wanted).abs()


def tile_loss(head: nn.Linear, visual: Tensor, layout: TokenLayout) -> tuple[Tensor, Tensor]:
    """Compute the loss of predicting the row and column of tiles of each visual token in a tile.

    The encoder sees each tile by itself, so a token encodes its position within its tile; the decoder must
    infer the tile from the token's place in the sequence, or it loses its place between tiles.

    Args:
        head: maps (D) to scores of the rows, then of the columns.
        visual: (B, V, D) visual sequences, as input to the decoder layer where looking begins.
        layout: layout of the sequences, with tiles.

    Returns:
        The mean loss, and the share of right answers.
    """
    rows, columns = (
        torch.arange(cells, device=visual.device) * TOKEN_PX // TILE_PX for cells in layout.local_grid
    )
    places = torch.from_numpy(layout.prunable[layout.cells("local")]).to(visual.device)
    scores = head(visual[:, places]).unflatten(1, layout.local_grid).unflatten(-1, (2, MOST_TILES))
    return _grid_loss(scores, rows, columns)


def _grid_loss(scores: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the loss of (B, H, W, 2, classes) scores for the classes of each cell's row and column."""
    wanted = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).expand(scores.shape[:-1])
    with torch.no_grad():
        right = (scores.argmax(-1) == wanted).float().mean()
    return functional.cross_entropy(scores.float().flatten(0, -2), wanted.flatten()), right


def norm_loss(tokens: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
    """Compute a loss that makes the norm of a visual token follow the text it covers.

    The target is `NORM_SCALE` * (0.4 + 0.25 log2(1 + characters)). In the published model, a high norm means
    text, and RTPrune relies on it; a model trained from scratch must be taught so.

    Args:
        tokens: (B, N, D) visual tokens.
        slots: (B, N, slots) classes.

    Returns:
        The mean squared error, and the correlation of norm and target.
    """
    said = (slots != UNSAID) & (slots != NOTHING) & (slots != CLASS_OF[" "])
    wanted = _BLANK_NORM + _NORM_PER_DOUBLING * torch.log2(1 + said.sum(-1).float())
    norms = tokens.float().norm(dim=-1) / NORM_SCALE
    with torch.no_grad():
        correlation = torch.corrcoef(torch.stack([norms.flatten(), wanted.flatten()]))[0, 1]
    return (norms - wanted).square().mean(), correlation
