"""The frame that is drawn on a page to crop it, and what it leaves of the page. Knows rectangles, no page."""

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QRubberBand

from rtocr_gui.documents.limits import SHORTEST_SIDE_PX
from rtocr_gui.documents.pages import Crop
from rtocr_gui.ui.page.floating_label import FloatingLabel
from rtocr_gui.ui.page.zoom_area import ZoomArea

HINT = "Draw a frame around the part to keep. Enter keeps what is in view, Esc cancels."
_EDGE_PX = 8


class CropFrame(QObject):
    """Takes the mouse while it is on, to draw a frame; until one is begun, there is a hint.

    Signals:
        drawn (QRectF): a frame was drawn around this part of the content.

    Args:
        area: where the page is shown.
    """

    drawn = Signal(object)

    def __init__(self, area: ZoomArea) -> None:
        super().__init__(area.viewport())
        self._area = area
        self._hint = FloatingLabel("Crop", area.viewport())
        self._hint.setWordWrap(True)
        self._hint.setText(HINT)
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, area.viewport())
        self._is_on = False
        self._start: QPointF | None = None  # in the content, where it stays whatever part of that is in view

    @property
    def is_on(self) -> bool:
        """True while a frame can be drawn."""
        return self._is_on

    def set_on(self, on: bool) -> None:
        """Begin with the hint, or end."""
        self._is_on = on
        self._forget()
        self._hint.setVisible(on)
        self._fit()
        if on:
            self._area.viewport().installEventFilter(self)
        else:
            self._area.viewport().removeEventFilter(self)

    def eventFilter(self, _view: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        if not isinstance(event, QMouseEvent):
            return False
        is_left = event.button() == Qt.MouseButton.LeftButton
        if event.type() == QEvent.Type.MouseButtonPress and is_left:
            self._start = self._area.to_content(event.position())
            self._hint.hide()
        elif event.type() == QEvent.Type.MouseMove and self._start is not None:
            frame = QRectF(self._area.from_content(self._start), event.position())
            self._band.setGeometry(frame.normalized().toAlignedRect())
            self._band.show()
        elif event.type() == QEvent.Type.MouseButtonRelease and is_left and self._start is not None:
            self._end(self._start, event.position())
        else:
            return False
        return True

    def _end(self, start: QPointF, position: QPointF) -> None:
        """Emit the frame, unless it is no more than a click; another can be drawn."""
        self._forget()
        self._hint.show()
        across = position - self._area.from_content(start)
        if min(abs(across.x()), abs(across.y())) >= QApplication.startDragDistance():
            self.drawn.emit(QRectF(start, self._area.to_content(position)).normalized())

    def _forget(self) -> None:
        self._start = None
        self._band.hide()

    def _fit(self) -> None:
        """Place the hint at the bottom of the view, where frames are seldom begun."""
        room = self._area.viewport().rect().adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)
        width = min(self._hint.fontMetrics().horizontalAdvance(HINT) + 4 * _EDGE_PX, room.width())
        height = self._hint.heightForWidth(width)
        self._hint.setGeometry(room.left(), room.bottom() - height, width, height)


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
