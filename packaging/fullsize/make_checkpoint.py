"""Writes a random checkpoint of the exact layout and size of the published DeepSeek-OCR: 6.67 GB.

The published weights cannot be downloaded everywhere, and loading, memory and speed do not depend on their
values. Names, shapes and precision are the published ones; the values come from a seed. Tensors are
written one after the other, in pieces, so that at most a few hundred MB are in memory.

    python packaging/fullsize/make_checkpoint.py FOLDER [--seed 0]
"""

import argparse
import json
import math
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from rtocr_gui.cli.failures import failures_in_words
from rtocr_gui.ocr.model.architecture import Architecture, read_architecture
from rtocr_gui.ocr.model.manifest import expected_tensors, unused_tensors

CONFIG = Path(__file__).parents[2] / "tests" / "golden" / "deepseek_ocr_config.json"
"""The published config, byte for byte."""

WEIGHTS = "model-00001-of-000001.safetensors"
SPECIAL_TOKENS = {
    0: "<｜begin▁of▁sentence｜>",
    1: "<｜end▁of▁sentence｜>",
    2: "<｜▁pad▁｜>",
    128815: "<image>",
    128816: "<|ref|>",
    128817: "<|/ref|>",
    128818: "<|det|>",
    128819: "<|/det|>",
    128820: "<|grounding|>",
    128821: "<td>",
    128822: "</td>",
    128823: "<tr>",
    128824: "</tr>",
}
_PIECE_VALUES = 16 * 2**20
_INT64_NAMES = ("position_ids",)


@failures_in_words()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True)
    shutil.copyfile(CONFIG, folder / "config.json")
    write_tokenizer(folder / "tokenizer.json")
    architecture = read_architecture(json.loads(CONFIG.read_text(encoding="utf-8")))
    written = write_weights(folder, architecture, arguments.seed)
    print(f"{written / 1e9:.2f} GB of weights in {folder}")


def write_weights(folder: Path, architecture: Architecture, seed: int) -> int:
    """Write all tensors to one safetensors file with its index, as in the published repository.

    Returns:
        Size of the tensors in bytes.
    """
    shapes = expected_tensors(architecture) | unused_tensors(architecture)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in sorted(shapes.items()):
        is_int64 = name.endswith(_INT64_NAMES)
        begin, end = end, end + math.prod(shape) * (8 if is_int64 else 2)
        header[name] = {
            "dtype": "I64" if is_int64 else "BF16",
            "shape": list(shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with (folder / WEIGHTS).open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        for number, (name, shape) in enumerate(sorted(shapes.items())):
            if name.endswith(_INT64_NAMES):
                stream.write(np.arange(math.prod(shape), dtype=np.int64).tobytes())
            else:
                _write_values(stream, name, shape, np.random.default_rng([seed, number]))
    index = {"metadata": {"total_size": end}, "weight_map": dict.fromkeys(sorted(shapes), WEIGHTS)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return end


def _write_values(
    stream: IO[bytes], name: str, shape: tuple[int, ...], generator: np.random.Generator
) -> None:
    """Write one tensor: ones for norm scales, zeros for biases, else small random numbers."""
    for count in _pieces(math.prod(shape)):
        if len(shape) == 1 and name.endswith("weight"):
            values = np.ones(count, dtype=np.float32)
        elif name.endswith("bias"):
            values = np.zeros(count, dtype=np.float32)
        else:
            values = generator.standard_normal(count, dtype=np.float32)
            values *= 1 / math.sqrt(shape[-1] * math.prod(shape[2:-1])) if len(shape) > 1 else 0.02
        stream.write((values.view(np.uint32) >> 16).astype(np.uint16).tobytes())


def _pieces(count: int) -> Iterator[int]:
    while count > 0:
        yield min(count, _PIECE_VALUES)
        count -= _PIECE_VALUES


def write_tokenizer(path: Path) -> None:
    """Write a byte-level tokenizer whose special tokens have the published ids; it has no words."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    free_ids = (number for number in range(max(SPECIAL_TOKENS) + 1) if number not in SPECIAL_TOKENS)
    vocabulary = {text: number for number, text in SPECIAL_TOKENS.items()}
    vocabulary |= {letter: next(free_ids) for letter in letters}
    vocabulary |= {f"<unused {number}>": number for number in free_ids}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    for text in SPECIAL_TOKENS.values():
        tokenizer.add_special_tokens([AddedToken(text, normalized=False)])
    tokenizer.save(str(path))


if __name__ == "__main__":
    main()
