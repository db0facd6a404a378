"""Writes files so that a crash, a full disk or a second program never leaves half of one.

Also resolves and compares any paths, even invalid ones, expands patterns, and says why a file could not be
used.
"""

import contextlib
import errno
import glob
import os
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_LONGEST_STEM_BYTES = 200
"""Limit for names that get an ending, as file systems allow 255 bytes in all."""


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Write `data` to a temporary file beside `path`, flush it to disk, and rename it into place.

    An existing file keeps its permissions and stays untouched until the new one is complete. A
    symbolic link is followed, so that the file it names is replaced and not the link. A device or
    a pipe is written to directly, since a rename would put a file in its place; this is checked before links
    are followed, because the system's links to open pipes (/dev/stdout) lead to names that do not exist.

    Args:
        path: the file to write; its folder must exist.
        data: the whole content.
        mode: permissions of a new file, of which the person's own default (umask) may take some away.

    Raises:
        OSError: nothing was changed and no temporary file is left; also for a file that is protected from
            writing, which a rename would replace nevertheless.
    """
    if is_device(path):
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if is_protected(target):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    temporary = target.parent / f".{shortened(target.name)}.{os.urandom(4).hex()}.part"
    stream = open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
    try:
        with stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(OSError):  # there is none yet, or the file system knows no permissions
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sentence_on_unreadable(error: OSError) -> str:
    """Say that the system fails to read a file, and why."""
    return f"The file cannot be read ({reason_of(error)}). Check the disk or the connection."


def reason_of(error: OSError) -> str:
    """Return what the system says is the reason, or the kind of the error if it says nothing."""
    return error.strerror or type(error).__name__


def is_folder(path: Path | str) -> bool:
    """True if a path is a folder; never raises, as `Path.is_dir` does where a folder above is unreadable."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: Path) -> bool:
    """True if there is a file or folder; never raises, as `Path.exists` does where a name is too long."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """True if a path leads to a regular file, no folder, device or pipe; never raises."""
    return os.path.isfile(path)  # noqa: PTH113


def is_protected(path: Path) -> bool:
    """True if there is a file that may not be written to."""
    return path.exists() and not os.access(path, os.W_OK)


def is_device(path: Path) -> bool:
    """True if a path is a device or a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def resolved(path: Path) -> Path:
    """Follow the links of a path as far as they lead; an invalid path is returned as it is.

    `Path.resolve` raises for a loop of links (`RuntimeError`, before Python 3.13) and for a NUL.
    """
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path


FOLDER_GONE = "The current folder no longer exists. Change to another one."


def has_current_folder() -> bool:
    """False if the folder in which the program was started is gone: no relative path leads anywhere."""
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def identity(path: Path) -> tuple[int, int] | Path:
    """Return what a file or folder is known by, in whatever spelling of its path.

    It is known by where its path leads if it is not there, or if its file system numbers no files, as some
    network drives do not.
    """
    try:
        found = path.stat()
    except (OSError, ValueError):
        return resolved(path)
    return (found.st_dev, found.st_ino) if found.st_ino else resolved(path)


def is_same_path(one: Path, other: Path) -> bool:
    """True if two paths lead to the same file or folder, in whatever spelling, or would if it existed."""
    return identity(one) == identity(other)


def first_also_in(paths: Iterable[Path], others: Iterable[Path]) -> Path | None:
    """Return the first path that leads where one of the others leads; None if none does."""
    there = set(map(identity, others))
    return next((path for path in paths if identity(path) in there), None)


def shortened(name: str) -> str:
    """Return the beginning of a name, so that there is room for an ending."""
    encoded = os.fsencode(name)
    return (
        name
        if len(encoded) <= _LONGEST_STEM_BYTES
        else encoded[:_LONGEST_STEM_BYTES].decode("utf-8", "ignore")
    )


def without_case(name: str) -> str:
    """Return a name as file systems compare it that ignore case and the form of accents."""
    return unicodedata.normalize("NFC", name).casefold()


def named_files(name: Path) -> list[Path]:
    """Return the files an argument stands for, expanding patterns on Windows, whose shells do not.

    A file whose name looks like a pattern stands for itself, as does a pattern that matches nothing.
    """
    if not _shell_leaves_patterns() or os.path.lexists(name):
        return [name]
    found = glob.glob(str(name))  # noqa: PTH207  # `Path.glob` takes no pattern that begins with a drive
    return sorted(map(Path, found)) or [name]


def _shell_leaves_patterns() -> bool:
    return sys.platform == "win32"
