"""The window of models: what there is, what each reads, and the download of the published one.

Shows frozen values and emits requests; knows neither the disk nor the network.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rtocr_gui.ocr.library.library import ModelEntry, Origin
from rtocr_gui.ui.background.models_shown import CheckShown, DownloadShown, ModelsListed
from rtocr_gui.ui.background.replies import FitJudged
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.download_box import DownloadBox
from rtocr_gui.ui.parts.form_parts import plain_button, plain_label
from rtocr_gui.ui.parts.layouts import scrolled, within_screen
from rtocr_gui.ui.parts.plain_text import plain_tip
from rtocr_gui.units import size_in_words

if TYPE_CHECKING:
    from rtocr_gui.ocr.memory.fit import Fit

_ENTRY = Qt.ItemDataRole.UserRole
_ELSEWHERE = "To download into this folder again, choose it below with Change…."


class ModelsWindow(QDialog):
    """Chooses, checks and downloads models.

    Signals:
        model_chosen (Path): pages should be read with the model of this folder.
        folder_named (Path): the person has a model in this folder.
        folder_forgotten (Path): a folder should no longer be listed.
        check_requested (Path): a model should be checked thoroughly.
        check_stop_requested (): the check is no longer wanted.
        fit_requested (Path): find out whether a model fits into memory.

    Attributes:
        download: has the signals and slots of the download.

    Args:
        parent: Qt parent.
    """

    model_chosen = Signal(object)
    folder_named = Signal(object)
    folder_forgotten = Signal(object)
    check_requested = Signal(object)
    check_stop_requested = Signal()
    fit_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self._in_use: Path | None = None
        self._awaited: Path | None = None
        self._target: Path | None = None
        self._check: CheckShown | None = None
        self._fit: tuple[Path, str] | None = None
        self.download = DownloadBox()
        self.list = self._make_list()
        self.details = plain_label(name="About the selected model")
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.setMinimumHeight(6 * self.fontMetrics().lineSpacing())
        self.setMinimumWidth(64 * self.fontMetrics().averageCharWidth())
        models = QWidget()
        column = QVBoxLayout(models)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list, 1)
        column.addWidget(self.details)
        column.addLayout(self._make_buttons())
        column.addWidget(self.download)
        layout = QVBoxLayout(self)
        layout.addWidget(scrolled(models))
        layout.addWidget(self._make_close())
        self._show_selected()
        self.resize(within_screen(self.sizeHint(), self))

    def sizeHint(self) -> QSize:
        return QSize(92 * self.fontMetrics().averageCharWidth(), 42 * self.fontMetrics().lineSpacing())

    def _make_list(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels(["Model", "Size", "Precision", "Reads"])
        tree.setAccessibleName("Models on this computer")
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        tree.setMinimumHeight(6 * tree.fontMetrics().lineSpacing())
        tree.setSizeAdjustPolicy(QAbstractItemView.SizeAdjustPolicy.AdjustToContents)
        tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = tree.header()
        header.setStretchLastSection(True)
        for column in (0, 1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setMaximumSectionSize(34 * tree.fontMetrics().averageCharWidth())
        tree.currentItemChanged.connect(self._show_selected)
        tree.currentItemChanged.connect(self._want_fit)
        tree.itemActivated.connect(self._use)
        return tree

    def _make_buttons(self) -> QHBoxLayout:
        self.use = plain_button("&Use", "Read pages with the selected model (Return)", self._use)
        self.check = plain_button(
            "Chec&k", "Check the selected model; if it was downloaded, every byte", self._ask_check
        )
        self.forget = plain_button(
            "For&get", "Remove the folder from this list; its files are not touched", self._forget
        )
        self.browse = plain_button(
            "Use a &folder…", "Choose a folder that contains a model", self._ask_folder
        )
        row = QHBoxLayout()
        for button in (self.use, self.check, self.forget):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.browse)
        return row

    def _make_close(self) -> QDialogButtonBox:
        """A button that is not pressed by Return in another field."""
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        button = box.button(QDialogButtonBox.StandardButton.Close)
        button.setAutoDefault(False)
        button.setDefault(False)
        box.rejected.connect(self.reject)
        return box

    @property
    def selected(self) -> ModelEntry | None:
        """The model to which the buttons refer."""
        item = self.list.currentItem()
        return item.data(0, _ENTRY) if item is not None else None

    @Slot(object)
    def show_models(self, listed: ModelsListed) -> None:
        """Show the models; the selection stays, or moves to a folder just added."""
        before, checked = self.selected, self._checked_entry()
        wanted = self._awaited or (before.folder if before else self._in_use)
        self.list.clear()
        for entry in listed.models:
            item = QTreeWidgetItem(_columns(entry))
            item.setData(0, _ENTRY, entry)
            item.setToolTip(3, plain_tip(entry.reads or entry.problem))
            self._mark(item)
            self.list.addTopLevelItem(item)
            if entry.is_at(wanted):
                self.list.setCurrentItem(item)
        if any(entry.is_at(self._awaited) for entry in listed.models):
            self._awaited = None
        first = self.list.topLevelItem(0)
        if self.list.currentItem() is None and first is not None:
            self.list.setCurrentItem(first)
        self._target = listed.target
        self.download.show_place(listed.target, listed.free_bytes)
        if self._checked_entry() != checked:
            self._forget_check()
        self._show_selected()
        self._tell_if_in_use()

    def _items(self) -> list[QTreeWidgetItem]:
        return self.list.findItems("", Qt.MatchFlag.MatchContains)

    def _entries(self) -> list[ModelEntry]:
        return [item.data(0, _ENTRY) for item in self._items()]

    def _tell_if_in_use(self) -> None:
        """Let the download know whether its model is in use."""
        here = [entry for entry in self._entries() if entry.is_at(self._target)]
        self.download.show_in_use(any(entry.is_at(self._in_use) for entry in here))

    def _checked_entry(self) -> ModelEntry | None:
        """What the list has of the model that was checked last."""
        check = self._check
        return next((each for each in self._entries() if check and each.folder == check.folder), None)

    def _forget_check(self) -> None:
        if self._check is not None and not self._check.running:
            self._check = None

    @Slot(object)
    def follow_download(self, shown: DownloadShown) -> None:
        """Forget the result of a check of what is being downloaded again."""
        if shown.is_busy and self._check is not None and self._check.folder == self._target:
            self._forget_check()
            self._show_selected()

    def _mark(self, item: QTreeWidgetItem) -> None:
        """Mark the model in use, not by the font alone."""
        entry: ModelEntry = item.data(0, _ENTRY)
        in_use = entry.is_at(self._in_use)
        item.setText(0, f"{entry.name} (in use)" if in_use else entry.name)
        font = item.font(0)
        font.setBold(in_use)
        item.setFont(0, font)

    def show_in_use(self, folder: Path | None) -> None:
        """Mark the model that pages are read with."""
        self._in_use = folder
        self._want_fit()
        for item in self._items():
            self._mark(item)
        self._show_selected()
        self._tell_if_in_use()

    @Slot(object)
    def show_fit(self, judged: FitJudged) -> None:
        """Show how much memory a model needs and how much is free."""
        self._fit = judged.folder, _fit_line(judged.fit)
        self._show_selected()

    @Slot(object, str)
    def show_fit_problem(self, folder: Path, sentence: str) -> None:
        """Show why it cannot be told whether a model fits."""
        self._fit = folder, sentence
        self._show_selected()

    @Slot()
    def _want_fit(self) -> None:
        """Request the fit again: memory that was free may be in use by now."""
        self._fit = None
        entry = self.selected
        if entry is not None and entry.is_usable:
            self.fit_requested.emit(entry.folder)

    @Slot(object)
    def show_check(self, shown: CheckShown) -> None:
        """Show the state of a check."""
        self._check = shown
        self._show_selected()

    @Slot()
    def _show_selected(self) -> None:
        entry = self.selected
        checking = self._check is not None and self._check.running
        self.use.setEnabled(entry is not None and entry.is_usable and not entry.is_at(self._in_use))
        self.check.setEnabled(checking or (entry is not None and not entry.is_unfinished))
        self.check.setText("Stop chec&king" if checking else "Chec&k")
        self.forget.setEnabled(
            entry is not None and entry.origin is not Origin.BUNDLED and not entry.is_at(self._in_use)
        )
        is_download = entry is not None and entry.is_unfinished and entry.is_at(self._target)
        self.forget.setVisible(entry is not None and entry.is_named and not is_download)
        self.details.setText("Looking for models…" if entry is None else self._details_of(entry))

    def _details_of(self, entry: ModelEntry) -> str:
        """What is known of a model, line by line: its problem or what it is, and the result of a check."""
        lines = [entry.problem] if entry.problem else [entry.info.description if entry.info else ""]
        lines += [f"Reads {entry.reads}"] if entry.reads else []
        lines += [entry.weights] if entry.weights else []
        lines += [self._fit[1]] if self._fit is not None and self._fit[0] == entry.folder else []
        lines += [f"{entry.source[0].upper()}{entry.source[1:]}: {entry.folder}"]
        check = self._check if self._check is not None and self._check.folder == entry.folder else None
        lines += [check.sentence] if check is not None and check.sentence != entry.problem else []
        is_elsewhere = entry.is_named and entry.origin is Origin.DOWNLOADED and not entry.is_at(self._target)
        if is_elsewhere and (entry.is_unfinished or (check is not None and check.is_bad)):
            lines.append(_ELSEWHERE)
        return "\n".join(lines)

    @Slot()
    def _use(self) -> None:
        entry = self.selected
        if entry is not None and self.use.isEnabled():
            self.model_chosen.emit(entry.folder)

    def _ask_check(self) -> None:
        entry = self.selected
        if self._check is not None and self._check.running:
            self.check_stop_requested.emit()
        elif entry is not None:
            self.check_requested.emit(entry.folder)

    def _ask_folder(self) -> None:
        folder = questions.ask_model_folder(self, "")
        if folder is not None:
            self._awaited = folder
            self.folder_named.emit(folder)

    def _forget(self) -> None:
        entry = self.selected
        if entry is not None:
            self.folder_forgotten.emit(entry.folder)


def _columns(entry: ModelEntry) -> list[str]:
    if entry.is_usable:
        return [entry.name, size_in_words(entry.size_bytes), entry.precision, entry.reads]
    if entry.is_unfinished:
        return [entry.name, size_in_words(entry.total_bytes), "", "Not finished downloading"]
    return [entry.name, "", "", "Cannot be used"]


def _fit_line(fit: "Fit") -> str:
    if fit.fits and fit.largest is not None and not fit.largest.fits:
        return f"{fit.sentence} It fits, but not in every mode. Large pages are offered in a smaller one."
    if fit.fits:
        return f"{fit.sentence} It fits."
    return f"{fit.sentence} It does not fit." + (f" What fits: {fit.ways}." if fit.ways else "")
