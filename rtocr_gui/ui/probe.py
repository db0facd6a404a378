"""Measures the window in a process of its own, and prints the figures as JSON.

`cli.bench.promises` starts it as `python -m rtocr_gui.ui.probe gap|overlay|drag|memory MOMENT`, where the
moment is the `time.monotonic()` of the start: how soon a window appears, and whether it was kept
waiting, can only be seen from inside. The program is the real one, with the bundled miniature.
"""

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer, Signal, SignalInstance, Slot
from PySide6.QtWidgets import QSlider

from rtocr_gui.documents.specimen import A4_AT_200_DPI, specimen_page
from rtocr_gui.export.looks import Look
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.reading import Mode, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.settings import Settings
from rtocr_gui.ui.app import Program, make_application
from rtocr_gui.ui.parts.timers import one_shot

_SLIDER_MOVES = 200
_DRAG_MOVES = 180
_DRAG_INTERVAL_S = 1 / 60
_SETTLE_MS = 1000
_MEMORY_PAGES = 20
_LAST_PAGES = 5
_MEMORY_NEW_TOKENS = 64
_TICK_MS = 10


def run_until(
    signal: SignalInstance, wanted: Callable[..., object], patience_s: float = 600
) -> tuple[Any, ...]:
    """Let the program run until a signal carries the wanted values, and return them.

    Raises:
        SystemExit: they did not come in time.
    """
    loop = QEventLoop()
    came: list[tuple[Any, ...]] = []

    def check(*values: Any) -> None:
        if not came and wanted(*values):
            came.append(values)
            loop.quit()

    patience = one_shot(loop, round(1000 * patience_s), loop.quit)
    patience.start()
    connection = signal.connect(check)
    loop.exec()
    signal.disconnect(connection)
    if not came:
        raise SystemExit(f"The program did not get there in {patience_s:.0f} seconds.")
    return came[0]


class FirstPaint(QObject):
    """Calls back once a widget has been painted for the first time and the event loop is free again."""

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
    """Measures with a timer how long the event loop keeps events waiting.

    Attributes:
        gaps_ms: the intervals between ticks since it was started.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gaps_ms: list[float] = []
        self._ticked_at = time.perf_counter()
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Forget all intervals and begin to measure."""
        self.gaps_ms = []
        self._ticked_at = time.perf_counter()
        self._timer.start()

    def stop(self) -> float:
        """Stop measuring, and return the longest interval between two ticks, in milliseconds."""
        self._tick()
        self._timer.stop()
        return max(self.gaps_ms)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps_ms.append((now - self._ticked_at) * 1000)
        self._ticked_at = now


