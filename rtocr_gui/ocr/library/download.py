"""Downloads a model, and resumes after a lost connection, a pause or the end of the program.

Each file grows under a temporary name, `NAME.CHECKSUM.part`, and takes its real name once its length and
checksum are what the server listed. Synchronous: a generator of progress with an event to stop it. Knows the
disk; how to talk to the server is in `hub`.
"""

import contextlib
import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import WeakFileLock

from rtocr_gui.errors import CheckpointError, DownloadError
from rtocr_gui.files import reason_of
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage, Meter
from rtocr_gui.ocr.library.download_record import (
    DownloadRecord,
    bytes_there,
    hash_file,
    is_complete,
    is_part,
    new_digest,
    part_path,
    read_record,
    write_record,
)
from rtocr_gui.ocr.library.hub import list_files, open_file
from rtocr_gui.ocr.library.hub_errors import (
    HUB_ERRORS,
    asked_wait_s,
    explain,
    is_unreachable,
    may_pass,
    what_happened,
)
from rtocr_gui.ocr.library.model_source import REPOSITORY, REVISION, ModelSource
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from rtocr_gui.ocr.model.model_files import RECORD_FILE, ModelFile
from rtocr_gui.units import size_in_words

SPARE_BYTES = 200_000_000
"""Disk space that a download leaves free for other programs."""

_LOCK_FILE = ".rtocr-download.lock"


@dataclass(frozen=True, slots=True)
class Patience:
    """How patient a download is with a server.

    Attributes:
        silence_s: a connection that delivers no bytes for this long counts as lost.
        waits_s: wait before each retry; after this many retries in a row without progress, the download
            gives up.
    """

    silence_s: float = 10.0
    waits_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0)


class _Stopped(Exception):
    """The download was paused."""


class _CutShort(Exception):
    """The server ended a file too early without an error."""


def download_model(
    source: ModelSource,
    folder: Path,
    cancel: threading.Event,
    patience: Patience = Patience(),
    clock: Callable[[], float] = time.monotonic,
) -> Generator[DownloadProgress, None, None]:
    """Download a model, or the rest of it.

    Args:
        source: the server.
        folder: target folder; created once the server has answered. Files in it that are already right are
            kept, and outdated files of an earlier download are replaced.
        cancel: set to pause; what has arrived is kept for the next call.
        patience: retries and timeouts.
        clock: seconds, to measure the speed.

    Yields:
        The progress, about ten times a second; last `DONE` or `PAUSED`.

    Raises:
        DownloadError: it cannot go on; what has arrived is kept unless it is damaged.
        CheckpointError: everything has arrived, but it is not a usable model.
    """
    run = _Download(source, folder, cancel, patience, Meter(clock))
    try:
        yield from run.steps()
    except _Stopped:
        run.meter.pause()
        yield run.meter.progress(DownloadStage.PAUSED)
        return
    inspect_checkpoint(folder)
    yield run.meter.progress(DownloadStage.DONE)


def discard_download(folder: Path) -> None:
    """Delete an unfinished download, and its folder if nothing else is in it and the system allows it.

    Files that were there before the download began stay; all of them if it only repaired what was complete.

    Raises:
        DownloadError: a file cannot be removed, or the download is still running.
    """
    if not folder.is_dir():
        return
    with _as_download_error(folder):
        with _alone_in(folder):
            parts = [path for path in folder.iterdir() if is_part(path.name)]
            record = _former_record(folder)
            for path in parts:
                path.unlink()
            if record is None:
                (folder / RECORD_FILE).unlink(missing_ok=True)  # a damaged one
            elif not record.was_complete and not is_complete(folder, record):
                for name in (*record.own_names, RECORD_FILE):
                    (folder / name).unlink(missing_ok=True)
            with contextlib.suppress(PermissionError):  # on Windows, only the release deletes it
                (folder / _LOCK_FILE).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something else is in it, or the folder above is not ours
            folder.rmdir()


def _former_record(folder: Path) -> DownloadRecord | None:
    """Read the record of an earlier download; None if there is none, or if it is damaged."""
    try:
        return read_record(folder)
    except CheckpointError:
        return None


