"""What the encoder and the decoder are given, and what they are asked for."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch.nn.functional import one_hot

from recipe.alphabet import CLASS_OF, NOTHING
from recipe.blocks import KINDS
from recipe.blocks import Block as TrueBlock
from recipe.crops import CropBatches, CropPlan
from recipe.labels import THIRD_LINE_SLOT, UNSAID, WITHIN_STEPS, BlockLabels
from recipe.losses import (
    block_loss,
    edge_loss,
    kept_loss,
    look_loss,
    place_loss,
    position_loss,
    take_views,
    text_loss,
    tile_loss,
    within_loss,
)
from recipe.model import POSITIONS, STRIPS
from recipe.pages import Page, PageKind, draw_page
from recipe.readings import (
    PADDING,
    TOKENIZER,
    Part,
    ReadingBatches,
    ViewPlan,
    find_in_boxes,
    find_in_print,
)
from recipe.shown import show
from rtocr_gui.ocr.reading import GREATEST_COORDINATE, Mode
from rtocr_gui.ocr.vision.encoding import encode_views
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.ocr.vision.views import make_views
from rtocr_gui.tokens import MOST_TILES, TokenKind
from tests.miniature.materials import DOCUMENT, ENCODER, SMALL, documents, made_print, tiny_learner


def test_targets_are_the_text_and_then_the_end() -> None:
    plans = (ViewPlan(SMALL, Mode.TINY, pages=2, markdown=1.0),)
    (part,) = ReadingBatches(plans, parts=1, seed=1, end_id=1)[0]
    for row in part.targets.tolist():
        ids = [token for token in row if token != PADDING]
        assert ids[-1] == 1
        assert 1 not in ids[:-1]
        assert all(token >= 5 for token in ids[:-1])


def misread_part(monkeypatch: pytest.MonkeyPatch, **shares: float) -> Part:
    """Pages of which characters are given wrong in these ways only.

    Much more often than in training, so that what the texts on this machine are makes no difference.
    """
    plans = (ViewPlan(SMALL, Mode.TINY, pages=60),)
    with monkeypatch.context() as context:
        for way in ("_MISREAD_SHARE", "_LOST_SHARE", "_LOST_LINE_SHARE"):
            context.setattr(f"recipe.readings.{way}", shares.get(way, 0.0))
        (part,) = ReadingBatches(plans, parts=1, seed=1, end_id=1)[0]
    return part


@pytest.mark.parametrize(
    ("way", "often", "shares", "run_lengths"),
    [
        ("_MISREAD_SHARE", 0.1, (0.08, 0.12), (1.0, 1.3)),
        ("_LOST_SHARE", 0.02, (0.1, 0.2), (5.0, 12.0)),
        ("_LOST_LINE_SHARE", 0.3, (0.08, 0.2), (4.0, 12.0)),
    ],
    ids=["here and there", "for a while", "from the beginning of a line on"],
)
def test_some_characters_are_given_wrong_and_all_are_asked_for_right(
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    often: float,
    shares: tuple[float, float],
    run_lengths: tuple[float, float],
) -> None:
    part, well_read = misread_part(monkeypatch, **{way: often}), misread_part(monkeypatch)
    said = part.targets > 1
    wrong = part.given[said] != well_read.given[said]
    assert torch.equal(part.targets, well_read.targets)
    assert torch.equal(well_read.given[said], well_read.targets[said])
    assert shares[0] < wrong.float().mean() < shares[1]
    runs = (wrong & ~wrong.roll(1)).sum()
    assert run_lengths[0] < wrong.sum() / runs < run_lengths[1]


def test_a_line_that_is_given_wrong_begins_as_another_one_of_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = misread_part(monkeypatch, _LOST_LINE_SHARE=0.3)
    newline = Tokenizer.from_file(str(TOKENIZER)).encode("\n").ids[0]
    wrong = 0
    for given, targets in zip(part.given.tolist(), part.targets.tolist(), strict=True):
        starts = [0, *(place + 1 for place, one in enumerate(targets) if one == newline)]
        for start in starts:
            if given[start] != targets[start] and (start == 0 or given[start - 1] == newline):
                told = given[start : start + 3]  # of which the last may be right again
                assert any(
                    told[0] == targets[line]
                    and all(
                        one in pair
                        for one, *pair in zip(
                            told, targets[line : line + 3], targets[start : start + 3], strict=False
                        )
                    )
                    for line in starts
                )
                wrong += 1
    assert wrong > 30


def test_the_beginnings_of_lines_and_the_end_count_more() -> None:
    (part,) = ReadingBatches((ViewPlan(SMALL, Mode.TINY, pages=12),), parts=1, seed=1, end_id=1)[0]
    before = part.targets.roll(1, dims=1)
    newline = Tokenizer.from_file(str(TOKENIZER)).encode("\n").ids[0]
    begins = (before == newline) & (torch.arange(before.shape[1]) > 0)
    ends = part.targets == 1
    assert begins.any()
    assert ends.sum() == 12
    assert torch.equal(part.weights[~ends] > 1, begins[~ends])
    assert (part.weights[ends] == 4).all()
    right, wrong = (torch.tensor([[[9.0 * sign, 0.0], [0.0, 0.0]]]) for sign in (1, -1))
    targets, weights = torch.tensor([[0, 1]]), torch.tensor([[4.0, 1.0]])
    cheap, dear = (text_loss(scores, targets, weights)[0] for scores in (right, wrong))
    assert dear > cheap + 30


def test_lines_below_the_second_of_their_token_count_more() -> None:
    plans = (ViewPlan(PageKind((512, 512), (1.0, 1.0), (8.0, 8.5)), mode=None, pages=2),)
    (part,) = ReadingBatches(plans, parts=1, seed=1, end_id=1)[0]
    low = part.slots_at >= THIRD_LINE_SLOT
    assert part.weights[low].min() == 3
    assert part.weights[(part.slots_at >= 0) & ~low].min() == 1


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


def test_the_token_that_speaks_for_a_block_is_found_where_the_page_is_the_view_and_ends_in_mid_block() -> (
    None
):
    wide = TrueBlock("image", (-40, 70, 250, 90), "", "")
    low = TrueBlock("table", (130, 200, 190, 230), "", "")
    page = Page(Image.new("L", (256, 256), 255), (wide, low), made_print({}), family="", x_height_px=9)
    shown = show(page, None)
    row_length = 256 // 64 + 1  # with its newline
    assert shown.speakers.tolist() == [row_length, 3 * row_length + 2]
    kinds, boxes, within, speaks = shown.view_blocks
    assert [KINDS[kind] if kind >= 0 else "" for kind in kinds[4:8].tolist()] == ["image"] * 4
    assert boxes[4].tolist() == pytest.approx([0, 70 / 256, 250 / 256, 90 / 256])
    assert within[4:8].tolist() == [[16, 1, 16, 6], [16, 1, 16, 6], [16, 1, 16, 6], [16, 1, 14, 6]]
    assert within[14].tolist() == [0, 2, 15, 9]
    assert speaks.nonzero().flatten().tolist() == [4, 14]


def test_a_line_that_rises_across_the_edge_of_a_token_has_a_token_that_speaks_for_it() -> None:
    rising = made_print({(10 + 8 * index, 66 - 2 * index): "a" for index in range(20)})
    print_ = replace(rising, lines=np.zeros_like(rising.lines))
    block = TrueBlock("title", (10, 28, 170, 82), "a" * 20, "# " + "a" * 20)
    page = Page(Image.new("L", (256, 256), 255), (block,), print_, family="", x_height_px=9)
    assert show(page, None).speakers.tolist() == [256 // 64 + 1]


@pytest.mark.parametrize("mode", [Mode.TINY, Mode.BASE, Mode.GUNDAM])
def test_what_is_said_of_a_block_is_told_to_look_at_the_token_that_speaks_for_it(mode: Mode) -> None:
    page = documents(3)[2]
    shown, told = show(page, mode), page.grounded
    layout = shown.layout
    assert layout is not None
    said, looks, edges = find_in_boxes(told, shown.speakers)
    at, digits = 0, 0
    for block, speaker in zip(page.blocks, shown.speakers, strict=True):
        at = told.index(block.kind, at)
        assert (looks[at : at + len(block.kind)] == speaker).all()
        at = told.index("[[", at)
        assert (looks[at + 2 : told.index("]]", at)] == speaker).all()
        for edge in block.grid_box(page.image.size):
            at = told.index(str(edge), at)
            assert edges[at] == pytest.approx(edge / GREATEST_COORDINATE)
            at += len(str(edge))
            digits += len(str(edge))
    assert (edges >= 0).sum() == 4 * len(page.blocks)
    assert said.sum() == digits + sum(len(block.kind) + 3 * len(", ") for block in page.blocks)
    assert ((looks >= 0) == said).all()
    mute, unseen, _ = find_in_boxes(told, np.full(len(page.blocks), -1))
    assert (mute == said).all()
    assert (unseen == -1).all()

    assert len(set(shown.speakers.tolist())) == len(page.blocks) > 3
    assert (layout.kinds[shown.speakers] == TokenKind.GLOBAL).all()
    kinds, boxes, _, speaks = (labels.numpy() for labels in shown.view_blocks)
    places = layout.prunable[layout.cells("global")][speaks]
    by_speaker = dict(zip(places.tolist(), zip(kinds[speaks], boxes[speaks], strict=True), strict=True))
    size = np.array(page.image.size * 2)
    for block, speaker in zip(page.blocks, shown.speakers.tolist(), strict=True):
        kind, box = by_speaker[speaker]
        assert KINDS[kind] == block.kind
        assert np.allclose(box * size, np.clip(block.box, 0, size), atol=0.1)
        left, top, right, bottom = layout.boxes[speaker]
        assert left < block.box[0] + 4 * page.x_height_px
        assert right > block.box[0]
        assert top < block.box[3]
        assert bottom > block.box[1]


def test_only_markdown_tells_which_tokens_speak_for_blocks() -> None:
    for markdown, known in ((0.0, False), (1.0, True)):
        plan = ViewPlan(DOCUMENT, Mode.BASE, pages=1, markdown=markdown)
        (part,) = ReadingBatches((plan,), parts=1, seed=3, end_id=1)[0]
        named = Tokenizer.from_file(str(TOKENIZER)).token_to_id("<|ref|>")
        kinds = part.looked_at[:, 1:][part.targets[:, :-1] == named]
        assert bool(len(kinds)) is known
        assert (kinds >= 0).all()
        assert (part.weights[:, 1:][part.targets[:, :-1] == named] == 3).all()
        assert bool((part.edges_at >= 0).any()) is known
        assert (part.edges_at <= 1).all()


def test_what_the_looking_heads_are_told_about_is_what_the_model_attends_to() -> None:
    learner = tiny_learner().eval()
    visual, prompt, targets = torch.randn(2, 9, 16), torch.tensor([7, 70]), torch.tensor([[80, 81, 1]] * 2)
    with torch.no_grad():
        every, second = (
            learner.read(visual, prompt, targets, looking=looking).looks
            for looking in (slice(None), slice(1, None, 2))
        )
        learner.model.set_attn_implementation("eager")
        embed = learner.model.get_input_embeddings()
        start, asked, said = (embed(ids) for ids in (torch.zeros(2, 1, dtype=int), prompt, targets[:, :-1]))
        sequence = torch.cat([start, visual, asked.expand(2, -1, -1), said], dim=1)
        attentions = learner.model.model.language_model(
            inputs_embeds=sequence, attention_mask=torch.ones(2, 14, dtype=int), output_attentions=True
        ).attentions
    weights = torch.cat(attentions, dim=1)[:, :, -3:].transpose(0, 1)
    assert torch.allclose(every.softmax(-1), weights, atol=1e-5)
    assert torch.allclose(second, every[:, :, 1::2])


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
    looks = torch.zeros(2, 1, 3, 8)  # behind the start, five visual tokens and two ids
    looks[:, 0, 0, 5] = looks[0, 0, 1, 3] = 9.0
    loss, right = look_loss(looks, torch.tensor([[4, 2, -1]]), torch.ones(1, 3))
    nothing, none_right = look_loss(looks, torch.full((1, 3), -1), torch.ones(1, 3))
    assert right == 0.75
    assert 0 < loss < 2
    assert nothing == none_right == 0


def test_a_head_that_attends_to_the_text_does_not_look() -> None:
    looks = torch.zeros(1, 1, 1, 8)
    looks[..., 5], looks[..., 7] = 4.0, 9.0
    loss, right = look_loss(looks, torch.tensor([[4]]), torch.ones(1, 1))
    assert right == 0
    assert loss > 4


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


def test_a_block_is_right_where_its_kind_and_edges_are_told() -> None:
    edges = (0.1, 0.2, 0.5, 0.9)
    told = BlockLabels(
        torch.tensor([[3, 3, -1]]),
        torch.tensor(edges).expand(1, 3, 4),
        torch.full((1, 3, 4), WITHIN_STEPS),
        torch.tensor([[True, False, False]]),
    )
    said = torch.zeros(1, 3, len(KINDS) + 4 * STRIPS)
    said[:, :, 3] = 30.0
    for side, share in enumerate(edges):
        strips = slice(len(KINDS) + side * STRIPS, len(KINDS) + (side + 1) * STRIPS)
        said[:, :, strips] = -0.5 * (torch.arange(STRIPS) - share * (STRIPS - 1)) ** 2
    said[0, 2] = torch.randn(len(KINDS) + 4 * STRIPS)  # whatever is said where there is no block
    least, figures = block_loss(torch.nn.Identity(), said, told)
    assert figures["kinds_right"] == 1
    assert figures["block_error"] < 0.5 / (STRIPS - 1)

    neighbour = said.clone()
    neighbour[0, 1] = said[0, 1].roll(1)
    apart, told_apart = block_loss(torch.nn.Identity(), neighbour, told)
    speaker = said.clone()
    speaker[0, 0] = said[0, 0].roll(-1)
    wrong, told_wrong = block_loss(torch.nn.Identity(), speaker, told)
    assert least < apart < wrong
    assert told_apart["kinds_right"] == 1
    assert told_wrong["kinds_right"] == 0
    assert told_wrong["block_error"] > figures["block_error"]

    blank = told._replace(kinds=torch.full((1, 3), -1), speaks=torch.zeros(1, 3, dtype=torch.bool))
    nothing, figures = block_loss(torch.nn.Identity(), said, blank)
    assert nothing == figures["kinds_right"] == figures["block_error"] == 0


def test_edges_within_a_token_count_as_much_as_those_beyond_it_and_the_next_step_is_near() -> None:
    told = BlockLabels(
        torch.tensor([[3, -1]]),
        torch.zeros(1, 2, 4),
        torch.tensor([[[5, WITHIN_STEPS, WITHIN_STEPS, WITHIN_STEPS], [0, 0, 0, 0]]]),
        torch.tensor([[True, False]]),
    )

    def tell(*steps: int) -> tuple[float, float]:
        said = torch.full((1, 2, 4, WITHIN_STEPS + 1), -9.0)
        for side, step in enumerate(steps):
            said[0, :, side, step] = 9.0
        loss, right = within_loss(torch.nn.Identity(), said.flatten(2), told)
        return float(loss), float(right)

    least, right = tell(5, 16, 16, 16)
    assert right == 1
    assert least == pytest.approx(0, abs=1e-4)
    assert tell(6, 16, 16, 16) == (pytest.approx(18 / 2, rel=1e-3), 1)
    assert tell(8, 16, 16, 16) == (pytest.approx(18 / 2, rel=1e-3), 0)
    assert tell(5, 16, 2, 16) == (pytest.approx(18 / 6, rel=1e-3), 1)
    nothing = told._replace(kinds=torch.full((1, 2), -1))
    assert within_loss(torch.nn.Identity(), torch.zeros(1, 2, 4 * (WITHIN_STEPS + 1)), nothing) == (0, 0)


def test_an_edge_is_nearly_right_in_the_next_strip_and_wrong_far_from_it() -> None:
    where = torch.tensor([[0.4, -1.0]])
    at = [torch.full((1, 2, STRIPS), -9.0) for _ in range(3)]
    for scores, strip in zip(at, (40, 41, 90), strict=True):
        scores[:, :, strip] = 9.0
    (right, close), (near, off), (far, away) = (edge_loss(scores, where) for scores in at)
    assert right < near < far
    assert close < off < away
    assert away == pytest.approx(90 / 99 - 0.4)
    nothing, _ = edge_loss(at[0], torch.full((1, 2), -1.0))
    assert nothing == 0


def test_a_heavier_character_moves_the_mean_and_equal_weights_do_not() -> None:
    looks = torch.tensor([[[[0.0, 9.0, 0.0], [0.0, 9.0, 0.0]]]])  # right, then wrong
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
    assert set(part.looked_at.flatten().tolist()) == {-1, 0}


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_that_share_a_step_show_pages_in_the_same_ways(processes: int) -> None:
    plans = tuple(ViewPlan(SMALL, mode, pages=1) for mode in (Mode.TINY, Mode.SMALL))
    batches = ReadingBatches(plans, parts=1, seed=1, end_id=1, processes=processes)
    shown = [batches[number][0].views.shape for number in range(6 * processes)]
    assert len(set(shown)) > 1
    for step in range(6):
        assert len(set(shown[step * processes : (step + 1) * processes])) == 1


@pytest.mark.parametrize("mode", [None, Mode.BASE, Mode.GUNDAM])
def test_the_tokens_of_a_view_or_its_tiles_are_found_in_the_visual_sequence(mode: Mode | None) -> None:
    width, height = (256, 256) if mode is None else (900, 1400)
    page = draw_page(PageKind((width, width), (height / width,) * 2, (14.0, 15.0)), 2, 1)
    shown, learner = show(page, mode), tiny_learner().eval()
    views = torch.stack([shown.view, shown.view.flip(0)])
    tiles = None if shown.tiles is None else torch.stack([shown.tiles, shown.tiles.flip(1)])
    with torch.no_grad():
        visual, encoded = learner.encode_pages(views, tiles, shown.crop_wh)
    told = encoded[-1].tokens  # views, then tiles
    assert torch.equal(take_views(visual, math.isqrt(told.shape[1]), shown.crop_wh), told)


def test_a_token_that_has_lost_its_characters_costs_more_most_of_all_on_its_third_line() -> None:
    head, slots = tiny_learner().kept_head, torch.full((1, 4, 80), UNSAID, dtype=torch.uint8)
    slots[0, 1, [0, THIRD_LINE_SLOT]] = CLASS_OF["a"]
    with torch.no_grad():
        for layer in (head.spread, head.classes):
            layer.weight.zero_()
            layer.bias.zero_()
        glyphs = head.spread.weight.view(80, -1, 16)
        glyphs[0, 0, 0] = glyphs[THIRD_LINE_SLOT, 0, 1] = head.classes.weight[CLASS_OF["a"], 0] = 4.0

    def lost(*kept: float) -> tuple[float, float]:
        visual = torch.zeros(1, 7, 16)  # two rows of two tokens and a newline, and the separator
        visual[0, 1, :2] = torch.tensor(kept)
        loss, right = kept_loss(head, visual, slots, (0, 0))
        return loss.item(), right.item()

    assert lost(1, 1) == (pytest.approx(0, abs=0.01), 1)
    assert lost(1, 0)[0] > 4 * lost(0, 1)[0] > 0.1
    assert lost(0, 0)[1] == 0
