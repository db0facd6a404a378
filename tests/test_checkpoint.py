"""A model folder is checked in full before it is loaded, and loaded exactly as it is."""

import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import UnlimitedOcrForConditionalGeneration, core_model_loading

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.checkpoint import load_checkpoint, load_model, stock_config
from rtocr_gui.ocr.folder import check_folder, inspect_checkpoint
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.resources import resource_path
from tests.small_checkpoint import small_config, small_weights, write_checkpoint, write_config

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "model")


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


# --- what a folder says of itself ----------------------------------------------------------------


def test_the_bundled_model_says_what_it_was_made_for() -> None:
    info = inspect_checkpoint(resource_path("miniature"))
    said = json.loads(resource_path("miniature/rtocr.json").read_text())
    assert info.name == said["name"]
    assert info.description == said["description"]
    assert [mode.value for mode in info.modes] == said["modes"]
    assert [task.name for task in info.tasks] == said["tasks"]
    assert info.weight_bytes == resource_path("miniature/model.safetensors").stat().st_size
    assert 5e6 < info.parameter_count < 5e7


def test_a_folder_that_says_nothing_is_the_published_model(folder: Path) -> None:
    info = inspect_checkpoint(folder)
    assert info.name == "DeepSeek-OCR"
    assert info.modes[:2] == (Mode.BASE, Mode.GUNDAM)
    assert set(info.modes) == set(Mode)
    assert info.tasks == TASKS
    assert info.parameter_count == sum(weights.size for weights in small_weights(small_config()).values())


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
        "import sys; from pathlib import Path; from rtocr_gui.ocr.folder import inspect_checkpoint; "
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


def test_shards_are_found_by_their_index(folder: Path) -> None:
    whole = inspect_checkpoint(folder)
    shard(folder)
    sharded = inspect_checkpoint(folder)
    assert sharded.parameter_count == whole.parameter_count
    assert sharded.weight_bytes == sum(path.stat().st_size for path in folder.glob("*.safetensors"))


# --- what is refused -----------------------------------------------------------------------------


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no folder"):
        inspect_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        inspect_checkpoint(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "rtocr.json"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"]
)
def test_a_file_of_nonsense_is_refused_in_words(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"\.$"):
        inspect_checkpoint(folder)


def test_a_file_far_too_large_is_not_even_read(folder: Path) -> None:
    with (folder / "config.json").open("ab") as file:
        file.truncate(2**40)
    with pytest.raises(CheckpointError, match="far too much"):
        inspect_checkpoint(folder)


def test_pickled_weights_are_refused_with_the_reason(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"pickle.*safetensors version"):
        inspect_checkpoint(folder)


def test_a_pointer_of_git_lfs_is_recognised(folder: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 6672547120\n"
    (folder / "model.safetensors").write_text(pointer)
    with pytest.raises(CheckpointError, match="Git LFS"):
        inspect_checkpoint(folder)


@pytest.mark.parametrize("kept_share", [0.0001, 0.3, 0.999])
def test_a_cut_download_is_recognised(folder: Path, kept_share: float) -> None:
    path = folder / "model.safetensors"
    os.truncate(path, int(path.stat().st_size * kept_share))
    with pytest.raises(CheckpointError, match="damaged"):
        inspect_checkpoint(folder)


def test_bytes_after_the_weights_are_refused(folder: Path) -> None:
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"more")
    with pytest.raises(CheckpointError, match="damaged"):
        inspect_checkpoint(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shape", [-16]),
        ("shape", [2**80]),
        ("shape", [16.0]),
        ("shape", [True]),
        ("shape", "16"),
        ("shape", [1] * 100),
        ("shape", [15]),
        ("data_offsets", [0]),
        ("data_offsets", [64, 0]),
        ("data_offsets", [-64, 0]),
        ("data_offsets", None),
        ("dtype", None),
    ],
)
def test_a_hostile_header_is_refused(folder: Path, field: str, value: object) -> None:
    rewrite_header(folder, lambda header: header["model.norm.weight"].update({field: value}))
    with pytest.raises(CheckpointError, match=r"model\.norm\.weight"):
        inspect_checkpoint(folder)


