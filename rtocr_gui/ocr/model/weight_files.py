"""Finds the weight files of a model folder and reads their headers by hand.

The safetensors format: eight bytes with the length of a JSON header, the header, the tensors without
gaps. Reading it here costs no torch and tells a cut download before gigabytes are loaded. Knows no
architecture.
"""

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.model_files import (
    INDEX_FILE,
    WEIGHTS_FILE,
    damaged,
    find_file,
    is_weight_file,
    legible,
    parse_object,
    read_object,
)

_MOST_HEADER_BYTES = 32 * 2**20
_MOST_SHARDS = 1000
_MOST_DIMENSIONS = 8
_LARGEST_NUMBER = 2**48
_FLOAT_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_OTHER_BYTES = {"I64": 8, "I32": 4}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """How a file stores a tensor.

    Attributes:
        shape: its sizes.
        kind: type of its numbers as the format names it, e.g. "BF16".
    """

    shape: tuple[int, ...]
    kind: str


def find_weight_files(folder: Path) -> tuple[Path, ...]:
    """Find the one weight file, or the shards that the index names.

    Args:
        folder: of the model.

    Returns:
        Safetensors files that lie in that folder, at least one.

    Raises:
        CheckpointError: there are none, they are pickles, or the index names others.
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
    """Read the header of a safetensors file and check that the file holds what it promises.

    Args:
        path: of the file.
        of_any_type: names of tensors that need not hold floating-point numbers.

    Returns:
        What it stores, by name.

    Raises:
        CheckpointError: the file is damaged, cut short or quantised.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start == b"version ":
            raise damaged(path, "it is only a pointer, and the weights are kept elsewhere (Git LFS)")
        header_bytes = int.from_bytes(start, "little")
        if len(start) < 8 or not 2 <= header_bytes <= min(_MOST_HEADER_BYTES, size - 8):
            raise damaged(path, "it does not begin like a safetensors file, or it is cut short")
        header_text = file.read(header_bytes)
    if not header_text.startswith(b"{"):
        raise damaged(path, "it does not begin like a safetensors file")
    header = parse_object(path, header_text)
    notes = header.get("__metadata__", {})
    if not isinstance(notes, dict) or not all(isinstance(note, str) for note in notes.values()):
        raise damaged(path, "its notes (“__metadata__”) are not plain words")
    tensors: dict[str, StoredTensor] = {}
    spans: list[tuple[int, int]] = []
    for name, entry in header.items():
        if name != "__metadata__":
            tensors[name], span = _read_entry(path, name, entry, name in of_any_type)
            spans.append(span)
    reached = 0
    for begin, end in sorted(spans):
        if begin != reached:
            raise damaged(path, "its tensors overlap or leave gaps")
        reached = end
    available = size - 8 - header_bytes
    if reached != available:
        raise damaged(path, f"it should hold {reached:,} bytes of weights, but holds {available:,}")
    return tensors


def _read_entry(path: Path, name: str, entry: object, any_type: bool) -> tuple[StoredTensor, tuple[int, int]]:
    """One tensor of a safetensors header, and its first and last byte."""
    fields: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
    shape = _sizes(fields.get("shape"))
    span = _sizes(fields.get("data_offsets"))
    stored_kind = fields.get("dtype")
    if shape is None or span is None or len(span) != 2 or not isinstance(stored_kind, str):
        raise damaged(path, f"the entry of the tensor “{legible(name)}” makes no sense")
    kind = legible(stored_kind, 20)
    item_bytes = _FLOAT_BYTES.get(kind) or (_OTHER_BYTES.get(kind) if any_type else None)
    if item_bytes is None:
        raise CheckpointError(
            f"The model stores “{legible(name)}” as {kind}, but only plain floating-point weights can be "
            "read. Download a version that is not quantised."
        )
    if span[1] - span[0] != math.prod(shape) * item_bytes:
        raise damaged(path, f"the tensor “{legible(name)}” does not have the size that its shape asks for")
    return StoredTensor(shape, kind), (span[0], span[1])


def _sizes(values: object) -> tuple[int, ...] | None:
    """A short tuple of whole numbers from 0 up, or None where `values` is anything else."""
    if not isinstance(values, list) or len(values) > _MOST_DIMENSIONS:
        return None
    sizes = tuple(value for value in values if type(value) is int and 0 <= value <= _LARGEST_NUMBER)
    return sizes if len(sizes) == len(values) else None
