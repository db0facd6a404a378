"""A page picture kept ready at the size at which it is shown.

Scaling a scan smoothly takes tens of milliseconds, painting the result takes one. So it is scaled once
per zoom, and until then painted roughly from the original. All sizes are in device pixels. Knows
no widget, no overlay and no scroll position.
"""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap

_WHOLE_PAGE_LIMIT_PX = 12_000_000
"""If scaled to more pixels than this (48 MB), a page is kept ready only around its visible part."""


class ScaledPage:
    """One page image and its copy at the current zoom.

    Args:
        image: the page; must not be null.
    """

    def __init__(self, image: QImage) -> None:
        self._image = image.convertToFormat(QImage.Format.Format_RGB32)
        self._copy = QPixmap()
        self._copy_size = QSize()
        self._copy_area = QRect()

    @property
    def size_px(self) -> QSize:
        """Size of the page itself."""
        return self._image.size()

    @property
    def was_prepared(self) -> bool:
        """True once the page has been scaled to some size."""
        return not self._copy.isNull()

    def is_ready(self, size: QSize, visible: QRect) -> bool:
        """True if `paint` would be smooth and fast.

        Args:
            size: size at which the whole page is shown.
            visible: visible part of the page at that size.
        """
        return size == self._copy_size and self._copy_area.contains(visible)

    def prepare(self, size: QSize, visible: QRect) -> None:
        """Scale the page smoothly to a size: all of it, or the visible part and its surroundings."""
        whole = QRect(0, 0, size.width(), size.height())
        if size == self._image.size():
            self._copy, area = QPixmap.fromImage(self._image), whole
        elif size.width() * size.height() <= _WHOLE_PAGE_LIMIT_PX:
            scaled = self._image.scaled(
                size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            self._copy, area = QPixmap.fromImage(scaled), whole
        else:
            reach_x, reach_y = visible.width() // 2, visible.height() // 2
            area = visible.adjusted(-reach_x, -reach_y, reach_x, reach_y).intersected(whole)
            self._copy = QPixmap(area.size())
            with QPainter(self._copy) as painter:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                self._paint_original(painter, QRectF(0, 0, area.width(), area.height()), area, size)
        self._copy_size, self._copy_area = size, area

    def paint(self, painter: QPainter, page: QRect, exposed: QRect) -> None:
        """Paint a part of the page.

        Args:
            painter: in device pixels.
            page: where the whole page lies.
            exposed: the part of it to paint, in the same coordinates.
        """
        part = exposed.translated(-page.topLeft())
        if self.is_ready(page.size(), part):
            painter.drawPixmap(exposed, self._copy, part.translated(-self._copy_area.topLeft()))
        else:
            self._paint_original(painter, QRectF(exposed), part, page.size())

    def _paint_original(self, painter: QPainter, target: QRectF, part: QRect, size: QSize) -> None:
        across = self._image.width() / size.width()
        down = self._image.height() / size.height()
        source = QRectF(part.x() * across, part.y() * down, part.width() * across, part.height() * down)
        painter.drawImage(target, self._image, source)
