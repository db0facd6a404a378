"""A request from the window to the engine: which model to load, and how to run it.

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
        scaling: how pages will be read, which must fit into memory.
        changes_scaling: True if this scaling was offered to make the model fit: pages are read with it once
            the model is loaded.
        anyway: load the model even if it does not seem to fit into memory.
    """

    folder: Path
    device: str = "auto"
    precision: str = "auto"
    scaling: Scaling = Scaling(None)
    changes_scaling: bool = False
    anyway: bool = False
