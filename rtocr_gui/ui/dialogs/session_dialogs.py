"""Actions that need an answer from the person first: when to open a dialog, and what follows.

The dialogs themselves are in `questions`; this knows when to ask, and what the session does then.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from rtocr_gui.documents.labels import counted_pages
from rtocr_gui.documents.pages import Crop, PageRef
from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.asking import Ask, asked_task
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.export_dialogs import ExportDialogs
from rtocr_gui.ui.state.notices import Notice, about_file
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, Loss, OverwriteQuestion, PasswordQuestion
from rtocr_gui.units import counted, grouped


class SessionDialogs(QObject):
    """Asks in dialogs over a window, and passes the answers to the session.

    Signals:
        notice_raised (Notice): a message to the person.

    Args:
        window: parent of the dialogs.
        session: what is asked about.
        export_dialogs: asks where to export what would be lost when the window closes.
    """

    notice_raised = Signal(object)

    def __init__(self, window: QWidget, session: Session, export_dialogs: ExportDialogs) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._export_dialogs = export_dialogs
        self._password_questions: dict[Path, PasswordQuestion] = {}
        self._tried: dict[Path, PasswordQuestion] = {}  # files that got the password of another
        self._leaving_for: Path | None = None
        session.opener.password_needed.connect(self.ask_password)
        session.reader.activity_changed.connect(self._export_at_last)
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
                self.notice_raised.emit(about_file(path, f"not opened. {question.sentence}"))

    @Slot(object)
    def ask_overwrite(self, question: OverwriteQuestion) -> None:
        """Ask before edited text is replaced; the other pages are read either way."""
        kept = () if questions.ask_overwrite(self._window, question) else question.edited
        refs = tuple(ref for ref in question.refs if ref not in kept)
        self._session.read_replacing(refs, question.scaling)

    @Slot()
    def ask_remove(self) -> None:
        """Remove the selected pages from the list; asks first if something would be lost."""
        refs = self._session.shelf.selected
        if self._may_leave(refs, "Remove"):
            self._session.remove_pages(refs)

    def ask_split(self, *, beside: bool) -> None:
        """List the halves of the selected pages instead; asks first if something would be lost."""
        refs = self._session.shelf.to_split
        if self._may_leave(refs, "Split"):
            self._session.split_pages(refs, beside=beside)

    @Slot()
    def ask_join(self) -> None:
        """List pages instead of their selected halves; asks first if something would be lost."""
        refs = self._session.shelf.to_join
        if self._may_leave(refs, "Join"):
            self._session.join_pages(refs)

    @Slot(object)
    def ask_crop(self, crop: Crop) -> None:
        """List a part of each selected page instead; asks first if something would be lost."""
        refs = self._session.shelf.selected
        if self._may_leave(refs, "Crop"):
            self._session.crop_pages(refs, crop)

    @Slot()
    def ask_uncrop(self) -> None:
        """List what the selected pages were cropped from; asks first if something would be lost."""
        refs = self._session.shelf.to_uncrop
        if self._may_leave(refs, "Uncrop"):
            self._session.uncrop_pages(refs)

    def _may_leave(self, refs: tuple[PageRef, ...], verb: str) -> bool:
        """False if something would be lost with these pages and the person would rather keep it."""
        loss, count = self._session.unsaved.loss(refs), len(refs)
        title = f"{verb} {counted_pages(refs) if count > 1 else 'page'}?"
        its = "the page" if count == 1 else "the pages"
        when = f"unless you restore {its} right away" if loss.is_text else f"with {its}"
        words = _in_words(loss, lambda lost: _of_these(lost, count), when)
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

    def may_close(self) -> bool:
        """False if an export or text would be lost and the person would rather keep it.

        If they want the text exported first, the window closes by itself once that has gone well.
        """
        is_exporting = self._session.exporter.is_exporting or self._leaving_for is not None
        if is_exporting and not questions.agrees(
            self._window,
            "Close before the export is finished?",
            "A file is still being exported. It may not be written if the window closes now.",
            "Close",
        ):
            return False
        loss = self._session.unsaved.loss(self._session.shelf.refs)
        if not (loss.is_text or loss.in_hand):
            return True
        words = _in_words(loss, lambda lost: counted(lost, "page"), "when the window closes")
        if loss.is_text:
            leave = questions.ask_leave(self._window, "Export before closing?", words)
            if leave is questions.Leave.EXPORT:
                self._export_dialogs.ask_text(self._session.shelf.refs, self._export_and_close)
            may_close = leave is questions.Leave.LOSE
        else:
            may_close = questions.agrees(self._window, "Close while the model is reading?", words, "Close")
        now = self._session.unsaved.loss(self._session.shelf.refs)  # reading continues behind the question
        is_worse = now.is_text and (now.typed > loss.typed or not loss.is_text)
        return may_close and (not is_worse or self.may_close())

    def _export_and_close(self, path: Path) -> None:
        """Stop reading, export, and close the window, which asks again if something was typed meanwhile."""
        sentence = "The window closes once the text is written."
        self.notice_raised.emit(Notice(sentence, is_passing=True, about=path))
        self._leaving_for = path
        self._session.stop()
        self._export_at_last(self._session.reader.activity)

    @Slot(object)
    def _export_at_last(self, activity: Activity) -> None:
        """Export at closing, once the pages that were being read have stopped."""
        path = self._leaving_for
        if path is not None and not activity.reading:
            self._leaving_for = None
            self._session.exporter.export_text(path, then=self._window.close)


def _in_words(loss: Loss, pages: Callable[[int], str], when: str) -> str:
    """Say what would be lost.

    Args:
        loss: what would be lost.
        pages: names this many of the pages.
        when: when it is lost, or what would keep it.
    """
    sentences = []
    if loss.typed:
        sentences.append(f"You edited the text of {pages(loss.typed)} and did not export it.")
    if loss.read:
        sentences.append(f"The text read from {pages(loss.read)} was not exported.")
    if loss.in_hand:
        sentences.append(f"The model is still reading {pages(loss.in_hand)}.")
    what = "It" if loss.is_text else "What was read so far"
    return " ".join([*sentences, f"{what} will be lost {when}."])


def _of_these(lost: int, count: int) -> str:
    """Name how many of the pages in question are affected."""
    if lost == count:
        return "this page" if count == 1 else "these pages"
    return "one of these pages" if lost == 1 else f"{grouped(lost)} of these pages"
