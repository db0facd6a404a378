"""Checks and describes a checkpoint folder, in full, before any weight is read.

Knows the official layout (config.json, safetensors in one file or in shards, tokenizer.json) and
`rtocr.json`, in which a checkpoint may state what it was made for. Everything in the folder is untrusted:
sizes are bounded, nothing is executed. Knows no torch.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.asking import ASKS
from rtocr_gui.ocr.model.architecture import Architecture, read_architecture
from rtocr_gui.ocr.model.families import Family
from rtocr_gui.ocr.model.manifest import expected_tensors, unused_tensors
from rtocr_gui.ocr.model.model_files import (
    CONFIG_FILE,
    DESCRIPTION_FILE,
    TOKENIZER_FILE,
    as_checkpoint_error,
    damaged,
    find_file,
    legible,
    read_object,
)
from rtocr_gui.ocr.model.model_info import ModelInfo, PrintSizes
from rtocr_gui.ocr.model.tokenizer import PageTokenizer
from rtocr_gui.ocr.model.weight_files import FLOAT_TYPES, StoredTensor, find_weight_files, read_tensors
from rtocr_gui.ocr.reading import Mode, Task

_PRINT = "x_height_px"
"""Optional key of a description, for `PrintSizes`."""
_GUNDAM_ASPECT = "gundam_up_to_aspect_ratio"
"""Optional key of a description: for longer and for wider pages, Auto prefers the other modes to Gundam."""
_LIGHT_PAGES = "light_pages_only"
"""Optional key of a description: true for a model that cannot read light print on a dark ground."""
_ROUGH_BOXES = "rough_boxes"
"""Optional key of a description: true for a model that says only roughly where blocks are."""

_LARGEST_PRINT_PX = 200
_LARGEST_ASPECT_RATIO = 100

_Choice = TypeVar("_Choice", Mode, Task)


@dataclass(frozen=True, slots=True)
class CheckpointFolder:
    """A folder whose config and weight files fit together.

    Attributes:
        path: the folder.
        architecture: the sizes of the model.
        weight_files: the safetensors files, all of them needed.
        parameter_count: number of weights.
        weight_bytes: size of the weight files.
        changed_ns: when the newest of them was changed, in nanoseconds since 1970.
        precision: type of most stored weights, e.g. "bfloat16".
    """

    path: Path
    architecture: Architecture
    weight_files: tuple[Path, ...]
    parameter_count: int
    weight_bytes: int
    changed_ns: int
    precision: str


@dataclass(frozen=True, eq=False, slots=True)
class OpenedFolder:
    """A checkpoint folder of which everything is known except the values of the weights.

    Attributes:
        files: its files, which fit together.
        info: its description.
        tokenizer: its tokenizer, whose ids fit the model.
    """

    files: CheckpointFolder
    info: ModelInfo
    tokenizer: PageTokenizer


def open_folder(folder: Path) -> OpenedFolder:
    """Check a checkpoint folder, and read everything in it except the weights.

    Args:
        folder: a folder in the official layout.

    Returns:
        What is needed to load the weights and to prompt the model.

    Raises:
        CheckpointError: it cannot be used, and why.
    """
    files = check_folder(folder)
    info = describe(files)
    asks = ASKS if info.takes_words else ()
    prompts = [task.prompt for task in info.tasks] + [ask.before + ask.after for ask in asks]
    return OpenedFolder(files, info, load_tokenizer(files, prompts))


def inspect_checkpoint(folder: Path) -> ModelInfo:
    """Describe a checkpoint folder without loading it.

    Args:
        folder: a folder in the official layout.

    Returns:
        What `rtocr.json` states; without that file, the description of the published model.

    Raises:
        CheckpointError: it cannot be used, and why.
    """
    return open_folder(folder).info


def check_folder(folder: Path) -> CheckpointFolder:
    """Check config and weights against each other: names, shapes, types, file sizes.

    Args:
        folder: a folder in the official layout; a tokenizer is not needed here.

    Returns:
        What is needed to load the weights.

    Raises:
        CheckpointError: a file is missing, damaged, unsafe or belongs to another model.
    """
    with as_checkpoint_error(folder):
        if folder.is_file():
            raise CheckpointError(f"“{folder}” is a file. Choose the folder that contains it.")
        if not folder.is_dir():
            raise CheckpointError(
                f"There is no folder “{folder}”. Choose the folder of a DeepSeek-OCR model."
            )
        architecture = read_architecture(read_object(folder, CONFIG_FILE))
        unused = unused_tensors(architecture)
        weight_files = find_weight_files(folder)
        stored: dict[str, StoredTensor] = {}
        for path in weight_files:
            for name, tensor in read_tensors(path, unused).items():
                if name in stored:
                    raise damaged(path, f"the tensor “{legible(name)}” is in another file as well")
                stored[name] = tensor
        weight_stats = [path.stat() for path in weight_files]
    expected = expected_tensors(architecture)
    _compare({name: tensor.shape for name, tensor in stored.items()}, expected, unused)
    return CheckpointFolder(
        path=folder,
        architecture=architecture,
        weight_files=weight_files,
        parameter_count=sum(math.prod(shape) for shape in expected.values()),
        weight_bytes=sum(stat.st_size for stat in weight_stats),
        changed_ns=max(stat.st_mtime_ns for stat in weight_stats),
        precision=_precision(stored[name] for name in expected),
    )


def load_tokenizer(folder: CheckpointFolder, prompts: Iterable[str] = ()) -> PageTokenizer:
    """Load the tokenizer beside the weights.

    Args:
        folder: a checked folder.
        prompts: prompts that it must be able to encode.

    Returns:
        The tokenizer; its ids fit the model.

    Raises:
        CheckpointError: it is missing, damaged or belongs to another model.
    """
    with as_checkpoint_error(folder.path):
        path = find_file(folder.path, TOKENIZER_FILE)
    return PageTokenizer.from_file(path, folder.architecture, prompts)


def describe(folder: CheckpointFolder) -> ModelInfo:
    """Read `rtocr.json`, or describe the published model if there is no such file.

    Args:
        folder: a checked folder.

    Returns:
        Name, description, modes, tasks, what the model does well (print sizes, shapes of pages in Gundam,
        dark pages, boxes), and number and size of the weights.

    Raises:
        CheckpointError: `rtocr.json` exists but is wrong.
    """
    family = folder.architecture.family
    info = ModelInfo(
        folder=folder.path,
        name=family.name,
        description=family.description,
        modes=family.modes,
        tasks=family.tasks,
        parameter_count=folder.parameter_count,
        weight_bytes=folder.weight_bytes,
        changed_ns=folder.changed_ns,
    )
    with as_checkpoint_error(folder.path):
        if (folder.path / DESCRIPTION_FILE).exists():
            info = replace(info, **read_description(read_object(folder.path, DESCRIPTION_FILE), family))
    return info


def read_description(fields: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Check and read the content of `rtocr.json`.

    Args:
        fields: the parsed file.
        family: the published model that the checkpoint is of.

    Returns:
        The attributes of `ModelInfo` that it states.

    Raises:
        CheckpointError: a value is missing or wrong.
    """
    optional: dict[str, tuple[str, Callable[[object], object]]] = {
        _PRINT: ("print_sizes", _print_sizes),
        _GUNDAM_ASPECT: ("gundam_aspect_ratio", _aspect_ratio),
        _LIGHT_PAGES: ("light_pages_only", partial(_truth, _LIGHT_PAGES)),
        _ROUGH_BOXES: ("rough_boxes", partial(_truth, _ROUGH_BOXES)),
    }
    return {
        "name": _text(fields, "name", 80),
        "description": _text(fields, "description", 1000),
        "modes": _choices(fields, "modes", {mode.value: mode for mode in Mode}),
        "tasks": _choices(fields, "tasks", {task.name: task for task in family.tasks}),
        **{attribute: read(fields[key]) for key, (attribute, read) in optional.items() if key in fields},
    }


