"""Exports the text of pages to one Markdown file, and the figures of the pages beside it.

Figures are cut out page by page; the text is written once all of them exist, so that no link is
broken. Knows no Qt and no lane.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rtocr_gui.documents.labels import telling_labels
from rtocr_gui.export.figures import Figure, assets_folder, figures_of, link_figures, write_figures
from rtocr_gui.export.markdown import ExportPage, export_markdown
from rtocr_gui.export.tables import with_pipe_tables
from rtocr_gui.ocr.text.block_places import BlockPlaces
from rtocr_gui.ui.background.engine_bridge import RenderPage
from rtocr_gui.ui.background.replies import in_words
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.units import counted


@dataclass(frozen=True, eq=False, slots=True)
class _Draft:
    """One page of an export.

    Attributes:
        page: the page itself.
        was: a copy of it with its newest complete text, or as much of it as was read.
        is_beginning: True if that text was still being read.
    """

    page: OpenPage
    was: OpenPage
    is_beginning: bool


class MarkdownExport:
    """An export of pages as they are when this object is made.

    Args:
        pages: in the order of the file.
        path: the file to write or replace.
        pipe_tables: write tables with pipes where pipes can express them, else as they are.

    Attributes:
        failures: why figures are missing in the file; a sentence for each page.
    """

    def __init__(self, pages: Iterable[OpenPage], path: Path, pipe_tables: bool) -> None:
        drafts = [_Draft(page, replace(page.settled), page.is_beginning) for page in pages]
        self._drafts = [draft for draft in drafts if draft.was.text]
        self._left_out = [draft for draft in drafts if not draft.was.text]
        self._labels = telling_labels(draft.was.ref for draft in self._drafts)
        self._path = path
        self._pipe_tables = pipe_tables
        self._figure_count = 0
        self.failures: list[str] = []

    def write(self, render_page: RenderPage) -> None:
        """Write figures and text; on any thread.

        Raises:
            ExportError: no text was written, and an existing file is unchanged.
        """
        folder = assets_folder(self._path)
        pages = []
        for number, draft in enumerate(self._drafts, 1):
            figures = self._cut_figures(draft.was, number, folder, render_page)
            text = link_figures(draft.was.text, figures, number, folder)
            text = with_pipe_tables(text) if self._pipe_tables else text
            pages.append(ExportPage(self._labels[draft.was.ref], text))
        export_markdown(pages, self._path)

    def _cut_figures(
        self, page: OpenPage, number: int, folder: Path, render_page: RenderPage
    ) -> tuple[Figure, ...]:
        """Write the figures of a page, and return those that can be linked."""
        figures = _figures_of(page)
        if figures:
            try:
                write_figures(render_page(page.read_ref), figures, number, folder)
            except Exception as error:
                # Whatever the error, it must not prevent the export of the text.
                self.failures.append(f"{page.ref.label}, figures left out: {in_words(error)}")
                return ()
        self._figure_count += len(figures)
        return figures

    def finish(self) -> Notice:
        """Note on each page what was written, and return the notice; on the main thread, after `write`."""
        for draft in (*self._drafts, *self._left_out):
            draft.page.exported_text = draft.was.text
        figures = f" and {counted(self._figure_count, 'figure')}" if self._figure_count else ""
        said = [f"Exported {counted(len(self._drafts), 'page')}{figures} to {self._path}."]
        if self._left_out:
            said.append(f"Pages without text, left out: {len(self._left_out)}.")
        begun = sum(draft.is_beginning for draft in self._drafts)
        if begun:
            said.append(f"Pages still being read, written as far as they are: {begun}.")
        cut = sum(draft.was.is_cut and not draft.is_beginning for draft in self._drafts)
        if cut:
            said.append(f"Pages stopped before their end: {cut}.")
        return Notice(" ".join(said + self.failures), is_passing=not (begun or cut or self.failures))


def _figures_of(page: OpenPage) -> tuple[Figure, ...]:
    """The figures of a page, with their places in its corrected text."""
    shown = page.read_blocks
    if not figures_of(shown.blocks, [block.start for block in shown.blocks]):
        return ()
    places = BlockPlaces(shown.blocks, shown.text, page.text)
    return figures_of(shown.blocks, [places.anchor_of(block) for block in range(len(shown.blocks))])
