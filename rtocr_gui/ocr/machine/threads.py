"""Decides how many CPU threads to use beside other programs. Knows the operating system, no torch."""

import os
from pathlib import Path

NARROW_DECODER = 1024
"""Below this width, the products of one token are so small that splitting them costs more than it saves: the
miniature (at width 256) decoded a tenth slower on two threads, and took in guesses three times as slowly."""

_CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def wait_without_spinning() -> None:
    """Let OpenMP threads sleep while they wait for each other, unless the user has set otherwise.

    By default they spin, which makes decoding more than ten times slower as soon as another program needs
    a CPU. Works only before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def usable_cpus(cgroup_limit: Path = _CGROUP_LIMIT) -> int:
    """Count the CPUs that this process may actually use.

    Both the affinity of the process and the limit of its container count: more threads than that slow
    each other down.

    Args:
        cgroup_limit: where a Linux container states its limit, as a quota and a period in microseconds.

    Returns:
        At least 1.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cgroup_limit.read_text().split()
        cpus = min(cpus, int(quota) // int(period))
    except (OSError, ValueError):
        pass  # no container, or one without a limit ("max")
    return max(1, cpus)


def decoding_threads(width: int, most: int) -> int:
    """Return how many threads a decoder should use.

    Args:
        width: hidden size of the decoder.
        most: threads of the encoder, at least 1.
    """
    return 1 if width < NARROW_DECODER else most
