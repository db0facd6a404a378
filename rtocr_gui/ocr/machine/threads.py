"""Decides how many CPU threads to use beside other programs. Knows the operating system, no torch."""

import os
from collections.abc import Iterator
from pathlib import Path

from rtocr_gui.ocr.machine.cgroups import GROUPS, OWN_GROUPS, own_groups

NARROW_DECODER = 1024
"""Below this width, the products of one token are so small that splitting them costs more than it saves: the
miniature (at width 256) decoded a tenth slower on two threads, and took in guesses three times as slowly."""


def wait_without_spinning() -> None:
    """Let OpenMP threads sleep while they wait for each other, unless the user has set otherwise.

    By default they spin, which makes decoding more than ten times slower as soon as another program needs
    a CPU. Works only before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def usable_cpus(cgroups: Path = GROUPS, own_cgroups: Path = OWN_GROUPS) -> int:
    """Count the CPUs that this process may actually use.

    Both the affinity of the process and the limits of its containers count: more threads than that slow
    each other down.

    Args:
        cgroups: where Linux states the limits of its containers.
        own_cgroups: where it states which of them this process is in.

    Returns:
        At least 1.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cpus, *_limits(cgroups, own_cgroups)]))


def _limits(cgroups: Path, own_cgroups: Path) -> Iterator[int]:
    """Yield the CPUs that each of the nested groups around this process may use, if it is limited."""
    for group, is_version_1 in own_groups("cpu", cgroups, own_cgroups):
        names = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if is_version_1 else ("cpu.max",)
        try:
            quota, period = " ".join((group / name).read_text() for name in names).split()
            if int(quota) > 0:
                yield int(quota) // int(period)
        except (OSError, ValueError):
            pass  # a group without a limit ("max")


def decoding_threads(width: int, most: int) -> int:
    """Return how many threads a decoder should use.

    Args:
        width: hidden size of the decoder.
        most: threads of the encoder, at least 1.
    """
    return 1 if width < NARROW_DECODER else most
