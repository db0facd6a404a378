"""Opens the window of models on request; the session then reads with the model chosen there.

A download continues when the window is closed. Knows no lane and no network; the modules that do are imported
when the window is first opened.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from rtocr_gui.errors import SettingsError
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import ModelStatus

if TYPE_CHECKING:
    from rtocr_gui.ui.background.model_library import ModelLibrary
    from rtocr_gui.ui.background.models_shown import DownloadShown
    from rtocr_gui.ui.dialogs.models_window import ModelsWindow


class ModelsOpener(QObject):
    """Opens the window of models and passes on what is chosen there.

    Signals:
        notice_raised (Notice): a message to the person while the window is closed or cannot be opened.

    Args:
        session: loads the chosen model, and remembers the person's own folders and that of a download.
        bundled: folder of the model that comes with the program.
        over: parent of the window.
    """

    notice_raised = Signal(object)

    def __init__(self, session: Session, bundled: Path, over: QWidget) -> None:
        super().__init__(over)
        self._session = session
        self._bundled = bundled
        self._over = over
        self._library: ModelLibrary | None = None
        self._window: ModelsWindow | None = None
        session.models.changed.connect(self._show_in_use)

    @property
    def window(self) -> "ModelsWindow | None":
        """The window of models; None before it is first opened."""
        return self._window

    @Slot()
    def open(self) -> None:
        """Show the window of models, or bring it to the front; or say why it cannot be opened."""
        if self._window is None or self._library is None:
            try:
                self._window, self._library = self._make()
            except SettingsError as error:
                self.notice_raised.emit(Notice(str(error)))
                return
        if folder := self._session.choices.settings.model_folder:
            self._library.name_folder(Path(folder))  # it may have been chosen elsewhere
        else:
            self._library.refresh()
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def close(self, timeout_s: float) -> bool:
        """Stop a download and a check; what was downloaded is kept.

        Returns:
            True if nothing is running any more.
        """
        return self._library is None or self._library.close(timeout_s)

    def _make(self) -> "tuple[ModelsWindow, ModelLibrary]":
        from rtocr_gui.ui.background.model_library import ModelLibrary
        from rtocr_gui.ui.dialogs.models_window import ModelsWindow

        settings = self._session.choices.settings
        begun = Path(settings.download_folder) if settings.download_folder else None
        window = ModelsWindow(self._over)  # first, as it may fail and the library runs lanes
        library = ModelLibrary(self._bundled, tuple(map(Path, settings.own_models)), begun, parent=self)
        window.model_chosen.connect(self._session.models.choose)
        window.fit_requested.connect(self._session.models.judge_fit)
        self._session.models.fit_judged.connect(window.show_fit)
        self._session.models.fit_failed.connect(window.show_fit_problem)
        library.own_folders_changed.connect(self._remember)
        library.begun_changed.connect(
            lambda folder: self._session.choices.remember(download_folder=str(folder) if folder else "")
        )
        library.download.ended.connect(self._tell_of_download)
        wire(window, library)
        model = self._session.models.model
        window.show_in_use(model.info.folder if model is not None else None)
        return window, library

    @Slot(object)
    def _remember(self, folders: tuple[Path, ...]) -> None:
        self._session.choices.remember(own_models=tuple(str(folder) for folder in folders))

    @Slot(object)
    def _tell_of_download(self, shown: "DownloadShown") -> None:
        """Report the outcome of a download, unless the window is there to show it."""
        if self._window is None or not self._window.isVisible():
            outcome = shown.problem or "Downloaded and checked. Choose it under Model > Models…"
            self.notice_raised.emit(Notice(f"DeepSeek-OCR: {outcome}"))

    @Slot(object)
    def _show_in_use(self, status: ModelStatus) -> None:
        if self._window is not None and not status.loading:
            self._window.show_in_use(status.model.info.folder if status.model is not None else None)


def wire(window: "ModelsWindow", library: "ModelLibrary") -> None:
    """Connect the window's requests to the library, and the library's signals to the window."""
    window.folder_named.connect(library.name_folder)
    window.folder_forgotten.connect(library.forget_folder)
    library.models_listed.connect(window.show_models)
    window.check_requested.connect(library.checker.check)
    window.check_stop_requested.connect(library.checker.stop)
    library.checker.changed.connect(window.show_check)
    window.download.target_chosen.connect(library.choose_target)
    window.download.download_requested.connect(library.download.start)
    window.download.pause_requested.connect(library.download.pause)
    window.download.discard_requested.connect(library.download.discard)
    library.download.changed.connect(window.download.show_download)
    library.download.changed.connect(window.follow_download)
    window.download.show_download(library.download.shown)
