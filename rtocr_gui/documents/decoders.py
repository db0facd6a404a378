"""Decodes scans in processes of their own, and asks these about files.

A file can crash the library that decodes it, unpack to more memory than the machine has, or keep it busy for
hours. That ends the process it was given to (`decoding.worker` is what runs there), and the next question
starts another. A process answers one question at a time, and there are as many as threads that ask at once.
"""

import atexit
import json
import math
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

from PIL import Image

from rtocr_gui.documents.limits import MEMORY_LIMIT_BYTES, PICTURE_PIXEL_LIMIT
from rtocr_gui.documents.pages import CHECK_INTERVAL_S, Check, no_check
from rtocr_gui.errors import DocumentError, PasswordRequired
from rtocr_gui.files import reason_of

_END_TIMEOUT_S = 2.0
"""How long a process may take to close a file, or to end."""

_WORKER = "rtocr_gui.documents.decoding.worker"
_RUN_WORKER = f"import sys; sys.path[:] = sys.argv[1:]; from {_WORKER} import main; main()"

_PIPE_BYTES = 1 << 20
"""How much of a page is received at a time."""

_LONGEST_ANSWER_BYTES, _LONGEST_SENTENCE, _LONGEST_SIDE_PX = 2_000_000, 1000, 100_000
"""Limits, as a hostile file may have taken over what gives the answer."""

_MEMORY_SHARE = 0.6
"""Share of the memory of the machine that one of them may take, if that is less than the limit."""

_MOST_IDLE = 2
"""How many processes are kept that nothing is asked of: one for the view, and one for what runs beside it."""

_NONSENSE = (OSError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError, MemoryError)
"""What a malformed answer raises when it is read."""


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


class DecodedPage(NamedTuple):
    """A page from another process.

    Attributes:
        image: RGB.
        dpi: resolution that it was rendered at, or that a picture states; None if it states none.
    """

    image: Image.Image
    dpi: float | None


Answer = TypeVar("Answer", int, str, DecodedPage)


class DecoderEnded(Exception):
    """A process crashed, needed more memory than it may have, or gave a malformed answer."""


class DecoderTooSlow(Exception):
    """A process did not answer in time."""


class Decoders:
    """The processes, which start once they are needed. Any thread may ask."""

    def __init__(self) -> None:
        self._all: set[_Process] = set()
        self._idle: list[_Process] = []
        self._changing = threading.Lock()

    def prepare(self) -> None:
        """Start a process, so that the first file need not wait for it."""
        with self._changing, suppress(DocumentError):
            if not self._all:
                self._idle.append(self._start())

    def ask(
        self,
        kind: type[Answer],
        file: OpenedFile,
        name: str,
        *arguments: object,
        limit_s: float,
        check: Check,
    ) -> Answer:
        """Ask about a file, and wait for the answer.

        Args:
            kind: what the method returns: text, a page, or a number above 0.
            file: it stays open until the same process is asked about another.
            name: a method of `decoding.scan.OpenScan`.
            arguments: those of the method.
            limit_s: how long to wait.
            check: called every `CHECK_INTERVAL_S` seconds until the answer is there.

        Returns:
            What the method returned.

        Raises:
            DocumentError: the method raised it, or no process could be started.
            DecoderEnded: the process ended.
            DecoderTooSlow: it took too long, and was ended.
        """
        process = self._take(file)
        try:
            answer = process.ask([file, name, *arguments], limit_s, check)
            is_no_number = isinstance(answer, int) and answer < 1
            if is_no_number or not isinstance(answer, kind | DocumentError):
                raise DecoderEnded
        except BaseException:
            self._end(process)
            raise
        self._give_back(process)
        if isinstance(answer, DocumentError):
            raise answer
        result: Answer = answer
        return result

    def release(self, file: OpenedFile) -> None:
        """Close a file wherever it is open, after the current page: some systems delete no open file."""
        with self._changing:
            holding = [process for process in self._all if process.holds == file]
            for process in holding:
                process.is_to_release = True
            idle = [process for process in holding if process in self._idle]
            self._idle = [process for process in self._idle if process not in idle]
        for process in idle:
            self._give_back(process)

    def end(self) -> None:
        """End all processes, even while they are asked; the next question starts another."""
        with self._changing:
            processes, self._all, self._idle = self._all, set(), []
        for process in processes:
            process.end()

    def _take(self, file: OpenedFile) -> "_Process":
        """Return an idle process, best one that has this file open or else none, or a new one."""
        with self._changing:
            self._idle.sort(key=lambda process: (process.holds == file, process.holds is None))
            process = None
            while process is None and self._idle:
                process = self._idle.pop()
                if not process.is_there:
                    self._all.discard(process)
                    process.end()
                    process = None
            process = process or self._start()
            process.holds, process.is_to_release = file, False
            return process

    def _start(self) -> "_Process":
        process = _Process()
        self._all.add(process)
        return process

    def _give_back(self, process: "_Process") -> None:
        """Keep a process for the next question, unless all were ended or enough are kept."""
        try:
            while True:
                with self._changing:
                    if process not in self._all or len(self._idle) >= _MOST_IDLE:
                        break
                    if not process.is_to_release:
                        self._idle.append(process)
                        return
                process.release()
        except (DecoderEnded, DecoderTooSlow):
            pass
        except BaseException:
            self._end(process)
            raise
        self._end(process)

    def _end(self, process: "_Process") -> None:
        with self._changing:
            self._all.discard(process)
        process.end()


