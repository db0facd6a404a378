"""What was downloaded into a folder, written down beside it, so that it can be checked again later.

The record is a file like the others: it tells damage and mix-ups, but not a forger who rewrites it too.
Knows no server.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rtocr_gui.errors import CheckpointError
from rtocr_gui.files import write_atomically
from rtocr_gui.ocr.download_progress import DownloadProgress, DownloadStage, Meter
from rtocr_gui.ocr.model_files import RECORD_FILE, damaged, read_object, told_by_name

_READ_BYTES = 1 << 20
_PLAIN_NAME = re.compile(r"[\w-][\w.-]*", re.ASCII)
_PART = re.compile(r".+\.[0-9a-f]{12}\.part")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Digest(Protocol):
    """What hashlib gives."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """The checksum so far."""


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """Size and checksum of a downloaded file; the checksum as `hub.HubFile` has it."""

    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """Where the files of a folder come from, and what they are.

    Attributes:
        endpoint: address of the server.
        repository: "owner/name".
        commit: which all files are of.
        files: by name.
    """

    endpoint: str
    repository: str
    commit: str
    files: Mapping[str, RecordedFile]

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(file.size_bytes for file in self.files.values())


def write_record(folder: Path, record: DownloadRecord) -> None:
    """Write a record into its folder.

    Raises:
        OSError: it cannot be written.
    """
    told = {
        "endpoint": record.endpoint,
        "repository": record.repository,
        "commit": record.commit,
        "files": {
            name: {"size": file.size_bytes, "digest": file.digest} for name, file in record.files.items()
        },
    }
    write_atomically(folder / RECORD_FILE, (json.dumps(told, indent=1) + "\n").encode())


def read_record(folder: Path) -> DownloadRecord | None:
    """Read the record of a folder; None where it has none.

    Raises:
        CheckpointError: it is damaged.
    """
    with told_by_name(folder):
        if not (folder / RECORD_FILE).exists():
            return None
        told = read_object(folder, RECORD_FILE)
    try:
        return DownloadRecord(
            endpoint=_line(told["endpoint"]),
            repository=_line(told["repository"]),
            commit=_line(told["commit"]),
            files={_name(name): _file(entry) for name, entry in told["files"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(folder / RECORD_FILE, "it is no record of a download") from error


def part_path(folder: Path, name: str, digest: str) -> Path:
    """Where the beginning of a file waits for its rest; of another version, it has another name."""
    return folder / f"{name}.{digest[:12]}.part"


def is_part(name: str) -> bool:
    """True for the name of such a beginning, and for no `.part` file of another program."""
    return _PART.fullmatch(name) is not None


def bytes_there(folder: Path, record: DownloadRecord) -> int:
    """How many bytes of a download are on disk."""
    there = 0
    for name, file in record.files.items():
        for path in (folder / name, part_path(folder, name, file.digest)):
            if path.is_file():
                there += min(path.stat().st_size, file.size_bytes)
                break
    return there


def new_digest(file: RecordedFile) -> Digest:
    """Begin a checksum of the kind that a file was listed with: SHA-256, or the SHA-1 of a Git blob."""
    if len(file.digest) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)


def hash_file(
    path: Path, digest: Digest, meter: Meter, cancel: threading.Event
) -> Iterator[DownloadProgress]:
    """Feed a file to a checksum, telling how far it is; ends early where it is cancelled.

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
        folder: of the model.
        record: its record.
        meter: counts.
        cancel: set to end early.

    Yields:
        How far it is.

    Raises:
        CheckpointError: a file is missing or is not what was downloaded; it is named.
    """
    meter.total_bytes = record.total_bytes
    for name, file in record.files.items():
        meter.file = name
        path = folder / name
        with told_by_name(folder):
            if not path.is_file():
                raise CheckpointError(
                    f"The model file “{name}” is missing in “{folder}”. Download the model again: what is "
                    "there is kept."
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
                f"The model file “{name}” is not what was downloaded: its checksum is another one, so it was "
                "damaged or changed. Download the model again."
            )


def _line(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 300 or not value.isprintable():
        raise ValueError("not a line of text")
    return value


def _name(value: str) -> str:
    if not _PLAIN_NAME.fullmatch(value):
        raise ValueError("not a plain file name")
    return value


def _file(entry: Mapping[str, Any]) -> RecordedFile:
    size, digest = entry["size"], entry["digest"]
    if type(size) is not int or size < 0 or not _DIGEST.fullmatch(digest):
        raise ValueError("not a size and a checksum")
    return RecordedFile(size, digest)
