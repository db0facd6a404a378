"""Keeps text that is in no file yet where it can be found after a crash.

Each running program writes one Markdown file beside the settings, soon after text was read or typed, and
removes it when its window is closed. A file whose program no longer runs was left by a crash: it gets a
readable name and is reported, with the texts that can be put back into their pages, at every start until the
person has settled what becomes of it. Knows no widget.
"""

import logging
import time
import uuid
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal, SignalInstance, Slot

from rtocr_gui.export.markdown import markdown_after
from rtocr_gui.files import is_file, is_folder, reason_of, write_atomically
from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.kept_text import KeptPage, LeftBehind, content_of, pages_in

DELAY_MS = 2000
"""Unsaved text is written this long after its first change."""

PAUSES = 20
"""Nothing is written for this many times as long as the last write took, with many pages or a slow disk."""

MOST_BYTES = 1 << 26
"""Size up to which a file is read at the start, to offer its texts: 20,000 full pages, and no wait."""

_READABLE = "Unsaved text, "
"""How the names of files begin that were left by a crash."""

_log = logging.getLogger(__name__)


class UnsavedTextKeeper(QObject):
    """Writes unsaved text to a file again and again.

    Args:
        folder: where; made when there is something to write.
        delay_ms: how long after a change the text is written, at least.
    """

    _failed = Signal(str)

    def __init__(self, folder: Path, delay_ms: int = DELAY_MS) -> None:
        super().__init__()
        self._folder = folder
        self._path = folder / f"unsaved-{uuid.uuid4().hex[:8]}.md"
        self._lock = _lock_of(self._path)
        self._unsaved: Callable[[], tuple[KeptPage, ...]] = tuple
        self._written: tuple[KeptPage, ...] = ()
        self._parts: dict[tuple[KeptPage | None, KeptPage], str] = {}
        self._has_warned = False
        self._lane = Lane("unsaved text")
        self._delay_ms = delay_ms
        self._last_took_ms = 0
        self._timer = one_shot(self, delay_ms, self._write_soon)

    def follow(
        self,
        changed: SignalInstance,
        unsaved: Callable[[], tuple[KeptPage, ...]],
        tell: Callable[[str], object],
    ) -> None:
        """Keep what is read and typed from now on.

        Args:
            changed: emitted when there may be other text to keep.
            unsaved: returns the pages to keep; none while all text is in files.
            tell: called on the main thread with a sentence if it cannot be kept.
        """
        self._failed.connect(tell)
        self._unsaved = unsaved
        changed.connect(self._expect)

    def close(self, timeout_s: float, lost: bool = False) -> bool:
        """Stop writing, and remove the file.

        Args:
            timeout_s: how long to wait for the last write.
            lost: True if nobody was asked whether the text may be lost: then it is written and stays.

        Returns:
            False if the last write has not finished in time.
        """
        self._timer.stop()
        unsaved = self._unsaved() if lost else ()
        self._lane.submit(lambda: self._write(unsaved))
        self._lane.submit(self._lock.unlock)
        return self._lane.finish(timeout_s)

    @Slot()
    def _expect(self) -> None:
        if not self._timer.isActive():
            self._timer.start(max(self._delay_ms, PAUSES * self._last_took_ms))

    @Slot()
    def _write_soon(self) -> None:
        if self._lane.is_busy:  # with the last write, on a disk that does not answer
            self._timer.start()
            return
        began = time.monotonic()
        unsaved = self._unsaved()
        self._lane.submit(lambda: self._write(unsaved))
        self._lane.submit(lambda: self._note_time(time.monotonic() - began))

    def _note_time(self, took_s: float) -> None:
        self._last_took_ms = round(1000 * took_s)

    def _write(self, unsaved: tuple[KeptPage, ...]) -> None:
        if unsaved == self._written:
            return
        try:
            if unsaved:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._lock.tryLock(0)  # it is free, and held as long as the file is there
                write_atomically(self._path, content_of(unsaved, self._parts_of(unsaved)), mode=0o600)
            else:
                self._path.unlink(missing_ok=True)
                self._lock.unlock()
            self._written = unsaved
        except OSError as error:
            _log.warning("unsaved text could not be kept: %s", error)
            if not self._has_warned:
                self._has_warned = True
                self._failed.emit(
                    f"Text that is not exported is not backed up: {reason_of(error)}. "
                    "Export it from time to time."
                )

    def _parts_of(self, pages: tuple[KeptPage, ...]) -> list[str]:
        """What each page adds; what was written last time is not parsed again for tables left open."""
        pairs = tuple(zip((None, *pages), pages, strict=False))
        self._parts = {pair: self._parts.get(pair) or markdown_after(*pair) for pair in pairs}
        return list(map(self._parts.__getitem__, pairs))


def take_left_behind(folder: Path, settled: Collection[str] = ()) -> tuple[LeftBehind, ...]:
    """Give readable names to files left by programs that ended unexpectedly, and return what such files hold.

    Those that were named at an earlier start are among them, unless they are settled. The newest is first:
    what is restored from it is not replaced by older text of the same pages.

    Args:
        folder: where they are.
        settled: readable names of those to leave out.
    """
    for path in sorted(folder.glob("unsaved-*.md") if is_folder(folder) else ()):
        lock = _lock_of(path)
        if not lock.tryLock(0):
            continue  # its program is running
        try:
            when = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
            path.replace(folder / f"{_READABLE}{when:%Y-%m-%d %H.%M.%S}, {path.stem[-4:]}.md")
        except OSError as error:
            _log.warning("unsaved text could not be renamed: %s", error)
        finally:
            lock.unlock()
    left = sorted(folder.glob(f"{_READABLE}*.md") if is_folder(folder) else (), reverse=True)
    return tuple(LeftBehind(path, _pages_kept_in(path)) for path in left if path.name not in settled)


def _pages_kept_in(path: Path) -> tuple[KeptPage, ...]:
    """The texts that can be put back into their pages; none if the file is not one of ours."""
    try:
        if is_file(path) and path.stat().st_size <= MOST_BYTES:
            return pages_in(path.read_bytes())
    except OSError as error:
        _log.warning("unsaved text could not be read: %s", error)
    return ()


def _lock_of(path: Path) -> QLockFile:
    lock = QLockFile(f"{path}.lock")
    # Only the system's own lock shows whether its program runs; neither age nor process number does.
    lock.setStaleLockTime(1)
    return lock