class _Process:
    """One process, asked by one thread at a time.

    Attributes:
        holds: the file that is open in it, if any.
        is_to_release: True if that is to be closed as soon as nothing is asked.
    """

    def __init__(self) -> None:
        self.holds: OpenedFile | None = None
        self.is_to_release = False
        self._exchange: threading.Thread | None = None
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
                answer = answers.get(timeout=min(CHECK_INTERVAL_S, limit_s))
                break
            except queue.Empty:
                check()
                if time.monotonic() >= deadline:
                    raise DecoderTooSlow from None
        if isinstance(answer, DecoderEnded):
            raise answer
        return answer

    def release(self) -> None:
        """Close the file that it holds; if that raises anything, the process must be ended."""
        self.ask([self.holds, "close"], _END_TIMEOUT_S, no_check)
        self.holds, self.is_to_release = None, False

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        exchange = self._exchange
        if exchange is not None and exchange.is_alive():
            exchange.join(_END_TIMEOUT_S)
        if exchange is None or not exchange.is_alive():
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
                return kind("".join(filter(str.isprintable, answer["text"][:_LONGEST_SENTENCE])))
            return (
                _receive_page(self._process.stdout, *answer["page"]) if "page" in answer else answer["value"]
            )
        except _NONSENSE as error:
            ended = DecoderEnded()
            ended.__cause__ = error
            return ended


def _receive_page(pixels: IO[bytes], width: int, height: int, dpi: float | None) -> DecodedPage:
    """Return a page; while it arrives, it takes little more memory than its picture."""
    is_possible = min(width, height) > 0 and max(width, height) <= _LONGEST_SIDE_PX
    if not is_possible or width * height > PICTURE_PIXEL_LIMIT:
        raise ValueError
    if dpi is not None and not 0 < float(dpi) < math.inf:
        raise ValueError
    page = Image.new("RGB", (width, height))
    rows = max(1, _PIPE_BYTES // (4 * width))
    for top in range(0, height, rows):
        size = width, min(rows, height - top)
        piece = pixels.read(4 * math.prod(size))
        page.paste(Image.frombytes("RGB", size, piece, "raw", "RGBX"), (0, top))
    return DecodedPage(page, None if dpi is None else float(dpi))


def _command() -> list[str]:
    """Return what starts a process. In the bundle, its command line runs modules as Python does."""
    if getattr(sys, "frozen", False):
        return [str(Path(sys.executable).with_stem("rtocr")), "-m", _WORKER]
    # Isolated from the current folder, in which a script or a package may lie that came with the scans.
    options = ["-I", *(["-X", "utf8"] if sys.flags.utf8_mode else [])]
    places = [*filter(os.path.isabs, sys.path), str(Path(__file__).parents[2])]
    return [sys.executable, *options, "-c", _RUN_WORKER, *places]


def _limit(process: subprocess.Popen[bytes]) -> None:
    """On Linux, limit the memory of a process, have it leave no core dump, and widen its pipe."""
    if sys.platform == "linux":
        import fcntl
        import resource

        assert process.stdout is not None
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        most = min(MEMORY_LIMIT_BYTES, round(_MEMORY_SHARE * there))
        for name, limit in ((resource.RLIMIT_AS, most), (resource.RLIMIT_CORE, 0)):
            with suppress(OSError, ValueError):  # it ended, or may have even less
                resource.prlimit(process.pid, name, (limit, limit))
        with suppress(OSError):  # the person has too many wide pipes
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


DECODERS = Decoders()
atexit.register(DECODERS.end)
