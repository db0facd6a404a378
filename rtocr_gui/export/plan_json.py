"""A plan as plain data, for scripts: which visual tokens a page has, and what becomes of each.

Holds nothing that differs between two runs on the same page. Knows no file.
"""

from typing import Any

import numpy as np

from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.tokens import TokenKind


def plan_as_json(plan: PrunePlan) -> dict[str, Any]:
    """Describe a plan with nothing but dicts, lists, strings, numbers, booleans and None.

    Args:
        plan: of one page in one mode.

    Returns:
        `method` by which tokens were chosen; `page_size_px` (width, height); `grids`, each (rows, columns);
        `retention` that was applied and whether it was `automatic`; `automatic_retention` with the
        `text_density` (r1) and `dissimilarity` (r2) it follows from; `counts`; `tokens`, one entry for each
        prunable token with its `position` in the visual sequence, `kind` ("local" or "global"), `box` (xyxy
        in page pixels, None for a cell in letterbox padding), `kept`, `norm` and `rank` by norm (0 is the
        largest); and `fallen_newlines`, positions of newline tokens that were dropped.
    """
    layout, measures = plan.layout, plan.measures
    newline_count = int(np.count_nonzero(layout.kinds == TokenKind.NEWLINE))
    return {
        "method": plan.method.value,
        "page_size_px": list(layout.page_size_px),
        "grids": {"local": list(layout.local_grid), "global": list(layout.global_grid)},
        "retention": float(plan.retention),
        "automatic": plan.automatic,
        "automatic_retention": float(measures.automatic_retention),
        "text_density": float(measures.text_density),
        "dissimilarity": float(measures.dissimilarity),
        "counts": {
            "sequence": len(layout),
            "selected": len(plan.selected),
            "prunable": len(layout.prunable),
            "kept": len(plan.kept),
            "merged": len(plan.merged),
            "newlines": newline_count,
            "fallen_newlines": len(plan.fallen_newlines),
        },
        "tokens": [
            {
                "position": position,
                "kind": TokenKind(kind).name.lower(),
                "box": None if padding else box,
                "kept": kept,
                "norm": norm,
                "rank": rank,
            }
            for position, kind, padding, box, kept, norm, rank in zip(
                layout.prunable.tolist(),
                layout.kinds[layout.prunable].tolist(),
                layout.padding[layout.prunable].tolist(),
                layout.boxes[layout.prunable].tolist(),
                plan.is_kept.tolist(),
                plan.norms.tolist(),
                plan.ranks.tolist(),
                strict=True,
            )
        ],
        "fallen_newlines": plan.fallen_newlines.tolist(),
    }
