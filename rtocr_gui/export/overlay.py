"""Draws a picture of a page with a plan over it, in any look, or with the lights of a traced reading.

It shows the same as the window's overlay: merged cells are veiled or cells are coloured by a value, a line
separates kept and merged cells, and letterbox padding, which covers no page, shows nothing. A map has its
legend below the page. Knows no model and no file format.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFont

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.export.looks import (
    BORDER_RGB,
    GLANCE_PX,
    HATCH_ON_DARK_RGB,
    HATCH_RGB,
    MAP_BORDER_RGB,
    MAP_CASING_RGB,
    OPACITY,
    Legend,
    Look,
    Rgba,
    Values,
    attention_legend,
    attention_tints,
    cell_colours,
    cell_values,
    hatch_tile,
    is_dark_paper,
    legend_of,
    tints,
)
from rtocr_gui.pruning.plan import PrunePlan, Transport
from rtocr_gui.tokens import GridName, TokenLayout

PAGE_SIDE_PER_BORDER_PX = 1600
_PAGE_WIDTH_PER_TEXT_PX = 50
_LEAST_TEXT_PX, _MOST_TEXT_PX = 9, 80
_INK_RGB = (30, 30, 34)

Pixels = NDArray[np.uint8]
Edges = list[tuple[int, int, int, int]]


def draw_overlay(
    page: PageImage,
    plan: PrunePlan,
    grid: GridName = "local",
    look: Look = Look.KEPT,
    transport: Transport | None = None,
    opacity: float = OPACITY,
) -> Image.Image:
    """Draw a plan over its page.

    Args:
        page: the page the plan was made for.
        plan: which tokens are kept and which are merged.
        grid: which of Gundam's two grids to draw. Modes without tiles have only the global one, which
            then stands for both.
        look: what to show of the tokens.
        transport: transport of this plan, needed for the mass received.
        opacity: opacity of the overlay, in 0..1; lines are not affected.

    Returns:
        RGB, as large as the page, plus the height of the legend for a map.

    Raises:
        ValueError: the plan was made for a page of a different size, or the transport is missing.
    """
    edges, covering = _cells(page, plan.layout, grid)
    values = cell_values(look, plan, transport)
    if look is not Look.KEPT and values is None:
        raise ValueError("the mass received is drawn from the plan's transport")
    legend = legend_of(look, plan, values)
    picture, size_px = page.image.copy(), page.image.size
    is_kept = plan.is_kept[plan.layout.cells(grid)]
    colours = cell_colours(look, plan, values, legend)[plan.layout.cells(grid)]
    dark = _is_dark(page)
    if look.is_map:
        _tint(picture, edges[covering].tolist(), tints(colours[covering], opacity, dark), dark)
    else:
        _veil(picture, edges[covering].tolist(), colours[covering], opacity)
    reach_px = max(1, round(max(size_px) / PAGE_SIDE_PER_BORDER_PX))
    kept, merged = edges[covering & is_kept].tolist(), edges[covering & ~is_kept].tolist()
    if look.is_hatched:
        hatch = _hatch(_covered(merged, size_px), reach_px)
        picture.paste(HATCH_ON_DARK_RGB if dark else HATCH_RGB, mask=Image.fromarray(hatch))
    if legend is None:
        picture.paste(BORDER_RGB, mask=_border(kept, merged, size_px, reach_px))
        return picture
    picture.paste(MAP_CASING_RGB, mask=_border(kept, merged, size_px, 2 * reach_px))
    picture.paste(MAP_BORDER_RGB, mask=_border(kept, merged, size_px, reach_px))
    key = "Line: between kept and merged tokens." + (" Hatched: merged." if look.is_hatched else "")
    return _with_legend(picture, legend, opacity, key)


def draw_lights(
    page: PageImage, layout: TokenLayout, attention: Values, grid: GridName = "local"
) -> Image.Image:
    """Draw where the decoder looked: a dimmed page, on which cells are lit by the attention paid to them.

    Args:
        page: the page that was read.
        layout: layout of its tokens.
        attention: (N,) attention paid to each prunable token, in 0..1.
        grid: as for `draw_overlay`.

    Returns:
        RGB, as large as the page, plus the height of the legend.

    Raises:
        ValueError: the layout is of a page of a different size.
    """
    edges, covering = _cells(page, layout, grid)
    picture, dark = page.image.copy(), _is_dark(page)
    _tint(
        picture,
        edges[covering].tolist(),
        attention_tints(attention, dark)[layout.cells(grid)][covering],
        dark,
    )
    legend = attention_legend(attention, layout, grid)
    return _with_legend(picture, legend, 1.0, "Brightest where the decoder looked most.")


def _cells(
    page: PageImage, layout: TokenLayout, grid: GridName
) -> tuple[NDArray[np.int_], NDArray[np.bool_]]:
    """Return the edges of a grid's cells in whole pixels (n, 4), and which of them cover any of the page."""
    if layout.page_size_px != page.image.size:
        raise ValueError(f"this is about a page of {layout.page_size_px}, not {page.image.size} pixels")
    positions = layout.prunable[layout.cells(grid)]
    edges = np.rint(layout.boxes[positions]).astype(int)
    return edges, (edges[:, :2] < edges[:, 2:]).all(axis=1) & ~layout.padding[positions]


