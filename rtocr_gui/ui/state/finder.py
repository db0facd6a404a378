"""Searches the texts of all open pages for words, and goes from one match to the next.

Knows pages and characters, no widget.
"""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.text.text_search import find_occurrences, replacement
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.shown import Found, Replacing, TextChange

Place = tuple[int, int]

SLICE_S = 0.03
"""How long other pages are searched before what is found so far is shown, and the window gets its turn."""

REFRESH_MS = 100
"""Interval at which texts are searched, at most, while they stream in or many pages change in a row."""


class Finder(QObject):
    """Finds the words that the person typed, first on the shown page.

    Signals:
        found_changed (Found): what was found, on the shown page and elsewhere.
        place_chosen (int, int): start and end (exclusive) of the match to show in the text.
        replacements_chosen (tuple of (int, int, str)): start and end (exclusive) of matches in the text, and
            what to write there.
        replacing_chosen (Replacing): the same of several pages.

    Args:
        pages: the pages whose texts are searched.
        show: shows another page; its text is in place when it returns.
        parent: Qt parent.
    """

    found_changed = Signal(object)
    place_chosen = Signal(int, int)
    replacements_chosen = Signal(object)
    replacing_chosen = Signal(object)

    def __init__(
        self,
        pages: OpenPages,
        show: Callable[[PageRef], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._pages = pages
        self._show = show
        self._words = ""
        self._cursor: Place = (0, 0)
        self._found: dict[PageRef, tuple[str, tuple[Place, ...]]] = {}
        self._last_found = Found()
        self._unsearched: list[PageRef] = []
        self._search_timer = one_shot(self, 0, self._search_on)
        self._refresh_timer = one_shot(self, REFRESH_MS, self.refresh)

    @Slot(str)
    def search(self, words: str) -> None:
        """Search for words, and go to the first match at or after the cursor, else the first on this page."""
        if not words:
            self.stop()
            return
        self._take(words)
        places = self._places(self._pages.shown)
        begins = self._cursor[0]
        self._choose(next((place for place in places if place[0] >= begins), next(iter(places), None)))

    @Slot()
    def stop(self) -> None:
        """End the search."""
        self._take("")
        self.found_changed.emit(Found())

    @Slot(str)
    def go_on(self, words: str) -> None:
        """Go to the next match, on this page or another; after the last comes the first."""
        self._take(words)
        following = [place for place in self._places(self._pages.shown) if place[0] >= self._cursor[1]]
        self._choose(following[0] if following else self._first_elsewhere(forward=True))

    @Slot(str)
    def go_back(self, words: str) -> None:
        """Go to the previous match, on this page or another; before the first comes the last."""
        self._take(words)
        before = [place for place in self._places(self._pages.shown) if place[1] <= self._cursor[0]]
        self._choose(before[-1] if before else self._first_elsewhere(forward=False))

    @Slot(str, str)
    def replace(self, words: str, by: str) -> None:
        """Replace the chosen match, and go to the next one; if none is chosen, only go there."""
        self._take(words)
        if self._cursor in self._places(self._pages.shown):
            self._replace((self._cursor,), by)
        self.go_on(words)

    @Slot(str, str)
    def replace_all(self, words: str, by: str) -> None:
        """Replace all matches on the shown page; if it has none, go to the next one."""
        self._take(words)
        if places := self._places(self._pages.shown):
            self._replace(places, by)
        else:
            self.go_on(words)

    @Slot(str, str)
    def replace_everywhere(self, words: str, by: str) -> None:
        """Replace all matches on all pages."""
        self._take(words)
        changes = tuple(
            TextChange(page.ref, page.text, self._replacements(page.text, places, by))
            for page in self._pages
            if (places := self._places(page.ref))
        )
        self.replacing_chosen.emit(Replacing(self._words.strip(), by, changes))

    def _replace(self, places: tuple[Place, ...], by: str) -> None:
        self.replacements_chosen.emit(self._replacements(self._pages.shown_text, places, by))

    def _replacements(
        self, text: str, places: tuple[Place, ...], by: str
    ) -> tuple[tuple[int, int, str], ...]:
        words = self._words.strip()
        return tuple((start, end, replacement(text[start:end], words, by)) for start, end in places)

    @Slot(int, int)
    def follow_cursor(self, start: int, end: int) -> None:
        """Continue from another part of the text than the match chosen last."""
        if (start, end) != self._cursor:
            self._cursor = start, end
            self.refresh()

    @Slot()
    def begin_text(self) -> None:
        """Start from the top: another text is shown."""
        self._cursor = (0, 0)

    @Slot()
    def refresh_soon(self) -> None:
        """Schedule a refresh: texts or pages are changing."""
        if self._words and not self._refresh_timer.isActive():
            self._refresh_timer.start()

    @Slot()
    def refresh(self) -> None:
        """Report the matches again: a text or the set of pages changed."""
        if not self._words:
            return
        self._found = {ref: found for ref, found in self._found.items() if ref in self._pages}
        places = self._places(self._pages.shown)
        chosen = places.index(self._cursor) if self._cursor in places else None
        known, self._unsearched = 0, []
        for page in self._pages:
            if page is self._pages.shown_page:
                continue
            text, found = self._found.get(page.ref, (None, ()))
            if text == page.text:
                known += len(found)
            else:
                self._unsearched.append(page.ref)
        unread = sum(page.reading is None and not page.text and not page.edited for page in self._pages)
        self._last_found = Found(self._words.strip(), places, chosen, known, unread)
        self._search_on()

    @Slot()
    def _search_on(self) -> None:
        """Search other pages for a while, and report; if there are more, once the window has had its turn."""
        elsewhere, until_s = self._last_found.elsewhere, monotonic() + SLICE_S
        while self._unsearched:
            elsewhere += len(self._places(self._unsearched.pop()))
            if monotonic() > until_s:
                break
        self._last_found = replace(self._last_found, elsewhere=elsewhere)
        self.found_changed.emit(self._last_found)
        if self._unsearched:
            self._search_timer.start()

    def _take(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self._found.clear()
            self._search_timer.stop()

    def _choose(self, place: Place | None) -> None:
        if place is not None:
            self._cursor = place
            self.place_chosen.emit(*place)
        self.refresh()

    def _first_elsewhere(self, *, forward: bool) -> Place | None:
        """Show the next page with a match, this one last. Returns its first match, or its last going back."""
        ref = next((ref for ref in self._pages.around(forward=forward) if self._places(ref)), None)
        if ref is None or self._pages.shown is None:
            return None
        if ref != self._pages.shown:
            self._show(ref)
        return self._places(ref)[0 if forward else -1]

    def _places(self, ref: PageRef | None) -> tuple[Place, ...]:
        page = self._pages.get(ref)
        if page is None:
            return ()
        known = self._found.get(page.ref)
        if known is None or known[0] != page.text:
            known = self._found[page.ref] = (page.text, find_occurrences(page.text, self._words))
        return known[1]
