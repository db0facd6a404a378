"""Documents of pages shown before, with what can be undone in them, for when their page is shown again.

Knows pages only as something that documents belong to, and no widget.
"""

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QPlainTextDocumentLayout

from rtocr_gui.ui.parts.plain_text import qt_begins

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

    def replace(
        self,
        page: object,
        text: str,
        replacements: Sequence[tuple[int, int, str]],
        make: Callable[[], QTextDocument],
    ) -> None:
        """Replace parts of the text of a page; if it has no document yet, only while there is room for one.

        Args:
            page: which one.
            text: its text before.
            replacements: as for `replace_parts`.
            make: makes an empty document. It leaves before all that were stored, as nobody typed there.
        """
        document = self._documents.get(page)
        if document is not None and text_of(document) != text:
            self._documents.pop(page).deleteLater()
            document = None
        if document is None:
            if len(self._documents) >= UNDOABLE_PAGES:
                return
            document = make()
            document.setPlainText(text)
            self._documents = {page: document, **self._documents}
        replace_parts(document, replacements)

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


def qt_places(text: str, places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places in a text as Qt counts them; a place beyond the text counts as its end."""
    begins, last = qt_begins(text), len(text)
    return [(begins[min(start, last)], begins[min(end, last)]) for start, end in places]


def replace_parts(document: QTextDocument, replacements: Sequence[tuple[int, int, str]]) -> None:
    """Replace parts of a text, to be undone in one step.

    Args:
        document: has the text.
        replacements: start and end (exclusive) of each, in order and without overlap, and what to write.
    """
    places = qt_places(text_of(document), [(start, end) for start, end, _ in replacements])
    step = QTextCursor(document)
    step.setPosition(places[0][0])  # where Qt puts the cursor when this is undone
    step.setPosition(places[0][1], QTextCursor.MoveMode.KeepAnchor)
    step.beginEditBlock()
    for (start, end), (_, _, text) in zip(reversed(places), reversed(replacements), strict=True):
        step.setPosition(start)
        step.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        step.insertText(text)
    step.endEditBlock()


def was_edited(document: QTextDocument) -> bool:
    """True if there is something to undo or to redo."""
    return document.isUndoAvailable() or document.isRedoAvailable()
