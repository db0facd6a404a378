"""The recognised text as Markdown, to edit: each page has a document, with what can be undone in it.

Distinguishes text from a reading from text that a person typed. Places in the text are counted in
characters, as Python counts them, although Qt counts in UTF-16. `page_documents` keeps what can be undone on
pages that are not shown. Knows pages only as something that texts belong to, no file and no clipboard.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QMimeData, Signal, Slot
from PySide6.QtGui import QColor, QFont, QPalette, QResizeEvent, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from rtocr_gui.ui.parts.arrivals import is_for_text, leaves_paste
from rtocr_gui.ui.parts.held_scroll import held
from rtocr_gui.ui.parts.plain_text import qt_begins
from rtocr_gui.ui.state.shown import Found
from rtocr_gui.ui.text.page_documents import (
    PageDocuments,
    plain_document,
    qt_places,
    replace_parts,
    text_of,
    was_edited,
)

PLACES_LIT = 1000
"""At most this many matches, and unsure words, are marked: Qt is slow to draw more."""

_LOOKS_FOR_LINE = 4
_UNSURE_ON_LIGHT, _UNSURE_ON_DARK = "#d55e00", "#e69f00"


class MarkdownEditor(QPlainTextEdit):
    """Shows the text of one page, and leaves dropped and pasted files to the window.

    Signals:
        text_changed(str): there is other text now, whoever wrote it; carries all of it.
        text_edited(str, bool): the person changed the text; carries all of it, and whether they did so
            by hand rather than by `replace`.
        selection_changed(int, int): start and end (exclusive) of the new selection; equal if there is none.
        cursor_moved(int, int): start and end (exclusive) of the person's selection after it changed; both
            are the cursor's position if nothing is selected.
        text_replaced(): another text is shown; the cursor is at its beginning.
        undo_changed(): whether something can be undone or redone may have changed.
    """

    text_changed = Signal(str)
    text_edited = Signal(str, bool)
    selection_changed = Signal(int, int)
    cursor_moved = Signal(int, int)
    text_replaced = Signal()
    undo_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._page: object = None
        self._documents = PageDocuments()
        self._known_text = ""
        self._writing = self._replacing = False
        self._selection = (0, 0)
        self._marked: list[QTextCursor] = []
        self._found: list[QTextCursor] = []
        self._found_as: tuple[str, object] = "", ()
        self._unsure: list[QTextCursor] = []
        # In a text that was cleared; the reader returns to them once it has grown as far.
        self._place: int | None = None
        self._cursor_place: int | None = None
        self.verticalScrollBar().actionTriggered.connect(self._leave_place)
        self.setDocument(plain_document(self))
        self.setAccessibleName("Recognised text as Markdown")
        self.setTabChangesFocus(True)
        self.textChanged.connect(self._follow_text)
        self.selectionChanged.connect(self._follow_selection)
        self.cursorPositionChanged.connect(self._follow_cursor)
        self.undoAvailable.connect(lambda _: self.undo_changed.emit())
        self.redoAvailable.connect(lambda _: self.undo_changed.emit())

    @property
    def text(self) -> str:
        """The exact text, character by character."""
        return text_of(self.document())

    @property
    def page(self) -> object:
        """Whose text it is."""
        return self._page

    @property
    def selected_words(self) -> str:
        """What is selected within one line; empty if nothing is, or more than one line."""
        selected = self.textCursor().selectedText()
        return "" if "\u2029" in selected else selected.strip()

    @property
    def selected_place(self) -> tuple[int, int]:
        """Start and end (exclusive) of the selection; both are the cursor's position if there is none."""
        cursor = self.textCursor()
        start, end = _characters_at(self.text, cursor.selectionStart(), cursor.selectionEnd())
        return start, end

    @property
    def can_undo(self) -> bool:
        """True if the person can undo a change of the text."""
        return not self.isReadOnly() and self.document().isUndoAvailable()

    @property
    def can_redo(self) -> bool:
        """True if the person can redo a change of the text."""
        return not self.isReadOnly() and self.document().isRedoAvailable()

    def set_text_font(self, font: QFont) -> None:
        """Show the text in another font, without a step to undo."""
        self.setFont(font)
        self._dress(self.document())

    def show_text(self, text: str, page: object = None) -> None:
        """Replace the text; if it is the same, cursor and undo history stay.

        What was typed on a page can still be undone when it is shown again.

        Args:
            text: Markdown.
            page: whose text it is; if the page is the same as before, the place in it stays, also if the text
                is cleared and then appended anew.
        """
        self._marked = []
        same_page = page is not None and page == self._page
        if same_page and text == self.text:
            self._draw_marks()
            return
        self._found, self._found_as, self._unsure = [], ("", ()), []
        self._draw_marks()  # Qt accesses former marks when it gets new ones, and their document may be gone
        bar = self.verticalScrollBar()
        follows = same_page and text != "" and self._place is None and bar.value() == bar.maximum() > 0
        if not same_page:
            self._place = self._cursor_place = None
        elif self._place is None and self.text:
            self._place, self._cursor_place = self._top, self.textCursor().position()
        with self._written_by_program():
            self._change_document(page, text)
            if text != self.text:
                self.setPlainText(text)
        self._page = page
        self.text_replaced.emit()
        self.undo_changed.emit()
        self._return_cursor()
        self._scroll_to(self.document().characterCount() if follows else self._place or 0)
        if text:
            self._place = self._cursor_place = None

    def forget_others(self, pages: Iterable[object]) -> None:
        """Keep the undo history of these pages only: the others are not shown again."""
        kept = set(pages)
        self._documents.forget_others(kept)
        if self._page not in kept:
            self.document().clearUndoRedoStacks()

    def _change_document(self, page: object, text: str) -> None:
        """Store the document with its undo history, and restore the one stored for this text of a page."""
        former, stored = self.document(), self._documents.take(page, text)
        if self._page is not None and was_edited(former):
            self._documents.store(self._page, former)
        elif stored is not None:
            former.deleteLater()
        else:
            return
        if stored is not None:
            self._dress(stored)
        self.setDocument(stored or self._make_document())

    @Slot(str)
    def append_text(self, delta: str) -> None:
        """Append streamed text; the person's cursor and place stay."""
        document, cursor, bar = self.document(), self.textCursor(), self.verticalScrollBar()
        anchor, position = cursor.anchor(), cursor.position()
        with self._written_by_program(), held(bar):
            end = QTextCursor(document)
            end.movePosition(QTextCursor.MoveOperation.End)
            end.insertText(delta)
            document.clearUndoRedoStacks()
            moved = self.textCursor()
            if (moved.anchor(), moved.position()) != (anchor, position):
                cursor.setPosition(anchor)
                cursor.setPosition(position, QTextCursor.MoveMode.KeepAnchor)
                self.setTextCursor(cursor)
        self._return_cursor()
        if self._place is not None and self._place < document.characterCount():
            self._scroll_to(self._place)
            if bar.value() < bar.maximum():
                self._place = None

    def _return_cursor(self) -> None:
        """Put the cursor where it was before the text was cleared, unless it was moved since."""
        place, cursor = self._cursor_place, self.textCursor()
        if place is None or place >= self.document().characterCount():
            return
        self._cursor_place = None
        if cursor.position() == cursor.anchor() == 0:
            cursor.setPosition(place)
            with held(self.verticalScrollBar()):
                self.setTextCursor(cursor)

    @Slot(object)
    def mark(self, place: tuple[int, int] | None) -> None:
        """Highlight a part of the text, from start to end (exclusive), and scroll to it; None for none.

        Text, selection, undo history and the highlighted matches are not touched.
        """
        if place is not None or self._marked:
            self._marked = [] if place is None else self._cursors(place)
            self._draw_marks()
            for cursor in self._marked:
                self._bring_into_sight(cursor)

    @Slot(object)
    def show_found(self, found: Found) -> None:
        """Highlight the matches in the text; if there are very many, those around the chosen one."""
        begin = max(0, (found.chosen or 0) - PLACES_LIT // 2)
        places = found.places[begin : begin + PLACES_LIT]
        if (self.text, places) != self._found_as:
            self._found_as = self.text, places
            self._found = self._cursors(*places)
            self._draw_marks()

    @Slot(object)
    def show_unsure(self, words: Sequence[tuple[int, int]]) -> None:
        """Underline words, and no others; one that is changed stays underlined until the next call."""
        if words or self._unsure:
            self._unsure = self._cursors(*words[:PLACES_LIT])
            self._draw_marks()

    @Slot(int, int)
    def select(self, start: int, end: int) -> None:
        """Select characters as a person would, and scroll to them."""
        (cursor,) = self._cursors((start, end))
        self.setTextCursor(cursor)
        self._bring_into_sight(cursor)

    @Slot(object)
    def replace(self, replacements: Sequence[tuple[int, int, str]]) -> None:
        """Replace parts of the text as a person would, to be undone in one step, if it can be edited.

        Args:
            replacements: start and end (exclusive) of each, without overlap, and what to write there.
        """
        if not self.isReadOnly():
            self._replacing = True
            try:
                replace_parts(self.document(), replacements)
            finally:
                self._replacing = False

    def replace_elsewhere(
        self, page: object, text: str, replacements: Sequence[tuple[int, int, str]]
    ) -> None:
        """Note what was replaced on a page that is not shown, so that it can be undone there.

        Args:
            page: which one.
            text: its text before.
            replacements: as for `replace`.
        """
        self._documents.replace(page, text, replacements, self._make_document)

    def setReadOnly(self, read_only: bool) -> None:
        super().setReadOnly(read_only)
        self.undo_changed.emit()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return is_for_text(source)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stay at the end, also where the lines break anew, e.g. because the scroll bar has just appeared."""
        bar = self.verticalScrollBar()
        follows = bar.value() == bar.maximum() > 0
        super().resizeEvent(event)
        if follows:
            bar.setValue(bar.maximum())

    def event(self, event: QEvent) -> bool:
        return not leaves_paste(event) and super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_marks()

    def _make_document(self) -> QTextDocument:
        document = plain_document(self)
        self._dress(document)
        return document

    def _dress(self, document: QTextDocument) -> None:
        has_history = was_edited(document)
        document.setDefaultFont(self.font())
        if not has_history:
            document.setDocumentMargin(self.fontMetrics().height() / 2)
            document.clearUndoRedoStacks()  # Qt would undo the margin

    @contextmanager
    def _written_by_program(self) -> Iterator[None]:
        self._writing = True
        try:
            yield
        finally:
            self._writing = False

    @Slot()
    def _follow_text(self) -> None:
        text = self.text
        if text == self._known_text:
            return  # Qt also reports a change of font or margin as a change of text
        self._known_text = text
        self.text_changed.emit(text)
        if not self._writing:
            self.text_edited.emit(text, not self._replacing)
            self.undo_changed.emit()  # Qt tells nothing where typing goes on that was undone in part

    @Slot()
    def _follow_selection(self) -> None:
        cursor = self.textCursor()
        selected = cursor.selectionStart(), cursor.selectionEnd()
        if not cursor.hasSelection():
            selected = (0, 0)
        if selected != self._selection:
            self._selection = selected
            self.selection_changed.emit(*_characters_at(self.text, *selected))

    @Slot()
    def _follow_cursor(self) -> None:
        if not self._writing:
            self.cursor_moved.emit(*self.selected_place)

    def _cursors(self, *places: tuple[int, int]) -> list[QTextCursor]:
        """Qt cursors for parts of the text, each from start to end (exclusive)."""
        cursors = []
        for start, end in qt_places(self.text, places):
            cursor = QTextCursor(self.document())
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursors.append(cursor)
        return cursors

    def _bring_into_sight(self, part: QTextCursor) -> None:
        """Scroll to the beginning of a part, with some lines before it; the person's own cursor stays."""
        cursor = QTextCursor(part)
        cursor.setPosition(part.selectionStart())
        bar = self.verticalScrollBar()
        for _ in range(_LOOKS_FOR_LINE):
            rect = self.cursorRect(cursor)
            if rect.top() >= 0 and rect.bottom() <= self.viewport().height():
                return
            self._place = None
            bar.setValue(_line_of(cursor) - bar.pageStep() // 3)

    @property
    def _top(self) -> int:
        """The position, as Qt counts it, where the line at the top begins."""
        block = self.firstVisibleBlock()
        line = block.layout().lineAt(self.verticalScrollBar().value() - block.firstLineNumber())
        return block.position() + (line.textStart() if line.isValid() else 0)

    def _scroll_to(self, position: int) -> None:
        """Have the line of a position, as Qt counts it, at the top, or as near to it as the text allows."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(position, self.document().characterCount() - 1))
        for _ in range(_LOOKS_FOR_LINE):
            self.verticalScrollBar().setValue(_line_of(cursor))

    @Slot()
    def _leave_place(self) -> None:
        """Return to no place: the person scrolls."""
        self._place = None

    def _draw_marks(self) -> None:
        unsure, marked = _unsure_look(self.palette()), _mark_look(self.palette())
        self.setExtraSelections(
            [
                *(_selection(cursor, unsure) for cursor in self._unsure),
                *(_selection(cursor, marked) for cursor in (*self._found, *self._marked)),
            ]
        )


def _characters_at(text: str, *qt_places: int) -> list[int]:
    """The inverse of `qt_places`; a place within a character counts as before it."""
    begins = qt_begins(text)
    return [bisect_right(begins, place) - 1 for place in qt_places]


def _line_of(cursor: QTextCursor) -> int:
    """The line of a cursor. Qt counts those of a block once it was visible, so a second look may differ."""
    block = cursor.block()
    line = block.layout().lineForTextPosition(cursor.positionInBlock()).lineNumber()
    return block.firstLineNumber() + max(0, line)


def _selection(cursor: QTextCursor, look: QTextCharFormat) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    selection.cursor, selection.format = cursor, look
    return selection


def _unsure_look(palette: QPalette) -> QTextCharFormat:
    """A wavy line on a tinted ground; not the red of misspelt words."""
    colour = QColor(_UNSURE_ON_DARK if palette.base().color().lightnessF() < 0.5 else _UNSURE_ON_LIGHT)
    look = QTextCharFormat()
    look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
    look.setUnderlineColor(colour)
    colour.setAlphaF(0.15)
    look.setBackground(colour)
    return look


def _mark_look(palette: QPalette) -> QTextCharFormat:
    """Like a selection, but light enough for the text to stay readable in its own colour."""
    colour = palette.highlight().color()
    colour.setAlphaF(0.4)
    look = QTextCharFormat()
    look.setBackground(colour)
    return look
