"""The line at the bottom: what is going on, how long each stage took, and where the model runs."""

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from rtocr_gui.ocr.machine.spot import VALUE_BYTES
from rtocr_gui.ocr.reading import Reading, Stage
from rtocr_gui.ui.parts.named_label import NamedLabel, YieldingLabel
from rtocr_gui.ui.state.page_words import encoding_in_words
from rtocr_gui.ui.state.shown import Activity, CurveShown, ExportProgress, ModelStatus
from rtocr_gui.units import counted, duration, size_in_words, speed, time_in_words

_STAGE_WORDS = {
    Stage.ENCODE: "Encoding the page",
    Stage.PRUNE: "Choosing tokens",
    Stage.PREFILL: "Processing tokens",
    Stage.DECODE: "Reading",
}


_JOBS = "exporting", "curve", "comparing", "tracing", "encoding", "waiting", "opening", "rendering", "loading"
"""What may go on besides a reading; without one, the first of those that do is shown."""


class StatusLine(QWidget):
    """Three labels and a progress bar; renders frozen values and emits nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs = dict.fromkeys(_JOBS, "")
        self._shown = Activity()
        self._activity = NamedLabel("Status", "Ready")
        self._progress = QProgressBar()
        self._progress.setAccessibleName("Progress")
        self._progress.setMaximumWidth(140)
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(self.fontMetrics().height())
        self._progress.hide()
        self._timings = YieldingLabel("Time of each stage")
        self._timings.setToolTip(
            "How long each stage of the last reading of this page took.\n"
            "Encoding does not depend on retention; prefill and decoding do."
        )
        self._device = NamedLabel("Device")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.addWidget(self._activity)
        layout.addWidget(self._progress)
        layout.addStretch(1)
        layout.addWidget(self._timings)
        layout.addSpacing(16)
        layout.addWidget(self._device)

    @Slot(object)
    def show_activity(self, activity: Activity) -> None:
        """Show what is being read or waits to be."""
        self._shown = activity
        self._progress.setVisible(activity.reading)
        if activity.reading:
            self._progress.setRange(0, activity.page_count if activity.page_count > 1 else 0)
            self._progress.setValue(activity.page - 1)
        self._say("waiting", _words_between(activity))

    @Slot(object)
    def show_curve(self, shown: CurveShown) -> None:
        """Show the progress of a curve while it is being read."""
        progress = f"Reading the curve, {len(shown.points)} of {shown.expected}"
        self._say("curve", progress if shown.running else "")

    @Slot(str, bool)
    def show_comparing(self, sentence: str, running: bool) -> None:
        """Show what a comparison is busy with."""
        self._say("comparing", sentence if running else "")

    @Slot(bool)
    def show_tracing(self, tracing: bool) -> None:
        """Show that the text is being read once more to see where the model looks."""
        self._say("tracing", "Finding where the text was read" if tracing else "")

    @Slot(bool)
    def show_encoding(self, encoding: bool) -> None:
        """Show that the page is being encoded for the overlay."""
        self._say("encoding", _STAGE_WORDS[Stage.ENCODE] if encoding else "")

    @Slot(int)
    def show_opening(self, files_left: int) -> None:
        """Show how many files are still to be opened."""
        self._say("opening", f"Opening {counted(files_left, 'file')}" if files_left else "")

    @Slot(bool)
    def show_rendering(self, rendering: bool) -> None:
        """Show that the page is being rendered."""
        self._say("rendering", "Opening the page" if rendering else "")

    @Slot(object)
    def show_exporting(self, progress: ExportProgress) -> None:
        """Show how far an export is, where it takes more than one page."""
        page, count = progress.page, progress.page_count
        what = f"page {page} of {count}" if page else f"{count} pages"
        self._say("exporting", f"Exporting {what}" if count > 1 else "")

    def _say(self, job: str, words: str) -> None:
        """Note what a job is at, and show the first one; a reading comes before all but an export."""
        self._jobs[job] = words
        if not self._shown.reading:
            self._activity.setText(next(filter(None, self._jobs.values()), "Ready"))
        elif exporting := self._jobs["exporting"]:
            self._activity.setText(f"{exporting} while reading")
        else:
            self._activity.setText(_reading_in_words(self._shown, self._jobs["loading"]))

    @Slot(object)
    def show_reading(self, reading: Reading | None) -> None:
        """Show the time of each stage of a reading, never one total."""
        if reading is None:
            self._timings.clear()
            return
        timings = reading.timings
        pace = f", {speed(reading.tokens_per_second)} tokens/s" if reading.tokens_per_second else ""
        if reading.was_drafted:
            passes = counted(reading.passes, "pass", "passes")
            pace = f", {counted(reading.decoded_tokens, 'token')} in {passes}"
        elif reading.read_together:
            pace = ", shared with other pages"
        parts = [
            f"encode {encoding_in_words(timings)}",
            f"prune {duration(timings.prune_ms)}",
            f"prefill {duration(timings.prefill_ms)}",
            f"decode {duration(timings.decode_ms)}{pace}",
        ]
        self._timings.setText("  ·  ".join(parts))

    @Slot(object)
    def show_model(self, status: ModelStatus) -> None:
        """Show where the model runs and how much memory its weights take."""
        self._jobs["loading"] = "Loading the model" if status.loading else ""
        self.show_activity(self._shown)
        if status.model is None or status.unloaded:
            self._device.clear()
            return
        weight_bytes = status.model.info.parameter_count * VALUE_BYTES[status.model.dtype]
        weights = f"{size_in_words(weight_bytes)} weights"
        self._device.setText(f"{status.model.device}, {status.model.dtype}  ·  {weights}")


def _reading_in_words(activity: Activity, loading: str) -> str:
    """Name the stage and the page, and how far the whole job is."""
    words = _STAGE_WORDS[activity.stage] if activity.stage else loading or "Opening the page"
    if activity.together > 1:
        words = f"Reading {activity.together} pages at once"
    if activity.tokens:
        words += f", {counted(activity.tokens, 'token')}"
    if activity.together > 1:
        words += f" ({activity.page - 1} of {activity.page_count} pages done)"
    elif activity.page_count > 1:
        words += f" ({activity.page} of {activity.page_count} pages)"
    if activity.seconds_left is not None:
        words += f", {time_in_words(activity.seconds_left)} left"
    return words


def _words_between(activity: Activity) -> str:
    """What requested pages wait for while none is being read; empty if there are none."""
    if not activity.reading and activity.page_count > activity.page:
        return "Waiting for the model"
    return "Waiting for files to open" if activity.awaits_files else ""