def test_tensors_that_share_bytes_are_refused(folder: Path) -> None:
    def share(header: dict[str, Any]) -> None:
        header["model.image_newline"]["data_offsets"] = header["model.norm.weight"]["data_offsets"]

    rewrite_header(folder, share)
    with pytest.raises(CheckpointError, match="overlap"):
        inspect_checkpoint(folder)


def test_quantised_weights_are_refused_with_the_reason(folder: Path) -> None:
    rewrite_weights(folder, lambda weights: weights.update({"lm_head.weight": np.zeros((320, 16), np.int8)}))
    with pytest.raises(CheckpointError, match=r"I8.*not quantised"):
        inspect_checkpoint(folder)


def test_a_missing_tensor_is_named(folder: Path) -> None:
    rewrite_weights(folder, lambda weights: weights.pop("model.norm.weight"))
    with pytest.raises(CheckpointError, match=r"lacks tensors \(1; .*model.norm.weight"):
        inspect_checkpoint(folder)


def test_an_unknown_tensor_is_named(folder: Path) -> None:
    rewrite_weights(folder, lambda weights: weights.update({"model.extra": np.zeros(3, np.float32)}))
    with pytest.raises(CheckpointError, match=r"unknown tensors \(1; .*model.extra"):
        inspect_checkpoint(folder)


def test_a_tensor_of_another_shape_is_named(folder: Path) -> None:
    rewrite_weights(folder, lambda weights: weights.update({"model.norm.weight": np.zeros(17, np.float32)}))
    with pytest.raises(CheckpointError, match=r"model.norm.weight.*\(17,\).*\(16,\)"):
        inspect_checkpoint(folder)


def test_tensors_that_nothing_reads_may_be_there(folder: Path) -> None:
    def add_unused(weights: dict[str, np.ndarray]) -> None:
        clip = "model.vision_model.embeddings"
        weights[f"{clip}.patch_embedding.weight"] = np.zeros((12, 3, 14, 14), np.float32)
        weights[f"{clip}.position_ids"] = np.arange(257)[None]

    rewrite_weights(folder, add_unused)
    inspect_checkpoint(folder)
    assert load_model(check_folder(folder), CPU, torch.float32).dtype == torch.float32


@pytest.mark.parametrize(
    "place",
    [
        "../outside.safetensors",
        "/etc/passwd",
        "sub/a.safetensors",
        "..\\a.safetensors",
        "a.bin",
        ".safetensors",
    ],
)
def test_an_index_that_leads_out_of_the_folder_is_refused(folder: Path, place: str) -> None:
    shard(folder)
    index = folder / "model.safetensors.index.json"
    places = json.loads(index.read_text())["weight_map"]
    places["model.norm.weight"] = place
    index.write_text(json.dumps({"weight_map": places}))
    with pytest.raises(CheckpointError, match="of its own folder"):
        inspect_checkpoint(folder)


