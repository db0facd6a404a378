"""Writes an exported file whole or not at all, and explains in a sentence why it could not be written.

Knows no format but PNG. How a file is replaced safely is in `files`.
"""

import errno
import io
import os
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rtocr_gui.errors import ExportError
from rtocr_gui.files import is_device, is_protected, reason_of, write_atomically

UNWRITTEN_SUFFIXES = frozenset({".doc", ".docx", ".epub", ".htm", ".html", ".odt", ".rtf"})
"""Endings of formats for text that RTOCR does not write: Markdown under such a name would look damaged."""
_PICTURE_MARK = "Software", "RTOCR"
_MARKED_BYTES = 256
"""How much of a picture is read to find the mark, which follows its size."""


def check_target(path: Path, *, may_be_folder: bool = False) -> None:
    """Check whether a file can be placed at a path before any work is done; nothing is written.

    Args:
        path: as it will be passed to `write_text_atomically` or `write_bytes_atomically`.
        may_be_folder: True if it may also be a folder, in which files will be placed.

    Raises:
        ExportError: its folder does not exist, or it or its folder cannot be changed, or it is itself a
            folder and may not be one.
    """
    try:
        if path.is_dir():
            if not may_be_folder:
                raise IsADirectoryError
            if not os.access(path, os.W_OK | os.X_OK):
                raise ExportError(f"The folder “{path}” cannot be changed. Choose another one.")
            return
        if is_device(path):
            return  # nothing is placed beside it
        target = Path(os.path.realpath(path))
        if not target.parent.is_dir():
            raise NotADirectoryError
        if not os.access(target.parent, os.W_OK | os.X_OK) or is_protected(target):
            raise PermissionError
    except OSError as error:
        raise ExportError(_explain(path, error)) from error


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text as UTF-8, with its line ends unchanged.

    Args:
        path: the file to write or replace; a device or a pipe is written to.
        text: the whole content.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ExportError(
            f"“{path.name}” was not written: character {error.start + 1} of the text is half a character, "
            "which cannot be saved. Delete it and export again."
        ) from error
    write_bytes_atomically(path, data)


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """Write bytes as `write_text_atomically` writes a text.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    try:
        write_atomically(path, data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ExportError(_explain(path, error)) from error


def write_picture_atomically(path: Path, picture: Image.Image) -> None:
    """Write a picture as PNG, as `write_text_atomically` writes a text.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    stream, info = io.BytesIO(), PngInfo()
    info.add_text(*_PICTURE_MARK)
    picture.save(stream, "PNG", pnginfo=info)
    write_bytes_atomically(path, stream.getvalue())


def may_be_scan(path: Path) -> bool:
    """True unless a file is known to be empty, or to be written by `write_picture_atomically`."""
    try:
        with path.open("rb") as stream:
            beginning = stream.read(_MARKED_BYTES)
    except OSError:
        return True
    return bool(beginning) and "\0".join(_PICTURE_MARK).encode() not in beginning


def make_folder(path: Path) -> None:
    """Create a folder if it does not exist.

    Raises:
        ExportError: it cannot be created.
    """
    try:
        path.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise ExportError(
            f"“{path}” is a file and not a folder. Remove it, or choose another name."
        ) from error
    except OSError as error:
        raise ExportError(_explain(path, error)) from error


def _explain(path: Path, error: OSError) -> str:
    """Explain why a file was not written, and what to do."""
    folder = Path(os.path.realpath(path)).parent
    if isinstance(error, IsADirectoryError):
        return f"“{path}” is a folder. Choose a file name in it."
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"“{path.name}” was not written: there is no folder “{folder}”. Create it, or choose another."
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        lack = f"“{path.name}” was not written: the folder “{folder}” or the file in it cannot be changed"
        if getattr(error, "winerror", None):  # Windows keeps an open file from being replaced
            return (
                f"{lack}, or another program has the file open. Close it there, or choose another location."
            )
        return f"{lack}. Choose another location."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"“{path.name}” was not written: the disk is full. Free some space, or choose another disk."
    return f"“{path.name}” was not written ({reason_of(error)}). Choose another location."
