"""Compares two readings of the shown page, and requests those that do not exist yet.

Asks the bridge to read and to compare, and drops answers that are no longer wanted. The text of the
page itself is never touched. Knows no widget.
"""

import dataclasses
from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.truth import find_truth
from rtocr_gui.errors import DocumentError
from rtocr_gui.ocr.reading import Reading, ReadSettings
from rtocr_gui.ocr.text.comparison import character_error_rate, compare_texts
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import (
    Computed,
    ReadingFinished,
    RequestFailed,
    StageEntered,
    TextStreamed,
)
from rtocr_gui.ui.state.shown import ComparisonShown, pruning_label
from rtocr_gui.units import counted

STOPPED = "Stopped before both readings were complete."


class Comparer(QObject):
    """One comparison at a time, of two readings of one page.

    Signals:
        comparison_changed (ComparisonShown or None): what to show; None once page, mode, task or model
            have changed.
        activity_changed (str, bool): what is going on or why it ended, and whether it can be stopped;
            an empty sentence if there is nothing to say.
        page_read (Reading): a complete reading made for a comparison; worth keeping for the next one.

    Args:
        bridge: reads and compares.
        parent: Qt parent.
    """

    comparison_changed = Signal(object)
    activity_changed = Signal(str, bool)
    page_read = Signal(object)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._page: tuple[PageRef, ReadSettings, int] | None = None
        self._wanted: tuple[ReadSettings, ReadSettings] | None = None
        self._readings: dict[ReadSettings, Reading] = {}
        self._read_id = self._compare_id = 0
        bridge.stage_entered.connect(self._note_stage)
        bridge.text_streamed.connect(self._note_text)
        bridge.reading_finished.connect(self._keep)
        bridge.computed.connect(self._show)
        bridge.request_failed.connect(self._report)

    @property
    def running(self) -> bool:
        """True while a comparison is being made."""
        return self._wanted is not None

    def show_page(self, ref: PageRef | None, settings: ReadSettings, page_count: int = 1) -> None:
        """Compare readings of another page, or with other settings, from now on.

        Args:
            ref: the shown page; None for none.
            settings: mode, task and limits of the readings; their pruning does not matter.
            page_count: how many pages its file has.
        """
        unpruned = dataclasses.replace(settings, pruning=PruneSettings())
        page = (ref, unpruned, page_count) if ref is not None else None
        if page != self._page:
            self._page = page
            self.forget()

    def forget(self) -> None:
        """Give up and show nothing: another page is shown, or another model reads."""
        self._give_up()
        self.activity_changed.emit("", False)
        self.comparison_changed.emit(None)

    def compare(
        self, left: PruneSettings, right: PruneSettings, readings: Mapping[ReadSettings, Reading]
    ) -> None:
        """Compare two readings; what is shown stays until the new comparison is ready.

        Args:
            left: pruning of the reference reading.
            right: pruning of the reading compared with it.
            readings: complete ones that the page already has, by the loaded model.
        """
        self._give_up()
        if self._page is None:
            return
        _, settings, _ = self._page
        self._wanted = (
            dataclasses.replace(settings, pruning=left),
            dataclasses.replace(settings, pruning=right),
        )
        self._readings = {each: readings[each] for each in self._wanted if each in readings}
        self._go_on()

    def stop(self) -> None:
        """Give up; what is shown stays."""
        if self.running:
            self._give_up()
            self.activity_changed.emit(STOPPED, False)

    def _give_up(self) -> None:
        self._bridge.stop(self._read_id)
        self._wanted = None
        self._read_id = self._compare_id = 0

    def _go_on(self) -> None:
        """Request the next missing reading, or compare once none is missing."""
        if self._page is None or self._wanted is None:
            return
        ref, _, page_count = self._page
        left, right = self._wanted
        missing = next((settings for settings in self._wanted if settings not in self._readings), None)
        if missing is not None:
            self._read_id = self._bridge.read_page(ref, missing)
            self.activity_changed.emit("Waiting for the model…", True)
        else:
            readings = self._readings[left], self._readings[right]
            self._compare_id = self._bridge.compute(partial(_compare, *readings, page_count))
            self.activity_changed.emit("Comparing…", True)

    def _tell_reading(self, tokens: int) -> None:
        if self._wanted is not None:
            settings = next(wanted for wanted in self._wanted if wanted not in self._readings)
            so_far = f" {counted(tokens, 'token')} so far" if tokens else ""
            self.activity_changed.emit(f"Reading: {pruning_label(settings.pruning)}…{so_far}", True)

    @Slot(object)
    def _note_stage(self, reply: StageEntered) -> None:
        if reply.request_id == self._read_id:
            self._tell_reading(0)

    @Slot(object)
    def _note_text(self, reply: TextStreamed) -> None:
        if reply.request_id == self._read_id:
            self._tell_reading(reply.tokens_so_far)

    @Slot(object)
    def _keep(self, reply: ReadingFinished) -> None:
        if reply.request_id == self._read_id:
            self._read_id = 0
            self._readings[reply.reading.settings] = reply.reading
            self.page_read.emit(reply.reading)
            self._go_on()

    @Slot(object)
    def _show(self, reply: Computed) -> None:
        if reply.request_id == self._compare_id and self._wanted is not None:
            self._give_up()
            self.activity_changed.emit("", False)
            self.comparison_changed.emit(reply.result)

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if self.running and failure.request_id in (self._read_id, self._compare_id):
            self._give_up()
            self.activity_changed.emit(failure.sentence, False)


def _compare(left: Reading, right: Reading, page_count: int) -> ComparisonShown:
    """Compare two readings with each other, and with the true text if there is one that can be used."""
    try:
        truth = find_truth(left.ref, page_count)
    except DocumentError:  # the curve says why
        truth = None
    rates = None
    if truth is not None:
        rates = character_error_rate(left.text, truth.text), character_error_rate(right.text, truth.text)
    return ComparisonShown(left, right, compare_texts(left.text, right.text), rates)
