"""What the person chose: the remembered settings, as they apply to the model in use.

Knows neither pages nor widgets.
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from rtocr_gui.errors import SettingsError
from rtocr_gui.export.looks import Look
from rtocr_gui.files import is_there
from rtocr_gui.ocr.asking import ASKS, asked_task
from rtocr_gui.ocr.model.model_info import ModelInfo
from rtocr_gui.ocr.reading import TASKS, Mode, ReadSettings, Scaling, Task
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.settings import MOST_RECENT_FILES, Settings
from rtocr_gui.tokens import GridName


class Choices(QObject):
    """The settings as they stand now.

    Signals:
        changed (Settings): the remembered settings have changed.
        retention_changed (float, or None for automatic)
        look_changed (Look), opacity_changed (float), grid_changed (GridName): of the overlay.

    Args:
        settings: what is remembered from the last session.
        parent: Qt parent.
    """

    changed = Signal(object)
    retention_changed = Signal(object)
    look_changed = Signal(object)
    opacity_changed = Signal(float)
    grid_changed = Signal(str)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._model: ModelInfo | None = None

    @property
    def settings(self) -> Settings:
        """The remembered settings."""
        return self._settings

    def remember(self, **changes: object) -> None:
        """Change remembered settings, by field name."""
        before = self._settings
        settings = dataclasses.replace(before, **changes)  # type: ignore[arg-type]
        if settings == before:
            return
        self._settings = settings
        self.changed.emit(settings)
        if settings.retention != before.retention:
            self.retention_changed.emit(settings.retention)
        if settings.look != before.look:
            self.look_changed.emit(self.look)
        if settings.overlay_opacity != before.overlay_opacity:
            self.opacity_changed.emit(settings.overlay_opacity)
        if settings.grid != before.grid:
            self.grid_changed.emit(self.grid)

    def remember_opened(self, paths: Iterable[Path]) -> None:
        """Remember files and folders as the ones opened last."""
        recent = dict.fromkeys((*map(str, paths), *self._settings.recent_files))
        self.remember(recent_files=tuple(recent)[:MOST_RECENT_FILES])

    def forget_opened(self, path: Path) -> None:
        """Forget a recently opened file or folder, if it was remembered."""
        recent = tuple(each for each in self._settings.recent_files if each != str(path))
        if recent != self._settings.recent_files:
            self.remember(recent_files=recent)

    def settle_text(self, file: Path) -> None:
        """Do not offer a file with unsaved text again; those that are gone are forgotten."""
        there = (name for name in self._settings.settled_texts if is_there(file.with_name(name)))
        self.remember(settled_texts=tuple(dict.fromkeys((*there, file.name))))

    def adopt(self, model: ModelInfo, is_bundled: bool) -> None:
        """Remember a model that works; mode and task were chosen for the previous one and are reset."""
        self._model = model
        folder = "" if is_bundled else str(model.folder)
        if folder != self._settings.model_folder:
            self.remember(model_folder=folder, mode="", task="", task_words="")

    @property
    def model_name(self) -> str:
        """Name of the model in use; empty before there is one."""
        return self._model.name if self._model is not None else ""

    @property
    def mode(self) -> Mode | None:
        """The mode in use: the remembered one; None to let each page decide."""
        names = {mode.value for mode in Mode}
        return Mode(self._settings.mode) if self._settings.mode in names else None

    @property
    def scaling(self) -> Scaling:
        """How pages are scaled now."""
        return Scaling(self.mode, self._settings.most_tiles)

    @property
    def task(self) -> Task:
        """The task in use: the remembered one if the model knows it, else the model's first."""
        ask = next((ask for ask in ASKS if ask.name == self._settings.task), None)
        if ask is not None and (self._model is None or self._model.takes_words):
            try:
                return asked_task(ask, self._settings.task_words)
            except SettingsError:
                pass  # only a settings file edited by hand contains such words
        tasks = self._model.tasks if self._model else TASKS
        return next((task for task in tasks if task.name == self._settings.task), tasks[0])

    @property
    def known_task(self) -> Task | None:
        """The task in use; None while only a model can tell, as none is remembered and none was loaded."""
        return self.task if self._model is not None or self._settings.task else None

    @property
    def look(self) -> Look:
        """What the overlay shows."""
        names = {look.value for look in Look}
        return Look(self._settings.look) if self._settings.look in names else Look.KEPT

    @property
    def grid(self) -> GridName:
        """The grid whose tokens the overlay shows for a page with tiles."""
        return "global" if self._settings.grid == "global" else "local"

    @property
    def read_settings(self) -> ReadSettings:
        """How a page is read now."""
        return ReadSettings(self.scaling, self.task, PruneSettings(self._settings.retention))
