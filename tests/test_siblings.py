"""Unlimited-OCR is read with as it was published, and DeepSeek-OCR-2 is told apart and refused."""

import argparse
import io
import json
import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.cli.main import main
from rtocr_gui.cli.pages import choose_task
from rtocr_gui.cli.progress import Progress
from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr import attention
from rtocr_gui.ocr.architecture import read_architecture
from rtocr_gui.ocr.attention import trace_reading
from rtocr_gui.ocr.checkpoint import load_model
from rtocr_gui.ocr.decoding import Decoder, Prompt, build_prompt
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.families import DEEPSEEK_OCR, UNLIMITED_OCR
from rtocr_gui.ocr.folder import check_folder, inspect_checkpoint
from rtocr_gui.ocr.library import look_into
from rtocr_gui.ocr.manifest import expected_tensors, unused_tensors
from rtocr_gui.ocr.markup import parse_blocks, strip_grounding
from rtocr_gui.ocr.reading import Mode, Reading, ReadSettings, Scaling, StopReason
from rtocr_gui.pruning.plan import PruneSettings
from tests.small_checkpoint import small_config, unlimited_config, write_checkpoint, write_config

CPU = torch.device("cpu")
PUBLISHED = Path(__file__).parent / "golden" / "deepseek_ocr_config.json"
(DOCUMENT,) = UNLIMITED_OCR.tasks
WINDOW = 8
SETTINGS = ReadSettings(
    Scaling(Mode.TINY), DOCUMENT, PruneSettings(1.0), max_new_tokens=90, stop_at_end=False
)


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


def page(words: str = "Hello there") -> PageImage:
    image = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(image).text((20, 20), words, "black", ImageFont.load_default(60))
    return PageImage(PageRef(Path("/scans/page.png"), 0, sha256=words), image, dpi=200)


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("unlimited") / "model", unlimited_config(WINDOW))


@pytest.fixture(scope="module")
def model(unlimited: Path) -> UnlimitedOcrForConditionalGeneration:
    return load_model(check_folder(unlimited), CPU, torch.float32)


