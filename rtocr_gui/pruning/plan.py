"""Decides which visual tokens a reading keeps. Applying the decision is in `transport`.

`plan_pruning` is pure NumPy on what `measures.measure_tokens` measured once per page. An RTPrune plan
takes microseconds, so a slider can call it on every move; a baseline may take some hundred
milliseconds. Knows the layout of a page's tokens; knows no model, no pixels and no features.
Source: RTPrune, arXiv 2605.00392.
"""

import math
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.errors import PruningError, SettingsError
from rtocr_gui.pruning.baselines import (
    choose_at_random,
    choose_attended,
    choose_diverse,
    choose_likely,
)
from rtocr_gui.pruning.selection import surviving_positions
from rtocr_gui.tokens import TokenLayout


class PruneMethod(Enum):
    """How the tokens to keep are selected, and what happens to the others.

    RTPrune is what the program is for; the others are baselines to compare it with at the same K.
    The values are the names used on the command line.
    """

    RTPRUNE = "rtprune"
    NORM_ONLY = "norm"
    RANDOM = "random"
    DIVPRUNE = "divprune"
    VISIONZIP = "visionzip"
    CDPRUNER = "cdpruner"

    @property
    def label(self) -> str:
        """The name shown in tables and menus."""
        return {
            "rtprune": "RTPrune",
            "norm": "Norm only",
            "random": "Random",
            "divprune": "DivPrune",
            "visionzip": "VisionZip",
            "cdpruner": "CDPruner",
        }[self.value]

    @property
    def needs_cls_attention(self) -> bool:
        """True if the class token's attention must be measured for this method."""
        return self is PruneMethod.VISIONZIP


@dataclass(frozen=True, slots=True)
class PruneSettings:
    """How many of a page's visual tokens to keep, and by which method.

    Attributes:
        retention: share of the prunable tokens to keep, in (0, 1]; None for automatic retention.
        minimum_kept: fewest tokens to keep. Deviation: the reference has no such floor and can keep none;
            0 restores that.
        method: RTPrune, or a baseline at the same number of tokens.
        seed: seed of the random method.
    """

    retention: float | None = None
    minimum_kept: int = 1
    method: PruneMethod = PruneMethod.RTPRUNE
    seed: int = 0

    def __post_init__(self) -> None:
        if self.retention is not None and not 0 < self.retention <= 1:
            raise SettingsError("The retention ratio must be above 0 and at most 1 (1 keeps every token).")
        if self.minimum_kept < 0:
            raise SettingsError("The least number of tokens to keep cannot be negative.")


@dataclass(frozen=True, eq=False)
class TokenMeasures:
    """What is measured once per page and mode, before any ratio is chosen.

    Attributes:
        norms: (N,) float32, L2 norm of each prunable token.
        order: (N,) int64, prunable tokens by falling norm, ties by lowest index.
        similarity: (N, N) float32, cosine of every pair of tokens; zero vectors have cosine 0.
        patch_density: (g * g,) float32 in 0..1, share of edge pixels of each 64 x 64 patch of the
            global view, row by row.
        text_density: mean of `patch_density` (r1).
        dissimilarity: 1 minus the mean squared cosine between different tokens (r2).
        measure_ms: how long measuring took.
        cls_attention: (N,) float32, share of the class token's attention that each token receives within
            its own view, in the last layer of the CLIP tower; None unless the method needs it.
    """

    norms: NDArray[np.float32]
    order: NDArray[np.int64]
    similarity: NDArray[np.float32]
    patch_density: NDArray[np.float32]
    text_density: float
    dissimilarity: float
    measure_ms: float
    cls_attention: NDArray[np.float32] | None = None

    @property
    def automatic_retention(self) -> float:
        """r = r1 + r2 - r1 * r2, the ratio that adapts to the page (paper, "dynamic pruning ratio")."""
        return self.text_density + self.dissimilarity - self.text_density * self.dissimilarity

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """(N,) rank of each token by norm; 0 is the largest."""
        ranks = np.empty_like(self.order)
        ranks[self.order] = np.arange(len(self.order))
        return ranks


