"""A picture of the page that shows which visual tokens a plan keeps and which it merges.

The same as the window's overlay: merged cells are veiled, kept cells are clear, a line runs between
them, and letterbox padding, which covers no page, shows nothing. Knows no model and no file format.
"""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.tokens import GridName

VEIL_RGB = (84, 92, 106)
VEIL_OPACITY = 150 / 255
"""A half-opaque middle grey darkens white paper and lightens black paper, so it reads by luminance
alone, and text beneath keeps a contrast above 4.5 : 1."""
BORDER_RGB = (20, 92, 200)
PAGE_SIDE_PER_BORDER_PX = 1600


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
    veiled = Image.fromarray(_merged_pixels(plan, grid))
    veil = Image.new("RGB", page.image.size, VEIL_RGB)
    picture = Image.composite(Image.blend(page.image, veil, VEIL_OPACITY), page.image, veiled)
    reach_px = max(3, 2 * round(max(page.image.size) / PAGE_SIDE_PER_BORDER_PX) + 1)  # odd, for the filters
    widened, narrowed = (
        veiled.filter(ImageFilter.MaxFilter(reach_px)),
        veiled.filter(ImageFilter.MinFilter(reach_px)),
    )
    picture.paste(BORDER_RGB, mask=ImageChops.difference(widened, narrowed))
    return picture


def _merged_pixels(plan: PrunePlan, grid: GridName) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """(height, width) 255 where a merged cell of the grid covers the page, else 0."""
    layout = plan.layout
    local_count = layout.local_grid[0] * layout.local_grid[1]
    cells = slice(0, local_count) if grid == "local" and local_count else slice(local_count, None)
    positions = layout.prunable[cells][~plan.is_kept[cells]]
    edges = np.rint(layout.boxes[positions[~layout.padding[positions]]]).astype(int)
    width, height = layout.page_size_px
    pixels = np.zeros((height, width), dtype=np.uint8)
    for left, top, right, bottom in edges.tolist():
        pixels[top:bottom, left:right] = 255
    return pixels
