"""The page, and over it what becomes of each visual token.

The page is painted from a copy that is scaled once per zoom, so that the overlay can keep up with a
slider. Knows no document, no model and no other pane.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QRegion,
)
from PySide6.QtWidgets import QApplication, QToolTip

from rtocr_gui.export.looks import GLANCE_PX, Legend, Look, is_dark_paper
from rtocr_gui.ocr.reading import Block
from rtocr_gui.pruning.plan import PrunePlan, Transport
from rtocr_gui.tokens import GridName
from rtocr_gui.ui.page.block_layer import BlockLayer
from rtocr_gui.ui.page.coloured_page import ColouredPage
from rtocr_gui.ui.page.crop_frame import CropFrame, crop_of
from rtocr_gui.ui.page.page_place import PagePlace
from rtocr_gui.ui.page.pinned_details import PinnedDetails
from rtocr_gui.ui.page.scaled_page import ScaledPage
from rtocr_gui.ui.page.token_overlay import TokenOverlay
from rtocr_gui.ui.page.zoom_area import ZoomArea
from rtocr_gui.ui.parts.colours import mixed
from rtocr_gui.ui.parts.focus_frame import paint_frame
from rtocr_gui.ui.parts.keys import keeps_escape
from rtocr_gui.ui.parts.timers import one_shot

DROP_HINT = "Drop scanned pages here: images or PDF files"
_SMOOTH_AFTER_MS = 120
_BACKDROP_PERCENT = 118
_HATCH_SHARE = 0.5
_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class PageView(ZoomArea):
    """Shows one page with zoom, pan and the overlay of its tokens in one of several looks.

    A cell can be pinned by a click, or by Enter and the arrow keys: its details and lines then stay
    while the plan changes, until it is clicked again or Escape is pressed.

    Signals:
        zoom_changed(float): screen pixels per page pixel, after it changed.
        plan_painted(PrunePlan): a new plan was painted for the first time.
        legend_changed(Legend | None): the meaning of the colours has changed; None if they are not a map.
        transport_requested(): what is shown needs the plan's transport to be complete.
        block_hovered(int | None): the pointer moved to another block, or to none.
        lights_dismissed(): Escape was pressed while it was lit up where something was read.
        crop_drawn(Crop): a frame was drawn around this part of the page, to crop it.
        cropping_changed(bool): whether a frame can be drawn.
    """

    plan_painted = Signal(object)
    legend_changed = Signal(object)
    transport_requested = Signal()
    block_hovered = Signal(object)
    lights_dismissed = Signal()
    crop_drawn = Signal(object)
    cropping_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._page: ScaledPage | None = None
        self._message = DROP_HINT
        self._overlay = TokenOverlay()
        self._overlay_visible = True
        self._blocks = BlockLayer()
        self._blocks_visible = True
        self._hovered_block: int | None = None
        self._pointed_block: int | None = None
        self._coloured = ColouredPage(self._overlay)
        self._unpainted_plan: PrunePlan | None = None
        self._hovered: int | None = None
        self._pinned: int | None = None
        self._pointer: QPointF | None = None  # where it is over the shown page
        self._pressed_at: QPointF | None = None
        self._legend: Legend | None = None
        self._asked_for: PrunePlan | None = None
        self._details = PinnedDetails(self.viewport())
        self._crop = CropFrame(self)
        self._crop.drawn.connect(self._crop_to)
        self._smooth_timer = one_shot(self, _SMOOTH_AFTER_MS, self._smooth)
        self._hover_timer = one_shot(self, 0, self._hover_at_pointer)  # once both scroll bars are set
        self.zoom_changed.connect(self._show_details)
        self.zoom_changed.connect(self._hover_timer.start)
        self.zoom_changed.connect(self._smooth_timer.stop)  # rough until the zoom comes to rest
        self.setAccessibleName("Page")
        self.setAccessibleDescription(self._message)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @Slot(object)
    def show_page(self, image: QImage) -> None:
        """Show another page from its top, and over it the plan, which may have come before the picture."""
        glance = image.scaled(GLANCE_PX, GLANCE_PX).convertToFormat(QImage.Format.Format_Grayscale8)
        self._overlay.set_dark_paper(is_dark_paper(np.frombuffer(glance.constBits(), dtype=np.uint8)))
        self._replace_page(ScaledPage(image), "")
        self._forget_cells()
        self._hide_tooltip()
        self._overlay_changed()

    @Slot(str)
    def show_message(self, text: str) -> None:
        """Show a sentence in place of a page and its plan; an empty one shows the drop hint."""
        self._replace_page(None, text or DROP_HINT)
        self.show_plan(None)

    def _replace_page(self, page: ScaledPage | None, message: str) -> None:
        self.set_cropping(False)
        self._page, self._message, self._pointer = page, message, None
        self.setAccessibleDescription(message)
        self._hover_block(None)
        self._blocks.set_page_size(QSize() if page is None else page.size_px)
        self.set_content_size(QSize() if page is None else page.size_px)

    @Slot(object)
    def show_plan(self, plan: PrunePlan | None) -> None:
        """Show a plan over the page, replacing the previous one."""
        self._overlay.show(plan)
        self._unpainted_plan = plan
        if not self._overlay.holds_focus:
            self._forget_cells()
        self._hide_tooltip()
        self._overlay_changed()

    @Slot(object)
    def show_transport(self, transport: Transport) -> None:
        """Complete the shown plan with its transport."""
        self._overlay.show_transport(transport)
        self._overlay_changed()

    @Slot(object)
    def show_attention(self, attention: NDArray[np.float32] | None) -> None:
        """Light cells up by their (N,) weights over the dimmed page; None shows the look again."""
        self._overlay.show_attention(attention)
        self._overlay_changed()

    @Slot(object)
    def set_look(self, look: Look) -> None:
        """Choose what the overlay shows of the tokens."""
        self._overlay.set_look(look)
        self._overlay_changed()

    @Slot(float)
    def set_opacity(self, opacity: float) -> None:
        """Set the opacity of the overlay, in 0..1."""
        self._overlay.set_opacity(opacity)
        self._overlay_changed()

    @Slot(str)
    def set_grid(self, name: GridName) -> None:
        """Choose the grid to show for a page with tiles: "local" (the tiles, the default) or "global"."""
        self._overlay.set_grid(name)
        self._hover(None)
        self._hide_tooltip()
        self._overlay_changed()

    @Slot(bool)
    def set_overlay_visible(self, visible: bool) -> None:
        """Show or hide the overlay; the plan stays."""
        self._overlay_visible = visible
        self._forget_cells()
        self._overlay_changed()

    @Slot(object)
    def show_blocks(self, blocks: Sequence[Block]) -> None:
        """Outline other blocks of the page."""
        self._blocks.show(blocks)
        if self._blocks.focus is None:
            self._pointed_block = None
            self._hover_block(None)
        self.viewport().update()

    @Slot(object)
    def point_at_block(self, block: int | None) -> None:
        """Highlight a block, or none, unless the pointer is over another."""
        self._pointed_block = block
        self._focus_block()

    @Slot(bool)
    def set_blocks_visible(self, visible: bool) -> None:
        """Show or hide the blocks."""
        self._blocks_visible = visible
        self._hover_block(None)
        self.viewport().update()

    @Slot(bool)
    def set_cropping(self, on: bool) -> None:
        """Let the person draw a frame around the part of the page to keep, or no longer."""
        if on != self._crop.is_on and (self._page is not None or not on):
            self._crop.set_on(on)
            self._update_cursor()
            self._hover(None)
            self._hover_block(None)
            if on:
                self.setFocus()
        self.cropping_changed.emit(self._crop.is_on)

    @Slot(object)
    def _crop_to(self, part: QRectF) -> None:
        """Crop the page to a part of it, in page pixels, unless that is nothing or everything."""
        if self._page is not None and (crop := crop_of(part, self._page.size_px)) is not None:
            self.set_cropping(False)
            self.crop_drawn.emit(crop)

    def _update_cursor(self) -> None:
        if self._crop.is_on:
            self.viewport().setCursor(Qt.CursorShape.CrossCursor)
        else:
            super()._update_cursor()

    def _hover_block(self, block: int | None) -> None:
        if block != self._hovered_block:
            self._hovered_block = block
            self._focus_block()
            self.block_hovered.emit(block)

    def _focus_block(self) -> None:
        self._blocks.set_focus(self._pointed_block if self._hovered_block is None else self._hovered_block)
        self.viewport().update()

    def _block_at(self, position: QPointF) -> int | None:
        return self._blocks.block_at(self.to_content(position)) if self._blocks_visible else None

    def _overlay_changed(self) -> None:
        """Repaint, and update details, legend and transport accordingly."""
        self.viewport().update()
        self._show_details()
        if self._overlay.legend != self._legend:
            self._legend = self._overlay.legend
            self.legend_changed.emit(self._legend)
        if not self._overlay.needs_transport:
            self._asked_for = None
        elif self._overlay_visible and self._asked_for is not self._overlay.plan:
            self._asked_for = self._overlay.plan
            self.transport_requested.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            if self._page is None:
                self._paint_message(painter)
            else:
                painter.save()
                painter.scale(1 / self.device_ratio(), 1 / self.device_ratio())
                self._paint_page(painter, self._page)
                painter.restore()
            if self.hasFocus():
                paint_frame(painter, self.viewport().rect(), self.palette().highlight().color())
        if self._page is not None and self._unpainted_plan is not None and self._overlay_visible:
            painted, self._unpainted_plan = self._unpainted_plan, None
            self.plan_painted.emit(painted)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    @property
    def _place(self) -> PagePlace:
        return PagePlace(self.content_rect(), self.view_rect(), self.zoom, self.device_ratio())

    def _paint_page(self, painter: QPainter, image: ScaledPage) -> None:
        place = self._place
        painter.setClipRegion(QRegion(place.view).subtracted(QRegion(place.page)))
        painter.fillRect(place.view, self._backdrop())
        painter.setClipping(False)
        if self._overlay_visible:
            self._overlay.paint_padding(painter, place, mixed(self._backdrop(), self._ink(), _HATCH_SHARE))
        if place.visible.isEmpty():
            return
        if not image.was_prepared:
            image.prepare(place)
        elif not image.is_ready(place) and not self._smooth_timer.isActive():
            self._smooth_timer.start()
        if self._overlay_visible:
            self._coloured.paint(painter, image, place)
            self._overlay.paint_shapes(painter, place)
        else:
            image.paint(painter, place)
        if self._blocks_visible:
            self._blocks.paint(painter, place)
        if self._overlay_visible and self._shows_lines:
            self._overlay.paint_links(painter, place)

    def _paint_message(self, painter: QPainter) -> None:
        room, gap = self.viewport().rect(), 2 * self.fontMetrics().height()
        painter.fillRect(room, self._backdrop())
        painter.setPen(self._ink())
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room.adjusted(gap, gap, -gap, -gap), flags, self._message)

    def _backdrop(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.Window).darker(_BACKDROP_PERCENT)

    def _ink(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.WindowText)

    @Slot()
    def _smooth(self) -> None:
        if self._page is not None:
            self._page.prepare(self._place)
            self.viewport().update()

    def event(self, event: QEvent) -> bool:
        uses_escape = self._pinned is not None or self._overlay.shows_attention or self._crop.is_on
        return (uses_escape and keeps_escape(event)) or super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            words = "" if self._crop.is_on else self._words_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), words, self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self._pointer = None
            self._hover(None)
            self._hover_block(None)
        if event.type() == QEvent.Type.Resize:
            self._show_details()
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._crop.is_on:
            view = self.viewport().rect().toRectF()
            self._crop_to(QRectF(self.to_content(view.topLeft()), self.to_content(view.bottomRight())))
        elif key == Qt.Key.Key_Escape and self._crop.is_on:
            self.set_cropping(False)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._pinned is None:
            middle = QPointF(self.viewport().rect().center())
            self._pin(self._hovered if self._hovered is not None else self._token_at(middle))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape) and self._pinned is not None:
            self._pin(None)
        elif key == Qt.Key.Key_Escape and self._overlay.shows_attention:
            self.lights_dismissed.emit()
        elif key in _STEPS and self._pinned is not None:
            self._pin(self._overlay.neighbour(self._pinned, *_STEPS[key]))
            self._reveal_pinned()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._pressed_at = event.position() if event.button() == Qt.MouseButton.LeftButton else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._pointer = event.position()
        self._hover_at_pointer()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed_at, self._pressed_at = self._pressed_at, None
        if pressed_at is not None and event.button() == Qt.MouseButton.LeftButton:
            moved = (event.position() - pressed_at).manhattanLength()
            if moved < QApplication.startDragDistance():
                token = self._token_at(event.position())
                self._pin(None if token == self._pinned else token)

    def _token_at(self, position: QPointF) -> int | None:
        if self._page is None or not self._overlay_visible:
            return None
        point = self.to_content(position)
        return self._overlay.token_at(point) if self._is_on_page(point) else None

    def _is_on_page(self, point: QPointF) -> bool:
        return self._page is not None and QRectF(QPointF(), self._page.size_px.toSizeF()).contains(point)

    def _words_at(self, position: QPointF) -> str:
        token, point = self._token_at(position), self.to_content(position)
        if token is not None:
            has_lines = self._shows_lines and self._pinned in (None, token)
            return self._overlay.describe(token, with_lines=has_lines)
        if self._overlay_visible and not self._is_on_page(point) and self._overlay.is_beside_page(point):
            return self._overlay.describe_padding()
        return ""

    @property
    def _shows_lines(self) -> bool:
        """True while lines are drawn; those of a cell that the pointer is over would cover lights."""
        return self._pinned is not None or not self._overlay.shows_attention

    def _hover(self, token: int | None) -> None:
        if token != self._hovered:
            self._hovered = token
            self._refocus()

    @Slot()
    def _hover_at_pointer(self) -> None:
        if self._pointer is not None and not self.is_panning and not self._crop.is_on:
            self._hover(self._token_at(self._pointer))
            self._hover_block(self._block_at(self._pointer))

    def _hide_tooltip(self) -> None:
        """Hide a cell's tooltip that is out of date."""
        if self.viewport().underMouse():
            QToolTip.hideText()

    def _pin(self, token: int | None) -> None:
        if token != self._pinned:
            self._pinned = token
            self._refocus()

    def _forget_cells(self) -> None:
        self._hovered = self._pinned = None
        self._overlay.focus(None)

    def _refocus(self) -> None:
        self._overlay.focus(self._hovered if self._pinned is None else self._pinned)
        self._overlay_changed()

    @Slot()
    def _show_details(self) -> None:
        text = "" if self._pinned is None else self._overlay.describe(self._pinned)
        if self.accessibleDescription() != (text or self._message):
            self.setAccessibleDescription(text or self._message)
        if not text:
            self._details.hide()
            return
        cells = [
            QRectF(self.from_content(cell.topLeft()), self.from_content(cell.bottomRight()))
            for cell in self._overlay.focus_cells()
        ]
        self._details.show_apart(text, cells)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._show_details()
        self._hover_timer.start()

    def _reveal_pinned(self) -> None:
        cell = None if self._pinned is None else self._overlay.cell_of(self._pinned)
        if cell is not None:
            cell, view = self._place.to_view.mapRect(cell), self.view_rect()
            right = max(0.0, -cell.left()) - max(0.0, cell.right() - view.width())
            down = max(0.0, -cell.top()) - max(0.0, cell.bottom() - view.height())
            self._pan(right, down)
