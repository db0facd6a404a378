"""Parses the values of command-line options, and reports those that are not valid.

Each parser takes the text as typed. Knows no command.
"""

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from rtocr_gui.documents.folders import SUPPORTED_SUFFIXES, UNREAD_SUFFIXES
from rtocr_gui.documents.pages import Crop
from rtocr_gui.export.text_formats import TextFormat, format_of
from rtocr_gui.export.writing import UNWRITTEN_SUFFIXES
from rtocr_gui.files import is_folder
from rtocr_gui.ocr.machine.spot import DEVICES
from rtocr_gui.settings import LEAST_RETENTION

STDOUT: Final = "-"
"""Stands for stdout in place of a file name."""

LOWEST_DPI, HIGHEST_DPI = 36, 600
"""Range of resolutions for PDF pages."""

Target: TypeAlias = Path | Literal["-"]

_NUMBERED_DEVICE = re.compile(r"cuda:(0|[1-9][0-9]{0,2})")


@dataclass(frozen=True, slots=True)
class PageSelection:
    """The requested pages of a file, as given by `--pages 1-3,5,9-`.

    Attributes:
        ranges: first and last page, from 1; None for the end of the file.
    """

    ranges: tuple[tuple[int, int | None], ...]

    def indices(self, page_count: int) -> list[int]:
        """Return the indices, from 0, of the requested pages that exist, each once, in requested order."""
        wanted: dict[int, None] = {}
        for first, last in self.ranges:
            end = page_count if last is None else min(last, page_count)
            wanted.update(dict.fromkeys(range(first - 1, end)))
        return list(wanted)

    def first_missing(self, page_count: int) -> int | None:
        """Return the lowest requested page, from 1, that the file does not have; None if it has them all."""
        beyond = [
            max(first, page_count + 1)
            for first, last in self.ranges
            if (first if last is None else last) > page_count
        ]
        return min(beyond, default=None)


ALL_PAGES = PageSelection(((1, None),))


def page_selection(text: str) -> PageSelection:
    """Parse `1-3,5,9-`."""
    ranges: list[tuple[int, int | None]] = []
    for part in text.split(","):
        first_text, dash, last_text = part.strip().partition("-")
        try:
            first = int(first_text)
            last = None if dash and not last_text else int(last_text or first_text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"“{text}” is not a list of pages such as 1-3,5,9-") from None
        if first < 1 or (last is not None and last < first):
            raise argparse.ArgumentTypeError(
                f"“{part.strip()}” is not a range of pages, which are numbered from 1, lowest first"
            )
        ranges.append((first, last))
    return PageSelection(tuple(ranges))


def retention_ratio(text: str) -> float | None:
    """Parse `auto`, returned as None, or a ratio."""
    if text == "auto":
        return None
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if not LEAST_RETENTION <= ratio <= 1:
        raise argparse.ArgumentTypeError(f"“{text}” is neither auto nor a ratio from {LEAST_RETENTION} to 1")
    return ratio


def count_of(what: str, least: int = 1, most: int | None = None) -> Callable[[str], int]:
    """Make a parser of whole numbers.

    Args:
        what: what the option expects, e.g. "a number of pages".
        least: smallest valid value.
        most: largest valid value; None for no limit.
    """

    def parse(text: str) -> int:
        number = int(text) if text.isdecimal() else least - 1
        if number < least or (most is not None and number > most):
            end = "" if most is None else f" to {most}"
            raise argparse.ArgumentTypeError(f"“{text}” is not {what} from {least}{end}")
        return number

    return parse


def pages_together(text: str) -> int | None:
    """Parse `auto`, returned as None, or a number of pages."""
    return None if text == "auto" else count_of("auto or a number of pages")(text)


def crop_area(text: str) -> Crop:
    """Parse the left, upper, right and lower edge of a part of a page, in percent of it."""
    try:
        return Crop(*(float(edge) / 100 for edge in text.split(",")))
    except (TypeError, ValueError):
        raise argparse.ArgumentTypeError(
            f"“{text}” is not a part of a page: give its left, upper, right and lower edge in percent, "
            "such as 0,0,100,50 for the upper half"
        ) from None


