"""Open the window: `python -m rtocr_gui [FILE...]`."""

import gc
import sys
from collections.abc import Callable


def load() -> Callable[[], int]:
    """Import the program. Nearly everything that is made meanwhile stays, so looking for garbage waits."""
    gc.disable()
    from rtocr_gui.ui.app import main as run

    gc.freeze()
    gc.enable()
    return run


def main() -> int:
    """Run the window until it is closed, and give the exit code."""
    return load()()


if __name__ == "__main__":
    sys.exit(main())
