"""One grid of visual tokens over a page: where it lies, and the shapes that a plan draws on it.

Shapes are in units of cells, so that they are computed once per plan and painted at any zoom. Knows no
widget and no colour.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF

from rtocr_gui.tokens import GridName, TokenLayout

Item = TypeVar("Item", bound=np.generic)


@dataclass(frozen=True, eq=False, slots=True)
class TokenGrid:
    """Cells of one grid, row by row, and the page rectangle they lie on.

    Attributes:
        first: index of the grid's first cell among the prunable tokens.
        rectangle: what the whole grid covers, in page pixels; it extends beyond a letterboxed page.
        on_page: (rows, columns) bool, False for cells in letterbox padding.
    """

    first: int
    rectangle: QRectF
    on_page: NDArray[np.bool_]

    def of_tokens(self, values: NDArray[Item]) -> NDArray[Item]:
        """Extract this grid's cells from values for all prunable tokens.

        Args:
            values: (N, ...) one value or colour per prunable token.

        Returns:
            (rows, columns, ...) the values of this grid's cells.
        """
        cells = values[self.first : self.first + self.on_page.size]
        return cells.reshape(*self.on_page.shape, *values.shape[1:])

    def cell(self, token: int) -> QRectF | None:
        """Where a prunable token's cell lies, in page pixels; None for a token of another grid."""
        rows, columns = self.on_page.shape
        row, column = divmod(token - self.first, columns)
        if not 0 <= row < rows:
            return None
        width, height = self.rectangle.width() / columns, self.rectangle.height() / rows
        left, top = self.rectangle.left() + column * width, self.rectangle.top() + row * height
        return QRectF(left, top, width, height)

    def neighbour(self, token: int, right: int, down: int) -> int:
        """The token this many cells away if it covers some of the page, else the token itself."""
        rows, columns = self.on_page.shape
        row, column = divmod(token - self.first, columns)
        row, column = row + down, column + right
        if 0 <= row < rows and 0 <= column < columns and self.on_page[row, column]:
            return int(self.first + row * columns + column)
        return token

    def token_at(self, point: QPointF) -> int | None:
        """Index, among the prunable tokens, of the cell at a point in page pixels; None without one."""
        rows, columns = self.on_page.shape
        if not self.rectangle.contains(point):
            return None
        column = int((point.x() - self.rectangle.left()) / self.rectangle.width() * columns)
        row = int((point.y() - self.rectangle.top()) / self.rectangle.height() * rows)
        if row >= rows or column >= columns or not self.on_page[row, column]:
            return None
        return int(self.first + row * columns + column)


def token_grid(layout: TokenLayout, name: GridName) -> TokenGrid:
    """Find one of a layout's grids on the page.

    Args:
        layout: visual sequence of a page.
        name: which grid; without tiles there is only the global one, which then stands for both.
    """
    rows, columns = layout.local_grid if name == "local" and layout.has_tiles else layout.global_grid
    first = layout.cells(name).start
    cells = layout.prunable[layout.cells(name)]
    on_page = ~layout.padding[cells].reshape(rows, columns)
    boxes = layout.boxes[cells].reshape(rows, columns, 4)
    covered_rows = np.flatnonzero(on_page.any(axis=1))
    covered_columns = np.flatnonzero(on_page.any(axis=0))
    width, height = layout.page_size_px
    if len(covered_rows) == 0:
        return TokenGrid(first, QRectF(0, 0, width, height), on_page)
    left, cell_width = _axis(boxes[covered_rows[0], :, 0], covered_columns, width)
    top, cell_height = _axis(boxes[:, covered_columns[0], 1], covered_rows, height)
    return TokenGrid(first, QRectF(left, top, columns * cell_width, rows * cell_height), on_page)


def _axis(starts: NDArray[np.float32], covered: NDArray[np.int64], extent_px: int) -> tuple[float, float]:
    """Origin and cell size of a grid along one axis, in page pixels.

    The outer cells may be clipped to the page, so the edges between covered cells are used. With
    fewer than two of them, cells are taken to be as long as the page.
    """
    inner = covered[1:]
    if len(inner) == 0:
        return -float(covered[0] * extent_px), float(extent_px)
    size = float(extent_px)
    if len(inner) > 1:
        size = float(starts[inner[-1]] - starts[inner[0]]) / float(inner[-1] - inner[0])
    return float(starts[inner[0]]) - float(inner[0]) * size, size


def merged_runs(grid: TokenGrid, is_kept: NDArray[np.bool_]) -> list[QRectF]:
    """Rectangles over the merged cells, in cells from the grid's top left corner.

    Neighbours in a row are joined, so that painting is cheap for any number of cells.

    Args:
        grid: the grid whose cells to cover; padding cells stay clear.
        is_kept: (N,) True for each prunable token that stays.
    """
    merged = grid.on_page & ~grid.of_tokens(is_kept)
    return [QRectF(start, row, stop - start, 1) for row, start, stop in _runs(merged)]


def border_lines(grid: TokenGrid, is_kept: NDArray[np.bool_]) -> list[QLineF]:
    """Lines between kept and merged cells, in cells from the grid's top left corner.

    Adjacent pieces of a line are joined.

    Args:
        grid: the grid whose cells to outline.
        is_kept: (N,) True for each prunable token that stays.
    """
    kept = grid.of_tokens(is_kept)
    below = (kept[1:] != kept[:-1]) & grid.on_page[1:] & grid.on_page[:-1]
    beside = (kept[:, 1:] != kept[:, :-1]) & grid.on_page[:, 1:] & grid.on_page[:, :-1]
    lines = [QLineF(start, y + 1, stop, y + 1) for y, start, stop in _runs(below)]
    lines += [QLineF(x + 1, start, x + 1, stop) for x, start, stop in _runs(beside.T)]
    return lines


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """(row, start, stop) of each run of True in each row."""
    padded = np.zeros((flags.shape[0], flags.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = flags
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    stops = np.nonzero(steps == -1)[1]
    return list(zip(rows.tolist(), starts.tolist(), stops.tolist(), strict=True))
