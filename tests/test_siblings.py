"""Unlimited-OCR is read with as it was published, and DeepSeek-OCR-2 is told apart and refused."""

import argparse
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from rtocr_gui.cli.main import main
from rtocr_gui.cli.pages import choose_task
from rtocr_gui.cli.progress import Progress
from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.library.library import look_into
from rtocr_gui.ocr.model.architecture import read_architecture
from rtocr_gui.ocr.model.families import DEEPSEEK_OCR, UNLIMITED_OCR
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from rtocr_gui.ocr.model.manifest import expected_tensors, unused_tensors
from rtocr_gui.ocr.model.model_info import PUBLISHED_PRINT, PrintSizes
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.text.markup import parse_blocks, strip_grounding
from tests.small_checkpoint import small_config, unlimited_config, write_checkpoint, write_config

PUBLISHED = Path(__file__).parent / "golden" / "deepseek_ocr_config.json"
(DOCUMENT,) = UNLIMITED_OCR.tasks


def published_unlimited_config() -> dict[str, Any]:
    """What sets the published config.json of Unlimited-OCR apart from that of DeepSeek-OCR."""
    config: dict[str, Any] = json.loads(PUBLISHED.read_text())
    changes = {"max_position_embeddings": 32768, "v_head_dim": 128, "sliding_window_size": 128}
    config["language_config"] |= changes
    return config | changes | {"model_type": "unlimited-ocr", "sliding_window": 128}


def published_ocr_2_config() -> dict[str, Any]:
    """The same of DeepSeek-OCR-2, which kept the first one's `model_type`."""
    config: dict[str, Any] = json.loads(PUBLISHED.read_text())
    config["architectures"] = ["DeepseekOCR2ForCausalLM"]
    config["projector_config"]["input_dim"] = 896
    config["vision_config"]["model_name"] = "deepencoderv2"
    sam = config["vision_config"]["width"]["sam_vit_b"] | {"downsample_channels": [512, 896]}
    config["vision_config"]["width"] = {"sam_vit_b": sam, "qwen2-0-5b": {"dim": 896}}
    return config


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("unlimited") / "model", unlimited_config())


# --- what a folder is ----------------------------------------------------------------------------


def test_the_published_unlimited_ocr_is_known_by_its_config() -> None:
    architecture = read_architecture(published_unlimited_config())
    assert architecture.family is UNLIMITED_OCR
    assert (architecture.decoder.window, architecture.decoder.context_length) == (128, 32768)
    tensors = expected_tensors(architecture) | unused_tensors(architecture)
    del tensors["model.vision_model.embeddings.position_ids"]
    # As its index says: 2,710 tensors in 6,672,212,480 bytes of bfloat16.
    assert (len(tensors), 2 * sum(map(math.prod, tensors.values()))) == (2710, 6_672_212_480)


def test_the_published_deepseek_ocr_has_no_window() -> None:
    architecture = read_architecture(json.loads(PUBLISHED.read_text()))
    assert architecture.family is DEEPSEEK_OCR
    assert architecture.decoder.window is None


@pytest.mark.parametrize("model_type", ["unlimited-ocr", "unlimited_ocr"])
def test_an_unlimited_ocr_folder_says_what_it_reads(tmp_path: Path, model_type: str) -> None:
    folder = write_checkpoint(tmp_path / "model", unlimited_config() | {"model_type": model_type})
    info = inspect_checkpoint(folder)
    assert info.name == "Unlimited-OCR"
    assert "Baidu" in info.description
    assert info.modes == (Mode.BASE, Mode.GUNDAM)
    assert [task.label for task in info.tasks] == ["Document to Markdown"]
    assert not info.takes_words


