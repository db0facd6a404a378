"""Open the window: `python -m rtocr_gui [FILE...]`."""

import gc
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
    return load()()


if __name__ == "__main__":
    sys.exit(main())
