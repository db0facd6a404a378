"""What the training minimises. Knows scores and labels; no model, no data."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from recipe.alphabet import CLASS_OF, NOTHING
from recipe.blocks import KINDS
from recipe.labels import POINTS_PER_PATCH, UNSAID, WITHIN_STEPS, BlockLabels
from recipe.model import POSITIONS, STRIPS, DenseHead, EncodedViews, Learner
from rtocr_gui.ocr.vision.layout import TILE_PX
from rtocr_gui.tokens import MOST_TILES, TOKEN_PX, TokenLayout

NORM_SCALE = 16.0
"""Norm of a token that stands for 1 in `norm_loss`."""

_BLANK_NORM, _NORM_PER_DOUBLING = 0.4, 0.25
_BLANK_POINTS_TAUGHT = 8
_NOTHING_WEIGHT = 0.3


def dense_loss(
    learner: Learner, encoded: EncodedViews, points: Tensor, slots: Tensor, turn: int
) -> tuple[Tensor, dict[str, Tensor]]:
    """Dense labels of points and slots, and norms that follow the text.

    Args:
        learner: has the heads.
        encoded: views.
        points: (B, H, 4 W) uint8 classes.
        slots: (B, N, slots) uint8 classes.
        turn: chooses which blank points are taught.

    Returns:
        The sum, and its parts with the shares of right answers.
    """
    by_points, points_right = point_loss(
        learner.point_head, encoded.neck, points.to(encoded.neck.device), turn
    )
    by_tokens, figures = token_loss(learner, encoded, slots)
    return by_points + by_tokens, {"point": by_points.detach(), "points_right": points_right, **figures}


def token_loss(learner: Learner, encoded: EncodedViews, slots: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """What of `dense_loss` is about visual tokens: slots, and norms that follow the text.

    Args:
        learner: has the head.
        encoded: views.
        slots: (B, N, slots) uint8 classes, on any device.

    Returns:
        The sum, and its parts with the share of right answers.
    """
    slots = slots.to(encoded.tokens.device)
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
    """How surprising the texts are, byte by byte.

    Args:
        scores: (B, L, vocabulary).
        targets: (B, L) ids; negative where a text has ended.
        weights: (B, L) how much each byte counts.

    Returns:
        The weighted sum over all bytes, and how many were foretold.
    """
    taught = targets >= 0
    return _surprise(scores[taught], targets[taught], weights[taught])


def look_loss(looks: Tensor, looked_at: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """How far the looking heads are from attending to the visual token that holds the next character.

    Args:
        looks: (heads, B, L, V).
        looked_at: (B, L) places in the visual sequence; negative where nothing is taught.
        weights: (B, L) how much each character counts.

    Returns:
        The weighted mean, and the share of looks that are strongest where they should be.
    """
    taught = (looked_at >= 0).expand(len(looks), -1, -1)
    return _mean(looks, looked_at.expand_as(taught), weights.expand_as(taught), taught)


def place_loss(places: Tensor, slots_at: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """How far the decoder is from knowing where within its visual token the next character stands.

    Args:
        places: (B, L, slots).
        slots_at: (B, L); negative where nothing is taught.
        weights: (B, L) how much each character counts.

    Returns:
        The weighted mean, and the share of right places.
    """
    return _mean(places, slots_at, weights, slots_at >= 0)


def _mean(scores: Tensor, wanted: Tensor, weights: Tensor, taught: Tensor) -> tuple[Tensor, Tensor]:
    surprise, right = _surprise(scores[taught], wanted[taught], weights[taught])
    return surprise / weights[taught].sum().clamp(min=1), right / taught.sum().clamp(min=1)


def _surprise(scores: Tensor, wanted: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted sum of the losses of (n, classes), and how many are right."""
    scores = scores.float()
    with torch.no_grad():
        right = (scores.argmax(-1) == wanted).sum()
    return (functional.cross_entropy(scores, wanted, reduction="none") * weights).sum(), right


