"""Whether the window may close: asks before an export or text is lost, and exports the text first if wanted.

The dialogs themselves are in `questions`.
"""

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.export_dialogs import ExportDialogs
from rtocr_gui.ui.state.notices import Notice
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity
from rtocr_gui.units import counted


class Closing(QObject):
    """Asks over a window that is about to close.

    Signals:
        notice_raised (Notice): that the window closes once the text is exported, or why it does not.

    Args:
        window: parent of the dialogs; closed after an export.
        session: what would be lost.
        export_dialogs: asks where to export it.
    """

    notice_raised = Signal(object)

    def __init__(self, window: QWidget, session: Session, export_dialogs: ExportDialogs) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._export_dialogs = export_dialogs
        self._leaving_for: Path | None = None
        session.reader.activity_changed.connect(self._export_at_last)

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
        words = loss.in_words(lambda lost: counted(lost, "page"), "when the window closes")
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
        self._session.stop_reading()
        self._export_at_last(self._session.reader.activity)

    @Slot(object)
    def _export_at_last(self, activity: Activity) -> None:
        """Export at closing, once the pages that were being read have stopped."""
        path = self._leaving_for
        if path is not None and not activity.reading:
            self._leaving_for = None
            self._session.exporter.export_text(path, then=self._close)

    def _close(self, all_well: bool) -> None:
        if all_well:
            self._window.close()
        else:
            sentence = "The window stays open, as the file lacks something. Close it again to leave."
            self.notice_raised.emit(Notice(sentence))
