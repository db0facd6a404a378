"""Has files written off the main thread, and reports the outcome of each.

Files are written one after another, in the order of the requests. `text_export` knows what is in those
with text, and whoever wants another file brings the function that writes it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.export.file_names import text_files
from rtocr_gui.export.text_formats import TextFormat, format_of
from rtocr_gui.files import resolved
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.open_documents import RenderPage
from rtocr_gui.ui.background.replies import Exported, ExportProgressed, RequestFailed, RequestStopped
from rtocr_gui.ui.state.choices import Choices
from rtocr_gui.ui.state.notices import Notice, ShowFolder
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.saved_text import ExportedFile
from rtocr_gui.ui.state.shown import ExportProgress
from rtocr_gui.ui.state.text_export import TextExport


@dataclass(frozen=True, slots=True)
class _Export:
    """Files being written.

    Attributes:
        path: the file, or the first of them.
        outcome: notes what was written, and returns the notice; called on the main thread after that.
        then: called after the notice.
        page_count: how many pages are rendered for them; 0 if that is unknown.
    """

    path: Path
    outcome: Callable[[], Notice]
    then: Callable[[], object] | None = None
    page_count: int = 0


class Exporter(QObject):
    """Writes files.

    Signals:
        notice_raised (Notice): what was written, or why it was not.
        progressed (ExportProgress): how far a file is whose pages are counted, and that it has ended.

    Args:
        bridge: writes on its own lane.
        pages: the open pages, whose texts are exported.
        choices: how tables are written; remembers the folder.
        parent: Qt parent.
    """

    notice_raised = Signal(object)
    progressed = Signal(object)

    def __init__(
        self, bridge: EngineBridge, pages: OpenPages, choices: Choices, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._pages = pages
        self._choices = choices
        self._exports: dict[int, _Export] = {}
        self._files: dict[Path, ExportedFile] = {}
        bridge.export_progressed.connect(self._tell_progress)
        bridge.exported.connect(self._tell)
        bridge.request_stopped.connect(self._tell_stopped)
        bridge.request_failed.connect(self._report)

    @property
    def is_exporting(self) -> bool:
        """True while a file is being written or waits to be."""
        return bool(self._exports)

    @property
    def is_counted(self) -> bool:
        """True while an export of counted pages is under way, which can be stopped."""
        return any(export.page_count for export in self._exports.values())

    def stop(self) -> None:
        """Stop exports of counted pages; files that are whole by now stay."""
        for request_id, export in self._exports.items():
            if export.page_count:
                self._bridge.stop(request_id)

    def has_content(self, refs: Iterable[PageRef]) -> bool:
        """True if there is something of these pages to export."""
        return _have_content(self._pages[ref] for ref in refs)

    def export_text(
        self, path: Path, refs: Iterable[PageRef] | None = None, then: Callable[[bool], object] | None = None
    ) -> None:
        """Write the text of pages to one file in the order of the list, in the format of its name.

        Args:
            path: the file to write or replace.
            refs: which pages; None for all.
            then: called after the notice, with whether all went well: no page and no figure is missing.
        """
        wanted = set(self._pages.refs if refs is None else refs)
        self._export_texts({path: [page for page in self._pages if page.ref in wanted]}, path, then)

    def export_by_scan(self, folder: Path, kind: TextFormat) -> None:
        """Write the text of each scan to a file of its own, the one that `files_in` names."""
        self._export_texts(self._pages_by_file(folder, kind), folder)

    def files_in(self, folder: Path, kind: TextFormat) -> tuple[Path, ...]:
        """Return the files that `export_by_scan` writes or replaces: one for each scan with content."""
        by_file = self._pages_by_file(folder, kind)
        return tuple(file for file, pages in by_file.items() if _have_content(pages))

    def _pages_by_file(self, folder: Path, kind: TextFormat) -> dict[Path, list[OpenPage]]:
        by_scan: defaultdict[Path, list[OpenPage]] = defaultdict(list)
        for page in self._pages:
            by_scan[page.ref.path].append(page)
        return {file: by_scan[scan] for scan, file in text_files(by_scan, folder, kind).items()}

    def _export_texts(
        self,
        files: Mapping[Path, Sequence[OpenPage]],
        place: Path,
        then: Callable[[bool], object] | None = None,
    ) -> None:
        """Write files with the texts of pages; `place` is what the person named."""
        first = next((file for file, pages in files.items() if _have_content(pages)), None)
        if first is None:  # the pages left while the person was being asked
            self.notice_raised.emit(
                Notice(f"{place.name}: not written: its pages are no longer in the list.", about=place)
            )
            return
        export = TextExport(files, self._choices.settings.pipe_tables)

        def finish() -> Notice:
            notice = export.finish()
            for path, file in export.exported.items():
                self._note_written(path, file)
                self._choices.remember(export_suffix=format_of(path).value)
            return notice

        def go_on() -> None:
            if then is not None:
                then(not export.failures)

        self._export(export.write, _Export(first, finish, go_on, export.page_count))

    def export_file(self, what: str, write: Callable[[RenderPage, Path], None], path: Path) -> None:
        """Write another file.

        Args:
            what: it contains, as told to the person.
            write: writes the file; runs off the main thread.
            path: the file to write or replace.
        """

        def finish() -> Notice:
            self._note_written(path)
            return Notice(f"Exported {what} to {path}.", is_passing=True)

        self._export(lambda render_page: write(render_page, path), _Export(path, finish))

    def _export(self, write: Callable[[RenderPage], None], export: _Export) -> None:
        """Have files written; `write` runs off the main thread."""
        is_first = not self.is_counted
        self._exports[self._bridge.export(write)] = export
        if is_first:
            self._tell_page(0, export.page_count)

    def _note_written(self, path: Path, file: ExportedFile | None = None) -> None:
        """Note that a file was written, which may have replaced one with texts; `file` if it holds some."""
        former = self._files.pop(resolved(path), None)
        if former is not None:
            former.is_replaced = True
        if file is not None:
            self._files[resolved(path)] = file

    @Slot(object)
    def _tell_progress(self, reply: ExportProgressed) -> None:
        self._tell_page(reply.pages, self._exports[reply.request_id].page_count)

    def _tell_next(self) -> None:
        """Once an export has ended, tell of the next one, or that all have ended."""
        counts = (export.page_count for export in self._exports.values() if export.page_count)
        self.progressed.emit(ExportProgress(page_count=next(counts, 0)))

    def _tell_page(self, page: int, page_count: int) -> None:
        if page_count:
            self.progressed.emit(ExportProgress(page, page_count))

    @Slot(object)
    def _tell(self, reply: Exported) -> None:
        export = self._exports.pop(reply.request_id)
        self._tell_next()
        self._choices.remember(export_folder=str(export.path.parent))
        notice = replace(export.outcome(), about=export.path, offers=(ShowFolder(export.path),))
        self.notice_raised.emit(notice)
        if export.then is not None:
            export.then()

    @Slot(object)
    def _tell_stopped(self, reply: RequestStopped) -> None:
        export = self._exports.pop(reply.request_id, None)
        if export is not None and export.page_count:
            self._tell_next()
            self.notice_raised.emit(replace(export.outcome(), about=export.path))

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        export = self._exports.pop(failure.request_id, None)
        if export is not None:
            self._tell_next()
            self.notice_raised.emit(Notice(failure.sentence, about=export.path))


def _have_content(pages: Iterable[OpenPage]) -> bool:
    return any(page.has_content for page in pages)
