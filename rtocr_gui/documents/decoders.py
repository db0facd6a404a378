"""Decodes scans in processes of their own, and asks these about files.

A file can crash the library that decodes it, unpack to more memory than the machine has, or keep it busy for
hours. That ends the process it was given to (`decoding.worker` is what runs there), and the next question
starts another. A process answers one question at a time, and there are as many as threads that ask at once.
"""

import atexit
import json
import math
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from PIL import Image

from rtocr_gui.documents.limits import MEMORY_LIMIT_BYTES, PICTURE_PIXEL_LIMIT
from rtocr_gui.documents.pages import Check, no_check
from rtocr_gui.errors import DocumentError, PasswordRequired
from rtocr_gui.files import reason_of

_PATIENCE_S = 0.5
"""How often a check is made. Most pages are rendered before the first: to begin anew would take longer."""

_END_TIMEOUT_S = 2.0
"""How long a process may take to close a file, or to end."""

_WORKER = "rtocr_gui.documents.decoding.worker"
_RUN_WORKER = f"import sys; sys.path[:] = sys.argv[1:]; from {_WORKER} import main; main()"

_PIPE_BYTES = 1 << 20
"""How much of a page is received at a time."""

_LONGEST_ANSWER_BYTES, _LONGEST_SENTENCE = 2_000_000, 1000
"""Limits, as a hostile file may have taken over what gives the answer."""

_NONSENSE = (OSError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError, MemoryError)
"""What it leads to if an answer is none."""


class OpenedFile(NamedTuple):
    """A file, as it was opened once.

    Attributes:
        path: where it is.
        password: of an encrypted PDF.
        number: its own each time a file is opened, as there may be another by then.
    """

    path: str
    password: str | None
    number: int


class DecoderEnded(Exception):
    """A process crashed, or needed more memory than it may have."""


class DecoderTooSlow(Exception):
    """A process did not answer in time."""


class Decoders:
    """The processes, which start once they are needed. Any thread may ask."""

    def __init__(self) -> None:
        self._all: set[_Process] = set()
        self._idle: list[_Process] = []
        self._changing = threading.Lock()

    def prepare(self) -> None:
        """Start a process, so that the first file need not wait until it is there."""
        with self._changing, suppress(DocumentError):
            if not self._all:
                self._idle.append(self._start())

    def ask(self, file: OpenedFile, name: str, *arguments: object, limit_s: float, check: Check) -> Any:
        """Ask about a file, and wait for the answer.

        Args:
            file: it stays open until the same process is asked about another.
            name: a method of `decoding.scan.OpenScan`.
            arguments: those of the method.
            limit_s: how long to wait.
            check: called every `_PATIENCE_S` seconds until the answer is there.

        Returns:
            What the method returned; for a page its picture, RGB, and its resolution.

        Raises:
            DocumentError: the method raised it, or no process could be started.
            DecoderEnded: the process ended.
            DecoderTooSlow: it took too long, and was ended.
        """
        process = self._take(file)
        try:
            answer = process.ask([file, name, *arguments], limit_s, check)
        except BaseException:
            self._end(process)
            raise
        process.holds = file
        self._give_back(process)
        if isinstance(answer, DocumentError):
            raise answer
        return answer

    def release(self, file: OpenedFile) -> None:
        """Close a file where it is open, so that every system lets it be deleted."""
        with self._changing:
            holding = [process for process in self._idle if process.holds == file]
            self._idle = [process for process in self._idle if process.holds != file]
        for process in holding:
            process.holds = None
            try:
                process.ask([file, "close"], _END_TIMEOUT_S, no_check)
            except (DecoderEnded, DecoderTooSlow):
                self._end(process)
            else:
                self._give_back(process)

    def end(self) -> None:
        """End all processes, even while they are asked."""
        with self._changing:
            processes, self._all, self._idle = self._all, set(), []
        for process in processes:
            process.end()

    def _take(self, file: OpenedFile) -> "_Process":
        """Return an idle process, which has this file open if there is one, or a new one."""
        with self._changing:
            self._idle.sort(key=lambda process: process.holds == file)
            while self._idle:
                process = self._idle.pop()
                if process.is_there:
                    return process
                self._all.discard(process)
                process.end()
            return self._start()

    def _start(self) -> "_Process":
        process = _Process()
        self._all.add(process)
        return process

    def _give_back(self, process: "_Process") -> None:
        with self._changing:
            if process in self._all:
                self._idle.append(process)

    def _end(self, process: "_Process") -> None:
        with self._changing:
            self._all.discard(process)
        process.end()


