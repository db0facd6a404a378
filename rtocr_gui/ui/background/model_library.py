"""Lists the models on this computer, and remembers the person's folders; looks off the main thread.

Downloads and checks have lanes of their own (`model_download`, `model_checker`), so that neither a check that
takes minutes nor a download that takes an hour prevents the use of another model. Knows no widget and no
engine.
"""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.files import resolved
from rtocr_gui.ocr.library.library import ModelEntry, list_models, look_into
from rtocr_gui.ocr.library.model_source import default_cache, published_folder_in, snapshots_in
from rtocr_gui.ui.background.errors_in_words import guarded
from rtocr_gui.ui.background.lanes import Lane, wait_for
from rtocr_gui.ui.background.model_checker import ModelChecker
from rtocr_gui.ui.background.model_download import ModelDownload
from rtocr_gui.ui.background.models_shown import ModelsListed

_log = logging.getLogger(__name__)


class ModelLibrary(QObject):
    """The models on this computer, and the download of the published one.

    Signals:
        models_listed (ModelsListed): the new list of models.
        own_folders_changed (tuple[Path, ...]): the person's folders to be remembered: those that are or were
            usable, and those in which another download was begun.
        begun_changed (Path or None): the folder, chosen by the person, in which a download was begun, to be
            remembered; None once it has ended, or if one was begun in the folder that programs share.

    Attributes:
        download: has the signals and slots of the download, except for the choice of its folder.
        checker: has the signals and slots of checks.

    Args:
        bundled: folder of the model that comes with the program.
        own: folders that the person added before.
        begun: folder, chosen by the person, in which a download was begun before and may be unfinished.
        cache: the folder in which programs share downloads; None for the one set by the environment.
        parent: Qt parent.
    """

    models_listed = Signal(object)
    own_folders_changed = Signal(object)
    begun_changed = Signal(object)

    _listed = Signal(int, object)
    _looked = Signal(object)

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
        self._list_id = 0
        self._listed_target: Path | None = None
        self._was_begun_before = begun is not None  # in the folder of the download, and not anew
        self._looking = Lane("rtocr-models")
        self._checking = Lane("rtocr-check")
        self._downloading = Lane("rtocr-download")
        self.checker = ModelChecker(self._checking, self)
        self.download = ModelDownload(self._downloading, self._shared, begun, self)
        self._listed.connect(self._take_list)
        self._looked.connect(self._take_folder)
        self.checker.damage_found.connect(self._follow_damage)
        self.download.began.connect(self._follow_begun)
        self.download.completed.connect(self._end_completed)
        self.download.discarded.connect(self._end_discarded)
        self.download.rested.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Look for models again."""
        self._list_id += 1
        request_id, own, target = self._list_id, tuple(self._own), self.download.target
        was_begun, was_begun_before = self.download.shown.is_begun, self._was_begun_before

        def look() -> None:
            shared = self._shared()
            there = (look_into(target),) if target is not None else ()
            begun = tuple(entry.folder for entry in there if entry.is_unfinished)
            is_over = was_begun_before and not begun  # it was finished or removed elsewhere
            is_ended = is_over or was_begun
            ended = tuple(entry.folder for entry in there if is_ended and entry.is_usable)
            place = published_folder_in(shared) if target is None or is_over else target
            models = list_models(self._bundled, (*own, *begun, *ended), shared)
            self._listed.emit(request_id, ModelsListed(models, place, _free_bytes(place)))

        self._looking.submit(guarded(look, _log_only))

    @Slot(object)
    def name_folder(self, folder: Path) -> None:
        """List a folder that the person added, and remember it once it proves usable."""
        self._own.setdefault(folder, False)

        def look() -> None:
            downloads = resolved(snapshots_in(self._shared()))  # models in there are found anyway
            if downloads not in resolved(folder).parents:
                self._looked.emit(look_into(folder))

        self._looking.submit(guarded(look, _log_only))
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
        download = self.download
        if not download.shown.is_busy:
            if download.target is not None and download.shown.arrived_bytes:
                self._own[download.target] = True
                self._tell_own()
            download.target, self._was_begun_before = folder, False
            download.forget()
            self.refresh()

    def close(self, timeout_s: float) -> bool:
        """Stop everything; what has arrived of a download is kept.

        Returns:
            True if nothing is running any more.
        """
        self.download.pause()
        self.checker.stop()
        lanes = (self._looking, self._checking, self._downloading)
        for lane in lanes:
            lane.close_soon()
        return wait_for(lanes, timeout_s)

    @Slot(int, object)
    def _take_list(self, request_id: int, listed: ModelsListed) -> None:
        if request_id != self._list_id:
            return
        self._listed_target = listed.target
        if self._was_begun_before and self.download.target != listed.target:
            if any(entry.is_at(self.download.target) and entry.is_usable for entry in listed.models):
                self._end_completed()
            self.download.target, self._was_begun_before = None, False
        self.download.take_found(next((each for each in listed.models if each.is_at(listed.target)), None))
        self.models_listed.emit(listed)
        self.checker.tell_again()

    @Slot(object)
    def _take_folder(self, entry: ModelEntry) -> None:
        if entry.is_usable and entry.folder in self._own:
            self._own[entry.folder] = True
            self._tell_own()

    @Slot(object)
    def _follow_begun(self, target: Path | None) -> None:
        self._was_begun_before = False  # so that no list takes another folder for the download
        self.refresh()
        self.begun_changed.emit(target)

    @Slot()
    def _end_completed(self) -> None:
        """The model is complete: a folder chosen by the person is listed as their own from now on."""
        if self.download.target is not None:
            self._own[self.download.target] = True
            self._tell_own()
        self.begun_changed.emit(None)

    @Slot()
    def _end_discarded(self) -> None:
        """Nothing is left of the download: a folder chosen by the person is no longer listed."""
        if self.download.target is not None and self._own.pop(self.download.target, False):
            self._tell_own()
        self.begun_changed.emit(None)

    @Slot(object)
    def _follow_damage(self, folder: Path) -> None:
        if folder == self._listed_target:
            self.download.doubt()
        self.refresh()

    def _tell_own(self) -> None:
        self.own_folders_changed.emit(tuple(folder for folder, is_kept in self._own.items() if is_kept))

    def _shared(self) -> Path:
        """The shared download folder; call on a lane, as the first call imports the hub's library."""
        return default_cache() if self._cache is None else self._cache


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
