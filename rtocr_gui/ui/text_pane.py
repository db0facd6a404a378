"""The recognised text: as Markdown to edit, and as it will look.

Tells text that a reading wrote from text that a person typed. Knows no page, no file and no
clipboard; the preview opens no link and loads nothing that the text names.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QMimeData, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QFontDatabase, QImage, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QScrollBar,
    QTabWidget,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rtocr_gui.ui.icons import icon

PREVIEW_MS = 200
"""The preview follows the text at most this often."""

_TABLE_STYLE = "table { border-collapse: collapse } td, th { border: 1px solid gray; padding: 3px }"


class SafePreview(QTextBrowser):
    """Renders Markdown that nobody has vetted: no file, no network, no link is followed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.document().setDefaultStyleSheet(_TABLE_STYLE)
        self._blank = QImage(1, 1, QImage.Format.Format_ARGB32)
        self._blank.fill(0)

    def loadResource(self, kind: int, _name: QUrl | str) -> object:
        """Give a blank picture for every picture, for Qt opens the file itself if it gets none."""
        return self._blank if kind == QTextDocument.ResourceType.ImageResource.value else None


class MarkdownEditor(QPlainTextEdit):
    """A plain text editor that leaves dropped and pasted files to the window."""

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not any(url.isLocalFile() for url in source.urls())


class TextPane(QWidget):
    """Shows the text of one page in two tabs, with a bar to copy and export it.

    Signals:
        text_edited(str): the person changed the text; all of it.
        copy_requested(): the text should go to the clipboard.
        export_requested(): the text should go to a file.
    """

    text_edited = Signal(str)
    copy_requested = Signal()
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._page: object = None
        self._known_text = ""
        self._writing = False
        self._preview_is_stale = False
        self._preview_timer = QTimer(self)
        self._preview_timer.setSingleShot(True)
        self._preview_timer.setInterval(PREVIEW_MS)
        self._preview_timer.timeout.connect(self._render_preview)

        self._editor = MarkdownEditor()
        self._editor.setAccessibleName("Recognised text as Markdown")
        self._editor.setTabChangesFocus(True)
        self._editor.textChanged.connect(self._follow_text)
        self._preview = SafePreview()
        self._preview.setAccessibleName("Preview of the recognised text")

        self._tabs = QTabWidget()
        self._tabs.addTab(self._editor, "M&arkdown")
        self._tabs.addTab(self._preview, "&Preview")
        self._tabs.setTabToolTip(0, "The text, to read and correct")
        self._tabs.setTabToolTip(1, "The text as it will look")
        self._tabs.currentChanged.connect(self._render_preview)

        self._copy = self._button("Copy", "Copy the text of this page", self.copy_requested.emit)
        self._export = self._button("Export", "Save the text as Markdown", self.export_requested.emit)
        bar = QHBoxLayout()
        bar.addStretch()
        bar.addWidget(self._copy)
        bar.addWidget(self._export)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._tabs)
        column.addLayout(bar)
        self._follow_appearance()

    @property
    def text(self) -> str:
        """The text as it stands, character for character (`toPlainText` would change hard spaces)."""
        return self._editor.document().toRawText().replace("\u2029", "\n").replace("\u2028", "\n")

    @Slot(str)
    def show_text(self, text: str, page: object = None) -> None:
        """Replace the text.

        Args:
            text: Markdown.
            page: whose text it is; with the same page as before, the scroll position stays.
        """
        bars = self._editor.verticalScrollBar(), self._preview.verticalScrollBar()
        same_page = page is not None and page == self._page
        positions = [bar.value() if same_page else 0 for bar in bars]
        self._page = page
        with self._written_by_program():
            self._editor.setPlainText(text)
        self._render_preview()
        for bar, position in zip(bars, positions, strict=True):
            bar.setValue(position)

    @Slot(str)
    def append_text(self, delta: str) -> None:
        """Add streamed text at the end; the person's cursor and scroll position stay."""
        document, cursor = self._editor.document(), self._editor.textCursor()
        anchor, position = cursor.anchor(), cursor.position()
        with self._written_by_program(), _held(self._editor.verticalScrollBar()):
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
        """Show a sentence where there is no text yet.

        Args:
            text: the sentence.
            page: whose text is missing.
        """
        self._editor.setPlaceholderText(text)
        self._preview.setPlaceholderText(text)
        self.show_text("", page)

    @Slot(bool)
    def set_read_only(self, read_only: bool) -> None:
        """Forbid or allow editing; selecting and copying always works."""
        self._editor.setReadOnly(read_only)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._follow_appearance()

    def _button(self, text: str, tip: str, wish: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAutoRaise(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setEnabled(False)
        button.clicked.connect(wish)
        return button

    def _follow_appearance(self) -> None:
        self._copy.setIcon(icon("copy", self.palette()))
        self._export.setIcon(icon("export", self.palette()))
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        self._editor.setFont(font)
        for document in (self._editor.document(), self._preview.document()):
            document.setDocumentMargin(self.fontMetrics().height() / 2)
        self._preview_is_stale = True  # it was drawn with the colours from before
        self._render_preview()

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
            return  # Qt also calls a change of font or margin a change of text
        self._known_text = text
        self._copy.setEnabled(bool(text))
        self._export.setEnabled(bool(text))
        self._preview_is_stale = True
        if self._preview.isVisible() and not self._preview_timer.isActive():
            self._preview_timer.start()
        if not self._writing:
            self.text_edited.emit(text)

    @Slot()
    def _render_preview(self) -> None:
        if self._preview_is_stale and self._tabs.currentWidget() is self._preview:
            self._preview_is_stale = False
            with _held(self._preview.verticalScrollBar()):
                self._preview.setMarkdown(self._known_text)


@contextmanager
def _held(bar: QScrollBar) -> Iterator[None]:
    """Keep a scroll bar where it is; at its end, keep it at the end."""
    position, follows = bar.value(), bar.value() == bar.maximum()
    yield
    bar.setValue(bar.maximum() if follows else position)
