"""The later stages: the decoder learns to read what the encoder sees; then both learn together.

The second stage freezes the encoder and uses small squares: the decoder's attention must learn to find its
way from token to token. The third uses whole pages in the smaller modes: visual tokens learn to encode their
positions, without which the decoder loses its place. The last uses all modes and tasks, and trains the whole
encoder. Dense labels are kept, so that the encoder does not forget. Optionally, a share of the last stage's
batches is pruned.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from recipe.losses import (
    block_loss,
    dense_loss,
    edge_loss,
    kept_loss,
    look_loss,
    place_loss,
    position_loss,
    text_loss,
    tile_loss,
    token_loss,
    within_loss,
)
from recipe.model import (
    EncodedViews,
    Learner,
    Scores,
    decoder_parameters,
    encoder_parameters,
    position_parameters,
    read_sizes,
    token_parameters,
)
from recipe.pages import PageKind
from recipe.pruned import draw_retention, prune_page
from recipe.readings import Part, ReadingBatches, ViewPlan
from rtocr_gui.ocr.reading import Mode


def _squares(side_px: int, x_height_px: tuple[float, float]) -> PageKind:
    return PageKind((side_px, side_px), (1.0, 1.0), x_height_px, rich=0.3, damaged=0.35, blank=0.02)


SMALL_VIEWS = (
    ViewPlan(_squares(256, (10, 32)), mode=None, pages=12, weight=5),
    ViewPlan(_squares(384, (10, 36)), mode=None, pages=4, weight=2, markdown=0.1),
    ViewPlan(_squares(512, (12, 40)), mode=Mode.TINY, pages=2, weight=2, markdown=0.2),
)
"""Views to begin with."""

_A4 = (1.3, 1.45)


def _pages(
    width_px: tuple[int, int],
    proportion: tuple[float, float],
    x_height_px: tuple[float, float],
    most_characters: int = 1000,
    rich: float = 0.5,
) -> PageKind:
    return PageKind(
        width_px,
        proportion,
        x_height_px,
        rich,
        damaged=0.45,
        most_characters=most_characters,
        manuals=0.25,
    )


PLAIN_PAGES = (
    ViewPlan(_squares(256, (12, 34)), mode=None, pages=10, weight=2),
    ViewPlan(_pages((420, 900), (0.8, 1.3), (22, 56)), Mode.TINY, pages=4, weight=3),
    ViewPlan(_pages((560, 1100), (0.8, 1.4), (20, 52)), Mode.SMALL, pages=3, weight=2),
    ViewPlan(_pages((800, 1300), _A4, (18, 44), 1200), Mode.BASE, pages=1, weight=3),
    ViewPlan(_pages((1000, 1200), (1.0, 1.1), (14, 24), 2500), Mode.BASE, pages=1, weight=3),
)
"""Modes of up to 256 cells, with x-heights of at least 8 pixels in the view, mostly above 14."""


def _few_words(
    width_px: tuple[int, int],
    proportion: tuple[float, float],
    x_height_px: tuple[float, float],
    most_characters: int,
    mode: Mode,
    pages: int,
    weight: float,
) -> ViewPlan:
    """Plan documents with little text, as Markdown: kinds and boxes of blocks make up much of the output."""
    kind = _pages(width_px, proportion, x_height_px, most_characters, rich=1.0)
    return ViewPlan(kind, mode, pages, weight, markdown=1.0)


WHOLE_PAGES = (
    ViewPlan(_squares(512, (7.5, 12)), mode=None, pages=2, weight=0.6),
    ViewPlan(_pages((420, 900), (0.8, 1.3), (14, 64)), Mode.TINY, pages=2, weight=0.8, markdown=0.15),
    ViewPlan(_pages((560, 1100), (0.8, 1.4), (13, 60)), Mode.SMALL, pages=2, weight=0.8, markdown=0.15),
    ViewPlan(_pages((720, 980), _A4, (10.5, 22), 2500), Mode.BASE, pages=1, weight=2.2, markdown=0.15),
    ViewPlan(_pages((1000, 1300), _A4, (15, 44), 2500), Mode.BASE, pages=1, weight=0.9, markdown=0.2),
    ViewPlan(_pages((950, 1100), (1.0, 1.1), (8.5, 16), 3000), Mode.BASE, pages=1, weight=1.4),
    ViewPlan(_pages((950, 1350), _A4, (10, 26), 3000), Mode.LARGE, pages=1, weight=1.3, markdown=0.1),
    ViewPlan(_pages((1100, 1400), _A4, (9.5, 24), 3000), Mode.GUNDAM, pages=1, weight=2.6, markdown=0.1),
    ViewPlan(_pages((1200, 1300), _A4, (8, 12), 6000), Mode.GUNDAM, pages=1, weight=0.9),
    ViewPlan(_pages((1300, 1800), (0.66, 0.78), (10, 26), 2500), Mode.GUNDAM, pages=1, weight=1.6),
    ViewPlan(_pages((900, 1300), (0.9, 1.1), (9, 26), 2000), Mode.GUNDAM, pages=1, weight=0.8),
    ViewPlan(_pages((1400, 1700), (0.9, 1.1), (9, 26), 2500), Mode.GUNDAM, pages=1, weight=0.5),
    ViewPlan(_pages((1700, 2100), (0.5, 0.6), (10.5, 26), 2500), Mode.GUNDAM, pages=1, weight=0.6),
    ViewPlan(_pages((1000, 1600), (0.5, 0.58), (9.5, 26), 2000), Mode.GUNDAM, pages=1, weight=0.2),
    ViewPlan(_pages((600, 1100), (1.8, 2.2), (9.5, 26), 2000), Mode.GUNDAM, pages=1, weight=0.5),
    _few_words((400, 800), (0.7, 1.4), (12, 50), 350, Mode.TINY, pages=5, weight=0.3),
    _few_words((560, 1100), (0.7, 1.4), (13, 50), 450, Mode.SMALL, pages=3, weight=0.3),
    _few_words((720, 1100), _A4, (10, 34), 500, Mode.BASE, pages=2, weight=0.6),
    _few_words((1100, 1400), _A4, (9.5, 30), 700, Mode.GUNDAM, pages=1, weight=0.3),
)
"""All modes; the x-heights are those of the page before scaling, and at least 7.5 pixels in the view on
nearly all pages."""

_DENSE_WEIGHT, _BLOCK_WEIGHT, _WHERE_WEIGHT, _EDGE_WEIGHT = 0.5, 0.1, 0.3, 0.1
_LOOKED_EVERY = 8
"""Of how many characters one is asked where it is looked for: whole pages have much text to attend to."""

_Figures = defaultdict[str, list[Tensor]]
"""Figures to log by name, one for each part of a batch that has it."""

EncoderLearning = Literal["nothing", "tokens", "all"]
"""Which part of the encoder a stage trains: "tokens" is what follows SAM's neck."""


