"""How the arithmetic shares the CPU with other programs. Knows the operating system, no torch."""

import os
from pathlib import Path

NARROW_DECODER = 1024
"""Up to this width the products of one token are so small that sharing them costs more than it saves: the
miniature (then 256) decodes a tenth slower on two threads, and takes in guesses three times as slowly."""

_CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def wait_without_spinning() -> None:
    """Let the threads of OpenMP sleep while they wait for each other, unless the person chose otherwise.

    By default they spin, which decodes more than ten times slower as soon as another program wants a
    CPU. Works only before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def usable_cpus(cgroup_limit: Path = _CGROUP_LIMIT) -> int:
    """Count the CPUs that this process may really use.

    The affinity of the process and the limit of its container both count: asking for more threads
    than that makes every one of them slower.

    Args:
        cgroup_limit: where a Linux container states its limit, as "microseconds of CPU, per microseconds".

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
    """How many threads a decoder should use.

    Args:
        width: hidden size of the decoder.
        most: what the encoder uses, at least 1.
    """
    return 1 if width < NARROW_DECODER else most
