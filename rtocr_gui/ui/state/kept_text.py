"""The form in which texts outlive the program: Markdown, and a record at its end.

The Markdown is that of an export, for people. The record, in a comment that is the last line, tells to which
page each text belongs, and where in the Markdown it is:

    <!-- RTOCR can restore these texts: {"sha256": "...", "pages": [{"path": "/scans/letter.pdf", ...}]} -->

Nothing that a text says is taken for the record, which follows all texts and names the digest of what is
before it. A record that is not right in every point counts as none. Writes and opens no file.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

from rtocr_gui.documents.pages import Crop, Cut, Half, PageRef
from rtocr_gui.export.markdown import ExportPage
from rtocr_gui.ui.state.page_entry import TextOrigin

MOST_CUTS = 32
"""Most cuts of a page in a record: more than a person makes, and few enough to be made at once."""

_BEGINNING, _END = b"\n<!-- RTOCR can restore these texts: ", b" -->\n"


@dataclass(frozen=True, slots=True)
class KeptPage(ExportPage):
    """A page with text.

    Attributes:
        ref: which page.
        origin: where its text is from.
        is_exported: True if its text is in a file that was exported.
    """

    ref: PageRef
    origin: TextOrigin
    is_exported: bool = False


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A file of texts that a program left that ended unexpectedly.

    Attributes:
        path: of the file.
        pages: the texts that can be put back into their pages; none if that is not known.
    """

    path: Path
    pages: tuple[KeptPage, ...] = ()


def content_of(pages: Sequence[KeptPage], parts: Sequence[str]) -> bytes:
    """Return what is written to the file.

    Args:
        pages: at least one, with text.
        parts: what each of them adds to the Markdown, as from `markdown_after`.
    """
    # Half a character, which somebody may have pasted, should not cost the other text.
    markdown = "".join(parts).encode("utf-8", "replace")
    ends = (end - len("\n") for end in accumulate(map(len, parts)))
    entries = [
        {
            "path": str(page.ref.path),
            "index": page.ref.index,
            "sha256": page.ref.sha256,
            "rotation_deg": page.ref.rotation_deg,
            "cuts": list(map(_entry_of, page.ref.cuts)),
            "origin": page.origin.value,
            "exported": page.is_exported,
            "start": end - len(page.text),
            "end": end,
        }
        for page, end in zip(pages, ends, strict=True)
    ]
    record = json.dumps({"sha256": sha256(markdown).hexdigest(), "pages": entries})
    # In JSON, two hyphens, which would end the comment, are found in strings only.
    return markdown + _BEGINNING + record.replace("--", r"-\u002d").encode() + _END


def pages_in(content: bytes) -> tuple[KeptPage, ...]:
    """Return the texts in a file with their pages; none if it does not name these, or may be wrong."""
    markdown, beginning, rest = content.rpartition(_BEGINNING)
    if not beginning or not rest.endswith(_END):
        return ()
    try:
        record = json.loads(rest.removesuffix(_END))
        if record["sha256"] != sha256(markdown).hexdigest():
            return ()
        text = markdown.decode()
        pages = tuple(_page_of(entry, text) for entry in _checked(record["pages"], list))
    except (ValueError, TypeError, LookupError, RecursionError):
        return ()
    there = defaultdict[PageRef, list[PageRef]](list)
    for page in pages:
        parts = there[page.ref.whole]
        if any(map(page.ref.overlaps, parts)):
            return ()
        parts.append(page.ref)
    return pages


def _entry_of(cut: Cut) -> object:
    return cut.value if isinstance(cut, Half) else [cut.left, cut.top, cut.right, cut.bottom]


def _page_of(entry: Any, markdown: str) -> KeptPage:
    """Return the page that an entry of a record names.

    Raises:
        ValueError, TypeError, LookupError: there can be no such entry.
    """
    path = Path(_checked(entry["path"], str))
    index, rotation_deg = _checked(entry["index"], int), _checked(entry["rotation_deg"], int)
    start, end = _checked(entry["start"], int), _checked(entry["end"], int)
    cuts = tuple(map(_cut_of, _checked(entry["cuts"], list)[: MOST_CUTS + 1]))
    is_one_file = path.is_absolute() and ".." not in path.parts
    if not (is_one_file and len(cuts) <= MOST_CUTS and index >= 0 and 0 <= start < end <= len(markdown)):
        raise ValueError("no page, or no text of it")
    ref = PageRef(path, index, _checked(entry["sha256"], str), rotation_deg, cuts)
    origin, is_exported = TextOrigin(_checked(entry["origin"], str)), _checked(entry["exported"], bool)
    return KeptPage(ref.label, markdown[start:end], ref, origin, is_exported)


def _cut_of(entry: Any) -> Cut:
    if isinstance(entry, str):
        return Half(entry)
    return Crop(*(edge if type(edge) is int else _checked(edge, float) for edge in _checked(entry, list)))


def _checked(value: Any, kind: type) -> Any:
    """Return a value of exactly this type; True is not an int here.

    Raises:
        ValueError: it is of another.
    """
    if type(value) is not kind:
        raise ValueError(f"not a {kind.__name__}")
    return value
