"""Plans over made-up measures, for tests that paint or count."""

import numpy as np

from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, TokenMeasures, plan_pruning
from rtocr_gui.pruning.selection import order_by_norm
from rtocr_gui.tokens import TokenLayout


def measure_by_seed(layout: TokenLayout, seed: int) -> TokenMeasures:
    """Measures of tokens that nobody encoded: norms from a seed, nothing similar to anything.

    The text grows denser from the first cell to the last; the automatic ratio is 0.76.
    """
    count = len(layout.prunable)
    norms = np.random.default_rng(seed).uniform(1, 9, count).astype(np.float32)
    cells = layout.global_grid[0] * layout.global_grid[1]
    return TokenMeasures(
        norms=norms,
        order=order_by_norm(norms),
        similarity=np.eye(count, dtype=np.float32),
        patch_density=np.linspace(0, 0.9, cells, dtype=np.float32),
        text_density=0.6,
        dissimilarity=0.4,
        measure_ms=1.0,
    )


def make_plan(
    retention: float | None = 0.5,
    mode: Mode = Mode.BASE,
    page_size_px: tuple[int, int] = (600, 800),
    crop_wh: tuple[int, int] = (0, 0),
) -> PrunePlan:
    """A plan over made-up measures; the automatic ratio of its page is 0.76."""
    layout = build_layout(mode, page_size_px, crop_wh)
    return plan_pruning(layout, measure_by_seed(layout, 7), PruneSettings(retention))
