"""The record of a download, kept in its folder, against which the files can be checked later.

The record is an ordinary file: it reveals damage and mix-ups, but not forgery by someone who rewrites it too.
Knows no server.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rtocr_gui.errors import CheckpointError
from rtocr_gui.files import write_atomically
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage, Meter
from rtocr_gui.ocr.model.model_files import RECORD_FILE, ModelFile, as_checkpoint_error, damaged, read_object

LONGEST_LINE = 300
"""Characters that a text in a record may have."""

_READ_BYTES = 1 << 20
_PART = re.compile(r".+\.[0-9a-f]{12}\.part")


class Digest(Protocol):
    """A hash object of hashlib."""

    def update(self, data: bytes, /) -> None:
        """Add more bytes."""

    def hexdigest(self) -> str:
        """Return the checksum so far."""


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """Where the files in a folder come from, and what they are.

    Attributes:
        endpoint: address of the server, without a user name and password.
        repository: "owner/name".
        commit: the commit of all files.
        files: all files, each once.
        found: names of those that were there before the download began and are not deleted with it.
        was_complete: true once all files were right: what is there is no longer deleted with the download.
    """

    endpoint: str
    repository: str
    commit: str
    files: tuple[ModelFile, ...]
    found: tuple[str, ...] = ()
    was_complete: bool = False

    @property
    def total_bytes(self) -> int:
        """Total size of all files."""
        return sum(file.size_bytes for file in self.files)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all files."""
        return tuple(file.name for file in self.files)

    @property
    def own_names(self) -> tuple[str, ...]:
        """Names of the files that RTOCR put there, or will."""
        return tuple(name for name in self.names if name not in self.found)


def write_record(folder: Path, record: DownloadRecord) -> None:
    """Write a record into its folder.

    Raises:
        OSError: it cannot be written.
    """
    fields = {
        "endpoint": record.endpoint,
        "repository": record.repository,
        "commit": record.commit,
        "files": {file.name: {"size": file.size_bytes, "digest": file.digest} for file in record.files},
        "found": record.found,
        "was_complete": record.was_complete,
    }
    write_atomically(folder / RECORD_FILE, (json.dumps(fields, indent=1) + "\n").encode())


def read_record(folder: Path) -> DownloadRecord | None:
    """Read the record of a folder; None if it has none.

    Raises:
        CheckpointError: it is damaged.
    """
    with as_checkpoint_error(folder):
        if not (folder / RECORD_FILE).exists():
            return None
        fields = read_object(folder, RECORD_FILE)
    try:
        return DownloadRecord(
            endpoint=_line(fields["endpoint"]),
            repository=_line(fields["repository"]),
            commit=_line(fields["commit"]),
            files=tuple(
                ModelFile(name, entry["size"], entry["digest"]) for name, entry in fields["files"].items()
            ),
            found=tuple(_line(name) for name in fields.get("found", ())),
            was_complete=fields.get("was_complete") is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(folder / RECORD_FILE, "it is not a record of a download") from error


def part_path(folder: Path, file: ModelFile) -> Path:
    """Return the path of a partly downloaded file; it differs between versions of the file."""
    return folder / f"{file.name}.{file.digest[:12]}.part"


def is_part(name: str) -> bool:
    """True for a name as `part_path` makes it, but not for the `.part` files of other programs."""
    return _PART.fullmatch(name) is not None


def is_complete(folder: Path, record: DownloadRecord) -> bool:
    """True if no file of a download is missing; whether they are right is not looked at."""
    return all((folder / name).is_file() for name in record.names)


def bytes_there(folder: Path, record: DownloadRecord) -> int:
    """Count the bytes of a download that are on disk."""
    there = 0
    for file in record.files:
        for path in (folder / file.name, part_path(folder, file)):
            if path.is_file():
                there += min(path.stat().st_size, file.size_bytes)
                break
    return there


def new_digest(file: ModelFile) -> Digest:
    """Start a checksum of the kind a file was listed with: SHA-256, or the SHA-1 of a Git blob."""
    if len(file.digest) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)


def hash_file(
    path: Path, digest: Digest, meter: Meter, cancel: threading.Event
) -> Iterator[DownloadProgress]:
    """Add a file to a checksum, yielding progress; ends early if cancelled.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        while not cancel.is_set() and (data := stream.read(_READ_BYTES)):
            digest.update(data)
            meter.done_bytes += len(data)
            if meter.is_due():
                yield meter.progress(DownloadStage.VERIFY)


def verify_files(
    folder: Path, record: DownloadRecord, meter: Meter, cancel: threading.Event
) -> Iterator[DownloadProgress]:
    """Read every recorded file and compare it with its checksum.

    Args:
        folder: the model's folder.
        record: its record.
        meter: counts the bytes.
        cancel: set to end early.

    Yields:
        The progress.

    Raises:
        CheckpointError: a file is missing or differs from what was downloaded; the message names it.
    """
    meter.total_bytes = record.total_bytes
    for file in record.files:
        meter.file = file.name
        path = folder / file.name
        with as_checkpoint_error(folder):
            if not path.is_file():
                raise CheckpointError(
                    f"The model file “{file.name}” is missing in “{folder}”. Download the model again: what "
                    "is there is kept."
                )
            if path.stat().st_size != file.size_bytes:
                raise damaged(
                    path, f"it has {path.stat().st_size:,} bytes and had {file.size_bytes:,} when downloaded"
                )
            digest = new_digest(file)
            yield from hash_file(path, digest, meter, cancel)
        if cancel.is_set():
            return
        if digest.hexdigest() != file.digest:
            raise CheckpointError(
                f"The model file “{file.name}” is not what was downloaded: its checksum differs, so "
                "it was damaged or changed. Download the model again."
            )


def _line(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_LINE or not value.isprintable():
        raise ValueError("not a line of text")
    return value
