"""How long something took, on a device that goes on by itself. Knows no model and no page."""

import time

import torch


def ms_since(started_s: float, device: torch.device | None = None) -> float:
    """Tell the time since a moment.

    Args:
        started_s: what `time.perf_counter` said then.
        device: waited for until it has done what it was given; None where nothing is to be waited for.

    Returns:
        Milliseconds.

    Raises:
        RuntimeError: a device tells only now what went wrong on it.
    """
    if device is not None:
        wait_for(device)
    return (time.perf_counter() - started_s) * 1000


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
