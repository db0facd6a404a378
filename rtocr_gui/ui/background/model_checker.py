"""Checks a model folder off the main thread: every byte, if it was downloaded. Knows no list, no widget."""

import threading
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.ocr.library.download_progress import DownloadStage
from rtocr_gui.ocr.library.library import check_model, verdict
from rtocr_gui.ui.background.errors_in_words import guarded
from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.background.models_shown import CheckShown


class ModelChecker(QObject):
    """Checks one folder at a time; results that are no longer wanted are dropped.

    Signals:
        changed (CheckShown): the state of the check.
        damage_found (Path): the model in this folder cannot be used as it is; follows `changed`.

    Args:
        lane: runs the checks.
        parent: Qt parent.
    """

    changed = Signal(object)
    damage_found = Signal(object)

    _reported = Signal(int, object)

    def __init__(self, lane: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self._check_id = 0
        self._stop = threading.Event()
        self._untold: CheckShown | None = None  # told again beside the list that shows what it found
        self._reported.connect(self._take)

    @Slot(object)
    def check(self, folder: Path) -> None:
        """Check a model folder; an earlier check ends."""
        self._stop.set()
        self._stop = stop = threading.Event()
        self._check_id += 1
        check_id, self._untold = self._check_id, None
        self.changed.emit(CheckShown(folder, running=True, sentence="Checking…"))

        def check() -> None:
            for progress in check_model(folder, stop):
                if progress.stage is DownloadStage.DONE:
                    shown = CheckShown(folder, False, verdict(progress))
                elif progress.stage is DownloadStage.PAUSED:
                    shown = CheckShown(folder, False, "The check was stopped.")
                else:
                    shown = CheckShown(folder, True, f"Checking: {progress}")
                self._reported.emit(check_id, shown)

        def tell(sentence: str) -> None:
            self._reported.emit(check_id, CheckShown(folder, False, sentence, is_bad=True))

        self._lane.submit(guarded(check, tell))

    @Slot()
    def stop(self) -> None:
        """End a check early."""
        self._stop.set()

    def tell_again(self) -> None:
        """Tell once more what was wrong with a model: the list now shows it too."""
        if self._untold is not None:
            self.changed.emit(self._untold)
            self._untold = None

    @Slot(int, object)
    def _take(self, check_id: int, shown: CheckShown) -> None:
        if check_id != self._check_id:
            return
        self.changed.emit(shown)
        if shown.is_bad:
            self._untold = shown
            self.damage_found.emit(shown.folder)
