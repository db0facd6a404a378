"""Names the Markdown files of several scans, where each has one of its own. Touches no file."""

from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path


def markdown_files(scans: Iterable[Path], folder: Path) -> dict[Path, Path]:
    """Name a Markdown file in a folder for each scan.

    Files are named after their scans. Where names would be the same but for their case, which some file
    systems ignore, the later ones get a number: `letter.md`, `letter (2).md`.

    Args:
        scans: files in order; one that occurs twice gets one name.
        folder: where the files will be.
    """
    files: dict[Path, Path] = {}
    taken: set[str] = set()
    for scan in dict.fromkeys(scans):
        numbered = (f"{scan.stem} ({number})" for number in count(2))
        stem = next(stem for stem in chain([scan.stem], numbered) if stem.casefold() not in taken)
        taken.add(stem.casefold())
        files[scan] = folder / f"{stem}.md"
    return files
