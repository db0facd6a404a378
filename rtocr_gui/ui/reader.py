"""Reads pages one after another: the queue, the page in hand, and how far it is.

Asks the bridge for one reading at a time and drops answers of readings that were given up. Knows
neither widgets nor what becomes of the text.
"""

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import ReadSettings, Task
from rtocr_gui.ui.engine_bridge import EngineBridge
from rtocr_gui.ui.replies import ReadingFinished, RequestFailed, RequestStopped, StageEntered, TextStreamed
from rtocr_gui.ui.shown import Activity, PageFailure


class Reader(QObject):
    """The pages that wait to be read and the one that is being read.

    Signals (each carries one frozen value):
        began (PageRef): a page's reading was asked for.
        text_began (PageRef): its first text is about to come.
        text_streamed (TextStreamed): some more text.
        finished (Reading): it ended, by itself or stopped.
        given_up (PageRef): it was stopped before the model began with it.
        failed (PageFailure): it could not be read, and why.
        activity_changed (Activity): what is going on now.

    Args:
        bridge: reads.
        settings: gives the settings a page is read with now, and the resolution of PDF pages.
        parent: Qt parent.
    """

    began = Signal(object)
    text_began = Signal(object)
    text_streamed = Signal(object)
    finished = Signal(object)
    given_up = Signal(object)
    failed = Signal(object)
    activity_changed = Signal(object)

    def __init__(
        self,
        bridge: EngineBridge,
        settings: Callable[[PageRef], tuple[ReadSettings, float]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._settings = settings
        self._queue: deque[PageRef] = deque()
        self._activity = Activity()
        self._read_id = 0
        self._model_ready = False
        self._stopping = False
        self._used_settings: tuple[ReadSettings, float] | None = None
        bridge.stage_entered.connect(self._show_stage)
        bridge.text_streamed.connect(self._stream)
        bridge.reading_finished.connect(self._finish)
        bridge.request_stopped.connect(self._give_up)
        bridge.request_failed.connect(self._report)

    @property
    def activity(self) -> Activity:
        """What is going on."""
        return self._activity

    @property
    def used_task(self) -> Task | None:
        """What the model is asked for on the page in hand; None before the first page."""
        return self._used_settings[0].task if self._used_settings is not None else None

    def is_reading(self, ref: PageRef) -> bool:
        """True while the page is being read."""
        return self._activity.reading and self._activity.ref == ref

    def set_model_ready(self, ready: bool) -> None:
        """Pages wait until there is a model to read them."""
        self._model_ready = ready
        self._read_next()

    def read(self, refs: Iterable[PageRef]) -> None:
        """Queue pages that neither wait nor are being read in just this way already."""
        fresh = [ref for ref in refs if ref not in self._queue and not self._will_finish(ref)]
        self._queue.extend(fresh)
        self._set_activity(page_count=self._activity.page_count + len(fresh))
        if any(self.is_reading(ref) for ref in fresh):
            self._bridge.stop(self._read_id)
        self._read_next()

    def stop(self) -> None:
        """Forget the pages that wait; the reading that runs ends with its next decode step."""
        self._queue.clear()
        if self._activity.reading:
            self._stopping = True
            self._bridge.stop(self._read_id)
        else:
            self._read_next()

    def forget(self, ref: PageRef) -> None:
        """Neither begin nor go on with a page."""
        if ref in self._queue:
            self._queue.remove(ref)
            self._set_activity(page_count=self._activity.page_count - 1)
        if self.is_reading(ref):
            self._bridge.stop(self._read_id)

    def _will_finish(self, ref: PageRef) -> bool:
        """True while a page is being read with the settings of now, and nobody stopped it."""
        return self.is_reading(ref) and not self._stopping and self._used_settings == self._settings(ref)

    def _read_next(self) -> None:
        if self._activity.reading:
            return
        if not self._queue:
            self._activity = Activity()
            self.activity_changed.emit(self._activity)
        elif self._model_ready:
            ref = self._queue.popleft()
            self._stopping = False
            settings, dpi = self._used_settings = self._settings(ref)
            self._read_id = self._bridge.read_page(ref, dpi, settings)
            self._set_activity(ref=ref, page=self._activity.page + 1, tokens=0, reading=True)
            self.began.emit(ref)

    @Slot(object)
    def _show_stage(self, reply: StageEntered) -> None:
        if reply.request_id == self._read_id:
            self._set_activity(stage=reply.stage)

    @Slot(object)
    def _stream(self, reply: TextStreamed) -> None:
        if reply.request_id == self._read_id:
            if self._activity.tokens == 0:
                self.text_began.emit(reply.ref)
            self.text_streamed.emit(reply)
            self._set_activity(tokens=reply.tokens_so_far)

    @Slot(object)
    def _finish(self, reply: ReadingFinished) -> None:
        if reply.request_id == self._read_id:
            self._end_page()
            self.finished.emit(reply.reading)
            self._read_next()

    @Slot(object)
    def _give_up(self, reply: RequestStopped) -> None:
        if reply.request_id == self._read_id and self._activity.ref is not None:
            ref = self._activity.ref
            self._end_page()
            self.given_up.emit(ref)
            self._read_next()

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if failure.request_id == self._read_id and self._activity.ref is not None:
            ref = self._activity.ref
            self._end_page()
            self.failed.emit(PageFailure(ref, failure.sentence, failure.retry))
            self._read_next()

    def _end_page(self) -> None:
        self._read_id = 0
        self._activity = dataclasses.replace(self._activity, reading=False, stage=None)

    def _set_activity(self, **changes: object) -> None:
        self._activity = dataclasses.replace(self._activity, **changes)  # type: ignore[arg-type]
        self.activity_changed.emit(self._activity)
