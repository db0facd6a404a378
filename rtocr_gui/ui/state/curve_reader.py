"""Reads the retention curve of one page, one reading at a time.

Asks the bridge for the next reading only once the previous one has ended, so that a reading a person requests
meanwhile can come in between; the bridge also compares texts and finds the truth file beside the page. Drops
answers for a curve that is no longer wanted. Knows no widget, and not which page is shown: the caller says
when the curve no longer applies.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from itertools import takewhile

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.truth import Truth, find_truth
from rtocr_gui.ocr.curve import CURVE_RATIOS, CurvePoint, curve_settings
from rtocr_gui.ocr.reading import Reading, ReadSettings, StopReason
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import Computed, ReadingFinished, RequestFailed, RequestStopped
from rtocr_gui.ui.state.shown import CurveShown, PageFailure


@dataclass(frozen=True, slots=True)
class CurveRequest:
    """The page to read a curve of, and how.

    Attributes:
        ref: the page.
        settings: how the page is read; each point replaces only the ratio.
        page_count: how many pages its file has.
    """

    ref: PageRef
    settings: ReadSettings
    page_count: int = 1


class _Step(Enum):
    """What the bridge was asked for last, and has not answered yet."""

    NOTHING = auto()
    TRUTH = auto()
    READING = auto()
    POINT = auto()
    TRUTH_AGAIN = auto()  # of an earlier curve, which is shown meanwhile


class CurveReader(QObject):
    """One curve at a time.

    Signals (each carries one frozen value):
        curve_changed (CurveShown): a point was added, or the curve began, ended or was given up.
        finished (Reading): one of its readings, complete, to be kept with the page's others.
        failed (PageFailure): why the curve ended early.
        truth_failed (str): why it has no error rates.

    Args:
        bridge: reads and compares.
        parent: Qt parent.
    """

    curve_changed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    truth_failed = Signal(str)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._shown = CurveShown()
        self._request: CurveRequest | None = None
        self._known: Mapping[ReadSettings, Reading] = {}
        self._waiting: deque[ReadSettings] = deque()
        self._points: list[CurvePoint] = []
        self._all_tokens_text = ""
        self._truth: Truth | None = None
        self._step, self._step_id = _Step.NOTHING, 0
        bridge.reading_finished.connect(self._take)
        bridge.computed.connect(self._take_computed)
        bridge.request_stopped.connect(self._end_stopped)
        bridge.request_failed.connect(self._report)

    @property
    def shown(self) -> CurveShown:
        """The curve as last emitted."""
        return self._shown

    def read(self, request: CurveRequest, readings: Mapping[ReadSettings, Reading]) -> None:
        """Read a curve from its first point; the previous one is given up.

        Args:
            request: the page, and how to read it.
            readings: complete readings of this page by the same model, which are not made again.
        """
        self._begin(request, readings, curve_settings(request.settings))

    def compare_again(self, request: CurveRequest, readings: Mapping[ReadSettings, Reading]) -> None:
        """Make a curve of known readings alone, as far as they go; the previous one is given up.

        Args:
            request: the page, and how it was read.
            readings: complete readings of this page by the same model.
        """
        self._begin(request, readings, takewhile(readings.__contains__, curve_settings(request.settings)))

    def _begin(
        self,
        request: CurveRequest,
        readings: Mapping[ReadSettings, Reading],
        wanted: Iterable[ReadSettings],
    ) -> None:
        self._give_up()
        self._request, self._known = request, dict(readings)
        self._waiting.extend(wanted)
        self._await(_Step.TRUTH, self._look_for_truth(request))
        self._tell()

    def _look_for_truth(self, request: CurveRequest) -> int:
        return self._bridge.compute(partial(find_truth, request.ref, request.page_count))

    def stop(self) -> None:
        """End after the current decode step; the points so far stay."""
        self._waiting.clear()
        if self._step is _Step.READING:
            self._bridge.stop(self._step_id)

    def show(self, curve: CurveShown) -> None:
        """Show an earlier curve, or none, because page, mode, task or model have changed."""
        self._give_up()
        self._show(curve)

    def show_again(
        self, curve: CurveShown, request: CurveRequest, readings: Mapping[ReadSettings, Reading]
    ) -> None:
        """Show an earlier complete curve; its readings are compared again if the true text has changed.

        Args:
            curve: as it was.
            request: what it was read for.
            readings: those of its points.
        """
        self.show(curve)
        self._request, self._known = request, readings
        self._await(_Step.TRUTH_AGAIN, self._look_for_truth(request))

    def _await(self, step: _Step, request_id: int = 0) -> None:
        """Expect an answer to this request and to no other."""
        self._step, self._step_id = step, request_id

    def _give_up(self) -> None:
        self.stop()
        self._await(_Step.NOTHING)
        self._request = self._truth = None
        self._known = {}
        self._points.clear()

    def _go_on(self) -> None:
        """Request the next point, from a known reading or a new one."""
        self._await(_Step.NOTHING)
        if self._request is not None and self._waiting:
            settings = self._waiting.popleft()
            known = self._known.get(settings)
            if known is None:
                self._await(_Step.READING, self._bridge.read_page(self._request.ref, settings))
            else:
                self._compare(known)
        self._tell()

    def _compare(self, reading: Reading) -> None:
        if not self._points:
            self._all_tokens_text = reading.text
        truth = self._truth.text if self._truth is not None else None
        compare = partial(CurvePoint.of, reading, self._all_tokens_text, truth)
        self._await(_Step.POINT, self._bridge.compute(compare))

    def _end(self) -> None:
        self._waiting.clear()
        self._go_on()

    def _tell(self) -> None:
        self._show(
            CurveShown(
                points=tuple(self._points),
                expected=0 if self._request is None else len(CURVE_RATIOS) + 1,
                running=self._step in (_Step.TRUTH, _Step.READING, _Step.POINT),
                truth=self._truth if self._points else None,
            )
        )

    def _show(self, curve: CurveShown) -> None:
        if curve != self._shown:
            self._shown = curve
            self.curve_changed.emit(curve)

    @Slot(object)
    def _take(self, reply: ReadingFinished) -> None:
        if reply.request_id != self._step_id:
            return
        if reply.reading.stop_reason is StopReason.CANCELLED:
            self._end()
        else:
            self._compare(reply.reading)
            self.finished.emit(reply.reading)

    @Slot(object)
    def _take_computed(self, reply: Computed) -> None:
        if reply.request_id != self._step_id:
            return
        match self._step:
            case _Step.TRUTH:
                self._truth = reply.result
            case _Step.POINT:
                self._points.append(reply.result)
            case _Step.TRUTH_AGAIN:
                self._await(_Step.NOTHING)
                if reply.result != self._shown.truth and self._request is not None:
                    self.compare_again(self._request, self._known)
                return
        self._go_on()

    @Slot(object)
    def _end_stopped(self, reply: RequestStopped) -> None:
        if reply.request_id == self._step_id:
            self._end()

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if failure.request_id != self._step_id or self._request is None:
            return
        match self._step:
            case _Step.TRUTH:
                self._go_on()
                self.truth_failed.emit(failure.sentence)
            case _Step.READING | _Step.POINT:
                ref = self._request.ref
                self._end()
                self.failed.emit(PageFailure.of(ref, failure))
