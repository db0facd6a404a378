"""Exports a training state to a checkpoint folder in the official layout.

Writes config.json, model.safetensors in bfloat16, tokenizer.json and rtocr.json. Knows no page.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from transformers.utils.logging import disable_progress_bar

from recipe.model import CONFIG, Learner, read_sizes
from recipe.readings import TOKENIZER
from recipe.states import HEADS_FILE, Blend, blend_weights, load_weights
from rtocr_gui.export.writing import write_bytes_atomically, write_text_atomically
from rtocr_gui.ocr.model.folder import read_description
from rtocr_gui.ocr.model.model_files import DESCRIPTION_FILE, WEIGHTS_FILE

_TOKENIZER_CONFIG = "tokenizer_config.json"


def export_checkpoint(
    run: Path, folder: Path, fields: Mapping[str, Any], *, heads: bool = False, blend: Blend | None = None
) -> None:
    """Write a checkpoint folder.

    Args:
        run: folder of any stage.
        folder: target folder, created if missing; existing files are replaced.
        fields: the content of rtocr.json, which describes the checkpoint.
        heads: True to write the heads too, which are needed to continue training from it; False to remove
            those that are there, because they belong to other weights.
        blend: weights to average with; None for no averaging.

    Raises:
        CheckpointError: the program would refuse the description; or from `load_weights`.
        ExportError: a file cannot be written, and the one that is there is unchanged.
        OSError: the folder cannot be made, or changed.
    """
    folder, sizes = folder.resolve(), read_sizes()
    read_description(fields, sizes.family)
    learner = Learner(sizes)
    load_weights(run, learner)
    if blend is not None:
        blend_weights(learner, blend)
    folder.mkdir(parents=True, exist_ok=True)
    disable_progress_bar()  # type: ignore[no-untyped-call]
    (folder / HEADS_FILE).unlink(missing_ok=True)  # first, as they belong to other weights
    with tempfile.TemporaryDirectory() as stock:
        learner.bfloat16().model.save_pretrained(stock)
        write_bytes_atomically(folder / WEIGHTS_FILE, Path(stock, WEIGHTS_FILE).read_bytes())
    if heads:
        tensors = learner.state_dict().items()
        own = {name: one for name, one in tensors if not name.startswith("model.")}
        write_bytes_atomically(folder / HEADS_FILE, save(own))
    for source in (CONFIG, TOKENIZER, TOKENIZER.with_name(_TOKENIZER_CONFIG)):
        if source.parent != folder:
            write_bytes_atomically(folder / source.name, source.read_bytes())
    description = json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
    write_text_atomically(folder / DESCRIPTION_FILE, description)
