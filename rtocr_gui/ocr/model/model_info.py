"""The description of a model on disk, and of one that is loaded.

Plain, frozen types without torch. Knows modes and tasks; loads nothing.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from rtocr_gui.ocr.reading import Mode, Task


@dataclass(frozen=True, slots=True)
class PrintSizes:
    """How large print must be for a model, as the x-height of its letters in a view.

    Attributes:
        least_px: the user is warned about smaller print. Leaves a margin: about half of `well_px`.
        well_px: the model reads print of this size and above well.
    """

    least_px: float
    well_px: float


PUBLISHED_PRINT = PrintSizes(least_px=5.0, well_px=10.0)
"""What the published models need; see `packaging/decisions/7-auto-mode-by-stroke-pitch.md`."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The description of a checkpoint folder, read without loading any weights.

    Attributes:
        folder: the checkpoint folder.
        name: its name in the window and in exports.
        description: what it reads and what it does not, in a sentence or two.
        modes: modes it was made for; the first is the default.
        tasks: tasks it was made for; the first is the default.
        parameter_count: number of weights.
        weight_bytes: size of the weight files.
        print_sizes: how large print must be for it.
        gundam_aspect_ratio: mode Auto prefers the other modes to Gundam for pages whose longer side is more
            than this many times the shorter one.
        light_pages_only: True if it only reads dark print on a light ground, so that dark pages are
            inverted for it.
        rough_boxes: True if it says only roughly where blocks are, so that they are moved to where their text
            is printed.
        changed_ns: when the newest weight file was changed, in nanoseconds since 1970; tells a model from
            another that was in the same folder before.
    """

    folder: Path
    name: str
    description: str
    modes: tuple[Mode, ...]
    tasks: tuple[Task, ...]
    parameter_count: int
    weight_bytes: int
    print_sizes: PrintSizes = PUBLISHED_PRINT
    gundam_aspect_ratio: float = math.inf
    light_pages_only: bool = False
    rough_boxes: bool = False
    changed_ns: int = 0

    @property
    def takes_words(self) -> bool:
        """True if it accepts a prompt in the user's own words: it was trained on more than reading pages."""
        return not all(task.reads_all_print for task in self.tasks)

    @property
    def needs_large_print(self) -> bool:
        """True if the published models read smaller print."""
        return self.print_sizes.least_px > PUBLISHED_PRINT.least_px


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready to read.

    Attributes:
        info: its description.
        device: where it runs, e.g. "cpu".
        dtype: its precision there, e.g. "float32".
        load_ms: how long loading took.
        why: the reason for device and precision, in a sentence or two.
        pages_at_once: how many pages it should read at a time, at least 1.
    """

    info: ModelInfo
    device: str
    dtype: str
    load_ms: float
    why: str = ""
    pages_at_once: int = 1
