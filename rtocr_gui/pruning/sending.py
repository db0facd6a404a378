"""Sends what was decided in NumPy to where the tokens are. Knows devices, nothing of what it sends."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def send(array: NDArray[Any], device: torch.device) -> Tensor:
    """Give an array to a device, without waiting until a graphics processor has done what it has to do.

    Args:
        array: of any shape; not changed as long as the tensor is in use.
        device: where it is needed.

    Returns:
        The same values; on the CPU, the same memory.
    """
    tensor = torch.from_numpy(array)
    # Only memory that cannot be swapped out is copied while the host goes on.
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
