"""`rtocr read`: reads files and writes their text as Markdown, plain text or PDF.

Several pages are read at a time. Text is written page by page in order, so that an interruption costs only
the current pages, and a crash hardly more. A page or file that fails is reported and skipped. Figures that
the model found are cut out and linked if Markdown goes to a file. Knows no torch.
"""

import argparse
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from rtocr_gui.cli.following import Following, interrupt_raises, interrupt_sets
from rtocr_gui.cli.pages import (
    PAGE_ERRORS,
    EngineFactory,
    choose_task,
    load_reader,
    open_asking,
)
from rtocr_gui.cli.progress import Progress
from rtocr_gui.cli.reading_words import places_in_words, summary_of, warnings_about
from rtocr_gui.cli.text_output import TextWriter
from rtocr_gui.documents.folders import list_files
from rtocr_gui.documents.labels import full_name, telling_folders
from rtocr_gui.documents.loading import Document
from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.errors import DocumentError, ExportError
from rtocr_gui.export.figures import Figure, figures_of
from rtocr_gui.export.text_formats import TextFormat
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.pages_together import PageFailed, PageRequest
from rtocr_gui.ocr.reading import Block, Reading, ReadSettings, StopReason
from rtocr_gui.ocr.text.paragraphs import with_lines_joined
from rtocr_gui.pruning.plan import PruneSettings


def run(arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress) -> bool:
    """Read every requested page of every file.

    Args:
        arguments: as returned by `arguments.parse_arguments`.
        engine_factory: makes the engine once the first page is rendered.
        progress: receives progress, warnings and errors.

    Returns:
        True if every page was read.

    Raises:
        CheckpointError: the model cannot be loaded.
        ExportError: the text cannot be written.
        KeyboardInterrupt: Ctrl-C; what was read so far is written.
    """
    return _ReadCommand(arguments, engine_factory, progress).run()


@dataclass(eq=False, slots=True)
class _WantedPage:
    """A requested page, or a file none of whose pages can be read.

    Attributes:
        name: its name in errors.
        label: the same with the number of pages.
        page: the rendered page; None if it could not be rendered, or once read if it is not needed any more.
        outcome: the result, or the reason for failure; None until then.
    """

    name: str
    label: str
    page: PageImage | None = None
    outcome: "_ReadPage | str | None" = None


@dataclass(frozen=True, slots=True)
class _ReadPage:
    """The part of a reading that is kept until it is written: pages may have to wait for a slow one.

    Attributes:
        ref: which page.
        text: text to write; None to write nothing.
        figures: figures to cut out of the page, in the order of the text.
        blocks: where on the page parts of the text are.
        messages: messages about the reading, each with whether it is a warning.
    """

    ref: PageRef
    text: str | None
    figures: tuple[Figure, ...]
    blocks: tuple[Block, ...]
    messages: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, reading: Reading, *, join_lines: bool, as_printed: bool) -> "_ReadPage":
        """Extract what is needed from a reading.

        Args:
            reading: the reading.
            join_lines: make one line of each paragraph.
            as_printed: keep words that were located, not their places, as text.
        """
        is_sought = reading.settings.task.name == "locate"
        places = places_in_words(reading) if is_sought else ""
        text = reading.text if as_printed else places or reading.text
        messages = [(summary_of(reading), False)]
        if reading.stop_reason is StopReason.END:
            if not text.strip():
                messages.append(("no text was found.", False))
            elif is_sought and not places:
                messages.append((f"the model gave no position for “{reading.settings.task.words}”.", True))
        messages += [(sentence, True) for sentence in warnings_about(reading)]
        is_written = reading.text or reading.stop_reason is not StopReason.CANCELLED
        blocks = reading.blocks if as_printed or not places else ()
        if join_lines and not blocks:
            text = with_lines_joined(text)
        return cls(reading.ref, text if is_written else None, figures_of(blocks), blocks, tuple(messages))


