"""Where to write what is exported: asks, refuses names that would harm a scan, and has it written.

The dialogs themselves are in `questions`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QDir, QObject, QStandardPaths, Signal, Slot
from PySide6.QtWidgets import QWidget

from rtocr_gui.documents.folders import SUPPORTED_SUFFIXES, UNREAD_SUFFIXES
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.truth import TRUTH_SUFFIXES, scan_it_is_named_for, scan_they_are_named_for
from rtocr_gui.export.figures import scan_in_the_way
from rtocr_gui.export.text_formats import TextFormat, format_of
from rtocr_gui.export.writing import UNWRITTEN_SUFFIXES
from rtocr_gui.files import first_also_in, is_there, shortened
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.notices import about_file
from rtocr_gui.ui.state.session import Session

_FOREIGN_SUFFIXES = frozenset((*SUPPORTED_SUFFIXES, *UNREAD_SUFFIXES, *UNWRITTEN_SUFFIXES, *TRUTH_SUFFIXES))
"""Endings of scans and true texts, and of formats that RTOCR does not write."""

_KINDS = {kind: f"{kind.label} (*{kind.value})" for kind in TextFormat}


class ExportDialogs(QObject):
    """Asks over a window where to export to, and passes the answers to the session.

    Signals:
        notice_raised (Notice): why something is not written under the chosen name.

    Args:
        window: parent of the dialogs.
        session: what is exported.
    """

    notice_raised = Signal(object)

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window = window
        self._session = session

    @Slot()
    def ask_text_of_all(self) -> None:
        """Ask where to write the text of all pages."""
        refs = self._session.shelf.refs
        if self._session.exporter.has_content(refs):
            self.ask_text(refs, self._session.exporter.export_text)

    @Slot()
    def ask_text_of_selected(self) -> None:
        """Ask where to write the text of the selected pages."""
        refs = self._session.shelf.selected
        if self._session.exporter.has_content(refs):
            self.ask_text(refs, partial(self._session.exporter.export_text, refs=refs))

    @Slot(object)
    def ask_text_by_scan(self, kind: TextFormat) -> None:
        """Ask for the folder in which each scan's text gets a file; asks first if one would be replaced."""
        exporter = self._session.exporter
        folder = questions.ask_export_folder(self._window, self._folder(), kind.label)
        if folder is None:
            return
        agreed: set[Path] = set()
        scans = self._scans
        # Reading goes on behind the question, so that there may be more files after it.
        while True:
            files = exporter.files_in(folder, kind)
            there = [file for file in files if is_there(file) and file not in agreed]
            if scan := first_also_in(there, scans):
                self._refuse_scan(scan, "Export to another folder.")
                return
            if kind is TextFormat.PLAIN_TEXT and (scan := scan_they_are_named_for(files, scans)):
                sentence = "a text there would be named as its true text. Export to another folder."
                self.notice_raised.emit(about_file(scan, sentence))
                return
            if kind is TextFormat.MARKDOWN and (scan := scan_in_the_way(files, scans)):
                self._refuse_figures(scan, "Export to another folder.")
                return
            if not there:
                break
            if not questions.ask_replace(self._window, there):
                return
            agreed.update(there)
        exporter.export_by_scan(folder, kind)

    def ask_text(self, refs: Iterable[PageRef], export: Callable[[Path], None]) -> None:
        """Ask where to write the text of pages; that of several files is not named after the shown one.

        Args:
            refs: the pages.
            export: called with the file, unless the person cancels or another has to be chosen.
        """
        files = {ref.path for ref in refs}
        folders = {path.parent for path in files}
        folder = folders.pop().name if len(folders) == 1 else ""
        stem = (folder or "pages") if len(files) > 1 else self._shown_stem
        last = format_of(Path(f"text{self._session.choices.settings.export_suffix}"))
        kinds = ";;".join(_KINDS.values())
        path = self._ask_path("Export text", f"{shortened(stem)}{last.value}", kinds)
        scans = self._scans
        while path is not None and (objection := _objection_to(path, scans)):
            self.notice_raised.emit(about_file(path, f"{objection} Choose another name."))
            other = path.with_stem(f"{path.stem} (text)")
            path = questions.ask_export_path(self._window, "Export text", other, _KINDS[format_of(path)])
        if path is None or self._refuses(path, [kind.value for kind in TextFormat]):
            return
        if format_of(path) is TextFormat.MARKDOWN and (scan := scan_in_the_way([path], scans)):
            self._refuse_figures(scan, "Export under another name.")
        else:
            export(path)

    @Slot()
    def ask_overlay(self) -> None:
        """Ask where to save the picture of the page with its overlay."""
        if (export := self._session.tuning.overlay_export()) is not None:
            self._ask_of_page("Export overlay picture", "overlay", "PNG picture (*.png)", ".png", export)

    @Slot()
    def ask_plan(self) -> None:
        """Ask where to write the plan."""
        if (export := self._session.tuning.plan_export()) is not None:
            self._ask_of_page("Export plan", "plan", "JSON (*.json)", ".json", export)

    @Slot()
    def ask_curve(self) -> None:
        """Ask where to write the retention curve."""
        if (export := self._session.tuning.curve_export()) is not None:
            kinds = "Table (*.csv);;JSON (*.json)"
            self._ask_of_page("Export curve", "curve", kinds, ".csv", export)

    def _ask_of_page(
        self, title: str, what: str, kinds: str, suffix: str, export: Callable[[Path], None]
    ) -> None:
        """Ask where to write something of the shown page, with what tells it from others of its file."""
        ref = self._session.shelf.current
        number = (f"page-{ref.index + 1}",) if ref is not None and ref.index else ()
        parts = tuple(name.replace(" ", "-") for name in ref.cut_names) if ref is not None else ()
        name = "-".join((shortened(self._shown_stem), *number, *parts, what))
        path = self._ask_path(title, f"{name}{suffix}", kinds)
        if path is not None and not self._refuses(path, [suffix]):
            export(path)

    def _ask_path(self, title: str, name: str, kinds: str) -> Path | None:
        return questions.ask_export_path(self._window, title, self._folder() / name, kinds)

    @property
    def _shown_stem(self) -> str:
        ref = self._session.shelf.current
        return ref.path.stem if ref is not None else ""

    @property
    def _scans(self) -> set[Path]:
        return {ref.path for ref in self._session.shelf.refs}

    def _refuses(self, path: Path, suffixes: Sequence[str]) -> bool:
        """Say why a file is not written: its name is that of an open scan, or of another kind of file."""
        if path.suffix.lower() in _FOREIGN_SUFFIXES.difference(suffixes):
            *others, last = suffixes
            endings = f"{', '.join(others)} or {last}" if others else last
            sentence = f"not written, because it would be no {path.suffix} file."
            self.notice_raised.emit(about_file(path, f"{sentence} Choose a name that ends in {endings}."))
            return True
        if is_scan := first_also_in([path], self._scans) is not None:
            self._refuse_scan(path, "Export under another name.")
        return is_scan

    def _refuse_scan(self, path: Path, advice: str) -> None:
        sentence = f"not overwritten, because it is open as a scan. {advice}"
        self.notice_raised.emit(about_file(path, sentence))

    def _refuse_figures(self, scan: Path, advice: str) -> None:
        place = "in the folder where the figures would be written"
        self.notice_raised.emit(about_file(scan, f"this scan is open, and it lies {place}. {advice}"))

    def _folder(self) -> Path:
        """Never the page's own: a pasted image is in a temporary folder, a sample in the program's."""
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        last = self._session.choices.settings.export_folder
        return Path(
            questions.existing_folder(last) or questions.existing_folder(documents) or QDir.homePath()
        )


def _objection_to(path: Path, scans: Collection[Path]) -> str:
    """Say why text is not written under the name of a scan, or of its true text; empty if it may be."""
    kind = format_of(path)
    if kind is TextFormat.PLAIN_TEXT and (scan := scan_it_is_named_for(path, scans)):
        return f"not written, because it is named as the true text of {scan.name}."
    if kind is TextFormat.PDF and first_also_in([path], scans):
        return "not overwritten, because it is open as a scan."
    return ""
