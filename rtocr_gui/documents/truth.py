"""What a page really says, where somebody wrote it down beside the scan.

The truth of `scan.png` is `scan.md`, or else `scan.txt`. Page 3 of a file with several pages has its
truth in `scan-page3.md` or `scan-page3.txt`; the plain name holds the text of the whole file there, and is
the truth of no page. A file that RTOCR exported tells what was read, not what is true, and is passed over
as long as the comment that names its page stands on top. Knows no model and compares nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from rtocr_gui.errors import DocumentError

TRUTH_SUFFIXES = (".md", ".txt")
LARGEST_TRUTH_BYTES = 200_000
"""A densely printed page has some ten thousand characters, of up to three bytes; a book has no place
here, and would take seconds to compare."""

_EXPORT_MARK = "<!-- page: "


@dataclass(frozen=True, slots=True)
class Truth:
    """The true text of a page, line ends as LF and without blank space at either end."""

    path: Path
    text: str


def find_truth(path: Path, index: int, page_count: int) -> Truth | None:
    """Look beside a scan for the true text of one of its pages.

    Args:
        path: the scan.
        index: page number in the file, from 0.
        page_count: how many pages the file has.

    Returns:
        The truth, or None where there is none.

    Raises:
        DocumentError: there is a file, but it cannot be used as text.
    """
    stem = path.stem if page_count == 1 else f"{path.stem}-page{index + 1}"
    for suffix in TRUTH_SUFFIXES:
        candidate = path.with_name(stem + suffix)
        if candidate != path and _is_file(candidate):
            truth = read_truth(candidate)
            if not truth.text.startswith(_EXPORT_MARK):
                return truth
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long
        return False


def read_truth(path: Path) -> Truth:
    """Read a file of true text.

    Raises:
        DocumentError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_TRUTH_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DocumentError(
            f"“{path.name}” cannot be read as the true text of the page ({reason})."
        ) from error
    if len(data) > LARGEST_TRUTH_BYTES:
        raise DocumentError(
            f"“{path.name}” has more than {LARGEST_TRUTH_BYTES // 1000} kB and is not taken for the true "
            "text of one page."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"“{path.name}” is not UTF-8 and is not taken for the true text of the page. Save it as UTF-8."
        ) from error
    return Truth(path, text.replace("\r\n", "\n").strip())
