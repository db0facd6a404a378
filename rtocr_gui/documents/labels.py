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


def full_name(
    name: str, ref: PageRef, folders: Mapping[Path, Path], turns: Mapping[PageRef, str] | None = None
) -> str:
    """Name of a page with its folder and its turn, if it is one of `telling_folders` and `turns_apart`."""
    if ref.path in folders:
        name = f"{folders[ref.path].as_posix()}/{name}"
    return f"{name}, {turns[ref]}" if turns and ref in turns else name


def turns_apart(refs: Iterable[PageRef]) -> dict[PageRef, str]:
    """How halves that differ in rotation are turned ("turned 180°"): two may be the left half."""
    halves = [ref for ref in refs if ref.half is not None]
    turns: defaultdict[PageRef, set[int]] = defaultdict(set)
    for ref in halves:
        turns[ref.whole].add(ref.rotation_deg)
    return {
        ref: f"turned {ref.rotation_deg}°" for ref in halves if ref.rotation_deg and len(turns[ref.whole]) > 1
    }


def counted_pages(refs: Collection[PageRef]) -> str:
    """How many pages these are: "1 page", "2 halves"."""
    is_split = bool(refs) and all(ref.half is not None for ref in refs)
    return counted(len(refs), "half", "halves") if is_split else counted(len(refs), "page")


def told_apart(names: Mapping[PageRef, str]) -> dict[PageRef, str]:
    """Names of pages with their folders, where files share a name, and with the turns of halves."""
    folders, turns = telling_folders(ref.path for ref in names), turns_apart(names)
    return {ref: full_name(name, ref, folders, turns) for ref, name in names.items()}
