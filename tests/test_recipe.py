"""The recipe of the miniature: its pages tell the truth, its training can be taken up, its export loads."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageFont
from safetensors import safe_open
from safetensors.torch import load_file
from tokenizers import Tokenizer

from rtocr_gui.cli.scores import ALL_TOKENS, PageScore
from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.architecture import Architecture
from rtocr_gui.ocr.checkpoint import load_checkpoint
from rtocr_gui.ocr.decoding import build_prompt
from rtocr_gui.ocr.encoding import encode_views
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.folder import inspect_checkpoint, open_folder
from rtocr_gui.ocr.markup import strip_grounding
from rtocr_gui.ocr.model_info import PrintSizes
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.ocr.reading import Block as ReadBlock
from rtocr_gui.ocr.views import make_views, normalise
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.plan import PruneSettings, plan_pruning
from rtocr_gui.pruning.transport import apply_plan
from rtocr_gui.tokens import TokenKind
from tests.small_checkpoint import write_checkpoint

sys.path.insert(0, str(Path(__file__).parents[1] / "packaging" / "miniature"))

from evaluate import missing_readings, read_pages
from evaluation.card import write_card
from evaluation.outcomes import Outcome, Record, match_blocks, outline
from evaluation.page_sets import Group, plan_sets, scale_of
from evaluation.tables import card_tables
from recipe.alphabet import ALPHABET, CLASS_OF, NOTHING
from recipe.blocks import Block as TrueBlock
from recipe.crops import CropBatches, CropPlan
from recipe.degrade import Damage, damage_page
from recipe.encoder_stage import SNIPPETS, EncoderStage
from recipe.export import Description, export_checkpoint
from recipe.growth import sizes_before
from recipe.labels import SLOT_COLUMNS, SLOT_LINES, SLOT_PLACES, UNSAID, point_labels, slot_labels
from recipe.losses import look_loss, place_loss, text_loss
from recipe.model import Learner, read_sizes
from recipe.muon import Optimiser
from recipe.pages import Page, PageKind, draw_page
from recipe.pruned import prune_page
from recipe.reading_stages import ReadingStage, both_stage
from recipe.readings import PADDING, TOKENIZER, ReadingBatches, ViewPlan, find_in_print, show
from recipe.stock import load_stock
from recipe.training import (
    LOG_FILE,
    STATE_FILE,
    RunSettings,
    learning_rate,
    load_weights,
    save_state,
    share_gradients,
    train,
)
from recipe.typefaces import MissingMaterial, find_typefaces
from recipe.typesetting import Print

MINIATURE = Path(__file__).parents[1] / "resources" / "miniature"
TRAIN = Path(__file__).parents[1] / "packaging" / "miniature" / "train.py"
HEADS = Path(__file__).parents[1] / "packaging" / "miniature" / "heads.safetensors"
SMALL = PageKind((256, 300), (1.0, 1.0), (9.0, 20.0))
DOCUMENT = PageKind((700, 900), (1.3, 1.4), (8.0, 12.0), rich=1.0)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", autouse=True)
def _typefaces() -> None:
    try:
        find_typefaces(held_out=False)
    except MissingMaterial as error:
        pytest.skip(str(error))


def tiny_sizes() -> Architecture:
    sizes = read_sizes()
    return replace(
        sizes,
        sam=replace(sizes.sam, width=16, layers=1, heads=2, mlp_width=16, neck_width=8, downsample=(8, 16)),
        clip=replace(sizes.clip, width=16, layers=1, heads=2, mlp_width=16),
        decoder=replace(
            sizes.decoder,
            width=16,
            layers=2,
            dense_layers=1,
            heads=2,
            key_value_heads=2,
            mlp_width=16,
            expert_width=8,
        ),
    )


def tiny_learner() -> Learner:
    torch.manual_seed(5)
    return Learner(tiny_sizes())


def documents(count: int) -> list[Page]:
    return [draw_page(DOCUMENT, 7, index) for index in range(count)]


def made_print(words: dict[tuple[float, float], str], advance: float = 8.0) -> Print:
    """Words by their upper left corner, letters `advance` wide and 16 high; one line for each y."""
    characters, boxes, lines = "", [], []
    for (x, y), word in words.items():
        for index, character in enumerate(word):
            characters += character
            boxes.append((x + index * advance, y, x + (index + 1) * advance, y + 16))
            lines.append(int(y))
    return Print(characters, np.array(boxes, np.float32).reshape(-1, 4), np.array(lines, np.int32))


def test_a_page_is_the_same_whenever_it_is_drawn() -> None:
    first = draw_page(SMALL, 3, 4)
    draw_page(SMALL, 3, 5)
    again = draw_page(SMALL, 3, 4)

    assert again.image.tobytes() == first.image.tobytes()
    assert again.grounded == first.grounded
    assert np.array_equal(again.print.boxes, first.print.boxes)


def test_pages_of_many_sizes_leave_few_fonts_behind() -> None:
    for index in range(80):
        draw_page(SMALL, 5, index)
    assert sum(type(one) is ImageFont.FreeTypeFont for one in gc.get_objects()) < 100


def test_other_seeds_and_indices_give_other_pages() -> None:
    texts = {draw_page(SMALL, seed, index).text for seed in (1, 2) for index in (0, 1)}
    assert len(texts) == 4


def test_the_text_of_a_page_is_what_is_printed_on_it() -> None:
    for page in documents(6):
        printed = "".join(sorted(page.print.characters.replace(" ", "")))
        said = "".join(sorted("".join(page.text.split())))
        assert printed == said


def test_every_character_can_be_labelled() -> None:
    assert set("".join(page.text for page in documents(6))) <= set(ALPHABET) | set("\n\t")
    assert all(set(ALPHABET).issuperset("".join(words)) for words in load_stock().words)
    assert len(ALPHABET) < UNSAID


def test_markdown_without_grounding_is_the_markdown_of_the_blocks() -> None:
    for page in documents(4):
        assert strip_grounding(page.grounded, TASKS[0]).split() == page.markdown.split()


def test_documents_hold_every_kind_of_block_in_boxes_on_the_page() -> None:
    pages = documents(60)
    kinds = {block.kind for page in pages for block in page.blocks}

    assert kinds >= {
        "title", "sub_title", "text", "table", "table_caption", "image", "image_caption", "header", "footer"
    }  # fmt: skip
    for page in pages:
        for block in page.blocks:
            left, top, right, bottom = block.grid_box(page.image.size)
            assert 0 <= left < right <= 999
            assert 0 <= top < bottom <= 999


def test_boxes_end_where_the_text_of_their_blocks_ends() -> None:
    kind = replace(DOCUMENT, damaged=0.0)
    for page in (draw_page(kind, 5, index) for index in range(6)):
        x, y = page.print.centres.T
        for block in page.blocks:
            if block.kind in ("image", "table"):
                continue
            left, top, right, bottom = block.box
            inside = page.print.boxes[(x > left) & (x < right) & (y > top) & (y < bottom)]
            assert abs(inside[:, 0].min() - left) < 2, block.kind
            assert abs(inside[:, 2].max() - right) < 2, block.kind


def test_ink_is_where_the_characters_are_said_to_be_even_on_a_skewed_page() -> None:
    page = draw_page(PageKind((600, 600), (1.0, 1.0), (12.0, 13.0), rich=0.0, damaged=0.0), 11, 2)
    scan = damage_page(page.image, Damage(skew_degrees=2.0), np.random.default_rng(1))
    moved = scan.move_print(page.print)
    pixels = np.asarray(scan.image)
    for character, (left, top, right, bottom) in zip(moved.characters, moved.boxes, strict=True):
        if character.isalnum():
            part = pixels[round(top) : round(bottom), round(left) : round(right)]
            assert part.min() < pixels.max() - 60, character


def test_damage_depends_on_its_generator_only() -> None:
    page = draw_page(SMALL, 1, 1)
    damage = Damage(noise=9, shade=0.3, blur_px=0.5, jpeg_quality=60)
    one, other, third = (
        damage_page(page.image, damage, np.random.default_rng(seed)).image for seed in (1, 1, 2)
    )
    assert ImageChops.difference(one, other).getbbox() is None
    assert ImageChops.difference(one, third).getbbox() is not None


def test_points_are_labelled_with_the_character_that_covers_them() -> None:
    labels = point_labels(made_print({(64, 32): "ab", (200, 96): "c d"}), (256, 128))

    assert labels.shape == (8, 64)
    assert labels[2, 16:20].tolist() == [CLASS_OF["a"]] * 2 + [CLASS_OF["b"]] * 2
    assert labels[6, 50:56].tolist() == [CLASS_OF["c"]] * 2 + [NOTHING] * 2 + [CLASS_OF["d"]] * 2
    assert (labels != NOTHING).sum() == 8


def test_a_thin_character_between_two_points_is_labelled_all_the_same() -> None:
    assert (point_labels(made_print({(65, 32): "i"}, advance=0.5), (128, 64)) == CLASS_OF["i"]).sum() == 1


def test_slots_hold_the_characters_of_each_token_line_by_line_and_column_by_column() -> None:
    print_ = made_print({(40, 40): "no", (0, 4): "Go on", (64, 4): "x"})
    slots = slot_labels(print_, (128, 64)).reshape(2, SLOT_LINES, SLOT_COLUMNS, SLOT_PLACES)

    assert slots[0, 0, 0].tolist() == [CLASS_OF["G"], CLASS_OF["o"], NOTHING, UNSAID]
    assert slots[0, 0, 1].tolist() == [CLASS_OF[" "], CLASS_OF["o"], NOTHING, UNSAID]
    assert slots[0, 0, 2].tolist() == [CLASS_OF["n"], NOTHING, UNSAID, UNSAID]
    assert slots[0, 0, 3].tolist() == [NOTHING, UNSAID, UNSAID, UNSAID]
    assert slots[0, 1, 2, :2].tolist() == [CLASS_OF["n"], NOTHING]
    assert slots[0, 1, 3, :2].tolist() == [CLASS_OF["o"], NOTHING]
    assert slots[0, 2].flatten()[:5].tolist() == [NOTHING, UNSAID, UNSAID, UNSAID, UNSAID]
    assert slots[1, 0, 0, :2].tolist() == [CLASS_OF["x"], NOTHING]


def test_an_overlooked_character_moves_none_of_the_next_column() -> None:
    both = [
        slot_labels(made_print({place: word}), (64, 64))
        for place, word in (((0, 4), "Gone"), ((8, 4), "one"))
    ]
    one, other = (slots.reshape(SLOT_LINES, SLOT_COLUMNS, SLOT_PLACES) for slots in both)
    assert one[0, 0].tolist() != other[0, 0].tolist()
    assert one[0, 1:].tolist() == other[0, 1:].tolist()


def test_an_empty_token_is_said_to_be_empty() -> None:
    slots = slot_labels(made_print({}), (64, 64))
    assert slots[0, 0] == NOTHING
    assert (slots[0, 1:] == UNSAID).all()


@pytest.mark.parametrize("mode", list(Mode))
def test_characters_stay_where_their_ink_is_in_every_mode(mode: Mode) -> None:
    page = draw_page(PageKind((900, 900), (1.2, 1.3), (14.0, 15.0), rich=0.0, damaged=0.0), 2, 1)
    shown = show(page, mode)
    points = shown.view_points
    view = shown.view.reshape(len(points), 16, -1, 4).float()
    ink = view.amax(dim=(1, 3)) - view.amin(dim=(1, 3))

    assert ink[points != NOTHING].mean() > 3 * ink[points == NOTHING].mean()
    if mode is Mode.GUNDAM:
        assert shown.tiles is not None
        assert len(shown.tiles) == shown.crop_wh[0] * shown.crop_wh[1]


def test_targets_are_the_text_and_then_the_end() -> None:
    plans = (ViewPlan(SMALL, Mode.TINY, pages=2, markdown=1.0),)
    (part,) = ReadingBatches(plans, parts=1, seed=1, end_id=1)[0]
    for row in part.targets.tolist():
        ids = [token for token in row if token != PADDING]
        assert ids[-1] == 1
        assert 1 not in ids[:-1]
        assert all(token >= 5 for token in ids[:-1])


def test_a_few_characters_are_given_wrong_and_all_are_asked_for_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = (ViewPlan(SMALL, Mode.TINY, pages=40),)
    (part,) = ReadingBatches(plans, parts=1, seed=1, end_id=1)[0]
    monkeypatch.setattr("recipe.readings._MISREAD_SHARE", 0.0)
    (well_read,) = ReadingBatches(plans, parts=1, seed=1, end_id=1)[0]
    said = part.targets > 1
    wrong = part.given[said] != well_read.given[said]
    assert torch.equal(part.targets, well_read.targets)
    assert torch.equal(well_read.given[said], well_read.targets[said])
    assert 0.01 < wrong.float().mean() < 0.05


def test_the_beginnings_of_lines_count_more() -> None:
    (part,) = ReadingBatches((ViewPlan(SMALL, Mode.TINY, pages=4),), parts=1, seed=1, end_id=1)[0]
    before = part.targets.roll(1, dims=1)
    newline = Tokenizer.from_file(str(TOKENIZER)).encode("\n").ids[0]
    begins = (before == newline) & (torch.arange(before.shape[1]) > 0)
    assert begins.any()
    assert torch.equal(part.weights > 1, begins)
    right, wrong = (torch.tensor([[[9.0 * sign, 0.0], [0.0, 0.0]]]) for sign in (1, -1))
    targets, weights = torch.tensor([[0, 1]]), torch.tensor([[4.0, 1.0]])
    cheap, dear = (text_loss(scores, targets, weights)[0] for scores in (right, wrong))
    assert dear > cheap + 30


@pytest.mark.parametrize("mode", [Mode.TINY, Mode.GUNDAM])
def test_the_decoder_learns_from_what_the_program_will_give_it(mode: Mode) -> None:
    page = draw_page(PageKind((900, 900), (1.3, 1.3), (14.0, 15.0)), 2, 1)
    shown, learner = show(page, mode), tiny_learner().eval()
    tiles = None if shown.tiles is None else shown.tiles[None]
    prompt = torch.tensor([7, 70, 90])

    with torch.no_grad():
        visual, _ = learner.encode_pages(shown.view[None], tiles, shown.crop_wh)
        scores = learner.read(visual, prompt, torch.tensor([[80, 81, 1]])).text
        views = make_views(page.image.convert("RGB"), mode)
        expected = encode_views(learner.model, views)
        ids = torch.tensor([[0, *[4] * len(expected), *prompt.tolist(), 80, 81]])
        embedded = learner.model.get_input_embeddings()(ids)
        embedded[0, 1 : 1 + len(expected)] = expected
        whole = learner.model(inputs_embeds=embedded, attention_mask=torch.ones_like(ids)).logits

    assert torch.allclose(visual[0], expected, atol=1e-4)
    assert torch.allclose(scores, whole[:, -3:], atol=1e-4)


@pytest.mark.parametrize("mode", list(Mode))
def test_the_print_of_each_character_is_looked_for_in_the_token_that_covers_it(mode: Mode) -> None:
    page = draw_page(PageKind((900, 900), (1.3, 1.3), (14.0, 15.0), rich=0.0, damaged=0.0), 2, 1)
    shown = show(page, mode)
    assert shown.layout is not None
    left, top, right, bottom = shown.layout.boxes[shown.cells].T
    x, y = page.print.centres.T

    assert (shown.cells >= 0).all()
    assert ((x > left - 1) & (x < right + 1) & (y > top - 1) & (y < bottom + 1)).all()
    wanted = TokenKind.LOCAL if mode is Mode.GUNDAM else TokenKind.GLOBAL
    assert (shown.layout.kinds[shown.cells] == wanted).all()


def test_a_text_is_found_in_its_print_whatever_its_marks_and_lines_are() -> None:
    print_ = made_print({(0, 0): "Title", (0, 64): "some words", (0, 128): "12"})
    found = find_in_print("# Title\n\n- some\nwords 12", print_).tolist()
    assert (
        found == [-1] * 2 + [0, 1, 2, 3, 4] + [-1] * 4 + [5, 6, 7, 8] + [-1] + [10, 11, 12, 13, 14] + [-1] * 3
    )


def test_what_the_looking_heads_are_told_about_is_what_the_model_attends_to() -> None:
    learner = tiny_learner().eval()
    visual, prompt, targets = torch.randn(2, 9, 16), torch.tensor([7, 70]), torch.tensor([[80, 81, 1]] * 2)
    with torch.no_grad():
        looks = learner.read(visual, prompt, targets).looks
        learner.model.set_attn_implementation("eager")
        embed = learner.model.get_input_embeddings()
        start, asked, said = (embed(ids) for ids in (torch.zeros(2, 1, dtype=int), prompt, targets[:, :-1]))
        sequence = torch.cat([start, visual, asked.expand(2, -1, -1), said], dim=1)
        attentions = learner.model.model.language_model(
            inputs_embeds=sequence, attention_mask=torch.ones(2, 14, dtype=int), output_attentions=True
        ).attentions
    weights = torch.cat(attentions, dim=1)[:, :, -3:, 1:10]
    assert torch.allclose(
        looks.softmax(-1), (weights / weights.sum(-1, keepdim=True)).transpose(0, 1), atol=1e-5
    )


def test_each_character_is_told_the_slot_that_is_labelled_with_it() -> None:
    page = draw_page(PageKind((512, 512), (1.0, 1.0), (9.0, 14.0), rich=0.0, damaged=0.0), 2, 1)
    shown = show(page, None)
    labels = shown.view_slots.numpy()
    known = shown.slots >= 0
    assert known.mean() > 0.95
    rows, columns = np.divmod(shown.cells[known], 512 // 64 + 1)
    found = labels[rows * 8 + columns, shown.slots[known]]
    assert found.tolist() == [
        CLASS_OF[c] for c, told in zip(page.print.characters, known, strict=True) if told
    ]


def test_a_place_is_right_where_the_slot_is_told() -> None:
    places = torch.zeros(1, 3, 80)
    places[0, 0, 17] = places[0, 1, 3] = 9.0
    loss, right = place_loss(places, torch.tensor([[17, 4, -1]]), torch.ones(1, 3))
    assert right == 0.5
    assert loss > 1


def test_a_look_is_right_where_the_character_is_printed() -> None:
    looks = torch.zeros(2, 1, 3, 5)
    looks[:, 0, 0, 4] = looks[0, 0, 1, 2] = 9.0
    loss, right = look_loss(looks, torch.tensor([[4, 2, -1]]), torch.ones(1, 3))
    nothing, none_right = look_loss(looks, torch.full((1, 3), -1), torch.ones(1, 3))
    assert right == 0.75
    assert 0 < loss < 2
    assert nothing == none_right == 0


def test_a_heavier_character_moves_the_mean_and_equal_weights_do_not() -> None:
    looks = torch.tensor([[[[9.0, 0.0], [9.0, 0.0]]]])  # right, then wrong
    wanted = torch.tensor([[0, 1]])
    equal, same, heavier = (
        look_loss(looks, wanted, torch.tensor([weights]))[0].item()
        for weights in ((1.0, 1.0), (4.0, 4.0), (1.0, 3.0))
    )
    assert equal == pytest.approx(same)
    assert heavier == pytest.approx(1.5 * equal, rel=1e-3)


def test_the_rate_rises_stays_and_falls() -> None:
    rates = [learning_rate(step, 4000) for step in range(4000)]
    assert rates[0] < 0.1
    assert max(rates) == rates[500] == 1
    assert all(earlier >= later for earlier, later in pairwise(rates[100:]))
    assert rates[2700] > 0.4
    assert rates[-1] < 0.02


def test_a_longer_training_has_the_same_rate_until_the_shorter_one_falls() -> None:
    assert all(learning_rate(step, 4000) == learning_rate(step, 9000) for step in range(2800))


def test_fuller_crops_are_learnt_more_often() -> None:
    plan = CropPlan(
        replace(SMALL, width_px=(400, 400)), 128, crops_per_page=(3, 3), pages_per_batch=4, seed=9
    )
    every, fuller = (CropBatches(one)[0].slots for one in (plan, replace(plan, crops_kept=3)))
    said = [((slots != NOTHING) & (slots != UNSAID)).sum() / len(slots) for slots in (every, fuller)]
    assert len(fuller) == 12
    assert said[1] > said[0]


def test_the_encoder_begins_with_large_print() -> None:
    plan = replace(ENCODER.plan, first_kind=replace(SMALL, blank=1.0), first_batches=2)
    slots = [CropBatches(plan)[number].slots for number in (0, 1, 2)]
    assert [bool(((labels != NOTHING) & (labels != UNSAID)).any()) for labels in slots] == [
        False,
        False,
        True,
    ]


def test_a_stage_gone_through_once_more_shows_other_pages() -> None:
    crops = [stage.batches()[0].views for stage in (ENCODER, ENCODER, ENCODER.seeded(10))]
    assert torch.equal(crops[0], crops[1])
    assert not torch.equal(crops[0], crops[2])
    texts = [stage.batches()[0][0].targets for stage in (READING, READING.seeded(10))]
    assert not torch.equal(*texts)
    assert EncoderStage().plan.kind_of(0) != EncoderStage().seeded(10).plan.kind_of(0) == SNIPPETS


def test_a_training_does_not_go_on_with_pages_of_another_seed(tmp_path: Path) -> None:
    settings = RunSettings(tmp_path / "run", steps=1)
    train(ENCODER, tiny_learner(), settings)
    with pytest.raises(CheckpointError, match="seed 9, not 10"):
        train(ENCODER.seeded(10), tiny_learner(), replace(settings, steps=2))


def test_larger_batches_hold_more_pages() -> None:
    for stage in (EncoderStage(), both_stage()):
        assert stage.enlarged(4).items_per_batch > 2 * stage.items_per_batch


ENCODER = EncoderStage(CropPlan(SMALL, crop_px=128, crops_per_page=(2, 1), pages_per_batch=2, seed=9))
READING = ReadingStage(
    "both", (ViewPlan(SMALL, Mode.TINY, pages=2),), parts=1, rate=1e-3, encoder_learns="all", seed=4
)
PRUNED = replace(READING, pruned=0.5)
TOKENS = replace(READING, encoder_learns="tokens")


@pytest.mark.parametrize(
    "stage", [ENCODER, READING, PRUNED, TOKENS], ids=["encoder", "both", "pruned", "tokens"]
)
def test_a_training_that_was_killed_ends_in_the_same_weights(
    stage: EncoderStage | ReadingStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = RunSettings(tmp_path / "through", steps=3, show_steps=1)
    train(stage, tiny_learner(), through)

    broken = RunSettings(tmp_path / "broken", steps=3, save_s=0, show_steps=1)
    whole_loss = type(stage).loss

    def loss_until_killed(self, learner, batch, step):
        if step == 2:
            raise KeyboardInterrupt
        return whole_loss(self, learner, batch, step)

    with monkeypatch.context() as patch:
        patch.setattr(type(stage), "loss", loss_until_killed)
        with pytest.raises(KeyboardInterrupt):
            train(stage, tiny_learner(), broken)
    with safe_open(broken.folder / STATE_FILE, "pt") as file:
        assert file.metadata()["step"] == "2"
    train(stage, tiny_learner(), broken)

    one, other = (load_file(settings.folder / STATE_FILE) for settings in (through, broken))
    assert one.keys() == other.keys()
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
    assert len((broken.folder / LOG_FILE).read_text().splitlines()) == 3


def test_what_does_not_learn_in_a_step_is_left_alone_by_all_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learning, resting = (torch.nn.Parameter(torch.zeros(3)) for _ in range(2))
    learning.grad = torch.ones(3)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda flat: flat.add_(3))  # the other's gradients
    share_gradients([learning, resting], processes=2)
    assert learning.grad.tolist() == [2.0] * 3
    assert resting.grad is None


def test_a_training_goes_on_from_a_checkpoint_that_was_exported_with_its_heads(tmp_path: Path) -> None:
    train(ENCODER, Learner(read_sizes()), RunSettings(tmp_path / "run", steps=1))
    said = Description("Test", "A test.", [Mode.TINY], ["text"])
    export_checkpoint(tmp_path / "run", tmp_path / "out", said, heads=True)
    trained, begun = Learner(read_sizes()), Learner(read_sizes())
    load_weights(tmp_path / "run", trained)
    load_weights(tmp_path / "out", begun)
    for name, tensor in trained.state_dict().items():
        assert torch.equal(tensor.bfloat16().float(), begun.state_dict()[name]), name


def test_a_training_can_go_on_from_the_bundled_weights() -> None:
    learner = Learner(read_sizes())
    load_weights(MINIATURE, learner, HEADS)
    batch = CropBatches(replace(ENCODER.plan, kind=replace(SMALL, x_height_px=(14.0, 20.0), damaged=0.0)))[0]
    with torch.no_grad():
        _, figures = ENCODER.loss(learner.eval(), batch, 0)
    assert figures["slots_right"] > 0.7


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_training_cannot_go_on_from_is_said_in_a_sentence(processes: int, tmp_path: Path) -> None:
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), {"seed": 9, "step": 1})
    arguments = ["encoder", tmp_path, "--steps", "3", "--processes", str(processes)]
    ended = subprocess.run(
        [sys.executable, TRAIN, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert "on the pages of seed 9, not 1" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_added_layers_change_nothing_until_they_learn(tmp_path: Path) -> None:
    before, sizes = tiny_learner().eval(), tiny_sizes()
    save_state(tmp_path, before, Optimiser({}, {}), {})
    grown = replace(sizes, decoder=replace(sizes.decoder, layers=4, dense_layers=2))
    after = Learner(grown).eval()
    assert sizes_before(grown.decoder, (1, 2)) == sizes.decoder
    load_weights(tmp_path, after, added_layers=(1, 2))
    (part,) = ReadingBatches((ViewPlan(SMALL, Mode.TINY, pages=2),), 1, 1, end_id=1)[0]

    said = []
    for learner in (before, after):
        visual, _ = learner.encode_pages(part.views)
        said.append(learner.read(visual, part.prompt, part.given).text)
    torch.testing.assert_close(said[1], said[0])

    text_loss(said[1], part.targets, part.weights)[0].backward()
    for layer in after.model.model.language_model.layers:
        assert layer.self_attn.o_proj.weight.grad.any()


def test_a_training_does_not_go_on_from_weights_of_other_sizes(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="other sizes"):
        load_weights(write_checkpoint(tmp_path / "model"), Learner(read_sizes()))


def test_processes_that_share_the_work_take_the_same_step_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = {
        "a.weight": torch.randn(6, 4),
        "b.weight": torch.randn(2, 3, 3),
        "c.weight": torch.randn(3, 3),
    }

    def stepped() -> dict[str, torch.nn.Parameter]:
        parameters = {name: torch.nn.Parameter(torch.zeros_like(one)) for name, one in gradients.items()}
        optimiser = Optimiser(parameters, {"c.weight": 0.5})
        for name, parameter in parameters.items():
            parameter.grad = gradients[name].clone()
        optimiser.step(0.1)
        return parameters

    alone, sent = stepped(), []
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda flat: sent.append(flat.clone()))
    for rank in (0, 1):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        stepped()
    assert all(part.any() for part in sent)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda flat: flat.copy_(sent[0] + sent[1]))
    for name, parameter in stepped().items():
        assert torch.equal(parameter, alone[name])


def test_a_page_with_a_figure_and_no_print_can_be_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = TrueBlock("image", (9, 9, 99, 99), "", "")
    page = Page(Image.new("L", (256, 256), 255), (figure,), made_print({}), family="", x_height_px=9)
    monkeypatch.setattr("recipe.readings.draw_page", lambda *_: page)
    (part,) = ReadingBatches((ViewPlan(SMALL, Mode.TINY, pages=1, markdown=1.0),), 1, 1, end_id=1)[0]
    assert part.targets.shape == part.looked_at.shape == part.slots_at.shape
    assert (part.looked_at == -1).all()


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_that_share_a_step_show_pages_in_the_same_ways(processes: int) -> None:
    plans = tuple(ViewPlan(SMALL, mode, pages=1) for mode in (Mode.TINY, Mode.SMALL))
    batches = ReadingBatches(plans, parts=1, seed=1, end_id=1, processes=processes)
    shown = [batches[number][0].views.shape for number in range(6 * processes)]
    assert len(set(shown)) > 1
    for step in range(6):
        assert len(set(shown[step * processes : (step + 1) * processes])) == 1


def test_an_exported_checkpoint_loads_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(ENCODER, Learner(read_sizes()), RunSettings(tmp_path / "run", steps=1))
    said = Description("Test", "A test.", [Mode.BASE, Mode.GUNDAM], ["text"], PrintSizes(9, 14))
    export_checkpoint(tmp_path / "run", tmp_path / "out", said)

    checkpoint = load_checkpoint(open_folder(tmp_path / "out"), torch.device("cpu"), torch.float32)

    assert checkpoint.info.modes == (Mode.BASE, Mode.GUNDAM)
    assert checkpoint.info.print_sizes == PrintSizes(9, 14)
    assert 10_000_000 < checkpoint.info.parameter_count < 30_000_000
    assert checkpoint.info.weight_bytes < 40_000_000
    trained = load_file(tmp_path / "run" / STATE_FILE)["model:model.model.multi_modal_projector.weight"]
    exported = checkpoint.model.model.multi_modal_projector.weight
    assert torch.equal(exported, trained.to(torch.bfloat16).float())


def test_what_is_taught_pruned_is_what_the_program_gives() -> None:
    page = draw_page(PageKind((900, 900), (1.3, 1.3), (14.0, 15.0)), 2, 1)
    shown, learner = show(page, Mode.GUNDAM), tiny_learner().eval()
    assert shown.tiles is not None
    assert shown.layout is not None
    visual, _ = learner.encode_pages(shown.view[None], shown.tiles[None], shown.crop_wh)
    prompt, targets = torch.tensor([7, 70, 90]), torch.tensor([[80, 81, 1]])

    kept = prune_page(visual[0], shown.view, shown.layout, 0.6)
    scores = learner.read(kept.visual[None], prompt, targets, kept.places, kept.whole).text

    with torch.no_grad():
        views, tokens = make_views(page.image.convert("RGB"), Mode.GUNDAM), visual[0]
        measures = measure_tokens(tokens[shown.layout.prunable], normalise(views.global_view))
        plan = plan_pruning(shown.layout, measures, PruneSettings(0.6))
        left = apply_plan(tokens, plan)
        given = build_prompt(learner.model, [0], left, plan.selected, len(tokens), [7, 70, 90])
        embedded = learner.model.get_input_embeddings()(targets[:, :-1])
        whole = learner.model(
            inputs_embeds=torch.cat([given.embeddings[None], embedded], dim=1),
            position_ids=torch.cat([given.position_ids, given.next_position + torch.arange(2)])[None],
            attention_mask=torch.ones(1, len(given.embeddings) + 2, dtype=torch.long),
        ).logits
    assert torch.allclose(scores, whole[:, -3:], atol=1e-4)


def test_what_is_merged_learns_too() -> None:
    shown = show(draw_page(SMALL, 2, 1), Mode.TINY)
    assert shown.layout is not None
    visual = torch.randn(len(shown.layout), 16, requires_grad=True)

    kept = prune_page(visual, shown.view, shown.layout, 0.5)
    kept.visual.square().sum().backward()

    assert visual.grad is not None
    assert len(kept.visual) < len(visual)
    assert (visual.grad[shown.layout.prunable].abs().sum(dim=1) > 0).all()


def test_the_outline_of_a_page_is_its_headings_items_and_tables() -> None:
    table = "<table><tr><td>a</td><td></td></tr><tr><td>b</td></tr></table>"
    text = f"# Title\n\nRunning - text\n\n## More\n- one\n2. two\n\n{table}\n```\n"
    assert outline(text) == ["heading 1", "heading 2", "item", "numbered item", "table [2, 1]"]


def test_a_block_is_found_where_half_of_both_boxes_is_shared() -> None:
    true = [TrueBlock("text", (0, 0, 500, 500), "", ""), TrueBlock("title", (0, 500, 500, 999), "", "")]
    near, far = (0, 100, 500, 520), (600, 600, 900, 900)
    read = [ReadBlock("text", (near, far), 0, 1)]

    assert match_blocks(true, (999, 999), read) == [True]
    assert match_blocks(true, (999, 999), [replace(read[0], label="title")]) == [False]
    assert match_blocks(true, (999, 999), []) == []


def test_an_evaluation_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    engine = Engine(threads=1)
    info = engine.load(MINIATURE, device="cpu").info
    sets = plan_sets(info, [Mode.TINY], [Group.EMPTY])
    record = Record(tmp_path / "figures.jsonl", "weights")
    jobs = missing_readings(sets, 2, record)
    assert len(jobs) == 4

    read_pages(engine, jobs[:3], record, minutes=5)
    with (tmp_path / "figures.jsonl").open("a") as file:
        file.write('\n{"checkpoint": "weig')  # killed while it wrote
    again = Record(tmp_path / "figures.jsonl", "weights")

    assert missing_readings(sets, 2, again) == jobs[3:]
    assert sum(outcome.silent for outcome in again.outcomes) == 3
    assert "3 of 3" in card_tables(sets, again.outcomes)
    assert missing_readings(sets, 2, Record(tmp_path / "figures.jsonl", "other weights")) == jobs


def test_a_card_tells_the_training_and_the_figures(tmp_path: Path) -> None:
    try:
        held_out = find_typefaces(held_out=True)
    except MissingMaterial as error:
        pytest.skip(str(error))
    train(ENCODER, tiny_learner(), RunSettings(tmp_path, steps=2, show_steps=1))
    card = write_card(inspect_checkpoint(MINIATURE), [tmp_path], "| the | tables |\n")

    assert f"| encoder | 9 | 2 | {2 * ENCODER.items_per_batch} | 0.0 | loss " in card
    assert "| the | tables |" in card
    assert held_out[0].family.name in card.partition("Held out")[2]
    assert "$" not in card


def test_the_tables_tell_what_was_measured_and_dash_what_was_not() -> None:
    info = replace(inspect_checkpoint(MINIATURE), modes=(Mode.BASE, Mode.GUNDAM), tasks=TASKS[:2])
    sets = plan_sets(info, info.modes, list(Group))
    score = PageScore("page", 0.02, 0.015, 1000, 1.0, False, 1000, 10, 90, 900)
    outcome = Outcome("", 0, ALL_TOKENS, score, False, 0.91, 0, 0, 0, None, "")
    printed = next(one for one in sets if one.group is Group.PRINT and one.x_height_px == 10)
    documents = next(one for one in sets if one.group is Group.MARKDOWN)
    outcomes = [
        replace(outcome, page_set=printed.name),
        replace(outcome, page_set=printed.name, page=1, score=replace(score, error_rate=0.045, cut_off=True)),
        replace(
            outcome, page_set=documents.name, blocks=8, blocks_found=6, kinds_right=4, structure_right=True
        ),
    ]

    tables = card_tables(sets, outcomes)

    assert "| base | clean | 2 | – | 3.0% | – | – | – |" in tables
    assert "| base | 1 | 1.5% | 75.0% | 50.0% | 100.0% | 0 of 1 |" in tables
    assert "| base | 0 of 0 | 1 of 2 | 0.91 | 2.0 |" in tables
    assert "Gundam" not in tables


def test_pages_of_an_evaluation_are_as_large_as_their_names_say() -> None:
    info = replace(inspect_checkpoint(MINIATURE), modes=(Mode.BASE, Mode.GUNDAM), tasks=TASKS[:2])
    sets = plan_sets(info, info.modes, [Group.PRINT, Group.A4])

    assert len({one.name for one in sets}) == len(sets)
    for one in sets:
        assert one.kind is not None
        assert one.kind.x_height_px[0] * scale_of(one.mode) == pytest.approx(one.x_height_px)
