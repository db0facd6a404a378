"""Names files and pages so that people can tell them apart. Knows their paths, and opens none of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import count
from pathlib import Path

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.units import counted


def telling_folders(paths: Iterable[Path]) -> dict[Path, Path]:
    """Folders of files that share their name with another, shortened to the parts that tell them apart."""
    named: defaultdict[str, set[Path]] = defaultdict(set)
    for path in paths:
        named[path.name].add(path)
    telling = {}
    for alike in named.values():
        if len(alike) > 1:
            telling.update(folder_ends(alike))
    return telling


def folder_ends(paths: Iterable[Path]) -> dict[Path, Path]:
    """Folders of files, shortened to as many of their last parts as tell different folders apart."""
    folders = {path: path.parent.parts for path in paths}
    different = len(set(folders.values()))
    kept = next(n for n in count(1) if len({parts[-n:] for parts in folders.values()}) == different)
    return {path: Path(*parts[-kept:]) for path, parts in folders.items()}


def named_in_folder(name: str, path: Path, folders: Mapping[Path, Path]) -> str:
    """Name of a page, preceded by the folder of its file, `path`, if that is one of `telling_folders`."""
    return f"{folders[path].as_posix()}/{name}" if path in folders else name


def turns_apart(refs: Iterable[PageRef]) -> dict[PageRef, str]:
    """How halves lie that are not turned as the other half is ("turned 180°"): both may be the left half."""
    halves = [ref for ref in refs if ref.half is not None]
    turns: defaultdict[PageRef, set[int]] = defaultdict(set)
    for ref in halves:
        turns[ref.joined.unrotated].add(ref.rotation_deg)
    return {
        ref: f"turned {ref.rotation_deg}°"
        for ref in halves
        if ref.rotation_deg and len(turns[ref.joined.unrotated]) > 1
    }


def counted_pages(refs: Collection[PageRef]) -> str:
    """How many pages these are: "1 page", "2 halves"."""
    is_split = bool(refs) and all(ref.half is not None for ref in refs)
    return counted(len(refs), "half", "halves") if is_split else counted(len(refs), "page")


def told_apart(names: Mapping[PageRef, str]) -> dict[PageRef, str]:
    """Names of pages, preceded by the folder where their files share a name; and how halves are turned."""
    folders, turns = telling_folders(ref.path for ref in names), turns_apart(names)
    return {
        ref: ", ".join(filter(None, (named_in_folder(name, ref.path, folders), turns.get(ref))))
        for ref, name in names.items()
    }
