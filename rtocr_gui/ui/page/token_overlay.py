"""The overlay of one page: what a plan makes of its visual tokens, painted in one of several looks.

Knows no widget, no zoom other than the one it is asked to paint at, and not how a plan is made.
"""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QRegion, QTransform

from rtocr_gui.export.looks import (
    BORDER_RGB,
    HATCH_ON_DARK_RGB,
    HATCH_RGB,
    MAP_BORDER_RGB,
    MAP_CASING_RGB,
    OPACITY,
    Legend,
    Look,
    attention_legend,
    attention_tints,
    cell_colours,
    cell_values,
    hatch_tile,
    legend_of,
    lights_over,
    tints,
)
from rtocr_gui.pruning.plan import PrunePlan, Transport
from rtocr_gui.tokens import GridName, TokenLayout
from rtocr_gui.ui.page.cell_mask import CellMask, image_of
from rtocr_gui.ui.page.page_place import PagePlace
from rtocr_gui.ui.page.token_details import (
    Links,
    describe,
    describe_lines,
    describe_mass,
    describe_padding,
    links_of,
)
from rtocr_gui.ui.page.token_grid import TokenGrid, border_lines, merged_runs, token_grid
from rtocr_gui.ui.page.token_links import Target, paint_links

_Compose = QPainter.CompositionMode
_VEIL_BORDER = ((BORDER_RGB, 1),)
_MAP_BORDER = ((MAP_CASING_RGB, 3), (MAP_BORDER_RGB, 1))


