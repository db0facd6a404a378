"""Copies the text of pages, and watches for how long the clipboard holds it. Knows no widget."""

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.page_shelf import PageShelf
from rtocr_gui.ui.state.page_texts import PageTexts
from rtocr_gui.ui.state.unsaved_texts import UnsavedTexts
from rtocr_gui.units import counted


class TextCopier(QObject):
    """Puts texts into the clipboard.

    Signals:
        notice_raised (Notice): whose text was copied.

    Args:
        shelf: knows which pages are selected.
        texts: the texts of the pages.
        unsaved: is told which of them the clipboard holds.
        parent: Qt parent.
    """

    notice_raised = Signal(object)

    def __init__(
        self, shelf: PageShelf, texts: PageTexts, unsaved: UnsavedTexts, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._texts = texts
        self._unsaved = unsaved
        self._clipboard = QGuiApplication.clipboard()
        self._copied = ""
        self._clipboard.dataChanged.connect(self._compare)

    @Slot()
    def copy_selected(self) -> None:
        """Put the text of the selected pages into the clipboard, in place of what it holds."""
        self.copy(self._shelf.selected)

    def copy(self, refs: tuple[PageRef, ...]) -> None:
        """Put the text of pages into the clipboard, in place of what it holds, if they have any."""
        texts = tuple(self._texts.of(refs))
        if not texts:
            return
        self._copied = "\n\n".join(texts)
        self._clipboard.setText(self._copied)
        self._unsaved.note_copied(refs)
        whose = "this page" if refs == (self._shelf.current,) else counted(len(texts), "page")
        self.notice_raised.emit(Notice(f"Copied the text of {whose}.", is_passing=True))

    @Slot()
    def _compare(self) -> None:
        """Compare what the clipboard holds: on Windows, the news of our own copying comes late."""
        if not (self._clipboard.ownsClipboard() and self._clipboard.text() == self._copied):
            self._unsaved.note_copied(())