class Hand(QObject):
    """Drags the retention slider from a thread of its own, as a mouse would, whatever the program does.

    Signals:
        moved(float): one move, with the `time.perf_counter()` at which it was made.
        rested(): the last move has been made.

    Args:
        slider: the slider to drag.
    """

    moved = Signal(float)
    rested = Signal()

    def __init__(self, slider: QSlider) -> None:
        super().__init__()
        self._slider = slider
        self._moves = 0
        self._unpainted: deque[tuple[int, float]] = deque()
        self.longest_wait_s = 0.0
        self.longest_unpainted_s = 0.0
        self.moved.connect(self._move)

    def drag(self) -> None:
        """Begin to move, 60 times a second."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        begun = time.perf_counter()
        for number in range(_DRAG_MOVES):
            time.sleep(max(0.0, begun + number * _DRAG_INTERVAL_S - time.perf_counter()))
            self.moved.emit(time.perf_counter())
        self.rested.emit()

    @Slot(float)
    def _move(self, made_at: float) -> None:
        self.longest_wait_s = max(self.longest_wait_s, time.perf_counter() - made_at)
        percent = 1 + 37 * self._moves % 100
        self._moves += 1
        self._unpainted.append((percent, made_at))
        self._slider.setValue(percent)

    @Slot(object)
    def note_painted(self, plan: PrunePlan) -> None:
        """Note that a plan was painted: its move has been shown, and so have those before it."""
        percents = [percent for percent, _ in self._unpainted]
        if round(100 * plan.retention) in percents:
            for _ in range(percents.index(round(100 * plan.retention)) + 1):
                _, made_at = self._unpainted.popleft()
                self.longest_unpainted_s = max(self.longest_unpainted_s, time.perf_counter() - made_at)


class Probe:
    """The program under measurement, started as `app` starts it.

    Args:
        files: pages to open; none opens the samples.
        settings: what a person would have chosen.
        engine_factory: makes the engine, on the model lane; None for the real one.
    """

    def __init__(
        self,
        files: Sequence[Path],
        settings: Settings,
        engine_factory: Callable[[], PageEngine] | None = None,
    ) -> None:
        if sys.platform == "linux" and not os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}:
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        self.application = make_application()
        program = Program(settings, engine_factory)
        self.bridge, self.session, self.window = program.bridge, program.session, program.window
        self.bridge.request_failed.connect(lambda failure: _give_up(failure.sentence))
        program.start(files)

    def finish(self, figures: dict[str, object]) -> None:
        """Print the figures and end the process, whatever its threads are doing."""
        json.dump(figures | {"qt_platform": self.application.platformName()}, sys.stdout)
        sys.stdout.flush()
        os._exit(0)


def measure_window() -> None:
    """Measure how long after its start the process shows a painted window."""
    program = Probe((), Settings())
    started_at = float(sys.argv[2])
    FirstPaint(
        program.window.page_column.page_view.viewport(),
        lambda: program.finish({"window_s": time.monotonic() - started_at}),
    )
    program.application.exec()


def measure_gaps() -> None:
    """Measure the longest gap of the event loop while torch is imported, and while pages are read."""
    program = Probe((), Settings())
    meter = GapMeter()
    FirstPaint(program.window.page_column.page_view.viewport(), meter.start)
    run_until(program.bridge.model_loaded, lambda _: True)
    importing_ms = meter.stop()
    meter.start()
    QTimer.singleShot(0, program.session.read_all)
    unread = len(program.session.shelf.refs)

    def all_read(_: object) -> bool:
        nonlocal unread
        unread -= 1
        return unread == 0

    run_until(program.bridge.reading_finished, all_read)
    program.finish({"gap_ms": {"importing": importing_ms, "reading": meter.stop()}})


def measure_overlay() -> None:
    """Measure the time from a move of the slider to the painted overlay, on a page of 856 cells."""
    with _page_of_noise() as (program, slider):
        painted = program.window.page_column.page_view.plan_painted
        times_ms = []
        for move in range(_SLIDER_MOVES):
            moved_at = time.perf_counter()
            QTimer.singleShot(0, lambda percent=1 + 37 * move % 100: slider.setValue(percent))
            run_until(painted, lambda _: True)
            times_ms.append((time.perf_counter() - moved_at) * 1000)
    program.finish({"overlay": {"median_ms": statistics.median(times_ms), "worst_ms": max(times_ms)}})


def measure_drag() -> None:
    """Drag the slider on a page of 856 cells in every look, and report what was kept waiting and how long."""
    with _page_of_noise() as (program, slider):
        program.bridge.stage_entered.connect(
            lambda _: _give_up("Dragging the slider gave the model something to do; it must not.")
        )
        slider.setSliderDown(True)
        looks = {look.value: _drag_in(look, program, slider) for look in Look}
    worst = {name: max(figures[name] for figures in looks.values()) for name in looks[Look.KEPT.value]}
    program.finish({"drag": worst | {"looks": looks}})


@contextmanager
def _page_of_noise() -> Iterator[tuple[Probe, QSlider]]:
    """The program with its plan painted on a page of 856 cells, and its slider."""
    with tempfile.TemporaryDirectory(prefix="rtocr-probe-") as folder:
        path = Path(folder, "page.png")
        Image.effect_noise(A4_AT_200_DPI, 80).convert("RGB").save(path)
        program = Probe([path], Settings(mode=Mode.GUNDAM.value))
        run_until(program.window.page_column.page_view.plan_painted, lambda _: True)
        slider = program.window.retention_bar.findChild(QSlider)
        assert slider is not None
        yield program, slider


def _drag_in(look: Look, program: Probe, slider: QSlider) -> dict[str, float]:
    view = program.window.page_column.page_view
    view.set_look(look)
    settled = QTimer(singleShot=True)
    settled.start(_SETTLE_MS)
    run_until(settled.timeout, lambda: True)
    hand = Hand(slider)
    view.plan_painted.connect(hand.note_painted)
    meter = GapMeter()
    meter.start()
    hand.drag()
    run_until(hand.rested, lambda: True)
    gap_ms = meter.stop()
    view.plan_painted.disconnect(hand.note_painted)
    return {
        "gap_ms": gap_ms,
        "waited_ms": 1000 * hand.longest_wait_s,
        "unpainted_ms": 1000 * hand.longest_unpainted_s,
    }


def measure_memory() -> None:
    """Measure by how much the last pages of a long run raise the peak memory of the program."""
    with tempfile.TemporaryDirectory(prefix="rtocr-probe-") as folder:
        path = Path(folder, "pages.tiff")
        first, *others = (specimen_page(number).convert("L") for number in range(_MEMORY_PAGES))
        first.save(path, save_all=True, append_images=others, compression="tiff_lzw")
        del first, others
        program = Probe([path], Settings(mode=Mode.BASE.value))
        run_until(program.session.planner.plan_changed, lambda plan: plan is not None)
        settings = ReadSettings(
            Scaling(Mode.BASE), program.session.choices.task, max_new_tokens=_MEMORY_NEW_TOKENS
        )
        peaks: list[int] = []
        for ref in program.session.shelf.refs:
            program.session.shelf.select(ref)
            program.bridge.read_page(ref, settings)
            run_until(program.bridge.reading_finished, lambda _: True)
            peaks.append(_peak_bytes())
    before = peaks[-1 - _LAST_PAGES]
    growth_percent = 100 * (peaks[-1] - before) / before
    program.finish({"memory": {"growth_percent": growth_percent, "peak_mib": peaks[-1] / 2**20}})


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
        "gap": measure_gaps,
        "overlay": measure_overlay,
        "drag": measure_drag,
        "memory": measure_memory,
    }
    measures[sys.argv[1]]()