def point_loss(head: DenseHead, neck: Tensor, points: Tensor, turn: int) -> tuple[Tensor, Tensor]:
    """Which character covers each point.

    Args:
        head: says it.
        neck: (B, H, W, C) features of patches.
        points: (B, H, 4 W) classes.
        turn: chooses which eighth of the blank points is taught.

    Returns:
        The mean loss, and the share of right answers where there is a character.
    """
    labels = points.reshape(-1, POINTS_PER_PATCH).long()  # (patches, points)
    order = torch.arange(labels.numel(), device=labels.device).view_as(labels)
    wanted = (labels != NOTHING) | (order % _BLANK_POINTS_TAUGHT == turn % _BLANK_POINTS_TAUGHT)
    return _dense_loss(head, neck.flatten(0, 2), labels, wanted)


def slot_loss(head: DenseHead, tokens: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
    """The characters of each visual token, line by line.

    Args:
        head: says them.
        tokens: (B, N, D).
        slots: (B, N, slots) classes.

    Returns:
        The mean loss, and the share of right answers where there is a character.
    """
    labels = slots.flatten(0, 1).long()
    return _dense_loss(head, tokens.flatten(0, 1), labels, labels != UNSAID)


def _dense_loss(head: DenseHead, features: Tensor, labels: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    scores, answers = head(features, wanted).float(), labels[wanted]
    losses = functional.cross_entropy(scores, answers, reduction="none")
    weights = torch.where(answers == NOTHING, _NOTHING_WEIGHT, 1.0)
    printed = answers != NOTHING
    with torch.no_grad():
        right = ((scores.argmax(-1) == answers) & printed).sum() / printed.sum().clamp(min=1)
    return (losses * weights).sum() / weights.sum().clamp(min=1), right


def position_loss(head: nn.Linear, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """In which of 16 rows and columns of the view each visual token stands.

    The decoder keeps its place by what it has just read and by where that stood: the characters of the
    tokens alone do not tell it which of two lines it was in. In views of more than 16 rows, some share a
    class.

    Args:
        head: from (D) to scores of the rows, then of the columns.
        tokens: (B, N, D) of square views, row by row.

    Returns:
        The mean loss, and the share of right answers.
    """
    side = math.isqrt(tokens.shape[1])
    steps = torch.arange(side, device=tokens.device) * POSITIONS // side
    return _grid_loss(head(tokens).view(len(tokens), side, side, 2, POSITIONS), steps, steps)


def block_loss(head: nn.Linear, tokens: Tensor, told: BlockLabels) -> tuple[Tensor, dict[str, Tensor]]:
    """Of which block each visual token of a whole page is part.

    Kind and box are said before the block is read, so they have to be told by the token that is looked at,
    which speaks for the block. That those next to it tell the same is taught as much, for it is how a token
    gets to know.

    Args:
        head: from (D) to scores of the kinds, then of the strips in which left, top, right and bottom lie.
        tokens: (B, N, D).
        told: of the same tokens, on any device.

    Returns:
        The mean over all tokens of blocks and that over those that speak, averaged; of those that speak the
        share of right kinds and the mean error of an edge, in shares of the page.
    """
    kinds, boxes, speaking = (labels.to(tokens.device) for labels in (told.kinds, told.boxes, told.speaks))
    part = kinds >= 0
    scores = head(tokens[part]).float()
    by_kind = functional.cross_entropy(scores[:, : len(KINDS)], kinds[part], reduction="none")
    strips = scores[:, len(KINDS) :].unflatten(-1, (4, STRIPS))
    each, speaks = by_kind + _edge_surprise(strips, boxes[part]).mean(-1), speaking[part]
    count, speaking_count = part.sum().clamp(min=1), speaks.sum().clamp(min=1)
    loss = (each.sum() / count + each[speaks].sum() / speaking_count) / 2
    with torch.no_grad():
        right = (scores[speaks, : len(KINDS)].argmax(-1) == kinds[part][speaks]).sum() / speaking_count
        error = _edge_error(strips, boxes[part])[speaks].sum() / (4 * speaking_count)
    return loss, {"block": loss.detach(), "kinds_right": right, "block_error": error}


def within_loss(head: nn.Linear, tokens: Tensor, told: BlockLabels) -> tuple[Tensor, Tensor]:
    """Whether the edges of its block lie in a visual token of a whole page, and where in it.

    Tokens that were asked for edges on the page alone told those that others show to some three hundredths of
    it, and a line of text is not as high.

    Args:
        head: from (D) to scores of the steps and of “beyond”, for left, top, right and bottom.
        tokens: (B, N, D).
        told: of the same tokens, on any device.

    Returns:
        The mean loss, edges in a token and edges beyond it counting the same; and the share of edges in a
        token that are told to within one step.
    """
    part = told.kinds >= 0
    wanted = told.within[part].to(tokens.device)
    scores = head(tokens[part.to(tokens.device)]).float().unflatten(-1, (4, WITHIN_STEPS + 1))
    each = functional.cross_entropy(scores.movedim(-1, 1), wanted, reduction="none")
    inside = wanted < WITHIN_STEPS
    loss = torch.stack([each[one].sum() / one.sum().clamp(min=1) for one in (inside, ~inside)]).mean()
    with torch.no_grad():
        answers = scores.argmax(-1)
        near = ((answers - wanted).abs() <= 1) & (answers < WITHIN_STEPS) & inside
        right = near.sum() / inside.sum().clamp(min=1)
    return loss, right


def edge_loss(edges: Tensor, edges_at: Tensor) -> tuple[Tensor, Tensor]:
    """How far the decoder is from knowing where the edge of a block lies that it is about to say.

    The digits alone taught it only the commonest ones for a long time.

    Args:
        edges: (B, L, strips).
        edges_at: (B, L) in shares of the page; negative where nothing is taught.

    Returns:
        The mean loss, and the mean error in shares of the page.
    """
    taught = edges_at >= 0
    scores, wanted = edges[taught].float(), edges_at[taught]
    count = taught.sum().clamp(min=1)
    with torch.no_grad():
        error = _edge_error(scores, wanted).sum() / count
    return _edge_surprise(scores, wanted).sum() / count, error


def _edge_surprise(scores: Tensor, wanted: Tensor) -> Tensor:
    """(...,) losses of (..., strips): strips near the wanted share of the page are nearly right."""
    strips = torch.arange(STRIPS, device=scores.device)
    near = (-0.5 * (strips - wanted[..., None] * (STRIPS - 1)).square()).softmax(-1)
    return -(near * scores.log_softmax(-1)).sum(-1)


def _edge_error(scores: Tensor, wanted: Tensor) -> Tensor:
    """(...,) between the strip with the highest of (..., strips) and the wanted share of the page."""
    return (scores.argmax(-1) / (STRIPS - 1) - wanted).abs()


def tile_loss(head: nn.Linear, visual: Tensor, layout: TokenLayout) -> tuple[Tensor, Tensor]:
    """In which row and column of tiles each visual token of a tile stands.

    The encoder sees a tile alone, so a token tells its position within its tile; which tile that is the
    decoder has to find out by where the token stands in the sequence, or it loses its place between tiles.

    Args:
        head: from (D) to scores of the rows, then of the columns.
        visual: (B, V, D) visual sequences, as the decoder knows them where it begins to look.
        layout: of the sequences, with tiles.

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
    """How far (B, H, W, 2, classes) scores are from the class of each cell's row (H) and column (W)."""
    wanted = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).expand(scores.shape[:-1])
    with torch.no_grad():
        right = (scores.argmax(-1) == wanted).float().mean()
    return functional.cross_entropy(scores.float().flatten(0, -2), wanted.flatten()), right


def norm_loss(tokens: Tensor, slots: Tensor) -> tuple[Tensor, Tensor]:
    """Makes the norm of a visual token follow the text it holds.

    Wanted is 0.4 + 0.25 log2(1 + characters), times `NORM_SCALE`. With the published model high norm means
    text, and RTPrune builds on it; a model trained from nothing has to be told.

    Args:
        tokens: (B, N, D).
        slots: (B, N, slots) classes.

    Returns:
        The mean loss, and the correlation of norm and logarithm.
    """
    said = (slots != UNSAID) & (slots != NOTHING) & (slots != CLASS_OF[" "])
    wanted = _BLANK_NORM + _NORM_PER_DOUBLING * torch.log2(1 + said.sum(-1).float())
    norms = tokens.float().norm(dim=-1) / NORM_SCALE
    with torch.no_grad():
        correlation = torch.corrcoef(torch.stack([norms.flatten(), wanted.flatten()]))[0, 1]
    return (norms - wanted).square().mean(), correlation
