"""The looks of the overlay: the values of its cells, their scale, colours and legend.

The window and the exported picture take their colours from here, so that both show the same. All
looks can be read without colour: they differ in lightness, and merged cells can be hatched. Knows
no widget, no picture and no place on the page.
"""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from rtocr_gui.pruning.plan import PrunePlan, Transport
from rtocr_gui.tokens import GridName, TokenLayout

Rgb = tuple[int, int, int]
Values = NDArray[np.float32]
Rgba = NDArray[np.uint8]

OPACITY = 0.58
"""Default opacity of the overlay, as in `settings`. A half-opaque mid grey darkens white paper and lightens
black paper, so it is visible by luminance alone, and text under it keeps a contrast above 4.5 : 1."""
VEIL_RGB: Rgb = (84, 92, 106)
BORDER_RGB: Rgb = (20, 92, 200)
MAP_BORDER_RGB: Rgb = (24, 26, 32)
MAP_CASING_RGB: Rgb = (255, 255, 255)
"""On a map, kept and merged cells are separated by a dark line with a light casing: visible on any colour."""
HATCH_RGB: Rgb = (24, 26, 32)
HATCH_ON_DARK_RGB: Rgb = (214, 218, 226)
HATCH_OPACITY = 0.4
HATCH_PITCH = 8
"""Period of the hatching in steps: a line takes one step of each row, one further left in the next row."""

VIRIDIS: tuple[Rgb, ...] = (
    (68, 1, 84),
    (72, 40, 120),
    (62, 74, 137),
    (49, 104, 142),
    (38, 130, 142),
    (31, 158, 137),
    (53, 183, 121),
    (109, 205, 89),
    (180, 222, 44),
    (253, 231, 37),
)
"""Evenly spaced colours of viridis (van der Walt and Smith 2015): perceptually uniform, also with any form of
colour blindness."""
_UNLIT_RGB: Rgb = (112, 114, 124)
_UNLIT_ON_DARK_RGB: Rgb = (0, 0, 0)
_LIT_RGB: Rgb = (255, 206, 84)
_LIT_ON_DARK_RGB: Rgb = (150, 104, 16)
GLANCE_PX = 64
"""Side of the small grey copy of a page by which `is_dark_paper` judges."""
_DARK_BELOW = 90
_LEAST_PERCENT, _MOST_PERCENT = 2, 98
"""Percentiles of the values at the ends of a scale: a few extreme cells do not take up all of it."""
_FAINT = 0.4
"""Opacity of the veil over merged cells beside a heat map of the kept ones."""
_LOOKS_UNLIT = 0.1
"""Share of the attention to the other grid below which a grid looks dark: the legend's title says why."""


class Look(Enum):
    """What the overlay shows. The values are the names used on the command line and in the settings."""

    KEPT = "kept"
    NORM = "norm"
    MASS = "mass"
    DENSITY = "density"

    @property
    def label(self) -> str:
        """Name in menus and legends."""
        return {
            "kept": "Kept, merged",
            "norm": "Norm",
            "mass": "Mass received",
            "density": "Text density",
        }[self.value]

    @property
    def explanation(self) -> str:
        """Explanation for a reader, in a sentence or two."""
        return {
            "kept": "Tokens that the model receives are clear; those merged into them are veiled.",
            "norm": "Length of each token's vector. The tokens with the largest norms are kept.",
            "mass": "How much of the merged tokens each kept token takes in. Merged tokens are hatched.",
            "density": "Share of edge pixels in each token's patch of the whole-page view: "
            "high where there is text; blank paper has about 6 %, from the border of the patch.",
        }[self.value]

    @property
    def is_map(self) -> bool:
        """True if cells are coloured by a value, beneath the writing on the page."""
        return self is not Look.KEPT

    @property
    def is_hatched(self) -> bool:
        """True if merged cells are hatched."""
        return self is Look.MASS

    @property
    def next(self) -> "Look":
        """The look after this one; the first after the last."""
        looks = list(Look)
        return looks[(looks.index(self) + 1) % len(looks)]


