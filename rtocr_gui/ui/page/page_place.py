"""Where a page lies in a view, at some zoom. Knows no widget, and nothing of what is painted there."""

from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtGui import QTransform


@dataclass(frozen=True, slots=True)
class PagePlace:
    """The place of a page, in device pixels.

    Attributes:
        page: where the whole page lies.
        view: what can be seen of it and around it.
        zoom: device pixels per page pixel.
        device_ratio: device pixels per widget pixel.
    """

    page: QRect
    view: QRect
    zoom: float
    device_ratio: float

    @property
    def visible(self) -> QRect:
        """The part of the page that is in the view."""
        return self.page.intersected(self.view)

    @property
    def part(self) -> QRect:
        """The visible part, from the page's own top left corner."""
        return self.visible.translated(-self.page.topLeft())

    @property
    def to_view(self) -> QTransform:
        """From page pixels to the view."""
        return QTransform(self.zoom, 0, 0, self.zoom, self.page.left(), self.page.top())

    @property
    def line_width(self) -> int:
        """Width of a thin line."""
        return max(1, round(self.device_ratio))