def test_the_list_of_models_names_an_unlimited_ocr_folder(
    unlimited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert look_into(unlimited).reads == "Base, Gundam: Document to Markdown"
    assert main(["models", "check", str(unlimited)]) == 0
    assert "Unlimited-OCR" in capsys.readouterr().out


def test_a_folder_may_say_more_of_itself_but_not_what_its_family_cannot(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model", unlimited_config())
    said = {"name": "Mine", "description": "Reads.", "modes": ["tiny"], "tasks": ["markdown"]}
    (folder / "rtocr.json").write_text(json.dumps(said))
    info = inspect_checkpoint(folder)
    assert (info.name, info.modes, info.tasks) == ("Mine", (Mode.TINY,), (DOCUMENT,))
    assert info.print_sizes == PUBLISHED_PRINT
    assert info.gundam_aspect_ratio == math.inf
    assert not info.light_pages_only
    assert not info.rough_boxes
    (folder / "rtocr.json").write_text(json.dumps(said | {"x_height_px": {"least": 9, "well": 14.5}}))
    assert inspect_checkpoint(folder).print_sizes == PrintSizes(9, 14.5)
    (folder / "rtocr.json").write_text(json.dumps(said | {"gundam_up_to_aspect_ratio": 2}))
    assert inspect_checkpoint(folder).gundam_aspect_ratio == 2
    (folder / "rtocr.json").write_text(json.dumps(said | {"light_pages_only": True}))
    assert inspect_checkpoint(folder).light_pages_only
    (folder / "rtocr.json").write_text(json.dumps(said | {"rough_boxes": True}))
    assert inspect_checkpoint(folder).rough_boxes
    (folder / "rtocr.json").write_text(json.dumps(said | {"tasks": ["describe"]}))
    with pytest.raises(CheckpointError, match="“tasks” must list one or more of markdown"):
        inspect_checkpoint(folder)


def test_the_command_line_asks_a_model_with_its_own_prompt(unlimited: Path) -> None:
    told = io.StringIO()
    info = inspect_checkpoint(unlimited)
    for task, prompt in (
        (None, "document parsing."),
        ("markdown", "document parsing."),
        ("text", "\nFree OCR."),
    ):
        asked = choose_task(argparse.Namespace(task=task), info, Progress(told, quiet=False))
        assert asked.prompt == prompt
    assert told.getvalue().count("Unlimited-OCR was made for task markdown, not for task text") == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sliding_window": None, "sliding_window_size": None}, "“sliding_window” is null, but .* needs one"),
        ({"sliding_window": 0}, "“sliding_window” is 0, but must be a whole number from 2"),
        ({"sliding_window": 1}, "“sliding_window” is 1, but must be a whole number from 2"),
        ({"sliding_window": 8.0}, r"“sliding_window” is 8\.0, but must be a whole number"),
        ({"sliding_window_size": 16}, "“sliding_window_size” is 16, but must be 8 as elsewhere in the file"),
        (
            {"model_type": "deepseek_vl_v2"},
            "“sliding_window” is 8, but DeepSeek-OCR attends to the whole text",
        ),
        (
            {"model_type": "unlimited_ocr_2"},
            '“model_type” is "unlimited_ocr_2", but RTOCR supports only .*Unlimited-OCR',
        ),
    ],
)
def test_a_window_that_cannot_be_computed_is_refused(
    unlimited: Path, changes: dict[str, Any], words: str
) -> None:
    config = unlimited_config()
    if "sliding_window_size" in changes and changes["sliding_window_size"] is None:
        config["language_config"]["sliding_window_size"] = None
    with pytest.raises(CheckpointError, match=words):
        read_architecture(config | changes)


def test_a_config_that_transformers_wrote_is_told_from_the_published_one() -> None:
    config = unlimited_config() | {"model_type": "unlimited_ocr"}
    config["text_config"] = config.pop("language_config")
    with pytest.raises(CheckpointError, match="one that transformers wrote"):
        read_architecture(config)


# --- DeepSeek-OCR-2 ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [published_ocr_2_config(), {"model_type": "deepseek_ocr2", "text_config": {}, "vision_config": {}}],
)
def test_deepseek_ocr_2_is_refused_by_its_name_with_the_reason(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    write_config(tmp_path, config)
    problem = look_into(tmp_path).problem
    assert problem.startswith("This is DeepSeek-OCR-2, which RTOCR cannot use.")
    assert "144 tokens per tile and 256 for the whole" in problem
    assert "rtocr models download" in problem
    with pytest.raises(CheckpointError, match="This is DeepSeek-OCR-2"):
        Engine(threads=1).load(tmp_path, device="cpu")


def test_the_list_of_models_tells_why_deepseek_ocr_2_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, published_ocr_2_config())
    assert main(["models", "check", str(tmp_path)]) != 0
    assert "This is DeepSeek-OCR-2" in capsys.readouterr().err


