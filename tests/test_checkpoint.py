"""A model folder is checked in full before it is loaded, and loaded exactly as it is."""

import json
import math
import os
import subprocess
import sys
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import UnlimitedOcrForConditionalGeneration, core_model_loading

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.checkpoint import load_checkpoint, load_model, stock_config
from rtocr_gui.ocr.model.folder import check_folder, inspect_checkpoint, open_folder
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.resources import resource_path
from tests.small_checkpoint import (
    rewrite_weights,
    shard,
    small_config,
    small_weights,
    write_checkpoint,
    write_config,
)

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "model")


# --- what a folder says of itself ----------------------------------------------------------------


def test_the_bundled_model_says_what_it_was_made_for() -> None:
    info = inspect_checkpoint(resource_path("miniature"))
    said = json.loads(resource_path("miniature/rtocr.json").read_text())
    assert info.name == said["name"]
    assert info.description == said["description"]
    assert [mode.value for mode in info.modes] == said["modes"]
    assert [task.name for task in info.tasks] == said["tasks"]
    assert info.gundam_aspect_ratio == said["gundam_up_to_aspect_ratio"]
    assert info.light_pages_only is said["light_pages_only"]
    assert info.rough_boxes is said["rough_boxes"]
    assert not info.takes_words
    assert info.needs_large_print
    assert info.weight_bytes == resource_path("miniature/model.safetensors").stat().st_size
    assert 5e6 < info.parameter_count < 5e7


def test_a_folder_that_says_nothing_is_the_published_model(folder: Path) -> None:
    info = inspect_checkpoint(folder)
    assert info.name == "DeepSeek-OCR"
    assert info.modes[:2] == (Mode.BASE, Mode.GUNDAM)
    assert set(info.modes) == set(Mode)
    assert info.gundam_aspect_ratio == math.inf
    assert not info.light_pages_only
    assert not info.rough_boxes
    assert info.tasks == TASKS
    assert info.takes_words
    assert not info.needs_large_print
    assert info.parameter_count == sum(weights.size for weights in small_weights(small_config()).values())


@pytest.mark.parametrize(
    ("tasks", "takes_words"), [(["markdown", "text", "ocr"], False), (["text", "figure"], True)]
)
def test_a_model_takes_words_unless_it_only_reads_pages(
    folder: Path, tasks: list[str], takes_words: bool
) -> None:
    (folder / "rtocr.json").write_text(
        json.dumps({"name": "Mine", "description": "Reads.", "modes": ["base"], "tasks": tasks})
    )
    assert inspect_checkpoint(folder).takes_words is takes_words


def test_the_prompts_are_those_the_model_was_published_with() -> None:
    assert [task.prompt for task in TASKS] == [
        "\n<|grounding|>Convert the document to markdown.",
        "\nFree OCR.",
        "\n<|grounding|>OCR this image.",
        "\nParse the figure.",
        "\nDescribe this image in detail.",
    ]


@pytest.mark.parametrize(("kind", "precision"), [(np.float16, "float16"), (np.float32, "float32")])
def test_the_precision_is_that_of_most_weights(folder: Path, kind: type[np.generic], precision: str) -> None:
    def narrow(weights: dict[str, np.ndarray]) -> None:
        for name in set(weights) - {"model.norm.weight"}:
            weights[name] = weights[name].astype(kind)

    rewrite_weights(folder, narrow)
    assert check_folder(folder).precision == precision
    assert check_folder(resource_path("miniature")).precision == "bfloat16"


