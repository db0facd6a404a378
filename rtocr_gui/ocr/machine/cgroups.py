"""Finds the control groups of Linux around this process: containers and services limit what is in them.

Knows the operating system; no PyTorch, no model.
"""

from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def own_groups(controller: str, groups: Path, own: Path) -> Iterator[tuple[Path, bool]]:
    """Yield each of the nested groups around this process.

    Args:
        controller: what they limit, "memory" or "cpu".
        groups: where the system shows them.
        own: where it tells which of them this process is in.

    Yields:
        The folder of a group, and True for version 1, whose files have other names.
    """
    try:
        lines = own.read_text(errors="replace").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        controllers, is_complete, path = line.partition(":")[2].partition(":")
        if not is_complete or (controllers and controller not in controllers.split(",")):
            continue
        top = groups / controllers
        # Inside a container, its own group appears at the top, whatever its path outside.
        group = top / path.lstrip("/")
        for folder in {top, group, *(parent for parent in group.parents if parent.is_relative_to(top))}:
            yield folder, bool(controllers)
