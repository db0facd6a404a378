"""Every way in which a model folder can be wrong, and the words it must be refused with.

    python -m tests.wrong_checkpoints

writes them as a table, each with the sentence that the program really says. Tests take them from here.
"""

import functools
import html
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from tests.small_checkpoint import write_checkpoint
from tests.spoiling import (
    INDEX,
    NORM,
    WEIGHTS,
    Spoil,
    a_file_in_place_of_the_folder,
    a_tensor_twice,
    after_shard,
    append,
    both_shards_in_one,
    config,
    cut,
    description,
    entry,
    fewer_tokens,
    grow,
    header,
    header_bytes,
    index,
    link_to_itself,
    long_header,
    many_shards,
    most_sizes,
    place,
    put,
    remove,
    rename,
    shard_of_another_model,
    share_bytes,
    tensor,
    to_bad_normalizer,
    to_word_pieces,
    tokenizer,
    unlimited,
    without_token,
)

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 6672547120\n"


@dataclass(frozen=True, slots=True)
class WrongFolder:
    """One way.

    Attributes:
        way: what is wrong, for people.
        spoil: makes a good folder wrong in this way.
        words: part of what must be said.
    """

    way: str
    spoil: Spoil
    words: str


FOLDERS = [
    WrongFolder("the folder is gone", shutil.rmtree, "There is no folder"),
    WrongFolder("a file is named in place of the folder", a_file_in_place_of_the_folder, "is a file"),
    *(
        WrongFolder(f"{name} is missing", remove(name), f"“{name}”")
        for name in ("config.json", WEIGHTS, "tokenizer.json")
    ),
    WrongFolder("pickled weights (.bin)", rename(WEIGHTS, "pytorch_model.bin"), "pickle files"),
    WrongFolder("pickled weights (.pth)", rename(WEIGHTS, "model.pth"), "pickle files"),
    WrongFolder("weights for llama.cpp (GGUF)", rename(WEIGHTS, "model.gguf"), "GGUF"),
    *(
        WrongFolder(f"{name} of a terabyte", spoil, "far too much")
        for name, spoil in (
            *((name, grow(name)) for name in ("config.json", "tokenizer.json", "rtocr.json")),
            ("the index", after_shard(grow(INDEX))),
        )
    ),
]

if sys.platform.startswith("linux"):  # where letters differ in size, and links need no privilege
    FOLDERS += [
        WrongFolder("config.json in capitals", rename("config.json", "CONFIG.JSON"), "no file “config.json”"),
        WrongFolder("config.json is a link to itself", link_to_itself, "no file “config.json”"),
    ]

NONSENSE = {
    "empty": b"",
    "cut short": b'{"a"',
    "a list": b"[]",
    "no text": b"\xff\xfe\x00",
    "nested 100,000 deep": b"[" * 100_000,
    "a number of 5,000 digits": b'{"a": 1' + b"0" * 5000 + b"}",
}
FILES = [
    *(
        WrongFolder(f"{name} is {what}", put(name, content), "damaged")
        for name in ("config.json", WEIGHTS, "tokenizer.json", "rtocr.json")
        for what, content in NONSENSE.items()
    ),
    *(
        WrongFolder(f"the index is {what}", after_shard(put(INDEX, content)), "damaged")
        for what, content in NONSENSE.items()
    ),
    WrongFolder(
        "config.json says something twice", put("config.json", b'{"model_type": 1, "model_type": 2}'), "twice"
    ),
    WrongFolder("config.json in UTF-16", put("config.json", "{}".encode("utf-16")), "not valid JSON"),
]

