"""Measures the window in a process of its own, and prints the figures as JSON.

`cli.benchmark` starts it as `python -m rtocr_gui.ui.probe window|gap|overlay|memory MOMENT`, where the
moment is the `time.monotonic()` of the start: how soon a window is there, and whether it was kept
waiting, can only be seen from inside. The program is the real one, with the bundled miniature.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer, SignalInstance
from PySide6.QtWidgets import QApplication, QSlider

from rtocr_gui.ocr.reading import Mode, ReadSettings
from rtocr_gui.settings import Settings
from rtocr_gui.ui.app import Program

_A4_AT_200_DPI = (1654, 2339)
_SLIDER_MOVES = 200
_MEMORY_PAGES = 20
_LAST_PAGES = 5
_MEMORY_NEW_TOKENS = 64
_TICK_MS = 10
_PATIENCE_MS = 300_000


class FirstPaint(QObject):
    """Calls back once a widget was painted for the first time and the event loop is free again."""

    def __init__(self, widget: QObject, then: Callable[[], None]) -> None:
        super().__init__(widget)
        self._then = then
        widget.installEventFilter(self)

    def eventFilter(self, widget: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            widget.removeEventFilter(self)
            QTimer.singleShot(0, self._then)
        return False


class GapMeter(QObject):
    """Watches by a timer how long the event loop leaves its turn waiting."""

    def __init__(self) -> None:
        super().__init__()
        self._worst_s = 0.0
        self._ticked_at = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to watch, from nothing."""
        self._worst_s = 0.0
        self._ticked_at = time.perf_counter()
        self._timer.start()

    def stop(self) -> float:
        """Stop watching; the longest time between two ticks, in milliseconds."""
        self._tick()
        self._timer.stop()
        return self._worst_s * 1000

    def _tick(self) -> None:
        now = time.perf_counter()
        self._worst_s = max(self._worst_s, now - self._ticked_at)
        self._ticked_at = now


class Probe:
    """The program under measurement, started as `app` starts it.

    Args:
        files: pages to open; none opens the samples.
        settings: what a person would have chosen before.
    """

    def __init__(self, files: Sequence[Path], settings: Settings) -> None:
        if sys.platform == "linux" and not os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}:
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        self.application = QApplication(sys.argv[:1])
        self._pasted = tempfile.TemporaryDirectory(prefix="rtocr-probe-")
        program = Program(settings, Path(self._pasted.name))
        self.bridge, self.session, self.window = program.bridge, program.session, program.window
        self.bridge.request_failed.connect(lambda failure: _give_up(failure.sentence))
        program.start(files)

    def run_until(self, signal: SignalInstance, wanted: Callable[..., object]) -> None:
        """Let the program run until a signal carries what is wanted."""
        loop = QEventLoop()

        def check(*values: Any) -> None:
            if wanted(*values):
                loop.quit()

        patience = QTimer(singleShot=True, interval=_PATIENCE_MS)
        patience.timeout.connect(lambda: _give_up("The program did not get there in five minutes."))
        patience.start()
        connection = signal.connect(check)
        loop.exec()
        signal.disconnect(connection)

    def finish(self, figures: dict[str, object]) -> None:
        """Print the figures and end the process, whatever its threads are doing."""
        json.dump(figures | {"qt_platform": self.application.platformName()}, sys.stdout)
        sys.stdout.flush()
        self._pasted.cleanup()
        os._exit(0)


def measure_window() -> None:
    """Measure how long after its start the process shows a painted window."""
    program = Probe((), Settings())
    started_at = float(sys.argv[2])
    FirstPaint(
        program.window.page_view.viewport(),
        lambda: program.finish({"window_s": time.monotonic() - started_at}),
    )
    program.application.exec()


def measure_gaps() -> None:
    """Measure the longest wait of the event loop while torch is imported, and while pages are read."""
    program = Probe((), Settings())
    meter = GapMeter()
    FirstPaint(program.window.page_view.viewport(), meter.start)
    program.run_until(program.bridge.model_loaded, lambda _: True)
    importing_ms = meter.stop()
    meter.start()
    QTimer.singleShot(0, program.session.read_all)
    unread = len(program.session.refs)

    def all_read(_: object) -> bool:
        nonlocal unread
        unread -= 1
        return unread == 0

    program.run_until(program.bridge.reading_finished, all_read)
    program.finish({"gap_ms": {"importing": importing_ms, "reading": meter.stop()}})


def measure_overlay() -> None:
    """Measure the time from a move of the slider to the painted overlay, on a page of 856 cells."""
    with tempfile.TemporaryDirectory(prefix="rtocr-probe-") as folder:
        path = Path(folder, "page.png")
        Image.effect_noise(_A4_AT_200_DPI, 80).convert("RGB").save(path)
        program = Probe([path], Settings(mode=Mode.GUNDAM.value))
        view = program.window.page_view
        program.run_until(view.plan_painted, lambda _: True)
        slider = program.window.retention_bar.findChild(QSlider)
        assert slider is not None
        times_ms = []
        for move in range(_SLIDER_MOVES):
            moved_at = time.perf_counter()
            QTimer.singleShot(0, lambda percent=1 + 37 * move % 100: slider.setValue(percent))
            program.run_until(view.plan_painted, lambda _: True)
            times_ms.append((time.perf_counter() - moved_at) * 1000)
    program.finish({"overlay": {"median_ms": statistics.median(times_ms), "worst_ms": max(times_ms)}})


def measure_memory() -> None:
    """Tell by how much the last pages of a long reading raise the peak memory of the program."""
    with tempfile.TemporaryDirectory(prefix="rtocr-probe-") as folder:
        path = Path(folder, "pages.tiff")
        first, *others = (_printed_page(number) for number in range(_MEMORY_PAGES))
        first.save(path, save_all=True, append_images=others, compression="tiff_lzw")
        del first, others
        program = Probe([path], Settings(mode=Mode.BASE.value))
        program.run_until(program.session.plan_changed, lambda plan: plan is not None)
        settings = ReadSettings(Mode.BASE, program.session.task, max_new_tokens=_MEMORY_NEW_TOKENS)
        peaks: list[int] = []
        for ref in program.session.refs:
            program.session.select_page(ref)
            program.bridge.read_page(ref, program.session.settings.pdf_dpi, settings)
            program.run_until(program.bridge.reading_finished, lambda _: True)
            peaks.append(_peak_bytes())
    before = peaks[-1 - _LAST_PAGES]
    growth_percent = 100 * (peaks[-1] - before) / before
    program.finish({"memory": {"growth_percent": growth_percent, "peak_mib": peaks[-1] / 2**20}})


def _printed_page(number: int) -> Image.Image:
    """A printed A4 page, another one for each number."""
    page = Image.new("L", _A4_AT_200_DPI, "white")
    draw = ImageDraw.Draw(page)
    for line in range(50):
        words = f"Page {number}, line {line}: " + "the quick brown fox jumps over the lazy dog " * 2
        draw.text((120, 120 + 42 * line), words, "black", font_size=28)
    return page


def _peak_bytes() -> int:
    if sys.platform == "win32":
        _give_up("Peak memory is measured on Linux and macOS only.")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _give_up(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    measures = {
        "window": measure_window,
        "gap": measure_gaps,
        "overlay": measure_overlay,
        "memory": measure_memory,
    }
    measures[sys.argv[1]]()
