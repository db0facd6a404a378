"""Our own icons, in the text colour of the palette.

An icon is drawn in each size on first use. Widgets request their icons again when the palette changes, so
that icons follow the light or dark scheme. Knows no widget and no action.
"""

from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from rtocr_gui.resources import resource_path

_WINDOW_SIZES_PX = (16, 24, 32, 48, 128)


def icon(name: str, palette: QPalette) -> QIcon:
    """An icon in the text colours of a palette, enabled, disabled and selected.

    Args:
        name: file name in `resources/icons` without ``.svg``, e.g. ``"zoom-in"``.
        palette: palette of the widget that shows the icon.

    Raises:
        RtocrError: there is no such icon.
    """
    return QIcon(_TintedShape(resource_path(f"icons/{name}.svg"), palette))


def app_icon() -> QIcon:
    """The program's icon, in its own colours."""
    renderer = QSvgRenderer(str(resource_path("icons/rtocr.svg")))
    drawn = QIcon()
    for size in _WINDOW_SIZES_PX:
        drawn.addPixmap(_render(renderer, size))
    return drawn


class _TintedShape(QIconEngine):
    """Draws a shape in each size and mode that Qt requests, once each.

    Args:
        path: an SVG file; its colours are ignored.
        palette: the colours to use.
    """

    def __init__(self, path: Path, palette: QPalette) -> None:
        super().__init__()
        self._path = path
        self._palette = QPalette(palette)
        self._drawn: dict[tuple[int, QIcon.Mode], QPixmap] = {}

    def clone(self) -> QIconEngine:
        return _TintedShape(self._path, self._palette)

    def actualSize(self, size: QSize, _mode: QIcon.Mode, _state: QIcon.State) -> QSize:
        side = min(size.width(), size.height())
        return QSize(side, side)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        drawn = self.scaledPixmap(rect.size(), mode, state, painter.device().devicePixelRatio())
        painter.drawPixmap(rect, drawn)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State, scale: float) -> QPixmap:
        side_px = round(min(size.width(), size.height()) * scale)
        if (side_px, mode) not in self._drawn:
            drawn = _render(QSvgRenderer(str(self._path)), side_px)
            with QPainter(drawn) as painter:
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
                painter.fillRect(drawn.rect(), self._colour(mode))
            self._drawn[side_px, mode] = drawn
        return self._drawn[side_px, mode]

    def _colour(self, mode: QIcon.Mode) -> QColor:
        group, role = QPalette.ColorGroup, QPalette.ColorRole
        if mode is QIcon.Mode.Selected:
            return self._palette.color(group.Active, role.HighlightedText)
        return self._palette.color(
            group.Disabled if mode is QIcon.Mode.Disabled else group.Active, role.ButtonText
        )


def _render(renderer: QSvgRenderer, size_px: int) -> QPixmap:
    pixmap = QPixmap(size_px, size_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF(pixmap.rect()))
    return pixmap
