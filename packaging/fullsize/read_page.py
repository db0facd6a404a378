"""Loads a full-size checkpoint through the program's own path and reads a page with it, full and pruned.

Prints a table: memory while loading beside the size of the weights, and the stages of each reading. The text
is noise, as the weights of `make_checkpoint.py` are random.

    python packaging/fullsize/read_page.py FOLDER [--mode base] [--tokens 50] [--json FILE]
"""

import argparse
import json
import platform
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rtocr_gui.cli.bench.decoding_probe import RATIOS
from rtocr_gui.cli.failures import failures_in_words
from rtocr_gui.documents.loading import open_document
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.machine.spot import VALUE_BYTES
from rtocr_gui.ocr.reading import TASKS, Mode, Reading, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.resources import resource_path

_SAMPLE_EVERY_S = 0.01


class PeakMemory:
    """Watches the private memory of this process; pages of mapped files do not count.

    Attributes:
        peak_bytes: highest value so far.
    """

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._done = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch while a block runs (on Linux; elsewhere, the peak of the whole process is reported)."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _watch(self) -> None:
        while True:
            self.peak_bytes = max(self.peak_bytes, own_bytes())
            if self._done.wait(_SAMPLE_EVERY_S):
                return


def own_bytes() -> int:
    """Return the current private memory of this process."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["RssAnon"].split()[0]) * 1024


@failures_in_words()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mode", default="base", choices=[mode.value for mode in Mode])
    parser.add_argument("--tokens", type=int, default=50)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    engine, memory = Engine(), PeakMemory()
    with memory.watching():
        model = engine.load(arguments.folder, arguments.device)
    weight_bytes = model.info.parameter_count * VALUE_BYTES[model.dtype]
    figures: dict[str, object] = {
        "machine": f"{platform.machine()}, {model.device}, {model.dtype}",
        "load_s": model.load_ms / 1000,
        "weights_gb": weight_bytes / 1e9,
        "peak_over_weights": memory.peak_bytes / weight_bytes,
    }
    print(f"{figures['machine']}: loaded in {figures['load_s']:.0f} s")
    print(f"weights {weight_bytes / 1e9:.2f} GB, peak memory {memory.peak_bytes / 1e9:.2f} GB")
    with open_document(resource_path("samples/letter.png")) as document:
        page = document.load_page(0, 200)
    task = next(task for task in TASKS if task.name == "text")
    print("retention   kept    encode s    prune s  prefill s   decode s   tokens/s")
    readings = []
    for ratio in RATIOS:
        settings = ReadSettings(
            Scaling(Mode(arguments.mode)),
            task,
            PruneSettings(ratio),
            max_new_tokens=arguments.tokens,
            stop_at_end=False,
        )
        *_, reading = engine.read(page, settings, threading.Event(), draft=())
        assert isinstance(reading, Reading)
        times = asdict(reading.timings)
        del times["cached_ms"]  # a page is encoded once
        readings.append(
            {
                "retention": ratio,
                "kept": reading.kept,
                "passes": reading.passes,
                "tokens_per_second": reading.tokens_per_second,
                **times,
            }
        )
        stages = "".join(f"{milliseconds / 1000:11.2f}" for milliseconds in times.values())
        print(f"{ratio:9.4f} {reading.kept:6d} {stages} {reading.tokens_per_second:10.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures | {"readings": readings}, indent=2) + "\n")


if __name__ == "__main__":
    main()
