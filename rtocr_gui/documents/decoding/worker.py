"""Decodes scans in a process that does nothing else: `documents.decoders` starts it.

It reads questions from its standard input and writes the answers to its standard output: a line of JSON for
each, and after an answer that tells of a page, its pixels. PDFium is imported with the first PDF, as a person
may be waiting for a picture.
"""

import json
import os
import queue
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from rtocr_gui.documents.decoding.pictures import OpenPicture
from rtocr_gui.documents.decoding.scan import PDF_MARK_WITHIN_BYTES, OpenScan, Rendered, is_pdf
from rtocr_gui.errors import DocumentError
from rtocr_gui.files import sentence_on_unreadable


def open_scan(path: Path, password: str | None) -> OpenScan:
    """Open a picture or a PDF, whichever it is by its content, without decoding a page.

    Raises:
        PasswordRequired: the PDF is encrypted, and the password is missing or wrong.
        DocumentError: it cannot be read, or is no document.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(PDF_MARK_WITHIN_BYTES)
    except OSError as error:
        raise DocumentError(sentence_on_unreadable(error)) from error
    if is_pdf(beginning):
        from rtocr_gui.documents.decoding.pdf import OpenPdf

        return OpenPdf(path, password)
    return OpenPicture(path)


class _Clerk:
    """Answers questions, and holds the file of the latest one open."""

    def __init__(self) -> None:
        self._file: list[Any] = []
        self._scan: OpenScan | None = None

    def answer(self, file: list[Any], name: str, *arguments: Any) -> Any:
        """Return what a method of `OpenScan` does for a file."""
        if name == "close":
            self._release()
            return None
        if self._scan is None or self._file != file:
            self._release()
            path, password, _number = file
            self._scan, self._file = open_scan(Path(path), password), file
        return getattr(self._scan, name)(*arguments)

    def _release(self) -> None:
        scan, self._scan = self._scan, None
        if scan is not None:
            scan.close()


def serve(questions: Iterable[bytes], answers: BinaryIO) -> None:
    """Answer questions until there are no more.

    A question is a list: a `decoders.OpenedFile`, the name of a method of `OpenScan`, and its arguments. The
    answer is `{"value": what it returned}`, `{"error": class, "text": sentence}` if it raised a
    `DocumentError`, or `{"page": [width, height, dpi]}`, after which the pixels follow.
    """
    clerk = _Clerk()
    for question in questions:
        _answer(clerk, question, answers)


def _answer(clerk: _Clerk, question: bytes, answers: BinaryIO) -> None:
    pixels: Iterable[bytes] = ()
    answer: dict[str, object]
    try:
        value = clerk.answer(*json.loads(question))
    except DocumentError as error:
        answer = {"error": type(error).__name__, "text": str(error)}
    else:
        answer = {"value": value}
        if isinstance(value, Rendered):
            answer, pixels = {"page": (*value.size_px, value.dpi)}, value.pixels
    answers.write(json.dumps(answer).encode() + b"\n")
    for piece in pixels:
        answers.write(piece)
    answers.flush()


def _listen(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream, and end the process with it, even in the middle of a page."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield lines.get()


def main() -> None:
    """Serve the process that started this one, as long as it is there."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # in case a library prints anything
    with answers, suppress(BrokenPipeError):
        serve(_listen(sys.stdin.buffer), answers)


if __name__ == "__main__":
    main()
