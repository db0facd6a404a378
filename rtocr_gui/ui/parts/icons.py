"""Our own icons, in the program's text colour, whether its scheme is light or dark by then.

An icon is drawn in each size and colour on first use. Knows no widget and no action.
"""

from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from rtocr_gui.resources import resource_path

_WINDOW_SIZES_PX = (16, 24, 32, 48, 128)


def icon(name: str) -> QIcon:
    """An icon in the text colours of the program, enabled, disabled and selected.

    Args:
        name: file name in `resources/icons` without ``.svg``, e.g. ``"zoom-in"``.

    Raises:
        RtocrError: there is no such icon.
    """
    return QIcon(_TintedShape(resource_path(f"icons/{name}.svg")))


def app_icon() -> QIcon:
    """The program's icon, in its own colours."""
    renderer = QSvgRenderer(str(resource_path("icons/rtocr.svg")))
    drawn = QIcon()
    for size in _WINDOW_SIZES_PX:
        drawn.addPixmap(_render(renderer, size))
    return drawn


class _TintedShape(QIconEngine):
    """Draws a shape in each size and colour that it is needed in, once each.

    Args:
        path: an SVG file; its colours are ignored.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._drawn: dict[tuple[int, int], QPixmap] = {}

    def clone(self) -> QIconEngine:
        return _TintedShape(self._path)

    def actualSize(self, size: QSize, _mode: QIcon.Mode, _state: QIcon.State) -> QSize:
        side = min(size.width(), size.height())
        return QSize(side, side)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        drawn = self.scaledPixmap(rect.size(), mode, state, painter.device().devicePixelRatio())
        painter.drawPixmap(rect, drawn)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State, scale: float) -> QPixmap:
        side_px, colour = round(min(size.width(), size.height()) * scale), _colour(mode)
        key = side_px, colour.rgba()
        if key not in self._drawn:
            drawn = _render(QSvgRenderer(str(self._path)), side_px)
            with QPainter(drawn) as painter:
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
                painter.fillRect(drawn.rect(), colour)
            self._drawn[key] = drawn
        return self._drawn[key]


def _colour(mode: QIcon.Mode) -> QColor:
    palette, group, role = QGuiApplication.palette(), QPalette.ColorGroup, QPalette.ColorRole
    if mode is QIcon.Mode.Selected:
        return palette.color(group.Active, role.HighlightedText)
    return palette.color(group.Disabled if mode is QIcon.Mode.Disabled else group.Active, role.ButtonText)


def _render(renderer: QSvgRenderer, size_px: int) -> QPixmap:
    pixmap = QPixmap(size_px, size_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF(pixmap.rect()))
    return pixmap
