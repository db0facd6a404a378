"""The overlay of one page: which visual tokens a plan keeps and which it merges, painted.

Knows no widget, no zoom but the one it is asked to paint at, and not how a plan comes about.
"""

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from rtocr_gui.export.overlay import BORDER_RGB, VEIL_OPACITY, VEIL_RGB
from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.tokens import GridName
from rtocr_gui.ui.token_grid import TokenGrid, border_lines, merged_runs, token_grid

_VEIL = QColor(*VEIL_RGB, round(255 * VEIL_OPACITY))
_BORDER = QColor(*BORDER_RGB)


class TokenOverlay:
    """What is laid over a page for the current plan and grid."""

    def __init__(self) -> None:
        self._plan: PrunePlan | None = None
        self._grid_name: GridName = "local"
        self._grid: TokenGrid | None = None
        self._veil: list[QRectF] = []
        self._borders: list[QLineF] = []

    def show(self, plan: PrunePlan | None) -> None:
        """Take another plan, or none."""
        before, self._plan = self._plan, plan
        if plan is None:
            self._grid = None
        elif before is None or before.layout is not plan.layout:
            self._grid = token_grid(plan.layout, self._grid_name)
        self._draw()

    def set_grid(self, name: GridName) -> None:
        """Show this grid where the page has tiles; a page without has only the global one."""
        self._grid_name = name
        if self._plan is not None:
            self._grid = token_grid(self._plan.layout, name)
        self._draw()

    def _draw(self) -> None:
        if self._plan is not None and self._grid is not None:
            self._veil = merged_runs(self._grid, self._plan.is_kept)
            self._borders = border_lines(self._grid, self._plan.is_kept)

    def paint(self, painter: QPainter, page: QRect, zoom: float, line_width: float) -> None:
        """Paint the veil and the borders, clipped to the page.

        Args:
            painter: in device pixels.
            page: where the page lies.
            zoom: device pixels per page pixel.
            line_width: width of a border, in device pixels.
        """
        if self._grid is None:
            return
        painter.save()
        painter.setClipRect(page, Qt.ClipOperation.IntersectClip)
        whole, (rows, columns) = self._grid.rectangle, self._grid.on_page.shape
        painter.translate(page.left() + whole.left() * zoom, page.top() + whole.top() * zoom)
        painter.scale(whole.width() * zoom / columns, whole.height() * zoom / rows)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_VEIL)
        painter.drawRects(self._veil)
        pen = QPen(_BORDER, line_width)
        pen.setCosmetic(True)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLines(self._borders)
        painter.restore()

    def token_at(self, point: QPointF) -> int | None:
        """Index among the prunable tokens of the cell at a point in page pixels, if any."""
        return None if self._grid is None else self._grid.token_at(point)

    def describe(self, token: int) -> str:
        """Say what becomes of a prunable token, with its norm and rank; empty without a plan."""
        plan = self._plan
        if plan is None:
            return ""
        fate = "Kept" if plan.is_kept[token] else "Merged"
        return f"{fate}: norm {plan.norms[token]:.1f}, rank {plan.ranks[token] + 1} of {len(plan.norms)}"
