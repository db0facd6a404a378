"""Writes a checkpoint in the official layout that is small enough to be spoilt in every test."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from rtocr_gui.ocr.model.architecture import read_architecture
from rtocr_gui.ocr.model.manifest import expected_tensors
from rtocr_gui.resources import resource_path


def small_config() -> dict[str, Any]:
    """The config of a model with a few thousand weights and the bundled tokenizer's vocabulary."""
    return {
        "model_type": "deepseek_vl_v2",
        "image_token_id": 4,
        "tile_tag": "2D",
        "global_view_pos": "head",
        "auto_map": {"AutoModel": "modeling_deepseekocr.DeepseekOCRForCausalLM"},
        "projector_config": {"projector_type": "linear"},
        "language_config": {
            "bos_token_id": 0,
            "eos_token_id": 1,
            "first_k_dense_replace": 1,
            "hidden_size": 16,
            "intermediate_size": 24,
            "max_position_embeddings": 512,
            "moe_intermediate_size": 8,
            "n_routed_experts": 4,
            "n_shared_experts": 1,
            "num_attention_heads": 2,
            "num_experts_per_tok": 2,
            "num_hidden_layers": 2,
            "num_key_value_heads": 2,
            "vocab_size": 320,
        },
        "vision_config": {
            "width": {
                "clip-l-14-224": {"heads": 2, "layers": 1, "width": 12, "intermediate_size": 20},
                "sam_vit_b": {
                    "downsample_channels": [10, 12],
                    "global_attn_indexes": [],
                    "heads": 2,
                    "layers": 1,
                    "width": 8,
                    "out_channels": 6,
                    "mlp_dim": 10,
                    "window_size": 8,
                },
            }
        },
    }


def unlimited_config(window: int = 8) -> dict[str, Any]:
    """The same model as Unlimited-OCR is published: its name, and the window where it stands in the file."""
    config = small_config() | {
        "model_type": "unlimited-ocr",
        "architectures": ["UnlimitedOCRForCausalLM"],
        "auto_map": {"AutoModel": "modeling_unlimitedocr.UnlimitedOCRForCausalLM"},
        "sliding_window": window,
        "sliding_window_size": window,
    }
    config["language_config"] |= {"max_position_embeddings": 2048, "sliding_window_size": window}
    return config


def small_weights(config: dict[str, Any]) -> dict[str, np.ndarray]:
    """Random weights, the same every time, that fit a config."""
    generator = np.random.default_rng(11)
    shapes = expected_tensors(read_architecture(config))
    return {name: generator.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def write_config(folder: Path, config: dict[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def write_checkpoint(folder: Path, config: dict[str, Any] | None = None) -> Path:
    """Write config, weights and tokenizer into a new folder."""
    folder.mkdir()
    config = small_config() if config is None else config
    write_config(folder, config)
    save_file(small_weights(config), folder / "model.safetensors")
    tokenizer = resource_path("miniature/tokenizer.json").read_bytes()
    (folder / "tokenizer.json").write_bytes(tokenizer)
    return folder


def changed(path: str, value: object) -> dict[str, Any]:
    """The small config with one value replaced; slashes lead into sections."""
    config = small_config()
    section = config
    *parents, key = path.split("/")
    for parent in parents:
        section = section[parent]
    section[key] = value
    return config


def rewrite_weights(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def rewrite_header(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    change(header)
    new = json.dumps(header).encode()
    path.write_bytes(len(new).to_bytes(8, "little") + new + data[8 + length :])


def shard(folder: Path, names: tuple[str, str] = ("a-1.safetensors", "a-2.safetensors")) -> None:
    """Split the weights in two files with an index, as large checkpoints are published."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {name: names[index % 2] for index, name in enumerate(sorted(weights))}
    for file in names:
        part = {name: tensor for name, tensor in weights.items() if places[name] == file}
        save_file(part, folder / Path(file).name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
