"""The page, and over it what becomes of each visual token.

The page is painted from a copy that was scaled once per zoom, so that the overlay follows a
slider. Knows no document, no model and no other pane.
"""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QRegion,
)
from PySide6.QtWidgets import QToolTip, QWidget

from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.tokens import GridName
from rtocr_gui.ui.scaled_page import ScaledPage
from rtocr_gui.ui.token_overlay import TokenOverlay
from rtocr_gui.ui.zoom_area import ZoomArea

DROP_HINT = "Drop scanned pages here: images or PDF files"
_SMOOTH_AFTER_MS = 120
_BACKDROP_PERCENT = 118


class PageView(ZoomArea):
    """Shows one page with zoom, pan and the overlay of kept and merged tokens.

    Signals:
        zoom_changed(float): screen pixels per page pixel, after it changed.
        plan_painted(PrunePlan): a new plan was painted for the first time.
        cell_hovered(int | None): the pointer came over another cell; its index among the
            prunable tokens.
    """

    plan_painted = Signal(object)
    cell_hovered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page: ScaledPage | None = None
        self._message = DROP_HINT
        self._overlay = TokenOverlay()
        self._overlay_visible = True
        self._unpainted_plan: PrunePlan | None = None
        self._hovered: int | None = None
        self._smooth_timer = QTimer(self)
        self._smooth_timer.setSingleShot(True)
        self._smooth_timer.setInterval(_SMOOTH_AFTER_MS)
        self._smooth_timer.timeout.connect(self._smooth)
        self.zoom_changed.connect(self._smooth_timer.stop)  # rough until the zoom comes to rest
        self.setAccessibleName("Page")
        self.setAccessibleDescription(self._message)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

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
        self.set_content_size(QSize() if page is None else page.size_px)

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
        """Choose whose tokens to show of a page with tiles: "local" (the tiles', at first) or "global"."""
        self._overlay.set_grid(name)
        self._hover(None)
        self.viewport().update()

    @Slot(bool)
    def set_overlay_visible(self, visible: bool) -> None:
        """Show or hide the overlay; the plan stays."""
        self._overlay_visible = visible
        self._hover(None)
        self.viewport().update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            if self._page is None:
                self._paint_message(painter)
                return
            ratio = self.device_ratio()
            painter.scale(1 / ratio, 1 / ratio)
            self._paint_page(painter, self._page)
        if self._unpainted_plan is not None and self._overlay_visible:
            painted, self._unpainted_plan = self._unpainted_plan, None
            self.plan_painted.emit(painted)

    def _paint_page(self, painter: QPainter, image: ScaledPage) -> None:
        page, view = self.content_rect(), self.view_rect()
        painter.setClipRegion(QRegion(view).subtracted(QRegion(page)))
        painter.fillRect(view, self._backdrop())
        painter.setClipping(False)
        visible = page.intersected(view)
        if visible.isEmpty():
            return
        part = visible.translated(-page.topLeft())
        if not image.was_prepared:
            image.prepare(page.size(), part)
        elif not image.is_ready(page.size(), part) and not self._smooth_timer.isActive():
            self._smooth_timer.start()
        image.paint(painter, page, visible)
        if self._overlay_visible:
            self._overlay.paint(painter, page, self.zoom, max(1, round(self.device_ratio())))

    def _paint_message(self, painter: QPainter) -> None:
        room, gap = self.viewport().rect(), 2 * self.fontMetrics().height()
        painter.fillRect(room, self._backdrop())
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room.adjusted(gap, gap, -gap, -gap), flags, self._message)

    def _backdrop(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.Window).darker(_BACKDROP_PERCENT)

    @Slot()
    def _smooth(self) -> None:
        if self._page is not None:
            page = self.content_rect()
            self._page.prepare(page.size(), page.intersected(self.view_rect()).translated(-page.topLeft()))
            self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            token = self._token_at(QPointF(event.pos()))
            text = "" if token is None else self._overlay.describe(token)
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if not self.is_panning:
            self._hover(self._token_at(event.position()))

    def _token_at(self, position: QPointF) -> int | None:
        if self._page is None or not self._overlay_visible:
            return None
        point = self.to_content(position)
        on_page = QRectF(QPointF(), self._page.size_px.toSizeF()).contains(point)
        return self._overlay.token_at(point) if on_page else None

    def _hover(self, token: int | None) -> None:
        if token != self._hovered:
            self._hovered = token
            self.cell_hovered.emit(token)
