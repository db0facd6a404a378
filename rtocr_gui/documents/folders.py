"""Walks through the folders below a folder, in the order in which people count. Opens no file."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path


class TooManyEntries(Exception):
    """There are more files and folders below a folder than were to be looked at."""


def folders_below(
    folder: Path, is_left_out: Callable[[Path], bool], most_entries: int
) -> Iterator[tuple[Path, list[Path]]]:
    """Yield the folders below a folder, each before those in it, with its files in order.

    Links to folders are not followed, and folders that cannot be read are passed over.

    Args:
        folder: which one.
        is_left_out: returns whether a folder, and all below it, is passed over too.
        most_entries: how many files and folders to look at.

    Raises:
        TooManyEntries: there are more.
    """
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        folders, files = list[Path](), list[Path]()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if not most_entries:
                        raise TooManyEntries
                    most_entries -= 1
                    (folders if entry.is_dir(follow_symlinks=False) else files).append(Path(entry))
        except OSError:
            continue
        if current is not folder:
            yield current, sorted(files, key=as_people_count)
        next_first = sorted(folders, key=as_people_count, reverse=True)
        waiting += (each for each in next_first if not is_left_out(each))


def as_people_count(path: Path) -> list[str | int]:
    """Sort key that orders numbers in names by value: words and numbers in turn."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]