@pytest.mark.parametrize("vision", [None, [], {"width": None}, {"width": "qwen2-0-5b"}, {"width": [1]}])
def test_a_config_without_an_encoder_is_not_taken_for_the_second_model(vision: object) -> None:
    with pytest.raises(CheckpointError, match="lacks the section “vision_config"):
        read_architecture(small_config() | {"vision_config": vision})


# --- what it says --------------------------------------------------------------------------------

SAID = (
    "<|det|>title [100, 20, 900, 60]<|/det|>Annual report\n"
    "<|det|>text [100, 80, 900, 200]<|/det|>We grew\nby 4 percent.\n"
    "<|det|>image [0, 300, 999, 900]<|/det|>\n"
    "<|det|>page_number [480, 950, 520, 990]<|/det|>7"
)


def test_blocks_become_paragraphs_and_lose_their_kinds_and_places() -> None:
    text = strip_grounding(SAID, DOCUMENT)
    assert text == "Annual report\n\nWe grew\nby 4 percent.\n\n\n\n7"


def test_each_block_has_its_kind_its_box_and_its_text() -> None:
    text = strip_grounding(SAID, DOCUMENT)
    blocks = [
        (block.label, block.boxes, text[block.start : block.end]) for block in parse_blocks(SAID, DOCUMENT)
    ]
    assert blocks == [
        ("title", ((100, 20, 900, 60),), "Annual report"),
        ("text", ((100, 80, 900, 200),), "We grew\nby 4 percent."),
        ("image", ((0, 300, 999, 900),), ""),
        ("page_number", ((480, 950, 520, 990),), "7"),
    ]


@pytest.mark.parametrize(("said", "shown"), [("\n", "\n\n"), ("\n\n", "\n\n"), ("\n\n\n", "\n\n\n")])
def test_a_blank_line_stands_between_blocks_and_none_is_added_to_it(said: str, shown: str) -> None:
    mark = "<|det|>text [1, 2, 3, 4]<|/det|>"
    assert strip_grounding(f"{mark}a{said}{mark}b", DOCUMENT) == f"a{shown}b"


@pytest.mark.parametrize(("length", "count"), [(40, 1), (41, 0)])
def test_a_kind_is_no_longer_than_a_word(length: int, count: int) -> None:
    assert len(parse_blocks(f"<|det|>{'k' * length} [1, 2, 3, 4]<|/det|>x", DOCUMENT)) == count


def test_text_that_comes_in_pieces_never_shows_half_a_mark() -> None:
    whole = strip_grounding(SAID, DOCUMENT)
    marks = ("<|det|>", "<|/det|>")
    cuts = [cut for cut in range(len(SAID) + 1) if not any(cut in inside(SAID, mark) for mark in marks)]
    for cut in cuts:  # each of the two marks is one token
        text = strip_grounding(SAID[:cut], DOCUMENT)
        assert whole.startswith(text.rstrip("\n")), SAID[:cut]
        for block in parse_blocks(SAID[:cut], DOCUMENT):
            assert block.start <= block.end <= len(text)


def inside(text: str, mark: str) -> set[int]:
    """The places within all occurrences of a mark."""
    starts = [start for start in range(len(text)) if text.startswith(mark, start)]
    return {start + offset for start in starts for offset in range(1, len(mark))}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("<|det|>", ""),
        ("<|det|>title", ""),
        ("<|det|>title [1, 2", ""),
        ("<|det|>no kind at all", "no kind at all"),
        ("<|det|>a b [1, 2, 3, 4]<|/det|>x", "a b [1, 2, 3, 4]x"),
        ("<|det|>[1, 2, 3, 4]<|/det|>x", "x"),
        ("a<|/det|>b<|ref|>c", "abc"),
        ("[1, 2] and <b>3</b>", "[1, 2] and <b>3</b>"),
    ],
)
def test_malformed_marks_take_no_text_along(said: str, text: str) -> None:
    assert strip_grounding(said, DOCUMENT) == text
    assert parse_blocks(said, DOCUMENT) == ()
