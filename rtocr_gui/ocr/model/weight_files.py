"""Finds the weight files of a model folder and reads their headers.

Uses the same library as the loader but not torch, so a truncated download is reported before gigabytes
are loaded. Knows no architecture.
"""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.model_files import (
    INDEX_FILE,
    WEIGHTS_FILE,
    damaged,
    find_file,
    is_weight_file,
    legible,
    read_object,
)

FLOAT_TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""Number types that weights may have, with torch's names for them."""

_MOST_HEADER_BYTES = 32 * 2**20
_MOST_SHARDS = 1000
_WHOLE_NUMBERS = ("I64", "I32")


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """How a file stores a tensor.

    Attributes:
        shape: its shape.
        kind: type of its numbers in the format's notation, e.g. "BF16".
    """

    shape: tuple[int, ...]
    kind: str


def find_weight_files(folder: Path) -> tuple[Path, ...]:
    """Find the one weight file, or the shards that the index names.

    Args:
        folder: the model's folder.

    Returns:
        At least one safetensors file in that folder.

    Raises:
        CheckpointError: there are none, they are pickles or GGUF, or the index names files elsewhere.
        OSError: the folder cannot be read.
    """
    if (folder / WEIGHTS_FILE).is_file():
        return (folder / WEIGHTS_FILE,)
    if not (folder / INDEX_FILE).is_file():
        if any(folder.glob("*.gguf")):
            raise CheckpointError(
                f"The folder “{folder}” holds its weights as GGUF, which is made for llama.cpp and the like. "
                "Download the safetensors version of the model."
            )
        if any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
            raise CheckpointError(
                f"The folder “{folder}” holds its weights as pickle files (.bin, .pt), which can run any "
                "program when they are opened. Download the safetensors version of the model."
            )
        raise CheckpointError(
            f"The folder “{folder}” has no weights: “{WEIGHTS_FILE}” is missing. "
            "Choose another folder, or download the missing file."
        )
    places = read_object(folder, INDEX_FILE).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise damaged(folder / INDEX_FILE, "it names no weight files")
    names = sorted({place if isinstance(place, str) else repr(place) for place in places.values()})
    if len(names) > _MOST_SHARDS:
        raise damaged(folder / INDEX_FILE, f"it names {len(names)} weight files")
    for name in names:
        if not is_weight_file(name):
            raise CheckpointError(
                f"The model file “{INDEX_FILE}” names “{legible(name)}” as a weight file, which is not a "
                "safetensors file of its own folder. Do not use this model; download it from its publisher."
            )
    return tuple(find_file(folder, name) for name in names)


def read_tensors(path: Path, of_any_type: Container[str]) -> dict[str, StoredTensor]:
    """Read the header of a safetensors file and check that the file is as long as it states.

    Args:
        path: the file.
        of_any_type: names of tensors that may hold integers instead of floating-point numbers.

    Returns:
        The stored tensors by name.

    Raises:
        CheckpointError: the file is damaged, cut short or quantised.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start == b"version ":
        raise damaged(path, "it is only a pointer, and the weights are kept elsewhere (Git LFS)")
    if int.from_bytes(start, "little") > _MOST_HEADER_BYTES:
        raise damaged(path, "it does not begin like a safetensors file")
    try:
        # Were the file mapped, truncating it meanwhile would crash the program.
        with safe_open(path, framework="numpy", backend="pread") as weights:
            names = weights.keys()
            tensors = {name: _stored(weights.get_slice(name)) for name in names}
    except SafetensorError as error:
        reason = str(error).removeprefix("Error while deserializing header: ")
        raise damaged(path, f"it is not a complete safetensors file ({legible(reason)})") from error
    for name, tensor in tensors.items():
        if tensor.kind not in FLOAT_TYPES and not (name in of_any_type and tensor.kind in _WHOLE_NUMBERS):
            raise CheckpointError(
                f"The model stores “{legible(name)}” as {tensor.kind}, but only plain floating-point weights "
                "can be read. Download a version that is not quantised."
            )
    return tensors


def _stored(tensor: Any) -> StoredTensor:
    return StoredTensor(tuple(tensor.get_shape()), tensor.get_dtype())