CONFIG_VALUES: list[tuple[str, object]] = [
    ("model_type", "llama"),
    ("model_type", None),
    ("model_type", ["deepseek_vl_v2"]),
    ("model_type", "x" * 100_000),
    ("tile_tag", "1D"),
    ("image_token_id", 320),
    ("image_token_id", -1),
    ("sliding_window", 128),
    ("language_config", None),
    ("language_config", [1]),
    ("language_config/hidden_size", "16"),
    ("language_config/hidden_size", 10**12),
    ("language_config/hidden_size", 0),
    ("language_config/hidden_size", True),
    ("language_config/hidden_size", float("nan")),
    ("language_config/hidden_size", "\x1b[31m16"),
    ("language_config/num_attention_heads", 3),
    ("language_config/num_key_value_heads", 4),
    ("language_config/num_hidden_layers", 10**9),
    ("language_config/num_experts_per_tok", 5),
    ("language_config/max_position_embeddings", float("inf")),
    ("language_config/eos_token_id", 4000),
    ("language_config/eos_token_id", [1, 2]),
    ("language_config/use_mla", True),
    ("language_config/rope_scaling", {"type": "yarn"}),
    ("language_config/rope_theta", 1_000_000),
    ("language_config/topk_method", "noaux_tc"),
    ("projector_config/projector_type", "mlp_gelu"),
    ("vision_config/width/sam_vit_b", None),
    ("vision_config/width/sam_vit_b/global_attn_indexes", [1]),
    ("vision_config/width/sam_vit_b/global_attn_indexes", "all"),
    ("vision_config/width/sam_vit_b/global_attn_indexes", [0] * 1000),
    ("vision_config/width/sam_vit_b/downsample_channels", [12]),
    ("vision_config/width/sam_vit_b/heads", 3),
    ("vision_config/width/clip-l-14-224/width", 14),
    ("vision_config/width/clip-l-14-224/layers", 1.0),
]
CONFIGS = [
    *(
        WrongFolder(
            f"{path.replace('/', '.')} is {repr(value)[:30]}", config(path, value), path.rpartition("/")[2]
        )
        for path, value in CONFIG_VALUES
    ),
    WrongFolder(
        "sizes that config.json and weights do not share",
        config("language_config/intermediate_size", 25),
        "shape",
    ),
    WrongFolder(
        "more layers than the weights have", config("language_config/num_hidden_layers", 3), "lacks tensors"
    ),
    WrongFolder("256 layers of 1,024 experts", most_sizes, "lacks tensors"),
    WrongFolder(
        "DeepSeek-OCR-2", config("vision_config/model_name", "deepencoderv2"), "This is DeepSeek-OCR-2"
    ),
    WrongFolder(
        "a config.json that transformers wrote",
        put("config.json", b'{"model_type": "unlimited_ocr", "text_config": {}}'),
        "transformers wrote",
    ),
    WrongFolder(
        "Unlimited-OCR without a window",
        unlimited(sliding_window=None, sliding_window_size=0),
        "sliding_window",
    ),
    WrongFolder("Unlimited-OCR with two windows", unlimited(sliding_window=16), "elsewhere in the file"),
]


PLACES = (
    "../outside.safetensors",
    "/etc/passwd",
    "sub/a.safetensors",
    "..\\a.safetensors",
    "a.bin",
    ".safetensors",
)
SHARDS = [
    *(WrongFolder(f"the index names {where}", place(where), "of its own folder") for where in PLACES),
    WrongFolder("the index names a number", place(5), "of its own folder"),
    WrongFolder("the index names signs that steer a terminal", place("\x1b[2J\u202e"), "“�[2J�”"),
    WrongFolder("the index has no map", index(dict.clear), "names no weight files"),
    WrongFolder(
        "the index has a list", index(lambda values: values.update(weight_map=[])), "names no weight files"
    ),
    WrongFolder(
        "the index has an empty map",
        index(lambda values: values.update(weight_map={})),
        "names no weight files",
    ),
    WrongFolder("the index names 1,001 files", index(many_shards), "names 1001 weight files"),
    WrongFolder("a shard is missing", after_shard(remove("a-2.safetensors")), "a-2.safetensors"),
    WrongFolder("a shard is cut short", after_shard(cut(0.9, "a-2.safetensors")), "a-2.safetensors"),
    WrongFolder(
        "a shard is left out of the index",
        index(lambda values: values.update(weight_map={NORM: "a-1.safetensors"})),
        "lacks tensors",
    ),
    WrongFolder("a shard of another model", shard_of_another_model, "shape"),
    WrongFolder("a tensor is in two shards", both_shards_in_one, "another file as well"),
]

