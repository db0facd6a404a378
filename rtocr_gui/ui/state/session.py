"""What is open and what the person wants: the program's state on the main thread.

Panes pass requests to the session or to one of its parts, each part asks the bridge for one kind of
thing, and what they emit tells the panes what to show:

    Choices           remembers what was chosen
    FileOpener        opens files, one after another
    PageShelf         lists their pages and shows one
    Models            knows the model in use, and has others loaded
    SamplePages       knows which pages are the program's own
    PastedPictures    knows which came from the clipboard
    Planner           keeps the plan of the shown page
    Reader            reads pages, as many at a time as the model takes
    PageTexts         keeps what was read and what was typed
    UnsavedTexts      knows which texts are in no file
    TextRestorer      puts back those that were in no file when the program ended
    TextCopier        copies texts
    Finder            searches the texts for words
    Proofreader       points out words that the model was unsure of
    BlockPointer      maps between blocks on the page and their text
    Exporter          writes texts, figures and tuning results to files
    Tuning            compares and explains, with controllers of its own

The session itself decides which of them is notified of what, and does what takes several. Knows no widget.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from rtocr_gui.documents.folders import ScansBelow
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.files import resolved
from rtocr_gui.ocr.reading import Mode, Reading, ReadSettings, Scaling, Task
from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import PageRendered
from rtocr_gui.ui.state.block_pointer import BlockPointer
from rtocr_gui.ui.state.choices import Choices
from rtocr_gui.ui.state.exporter import Exporter
from rtocr_gui.ui.state.file_opener import FileOpener
from rtocr_gui.ui.state.finder import Finder
from rtocr_gui.ui.state.models import Models
from rtocr_gui.ui.state.notices import (
    BringBack,
    EnterPassword,
    LeaveText,
    LoadModel,
    OpenAgain,
    OpenSubfolders,
    ReadAgain,
    RestoreText,
    SessionOffer,
    TakeBack,
    UseAuto,
    about_failure,
    about_file,
    about_folder,
    about_left_out,
    about_outdated,
    about_removed,
    about_samples,
)
from rtocr_gui.ui.state.open_pages import OpenPages, RemovedPages
from rtocr_gui.ui.state.page_shelf import PageShelf
from rtocr_gui.ui.state.page_texts import PageTexts
from rtocr_gui.ui.state.page_words import outlook_of
from rtocr_gui.ui.state.pasted_pictures import PastedPictures
from rtocr_gui.ui.state.planner import Planner
from rtocr_gui.ui.state.proofreader import Proofreader
from rtocr_gui.ui.state.reader import Reader
from rtocr_gui.ui.state.sample_pages import SamplePages
from rtocr_gui.ui.state.shown import OverwriteQuestion, PageFailure
from rtocr_gui.ui.state.text_copier import TextCopier
from rtocr_gui.ui.state.text_restorer import TextRestorer
from rtocr_gui.ui.state.tuning import Tuning
from rtocr_gui.ui.state.unsaved_texts import UnsavedTexts


class Session(QObject):
    """The open pages and the person's choices, between the panes and the bridge.

    Signals (each carries one frozen value):
        page_selected (PageRef or None), page_image_changed (QImage), page_message_changed (str),
        notice_raised (Notice), overwrite_questioned (OverwriteQuestion).

    Attributes:
        choices: has the settings and their signals.
        opener: has the signals and slots for opening files.
        shelf: has the signals and slots for the list of pages.
        models: has the signals and slots for choosing, loading and unloading a model.
        planner: has the signals and slots for the plan of the shown page.
        reader: has the signals for what is going on.
        texts: has the signals for the shown page's text, reading and blocks, and for every page's state.
        unsaved: has the signals and slots for texts that are in no file.
        copier: has the slot for copying texts.
        exporter: has the slots for writing texts to files.
        finder: has the signals and slots for searching the texts.
        proofreader: has the signals and slots for words that the model was unsure of.
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
    notice_raised = Signal(object)
    overwrite_questioned = Signal(object)

    def __init__(self, bridge: EngineBridge, settings: Settings, bundled_model: Path) -> None:
        super().__init__()
        self._pages = OpenPages()
        self._samples = SamplePages(self._pages)
        self.choices = Choices(settings, self)
        self._pasted = PastedPictures(self.choices)
        self.opener = FileOpener(bridge, self)
        self.shelf = PageShelf(bridge, self.opener, self._pages, self)
        self.models = Models(bridge, self.choices, bundled_model, self)
        self.planner = Planner(bridge, self)
        self.planner.set_retention(settings.retention)
        self._settled_retention = settings.retention
        self.reader = Reader(bridge, self._settled_settings, self)
        self.texts = PageTexts(self._pages, self.reader, self)
        self.unsaved = UnsavedTexts(self._pages, self._samples, self.reader, self)
        self._restorer = TextRestorer(self.opener, self.shelf, self._pages, self.choices, self)
        self.copier = TextCopier(self.shelf, self.texts, self.unsaved, self)
        self.exporter = Exporter(bridge, self._pages, self.choices, self)
        self.finder = Finder(self._pages, self.shelf.select, self)
        self.proofreader = Proofreader(bridge, self._pages, self.shelf.select, self)
        self.proofreader.set_on(settings.unsure_marked)
        self.blocks = BlockPointer(bridge, lambda: self.current_text, self)
        self.tuning = Tuning(bridge, self._pages, self.planner, self.choices, self.exporter, self)
        self._connect()

    def _connect(self) -> None:
        self.choices.retention_changed.connect(self.tuning.spotlight.put_out)
        self.choices.retention_changed.connect(self.planner.set_retention)
        self.opener.changed.connect(self._follow_opening)
        # These follow the shelf, which has listed the pages of the file by then.
        self.opener.opened.connect(self.texts.forgive_failures)
        self.opener.opened.connect(self.unsaved.changed)  # if it was a sample, it no longer is
        self.opener.refused.connect(self._report_refused)
        self.opener.left_out.connect(self._tell_of_left_out)
        self.shelf.pages_opened.connect(self._follow_opened)
        self.shelf.pages_changed.connect(self.finder.refresh)
        self.shelf.pages_changed.connect(self.unsaved.changed)
        self.shelf.pages_dropped.connect(self.reader.forget)
        self.shelf.pages_removed.connect(self._offer_back)
        self.shelf.pages_outdated.connect(self._tell_of_outdated)
        self.shelf.pages_rotated.connect(self.reader.rename)
        self.shelf.pages_exchanged.connect(self.reader.exchange)
        self.shelf.pages_moved.connect(self.reader.reorder)
        self.shelf.pages_listed.connect(self.texts.tell_states)
        self.shelf.page_selected.connect(self._show_page)
        self.shelf.page_rendered.connect(self._show_page_image)
        self.shelf.page_failed.connect(self._fail_page)
        self.models.left.connect(self._leave_model)
        self.models.adopted.connect(self._forget_former_model)
        self.models.ready.connect(self._use_model)
        self.models.missing.connect(self.reader.stop)
        self.models.notice_raised.connect(self.notice_raised)
        self.planner.failed.connect(self._report_encoding)
        self.planner.plan_changed.connect(self._tell_outlook)
        self.reader.text_streamed.connect(self.unsaved.changed)
        self.reader.finished.connect(self._copy_pasted)
        self.texts.text_appended.connect(self.finder.refresh_soon)
        # It follows `text_changed`: words are marked in the new text once the panes show it.
        self.texts.reading_changed.connect(self.finder.refresh)
        self.texts.reading_changed.connect(self.proofreader.show_page)
        self.texts.reading_changed.connect(self.tuning.show_readings)
        self.texts.blocks_changed.connect(self.blocks.show_blocks)
        self.texts.page_status_changed.connect(self.finder.refresh_soon)
        self.texts.page_status_changed.connect(self.unsaved.changed)
        self.texts.edited.connect(self.unsaved.changed)
        self.texts.edited.connect(self.finder.refresh)
        self.texts.edited.connect(self.proofreader.follow_edit)
        self.finder.replacing_chosen.connect(self.texts.replace_words)
        self.texts.notice_raised.connect(self.notice_raised)
        self._restorer.notice_raised.connect(self.notice_raised)
        self.copier.notice_raised.connect(self.notice_raised)
        self.proofreader.notice_raised.connect(self.notice_raised)
        self.exporter.notice_raised.connect(self.notice_raised)
        self.exporter.notice_raised.connect(self.unsaved.changed)
        self.tuning.notice_raised.connect(self.notice_raised)

    # How it stands -------------------------------------------------------------------------

    @property
    def can_unload(self) -> bool:
        """True while the model takes up memory and nothing needs it right now."""
        return self.models.is_loaded and not (self.is_reading or self.models.status.loading)

    @property
    def page_name(self) -> str:
        """The name of the shown page, which tells it from others that are open; empty for none."""
        return self._pages.name_of(self._pages.shown) if self._pages.shown is not None else ""

    @property
    def current_text(self) -> str:
        """The text of the shown page."""
        return self._pages.shown_text

    @property
    def retry_scaling(self) -> Scaling | None:
        """How to scale the shown page instead, if its newest reading failed or looped."""
        page = self._pages.shown_page
        return page.retry_scaling if page is not None else None

    @property
    def auto_mode(self) -> Mode | None:
        """The mode that Auto chose for the shown page; None if unknown, or if the page has one of its own."""
        page, encoded = self._pages.shown_page, self.planner.encoded
        if page is None or page.scaling is not None or encoded is None:
            return None
        return encoded.mode

    # Choices -------------------------------------------------------------------------------

    @Slot(object)
    def set_mode(self, mode: Mode | None) -> None:
        """Scale all pages in this mode from now on, even those scaled individually; None for Auto."""
        self._scale_pages(mode=mode.value if mode else "auto")

    @Slot(int)
    def set_most_tiles(self, most_tiles: int) -> None:
        """Limit all pages to this many tiles from now on, even those scaled individually."""
        self._scale_pages(most_tiles=most_tiles)

    def _scale_pages(self, **changes: object) -> None:
        before = self._read_settings(self.shelf.current)
        for page in self._pages:
            page.scaling = None
        self.choices.remember(**changes)
        if self._read_settings(self.shelf.current) != before:
            self._refresh_plan()
            self.tuning.show_page()
        self.texts.show()  # the summary of its text has changed

    @Slot(object)
    def set_task(self, task: Task) -> None:
        """Use another task from now on."""
        before = self._read_settings(self.shelf.current)
        self.choices.remember(task=task.name, task_words=task.words)
        if self._read_settings(self.shelf.current) != before:
            self.tuning.show_page()

    @Slot(object)
    def set_retention(self, retention: float | None) -> None:
        """Plan for another ratio immediately, and put out lights that would hide it; None for automatic."""
        self.choices.remember(retention=retention)

    @Slot(object)
    def settle_retention(self, retention: float | None) -> None:
        """The slider was released: read the page again, if it was read and the person wants that.

        It is read before the queued pages, as the person is looking at it. A page that the person has edited
        is left alone, unless its text is being replaced anyway: no question should interrupt tuning.
        """
        self.set_retention(retention)
        self._settle()
        page = self._pages.shown_page
        if page is None or not self.choices.settings.reread_on_release:
            return
        is_outdated = page.reading is not None and page.reading.settings != self._read_settings(page.ref)
        if self.reader.is_reading(page.ref) or (is_outdated and not page.edited):
            self.reader.read_first(page.ref)

    @Slot(object)
    def choose_retention(self, retention: float | None) -> None:
        """Use the ratio of a point of the curve: the page is read with it, also if it has no text yet."""
        self.settle_retention(retention)
        page = self._pages.shown_page
        if page is not None and page.is_blank:
            self.read((page.ref,))

    def _settle(self) -> None:
        self._settled_retention = self.choices.settings.retention

    # Model ---------------------------------------------------------------------------------

    @Slot()
    def _leave_model(self) -> None:
        self.reader.suspend()
        self.tuning.stop()

    @Slot()
    def _forget_former_model(self) -> None:
        self.planner.forget_encodings()
        self._pages.forget_readings()
        self.tuning.forget_readings()
        self.tuning.show_page()
        self.texts.tell_anew()

    @Slot()
    def _use_model(self) -> None:
        self._refresh_plan()
        if self.models.model is not None:
            self.reader.set_model(self.models.model.pages_at_once)

    # Pages ---------------------------------------------------------------------------------

    @Slot(object)
    def open_files(self, paths: Iterable[Path]) -> None:
        """Open files and folders, and remember them; each that fails raises a notice and is forgotten."""
        # “../scan.png” on the command line is the same page as one that a dialog names in full.
        paths = [resolved(path) if ".." in path.parts else path.absolute() for path in paths]
        self.choices.remember_opened(paths)
        self._samples.keep(paths)
        self.opener.open_files(paths)

    def open_picture(self, picture: QImage, path: Path) -> None:
        """Save a picture that has no file to this path, open it, and read and copy it if that is wanted."""
        self._pasted.begin(path)
        self.opener.open_picture(picture, path)

    def open_samples(self, paths: Iterable[Path]) -> None:
        """Open the program's own pages, which make room for the person's own unless they were edited."""
        self._samples.begin(paths)
        self.opener.open_files(paths)

    def _open_below(self, folder: Path, found: ScansBelow) -> None:
        """Open the scans in the subfolders of a folder, which stands for them among the recent files."""
        self._samples.keep(found.files)
        self.opener.open_files(found.files)
        if found.left_out:
            self._tell_of_file(folder, found.left_out)

    @Slot(object, str)
    def _offer_back(self, removed: RemovedPages, deed: str) -> None:
        """Offer to bring back what was removed, split, joined or cropped, if it has text or figures."""
        if removed.has_content:
            self.notice_raised.emit(about_removed(removed, deed))

    @Slot(object, object, object)
    def _tell_of_outdated(self, path: Path, removed: RemovedPages, stay: tuple[PageRef, ...]) -> None:
        if removed.has_content or stay:
            self.notice_raised.emit(about_outdated(path, removed, len(stay)))

    @Slot(object)
    def _show_page(self, ref: PageRef | None) -> None:
        self._settle()
        self.page_selected.emit(ref)
        self.page_message_changed.emit(f"Opening {self.page_name}…" if ref else "")
        self.texts.show()
        self.tuning.show_page()
        self._refresh_plan()

    def _refresh_plan(self) -> None:
        ref = self.shelf.current if self.models.model is not None else None
        self.planner.show_page(ref, self._read_settings(ref).scaling)

    @Slot()
    def _tell_outlook(self) -> None:
        encoded, model = self.planner.encoded, self.models.model
        self.texts.set_outlook(outlook_of(encoded, model.info) if encoded and model else "")

    @Slot(object)
    def _show_page_image(self, reply: PageRendered) -> None:
        self.texts.forgive_picture(reply.ref)
        self.page_image_changed.emit(reply.image)

    @Slot(object)
    def _fail_page(self, failure: PageFailure) -> None:
        self.planner.stop_encoding()
        self.texts.blame_picture(failure)
        self.page_message_changed.emit(self._pages[failure.ref].picture_problem)

    @Slot(object, str)
    def _report_refused(self, path: Path, sentence: str) -> None:
        self.choices.forget_opened(path)
        self._tell_of_file(path, sentence)

    @Slot(object, str, object)
    def _tell_of_left_out(self, folder: Path, sentence: str, below: ScansBelow) -> None:
        self.notice_raised.emit(about_folder(folder, sentence, below))

    def _tell_of_file(self, path: Path, sentence: str) -> None:
        self.notice_raised.emit(about_file(path, sentence))

    @Slot(object)
    def _report_encoding(self, failure: PageFailure) -> None:
        """Report why the shown page cannot be encoded, unless it has no picture or the model is lost.

        Either has been told already.
        """
        page = self._pages.shown_page
        if page is not None and page.picture_problem == "" and not self.models.is_lost:
            self.notice_raised.emit(about_failure(failure, self._pages.name_of(failure.ref)))

    # Reading and text ----------------------------------------------------------------------

    @Slot()
    def read_selected(self) -> None:
        """Read the selected pages."""
        self.read(self.shelf.selected)

    @Slot()
    def read_all(self) -> None:
        """Read every page, in the order of the list, except those already read with the current settings.

        Pages of files that are still being opened are read too, as they come. If there is none to read, all
        pages are read again.
        """
        self.reader.await_files(self.opener.files_left > 0)
        rest = [page.ref for page in self._pages if not page.was_read_with(self._read_settings(page.ref))]
        self.read(tuple(rest) if rest or self.reader.activity.awaits_files else self._pages.refs)

    @Slot(object)
    def _follow_opened(self, refs: tuple[PageRef, ...]) -> None:
        if leaving := self._samples.leaving(refs):
            removed = self.shelf.take_out(leaving)
            if removed.has_content:
                self.notice_raised.emit(about_samples(removed))
        if pasted := self._pasted.take_to_read(refs):
            self.read_replacing(pasted)
        if self.reader.activity.awaits_files:
            pages = map(self._pages.get, refs)
            self.read_replacing(tuple(page.ref for page in pages if page is not None and page.is_blank))

    @Slot(object)
    def _copy_pasted(self, reading: Reading) -> None:
        if self._pasted.take_to_copy(reading):
            self.copier.copy((reading.ref,))

    @Slot(int)
    def _follow_opening(self, files_left: int) -> None:
        if not files_left:
            self.reader.await_files(False)

    def read(self, refs: tuple[PageRef, ...], scaling: Scaling | None = None) -> None:
        """Read pages; asks first if a person's edits would be replaced.

        Args:
            refs: which pages.
            scaling: how these pages alone are scaled from now on, if they are read; None for no change.
        """
        self._settle()
        edited = [ref for ref in refs if self._pages[ref].edited]
        if edited:
            name = self._pages.name_of(edited[0]) if len(edited) == 1 else ""
            cut = sum(self._pages[ref].is_cut for ref in edited)
            self.overwrite_questioned.emit(OverwriteQuestion(refs, frozenset(edited), cut, name, scaling))
        else:
            self.read_replacing(refs, scaling)

    def read_replacing(self, refs: tuple[PageRef, ...], scaling: Scaling | None = None) -> None:
        """Read pages like `read`, but without asking: the person agreed, or there is nothing to lose.

        Pages that left the list while the person was being asked are passed over.
        """
        refs = tuple(ref for ref in refs if ref in self._pages)
        if scaling is not None:
            self._scale_alone(refs, scaling)
        self.reader.read(refs)
        if refs and self.models.model is None and not self.models.status.loading:
            self.models.load()  # otherwise the failure is reported

    def _scale_alone(self, refs: tuple[PageRef, ...], scaling: Scaling) -> None:
        for ref in refs:
            self._pages[ref].scaling = scaling
        if self.shelf.current in refs:
            self._refresh_plan()
            self.tuning.show_page()

    def read_halves(self, ref: PageRef, *, beside: bool) -> None:
        """List the halves of a page in its place, and read them.

        Args:
            ref: a page, as from `as_listed`; ignored if it has left the list since.
            beside: True for the left and the right half, False for the top and the bottom half.
        """
        self.shelf.split((ref,), beside=beside)
        self.read(tuple(half for half in ref.halves(beside=beside) if half in self._pages))

    def as_listed(self, ref: PageRef) -> PageRef | None:
        """The same page or part, however rotated by now; None if it left the list, or was split or joined."""
        now = self._pages.as_open(ref)
        return now if now in self._pages and now.cuts == ref.cuts else None

    @Slot()
    def retry_current(self) -> None:
        """Read the shown page again, scaled as offered after its newest reading."""
        if self.shelf.current is not None and self.retry_scaling is not None:
            self.read((self.shelf.current,), self.retry_scaling)

    def take_offer(self, offer: SessionOffer) -> None:
        """Carry out the offer of a notice."""
        match offer:
            case LoadModel(request=request):
                self.models.take(request)
            case UseAuto():
                self.settle_retention(None)
            case BringBack(removed):
                self._bring_back(removed)
            case RestoreText(left):
                self.open_files(self._restorer.begin(left))
            case LeaveText(file):
                self.choices.settle_text(file)
            case OpenAgain(path):
                self.shelf.open_anew(path)
            case EnterPassword(path):
                self.open_files([path])
            case OpenSubfolders(folder, found):
                self._open_below(folder, found)
            case TakeBack(replaced):
                self.texts.put_words_back(replaced)
            case ReadAgain(ref, scaling):
                self._read_again(self._pages.as_open(ref), scaling)

    def _bring_back(self, removed: RemovedPages) -> None:
        self._samples.keep(page.ref.path for page in removed.pages)
        left_out = self.shelf.put_back(removed)
        if left_out.pages:
            self.notice_raised.emit(about_left_out(left_out))

    def _read_again(self, ref: PageRef, scaling: Scaling) -> None:
        if ref in self._pages:  # it may have been removed since
            self.read((ref,), scaling)

    def _read_settings(self, ref: PageRef | None) -> ReadSettings:
        """How a page is read now."""
        return self._pages.adapt(ref, self.choices.read_settings)

    def _settled_settings(self, ref: PageRef) -> ReadSettings:
        """How a page is read whose turn comes: not at a ratio that the slider only passes over."""
        settings = self._read_settings(ref)
        return replace(settings, pruning=replace(settings.pruning, retention=self._settled_retention))

    @Slot()
    def stop(self) -> None:
        """Stop whatever is being read, and clear the queue; while nothing is, stop exporting."""
        if self.is_reading:
            self.stop_reading()
        else:
            self.exporter.stop()

    @property
    def is_reading(self) -> bool:
        """True while anything is being read or waits to be: pages, a comparison, a curve, a search."""
        return not self.reader.activity.is_idle or self.tuning.is_reading

    def stop_reading(self) -> None:
        """Stop whatever is being read, and clear the queue."""
        self.reader.stop()
        self.tuning.stop()

    @Slot(str, bool)
    def edit_text(self, text: str, by_hand: bool = True) -> None:
        """Take over what the person typed; files that are still opening no longer replace the shown page."""
        self.shelf.stay()
        self.texts.edit(text, by_hand=by_hand)
