"""Names the files for the texts of several scans, where each has one of its own. Touches no file."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from rtocr_gui.documents.labels import folder_ends
from rtocr_gui.export.text_formats import TextFormat
from rtocr_gui.files import shortened, without_case

_OF_PATHS_ONLY = re.compile(r"[/\\:]+")


def text_files(scans: Iterable[Path], folder: Path, kind: TextFormat) -> dict[Path, Path]:
    """Name a file in a folder for the text of each scan.

    Files are named after their scans, and where several scans have the same name, also after what tells
    them apart: `letter (png).md` and `letter (pdf).md`, `letter (may).md` and `letter (june).md`. Where that
    leaves names the same but for their case or the form of their accents, which some file systems ignore,
    the later ones get a number: `letter (may) (2).md`. A name that would be too long with that, or with what
    is added for figures, is shortened.

    Args:
        scans: files in order; one that occurs twice gets one name.
        folder: where the files will be.
        kind: what they will be.
    """
    files: dict[Path, Path] = {}
    taken: set[str] = set()
    used: Counter[str] = Counter()
    for scan, distinction in _distinctions(dict.fromkeys(scans)).items():
        name = shortened(f"{scan.stem} ({distinction})" if distinction else scan.stem)
        stem, first = name, without_case(name)
        while without_case(stem) in taken:
            used[first] += 1
            stem = f"{name} ({used[first] + 1})"
        taken.add(without_case(stem))
        files[scan] = folder / f"{stem}{kind.value}"
    return files


def _distinctions(scans: Collection[Path]) -> dict[Path, str]:
    """What tells each scan from others of its name: kind, else folder, else both; empty without others."""
    named: defaultdict[str, list[Path]] = defaultdict(list)
    for scan in scans:
        named[without_case(scan.stem)].append(scan)
    found = dict.fromkeys(scans, "")
    for alike in named.values():
        if len(alike) > 1:
            kinds = [scan.suffix[1:] for scan in alike]
            folders = [_in_a_name(folder) for folder in folder_ends(alike).values()]
            both = [", ".join(filter(None, each)) for each in zip(folders, kinds, strict=True)]
            telling = next((words for words in (kinds, folders) if _all_differ(words)), both)
            found.update(zip(alike, telling, strict=True))
    return found


def _in_a_name(folder: Path) -> str:
    """The parts of a folder, without what only paths may contain."""
    return ", ".join(filter(None, (_OF_PATHS_ONLY.sub(" ", part).strip() for part in folder.parts)))


def _all_differ(words: Sequence[str]) -> bool:
    return len(set(map(without_case, words))) == len(words)
