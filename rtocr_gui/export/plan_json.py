"""Exports a plan as plain data for scripts: which visual tokens a page has, and what happens to each.

Contains nothing that differs between two runs on the same page. Knows no model and no picture.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.export.page_source import source_as_json
from rtocr_gui.export.writing import write_text_atomically
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.tokens import TokenKind


@dataclass(frozen=True, slots=True)
class PlanSource:
    """What a plan describes.

    Attributes:
        ref: the page.
        model_name: which model encoded it.
        mode: mode in which it was encoded.
    """

    ref: PageRef
    model_name: str
    mode: Mode


def plan_as_json(plan: PrunePlan, source: PlanSource) -> dict[str, Any]:
    """Describe a plan and its source using only dicts, lists, strings, numbers, booleans and None.

    Returns:
        `file`, `page` (from 1), `sha256`, `rotation_deg`, `cuts` (of the page as it is in the file, one after
        the other: the half "left", or the `left`, `top`, `right` and `bottom` of a crop in shares of what it
        was cut from), `model` and `mode` of the source; the `method` that selected the tokens; `page_size_px`
        (width, height); `grids`, each (rows, columns); the `retention` applied, and whether it was
        `automatic`; `automatic_retention` with the `text_density` (r1) and `dissimilarity` (r2) it follows
        from; `counts`; `tokens`, one entry for each prunable token with its `position` in the visual
        sequence, `kind` ("local" or "global"), `box` (xyxy in page pixels, None for a cell in letterbox
        padding), `kept`, `norm` and `rank` by norm (0 is the largest); and `fallen_newlines`, positions of
        newline tokens that were dropped.
    """
    layout, measures = plan.layout, plan.measures
    newline_count = int(np.count_nonzero(layout.kinds == TokenKind.NEWLINE))
    return {
        **source_as_json(source.ref, source.model_name, source.mode.value),
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


def plan_json_text(plan: PrunePlan, source: PlanSource) -> str:
    """Format `plan_as_json` as text that ends with a newline."""
    return json.dumps(plan_as_json(plan, source), indent=1) + "\n"


def export_plan(plan: PrunePlan, source: PlanSource, path: Path) -> None:
    """Write a plan as JSON.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    write_text_atomically(path, plan_json_text(plan, source))
