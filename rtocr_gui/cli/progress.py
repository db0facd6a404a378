"""What a command tells on stderr: a live line while it works, a line for each page, and errors.

The live line appears on a terminal only; it is overwritten and never reaches a log. Where nobody listens
any more, the command goes on in silence. Knows nothing of pages or models.
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


class Progress:
    """Tells a person how far a command is.

    Args:
        stream: where to; usually stderr.
        quiet: True to tell errors and warnings only.
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
            self._write(CLEAR_LINE + _beginning(printable(text), _columns(self._stream) - 1))
            self._live_shown = True
            self._next_update_s = time.monotonic() + UPDATE_INTERVAL_S

    def update(self, text: str) -> None:
        """Overwrite the live line, but not more often than anyone can read."""
        if time.monotonic() >= self._next_update_s:
            self.show(text)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if not self._quiet:
            self._line(text)

    def complain(self, text: str) -> None:
        """Print an error or a warning: one line, told to quiet people too."""
        self._line(f"rtocr: {text}")

    def clear(self) -> None:
        """Take the live line away, before something else is written to the terminal."""
        if self._live_shown:
            self._write(CLEAR_LINE)
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
    """Let what is still written to a stream go nowhere; Python itself writes the rest of it when it ends."""
    with contextlib.suppress(OSError):  # it is no file of the system
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _columns(stream: TextIO) -> int:
    """Width of the terminal that a stream goes to, which need not be the one of stdout."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return columns or shutil.get_terminal_size().columns


def _beginning(text: str, columns: int) -> str:
    """What of a text fits so many columns of a terminal, in which Chinese characters take two."""
    ends = list(accumulate(1 + (unicodedata.east_asian_width(character) in "WF") for character in text))
    return text[: bisect_right(ends, columns)]


def printable(text: str) -> str:
    """Keep file names from breaking the line or steering the terminal: "?" for what cannot be printed."""
    return "".join(character if character.isprintable() else "?" for character in text)
