"""Plays a reading token by token, so that one can watch where the model looked for each.

Knows the text and the current token; where the model looked is lit up elsewhere. Nothing is traced
before the person asks for it.
"""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from rtocr_gui.ui.page.token_line import TokenLine
from rtocr_gui.ui.parts.explanation import Explanation
from rtocr_gui.ui.parts.form_parts import flat_button, name_choice
from rtocr_gui.ui.parts.icons import icon
from rtocr_gui.ui.parts.keys import keeps_escape
from rtocr_gui.ui.parts.named_label import NamedLabel
from rtocr_gui.ui.state.shown import TraceShown
from rtocr_gui.units import grouped

SPEEDS = (1, 2, 5, 10, 20, 50)
"""Tokens per second."""

USUAL_SPEED = 10

CONTEXT_CHARACTERS = 60
"""At most this much is shown before and after a token."""

_INVITATION = "Play the text to see where the model looked for each part of it"
_TRACING = "Reading the text once more to see where the model looked…"
_WHOLE = "All that was read is lit up: print that stays dark may be missing from the text"


class PlayBar(QWidget):
    """Steps through the tokens of a reading, automatically or by hand.

    Signals:
        trace_requested(): the person wants to play a reading that has not been traced yet.
        stop_requested(): the current trace should be given up.
        position_changed(int): this is now the current token; not emitted if it was set by `show_position`.
        whole_requested(): all that was read should be lit up.
        closed(): the person has closed the bar.
    """

    trace_requested = Signal()
    stop_requested = Signal()
    position_changed = Signal(int)
    whole_requested = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._trace: TraceShown | None = None
        self._tracing = False
        self._plays_once_traced = False
        self._shows_whole = False
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._step)

        self._token_line = TokenLine()
        self._token_line.setAccessibleName("Current token")
        self._count = NamedLabel("Number of the token")
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._play = flat_button("play", "Play", "Play", self._toggle)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName("Token of the text")
        self._slider.setToolTip("Position in the text: drag, turn the wheel, or use the arrow keys")
        self._slider.setPageStep(20)
        self._slider.setMinimumWidth(self.fontMetrics().averageCharWidth() * 10)
        self._slider.valueChanged.connect(self._go)
        self._speed = QComboBox()
        for speed in SPEEDS:
            self._speed.addItem(f"{speed} per second", speed)
        self._speed.setCurrentIndex(SPEEDS.index(USUAL_SPEED))
        self._speed.setToolTip("How many tokens are played per second")
        self._speed.currentIndexChanged.connect(self._keep_time)
        self._whole = flat_button(
            "lights",
            "All that was read",
            "Lamp: lights up all that was read; print that stays dark may be missing from the text",
            self._light_whole,
        )
        self._help = flat_button("help", "What is this?", "What is this?", self._explain)
        self._close = flat_button("close", "Close", "Stop showing where the model looked (Esc)", self._end)

        line = QHBoxLayout()
        line.setSpacing(2 * self.fontMetrics().averageCharWidth())
        line.addWidget(self._token_line, stretch=1)
        line.addWidget(self._count)
        row = QHBoxLayout()
        for widget in (self._play, self._slider, self._speed, self._whole, self._help, self._close):
            row.addWidget(widget, stretch=1 if widget is self._slider else 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(line)
        column.addLayout(row)
        name_choice(self._speed, "Tokens per second")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusProxy(self._play)
        self._show_play_button()
        self.show_trace(None)

    @property
    def position(self) -> int:
        """Index of the current token."""
        return self._slider.value()

    @property
    def is_playing(self) -> bool:
        """True while tokens are played automatically."""
        return self._timer.isActive()

    @property
    def explanation(self) -> str:
        """What the lights show and what they do not, in words."""
        layers = f"last {self._trace.layers} layers" if self._trace is not None else "last layers"
        return (
            "For each token of the text (a word or a part of one), the lights show how much attention the "
            "model paid to each visual token of the page right before it wrote that one. The values are "
            f"averaged over the heads of the decoder's {layers} and collected in a second pass over the "
            "finished text, which changes nothing about the reading.\n\n"
            "They show where information was read from, not why the model wrote what it wrote: attention is "
            "not an explanation. A visual token also carries traces of its surroundings, earlier layers "
            "looked elsewhere, and part of the attention went to the text before. Merged tokens stay dark: "
            "the model saw them only within others. The most attended token is always the brightest, so "
            "compare places, not brightness from one word to the next.\n\n"
            "For several tokens, each place is as bright as for the one that looked there most. The lamp "
            "does this for all that was read: print that then stays dark may be missing from the text, "
            "unless it was merged."
        )

    @Slot(object)
    def show_trace(self, trace: TraceShown | None) -> None:
        """Show another reading from its beginning; None while there is none to play."""
        self.pause()
        self._trace = trace if trace is not None and trace.spans else None
        with QSignalBlocker(self._slider):
            self._slider.setRange(0, len(self._trace.spans) - 1 if self._trace is not None else 0)
            self._slider.setValue(0)
        count = self._slider.maximum() + 1 if self._trace is not None else 0
        widest = f"{grouped(count)} of {grouped(count)}" if count else ""
        self._count.setMinimumWidth(self._count.fontMetrics().horizontalAdvance(widest))
        paragraphs = self.explanation.split("\n\n")
        self._help.setToolTip("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs))
        self._help.setAccessibleDescription(self.explanation)
        self._show_line()
        if self._trace is not None and self._plays_once_traced:
            self._plays_once_traced = False
            self.play()

    @Slot(bool)
    def show_tracing(self, tracing: bool) -> None:
        """Show whether the reading is being traced."""
        self._tracing = tracing
        if not tracing:
            self._plays_once_traced = False
            self._shows_whole &= self._trace is not None
        self._show_play_button()
        self._show_line()

    @Slot(int)
    def show_position(self, token: int) -> None:
        """Show a token that was chosen elsewhere, and pause there."""
        self.pause()
        with QSignalBlocker(self._slider):
            self._slider.setValue(token)
        self._show_token()

    @Slot(object)
    def follow_lights(self, attention: NDArray[np.float32] | None) -> None:
        """Go back to the current token once nothing is lit any more."""
        if attention is None:
            self._show_token()

    def play(self) -> None:
        """Play from the current token, or from the beginning if at the end; trace first if necessary."""
        if self._trace is None:
            self._plays_once_traced = True
            self.trace_requested.emit()
            return
        if self.position == self._slider.maximum():
            self._slider.setValue(0)
        else:
            self._go(self.position)
        self._keep_time()
        self._timer.start()
        self._show_play_button()

    @Slot()
    def pause(self) -> None:
        """Stop playing; the current token stays."""
        if self.is_playing:
            self._timer.stop()
            self._show_play_button()

    def event(self, event: QEvent) -> bool:
        return keeps_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._toggle()
        elif event.key() == Qt.Key.Key_Escape:
            self._end()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self.pause()
        super().hideEvent(event)

    @Slot()
    def _toggle(self) -> None:
        if self._tracing:
            self.stop_requested.emit()
        elif self.is_playing:
            self.pause()
        else:
            self.play()

    @Slot()
    def _step(self) -> None:
        if self.position == self._slider.maximum():
            self.pause()
        else:
            self._slider.setValue(self.position + 1)

    @Slot(int)
    def _go(self, token: int) -> None:
        self._show_token()
        self.position_changed.emit(token)

    @Slot()
    def _light_whole(self) -> None:
        self.pause()
        self._plays_once_traced = False
        self._shows_whole = True
        self._show_line()
        self.whole_requested.emit()

    @Slot()
    def _keep_time(self) -> None:
        self._timer.setInterval(round(1000 / self._speed.currentData()))

    @Slot()
    def _explain(self) -> None:
        self.pause()
        Explanation("Where does it look?", self.explanation, self).open()

    @Slot()
    def _end(self) -> None:
        self.pause()
        self.closed.emit()

    def _show_play_button(self) -> None:
        if self._tracing:
            name, tip = "stop", "Stop finding where the model looked (Space)"
        elif self.is_playing:
            name, tip = "pause", "Pause at this part of the text (Space)"
        else:
            name, tip = "play", "Play the text and light up where the model looked (Space)"
        self._play.setIcon(icon(name))
        self._play.setToolTip(tip)
        self._play.setAccessibleName(name.capitalize())

    def _show_token(self) -> None:
        self._shows_whole = False
        self._show_line()

    def _show_line(self) -> None:
        self._slider.setEnabled(self._trace is not None)
        if self._trace is None:
            self._count.clear()
            self._token_line.tell(_TRACING if self._tracing else _INVITATION)
            return
        if self._shows_whole:
            self._count.clear()
            self._token_line.tell(_WHOLE)
            return
        self._count.setText(f"{grouped(self.position + 1)} of {grouped(len(self._trace.spans))}")
        text, (begin, end) = self._trace.raw_text, self._trace.spans[self.position]
        before = text[max(0, begin - CONTEXT_CHARACTERS) : begin]
        self._token_line.say(before, text[begin:end], text[end : end + CONTEXT_CHARACTERS])
