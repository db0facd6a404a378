"""Runs PDFium in processes of its own, and asks it about PDF files.

A PDF can crash PDFium, unpack to more memory than the machine has, or keep it busy for hours. That ends the
process it was given to (`pdf_worker` is what runs there), and the next question starts another. A process
answers one question at a time, and there are as many as threads that ask at once. Knows nothing about pages.
"""

import atexit
import json
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rtocr_gui.documents.limits import PDF_MEMORY_LIMIT_BYTES, PDF_PIXEL_LIMIT
from rtocr_gui.documents.pages import Check
from rtocr_gui.errors import DocumentError, PasswordRequired
from rtocr_gui.files import reason_of

_PATIENCE_S = 0.5
"""How often a check is made. Most pages are rendered before the first: to begin anew would take longer."""

_END_TIMEOUT_S = 2.0
"""How long a process may take to close a file, or to end."""

_WORKER = "rtocr_gui.documents.pdf_worker"
_RUN_WORKER = f"import sys; sys.path[:] = sys.argv[1:]; from {_WORKER} import main; main()"

_LONGEST_ANSWER_BYTES, _MOST_PIXEL_BYTES = 2_000_000, 4 * PDF_PIXEL_LIMIT
"""Limits on an answer: a hostile file may have taken over what gives it."""


class PdfiumEnded(Exception):
    """PDFium crashed, or needed more memory than it may have."""


class PdfiumTooSlow(Exception):
    """PDFium did not answer in time."""


class PdfiumProcesses:
    """The processes, which start once they are needed. Any thread may ask."""

    def __init__(self) -> None:
        self._all: set[_Process] = set()
        self._idle: list[_Process] = []
        self._changing = threading.Lock()

    def ask(
        self, path: Path, password: str | None, name: str, *arguments: object, limit_s: float, check: Check
    ) -> tuple[Any, bytes]:
        """Ask about a file, and wait for the answer.

        Args:
            path: the file. It stays open until the same process is asked about another.
            password: its password, if any.
            name: a method of `pdf_worker.OpenPdf`.
            arguments: those of the method.
            limit_s: how long to wait.
            check: called every `_PATIENCE_S` seconds until the answer is there.

        Returns:
            What the method returned, and the data of `Pixels`, of which the first value has all the rest.

        Raises:
            DocumentError: the method raised it, or no process could be started.
            PdfiumEnded: the process ended.
            PdfiumTooSlow: it took too long, and was ended.
        """
        process = self._take(path)
        try:
            answer, data = process.ask([str(path), password, name, *arguments], limit_s, check)
        except BaseException:
            self._end(process)
            raise
        process.holds = path
        self._give_back(process)
        if "error" in answer:
            kind = PasswordRequired if answer["error"] == PasswordRequired.__name__ else DocumentError
            raise kind(answer["text"])
        return answer["value"], data

    def release(self, path: Path) -> None:
        """Close a file where it is open, so that every system lets it be deleted."""
        with self._changing:
            holding = [process for process in self._idle if process.holds == path]
            self._idle = [process for process in self._idle if process.holds != path]
        for process in holding:
            process.holds = None
            try:
                process.ask([str(path), None, "close"], _END_TIMEOUT_S, check=lambda: None)
            except (PdfiumEnded, PdfiumTooSlow):
                self._end(process)
            else:
                self._give_back(process)

    def end(self) -> None:
        """End all processes, even while they are asked."""
        with self._changing:
            processes, self._all, self._idle = self._all, set(), []
        for process in processes:
            process.end()

    def _take(self, path: Path) -> "_Process":
        """Return an idle process, which has this file open if there is one, or a new one."""
        with self._changing:
            self._idle.sort(key=lambda process: process.holds == path)
            while self._idle:
                process = self._idle.pop()
                if process.is_there:
                    return process
                self._all.discard(process)
                process.end()
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
        self.holds: Path | None = None
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
                f"PDF files cannot be opened, as PDFium could not be started ({reason_of(error)}). Close "
                "other programs, and try again."
            ) from error
        _limit_memory(self._process.pid)

    @property
    def is_there(self) -> bool:
        """False if the process ended while nothing was asked; the system may need its memory."""
        return self._process.poll() is None

    def ask(self, question: list[object], limit_s: float, check: Check) -> tuple[dict[str, Any], bytes]:
        """Return the answer to a question; if it raises anything, the process must be ended."""
        answers: queue.SimpleQueue[tuple[dict[str, Any], bytes] | None] = queue.SimpleQueue()
        self._exchange = threading.Thread(
            target=lambda: answers.put(self._answer_to(question)), name="pdfium", daemon=True
        )
        self._exchange.start()
        deadline = time.monotonic() + limit_s
        while True:
            try:
                answer = answers.get(timeout=min(_PATIENCE_S, limit_s))
                break
            except queue.Empty:
                check()
                if time.monotonic() >= deadline:
                    raise PdfiumTooSlow from None
        if answer is None:
            raise PdfiumEnded
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        if self._exchange.is_alive():
            self._exchange.join(_END_TIMEOUT_S)
        if not self._exchange.is_alive():
            with suppress(OSError):
                self._process.__exit__(None, None, None)

    def _answer_to(self, question: list[object]) -> tuple[dict[str, Any], bytes] | None:
        """Send a question and receive its answer; None if the process ends or answers nonsense."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline(_LONGEST_ANSWER_BYTES))
            size = answer["bytes"]
            data = self._process.stdout.read(size) if 0 < size <= _MOST_PIXEL_BYTES else b""
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return (answer, data) if len(data) == size else None


def _command() -> list[str]:
    """Return what starts a process. In the bundle, its command line runs modules as Python does."""
    if getattr(sys, "frozen", False):
        return [str(Path(sys.executable).with_stem("rtocr")), "-m", _WORKER]
    return [sys.executable, "-I", "-c", _RUN_WORKER, *sys.path]


def _limit_memory(pid: int) -> None:
    """Limit the memory of a process, and have it leave no copy of it behind; only Linux can do that."""
    if sys.platform == "linux":
        import resource

        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, (PDF_MEMORY_LIMIT_BYTES, PDF_MEMORY_LIMIT_BYTES))
            resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))


PDFIUM = PdfiumProcesses()
atexit.register(PDFIUM.end)
