"""Adds up tensors over the processes that train together. Knows no parameter and no loss."""

from collections.abc import Sequence

import torch
import torch.distributed
from torch import Tensor


def sums_over_processes(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the sum of each tensor over all processes, which exchange them in one message.

    Args:
        tensors: tensors of one type, in every process in the same order and shapes.
    """
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    torch.distributed.all_reduce(flat)
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]
