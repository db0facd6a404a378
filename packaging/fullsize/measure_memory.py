"""Measures the memory of encoding and prefill in every mode, and compares it with what the program computes.

For Linux on a CPU. The allocator is configured to return freed memory at once, so that figures do not affect
each other; for this the script restarts itself.

    python packaging/fullsize/measure_memory.py FOLDER [--precision float32]
"""

import argparse
import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image

from read_page import PeakMemory, own_bytes
from rtocr_gui.cli.failures import failures_in_words
from rtocr_gui.ocr.decoder.decoding import Decoder, build_prompt
from rtocr_gui.ocr.machine.spot import VALUE_BYTES
from rtocr_gui.ocr.memory.need import View, memory_need
from rtocr_gui.ocr.model.checkpoint import load_checkpoint
from rtocr_gui.ocr.model.folder import open_folder
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.encoding import encode_views
from rtocr_gui.ocr.vision.views import make_views

PROMPT = [1, 2, 3, 4, 5]
PAGES = (
    (Mode.TINY, (1654, 2339)),
    (Mode.SMALL, (1654, 2339)),
    (Mode.BASE, (1654, 2339)),
    (Mode.LARGE, (1654, 2339)),
    (Mode.GUNDAM, (640, 1280)),
    (Mode.GUNDAM, (1280, 1280)),
    (Mode.GUNDAM, (1280, 1920)),
    (Mode.GUNDAM, (1920, 1920)),
)
"""Modes and page sizes; in Gundam, for 2, 4, 6 and 9 tiles."""

_GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}

_Result = TypeVar("_Result")


def measured(work: Callable[[], _Result]) -> tuple[_Result, int]:
    """Run a function; return its result and the peak memory it added to what was in use before."""
    gc.collect()
    before, memory = own_bytes(), PeakMemory()
    with memory.watching():
        result = work()
    return result, memory.peak_bytes - before


@failures_in_words()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--precision", default="float32", choices=VALUE_BYTES)
    arguments = parser.parse_args()
    if not _GIVE_BACK.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | _GIVE_BACK)
    dtype = getattr(torch, arguments.precision)
    checkpoint, loading = measured(
        partial(load_checkpoint, open_folder(arguments.folder), torch.device("cpu"), dtype)
    )
    weights = checkpoint.info.parameter_count * dtype.itemsize
    print(f"weights {weights / 1e6:.0f} MB, peak while loading {loading / 1e6:.0f} MB\n")
    print("| view | encoding | computed | of measured | prefill | computed for reading |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    model, noise = checkpoint.model, np.random.default_rng(0)
    for mode, (width, height) in PAGES:
        page = Image.fromarray(noise.integers(0, 255, (height, width, 3), dtype=np.uint8))
        views = make_views(page, mode)
        tokens, encoding = measured(partial(encode_views, model, views))
        prompt = build_prompt(model, [0], tokens, np.arange(len(tokens)), len(tokens), PROMPT)
        _, prefill = measured(partial(Decoder(model).prefill, prompt))
        view = View(mode, len(views.tiles))
        need = memory_need(checkpoint.architecture, 0, view, arguments.precision, "cpu", text_tokens=0)
        print(
            f"| {view.phrase} | {encoding / 1e6:.0f} MB | {need.encoding / 1e6:.0f} MB "
            f"| {need.encoding / encoding:.2f} | {prefill / 1e6:.0f} MB | {need.reading / 1e6:.0f} MB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
