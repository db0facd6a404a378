"""Reads pages and their true text from OmniDocBench (arXiv 2412.07626) in its published form.

That is a folder with `OmniDocBench.json` and the pictures in `images/`. The true text of a page is assembled
from its blocks in reading order: text, titles, captions and footnotes verbatim, formulae as LaTeX, tables as
HTML. Blocks without a place in the reading order (headers, footers, page numbers, masks), ignored blocks and
figures are left out. Knows no model and compares nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from rtocr_gui.documents.truth import LARGEST_TRUTH_BYTES
from rtocr_gui.errors import DocumentError
from rtocr_gui.files import reason_of

LARGEST_ANNOTATION_BYTES = 500_000_000
"""Largest annotation file to read; the published one has about 100 MB."""

_PATTERN = "OmniDocBench*.json"
_CONTENT_KEYS = ("text", "html", "latex")
_LARGEST_ORDER = 10**9


@dataclass(frozen=True, slots=True)
class AnnotatedPage:
    """One page of the benchmark.

    Attributes:
        picture: path where its picture should be; it may be missing.
        text: its true text, block by block; empty if no block has text.
    """

    picture: Path
    text: str


def find_annotations(folder: Path) -> Path | None:
    """Find the annotation file in a folder; None if there is none.

    Raises:
        DocumentError: there are several, and none is called OmniDocBench.json.
    """
    exact = folder / "OmniDocBench.json"
    if exact.is_file():
        return exact
    found = sorted(path for path in folder.glob(_PATTERN) if path.is_file())
    if len(found) > 1:
        raise DocumentError(
            f"“{folder.name}” contains {len(found)} annotation files. "
            "Rename the one to use to OmniDocBench.json."
        )
    return found[0] if found else None


def read_annotations(path: Path) -> Iterator[AnnotatedPage | DocumentError]:
    """Read an annotation file.

    Args:
        path: the JSON file; pictures are looked for in `images/` next to it, then next to it.

    Yields:
        Each page, or an error for each entry that cannot be used.

    Raises:
        DocumentError: the file as a whole cannot be used.
    """
    for number, entry in enumerate(_load(path), start=1):
        try:
            yield _annotated_page(path.parent, entry)
        except DocumentError as error:
            yield DocumentError(f"page {number}: {error}")


def _load(path: Path) -> list[Any]:
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_ANNOTATION_BYTES + 1)
        if len(data) > LARGEST_ANNOTATION_BYTES:
            raise DocumentError(
                f"“{path.name}” is larger than {LARGEST_ANNOTATION_BYTES / 1e6:.0f} MB and is not read."
            )
        entries = json.loads(data)
    except OSError as error:
        raise DocumentError(f"“{path.name}” cannot be read ({reason_of(error)}). Check the disk.") from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"“{path.name}” is damaged: it is not a JSON file. Copy it again.") from error
    if not isinstance(entries, list):
        raise DocumentError(
            f"“{path.name}” is not an annotation file of OmniDocBench: it contains no list of pages."
        )
    return entries


def _annotated_page(folder: Path, entry: Any) -> AnnotatedPage:
    info = entry.get("page_info") if isinstance(entry, dict) else None
    name = info.get("image_path") if isinstance(info, dict) else None
    blocks = entry.get("layout_dets") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name or not isinstance(blocks, list):
        raise DocumentError("the entry names no picture or has no blocks, and is skipped.")
    if _leaves_its_folder(name):
        raise DocumentError("the path of the picture leads out of the folder, so it is skipped.")
    places = folder / "images" / name, folder / name
    try:
        picture = next((place for place in places if place.is_file()), places[0])
    except OSError as error:
        raise DocumentError(f"the search for the picture failed ({reason_of(error)}).") from error
    text = "\n\n".join(_texts_in_order(blocks))
    if len(text) > LARGEST_TRUTH_BYTES:
        raise DocumentError(f"its text has more than {LARGEST_TRUTH_BYTES // 1000} thousand characters.")
    return AnnotatedPage(picture, text)


def _leaves_its_folder(name: str) -> bool:
    """True if a path is absolute or goes up, in the notation of any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return posix.is_absolute() or bool(windows.anchor) or ".." in posix.parts or ".." in windows.parts


def _texts_in_order(blocks: list[Any]) -> list[str]:
    """Return the text of the blocks that have a place in the reading order, in that order."""
    ordered = []
    for block in blocks:
        if not isinstance(block, dict) or block.get("ignore") is True:
            continue
        order = block.get("order")
        contents = (block[key].strip() for key in _CONTENT_KEYS if isinstance(block.get(key), str))
        content = next(filter(None, contents), "")
        if content and isinstance(order, int | float) and -_LARGEST_ORDER < order < _LARGEST_ORDER:
            ordered.append((order, content))
    return [content for _, content in sorted(ordered, key=lambda pair: pair[0])]
