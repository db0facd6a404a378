"""The list of open pages with thumbnails and states.

Requests thumbnails only for visible rows. Knows pages only by an opaque key; opens no file.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QAction,
    QDrag,
    QDropEvent,
    QFontMetrics,
    QIcon,
    QImage,
    QKeySequence,
    QPainter,
    QPalette,
    QPixmap,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from rtocr_gui.ui.parts.focus_frame import paint_frame
from rtocr_gui.ui.parts.icons import icon
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.page_entry import PageEntry, PageState
from rtocr_gui.ui.window.page_model import Index, PageModel, PageRow

_SETTLE_MS = 60
"""Rows that are scrolled past in less time request no thumbnail."""
_ROW_WIDTH, _ROW_HEIGHT = 11, 5
"""What a row needs for thumbnail, name and state, in lines of text."""


class _PageDelegate(QStyledItemDelegate):
    """Paints a thumbnail beside label, detail and state; a label without detail may take both lines."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._icons: dict[PageState, QIcon] = {}

    def follow_palette(self, palette: QPalette) -> None:
        """Draw the state icons in the colours of a palette."""
        self._icons = {state: icon(state.icon_name, palette) for state in PageState}

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        line = option.fontMetrics.height()
        return QSize(line * _ROW_WIDTH, line * _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: PageRow = index.data(Qt.ItemDataRole.UserRole)
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        line = option.fontMetrics.height()
        inside = option.rect.adjusted(line // 3, line // 3, -line // 3, -line // 3)
        picture = QRect(inside.topLeft(), QSize(inside.height() * 3 // 4, inside.height()))
        self._paint_thumbnail(painter, picture, row, option)
        self._paint_lines(painter, inside.adjusted(picture.width() + line // 2, 0, 0, 0), row, option)
        if isinstance(option.widget, QListView) and option.widget.currentIndex() == index:
            self._paint_current(painter, option)

    def _paint_current(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        """Mark the current page among the selected ones; with a frame while the list has the focus."""
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Highlight
        line = option.fontMetrics.height()
        colour, edge = option.palette.color(role), line // 10
        bar = option.rect.adjusted(edge, line // 3, 0, -line // 3)
        bar.setWidth(line // 5)
        painter.fillRect(bar, colour)
        if option.state & QStyle.StateFlag.State_HasFocus:
            paint_frame(painter, option.rect.adjusted(edge, edge, -edge, -edge), colour)

    def _paint_thumbnail(
        self, painter: QPainter, room: QRect, row: PageRow, option: QStyleOptionViewItem
    ) -> None:
        frame = option.palette.color(QPalette.ColorRole.Mid)
        if row.thumbnail is None:
            painter.setPen(frame)
            painter.drawRect(room.adjusted(0, 0, -1, -1))
            return
        size = row.thumbnail.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QStyle.alignedRect(option.direction, Qt.AlignmentFlag.AlignCenter, size, room)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target, row.thumbnail)
        painter.setPen(frame)
        painter.drawRect(target.adjusted(0, 0, -1, -1))

    def _paint_lines(
        self, painter: QPainter, room: QRect, row: PageRow, option: QStyleOptionViewItem
    ) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        painter.setPen(option.palette.color(role))
        metrics, line = option.fontMetrics, option.fontMetrics.height()
        top = room.top() + (room.height() - 3 * line - line // 2) // 2
        label, detail, elide = row.entry.label, row.entry.detail, Qt.TextElideMode
        if detail:
            lines = ((label, elide.ElideMiddle), (detail, elide.ElideRight))
        else:
            fitting = _fitting(label, metrics, room.width())
            lines = ((label[:fitting], elide.ElideNone), (label[fitting:].lstrip(), elide.ElideMiddle))
        for text, mode in lines:
            rect = QRect(room.left(), top, room.width(), line)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine  # a name may break lines
            painter.drawText(rect, flags, metrics.elidedText(text, mode, room.width()))
            top += line + line // 4
        mark = QRect(room.left(), top, line, line)
        self._icons[row.state].paint(
            painter, mark, mode=QIcon.Mode.Selected if selected else QIcon.Mode.Normal
        )
        rect = QRect(mark.right() + line // 3, top, room.right() - mark.right() - line // 3, line)
        text = metrics.elidedText(row.state.value, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, text)


def _fitting(text: str, metrics: QFontMetrics, width_px: int) -> int:
    """How many characters from the beginning fit in a line."""
    ends = range(len(text) + 1)
    return bisect_right(ends, width_px, key=lambda end: metrics.horizontalAdvance(text[:end])) - 1


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
        width = _ROW_WIDTH * self.fontMetrics().height() + 2 * self.frameWidth()
        return QSize(width, super().sizeHint().height())

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Repaint changed rows only: all have one size, and a list would lay out all of them again."""
        QAbstractItemView.dataChanged(self, first, last, roles)

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
        thumbnail_wanted(Hashable): key of a page without a thumbnail that came into view; once.
        move_requested(Hashable or None): move the selected pages before this one; None for the end.
        remove_requested(): remove the selected pages from the list.
        copy_requested(): copy the text of the selected pages.
    """

    page_selected = Signal(object)
    selection_changed = Signal(object)
    thumbnail_wanted = Signal(object)
    move_requested = Signal(object)
    remove_requested = Signal()
    copy_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._model = PageModel(self)
        self._delegate = _PageDelegate(self)
        self._delegate.follow_palette(self.palette())
        self._asked: set[Hashable] = set()
        self._selecting = False
        self._settle_timer = one_shot(self, _SETTLE_MS, self._ask_for_thumbnails)

        self._view = _PageListView()
        self._view.setUniformItemSizes(True)
        self._view.setAccessibleName("Pages")
        self._view.setModel(self._model)
        self._view.setItemDelegate(self._delegate)
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

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._delegate.follow_palette(self.palette())

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
                self.thumbnail_wanted.emit(key)

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
