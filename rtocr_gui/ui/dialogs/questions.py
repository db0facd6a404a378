"""The dialogs: each function asks one thing and returns the answer. They decide nothing.

Texts may quote file names and what a checkpoint says about itself, so none is shown as rich text.
"""

import re
from collections.abc import Sequence
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QLineEdit, QMessageBox, QWidget

from rtocr_gui.documents.folders import SUPPORTED_SUFFIXES
from rtocr_gui.files import is_folder, is_there
from rtocr_gui.ocr.machine.spot import device_in_words
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ui.parts.plain_text import breakable
from rtocr_gui.ui.state.shown import OverwriteQuestion, PasswordQuestion
from rtocr_gui.units import counted, size_in_words
from rtocr_gui.version import program_version

_SUFFIX = re.compile(r"\.[A-Za-z]\w*")
"""A suffix that names a kind of file, and not the end of a date or a number."""


class Leave(Enum):
    """What to do with text that is in no file when the window closes."""

    EXPORT = auto()
    LOSE = auto()
    STAY = auto()


class Overwrite(Enum):
    """What to do with pages whose edited text a reading would replace."""

    REPLACE = auto()
    KEEP = auto()
    READ_NOTHING = auto()


def ask_files(parent: QWidget, folder: str) -> list[Path]:
    """Files to open; empty if the person cancelled."""
    patterns = " ".join(f"*{suffix}" for suffix in sorted(SUPPORTED_SUFFIXES))
    names, _ = QFileDialog.getOpenFileNames(
        parent, "Open scans", folder, f"Scans and PDFs ({patterns});;All files (*)"
    )
    return [Path(name) for name in names]


def ask_folder(parent: QWidget, folder: str) -> Path | None:
    """A folder of scans; None if the person cancelled."""
    return _ask_directory(parent, "Open the scans in a folder", folder)


def ask_export_folder(parent: QWidget, folder: Path, kind: str) -> Path | None:
    """A folder for exported files of a kind; None if the person cancelled."""
    return _ask_directory(parent, f"Folder to export each file to: {kind}", str(folder))


def ask_export_path(parent: QWidget, title: str, suggestion: Path, kinds: str) -> Path | None:
    """The file to write, named as its kind is; asks before an existing one is replaced.

    Args:
        parent: parent of the dialog.
        title: of the dialog.
        suggestion: file offered at first.
        kinds: file types as Qt writes them, e.g. "Table (*.csv);;JSON (*.json)".

    Returns:
        The file, with the suffix of the chosen kind if the person gave none; None if they cancelled.
    """
    dialog = QFileDialog(parent, title, str(suggestion.parent), f"{kinds};;All files (*)")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suggestion.suffix)
    suffix = suggestion.suffix.lower()
    dialog.selectNameFilter(next((kind for kind in kinds.split(";;") if f"*{suffix})" in kind), ""))
    dialog.selectFile(suggestion.name.replace('"', "'"))  # Qt's own dialog takes quotes for several names
    dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(_suffix_of(kind) or suggestion.suffix))
    if not _run(dialog):
        return None
    path = Path(dialog.selectedFiles()[0])
    if _SUFFIX.fullmatch(path.suffix):
        return path
    path = path.with_name(f"{path.name}.{dialog.defaultSuffix()}")  # Qt adds none to “Minutes 12.05.2026”
    return path if not is_there(path) or ask_replace(parent, [path]) else None


def ask_replace(parent: QWidget, files: Sequence[Path]) -> bool:
    """True if these files, at least one, may be replaced."""
    if len(files) == 1:
        question = f"“{files[0].name}” already exists. Exporting replaces it."
        return agrees(parent, "Replace the file?", question, "Replace")
    more = counted(len(files) - 1, "other file")
    question = f"“{files[0].name}” and {more} already exist. Exporting replaces them."
    return agrees(parent, "Replace the files?", question, "Replace")


def _suffix_of(kind: str) -> str:
    """The suffix of a file type as Qt writes it; empty for all files."""
    return kind.rpartition("(*")[2].removesuffix(")")


def ask_model_folder(parent: QWidget, folder: str) -> Path | None:
    """A checkpoint folder; None if the person cancelled."""
    return _ask_directory(parent, "Folder with config.json, tokenizer.json and safetensors weights", folder)


def ask_download_folder(parent: QWidget, folder: Path) -> Path | None:
    """The folder to download a model to; None if the person cancelled."""
    return _ask_directory(parent, "Folder to download the model to", str(folder))


def _ask_directory(parent: QWidget, title: str, folder: str) -> Path | None:
    name = QFileDialog.getExistingDirectory(parent, title, folder)
    return Path(name) if name else None


