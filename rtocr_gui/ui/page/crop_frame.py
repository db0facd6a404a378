"""The frame that is drawn on a page to crop it. Knows positions in a view, no page."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QRubberBand, QWidget

from rtocr_gui.ui.page.floating_label import FloatingLabel

HINT = "Draw a frame around the part to keep. Enter keeps what is in view, Esc cancels."
_EDGE_PX = 8


class CropFrame:
    """A frame between two points, and a hint until the first of them is set.

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
        self._start: QPointF | None = None

    @property
    def is_on(self) -> bool:
        """True while a frame can be drawn."""
        return self._is_on

    @property
    def is_drawn(self) -> bool:
        """True while a frame is being drawn."""
        return self._start is not None

    def set_on(self, on: bool) -> None:
        """Begin with the hint, or end."""
        self._is_on, self._start = on, None
        self._band.hide()
        self._hint.setVisible(on)
        self.fit()

    def fit(self) -> None:
        """Fit the hint into the view, which may have another size now, where frames are seldom begun."""
        room = self._view.rect().adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)
        width = min(self._hint.fontMetrics().horizontalAdvance(HINT) + 4 * _EDGE_PX, room.width())
        height = self._hint.heightForWidth(width)
        self._hint.setGeometry(room.left(), room.bottom() - height, width, height)

    def begin(self, position: QPointF) -> None:
        """Set the first corner."""
        self._start = position
        self._hint.hide()

    def draw_to(self, position: QPointF) -> None:
        """Show the frame from the first corner to another."""
        self._band.setGeometry(self._between(position).toAlignedRect())
        self._band.show()

    def end(self, position: QPointF) -> QRectF:
        """Set the other corner, and return the frame."""
        frame = self._between(position)
        self._start = None
        self._band.hide()
        self._hint.show()
        return frame

    def _between(self, position: QPointF) -> QRectF:
        return QRectF(position if self._start is None else self._start, position).normalized()
