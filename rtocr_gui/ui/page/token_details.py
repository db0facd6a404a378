"""Describes one visual token: its measures, its fate, and the tokens with which it exchanges mass.

Knows a plan and its transport, and no widget.
"""

from dataclasses import dataclass

import numpy as np

from rtocr_gui.export.looks import text_density
from rtocr_gui.pruning.plan import PrunePlan, Transport
from rtocr_gui.tokens import GridName
from rtocr_gui.units import counted, grouped

MOST_PARTNERS = 6


@dataclass(frozen=True, eq=False, slots=True)
class Links:
    """The tokens with which a token exchanges most mass.

    Attributes:
        token: a merged token, or a kept one.
        partners: the kept tokens that took most of it, or the merged ones that gave it most.
        masses: what passed between the token and each partner, in merged tokens, descending.
        mass: what passed between the token and all others.
    """

    token: int
    partners: tuple[int, ...]
    masses: tuple[float, ...]
    mass: float


def links_of(plan: PrunePlan, transport: Transport, token: int) -> Links:
    """Find the tokens that took most of a merged token, or gave a kept one most.

    Args:
        plan: over N prunable tokens.
        transport: of this plan.
        token: index among the prunable tokens.
    """
    if plan.is_kept[token]:
        masses, others = transport.mass[np.searchsorted(plan.kept, token)], plan.merged
    else:
        masses, others = transport.mass[:, np.searchsorted(plan.merged, token)], plan.kept
    strongest = np.argsort(-masses, kind="stable")[:MOST_PARTNERS]
    strongest = strongest[masses[strongest] > 0]
    return Links(
        token=token,
        partners=tuple(others[strongest].tolist()),
        masses=tuple(masses[strongest].tolist()),
        mass=float(masses.sum()),
    )


def describe(plan: PrunePlan, token: int, grid: GridName) -> str:
    """Say what becomes of a token, with its norm, rank and text density, and if another grid is shown."""
    fate = "Kept" if plan.is_kept[token] else "Merged"
    place = "" if _lies_in(grid, plan, token) else f"\nIn the {_other(grid)}"
    return (
        f"{fate}: norm {plan.norms[token]:.1f}, "
        f"rank {grouped(plan.ranks[token] + 1)} of {grouped(len(plan.norms))}\n"
        f"Text density {text_density(plan)[token]:.0f} %{place}"
    )


def describe_mass(plan: PrunePlan, links: Links) -> str:
    """Say how much mass passed between a token and others.

    Args:
        plan: the one whose transport the links come from.
        links: of one token.
    """
    if plan.is_kept[links.token]:
        return f"Takes in {links.mass:.2f} merged tokens"
    return f"{100 * links.mass:.0f} % goes into kept tokens, {100 * max(0.0, 1 - links.mass):.0f} % is lost"


def describe_lines(plan: PrunePlan, links: Links, grid: GridName) -> str:
    """Say where the lines of a token lead, and how many of them leave the shown grid; empty without any.

    Args:
        plan: the one whose transport the links come from.
        links: of one token.
        grid: which grid is shown.
    """
    count = len(links.partners)
    if not count:
        return ""
    percent, verb = 100 * sum(links.masses) / links.mass, "gave" if plan.is_kept[links.token] else "took"
    lines = [f"Lines: the {count} that {verb} most, {percent:.0f} % of it"]
    elsewhere = sum(not _lies_in(grid, plan, partner) for partner in links.partners)
    if elsewhere:
        lines.append(f"{elsewhere} of {count} lie in the {_other(grid)} (dashed)")
    return "\n".join(lines)


def _lies_in(grid: GridName, plan: PrunePlan, token: int) -> bool:
    return token in range(*plan.layout.cells(grid).indices(len(plan.norms)))


def _other(grid: GridName) -> str:
    return "tile grid" if grid == "global" else "whole-page grid"


def describe_padding(plan: PrunePlan) -> str:
    """Say how many cells cover none of the page, and what becomes of them."""
    padding = plan.layout.padding[plan.layout.prunable]
    return (
        f"Padding: {counted(padding.sum(), 'cell')} outside the page, "
        f"{grouped((padding & plan.is_kept).sum())} of them kept.\n"
        "The model sees a square; a padding token that is kept costs as much prefill as any other."
    )
