"""A small model laid out as DeepSeek-OCR is published, with the files beside it that nobody needs."""

import json
from pathlib import Path

from safetensors.numpy import load_file

from tests.small_checkpoint import write_checkpoint

WEIGHTS = "model-00001-of-000001.safetensors"
NEEDED = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json", WEIGHTS)
UNWANTED = {
    "modeling_deepseekocr.py": b"raise SystemExit('remote code ran')",
    "pytorch_model.bin": b"\x80\x04cos\nsystem\n",
    "README.md": b"# DeepSeek-OCR",
    "assets/fig.png": b"\x89PNG",
    "evil/../../model.safetensors": b"",
    "mod\u0435l.safetensors": b"named in Cyrillic",
}


def published_files(folder: Path) -> dict[str, bytes]:
    """Write a model below a folder, and give the content of all files that a hub would list."""
    model = write_checkpoint(folder / "published")
    (model / "model.safetensors").rename(model / WEIGHTS)
    places = dict.fromkeys(load_file(model / WEIGHTS), WEIGHTS)
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    (model / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizerFast"}')
    return {name: (model / name).read_bytes() for name in NEEDED} | UNWANTED
