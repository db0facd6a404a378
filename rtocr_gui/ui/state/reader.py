"""Reads pages: the queue, the pages being read, and their progress.

Asks the bridge for as many readings at a time as the model takes, and ignores answers to requests that are
not its own. Knows neither widgets nor what becomes of the text.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import ReadSettings, Stage
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import (
    ReadingFinished,
    RequestFailed,
    RequestStopped,
    StageEntered,
    TextStreamed,
)
from rtocr_gui.ui.state.pace import Pace
from rtocr_gui.ui.state.shown import Activity, PageFailure


@dataclass(slots=True)
class _InHand:
    """A page that the bridge was asked to read.

    Attributes:
        ref: which page.
        settings: how it is read.
        stage: what the model does with it; None before it begins.
        tokens: how many were decoded so far.
        has_text: True once some of its text has come.
        is_stopped: True if the bridge was asked to stop it.
        comes_again: True if it was stopped to be read anew: it is counted once.
        is_forgotten: True if its reading is not wanted, even if it is complete.
    """

    ref: PageRef
    settings: ReadSettings
    stage: Stage | None = None
    tokens: int = 0
    has_text: bool = False
    is_stopped: bool = False
    comes_again: bool = False
    is_forgotten: bool = False


class Reader(QObject):
    """The pages that wait to be read and those that are being read.

    Signals (they carry frozen values):
        began (PageRef): a page's reading was requested.
        text_began (PageRef, Task): its first text, of this task, is about to come.
        text_streamed (TextStreamed): some more text.
        finished (Reading): it ended, by itself or stopped.
        given_up (PageRef): it was stopped before the model began with it, or forgotten.
        failed (PageFailure): why it could not be read.
        waiting_changed (tuple of PageRef): these pages are now queued, or left the queue without being read.
        activity_changed (Activity): what is going on now.

    Args:
        bridge: reads.
        settings: returns the settings a page is read with now.
        parent: Qt parent.
    """

    began = Signal(object)
    text_began = Signal(object, object)
    text_streamed = Signal(object)
    finished = Signal(object)
    given_up = Signal(object)
    failed = Signal(object)
    waiting_changed = Signal(object)
    activity_changed = Signal(object)

    def __init__(
        self,
        bridge: EngineBridge,
        settings: Callable[[PageRef], ReadSettings],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._settings = settings
        self._queue: dict[PageRef, None] = {}  # in order, and quick to look up among thousands
        self._in_hand: dict[int, _InHand] = {}
        self._ended = 0
        self._awaits_files = False
        self._pace = Pace(time.monotonic)
        self._pages_at_once = 0
        self._last_activity = Activity()
        bridge.stage_entered.connect(self._show_stage)
        bridge.text_streamed.connect(self._stream)
        bridge.reading_finished.connect(self._finish)
        bridge.request_stopped.connect(self._give_up)
        bridge.request_failed.connect(self._report)

    @property
    def activity(self) -> Activity:
        """What is going on."""
        if not (self._in_hand or self._queue or self._awaits_files):
            return Activity()
        first = next(iter(self._in_hand.values()), None)
        ending = sum(not page.comes_again for page in self._in_hand.values())
        seconds_left = self._pace.seconds_left(ending, len(self._queue))
        return Activity(
            stage=first.stage if first else None,
            page=self._ended + (first is not None),
            page_count=self._ended + ending + len(self._queue),
            tokens=sum(page.tokens for page in self._in_hand.values()),
            together=len(self._in_hand),
            awaits_files=self._awaits_files,
            seconds_left=None if self._awaits_files else seconds_left,
        )

    def is_reading(self, ref: PageRef) -> bool:
        """True while the page is being read."""
        return any(page.ref == ref for page in self._in_hand.values())

    def will_read_on(self, ref: PageRef) -> bool:
        """True while the page is being read and has not been stopped, except to be read anew."""
        return any(
            page.ref == ref and (page.comes_again or not page.is_stopped) for page in self._in_hand.values()
        )

    def is_waiting(self, ref: PageRef) -> bool:
        """True while the page is queued, also for another reading."""
        return ref in self._queue

    def set_model(self, pages_at_once: int) -> None:
        """A model that reads this many pages at once is ready: continue."""
        self._pages_at_once = pages_at_once
        self._read_on()

    def suspend(self) -> None:
        """Have all pages wait for another model, those being read before the others."""
        self._pages_at_once = 0
        self._put_back(page.ref for page in self._in_hand.values() if not page.is_stopped)
        self._tell()

    def read(self, refs: Iterable[PageRef]) -> None:
        """Queue pages that are not already queued or being read with the current settings."""
        fresh = [ref for ref in refs if ref not in self._queue and not self._will_finish(ref)]
        self._queue.update(dict.fromkeys(fresh))
        for ref in fresh:
            self._stop_page(ref, comes_again=True)
        self.waiting_changed.emit(tuple(fresh))
        self._read_on()

    def read_first(self, ref: PageRef) -> None:
        """Read a page before the queued ones, unless it is already being read with the current settings."""
        if not self._will_finish(ref):
            self._put_back((ref,))
            self._read_on()

    def await_files(self, wanted: bool) -> None:
        """Set whether more pages will be requested as soon as their files are open."""
        self._awaits_files = wanted
        self._tell()

    @Slot()
    def stop(self) -> None:
        """Clear the queue and await no more files; running readings end with their next decode step."""
        dropped, self._awaits_files = tuple(self._queue), False
        self._queue.clear()
        for page in list(self._in_hand.values()):
            self._stop_page(page.ref)
        self.waiting_changed.emit(dropped)
        self._read_on()

    @Slot(object)
    def forget(self, refs: tuple[PageRef, ...]) -> None:
        """Neither begin nor continue with these pages."""
        waiting = tuple(ref for ref in refs if ref in self._queue)
        for ref in refs:
            self._queue.pop(ref, None)
            self._stop_page(ref, is_forgotten=True)
        self.waiting_changed.emit(waiting)
        self._tell()

    @Slot(object)
    def rename(self, names: Mapping[PageRef, PageRef]) -> None:
        """Pages were rotated: those queued or being read are read in their new rotation."""
        self._put_back(
            page.ref for page in self._in_hand.values() if page.ref in names and not page.is_stopped
        )
        self._queue = dict.fromkeys(names.get(ref, ref) for ref in self._queue)
        self._read_on()

    @Slot(object)
    def exchange(self, others: Mapping[PageRef, tuple[PageRef, ...]]) -> None:
        """Pages were split, joined or cropped: those queued are read in their new parts."""
        self._queue = dict.fromkeys(new for ref in self._queue for new in others.get(ref, (ref,)))

    @Slot(object)
    def reorder(self, refs: Iterable[PageRef]) -> None:
        """All pages were put into this order: those queued are read in it, even those that came first."""
        self._queue = dict.fromkeys(ref for ref in refs if ref in self._queue)

    def _put_back(self, refs: Iterable[PageRef]) -> None:
        """Stop pages that are being read, and queue these pages before the others."""
        first = tuple(refs)
        self._queue = dict.fromkeys((*first, *self._queue))
        for ref in first:
            self._stop_page(ref, comes_again=True)
        self.waiting_changed.emit(first)

    def _stop_page(self, ref: PageRef, *, comes_again: bool = False, is_forgotten: bool = False) -> None:
        for read_id, page in self._in_hand.items():
            if page.ref.unrotated == ref.unrotated:
                page.is_stopped = True
                page.comes_again = comes_again
                page.is_forgotten |= is_forgotten
                self._bridge.stop(read_id)

    def _will_finish(self, ref: PageRef) -> bool:
        """True while a page is being read with the current settings and has not been stopped."""
        return any(
            page.ref == ref and not page.is_stopped and page.settings == self._settings(ref)
            for page in self._in_hand.values()
        )

    def _read_on(self) -> None:
        """Begin as many of the queued pages as there is room for."""
        while len(self._in_hand) < self._pages_at_once:
            in_hand = {page.ref.unrotated for page in self._in_hand.values()}
            ref = next((ref for ref in self._queue if ref.unrotated not in in_hand), None)
            if ref is None:
                break
            with_others = len(self._in_hand) + len(self._queue) > 1
            del self._queue[ref]
            settings = self._settings(ref)
            read_id = self._bridge.read_page(ref, settings, with_others)
            self._in_hand[read_id] = _InHand(ref, settings)
            self._pace.begin()
            self.began.emit(ref)
        self._tell()

    @Slot(object)
    def _show_stage(self, reply: StageEntered) -> None:
        page = self._in_hand.get(reply.request_id)
        if page is not None:
            page.stage = reply.stage
            self._tell()

    @Slot(object)
    def _stream(self, reply: TextStreamed) -> None:
        page = self._in_hand.get(reply.request_id)
        if page is not None and not page.is_stopped:
            if not page.has_text:
                page.has_text = True
                self.text_began.emit(reply.ref, page.settings.task)
            self.text_streamed.emit(reply)
            page.tokens = reply.tokens_so_far
            self._tell()

    @Slot(object)
    def _finish(self, reply: ReadingFinished) -> None:
        page = self._end(reply.request_id)
        if page is not None:
            if page.is_forgotten:
                self.given_up.emit(page.ref)
            else:
                self.finished.emit(reply.reading)
            self._read_on()

    @Slot(object)
    def _give_up(self, reply: RequestStopped) -> None:
        page = self._end(reply.request_id)
        if page is not None:
            self.given_up.emit(page.ref)
            self._read_on()

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        page = self._end(failure.request_id)
        if page is None:
            return
        if page.is_forgotten or (page.is_stopped and page.stage is None):
            self.given_up.emit(page.ref)
        else:
            self.failed.emit(PageFailure.of(page.ref, failure))
        self._read_on()

    def _end(self, read_id: int) -> _InHand | None:
        page = self._in_hand.pop(read_id, None)
        if page is not None and not (page.comes_again or page.is_forgotten):
            self._ended += 1
            self._pace.end_page(len(self._in_hand))
        return page

    def _tell(self) -> None:
        activity = self.activity
        if activity.is_idle:
            self._ended = 0
        if not activity.reading:
            self._pace.reset()
        if activity != self._last_activity:
            self._last_activity = activity
            self.activity_changed.emit(activity)
