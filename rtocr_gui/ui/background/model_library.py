"""Looks for models, checks them and downloads one, off the main thread.

One lane looks, one checks and one downloads, so that neither a check that takes minutes nor a download that
takes an hour prevents the use of another model. Knows no widget and no engine. The workers' results are
handled on the main thread, and dropped if they are no longer wanted.
"""

import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.errors import RtocrError
from rtocr_gui.files import resolved
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage
from rtocr_gui.ocr.library.library import ModelEntry, check_model, list_models, look_into, verdict
from rtocr_gui.ocr.library.model_source import ModelSource, default_cache, published_folder_in, snapshots_in
from rtocr_gui.ui.background.errors_in_words import in_words
from rtocr_gui.ui.background.lanes import Lane, wait_for

_log = logging.getLogger(__name__)


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


class ModelLibrary(QObject):
    """The models on this computer, and the download of the published one.

    Signals:
        models_listed (ModelsListed): the new list of models.
        download_changed (DownloadShown): the state of the download; often while it runs.
        check_changed (CheckShown): the state of a check.
        download_ended (DownloadShown): it is done or failed; not emitted if the person stopped it.
        own_folders_changed (tuple[Path, ...]): the person's folders to be remembered: those that are or were
            usable, and those in which another download was begun.
        begun_changed (Path or None): the folder, chosen by the person, in which a download was begun, to be
            remembered; None once it has ended, or if one was begun in the folder that programs share.

    Args:
        bundled: folder of the model that comes with the program.
        own: folders that the person added before.
        begun: folder, chosen by the person, in which a download was begun before and may be unfinished.
        cache: the folder in which programs share downloads; None for the one set by the environment.
        parent: Qt parent.
    """

    models_listed = Signal(object)
    download_changed = Signal(object)
    check_changed = Signal(object)
    download_ended = Signal(object)
    own_folders_changed = Signal(object)
    begun_changed = Signal(object)

    _listed = Signal(int, object)
    _looked = Signal(object)
    _download_reported = Signal(int, object)
    _checked = Signal(int, object)

    def __init__(
        self,
        bundled: Path,
        own: Sequence[Path] = (),
        begun: Path | None = None,
        cache: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bundled = bundled
        self._own = dict.fromkeys(own, True)  # all are listed; those with True are remembered
        self._cache = cache
        self._target = self._begun_before = begun
        self._looking = Lane("rtocr-models")
        self._checking = Lane("rtocr-check")
        self._downloading = Lane("rtocr-download")
        self._list_id = self._run_id = self._check_id = 0
        self._download = DownloadShown(DownloadState.IDLE)
        self._pause = threading.Event()
        self._stop_check = threading.Event()
        self._listed_target: Path | None = None
        self._bad_check: CheckShown | None = None  # told again beside the list that shows what it found
        self._listed.connect(self._take_list)
        self._looked.connect(self._take_folder)
        self._download_reported.connect(self._take_download)
        self._checked.connect(self._take_check)

    @property
    def download(self) -> DownloadShown:
        """The state of the download."""
        return self._download

    @Slot()
    def refresh(self) -> None:
        """Look for models again."""
        self._list_id += 1
        request_id, own, target, before = self._list_id, tuple(self._own), self._target, self._begun_before
        was_begun = self._download.is_begun

        def look() -> None:
            shared = self._shared()
            there = (look_into(target),) if target is not None else ()
            begun = tuple(entry.folder for entry in there if entry.is_unfinished)
            is_over = target == before and not begun  # it was finished or removed elsewhere
            is_ended = is_over or was_begun
            ended = tuple(entry.folder for entry in there if is_ended and entry.is_usable)
            place = published_folder_in(shared) if target is None or is_over else target
            models = list_models(self._bundled, (*own, *begun, *ended), shared)
            self._listed.emit(request_id, ModelsListed(models, place, _free_bytes(place)))

        self._looking.submit(_guarded(look, _log_only))

    @Slot(object)
    def name_folder(self, folder: Path) -> None:
        """List a folder that the person added, and remember it once it proves usable."""
        self._own.setdefault(folder, False)

        def look() -> None:
            downloads = resolved(snapshots_in(self._shared()))  # models in there are found anyway
            if downloads not in resolved(folder).parents:
                self._looked.emit(look_into(folder))

        self._looking.submit(_guarded(look, _log_only))
        self.refresh()

    @Slot(object)
    def forget_folder(self, folder: Path) -> None:
        """Stop listing a folder that the person added; nothing in it is touched."""
        self._own.pop(folder, None)
        self._tell_own()
        self.refresh()

    @Slot(object)
    def choose_target(self, folder: Path) -> None:
        """Download to another folder; the model will be listed as one of the person's own.

        What has arrived in the folder chosen before stays listed too.
        """
        if not self._download.is_busy:
            if self._target is not None and self._download.arrived_bytes:
                self._own[self._target] = True
                self._tell_own()
            self._target, self._begun_before = folder, None
            self._show(DownloadShown(DownloadState.IDLE))
            self.refresh()

    @Slot(str)
    def start_download(self, endpoint: str) -> None:
        """Download the published model, or the rest of it.

        Args:
            endpoint: address of the server; empty for the one set by the environment.
        """
        if self._download.is_busy:
            return
        try:
            source = ModelSource.published(endpoint)
        except RtocrError as error:
            self._show(replace(self._download, state=DownloadState.FAILED, problem=str(error)))
            return
        self._run_id += 1
        self._pause = threading.Event()
        run_id, pause, target = self._run_id, self._pause, self._target
        self._begun_before = None  # the target is now chosen: a list still being made must not reset it
        kept_bytes = self._download.arrived_bytes
        self._show(replace(self._download, state=DownloadState.RUNNING, problem="", kept_bytes=kept_bytes))
        self.refresh()
        self.begun_changed.emit(target)

        def download() -> None:
            from rtocr_gui.ocr.library.download import download_model  # imports the hub's library

            folder = target or published_folder_in(self._shared())
            with closing(download_model(source, folder, pause)) as steps:
                for progress in steps:
                    self._download_reported.emit(run_id, progress)

        self._downloading.submit(
            _guarded(download, lambda sentence: self._download_reported.emit(run_id, sentence))
        )

    @Slot()
    def pause_download(self) -> None:
        """Pause the download; what has arrived is kept."""
        if self._download.state is DownloadState.RUNNING:
            self._pause.set()
            self._show(replace(self._download, state=DownloadState.STOPPING))

    @Slot()
    def discard_download(self) -> None:
        """Stop the download and delete what has arrived."""
        self._pause.set()
        self._run_id += 1
        run_id, target = self._run_id, self._target
        self._show(DownloadShown(DownloadState.STOPPING))

        def discard() -> None:
            from rtocr_gui.ocr.library.download import discard_download

            folder = target or published_folder_in(self._shared())
            discard_download(folder)
            self._download_reported.emit(run_id, look_into(folder))

        self._downloading.submit(
            _guarded(discard, lambda sentence: self._download_reported.emit(run_id, sentence))
        )

    @Slot(object)
    def check(self, folder: Path) -> None:
        """Check a model folder; if it was downloaded, every byte."""
        self._stop_check.set()
        self._stop_check = stop = threading.Event()
        self._check_id += 1
        check_id, self._bad_check = self._check_id, None
        self.check_changed.emit(CheckShown(folder, running=True, sentence="Checking…"))

        def check() -> None:
            for progress in check_model(folder, stop):
                if progress.stage is DownloadStage.DONE:
                    shown = CheckShown(folder, False, verdict(progress))
                elif progress.stage is DownloadStage.PAUSED:
                    shown = CheckShown(folder, False, "The check was stopped.")
                else:
                    shown = CheckShown(folder, True, f"Checking: {progress}")
                self._checked.emit(check_id, shown)

        self._checking.submit(
            _guarded(
                check,
                lambda sentence: self._checked.emit(
                    check_id, CheckShown(folder, False, sentence, is_bad=True)
                ),
            )
        )

    @Slot()
    def stop_check(self) -> None:
        """End a check early."""
        self._stop_check.set()

    def close(self, timeout_s: float) -> bool:
        """Stop everything; what has arrived of a download is kept.

        Returns:
            True if nothing is running any more.
        """
        self._pause.set()
        self._stop_check.set()
        lanes = (self._looking, self._checking, self._downloading)
        for lane in lanes:
            lane.close_soon()
        return wait_for(lanes, timeout_s)

    @Slot(int, object)
    def _take_list(self, request_id: int, listed: ModelsListed) -> None:
        if request_id != self._list_id:
            return
        self._listed_target = listed.target
        if self._target == self._begun_before != listed.target:
            if any(entry.is_at(self._target) and entry.is_usable for entry in listed.models):
                self._end_begun()
            self._target = None
        there = next((entry for entry in listed.models if entry.is_at(listed.target)), None)
        found = _as_found(there)
        is_complete = found.state is DownloadState.FOUND
        is_ended = is_complete and self._download.is_begun  # by another program
        if is_ended:
            self._end_begun()
        if not self._download.is_busy and (is_ended or not self._download.problem):
            if not (is_complete and self._download.state is DownloadState.DONE):
                self._show(found)
        elif there is not None:
            kept_bytes = max(self._download.kept_bytes, there.done_bytes)
            self._show(replace(self._download, kept_bytes=kept_bytes))
        self.models_listed.emit(listed)
        if self._bad_check is not None:
            self.check_changed.emit(self._bad_check)
            self._bad_check = None

    @Slot(object)
    def _take_folder(self, entry: ModelEntry) -> None:
        if entry.is_usable and entry.folder in self._own:
            self._own[entry.folder] = True
            self._tell_own()

    def _end_begun(self) -> None:
        """The model is complete: a folder chosen by the person is listed as their own from now on."""
        if self._target is not None:
            self._own[self._target] = True
            self._tell_own()
        self.begun_changed.emit(None)

    def _end_discarded(self) -> None:
        """Nothing is left of the download: a folder chosen by the person is no longer listed."""
        if self._target is not None and self._own.pop(self._target, False):
            self._tell_own()
        self.begun_changed.emit(None)

    def _tell_own(self) -> None:
        self.own_folders_changed.emit(tuple(folder for folder, is_kept in self._own.items() if is_kept))

    @Slot(int, object)
    def _take_download(self, run_id: int, report: DownloadProgress | str | ModelEntry) -> None:
        """Take over progress, a sentence about a failure, or what is left once everything was deleted."""
        if run_id != self._run_id:
            return
        if isinstance(report, ModelEntry):
            self._show(_as_found(report))
            if report.is_usable:  # another program has completed it
                self._end_begun()
            else:
                self._end_discarded()
        elif isinstance(report, str):
            self._show(replace(self._download, state=DownloadState.FAILED, problem=report))
            self.download_ended.emit(self._download)
        elif report.stage is DownloadStage.DONE:
            self._show(DownloadShown(DownloadState.DONE, repairs=True))
            self._end_begun()
            self.download_ended.emit(self._download)
        elif report.stage is DownloadStage.PAUSED:
            self._show(replace(self._download, state=DownloadState.PAUSED, progress=report))
        else:
            self._show(replace(self._download, progress=report))
            return
        self.refresh()

    @Slot(int, object)
    def _take_check(self, check_id: int, shown: CheckShown) -> None:
        if check_id != self._check_id:
            return
        self.check_changed.emit(shown)
        if shown.is_bad:
            self._bad_check = shown
            if self._download.state is DownloadState.DONE and shown.folder == self._listed_target:
                self._show(replace(self._download, state=DownloadState.FOUND))
            self.refresh()

    def _shared(self) -> Path:
        """The shared download folder; call on a lane, as the first call imports the hub's library."""
        return default_cache() if self._cache is None else self._cache

    def _show(self, shown: DownloadShown) -> None:
        self._download = shown
        self.download_changed.emit(shown)


def _as_found(entry: ModelEntry | None) -> DownloadShown:
    """The state of a download that is not running, by what is in its folder; None if there is no model."""
    if entry is not None and entry.is_unfinished:
        progress = DownloadProgress(DownloadStage.PAUSED, entry.done_bytes, entry.total_bytes)
        return DownloadShown(DownloadState.PAUSED, progress, repairs=entry.was_complete)
    if entry is not None and entry.is_usable:
        return DownloadShown(DownloadState.FOUND, repairs=True)
    return DownloadShown(DownloadState.IDLE)


def _guarded(job: Callable[[], None], tell: Callable[[str], None]) -> Callable[[], None]:
    """A job that reports errors to `tell`: a lane's jobs must not raise."""

    def run() -> None:
        try:
            job()
        except BaseException as error:
            tell(in_words(error))

    return run


def _log_only(sentence: str) -> None:
    _log.warning("%s", sentence)


def _free_bytes(folder: Path) -> int | None:
    """Free disk space where a folder is, or will be; None if unknown."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None
