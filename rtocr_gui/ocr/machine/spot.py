"""A device and precision a model could run with, and the memory free there. Knows no PyTorch."""

from dataclasses import dataclass

DEVICES = ("auto", "cpu", "cuda", "mps")
"""Accepted values; "cuda:1" and so on choose one of several cards."""

VALUE_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
"""The precisions a model can run in, with the bytes per number in each."""

PRECISIONS = ("auto", *VALUE_BYTES)
"""Accepted values; "auto" takes what the device computes best."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A device and precision a model could run with.

    Attributes:
        device: e.g. "cuda:1".
        precision: e.g. "float16".
        free_bytes: free memory on the device.
        main_free_bytes: free main memory, through which weights pass on their way to a graphics card.
        is_slow: True if the device has no native arithmetic in that precision.
    """

    device: str
    precision: str
    free_bytes: int
    main_free_bytes: int
    is_slow: bool = False

    @property
    def name(self) -> str:
        """The device as it reads in a sentence."""
        return device_in_words(self.device)


def device_in_words(device: str) -> str:
    """A device, e.g. "cuda:1", as it reads in a sentence."""
    kind, _, number = device.partition(":")
    if kind == "cuda":
        return f"graphics card {number}" if number else "the graphics card"
    return "the graphics processor" if kind == "mps" else "the CPU"
