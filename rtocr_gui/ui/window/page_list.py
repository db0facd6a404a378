"""The list of open pages with thumbnails and states.

Requests thumbnails only for visible rows. Knows pages only by an opaque key; opens no file. `page_delegate`
paints the rows.
"""

import sys
from collections.abc import Hashable, Iterable, Mapping, Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPoint,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QAction,
    QDrag,
    QDropEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPixmap,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QVBoxLayout, QWidget

from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.page_entry import PageEntry, PageState
from rtocr_gui.ui.window.page_delegate import ROW_WIDTH, PageDelegate
from rtocr_gui.ui.window.page_model import Index, PageModel

_SETTLE_MS = 60
"""Rows that are scrolled past in less time request no thumbnail."""


class _PageListView(QListView):
    """A list whose rows can be dragged to another place; files dropped on it are left to the window.

    Signals:
        dropped(int): the selected rows were dropped before this row, or after the last.
    """

    dropped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)

    def sizeHint(self) -> QSize:
        """As wide as a row, in whatever font."""
        width = ROW_WIDTH * self.fontMetrics().height() + 2 * self.frameWidth()
        return QSize(width, super().sizeHint().height())

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Repaint changed rows only: all have one size, and a list would lay out all of them again."""
        QAbstractItemView.dataChanged(self, first, last, roles)

    def selectionCommand(
        self, index: Index, event: QEvent | None = None
    ) -> QItemSelectionModel.SelectionFlag:
        """Select the page that a key goes to, also with Ctrl: what is shown is what commands apply to."""
        if isinstance(event, QKeyEvent) and event.key() != Qt.Key.Key_Space:
            without_ctrl = event.modifiers() & ~Qt.KeyboardModifier.ControlModifier
            event = QKeyEvent(event.type(), event.key(), without_ctrl)
        return super().selectionCommand(index, event)

    def startDrag(self, actions: Qt.DropAction) -> None:
        """Drag without a picture of the rows: it would hide the line that shows where they will go."""
        drag = QDrag(self)
        drag.setMimeData(self.model().mimeData(self.selectedIndexes()))
        drag.exec(actions)

    def sees_current(self, height_px: int) -> bool:
        """True if the current page's whole row is visible when the view has this height."""
        place = self.visualRect(self.currentIndex())
        return place.top() >= 0 and place.bottom() < height_px

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the current page visible when something else, such as a notice, takes space."""
        was_seen = self.sees_current(event.oldSize().height())
        super().resizeEvent(event)
        if was_seen:
            self.scrollTo(self.currentIndex())

    def dropEvent(self, event: QDropEvent) -> None:
        place = event.position().toPoint()
        index = self.indexAt(place)
        is_below = place.y() >= self.visualRect(index).center().y()  # as the drop line shows
        self.dropped.emit(index.row() + is_below if index.isValid() else self.model().rowCount())
        event.accept()
        self.setState(QAbstractItemView.State.NoState)  # removes the drop line


class PageList(QWidget):
    """Lists the open pages.

    Signals:
        page_selected(Hashable): key of another page that the person chose to view.
        selection_changed(tuple of Hashable): keys of the newly selected pages, in the order of the list.
        thumbnail_requested(Hashable): key of a page without a thumbnail that came into view; once.
        move_requested(Hashable or None): move the selected pages before this one; None for the end.
        remove_requested(): remove the selected pages from the list.
        copy_requested(): copy the text of the selected pages.
    """

    page_selected = Signal(object)
    selection_changed = Signal(object)
    thumbnail_requested = Signal(object)
    move_requested = Signal(object)
    remove_requested = Signal()
    copy_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._model = PageModel(self)
        self._asked: set[Hashable] = set()
        self._selecting = False
        self._settle_timer = one_shot(self, _SETTLE_MS, self._ask_for_thumbnails)

        self._view = _PageListView()
        self._view.setUniformItemSizes(True)
        self._view.setAccessibleName("Pages")
        self._view.setModel(self._model)
        self._view.setItemDelegate(PageDelegate(self))
        self._view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setResizeMode(QListView.ResizeMode.Adjust)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._view.viewport().installEventFilter(self)
        self._view.dropped.connect(self._ask_to_move)
        self._view.verticalScrollBar().valueChanged.connect(self._await_rest)
        self._view.selectionModel().currentChanged.connect(self._follow_current)
        self._view.selectionModel().selectionChanged.connect(self._tell_selection)

        # Not the platform's keys for this: on X11 they include Ctrl+D, which compares readings.
        remove = QShortcut(Qt.Key.Key_Delete, self._view)
        if sys.platform == "darwin":  # there, the key that is called delete is Backspace
            remove.setKeys([QKeySequence(Qt.Key.Key_Delete), QKeySequence(Qt.Key.Key_Backspace)])
        copy = QShortcut(QKeySequence.StandardKey.Copy, self._view)  # the view would copy the label
        for shortcut, signal in ((remove, self.remove_requested), (copy, self.copy_requested)):
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(signal)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._view)
        self.setFocusProxy(self._view)

    def offer(self, *groups: Iterable[QAction]) -> None:
        """Offer actions in the context menu, with separators between groups."""
        for group in groups:
            if self._view.actions():
                line = QAction(self._view)
                line.setSeparator(True)
                self._view.addAction(line)
            self._view.addActions(list(group))

    @property
    def current_key(self) -> Hashable | None:
        """Key of the current page; None if there is none."""
        index = self._view.currentIndex()
        return self._model.row(index.row()).entry.key if index.isValid() else None

    @property
    def selected_keys(self) -> tuple[Hashable, ...]:
        """Keys of the selected pages, in the order of the list."""
        rows = sorted(index.row() for index in self._view.selectionModel().selectedIndexes())
        return tuple(self._model.row(row).entry.key for row in rows)

    @Slot(object)
    def set_pages(self, entries: Iterable[PageEntry]) -> None:
        """List these pages instead; pages that stay keep thumbnail, state and selection."""
        current, selected, bar = self.current_key, self.selected_keys, self._view.verticalScrollBar()
        position, was_seen = bar.value(), self._view.sees_current(self._view.viewport().height())
        self._model.replace(entries)
        self._asked = {key for key in self._asked if self._model.position(key) is not None}
        self._view.doItemsLayout()
        bar.setValue(position)
        if self.current_key != current:
            self.select(current)
            self.select_too(selected)
        if was_seen:
            self._view.scrollTo(self._view.currentIndex())
        self._await_rest()

    @Slot(object)
    def rename(self, names: Mapping[Hashable, Hashable]) -> None:
        """Change the keys of pages, which look different now; selection and place stay."""
        self._model.rename(names)
        self._asked -= names.keys()
        self._await_rest()

    @Slot(object)
    def select(self, key: Hashable | None) -> None:
        """Select only this page, unless it is current, without `page_selected`; None selects nothing."""
        if key is not None and key == self.current_key:
            return
        position = self._model.position(key)
        index = QModelIndex() if position is None else self._model.index(position)
        self._selecting = True
        self._view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._selecting = False

    @Slot(object)
    def select_too(self, keys: Iterable[Hashable]) -> None:
        """Add those of the pages that are still listed to the selection."""
        chosen = QItemSelection()
        for key in keys:
            if (place := self._model.position(key)) is not None:
                chosen.select(self._model.index(place), self._model.index(place))
        self._view.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.Select)

    def set_thumbnail(self, key: Hashable, image: QImage) -> None:
        """Show a page's picture; a null one leaves the empty frame, and is requested again later."""
        if image.isNull():
            self._asked.discard(key)
        self._model.set_thumbnail(key, None if image.isNull() else QPixmap.fromImage(image))

    def set_state(self, key: Hashable, state: PageState, sentence: str = "") -> None:
        """Show the state of a page's reading, and the reason in the tooltip."""
        self._model.set_state(key, state, sentence)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._await_rest()
        return super().eventFilter(watched, event)

    @Slot()
    def _await_rest(self) -> None:
        self._settle_timer.start()

    @Slot()
    def _ask_for_thumbnails(self) -> None:
        viewport = self._view.viewport()
        if not viewport.isVisible() or not self._model.rowCount():
            return
        first = self._view.indexAt(QPoint(1, 1)).row()
        last = self._view.indexAt(QPoint(1, viewport.height() - 1))
        stop = last.row() + 1 if last.isValid() else self._model.rowCount()
        for position in range(max(0, first), stop):
            key = self._model.row(position).entry.key
            if key not in self._asked:
                self._asked.add(key)
                self.thumbnail_requested.emit(key)

    @Slot(int)
    def _ask_to_move(self, before: int) -> None:
        is_row = before < self._model.rowCount()
        self.move_requested.emit(self._model.row(before).entry.key if is_row else None)

    @Slot(QModelIndex, QModelIndex)
    def _follow_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid() and not self._selecting:
            self.page_selected.emit(self._model.row(current.row()).entry.key)

    @Slot()
    def _tell_selection(self) -> None:
        """Emit the selection; if it is empty, the current page is selected."""
        selection, current = self._view.selectionModel(), self._view.currentIndex()
        if current.isValid() and not selection.hasSelection():
            selection.select(current, QItemSelectionModel.SelectionFlag.Select)
        else:
            self.selection_changed.emit(self.selected_keys)
