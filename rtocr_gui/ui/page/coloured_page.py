"""The visible page with its coloured cells, cached as long as neither changes.

Painting the colours of a map takes several times as long as a copy. All sizes are in device pixels. Knows no
widget.
"""

from PySide6.QtGui import QPainter, QPixmap

from rtocr_gui.ui.page.page_place import PagePlace
from rtocr_gui.ui.page.scaled_page import ScaledPage
from rtocr_gui.ui.page.token_overlay import TokenOverlay


class ColouredPage:
    """Composes a page with the colours of an overlay, and caches the result.

    Args:
        overlay: the overlay with the colours.
    """

    def __init__(self, overlay: TokenOverlay) -> None:
        self._overlay = overlay
        self._drawn = QPixmap()
        self._drawn_of: tuple[object, ...] = ()

    def paint(self, painter: QPainter, image: ScaledPage, place: PagePlace) -> None:
        """Paint the visible part of a page with the colours of its cells.

        Args:
            painter: in device pixels.
            image: the page.
            place: where it lies.
        """
        drawn_of = image, image.is_ready(place), place.page, place.visible, self._overlay.mask
        if drawn_of != self._drawn_of:
            self._drawn_of = drawn_of
            self._draw(image, place)
        painter.drawPixmap(place.visible.topLeft(), self._drawn)

    def _draw(self, image: ScaledPage, place: PagePlace) -> None:
        visible = place.visible
        if self._drawn.size() != visible.size():
            self._drawn = QPixmap(visible.size())
        with QPainter(self._drawn) as painter:
            painter.translate(-visible.topLeft())
            image.paint(painter, place)
            self._overlay.paint_mask(painter, place)
