"""The menu of the kinds of file that each scan's text can be exported to. Knows no page and no folder."""

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from rtocr_gui.export.text_formats import TextFormat


class FormatMenu(QObject):
    """Attaches the menu to an action, which enables and disables all of it.

    Signals:
        format_chosen (TextFormat): what the files are to be.

    Args:
        action: of the window.
        parent: the window.
    """

    format_chosen = Signal(object)

    def __init__(self, action: QAction, parent: QWidget) -> None:
        super().__init__(parent)
        menu = QMenu(parent)
        for kind in TextFormat:
            menu.addAction(f"&{kind.label}…").triggered.connect(partial(self._choose, kind))
        action.setMenu(menu)

    def _choose(self, kind: TextFormat) -> None:
        self.format_chosen.emit(kind)