def _is_dark(page: PageImage) -> bool:
    return is_dark_paper(np.asarray(page.image.resize((GLANCE_PX, GLANCE_PX)).convert("L")))


def _tint(picture: Image.Image, cells: Edges, colours: Rgba, dark: bool) -> None:
    """Lay a colour from `tints` over each cell."""
    lay_over = ImageChops.screen if dark else ImageChops.multiply
    for box, rgb in zip(cells, colours.tolist(), strict=True):
        area = picture.crop(box)
        picture.paste(lay_over(area, _plain(area.size, rgb)), box)


def _veil(picture: Image.Image, cells: Edges, colours: Rgba, opacity: float) -> None:
    """Blend each cell with a colour from `cell_colours`; those without opacity stay clear."""
    for box, (*rgb, strength) in zip(cells, colours.tolist(), strict=True):
        if strength:
            area = picture.crop(box)
            picture.paste(Image.blend(area, _plain(area.size, rgb), opacity * strength / 255), box)


def _plain(size_px: tuple[int, int], rgb: list[int]) -> Image.Image:
    return Image.new("RGB", size_px, tuple(rgb))


def _border(kept: Edges, merged: Edges, size_px: tuple[int, int], reach_px: int) -> Image.Image:
    """Return the mask of pixels that are near both a kept and a merged cell."""
    return Image.fromarray(_covered(kept, size_px, reach_px) & _covered(merged, size_px, reach_px))


def _covered(cells: Edges, size_px: tuple[int, int], reach_px: int = 0) -> Pixels:
    """Return (height, width): 255 within `reach_px` of a cell along each axis, else 0.

    `cells` are left, top, right and bottom edges in whole pixels.
    """
    width, height = size_px
    pixels = np.zeros((height, width), dtype=np.uint8)
    for left, top, right, bottom in cells:
        rows = slice(max(0, top - reach_px), bottom + reach_px)
        pixels[rows, max(0, left - reach_px) : right + reach_px] = 255
    return pixels


def _hatch(area: Pixels, thickness_px: int) -> Pixels:
    """Return the (height, width) opacities of diagonal lines inside an area."""
    tile = hatch_tile(thickness_px)
    repeats = [-(-side // len(tile)) for side in area.shape]
    return np.tile(tile, repeats)[: area.shape[0], : area.shape[1]] & area


def _with_legend(picture: Image.Image, legend: Legend, opacity: float, key: str) -> Image.Image:
    """Add a legend below a picture: title, colours as they look on white paper, and key to all else."""
    width, height = picture.size
    text_px = min(_MOST_TEXT_PX, max(_LEAST_TEXT_PX, width // _PAGE_WIDTH_PER_TEXT_PX))
    font, row_px = ImageFont.load_default(text_px), round(1.6 * text_px)
    whole = Image.new("RGB", (width, height + 3 * row_px + text_px), "white")
    whole.paste(picture)
    draw = ImageDraw.Draw(whole)
    top, right = height + text_px // 2, width - text_px
    draw.line((0, height, width, height), _INK_RGB)
    draw.text((text_px, top), legend.heading, _INK_RGB, font)
    top += row_px
    left = text_px + round(draw.textlength(f"{legend.low_text} ", font))
    draw.text((text_px, top), legend.low_text, _INK_RGB, font)
    draw.text((right, top), legend.high_text, _INK_RGB, font, anchor="ra")
    bar_px = max(1, right - round(draw.textlength(f" {legend.high_text}", font)) - left)
    values = np.linspace(legend.low, legend.high, bar_px, dtype=np.float32)
    colours = Image.fromarray(legend.colour_at(values)[None]).resize((bar_px, text_px))
    whole.paste(Image.blend(_plain(colours.size, [255, 255, 255]), colours, opacity), (left, top))
    draw.text((text_px, top + row_px), key, _INK_RGB, font)
    return whole
