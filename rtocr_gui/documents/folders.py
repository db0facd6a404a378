"""Finds the scans in folders by their names, in the order in which people count. Opens no file."""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rtocr_gui.errors import DocumentError
from rtocr_gui.files import is_folder, reason_of

SUPPORTED_SUFFIXES = (
    ".avif",
    ".bmp",
    ".dib",
    ".gif",
    ".j2c",
    ".j2k",
    ".jfif",
    ".jp2",
    ".jpc",
    ".jpe",
    ".jpeg",
    ".jpf",
    ".jpg",
    ".jpx",
    ".pdf",
    ".png",
    ".tif",
    ".tiff",
    ".webp",
)
"""Suffixes that a file dialog offers. A file is opened by its content, whatever its name."""

UNREAD_SUFFIXES = {".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".jxl": "JPEG XL"}
"""Suffixes of pictures that RTOCR does not read, and what their formats are called."""

FIGURES_SUFFIX = ".assets"
"""Suffix of a folder of figures that were cut out of pages; none of them is a scan."""

MOST_ENTRIES = 50_000
"""How many files and folders are looked at to find scans in subfolders."""

_SAVE_OTHERWISE = "Save them as JPEG or PNG first."

_LEFT_OUT_BELOW = {
    True: "Scans in its subfolders are left out. Open them too.",
    False: "",
    None: "Its subfolders are left out, and may have scans. Open those that you need.",
}
"""What to say of a folder with scans, by whether its subfolders have some; None if there are too many."""

_NO_SCANS = {
    True: "This folder has pictures or PDFs only in its subfolders. Open those.",
    False: "This is a folder without pictures or PDFs. Choose another.",
    None: "This folder has no pictures or PDFs, except perhaps in its subfolders. Open those that you need.",
}
"""Why a folder without scans of its own is not opened, by the same."""


class _TooManyEntries(Exception):
    """There are more files and folders below a folder than were to be looked at."""


@dataclass(frozen=True, slots=True)
class ListedFiles:
    """The files to open for a path.

    Attributes:
        files: the scans in a folder, or the file itself.
        left_out: sentences about pictures in the folder that RTOCR does not read, and about scans in
            subfolders; empty if there are neither.
    """

    files: tuple[Path, ...]
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class ScansBelow:
    """The scans in the subfolders of a folder, and in theirs.

    Attributes:
        files: the scans, folder by folder, each sorted as by `list_files`.
        left_out: a sentence about pictures beside them that RTOCR does not read; may be empty.
    """

    files: tuple[Path, ...] = ()
    left_out: str = ""


def list_files(path: Path) -> ListedFiles:
    """List the files to open for a path: the scans in a folder, sorted by name, or the file itself.

    Scan 2 comes before scan 10. Subfolders and hidden files are skipped.

    Raises:
        DocumentError: the folder contains no scan, or cannot be read.
    """
    if not is_folder(path):
        return ListedFiles((path,))
    there = _entries(path)
    files = _scans_among(there)
    unread = [file for file in there if _is_named(file, UNREAD_SUFFIXES)]
    if files:
        left_out = _about_unread(unread), _LEFT_OUT_BELOW[_has_scans_below(path)]
        return ListedFiles(files, " ".join(filter(None, left_out)))
    if unread:
        raise DocumentError(
            f"The pictures in this folder are {_kinds(unread)}, which RTOCR does not read. {_SAVE_OTHERWISE}"
        )
    raise DocumentError(_NO_SCANS[_has_scans_below(path)])


def scans_in(folder: Path) -> tuple[Path, ...]:
    """List the scans in a folder as `list_files` does, without a look into its subfolders.

    Raises:
        DocumentError: the folder cannot be read.
    """
    return _scans_among(_entries(folder))


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise DocumentError(
            f"The folder cannot be read ({reason_of(error)}). Ask its owner, or open a copy."
        ) from error


def _scans_among(entries: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(sorted(filter(looks_like_a_scan, entries), key=_as_people_count))


def find_below(folder: Path) -> ScansBelow:
    """Find the scans in the subfolders of a folder, at any depth.

    Hidden folders, those of figures that RTOCR exported, and links to folders are passed over. Nothing is
    found in more than `MOST_ENTRIES`, or where there is no folder.
    """
    try:
        there = [file for files in _files_below(folder) for file in files]
    except _TooManyEntries:
        return ScansBelow()
    unread = [file for file in there if _is_named(file, UNREAD_SUFFIXES)]
    return ScansBelow(tuple(filter(looks_like_a_scan, there)), _about_unread(unread))


def _has_scans_below(folder: Path) -> bool | None:
    """Return whether there are scans in subfolders; None if there is too much to look at."""
    try:
        return any(any(map(looks_like_a_scan, files)) for files in _files_below(folder))
    except _TooManyEntries:
        return None


def _files_below(folder: Path) -> Iterator[list[Path]]:
    """Yield the files of each folder below a folder, in order, each before those of the folders in it.

    Hidden folders and those of figures are passed over with all below them, links to folders are not
    followed, and folders that cannot be read are left out.

    Raises:
        _TooManyEntries: there are more than `MOST_ENTRIES`.
    """
    waiting, left = [folder], MOST_ENTRIES
    while waiting:
        current = waiting.pop()
        folders, files = list[Path](), list[Path]()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if not left:
                        raise _TooManyEntries
                    left -= 1
                    (folders if entry.is_dir(follow_symlinks=False) else files).append(Path(entry))
        except OSError:
            continue
        if current is not folder:
            yield sorted(files, key=_as_people_count)
        next_first = sorted(folders, key=_as_people_count, reverse=True)
        waiting += (each for each in next_first if each.name[0] != "." and each.suffix != FIGURES_SUFFIX)


def _about_unread(unread: Collection[Path]) -> str:
    if not unread:
        return ""
    return f"Pictures left out, as RTOCR does not read {_kinds(unread)}: {len(unread)}. {_SAVE_OTHERWISE}"


def _kinds(unread: Iterable[Path]) -> str:
    return " and ".join(sorted({UNREAD_SUFFIXES[file.suffix.lower()] for file in unread}))


def looks_like_a_scan(file: Path) -> bool:
    """True for a file that a folder of scans is searched for: not hidden, and named like a picture or PDF.

    A link whose target cannot be reached counts: opening it says why.
    """
    return _is_named(file, SUPPORTED_SUFFIXES)


def _is_named(file: Path, suffixes: Collection[str]) -> bool:
    """True for a file, or a link that leads nowhere, that has one of these suffixes and is not hidden."""
    if file.suffix.lower() not in suffixes or file.name.startswith("."):
        return False
    try:
        return file.is_file() or (file.is_symlink() and not file.exists())
    except OSError:
        return True


def _as_people_count(path: Path) -> list[str | int]:
    """Sort key that orders numbers in names by value: words and numbers in turn."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]