class _ReadCommand:
    def __init__(
        self, arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress
    ) -> None:
        self._arguments = arguments
        self._engine_factory = engine_factory
        self._progress = progress
        kind = TextFormat(f".{arguments.format or 'md'}")
        self._outputs = TextWriter(arguments.output, kind, arguments.tables == "pipe", arguments.replace)
        self._in_order: deque[_WantedPage] = deque()
        self._folders: dict[Path, Path] = {}
        self._cancel = threading.Event()
        self._all_read = True

    def run(self) -> bool:
        pages = self._pages()
        first = list(islice(pages, 2))
        if self._cancel.is_set():
            raise KeyboardInterrupt
        if first:
            reader = load_reader(self._arguments, self._engine_factory, self._progress)
            task = choose_task(self._arguments, reader.model.info, self._progress)
            settings = ReadSettings(reader.scaling, task, PruneSettings(self._arguments.retention))
            # A single page is read with guesses from its own text, unlike pages read together.
            most = self._arguments.together if len(first) > 1 else 1
            try:
                self._read(reader.engine, chain(first, pages), settings, most)
            except KeyboardInterrupt:
                self._write(with_gaps=True)
                raise
            finally:
                try:
                    self._outputs.finish()
                finally:
                    self._outputs.close()
        return self._all_read

    def _read(
        self, engine: PageEngine, pages: Iterable[_WantedPage], settings: ReadSettings, most: int | None
    ) -> None:
        """Read pages, several at a time; each is written once all pages before it are."""
        wanted: dict[PageRequest, _WantedPage] = {}

        def requests() -> Iterator[PageRequest]:
            for page in pages:
                assert page.page is not None, "a page is asked for that was not rendered"
                request = PageRequest(page.page, settings, self._cancel)
                wanted[request] = page
                yield request

        following = Following(self._progress)
        with interrupt_sets(self._cancel):
            for request, event in engine.read_together(requests(), most):
                page = wanted[request]
                following.tell(page.label, event)
                match event:
                    case Reading():
                        page.outcome = _ReadPage.of(
                            event,
                            join_lines=self._arguments.join_lines,
                            as_printed=self._outputs.needs_pages,
                        )
                        is_needed = page.outcome.figures or self._outputs.needs_pages
                        page.page = page.page if is_needed else None
                    case PageFailed():
                        page.outcome = str(event.error)
                    case _:
                        continue
                del wanted[request]
                self._write()
        if self._cancel.is_set():
            raise KeyboardInterrupt

    def _pages(self) -> Iterator[_WantedPage]:
        """Render the requested pages one after the other, until Ctrl-C is pressed."""
        files = self._files()
        scans = [path.absolute() for path, _ in files]
        self._folders = telling_folders(scans)
        self._outputs.name_files(scans)
        for path, problem in files:
            if self._cancel.is_set():
                return
            if problem is not None:
                self._miss(path, problem)
                continue
            try:
                with interrupt_raises():
                    document = open_asking(path, self._arguments.password, self._progress)
            except DocumentError as error:
                self._miss(path, error)
                continue
            except KeyboardInterrupt:  # ends the question; what is being read ends in an orderly way
                self._cancel.set()
                return
            with document:
                yield from self._pages_of(path, document)

    def _files(self) -> list[tuple[Path, DocumentError | None]]:
        """List the given files, those in the given folders, and folders without any with the reason."""
        files: list[tuple[Path, DocumentError | None]] = []
        for path in self._arguments.files:
            try:
                found = list_files(path)
            except DocumentError as error:
                files.append((path, error))
            else:
                files += [(file, None) for file in found.files]
                if found.left_out:
                    self._progress.complain(f"warning: {path}: {found.left_out}")
        return files

    def _miss(self, path: Path, error: DocumentError) -> None:
        """Report a file that cannot be read, in its place in the order."""
        self._in_order.append(_WantedPage(str(path), str(path), outcome=str(error)))
        self._write()

    def _pages_of(self, path: Path, document: Document) -> Iterator[_WantedPage]:
        page_count = len(document.pages)
        missing = self._arguments.pages.first_missing(page_count)
        if missing is not None:
            sentence = f"There is no page {missing}: the last one is page {page_count}."
            self._in_order.append(_WantedPage(str(path), str(path), outcome=sentence))
        for index in self._arguments.pages.indices(page_count):
            if self._cancel.is_set():
                return
            for ref in self._parts_of(document.pages[index].rotated(self._arguments.rotate)):
                where = f", {ref.part}" if ref.part else ""
                name = f"{path}, page {index + 1}"
                wanted = _WantedPage(f"{name}{where}", f"{name} of {page_count}{where}")
                self._in_order.append(wanted)
                self._progress.show(f"{wanted.label}: open")
                try:
                    wanted.page = document.load_page(index, self._arguments.dpi, ref.rotation_deg, ref.cuts)
                except PAGE_ERRORS as error:
                    wanted.outcome = str(error)
                    self._write()
                else:
                    yield wanted
        self._write()

    def _parts_of(self, page: PageRef) -> tuple[PageRef, ...]:
        """Return what is wanted of a page: all of it, or a part, or the halves of either."""
        crop, split = self._arguments.crop, self._arguments.split
        page = page if crop is None else page.cropped(crop)
        return (page,) if split is None else page.halves(beside=split == "left-right")

    def _write(self, with_gaps: bool = False) -> None:
        """Write and report the finished pages in order.

        Args:
            with_gaps: True to include those after a page that is not finished.
        """
        while self._in_order and (with_gaps or self._in_order[0].outcome is not None):
            page = self._in_order.popleft()
            match page.outcome:
                case str(sentence):
                    self._all_read = False
                    self._progress.complain(f"{page.name}: {sentence}")
                    if page.page is not None and self._outputs.needs_pages:
                        self._add(page, page.page.ref, "")
                case _ReadPage() as read:
                    self._write_page(page, read)

    def _write_page(self, page: _WantedPage, read: _ReadPage) -> None:
        for sentence, is_warning in read.messages:
            if is_warning:
                self._progress.complain(f"warning: {page.label}: {sentence}")
            else:
                self._progress.say(f"{page.label}: {sentence}")
        if read.text is not None:
            self._progress.clear()
            text, output = read.text, self._outputs.of(read.ref.path)
            try:
                text = output.with_figures(text, read.figures, page.page)
            except ExportError as error:
                self._all_read = False
                self._progress.complain(f"{page.name}: its figures were left out. {error}")
            self._add(page, read.ref, text, read.blocks)

    def _add(self, page: _WantedPage, ref: PageRef, text: str, blocks: tuple[Block, ...] = ()) -> None:
        output = self._outputs.of(ref.path)
        try:
            output.show(page.page, text, blocks)
        except ExportError as error:
            self._all_read = False
            self._progress.complain(f"{page.name}: left out. {error}")
        else:
            output.add(full_name(ref.label, ref, self._folders), text)
