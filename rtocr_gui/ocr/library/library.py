"""Lists and checks the models on this computer: the bundled one, downloaded ones, and the user's own folders.

Looks into folders without loading weights or running anything in them. Knows no torch and asks no server.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rtocr_gui.errors import CheckpointError
from rtocr_gui.files import is_same_path, resolved
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage, Meter
from rtocr_gui.ocr.library.download_record import (
    DownloadRecord,
    bytes_there,
    is_complete,
    read_record,
    verify_files,
)
from rtocr_gui.ocr.library.model_source import default_cache, snapshots_in, without_login
from rtocr_gui.ocr.model.folder import open_folder
from rtocr_gui.ocr.model.model_files import CONFIG_FILE, RECORD_FILE, as_checkpoint_error
from rtocr_gui.ocr.model.model_info import ModelInfo
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.units import size_in_words


class Origin(Enum):
    """Where a model came from."""

    BUNDLED = "bundled"
    DOWNLOADED = "downloaded"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model folder as it was found.

    Attributes:
        folder: where it is.
        origin: where it came from.
        name: its name; the folder's name if it has none.
        source: the origin as a human-readable line, e.g. "downloaded from huggingface.co, revision 9f30c71".
        info: its description; None if it cannot be used.
        precision: type of most stored weights, e.g. "bfloat16"; empty if it cannot be used.
        problem: why it cannot be used, in a sentence; empty if it can.
        done_bytes: bytes on disk of an unfinished download, else 0.
        total_bytes: size of an unfinished download, else 0.
        was_complete: true for an unfinished repair of a download that was finished once.
        is_named: true for a folder that the person named, whatever is in it.
    """

    folder: Path
    origin: Origin
    name: str
    source: str
    info: ModelInfo | None = None
    precision: str = ""
    problem: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    was_complete: bool = False
    is_named: bool = False

    @property
    def is_usable(self) -> bool:
        """True if pages can be read with it."""
        return self.info is not None

    def is_at(self, folder: Path | None) -> bool:
        """True if a path leads to this model, even through a link."""
        return folder is not None and is_same_path(self.folder, folder)

    @property
    def is_unfinished(self) -> bool:
        """True for a download that can be resumed."""
        return self.total_bytes > 0

    @property
    def reads(self) -> str:
        """Modes and tasks it was made for, as a line; empty if it cannot be used."""
        if self.info is None:
            return ""
        modes = ", ".join(mode.label for mode in Mode if mode in self.info.modes)
        return f"{modes}: {', '.join(task.label for task in self.info.tasks)}"

    @property
    def weights(self) -> str:
        """Size, precision and number of its weights as a line; for an unfinished download, its progress."""
        if self.info is not None:
            count = self.info.parameter_count
            many = f"{count / 1e9:.1f} billion" if count >= 1e9 else f"{count / 1e6:.1f} million"
            return f"{size_in_words(self.size_bytes)}, {self.precision}, {many} weights"
        if self.is_unfinished:
            return f"{size_in_words(self.done_bytes)} of {size_in_words(self.total_bytes)} downloaded"
        return ""

    @property
    def size_bytes(self) -> int:
        """Size of the weights; 0 if it cannot be used."""
        return self.info.weight_bytes if self.info else 0


def list_models(bundled: Path, own: Sequence[Path] = (), cache: Path | None = None) -> tuple[ModelEntry, ...]:
    """Find the models on this computer.

    Args:
        bundled: folder of the model that comes with the program.
        own: folders that the user added, which may no longer exist.
        cache: the hub's cache folder; None for the one set in the environment.

    Returns:
        The bundled one first, then downloaded ones, then the user's own; each folder once.
    """
    downloaded = _revisions(default_cache() if cache is None else cache)
    folders = [
        (bundled, Origin.BUNDLED),
        *((folder, Origin.DOWNLOADED) for folder in downloaded),
        *((folder, Origin.OWN) for folder in own),
    ]
    found: dict[Path, ModelEntry] = {}
    for folder, origin in folders:
        place = resolved(folder)
        if place not in found:
            found[place] = look_into(folder, origin)
    return tuple(found.values())


def look_into(folder: Path, origin: Origin = Origin.OWN) -> ModelEntry:
    """Check a folder in about a second: config, tokenizer and the headers of the weight files.

    Returns:
        What was found; for an unusable folder, with `problem` set instead of an error raised.
    """
    name, source, is_named = folder.name or str(folder), _SOURCES[origin], origin is Origin.OWN
    try:
        record = read_record(folder)
        if record is not None:
            origin, source = Origin.DOWNLOADED, _source_of(record)
            name = record.repository.rpartition("/")[2]
            with as_checkpoint_error(folder):
                if not is_complete(folder, record):
                    return ModelEntry(
                        folder,
                        origin,
                        name,
                        source,
                        problem="The download is not finished. Start it again to resume it.",
                        done_bytes=bytes_there(folder, record),
                        total_bytes=record.total_bytes,
                        was_complete=record.was_complete,
                        is_named=is_named,
                    )
        opened = open_folder(folder)
    except CheckpointError as error:
        return ModelEntry(folder, origin, name, source, problem=str(error), is_named=is_named)
    info, precision = opened.info, opened.files.precision
    return ModelEntry(folder, origin, info.name, source, info, precision, is_named=is_named)


def check_model(folder: Path, cancel: threading.Event) -> Iterator[DownloadProgress]:
    """Check a folder as `look_into` does, and also the content of every file in its download record.

    Args:
        folder: the model's folder.
        cancel: set to end early.

    Yields:
        The progress; last `DONE` or `PAUSED`.

    Raises:
        CheckpointError: it cannot be used, and why; the message names the file.
    """
    meter = Meter(time.monotonic)
    record = read_record(folder)
    if record is not None:
        yield from verify_files(folder, record, meter, cancel)
    open_folder(folder)
    meter.file = ""
    yield meter.progress(DownloadStage.PAUSED if cancel.is_set() else DownloadStage.DONE)


def verdict(done: DownloadProgress) -> str:
    """Describe the result of a completed check.

    Args:
        done: the last progress that `check_model` yielded.
    """
    if done.total_bytes:
        return "OK: every byte matches the download."
    return "OK: config, tokenizer and weights fit together."


_SOURCES = {
    Origin.BUNDLED: "comes with RTOCR",
    Origin.DOWNLOADED: "in the shared Hugging Face cache",
    Origin.OWN: "your folder",
}


def _source_of(record: DownloadRecord) -> str:
    server = without_login(record.endpoint).partition("://")[2]
    return f"downloaded from {server}, revision {record.commit[:7]}"


def _revisions(cache: Path) -> list[Path]:
    """List the folders of the published model in the hub's cache, whichever program began the download."""
    try:
        return sorted(filter(_is_begun, snapshots_in(cache).iterdir()))
    except OSError:
        return []


def _is_begun(revision: Path) -> bool:
    """True for a folder that holds at least a model's config or a download record."""
    try:
        return any(path.name in (CONFIG_FILE, RECORD_FILE) for path in revision.iterdir())
    except NotADirectoryError:
        return False
    except OSError:  # the list reports what is wrong with it
        return True
