"""`rtocr read`: the text of files as Markdown.

Text is written page by page, so that an interruption or a crash costs the page at hand and no more.
A page or a file that fails is told and skipped. Figures that the model found are cut out and linked where
the text goes to a file.
"""

import argparse
import sys
import threading
from pathlib import Path

from rtocr_gui.cli.following import follow, interrupt_sets
from rtocr_gui.cli.pages import (
    PAGE_ERRORS,
    EngineFactory,
    PageEngine,
    choose_task,
    load_reader,
    open_asking,
)
from rtocr_gui.cli.progress import Progress
from rtocr_gui.documents.loading import Document
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.errors import DocumentError
from rtocr_gui.export.figures import assets_folder, figures_of, link_figures, write_figures
from rtocr_gui.export.markdown import ExportPage, export_markdown, markdown_of_pages
from rtocr_gui.export.tables import with_pipe_tables
from rtocr_gui.ocr.reading import Reading, ReadSettings, StopReason
from rtocr_gui.pruning.plan import PruneSettings

_WARNINGS = {
    StopReason.LOOP: "the text began to repeat itself and was stopped there. Its end may be missing.",
    StopReason.LENGTH: "the text reached the greatest length. Its end is missing.",
    StopReason.CANCELLED: "interrupted. The end of its text is missing.",
}


def run(arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress) -> bool:
    """Read every wanted page of every file.

    Args:
        arguments: as `arguments.parse_arguments` gives them.
        engine_factory: makes the engine when the first page is at hand.
        progress: where progress, warnings and errors are told.

    Returns:
        True if every page was read.

    Raises:
        CheckpointError: the model cannot be loaded.
        ExportError: the text cannot be written.
        KeyboardInterrupt: Ctrl-C; what was read until then is written.
    """
    return _ReadCommand(arguments, engine_factory, progress).run()


class _ReadCommand:
    def __init__(
        self, arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress
    ) -> None:
        self._arguments = arguments
        self._engine_factory = engine_factory
        self._progress = progress
        self._prepared: tuple[PageEngine, ReadSettings] | None = None
        self._output = _Output(arguments.output, pipe_tables=arguments.tables == "pipe")
        self._all_read = True

    def run(self) -> bool:
        for path in self._arguments.files:
            try:
                with open_asking(path, self._arguments.password) as document:
                    self._read_document(path, document)
            except DocumentError as error:
                self._fail(str(path), str(error))
        return self._all_read

    def _read_document(self, path: Path, document: Document) -> None:
        page_count = len(document.pages)
        missing = self._arguments.pages.first_missing(page_count)
        if missing is not None:
            self._fail(str(path), f"There is no page {missing}: the last one is page {page_count}.")
        for index in self._arguments.pages.indices(page_count):
            try:
                self._read_page(document, index, f"{path}, page {index + 1} of {page_count}")
            except PAGE_ERRORS as error:
                self._fail(f"{path}, page {index + 1}", str(error))

    def _read_page(self, document: Document, index: int, label: str) -> None:
        self._progress.show(f"{label}: open")
        page = document.load_page(index, self._arguments.dpi)
        engine, settings = self._ready()
        cancel = threading.Event()
        with interrupt_sets(cancel):
            reading = follow(engine.read(page, settings, cancel), label, self._progress)
        self._progress.say(f"{label}: {_summary(reading)}")
        if reading.stop_reason in _WARNINGS:
            self._progress.complain(f"warning: {label}: {_WARNINGS[reading.stop_reason]}")
        if reading.text or reading.stop_reason is not StopReason.CANCELLED:
            self._progress.clear()
            self._output.add(page, reading)
        if cancel.is_set():
            raise KeyboardInterrupt

    def _ready(self) -> tuple[PageEngine, ReadSettings]:
        """The engine and what is asked of it; the first call loads the model."""
        if self._prepared is None:
            reader = load_reader(self._arguments, self._engine_factory, self._progress)
            task = choose_task(self._arguments, reader.model.info, self._progress)
            settings = ReadSettings(reader.scaling, task, PruneSettings(self._arguments.retention))
            self._prepared = reader.engine, settings
        return self._prepared

    def _fail(self, name: str, sentence: str) -> None:
        self._all_read = False
        self._progress.complain(f"{name}: {sentence}")


class _Output:
    """The Markdown so far: on stdout page by page, or in a file that is whole after every page."""

    def __init__(self, path: Path | None, pipe_tables: bool) -> None:
        self._path = path
        self._pipe_tables = pipe_tables
        self._pages: list[ExportPage] = []

    def add(self, page: PageImage, reading: Reading) -> None:
        text = self._with_figures(page, reading)
        text = with_pipe_tables(text) if self._pipe_tables else text
        before = len(markdown_of_pages(self._pages))
        self._pages.append(ExportPage(page.ref.label, text))
        if self._path is not None:
            export_markdown(self._pages, self._path)
        else:
            sys.stdout.write(markdown_of_pages(self._pages)[before:])
            sys.stdout.flush()

    def _with_figures(self, page: PageImage, reading: Reading) -> str:
        """The text of a page, its figures written and linked; a pipe or a device has no place for them."""
        if self._path is None or (self._path.exists() and not self._path.is_file()):
            return reading.text
        figures = figures_of(reading.blocks, [block.start for block in reading.blocks])
        folder, number = assets_folder(self._path), len(self._pages) + 1
        write_figures(page, figures, number, folder)
        return link_figures(reading.text, figures, number, folder)


def _summary(reading: Reading) -> str:
    """What a page took, stage by stage."""
    plan, timings = reading.plan, reading.timings
    how = "automatic" if plan.automatic else "as asked"
    return (
        f"{len(reading.token_ids)} tokens at {reading.tokens_per_second:.0f} tokens/s; "
        f"{len(plan.kept)} of {len(plan.norms)} visual tokens kept ({how}); "
        f"encode {timings.encode_ms:.0f} ms, prune {timings.prune_ms:.0f} ms, "
        f"prefill {timings.prefill_ms:.0f} ms, decode {timings.decode_ms:.0f} ms"
    )
