"""The menu of files and folders that were opened last.

Opens nothing, and does not check whether they still exist.
"""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from rtocr_gui.documents.labels import telling_folders
from rtocr_gui.settings import Settings
from rtocr_gui.ui.parts.plain_text import plain_tip


class RecentMenu(QObject):
    """Attaches the menu to an action, which is enabled if the menu is not empty.

    Signals:
        files_chosen (tuple of Path): the one file or folder to open.
        cleared (): the list should be cleared.

    Args:
        action: of the window.
        parent: the window.
    """

    files_chosen = Signal(object)
    cleared = Signal()

    def __init__(self, action: QAction, parent: QWidget) -> None:
        super().__init__(parent)
        self._action = action
        self._paths: tuple[Path, ...] = ()
        self._menu = QMenu(parent)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._fill)
        action.setMenu(self._menu)

    @Slot(object)
    def show_settings(self, settings: Settings) -> None:
        """List what was opened last."""
        self._paths = tuple(map(Path, settings.recent_files))
        self._action.setEnabled(bool(self._paths))

    @Slot()
    def _fill(self) -> None:
        self._menu.clear()
        folders, metrics = telling_folders(self._paths), self._menu.fontMetrics()
        for path in self._paths:
            name = f"{path.name} (in {folders[path]})" if path in folders else path.name or str(path)
            label = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, 40 * metrics.height())
            action = self._menu.addAction(label.replace("&", "&&"))
            action.setToolTip(plain_tip(str(path)))
            action.triggered.connect(partial(self._choose, path))
        self._menu.addSeparator()
        self._menu.addAction("Clear list").triggered.connect(self.cleared)

    def _choose(self, path: Path) -> None:
        self.files_chosen.emit((path,))
