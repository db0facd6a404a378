"""The row under the page: what the overlay shows, what its colours mean, and how much it covers.

Knows looks and legends, no page and no plan.
"""

import numpy as np
from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QSlider, QToolButton, QWidget

from rtocr_gui.export.looks import OPACITY, VEIL_RGB, Legend, Look
from rtocr_gui.ui.parts.form_parts import name_choice
from rtocr_gui.units import percent


class OverlayBar(QWidget):
    """Chooses the look and the opacity of the overlay, and shows the legend.

    Signals:
        look_chosen(Look): the person chose what the overlay shows.
        opacity_changed(float): how much the overlay covers the page, in 0..1.

    Args:
        whole_page: shows the tokens of the whole page instead of those of its tiles.
    """

    look_chosen = Signal(object)
    opacity_changed = Signal(float)

    def __init__(self, whole_page: QAction) -> None:
        super().__init__()
        self._looks = QComboBox()
        for look in Look:
            self._looks.addItem(look.label, look)
            self._looks.setItemData(self._looks.count() - 1, look.explanation, Qt.ItemDataRole.ToolTipRole)
        self._looks.activated.connect(lambda _: self.look_chosen.emit(self.look))
        self._looks.currentIndexChanged.connect(self._show_explanation)

        self._legend = _LegendStrip()

        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setPageStep(10)
        self._opacity.setAccessibleName("Opacity of the overlay in percent")
        self._opacity.setMinimumWidth(self.fontMetrics().averageCharWidth() * 6)
        self._opacity.setMaximumWidth(self.fontMetrics().averageCharWidth() * 9)
        self._opacity.valueChanged.connect(self._change_opacity)

        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 2)
        row.setSpacing(4)
        for widget in (self._looks, self._legend, self._opacity):
            row.addWidget(widget, stretch=1 if widget is self._legend else 0)
        name_choice(self._looks, "Overlay shows")
        whole_page.setIconText("Whole page")  # shorter than in the menu, as the row is narrow
        self._whole_page = self.add_switch(whole_page)
        self._whole_page.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_opacity(OPACITY)
        self._show_explanation()

    def add_switch(self, action: QAction) -> QToolButton:
        """Add a switch, for something else that is painted over the page, at the end of the row."""
        switch = _Switch()
        switch.setDefaultAction(action)
        switch.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._row.addWidget(switch)
        return switch

    def set_overlay_visible(self, visible: bool) -> None:
        """Enable the controls of the overlay while it is shown."""
        for part in (self._looks, self._legend, self._opacity, self._whole_page.defaultAction()):
            part.setEnabled(visible)

    @property
    def look(self) -> Look:
        """What the overlay shows."""
        return Look(self._looks.currentData())

    def set_look(self, look: Look) -> None:
        """Show a look that was chosen elsewhere."""
        self._looks.setCurrentIndex(list(Look).index(look))

    def set_opacity(self, opacity: float) -> None:
        """Show an opacity that was chosen elsewhere, in 0..1."""
        with QSignalBlocker(self._opacity):
            self._opacity.setValue(round(100 * opacity))
        self._show_opacity(opacity)

    def show_grids(self, has_tiles: bool) -> None:
        """Offer the choice of a grid if the page has two."""
        self._whole_page.setVisible(has_tiles)

    def minimumSizeHint(self) -> QSize:
        """Includes the choice of a grid even while hidden, so that all pages need the same space."""
        least = super().minimumSizeHint()
        if self._whole_page.isHidden():
            least.setWidth(least.width() + self._whole_page.sizeHint().width() + self._row.spacing())
        return least

    @Slot(object)
    def show_legend(self, legend: Legend | None) -> None:
        """Show what the colours mean; None if they are not a map."""
        self._legend.show_legend(legend)

    @Slot()
    def _show_explanation(self) -> None:
        self._looks.setToolTip(self.look.explanation)
        self._legend.show_veil(self.look is Look.KEPT)

    @Slot(int)
    def _change_opacity(self, value: int) -> None:
        self._show_opacity(value / 100)
        self.opacity_changed.emit(value / 100)

    def _show_opacity(self, opacity: float) -> None:
        self._opacity.setToolTip(f"Opacity of the overlay: {percent(opacity)}")
        self._legend.set_opacity(opacity)


