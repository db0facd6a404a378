"""The frame that is drawn on a page to crop it, and what it leaves of the page. Knows rectangles, no page."""

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize
from PySide6.QtWidgets import QRubberBand, QWidget

from rtocr_gui.documents.limits import SHORTEST_SIDE_PX
from rtocr_gui.documents.pages import Crop
from rtocr_gui.ui.page.floating_label import FloatingLabel

HINT = "Draw a frame around the part to keep. Enter keeps what is in view, Esc cancels."
_EDGE_PX = 8


class CropFrame:
    """A frame, and a hint until it is begun.

    Attributes:
        start: its first corner in page pixels, which stays there whatever part of the page is in view; None
            while no frame is being drawn.

    Args:
        view: what it is drawn on.
    """

    def __init__(self, view: QWidget) -> None:
        self._view = view
        self._hint = FloatingLabel("Crop", view)
        self._hint.setWordWrap(True)
        self._hint.setText(HINT)
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, view)
        self._is_on = False
        self.start: QPointF | None = None

    @property
    def is_on(self) -> bool:
        """True while a frame can be drawn."""
        return self._is_on

    def set_on(self, on: bool) -> None:
        """Begin with the hint, or end."""
        self._is_on, self.start = on, None
        self._band.hide()
        self._hint.setVisible(on)
        self.fit()

    def fit(self) -> None:
        """Fit the hint into the view, which may have another size now, where frames are seldom begun."""
        room = self._view.rect().adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)
        width = min(self._hint.fontMetrics().horizontalAdvance(HINT) + 4 * _EDGE_PX, room.width())
        height = self._hint.heightForWidth(width)
        self._hint.setGeometry(room.left(), room.bottom() - height, width, height)

    def begin(self, start: QPointF) -> None:
        """Set the first corner, in page pixels."""
        self.start = start
        self._hint.hide()

    def draw(self, frame: QRectF) -> None:
        """Show the frame as far as it is drawn, in the view."""
        self._band.setGeometry(frame.toAlignedRect())
        self._band.show()

    def end(self) -> None:
        """Hide the frame; another can be drawn."""
        self.start = None
        self._band.hide()
        self._hint.show()


def crop_of(frame: QRectF, size: QSize) -> Crop | None:
    """The part of a page within a frame; None if that is too small for a page, or all of it.

    Args:
        frame: in page pixels; may reach beyond the page.
        size: of the page, in pixels.
    """
    part = frame.toAlignedRect().intersected(QRect(QPoint(), size))
    if min(part.width(), part.height()) < SHORTEST_SIDE_PX or part.size() == size:
        return None
    right, bottom = part.left() + part.width(), part.top() + part.height()
    width, height = size.width(), size.height()
    return Crop(part.left() / width, part.top() / height, right / width, bottom / height)
