"""The models of this computer: the bundled one, downloaded ones, and folders that a person named.

Looks into folders without loading a weight or running anything in them. Knows no torch, and asks no server.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rtocr_gui.errors import CheckpointError
from rtocr_gui.files import resolved
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage, Meter
from rtocr_gui.ocr.library.download_record import DownloadRecord, bytes_there, read_record, verify_files
from rtocr_gui.ocr.library.model_source import REPOSITORY, default_cache, snapshots_in
from rtocr_gui.ocr.model.folder import open_folder
from rtocr_gui.ocr.model.model_files import CONFIG_FILE, RECORD_FILE
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
        name: what to call it; the folder's name where it does not say.
        source: the same as a line for people, e.g. "downloaded from huggingface.co, revision 9f30c71".
        info: what it reads, and its figures; None where it cannot be used.
        precision: how most weights are stored, e.g. "bfloat16"; empty where it cannot be used.
        problem: why it cannot be used, in a sentence; empty where it can.
        done_bytes: of an unfinished download, what is there; else 0.
        total_bytes: of an unfinished download, all of it; else 0.
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

    @property
    def is_usable(self) -> bool:
        """True where pages can be read with it."""
        return self.info is not None

    def is_at(self, folder: Path | None) -> bool:
        """True where a path leads to this model, be it through a link."""
        return folder is not None and resolved(self.folder) == resolved(folder)

    @property
    def is_unfinished(self) -> bool:
        """True for a download that can go on."""
        return self.total_bytes > 0

    @property
    def reads(self) -> str:
        """Modes and tasks it was made for, as a line; empty where it cannot be used."""
        if self.info is None:
            return ""
        modes = ", ".join(mode.value.capitalize() for mode in Mode if mode in self.info.modes)
        return f"{modes}: {', '.join(task.label for task in self.info.tasks)}"

    @property
    def weights(self) -> str:
        """Size, precision and number of its weights as a line; of an unfinished download, how far it is."""
        if self.info is not None:
            count = self.info.parameter_count
            many = f"{count / 1e9:.1f} billion" if count >= 1e9 else f"{count / 1e6:.1f} million"
            return f"{size_in_words(self.size_bytes)}, {self.precision}, {many} weights"
        if self.is_unfinished:
            return f"{size_in_words(self.done_bytes)} of {size_in_words(self.total_bytes)} downloaded"
        return ""

    @property
    def size_bytes(self) -> int:
        """Size of the weights; 0 where it cannot be used."""
        return self.info.weight_bytes if self.info else 0


def list_models(bundled: Path, own: Sequence[Path] = (), cache: Path | None = None) -> tuple[ModelEntry, ...]:
    """Find the models of this computer.

    Args:
        bundled: folder of the model that comes with the program.
        own: folders that a person named, also some that are gone.
        cache: the hub's cache folder; None for the one of the environment.

    Returns:
        The bundled one first, then downloaded ones, then the person's own; each folder once.
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
    """Check a folder in about a second: config, tokenizer, and what the weight files promise to hold.

    Returns:
        What was found; a folder that cannot be used is told, not raised.
    """
    record, source = None, _SOURCES[origin]
    try:
        record = read_record(folder)
        if record is not None:
            origin, source = Origin.DOWNLOADED, _told(record)
            if not all((folder / name).exists() for name in record.names):
                return ModelEntry(
                    folder,
                    origin,
                    record.repository.rpartition("/")[2],
                    source,
                    problem="The download is not finished. Start it again, and it goes on from there.",
                    done_bytes=bytes_there(folder, record),
                    total_bytes=record.total_bytes,
                )
        opened = open_folder(folder)
    except CheckpointError as error:
        name = record.repository.rpartition("/")[2] if record else folder.name or str(folder)
        return ModelEntry(folder, origin, name, source, problem=str(error))
    return ModelEntry(folder, origin, opened.info.name, source, opened.info, opened.files.precision)


def check_model(folder: Path, cancel: threading.Event) -> Iterator[DownloadProgress]:
    """Check a folder as `look_into` does, and the content of every file that a download recorded.

    Args:
        folder: of the model.
        cancel: set to end early.

    Yields:
        How far it is; last `DONE` or `PAUSED`.

    Raises:
        CheckpointError: it cannot be used, and why; the file is named.
    """
    meter = Meter(time.monotonic)
    record = read_record(folder)
    if record is not None:
        yield from verify_files(folder, record, meter, cancel)
    open_folder(folder)
    meter.file = ""
    yield meter.progress(DownloadStage.PAUSED if cancel.is_set() else DownloadStage.DONE)


def verdict(done: DownloadProgress) -> str:
    """Say what a check that came to its end found.

    Args:
        done: what `check_model` yielded last.
    """
    if done.total_bytes:
        return "In order: every byte is as it was downloaded."
    return "In order: config, tokenizer and weights fit together."


_SOURCES = {
    Origin.BUNDLED: "comes with RTOCR",
    Origin.DOWNLOADED: "in the folder that programs share their downloads in",
    Origin.OWN: "your folder",
}


def _told(record: DownloadRecord) -> str:
    server = record.endpoint.partition("://")[2].rpartition("@")[2]
    return f"downloaded from {server}, revision {record.commit[:7]}"


def _revisions(cache: Path) -> list[Path]:
    """Folders of the published model in the hub's cache, whichever program downloaded or began it."""
    try:
        return sorted(filter(_is_begun, snapshots_in(cache, REPOSITORY).iterdir()))
    except OSError:
        return []


def _is_begun(revision: Path) -> bool:
    """False for no folder, and for one that holds nothing of a model or its tokenizer alone."""
    try:
        return any(path.name in (CONFIG_FILE, RECORD_FILE) for path in revision.iterdir())
    except NotADirectoryError:
        return False
    except OSError:  # the list tells what is the matter with it
        return True
