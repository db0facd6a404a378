"""The download of the published model: where from, where to, its state, and what can be done about it.

Shows frozen values and emits requests; knows neither the disk nor the network.
"""

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
)

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.library.download_progress import DownloadStage
from rtocr_gui.ocr.library.model_source import (
    EXPECTED_BYTES,
    LICENCE,
    PUBLISHER,
    ModelSource,
    default_endpoint,
)
from rtocr_gui.ui.background.models_shown import DownloadShown, DownloadState
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.parts.form_parts import plain_button, plain_label, show_in_place_of
from rtocr_gui.units import size_in_words

_STEPS = 1000
_START = {
    DownloadState.PAUSED: "&Resume",
    DownloadState.FAILED: "&Try again",
    DownloadState.FOUND: "&Download again",
    DownloadState.DONE: "&Download again",
}
_AGAIN = "Check every byte, and download again what is missing or damaged"


class DownloadBox(QGroupBox):
    """Starts, pauses and discards the download.

    Signals:
        download_requested (str): download the published model from this server; empty for the usual one.
        pause_requested (): the download should stop, to be resumed later.
        discard_requested (): the download should stop, and what has arrived be deleted.
        target_chosen (Path): the download should go to this folder.
    """

    download_requested = Signal(str)
    pause_requested = Signal()
    discard_requested = Signal()
    target_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__("Download DeepSeek-OCR")
        self._target = Path()
        self._is_in_use = False
        self._shown = DownloadShown(DownloadState.IDLE)
        self.about = plain_label(
            "The published model reads whole documents with tables, formulae and figures, in many languages. "
            f"{size_in_words(EXPECTED_BYTES)}, by {PUBLISHER} under the {LICENCE} licence. Only its weights "
            "are downloaded, not the code published with them."
        )
        self.server = QLineEdit()
        self.server.setPlaceholderText(_usual_server())
        self.server.setAccessibleName("Server to download from")
        self.server.setToolTip("Address of a Hugging Face mirror; empty for the usual server (HF_ENDPOINT)")
        self.place = plain_label()
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.change = plain_button("C&hange…", "Download to another folder", self._ask_target)
        place = QHBoxLayout()
        place.addWidget(self.place, 1)
        place.addWidget(self.change, 0, Qt.AlignmentFlag.AlignTop)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("&Server", self.server)
        form.addRow("Folder", place)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the download")
        self.status = plain_label(name="State of the download")
        self.start = plain_button("&Download", "", self._start)
        self.pause = plain_button(
            "&Pause", "Stop for now; what was downloaded is kept", self.pause_requested.emit
        )
        self.discard = plain_button("&Cancel", "Stop, and delete what was downloaded", self._ask_discard)
        buttons = QHBoxLayout()
        buttons.addWidget(self.status, 1)
        for button in (self.start, self.pause, self.discard):
            buttons.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.addWidget(self.about)
        layout.addLayout(form)
        layout.addWidget(self.bar)
        layout.addLayout(buttons)
        self.show_download(self._shown)

    def show_place(self, target: Path, free_bytes: int | None) -> None:
        """Show where the download goes, and the free disk space there; None if unknown."""
        self._target = target
        free = "" if free_bytes is None else f"\n{size_in_words(free_bytes)} free there"
        self.place.setText(f"{target}{free}")

    def show_in_use(self, is_in_use: bool) -> None:
        """Show whether pages are read with the model in the download's folder."""
        self._is_in_use = is_in_use
        self._show_line()

    @Slot(object)
    def show_download(self, shown: DownloadShown) -> None:
        """Show the state of the download, and what can be done about it."""
        self._shown = shown
        state, progress, busy = shown.state, shown.progress, shown.is_busy
        begun = state in (DownloadState.PAUSED, DownloadState.FAILED)
        self.start.setText(_START.get(state, "&Download"))
        self.start.setToolTip(_AGAIN if shown.repairs else "Download the model")
        if not busy:
            show_in_place_of(self.start, self.pause)
        self.pause.setEnabled(state is DownloadState.RUNNING)  # disabled, it neither takes nor keeps focus
        if busy:
            show_in_place_of(self.pause, self.start)
        self.discard.setVisible((busy or begun) and not shown.repairs)
        self.discard.setEnabled(state is not DownloadState.STOPPING)
        self.server.setEnabled(not busy)
        self.change.setEnabled(not busy)
        self.bar.setVisible(busy or progress is not None)
        if busy and (progress is None or progress.stage is DownloadStage.CONNECT):
            self.bar.setRange(0, 0)
        else:
            self.bar.setRange(0, _STEPS)
            if progress is not None and progress.total_bytes:
                self.bar.setValue(_STEPS * progress.done_bytes // progress.total_bytes)
        self._show_line()

    def _show_line(self) -> None:
        self.status.setText(_download_line(self._shown, self._is_in_use))

    def _ask_target(self) -> None:
        folder = questions.ask_download_folder(self, self._target)
        if folder is not None:
            self.target_chosen.emit(folder)

    def _start(self) -> None:
        self.download_requested.emit(self.server.text())

    def _ask_discard(self) -> None:
        arrived = self._shown.arrived_bytes
        if not arrived or questions.agrees(
            self,
            "Delete the download?",
            f"{size_in_words(arrived)} was downloaded and will be deleted. Pause instead to keep it.",
            "Delete",
            "Keep",
        ):
            self.discard_requested.emit()


def _download_line(shown: DownloadShown, is_in_use: bool) -> str:
    if shown.problem:
        return shown.problem
    if shown.state is DownloadState.DONE:
        return "Downloaded and checked." + ("" if is_in_use else " Select it above and press Use.")
    if shown.state is DownloadState.FOUND:
        return "The model is in this folder."
    if shown.state is DownloadState.STOPPING:
        return "Stopping…"
    return str(shown.progress) if shown.progress is not None else ""


def _usual_server() -> str:
    """The address of the server set in the environment, without a login; empty if that is not an address.

    Raises:
        SettingsError: the environment does not let the hub's library be imported.
    """
    endpoint = default_endpoint()
    try:
        return ModelSource.published(endpoint).address
    except SettingsError:
        return ""