@dataclass(frozen=True, slots=True)
class Legend:
    """What the colours of a map mean.

    Attributes:
        title: what is mapped.
        unit: unit of the values: empty for a plain number, "%" or a noun.
        low: value at the low end of the colours.
        high: value at the high end.
        falls_below: True if some cells have less than `low` and show its colour.
        rises_above: True if some cells have more than `high` and show its colour.
        colours: from low to high, evenly spaced.
        note: what else a reader of the map should know.
        is_opaque: True if the colours do not depend on the overlay's opacity.
    """

    title: str
    unit: str
    low: float
    high: float
    falls_below: bool
    rises_above: bool
    colours: tuple[Rgb, ...]
    note: str
    is_opaque: bool = False

    @property
    def heading(self) -> str:
        """The title, followed by the unit if it is a noun."""
        return f"{self.title} ({self.unit})" if self.unit.isalpha() or " " in self.unit else self.title

    @property
    def low_text(self) -> str:
        """Value at the low end, with < if cells have less."""
        return ("< " if self.falls_below else "") + self._text(self.low)

    @property
    def high_text(self) -> str:
        """Value at the high end, with > if cells have more."""
        return ("> " if self.rises_above else "") + self._text(self.high)

    def colour_at(self, values: Values) -> Rgba:
        """Return the (n, 3) colours of n values; values beyond an end take its colour, NaN the low end's."""
        span = self.high - self.low
        shares = (
            (np.nan_to_num(values, nan=self.low) - self.low) / span if span else np.full(len(values), 0.5)
        )
        return _blend(self.colours, shares)

    def _text(self, value: float) -> str:
        span = self.high - self.low or abs(value) or 1
        text = f"{value:.{max(0, 1 - math.floor(math.log10(span)))}f}"
        return f"{text} %" if self.unit == "%" else text


def cell_values(look: Look, plan: PrunePlan, transport: Transport | None) -> Values | None:
    """Return the values that a look maps to colours.

    Args:
        look: the look.
        plan: a plan over N prunable tokens.
        transport: transport of this plan, for the mass received.

    Returns:
        (N,) norms, masses in units of one merged token (NaN for merged tokens), or text densities in
        percent; None if the look is not a map, or its transport is missing.
    """
    match look:
        case Look.KEPT:
            return None
        case Look.NORM:
            return plan.norms
        case Look.DENSITY:
            return text_density(plan)
        case Look.MASS:
            if transport is None:
                return None
            received = np.full(len(plan.norms), np.nan, dtype=np.float32)
            received[plan.kept] = transport.received
            return received


def text_density(plan: PrunePlan) -> Values:
    """Return the (N,) percentages of edge pixels in the patch of the global view at each token.

    A token of the tile canvas, whose cell is smaller than a patch, takes the value of the patch that contains
    its centre.
    """
    percent: Values = plan.measures.patch_density * np.float32(100)
    layout, (rows, columns) = plan.layout, plan.layout.global_grid
    if not layout.has_tiles:
        return percent
    local_cells, global_cells = (
        layout.prunable[layout.cells("local")],
        layout.prunable[layout.cells("global")],
    )
    local_boxes = layout.boxes[local_cells]
    boxes = layout.boxes[global_cells].reshape(rows, columns, 4)
    on_page = ~layout.padding[global_cells].reshape(rows, columns)
    covered_rows, covered_columns = np.flatnonzero(on_page.any(1)), np.flatnonzero(on_page.any(0))
    middles = (local_boxes[:, :2] + local_boxes[:, 2:]) / 2
    across = np.searchsorted(boxes[covered_rows[0], covered_columns[:-1], 2], middles[:, 0], side="right")
    down = np.searchsorted(boxes[covered_rows[:-1], covered_columns[0], 3], middles[:, 1], side="right")
    local = percent.reshape(rows, columns)[covered_rows[down], covered_columns[across]]
    return np.concatenate([local, percent])


def legend_of(look: Look, plan: PrunePlan, values: Values | None) -> Legend | None:
    """Scale a look's values, and explain its colours.

    A few tokens have norms far beyond the others', so the colours span the 2nd to the 98th percentile
    of the cells on the page, over both grids.

    Args:
        look: the look of these values.
        plan: a plan over N prunable tokens.
        values: (N,) from `cell_values`.

    Returns:
        The legend; None without values.
    """
    if values is None:
        return None
    on_page = values[~plan.layout.padding[plan.layout.prunable]]
    shown = on_page[np.isfinite(on_page)]
    if len(shown) == 0:
        shown = np.zeros(1, dtype=np.float32)
    low, high = np.percentile(shown, (_LEAST_PERCENT, _MOST_PERCENT)).tolist()
    if look is Look.DENSITY:
        low = 0.0
    falls_below, rises_above = bool(shown.min() < low), bool(shown.max() > high)
    note = look.explanation
    if falls_below or rises_above:
        note += (
            f" The colours span the middle {_MOST_PERCENT - _LEAST_PERCENT} % of the cells: "
            f"{shown.min():.4g} to {shown.max():.4g} occur."
        )
    unit = {Look.MASS: "merged tokens", Look.DENSITY: "%"}.get(look, "")
    return Legend(look.label, unit, low, high, falls_below, rises_above, VIRIDIS, note)


