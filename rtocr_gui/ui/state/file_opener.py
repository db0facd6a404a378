"""Which files are to be opened, which are being opened, and whose passwords are awaited.

Asks the bridge for one file after another. Knows neither what becomes of their pages nor widgets.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from rtocr_gui.documents.folders import find_below
from rtocr_gui.errors import PasswordRequired
from rtocr_gui.files import is_folder
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import Computed, DocumentOpened, FolderListed, RequestFailed
from rtocr_gui.ui.state.shown import PasswordQuestion


@dataclass(frozen=True, slots=True)
class _Opening:
    """A file or folder that is being opened, and whether this is for the sake of pages known before."""

    path: Path
    again: bool = False


@dataclass(frozen=True, slots=True)
class _Search:
    """A folder whose subfolders are searched for scans, and what is to be said of it.

    Attributes:
        folder: which one.
        sentence: what to say.
        is_refused: True if it has no scans of its own.
    """

    folder: Path
    sentence: str
    is_refused: bool = False


class FileOpener(QObject):
    """Opens files, those in folders, and pictures that have no file.

    Signals:
        requested (): files or a picture are to be opened, in addition to those before.
        opened (Path, tuple of PageRef, bool): a file was opened, its pages, and whether `open_again` did it.
        changed (int): `files_left` may have changed.
        password_needed (PasswordQuestion): a file would open with the right password; `unlock` or
            `leave_locked` follows.
        refused (Path, str): why a file, or a folder with nothing to open below it either, cannot be opened.
        left_out (Path, str, ScansBelow): what of a folder is not opened, and the scans in its subfolders.

    Args:
        bridge: opens them off the main thread.
        parent: Qt parent.
    """

    requested = Signal()
    opened = Signal(object, object, bool)
    changed = Signal(int)
    password_needed = Signal(object)
    refused = Signal(object, str)
    left_out = Signal(object, str, object)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._to_open: deque[Path] = deque()
        self._opening: dict[int, _Opening] = {}  # by the id of the request
        self._locked: dict[Path, _Opening] = {}  # whose passwords are awaited
        self._searched: dict[int, _Search] = {}  # by the id of the request
        bridge.document_opened.connect(self._tell_opened)
        bridge.folder_listed.connect(self._open_folder)
        bridge.computed.connect(self._end_search)
        bridge.request_failed.connect(self._report)

    @property
    def files_left(self) -> int:
        """How many files are still to be opened; those whose password is being asked for are among them."""
        return len(self._to_open) + len(self._opening) + len(self._locked)

    @property
    def is_busy(self) -> bool:
        """True while files are being opened or wait their turn, not if passwords alone are awaited."""
        return bool(self._to_open or self._opening)

    def is_opening(self, path: Path) -> bool:
        """True while this file is being opened."""
        return any(opening.path == path for opening in self._opening.values())

    def open_files(self, paths: Iterable[Path]) -> None:
        """Open files, named in full; each that fails is refused with its own reason.

        A folder stands for the scans in it.
        """
        self.requested.emit()
        self._to_open.extend(paths)
        self._open_next()

    def open_picture(self, picture: QImage, path: Path) -> None:
        """Save a picture that has no file to this path, and open it."""
        self.requested.emit()
        self._opening[self._bridge.open_picture(picture, path)] = _Opening(path)
        self.changed.emit(self.files_left)

    def open_again(self, path: Path) -> None:
        """Open a file for the sake of pages known before, unless it is being opened."""
        if not self.is_opening(path):
            self._open(_Opening(path, again=True))

    def open_anew(self, path: Path) -> None:
        """Open a file as it is now, before those that wait."""
        self._to_open.appendleft(path)
        self._open_next()

    def unlock(self, path: Path, password: str) -> None:
        """Open a file with the password that the person gave."""
        self._open(self._locked.get(path, _Opening(path)), password)

    def leave_locked(self, path: Path) -> None:
        """Do not open a file that needs a password: the person gave none."""
        self._locked.pop(path, None)
        self.changed.emit(self.files_left)

    def _open_next(self) -> None:
        """Open files one by one, as a folder makes room for those in it."""
        if self._to_open and not self._opening:
            self._open(_Opening(self._to_open.popleft()))
        else:
            self.changed.emit(self.files_left)

    def _open(self, opening: _Opening, password: str | None = None) -> None:
        self._locked.pop(opening.path, None)
        self._opening[self._bridge.open_document(opening.path, password)] = opening
        self.changed.emit(self.files_left)

    @Slot(object)
    def _tell_opened(self, reply: DocumentOpened) -> None:
        opening = self._opening.pop(reply.request_id)
        self.opened.emit(reply.path, reply.pages, opening.again)
        self._open_next()

    @Slot(object)
    def _open_folder(self, reply: FolderListed) -> None:
        del self._opening[reply.request_id]
        self._to_open.extendleft(reversed(reply.files))
        self._open_next()
        if reply.left_out:
            self._search(_Search(reply.folder, reply.left_out))

    def _search(self, search: _Search) -> None:
        self._searched[self._bridge.compute(partial(find_below, search.folder))] = search

    @Slot(object)
    def _end_search(self, reply: Computed) -> None:
        search = self._searched.pop(reply.request_id, None)
        if search is None:
            return
        if search.is_refused and not reply.result.files:
            self.refused.emit(search.folder, search.sentence)
        else:
            self.left_out.emit(search.folder, search.sentence, reply.result)

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        opening = self._opening.pop(failure.request_id, None)
        if opening is None:
            return
        is_locked = issubclass(failure.kind, PasswordRequired)
        if is_locked:
            self._locked[opening.path] = opening
        self._open_next()
        if is_locked:
            self.password_needed.emit(PasswordQuestion(opening.path, failure.sentence))
        elif is_folder(opening.path):
            self._search(_Search(opening.path, failure.sentence, is_refused=True))
        else:
            self.refused.emit(opening.path, failure.sentence)
