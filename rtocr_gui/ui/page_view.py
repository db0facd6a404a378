"""The page, and over it what becomes of each visual token.

Scrolls, zooms and pans; takes drops. The page is painted from a copy that was scaled once per
zoom, so that the overlay follows a slider. Painting happens in device pixels. Knows no document,
no model and no other pane.
"""

import math
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QToolTip, QWidget

from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.ui.scaled_page import ScaledPage
from rtocr_gui.ui.token_grid import GridName
from rtocr_gui.ui.token_overlay import TokenOverlay

DROP_HINT = "Drop scanned pages here: images or PDF files"
LEAST_ZOOM, GREATEST_ZOOM = 0.01, 16.0
_ZOOM_STEP = 1.25
_SMOOTH_AFTER_MS = 120
_WHEEL_NOTCH = 120
_SCROLL_STEP_PX = 20


class Fit(Enum):
    """How the zoom follows the size of the view."""

    NONE = "none"
    PAGE = "page"
    WIDTH = "width"


class PageView(QAbstractScrollArea):
    """Shows one page with zoom, pan and the overlay of kept and merged tokens.

    Signals:
        zoom_changed(float): screen pixels per page pixel, after it changed.
        files_dropped(list[Path]): local files were dropped.
        image_dropped(QImage): a picture was dropped that is no local file.
        plan_painted(PrunePlan): a new plan was painted for the first time.
        cell_hovered(int | None): the pointer came over another cell; its index among the
            prunable tokens.
    """

    zoom_changed = Signal(float)
    files_dropped = Signal(object)
    image_dropped = Signal(QImage)
    plan_painted = Signal(object)
    cell_hovered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page: ScaledPage | None = None
        self._message = DROP_HINT
        self._zoom = 1.0
        self._fit = Fit.PAGE
        self._overlay = TokenOverlay()
        self._overlay_visible = True
        self._unpainted_plan: PrunePlan | None = None
        self._hovered: int | None = None
        self._grip: QPoint | None = None
        self._smooth_timer = QTimer(self)
        self._smooth_timer.setSingleShot(True)
        self._smooth_timer.setInterval(_SMOOTH_AFTER_MS)
        self._smooth_timer.timeout.connect(self._smooth)
        self.setAccessibleName("Page")
        self.setAccessibleDescription(self._message)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def zoom(self) -> float:
        """Screen pixels per page pixel."""
        return self._zoom

    @property
    def message(self) -> str:
        """The sentence shown in place of a page; empty while a page is shown."""
        return self._message

    @Slot(object)
    def show_page(self, image: QImage | None) -> None:
        """Show another page from its top, without a plan; None shows the drop hint."""
        if image is None or image.isNull():
            self.show_message("")
        else:
            self._replace_page(ScaledPage(image), "")

    @Slot(str)
    def show_message(self, text: str) -> None:
        """Show a sentence in place of a page; an empty one shows the drop hint."""
        self._replace_page(None, text or DROP_HINT)

    def _replace_page(self, page: ScaledPage | None, message: str) -> None:
        self._page, self._message = page, message
        self.setAccessibleDescription(message)
        self.show_plan(None)
        self._apply_fit()
        self.horizontalScrollBar().setValue(0)
        self.verticalScrollBar().setValue(0)
        self._update_cursor()

    @Slot(object)
    def show_plan(self, plan: PrunePlan | None) -> None:
        """Lay a plan for the shown page over it, in place of the plan before."""
        self._overlay.show(plan)
        self._unpainted_plan = plan
        if plan is None:
            self._hover(None)
        self.viewport().update()

    @Slot(str)
    def set_grid(self, name: GridName) -> None:
        """Choose whose tokens to show of a page with tiles: "local" (the tiles') or "global"."""
        self._overlay.set_grid(name)
        self._hover(None)
        self.viewport().update()

    @Slot(bool)
    def set_overlay_visible(self, visible: bool) -> None:
        """Show or hide the overlay; the plan stays."""
        self._overlay_visible = visible
        self._hover(None)
        self.viewport().update()

    @Slot()
    def zoom_in(self) -> None:
        """Enlarge by a quarter around the middle of the view."""
        self._zoom_to(self._zoom * _ZOOM_STEP)

    @Slot()
    def zoom_out(self) -> None:
        """Take back one step of `zoom_in`."""
        self._zoom_to(self._zoom / _ZOOM_STEP)

    @Slot()
    def actual_size(self) -> None:
        """Show each page pixel on one screen pixel."""
        self._zoom_to(1.0)

    @Slot()
    def fit_page(self) -> None:
        """Show the whole page, now and whenever the view changes its size."""
        self._fit = Fit.PAGE
        self._apply_fit()

    @Slot()
    def fit_width(self) -> None:
        """Show the whole width of the page, now and whenever the view changes its size."""
        self._fit = Fit.WIDTH
        self._apply_fit()

    # Geometry, in device pixels

    def _ratio(self) -> float:
        return self.viewport().devicePixelRatioF()

    def _margin(self) -> int:
        return round(self.fontMetrics().height() * 0.5 * self._ratio())

    def _shown_size(self) -> QSize:
        if self._page is None:
            return QSize()
        size = self._page.size_px
        return QSize(max(1, round(size.width() * self._zoom)), max(1, round(size.height() * self._zoom)))

    def _view_rect(self) -> QRect:
        size = self.viewport().size() * self._ratio()
        return QRect(0, 0, size.width(), size.height())

    def _page_rect(self) -> QRect:
        size, view = self._shown_size(), self._view_rect()
        bars = self.horizontalScrollBar(), self.verticalScrollBar()
        left = self._margin() - bars[0].value() if bars[0].maximum() else (view.width() - size.width()) // 2
        top = self._margin() - bars[1].value() if bars[1].maximum() else (view.height() - size.height()) // 2
        return QRect(QPoint(left, top), size)

    def _to_page(self, position: QPointF) -> QPointF:
        """From a widget position in the viewport to page pixels."""
        return (position * self._ratio() - QPointF(self._page_rect().topLeft())) / self._zoom

    def _update_scroll_bars(self) -> None:
        size, view, margin = self._shown_size(), self._view_rect(), self._margin()
        for bar, length, room in (
            (self.horizontalScrollBar(), size.width(), view.width()),
            (self.verticalScrollBar(), size.height(), view.height()),
        ):
            bar.setPageStep(room)
            bar.setSingleStep(round(_SCROLL_STEP_PX * self._ratio()))
            bar.setRange(0, max(0, length + 2 * margin - room))

    # Zoom

    def _apply_fit(self) -> None:
        if self._page is not None and self._fit is not Fit.NONE:
            margins = 2 * self._margin()
            size, room = self._page.size_px, self.maximumViewportSize() * self._ratio()
            across = max(1, room.width() - margins) / size.width()
            down = max(1, room.height() - margins) / size.height()
            if self._fit is Fit.WIDTH and across > down:
                bar = round(self.verticalScrollBar().sizeHint().width() * self._ratio())
                across = max(down, (room.width() - margins - bar) / size.width())
            self._set_zoom(min(across, down) if self._fit is Fit.PAGE else across)
        self._update_scroll_bars()
        self.viewport().update()

    def _set_zoom(self, zoom: float) -> None:
        if not math.isclose(zoom, self._zoom):
            self._zoom = zoom
            self.zoom_changed.emit(zoom)

    def _zoom_to(self, zoom: float, anchor: QPointF | None = None) -> None:
        """Change the zoom and keep the page still under a viewport position (or the middle)."""
        if self._page is None:
            return
        anchor = QPointF(self.viewport().rect().center()) if anchor is None else anchor
        point = self._to_page(anchor)
        self._fit = Fit.NONE
        self._set_zoom(min(GREATEST_ZOOM, max(LEAST_ZOOM, zoom)))
        self._update_scroll_bars()
        offset = point * self._zoom - anchor * self._ratio()
        self.horizontalScrollBar().setValue(round(offset.x()) + self._margin())
        self.verticalScrollBar().setValue(round(offset.y()) + self._margin())
        self._update_cursor()
        self.viewport().update()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        backdrop = self.palette().color(QPalette.ColorRole.Window).darker(118)
        if self._page is None:
            painter.fillRect(event.rect(), backdrop)
            self._paint_message(painter)
            return
        ratio = self._ratio()
        painter.scale(1 / ratio, 1 / ratio)
        page, view = self._page_rect(), self._view_rect()
        painter.setClipRegion(QRegion(view).subtracted(QRegion(page)))
        painter.fillRect(view, backdrop)
        painter.setClipping(False)
        visible = page.intersected(view)
        if not visible.isEmpty():
            self._prepare_page(page, visible)
            self._page.paint(painter, page, visible)
            if self._overlay_visible:
                self._overlay.paint(painter, page, self._zoom, max(1.0, round(ratio)))
        painter.end()
        if self._unpainted_plan is not None and self._overlay_visible:
            painted, self._unpainted_plan = self._unpainted_plan, None
            self.plan_painted.emit(painted)

    def _paint_message(self, painter: QPainter) -> None:
        room = self.viewport().rect()
        gap = self.fontMetrics().height() * 2
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room.adjusted(gap, gap, -gap, -gap), flags, self._message)

    def _prepare_page(self, page: QRect, visible: QRect) -> None:
        """Scale the page now if it was never painted, else when zooming and scrolling pause."""
        assert self._page is not None
        part = visible.translated(-page.topLeft())
        if self._page.is_ready(page.size(), part):
            self._smooth_timer.stop()
        elif self._page.was_prepared:
            self._smooth_timer.start()
        else:
            self._page.prepare(page.size(), part)

    @Slot()
    def _smooth(self) -> None:
        if self._page is not None:
            page = self._page_rect()
            part = page.intersected(self._view_rect()).translated(-page.topLeft())
            self._page.prepare(page.size(), part)
            self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._apply_fit()
        self._update_cursor()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._apply_fit()

    # Pointer and keyboard

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            token = self._token_at(QPointF(event.pos()))
            text = "" if token is None else self._overlay.describe(token)
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self._zoom_to(self._zoom * (1 + event.value()), event.position())
            return True
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._apply_fit()
        return super().viewportEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom_to(self._zoom * _ZOOM_STEP ** (turn.y() / _WHEEL_NOTCH), event.position())
            event.accept()
            return
        if event.phase() != Qt.ScrollPhase.NoScrollPhase and not event.pixelDelta().isNull():
            move = QPointF(event.pixelDelta()) * self._ratio()
        else:
            notch = _SCROLL_STEP_PX * QApplication.wheelScrollLines() * self._ratio()
            move = QPointF(turn) * notch / _WHEEL_NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            move = move.transposed()
        self._pan(round(move.x()), round(move.y()))
        event.accept()

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

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None:
            self._hover(self._token_at(event.position()))
            return
        position = event.position().toPoint()
        move = (position - self._grip) * self._ratio()
        self._grip = position
        self._pan(move.x(), move.y())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._grip = None
        self._update_cursor()

    def _pan(self, right: int, down: int) -> None:
        horizontal, vertical = self.horizontalScrollBar(), self.verticalScrollBar()
        horizontal.setValue(horizontal.value() - right)
        vertical.setValue(vertical.value() - down)

    def _update_cursor(self) -> None:
        can_pan = bool(self.horizontalScrollBar().maximum() or self.verticalScrollBar().maximum())
        if self._page is None or not can_pan:
            self.viewport().unsetCursor()
        else:
            hand = Qt.CursorShape.OpenHandCursor if self._grip is None else Qt.CursorShape.ClosedHandCursor
            self.viewport().setCursor(hand)

    def _token_at(self, position: QPointF) -> int | None:
        if self._page is None or not self._overlay_visible:
            return None
        point = self._to_page(position)
        size = self._page.size_px
        inside = 0 <= point.x() < size.width() and 0 <= point.y() < size.height()
        return self._overlay.token_at(point) if inside else None

    def _hover(self, token: int | None) -> None:
        if token != self._hovered:
            self._hovered = token
            self.cell_hovered.emit(token)

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _local_files(event.mimeData()) or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        data = event.mimeData()
        files = _local_files(data)
        event.acceptProposedAction()
        if files:
            self.files_dropped.emit(files)
        elif data.hasImage():
            self.image_dropped.emit(QImage(data.imageData()))


def _local_files(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
