"""Which model is to be loaded and how it should run: what the window asks the engine for.

A frozen value. Knows no model, and not whether it fits.
"""

from dataclasses import dataclass
from pathlib import Path

from rtocr_gui.ocr.reading import Scaling


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """A model, and how it should run.

    Attributes:
        folder: of its checkpoint.
        device: "auto", or the name of a device.
        precision: "auto", or the name of a precision.
        scaling: in which pages shall be read; None for the one that takes least memory.
        changes_scaling: True where that scaling was offered so that the model fits: pages are read in it once
            it is loaded.
        anyway: load also what seems not to fit into memory.
    """

    folder: Path
    device: str = "auto"
    precision: str = "auto"
    scaling: Scaling | None = None
    changes_scaling: bool = False
    anyway: bool = False
