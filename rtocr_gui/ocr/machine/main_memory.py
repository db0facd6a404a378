"""Finds how much main memory this process may still use. Knows the operating system; no PyTorch, no model."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from rtocr_gui.ocr.machine.cgroups import GROUPS, OWN_GROUPS, own_groups

UNKNOWN = sys.maxsize
"""Stands for an amount the system does not report: nothing is refused on a guess."""

_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
_VERSION_2 = ("memory.max", "memory.current")
_RECLAIMED = ("inactive_file", "active_file")
"""File caches: they count as used by a container, but are reclaimed when a program needs memory."""


def free_main_memory(cgroups: Path = GROUPS, own_cgroups: Path = OWN_GROUPS) -> int:
    """Count the bytes that this process can use before the system swaps or kills programs.

    Args:
        cgroups: where Linux states the limits of its containers.
        own_cgroups: where it states which of them this process is in.

    Returns:
        What the system has available or what the container has left, whichever is less; `UNKNOWN` if
        neither is known.
    """
    return min([_available(), *_left_to_containers(cgroups, own_cgroups)])


def _available() -> int:
    """Return what the system has available; a sandbox may hide it."""
    try:
        available: int = psutil.virtual_memory().available
    except (OSError, psutil.Error):
        return UNKNOWN
    return available


def _left_to_containers(groups: Path, own: Path) -> Iterator[int]:
    """Yield what each of the nested groups around this process has left, if it limits memory."""
    for group, is_version_1 in own_groups("memory", groups, own):
        left = _left_to(group, *(_VERSION_1 if is_version_1 else _VERSION_2))
        if left is not None:
            yield left


def _left_to(group: Path, limit_name: str, used_name: str) -> int | None:
    """Return the bytes a group may still use; None if it has no limit."""
    try:
        limit, used = int((group / limit_name).read_text()), int((group / used_name).read_text())
        amounts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    # In version 1, only the totals include the groups within.
    reclaimed = (amounts.get(f"total_{name}", amounts.get(name, 0)) for name in _RECLAIMED)
    return max(0, limit - used + sum(map(int, reclaimed)))
