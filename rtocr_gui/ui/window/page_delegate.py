"""How a row of the page list is painted. Knows rows, no list."""

import re
from bisect import bisect_right

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QIcon, QPainter, QPalette
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from rtocr_gui.ui.parts.focus_frame import paint_frame
from rtocr_gui.ui.parts.icons import icon
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.window.page_model import Index, PageRow

_BETWEEN_WORDS = re.compile(r"(?<=[ _-])|(?=\.)")

ROW_WIDTH, _ROW_HEIGHT = 11, 5
"""What a row needs for thumbnail, name and state, in lines of text."""


class PageDelegate(QStyledItemDelegate):
    """Paints a thumbnail beside label, detail and state; a label without detail may take both lines."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._icons = {state: icon(state.icon_name) for state in PageState}

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        line = option.fontMetrics.height()
        return QSize(line * ROW_WIDTH, line * _ROW_HEIGHT)

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
        painter.fillRect(target, frame)  # a line drawn around it would be beside its edge on a scaled screen
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target.adjusted(1, 1, -1, -1), row.thumbnail)

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
            end = _end_of_line(label, metrics, room.width())
            lines = ((label[:end], elide.ElideNone), (label[end:].lstrip(), elide.ElideMiddle))
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


def _end_of_line(text: str, metrics: QFontMetrics, width_px: int) -> int:
    """How many characters from the beginning fit in a line, or a few fewer so that it ends between words."""
    ends = range(len(text) + 1)
    fitting = bisect_right(ends, width_px, key=lambda end: metrics.horizontalAdvance(text[:end])) - 1
    if fitting == len(text):
        return fitting
    between_words = [place.start() for place in _BETWEEN_WORDS.finditer(text)]
    return max((end for end in between_words if fitting / 2 <= end <= fitting), default=fitting)
