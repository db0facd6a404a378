"""Puts texts that were left behind back into their pages, once the files of those are open.

Nothing that was read or typed meanwhile is replaced, and the file that the texts were left in stays. Knows no
widget.
"""

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.files import is_file
from rtocr_gui.ui.state.choices import Choices
from rtocr_gui.ui.state.file_opener import FileOpener
from rtocr_gui.ui.state.kept_text import LeftBehind
from rtocr_gui.ui.state.notices import about_restored
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.page_shelf import PageShelf


class TextRestorer(QObject):
    """Awaits files and puts texts into their pages.

    Signals:
        notice_raised (Notice): which texts are in their pages again, and where the others are.

    Args:
        opener: opens the files.
        shelf: lists their pages.
        pages: the open pages.
        choices: remembers what needs to be offered no more.
        parent: Qt parent.
    """

    notice_raised = Signal(object)

    def __init__(
        self,
        opener: FileOpener,
        shelf: PageShelf,
        pages: OpenPages,
        choices: Choices,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._pages = pages
        self._choices = choices
        self._awaited: list[LeftBehind] = []
        opener.changed.connect(self._follow_opening)  # after the shelf has listed the pages of the last file

    def begin(self, left: LeftBehind) -> tuple[Path, ...]:
        """Put texts into their pages as soon as all files that are being opened, or open next, are open.

        Returns:
            The files to open: those that are there. No folder is among them, which would stand for its files.
        """
        self._awaited.append(left)
        return tuple(filter(is_file, dict.fromkeys(page.ref.path for page in left.pages)))

    @Slot(int)
    def _follow_opening(self, files_left: int) -> None:
        if not files_left:
            awaited, self._awaited = self._awaited, []
            for left in awaited:
                self._restore(left)

    def _restore(self, left: LeftBehind) -> None:
        shown = self._pages.shown_page
        is_typing = shown is not None and shown.edited  # the next words would get into another page
        there = sum(self._has(page.ref, page.text) for page in left.pages)
        found = self._pages.left_behind(left.pages)
        self._shelf.put_back(found, show=not is_typing)
        self._shelf.sort_as([page.ref for page in found.pages])
        if found.pages and not is_typing:
            self._shelf.select(next(page.ref for page in found.pages if page.text))
        others = tuple(page for page in left.pages if not self._has(page.ref, page.text))
        restored = len(left.pages) - len(others) - there
        if not others:
            self._choices.settle_text(left.path)
        self.notice_raised.emit(about_restored(restored, LeftBehind(left.path, others)))

    def _has(self, ref: PageRef, text: str) -> bool:
        page = self._pages.get(ref)
        return page is not None and page.text == text
