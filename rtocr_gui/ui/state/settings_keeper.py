"""Keeps the settings in their file: writes them soon after a change, and at the end.

This way they survive a crash too. Only what changed is written, as another window may have changed the rest.
Writes on a lane of its own, as a busy disk may be slow. Knows no widget.
"""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal, SignalInstance, Slot

from rtocr_gui.errors import SettingsError
from rtocr_gui.settings import MOST_RECENT_FILES, Settings, load_settings, save_settings
from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.parts.timers import one_shot

QUIET_MS = 1000
"""Settings are written once they have not changed for this long."""

_log = logging.getLogger(__name__)


class SettingsKeeper(QObject):
    """Reads the settings, and writes them if they changed; a file that could not be opened is left alone.

    Args:
        path: of the file.
        quiet_ms: how long after the last change the file is written.

    Attributes:
        settings: as they were read, or the defaults.
    """

    _failed = Signal(str)

    def __init__(self, path: Path, quiet_ms: int = QUIET_MS) -> None:
        super().__init__()
        self._path = path
        self._is_writable = True
        self._problem = ""
        self.settings = Settings()
        try:
            self.settings = load_settings(path, tell=self._note_damage)
        except SettingsError as error:
            _log.warning("%s", error)
            self._is_writable = False
            self._problem = (
                f"{error} RTOCR is using default settings and will not save changes until you restart it."
            )
        self._newest = self._written = self.settings
        self._has_warned = False
        self._lane = Lane("settings")
        self._timer = one_shot(self, quiet_ms, self._write_soon)

    def follow(self, changed: SignalInstance, tell: Callable[[str], object]) -> None:
        """Keep settings that change from now on.

        Args:
            changed: carries the new settings.
            tell: called on the main thread with a sentence if they were lost or cannot be kept.
        """
        self._failed.connect(tell)
        if self._problem:
            self._failed.emit(self._problem)
        if self._is_writable:
            changed.connect(self._keep)

    def close(self, timeout_s: float) -> bool:
        """Write what has not been written yet.

        Returns:
            False if that has not finished in time.
        """
        self._timer.stop()
        self._write_soon()
        return self._lane.finish(timeout_s)

    def _note_damage(self, sentence: str) -> None:
        _log.warning("%s", sentence)
        self._problem = f"{sentence} RTOCR is using default settings."

    @Slot(object)
    def _keep(self, settings: Settings) -> None:
        self._newest = settings
        self._timer.start()

    @Slot()
    def _write_soon(self) -> None:
        settings = self._newest
        self._lane.submit(lambda: self._write(settings))

    def _write(self, settings: Settings) -> None:
        if settings == self._written:
            return
        try:
            save_settings(self._with_others_changes(settings), self._path)
            self._written = settings
        except SettingsError as error:
            _log.warning("%s", error)
            if not self._has_warned:
                self._has_warned = True
                self._failed.emit(str(error))

    def _with_others_changes(self, settings: Settings) -> Settings:
        """The settings in the file, with what has changed here since the last time they were written."""
        there = load_settings(self._path, settings)
        here, before = dataclasses.asdict(settings), dataclasses.asdict(self._written)
        changed = {name: here[name] for name in here if here[name] != before[name]}
        for name in changed.keys() & {"own_models", "settled_texts"}:
            kept, of_others = _merged(here[name], before[name], getattr(there, name))
            changed[name] = (*kept, *of_others)
        if changed.get("recent_files"):  # else the person cleared them, whoever opened them
            kept, of_others = _merged(here["recent_files"], before["recent_files"], there.recent_files)
            opened = sum(path not in before["recent_files"] for path in kept)  # the newest are the first
            changed["recent_files"] = (*kept[:opened], *of_others, *kept[opened:])[:MOST_RECENT_FILES]
        return dataclasses.replace(there, **changed)


def _merged(
    here: tuple[str, ...], before: tuple[str, ...], there: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """Return what of a list is new here or is still there, and what others have added to it."""
    kept = [each for each in here if each not in before or each in there]
    return kept, [each for each in there if each not in (*before, *here)]
