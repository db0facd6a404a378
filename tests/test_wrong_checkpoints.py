"""A model folder that is wrong in any way is refused with a sentence, and nothing of it is run."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from rtocr_gui.ocr.model.folder import check_folder, load_tokenizer
from tests.small_checkpoint import rewrite_header, shard, unlimited_config, write_checkpoint
from tests.wrong_checkpoints import WRONG_FOLDERS, WrongFolder, refusal

LONGEST_SENTENCE = 500
ABSURD: list[Any] = [
    *(None, True, 0, -1, 2**31, 2**64, 1.5, float("nan"), float("inf"), "", "x" * 5000, "\ud800", "\x1b[31m"),
    *([], [1], [[1]], {}, {"a": 1}, [None] * 50, json.loads("[" * 900 + "]" * 900)),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "model")


def is_fit_to_be_shown(said: str) -> bool:
    return said.isprintable() and said.endswith(".") and len(said) < LONGEST_SENTENCE


@pytest.mark.parametrize("wrong", WRONG_FOLDERS, ids=lambda wrong: ascii(wrong.way))
def test_a_wrong_folder_is_refused_with_the_reason(wrong: WrongFolder, folder: Path) -> None:
    wrong.spoil(folder)
    said = refusal(folder)
    assert wrong.words in said
    assert is_fit_to_be_shown(said.replace(str(folder.parent), "")), said


@pytest.mark.parametrize("seed", range(40))
def test_absurd_values_anywhere_are_refused_in_words_or_do_no_harm(seed: int, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model", unlimited_config())
    description = {"name": "Mine", "description": "Reads.", "modes": ["tiny"], "tasks": ["markdown"]}
    (folder / "rtocr.json").write_text(json.dumps(description))
    chance = random.Random(seed)
    if chance.random() < 0.3:
        rewrite_header(folder, lambda header: put_absurd_value(header, chance))
    elif chance.random() < 0.2:
        shard(folder)
        rewrite_json(folder / "model.safetensors.index.json", chance)
    else:
        rewrite_json(folder / chance.choice(["config.json", "config.json", "rtocr.json"]), chance)
    said = refusal(folder)
    assert not said or is_fit_to_be_shown(said.replace(str(tmp_path), "")), said


def rewrite_json(path: Path, chance: random.Random) -> None:
    values = json.loads(path.read_text())
    put_absurd_value(values, chance)
    path.write_text(json.dumps(values))


def put_absurd_value(values: dict[str, Any], chance: random.Random) -> None:
    """Put it in the place of any value, however deep."""
    section, key = values, chance.choice(list(values))
    while isinstance(section[key], dict) and section[key] and chance.random() < 0.8:
        section = section[key]
        key = chance.choice(list(section))
    section[key] = chance.choice(ABSURD)


def test_a_tokenizer_that_cuts_pads_or_repeats_is_made_to_leave_text_alone(folder: Path) -> None:
    path = folder / "tokenizer.json"
    whole = load_tokenizer(check_folder(folder)).encode("Some words to encode")
    values = json.loads(path.read_text())
    values["truncation"] = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}
    values["padding"] = {
        "strategy": {"Fixed": 40},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 2,
        "pad_type_id": 0,
        "pad_token": "x",
    }
    whole_text = {"Sequence": {"id": "A", "type_id": 0}}
    values["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [whole_text, whole_text],
        "pair": [whole_text, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {},
    }
    path.write_text(json.dumps(values))
    assert load_tokenizer(check_folder(folder)).encode("Some words to encode") == whole
