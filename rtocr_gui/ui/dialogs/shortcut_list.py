"""The list of keyboard shortcuts, as the menus show them.

Made from the actions themselves, so that it is always correct; if an action has several shortcuts, it lists
the one that the menus show. Knows no key that belongs to a single pane, such as the arrow keys of a list.
"""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from rtocr_gui.ui.parts.actions import MENUS, keys_in_words


class ShortcutList(QDialog):
    """All actions with shortcuts, menu by menu.

    Args:
        actions: every action of the window, by name.
        parent: parent of the dialog.
    """

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        tree = QTreeWidget()
        tree.setHeaderLabels(["Action", "Keys"])
        tree.setAccessibleName("Keyboard shortcuts")
        tree.setRootIsDecorated(False)
        tree.setItemsExpandable(False)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        for title, names in MENUS.items():
            menu = QTreeWidgetItem(tree, [title.replace("&", "")])
            for name in names:
                if name and (keys := keys_in_words(name, actions[name])):
                    QTreeWidgetItem(menu, [actions[name].iconText(), keys])
        tree.expandAll()
        tree.resizeColumnToContents(0)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(tree)
        layout.addWidget(close)

    def sizeHint(self) -> QSize:
        return QSize(64 * self.fontMetrics().averageCharWidth(), 36 * self.fontMetrics().lineSpacing())
