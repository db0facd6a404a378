"""Makes the real engine, which imports torch and transformers: half a million objects, in several seconds."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.machine.hub_variables import check_hub_variables
from rtocr_gui.ocr.machine.threads import wait_without_spinning

if TYPE_CHECKING:
    from rtocr_gui.ocr.engine import Engine


def real_engine() -> "Engine":
    """Make an engine. The first call takes three quarters of the time of a plain import.

    Raises:
        SettingsError: the environment does not let transformers be imported, or torch lacks a library.
    """
    check_hub_variables()
    wait_without_spinning()
    try:
        with _not_looking_for_garbage():
            from rtocr_gui.ocr.engine import Engine
    except OSError as error:  # a library that it loads is missing
        raise SettingsError(
            f"PyTorch could not be loaded ({error}). On Windows, install the Visual C++ Redistributable from "
            "Microsoft, then try again."
        ) from error
    return Engine()


@contextmanager
def _not_looking_for_garbage() -> Iterator[None]:
    """Turn garbage collection off; imported objects stay, so later collections skip them too.

    The thresholds apply to Python, and to a window that looks for garbage instead; 0 means never.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(0, 0, 0)
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*thresholds)
