"""The open pages as a Qt list model: label, thumbnail and state of each.

Knows pages only by an opaque key; opens no file and draws nothing.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QPixmap

from rtocr_gui.ui.parts.plain_text import plain_tip
from rtocr_gui.ui.state.page_entry import PageEntry, PageState

Index = QModelIndex | QPersistentModelIndex

PAGES_TYPE = "application/x-rtocr-pages"
"""Marks dragged data as pages of the list: they are not files, and of no use to other programs."""


@dataclass(slots=True)
class PageRow:
    """What the list knows about one page.

    Attributes:
        entry: the page.
        thumbnail: its picture; None until it is set.
        state: the state of its reading.
        sentence: why the state is what it is; may be empty.
    """

    entry: PageEntry
    thumbnail: QPixmap | None = None
    state: PageState = PageState.UNREAD
    sentence: str = ""

    @property
    def summary(self) -> str:
        """Label, detail and state, line by line."""
        state = f"{self.state.value}: {self.sentence}" if self.sentence else self.state.value
        return "\n".join(part for part in (self.entry.label, self.entry.detail, state) if part)


class PageModel(QAbstractListModel):
    """Rows of the page list. `Qt.ItemDataRole.UserRole` gives the `PageRow` itself.

    Rows can be dropped between two others; the view decides what happens then.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[PageRow] = []
        self._positions: dict[Hashable, int] = {}

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.UserRole:
                return row
            case Qt.ItemDataRole.DisplayRole:
                return row.entry.label
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(row.summary)
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.summary
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:
        return [PAGES_TYPE]

    def mimeData(self, _indexes: Iterable[QModelIndex]) -> QMimeData:
        data = QMimeData()
        data.setData(PAGES_TYPE, b"")
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def row(self, position: int) -> PageRow:
        """The row at a position, from 0."""
        return self._rows[position]

    def position(self, key: Hashable) -> int | None:
        """Position of a page; None if it is not in the list."""
        return self._positions.get(key)

    def replace(self, entries: Iterable[PageEntry]) -> None:
        """List these pages; a page that was listed before keeps its thumbnail and state.

        Pages appended to the listed ones are inserted, and the same pages in another order are moved; any
        other change resets the model.
        """
        known, before = {row.entry.key: row for row in self._rows}, len(self._rows)
        rows, told_anew = [], []
        for position, entry in enumerate(entries):
            row = known.get(entry.key) or PageRow(entry)
            if row.entry != entry:
                row.entry = entry
                told_anew.append(position)
            rows.append(row)
        positions = {row.entry.key: position for position, row in enumerate(rows)}
        grows = list(positions)[:before] == list(known)
        if not grows and positions.keys() == known.keys():
            self._reorder(rows, positions)
        elif not grows:
            self.beginResetModel()
            self._rows, self._positions = rows, positions
            self.endResetModel()
            return
        elif len(rows) > before:
            self.beginInsertRows(QModelIndex(), before, len(rows) - 1)
            self._rows, self._positions = rows, positions
            self.endInsertRows()
        for position in told_anew:
            self._announce(position)

    def _reorder(self, rows: list[PageRow], positions: dict[Hashable, int]) -> None:
        """List the same rows in another order; persistent indexes follow their rows."""
        self.layoutAboutToBeChanged.emit()
        pointed = self.persistentIndexList()
        keys = [self._rows[index.row()].entry.key for index in pointed]
        self._rows, self._positions = rows, positions
        self.changePersistentIndexList(pointed, [self.index(positions[key]) for key in keys])
        self.layoutChanged.emit()

    def rename(self, names: Mapping[Hashable, Hashable]) -> None:
        """Change the keys of pages: they keep place and state, and need a new thumbnail."""
        for key, renamed in names.items():
            position = self._positions.pop(key)
            row = self._rows[position]
            row.entry, row.thumbnail = replace(row.entry, key=renamed), None
            self._positions[renamed] = position
            self._announce(position)

    def set_thumbnail(self, key: Hashable, thumbnail: QPixmap | None) -> None:
        """Give a page its picture; a page that is no longer listed is ignored."""
        position = self._positions.get(key)
        if position is not None:
            self._rows[position].thumbnail = thumbnail
            self._announce(position)

    def set_state(self, key: Hashable, state: PageState, sentence: str) -> None:
        """Set the state of a page's reading; a page that is no longer listed is ignored."""
        position = self._positions.get(key)
        if position is None:
            return
        row = self._rows[position]
        if (row.state, row.sentence) != (state, sentence):
            row.state, row.sentence = state, sentence
            self._announce(position)

    def _announce(self, position: int) -> None:
        index = self.index(position)
        self.dataChanged.emit(index, index)