def existing_folder(folder: str) -> str:
    """A remembered folder if it exists, else nothing: Qt would offer its name as that of a file."""
    return folder if Path(folder).is_absolute() and is_folder(folder) else ""


def ask_password(parent: QWidget, question: PasswordQuestion) -> str:
    """The password of an encrypted file; empty if the person gave none."""
    password, accepted = QInputDialog.getText(
        parent, question.path.name, question.sentence, QLineEdit.EchoMode.Password
    )
    return password if accepted else ""


def ask_overwrite(parent: QWidget, question: OverwriteQuestion) -> Overwrite:
    """Ask before text that the person edited is replaced; whether to read other pages, if there are any."""
    name, count, cut = question.name, len(question.edited), question.cut
    if name:
        incomplete = ", which had not been read to the end" if cut else ""
        text = f"You edited the text of {name}{incomplete}. Reading it again replaces your text."
    else:
        incomplete = f", of which {cut} had not been read to the end" if cut else ""
        text = f"You edited the text of {count} pages{incomplete}. Reading them again replaces your text."
    box = _box(parent, QMessageBox.Icon.Warning, "Replace your text?", text)
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton("Keep my text", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(keep)
    concerns_others = len(question.refs) > len(question.edited)
    cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole) if concerns_others else keep
    box.setEscapeButton(cancel)
    _run(box)
    if box.clickedButton() is replace:
        return Overwrite.REPLACE
    return Overwrite.KEEP if box.clickedButton() is keep else Overwrite.READ_NOTHING


def ask_words(parent: QWidget, title: str, question: str, words: str) -> str:
    """A line of words; empty if the person cancelled."""
    answer, accepted = QInputDialog.getText(parent, title, question, QLineEdit.EchoMode.Normal, words)
    return answer if accepted else ""


def agrees(parent: QWidget, title: str, text: str, verb: str, refusal: str = "Cancel") -> bool:
    """Ask before something is lost; the refusal is the default."""
    box = _box(parent, QMessageBox.Icon.Warning, title, text)
    agree = box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole)
    refuse = box.addButton(refusal, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(refuse)
    _run(box)
    return box.clickedButton() is agree


def ask_leave(parent: QWidget, title: str, text: str) -> Leave:
    """Ask before the window closes with text that is in no file; exporting it is the default."""
    box = _box(parent, QMessageBox.Icon.Warning, title, text)
    export = box.addButton("Export…", QMessageBox.ButtonRole.AcceptRole)
    lose = box.addButton("Close without exporting", QMessageBox.ButtonRole.DestructiveRole)
    box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(export)
    _run(box)
    if box.clickedButton() is export:
        return Leave.EXPORT
    return Leave.LOSE if box.clickedButton() is lose else Leave.STAY


def tell_about_model(parent: QWidget, model: LoadedModel) -> None:
    """Show what the model reads, how large it is and where it runs."""
    info = model.info
    lines = (
        info.description,
        "",
        f"Modes: {', '.join(mode.label for mode in info.modes)}",
        f"Tasks: {', '.join(task.label for task in info.tasks)}",
        f"{info.parameter_count / 1e6:,.1f} million weights, {size_in_words(info.weight_bytes)}",
        f"Runs on {device_in_words(model.device)} in {model.dtype}. {model.why}".rstrip(),
        "",
        str(info.folder),
    )
    _tell(parent, info.name, "\n".join(lines))


def tell_about_program(parent: QWidget) -> None:
    """Show what the program is, its version, and what the veil on the page means."""
    _tell(
        parent,
        f"RTOCR {program_version(otherwise='')}".rstrip(),
        "RTOCR reads scanned pages with DeepSeek-OCR and shows which visual tokens are kept.\n\n"
        "RTPrune (arXiv 2605.00392) keeps the tokens with the largest norms and merges the rest into them by "
        "optimal transport. The slider sets how many are kept; the veiled parts of the page are merged.",
    )


def _tell(parent: QWidget, title: str, text: str) -> None:
    box = _box(parent, QMessageBox.Icon.Information, title, text)
    box.setStandardButtons(QMessageBox.StandardButton.Close)
    _run(box)


def _box(parent: QWidget, symbol: QMessageBox.Icon, title: str, text: str) -> QMessageBox:
    """A message box with the title inside, as macOS shows none in its frame."""
    box = QMessageBox(parent)
    box.setIcon(symbol)
    box.setWindowTitle("RTOCR")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(title)
    box.setInformativeText(breakable(text))
    return box


def _run(dialog: QDialog) -> bool:
    """Show a dialog until it is answered, then have it deleted, as its parent would keep it."""
    accepted = dialog.exec()
    dialog.deleteLater()
    return bool(accepted)
