"""Starts the window of the bundle."""

import multiprocessing
import os
import sys

from rtocr_gui.__main__ import main


def forget_own_libraries() -> None:
    """Let other programs, such as the one that shows the log, find their own libraries on Linux."""
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before


if __name__ == "__main__":
    multiprocessing.freeze_support()
    forget_own_libraries()
    sys.exit(main())
