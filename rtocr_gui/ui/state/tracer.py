"""Traces where on its page the shown reading was read: requested on demand, then cached.

Asks the bridge and drops answers that are no longer wanted. `ocr.text.token_places` maps between the shown
text, which may have been corrected, and the model's tokens. Knows no widget.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import Reading, ReadingTrace, ReadSettings
from rtocr_gui.ocr.text.token_places import TokenPlaces, token_spans
from rtocr_gui.ocr.vision.cache import ByteBoundedCache
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import ReadingTraced, RequestFailed, RequestStopped
from rtocr_gui.ui.state.places_in_text import PlacesInText
from rtocr_gui.ui.state.shown import TraceShown

KEPT_BYTES = 96 * 2**20
"""Size of the trace cache: two of the longest texts in Gundam mode, usually dozens."""

_TraceKey = tuple[PageRef, ReadSettings, tuple[int, ...]]

Traces = ByteBoundedCache[_TraceKey, ReadingTrace]
"""Traces by page, settings and tokens of the reading."""


class Tracer(QObject):
    """Traces one reading at a time.

    Signals:
        trace_changed (TraceShown or None): of the shown reading; None while there is none.
        tracing_changed (bool): True while it is being traced; False follows the trace itself.
        failed (RequestFailed): why it cannot be traced.

    Args:
        bridge: traces.
        traces: the cache; tracers may share it.
        shown_text: returns the shown text of the reading, including corrections.
        parent: Qt parent.
    """

    trace_changed = Signal(object)
    tracing_changed = Signal(bool)
    failed = Signal(object)

    def __init__(
        self,
        bridge: EngineBridge,
        traces: Traces,
        shown_text: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._traces = traces
        self._shown: _TraceKey | None = None
        self._raw_text = self._text = ""
        self._trace: ReadingTrace | None = None
        self._places = PlacesInText[TokenPlaces](bridge, shown_text, self)
        self._trace_id = 0
        bridge.reading_traced.connect(self._keep)
        bridge.request_stopped.connect(self._end_stopped)
        bridge.request_failed.connect(self._report)

    @property
    def has_trace(self) -> bool:
        """True if the shown reading has been traced."""
        return self._trace is not None

    @property
    def is_tracing(self) -> bool:
        """True while the shown reading is being traced."""
        return self._trace_id != 0

    def show_reading(self, reading: Reading | None) -> None:
        """Trace another reading by the loaded model from now on; a cached trace is emitted immediately."""
        key = None if reading is None else (reading.ref, reading.settings, reading.token_ids)
        if key == self._shown:
            return
        self.stop()
        self._shown = key
        self._raw_text, self._text = (reading.raw_text, reading.text) if reading is not None else ("", "")
        self._tell(self._traces.get(key) if key is not None else None)

    def trace(self) -> None:
        """Trace the shown reading, unless that has been done or is under way."""
        if self.has_trace or self.is_tracing:
            return
        if self._shown is None:
            self._refuse("The model in use has not read any text here yet. Read the page first.")
            return
        if not self._shown[-1]:
            self._refuse("No text was found on this page, so there is nothing to show.")
            return
        kept = self._traces.get(self._shown)
        if kept is not None:
            self._tell(kept)
            return
        self._trace_id = self._bridge.trace_page(*self._shown)
        self.tracing_changed.emit(True)

    def stop(self) -> None:
        """Give up the current trace and the pending wish."""
        self.drop_wish()
        if self.is_tracing:
            self._bridge.stop(self._trace_id)
            self._end()

    def forget(self) -> None:
        """Drop all traces and the shown reading: another model would see it differently."""
        self.stop()
        self._traces.clear()
        self._shown = None
        self._tell(None)

    # Between the text and the page ---------------------------------------------------------

    def seek(self, wish: Callable[[TokenPlaces], None]) -> None:
        """Call `wish` with the places of the tokens in the shown text, once they are known.

        Traces the reading if that has not been done. An earlier pending wish is dropped.
        """
        self.drop_wish()
        self._places.use(wish)
        self.trace()

    def drop_wish(self) -> None:
        """Drop the pending wish."""
        self._places.drop_wishes()

    def attention_of(self, tokens: NDArray[np.int64] | slice | None) -> NDArray[np.float32] | None:
        """Return where on the page tokens were read.

        Args:
            tokens: their indices; None for none.

        Returns:
            (N,) for each prunable visual token, the most attention that one of them paid to it, in 0..1; None
            without tokens or a trace.
        """
        if self._trace is None or tokens is None:
            return None
        most: NDArray[np.float32] = self._trace.attention[tokens].max(axis=0, initial=0)  # (N,)
        return most

    # Answers -------------------------------------------------------------------------------

    @Slot(object)
    def _keep(self, reply: ReadingTraced) -> None:
        if reply.request_id != self._trace_id or self._shown is None:
            return
        trace = reply.trace
        if trace.raw_text != self._raw_text:
            self._refuse("This text was read by another model. Read the page again to see where it looks.")
            return
        self._traces.put(self._shown, trace, trace.attention.nbytes)
        self._tell(trace)
        self._end()

    @Slot(object)
    def _end_stopped(self, reply: RequestStopped) -> None:
        if reply.request_id == self._trace_id:
            self._end()

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if failure.request_id == self._trace_id:
            self._fail(failure)

    def _refuse(self, sentence: str) -> None:
        self._fail(RequestFailed(self._trace_id, sentence))

    def _fail(self, failure: RequestFailed) -> None:
        self.drop_wish()
        self._end()
        self.failed.emit(failure)

    def _end(self) -> None:
        self._trace_id = 0
        self.tracing_changed.emit(False)

    def _tell(self, trace: ReadingTrace | None) -> None:
        self._trace = trace
        self._places.forget()
        if trace is None:
            self.trace_changed.emit(None)
            return
        spans = tuple((begin, end) for begin, end in token_spans(trace.offsets).tolist())
        self.trace_changed.emit(TraceShown(trace.raw_text, spans, trace.layers))
        self._places.set_reading(
            self._text, partial(TokenPlaces, trace.raw_text, trace.offsets, trace.settings.task)
        )
