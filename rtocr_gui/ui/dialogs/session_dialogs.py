"""Actions that need an answer from the person first: when to open a dialog, and what follows.

The dialogs themselves are in `questions`; this knows when to ask, and what the session does then.
"""

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from rtocr_gui.documents.labels import counted_pages
from rtocr_gui.documents.pages import Crop, PageRef
from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.asking import Ask, asked_task
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.notices import ReadHalves, about_locked
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import OverwriteQuestion, PasswordQuestion
from rtocr_gui.units import grouped


class SessionDialogs(QObject):
    """Asks in dialogs over a window, and passes the answers to the session.

    Signals:
        notice_raised (Notice): a message to the person.

    Args:
        window: parent of the dialogs.
        session: what is asked about.
    """

    notice_raised = Signal(object)

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._password_questions: dict[Path, PasswordQuestion] = {}
        self._tried: dict[Path, PasswordQuestion] = {}  # files that got the password of another
        session.opener.password_needed.connect(self.ask_password)
        session.overwrite_questioned.connect(self.ask_overwrite)

    @Slot()
    def ask_files(self) -> None:
        """Ask which files to open."""
        paths = questions.ask_files(self._window, self._last_folder)
        if paths:
            self._session.choices.remember(last_folder=str(paths[0].parent))
            self._session.open_files(paths)

    @Slot()
    def ask_folder(self) -> None:
        """Ask for a folder whose scans to open."""
        folder = questions.ask_folder(self._window, self._last_folder)
        if folder is not None:
            self._session.choices.remember(last_folder=str(folder))
            self._session.open_files([folder])

    @Slot(object)
    def ask_password(self, question: PasswordQuestion) -> None:
        """Ask for passwords one after the other, once for each file, so that no dialog covers another.

        A password is also tried on the other files that wait for theirs, as files often share one.
        """
        waiting = self._password_questions
        is_asking = bool(waiting)
        waiting.setdefault(question.path, self._tried.pop(question.path, question))
        if is_asking:
            return
        while waiting:
            path, question = next(iter(waiting.items()))
            password = questions.ask_password(self._window, question)
            del waiting[path]
            if password:
                for each in (path, *waiting):
                    self._session.opener.unlock(each, password)
                self._tried.update(waiting)
                waiting.clear()
            else:
                self._session.opener.leave_locked(path)
                self.notice_raised.emit(about_locked(path, question.sentence))

    @Slot(object)
    def ask_overwrite(self, question: OverwriteQuestion) -> None:
        """Ask before edited text is replaced, and read the pages that may be read."""
        answer = questions.ask_overwrite(self._window, question)
        if answer is questions.Overwrite.READ_NOTHING:
            return
        kept = question.edited if answer is questions.Overwrite.KEEP else ()
        refs = tuple(ref for ref in question.refs if ref not in kept)
        self._session.read_replacing(refs, question.scaling)

    @Slot()
    def ask_remove(self) -> None:
        """Remove the selected pages from the list; asks first if something would be lost."""
        refs = self._session.shelf.selected
        if self._may_leave(refs, "Remove"):
            self._session.shelf.remove(refs)

    def ask_split(self, *, beside: bool) -> None:
        """List the halves of the selected pages instead; asks first if something would be lost."""
        refs = self._session.shelf.selected
        if self._may_leave(refs, "Split"):
            self._session.shelf.split(refs, beside=beside)

    def ask_halves(self, offer: ReadHalves) -> None:
        """List and read the halves of a page instead, if it is still there; asks first like `ask_split`."""
        ref = self._session.as_listed(offer.ref)
        if ref is not None and self._may_leave((ref,), "Split"):
            self._session.read_halves(ref, beside=offer.beside)

    @Slot()
    def ask_join(self) -> None:
        """List pages instead of their selected halves; asks first if something would be lost."""
        refs = self._session.shelf.to_join
        if self._may_leave(refs, "Join"):
            self._session.shelf.join(refs)

    @Slot(object)
    def ask_crop(self, crop: Crop) -> None:
        """List a part of each selected page instead; asks first if something would be lost."""
        refs = self._session.shelf.selected
        if self._may_leave(refs, "Crop"):
            self._session.shelf.crop(refs, crop)

    @Slot()
    def ask_uncrop(self) -> None:
        """List what the selected pages were cropped from; asks first if something would be lost."""
        refs = self._session.shelf.to_uncrop
        if self._may_leave(refs, "Uncrop"):
            self._session.shelf.uncrop(refs)

    def _may_leave(self, refs: tuple[PageRef, ...], verb: str) -> bool:
        """False if something would be lost with these pages and the person would rather keep it."""
        loss, count = self._session.unsaved.loss(refs), len(refs)
        title = f"{verb} {counted_pages(refs) if count > 1 else 'page'}?"
        its = "the page" if count == 1 else "the pages"
        when = f"unless you restore {its} right away" if loss.is_text else f"with {its}"
        words = loss.in_words(lambda lost: _of_these(lost, count), when)
        return not loss.matters or questions.agrees(self._window, title, words, verb)

    def ask_task(self, ask: Ask) -> None:
        """Ask for the words of a task, until they are valid or the person gives up."""
        task, question = self._session.choices.task, ask.question
        words = task.words if task.name == ask.name else ""
        while words := questions.ask_words(self._window, ask.label, question, words):
            try:
                self._session.set_task(asked_task(ask, words))
            except SettingsError as error:
                question = f"{error}\n\n{ask.question}"
            else:
                return

    @property
    def _last_folder(self) -> str:
        return questions.existing_folder(self._session.choices.settings.last_folder)

    @Slot()
    def ask_model_folder(self) -> None:
        """Ask which checkpoint to read with."""
        folder = questions.ask_model_folder(self._window, self._session.choices.settings.model_folder)
        if folder is not None:
            self._session.models.choose(folder)

    @Slot()
    def tell_about_model(self) -> None:
        """Show what the model in use reads, and what it does not."""
        if self._session.models.model is not None:
            questions.tell_about_model(self._window, self._session.models.model)

    @Slot()
    def tell_about_program(self) -> None:
        """Show what the program is."""
        questions.tell_about_program(self._window)


def _of_these(lost: int, count: int) -> str:
    """Name how many of the pages in question are affected."""
    if lost == count:
        return "this page" if count == 1 else "these pages"
    return "one of these pages" if lost == 1 else f"{grouped(lost)} of these pages"
