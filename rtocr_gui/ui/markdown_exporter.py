"""Exports the text of all pages to one Markdown file, and the figures of the pages beside it.

Pictures are cut off the main thread, page by page; the text is written once all of them are there, so that
no link leads nowhere. Knows no widget.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import ExportError
from rtocr_gui.export.figures import Figure, assets_folder, figures_of, link_figures, write_figures
from rtocr_gui.export.markdown import ExportPage, export_markdown
from rtocr_gui.export.tables import with_pipe_tables
from rtocr_gui.ocr.block_places import BlockPlaces
from rtocr_gui.ui.engine_bridge import EngineBridge
from rtocr_gui.ui.notices import Notice
from rtocr_gui.ui.open_page import OpenPage
from rtocr_gui.ui.open_pages import OpenPages
from rtocr_gui.ui.replies import PageExported, RequestFailed
from rtocr_gui.units import counted


@dataclass(slots=True)
class _Draft:
    """One page of an export under way, as it was when the person asked for it.

    Attributes:
        page: which page.
        text: its newest whole text, or as much of it as was read.
        figures: where they stand in that text.
        is_beginning: True where the text was still being read.
    """

    page: OpenPage
    text: str
    figures: tuple[Figure, ...]
    is_beginning: bool


@dataclass(slots=True)
class _Export:
    """An export under way.

    Attributes:
        path: the Markdown file.
        pipe_tables: write tables with pipes where these can say it.
        left_out: pages without text.
        drafts: pages with text.
        waiting: requests for the figures of a page, and its place among `drafts`.
        failures: why figures are missing.
    """

    path: Path
    pipe_tables: bool
    left_out: list[OpenPage] = field(default_factory=list)
    drafts: list[_Draft] = field(default_factory=list)
    waiting: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class MarkdownExporter(QObject):
    """Writes texts and figures.

    Signals:
        told (Notice): what was written, or why it was not.

    Args:
        bridge: gives the pages to cut figures out of.
        pages: the open pages.
        parent: Qt parent.
    """

    told = Signal(object)

    def __init__(self, bridge: EngineBridge, pages: OpenPages, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._pages = pages
        self._exports: list[_Export] = []
        bridge.page_exported.connect(self._keep_figures)
        bridge.request_failed.connect(self._drop_figures)

    @property
    def is_exporting(self) -> bool:
        """True while a text waits for its figures."""
        return bool(self._exports)

    def export(self, path: Path, pipe_tables: bool) -> None:
        """Write the text of all pages; at once, unless figures have to be cut out first.

        Args:
            path: the file to write or replace.
            pipe_tables: write tables with pipes where these can say it, else as they are.
        """
        export = _Export(path, pipe_tables)
        for page in self._pages:
            settled = page.settled
            if settled.text:
                figures = _figures_of(settled)
                export.drafts.append(_Draft(page, settled.text, figures, page.is_beginning))
                if figures:
                    write = _writer(figures, len(export.drafts), assets_folder(path))
                    request_id = self._bridge.export_page(settled.read_ref, write)
                    export.waiting[request_id] = len(export.drafts) - 1
            else:
                export.left_out.append(page)
        self._exports.append(export)
        self._finish(export)

    @Slot(object)
    def _keep_figures(self, reply: PageExported) -> None:
        for export in [each for each in self._exports if reply.request_id in each.waiting]:
            del export.waiting[reply.request_id]
            self._finish(export)

    @Slot(object)
    def _drop_figures(self, failure: RequestFailed) -> None:
        for export in [each for each in self._exports if failure.request_id in each.waiting]:
            draft = export.drafts[export.waiting.pop(failure.request_id)]
            draft.figures = ()
            export.failures.append(f"{draft.page.ref.label}, figures left out: {failure.sentence}")
            self._finish(export)

    def _finish(self, export: _Export) -> None:
        """Write the text, unless figures are still being cut out."""
        if export.waiting:
            return
        self._exports.remove(export)
        folder = assets_folder(export.path)
        pages = []
        for number, draft in enumerate(export.drafts, 1):
            text = link_figures(draft.text, draft.figures, number, folder)
            text = with_pipe_tables(text) if export.pipe_tables else text
            pages.append(ExportPage(draft.page.ref.label, text))
        try:
            export_markdown(pages, export.path)
        except ExportError as error:
            self.told.emit(Notice(str(error)))
            return
        for draft in export.drafts:
            draft.page.exported_text = draft.text
        for page in export.left_out:
            page.exported_text = ""
        is_whole = not (export.failures or any(draft.is_beginning for draft in export.drafts))
        self.told.emit(Notice(_summary(export), is_passing=is_whole))


def _figures_of(page: OpenPage) -> tuple[Figure, ...]:
    """The figures of a page, where they stand in its text as it was corrected."""
    shown = page.read_blocks
    if not figures_of(shown.blocks, [block.start for block in shown.blocks]):
        return ()
    places = BlockPlaces(shown.blocks, shown.text, page.text)
    return figures_of(shown.blocks, [places.anchor_of(block) for block in range(len(shown.blocks))])


def _writer(figures: tuple[Figure, ...], number: int, folder: Path) -> Callable[[PageImage], None]:
    """What runs off the main thread."""
    return lambda page: write_figures(page, figures, number, folder)


def _summary(export: _Export) -> str:
    figures = sum(len(draft.figures) for draft in export.drafts)
    what = counted(len(export.drafts), "page") + (f" and {counted(figures, 'figure')}" if figures else "")
    begun = sum(draft.is_beginning for draft in export.drafts)
    rest = [f"Pages without text, left out: {len(export.left_out)}."] if export.left_out else []
    rest += [f"Pages still being read, written as far as they are: {begun}."] if begun else []
    return " ".join([f"Exported {what} to {export.path}.", *rest, *export.failures])