def resolution(text: str) -> float:
    """Parse a resolution in dots per inch."""
    try:
        dpi = float(text)
    except ValueError:
        dpi = 0.0
    if not LOWEST_DPI <= dpi <= HIGHEST_DPI:
        raise argparse.ArgumentTypeError(
            f"“{text}” is not a resolution from {LOWEST_DPI} to {HIGHEST_DPI} dpi"
        )
    return dpi


def device_name(text: str) -> str:
    """Parse the device for a model; whether the computer has it is checked later."""
    if text not in DEVICES and not _NUMBERED_DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"“{text}” is not a device: choose auto, cpu, cuda, cuda:1 or mps")
    return text


def path_name(text: str) -> Path:
    """Parse the name of a file or folder; an empty one, as of a variable that is not set, is refused."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    return Path(text)


def scan_path(text: str) -> Path:
    """Parse the name of a scan; `-`, by which many programs mean a pipe, is refused."""
    if text == STDOUT:
        raise argparse.ArgumentTypeError(
            "pages cannot be read from a pipe: name the file that contains them (./- for one called -)"
        )
    return path_name(text)


def text_target(text: str) -> Target:
    """Parse the target of text; `-o *.png` would otherwise overwrite the first scan."""
    if text.endswith(("/", os.sep)) and not is_folder(text):
        raise argparse.ArgumentTypeError(f"there is no folder “{text}”: create it, or give -o FILE.md")
    if Path(text).suffix.lower() in UNWRITTEN_SUFFIXES and not is_folder(text):
        raise argparse.ArgumentTypeError(
            f"“{text}” is not the name of a text file: give -o FILE.md, FILE.txt or FILE.pdf"
        )
    return _target(text, "give -o FILE.md")


def pages_target(text: str) -> Target:
    """Parse the target of the text of pages, which may also be a PDF."""
    path = path_name(text)
    is_pdf = format_of(path) is TextFormat.PDF and not text.endswith(("/", os.sep))
    return path if is_pdf else text_target(text)


def overlay_target(text: str) -> Path:
    """Parse the target of the picture of a plan, a PNG."""
    if text == STDOUT:
        raise argparse.ArgumentTypeError("a picture cannot be written to stdout: give --overlay FILE.png")
    path = path_name(text)
    if _is_stdout(path):
        raise argparse.ArgumentTypeError(f"“{text}” is stdout: redirect the rest, or name another file")
    if path.suffix.lower() not in ("", ".png"):
        raise argparse.ArgumentTypeError(
            f"“{text}” does not end in .png, and an overlay is a PNG picture: give --overlay FILE.png"
        )
    return path


def json_target(text: str) -> Target:
    """Parse the target of JSON; in `--json page.png`, the page was meant as the input."""
    return _target(text, "give --json=FILE.json or put --json after the file")


def csv_target(text: str) -> Target:
    """Parse the target of a CSV table."""
    return _target(text, "give --csv FILE.csv")


def readings_target(text: str) -> Path:
    """Parse the file for finished readings, which is also read."""
    advice = "give --readings FILE.jsonl"
    target = _target(text, advice)
    if not isinstance(target, Path):
        raise argparse.ArgumentTypeError(f"finished readings are kept in a file, not on stdout: {advice}")
    return target


def _is_stdout(path: Path) -> bool:
    """True if a path, such as `/dev/stdout`, leads to the file behind stdout, which must not be replaced."""
    try:
        return path.is_file() and os.path.samestat(path.stat(), os.fstat(1))
    except (OSError, ValueError):
        return False


def _target(text: str, advice: str) -> Target:
    if text == STDOUT or _is_stdout(Path(text)):
        return STDOUT
    path = path_name(text)
    if path.suffix.lower() in {*SUPPORTED_SUFFIXES, *UNREAD_SUFFIXES}:
        raise argparse.ArgumentTypeError(f"“{text}” looks like a scan and is not overwritten: {advice}")
    return path
