"""Finds the true text of a page in a file next to the scan, or in the scan itself if it is a PDF with text.

The truth of `scan.png` is `scan.md`, or else `scan.txt`. In a file with several pages, the truth of page 3
is `scan-page3.md` or `scan-page3.txt`; the plain name then stands for the whole file and is not used. A file
that RTOCR exported contains what was read, not what is true, and is skipped as long as the comment that names
its page is at the top. A page of a PDF that was not scanned has a text of its own, which is true but for what
a PDF does not tell: the order of columns, or markup. Knows no model and compares nothing.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.scan_file import ScanFile
from rtocr_gui.errors import DocumentError
from rtocr_gui.files import is_file, is_same_path, reason_of, resolved, without_case

TRUTH_SUFFIXES = (".md", ".txt")
LARGEST_TRUTH_BYTES = 200_000
"""A densely printed page has about ten thousand characters of up to three bytes each; a whole book would take
seconds to compare."""

_EXPORT_MARK = re.compile(r"<!-- page: .*? -->\s*")
_LONGEST_MARK = 10_000
"""In characters: a path may be about four thousand long, before it is escaped."""
_PAGE_OF_FILE = re.compile(r"-page[0-9]+$")


@dataclass(frozen=True, slots=True)
class Truth:
    """The true text of a page, with LF line ends and without surrounding whitespace.

    Attributes:
        path: the file that has it.
        text: the text.
    """

    path: Path
    text: str


def find_truth(ref: PageRef, page_count: int) -> Truth | None:
    """Look for the true text of a page: next to the scan, or else in it.

    Args:
        ref: the page, rotated as it is read.
        page_count: number of pages in its file.

    Returns:
        The truth; None if there is none, as for a part of a page.

    Raises:
        DocumentError: there is such a file, but it cannot be used as text.
    """
    if ref.cuts:
        return None
    path = ref.path
    stem = path.stem if page_count == 1 else f"{path.stem}-page{ref.index + 1}"
    for suffix in TRUTH_SUFFIXES:
        candidate = path.with_name(stem + suffix)
        if candidate != path and is_file(candidate):
            text = _text_of(candidate)
            if not _EXPORT_MARK.match(text):
                return Truth(candidate, text)
    return _own_text(ref) if path.suffix.lower() == ".pdf" else None


def _own_text(ref: PageRef) -> Truth | None:
    """Return the text that a page of a PDF has of its own; None also for one that cannot be opened."""
    try:
        pdf = ScanFile(ref.path, password=None)
        try:
            text = pdf.own_text(ref.index, ref.rotation_deg)
        finally:
            pdf.rest()
    except DocumentError:
        return None
    return Truth(ref.path, text) if 0 < len(text) <= LARGEST_TRUTH_BYTES else None


def scan_of_truth(path: Path, scans: Collection[Path]) -> Path | None:
    """Return the scan whose true text a file may hold: it is named so, and was not exported by RTOCR.

    Args:
        path: a file, which need not exist.
        scans: any scans, which are gone through twice.
    """
    return scan_it_is_named_for(path, scans) if is_file(path) and not _was_exported(path) else None


def scan_it_is_named_for(path: Path, scans: Collection[Path]) -> Path | None:
    """Return the scan whose true text a file would be taken for, by its name; it need not exist."""
    for file in {path, resolved(path)}:  # either may be the one beside the scan
        stem = without_case(file.stem)
        stems = {stem, _PAGE_OF_FILE.sub("", stem)} if file.suffix.lower() in TRUTH_SUFFIXES else ()
        for scan in scans:
            if without_case(scan.stem) in stems and is_same_path(scan.parent, file.parent):
                return scan
    return None


def scan_they_are_named_for(paths: Iterable[Path], scans: Collection[Path]) -> Path | None:
    """Return the first scan whose true text one of these files would be taken for."""
    return next(filter(None, (scan_it_is_named_for(path, scans) for path in paths)), None)


def _was_exported(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            return _EXPORT_MARK.match(stream.read(_LONGEST_MARK)) is not None
    except OSError:
        return False


def read_truth(path: Path) -> Truth:
    """Read a true text from a file, without the comment in which an export names its page.

    Raises:
        DocumentError: it cannot be read, is too large, or is not UTF-8.
    """
    text = _text_of(path)
    mark = _EXPORT_MARK.match(text)
    return Truth(path, text[mark.end() :] if mark else text)


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_TRUTH_BYTES + 1)
    except OSError as error:
        raise DocumentError(
            f"“{path.name or path}” cannot be read as the true text of the page ({reason_of(error)})."
        ) from error
    if len(data) > LARGEST_TRUTH_BYTES:
        raise DocumentError(
            f"“{path.name}” has more than {LARGEST_TRUTH_BYTES // 1000} kB: too much to be used as the true "
            "text of one page."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"“{path.name}” is not UTF-8 and cannot be used as the true text of the page. Save it as UTF-8."
        ) from error
    return text.replace("\r\n", "\n").strip()
