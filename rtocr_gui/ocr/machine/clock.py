"""Measures how long something took, on devices that work asynchronously. Knows no model and no page."""

import time

import torch


def ms_since(started_s: float, device: torch.device | None = None) -> float:
    """Measure the time elapsed since a moment.

    Args:
        started_s: value of `time.perf_counter` at that moment.
        device: device to wait for before measuring; None to wait for nothing.

    Returns:
        Milliseconds.

    Raises:
        RuntimeError: work on the device has failed, which it reports only now.
    """
    if device is not None:
        wait_for(device)
    return (time.perf_counter() - started_s) * 1000


def wait_for(device: torch.device) -> None:
    """Wait until a device has finished its queued work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
