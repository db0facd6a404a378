"""What a model says of itself, and what it is where it is ready.

Plain, frozen types without torch. Knows modes and tasks; loads nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from rtocr_gui.ocr.reading import Mode, Task


@dataclass(frozen=True, slots=True)
class PrintSizes:
    """How large print has to be for a model, by the x-height of its letters in a view.

    Attributes:
        least_px: the person is warned of smaller print. With a margin: about half of what is read well.
        well_px: from here on the model reads well.
    """

    least_px: float
    well_px: float


PUBLISHED_PRINT = PrintSizes(least_px=5.0, well_px=10.0)
"""What the published models need: `packaging/decisions/7-auto-mode-by-stroke-pitch.md`."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a checkpoint folder says of itself; readable without loading any weight.

    Attributes:
        folder: the checkpoint folder.
        name: what the window and the exports call it.
        description: what it reads and what it does not, in a sentence or two.
        modes: modes it was made for; the first is offered first.
        tasks: tasks it was made for; the first is offered first.
        parameter_count: number of weights.
        weight_bytes: size of the weight files.
        print_sizes: how large print has to be for it.
    """

    folder: Path
    name: str
    description: str
    modes: tuple[Mode, ...]
    tasks: tuple[Task, ...]
    parameter_count: int
    weight_bytes: int
    print_sizes: PrintSizes = PUBLISHED_PRINT

    @property
    def takes_words(self) -> bool:
        """True where it may be asked in words of one's own: it was trained on more than reading text."""
        return any(task.asks_for_places for task in self.tasks)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready to read.

    Attributes:
        info: what it is.
        device: where it runs, e.g. "cpu".
        dtype: how it computes there, e.g. "float32".
        load_ms: how long loading took.
        why: the reason for device and precision, in a sentence or two.
        pages_at_once: how many pages it reads best at a time, at least 1.
    """

    info: ModelInfo
    device: str
    dtype: str
    load_ms: float
    why: str = ""
    pages_at_once: int = 1
