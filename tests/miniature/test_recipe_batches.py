"""What the encoder and the decoder are given, and what they are asked for."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from recipe.alphabet import CLASS_OF, NOTHING
from recipe.blocks import Block as TrueBlock
from recipe.crops import CropBatches, CropPlan
from recipe.labels import UNSAID
from recipe.losses import look_loss, place_loss, position_loss, text_loss, tile_loss
from recipe.model import POSITIONS
from recipe.pages import Page, PageKind, draw_page
from recipe.readings import PADDING, TOKENIZER, ReadingBatches, ViewPlan, find_in_bounds, find_in_print, show
from tokenizers import Tokenizer
from torch.nn.functional import one_hot

from rtocr_gui.ocr.encoding import encode_views
from rtocr_gui.ocr.layout import build_layout
from rtocr_gui.ocr.reading import MOST_TILES, Mode
from rtocr_gui.ocr.views import make_views
from rtocr_gui.tokens import TokenKind
from tests.miniature.materials import DOCUMENT, ENCODER, SMALL, documents, made_print, tiny_learner


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


def test_the_beginnings_of_lines_and_the_end_count_more() -> None:
    (part,) = ReadingBatches((ViewPlan(SMALL, Mode.TINY, pages=12),), parts=1, seed=1, end_id=1)[0]
    before = part.targets.roll(1, dims=1)
    newline = Tokenizer.from_file(str(TOKENIZER)).encode("\n").ids[0]
    begins = (before == newline) & (torch.arange(before.shape[1]) > 0)
    ends = part.targets == 1
    lengths = (part.targets > 1).sum(1)
    assert begins.any()
    assert ends.sum() == 12
    assert torch.equal(part.weights[~ends] > 1, begins[~ends])
    assert torch.allclose(part.weights[ends], (0.015 * lengths).clamp(min=1))
    assert part.weights[ends].max() > 1
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


@pytest.mark.parametrize("mode", [Mode.TINY, Mode.BASE, Mode.GUNDAM])
def test_what_is_said_of_a_block_is_told_to_look_at_where_it_begins_and_ends(mode: Mode) -> None:
    page = documents(3)[2]
    shown, told = show(page, mode), page.grounded
    assert shown.layout is not None
    looks = find_in_bounds(told, shown.ends)
    at = 0
    for block, ends in zip(page.blocks, shown.ends, strict=True):
        x1, y1, x2, y2 = block.grid_box(page.image.size)
        at = told.index(f"{block.kind}<|/ref|>", at)
        for said, token in ((block.kind, ends[0]), (f"{x1}, {y1}", ends[0]), (f"{x2}, {y2}", ends[1])):
            at = told.index(said, at)
            assert (looks[at : at + len(said)] == token).all()
            at += len(said)
    assert (looks >= 0).sum() == sum(
        len(block.kind) + len("{}, {}{}, {}".format(*block.grid_box(page.image.size)))
        for block in page.blocks
    )
    left, top, right, bottom = shown.layout.boxes[shown.ends].transpose(2, 0, 1)
    bounds = np.array([block.box for block in page.blocks])
    line_px, reach_px = 6 * page.x_height_px, 4 * page.x_height_px
    assert (left[:, 0] < bounds[:, 0] + reach_px).all()
    assert (right[:, 0] > bounds[:, 0]).all()
    assert (top[:, 0] < bounds[:, 1] + line_px).all()
    assert (bottom[:, 0] > bounds[:, 1]).all()
    assert (right[:, 1] > bounds[:, 2] - reach_px).all()
    assert (left[:, 1] < bounds[:, 2]).all()
    assert (bottom[:, 1] > bounds[:, 3] - line_px).all()
    assert (top[:, 1] < bounds[:, 3]).all()


def test_only_markdown_tells_where_blocks_begin_and_end() -> None:
    for markdown, known in ((0.0, False), (1.0, True)):
        plan = ViewPlan(DOCUMENT, Mode.BASE, pages=1, markdown=markdown)
        (part,) = ReadingBatches((plan,), parts=1, seed=3, end_id=1)[0]
        named = Tokenizer.from_file(str(TOKENIZER)).token_to_id("<|ref|>")
        kinds = part.looked_at[:, 1:][part.targets[:, :-1] == named]
        assert bool(len(kinds)) is known
        assert (kinds >= 0).all()
        assert (part.weights[:, 1:][part.targets[:, :-1] == named] == 3).all()


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


@pytest.mark.parametrize("side", [4, 16, 20])
def test_a_position_is_right_where_row_and_column_are_told(side: int) -> None:
    steps = torch.arange(side) * POSITIONS // side
    rows, columns = (one.flatten() for one in torch.meshgrid(steps, steps, indexing="ij"))
    told = one_hot(torch.cat([rows, columns]), POSITIONS).float().view(2, -1, POSITIONS).transpose(0, 1)
    tokens = torch.stack([told.flatten(1), torch.zeros(side * side, 2 * POSITIONS)])  # (2, N, 32)
    head = torch.nn.Linear(2 * POSITIONS, 2 * POSITIONS)
    with torch.no_grad():
        head.weight.copy_(20 * torch.eye(2 * POSITIONS))
        head.bias.zero_()
        right, unsaid = (position_loss(head, view[None]) for view in tokens)
        both, share = position_loss(head, tokens)
    assert right[0] < 1e-4
    assert right[1] == 1
    assert unsaid[0] == pytest.approx(math.log(POSITIONS))
    assert both == pytest.approx(float(right[0] + unsaid[0]) / 2)
    assert share < 1
    swapped = tokens[:1].unflatten(-1, (2, POSITIONS)).flip(2).flatten(2)
    assert position_loss(head, swapped)[1] < 0.5


def test_a_tile_is_right_where_its_row_and_column_are_told() -> None:
    layout = build_layout(Mode.GUNDAM, (1200, 1900), (2, 3))
    told = torch.randn(1, len(layout), 2, MOST_TILES)  # whatever is said of the other tokens
    places = torch.from_numpy(np.flatnonzero(layout.kinds == TokenKind.LOCAL)).view(3, 10, 2, 10)
    told[0, places] = 0
    for row, column in np.ndindex(3, 2):
        told[0, places[row, :, column], 0, row] = told[0, places[row, :, column], 1, column] = 1.0
    head = torch.nn.Linear(2 * MOST_TILES, 2 * MOST_TILES)
    with torch.no_grad():
        head.weight.copy_(20 * torch.eye(2 * MOST_TILES))
        head.bias.zero_()
        loss, right = tile_loss(head, told.flatten(2), layout)
        swapped, share = tile_loss(head, told.flip(2).flatten(2), layout)
    assert loss < 1e-4
    assert right == 1
    assert share == pytest.approx(1 / 3)  # row and column are equal in two tiles of six
    assert swapped == pytest.approx(20 * 2 / 3, rel=1e-3)


def test_a_heavier_character_moves_the_mean_and_equal_weights_do_not() -> None:
    looks = torch.tensor([[[[9.0, 0.0], [9.0, 0.0]]]])  # right, then wrong
    wanted = torch.tensor([[0, 1]])
    equal, same, heavier = (
        look_loss(looks, wanted, torch.tensor([weights]))[0].item()
        for weights in ((1.0, 1.0), (4.0, 4.0), (1.0, 3.0))
    )
    assert equal == pytest.approx(same)
    assert heavier == pytest.approx(1.5 * equal, rel=1e-3)


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


def test_a_page_with_a_figure_and_no_print_can_be_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = TrueBlock("image", (9, 9, 99, 99), "", "")
    page = Page(Image.new("L", (256, 256), 255), (figure,), made_print({}), family="", x_height_px=9)
    monkeypatch.setattr("recipe.readings.draw_page", lambda *_: page)
    (part,) = ReadingBatches((ViewPlan(SMALL, Mode.TINY, pages=1, markdown=1.0),), 1, 1, end_id=1)[0]
    assert part.targets.shape == part.looked_at.shape == part.slots_at.shape
    assert set(part.looked_at.flatten().tolist()) == {-1, 0, 2 * (512 // 64 + 1) + 2}


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_that_share_a_step_show_pages_in_the_same_ways(processes: int) -> None:
    plans = tuple(ViewPlan(SMALL, mode, pages=1) for mode in (Mode.TINY, Mode.SMALL))
    batches = ReadingBatches(plans, parts=1, seed=1, end_id=1, processes=processes)
    shown = [batches[number][0].views.shape for number in range(6 * processes)]
    assert len(set(shown)) > 1
    for step in range(6):
        assert len(set(shown[step * processes : (step + 1) * processes])) == 1
