"""The texts of the open pages as readings and the person change them, and the state of each page.

Follows the reader, and protects what a person typed. Knows neither the bridge nor widgets.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import Reading, Task
from rtocr_gui.ui.background.replies import TextStreamed
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.notices import (
    Offer,
    ReadAgain,
    ReadHalves,
    about_failure,
    about_page,
    about_put_back,
    about_replaced,
)
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.page_words import explanation_of, placeholder_of, summary_of
from rtocr_gui.ui.state.reader import Reader
from rtocr_gui.ui.state.shown import (
    NO_PAGE_NO_BLOCKS,
    PageFailure,
    PageStatus,
    Replacing,
    ShownText,
    TextChange,
)

EARLIER_VERSION = "This is an earlier version of the file; only its text is left."

BLOCKS_MS = 100
"""Interval at which the blocks of a page being read are parsed, at most."""


class PageTexts(QObject):
    """Reports the text of one page at a time, and the state of every page.

    Signals (each carries one frozen value):
        text_changed (ShownText), reading_changed (Reading or None), blocks_changed (BlocksShown): of the
            shown page, always in this order; blocks also by themselves while text is appended.
        text_appended (str), summary_changed (str): of the shown page.
        replacements_chosen (tuple of (int, int, str)): of the shown page: start and end (exclusive) of parts
            of the text, and what to write there as a person would.
        replaced_elsewhere (TextChange): what was replaced on a page that is not shown.
        edited (): the person changed the text of the shown page.
        page_status_changed (PageStatus): of any page.
        notice_raised (Notice): a message to the person.

    Args:
        pages: the open pages.
        reader: reads them.
        parent: Qt parent.
    """

    text_changed = Signal(object)
    text_appended = Signal(str)
    summary_changed = Signal(str)
    reading_changed = Signal(object)
    blocks_changed = Signal(object)
    replacements_chosen = Signal(object)
    replaced_elsewhere = Signal(object)
    edited = Signal()
    page_status_changed = Signal(object)
    notice_raised = Signal(object)

    def __init__(self, pages: OpenPages, reader: Reader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pages = pages
        self._reader = reader
        self._outlook = ""
        self._blocks_timer = one_shot(self, BLOCKS_MS, self._show_blocks)
        reader.waiting_changed.connect(self.tell_states)
        reader.began.connect(self._mark_reading)
        reader.text_began.connect(self._begin)
        reader.text_streamed.connect(self._append)
        reader.finished.connect(self._keep)
        reader.given_up.connect(self._give_up)
        reader.failed.connect(self._fail)

    def show(self) -> None:
        """Report the text of the shown page: it is another one, or can be told otherwise."""
        page = self._pages.shown_page
        if page is None:
            self.text_changed.emit(ShownText("", True, "Open a scan to read its text.", ""))
            self.reading_changed.emit(None)
            self._show_blocks()
            return
        reading = self._reader.is_reading(page.ref)
        waits = self._reader.is_waiting(page.ref)
        placeholder = "Waiting to be read." if waits else placeholder_of(page, self._outlook)
        self.text_changed.emit(ShownText(page.text, reading, placeholder, summary_of(page)))
        self.reading_changed.emit(None if page.is_turned else page.reading)
        self._show_blocks()

    def set_outlook(self, outlook: str) -> None:
        """Set what is known of the text of the shown page before it is read; empty for nothing."""
        if outlook != self._outlook:
            self._outlook = outlook
            page = self._pages.shown_page
            if page is not None and page.state is PageState.UNREAD:
                self.show()

    def of(self, refs: Iterable[PageRef]) -> Iterator[str]:
        """The texts of those of these pages that have one, complete if there is a complete one."""
        for page in map(self._pages.get, refs):
            if page is not None and page.settled.text:
                yield page.settled.text

    @property
    def is_any(self) -> bool:
        """True if any page has a text."""
        return any(page.settled.text for page in self._pages)

    @property
    def is_any_unsure(self) -> bool:
        """True if the model was unsure of a word on any page."""
        return any(page.unsure_words for page in self._pages)

    def edit(self, text: str, *, by_hand: bool = True) -> None:
        """Take over what the person typed. The page is then no longer waiting or being read.

        Args:
            text: all of it.
            by_hand: as for `OpenPage.edit`.
        """
        page = self._pages.shown_page
        if page is None or page.text == text:
            return
        before, was_empty = _outline(page), not page.text
        page.edit(text, by_hand=by_hand)
        self._reader.forget((page.ref,))
        if _outline(page) != before:
            self._announce(page)
        if not text:
            self.show()  # what is told in place of the text may have changed
        elif _outline(page) != before or was_empty:
            self.summary_changed.emit(summary_of(page))
        self.edited.emit()

    @Slot(object)
    def replace_words(self, wanted: Replacing) -> None:
        """Replace words on several pages, except those that are being read, and offer to take that back."""
        made = self._make(wanted.changes)
        left_alone = len(wanted.changes) - len(made)
        self.notice_raised.emit(about_replaced(replace(wanted, changes=made), left_alone))

    def put_words_back(self, replaced: Replacing) -> None:
        """Write again what was replaced, except on pages that were changed since."""
        made = self._make([change.reverse for change in replaced.changes])
        texts = {page.ref.unrotated: page.text for page in self._pages}
        written = {change.ref for change in made}
        left_alone = tuple(
            change
            for change in replaced.changes
            if change.ref not in written and texts.get(change.ref.unrotated) != change.text
        )
        self.notice_raised.emit(
            about_put_back(replace(replaced, changes=made), replace(replaced, changes=left_alone))
        )

    def _make(self, changes: Iterable[TextChange]) -> tuple[TextChange, ...]:
        """Change texts; a page that has another text by now, or soon will, is left alone.

        Returns:
            The changes that were made.
        """
        pages = {page.ref.unrotated: page for page in self._pages}
        made = []
        for change in changes:
            page = pages.get(change.ref.unrotated)
            if page is None or page.text != change.text:
                continue
            if self._reader.is_reading(page.ref) or self._reader.is_waiting(page.ref):
                continue
            if page is self._pages.shown_page:
                self.replacements_chosen.emit(change.replacements)
            else:
                page.edit(change.changed_text, by_hand=False)
                self.replaced_elsewhere.emit(change)
                self._announce(page)
            made.append(change)
        return tuple(made)

    @Slot(object)
    def tell_states(self, refs: Iterable[PageRef]) -> None:
        """Report the state of pages; those that are not open are ignored."""
        for page in map(self._pages.get, refs):
            if page is not None:
                self._tell_of(page)

    def tell_anew(self) -> None:
        """Report the state of all pages again: their possible actions have changed."""
        for page in self._pages:
            self._announce(page)
        self.show()

    def blame_picture(self, failure: PageFailure) -> None:
        """Note why a page has no picture, and tell if its file only has to be opened again."""
        failure = self._explained(failure)
        self._set_picture_problem(failure.ref, failure.sentence)
        if failure.may_reopen:
            self._tell_failure(failure)

    def _explained(self, failure: PageFailure) -> PageFailure:
        """Say that the file has a newer version, if that is why a page of the earlier one failed."""
        is_earlier = failure.lacks_file and self._pages.has_newer(failure.ref)
        return PageFailure(failure.ref, EARLIER_VERSION) if is_earlier else failure

    def _tell_failure(self, failure: PageFailure, offers: tuple[Offer, ...] = ()) -> None:
        self.notice_raised.emit(about_failure(failure, self._pages.name_of(failure.ref), offers))

    def forgive_picture(self, ref: PageRef) -> None:
        """Note that a page has a picture again."""
        self._set_picture_problem(ref, "")

    def _set_picture_problem(self, ref: PageRef, sentence: str) -> None:
        page = self._pages[ref]
        if page.picture_problem != sentence:
            page.picture_problem = sentence
            self._tell_of(page)

    @Slot(object)
    def forgive_failures(self, path: Path) -> None:
        """Forget why pages of a file could not be read or shown, as it was opened again."""
        for page in self._pages.of_file(path):
            if page.has_failed:
                page.forgive()
                page.picture_problem = EARLIER_VERSION if self._pages.has_newer(page.ref) else ""
                self._tell_of(page)

    @Slot(object)
    def _mark_reading(self, ref: PageRef) -> None:
        page = self._pages.get(ref)
        if page is not None:
            page.begin()
            self._tell_of(page)

    @Slot(object, object)
    def _begin(self, ref: PageRef, task: Task) -> None:
        page = self._pages.get(ref)
        if page is not None:
            page.begin_text(task)
            self._show_if(page)

    @Slot(object)
    def _append(self, reply: TextStreamed) -> None:
        page = self._pages.get(reply.ref)
        if page is None:
            return
        before = page.text
        page.stream(reply.text)
        if page is not self._pages.shown_page:
            return
        if page.text.startswith(before):
            self.text_appended.emit(page.text[len(before) :])
        else:
            self.show()  # what looked like text turned out to be markup
        if not self._blocks_timer.isActive():
            self._blocks_timer.start()

    @Slot()
    def _show_blocks(self) -> None:
        page = self._pages.shown_page
        self.blocks_changed.emit(page.blocks if page is not None else NO_PAGE_NO_BLOCKS)

    @Slot(object)
    def _keep(self, reading: Reading) -> None:
        page = self._pages.get(reading.ref)
        if page is not None:
            page.finish(reading)
            self._tell_of(page)
            if page.retry_scaling is not None or page.is_too_long:
                name = self._pages.name_of(page.ref)
                self.notice_raised.emit(about_page(page.ref, name, page.sentence, _ways_out(page)))

    @Slot(object)
    def _give_up(self, ref: PageRef) -> None:
        page = self._pages.get(ref)
        if page is not None:
            page.give_up()
            self._tell_of(page)

    @Slot(object)
    def _fail(self, failure: PageFailure) -> None:
        page = self._pages.get(failure.ref)
        if page is not None:
            failure = self._explained(failure)
            page.fail(failure.sentence, failure.retry)
            self._tell_of(page)
            self._tell_failure(failure, _ways_out(page))

    def _tell_of(self, page: OpenPage) -> None:
        self._announce(page)
        self._show_if(page)

    def _show_if(self, page: OpenPage) -> None:
        if page is self._pages.shown_page:
            self.show()

    def _announce(self, page: OpenPage) -> None:
        waits = self._reader.is_waiting(page.ref)
        state = PageState.WAITING if waits else page.shown_state
        self.page_status_changed.emit(PageStatus(page.ref, state, "" if waits else explanation_of(page)))


def _outline(page: OpenPage) -> tuple[PageState, bool]:
    """What its state and its summary depend on while it is edited."""
    return page.state, page.corrected


def _ways_out(page: OpenPage) -> tuple[Offer, ...]:
    """What else a person can do with a page whose newest reading failed or was cut."""
    if page.retry_scaling is not None:
        return (ReadAgain(page.ref, page.retry_scaling),)
    if page.is_too_long:
        return tuple(ReadHalves(page.ref, beside) for beside in (False, True))
    return ()