class _Process:
    """One process, asked by one thread at a time.

    Attributes:
        holds: the file that is open in it, if any.
    """

    def __init__(self) -> None:
        self.holds: OpenedFile | None = None
        self._exchange = threading.Thread()
        try:
            self._process = subprocess.Popen(
                _command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl+C is for the program that asks
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise DocumentError(
                "No file can be opened, as the process that decodes it could not be started "
                f"({reason_of(error)}). Close other programs, and try again."
            ) from error
        _limit(self._process)

    @property
    def is_there(self) -> bool:
        """False if the process ended while nothing was asked; the system may need its memory."""
        return self._process.poll() is None

    def ask(self, question: list[object], limit_s: float, check: Check) -> Any:
        """Return the answer to a question, which may be a `DocumentError`; raise if there is none.

        After that, the process must be ended.
        """
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        exchange = threading.Thread(
            target=lambda: answers.put(self._answer_to(question)), name="decoder", daemon=True
        )
        exchange.start()
        self._exchange = exchange
        deadline = time.monotonic() + limit_s
        while True:
            try:
                answer = answers.get(timeout=min(_PATIENCE_S, limit_s))
                break
            except queue.Empty:
                check()
                if time.monotonic() >= deadline:
                    raise DecoderTooSlow from None
        if isinstance(answer, DecoderEnded):
            raise answer
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        if self._exchange.is_alive():
            self._exchange.join(_END_TIMEOUT_S)
        if not self._exchange.is_alive():
            with suppress(OSError):
                self._process.__exit__(None, None, None)

    def _answer_to(self, question: list[object]) -> Any:
        """Send a question and receive its answer, which is an error if the process ends or talks nonsense."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline(_LONGEST_ANSWER_BYTES))
            if "error" in answer:
                kind = PasswordRequired if answer["error"] == PasswordRequired.__name__ else DocumentError
                return kind(str(answer["text"])[:_LONGEST_SENTENCE])
            return (
                _receive_page(self._process.stdout, *answer["page"]) if "page" in answer else answer["value"]
            )
        except _NONSENSE as error:
            ended = DecoderEnded()
            ended.__cause__ = error
            return ended


def _receive_page(
    pixels: IO[bytes], width: int, height: int, dpi: float | None
) -> tuple[Image.Image, float | None]:
    """Return a page and its resolution; while it arrives, it takes little more memory than its picture."""
    if not 0 < width * height <= PICTURE_PIXEL_LIMIT:
        raise ValueError
    page = Image.new("RGB", (width, height))
    rows = max(1, _PIPE_BYTES // (4 * width))
    for top in range(0, height, rows):
        size = width, min(rows, height - top)
        piece = pixels.read(4 * math.prod(size))
        page.paste(Image.frombytes("RGB", size, piece, "raw", "RGBX"), (0, top))
    return page, None if dpi is None else float(dpi)


def _command() -> list[str]:
    """Return what starts a process. In the bundle, its command line runs modules as Python does."""
    if getattr(sys, "frozen", False):
        return [str(Path(sys.executable).with_stem("rtocr")), "-m", _WORKER]
    return [sys.executable, "-I", "-c", _RUN_WORKER, *sys.path]


def _limit(process: subprocess.Popen[bytes]) -> None:
    """Limit the memory of a process, have it leave no copy of it behind, and widen its pipe, as Linux can."""
    if sys.platform == "linux":
        import fcntl
        import resource

        assert process.stdout is not None
        for name, limit in ((resource.RLIMIT_AS, MEMORY_LIMIT_BYTES), (resource.RLIMIT_CORE, 0)):
            with suppress(OSError, ValueError):  # it ended, or may have even less
                resource.prlimit(process.pid, name, (limit, limit))
        with suppress(OSError):  # the person has too many wide pipes
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


DECODERS = Decoders()
atexit.register(DECODERS.end)
