"""Open the window: `python -m rtocr_gui [FILE...]`."""

import gc
import signal
import sys
from collections.abc import Callable


def load() -> Callable[[], int]:
    """Import the program. Nearly all objects made here stay, so the garbage collector is off until then."""
    gc.disable()
    from rtocr_gui.ui.app import main as run

    gc.freeze()
    gc.enable()
    return run


def main() -> int:
    """Run the window until it is closed, and return the exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is lost before the window is there
    return load()()


if __name__ == "__main__":
    sys.exit(main())