NOT_WHOLE = "is damaged: it is not a complete safetensors file ("
ENTRIES: list[tuple[str, object, str]] = [
    *(
        ("shape", value, NOT_WHOLE)
        for value in ([-16], [2**80], [16.0], [True], "16", [1] * 100, [15], [2**62, 2**62])
    ),
    ("shape", [1] * 1000 + [16], NORM),
    *(("data_offsets", value, NOT_WHOLE) for value in ([0], [-64, 0], None)),
    ("data_offsets", [64, 0], NORM),
    *(("dtype", value, NOT_WHOLE) for value in (None, "\x1b[31mF32", "F8_E4M3")),
]
WEIGHT_FILES = [
    WrongFolder("the weights are a pointer of Git LFS", put(WEIGHTS, LFS_POINTER), "Git LFS"),
    *(
        WrongFolder(f"the weights end after {share:.2%}", cut(share), "damaged")
        for share in (0.0001, 0.3, 0.999)
    ),
    WrongFolder("bytes after the weights", append(WEIGHTS, b"more"), NOT_WHOLE),
    WrongFolder(
        "a header longer than the file", put(WEIGHTS, (2**62).to_bytes(8, "little") + b"{}"), "does not begin"
    ),
    WrongFolder("a header of 33 MiB", long_header, "does not begin"),
    WrongFolder("a header of no length", put(WEIGHTS, bytes(8)), NOT_WHOLE),
    WrongFolder("a header that is a list", header_bytes(lambda text: b"[" + text + b"]"), NOT_WHOLE),
    WrongFolder(
        "a header in UTF-16", header_bytes(lambda text: text.decode().encode("utf-16-le")), NOT_WHOLE
    ),
    WrongFolder("a header without tensors", put(WEIGHTS, b"\2" + bytes(7) + b"{}"), "lacks tensors"),
    WrongFolder("a header that names a tensor twice", header_bytes(a_tensor_twice), "has the shape (4, 4)"),
    WrongFolder(
        "a header with notes that are no words",
        header(lambda values: values.update(__metadata__={"a": 1})),
        NOT_WHOLE,
    ),
    WrongFolder(
        "a header with an entry that is none",
        header(lambda values: values.update({NORM: [1]})),
        NOT_WHOLE,
    ),
    *(
        WrongFolder(f"a tensor whose {field} is {repr(value)[:30]}", entry(field, value), words)
        for field, value, words in ENTRIES
    ),
    WrongFolder("tensors that share bytes", header(share_bytes), "invalid offset"),
    WrongFolder("a gap between tensors", header(lambda values: values.pop(NORM)), "invalid offset"),
    WrongFolder(
        "weights in float8",
        header(lambda values: values[NORM].update(dtype="F8_E4M3", shape=[64])),
        "as F8_E4M3, but only plain",
    ),
    WrongFolder("quantised weights", tensor("lm_head.weight", np.zeros((320, 16), np.int8)), "not quantised"),
    WrongFolder(
        "a tensor is missing", tensor(NORM, None), "lacks tensors (1; the first is “model.norm.weight”)"
    ),
    WrongFolder(
        "a tensor that nobody knows",
        tensor("model.extra", np.zeros(3, np.float32)),
        "unknown tensors (1; the first is “model.extra”)",
    ),
    WrongFolder(
        "a tensor whose name steers a terminal", tensor("\x1b[2Jx", np.zeros(3, np.float32)), "“�[2Jx”"
    ),
    WrongFolder(
        "a tensor of another shape",
        tensor(NORM, np.zeros(17, np.float32)),
        "has the shape (17,), but config.json asks for (16,)",
    ),
]

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
PANICS = {"Regex": r"(.|.)*[^\s\S]"}
"""An expression that gives up on a long line, at which the library panics."""


