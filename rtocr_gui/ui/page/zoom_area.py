"""A scroll area whose content zooms: by wheel, keys and pinch, with the pointer as the fixed point.

Geometry is in device pixels, so that content can be painted sharply at any display scale; only
positions from Qt events are in widget pixels. Knows only the size of its content.
"""

import math
from enum import Enum

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QNativeGestureEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication

from rtocr_gui.ui.parts.wheel import WHEEL_NOTCH

LEAST_ZOOM, GREATEST_ZOOM = 0.01, 16.0
_ZOOM_STEP = 1.25
_SCROLL_STEP_PX = 20


class FitTo(Enum):
    """How the zoom follows the size of the view."""

    NONE = "none"
    PAGE = "page"
    WIDTH = "width"


class ZoomArea(QAbstractScrollArea):
    """Scrolls, pans and zooms content of a known size, which a subclass paints.

    Signals:
        zoom_changed(float): device pixels per content pixel, after it changed.
    """

    zoom_changed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._content_size = QSize()
        self._zoom = 1.0
        self._fit = FitTo.PAGE
        self._grip: QPoint | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def zoom(self) -> float:
        """Device pixels per content pixel."""
        return self._zoom

    @property
    def is_panning(self) -> bool:
        """True while a mouse button holds the content."""
        return self._grip is not None

    def set_content_size(self, size: QSize) -> None:
        """Set the size of new content and show it from its top; an empty size means there is none."""
        self._content_size = size
        self._grip = None
        self._apply_fit()
        self.horizontalScrollBar().setValue(0)
        self.verticalScrollBar().setValue(0)

    @Slot()
    def zoom_in(self) -> None:
        """Enlarge by a quarter around the middle of the view."""
        self._zoom_to(self._zoom * _ZOOM_STEP)

    @Slot()
    def zoom_out(self) -> None:
        """Undo one step of `zoom_in`."""
        self._zoom_to(self._zoom / _ZOOM_STEP)

    @Slot()
    def actual_size(self) -> None:
        """Show each content pixel on one device pixel."""
        self._zoom_to(1.0)

    @Slot()
    def fit_page(self) -> None:
        """Show all of the content, now and whenever the view is resized."""
        self._fit = FitTo.PAGE
        self._apply_fit()

    @Slot()
    def fit_width(self) -> None:
        """Show the whole width of the content, now and whenever the view is resized."""
        self._fit = FitTo.WIDTH
        self._apply_fit()

    def device_ratio(self) -> float:
        """Device pixels per widget pixel."""
        return self.viewport().devicePixelRatioF()

    def view_rect(self) -> QRect:
        """The viewport, in device pixels."""
        size, ratio = self.viewport().size(), self.device_ratio()
        return QRect(0, 0, math.ceil(size.width() * ratio), math.ceil(size.height() * ratio))

    def content_rect(self) -> QRect:
        """Where the content lies in the viewport, in device pixels: scrolled, or centred."""
        size, view = self._zoomed_size(), self.view_rect()
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        left = self._margin() - across.value() if across.maximum() else (view.width() - size.width()) // 2
        top = self._margin() - down.value() if down.maximum() else (view.height() - size.height()) // 2
        return QRect(QPoint(left, top), size)

    def to_content(self, position: QPointF) -> QPointF:
        """Convert a position in the viewport, in widget pixels, to content pixels."""
        return (position * self.device_ratio() - QPointF(self.content_rect().topLeft())) / self._zoom

    def from_content(self, point: QPointF) -> QPointF:
        """Convert content pixels to a position in the viewport, in widget pixels."""
        return (point * self._zoom + QPointF(self.content_rect().topLeft())) / self.device_ratio()

    def _zoomed_size(self) -> QSize:
        if self._content_size.isEmpty():
            return QSize(0, 0)
        width, height = self._content_size.width() * self._zoom, self._content_size.height() * self._zoom
        return QSize(max(1, round(width)), max(1, round(height)))

    def _margin(self) -> int:
        return round(self.fontMetrics().height() * 0.5 * self.device_ratio())

    def _apply_fit(self) -> None:
        if not self._content_size.isEmpty() and self._fit is not FitTo.NONE:
            margins, ratio = 2 * self._margin(), self.device_ratio()
            room = self.maximumViewportSize() * ratio
            across = max(1, room.width() - margins) / self._content_size.width()
            down = max(1, room.height() - margins) / self._content_size.height()
            if self._fit is FitTo.PAGE:
                across = min(across, down)
            elif across > down:  # a scroll bar will appear beside the content
                bar = round(self.verticalScrollBar().sizeHint().width() * ratio)
                across = max(down, (room.width() - margins - bar) / self._content_size.width())
            self._set_zoom(across)
        self._update_scroll_bars()

    def _zoom_to(self, zoom: float, anchor: QPointF | None = None) -> None:
        """Zoom so that the content stays in place at a viewport position, by default the centre."""
        if self._content_size.isEmpty():
            return
        anchor = QPointF(self.viewport().rect().center()) if anchor is None else anchor
        point = self.to_content(anchor)
        self._fit = FitTo.NONE
        self._set_zoom(min(GREATEST_ZOOM, max(LEAST_ZOOM, zoom)))
        self._update_scroll_bars()
        offset = point * self._zoom - anchor * self.device_ratio()
        self.horizontalScrollBar().setValue(round(offset.x()) + self._margin())
        self.verticalScrollBar().setValue(round(offset.y()) + self._margin())

    def _set_zoom(self, zoom: float) -> None:
        if not math.isclose(zoom, self._zoom):
            self._zoom = zoom
            self.zoom_changed.emit(zoom)

    def _update_scroll_bars(self) -> None:
        size, view, margins = self._zoomed_size(), self.view_rect(), 2 * self._margin()
        for bar, length, room in (
            (self.horizontalScrollBar(), size.width(), view.width()),
            (self.verticalScrollBar(), size.height(), view.height()),
        ):
            bar.setPageStep(room)
            bar.setSingleStep(round(_SCROLL_STEP_PX * self.device_ratio()))
            bar.setRange(0, max(0, length + margins - room) if length else 0)
        self._update_cursor()
        self.viewport().update()

    def _pan(self, right: float, down: float) -> None:
        across, along = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - round(right))
        along.setValue(along.value() - round(down))

    def _update_cursor(self) -> None:
        if self.horizontalScrollBar().maximum() or self.verticalScrollBar().maximum():
            shape = Qt.CursorShape.ClosedHandCursor if self.is_panning else Qt.CursorShape.OpenHandCursor
            self.viewport().setCursor(shape)
        else:
            self.viewport().unsetCursor()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._apply_fit()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._apply_fit()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._apply_fit()
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self._zoom_to(self._zoom * (1 + event.value()), event.position())
            return True
        return super().viewportEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = QPointF(event.angleDelta()) / WHEEL_NOTCH
        event.accept()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom_to(self._zoom * _ZOOM_STEP ** turn.y(), event.position())
            return
        # Only touchpads report phases, and only for them do all platforms report reliable pixels.
        if event.phase() != Qt.ScrollPhase.NoScrollPhase and not event.pixelDelta().isNull():
            move = QPointF(event.pixelDelta())
        else:
            move = turn * (_SCROLL_STEP_PX * QApplication.wheelScrollLines())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            move = move.transposed()
        self._pan(move.x() * self.device_ratio(), move.y() * self.device_ratio())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom_in()
            case Qt.Key.Key_Minus:
                self.zoom_out()
            case Qt.Key.Key_0:
                self.fit_page()
            case Qt.Key.Key_1:
                self.actual_size()
            case Qt.Key.Key_Home:
                bar.setValue(bar.minimum())
            case Qt.Key.Key_End:
                bar.setValue(bar.maximum())
            case _:
                super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._grip = event.position().toPoint()
            self._update_cursor()
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None:
            position = event.position().toPoint()
            move = QPointF(position - self._grip) * self.device_ratio()
            self._grip = position
            self._pan(move.x(), move.y())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._grip = None
        self._update_cursor()
