"""How much main memory this process may still take. Knows the operating system; no PyTorch, no model."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

UNKNOWN = sys.maxsize
"""Stands for what a system does not tell: nobody is refused memory on a guess."""

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")

_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
_VERSION_2 = ("memory.max", "memory.current")
_RECLAIMED = ("inactive_file", "active_file")
"""What counts as used by a container, and is given up when a program wants memory: copies of files."""


def free_main_memory(cgroups: Path = _CGROUPS, own_cgroups: Path = _OWN_CGROUPS) -> int:
    """Count the bytes that this process can take before the system swaps or ends programs.

    Args:
        cgroups: where Linux tells the limits of its containers.
        own_cgroups: where it tells which of them this process is in.

    Returns:
        What the system has available, or what is left to the container where that is less; `UNKNOWN` where
        neither can be told.
    """
    return min([_available(), *_left_to_containers(cgroups, own_cgroups)])


def _available() -> int:
    """What the system has available; a sandbox may keep it from telling."""
    try:
        available: int = psutil.virtual_memory().available
    except (OSError, psutil.Error):
        return UNKNOWN
    return available


def _left_to_containers(cgroups: Path, own_cgroups: Path) -> Iterator[int]:
    """What each of the nested groups around this process leaves it, where it limits memory at all."""
    try:
        lines = own_cgroups.read_text(errors="replace").splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        controllers, is_told, own = line.partition(":")[2].partition(":")
        if not is_told or controllers not in ("", "memory"):
            continue
        top = cgroups / controllers
        names = _VERSION_1 if controllers else _VERSION_2
        # Inside a container its own group is shown as the top, whatever its path is outside.
        group = top / own.lstrip("/")
        for folder in {top, group, *(parent for parent in group.parents if parent.is_relative_to(top))}:
            left = _left_to(folder, *names)
            if left is not None:
                yield left


def _left_to(group: Path, limit_name: str, used_name: str) -> int | None:
    """What a group may still take; None where it has no limit."""
    try:
        limit, used = int((group / limit_name).read_text()), int((group / used_name).read_text())
        amounts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return max(0, limit - used + sum(int(amounts.get(name, 0)) for name in _RECLAIMED))
