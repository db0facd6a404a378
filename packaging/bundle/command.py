"""Starts the command line of the bundle.

As Python does, it runs a module with `-m MODULE ARGUMENT...`: `rtocr bench` starts its probes so.
"""

import multiprocessing
import runpy
import sys

from rtocr_gui.cli.__main__ import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    if sys.argv[1:2] == ["-m"]:
        del sys.argv[:2]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.exit(main())
