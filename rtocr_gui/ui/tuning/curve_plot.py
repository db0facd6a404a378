"""The retention curve as a picture: what the text loses above, prefill time below, over one axis.

Painted by hand. pyqtgraph 0.14 was tried: its import takes 0.6 to 0.7 s on the main thread, loads QtOpenGL,
QtSvg and QtTest, and gives a QGraphicsView without keyboard control, names for screen readers or the
palette's colours; two panels of nine points need little of it. `curve_axes` knows where values are plotted.
Knows points, and neither readings nor pages.
"""

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from rtocr_gui.ocr.curve import CurvePoint
from rtocr_gui.ocr.reading import StopReason
from rtocr_gui.ui.parts.focus_frame import paint_frame
from rtocr_gui.ui.tuning.curve_axes import AXIS_RATIOS, CurveAxes, Series, shares_of
from rtocr_gui.ui.tuning.plot_colours import PlotColours
from rtocr_gui.units import counted, duration, error_in_percent, grouped, percent, share_of_whole

REACH_PX = 14
"""How close to a point a click must be."""

_MARK_PX = 4.0
_SQUARE = QRectF(-4, -4, 8, 8)
_DIAMOND = QPolygonF([QPointF(0, -4.8), QPointF(4.8, 0), QPointF(0, 4.8), QPointF(-4.8, 0)])
_TRIANGLE = QPolygonF([QPointF(0, -6), QPointF(6, 4.8), QPointF(-6, 4.8)])
"""The marks around their places; the radius is that of the dots."""

_MARK_ROOM_PX = 2 * _MARK_PX + 5
_LEGEND_LEFT_PX = 6.0
_SECOND_LINE = {Series.ACCURACY: "accuracy", Series.SURE_WORDS: "sure words"}
_EMPTY = "Read the page at 8 ratios and at Auto to see what pruning costs and what it saves."


def describe(point: CurvePoint) -> str:
    """Name a point and its figures in one line."""
    ratio = percent(point.retention)
    parts = [
        f"{f'Auto, {ratio}' if point.automatic else ratio}: "
        f"{grouped(point.kept)} of {grouped(point.total)} tokens",
        f"{share_of_whole(point.similarity)} similar to all tokens",
    ]
    if point.error_rate is not None:
        parts.append(f"error rate {error_in_percent(point.error_rate)}")
    if point.unsure_words:
        parts.append(f"{grouped(point.unsure_words)} of {counted(point.words, 'word')} unsure")
    parts.append(f"prefill {duration(point.prefill_ms)}")
    if point.stop_reason is StopReason.LOOP:
        parts.append("began to repeat itself")
    elif not point.is_whole:
        parts.append("cut off before its end")
    return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class _LegendEntry:
    series: Series
    automatic: bool
    text: str
    box: QRectF