class _Switch(QToolButton):
    """A button with a bar at its lower edge while it is on: styles show that faintly, above all on dark."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isChecked() and self.isEnabled():
            inset = self.fontMetrics().height() // 8
            bar = self.rect().adjusted(inset, 0, -inset, -inset)
            bar.setTop(bar.bottom() - inset + 1)
            with QPainter(self) as painter:
                painter.fillRect(bar, self.palette().highlight())


class _LegendStrip(QWidget):
    """A legend in one line: the colours as they look on white paper, between their end values.

    If there is little space, it shows only the colours; its tooltip has the words.
    """

    def __init__(self) -> None:
        super().__init__()
        self._legend: Legend | None = None
        self._explains_veil = False
        self._opacity = OPACITY
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._describe()

    def show_legend(self, legend: Legend | None) -> None:
        """Show another legend, or none."""
        self._legend = legend
        self._describe()

    def show_veil(self, explains_veil: bool) -> None:
        """Set whether to explain the veil while there is no legend."""
        self._explains_veil = explains_veil
        self._describe()

    def set_opacity(self, opacity: float) -> None:
        """Show the colours as opaque as they are on the page."""
        self._opacity = opacity
        self.update()

    def _describe(self) -> None:
        legend = self._legend
        if legend is not None:
            self.setAccessibleName(f"{legend.heading}: {legend.low_text} to {legend.high_text}")
            self.setToolTip(f"{legend.heading}: {legend.low_text} to {legend.high_text}\n{legend.note}")
        else:
            self.setAccessibleName("Clear: kept. Veiled: merged." if self._explains_veil else "No legend")
            self.setToolTip(Look.KEPT.explanation if self._explains_veil else "")
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 40, metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 9, metrics.height() + 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            if self._legend is not None:
                self._paint_legend(painter, self._legend)
            elif self._explains_veil:
                self._paint_veil(painter)

    def _paint_legend(self, painter: QPainter, legend: Legend) -> None:
        metrics, middle = self.fontMetrics(), Qt.AlignmentFlag.AlignVCenter
        room, space = self.rect().adjusted(4, 0, -4, 0), metrics.averageCharWidth()
        least_bar = 6 * space
        low, high = (metrics.horizontalAdvance(text) for text in (legend.low_text, legend.high_text))
        heading = metrics.horizontalAdvance(legend.heading)
        if heading + low + high + least_bar + 4 * space < room.width():
            painter.drawText(room, middle | Qt.AlignmentFlag.AlignLeft, legend.heading)
            room.setLeft(room.left() + heading + 2 * space)
        if low + high + 3 * space < room.width():
            painter.drawText(room, middle | Qt.AlignmentFlag.AlignLeft, legend.low_text)
            painter.drawText(room, middle | Qt.AlignmentFlag.AlignRight, legend.high_text)
            room.adjust(low + space, 0, -high - space, 0)
        bar = self._swatch(room)
        if bar.width() > 0:
            colours = legend.colour_at(np.linspace(legend.low, legend.high, bar.width(), dtype=np.float32))
            image = QImage(colours.tobytes(), bar.width(), 1, 3 * bar.width(), QImage.Format.Format_RGB888)
            self._paint_on_paper(painter, bar, 1.0 if legend.is_opaque else self._opacity, image)

    def _paint_veil(self, painter: QPainter) -> None:
        metrics = self.fontMetrics()
        gap, left = metrics.averageCharWidth(), 4
        least = left + 2 * metrics.height() + 4 * gap + metrics.horizontalAdvance("kept merged")
        words = ("kept", "merged") if least <= self.width() else ("", "")
        veil = QImage(1, 1, QImage.Format.Format_RGB888)
        veil.fill(QColor(*VEIL_RGB))
        for text, opacity in zip(words, (0.0, self._opacity), strict=True):
            swatch = self._swatch(QRect(left, 0, metrics.height(), 0))
            self._paint_on_paper(painter, swatch, opacity, veil)
            left = swatch.right() + gap
            painter.drawText(QRect(left, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            left += metrics.horizontalAdvance(text) + 2 * gap

    def _swatch(self, across: QRect) -> QRect:
        """A box as wide as `across` and as high as capitals, vertically centred in the strip."""
        height = QFontMetrics(self.font()).capHeight() + 4
        return QRect(across.left(), (self.height() - height) // 2, across.width(), height)

    def _paint_on_paper(self, painter: QPainter, place: QRect, opacity: float, colours: QImage) -> None:
        painter.fillRect(place, painter.pen().color())
        inside = place.adjusted(1, 1, -1, -1)
        painter.fillRect(inside, Qt.GlobalColor.white)
        painter.setOpacity(opacity)
        painter.drawImage(inside, colours)
        painter.setOpacity(1)
