"""Exports the text of pages to Markdown, with the figures in files beside it, to plain text, or to PDF.

Figures are cut out page by page; the text is written once all of them exist, so that no link is
broken. Plain text has none. A PDF has all pages, with and without text. Knows no Qt and no lane.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rtocr_gui.documents.labels import told_apart
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.picture_pdf import PicturePdf
from rtocr_gui.errors import ExportError
from rtocr_gui.export.figures import Figure, assets_folder, figures_of, link_figures, write_figures
from rtocr_gui.export.markdown import ExportPage, export_markdown
from rtocr_gui.export.plain_text import export_plain_text
from rtocr_gui.export.searchable_pdf import add_page, is_kept_whole, write_pdf
from rtocr_gui.export.tables import with_pipe_tables
from rtocr_gui.export.text_formats import TextFormat, format_of
from rtocr_gui.export.writing import check_target
from rtocr_gui.ocr.text.block_places import BlockPlaces
from rtocr_gui.ui.background.errors_in_words import in_words
from rtocr_gui.ui.background.open_documents import RenderPage
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.saved_text import ExportedFile
from rtocr_gui.ui.state.shown import BlocksShown
from rtocr_gui.units import counted

_MOST_TOLD = 3
"""How many problems, and how many pages with one, a notice tells in full."""


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


class _FileDraft:
    """One file of an export.

    Attributes:
        path: the file.
        kind: what it holds.
        pages: all pages that were asked for, in order.
        drafts: those with content.
        left_out: the others, which a PDF shows nevertheless.
        figure_count: how many figures they have.
        exported: stands for the file once it is written.
    """

    def __init__(self, path: Path, pages: Iterable[OpenPage]) -> None:
        self.path = path
        self.kind = format_of(path)
        self.pages = [_Draft(page, replace(page.settled), page.is_beginning) for page in pages]
        self.drafts = [draft for draft in self.pages if draft.was.has_content]
        self.left_out = [draft for draft in self.pages if not draft.was.has_content]
        self.figure_count = 0
        self.exported = ExportedFile()

    def forget(self, draft: _Draft) -> None:
        """Note that a page is not in the file."""
        (self.drafts if draft in self.drafts else self.left_out).remove(draft)


class TextExport:
    """An export of pages as they are when this object is made.

    Args:
        files: the files to write or replace, and their pages in order.
        pipe_tables: write tables with pipes where pipes can express them, else as they are.

    Attributes:
        failures: why files are missing, then why pages or figures are; a sentence for each file or page.
    """

    def __init__(self, files: Mapping[Path, Iterable[OpenPage]], pipe_tables: bool) -> None:
        self._files = [_FileDraft(path, pages) for path, pages in files.items()]
        pages = [draft.was for file in self._files for draft in file.pages]
        self._names = told_apart({page.ref: page.name for page in pages})
        self._labels = told_apart({page.ref: page.ref.label for page in pages})
        self._written: list[_FileDraft] = []
        self._pipe_tables = pipe_tables
        self._is_done = False
        self.failures: list[str] = []

    def write(self, render_page: RenderPage) -> None:
        """Write figures and texts; on any thread. A file that cannot be written costs no other.

        Raises:
            ExportError: no text was written, and existing files are unchanged.
        """
        errors: list[ExportError] = []
        for file in self._files:
            try:
                self._write_file(file, render_page)
            except ExportError as error:
                self.failures.insert(len(errors), str(error))
                errors.append(error)
            else:
                self._written.append(file)
        if errors and not any(file.drafts for file in self._written):
            raise ExportError(" ".join(_first_of(self.failures[: len(errors)]))) from errors[0]
        self._is_done = True

    def _write_file(self, file: _FileDraft, render_page: RenderPage) -> None:
        if not file.drafts:
            return
        match file.kind:
            case TextFormat.MARKDOWN:
                self._write_markdown(file, render_page)
            case TextFormat.PLAIN_TEXT:
                self._write_plain(file)
            case TextFormat.PDF:
                self._write_pdf(file, render_page)

    def _write_markdown(self, file: _FileDraft, render_page: RenderPage) -> None:
        folder = assets_folder(file.path)
        pages = []
        for number, draft in enumerate(file.drafts, 1):
            figures = self._cut_figures(draft.was, number, folder, render_page)
            file.figure_count += len(figures)
            text = link_figures(draft.was.text, figures, number, folder)
            pages.append(self._export_page(draft.was, text))
        export_markdown(pages, file.path)

    def _write_plain(self, file: _FileDraft) -> None:
        file.figure_count = sum(len(_figures_of(draft.was)) for draft in file.drafts)
        export_plain_text([self._export_page(draft.was, draft.was.text) for draft in file.drafts], file.path)

    def _write_pdf(self, file: _FileDraft, render_page: RenderPage) -> None:
        """Write a PDF; a page that has no picture is missing in it."""
        check_target(file.path)
        errors: list[str] = []
        with PicturePdf() as pdf:
            for draft in file.pages:
                try:
                    self._add_to_pdf(pdf, draft.was, render_page)
                except Exception as error:
                    # Whatever the error, it must not prevent the export of other pages.
                    errors.append(f"{self._names[draft.was.ref]}, left out: {in_words(error)}")
                    file.forget(draft)
            if not file.drafts:
                raise ExportError(f"“{file.path.name}” was not written. {' '.join(_first_of(errors))}")
            write_pdf(pdf, file.path)
        self.failures += errors

    def _add_to_pdf(self, pdf: PicturePdf, page: OpenPage, render_page: RenderPage) -> None:
        shown = page.blocks
        add_page(pdf, render_page(page.ref), page.text, shown.blocks, _starts_of(shown, page.text))

    def _export_page(self, page: OpenPage, text: str) -> ExportPage:
        return ExportPage(self._labels[page.ref], with_pipe_tables(text) if self._pipe_tables else text)

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
                self.failures.append(f"{self._names[page.ref]}, figures left out: {in_words(error)}")
                return ()
        return figures

    def finish(self) -> Notice:
        """Note on each page what was written, and return the notice; on the main thread, after `write`.

        `write` may have been stopped.
        """
        if not self.exported:
            sentences = ["The export was stopped. Nothing was written.", *_first_of(self.failures)]
            return Notice(" ".join(sentences), is_passing=not self.failures)
        drafts = [draft for file in self._written for draft in file.drafts]
        left_out = [draft for file in self._written for draft in file.left_out]
        for file in self._written:
            for draft in (*file.drafts, *file.left_out):
                if file.kind is not TextFormat.PDF or is_kept_whole(draft.was.text):
                    draft.page.saved.note_exported(draft.was.text, file.exported)
        figure_count = sum(file.figure_count for file in self._written if file.kind is TextFormat.MARKDOWN)
        figures = f" and {counted(figure_count, 'figure')}" if figure_count else ""
        pictures = [draft for file in self._written if file.kind is TextFormat.PDF for draft in file.left_out]
        sentences = [f"Exported {counted(len(drafts) + len(pictures), 'page')}{figures} to {self._where}."]
        unread = sum(draft.was.reading is None and not draft.was.edited for draft in pictures)
        if unread:
            sentences.append(f"Pages that were not read, exported as pictures only: {unread}.")
        if without_text := len(left_out) - unread:
            how = "exported as pictures only" if pictures else "left out"
            sentences.append(f"Pages without text, {how}: {without_text}.")
        if missed := sum(file.figure_count for file in self._written if file.kind is TextFormat.PLAIN_TEXT):
            sentences.append(f"Figures, left out of plain text: {missed}.")
        begun = sum(draft.is_beginning for draft in drafts)
        if begun:
            sentences.append(f"Pages still being read, exported as far as they were: {begun}.")
        cut = [draft.was.ref for draft in drafts if draft.was.is_cut and not draft.is_beginning]
        if cut:
            sentences.append(f"Not read to the end: {self._named(cut)}.")
        sentences += _first_of(self.failures)
        sentences += [] if self._is_done else ["Then the export was stopped."]
        return Notice(" ".join(sentences), is_passing=not (unread or begun or cut or self.failures))

    @property
    def page_count(self) -> int:
        """How many pages are rendered for certain: all of PDFs."""
        return sum(len(file.pages) for file in self._files if file.kind is TextFormat.PDF)

    @property
    def exported(self) -> dict[Path, ExportedFile]:
        """The files that were written, by their paths."""
        return {file.path: file.exported for file in self._written if file.drafts}

    def _named(self, refs: list[PageRef]) -> str:
        """Name as many pages as a notice has room for, and how many others there are."""
        others = len(refs) - _MOST_TOLD
        named = "; ".join(self._names[ref] for ref in refs[:_MOST_TOLD])
        return named + (f"; {counted(others, 'other')}" if others > 0 else "")

    @property
    def _where(self) -> str:
        """The file, or how many there are in which folder."""
        paths = list(self.exported)
        if len(self._files) == 1:
            return str(paths[0])
        return f"{counted(len(paths), 'file')} in {paths[0].parent}"


def _first_of(failures: list[str]) -> list[str]:
    """Return as many failures as a notice has room for, and how many others there are."""
    others = len(failures) - _MOST_TOLD
    return failures[:_MOST_TOLD] + ([f"Other problems: {others}."] if others > 0 else [])


def _figures_of(page: OpenPage) -> tuple[Figure, ...]:
    """The figures of a page, with their places in its corrected text."""
    shown = page.read_blocks
    if not figures_of(shown.blocks):
        return ()
    return figures_of(shown.blocks, _starts_of(shown, page.text))


def _starts_of(shown: BlocksShown, text: str) -> list[int]:
    """Where each block begins in a text that may have been corrected."""
    places = BlockPlaces(shown.blocks, shown.text, text)
    return [places.anchor_of(block) for block in range(len(shown.blocks))]
