"""The recognised text: as Markdown to edit, and laid out.

Distinguishes text from a reading from text that a person typed. Places in the text are counted in
characters, as Python counts them; only this module knows that Qt counts in UTF-16. Knows no page, no file
and no clipboard.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal, Slot
from PySide6.QtGui import (
    QAction,
    QColor,
    QFontInfo,
    QPalette,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextDocumentLayout,
    QPlainTextEdit,
    QScrollArea,
    QTabWidget,
    QTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rtocr_gui.settings import LARGEST_ZOOM, SMALLEST_ZOOM
from rtocr_gui.ui.parts.arrivals import is_for_text, leaves_paste
from rtocr_gui.ui.parts.held_scroll import held
from rtocr_gui.ui.parts.plain_text import fixed_font, qt_begins
from rtocr_gui.ui.parts.wheel import zoom_by_wheel
from rtocr_gui.ui.state.shown import Found
from rtocr_gui.ui.text.safe_preview import SafePreview

PLACES_LIT = 1000
"""At most this many matches are highlighted: Qt is slow to draw more."""

UNDOABLE_PAGES = 20
"""How many previously shown pages keep their undo history."""

_LOOKS_FOR_LINE = 4


class MarkdownEditor(QPlainTextEdit):
    """A plain text editor that leaves dropped and pasted files to the window."""

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return is_for_text(source)

    def event(self, event: QEvent) -> bool:
        return not leaves_paste(event) and super().event(event)

    def scroll_to(self, cursor: QTextCursor) -> None:
        """Scroll to a place, with some lines before it; the person's own cursor stays."""
        bar, block = self.verticalScrollBar(), cursor.block()
        # Qt counts the lines of a block once it has been visible, so a second look may find it elsewhere.
        for _ in range(_LOOKS_FOR_LINE):
            rect = self.cursorRect(cursor)
            if rect.top() >= 0 and rect.bottom() <= self.viewport().height():
                return
            line = block.layout().lineForTextPosition(cursor.positionInBlock()).lineNumber()
            bar.setValue(block.firstLineNumber() + max(0, line) - bar.pageStep() // 3)


class TextPane(QWidget):
    """Shows the text of one page in tabs, with buttons below it.

    Signals:
        text_edited(str): the person changed the text; carries all of it.
        selection_changed(int, int): start and end (exclusive) of the new selection; equal if there is none.
        cursor_moved(int, int): start and end (exclusive) of the person's selection after it changed; both
            are the cursor's position if nothing is selected.
        text_replaced(): another text is shown; the cursor is at its beginning.
        zoom_changed(int): the text is this many points larger than usual.
        undo_changed(): whether something can be undone or redone may have changed.
    """

    text_edited = Signal(str)
    selection_changed = Signal(int, int)
    cursor_moved = Signal(int, int)
    text_replaced = Signal()
    zoom_changed = Signal(int)
    undo_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._page: object = None
        self._zoom = 0
        self._undoable: dict[object, QTextDocument] = {}
        self._known_text = ""
        self._writing = False
        self._selection = (0, 0)
        self._mark: QTextCursor | None = None
        self._found: list[QTextCursor] = []
        self._found_as: tuple[str, object] = "", ()

        self._editor = MarkdownEditor()
        self._editor.setDocument(_plain_document(self))
        self._editor.setAccessibleName("Recognised text as Markdown")
        self._editor.setTabChangesFocus(True)
        self._editor.textChanged.connect(self._follow_text)
        self._editor.selectionChanged.connect(self._follow_selection)
        self._editor.cursorPositionChanged.connect(self._follow_cursor)
        self._editor.undoAvailable.connect(lambda _: self.undo_changed.emit())
        self._editor.redoAvailable.connect(lambda _: self.undo_changed.emit())
        self._preview = SafePreview()
        self._preview.setAccessibleName("Preview of the recognised text")

        zoom_by_wheel(self.zoom, self._editor, self._preview)

        self._tabs = QTabWidget()
        self._tabs.setAccessibleName("Text of the page")
        self.add_tab(self._editor, "M&arkdown", "The text, to read and correct")
        self.add_tab(
            self._preview,
            "Previe&w",
            "The text with headings and tables laid out, and with lines as on the page",
        )

        self._buttons = QHBoxLayout()
        self._buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._tabs)
        column.addLayout(self._buttons)
        self._follow_appearance()

    @property
    def text(self) -> str:
        """The exact text, character by character (`toPlainText` would change hard spaces)."""
        return _text_of(self._editor.document())

    def add_tab(self, widget: QWidget, title: str, tip: str) -> None:
        """Add another view of the text in a tab.

        Args:
            widget: the view.
            title: of its tab, with a mnemonic.
            tip: what it shows, in a few words.
        """
        self._tabs.setTabToolTip(self._tabs.addTab(widget, title), tip)

    def show_tab(self, widget: QWidget) -> None:
        """Bring an added view to the front."""
        self._tabs.setCurrentWidget(widget)

    @property
    def selected_words(self) -> str:
        """What is selected within one line; empty if nothing is, or more than one line."""
        selected = self._editor.textCursor().selectedText()
        return "" if "\u2029" in selected else selected.strip()

    @property
    def can_undo(self) -> bool:
        """True if the person can undo a change of the text."""
        return not self._editor.isReadOnly() and self._editor.document().isUndoAvailable()

    @property
    def can_redo(self) -> bool:
        """True if the person can redo a change of the text."""
        return not self._editor.isReadOnly() and self._editor.document().isRedoAvailable()

    @Slot()
    def undo(self) -> None:
        """Undo the last change of the text, and show it."""
        self.show_tab(self._editor)
        self._editor.undo()

    @Slot()
    def redo(self) -> None:
        """Redo the last undone change, and show it."""
        self.show_tab(self._editor)
        self._editor.redo()

    def zoom(self, points: int) -> None:
        """Make the text larger, or smaller, within limits."""
        self.set_zoom(min(max(self._zoom + points, SMALLEST_ZOOM), LARGEST_ZOOM))
        self.zoom_changed.emit(self._zoom)

    def set_zoom(self, points: int) -> None:
        """Show the text this many points larger than usual."""
        self._zoom = points
        self._follow_appearance()

    def begin_editing(self) -> None:
        """Give the focus to the text, or to whichever view is in front."""
        front = self._tabs.currentWidget()
        inner = front.widget() if isinstance(front, QScrollArea) else None
        (inner or front).setFocus()

    @Slot(int, int)
    def mark(self, start: int, end: int) -> None:
        """Highlight characters and scroll to them; text, selection and undo history are not touched."""
        (self._mark,) = self._cursors((start, end))
        self._draw_marks()
        self._bring_into_sight(self._mark)

    @Slot()
    def clear_mark(self) -> None:
        """Remove the mark; matches stay highlighted."""
        if self._mark is not None:
            self._mark = None
            self._draw_marks()

    @Slot(object)
    def show_found(self, found: Found) -> None:
        """Highlight the matches in the text; if there are very many, those around the chosen one."""
        begin = max(0, (found.chosen or 0) - PLACES_LIT // 2)
        places = found.places[begin : begin + PLACES_LIT]
        if (self.text, places) != self._found_as:
            self._found_as = self.text, places
            self._found = self._cursors(*places)
            self._draw_marks()

    @Slot(int, int)
    def select(self, start: int, end: int) -> None:
        """Select characters as a person would, and scroll to them."""
        self.show_tab(self._editor)
        (cursor,) = self._cursors((start, end))
        self._editor.setTextCursor(cursor)
        self._bring_into_sight(cursor)

    @Slot(str)
    def show_text(self, text: str, page: object = None) -> None:
        """Replace the text; if it is the same, cursor and undo history stay.

        What was typed on a page can still be undone when it is shown again.

        Args:
            text: Markdown.
            page: whose text it is; if the page is the same as before, the scroll position stays.
        """
        if text:
            self._set_placeholder("")  # or the text, once deleted, would seem to be still awaited
        self._mark = None
        same_page = page is not None and page == self._page
        if same_page and text == self.text:
            self._draw_marks()
            return
        self._found, self._found_as = [], ("", ())
        self._draw_marks()  # Qt accesses former marks when it gets new ones, and their document may be gone
        bars = self._editor.verticalScrollBar(), self._preview.verticalScrollBar()
        positions = [bar.value() if same_page else 0 for bar in bars]
        with self._written_by_program():
            self._change_document(page, text)
            if text != self.text:
                self._editor.setPlainText(text)
        self._page = page
        self.text_replaced.emit()
        self.undo_changed.emit()
        self._preview.catch_up()
        for bar, position in zip(bars, positions, strict=True):
            bar.setValue(position)

    def forget_others(self, pages: Iterable[object]) -> None:
        """Keep the undo history of these pages only: the others are not shown again."""
        kept = set(pages)
        for page in [page for page in self._undoable if page not in kept]:
            self._undoable.pop(page).deleteLater()
        if self._page not in kept:
            self._editor.document().clearUndoRedoStacks()

    def _change_document(self, page: object, text: str) -> None:
        """Store the document with its undo history, and restore the one stored for this text of a page."""
        former, stored = self._editor.document(), self._undoable.get(page)
        if stored is not None and _text_of(stored) == text:
            del self._undoable[page]
        else:
            stored = None
        if self._page is not None and _was_edited(former):
            self._store(former)
        elif stored is not None:
            former.deleteLater()
        else:
            return
        document = stored or _plain_document(self)
        self._dress(document)
        self._editor.setDocument(document)

    def _store(self, document: QTextDocument) -> None:
        """Keep the document of the shown page for when it is shown again, or gets its text back."""
        if (replaced := self._undoable.pop(self._page, None)) is not None:
            replaced.deleteLater()
        self._undoable[self._page] = document
        if len(self._undoable) > UNDOABLE_PAGES:
            self._undoable.pop(next(iter(self._undoable))).deleteLater()

    @Slot(str)
    def append_text(self, delta: str) -> None:
        """Append streamed text; the person's cursor and scroll position stay."""
        document, cursor = self._editor.document(), self._editor.textCursor()
        anchor, position = cursor.anchor(), cursor.position()
        with self._written_by_program(), held(self._editor.verticalScrollBar()):
            end = QTextCursor(document)
            end.movePosition(QTextCursor.MoveOperation.End)
            end.insertText(delta)
            document.clearUndoRedoStacks()
            moved = self._editor.textCursor()
            if (moved.anchor(), moved.position()) != (anchor, position):
                cursor.setPosition(anchor)
                cursor.setPosition(position, QTextCursor.MoveMode.KeepAnchor)
                self._editor.setTextCursor(cursor)

    @Slot(str)
    def show_message(self, text: str, page: object = None) -> None:
        """Show a sentence in place of a missing text.

        Args:
            text: the sentence.
            page: whose text is missing.
        """
        self._set_placeholder(text)
        self.show_text("", page)

    def _set_placeholder(self, text: str) -> None:
        self._editor.setPlaceholderText(text)
        self._editor.viewport().update()  # Qt repaints it only if there was no message before
        self._preview.setPlaceholderText(text)

    def add_buttons(self, *actions: QAction) -> None:
        """Put buttons for actions below the text, where Tab finds them too."""
        before: QWidget = self._tabs
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAutoRaise(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._buttons.addWidget(button)
            self.setTabOrder(before, button)
            before = button

    @Slot(bool)
    def set_read_only(self, read_only: bool) -> None:
        """Forbid or allow editing; selecting and copying always works."""
        self._editor.setReadOnly(read_only)
        self.undo_changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._follow_appearance()

    def _follow_appearance(self) -> None:
        font = self.font()
        is_in_points = font.pointSizeF() > 0
        usual = font.pointSizeF() if is_in_points else QFontInfo(font).pointSizeF()
        font.setPointSizeF(max(1.0, usual + self._zoom))
        self._editor.setFont(fixed_font(font))
        self._preview.setFont(font)
        self._dress(self._editor.document())
        self._preview.document().setDocumentMargin(self._editor.document().documentMargin())
        self._draw_marks()

    def _dress(self, document: QTextDocument) -> None:
        was_edited = _was_edited(document)
        document.setDefaultFont(self._editor.font())
        if not was_edited:
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
        self._preview.follow(text)
        if not self._writing:
            self.text_edited.emit(text)

    @Slot()
    def _follow_selection(self) -> None:
        cursor = self._editor.textCursor()
        selected = cursor.selectionStart(), cursor.selectionEnd()
        if not cursor.hasSelection():
            selected = (0, 0)
        if selected != self._selection:
            self._selection = selected
            self.selection_changed.emit(*_characters_at(self.text, *selected))

    @Slot()
    def _follow_cursor(self) -> None:
        if not self._writing:
            cursor = self._editor.textCursor()
            places = _characters_at(self.text, cursor.selectionStart(), cursor.selectionEnd())
            self.cursor_moved.emit(*places)

    def _cursors(self, *places: tuple[int, int]) -> list[QTextCursor]:
        """Qt cursors for parts of the text, each from start to end (exclusive)."""
        cursors = []
        for start, end in _qt_places(self.text, places):
            cursor = QTextCursor(self._editor.document())
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursors.append(cursor)
        return cursors

    def _bring_into_sight(self, part: QTextCursor) -> None:
        beginning = QTextCursor(part)
        beginning.setPosition(part.selectionStart())
        self._editor.scroll_to(beginning)

    def _draw_marks(self) -> None:
        marked = []
        for cursor in (*self._found, *((self._mark,) if self._mark is not None else ())):
            selection = QTextEdit.ExtraSelection()
            selection.cursor = cursor
            selection.format.setBackground(_mark_colour(self.palette()))
            marked.append(selection)
        self._editor.setExtraSelections(marked)


def _text_of(document: QTextDocument) -> str:
    return document.toRawText().replace("\u2029", "\n").replace("\u2028", "\n")


def _was_edited(document: QTextDocument) -> bool:
    """True if there is something to undo or to redo."""
    return document.isUndoAvailable() or document.isRedoAvailable()


def _plain_document(parent: QObject) -> QTextDocument:
    document = QTextDocument(parent)
    document.setDocumentLayout(QPlainTextDocumentLayout(document))
    return document


def _qt_places(text: str, places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places in a text as Qt counts them; a place beyond the text counts as its end."""
    begins, last = qt_begins(text), len(text)
    return [(begins[min(start, last)], begins[min(end, last)]) for start, end in places]


def _characters_at(text: str, *qt_places: int) -> list[int]:
    """The inverse of `_qt_places`; a place within a character counts as before it."""
    begins = qt_begins(text)
    return [bisect_right(begins, place) - 1 for place in qt_places]


def _mark_colour(palette: QPalette) -> QColor:
    """Like a selection, but light enough for the text to stay readable in its own colour."""
    colour = palette.highlight().color()
    colour.setAlphaF(0.4)
    return colour