class CurvePlot(QWidget):
    """Plots points; one is selected with the pointer or the arrow keys, and chosen by a click or Enter.

    Signals:
        point_found (CurvePoint or None): the point selected with the pointer or the keyboard.
        point_chosen (CurvePoint): it was clicked, or Enter was pressed.
    """

    point_found = Signal(object)
    point_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._points: tuple[CurvePoint, ...] = ()
        self._current: CurvePoint | None = None
        self._retention: float | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Retention curve")
        self.show_points(())

    @property
    def current(self) -> CurvePoint | None:
        """The point selected with the pointer or the keyboard."""
        return self._current

    def show_points(self, points: tuple[CurvePoint, ...]) -> None:
        """Plot points, in any order."""
        self._points = tuple(sorted(points, key=lambda point: (point.retention, point.automatic)))
        if self._current not in self._points:
            self._find(None)
        self._tell_aloud()
        self.update()

    def show_retention(self, retention: float | None) -> None:
        """Draw a line at the slider's ratio; None for automatic."""
        self._retention = retention
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(360, 260)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.fontMetrics().height() * 9)

    # Finding and choosing ------------------------------------------------------------------

    def _find(self, point: CurvePoint | None) -> None:
        if point != self._current:
            self._current = point
            self.setCursor(Qt.CursorShape.ArrowCursor if point is None else Qt.CursorShape.PointingHandCursor)
            self._tell_aloud()
            self.point_found.emit(point)
            self.update()

    def _tell_aloud(self) -> None:
        descriptions = [describe(point) for point in ((self._current,) if self._current else self._points)]
        self.setAccessibleDescription("; ".join(descriptions) or _EMPTY)

    def _nearest(self, place: QPointF) -> CurvePoint | None:
        axes = self._axes()
        distances = [
            (math.hypot(mark.x() - place.x(), mark.y() - place.y()), not point.automatic, number)
            for number, point in enumerate(self._points)
            for _, mark in axes.marks(point)
        ]
        if not distances or min(distances)[0] > REACH_PX:
            return None
        return self._points[min(distances)[2]]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._nearest(event.position())
        if found is not None or not self.hasFocus():
            self._find(found)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._find(None)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._nearest(event.position())
        if event.button() == Qt.MouseButton.LeftButton and found is not None:
            self._find(found)
            self.point_chosen.emit(found)
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        last = len(self._points) - 1
        at = self._points.index(self._current) if self._current in self._points else None
        match event.key():
            case keys.Key_Right | keys.Key_Up if self._points:
                self._find(self._points[0 if at is None else min(last, at + 1)])
            case keys.Key_Left | keys.Key_Down if self._points:
                self._find(self._points[last if at is None else max(0, at - 1)])
            case keys.Key_Home if self._points:
                self._find(self._points[0])
            case keys.Key_End if self._points:
                self._find(self._points[last])
            case keys.Key_Return | keys.Key_Enter | keys.Key_Space if self._current is not None:
                self.point_chosen.emit(self._current)
            case _:
                super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._find(None)

    def event(self, event: QEvent) -> bool:
        """Name the point under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            found = self._nearest(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), describe(found) if found else "", self)
            return True
        return super().event(event)

    # Painting ------------------------------------------------------------------------------

    def _axes(self) -> CurveAxes:
        bottom = self._legend()[-1].box.bottom()
        return CurveAxes.fitting(self._points, self.size(), self.fontMetrics(), bottom)

    def _legend(self) -> list[_LegendEntry]:
        """What the upper panel shows, in as many rows as the width asks for."""
        series = [(Series.SIMILARITY, False, "similarity")]
        shown = {each for point in self._points for each in shares_of(point)}
        series += [(each, False, name) for each, name in _SECOND_LINE.items() if each in shown]
        if any(point.automatic for point in self._points):
            series.append((Series.SIMILARITY, True, "Auto"))
        entries: list[_LegendEntry] = []
        line = self.fontMetrics().height()
        x, y = _LEGEND_LEFT_PX, 0.25 * line
        for each, automatic, text in series:
            width = _MARK_ROOM_PX + self.fontMetrics().horizontalAdvance(text)
            if entries and x + width > self.width():
                x, y = _LEGEND_LEFT_PX, y + line
            entries.append(_LegendEntry(each, automatic, text, QRectF(x, y, width, line)))
            x += width + 12
        return entries

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = PlotColours.of(self.palette())
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), colours.ground)
            if self._points:
                axes = self._axes()
                self._paint_grid(painter, axes, colours)
                self._paint_legend(painter, axes, colours)
                self._paint_series(painter, axes, colours)
            else:
                painter.setPen(colours.faint)
                box = self.rect().adjusted(16, 8, -16, -8)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, _EMPTY)
            if self.hasFocus():
                paint_frame(painter, self.rect(), colours.focus)

    def _paint_grid(self, painter: QPainter, axes: CurveAxes, colours: PlotColours) -> None:
        line = self.fontMetrics().height()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for y, label in axes.lines():
            painter.setPen(colours.grid)
            painter.drawLine(QPointF(axes.upper.left(), y), QPointF(axes.upper.right(), y))
            painter.setPen(colours.faint)
            painter.drawText(QRectF(0, y - line / 2, axes.upper.left() - 5, line), right, label)
        for ratio in AXIS_RATIOS:
            x = axes.x(ratio)
            painter.setPen(colours.grid)
            for panel in (axes.upper, axes.lower):
                painter.drawLine(QPointF(x, panel.top()), QPointF(x, panel.bottom()))
        painter.setPen(colours.faint)
        for box, label in axes.ratio_labels(self.fontMetrics()):
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)
        box = QRectF(axes.lower.left(), axes.lower.bottom() + 3 + 0.9 * line, axes.lower.width(), line)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "retention, %")
        self._paint_slider_line(painter, axes, colours)

    def _paint_slider_line(self, painter: QPainter, axes: CurveAxes, colours: PlotColours) -> None:
        retention = self._retention
        if retention is None:
            retention = next((point.retention for point in self._points if point.automatic), None)
        if retention is not None and retention >= axes.lowest_ratio:
            painter.setPen(QPen(colours.frame, 1, Qt.PenStyle.DotLine))
            x = axes.x(retention)
            painter.drawLine(QPointF(x, axes.upper.top()), QPointF(x, axes.lower.bottom()))

    def _paint_legend(self, painter: QPainter, axes: CurveAxes, colours: PlotColours) -> None:
        line = self.fontMetrics().height()
        for entry in self._legend():
            place = QPointF(entry.box.left() + _MARK_PX, entry.box.center().y())
            _paint_mark(painter, place, entry.series, entry.automatic, colours)
            painter.setPen(colours.text)
            painter.drawText(entry.box, Qt.AlignmentFlag.AlignRight, entry.text)
        caption_y = axes.lower.top() - 1.1 * line - 2
        place = QPointF(axes.lower.left() + _MARK_PX, caption_y + line / 2)
        _paint_mark(painter, place, Series.PREFILL, False, colours)
        painter.setPen(colours.text)
        place = QPointF(axes.lower.left() + _MARK_ROOM_PX, caption_y + self.fontMetrics().ascent())
        painter.drawText(place, "prefill time")

    def _paint_series(self, painter: QPainter, axes: CurveAxes, colours: PlotColours) -> None:
        for series, dash in (
            (Series.PREFILL, Qt.PenStyle.SolidLine),
            (Series.ACCURACY, Qt.PenStyle.DashLine),
            (Series.SURE_WORDS, Qt.PenStyle.DashLine),
            (Series.SIMILARITY, Qt.PenStyle.SolidLine),
        ):
            marks = [
                (point, mark)
                for point in self._points
                for of_series, mark in axes.marks(point)
                if of_series == series
            ]
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colours.series[series], 1.6, dash))
            painter.drawPolyline(QPolygonF([mark for _, mark in marks]))
            for point, mark in marks:
                if point == self._current:
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.setPen(QPen(colours.focus, 2))
                    painter.drawEllipse(mark, _MARK_PX + 4, _MARK_PX + 4)
                _paint_mark(painter, mark, series, point.automatic, colours)
                if not point.is_whole and series is Series.SIMILARITY:
                    _paint_cross(painter, mark, colours.text)


def _paint_mark(
    painter: QPainter, place: QPointF, series: Series, automatic: bool, colours: PlotColours
) -> None:
    """Paint a dot, a square (hollow) or a diamond by series; a triangle for Auto."""
    colour = colours.series[series]
    painter.setPen(QPen(colour, 1.6))
    painter.setBrush(colours.ground if series in _SECOND_LINE else QBrush(colour))
    if automatic:
        painter.drawPolygon(_TRIANGLE.translated(place))
    elif series is Series.SIMILARITY:
        painter.drawEllipse(place, _MARK_PX, _MARK_PX)
    elif series in _SECOND_LINE:
        painter.drawRect(_SQUARE.translated(place))
    else:
        painter.drawPolygon(_DIAMOND.translated(place))


def _paint_cross(painter: QPainter, place: QPointF, colour: QColor) -> None:
    """Strike out a reading that did not end by itself."""
    painter.setPen(QPen(colour, 1.6))
    reach = _MARK_PX + 3
    painter.drawLine(place + QPointF(-reach, -reach), place + QPointF(reach, reach))
    painter.drawLine(place + QPointF(-reach, reach), place + QPointF(reach, -reach))
