"""What is open and what the person wants: the program's state on the main thread.

Panes pass requests to the session, the session asks its controllers, each of them asks the bridge
for one kind of thing, and the session tells the panes what to show:

    Choices           remembers what was chosen
    PageShelf         opens files, lists their pages and shows one
    Models            knows the model in use, and has others loaded
    SamplePages       knows which pages are the program's own
    Planner           keeps the plan of the shown page
    Reader            reads pages, as many at a time as the model takes
    PageTexts         keeps what was read and what was typed
    Finder            searches the texts for words
    BlockPointer      maps between blocks on the page and their text
    Exporter          writes texts, figures and tuning results to files
    Tuning            compares and explains, with controllers of its own

The session itself decides which of them is notified of what. Knows no widget.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.labels import telling_labels
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.export.markdown import ExportPage
from rtocr_gui.files import resolved
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.reading import Mode, ReadSettings, Scaling, Task
from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import PageRendered
from rtocr_gui.ui.state.block_pointer import BlockPointer
from rtocr_gui.ui.state.choices import Choices
from rtocr_gui.ui.state.exporter import Exporter
from rtocr_gui.ui.state.finder import Finder
from rtocr_gui.ui.state.models import Models
from rtocr_gui.ui.state.notices import (
    BringBack,
    LoadModel,
    Notice,
    SessionOffer,
    UseAuto,
    about_file,
    about_left_out,
    about_outdated,
    about_page,
    about_removed,
    about_samples,
)
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.open_pages import OpenPages, RemovedPages
from rtocr_gui.ui.state.page_shelf import PageShelf
from rtocr_gui.ui.state.page_texts import PageTexts
from rtocr_gui.ui.state.planner import Planner
from rtocr_gui.ui.state.reader import Reader
from rtocr_gui.ui.state.sample_pages import SamplePages
from rtocr_gui.ui.state.shown import Activity, Loss, OverwriteQuestion, PageFailure
from rtocr_gui.ui.state.tuning import Tuning


class Session(QObject):
    """The open pages and the person's choices, between the panes and the bridge.

    Signals (each carries one frozen value):
        page_selected (PageRef or None), page_image_changed (QImage), page_message_changed (str),
        page_status_changed (PageStatus),
        retention_changed (float, or None for automatic), plan_changed (PrunePlan or None),
        transport_changed (Transport), text_changed (ShownText), text_appended (str),
        summary_changed (str), reading_changed (Reading or None), activity_changed (Activity),
        encoding_changed (bool), settings_changed (Settings), notice_raised (Notice),
        overwrite_questioned (OverwriteQuestion), blocks_changed (BlocksShown);
        typed_changed (): `typed_texts` may have changed.

    Attributes:
        shelf: has the signals and slots for the list of pages.
        models: has the signals and slots for choosing, loading and unloading a model.
        finder: has the signals and slots for searching the texts.
        blocks: has the signals and slots for mapping between blocks and text.
        tuning: has the signals and slots for the overlay's looks and the tuning panes.

    Args:
        bridge: answers the slow requests.
        settings: what is remembered from the last session.
        bundled_model: folder of the model that is used if none was chosen.
    """

    page_selected = Signal(object)
    page_image_changed = Signal(object)
    page_message_changed = Signal(str)
    page_status_changed = Signal(object)
    retention_changed = Signal(object)
    plan_changed = Signal(object)
    transport_changed = Signal(object)
    text_changed = Signal(object)
    text_appended = Signal(str)
    typed_changed = Signal()
    summary_changed = Signal(str)
    reading_changed = Signal(object)
    activity_changed = Signal(object)
    encoding_changed = Signal(bool)
    settings_changed = Signal(object)
    notice_raised = Signal(object)
    overwrite_questioned = Signal(object)
    blocks_changed = Signal(object)

    def __init__(self, bridge: EngineBridge, settings: Settings, bundled_model: Path) -> None:
        super().__init__()
        self._pages = OpenPages()
        self._samples = SamplePages(self._pages)
        self._choices = Choices(settings, self)
        self.shelf = PageShelf(bridge, self._pages, self)
        self.models = Models(bridge, self._choices, bundled_model, self)
        self._planner = Planner(bridge, self)
        self._planner.set_retention(settings.retention)
        self._reader = Reader(bridge, self._read_settings, self)
        self._texts = PageTexts(self._pages, self._reader, self)
        self._exporter = Exporter(bridge, self)
        self.finder = Finder(self._pages, lambda: self.current, self.shelf.select, self)
        self.blocks = BlockPointer(bridge, lambda: self.current_text, self)
        self.tuning = Tuning(
            bridge, self._pages, self.shelf, self._planner, self._choices, self._exporter, self
        )
        self._connect()

    def _connect(self) -> None:
        self._choices.changed.connect(self.settings_changed)
        self.shelf.opening_changed.connect(self._follow_opening)
        self.shelf.pages_opened.connect(self._follow_opened)
        self.shelf.pages_changed.connect(self.finder.refresh)
        self.shelf.pages_dropped.connect(self._reader.forget)
        self.shelf.pages_outdated.connect(self._tell_of_outdated)
        self.shelf.pages_rotated.connect(self._reader.rename)
        self.shelf.pages_exchanged.connect(self._reader.exchange)
        self.shelf.pages_moved.connect(self._reader.reorder)
        self.shelf.pages_listed.connect(self._texts.tell_states)
        self.shelf.page_selected.connect(self._show_page)
        self.shelf.page_rendered.connect(self._show_page_image)
        self.shelf.page_failed.connect(self._fail_page)
        self.shelf.refused.connect(self._tell_of_file)
        self.models.left.connect(self._leave_model)
        self.models.adopted.connect(self._forget_former_model)
        self.models.ready.connect(self._use_model)
        self.models.missing.connect(self._reader.stop)
        self.models.notice_raised.connect(self.notice_raised)
        self._planner.plan_changed.connect(self.plan_changed)
        self._planner.transport_changed.connect(self.transport_changed)
        self._planner.encoding_changed.connect(self.encoding_changed)
        self._planner.failed.connect(self._report_encoding)
        self._reader.activity_changed.connect(self.activity_changed)
        self._texts.text_changed.connect(self.text_changed)
        self._texts.text_changed.connect(self.finder.refresh)
        self._texts.text_appended.connect(self.text_appended)
        self._texts.text_appended.connect(self.finder.refresh_soon)
        self._texts.summary_changed.connect(self.summary_changed)
        self._texts.reading_changed.connect(self.reading_changed)
        self._texts.reading_changed.connect(self.tuning.show_readings)
        self._texts.blocks_changed.connect(self.blocks.show_blocks)
        self._texts.blocks_changed.connect(self.blocks_changed)
        self._texts.page_status_changed.connect(self.page_status_changed)
        self._texts.page_status_changed.connect(self.finder.refresh_soon)
        self._texts.notice_raised.connect(self.notice_raised)
        self._exporter.told.connect(self.notice_raised)
        self.tuning.notice_raised.connect(self.notice_raised)
        for told in (self.page_status_changed, self.shelf.pages_changed, self._exporter.told):
            told.connect(self.typed_changed)

    # How it stands -------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self._choices.settings

    @property
    def model(self) -> LoadedModel | None:
        """The model in use, even while it is unloaded; None before the first is loaded."""
        return self.models.model

    @property
    def can_unload(self) -> bool:
        """True while the model takes up memory and nothing needs it right now."""
        is_awaited = not self.activity.is_idle or self.models.status.loading
        return self.models.is_loaded and not is_awaited and not self.tuning.is_reading

    @property
    def mode(self) -> Mode | None:
        """The mode in use; None to let each page decide."""
        return self._choices.mode

    @property
    def page_mode(self) -> Mode | None:
        """How the shown page was scaled; None before it is encoded."""
        return self._planner.mode

    @property
    def task(self) -> Task:
        """The task in use."""
        return self._choices.task

    @property
    def current(self) -> PageRef | None:
        """The shown page."""
        return self.shelf.current

    @property
    def selected(self) -> tuple[PageRef, ...]:
        """The pages that are selected in the list; if there are none, the shown one."""
        return self.shelf.selected

    @property
    def refs(self) -> tuple[PageRef, ...]:
        """The open pages in the order of the list."""
        return self._pages.refs

    @property
    def current_text(self) -> str:
        """The text of the shown page."""
        page = self._pages.get(self.current)
        return page.text if page else ""

    @property
    def selected_texts(self) -> tuple[str, ...]:
        """The texts of the selected pages that have one, complete if there is a complete one."""
        return tuple(self._texts_of_selected())

    @property
    def has_selected_text(self) -> bool:
        """True if one of the selected pages has text; quick, as it is asked for with each piece of text."""
        return any(self._texts_of_selected())

    def _texts_of_selected(self) -> Iterator[str]:
        for page in map(self._pages.get, self.selected):
            if page is not None and page.settled.text:
                yield page.settled.text

    @property
    def retry(self) -> Scaling | None:
        """How to scale the shown page instead, if its newest reading failed or looped."""
        page = self._pages.get(self.current)
        return page.retry if page else None

    @property
    def activity(self) -> Activity:
        """What is going on."""
        return self._reader.activity

    @property
    def has_text(self) -> bool:
        """True if there is any text to export."""
        return any(page.settled.text for page in self._pages)

    @property
    def is_exporting(self) -> bool:
        """True while a file is being written or waits to be."""
        return self._exporter.is_exporting

    def loss(self, refs: Iterable[PageRef]) -> Loss:
        """What would be lost with these pages; if all their text was cleared, typed text is not counted.

        What was read from a sample page is no loss.
        """
        pages = [page for page in map(self._pages.__getitem__, refs) if not self._samples.is_untouched(page)]
        unsaved = _unsaved(pages)
        typed = sum(page.edited for page in unsaved)
        return Loss(
            typed=typed if any(page.settled.text for page in pages) else 0,
            read=len(unsaved) - typed,
            in_hand=sum(self._reader.will_read_on(page.ref) for page in pages),
        )

    def typed_texts(self) -> tuple[ExportPage, ...]:
        """The pages with typed text that is in no file."""
        typed = [page for page in _unsaved(self._pages) if page.edited and page.text]
        labels = telling_labels(page.ref for page in typed)
        return tuple(ExportPage(labels[page.ref], page.text) for page in typed)

    # Choices -------------------------------------------------------------------------------

    def remember(self, **changes: object) -> None:
        """Change remembered settings, by field name."""
        self._choices.remember(**changes)

    @Slot(bool)
    def set_blocks_visible(self, on: bool) -> None:
        """Remember whether blocks are outlined, and follow cursor and selection only while they are."""
        self.remember(blocks_visible=on)
        self.blocks.set_on(on)

    @Slot()
    def want_transport(self) -> None:
        """Request where the merged tokens of the current plan go."""
        self._planner.want_transport()

    @Slot(object)
    def set_mode(self, mode: Mode | None) -> None:
        """Scale all pages in this mode from now on, even those scaled individually; None for Auto."""
        self._scale_pages(mode=mode.value if mode else "auto")

    @Slot(int)
    def set_most_tiles(self, most_tiles: int) -> None:
        """Limit all pages to this many tiles from now on, even those scaled individually."""
        self._scale_pages(most_tiles=most_tiles)

    def _scale_pages(self, **changes: object) -> None:
        before = self._read_settings(self.current)
        for page in self._pages:
            page.scaling = None
        self.remember(**changes)
        if self._read_settings(self.current) != before:
            self._refresh_plan()
            self.tuning.show_page()
        self._texts.show_page(self.current)  # the summary of its text has changed

    @Slot(object)
    def set_task(self, task: Task) -> None:
        """Use another task from now on."""
        before = self._read_settings(self.current)
        self.remember(task=task.name, task_words=task.words)
        if self._read_settings(self.current) != before:
            self.tuning.show_page()

    @Slot(object)
    def set_retention(self, retention: float | None) -> None:
        """Plan for another ratio immediately, and put out lights that would hide it; None for automatic."""
        if retention != self.settings.retention:
            self.tuning.spotlight.put_out()
        self.remember(retention=retention)
        self._planner.set_retention(retention)
        self.retention_changed.emit(retention)

    @Slot(object)
    def settle_retention(self, retention: float | None) -> None:
        """The slider was released: read the page again, if it was read and the person wants that.

        It is read before the queued pages, as the person is looking at it. A page that the person has edited
        is left alone, unless its text is being replaced anyway: no question should interrupt tuning.
        """
        if retention != self.settings.retention:
            self.set_retention(retention)
        page = self._pages.get(self.current)
        if page is None or not self.settings.reread_on_release:
            return
        is_outdated = page.reading is not None and page.reading.settings != self._read_settings(page.ref)
        if self._reader.is_reading(page.ref) or (is_outdated and not page.edited):
            self._reader.read_first(page.ref)

    # Model ---------------------------------------------------------------------------------

    @Slot()
    def _leave_model(self) -> None:
        self._reader.suspend()
        self.tuning.stop()

    @Slot()
    def _forget_former_model(self) -> None:
        self._planner.forget_encodings()
        self._pages.forget_readings()
        self.tuning.forget_readings()
        self.tuning.show_page()
        self._texts.tell_anew()

    @Slot()
    def _use_model(self) -> None:
        self._refresh_plan()
        if self.model is not None:
            self._reader.set_model(self.model.pages_at_once)

    # Pages ---------------------------------------------------------------------------------

    @Slot(object)
    def open_files(self, paths: Iterable[Path]) -> None:
        """Open files and folders, and remember them; each that fails raises a notice and is forgotten."""
        # “../scan.png” on the command line is the same page as one that a dialog names in full.
        paths = [resolved(path) if ".." in path.parts else path.absolute() for path in paths]
        self._choices.remember_opened(paths)
        self._samples.keep(paths)
        self.shelf.open_files(paths)

    def open_samples(self, paths: Iterable[Path]) -> None:
        """Open the program's own pages, which make room for the person's own unless they were edited."""
        self._samples.begin(paths)
        self.shelf.open_files(paths)

    def remove_pages(self, refs: tuple[PageRef, ...]) -> None:
        """Remove pages from the list; their files stay. Those with text can be brought back."""
        self._offer_back(self.shelf.remove(refs), "Removed")

    def split_pages(self, refs: Iterable[PageRef], *, beside: bool) -> None:
        """List the halves of whole pages instead; those with text can be brought back."""
        self._offer_back(self.shelf.split(refs, beside=beside), "Split")

    def join_pages(self, refs: Iterable[PageRef]) -> None:
        """List whole pages instead of their halves; those with text can be brought back."""
        self._offer_back(self.shelf.join(refs), "Joined")

    def _offer_back(self, removed: RemovedPages, deed: str) -> None:
        if removed.has_text:
            self.notice_raised.emit(about_removed(removed, deed))

    @Slot(object)
    def _tell_of_outdated(self, removed: RemovedPages) -> None:
        if removed.has_text:
            self.notice_raised.emit(about_outdated(removed))

    @Slot(object)
    def _show_page(self, ref: PageRef | None) -> None:
        self.page_selected.emit(ref)
        self.page_message_changed.emit(f"Opening {ref.label}…" if ref else "")
        self._texts.show_page(ref)
        self.tuning.show_page()
        self._refresh_plan()

    def _refresh_plan(self) -> None:
        ref = self.current if self.model is not None else None
        self._planner.show_page(ref, self._read_settings(ref).scaling)

    @Slot(object)
    def _show_page_image(self, reply: PageRendered) -> None:
        self._texts.forgive_picture(reply.ref)
        self.page_image_changed.emit(reply.image)
        self._planner.show_again()

    @Slot(object)
    def _fail_page(self, failure: PageFailure) -> None:
        self._texts.blame_picture(failure)
        self.page_message_changed.emit(self._pages[failure.ref].picture_problem)

    @Slot(object, str)
    def _tell_of_file(self, path: Path, sentence: str) -> None:
        self._choices.forget_opened(path)
        self.notice_raised.emit(about_file(path, sentence))

    @Slot(str)
    def _report_encoding(self, sentence: str) -> None:
        """Report why the shown page cannot be encoded, unless it already says why it has no picture."""
        page = self._pages.get(self.current)
        if page is not None and page.picture_problem == "":
            self.notice_raised.emit(about_page(page.ref, sentence))

    # Reading and text ----------------------------------------------------------------------

    @Slot()
    def read_selected(self) -> None:
        """Read the selected pages."""
        self.read(self.selected)

    @Slot()
    def read_all(self) -> None:
        """Read every page, in the order of the list, except those already read with the current settings.

        Pages of files that are still being opened are read too, as they come. If there is none to read, all
        pages are read again.
        """
        self._reader.await_files(self.shelf.files_left > 0)
        rest = [page.ref for page in self._pages if not page.was_read_with(self._read_settings(page.ref))]
        self.read(tuple(rest) if rest or self.activity.awaits_files else self._pages.refs)

    @Slot(object)
    def _follow_opened(self, refs: tuple[PageRef, ...]) -> None:
        if leaving := self._samples.leaving(refs):
            removed = self.shelf.remove(leaving)
            if removed.has_text:
                self.notice_raised.emit(about_samples(removed))
        if self.activity.awaits_files:
            pages = map(self._pages.get, refs)
            self.read_replacing(tuple(page.ref for page in pages if page is not None and page.is_blank))

    @Slot(int)
    def _follow_opening(self, files_left: int) -> None:
        if not files_left:
            self._reader.await_files(False)

    def read(self, refs: tuple[PageRef, ...], scaling: Scaling | None = None) -> None:
        """Read pages; asks first if a person's edits would be replaced.

        Args:
            refs: which pages.
            scaling: how these pages alone are scaled from now on, if they are read; None for no change.
        """
        edited = tuple(ref for ref in refs if self._pages[ref].edited)
        unedited = tuple(ref for ref in refs if not self._pages[ref].edited)
        if edited:
            self.overwrite_questioned.emit(OverwriteQuestion(edited, unedited, scaling))
        else:
            self.read_replacing(refs, scaling)

    @Slot(object)
    def read_replacing(self, refs: tuple[PageRef, ...], scaling: Scaling | None = None) -> None:
        """Read pages like `read`, but without asking: the person agreed, or there is nothing to lose."""
        if scaling is not None:
            self._scale_alone(refs, scaling)
        self._reader.read(refs)
        if refs and self.model is None and not self.models.status.loading:
            self.models.load()  # otherwise the failure is reported

    def _scale_alone(self, refs: tuple[PageRef, ...], scaling: Scaling) -> None:
        for page in map(self._pages.get, refs):
            if page is not None:  # else it was removed while the person was being asked
                page.scaling = scaling
        if self.current in refs:
            self._refresh_plan()
            self.tuning.show_page()

    @Slot()
    def retry_current(self) -> None:
        """Read the shown page again, scaled as offered after its newest reading."""
        if self.current is not None and self.retry is not None:
            self.read((self.current,), self.retry)

    @Slot(object)
    def take_offer(self, offer: SessionOffer) -> None:
        """Carry out the offer of a notice."""
        if isinstance(offer, LoadModel):
            self.models.take(offer.request)
        elif isinstance(offer, UseAuto):
            self.settle_retention(None)
        elif isinstance(offer, BringBack):
            self._samples.keep(page.ref.path for page in offer.removed.pages)
            left_out = self.shelf.put_back(offer.removed)
            if left_out.pages:
                self.notice_raised.emit(about_left_out(left_out))
        elif (ref := self._pages.as_open(offer.ref)) in self._pages:  # else it was removed since
            self.read((ref,), offer.scaling)

    def _read_settings(self, ref: PageRef | None) -> ReadSettings:
        """How a page is read now."""
        return self._pages.adapt(ref, self._choices.read_settings)

    @Slot()
    def stop(self) -> None:
        """Stop whatever is being read, and clear the queue."""
        self._reader.stop()
        self.tuning.stop()

    @Slot(str)
    def edit_text(self, text: str) -> None:
        """Take over what the person typed; files that are still opening no longer replace the shown page."""
        self.shelf.stay()
        self._texts.edit(text)
        self.typed_changed.emit()
        self.finder.refresh()

    @Slot()
    def note_copied(self, refs: Iterable[PageRef] = ()) -> None:
        """Note that the clipboard holds the texts of these pages, of none if something else is there."""
        copied = set(refs)
        for page in self._pages:
            is_there = page.ref in copied and not page.settled.edited
            page.copied_text = page.settled.text if is_there else None

    def export(
        self, path: Path, refs: Iterable[PageRef] | None = None, then: Callable[[], object] | None = None
    ) -> None:
        """Write the text of pages to one Markdown file, in the order of the list; a notice says how it went.

        Args:
            path: the file to write or replace.
            refs: which pages; None for all.
            then: what to do after that, if all went well.
        """
        wanted = set(self._pages.refs if refs is None else refs)
        pages = [page for page in self._pages if page.ref in wanted]
        if not any(page.settled.text for page in pages):  # they left while the person was being asked
            self.notice_raised.emit(Notice(f"{path.name}: not written, as the pages are gone.", about=path))
            return
        self._exporter.export_text(pages, path, self.settings.pipe_tables, then)


def _unsaved(pages: Iterable[OpenPage]) -> list[OpenPage]:
    """Pages whose text is in no file, as they were before a reading under way; no partial first readings."""
    return [page.settled for page in pages if not (page.is_saved or page.is_beginning)]
