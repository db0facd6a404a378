"""Points out the words that the model was unsure of, and goes from one to the next, page by page.

Knows pages and characters, no widget.
"""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.text.unsure_words import UnsureWords
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.places_in_text import PlacesInText

REST_MS = 200
"""Words are found again once typing rests, as corrected text has to be aligned for that."""

Place = tuple[int, int]


class Proofreader(QObject):
    """Finds the unsure words of the shown page in its text, which may have been corrected.

    Signals:
        words_changed (tuple of (int, int)): start and end (exclusive) of the words to mark in the text.
        place_chosen (int, int): start and end (exclusive) of the word to show in the text.
        notice_raised (Notice): that there is no such word.

    Args:
        bridge: aligns corrected text.
        pages: the open pages.
        show: shows another page; its text is in place when it returns.
        parent: Qt parent.
    """

    words_changed = Signal(object)
    place_chosen = Signal(int, int)
    notice_raised = Signal(object)

    def __init__(
        self,
        bridge: EngineBridge,
        pages: OpenPages,
        show: Callable[[PageRef], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._pages = pages
        self._show = show
        self._on = True
        self._read: tuple[PageRef | None, str, tuple[Place, ...]] | None = None
        self._cursor: Place = (0, 0)
        self._places = PlacesInText[UnsureWords](bridge, lambda: pages.shown_text, self)
        self._rest_timer = one_shot(self, REST_MS, self._mark)

    @Slot(bool)
    def set_on(self, on: bool) -> None:
        """Start or stop marking the words."""
        self._on = on
        self._mark()

    @Slot()
    def show_page(self) -> None:
        """Another page is shown, or it was read."""
        page = self._pages.shown_page
        text, words = (page.read_text, page.unsure_words) if page is not None else ("", ())
        if (read := (self._pages.shown, text, words)) != self._read:
            self._read = read
            self._places.drop_wishes()
            self._places.set_reading(text, partial(UnsureWords, words, text))
        self._mark()

    @Slot()
    def follow_edit(self) -> None:
        """The person changed the text: no word that is still sought takes them to another page."""
        self._places.drop_wishes()
        self._rest_timer.start()

    @Slot(int, int)
    def follow_cursor(self, start: int, end: int) -> None:
        """Continue from another part of the text than the word chosen last."""
        self._cursor = start, end

    @Slot()
    def begin_text(self) -> None:
        """Start from the top: another text is shown."""
        self._cursor = (0, 0)

    @Slot()
    def go_on(self) -> None:
        """Go to the next unsure word, on this page or another; after the last comes the first."""
        self._places.use(partial(self._begin, True))

    @Slot()
    def go_back(self) -> None:
        """Go to the previous unsure word, on this page or another; before the first comes the last."""
        self._places.use(partial(self._begin, False))

    def _begin(self, forward: bool, places: UnsureWords) -> None:
        self._step(forward, self._pages.around(forward=forward), places)

    def _step(self, forward: bool, others: tuple[PageRef, ...], places: UnsureWords) -> None:
        """Go to a word of the shown page, else of the first of the others that has one."""
        if forward:
            word = next((word for word in places.words if word[0] >= self._cursor[1]), None)
        else:
            word = next((word for word in reversed(places.words) if word[1] <= self._cursor[0]), None)
        if word is not None:
            self._cursor = word
            self.place_chosen.emit(*word)
            return
        pages = map(self._pages.get, others)  # a page may leave while an edited text is aligned
        at = next((at for at, page in enumerate(pages) if page is not None and page.unsure_words), None)
        if at is None:
            self.notice_raised.emit(Notice("No unsure words are left.", is_passing=True))
            return
        if others[at] != self._pages.shown:
            self._show(others[at])
        end = len(self._pages.shown_text)
        self._cursor = (0, 0) if forward else (end, end)
        self._places.use(partial(self._step, forward, others[at + 1 :]))

    @Slot()
    def _mark(self) -> None:
        self._rest_timer.stop()
        page = self._pages.shown_page
        if self._on and page is not None and page.unsure_words:
            self._places.use(lambda places: self.words_changed.emit(places.words))
        else:
            self.words_changed.emit(())
