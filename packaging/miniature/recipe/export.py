"""Exports a training state to a checkpoint folder in the official layout.

Writes config.json, model.safetensors in bfloat16, tokenizer.json and rtocr.json. Knows no page.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save
from transformers.utils.logging import disable_progress_bar

from recipe.model import CONFIG, Learner, read_sizes
from recipe.readings import TOKENIZER
from recipe.training import HEADS_FILE, Blend, blend_weights, load_weights
from rtocr_gui.export.writing import write_bytes_atomically, write_text_atomically
from rtocr_gui.ocr.model.folder import read_description
from rtocr_gui.ocr.model.model_info import PrintSizes
from rtocr_gui.ocr.reading import Mode

_WEIGHTS = "model.safetensors"
_TOKENIZER_CONFIG = "tokenizer_config.json"


@dataclass(frozen=True, slots=True)
class Description:
    """The description of a checkpoint, for rtocr.json.

    Attributes:
        name: its name in the window.
        description: what it reads and what it does not.
        modes: modes it was made for; the first is the default.
        tasks: names of the tasks it was made for; the first is the default.
        print_sizes: how large print must be for it; None to use those of the published models.
        gundam_aspect_ratio: longer to shorter side of a page up to which it reads well in Gundam; None for
            any.
        light_pages_only: True if it only reads dark print on a light ground.
    """

    name: str
    description: str
    modes: Sequence[Mode]
    tasks: Sequence[str]
    print_sizes: PrintSizes | None = None
    gundam_aspect_ratio: float | None = None
    light_pages_only: bool = False


def export_checkpoint(
    run: Path, folder: Path, description: Description, *, heads: bool = False, blend: Blend | None = None
) -> None:
    """Write a checkpoint folder.

    Args:
        run: folder of any stage.
        folder: target folder, created if missing; existing files are replaced.
        description: description of the checkpoint.
        heads: True to write the heads too, which are needed to continue training from it; False to remove
            those that are there, because they belong to other weights.
        blend: weights to average with; None for no averaging.

    Raises:
        CheckpointError: the program would refuse the description; or from `load_weights`.
        ExportError: a file cannot be written, and the one that is there is unchanged.
        OSError: the folder cannot be made, or changed.
    """
    folder, sizes, about = folder.resolve(), read_sizes(), _fields(description)
    read_description(about, sizes.family)
    learner = Learner(sizes)
    load_weights(run, learner)
    if blend is not None:
        blend_weights(learner, blend)
    folder.mkdir(parents=True, exist_ok=True)
    disable_progress_bar()  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as stock:
        learner.bfloat16().model.save_pretrained(stock)
        write_bytes_atomically(folder / _WEIGHTS, Path(stock, _WEIGHTS).read_bytes())
    if heads:
        tensors = learner.state_dict().items()
        own = {name: one for name, one in tensors if not name.startswith("model.")}
        write_bytes_atomically(folder / HEADS_FILE, save(own))
    else:
        (folder / HEADS_FILE).unlink(missing_ok=True)
    for source in (CONFIG, TOKENIZER, TOKENIZER.with_name(_TOKENIZER_CONFIG)):
        if source.parent != folder:
            write_bytes_atomically(folder / source.name, source.read_bytes())
    write_text_atomically(folder / "rtocr.json", json.dumps(about, indent=2, ensure_ascii=False) + "\n")


def _fields(description: Description) -> dict[str, Any]:
    """The content of rtocr.json."""
    fields: dict[str, Any] = {
        "name": description.name,
        "description": description.description,
        "modes": [mode.value for mode in description.modes],
        "tasks": list(description.tasks),
    }
    if description.print_sizes is not None:
        fields["x_height_px"] = {
            "least": description.print_sizes.least_px,
            "well": description.print_sizes.well_px,
        }
    if description.gundam_aspect_ratio is not None:
        fields["gundam_up_to_aspect_ratio"] = description.gundam_aspect_ratio
    if description.light_pages_only:
        fields["light_pages_only"] = True
    return fields
