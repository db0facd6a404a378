"""Somewhere that a model could run, how it computes there, and the memory that is free. Knows no PyTorch."""

from dataclasses import dataclass

DEVICES = ("auto", "cpu", "cuda", "mps")
"""What a person may ask for; "cuda:1" and so on choose one of several."""

VALUE_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
"""The precisions in which a model can run, and the size of a number in each."""

PRECISIONS = ("auto", *VALUE_BYTES)
"""What a person may ask for; "auto" takes what the device computes best."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Somewhere that a model could run.

    Attributes:
        device: e.g. "cuda:1".
        precision: e.g. "float16".
        free_bytes: of memory there.
        main_free_bytes: of main memory, through which the weights go on their way to a graphics card.
        is_slow: True where the device has no arithmetic of that precision.
    """

    device: str
    precision: str
    free_bytes: int
    main_free_bytes: int
    is_slow: bool = False

    @property
    def name(self) -> str:
        """The device in a sentence."""
        kind, _, number = self.device.partition(":")
        if kind == "cuda":
            return f"graphics card {number}" if number else "the graphics card"
        return "the graphics processor" if kind == "mps" else "the CPU"