def test_inspecting_a_folder_needs_no_torch() -> None:
    code = (
        "import sys; from pathlib import Path; from rtocr_gui.ocr.model.folder import inspect_checkpoint; "
        f"inspect_checkpoint(Path({str(resource_path('miniature'))!r})); "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_hidden_sizes_fall_back_to_those_of_the_official_code(folder: Path) -> None:
    config = small_config()
    sam, clip = (
        config["vision_config"]["width"]["sam_vit_b"],
        config["vision_config"]["width"]["clip-l-14-224"],
    )
    for section, key in ((sam, "out_channels"), (sam, "mlp_dim"), (sam, "window_size")):
        del section[key]
    del clip["intermediate_size"]
    write_config(folder, config)
    save_file(small_weights(config), folder / "model.safetensors")
    sizes = check_folder(folder).architecture
    assert (sizes.sam.neck_width, sizes.sam.mlp_width, sizes.sam.window) == (256, 4 * 8, 14)
    assert sizes.clip.mlp_width == 4 * 12


@pytest.mark.parametrize("name", ["a-1", "modèle_文"])
def test_shards_are_found_by_their_index(name: str, folder: Path) -> None:
    whole = inspect_checkpoint(folder)
    shard(folder, (f"{name}.safetensors", "a-2.safetensors"))
    sharded = inspect_checkpoint(folder)
    assert sharded.parameter_count == whole.parameter_count
    assert sharded.weight_bytes == sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def test_tensors_that_nothing_reads_may_be_there(folder: Path) -> None:
    def add_unused(weights: dict[str, np.ndarray]) -> None:
        clip = "model.vision_model.embeddings"
        weights[f"{clip}.patch_embedding.weight"] = np.zeros((12, 3, 14, 14), np.float32)
        weights[f"{clip}.position_ids"] = np.arange(257)[None]

    rewrite_weights(folder, add_unused)
    inspect_checkpoint(folder)
    assert load_model(check_folder(folder), CPU, torch.float32).dtype == torch.float32


# --- what is loaded ------------------------------------------------------------------------------


def test_the_weights_in_memory_are_those_of_the_file(folder: Path) -> None:
    model = load_model(check_folder(folder), CPU, torch.float32)
    weights = load_file(folder / "model.safetensors")
    assert np.array_equal(model.lm_head.weight, weights["lm_head.weight"])
    assert np.array_equal(model.model.view_separator, weights["model.view_seperator"])
    expert = model.model.language_model.layers[1].mlp.experts.down_proj[3]
    assert np.array_equal(expert, weights["model.layers.1.mlp.experts.3.down_proj.weight"])
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_shards_give_the_same_model_as_one_file(folder: Path) -> None:
    whole = load_model(check_folder(folder), CPU, torch.float32).state_dict()
    shard(folder)
    sharded = load_model(check_folder(folder), CPU, torch.float32).state_dict()
    assert all(torch.equal(whole[name], sharded[name]) for name in whole)


def test_tensors_are_read_one_after_the_other_and_none_of_them_stays_beside_the_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: set[threading.Thread] = set()
    stored: list[weakref.ref[torch.Tensor]] = []
    left: list[int] = []
    read, move = core_model_loading._materialize_copy, torch.nn.Module.to

    def watched_read(tensor: Any, device: Any = None, dtype: Any = None) -> torch.Tensor:
        values = tensor[...]
        readers.add(threading.current_thread())
        stored.append(weakref.ref(values))
        return read(values, device, dtype)

    def watched_move(model: torch.nn.Module, device: torch.device) -> torch.nn.Module:
        left.append(sum(tensor() is not None for tensor in stored))
        return move(model, device)

    monkeypatch.setattr(core_model_loading, "_materialize_copy", watched_read)
    monkeypatch.setattr(UnlimitedOcrForConditionalGeneration, "to", watched_move)
    load_model(check_folder(folder), CPU, torch.float64)
    assert len(stored) > 0
    assert readers == {threading.current_thread()}
    assert left == [0]


def test_loading_leaves_the_environment_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    load_model(check_folder(folder), CPU, torch.float32)
    assert dict(os.environ) == before
    monkeypatch.setenv("HF_DEACTIVATE_ASYNC_LOAD", "0")
    load_model(check_folder(folder), CPU, torch.float32)
    assert os.environ["HF_DEACTIVATE_ASYNC_LOAD"] == "0"


def test_every_decoder_layer_attends_to_the_whole_text(folder: Path) -> None:
    config = stock_config(check_folder(folder).architecture)
    assert set(config.text_config.layer_types) == {"full_attention"}


def test_loading_prints_nothing_and_looks_at_nothing_else(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "modeling_deepseekocr.py").write_text("raise SystemExit('remote code ran')")
    (folder / "generation_config.json").write_text("nonsense")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "elsewhere"}')
    checkpoint = load_checkpoint(open_folder(folder), CPU, torch.float32)
    assert checkpoint.info.name == "DeepSeek-OCR"
    assert checkpoint.tokenizer.encode("<image>\n") == [4, 74]
    assert capfd.readouterr() == ("", "")


def test_a_file_that_vanishes_before_loading_is_told_in_words(folder: Path) -> None:
    checked = check_folder(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(checked, CPU, torch.float32)


@pytest.mark.parametrize("reason", ["missing_keys", "unexpected_keys", "mismatched_keys"])
def test_weights_that_do_not_fit_the_stock_model_are_refused(
    folder: Path, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = UnlimitedOcrForConditionalGeneration.from_pretrained

    def load_with_one_left(*arguments: Any, **settings: Any) -> tuple[Any, dict[str, Any]]:
        model, report = load(*arguments, **settings)
        return model, report | {reason: {"model.norm.weight"}}

    monkeypatch.setattr(UnlimitedOcrForConditionalGeneration, "from_pretrained", load_with_one_left)
    with pytest.raises(CheckpointError, match=f"do not fit the model .*1 {reason}"):
        load_model(check_folder(folder), CPU, torch.float32)


def test_a_device_that_fails_is_not_taken_for_a_damaged_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(UnlimitedOcrForConditionalGeneration, "from_pretrained", fail)
    with pytest.raises(CheckpointError, match="“cpu” failed while the model was loaded"):
        load_model(check_folder(folder), CPU, torch.float32)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the maps of Linux")
def test_a_loaded_model_does_not_stay_mapped_to_its_file(folder: Path) -> None:
    model = load_model(check_folder(folder), CPU, torch.float32)  # as it is stored
    assert str(folder) not in Path("/proc/self/maps").read_text()
    assert next(model.parameters()).device == CPU


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    ],
)
def test_too_little_memory_is_told_with_the_amount_needed(
    folder: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise error

    monkeypatch.setattr(core_model_loading, "_materialize_copy", fail)
    checked = replace(check_folder(folder), parameter_count=3_300_000_000, weight_bytes=6_700_000_000)
    with pytest.raises(CheckpointError, match=r"needs 13\.2 GB of memory on “cpu”: .*smaller model"):
        load_model(checked, CPU, torch.float32)
    needed = r"needs 6\.6 GB of memory on “meta”, and 6\.6 GB of main memory.*smaller model"
    with pytest.raises(CheckpointError, match=needed):
        load_model(checked, torch.device("meta"), torch.bfloat16)