def cell_colours(look: Look, plan: PrunePlan, values: Values | None, legend: Legend | None) -> Rgba:
    """Colour every cell.

    Args:
        look: what is shown.
        plan: a plan over N prunable tokens.
        values: (N,) from `cell_values`.
        legend: legend of these values.

    Returns:
        (N, 4) red, green, blue and opacity, where 255 stands for the full opacity of the overlay.
    """
    colours = np.zeros((len(plan.norms), 4), dtype=np.uint8)
    if values is not None and legend is not None:
        colours[:, :3], colours[:, 3] = legend.colour_at(values), 255 * np.isfinite(values)
    if look in (Look.KEPT, Look.MASS):
        colours[plan.merged] = (*VEIL_RGB, 255 if look is Look.KEPT else round(255 * _FAINT))
    return colours


def is_dark_paper(grey: NDArray[np.uint8]) -> bool:
    """True if the paper of a page is dark, judged from a grey copy, 0..255, with sides of `GLANCE_PX`."""
    return bool(np.median(grey) < _DARK_BELOW)


def tints(colours: Rgba, opacity: float, dark: bool) -> Rgba:
    """Return the (n, 3) colours to multiply a light page with, or to blend into a dark one by screening.

    The paper then takes the colours of the map, and the writing keeps its own.

    Args:
        colours: (n, 4) from `cell_colours`.
        opacity: opacity of the overlay, in 0..1.
        dark: True if the paper is dark.
    """
    weights = colours[:, 3:] * np.float32(opacity / 255)
    tinted = weights * colours[:, :3] if dark else 255 - weights * (255 - colours[:, :3].astype(np.float32))
    rounded: Rgba = np.rint(tinted).astype(np.uint8)
    return rounded


def lights_over(plan: PrunePlan, attention: Values | None) -> Values | None:
    """Return the attention if it is to the tokens of a plan: those of another mode lie elsewhere."""
    return attention if attention is not None and len(attention) == len(plan.norms) else None


def attention_tints(attention: Values, dark: bool) -> Rgba:
    """Return (N, 3) colours, composed like `tints`, that light up attended cells on a dimmed page.

    Brightness follows the square root of the weight, so that weaker cells are visible too.

    Args:
        attention: (N,) weight of each prunable token.
        dark: True if the paper is dark.
    """
    strongest = float(attention.max(initial=0))
    weights = np.sqrt(attention.clip(0) / strongest) if strongest > 0 else np.zeros_like(attention)
    return _blend((_UNLIT_ON_DARK_RGB, _LIT_ON_DARK_RGB) if dark else (_UNLIT_RGB, _LIT_RGB), weights)


def attention_legend(attention: Values, layout: TokenLayout, grid: GridName) -> Legend:
    """Make the legend of attention: its scale, and the most that the shown grid does not show.

    Args:
        attention: (N,) attention paid to each prunable token, in 0..1.
        layout: layout of these tokens.
        grid: the grid that is shown.
    """
    percent = 100 * attention
    visible = ~layout.padding[layout.prunable]
    title, note = "Attention", "How much the decoder looked at each token: brightest where it looked most."
    if layout.has_tiles:
        cells = (layout.cells(each) for each in (grid, "global" if grid == "local" else "local"))
        here, there = (float(percent[each][visible[each]].max(initial=0)) for each in cells)
        title += " (other grid)" if here < _LOOKS_UNLIT * there else ""
        note += f" On the other grid: at most {there:.0f} %." if there >= 1 else ""
    on_padding = float(percent[~visible].max(initial=0))
    if on_padding >= 1:
        note += f" In padding, which covers no page: at most {on_padding:.0f} %."
    most = float(percent.max(initial=0))
    colours = tuple(
        (red, green, blue)
        for red, green, blue in _blend((_UNLIT_RGB, _LIT_RGB), np.linspace(0, 1, 10) ** 0.5).tolist()
    )
    return Legend(title, "%", 0.0, most, False, False, colours, note, is_opaque=True)


def hatch_tile(thickness_px: int) -> NDArray[np.uint8]:
    """Return the (p, p) opacities of one period of diagonal lines; tiles join seamlessly."""
    steps = np.arange(HATCH_PITCH * thickness_px, dtype=np.int32)
    on_line = (steps[:, None] + steps) // thickness_px % HATCH_PITCH == 0
    opacity: NDArray[np.uint8] = (on_line * round(255 * HATCH_OPACITY)).astype(np.uint8)
    return opacity


def _blend(stops: tuple[tuple[int, ...], ...], shares: NDArray[np.floating]) -> Rgba:
    """Interpolate (n, channels) colours between evenly spaced stops, at positions in 0..1."""
    at = np.linspace(0, 1, len(stops))
    channels = [np.interp(shares, at, channel) for channel in zip(*stops, strict=True)]
    colours: Rgba = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return colours
