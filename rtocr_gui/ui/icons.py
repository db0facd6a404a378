"""Our own icons, in the text colour of the palette.

An icon is drawn once, when asked for. A widget that shows one asks again when its palette
changes, so that icons follow the light or dark scheme. Knows no widget and no action.
"""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from rtocr_gui.resources import resource_path

_SIZES_PX = (16, 24, 32, 48)


def icon(name: str, palette: QPalette) -> QIcon:
    """Draw an icon in the text colours of a palette, enabled and disabled.

    Args:
        name: file name in `resources/icons` without ``.svg``, e.g. ``"zoom-in"``.
        palette: palette of the widget that shows the icon.

    Raises:
        RtocrError: there is no such icon.
    """
    renderer = QSvgRenderer(str(resource_path(f"icons/{name}.svg")))
    drawn = QIcon()
    for size in _SIZES_PX:
        shape = _render(renderer, size)
        for mode, group in (
            (QIcon.Mode.Normal, QPalette.ColorGroup.Active),
            (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled),
            (QIcon.Mode.Selected, QPalette.ColorGroup.Active),
        ):
            role = (
                QPalette.ColorRole.HighlightedText
                if mode is QIcon.Mode.Selected
                else QPalette.ColorRole.ButtonText
            )
            tinted = QPixmap(shape)
            painter = QPainter(tinted)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
            painter.fillRect(tinted.rect(), palette.color(group, role))
            painter.end()
            drawn.addPixmap(tinted, mode)
    return drawn


def app_icon() -> QIcon:
    """The program's icon, in its own colours."""
    renderer = QSvgRenderer(str(resource_path("icons/rtocr.svg")))
    drawn = QIcon()
    for size in (*_SIZES_PX, 128):
        drawn.addPixmap(_render(renderer, size))
    return drawn


def _render(renderer: QSvgRenderer, size_px: int) -> QPixmap:
    pixmap = QPixmap(QSize(size_px, size_px))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return pixmap