def test_a_missing_shard_is_named(folder: Path) -> None:
    shard(folder)
    (folder / "a-2.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"a-2\.safetensors"):
        inspect_checkpoint(folder)


def test_a_tensor_in_two_shards_is_refused(folder: Path) -> None:
    shard(folder)
    twice = {**load_file(folder / "a-1.safetensors"), **load_file(folder / "a-2.safetensors")}
    save_file(twice, folder / "a-2.safetensors")
    with pytest.raises(CheckpointError, match="another file as well"):
        inspect_checkpoint(folder)


@pytest.mark.parametrize("content", [{}, {"weight_map": []}, {"weight_map": {}}])
def test_an_index_without_weight_files_is_refused(folder: Path, content: dict[str, Any]) -> None:
    shard(folder)
    (folder / "model.safetensors.index.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="names no weight files"):
        inspect_checkpoint(folder)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model_type", "llama"),
        ("model_type", None),
        ("tile_tag", "1D"),
        ("image_token_id", 320),
        ("image_token_id", -1),
        ("language_config", None),
        ("language_config", [1]),
        ("language_config/hidden_size", "16"),
        ("language_config/hidden_size", 10**12),
        ("language_config/hidden_size", 0),
        ("language_config/hidden_size", True),
        ("language_config/num_attention_heads", 3),
        ("language_config/num_key_value_heads", 4),
        ("language_config/num_hidden_layers", 10**9),
        ("language_config/num_experts_per_tok", 5),
        ("language_config/eos_token_id", 4000),
        ("language_config/use_mla", True),
        ("language_config/rope_scaling", {"type": "yarn"}),
        ("language_config/topk_method", "noaux_tc"),
        ("projector_config/projector_type", "mlp_gelu"),
        ("vision_config/width/sam_vit_b", None),
        ("vision_config/width/sam_vit_b/global_attn_indexes", [1]),
        ("vision_config/width/sam_vit_b/global_attn_indexes", "all"),
        ("vision_config/width/sam_vit_b/downsample_channels", [12]),
        ("vision_config/width/sam_vit_b/heads", 3),
        ("vision_config/width/clip-l-14-224/width", 14),
        ("vision_config/width/clip-l-14-224/layers", 1.0),
    ],
)
def test_a_config_that_cannot_be_computed_is_refused_by_its_key(
    folder: Path, path: str, value: object
) -> None:
    write_config(folder, changed(path, value))
    with pytest.raises(CheckpointError, match=path.rpartition("/")[2]):
        inspect_checkpoint(folder)


def test_a_long_value_is_not_shown_whole(folder: Path) -> None:
    write_config(folder, changed("model_type", "x" * 100_000))
    with pytest.raises(CheckpointError) as caught:
        inspect_checkpoint(folder)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "said",
    [
        {"name": ""},
        {"name": 5},
        {"name": "two\nlines"},
        {"name": "x" * 81},
        {"description": None},
        {"modes": []},
        {"modes": ["huge"]},
        {"modes": "tiny"},
        {"tasks": [["text"]]},
        {"tasks": ["rm -rf"]},
    ],
)
def test_a_description_with_wrong_values_is_refused_by_its_key(folder: Path, said: dict[str, Any]) -> None:
    right = {"name": "Mine", "description": "Reads little.", "modes": ["tiny"], "tasks": ["text"]}
    (folder / "rtocr.json").write_text(json.dumps(right))
    assert inspect_checkpoint(folder).name == "Mine"
    (folder / "rtocr.json").write_text(json.dumps(right | said))
    with pytest.raises(CheckpointError, match=next(iter(said))):
        inspect_checkpoint(folder)


def test_a_tokenizer_without_the_image_token_is_refused(folder: Path) -> None:
    write_config(folder, changed("image_token_id", 5))
    with pytest.raises(CheckpointError, match="<image>"):
        inspect_checkpoint(folder)


def test_a_tokenizer_of_another_kind_is_refused(folder: Path) -> None:
    values = json.loads((folder / "tokenizer.json").read_text())
    values["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    (folder / "tokenizer.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="byte-level"):
        inspect_checkpoint(folder)


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(folder: Path) -> None:
    config = changed("language_config/vocab_size", 300)
    write_config(folder, config)
    save_file(small_weights(config), folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="more than 300 tokens"):
        inspect_checkpoint(folder)


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
    checkpoint = load_checkpoint(folder, CPU, torch.float32)
    assert checkpoint.info.name == "DeepSeek-OCR"
    assert checkpoint.tokenizer.encode("<image>\n") == [4, 74]
    assert capfd.readouterr() == ("", "")


def test_a_file_that_vanishes_before_loading_is_told_in_words(folder: Path) -> None:
    checked = check_folder(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(checked, CPU, torch.float32)


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
