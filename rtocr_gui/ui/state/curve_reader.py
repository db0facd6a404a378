"""Reads the retention curve of one page, a reading at a time.

Asks the bridge for the next reading only when the one before it ended, so that a reading a person asks
for meanwhile comes between. Drops answers of a curve that is no longer wanted. Knows no widget, and not
which page is shown: who asked says when the curve no longer stands for it.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.curve import CURVE_RATIOS, CurvePoint, CurveReading, curve_settings
from rtocr_gui.ocr.reading import ReadSettings, StopReason
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import ReadingFinished, RequestFailed, RequestStopped
from rtocr_gui.ui.state.shown import CurveShown, ReadingRecord


@dataclass(frozen=True, slots=True)
class CurveRequest:
    """Of which page to read a curve, and how.

    Attributes:
        ref: the page.
        settings: of a reading of the page; all but its ratio stays.
        truth: what the page really says, where that is known.
    """

    ref: PageRef
    settings: ReadSettings
    truth: str | None = None


class CurveReader(QObject):
    """One curve at a time.

    Signals (each carries one frozen value):
        curve_changed (CurveShown): a point came, or the curve began, ended or was given up.
        finished (Reading): one of its readings, whole, to be kept beside the page's others.
        failed (str): the curve ended early, and why.

    Args:
        bridge: reads.
        parent: Qt parent.
    """

    curve_changed = Signal(object)
    finished = Signal(object)
    failed = Signal(str)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._request: CurveRequest | None = None
        self._known: dict[ReadSettings, ReadingRecord] = {}
        self._waiting: deque[ReadSettings] = deque()
        self._points: list[CurvePoint] = []
        self._all_tokens_text = ""
        self._read_id = 0
        bridge.reading_finished.connect(self._take)
        bridge.request_stopped.connect(self._end_stopped)
        bridge.request_failed.connect(self._report)

    @property
    def request(self) -> CurveRequest | None:
        """What the curve is of; None where there is none."""
        return self._request

    @property
    def points(self) -> tuple[CurvePoint, ...]:
        """The points so far, in the order they were read."""
        return tuple(self._points)

    def read(self, request: CurveRequest, readings: Mapping[ReadSettings, ReadingRecord]) -> None:
        """Read a curve from its first point; the one before it is given up.

        Args:
            request: of which page, and how.
            readings: what is known of the same page from the same model; whole ones are not read again.
        """
        self._give_up()
        self._request, self._known = request, dict(readings)
        self._waiting.extend(curve_settings(request.settings))
        self._read_next()

    @Slot()
    def stop(self) -> None:
        """End after the decode step that is under way; the points so far stay."""
        self._waiting.clear()
        self._bridge.stop(self._read_id)

    def forget(self) -> None:
        """Drop the curve, because another page, mode, task or model is in use."""
        if self._request is not None:
            self._give_up()
            self._tell()

    def _give_up(self) -> None:
        self.stop()
        self._read_id = 0
        self._request = None
        self._known.clear()
        self._points.clear()

    def _read_next(self) -> None:
        """Take the points that are known, and ask for the next that is not."""
        self._read_id = 0
        while self._waiting and self._request is not None and not self._read_id:
            settings = self._waiting.popleft()
            known = self._known.get(settings)
            if known is None or known.stop_reason is StopReason.CANCELLED:
                self._read_id = self._bridge.read_page(self._request.ref, settings)
            else:
                self._add_point(known, self._request.truth)
        self._tell()

    def _add_point(self, reading: CurveReading, truth: str | None) -> None:
        if not self._points:
            self._all_tokens_text = reading.text
        self._points.append(CurvePoint.of(reading, self._all_tokens_text, truth))

    def _end(self) -> None:
        self._waiting.clear()
        self._read_next()

    def _tell(self) -> None:
        request = self._request
        self.curve_changed.emit(
            CurveShown(
                points=self.points,
                expected=0 if request is None else len(CURVE_RATIOS) + 1,
                running=self._read_id != 0,
            )
        )

    @Slot(object)
    def _take(self, reply: ReadingFinished) -> None:
        if reply.request_id != self._read_id or self._request is None:
            return
        if reply.reading.stop_reason is StopReason.CANCELLED:
            self._end()
            return
        self._add_point(reply.reading, self._request.truth)
        self.finished.emit(reply.reading)
        self._read_next()

    @Slot(object)
    def _end_stopped(self, reply: RequestStopped) -> None:
        if reply.request_id == self._read_id:
            self._end()

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if failure.request_id == self._read_id:
            of_page = "" if self._request is None else f"{self._request.ref.label}: "
            self._end()
            self.failed.emit(of_page + failure.sentence)
