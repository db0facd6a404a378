"""Names the files for the texts of several scans, where each has one of its own. Touches no file."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rtocr_gui.export.text_formats import TextFormat
from rtocr_gui.files import shortened, without_case


def text_files(scans: Iterable[Path], folder: Path, kind: TextFormat) -> dict[Path, Path]:
    """Name a file in a folder for the text of each scan.

    Files are named after their scans. Where names would be the same but for their case or the form of their
    accents, which some file systems ignore, the later ones get a number: `letter.md`, `letter (2).md`. A name
    that would be too long with that, or with what is added for figures, is shortened.

    Args:
        scans: files in order; one that occurs twice gets one name.
        folder: where the files will be.
        kind: what they will be.
    """
    files: dict[Path, Path] = {}
    taken: set[str] = set()
    used: Counter[str] = Counter()
    for scan in dict.fromkeys(scans):
        name = shortened(scan.stem)
        stem, first = name, without_case(name)
        while without_case(stem) in taken:
            used[first] += 1
            stem = f"{name} ({used[first] + 1})"
        taken.add(without_case(stem))
        files[scan] = folder / f"{stem}{kind.value}"
    return files
