"""Copies NumPy arrays to the device that holds the tokens. Knows devices, not what the arrays mean."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def send(array: NDArray[Any], device: torch.device) -> Tensor:
    """Copy an array to a device without waiting for work queued on a GPU.

    Args:
        array: any shape; must not be modified while the tensor is in use.
        device: target device.

    Returns:
        A tensor of the same values; on the CPU, it shares the array's memory.
    """
    tensor = torch.from_numpy(array)
    # Only copies from pinned memory are asynchronous.
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