class TokenOverlay:
    """Paints the current plan over a page, in one look and for one grid."""

    def __init__(self) -> None:
        self._plan: PrunePlan | None = None
        self._transported: tuple[PrunePlan, Transport] | None = None
        self._attention: NDArray[np.float32] | None = None
        self._look = Look.KEPT
        self._opacity = OPACITY
        self._is_dark = False
        self._grid_name: GridName = "local"
        self._grids: dict[GridName, TokenGrid] = {}
        self._focus: int | None = None
        self._links: Links | None = None
        self._legend: Legend | None = None
        self._mask: CellMask | None = None
        self._coloured: tuple[object, ...] | None = None
        self._hatched: list[QRectF] = []
        self._borders: list[QLineF] = []

    @property
    def plan(self) -> PrunePlan | None:
        """The shown plan."""
        return self._plan

    @property
    def grid(self) -> TokenGrid | None:
        """The shown grid."""
        return self._grids.get(self._grid_name)

    @property
    def legend(self) -> Legend | None:
        """What the colours mean; None if they are not a map."""
        return self._legend

    @property
    def holds_focus(self) -> bool:
        """True while lines start from a token of the shown plan."""
        return self._focus is not None

    @property
    def needs_transport(self) -> bool:
        """True while something is shown that needs the plan's transport to be complete."""
        return (
            self._plan is not None
            and (self._look is Look.MASS or self._focus is not None)
            and (self._transported is None or self._transported[0] is not self._plan)
        )

    def show(self, plan: PrunePlan | None) -> None:
        """Show another plan, or none.

        Until its transport comes, that of the previous plan is used, so that masses and lines do not
        flicker while a slider moves.
        """
        before, self._plan = self._plan, plan
        if plan is None or before is None or not _same_cells(before.layout, plan.layout):
            self._grids = {}
            self._focus = None
        if plan is None or (self._transported and self._transported[0].measures is not plan.measures):
            self._transported = None
        if plan is not None and not self._grids:
            self._grids = {
                "local": token_grid(plan.layout, "local"),
                "global": token_grid(plan.layout, "global"),
            }
        self._draw()

    def show_transport(self, transport: Transport) -> None:
        """Use the transport of the shown plan; one of another shape belongs to an earlier plan."""
        plan = self._plan
        if plan is not None and transport.mass.shape == (len(plan.kept), len(plan.merged)):
            self._transported = plan, transport
        self._draw()

    def show_attention(self, attention: NDArray[np.float32] | None) -> None:
        """Light up cells by (N,) weights, instead of the look, while the plan has N tokens; None for none."""
        if attention is not None or self._attention is not None:
            self._attention = attention
            self._draw()

    @property
    def shows_attention(self) -> bool:
        """True while cells are lit up instead of the look."""
        return self._lights is not None

    @property
    def _lights(self) -> NDArray[np.float32] | None:
        return None if self._plan is None else lights_over(self._plan, self._attention)

    def set_look(self, look: Look) -> None:
        """Choose what to show of the tokens."""
        self._look = look
        self._draw()

    def set_opacity(self, opacity: float) -> None:
        """Set the opacity of the overlay, in 0..1."""
        self._opacity = opacity
        self._draw()

    def set_dark_paper(self, is_dark: bool) -> None:
        """Set whether the page is dark where nothing is written."""
        self._is_dark = is_dark
        self._draw()

    def set_grid(self, name: GridName) -> None:
        """Show this grid if the page has tiles; other pages have only the global one."""
        self._grid_name = name
        self._draw()

    def focus(self, token: int | None) -> None:
        """Draw lines from this prunable token, or none."""
        self._focus = token
        self._link()

    def _link(self) -> None:
        self._links = None if self._focus is None else self._links_from(self._focus)

    def _links_from(self, token: int) -> Links | None:
        if self._plan is None or self._transported is None:
            return None
        plan, transport = self._transported
        same_fate = plan.is_kept[token] == self._plan.is_kept[token]
        return links_of(plan, transport, token) if same_fate else None

    def _draw(self) -> None:
        self._link()
        self._hatched, self._borders = [], []
        plan, grid, lights = self._plan, self.grid, self._lights
        if plan is None or grid is None:
            self._legend = self._mask = self._coloured = None
        elif lights is not None:
            self._coloured = None
            self._legend = attention_legend(lights, plan.layout, self._grid_name)
            self._mask = self._tinted(grid, attention_tints(lights, self._is_dark))
        else:
            self._colour(plan, grid)
            self._hatched = merged_runs(grid, plan.is_kept) if self._look.is_hatched else []
            self._borders = border_lines(grid, plan.is_kept)

    def _colour(self, plan: PrunePlan, grid: TokenGrid) -> None:
        """Make legend and mask, unless nothing that they depend on has changed.

        Masses are coloured for the plan to which they belong: until those of the shown plan come, only
        hatching and borders follow it.
        """
        transport = None
        if self._look is Look.MASS and self._transported is not None:
            plan, transport = self._transported
        fates = () if self._look in (Look.NORM, Look.DENSITY) else (plan, transport)
        coloured = self._look, self._opacity, self._is_dark, grid, plan.measures, *fates
        if coloured == self._coloured:
            return
        self._coloured = coloured
        values = cell_values(self._look, plan, transport)
        self._legend = legend_of(self._look, plan, values)
        colours = cell_colours(self._look, plan, values, self._legend)
        if self._look.is_map:
            self._mask = self._tinted(grid, tints(colours, self._opacity, self._is_dark))
        else:
            colours[:, 3] = np.rint(colours[:, 3] * self._opacity)
            self._mask = CellMask(grid.of_tokens(colours))

    def _tinted(self, grid: TokenGrid, colours: NDArray[np.uint8]) -> CellMask:
        mode = _Compose.CompositionMode_Screen if self._is_dark else _Compose.CompositionMode_Multiply
        opaque = np.full(len(colours), 255, dtype=np.uint8)
        return CellMask(grid.of_tokens(np.column_stack([colours, opaque])), mode)

    @property
    def mask(self) -> CellMask | None:
        """The colours of the cells; a new object whenever they change."""
        return self._mask

    def paint_mask(self, painter: QPainter, place: PagePlace) -> None:
        """Paint the colours of the cells on the page."""
        if self._mask is not None and self.grid is not None:
            painter.save()
            painter.setClipRect(place.visible)
            self._mask.paint(painter, place.to_view.mapRect(self.grid.rectangle), place.visible)
            painter.restore()

    def paint_shapes(self, painter: QPainter, place: PagePlace) -> None:
        """Paint hatching and borders on the page."""
        if self.grid is None:
            return
        area, (rows, columns) = place.to_view.mapRect(self.grid.rectangle), self.grid.on_page.shape
        to_area = QTransform(area.width() / columns, 0, 0, area.height() / rows, area.left(), area.top())
        painter.save()
        painter.setClipRect(place.visible)
        if self._hatched:
            painter.setPen(Qt.PenStyle.NoPen)
            rgb = HATCH_ON_DARK_RGB if self._is_dark else HATCH_RGB
            painter.setBrush(_hatch_brush(QColor(*rgb), place.line_width))
            painter.setBrushOrigin(place.page.topLeft())
            painter.drawRects([to_area.mapRect(run) for run in self._hatched])
        painter.setTransform(to_area, combine=True)
        for rgb, width in _MAP_BORDER if self._look.is_map else _VEIL_BORDER:
            pen = QPen(QColor(*rgb), width * place.line_width)
            pen.setCosmetic(True)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLines(self._borders)
        painter.restore()

    def paint_links(self, painter: QPainter, place: PagePlace) -> None:
        """Paint the lines between cells, which lie on top of everything."""
        if self._focus is None or (source := self.cell_of(self._focus)) is None:
            return
        to_view, targets = place.to_view, []
        if self._links is not None:
            for partner, mass in zip(self._links.partners, self._links.masses, strict=True):
                if (cell := self.cell_of(partner)) is not None:
                    weight = mass / self._links.masses[0]
                    targets.append(Target(to_view.mapRect(cell), weight, not self._is_shown(partner)))
        paint_links(painter, to_view.mapRect(source), targets, place.line_width)

    def paint_padding(self, painter: QPainter, place: PagePlace, ink: QColor) -> None:
        """Hatch the cells beside the page, as far as they are in the view.

        Args:
            painter: in device pixels.
            place: where the page lies.
            ink: colour of the lines.
        """
        if self.grid is None or self.grid.on_page.all():
            return
        frame = place.to_view.mapRect(self.grid.rectangle).toRect()
        painter.save()
        painter.setClipRegion(QRegion(place.view).subtracted(QRegion(place.page)))
        painter.setBrushOrigin(place.page.topLeft())
        painter.fillRect(frame.intersected(place.view), _hatch_brush(ink, 1))
        painter.restore()

    def _is_shown(self, token: int) -> bool:
        return self.grid is not None and self.grid.cell(token) is not None

    def cell_of(self, token: int) -> QRectF | None:
        """Where a prunable token's cell lies, in page pixels; None without a plan."""
        cells = [grid.cell(token) for grid in self._grids.values()]
        return next((cell for cell in cells if cell is not None), None)

    def token_at(self, point: QPointF) -> int | None:
        """Index, among the prunable tokens, of the cell at a point in page pixels; None without one."""
        return None if self.grid is None else self.grid.token_at(point)

    def neighbour(self, token: int, right: int, down: int) -> int:
        """The token this many cells away in the shown grid, or this one if there is none on the page.

        Of a token of the other grid, it is one beside the cell under its middle.
        """
        grid, cell = self.grid, self.cell_of(token)
        if grid is None or cell is None:
            return token
        here = token if self._is_shown(token) else grid.token_at(cell.center())
        return token if here is None else grid.neighbour(here, right, down)

    def focus_cells(self) -> list[QRectF]:
        """The cells from which lines start or to which they lead, in page pixels."""
        tokens = [] if self._focus is None else [self._focus, *(self._links.partners if self._links else ())]
        return [cell for token in tokens if (cell := self.cell_of(token)) is not None]

    def is_beside_page(self, point: QPointF) -> bool:
        """True if a point beside the page, in page pixels, lies in padding."""
        return self.grid is not None and self.grid.rectangle.contains(point)

    def describe(self, token: int, *, with_lines: bool = True) -> str:
        """Say what becomes of a prunable token and where its mass goes; empty without a plan.

        Args:
            token: index among the prunable tokens.
            with_lines: say also where its lines lead.
        """
        if self._plan is None:
            return ""
        lines = [describe(self._plan, token, self._grid_name)]
        links = self._links_from(token)
        if links is not None and self._transported is not None:
            plan, _ = self._transported
            lines.append(describe_mass(plan, links))
            if with_lines:
                lines.append(describe_lines(plan, links, self._grid_name))
        return "\n".join(filter(None, lines))

    def describe_padding(self) -> str:
        """Say how many cells cover none of the page; empty without a plan."""
        return "" if self._plan is None else describe_padding(self._plan)


def _same_cells(one: TokenLayout, other: TokenLayout) -> bool:
    return one is other or (
        (one.page_size_px, one.local_grid, one.global_grid)
        == (other.page_size_px, other.local_grid, other.global_grid)
    )


def _hatch_brush(ink: QColor, thickness_px: int) -> QBrush:
    opacity = hatch_tile(thickness_px)
    tile = np.empty((*opacity.shape, 4), dtype=np.uint8)
    tile[..., :3], tile[..., 3] = (ink.red(), ink.green(), ink.blue()), opacity
    return QBrush(image_of(tile))
