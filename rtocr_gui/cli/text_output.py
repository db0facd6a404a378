"""Where `rtocr read` writes text: page by page to stdout, to one file, or to a file for each scan.

It is Markdown, or plain text or a PDF in a file that is named so.
"""

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rtocr_gui.cli.values import Target
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.documents.picture_pdf import PicturePdf
from rtocr_gui.documents.truth import scan_of_truth, scan_they_are_named_for
from rtocr_gui.errors import ExportError
from rtocr_gui.export.figures import Figure, assets_folder, link_figures, scan_in_the_way, write_figures
from rtocr_gui.export.file_names import text_files
from rtocr_gui.export.markdown import ExportPage, export_markdown, markdown_after
from rtocr_gui.export.plain_text import export_plain_text
from rtocr_gui.export.searchable_pdf import add_page, write_pdf
from rtocr_gui.export.tables import with_pipe_tables
from rtocr_gui.export.text_formats import TextFormat, format_of
from rtocr_gui.export.writing import check_target
from rtocr_gui.files import first_also_in, is_device, is_folder
from rtocr_gui.ocr.reading import Block

_WRITING_SHARE = 0.01
"""Share of the time to spend on writing: each time, the whole output is written, which may take long."""


class TextWriter:
    """Writes the text of each scan: all to one target or, in a folder, each to a file of its own.

    Args:
        target: stdout, a file or a folder.
        kind: what the files in a folder are.
        pipe_tables: write tables with pipes where possible.
        replace: True to replace files that exist in the folder.
    """

    def __init__(self, target: Target, kind: TextFormat, pipe_tables: bool, replace: bool) -> None:
        self._target = target
        self._kind = kind
        self._folder = target if isinstance(target, Path) and is_folder(target) else None
        self._pipe_tables = pipe_tables
        self._replace = replace
        self._files: dict[Path, Path] = {}
        self._outputs: dict[Target, TextOutput] = {}
        self._latest: Target | None = None

    @property
    def needs_pages(self) -> bool:
        """True if the pages themselves are written."""
        return (_format_of(self._target) if self._folder is None else self._kind) is TextFormat.PDF

    def name_files(self, scans: Iterable[Path]) -> None:
        """Name the file for each scan, if the target is a folder; refuse one that would harm a scan.

        Raises:
            ExportError: one of them exists and is not to be replaced, or cannot be, or is named as the true
                text of a scan; or a scan lies where figures would be written.
        """
        scans, outputs = list(scans), [self._target]
        if self._folder is not None:
            self._files = text_files(scans, self._folder, self._kind)
            outputs = [*self._files.values()]
        with_figures = [
            each for each in outputs if isinstance(each, Path) and format_of(each) is TextFormat.MARKDOWN
        ]
        if scan := scan_in_the_way(with_figures, scans):
            raise ExportError(f"“{scan}” lies where figures would be written. Choose another name or folder.")
        is_text = self._kind is TextFormat.PLAIN_TEXT
        if is_text and (scan := scan_they_are_named_for(self._files.values(), scans)) is not None:
            named = f"A text in “{self._folder}” would be named as the true text of “{scan}”"
            raise ExportError(f"{named}. Choose another folder.")
        there = [file for file in self._files.values() if file.exists()]
        if (file := first_also_in(there, self._files)) is not None:
            raise ExportError(f"“{file}” is an input and is not overwritten. Choose another folder.")
        for file in there:
            check_target(file)
            if (scan := scan_of_truth(file, self._files)) is not None:
                may_be = f"“{file}” may hold the true text of “{scan}”"
                raise ExportError(f"{may_be} and is not overwritten. Choose another folder.")
        if there and not self._replace:
            more = f" and {len(there) - 1} more of the files to write" if len(there) > 1 else ""
            contains = f"“{self._folder}” already contains “{there[0].name}”{more}"
            raise ExportError(f"{contains}. Choose another folder, or give --replace.")

    def of(self, scan: Path) -> "TextOutput":
        """Return the output for a scan; in a folder, that of another scan is finished."""
        target = self._target if self._folder is None else self._files[scan]
        if target != self._latest:
            self.finish()
            self._latest = target
        if target not in self._outputs:
            self._outputs[target] = TextOutput(target, self._pipe_tables)
        return self._outputs[target]

    def finish(self) -> None:
        """Write what is not written yet."""
        if self._latest is not None:
            self._outputs[self._latest].finish()

    def close(self) -> None:
        """Release all outputs."""
        for output in self._outputs.values():
            output.close()


def _format_of(target: Target) -> TextFormat:
    return format_of(target) if isinstance(target, Path) else TextFormat.MARKDOWN


class TextOutput:
    """The text so far: on stdout page by page, or in a file that is complete whenever it is written.

    A pipe or a device given as a file receives everything at the end.
    """

    def __init__(self, target: Target, pipe_tables: bool) -> None:
        self._path = target if isinstance(target, Path) else None
        self._format = _format_of(target)
        self._pdf = PicturePdf() if self._format is TextFormat.PDF else None
        self._is_pipe = self._path is not None and is_device(self._path)
        self._pipe_tables = pipe_tables
        self._pages: list[ExportPage] = []
        self._written = 0
        self._write_again_at = 0.0

    def show(self, page: PageImage | None, text: str, blocks: Sequence[Block]) -> None:
        """Add the next page itself, if the output is a PDF.

        Args:
            page: the page; None only if it is not needed.
            text: its text.
            blocks: what the model reported of places in the text.

        Raises:
            ExportError: there is not enough memory for it.
        """
        if self._pdf is not None and page is not None:
            add_page(self._pdf, page, text, blocks)

    def add(self, label: str, text: str) -> None:
        """Add the text of a page.

        Raises:
            ExportError: the file cannot be written.
        """
        text = with_pipe_tables(text) if self._pipe_tables else text
        before = self._pages[-1] if self._pages else None
        self._pages.append(ExportPage(label, text))
        if self._path is None:
            sys.stdout.write(markdown_after(before, self._pages[-1]))
            sys.stdout.flush()
        elif time.monotonic() >= self._write_again_at and not self._is_pipe:
            self.finish()

    def finish(self) -> None:
        """Write the file again if it does not contain all pages yet."""
        if self._path is None or self._written == len(self._pages):
            return
        began = time.monotonic()
        if self._pdf is not None:
            write_pdf(self._pdf, self._path)
        elif self._format is TextFormat.PLAIN_TEXT:
            export_plain_text(self._pages, self._path)
        else:
            export_markdown(self._pages, self._path)
        self._written = len(self._pages)
        ended = time.monotonic()
        self._write_again_at = ended + (ended - began) / _WRITING_SHARE

    def with_figures(self, text: str, figures: tuple[Figure, ...], page: PageImage | None) -> str:
        """Write the figures of the next page and link them in its text, if the output is a file of Markdown.

        Raises:
            ExportError: a figure was not written.
        """
        if page is None or self._path is None or self._is_pipe or self._format is not TextFormat.MARKDOWN:
            return text
        folder, number = assets_folder(self._path), len(self._pages) + 1
        write_figures(page, figures, number, folder)
        return link_figures(text, figures, number, folder)

    def close(self) -> None:
        """Release it."""
        if self._pdf is not None:
            self._pdf.close()
