"""Which texts are in no file: what would be lost with a page, and what is to be kept until it is exported.

What was read and copied is no loss, as the person has it elsewhere; it is kept all the same. What was read
from a sample page is not counted. Knows neither files nor widgets.
"""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from rtocr_gui.documents.labels import told_apart
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.state.kept_text import KeptPage
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.reader import Reader
from rtocr_gui.ui.state.sample_pages import SamplePages
from rtocr_gui.ui.state.shown import Loss


class UnsavedTexts(QObject):
    """The texts of the open pages that are in no file.

    Signals:
        changed (): `texts` may have changed.

    Args:
        pages: the open pages.
        samples: which of them are the program's own.
        reader: knows which are being read.
        parent: Qt parent.
    """

    changed = Signal()

    def __init__(
        self, pages: OpenPages, samples: SamplePages, reader: Reader, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._pages = pages
        self._samples = samples
        self._reader = reader

    def loss(self, refs: Iterable[PageRef]) -> Loss:
        """What would be lost with these pages; if all their text was cleared, typed text is not counted.

        A text that is still being read does not count as text, unless it replaces a complete one.
        """
        pages = [page for page in map(self._pages.__getitem__, refs) if not self._samples.is_untouched(page)]
        unsaved = [page.settled for page in pages if not (page.is_saved or page.is_beginning)]
        typed = sum(page.edited for page in unsaved)
        return Loss(
            typed=typed if any(page.settled.text for page in pages) else 0,
            read=len(unsaved) - typed,
            in_hand=sum(self._reader.will_read_on(page.ref) for page in pages),
        )

    def texts(self) -> tuple[KeptPage, ...]:
        """The pages with text if any of it is in no file, also if it has only been read in part so far.

        A copied text counts, as most clipboards lose it with the program. Those in files are among the pages:
        without them, the next export of the others might replace these files.
        """
        settled = [page.settled for page in self._pages if not self._samples.is_untouched(page)]
        pages = [page for page in settled if page.text]
        exported = [page.saved.is_in_file(page.text) for page in pages]
        if all(exported):
            return ()
        labels = told_apart({page.ref: page.ref.label for page in pages})
        return tuple(
            KeptPage(labels[page.ref], page.text, page.ref, page.origin, is_exported)
            for page, is_exported in zip(pages, exported, strict=True)
        )

    def note_copied(self, refs: Iterable[PageRef]) -> None:
        """Note that the clipboard holds the texts of these pages, and of no others."""
        copied = set(refs)
        for page in self._pages:
            is_there = page.ref in copied and not page.settled.edited
            page.saved.copied = page.settled.text if is_there else None
