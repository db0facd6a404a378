"""A page picture kept ready at the size at which it is shown.

Scaling a scan smoothly takes tens of milliseconds, painting the result takes one. So it is scaled once
per zoom, and until then painted roughly from the original. All sizes are in device pixels. Knows no widget
and no overlay.
"""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap

from rtocr_gui.ui.page.page_place import PagePlace

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

    def is_ready(self, place: PagePlace) -> bool:
        """True if `paint` would be smooth and fast."""
        return place.page.size() == self._copy_size and self._copy_area.contains(place.part)

    def prepare(self, place: PagePlace) -> None:
        """Scale the page smoothly to its size: all of it, or the visible part and its surroundings."""
        size = place.page.size()
        whole = QRect(QPoint(), size)
        if size == self._image.size():
            self._copy, area = QPixmap.fromImage(self._image), whole
        elif size.width() * size.height() <= _WHOLE_PAGE_LIMIT_PX:
            scaled = self._image.scaled(
                size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            self._copy, area = QPixmap.fromImage(scaled), whole
        else:
            part = place.part
            reach_x, reach_y = part.width() // 2, part.height() // 2
            area = part.adjusted(-reach_x, -reach_y, reach_x, reach_y).intersected(whole)
            self._copy = QPixmap(area.size())
            with QPainter(self._copy) as painter:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                self._paint_original(painter, QRect(QPoint(), area.size()), area, size)
        self._copy_size, self._copy_area = size, area

    def paint(self, painter: QPainter, place: PagePlace) -> None:
        """Paint the visible part of the page."""
        if self.is_ready(place):
            painter.drawPixmap(place.visible, self._copy, place.part.translated(-self._copy_area.topLeft()))
        else:
            self._paint_original(painter, place.visible, place.part, place.page.size())

    def _paint_original(self, painter: QPainter, target: QRect, part: QRect, size: QSize) -> None:
        across = self._image.width() / size.width()
        down = self._image.height() / size.height()
        source = QRectF(part.x() * across, part.y() * down, part.width() * across, part.height() * down)
        painter.drawImage(QRectF(target), self._image, source)