def split(pattern: dict[str, str]) -> dict[str, Any]:
    return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


def replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def in_sequence(steps: list[Any], key: str = "pretokenizers") -> dict[str, Any]:
    return {"type": "Sequence", key: steps}


def parts(**values: object) -> Spoil:
    """Other parts of the tokenizer."""
    return tokenizer(lambda file: file.update(values))


def to_model(kind: str, file: dict[str, Any], **values: object) -> None:
    """A model whose words are the added tokens alone, without the token for unknown words that it names."""
    words = {token["content"]: token["id"] for token in file["added_tokens"]}
    file.update(model={"type": kind, "vocab": words, "unk_token": "[UNK]"} | values)


TOKENIZERS = [
    WrongFolder("a tokenizer of another kind", tokenizer(to_word_pieces), "byte-level"),
    WrongFolder("a tokenizer without words", tokenizer(lambda file: file["model"].pop("vocab")), "damaged"),
    WrongFolder(
        "a tokenizer of no words",
        tokenizer(lambda file: file["model"].update(vocab={}, merges=[])),
        "has no words",
    ),
    WrongFolder(
        "a tokenizer with a word that would fill the memory",
        tokenizer(lambda file: file["added_tokens"][-1].update(content="e" * 1001)),
        "more than 1000 characters",
    ),
    *(
        WrongFolder(f"a tokenizer whose normalizer {what}", spoil, "has a normalizer")
        for what, spoil in (
            ("makes the library panic as it is loaded", tokenizer(to_bad_normalizer)),
            ("makes the library panic on a text", parts(normalizer=replace(PANICS, "x"))),
            (
                "makes a text grow without end",
                parts(normalizer=in_sequence([replace({"String": "e"}, "ee")] * 36, "normalizers")),
            ),
            ("has no type", parts(normalizer={"normalizers": []})),
        )
    ),
    *(
        WrongFolder(f"a tokenizer whose words are split {how}", parts(pre_tokenizer=step), "not byte-level")
        for how, step in (
            ("not at all", None),
            ("in no steps", in_sequence([])),
            ("in steps that are no list", in_sequence({"type": "ByteLevel"})),  # type: ignore[arg-type]
            ("at a kind that is no name", in_sequence([{"type": [1]}, BYTE_LEVEL])),
            ("into bytes of bytes, without end", in_sequence([BYTE_LEVEL] * 36)),
            ("in sequences of sequences", in_sequence([in_sequence([]), BYTE_LEVEL])),
            ("as SentencePiece does", {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}),
            ("in 17 steps", in_sequence([split({"String": "a"})] * 17 + [BYTE_LEVEL])),
        )
    ),
    WrongFolder(
        "a tokenizer at whose words the library panics",
        parts(pre_tokenizer=in_sequence([split(PANICS), BYTE_LEVEL])),
        "is damaged: it cannot encode the model's prompts",
    ),
    *(
        WrongFolder(
            f"a tokenizer of the kind {kind}",
            tokenizer(functools.partial(to_model, kind, **values)),
            "not byte-level",
        )
        for kind, values in (
            ("WordLevel", {}),
            ("WordPiece", {"continuing_subword_prefix": "##", "max_input_chars_per_word": 100}),
            ("Unigram", {"vocab": [["a", 0.0]], "unk_id": None}),
        )
    ),
    WrongFolder(
        "a tokenizer that has no token for what it does not know",
        tokenizer(functools.partial(to_model, "BPE", merges=[])),
        "is damaged: it cannot encode the model's prompts",
    ),
    WrongFolder("a tokenizer with another <image>", config("image_token_id", 5), "has the id 4, not 5"),
    WrongFolder("a tokenizer without <image>", without_token("<image>"), "has no token “<image>”"),
    *(
        WrongFolder(f"a tokenizer without {mark}", without_token(mark), f"has no token “{mark}”")
        for mark in ("<|grounding|>", "<|ref|>", "<|/ref|>")
    ),
    WrongFolder(
        "a tokenizer in which the end is part of a word",
        config("language_config/eos_token_id", 100),
        "the token 100, which ends a text",
    ),
    WrongFolder(
        "a tokenizer in which the start is part of a word",
        config("language_config/bos_token_id", 100),
        "the token 100, which begins a text",
    ),
    WrongFolder("a tokenizer with more tokens than the model", fewer_tokens, "more than 300 tokens"),
]