@dataclass(frozen=True, slots=True)
class ReadingStage:
    """A stage that trains the decoder, and possibly the encoder.

    Attributes:
        name: "decoder", "pages" or "both".
        plans: how pages are shown.
        parts: number of parts in a batch.
        rate: learning rate of AdamW.
        encoder_learns: which part of the encoder is trained, with its heads.
        seed: seed of the pages.
        pruned: share of the batches whose pages are pruned by RTPrune, at random retentions.
        encoder_share: share of the learning rate for the parts of the encoder trained earlier: all except
            those for positions and blocks.
    """

    name: str
    plans: tuple[ViewPlan, ...]
    parts: int
    rate: float
    encoder_learns: EncoderLearning
    seed: int
    pruned: float = 0.0
    encoder_share: float = 0.2

    @property
    def items_per_batch(self) -> int:
        """Number of pages in a batch, a rounded average."""
        weight = sum(plan.weight for plan in self.plans)
        return round(self.parts * sum(plan.pages * plan.weight for plan in self.plans) / weight)

    def enlarged(self, factor: int) -> "ReadingStage":
        """Return the stage with more pages in each part."""
        return replace(self, plans=tuple(replace(plan, pages=plan.pages * factor) for plan in self.plans))

    def seeded(self, seed: int) -> "ReadingStage":
        """Return the stage with other pages."""
        return replace(self, seed=seed)

    def batches(self, processes: int = 1) -> Dataset[list[Part]]:
        """Return batches of parts by number."""
        end_id = read_sizes().decoder.eos_token_id
        return ReadingBatches(self.plans, self.parts, self.seed, end_id, processes)

    def parameters(self, learner: Learner) -> dict[str, nn.Parameter]:
        """Return the parameters of the decoder and of the trained part of the encoder, with its heads."""
        match self.encoder_learns:
            case "nothing":
                encoder = {}
            case "tokens":
                encoder = token_parameters(learner) | position_parameters(learner)
            case "all":
                encoder = encoder_parameters(learner) | position_parameters(learner)
        return encoder | decoder_parameters(learner)

    def loss(self, learner: Learner, batch: list[Part], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of all that the decoder is asked, and of dense labels if the encoder learns.

        The logged figures are means over the parts of the batch that have them, over both views and tiles.
        """
        device = learner.model.lm_head.weight.device
        surprise, right, written, weight, others = (torch.zeros((), device=device) for _ in range(5))
        figures: _Figures = defaultdict(list)
        looking = slice(step % _LOOKED_EVERY, None, _LOOKED_EVERY)
        rng = random.Random(f"prune:{self.seed}:{step}")
        pruned = rng.random() < self.pruned
        for part in batch:
            visual, encoded = learner.encode_pages(part.views, part.tiles, part.crop_wh)
            if pruned and part.layouts:
                text = _read_pruned(learner, visual, part, rng)
            else:
                scores = learner.read(visual, part.prompt, part.given, looking=looking)
                text = scores.text
                for loss in _where_losses(learner, scores, part, looking, figures):
                    others = others + loss / len(batch)
            targets, weights = part.targets, part.weights
            part_surprise, part_right = text_loss(text, targets, weights)
            surprise, right = surprise + part_surprise, right + part_right
            written, weight = written + (targets >= 0).sum(), weight + weights[targets >= 0].sum()
            if self.encoder_learns != "nothing":
                for loss in self._dense_losses(learner, encoded, part, step, figures):
                    others = others + loss / len(batch)
        by_text = surprise / weight
        said = {"text": by_text.detach(), "bytes_right": (right / written).detach(), "bytes": written}
        means = {name: torch.stack(parts).nanmean() for name, parts in figures.items()}
        return by_text + others, said | means

    def _dense_losses(
        self, learner: Learner, encoded: list[EncodedViews], part: Part, step: int, figures: _Figures
    ) -> Iterator[Tensor]:
        """Yield the weighted losses of the encoder's features; see `loss`."""
        told = [(part.view_points, part.view_slots), (part.tile_points, part.tile_slots)]
        for views, (points, slots) in zip(encoded, told, strict=False):
            assert points is not None
            assert slots is not None
            by_labels, dense_figures = (
                dense_loss(learner, views, points, slots, step)
                if self.encoder_learns == "all"
                else token_loss(learner, views, slots)
            )
            by_position, positions_right = position_loss(learner.position_head, views.tokens)
            _note(figures, **dense_figures, position=by_position, positions_right=positions_right)
            yield _DENSE_WEIGHT * (by_labels + by_position) / len(encoded)
        by_blocks, block_figures = block_loss(learner.block_head, encoded[0].tokens, part.view_blocks)
        by_within, within_right = within_loss(learner.within_head, encoded[0].tokens, part.view_blocks)
        _note(figures, **block_figures, within=by_within, within_right=within_right)
        yield _BLOCK_WEIGHT * (by_blocks + by_within)


def _where_losses(
    learner: Learner, scores: Scores, part: Part, looking: slice, figures: _Figures
) -> Iterator[Tensor]:
    """Yield the weighted losses of where the decoder reads, and of what it has kept of visual tokens."""
    by_looks, looks_right = look_loss(scores.looks, part.looked_at[:, looking], part.weights[:, looking])
    by_places, places_right = place_loss(scores.slots, part.slots_at, part.weights)
    by_edges, edge_error = edge_loss(scores.edges, part.edges_at)
    if part.edges_at.max() >= 0:
        _note(figures, edge=by_edges, edge_error=edge_error)
    _note(figures, look=by_looks, looks_right=looks_right, place=by_places, places_right=places_right)
    yield _WHERE_WEIGHT * (by_looks + by_places) + _EDGE_WEIGHT * by_edges
    slots = part.view_slots if part.tile_slots is None else part.tile_slots
    by_kept, kept_right = kept_loss(learner.kept_head, scores.kept, slots, part.crop_wh)
    _note(figures, kept=by_kept, kept_right=kept_right)
    yield _WHERE_WEIGHT * by_kept
    if part.tiles is not None:
        by_tiles, tiles_right = tile_loss(learner.tile_head, scores.visual, part.layouts[0])
        _note(figures, tile=by_tiles, tiles_right=tiles_right)
        yield _WHERE_WEIGHT * by_tiles


def _note(figures: _Figures, **parts: Tensor) -> None:
    for name, figure in parts.items():
        figures[name].append(figure.detach().float())


def _read_pruned(learner: Learner, visual: Tensor, part: Part, rng: random.Random) -> Tensor:
    """Score the texts of pruned pages, one page at a time, as each keeps different tokens."""
    scores = []
    for page, view, layout, given in zip(visual, part.views, part.layouts, part.given, strict=True):
        kept = prune_page(page, view, layout, draw_retention(rng))
        visuals, texts, no_looks = kept.visual[None], given[None], slice(0)
        scores.append(learner.read(visuals, part.prompt, texts, kept.places, kept.whole, no_looks).text)
    return torch.cat(scores)


def decoder_stage(rate: float = 1.5e-3) -> ReadingStage:
    """Return the stage that trains only the decoder, on small squares."""
    return ReadingStage("decoder", SMALL_VIEWS, parts=2, rate=rate, encoder_learns="nothing", seed=2)


def pages_stage(rate: float = 1.5e-3) -> ReadingStage:
    """Return the stage that trains the decoder and what follows SAM's neck, on whole pages as plain text."""
    return ReadingStage("pages", PLAIN_PAGES, parts=3, rate=rate, encoder_learns="tokens", seed=4)


def both_stage(
    rate: float = 8e-4, pruned: float = 0.0, encoder_learns: EncoderLearning = "all"
) -> ReadingStage:
    """Return the stage that trains encoder and decoder on whole pages, pruned in a share of the batches."""
    return ReadingStage(
        "both", WHOLE_PAGES, 3, rate, encoder_learns, seed=3, pruned=pruned, encoder_share=1.0
    )