@dataclass(frozen=True, eq=False)
class PrunePlan:
    """The fate of every visual token of one page at one retention ratio.

    Positions in `kept` and `merged` count prunable tokens only; positions in `selected` and
    `fallen_newlines` count the whole visual sequence.

    Attributes:
        layout: the visual sequence the plan applies to.
        measures: what the decision is based on.
        retention: the ratio that was applied, in 0..1.
        automatic: True if the ratio came from the page and not from a person.
        method: how the kept tokens were selected.
        kept: (K,) int64 ascending, tokens that stay.
        merged: (P,) int64 ascending, the other tokens; K + P = N. RTPrune and VisionZip merge them into
            kept ones, the other methods drop them.
        selected: (m,) int64 ascending, what the decoder receives: kept tokens, surviving newlines,
            the separator.
    """

    layout: TokenLayout
    measures: TokenMeasures
    retention: float
    automatic: bool
    method: PruneMethod
    kept: NDArray[np.int64]
    merged: NDArray[np.int64]
    selected: NDArray[np.int64]

    @property
    def norms(self) -> NDArray[np.float32]:
        """(N,) L2 norm of each prunable token."""
        return self.measures.norms

    @property
    def ranks(self) -> NDArray[np.int64]:
        """(N,) rank of each prunable token by norm; 0 is the largest."""
        return self.measures.ranks

    @cached_property
    def is_kept(self) -> NDArray[np.bool_]:
        """(N,) True for each prunable token that stays."""
        mask = np.zeros(len(self.measures.norms), dtype=np.bool_)
        mask[self.kept] = True
        return mask

    @cached_property
    def kept_rows(self) -> NDArray[np.int64]:
        """(K,) where the kept tokens are among the m that the decoder receives."""
        return np.searchsorted(self.selected, self.layout.prunable[self.kept])

    @cached_property
    def fallen_newlines(self) -> NDArray[np.int64]:
        """(f,) positions of newline tokens dropped because nothing was kept since the newline before."""
        gone = np.ones(len(self.layout), dtype=np.bool_)
        gone[self.selected] = False
        gone[self.layout.prunable] = False
        return np.flatnonzero(gone)


@dataclass(frozen=True, eq=False)
class Transport:
    """Where the content of a plan's merged tokens goes.

    Attributes:
        mass: (K, P) float32, T_ij: how much of merged token j goes into kept token i, in 0..1. A column
            sums to at most 1; the remainder goes to the dustbin and is lost.
    """

    mass: NDArray[np.float32]

    @cached_property
    def received(self) -> NDArray[np.float32]:
        """(K,) mass that each kept token receives, in units of one merged token."""
        received: NDArray[np.float32] = self.mass.sum(axis=1)
        return received


def plan_pruning(layout: TokenLayout, measures: TokenMeasures, settings: PruneSettings) -> PrunePlan:
    """Decide which tokens stay. For RTPrune (paper, "read once"), the K tokens of largest L2 norm.

    With r the given or the automatic ratio, every method keeps

        K = min(N, max(minimum_kept, floor(N r)))

    Args:
        layout: visual sequence with N prunable tokens.
        measures: measures of the same N tokens.
        settings: ratio, floor and method.

    Returns:
        The plan.

    Raises:
        PruningError: the layout and the measures differ in length, there are no tokens, or the method
            needs the class token's attention and it was not measured.
    """
    count = len(measures.norms)
    if count == 0 or count != len(layout.prunable):
        raise PruningError(
            f"The page has {len(layout.prunable)} prunable tokens, but {count} were measured. "
            "Encode the page again."
        )
    ratio = measures.automatic_retention if settings.retention is None else settings.retention
    kept_count = min(count, max(settings.minimum_kept, math.floor(count * ratio)))
    kept = np.sort(_choose(measures, settings, kept_count))
    return PrunePlan(
        layout=layout,
        measures=measures,
        retention=ratio,
        automatic=settings.retention is None,
        method=settings.method,
        kept=kept,
        merged=np.delete(np.arange(count), kept),
        selected=surviving_positions(layout, kept),
    )


def contextual_tokens(measures: TokenMeasures, kept_count: int) -> NDArray[np.int64]:
    """Return those of the tokens VisionZip keeps that others are merged into.

    Args:
        measures: measures that include the class token's attention.
        kept_count: K.

    Returns:
        (floor(5 K / 32),) tokens, ascending; a subset of `kept` in any VisionZip plan with this K.

    Raises:
        PruningError: the measures lack that attention.
    """
    return choose_attended(_cls_attention(measures), kept_count)[1]


def _choose(measures: TokenMeasures, settings: PruneSettings, count: int) -> NDArray[np.int64]:
    """Select K tokens by the given method; their order has no meaning."""
    match settings.method:
        case PruneMethod.RTPRUNE | PruneMethod.NORM_ONLY:
            return measures.order[:count]
        case PruneMethod.RANDOM:
            return choose_at_random(len(measures.norms), count, settings.seed)
        case PruneMethod.DIVPRUNE:
            return choose_diverse(measures.similarity, count)
        case PruneMethod.VISIONZIP:
            return np.concatenate(choose_attended(_cls_attention(measures), count))
        case PruneMethod.CDPRUNER:
            return choose_likely(measures.similarity, measures.norms, count)


def _cls_attention(measures: TokenMeasures) -> NDArray[np.float32]:
    if measures.cls_attention is None:
        raise PruningError(
            "VisionZip chooses by the attention of the vision encoder, which was not measured on this page. "
            "Encode the page again for VisionZip, or choose another method."
        )
    return measures.cls_attention
