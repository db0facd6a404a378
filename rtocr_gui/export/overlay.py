"""A picture of the page that shows which visual tokens a plan keeps and which it merges.

The same as the window's overlay: merged cells are veiled, kept cells are clear, a line runs between
them, and letterbox padding, which covers no page, shows nothing. Knows no model and no file format.
"""

import numpy as np
from PIL import Image

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.tokens import GridName

VEIL_RGB = (84, 92, 106)
VEIL_OPACITY = 150 / 255
"""A half-opaque middle grey darkens white paper and lightens black paper, so it reads by luminance
alone, and text beneath keeps a contrast above 4.5 : 1."""
BORDER_RGB = (20, 92, 200)
PAGE_SIDE_PER_BORDER_PX = 1600

Pixels = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
Edges = list[tuple[int, int, int, int]]


def draw_overlay(page: PageImage, plan: PrunePlan, grid: GridName = "local") -> Image.Image:
    """Draw a plan over its page.

    Args:
        page: the page the plan was made for.
        plan: which tokens are kept and which merged.
        grid: whose cells to draw in Gundam mode, which lays two grids over a page. Modes without
            tiles have the global one alone, which then stands for both.

    Returns:
        RGB, as large as the page.

    Raises:
        ValueError: the plan is about a page of another size.
    """
    if plan.layout.page_size_px != page.image.size:
        raise ValueError(
            f"the plan is about a page of {plan.layout.page_size_px}, not {page.image.size} pixels"
        )
    size_px = page.image.size
    kept, merged = _cell_edges(plan, grid, plan.is_kept), _cell_edges(plan, grid, ~plan.is_kept)
    veiled = Image.fromarray(_covered(merged, size_px))
    veil = Image.new("RGB", size_px, VEIL_RGB)
    picture = Image.composite(Image.blend(page.image, veil, VEIL_OPACITY), page.image, veiled)
    reach_px = max(1, round(max(size_px) / PAGE_SIDE_PER_BORDER_PX))
    border = _covered(kept, size_px, reach_px) & _covered(merged, size_px, reach_px)
    picture.paste(BORDER_RGB, mask=Image.fromarray(border))
    return picture


def _cell_edges(plan: PrunePlan, grid: GridName, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Edges:
    """Left, top, right and bottom, in whole pixels, of the grid's wanted cells that cover some of the page.

    `wanted` is (P,), one for each prunable token.
    """
    layout = plan.layout
    local_count = layout.local_grid[0] * layout.local_grid[1]
    cells = slice(0, local_count) if grid == "local" and local_count else slice(local_count, None)
    positions = layout.prunable[cells][wanted[cells]]
    edges = np.rint(layout.boxes[positions[~layout.padding[positions]]]).astype(int).tolist()
    return [(left, top, right, bottom) for left, top, right, bottom in edges if left < right and top < bottom]


def _covered(cells: Edges, size_px: tuple[int, int], reach_px: int = 0) -> Pixels:
    """(height, width) 255 where a pixel of a cell is no farther than `reach_px` along either axis, else 0."""
    width, height = size_px
    pixels = np.zeros((height, width), dtype=np.uint8)
    for left, top, right, bottom in cells:
        rows = slice(max(0, top - reach_px), bottom + reach_px)
        pixels[rows, max(0, left - reach_px) : right + reach_px] = 255
    return pixels
