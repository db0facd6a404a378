"""Reads the files of a model folder as untrusted input.

Sizes are bounded, JSON is only ever data, and every refusal is a full sentence. Knows which files a
checkpoint consists of; knows no architecture and no torch.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtocr_gui.errors import CheckpointError
from rtocr_gui.files import reason_of

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
TOKENIZER_FILE = "tokenizer.json"
DESCRIPTION_FILE = "rtocr.json"
RECORD_FILE = "rtocr-download.json"

_KIB, _MIB = 2**10, 2**20
_MOST_BYTES = {
    CONFIG_FILE: _MIB,
    INDEX_FILE: 16 * _MIB,
    TOKENIZER_FILE: 32 * _MIB,
    DESCRIPTION_FILE: 64 * _KIB,
    RECORD_FILE: _MIB,
}

_PLAIN_NAME = re.compile(r"[\w-][\w.-]*")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LARGEST_BYTES = 2**43
_LONGEST_NAME = 200  # a part of a download has a longer one; file systems take 255


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model, as listed by a server and as recorded by a download.

    Attributes:
        name: plain ASCII of at most 200 characters, without folders.
        size_bytes: size of its content.
        digest: hexadecimal checksum of its content: SHA-256 for large files, Git's SHA-1 for small ones.

    Raises:
        ValueError: a value is out of range or malformed.
        TypeError: name or digest is not a string.
    """

    name: str
    size_bytes: int
    digest: str

    def __post_init__(self) -> None:
        is_plain = _PLAIN_NAME.fullmatch(self.name) is not None and self.name.isascii()
        is_named = is_plain and len(self.name) <= _LONGEST_NAME
        is_sized = type(self.size_bytes) is int and 0 < self.size_bytes <= _LARGEST_BYTES
        if not is_named or not is_sized or not _DIGEST.fullmatch(self.digest):
            raise ValueError(f"no file of a model: {self}")


def is_weight_file(name: str) -> bool:
    """True for the name of a safetensors file in the folder itself."""
    return name.endswith(".safetensors") and _PLAIN_NAME.fullmatch(name) is not None


def legible(words: str, longest: int = 80) -> str:
    """Make words from a file safe to show: cut them short and replace control characters."""
    shown = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in words[:longest]
    )
    return f"{shown}…" if len(words) > longest else shown


def as_written(value: object) -> str:
    """Format a value from a file as JSON, made safe to show by `legible`."""
    return legible(json.dumps(value), 40)


def damaged(path: Path, reason: str) -> CheckpointError:
    """Build the error for a file that is not what it should be."""
    return CheckpointError(f"The model file “{path.name}” is damaged: {reason}. Download it again.")


@contextmanager
def as_checkpoint_error(folder: Path) -> Iterator[None]:
    """Turn what the system refuses while a folder is read into a sentence.

    Raises:
        CheckpointError: instead of any `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"The model in “{folder}” cannot be read: {reason_of(error)}. Check that you may open its files."
        ) from error


def find_file(folder: Path, name: str) -> Path:
    """Find a file of a model folder and check its size.

    Raises:
        CheckpointError: it is missing or far too large for what it should hold.
    """
    path = folder / name
    if not path.is_file():
        raise CheckpointError(
            f"The folder “{folder}” has no file “{name}”, so it is not a complete DeepSeek-OCR model. "
            "Choose another folder, or download the missing file."
        )
    size = path.stat().st_size
    if size > _MOST_BYTES.get(name, size):
        raise damaged(path, f"it has {size:,} bytes, far too much for what it should hold")
    return path


def parse_object(path: Path, data: bytes) -> Mapping[str, Any]:
    """Parse the JSON object in a file.

    Raises:
        CheckpointError: it is something else, or has a duplicate key, which parsers resolve differently.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            key = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise damaged(path, f"it holds “{legible(key)}” twice")
        return values

    try:
        values = json.loads(data.decode("utf-8-sig"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is not valid JSON") from error
    if not isinstance(values, dict):
        raise damaged(path, "it does not hold a JSON object")
    return values


def read_object(folder: Path, name: str) -> Mapping[str, Any]:
    """Read a JSON file of a model folder.

    Raises:
        CheckpointError: it is missing, too large or not a JSON object.
        OSError: it cannot be read.
    """
    path = find_file(folder, name)
    return parse_object(path, path.read_bytes())
