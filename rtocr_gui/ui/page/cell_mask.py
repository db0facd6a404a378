"""One colour for each cell of a grid, painted over a page as a small image that is scaled up.

Knows colours and a rectangle, no token and no plan.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

_FIXED_POINT = 1 << 16
"""Qt steps through a scaled image in 16-bit fractions of a pixel. Each step may be short by a whole
fraction, so the cells of a large image drift from their places."""
_GREATEST_DRIFT_PX = 0.5


class CellMask:
    """The colours of one grid.

    Args:
        colours: (rows, columns, 4) uint8, red, green, blue and opacity.
        mode: how they are blended with the page.
    """

    def __init__(
        self,
        colours: NDArray[np.uint8],
        mode: QPainter.CompositionMode = QPainter.CompositionMode.CompositionMode_SourceOver,
    ) -> None:
        self._image = image_of(colours)
        self._mode = mode

    def paint(self, painter: QPainter, area: QRectF, visible: QRect) -> None:
        """Paint the visible cells.

        Args:
            painter: in device pixels, clipped to what may be painted.
            area: where the whole grid lies.
            visible: part of the view to paint.
        """
        across = _blocks(area.left(), area.width(), self._image.width(), (visible.left(), visible.right()))
        down = _blocks(area.top(), area.height(), self._image.height(), (visible.top(), visible.bottom()))
        painter.setCompositionMode(self._mode)
        for row, bottom_row, top, bottom in down:
            for column, right_column, left, right in across:
                target = QRect(left, top, right - left, bottom - top)
                if right_column - column == bottom_row - row == 1:
                    painter.fillRect(target.intersected(visible), self._image.pixelColor(column, row))
                else:
                    source = QRect(column, row, right_column - column, bottom_row - row)
                    painter.drawImage(target, self._image, source)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)


def image_of(colours: NDArray[np.uint8]) -> QImage:
    """An image of (rows, columns, 4) colours, one pixel each, in the format that is painted fastest."""
    rows, columns, _ = colours.shape
    data = np.ascontiguousarray(colours)
    image = QImage(data.data, columns, rows, columns * 4, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)  # owns its memory


def _blocks(
    start: float, length: float, cells: int, seen_px: tuple[int, int]
) -> list[tuple[int, int, int, int]]:
    """First cell, end cell, first pixel and end pixel of the visible blocks along one axis.

    Blocks are short enough that no cell in them drifts visibly.
    """
    cell = length / cells
    first = max(0, int((seen_px[0] - start) // cell))
    end = min(cells, int((seen_px[1] - start) // cell) + 1)
    together = max(1, int(_GREATEST_DRIFT_PX * _FIXED_POINT / cell**2))
    edges = [*range(first, end, together), end]
    return [
        (one, other, round(start + one * cell), round(start + other * cell)) for one, other in pairwise(edges)
    ]
