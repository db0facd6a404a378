"""Documents of pages shown before, with what can be undone in them, for when their page is shown again.

Knows pages only as something that documents belong to, and no widget.
"""

from collections.abc import Iterable

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QPlainTextDocumentLayout

UNDOABLE_PAGES = 20
"""How many previously shown pages keep their undo history."""


class PageDocuments:
    """Keeps the documents stored last; the others are deleted."""

    def __init__(self) -> None:
        self._documents: dict[object, QTextDocument] = {}

    def store(self, page: object, document: QTextDocument) -> None:
        """Keep the document of a page, instead of another of the same page."""
        if (replaced := self._documents.pop(page, None)) is not None:
            replaced.deleteLater()
        self._documents[page] = document
        if len(self._documents) > UNDOABLE_PAGES:
            self._documents.pop(next(iter(self._documents))).deleteLater()

    def take(self, page: object, text: str) -> QTextDocument | None:
        """Give back the document of a page if it has this text."""
        document = self._documents.get(page)
        return self._documents.pop(page) if document is not None and text_of(document) == text else None

    def forget_others(self, pages: Iterable[object]) -> None:
        """Delete the documents of all pages but these."""
        for page in self._documents.keys() - set(pages):
            self._documents.pop(page).deleteLater()


def plain_document(parent: QObject) -> QTextDocument:
    """Make an empty document for an editor of plain text."""
    document = QTextDocument(parent)
    document.setDocumentLayout(QPlainTextDocumentLayout(document))
    return document


def text_of(document: QTextDocument) -> str:
    """The exact text, character by character (`toPlainText` would change hard spaces)."""
    return document.toRawText().replace("\u2029", "\n").replace("\u2028", "\n")


def was_edited(document: QTextDocument) -> bool:
    """True if there is something to undo or to redo."""
    return document.isUndoAvailable() or document.isRedoAvailable()