class _Download:
    """One run of a download."""

    def __init__(
        self, source: ModelSource, folder: Path, cancel: threading.Event, patience: Patience, meter: Meter
    ) -> None:
        self.meter = meter
        self._source = source
        self._folder = folder
        self._cancel = cancel
        self._patience = patience

    def steps(self) -> Iterator[DownloadProgress]:
        files = yield from self._list()
        with _as_download_error(self._folder), _alone_in(self._folder):
            yield from self._fill(files)

    def _fill(self, files: tuple[ModelFile, ...]) -> Iterator[DownloadProgress]:
        record = DownloadRecord(self._source.address, REPOSITORY, REVISION, files)
        self._require_space(record.total_bytes - bytes_there(self._folder, record))
        self.meter.total_bytes = record.total_bytes
        former = _former_record(self._folder)
        own = former.own_names if former is not None else ()
        was_complete = former is not None and (former.was_complete or is_complete(self._folder, former))
        missing = yield from self._missing(files, own)
        found = tuple(file.name for file in files if file not in missing and file.name not in own)
        record = replace(record, found=found, was_complete=was_complete)
        write_record(self._folder, record)
        for file in missing:
            self.meter.file = file.name
            (self._folder / file.name).unlink(missing_ok=True)
            yield from self._fetch(file)
        write_record(self._folder, replace(record, was_complete=True))
        self.meter.file = ""

    def _missing(
        self, files: Sequence[ModelFile], own: Sequence[str]
    ) -> Generator[DownloadProgress, None, list[ModelFile]]:
        """Find the files that are missing or differ from the listing; only those of our own may differ."""
        missing = []
        for file in files:
            self.meter.file = file.name
            if (yield from self._is_there(file)):
                continue
            if (self._folder / file.name).exists() and file.name not in own:
                raise DownloadError(
                    f"“{self._folder}” contains a different “{file.name}”, which RTOCR did not put there and "
                    "will not replace. Choose an empty folder."
                )
            missing.append(file)
        return missing

    def _list(self) -> Generator[DownloadProgress, None, tuple[ModelFile, ...]]:
        failures = 0
        while True:
            yield self.meter.progress(DownloadStage.CONNECT)
            try:
                return list_files(self._source, self._patience.silence_s, self._stop_if_asked)
            except HUB_ERRORS as error:
                failures += 1
                yield from self._wait(error, failures)

    def _require_space(self, wanted_bytes: int) -> None:
        free_bytes = shutil.disk_usage(self._folder).free
        if wanted_bytes > 0 and free_bytes < wanted_bytes + SPARE_BYTES:
            raise DownloadError(
                f"The download needs another {size_in_words(wanted_bytes)} of disk space, but only "
                f"{size_in_words(free_bytes)} is free in “{self._folder}”. Free some "
                "space, or choose another folder."
            )

    def _is_there(self, file: ModelFile) -> Generator[DownloadProgress, None, bool]:
        """True if a file is already there with the listed size and checksum."""
        path = self._folder / file.name
        if not path.is_file():
            return False
        before = self.meter.done_bytes
        if path.stat().st_size == file.size_bytes:
            digest = new_digest(file)
            yield from hash_file(path, digest, self.meter, self._cancel)
            self._stop_if_asked()
            if digest.hexdigest() == file.digest:
                return True
        self.meter.done_bytes = before
        return False

    def _fetch(self, file: ModelFile) -> Iterator[DownloadProgress]:
        path = part_path(self._folder, file)
        part = _Part(file, self.meter)
        if path.is_file():
            if path.stat().st_size > file.size_bytes:
                path.unlink()
            else:
                yield from hash_file(path, part.digest, self.meter, self._cancel)
                self._stop_if_asked()
        with path.open("ab") as stream:
            yield from self._receive(file, part, stream)
            stream.flush()
            os.fsync(stream.fileno())
        if part.size_bytes > file.size_bytes or part.digest.hexdigest() != file.digest:
            path.unlink()
            part.forget()
            raise DownloadError(
                f"“{file.name}” arrived damaged: its checksum is not the one that “{self._source.host}” "
                "listed. It was removed; try again, and only this file is downloaded again."
            )
        path.replace(self._folder / file.name)

    def _receive(self, file: ModelFile, part: "_Part", stream: BinaryIO) -> Iterator[DownloadProgress]:
        """Receive the rest of a file, in as many requests as it takes."""
        failures, farthest = 0, part.size_bytes
        while part.size_bytes < file.size_bytes:
            try:
                yield from self._request(file, part, stream)
            except (*HUB_ERRORS, _CutShort) as error:
                stream.flush()
                failures = 1 if part.size_bytes > farthest else failures + 1
                farthest = max(farthest, part.size_bytes)
                if _is_range_refused(error) and part.size_bytes:
                    stream.truncate(0)
                    part.forget()
                yield from self._wait(error, failures)

    def _request(self, file: ModelFile, part: "_Part", stream: BinaryIO) -> Iterator[DownloadProgress]:
        """Receive what one request brings; it is broken off once that is more than the file."""
        with open_file(self._source, file, part.size_bytes, self._patience.silence_s) as opened:
            if opened.start != part.size_bytes:  # the server cannot resume
                stream.truncate(0)
                part.forget()
            for chunk in opened.chunks:
                stream.write(chunk)
                part.add(chunk)
                if self.meter.is_due():
                    yield self.meter.progress(DownloadStage.TRANSFER)
                self._stop_if_asked()
                if part.size_bytes > file.size_bytes:
                    break
        if part.size_bytes < file.size_bytes:
            raise _CutShort

    def _wait(self, error: Exception, failures: int) -> Iterator[DownloadProgress]:
        """Wait before the next attempt, or give up."""
        self._stop_if_asked()
        self.meter.pause()
        cut = isinstance(error, _CutShort)
        waits_s = self._patience.waits_s
        never_connected = is_unreachable(error) and not self.meter.received_bytes
        passes = cut or may_pass(error) or _is_range_refused(error)
        if not passes or never_connected or failures > len(waits_s):
            if cut:
                raise DownloadError(
                    f"“{self._source.host}” keeps breaking off “{self.meter.file}”. What was downloaded "
                    "is kept: try again later, or use another server."
                ) from error
            raise explain(error, self._source) from error
        what = f"“{self._source.host}” closed the connection." if cut else what_happened(error, self._source)
        yield self.meter.progress(DownloadStage.WAIT, f"{what} Trying again…")
        if self._cancel.wait(max(waits_s[failures - 1], asked_wait_s(error))):
            raise _Stopped

    def _stop_if_asked(self) -> None:
        if self._cancel.is_set():
            raise _Stopped


