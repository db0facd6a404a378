"""What is open and what the person wants: the program's state on the main thread.

Panes report wishes to the session, the session asks the bridge, the bridge answers with frozen
replies, and the session tells the panes what to show. `Reader` reads pages for it, `Planner` keeps
the plan of the page that is shown. The session guards what a person typed. Knows no widget.
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import ExportError
from rtocr_gui.export.markdown import ExportPage, export_markdown
from rtocr_gui.ocr.reading import TASKS, LoadedModel, Mode, Reading, ReadSettings, Task
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.settings import Settings
from rtocr_gui.ui.engine_bridge import EngineBridge
from rtocr_gui.ui.open_pages import OpenPage, OpenPages
from rtocr_gui.ui.page_model import PageState
from rtocr_gui.ui.planner import Planner
from rtocr_gui.ui.reader import Reader
from rtocr_gui.ui.replies import DocumentOpened, PageRendered, RequestFailed, TextStreamed
from rtocr_gui.ui.shown import (
    Activity,
    ModelStatus,
    OverwriteQuestion,
    PageFailure,
    PageStatus,
    PasswordQuestion,
    ShownText,
)


class Session(QObject):
    """The open pages and the wishes of the person, between the panes and the bridge.

    Signals (each carries one frozen value):
        pages_changed (tuple of PageEntry), page_selected (PageRef or None), page_image_changed (QImage),
        page_message_changed (str), thumbnail_changed (PageRendered), page_status_changed (PageStatus),
        plan_changed (PrunePlan or None), text_changed (ShownText), text_appended (str),
        summary_changed (str), reading_changed (ReadingRecord or None), activity_changed (Activity),
        encoding_changed (bool), model_changed (ModelStatus), settings_changed (Settings),
        notice_raised (str), password_needed (PasswordQuestion), overwrite_questioned (OverwriteQuestion).

    Args:
        bridge: answers the slow requests.
        settings: what is remembered from the last start.
        bundled_model: folder of the model that is used when none was chosen.
        parent: Qt parent.
    """

    pages_changed = Signal(object)
    page_selected = Signal(object)
    page_image_changed = Signal(object)
    page_message_changed = Signal(str)
    thumbnail_changed = Signal(object)
    page_status_changed = Signal(object)
    plan_changed = Signal(object)
    text_changed = Signal(object)
    text_appended = Signal(str)
    summary_changed = Signal(str)
    reading_changed = Signal(object)
    activity_changed = Signal(object)
    encoding_changed = Signal(bool)
    model_changed = Signal(object)
    settings_changed = Signal(object)
    notice_raised = Signal(str)
    password_needed = Signal(object)
    overwrite_questioned = Signal(object)

    def __init__(
        self, bridge: EngineBridge, settings: Settings, bundled_model: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._settings = settings
        self._bundled_model = bundled_model
        self._pages = OpenPages()
        self._current: PageRef | None = None
        self._model: LoadedModel | None = None
        self._opening: dict[int, Path] = {}
        self._selects_opened = False
        self._load_id = self._render_id = 0
        self._planner = Planner(bridge, self)
        self._planner.set_retention(settings.retention)
        self._planner.plan_changed.connect(self.plan_changed)
        self._planner.encoding_changed.connect(self.encoding_changed)
        self._planner.failed.connect(self._report_encoding)
        self._reader = Reader(bridge, lambda: (self._read_settings(), self._settings.pdf_dpi), self)
        self._reader.began.connect(self._mark_reading)
        self._reader.text_began.connect(self._begin_text)
        self._reader.text_streamed.connect(self._append_text)
        self._reader.finished.connect(self._keep_reading)
        self._reader.given_up.connect(self._give_page_up)
        self._reader.failed.connect(self._fail_page)
        self._reader.activity_changed.connect(self.activity_changed)
        bridge.document_opened.connect(self._add_document)
        bridge.page_rendered.connect(self._show_page_image)
        bridge.thumbnail_rendered.connect(self.thumbnail_changed)
        bridge.model_loaded.connect(self._adopt_model)
        bridge.request_failed.connect(self._report_failure)

    # What is remembered --------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings as they stand now."""
        return self._settings

    def remember(self, **changes: object) -> None:
        """Change remembered settings, by field name."""
        self._settings = dataclasses.replace(self._settings, **changes)  # type: ignore[arg-type]
        self.settings_changed.emit(self._settings)

    @Slot(bool)
    def set_reread(self, on: bool) -> None:
        """Remember whether to read a page again when the slider is let go."""
        self.remember(reread_on_release=on)

    @Slot(bool)
    def set_overlay_visible(self, on: bool) -> None:
        """Remember whether merged tokens are veiled."""
        self.remember(overlay_visible=on)

    @property
    def model(self) -> LoadedModel | None:
        """The model that is loaded."""
        return self._model

    @property
    def mode(self) -> Mode:
        """The mode in use: the remembered one, else the one the model was made for."""
        if self._settings.mode in {mode.value for mode in Mode}:
            return Mode(self._settings.mode)
        return self._model.info.modes[0] if self._model else Mode.BASE

    @property
    def task(self) -> Task:
        """The task in use: the remembered one if the model knows it, else the model's first."""
        tasks = self._model.info.tasks if self._model else TASKS
        return next((task for task in tasks if task.name == self._settings.task), tasks[0])

    @property
    def current(self) -> PageRef | None:
        """The page that is shown."""
        return self._current

    @property
    def refs(self) -> tuple[PageRef, ...]:
        """The open pages in the order of the list."""
        return self._pages.refs

    @property
    def current_text(self) -> str:
        """The text of the page that is shown."""
        page = self._pages.get(self._current)
        return page.text if page else ""

    @property
    def activity(self) -> Activity:
        """What is going on."""
        return self._reader.activity

    @property
    def has_text(self) -> bool:
        """True where there is something to export."""
        return any(page.text for page in self._pages)

    def is_edited(self, ref: PageRef) -> bool:
        """True where a person changed the text of a page."""
        return self._pages[ref].edited

    @property
    def unexported_edits(self) -> int:
        """How many pages hold typed text that was not exported since."""
        return sum(not page.exported for page in self._pages)

    # Model ---------------------------------------------------------------------------------

    @Slot()
    def load_model(self) -> None:
        """Load the remembered model, or the bundled one."""
        folder = self._settings.model_folder
        self._load(Path(folder) if folder else self._bundled_model)

    @Slot(object)
    def choose_model(self, folder: Path | None) -> None:
        """Load a checkpoint folder, and remember it once it works; None for the bundled miniature."""
        self._reader.stop()
        self._reader.set_model_ready(False)
        self._load(folder or self._bundled_model)

    def _load(self, folder: Path) -> None:
        self.model_changed.emit(ModelStatus(None, f"Loading {folder.name}…", loading=True))
        self._load_id = self._bridge.load_model(folder, self._settings.device)

    @Slot(object)
    def _adopt_model(self, model: LoadedModel) -> None:
        folder = "" if model.info.folder == self._bundled_model else str(model.info.folder)
        if folder != self._settings.model_folder:
            self.remember(model_folder=folder, mode="", task="")
        self._model = model
        self._planner.forget_encodings()
        self._tell_model()

    def _report_model(self, sentence: str) -> None:
        """A model that cannot be loaded leaves the one before it in use."""
        self.notice_raised.emit(sentence)
        if self._model is not None:
            self._tell_model()
        else:
            self._reader.stop()
            self.model_changed.emit(ModelStatus(None, sentence))

    def _tell_model(self) -> None:
        if self._model is not None:
            self.model_changed.emit(ModelStatus(self._model, self._model.info.name))
            self._refresh_plan()
            self._reader.set_model_ready(True)

    # Pages ---------------------------------------------------------------------------------

    @Slot(object)
    def open_files(self, paths: Iterable[Path]) -> None:
        """Open files; each that fails raises a notice of its own."""
        self._selects_opened = True
        for path in paths:
            self.open_file(path.absolute())

    def open_file(self, path: Path, password: str | None = None) -> None:
        """Open one file, with a password where it needs one."""
        self._opening[self._bridge.open_document(path, password)] = path

    @Slot(object)
    def _add_document(self, reply: DocumentOpened) -> None:
        self._opening.pop(reply.request_id, None)
        for ref in self._pages.refs:
            if ref.path == reply.path and ref not in reply.pages:
                self._reader.forget(ref)
        for ref in self._pages.outdated(reply.path, reply.pages):
            self._pages.remove(ref)
        self._pages.add(reply.pages)
        self.pages_changed.emit(self._pages.entries)
        if self._selects_opened or self._current not in self._pages.refs:
            self._selects_opened = False
            self._current = None
            self.select_page(reply.pages[0])
        elif self._current in reply.pages:
            self._show_current()

    @Slot(object)
    def remove_page(self, ref: PageRef) -> None:
        """Take a page off the list; the file stays where it is."""
        if ref not in self._pages:
            return
        self._reader.forget(ref)
        neighbour = self._pages.remove(ref)
        if not self._pages.has_file(ref.path):
            self._bridge.close_document(ref.path)
        self.pages_changed.emit(self._pages.entries)
        if ref == self._current:
            self.select_page(neighbour)

    @Slot(object)
    def select_page(self, ref: PageRef | None) -> None:
        """Show a page: its picture, its text, and its plan."""
        if ref == self._current and ref is not None:
            return
        self._current = ref
        self.page_selected.emit(ref)
        self._show_current()

    def _show_current(self) -> None:
        ref = self._current
        self.page_message_changed.emit(f"Opening {ref.label}…" if ref else "")
        if ref is not None:
            self._render_id = self._bridge.render_page(ref, self._settings.pdf_dpi)
        self._show_text()
        self._refresh_plan()

    @Slot(object)
    def want_thumbnail(self, ref: PageRef) -> None:
        """Render the thumbnail of a page that came into sight."""
        if ref in self._pages:
            self._bridge.render_thumbnail(ref)

    @Slot(object)
    def _show_page_image(self, reply: PageRendered) -> None:
        if reply.request_id == self._render_id:
            page = self._pages.get(reply.ref)
            if page is not None and page.unshown:
                self._set_state(reply.ref, PageState.READ if page.reading else PageState.WAITING)
                page.unshown = False
            self.page_image_changed.emit(reply.image)
            self._planner.show_again()

    # Plan ----------------------------------------------------------------------------------

    @Slot(object)
    def set_mode(self, mode: Mode) -> None:
        """Scale pages in another way from now on."""
        self.remember(mode=mode.value)
        self._refresh_plan()

    @Slot(object)
    def set_task(self, task: Task) -> None:
        """Ask the model for something else from now on."""
        self.remember(task=task.name)

    @Slot(object)
    def set_retention(self, retention: float | None) -> None:
        """Plan for another ratio, at once; None for automatic retention."""
        self.remember(retention=retention)
        self._planner.set_retention(retention)

    @Slot(object)
    def settle_retention(self, retention: float | None) -> None:
        """The slider was let go: read the page again, if it was read and the person wants that.

        A page that the person corrected is left alone: no question comes between tuning and looking.
        """
        if retention != self._settings.retention:
            self.set_retention(retention)
        page = self._pages.get(self._current)
        if page is None or page.edited or not self._settings.reread_on_release:
            return
        was_read = page.reading is not None and page.reading.settings != self._read_settings()
        if was_read or self._reader.is_reading(page.ref):
            self._reader.read((page.ref,))

    def _refresh_plan(self) -> None:
        shown = self._current if self._model is not None else None
        self._planner.show_page(shown, self.mode, self._settings.pdf_dpi)

    def _read_settings(self) -> ReadSettings:
        return ReadSettings(self.mode, self.task, PruneSettings(self._settings.retention))

    # Reading -------------------------------------------------------------------------------

    @Slot()
    def read_current(self) -> None:
        """Read the page that is shown."""
        if self._current is not None:
            self.read((self._current,))

    @Slot()
    def read_all(self) -> None:
        """Read every page, in the order of the list."""
        self.read(self._pages.refs)

    def read(self, refs: tuple[PageRef, ...]) -> None:
        """Read pages; asks first where a person's edits would be replaced."""
        edited = tuple(ref for ref in refs if self._pages[ref].edited)
        unedited = tuple(ref for ref in refs if not self._pages[ref].edited)
        if edited:
            self.overwrite_questioned.emit(OverwriteQuestion(edited, unedited))
        else:
            self.read_replacing(refs)

    @Slot(object)
    def read_replacing(self, refs: tuple[PageRef, ...]) -> None:
        """Read pages without asking: the person agreed, or there is nothing to lose."""
        self._reader.read(refs)

    @Slot()
    def stop(self) -> None:
        """Stop the reading that runs and forget those that wait."""
        self._reader.stop()

    @Slot(object)
    def _mark_reading(self, ref: PageRef) -> None:
        self._set_state(ref, PageState.READING)

    @Slot(object)
    def _begin_text(self, ref: PageRef) -> None:
        page = self._pages.get(ref)
        if page is not None:
            page.begin_text()
            self._show_text_of(ref)

    @Slot(object)
    def _append_text(self, reply: TextStreamed) -> None:
        page = self._pages.get(reply.ref)
        if page is not None:
            page.text += reply.text
            if reply.ref == self._current:
                self.text_appended.emit(reply.text)

    @Slot(object)
    def _keep_reading(self, reading: Reading) -> None:
        page = self._pages.get(reading.ref)
        if page is not None:
            page.finish(reading)
            self._announce_state(page)
            self._show_text_of(page.ref)

    @Slot(object)
    def _give_page_up(self, ref: PageRef) -> None:
        page = self._pages.get(ref)
        if page is not None:
            page.give_up()
            self._announce_state(page)
            self._show_text_of(ref)

    @Slot(object)
    def _fail_page(self, failure: PageFailure) -> None:
        self._set_state(failure.ref, PageState.FAILED, failure.sentence)
        self.notice_raised.emit(f"{failure.ref.label}: {failure.sentence}")

    # Text ----------------------------------------------------------------------------------

    @Slot(str)
    def edit_text(self, text: str) -> None:
        """Take over what the person typed. A page that waits to be read is then left as it is."""
        page = self._pages.get(self._current)
        if page is None or page.text == text:
            return
        announced = page.state is PageState.EDITED
        page.edit(text)
        self._reader.forget(page.ref)
        if not announced:
            self._announce_state(page)
            self.summary_changed.emit(page.summary)

    def export(self, path: Path) -> None:
        """Write the text of all pages to one Markdown file; the outcome is told as a notice."""
        with_text = [page for page in self._pages if page.text]
        try:
            export_markdown([ExportPage(page.ref.label, page.text) for page in with_text], path)
        except ExportError as error:
            self.notice_raised.emit(str(error))
            return
        for page in with_text:
            page.exported = True
        left_out = len(self._pages) - len(with_text)
        rest = f" Pages without text, left out: {left_out}." if left_out else ""
        pages = "1 page" if len(with_text) == 1 else f"{len(with_text)} pages"
        self.notice_raised.emit(f"Exported {pages} to {path}.{rest}")

    def _show_text_of(self, ref: PageRef) -> None:
        if ref == self._current:
            self._show_text()

    def _show_text(self) -> None:
        page = self._pages.get(self._current)
        if page is None:
            self.text_changed.emit(ShownText("", True, "Open a scan to read its text.", ""))
            self.reading_changed.emit(None)
            return
        reading = self._reader.is_reading(page.ref)
        self.text_changed.emit(ShownText(page.text, reading, page.placeholder, page.summary))
        self.reading_changed.emit(page.reading)

    # Failures ------------------------------------------------------------------------------

    @Slot(object)
    def _report_failure(self, reply: RequestFailed) -> None:
        path = self._opening.pop(reply.request_id, None)
        if path is not None and reply.needs_password:
            self.password_needed.emit(PasswordQuestion(path, reply.sentence))
        elif path is not None:
            self.notice_raised.emit(f"{path.name}: {reply.sentence}")
        elif reply.request_id == self._load_id:
            self._report_model(reply.sentence)
        elif reply.request_id == self._render_id:
            self._fail_current(reply.sentence)

    @Slot(str)
    def _report_encoding(self, sentence: str) -> None:
        """The page keeps its picture; where that cannot be had either, it says why already."""
        page = self._pages.get(self._current)
        if page is not None and page.sentence != sentence:
            self.notice_raised.emit(f"{page.ref.label}: {sentence}")

    @Slot(str)
    def _fail_current(self, sentence: str) -> None:
        if self._current is not None:
            self._set_state(self._current, PageState.FAILED, sentence)
            self._pages[self._current].unshown = True
            self.page_message_changed.emit(sentence)

    def _set_state(self, ref: PageRef, state: PageState, sentence: str = "") -> None:
        page = self._pages.get(ref)
        if page is not None:
            page.state, page.sentence = state, sentence
            self._announce_state(page)
            self._show_text_of(ref)

    def _announce_state(self, page: OpenPage) -> None:
        self.page_status_changed.emit(PageStatus(page.ref, page.state, page.sentence))
