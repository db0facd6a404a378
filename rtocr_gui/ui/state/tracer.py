"""Where the reading that is shown was looked up on its page: asked for on demand, then kept for a while.

Asks the bridge and drops answers that are no longer wanted. Between the text that is shown, which a
person may have corrected, and the tokens that the model said, `ocr.text.token_places` goes. Knows no widget.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import ReadingTrace, ReadSettings
from rtocr_gui.ocr.text.token_places import TokenPlaces, token_spans
from rtocr_gui.ocr.vision.cache import ByteBoundedCache
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import ReadingTraced, RequestFailed, RequestStopped
from rtocr_gui.ui.state.shown import ReadingRecord, TraceShown
from rtocr_gui.ui.state.text_places import TextPlaces

KEPT_BYTES = 96 * 2**20
"""Traces that are kept: of the two longest texts in Gundam mode, of dozens as a rule."""

_TraceKey = tuple[PageRef, ReadSettings, tuple[int, ...]]

Traces = ByteBoundedCache[_TraceKey, ReadingTrace]
"""What was traced, by page, settings and tokens of the reading."""


class Tracer(QObject):
    """Traces one reading at a time.

    Signals:
        trace_changed (TraceShown or None): of the reading that is shown; None while there is none.
        tracing_changed (bool): True while it is being traced; told after the trace itself.
        failed (str): it cannot be traced, and why.

    Args:
        bridge: traces.
        traces: those that are kept; tracers may share them.
        shown_text: gives the text that is shown of the reading, corrections and all.
        parent: Qt parent.
    """

    trace_changed = Signal(object)
    tracing_changed = Signal(bool)
    failed = Signal(str)

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
        self._places = TextPlaces[TokenPlaces](bridge, shown_text, self)
        self._trace_id = 0
        bridge.reading_traced.connect(self._keep)
        bridge.request_stopped.connect(self._end_stopped)
        bridge.request_failed.connect(self._report)

    @property
    def has_trace(self) -> bool:
        """True where the reading that is shown was traced."""
        return self._trace is not None

    @property
    def is_tracing(self) -> bool:
        """True while the reading that is shown is being traced."""
        return self._trace_id != 0

    def show_reading(self, ref: PageRef | None, reading: ReadingRecord | None) -> None:
        """Trace another reading from now on; its trace is told at once where it is kept.

        Args:
            ref: the page that is shown; None for none.
            reading: its newest one by the model that is loaded; None before the first.
        """
        key = None if ref is None or reading is None else (ref, reading.settings, reading.token_ids)
        if key == self._shown:
            return
        self.stop()
        self.drop_wish()
        self._shown = key
        self._raw_text, self._text = (reading.raw_text, reading.text) if reading is not None else ("", "")
        self._tell(self._traces.get(key) if key is not None else None)

    @Slot()
    def trace(self) -> None:
        """Trace the reading that is shown, unless that was done or is under way."""
        if self.has_trace or self.is_tracing:
            return
        if self._shown is None or not self._shown[-1]:
            self._fail("The model in use has read no text here yet. Read the page first.")
            return
        kept = self._traces.get(self._shown)
        if kept is not None:
            self._tell(kept)
            return
        self._trace_id = self._bridge.trace_page(*self._shown)
        self.tracing_changed.emit(True)

    @Slot()
    def stop(self) -> None:
        """Give up the trace that is under way."""
        if self.is_tracing:
            self._bridge.stop(self._trace_id)
            self._end()

    def forget(self) -> None:
        """Drop all traces and the reading that is shown: another model would see it differently."""
        self.stop()
        self._traces.clear()
        self._shown = None
        self._tell(None)

    # Between the text and the page ---------------------------------------------------------

    def seek(self, wish: Callable[[TokenPlaces], None]) -> None:
        """Do something with the places of the tokens in the text that is shown, once they are known.

        Traces the reading where that was not done. What waited for the places before is dropped.
        """
        self.drop_wish()
        self._places.use(wish)
        self.trace()

    def drop_wish(self) -> None:
        """Do nothing once the places are known."""
        self._places.drop_wishes()

    def attention_of(self, tokens: NDArray[np.int64] | None) -> NDArray[np.float32] | None:
        """Tell where on the page tokens were read.

        Args:
            tokens: their numbers; None for none.

        Returns:
            (N,) of each prunable visual token, 1 for the most attended; None without tokens or a trace.
        """
        if self._trace is None or tokens is None:
            return None
        attention: NDArray[np.float32] = self._trace.attention[tokens].sum(axis=0)  # (N,)
        most = attention.max(initial=0)
        return attention / most if most > 0 else attention

    # Answers -------------------------------------------------------------------------------

    @Slot(object)
    def _keep(self, reply: ReadingTraced) -> None:
        if reply.request_id != self._trace_id or self._shown is None:
            return
        trace = reply.trace
        if trace.raw_text != self._raw_text:
            self._fail("This text was read by another model. Read the page again to see where it looks.")
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
            self._fail(failure.sentence)

    def _fail(self, sentence: str) -> None:
        self.drop_wish()
        self._end()
        self.failed.emit(sentence)

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
