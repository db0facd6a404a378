"""The `rtocr` command: reads pages, plans their tokens and measures speed without a window.

Turns what a command returns or raises into exit codes and lines on stderr. Knows no Qt, and uses torch
only through the engine that a command makes when it needs one.
"""

import argparse
import errno
import io
import os
import sys
import warnings
from collections.abc import Sequence

from rtocr_gui.cli import curve, plan, read
from rtocr_gui.cli.arguments import parse_arguments
from rtocr_gui.cli.outputs import named_outputs, needs_stdout
from rtocr_gui.cli.pages import EngineFactory
from rtocr_gui.cli.progress import Progress, abandon
from rtocr_gui.errors import RtocrError
from rtocr_gui.export.writing import check_target
from rtocr_gui.files import FOLDER_GONE, has_current_folder, reason_of
from rtocr_gui.ocr.engine_import import real_engine

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130

_OF_OUTPUT = {
    errno.EPIPE,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EINVAL,
    errno.EBADF,
}
"""Errors of writing to stdout: the disk is full, or the reader has gone (EINVAL on Windows)."""


def main(argv: Sequence[str] | None = None, engine_factory: EngineFactory = real_engine) -> int:
    """Run one command.

    Args:
        argv: the arguments after `rtocr`; None for those of this process.
        engine_factory: makes the engine once a page is open.

    Returns:
        0 if everything was done, 1 if something could not be read or written, 130 after Ctrl-C.

    Raises:
        SystemExit: 2 for wrong usage, 0 after `--help` and `--version`.
        OSError: the system failed at something other than reading or writing.
    """
    is_heard = _replace_closed_streams()
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # they are about tags, not pixels
    progress = Progress(sys.stderr, getattr(arguments, "quiet", False))
    if not is_heard and needs_stdout(arguments):
        progress.complain("stdout is closed. Open it, or name a file to write to.")
        return EXIT_FAILED
    if not has_current_folder():
        progress.complain(FOLDER_GONE)
        return EXIT_FAILED
    try:
        for path in named_outputs(arguments):
            check_target(path, may_be_folder=arguments.command == "read")
        is_done = _run(arguments, engine_factory, progress)
        sys.stdout.flush()  # here, where a failure can be reported
        return EXIT_DONE if is_done else EXIT_FAILED
    except RtocrError as error:
        progress.complain(str(error))
        return EXIT_FAILED
    except OSError as error:
        if error.errno not in _OF_OUTPUT or error.filename or getattr(error, "winerror", None):
            raise
        if not isinstance(error, BrokenPipeError):
            progress.complain(f"the output could not be written: {reason_of(error)}.")
        abandon(sys.stdout)
        return EXIT_FAILED
    except MemoryError:
        progress.complain("there is not enough memory. Close other programs.")
        return EXIT_FAILED
    except KeyboardInterrupt:
        progress.complain("interrupted.")
        return EXIT_INTERRUPTED


def _replace_closed_streams() -> bool:
    """Replace closed standard streams (`2>&-`) with the null device; False if stdout was closed."""
    is_heard = sys.stdout is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            # Like Python's own streams when closed; any name can be written to it, whatever the locale.
            stream = os.fdopen(nowhere, mode, encoding="utf-8", errors="backslashreplace", closefd=False)
            setattr(sys, name, stream)
    return is_heard


def _run(arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress) -> bool:
    """Carry out a command; False if something could not be read, measured or used."""
    if arguments.command == "bench":
        from rtocr_gui.cli.bench import accuracy, decoding, promises

        if arguments.figures == "accuracy":
            return accuracy.run(arguments, engine_factory, progress)
        if arguments.figures == "decoding":
            decoding.run(arguments, progress)
            return True
        return promises.run(arguments, progress)
    if arguments.command == "models":
        from rtocr_gui.cli import models

        return models.run(arguments, engine_factory, progress)
    commands = {"read": read.run, "plan": plan.run, "curve": curve.run}
    return commands[arguments.command](arguments, engine_factory, progress)
