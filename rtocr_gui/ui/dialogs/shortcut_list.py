"""The list of keyboard shortcuts: those of the menus, and those of single panes while they are focused.

The former come from the actions themselves, so that they are always correct; if an action has several
shortcuts, the list has the one that the menus show. It leaves out what every list and text has.
"""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from rtocr_gui.ui.parts.actions import MENUS, keys_in_words

_PANES: Mapping[str, Mapping[str, str]] = {
    "On the page": {
        "Larger or smaller": "+ or −",
        "Whole page, actual size": "0, 1",
        "To the top or bottom": "Home or End",
        "Pin a token, or release it": "Enter",
        "Pin its neighbour": "Arrow keys",
        "Release it, or turn off the lights": "Esc",
        "Crop to what is in view, or cancel": "Enter, Esc",
    },
    "In the page list": {"Remove the selected pages": "Delete"},
    "In Find": {
        "Next match, previous match": "Enter, Shift+Enter",
        "Replace it (in the second line)": "Enter",
        "Close": "Esc",
    },
    "In Compare": {"Next difference, previous difference": "F8, Shift+F8"},
    "On the retention curve": {
        "Go from ratio to ratio": "Arrow keys, Home, End",
        "Choose the ratio": "Enter",
    },
    "While the reading is played": {"Pause or continue": "Space", "Stop": "Esc"},
    "Elsewhere": {"Dismiss the notices": "Esc"},
}
"""What keys do in a pane, by its name."""


class ShortcutList(QDialog):
    """All actions with shortcuts, menu by menu, and the keys of panes.

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
        for title, uses in _PANES.items():
            pane = QTreeWidgetItem(tree, [title])
            for use, keys in uses.items():
                QTreeWidgetItem(pane, [use, keys])
        tree.expandAll()
        tree.resizeColumnToContents(0)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(tree)
        layout.addWidget(close)

    def sizeHint(self) -> QSize:
        return QSize(64 * self.fontMetrics().averageCharWidth(), 36 * self.fontMetrics().lineSpacing())
