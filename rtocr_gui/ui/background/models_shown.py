"""What the window of models shows: the models, the download and a check, as frozen values."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self

from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage
from rtocr_gui.ocr.library.library import ModelEntry


@dataclass(frozen=True, slots=True)
class ModelsListed:
    """The models that were found.

    Attributes:
        models: the bundled one first.
        target: folder that a download goes to.
        free_bytes: free disk space there; None if unknown.
    """

    models: tuple[ModelEntry, ...]
    target: Path
    free_bytes: int | None


class DownloadState(Enum):
    """What can be done about the download; `FOUND` if its model is there, but not `DONE` by this program."""

    IDLE = "idle"
    FOUND = "found"
    RUNNING = "running"
    STOPPING = "stopping"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class DownloadShown:
    """The state of the download.

    Attributes:
        state: what can be done about it.
        progress: how far it is; None before it begins.
        problem: why it failed, as a sentence; empty otherwise.
        repairs: true once the model was complete: what is downloaded again is not to be deleted.
        kept_bytes: how much was on the disk before: a run that begins again starts counting at 0.
    """

    state: DownloadState
    progress: DownloadProgress | None = None
    problem: str = ""
    repairs: bool = False
    kept_bytes: int = 0

    @classmethod
    def found(cls, entry: ModelEntry | None) -> Self:
        """The state of a download that does not run, by what is in its folder; None if there is no model."""
        if entry is not None and entry.is_unfinished:
            progress = DownloadProgress(DownloadStage.PAUSED, entry.done_bytes, entry.total_bytes)
            return cls(DownloadState.PAUSED, progress, repairs=entry.was_complete)
        if entry is not None and entry.is_usable:
            return cls(DownloadState.FOUND, repairs=True)
        return cls(DownloadState.IDLE)

    @property
    def is_busy(self) -> bool:
        """True while it runs or is being stopped."""
        return self.state in (DownloadState.RUNNING, DownloadState.STOPPING)

    @property
    def is_begun(self) -> bool:
        """True if it was begun and has neither ended nor been discarded; not while it runs."""
        is_left = self.state in (DownloadState.PAUSED, DownloadState.FAILED)
        return is_left and self.progress is not None and not self.repairs

    @property
    def arrived_bytes(self) -> int:
        """How much is on the disk, as far as is known."""
        return max(self.kept_bytes, self.progress.done_bytes if self.progress is not None else 0)


@dataclass(frozen=True, slots=True)
class CheckShown:
    """The state of a check.

    Attributes:
        folder: of the model.
        running: True until it ends.
        sentence: how far it is, or its result.
        is_bad: true if the model cannot be used as it is.
    """

    folder: Path
    running: bool
    sentence: str
    is_bad: bool = False
