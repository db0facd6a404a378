"""The weights of the miniature on disk: states of a training, and checkpoints that were exported with heads.

Knows files of tensors; how a training goes on from its state is in `training`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from recipe.growth import NO_LAYERS, AddedLayers, add_layers, sizes_before
from recipe.model import CONFIG, Learner
from recipe.muon import Optimiser
from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.checkpoint import load_checkpoint
from rtocr_gui.ocr.model.folder import open_folder
from rtocr_gui.ocr.model.model_files import CONFIG_FILE

STATE_FILE = "state.safetensors"
HEADS_FILE = "heads.safetensors"
"""File next to the weights of a checkpoint that training can continue from, unless it is kept elsewhere."""


def save_state(folder: Path, learner: Learner, optimiser: Optimiser, said: Mapping[str, object]) -> None:
    """Save what the next step depends on; if killed meanwhile, the previous state remains."""
    tensors = {
        **{f"model:{name}": tensor for name, tensor in learner.state_dict().items()},
        **{f"optimiser:{name}": tensor for name, tensor in optimiser.state().items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{STATE_FILE}.part"
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        unfinished,
        {key: str(value) for key, value in said.items()},
    )
    unfinished.replace(folder / STATE_FILE)


def read_facts(folder: Path) -> dict[str, str]:
    """Return what the state of a stage says of its training.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        raise CheckpointError(f"{folder} is not the folder of a stage: it has no {STATE_FILE}.")
    with _told_if_damaged(path), safe_open(path, "pt") as file:
        return file.metadata() or {}


def read_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the tensors in the state of a stage: those of the learner, and those of the optimiser.

    Raises:
        CheckpointError: it is damaged or cannot be read.
    """
    tensors = _read_tensors(folder / STATE_FILE)
    return _part(tensors, "model:"), _part(tensors, "optimiser:")


def _read_tensors(path: Path) -> dict[str, Tensor]:
    with _told_if_damaged(path):
        return load_file(path)


@contextmanager
def _told_if_damaged(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file of tensors into a sentence."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path} is damaged or cannot be read: put back a copy of it, or name another."
        ) from error


def load_weights(
    folder: Path, learner: Learner, heads: Path | None = None, added: AddedLayers = NO_LAYERS
) -> None:
    """Load the weights of a stage, or of a checkpoint that was exported with its heads.

    Args:
        folder: folder of the stage or the checkpoint.
        learner: receives the weights.
        heads: file with the checkpoint's heads, if not in its folder.
        added: layers of the learner that the weights do not have; see `add_layers`.

    Raises:
        CheckpointError: the weights or heads have other sizes, are missing or are damaged.
    """
    if not folder.is_dir():
        raise CheckpointError(f"There is no folder {folder}: name that of a stage or of a checkpoint.")
    if not any((folder / name).exists() for name in (STATE_FILE, CONFIG_FILE)):
        raise CheckpointError(
            f"{folder} is no checkpoint, and no stage has saved a state there yet: train that stage first, "
            "or name another folder."
        )
    misfit = CheckpointError(
        f"{folder} has other sizes or heads than {CONFIG} and the recipe ask for: begin from one with the "
        "same, or name the layers that it does not have."
    )
    if (folder / STATE_FILE).exists():
        tensors, _ = read_state(folder)
    else:
        checkpoint = load_checkpoint(open_folder(folder), torch.device("cpu"), torch.float32)
        if checkpoint.architecture != sizes_before(learner.sizes, added):
            raise misfit
        model = {f"model.{name}": tensor for name, tensor in checkpoint.model.state_dict().items()}
        kept = heads or folder / HEADS_FILE
        if not kept.is_file():
            raise CheckpointError(f"{kept} is missing: name the file with the heads of {folder}.")
        tensors = model | _read_tensors(kept)
    grown = add_layers(tensors, learner.sizes, added)
    if shapes_of(grown) != shapes_of(learner.state_dict()):
        raise misfit
    learner.load_state_dict(grown)


@dataclass(frozen=True, slots=True)
class Blend:
    """Earlier weights to average with.

    Attributes:
        folder: folder of the stage or checkpoint that training continued from.
        share: its share in the average, in 0..1.
        heads: file with its heads, if not in its folder.
        added: layers that it did not have yet.
    """

    folder: Path
    share: float
    heads: Path | None = None
    added: AddedLayers = NO_LAYERS


@torch.no_grad()
def blend_weights(learner: Learner, blend: Blend) -> None:
    """Average the weights of a learner with those that its training started from.

    After a short training on other pages, weights between those before and after it read the new pages as
    well and have forgotten less of the old ones (Wortsman et al., 2022, arXiv 2109.01903).

    Raises:
        CheckpointError: see `load_weights`.
    """
    before = Learner(learner.sizes)
    load_weights(blend.folder, before, blend.heads, blend.added)
    for after, earlier in zip(learner.state_dict().values(), before.state_dict().values(), strict=True):
        if after.is_floating_point():
            after.lerp_(earlier, blend.share)


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    """Return the shapes of tensors by their names."""
    return {name: tensor.shape for name, tensor in tensors.items()}


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