class _Part:
    """How much of a file has arrived, as counted by the meter, and its checksum so far."""

    def __init__(self, file: ModelFile, meter: Meter) -> None:
        self.digest = new_digest(file)
        self._file = file
        self._meter = meter
        self._before_bytes = meter.done_bytes

    @property
    def size_bytes(self) -> int:
        return self._meter.done_bytes - self._before_bytes

    def add(self, chunk: bytes) -> None:
        self.digest.update(chunk)
        self._meter.receive(len(chunk))

    def forget(self) -> None:
        """Begin again with nothing."""
        self.digest = new_digest(self._file)
        self._meter.done_bytes = self._before_bytes


def _is_range_refused(error: Exception) -> bool:
    return isinstance(error, HfHubHTTPError) and error.response.status_code == 416


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Lock a folder, so that no second program downloads into it.

    Folders created here are removed again if nothing was put into them: other programs take any revision
    folder in the shared cache for a complete model.

    Raises:
        DownloadError: another program is downloading into it.
        OSError: the folder cannot be created or written to.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    lock_path = folder / _LOCK_FILE
    lock = WeakFileLock(lock_path, timeout=0.1)
    try:
        lock.__enter__()
    except TimeoutError as error:
        raise DownloadError(
            f"Another RTOCR is downloading to “{folder}”. Wait for it to finish, or choose another folder."
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # on Windows, only the release deletes it
            if list(folder.iterdir()) == [lock_path]:
                lock_path.unlink()
        lock.__exit__(None, None, None)
        with contextlib.suppress(OSError):  # stops at the first that is not empty
            for path in made:
                path.rmdir()


@contextlib.contextmanager
def _as_download_error(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DownloadError(
                f"The disk of “{folder}” is full. Free some space and try again: what was downloaded is kept."
            ) from error
        raise DownloadError(
            f"“{folder}” cannot be written to: {reason_of(error)}. Choose another folder."
        ) from error