def _compare(
    found: Mapping[str, tuple[int, ...]],
    expected: Mapping[str, tuple[int, ...]],
    unused: Mapping[str, tuple[int, ...]],
) -> None:
    """Refuse missing, unexpected and wrongly shaped tensors."""
    known = {**expected, **unused}
    for reason, names in (
        ("lacks", sorted(expected.keys() - found.keys())),
        ("holds unknown", sorted(found.keys() - known.keys())),
    ):
        if names:
            raise CheckpointError(
                f"The model {reason} tensors ({len(names)}; the first is “{legible(names[0])}”), so weights "
                "and config.json do not belong together. Download the model again, or choose another folder."
            )
    for name, shape in found.items():
        if shape != known[name]:
            raise CheckpointError(
                f"The model's tensor “{name}” has the shape {legible(str(shape))}, but config.json asks for "
                f"{known[name]}. Download the model again, or choose another folder."
            )


def _precision(tensors: Iterable[StoredTensor]) -> str:
    """Return torch's name for the type of most weights."""
    weights = Counter[str]()
    for tensor in tensors:
        weights[tensor.kind] += math.prod(tensor.shape)
    return FLOAT_TYPES[weights.most_common(1)[0][0]]


def _text(fields: Mapping[str, Any], key: str, longest: int) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= longest or not value.isprintable():
        raise CheckpointError(
            f"The model's {DESCRIPTION_FILE} cannot be used: “{key}” must be a line of 1 to {longest} "
            "characters."
        )
    return value.strip()


def _choices(fields: Mapping[str, Any], key: str, known: Mapping[str, _Choice]) -> tuple[_Choice, ...]:
    names = fields.get(key)
    listed = names if isinstance(names, list) else []
    if not listed or any(not isinstance(name, str) or name not in known for name in listed):
        raise CheckpointError(
            f"The model's {DESCRIPTION_FILE} cannot be used: “{key}” must list one or more of "
            f"{', '.join(known)}."
        )
    return tuple(known[name] for name in dict.fromkeys(listed))


def _aspect_ratio(value: object) -> float:
    ratio = _number(value)
    if not 1 <= ratio <= _LARGEST_ASPECT_RATIO:
        raise CheckpointError(
            f"The model's {DESCRIPTION_FILE} cannot be used: “{_GUNDAM_ASPECT}” must be a number from 1 to "
            f"{_LARGEST_ASPECT_RATIO}."
        )
    return float(ratio)


def _truth(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise CheckpointError(
            f"The model's {DESCRIPTION_FILE} cannot be used: “{key}” must be true or false."
        )
    return value


def _print_sizes(value: object) -> PrintSizes:
    sizes = value if isinstance(value, Mapping) else {}
    least, well = (_number(sizes.get(key)) for key in ("least", "well"))
    if not 0 < least <= well <= _LARGEST_PRINT_PX:
        raise CheckpointError(
            f"The model's {DESCRIPTION_FILE} cannot be used: “{_PRINT}” must hold “least” and “well”, two "
            f"numbers of pixels above 0 and up to {_LARGEST_PRINT_PX}, the first no larger than the second."
        )
    return PrintSizes(float(least), float(well))


def _number(value: object) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
