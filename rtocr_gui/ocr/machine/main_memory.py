"""Finds how much main memory this process may still use. Knows the operating system; no PyTorch, no model."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

UNKNOWN = sys.maxsize
"""Stands for an amount the system does not report: nothing is refused on a guess."""

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")

_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
_VERSION_2 = ("memory.max", "memory.current")
_RECLAIMED = ("inactive_file", "active_file")
"""File caches: they count as used by a container, but are reclaimed when a program needs memory."""


def free_main_memory(cgroups: Path = _CGROUPS, own_cgroups: Path = _OWN_CGROUPS) -> int:
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


def _left_to_containers(cgroups: Path, own_cgroups: Path) -> Iterator[int]:
    """Yield what each of the nested groups around this process has left, if it limits memory."""
    try:
        lines = own_cgroups.read_text(errors="replace").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        controllers, is_told, own = line.partition(":")[2].partition(":")
        if not is_told or controllers not in ("", "memory"):
            continue
        top = cgroups / controllers
        names = _VERSION_1 if controllers else _VERSION_2
        # Inside a container, its own group appears at the top, whatever its path outside.
        group = top / own.lstrip("/")
        for folder in {top, group, *(parent for parent in group.parents if parent.is_relative_to(top))}:
            left = _left_to(folder, *names)
            if left is not None:
                yield left


def _left_to(group: Path, limit_name: str, used_name: str) -> int | None:
    """Return the bytes a group may still use; None if it has no limit."""
    try:
        limit, used = int((group / limit_name).read_text()), int((group / used_name).read_text())
        amounts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return max(0, limit - used + sum(int(amounts.get(name, 0)) for name in _RECLAIMED))
