"""One of two compared texts: read-only, with its changes marked.

Counts in characters of the given text, whatever Qt makes of them internally. Knows nothing of the
text beside it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QTextEdit

from rtocr_gui.ocr.text.comparison import Change, Span
from rtocr_gui.ui.parts.colours import mixed
from rtocr_gui.ui.parts.plain_text import fixed_font, qt_begins

_LONG_WORD = 2000
"""Words longer than this are broken anywhere: finding a break inside them takes Qt seconds."""

_WORD_TINT, _CHARACTER_TINT = 0.16, 0.42
_CARET_PX = 2

# One symbol per character, so that positions stay the same: Qt would drop these or break lines at them.
_SIGNS: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: 0x2421,
    0x85: 0x2424,
    0x2028: "\n",
    0x2029: "\n",
    **dict.fromkeys((*range(0xD800, 0xE000), 0xFDD0, 0xFDD1, 0xFFFC), 0xFFFD),
}


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text and what differs in it.

    Attributes:
        text: all of it.
        words: the differences, as a person counts them.
        characters: the exact characters that changed, and how.
    """

    text: str
    words: tuple[Span, ...] = ()
    characters: tuple[tuple[Span, Change], ...] = ()


class ComparedText(QTextEdit):
    """Shows a text with its changes tinted and struck through, underlined or wavily underlined.

    Signals:
        place_clicked(int): the person clicked on a character without selecting anything.

    Args:
        tint: mixed into the background of differences.
    """

    place_clicked = Signal(int)

    def __init__(self, tint: QColor) -> None:
        super().__init__()
        self._tint = tint
        self._shown = MarkedText("")
        self._places: Sequence[int] = range(1)
        self._chosen: Span | None = None
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._follow_appearance()

    def sizeHint(self) -> QSize:
        """Request only a few lines; the layout gives it the rest of the space."""
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def show_marked(self, shown: MarkedText) -> None:
        """Show another text, from its beginning."""
        self._shown = shown
        self._chosen = None
        self._places = qt_begins(shown.text)
        long_words = any(len(word) > _LONG_WORD for word in shown.text.split())
        wrap = QTextOption.WrapMode
        self.setWordWrapMode(wrap.WrapAnywhere if long_words else wrap.WrapAtWordBoundaryOrAnywhere)
        self.setPlainText(shown.text.translate(_SIGNS))
        self._mark()

    def choose(self, span: Span) -> None:
        """Highlight a range, or a place between two characters."""
        self._chosen = span
        self._point_out()

    def top(self) -> tuple[int, int]:
        """The first visible character, and how far below the upper edge its line begins, in px."""
        cursor = self.cursorForPosition(QPoint(0, 0))
        return self._character_at(cursor.position()), self.cursorRect(cursor).top()

    def height_of(self, position: int) -> int:
        """How far below the upper edge the line of a character begins, in px; negative above it."""
        return self.cursorRect(self._cursor(Span(position, position))).top()

    def scroll_to(self, position: int, y_px: int) -> None:
        """Scroll until the line of a character begins `y_px` below the upper edge, or as near as possible."""
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + self.height_of(position) - y_px)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._follow_appearance()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            cursor = self.cursorForPosition(event.position().toPoint())
            self.place_clicked.emit(self._character_at(cursor.position()))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._chosen is not None and not self._chosen.length:
            caret = self.cursorRect(self._cursor(self._chosen))
            caret.setWidth(_CARET_PX)
            with QPainter(self.viewport()) as painter:
                painter.fillRect(caret, self.palette().highlight())

    def _character_at(self, place: int) -> int:
        return min(bisect_left(self._places, place), len(self._shown.text))

    def _cursor(self, span: Span) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._places[span.start])
        cursor.setPosition(self._places[span.end], QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _follow_appearance(self) -> None:
        self.document().setDefaultFont(fixed_font(self.font()))
        self._mark()

    def _mark(self) -> None:
        everything = QTextCursor(self.document())
        everything.beginEditBlock()
        everything.select(QTextCursor.SelectionType.Document)
        everything.setCharFormat(QTextCharFormat())
        word = QTextCharFormat()
        word.setBackground(self._tinted(_WORD_TINT))
        for span in self._shown.words:
            self._cursor(span).setCharFormat(word)
        formats = {change: self._format(change) for change in Change}
        for span, change in self._shown.characters:
            self._cursor(span).setCharFormat(formats[change])
        everything.endEditBlock()
        self._point_out()

    def _format(self, change: Change) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setBackground(self._tinted(_CHARACTER_TINT))
        if change is Change.DELETED:
            look.setFontStrikeOut(True)
        elif change is Change.INSERTED:
            look.setFontUnderline(True)
        else:
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            look.setUnderlineColor(self.palette().text().color())
        return look

    def _tinted(self, share: float) -> QColor:
        return mixed(self.palette().base().color(), self._tint, share)

    def _point_out(self) -> None:
        selections = []
        if self._chosen is not None and self._chosen.length:
            pointed = QTextEdit.ExtraSelection()
            pointed.cursor = self._cursor(self._chosen)
            pointed.format.setBackground(self.palette().highlight())
            pointed.format.setForeground(self.palette().highlightedText())
            selections.append(pointed)
        self.setExtraSelections(selections)
        self.viewport().update()