SAID: list[tuple[str, object]] = [
    ("name", ""),
    ("name", 5),
    ("name", "two\nlines"),
    ("name", "\x1b[31mred"),
    ("name", "x" * 81),
    ("description", None),
    ("description", "x" * 1001),
    ("modes", []),
    ("modes", ["huge"]),
    ("modes", "tiny"),
    ("modes", ["auto"]),
    ("tasks", [["text"]]),
    ("tasks", ["rm -rf"]),
    ("x_height_px", None),
    ("x_height_px", [9, 14]),
    ("x_height_px", {"well": 14}),
    ("x_height_px", {"least": 14, "well": 9}),
    ("x_height_px", {"least": 0, "well": 9}),
    ("x_height_px", {"least": "9", "well": 14}),
    ("x_height_px", {"least": True, "well": 14}),
    ("x_height_px", {"least": float("nan"), "well": 14}),
    ("x_height_px", {"least": 9, "well": 1e999}),
    ("x_height_px", {"least": 9, "well": 10**400}),
    ("gundam_up_to_aspect_ratio", None),
    ("gundam_up_to_aspect_ratio", 0.5),
    ("gundam_up_to_aspect_ratio", -2),
    ("gundam_up_to_aspect_ratio", "2"),
    ("gundam_up_to_aspect_ratio", True),
    ("gundam_up_to_aspect_ratio", [2]),
    ("gundam_up_to_aspect_ratio", float("nan")),
    ("gundam_up_to_aspect_ratio", 1e999),
    ("gundam_up_to_aspect_ratio", 10**400),
    ("light_pages_only", None),
    ("light_pages_only", 1),
    ("light_pages_only", "true"),
    ("light_pages_only", [True]),
    ("rough_boxes", None),
    ("rough_boxes", 0),
    ("rough_boxes", "false"),
]
DESCRIPTIONS = [
    WrongFolder(f"rtocr.json: {key} is {repr(value)[:20]}", description(**{key: value}), f"“{key}” must")
    for key, value in SAID
]

WRONG_FOLDERS = [
    *FOLDERS,
    *FILES,
    *CONFIGS,
    *SHARDS,
    *WEIGHT_FILES,
    *TOKENIZERS,
    *DESCRIPTIONS,
]


def refusal(folder: Path) -> str:
    """What is said of a folder that is not taken; nothing where it is."""
    try:
        inspect_checkpoint(folder)
    except CheckpointError as error:
        return str(error)
    return ""


def main() -> None:
    print("| what is wrong | what is said |\n|---|---|")
    for wrong in WRONG_FOLDERS:
        with tempfile.TemporaryDirectory() as place_for_it:
            folder = write_checkpoint(Path(place_for_it) / "model")
            wrong.spoil(folder)
            said = refusal(folder).replace(place_for_it, "…")
        way, said = (html.escape(text, quote=False).replace("|", "\\|") for text in (wrong.way, said))
        print(f"| {way} | {said} |")


if __name__ == "__main__":
    main()
