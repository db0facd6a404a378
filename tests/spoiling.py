"""Ways to spoil a good model folder, each with one thing that is wrong."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.small_checkpoint import (
    changed,
    rewrite_header,
    rewrite_weights,
    shard,
    small_weights,
    unlimited_config,
    write_config,
)

Spoil = Callable[[Path], object]
Change = Callable[[dict[str, Any]], object]
INDEX, WEIGHTS = "model.safetensors.index.json", "model.safetensors"
NORM = "model.norm.weight"
DESCRIPTION = {"name": "Mine", "description": "Reads little.", "modes": ["tiny"], "tasks": ["text"]}


def put(name: str, content: bytes) -> Spoil:
    return lambda folder: (folder / name).write_bytes(content)


def remove(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


def rename(name: str, new_name: str) -> Spoil:
    return lambda folder: (folder / name).rename(folder / new_name)


def cut(share: float, name: str = WEIGHTS) -> Spoil:
    return lambda folder: os.truncate(folder / name, int((folder / name).stat().st_size * share))


def grow(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        with (folder / name).open("ab") as file:
            file.truncate(2**40)

    return spoil


def long_header(folder: Path) -> None:
    """Weights of nothing but a header of 33 MiB, which takes no room on the disk."""
    with (folder / WEIGHTS).open("wb") as file:
        file.write((33 * 2**20).to_bytes(8, "little") + b"{}")
        file.truncate(8 + 33 * 2**20)


def config(path: str, value: object) -> Spoil:
    return lambda folder: write_config(folder, changed(path, value))


def unlimited(**changes: object) -> Spoil:
    return lambda folder: write_config(folder, unlimited_config() | changes)


def tensor(name: str, values: np.ndarray | None) -> Spoil:
    def change(weights: dict[str, np.ndarray]) -> None:
        weights.pop(name, None)
        if values is not None:
            weights[name] = values

    return lambda folder: rewrite_weights(folder, change)


def entry(field: str, value: object) -> Spoil:
    """One field of a tensor in the header of the weights."""
    return lambda folder: rewrite_header(folder, lambda header: header[NORM].update({field: value}))


def header(change: Change) -> Spoil:
    return lambda folder: rewrite_header(folder, lambda values: (change(values), None)[1])


def header_bytes(change: Callable[[bytes], bytes]) -> Spoil:
    """The header as it is written, its length kept true."""

    def spoil(folder: Path) -> None:
        data = (folder / WEIGHTS).read_bytes()
        length = int.from_bytes(data[:8], "little")
        text = change(data[8 : 8 + length])
        (folder / WEIGHTS).write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])

    return spoil


def index(change: Change) -> Spoil:
    """The index of a folder whose weights are in two files."""

    def spoil(folder: Path) -> None:
        shard(folder)
        values = json.loads((folder / INDEX).read_text())
        change(values)
        (folder / INDEX).write_text(json.dumps(values))

    return spoil


def place(where: object) -> Spoil:
    return index(lambda values: values["weight_map"].update({NORM: where}))


def after_shard(spoil: Spoil) -> Spoil:
    return lambda folder: (shard(folder), spoil(folder))


def tokenizer(change: Change) -> Spoil:
    def spoil(folder: Path) -> None:
        values = json.loads((folder / "tokenizer.json").read_text())
        change(values)
        (folder / "tokenizer.json").write_text(json.dumps(values))

    return spoil


def without_token(content: str) -> Spoil:
    return tokenizer(
        lambda values: values.update(
            added_tokens=[token for token in values["added_tokens"] if token["content"] != content]
        )
    )


def description(**said: object) -> Spoil:
    return put("rtocr.json", json.dumps(DESCRIPTION | said).encode())


def fewer_tokens(folder: Path) -> None:
    small = changed("language_config/vocab_size", 300)
    write_config(folder, small)
    save_file(small_weights(small), folder / WEIGHTS)


def both_shards_in_one(folder: Path) -> None:
    shard(folder)
    twice = {**load_file(folder / "a-1.safetensors"), **load_file(folder / "a-2.safetensors")}
    save_file(twice, folder / "a-2.safetensors")


def shard_of_another_model(folder: Path) -> None:
    shard(folder)
    weights = load_file(folder / "a-2.safetensors")
    save_file({name: values[..., :1] for name, values in weights.items()}, folder / "a-2.safetensors")


def a_file_in_place_of_the_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_bytes(b"")


def share_bytes(values: dict[str, Any]) -> None:
    values["model.image_newline"]["data_offsets"] = values[NORM]["data_offsets"]


def a_tensor_twice(text: bytes) -> bytes:
    """The second time in another shape of the same size."""
    entry = json.loads(text)[NORM] | {"shape": [4, 4]}
    return text.rstrip()[:-1] + f', "{NORM}": {json.dumps(entry)}}}'.encode()


def link_to_itself(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("config.json")


def most_sizes(folder: Path) -> None:
    """The greatest numbers that are believed."""
    values = changed("language_config/num_hidden_layers", 256)
    values["language_config"] |= {"n_routed_experts": 1024}
    write_config(folder, values)


def append(name: str, content: bytes) -> Spoil:
    return lambda folder: put(name, (folder / name).read_bytes() + content)(folder)


def many_shards(values: dict[str, Any]) -> None:
    values["weight_map"] |= {str(number): f"{number}.safetensors" for number in range(999)}


def to_bad_normalizer(values: dict[str, Any]) -> None:
    values["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}


def to_word_pieces(values: dict[str, Any]) -> None:
    values["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": True}
