"""Receives files and pictures that are dropped on the window or pasted.

Knows no session: it emits what came, or why nothing did.
"""

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QKeySequence

from rtocr_gui.ui.parts.keys import asks_for


class Arrivals(QObject):
    """Finds files and pictures in dropped data and on the clipboard.

    Signals:
        files_came (list of Path): files to open.
        picture_came (QImage): a picture without a file.
        nothing_came (str): a sentence that says why nothing was found.

    Args:
        parent: Qt parent.
    """

    files_came = Signal(object)
    picture_came = Signal(object)
    nothing_came = Signal(str)

    def offer(self, event: QDragEnterEvent) -> None:
        """Accept a drag over the window if it contains files or a picture."""
        if _local_files(event.mimeData()) or event.mimeData().hasImage():
            _accept(event)

    def take(self, event: QDropEvent) -> None:
        """Take what was dropped."""
        _accept(event)
        data = event.mimeData()
        if event.isAccepted():
            self._take(_local_files(data), QImage(data.imageData()) if data.hasImage() else QImage())

    @Slot()
    def paste(self) -> None:
        """Take the files or the picture on the clipboard."""
        data = clipboard_data()
        self._take(_local_files(data) if data is not None else [], QGuiApplication.clipboard().image())

    def _take(self, files: list[Path], image: QImage) -> None:
        if files:
            self.files_came.emit(files)
        elif image.isNull():
            self.nothing_came.emit("There is no image and no file to paste.")
        else:
            self.picture_came.emit(image)


def clipboard_data() -> QMimeData | None:
    """The clipboard's data: None on some platforms if it is empty, whatever the stubs promise."""
    return QGuiApplication.clipboard().mimeData()


def is_for_text(data: QMimeData | None) -> bool:
    """True if text should be pasted, and no file or picture opened; copied files have names as text."""
    return data is not None and data.hasText() and not _local_files(data)


def leaves_paste(event: QEvent) -> bool:
    """Tell Qt, if it is asking, that copied files and pictures are for the window, not to be pasted here."""
    if asks_for(event, QKeySequence.StandardKey.Paste) and not is_for_text(clipboard_data()):
        event.ignore()
        return True
    return False


def _accept(event: QDropEvent) -> None:
    """Accept as a copy, whatever key is held: after a move the file manager would delete the files."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.setAccepted(event.dropAction() is not Qt.DropAction.MoveAction)


def _local_files(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
