"""Downloads the published model off the main thread, or deletes what has arrived of it.

Knows no list and no widget; who else downloads is known once its folder is looked into.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.errors import RtocrError
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage
from rtocr_gui.ocr.library.library import ModelEntry, look_into
from rtocr_gui.ocr.library.model_source import ModelSource, published_folder_in
from rtocr_gui.ui.background.errors_in_words import guarded
from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.background.models_shown import DownloadShown, DownloadState

_Report = DownloadProgress | ModelEntry
"""Progress, or what is in the folder once everything was deleted."""

_Reports = Generator[_Report, None, None]


class ModelDownload(QObject):
    """One download, to one folder at a time.

    Signals:
        changed (DownloadShown): its state; often while it runs.
        began (Path or None): it begins in this folder, the `target`.
        completed (): the model is in the folder, whichever program has downloaded it.
        discarded (): what had arrived was deleted.
        ended (DownloadShown): it is done or failed; not emitted if the person stopped it.
        rested (): it no longer runs, so the folder is worth a look.

    Args:
        lane: runs the download.
        cache: returns the folder in which programs share downloads; called on the lane.
        target: folder that it goes to, chosen by the person; None for the one that programs share.
        parent: Qt parent.

    Attributes:
        target: as given; `ModelLibrary` changes it while no download runs.
    """

    changed = Signal(object)
    began = Signal(object)
    completed = Signal()
    discarded = Signal()
    ended = Signal(object)
    rested = Signal()

    _reported = Signal(int, object)

    def __init__(
        self, lane: Lane, cache: Callable[[], Path], target: Path | None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._lane = lane
        self._cache = cache
        self.target = target
        self._shown = DownloadShown(DownloadState.IDLE)
        self._run_id = 0
        self._pause = threading.Event()
        self._reported.connect(self._take)

    @property
    def shown(self) -> DownloadShown:
        """Its state."""
        return self._shown

    @Slot(str)
    def start(self, endpoint: str) -> None:
        """Download the model, or the rest of it.

        Args:
            endpoint: address of the server; empty for the one set by the environment.
        """
        if self._shown.is_busy:
            return
        try:
            source = ModelSource.published(endpoint)
        except RtocrError as error:
            self._show(replace(self._shown, state=DownloadState.FAILED, problem=str(error)))
            return
        self._pause = pause = threading.Event()
        kept_bytes = self._shown.arrived_bytes
        self._show(replace(self._shown, state=DownloadState.RUNNING, problem="", kept_bytes=kept_bytes))
        self.began.emit(self.target)

        def download(folder: Path) -> _Reports:
            from rtocr_gui.ocr.library.download import download_model  # imports the hub's library

            yield from download_model(source, folder, pause)

        self._submit(download)

    @Slot()
    def pause(self) -> None:
        """Pause it; what has arrived is kept."""
        if self._shown.state is DownloadState.RUNNING:
            self._pause.set()
            self._show(replace(self._shown, state=DownloadState.STOPPING))

    @Slot()
    def discard(self) -> None:
        """Stop it, and delete what has arrived."""
        self._pause.set()
        self._show(DownloadShown(DownloadState.STOPPING))

        def discard(folder: Path) -> _Reports:
            from rtocr_gui.ocr.library.download import discard_download

            discard_download(folder)
            yield look_into(folder)

        self._submit(discard)

    def forget(self) -> None:
        """Forget how far it was: it goes to another folder from now on."""
        self._show(DownloadShown(DownloadState.IDLE))

    def doubt(self) -> None:
        """Note that what was downloaded has been damaged since."""
        if self._shown.state is DownloadState.DONE:
            self._show(replace(self._shown, state=DownloadState.FOUND))

    def take_found(self, there: ModelEntry | None) -> None:
        """Take over what was found in its folder, to which others may download too; None for no model."""
        found = DownloadShown.found(there)
        is_complete = found.state is DownloadState.FOUND
        is_ended = is_complete and self._shown.is_begun  # by another program
        if is_ended:
            self.completed.emit()
        if not self._shown.is_busy and (is_ended or not self._shown.problem):
            if not (is_complete and self._shown.state is DownloadState.DONE):
                self._show(found)
        elif there is not None:
            kept_bytes = max(self._shown.kept_bytes, there.done_bytes)
            self._show(replace(self._shown, kept_bytes=kept_bytes))

    def _submit(self, job: Callable[[Path], _Reports]) -> None:
        """Run a job for its folder, and take over what it yields, unless another is submitted meanwhile."""
        self._run_id += 1
        run_id, target = self._run_id, self.target

        def run() -> None:
            with closing(job(target or published_folder_in(self._cache()))) as reports:
                for report in reports:
                    self._reported.emit(run_id, report)

        self._lane.submit(guarded(run, lambda sentence: self._reported.emit(run_id, sentence)))

    @Slot(int, object)
    def _take(self, run_id: int, report: _Report | str) -> None:
        """Take over what a job yielded, or a sentence about why it failed."""
        if run_id != self._run_id:
            return
        if isinstance(report, ModelEntry):
            self._show(DownloadShown.found(report))
            # Another program may have completed what was to be deleted.
            (self.completed if report.is_usable else self.discarded).emit()
        elif isinstance(report, str):
            self._show(replace(self._shown, state=DownloadState.FAILED, problem=report))
            self.ended.emit(self._shown)
        elif report.stage is DownloadStage.DONE:
            self._show(DownloadShown(DownloadState.DONE, repairs=True))
            self.completed.emit()
            self.ended.emit(self._shown)
        elif report.stage is DownloadStage.PAUSED:
            self._show(replace(self._shown, state=DownloadState.PAUSED, progress=report))
        else:
            self._show(replace(self._shown, progress=report))
            return
        self.rested.emit()

    def _show(self, shown: DownloadShown) -> None:
        self._shown = shown
        self.changed.emit(shown)
