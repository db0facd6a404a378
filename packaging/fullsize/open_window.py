"""Opens the window with a full-size checkpoint, and reports how long it blocks the user at each stage.

It is the program's own window: it loads the model and encodes a page by itself; then the page is read as with
Read, until there are enough tokens and Stop is pressed. Meanwhile a timer on the main thread should fire
every 10 ms; a click or a key would have to wait for as long as it is late.

    python packaging/fullsize/open_window.py FOLDER [--platform offscreen] [--tokens 50] [--json FILE]
"""

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from rtocr_gui.cli.failures import failures_in_words
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.reading import Mode, Stage
from rtocr_gui.resources import resource_path
from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_start import make_engine
from rtocr_gui.ui.background.replies import StageEntered, TextStreamed
from rtocr_gui.ui.probe import FirstPaint, GapMeter, Probe, run_until

STAGES = {Stage.ENCODE: "encode", Stage.PRUNE: "prune", Stage.PREFILL: "prefill", Stage.DECODE: "decode"}

NOTICED_MS = 100
"""Delay from which a person notices that the window does not respond."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the window was blocked during a stage.

    Attributes:
        stage: what the model was doing.
        seconds: how long it took.
        longest_ms: longest time between two ticks of the timer.
        percentile_99_ms: 99th percentile of the time between two ticks.
        noticed: number of times between ticks that are long enough to notice.
    """

    stage: str
    seconds: float
    longest_ms: float
    percentile_99_ms: float
    noticed: int


class StageWatch(QObject):
    """Watches the event loop stage by stage.

    Signals:
        torch_imported(): the engine has been made; weights are loaded from now on.
    """

    torch_imported = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[Wait] = []
        self._stage = ""
        self._begun = 0.0
        self._meter = GapMeter()
        self.torch_imported.connect(lambda: self.enter("load the weights"))

    def make_engine(self) -> PageEngine:
        """Make the engine on the model lane, and emit `torch_imported`."""
        engine = make_engine()
        self.torch_imported.emit()
        return engine

    def enter(self, stage: str) -> None:
        """Start watching another stage; an empty name stops watching."""
        if self._stage:
            longest_ms = self._meter.stop()
            gaps_ms = self._meter.gaps_ms
            centiles = statistics.quantiles(gaps_ms, n=100) if len(gaps_ms) > 1 else [longest_ms]
            seconds = time.perf_counter() - self._begun
            noticed = sum(gap_ms > NOTICED_MS for gap_ms in gaps_ms)
            self.waits.append(Wait(self._stage, seconds, longest_ms, min(centiles[-1], longest_ms), noticed))
        self._stage, self._begun = stage, time.perf_counter()
        if stage:
            self._meter.start()

    @Slot(object)
    def follow(self, reply: StageEntered) -> None:
        """Start watching a stage of a page."""
        self.enter(STAGES[reply.stage])


@failures_in_words()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--platform", help="Qt platform (chosen by Qt)")
    parser.add_argument("--mode", default="base", choices=[mode.value for mode in Mode])
    parser.add_argument("--tokens", type=int, default=50)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path, help="also write a picture of the window at the end")
    arguments = parser.parse_args()
    if arguments.platform:
        os.environ["QT_QPA_PLATFORM"] = arguments.platform
    inspect_checkpoint(arguments.folder)  # the window would wait for another model to be chosen
    settings = Settings(
        model_folder=str(arguments.folder.absolute()), mode=arguments.mode, device=arguments.device
    )
    watch = StageWatch()
    probe = Probe([resource_path("samples/letter.png")], settings, watch.make_engine)
    session, bridge = probe.session, probe.bridge
    FirstPaint(probe.window.page_column.page_view.viewport(), lambda: watch.enter("import torch"))
    bridge.stage_entered.connect(watch.follow)
    run_until(bridge.model_loaded, lambda _: True)
    run_until(session.planner.plan_changed, lambda plan: plan is not None)
    watch.enter("")
    tokens = 0

    def stop_in_time(reply: TextStreamed) -> None:
        nonlocal tokens
        if tokens < arguments.tokens <= reply.tokens_so_far:
            watch.enter("stop")
            session.stop()
        tokens = reply.tokens_so_far

    bridge.text_streamed.connect(stop_in_time)
    QTimer.singleShot(0, session.read_selected)
    run_until(bridge.reading_finished, lambda _: True)
    watch.enter("")
    _print(watch.waits, tokens)
    if arguments.picture:
        probe.window.grab().save(str(arguments.picture))
    figures = {"stages": [asdict(wait) for wait in watch.waits], "tokens": tokens}
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    sys.stdout.flush()
    os._exit(0)


def _print(waits: list[Wait], tokens: int) -> None:
    print(f"{'stage':18}{'seconds':>10}{'longest ms':>12}{'99 % ms':>10}{f'over {NOTICED_MS} ms':>14}")
    for wait in waits:
        print(
            f"{wait.stage:18}{wait.seconds:10.1f}{wait.longest_ms:12.0f}"
            f"{wait.percentile_99_ms:10.0f}{wait.noticed:14d}"
        )
    print(f"{tokens} tokens read")


if __name__ == "__main__":
    main()
