"""Reports progress on stderr: a live line while a command works, a line for each page, and errors.

The live line appears only on a terminal; it is overwritten and never reaches a log. If stderr is closed on
the other side, the command continues silently. Knows nothing about pages or models.
"""

import contextlib
import os
import shutil
import time
import unicodedata
from bisect import bisect_right
from itertools import accumulate
from typing import TextIO

UPDATE_INTERVAL_S = 0.1
CLEAR_LINE = "\r\x1b[K"

_KNOWS_ESCAPES = os.name != "nt"
"""The older console of Windows prints escape sequences."""


class Progress:
    """Reports the progress of a command.

    Args:
        stream: the stream to write to, usually stderr.
        quiet: True to report only errors and warnings.
    """

    def __init__(self, stream: TextIO, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._live = stream.isatty() and not quiet
        self._live_shown = False
        self._next_update_s = 0.0

    def show(self, text: str) -> None:
        """Overwrite the live line."""
        if self._live:
            columns = _columns(self._stream) - 1
            self._write(_cleared(columns) + _beginning(printable(text), columns))
            self._live_shown = True
            self._next_update_s = time.monotonic() + UPDATE_INTERVAL_S

    def update(self, text: str) -> None:
        """Overwrite the live line, at most once per `UPDATE_INTERVAL_S`."""
        if time.monotonic() >= self._next_update_s:
            self.show(text)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if not self._quiet:
            self._line(text)

    def complain(self, text: str) -> None:
        """Print an error or a warning on one line, even if quiet."""
        self._line(f"rtocr: {text}")

    def clear(self) -> None:
        """Remove the live line, before something else is written to the terminal."""
        if self._live_shown:
            self._write(_cleared(_columns(self._stream) - 1))
            self._live_shown = False

    def _line(self, text: str) -> None:
        self.clear()
        self._write(printable(text) + "\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            abandon(self._stream)


def abandon(stream: TextIO) -> None:
    """Redirect a stream to the null device; otherwise Python fails when it flushes the stream at exit."""
    with contextlib.suppress(OSError):  # it has no file descriptor
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _cleared(columns: int) -> str:
    return CLEAR_LINE if _KNOWS_ESCAPES else f"\r{' ' * columns}\r"


def _columns(stream: TextIO) -> int:
    """Return the width of the terminal a stream writes to, which need not be that of stdout."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return columns or shutil.get_terminal_size().columns


def _beginning(text: str, columns: int) -> str:
    """Return as much of a text as fits into the columns of a terminal; wide characters take two."""
    ends = list(accumulate(1 + (unicodedata.east_asian_width(character) in "WF") for character in text))
    return text[: bisect_right(ends, columns)]


def printable(text: str) -> str:
    """Replace unprintable characters with "?", so that file names cannot control the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
