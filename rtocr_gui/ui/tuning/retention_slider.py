"""The slider of the retention ratio, and the marks below it: automatic retention and the detents.

Marks are placed where the current style puts the handle, so that they are correct in any style. Knows
percents, and nothing about plans.
"""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, Slot
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import (
    QAbstractSlider,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolTip,
    QWidget,
)

from rtocr_gui.settings import LEAST_RETENTION
from rtocr_gui.ui.parts.colours import mixed

DETENTS = {
    25: "a quarter of the tokens",
    50: "half of the tokens",
    75: "three quarters of the tokens",
    84: "the ratio published in the paper (84.25 %)",
    100: "every token; nothing is merged",
}
"""Percents at which a dragged handle catches, and what they are."""

CATCH_PERCENT = 1
"""How close to a detent a dragged handle is caught."""

_LABEL_PRIORITY = (84, 50, 100, 25, 75)
_TICK_PX = 4


class RetentionSlider(QSlider):
    """A horizontal slider over 1..100 percent whose handle, when dragged, catches at the detents.

    Shift lets it pass. Keys, wheel and programmatic values are not affected.
    """

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(round(100 * LEAST_RETENTION), 100)
        self.setPageStep(10)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * 22)
        self._passing = False
        self.actionTriggered.connect(self._catch)

    def handle_x(self, percent: float) -> int:
        """Position of the middle of the handle at a ratio, in the slider's pixels."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style = self.style()
        groove, handle = (
            style.subControlRect(QStyle.ComplexControl.CC_Slider, option, part, self)
            for part in (QStyle.SubControl.SC_SliderGroove, QStyle.SubControl.SC_SliderHandle)
        )
        span = groove.width() - handle.width()
        along = style.sliderPositionFromValue(
            self.minimum() * 10, self.maximum() * 10, round(percent * 10), span, option.upsideDown
        )
        return groove.x() + along + handle.width() // 2

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._passing = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        super().mouseMoveEvent(event)

    @Slot(int)
    def _catch(self, action: int) -> None:
        """Move a dragged handle to a nearby detent, before its value is used."""
        dragged = action == QAbstractSlider.SliderAction.SliderMove.value and self.isSliderDown()
        nearest = min(DETENTS, key=lambda percent: abs(percent - self.sliderPosition()))
        if dragged and not self._passing and abs(nearest - self.sliderPosition()) <= CATCH_PERCENT:
            self.setSliderPosition(nearest)


@dataclass(frozen=True, slots=True)
class _Mark:
    percent: float
    x: int
    label: str
    label_box: QRect
    is_automatic: bool


class RetentionMarks(QWidget):
    """A strip below a slider: a tick at each detent, a triangle at automatic retention.

    Give it the slider's width and left edge. Numbers that would touch are left out; tooltips name all.

    Args:
        slider: the slider that the marks belong to.
    """

    def __init__(self, slider: RetentionSlider) -> None:
        super().__init__()
        self._slider = slider
        self._automatic: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Marks of the retention ratio")
        self.set_automatic(None)

    def set_automatic(self, retention: float | None) -> None:
        """Mark automatic retention; None removes the mark."""
        if retention == self._automatic and self.accessibleDescription():
            return
        self._automatic = retention
        known = "not known yet" if retention is None else f"{100 * retention:.1f} %"
        self.setAccessibleDescription(
            f"Automatic retention: {known}. "
            f"A dragged handle snaps to {', '.join(str(p) for p in DETENTS)} percent."
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(0, _TICK_PX + QFontMetrics(self._label_font).height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @property
    def _label_font(self) -> QFont:
        """Smaller than the font of the window, whatever that is by now."""
        font = self.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85) if font.pointSizeF() > 0 else 8.0)
        return font

    def marks(self) -> list[_Mark]:
        """The marks to draw, the most important first; a label that would touch an earlier one is empty."""
        wanted = [(float(percent), str(percent), False) for percent in _LABEL_PRIORITY]
        if self._automatic is not None:
            wanted.insert(0, (100 * self._automatic, "Auto", True))
        marks: list[_Mark] = []
        metrics = QFontMetrics(self._label_font)
        gap = metrics.averageCharWidth() // 2
        for percent, label, is_automatic in wanted:
            x = self._slider.handle_x(percent)
            width = metrics.horizontalAdvance(label)
            left = min(max(0, x - width // 2), self.width() - width)
            box = QRect(left, _TICK_PX, width, metrics.height())
            spread = box.adjusted(-gap, 0, gap, 0)
            if any(spread.intersects(mark.label_box) for mark in marks if mark.label):
                label = ""
            marks.append(_Mark(percent, x, label, box, is_automatic))
        return marks

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(self._label_font)
            for mark in reversed(self.marks()):
                self._paint(painter, mark)

    def _paint(self, painter: QPainter, mark: _Mark) -> None:
        x, palette = mark.x + 0.5, self.palette()
        ink, ground = palette.windowText().color(), palette.window().color()
        painter.setPen(ink if mark.is_automatic else mixed(ink, ground, 0.4))
        if mark.is_automatic:
            painter.setBrush(palette.highlight())
            foot = _TICK_PX + 2
            painter.drawPolygon(QPolygonF([QPointF(x, 0.5), QPointF(x + 4.5, foot), QPointF(x - 4.5, foot)]))
        else:
            painter.drawLine(QPointF(x, 0), QPointF(x, _TICK_PX - 1))
        painter.drawText(mark.label_box, Qt.AlignmentFlag.AlignCenter, mark.label)

    def event(self, event: QEvent) -> bool:
        """Name the mark under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.name_at(event.pos()), self)
            return True
        return super().event(event)

    def name_at(self, place: QPoint) -> str:
        """The mark at a place, in words; empty if there is none."""
        near = [
            mark
            for mark in self.marks()
            if abs(mark.x - place.x()) <= _TICK_PX or (mark.label and mark.label_box.contains(place))
        ]
        if not near:
            return ""
        mark = min(near, key=lambda mark: abs(mark.x - place.x()))
        if mark.is_automatic:
            return f"Auto: {mark.percent:.1f} %, the ratio that RTPrune finds for this page"
        return f"{mark.percent:.0f} %: {DETENTS[round(mark.percent)]}"
