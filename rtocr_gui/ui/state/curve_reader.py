"""Reads the retention curve of one page, a reading at a time.

Asks the bridge for the next reading only when the one before it ended, so that a reading a person asks
for meanwhile comes between; what is compared, and the truth beside the page, is left to the bridge too. Drops
answers of a curve that is no longer wanted. Knows no widget, and not which page is shown: who asked says when
the curve no longer stands for it.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.truth import Truth, find_truth
from rtocr_gui.ocr.curve import CURVE_RATIOS, CurvePoint, CurveReading, curve_settings
from rtocr_gui.ocr.reading import ReadSettings, StopReason
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import Computed, ReadingFinished, RequestFailed, RequestStopped
from rtocr_gui.ui.state.shown import CurveShown, ReadingRecord


@dataclass(frozen=True, slots=True)
class CurveRequest:
    """Of which page to read a curve, and how.

    Attributes:
        ref: the page.
        settings: of a reading of the page; all but its ratio stays.
        page_count: how many pages its file has.
    """

    ref: PageRef
    settings: ReadSettings
    page_count: int = 1


class CurveReader(QObject):
    """One curve at a time.

    Signals (each carries one frozen value):
        curve_changed (CurveShown): a point came, or the curve began, ended or was given up.
        finished (Reading): one of its readings, whole, to be kept beside the page's others.
        failed (str): the curve ended early or has no error rates, and why.

    Args:
        bridge: reads and compares.
        parent: Qt parent.
    """

    curve_changed = Signal(object)
    finished = Signal(object)
    failed = Signal(str)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._shown = CurveShown()
        self._request: CurveRequest | None = None
        self._known: Mapping[ReadSettings, ReadingRecord] = {}
        self._waiting: deque[ReadSettings] = deque()
        self._points: list[CurvePoint] = []
        self._all_tokens_text = ""
        self._truth: Truth | None = None
        self._truth_id = self._read_id = self._point_id = 0
        bridge.reading_finished.connect(self._take)
        bridge.computed.connect(self._take_computed)
        bridge.request_stopped.connect(self._end_stopped)
        bridge.request_failed.connect(self._report)

    @property
    def shown(self) -> CurveShown:
        """The curve as it was told last."""
        return self._shown

    def read(self, request: CurveRequest, readings: Mapping[ReadSettings, ReadingRecord]) -> None:
        """Read a curve from its first point; the one before it is given up.

        Args:
            request: of which page, and how.
            readings: what is known of the same page from the same model; whole ones are not read again.
        """
        self._give_up()
        self._request, self._known = request, dict(readings)
        self._waiting.extend(curve_settings(request.settings))
        ref = request.ref
        self._truth_id = self._bridge.compute(partial(find_truth, ref.path, ref.index, request.page_count))
        self._tell()

    @Slot()
    def stop(self) -> None:
        """End after the decode step that is under way; the points so far stay."""
        self._waiting.clear()
        self._bridge.stop(self._read_id)

    def show(self, curve: CurveShown) -> None:
        """Tell a curve that was read before, or none, because another page, mode, task or model is in use."""
        self._give_up()
        self._show(curve)

    def _give_up(self) -> None:
        self.stop()
        self._truth_id = self._read_id = self._point_id = 0
        self._request = self._truth = None
        self._known = {}
        self._points.clear()

    def _go_on(self) -> None:
        """Have the next point made, of a reading that is known or of one that is asked for."""
        self._truth_id = self._read_id = self._point_id = 0
        if self._request is not None and self._waiting:
            settings = self._waiting.popleft()
            known = self._known.get(settings)
            if known is None or known.stop_reason is StopReason.CANCELLED:
                self._read_id = self._bridge.read_page(self._request.ref, settings)
            else:
                self._compare(known)
        self._tell()

    def _compare(self, reading: CurveReading) -> None:
        if not self._points:
            self._all_tokens_text = reading.text
        truth = self._truth.text if self._truth is not None else None
        self._read_id = 0
        self._point_id = self._bridge.compute(partial(CurvePoint.of, reading, self._all_tokens_text, truth))

    def _end(self) -> None:
        self._waiting.clear()
        self._go_on()

    def _tell(self) -> None:
        self._show(
            CurveShown(
                points=tuple(self._points),
                expected=0 if self._request is None else len(CURVE_RATIOS) + 1,
                running=self._truth_id + self._read_id + self._point_id > 0,
                truth=self._truth.path if self._truth is not None and self._points else None,
            )
        )

    def _show(self, curve: CurveShown) -> None:
        if curve != self._shown:
            self._shown = curve
            self.curve_changed.emit(curve)

    @Slot(object)
    def _take(self, reply: ReadingFinished) -> None:
        if reply.request_id != self._read_id:
            return
        if reply.reading.stop_reason is StopReason.CANCELLED:
            self._end()
        else:
            self._compare(reply.reading)
            self.finished.emit(reply.reading)

    @Slot(object)
    def _take_computed(self, reply: Computed) -> None:
        if reply.request_id == self._truth_id:
            self._truth = reply.result
            self._go_on()
        elif reply.request_id == self._point_id:
            self._points.append(reply.result)
            self._go_on()

    @Slot(object)
    def _end_stopped(self, reply: RequestStopped) -> None:
        if reply.request_id == self._read_id:
            self._end()

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if failure.request_id == self._truth_id:
            self._go_on()
            self.failed.emit(failure.sentence)
        elif failure.request_id in (self._read_id, self._point_id):
            of_page = "" if self._request is None else f"{self._request.ref.label}: "
            self._end()
            self.failed.emit(of_page + failure.sentence)
