"""Shows where on the page a token, a selection or a difference was read.

Has readings traced on demand, and maps between text, tokens and the page. Knows no widget.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.ocr.reading import Reading
from rtocr_gui.ocr.text.comparison import Difference, Span
from rtocr_gui.ocr.text.token_places import TokenPlaces
from rtocr_gui.ocr.vision.cache import ByteBoundedCache
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.shown import ComparisonShown
from rtocr_gui.ui.state.tracer import KEPT_BYTES, Tracer, Traces


class Spotlight(QObject):
    """Lights up one thing at a time.

    Signals (each carries one value):
        trace_changed (TraceShown or None): the reading that can be played.
        tracing_changed (bool): True while it is being traced.
        seeking_changed (bool): True while another reading is traced to light up a difference.
        attention_changed (NDArray (N,) or None): how much each visual token is lit, in 0..1.
        text_marked (tuple of start and end, or None): the part of the shown text from the played token.
        token_pointed (int): the token at which the selected text begins.
        failed (RequestFailed): why a reading cannot be traced.

    Attributes:
        lights: what `attention_changed` told last.

    Args:
        bridge: traces.
        shown_text: returns the shown text, including corrections.
        parent: Qt parent.
    """

    trace_changed = Signal(object)
    tracing_changed = Signal(bool)
    seeking_changed = Signal(bool)
    attention_changed = Signal(object)
    text_marked = Signal(object)
    token_pointed = Signal(int)
    failed = Signal(object)

    def __init__(
        self, bridge: EngineBridge, shown_text: Callable[[], str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.lights: NDArray[np.float32] | None = None
        self._on = False
        self._selected = (0, 0)
        self._reading: Reading | None = None
        self._compared_text = ""
        traces: Traces = ByteBoundedCache(KEPT_BYTES)
        self._tracer = Tracer(bridge, traces, shown_text, self)
        self._compared = Tracer(bridge, traces, lambda: self._compared_text, self)
        self._tracer.trace_changed.connect(self.trace_changed)
        self._tracer.tracing_changed.connect(self.tracing_changed)
        self._compared.tracing_changed.connect(self.seeking_changed)
        for tracer in (self._tracer, self._compared):
            tracer.failed.connect(self.failed)

    @property
    def is_tracing(self) -> bool:
        """True while a reading is being traced."""
        return self._tracer.is_tracing or self._compared.is_tracing

    def show_reading(self, reading: Reading | None) -> None:
        """Use another reading from now on, the newest of the shown page; None before the first."""
        if reading is not self._reading:
            self.put_out()
        self._reading = reading
        self._tracer.show_reading(reading)

    def forget(self) -> None:
        """Forget all traces: another model attends elsewhere."""
        self.put_out()
        self._tracer.forget()
        self._compared.forget()

    @Slot(bool)
    def set_on(self, on: bool) -> None:
        """Start following the selection, from the present one on, or stop it."""
        self._on = on
        if on:
            self.point_at_text(*self._selected)
        else:
            self._tracer.stop()
            self.put_out()

    @Slot()
    def put_out(self) -> None:
        """Remove lights and marks, and stop locating a difference."""
        self._tracer.drop_wish()
        self._compared.stop()
        self._light(None)
        self.text_marked.emit(None)

    @Slot()
    def leave_difference(self) -> None:
        """Put out the lights of a difference, which is no longer shown, unless the selection is followed."""
        if not self._on:
            self.put_out()

    @Slot()
    def trace(self) -> None:
        """Trace the shown reading."""
        self._tracer.trace()

    @Slot()
    def stop(self) -> None:
        """Stop tracing."""
        self._tracer.stop()
        self._compared.stop()

    @Slot(int)
    def point_at_token(self, token: int) -> None:
        """Light up where a token of the traced reading was read, and mark it in the text."""
        self._drop_wishes()
        self._light(self._tracer.attention_of(np.array([token])))
        self._tracer.seek(lambda places: self.text_marked.emit(places.place_of(token)))

    @Slot(int, int)
    def point_at_text(self, start: int, end: int) -> None:
        """Light up where a range of the shown text was read, if that is on; none if the range is empty."""
        self._selected = start, end
        if not self._on:
            return
        if start == end:
            self.put_out()
        else:
            self._drop_wishes()
            self._tracer.seek(partial(self._light_text, start, end))

    @Slot()
    def point_at_whole(self) -> None:
        """Light up all that was read, also what was deleted from the text since."""
        self._drop_wishes()
        self.text_marked.emit(None)
        self._tracer.seek(lambda _: self._light(self._tracer.attention_of(slice(None))))

    def point_at_difference(self, shown: ComparisonShown, difference: Difference) -> None:
        """Light up where the right reading read a difference, or the left one what the right lacks."""
        in_right = difference.right.length > 0
        reading, span = (shown.right, difference.right) if in_right else (shown.left, difference.left)
        self._drop_wishes()
        self._compared_text = reading.text
        self._compared.show_reading(reading)
        self._compared.seek(partial(self._light_difference, span))

    def _light(self, attention: NDArray[np.float32] | None) -> None:
        self.lights = attention
        self.attention_changed.emit(attention)

    def _light_text(self, start: int, end: int, places: TokenPlaces) -> None:
        tokens = places.tokens_at(start, end)
        self.text_marked.emit(None)
        self._light(self._tracer.attention_of(tokens))
        if tokens is not None:
            self.token_pointed.emit(int(tokens[0]))

    def _light_difference(self, span: Span, places: TokenPlaces) -> None:
        self._light(self._compared.attention_of(places.tokens_at(*span)))

    def _drop_wishes(self) -> None:
        self._tracer.drop_wish()
        self._compared.drop_wish()