@pytest.fixture
def engine(unlimited: Path) -> Engine:
    engine = Engine(threads=1)
    engine.load(unlimited, device="cpu")
    return engine


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
            '“model_type” is "unlimited_ocr_2", but RTOCR reads with .*Unlimited-OCR',
        ),
    ],
)
def test_a_window_that_cannot_be_computed_is_refused(
    unlimited: Path, tmp_path: Path, changes: dict[str, Any], words: str
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
    assert problem.startswith("This is DeepSeek-OCR-2, which RTOCR cannot read with.")
    assert "144 tokens for each tile and 256 for the whole" in problem
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


# --- the window ----------------------------------------------------------------------------------


def pruned_prompt(model: UnlimitedOcrForConditionalGeneration) -> Prompt:
    """A prompt of 16 tokens, in which 18 of 30 visual tokens are missing."""
    tokens = torch.randn((12, 16), generator=torch.Generator().manual_seed(5)) * 0.3
    selected = np.array([0, 1, 4, 5, 6, 9, 11, 15, 16, 18, 25, 29])
    return build_prompt(model, [0], tokens, selected, 30, [50, 51, 52])


def some_tokens(count: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(5, 300, count).tolist()


def reference(
    model: UnlimitedOcrForConditionalGeneration, prompt: Prompt, token_ids: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """The published attention, written down as one mask over the whole sequence.

    Returns:
        (1 + T, vocabulary) logits after the prompt and after each token; (1 + T, m) the attention to the
        prompt of the last two layers' heads, averaged.
    """
    decoder: Any = model.model.language_model
    embeddings = torch.cat([prompt.embeddings, model.get_input_embeddings()(torch.tensor(token_ids))])
    positions = torch.cat([prompt.position_ids, prompt.next_position + torch.arange(len(token_ids))])
    asking, asked = torch.meshgrid(*[torch.arange(len(positions))] * 2, indexing="ij")
    length = len(prompt.position_ids)
    is_seen = (asked <= asking) & ((asked < length) | (asking - asked < WINDOW))
    weights: list[Tensor] = []
    usual = decoder.config._attn_implementation
    hooks = [
        layer.self_attn.register_forward_hook(lambda *passed: weights.append(passed[2][1][0].mean(dim=0)))
        for layer in decoder.layers[-2:]
    ]
    decoder.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            output = decoder(
                inputs_embeds=embeddings[None],
                position_ids=positions[None],
                attention_mask=torch.where(is_seen, 0.0, -torch.inf)[None, None],
                use_cache=False,
            )
            logits: Tensor = model.lm_head(output.last_hidden_state)[0]
    finally:
        decoder.set_attn_implementation(usual)
        for hook in hooks:
            hook.remove()
    return logits[length - 1 :], torch.stack(weights).mean(dim=0)[length - 1 :, :length]


def test_every_layer_has_the_window_of_the_config(model: UnlimitedOcrForConditionalGeneration) -> None:
    config: Any = model.config.text_config
    assert set(config.layer_types) == {"reference_sliding_attention"}
    assert config.sliding_window == WINDOW


def test_tokens_far_behind_the_window_still_see_the_whole_pruned_prompt(
    model: UnlimitedOcrForConditionalGeneration,
) -> None:
    prompt, token_ids = pruned_prompt(model), some_tokens(5 * WINDOW, seed=1)
    decoder = Decoder(model)
    logits = [decoder.prefill(prompt), *(decoder.feed([token_id])[0] for token_id in token_ids)]
    expected, _ = reference(model, prompt, token_ids)
    torch.testing.assert_close(torch.stack(logits), expected, atol=2e-6, rtol=1e-5)


def test_what_left_the_windows_of_all_layers_is_forgotten(
    model: UnlimitedOcrForConditionalGeneration,
) -> None:
    layers, token_ids = 2, some_tokens(2 * WINDOW, seed=1)
    said = []
    for first in (7, 9):
        decoder = Decoder(model)
        decoder.prefill(pruned_prompt(model))
        said.append(decoder.feed([first, *token_ids]))
    differences = (said[0] - said[1]).abs().amax(dim=-1)
    reach = layers * (WINDOW - 1)
    assert (differences[: reach + 1] > 1e-4).all()
    assert (differences[reach + 1 :] < 1e-6).all()


@pytest.mark.parametrize("seed", range(4))
def test_guesses_that_are_taken_back_leave_no_trace_in_a_window(
    model: UnlimitedOcrForConditionalGeneration, seed: int
) -> None:
    prompt, token_ids = pruned_prompt(model), some_tokens(6 * WINDOW, seed)
    lengths = np.random.default_rng(seed).integers(0, 2 * WINDOW, (100, 2))
    decoder = Decoder(model)
    logits = [decoder.prefill(prompt)[None]]
    fed = 0
    for right, wrong in lengths.tolist():
        chunk = token_ids[fed : fed + right]
        fed += len(chunk)
        if not chunk and not wrong:
            continue
        logits.append(decoder.feed([*chunk, *some_tokens(wrong, seed)])[: len(chunk)])
        if wrong:
            decoder.take_back(wrong)
        if fed == len(token_ids):
            break
    assert fed == len(token_ids)
    expected, _ = reference(model, prompt, token_ids)
    torch.testing.assert_close(torch.cat(logits), expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("chunk_tokens", [1, 5, 256])
def test_a_trace_looks_through_the_same_window(
    model: UnlimitedOcrForConditionalGeneration, chunk_tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "CHUNK_TOKENS", chunk_tokens)
    prompt, token_ids = pruned_prompt(model), some_tokens(5 * WINDOW, seed=2)
    columns = torch.arange(1, 13)
    rows = trace_reading(model, prompt, token_ids, columns, threading.Event())
    assert rows is not None
    _, expected = reference(model, prompt, token_ids[:-1])
    torch.testing.assert_close(rows, expected[:, columns], atol=1e-6, rtol=1e-5)


# --- reading pages -------------------------------------------------------------------------------


def read(engine: Engine, settings: ReadSettings, draft: Sequence[int] | None = ()) -> Reading:
    *_, reading = engine.read(page(), settings, threading.Event(), draft)
    assert isinstance(reading, Reading)
    return reading


@pytest.mark.parametrize("retention", [1.0, 0.5])
def test_pages_are_read_token_by_token_as_the_published_attention_has_it(
    engine: Engine, retention: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[Prompt] = []
    prefill = Decoder.prefill

    def noting(decoder: Decoder, prompt: Prompt) -> Tensor:
        prompts.append(prompt)
        return prefill(decoder, prompt)

    monkeypatch.setattr(Decoder, "prefill", noting)
    settings = replace(
        SETTINGS, pruning=PruneSettings(retention), ngram_ban=None, max_new_tokens=4 * WINDOW - 1
    )
    reading = read(engine, settings)
    assert reading.stop_reason is StopReason.LENGTH
    assert len(reading.plan.kept) == int(64 * retention)
    checkpoint = engine._checkpoint
    assert checkpoint is not None
    logits, _ = reference(checkpoint.model, prompts[0], reading.token_ids)
    assert logits.argmax(dim=-1)[:-1].tolist() == list(reading.token_ids)
    asked = checkpoint.tokenizer.encode("document parsing.")
    ends = checkpoint.model.get_input_embeddings()(torch.tensor(asked))
    torch.testing.assert_close(prompts[0].embeddings[-len(asked) :], ends)


def test_drafts_change_nothing_but_the_number_of_passes(engine: Engine) -> None:
    alone = read(engine, SETTINGS)
    assert len(alone.token_ids) > 4 * WINDOW
    spoilt = [token_id if place % 11 else 7 for place, token_id in enumerate(alone.token_ids)]
    for draft in (alone.token_ids, spoilt, some_tokens(90, seed=3)):
        drafted = read(engine, SETTINGS, draft)
        assert drafted.token_ids == alone.token_ids
    assert read(engine, SETTINGS, alone.token_ids).passes < alone.passes / 2


def test_pruned_readings_follow_one_another_and_can_be_traced(engine: Engine) -> None:
    full, pruned = (
        read(engine, replace(SETTINGS, pruning=PruneSettings(share)), None) for share in (1.0, 0.4)
    )
    again = read(engine, pruned.settings)
    assert pruned.token_ids == again.token_ids
    assert len(pruned.plan.kept) < len(full.plan.kept)
    trace = engine.trace(page(), pruned.settings, pruned.token_ids, threading.Event())
    assert trace is not None
    seen: NDArray[np.bool_] = trace.attention.sum(axis=0) > 0
    assert np.array_equal(np.flatnonzero(seen), np.sort(pruned.plan.kept))


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
