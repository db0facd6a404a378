"""Plans over made-up measures, for tests that paint or count."""

import numpy as np

from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, TokenMeasures, plan_pruning


def make_plan(
    retention: float | None = 0.5,
    mode: Mode = Mode.BASE,
    page_size_px: tuple[int, int] = (600, 800),
    crop_wh: tuple[int, int] = (0, 0),
) -> PrunePlan:
    """A plan over random norms; the automatic ratio of its page is 0.76."""
    layout = build_layout(mode, page_size_px, crop_wh)
    count = len(layout.prunable)
    norms = np.random.default_rng(7).gamma(4, 8, count).astype(np.float32)
    measures = TokenMeasures(
        norms=norms,
        order=np.argsort(-norms, kind="stable"),
        similarity=np.zeros((count, count), np.float32),
        patch_density=np.linspace(0, 0.9, layout.global_grid[0] * layout.global_grid[1], dtype=np.float32),
        text_density=0.6,
        dissimilarity=0.4,
        measure_ms=1.0,
    )
    return plan_pruning(layout, measures, PruneSettings(retention))
