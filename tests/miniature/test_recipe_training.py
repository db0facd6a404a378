"""A training can be taken up and shared, teaches what it says, and its export loads."""

import json
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from recipe.attention import BY_BLOCKS
from recipe.crops import CropBatches
from recipe.encoder_stage import SNIPPETS, EncoderStage
from recipe.experts import EVERY_EXPERT
from recipe.export import export_checkpoint
from recipe.growth import AddedLayers, sizes_before
from recipe.losses import text_loss
from recipe.model import Learner, read_sizes
from recipe.muon import Optimiser
from recipe.pages import PageKind, draw_page
from recipe.pruned import prune_page
from recipe.reading_stages import ReadingStage, both_stage
from recipe.readings import ReadingBatches, ViewPlan
from recipe.shown import show
from recipe.states import HEADS_FILE, STATE_FILE, Blend, blend_weights, load_weights, save_state
from recipe.training import LOG_FILE, Journal, RunSettings, learning_rate, share_gradients, train
from rtocr_gui.errors import CheckpointError, SettingsError
from rtocr_gui.ocr.decoder.decoding import build_prompt
from rtocr_gui.ocr.model.checkpoint import load_checkpoint
from rtocr_gui.ocr.model.folder import open_folder
from rtocr_gui.ocr.model.model_info import PrintSizes
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.views import make_views, normalise
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.plan import PruneSettings, plan_pruning
from rtocr_gui.pruning.transport import apply_plan
from tests.miniature.materials import ENCODER, HEADS, MINIATURE, SMALL, tiny_learner, tiny_sizes
from tests.small_checkpoint import write_checkpoint


def _rates(steps: int) -> list[float]:
    settings = RunSettings(Path("run"), steps)
    return [learning_rate(step, settings.share_left(step, minutes=0.0)) for step in range(steps)]


def test_the_rate_rises_stays_and_falls() -> None:
    rates = _rates(4000)
    assert rates[0] < 0.1
    assert max(rates) == rates[500] == 1
    assert all(earlier >= later for earlier, later in pairwise(rates[100:]))
    assert rates[2700] > 0.4
    assert rates[-1] < 0.02


def test_a_longer_training_has_the_same_rate_until_the_shorter_one_falls() -> None:
    assert _rates(4000)[:2800] == _rates(9000)[:2800]


def test_the_rate_falls_when_the_time_is_nearly_up_whatever_the_steps_are() -> None:
    settings = RunSettings(Path("run"), steps=100_000, minutes=8.0)
    shares = [settings.share_left(500, minutes) for minutes in (0.0, 5.0, 7.9, 8.0, 9.0)]
    rates = [learning_rate(500, share) for share in shares]
    assert rates[0] == rates[1] == 1
    assert 0 < rates[2] < 0.1
    assert shares[3] == shares[4] == 0


def test_the_rate_may_fall_from_the_beginning_on() -> None:
    rates = [learning_rate(step, share_left=1 - step / 500, falling_share=1.0) for step in range(50, 500)]
    assert rates[0] == 0.9
    assert rates[250 - 50] == 0.5
    assert all(earlier > later for earlier, later in pairwise(rates[:430]))
    assert rates[-1] == pytest.approx(0.03)


def test_a_training_ends_when_its_time_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = iter(range(100))
    monkeypatch.setattr("recipe.training.time.monotonic", lambda: 60.0 * next(minutes))
    settings = RunSettings(tmp_path, steps=100_000, minutes=4.5, save_s=1e9)
    train(ENCODER, tiny_learner(), settings)
    with safe_open(tmp_path / STATE_FILE, "pt") as file:
        assert 1 <= int(file.metadata()["step"]) <= 4


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_what_is_computed_otherwise_for_a_device_is_what_the_stock_model_says(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipe.attention._BLOCK", 3)
    learner, states = tiny_learner().eval(), torch.randn(2, 7, 16)
    for parameter in learner.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    decoder, said = learner.model.model.language_model, []
    for prepare in (lambda _: None, learner.suit):
        prepare(torch.device(device))
        causal = {"full_attention": None}
        output = decoder(inputs_embeds=states, attention_mask=causal, use_cache=False).last_hidden_state
        output.square().sum().backward()
        gradients = {name: one.grad for name, one in decoder.named_parameters() if one.grad is not None}
        said.append({"output": output.detach(), **gradients})
        decoder.zero_grad(set_to_none=True)
    config = decoder.config
    assert (config._attn_implementation == BY_BLOCKS) == (device == "cpu")
    assert (config._experts_implementation == EVERY_EXPERT) == (device == "cuda")
    stock, ours = said
    assert stock.keys() == ours.keys()
    assert any("experts" in name for name in ours)
    assert any("k_proj" in name for name in ours)
    assert all(torch.allclose(ours[name], one, atol=1e-5, rtol=1e-3) for name, one in stock.items())


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


@pytest.mark.parametrize(
    ("name", "larger", "passes", "said"),
    [
        ("pages", 1, 1, "as the stage “both”, not “pages”: name the same, or begin from it in a new folder"),
        ("both", 2, 1, "with 2 pages or crops a step, not 4: name the same --processes and --larger"),
        ("both", 1, 2, "with --passes 1, not 2: name the same"),
    ],
)
def test_a_training_does_not_go_on_with_other_batches(
    name: str, larger: int, passes: int, said: str, tmp_path: Path
) -> None:
    settings = RunSettings(tmp_path / "run", steps=1)
    train(READING, tiny_learner(), settings)
    with pytest.raises(CheckpointError, match=f"was begun {said}"):
        train(
            replace(READING, name=name).enlarged(larger),
            tiny_learner(),
            replace(settings, steps=2, passes=passes),
        )


def test_a_training_does_not_go_on_with_other_texts(change_texts: Callable[[], None], tmp_path: Path) -> None:
    settings = RunSettings(tmp_path / "run", steps=1)
    train(ENCODER, tiny_learner(), settings)
    change_texts()
    with pytest.raises(CheckpointError, match="other texts, which have changed on this machine: begin a new"):
        train(ENCODER, tiny_learner(), replace(settings, steps=2))


def test_a_training_does_not_go_on_with_other_typefaces_of_its_own(
    change_typefaces: Callable[[bool], None], tmp_path: Path
) -> None:
    settings = RunSettings(tmp_path / "run", steps=1)
    train(ENCODER, tiny_learner(), settings)
    change_typefaces(True)
    train(ENCODER, tiny_learner(), replace(settings, steps=2))
    change_typefaces(False)
    with pytest.raises(CheckpointError, match="other typefaces, which have changed on this machine: begin"):
        train(ENCODER, tiny_learner(), replace(settings, steps=3))


def test_a_training_that_has_made_more_steps_than_asked_for_says_so(tmp_path: Path) -> None:
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), {"stage": "encoder", "seed": 9, "step": 1200})
    with pytest.raises(SettingsError, match="1,200 steps are made already: name more, or begin from"):
        train(ENCODER, tiny_learner(), RunSettings(tmp_path, steps=1199))


def test_the_last_step_of_a_training_is_logged(tmp_path: Path) -> None:
    for steps in (3, 4):
        train(ENCODER, tiny_learner(), RunSettings(tmp_path, steps, show_steps=2))
    lines = (tmp_path / LOG_FILE).read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [2, 3, 4]


@pytest.mark.parametrize("left", [0, 7, 1000])
def test_a_damaged_state_is_told(left: int, tmp_path: Path) -> None:
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), {"stage": "encoder", "seed": 9, "step": 1})
    state = tmp_path / STATE_FILE
    state.write_bytes(state.read_bytes()[:left])
    told = r"state\.safetensors is damaged or cannot be read"
    with pytest.raises(CheckpointError, match=told):
        train(ENCODER, tiny_learner(), RunSettings(tmp_path, steps=2))
    with pytest.raises(CheckpointError, match=told):
        load_weights(tmp_path, tiny_learner())


def test_heads_of_other_weights_do_not_stay_in_an_exported_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipe.export.read_sizes", tiny_sizes)
    save_state(tmp_path / "run", tiny_learner(), Optimiser({}, {}), {})
    fields = {"name": "Test", "description": "A test.", "modes": ["tiny"], "tasks": ["text"]}
    heads = tmp_path / "out" / HEADS_FILE
    (tmp_path / "plain").touch()
    export_checkpoint(tmp_path / "run", tmp_path / "out", fields, heads=True)
    assert heads.exists()
    assert {file.stat().st_mode for file in heads.parent.iterdir()} == {(tmp_path / "plain").stat().st_mode}
    export_checkpoint(tmp_path / "run", tmp_path / "out", fields)
    assert not heads.exists()


def test_a_training_goes_on_from_an_older_state_that_says_less(tmp_path: Path) -> None:
    learner = tiny_learner()
    optimiser = Optimiser(ENCODER.parameters(learner), {})
    save_state(tmp_path, learner, optimiser, {"stage": "encoder", "seed": 9, "step": 1})
    train(ENCODER, learner, RunSettings(tmp_path, steps=2, passes=2))
    with safe_open(tmp_path / STATE_FILE, "pt") as file:
        assert file.metadata()["step"] == file.metadata()["passes"] == "2"


def test_a_training_does_not_go_on_where_something_else_learnt(tmp_path: Path) -> None:
    settings = RunSettings(tmp_path / "run", steps=1)
    train(TOKENS, tiny_learner(), settings)
    with pytest.raises(CheckpointError, match="something else learnt"):
        train(READING, tiny_learner(), replace(settings, steps=2))


def test_larger_batches_hold_more_pages() -> None:
    for stage in (EncoderStage(), both_stage()):
        assert stage.enlarged(4).items_per_batch > 2 * stage.items_per_batch


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


def test_batches_are_learnt_from_again_without_being_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipe.training._BATCHES_AT_HAND", 2)
    drawn, learnt = [], []
    draw, loss = CropBatches.__getitem__, EncoderStage.loss

    def draw_and_note(self, number):
        drawn.append(number)
        return draw(self, number)

    def learn_and_note(self, learner, batch, step):
        learnt.append(int(batch.views.sum()))
        if step == killed_at:
            raise KeyboardInterrupt
        return loss(self, learner, batch, step)

    monkeypatch.setattr(CropBatches, "__getitem__", draw_and_note)
    monkeypatch.setattr(EncoderStage, "loss", learn_and_note)

    killed_at = -1
    through = RunSettings(tmp_path / "through", steps=6, passes=2)
    train(ENCODER, tiny_learner(), through)
    assert drawn == [0, 1, 2, 3]
    assert learnt[:2] == learnt[2:4]
    assert len(set(learnt)) == 4

    killed_at = 3
    broken = RunSettings(tmp_path / "broken", steps=6, passes=2, save_s=0)
    with pytest.raises(KeyboardInterrupt):
        train(ENCODER, tiny_learner(), broken)
    killed_at = -1
    train(ENCODER, tiny_learner(), broken)
    one, other = (load_file(settings.folder / STATE_FILE) for settings in (through, broken))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_steps_too_small_for_half_precision_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    loss = EncoderStage.loss

    def learn_and_note(self, learner, batch, step):
        seen.append(learner.point_head.classes.weight.detach().clone())
        return loss(self, learner, batch, step)

    monkeypatch.setattr(EncoderStage, "loss", learn_and_note)
    learner = tiny_learner()
    before = learner.point_head.classes.weight.detach().clone()
    train(replace(ENCODER, rate=1e-4), learner, RunSettings(tmp_path, steps=3))
    after = learner.point_head.classes.weight.detach()
    assert seen[0].dtype == torch.bfloat16
    assert torch.equal(seen[0], before.bfloat16())
    assert (seen[1] == seen[0]).float().mean() > 0.9
    assert (after != before).all()
    assert torch.equal(load_file(tmp_path / STATE_FILE)["model:point_head.classes.weight"], after)


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
    save_state(tmp_path / "run", Learner(read_sizes()), Optimiser({}, {}), {"step": 1})
    fields = {"name": "Test", "description": "A test.", "modes": ["tiny"], "tasks": ["text"]}
    export_checkpoint(tmp_path / "run", tmp_path / "out", fields, heads=True)
    trained, begun = Learner(read_sizes()), Learner(read_sizes())
    load_weights(tmp_path / "run", trained)
    load_weights(tmp_path / "out", begun)
    for name, tensor in trained.state_dict().items():
        assert torch.equal(tensor.bfloat16().float(), begun.state_dict()[name]), name


def test_heads_that_are_missing_are_named() -> None:
    told = r"heads\.safetensors is missing: name the file with the heads of .*miniature\.$"
    with pytest.raises(CheckpointError, match=told):
        load_weights(MINIATURE, Learner(read_sizes()))


def test_a_training_can_go_on_from_the_bundled_weights() -> None:
    learner = Learner(read_sizes())
    load_weights(MINIATURE, learner, HEADS)
    batch = CropBatches(replace(ENCODER.plan, kind=replace(SMALL, x_height_px=(14.0, 20.0), damaged=0.0)))[0]
    with torch.no_grad():
        _, figures = ENCODER.loss(learner.eval(), batch, 0)
    assert figures["slots_right"] > 0.7


def test_added_layers_change_nothing_until_they_learn(tmp_path: Path) -> None:
    before, sizes = tiny_learner().eval(), tiny_sizes()
    save_state(tmp_path, before, Optimiser({}, {}), {})
    grown = replace(
        sizes,
        sam=replace(sizes.sam, layers=sizes.sam.layers + 1),
        clip=replace(sizes.clip, layers=sizes.clip.layers + 1),
        decoder=replace(sizes.decoder, layers=4, dense_layers=2),
    )
    after = Learner(grown).eval()
    added = AddedLayers.from_text(f"decoder:1,clip:0,decoder:2,sam:{sizes.sam.layers}")
    assert sizes_before(grown, added) == sizes
    load_weights(tmp_path, after, added=added)
    (part,) = ReadingBatches((ViewPlan(SMALL, Mode.TINY, pages=2),), 1, 1, end_id=1)[0]

    said = []
    for learner in (before, after):
        visual, _ = learner.encode_pages(part.views)
        said.append(learner.read(visual, part.prompt, part.given).text)
    torch.testing.assert_close(said[1], said[0])

    text_loss(said[1], part.targets, part.weights)[0].backward()
    model = after.model.model
    for layer in model.language_model.layers:
        assert layer.self_attn.o_proj.weight.grad.any()
    for layer in model.vision_tower.vision_encoder.encoder.layers:
        assert layer.self_attn.out_proj.weight.grad.any()
    for layer in model.vision_tower.sam_encoder.layers:
        assert layer.attn.proj.weight.grad.any()


def test_layers_with_windows_and_without_begin_as_their_own_kind(tmp_path: Path) -> None:
    sizes = tiny_sizes()
    first_global = replace(sizes, sam=replace(sizes.sam, layers=2, global_layers=(0,)))
    grown = replace(sizes, sam=replace(sizes.sam, layers=3, global_layers=(0, 1)))
    added = AddedLayers(sam=(1,))
    assert sizes_before(grown, added) == first_global
    save_state(tmp_path, Learner(first_global), Optimiser({}, {}), {})
    load_weights(tmp_path, Learner(grown), added=added)


@pytest.mark.parametrize("text", ["3", "neck:3", "sam:", "sam:-1", "sam:two", ""])
def test_what_names_no_layer_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"“{text}” is not one of sam, clip, decoder"):
        AddedLayers.from_text(f"sam:1,{text}")


@pytest.mark.parametrize("added", [(), (1, 2, 3), (1, 4), (1, 1), (2, 3)])
def test_layers_that_do_not_fit_are_refused(added: tuple[int, ...], tmp_path: Path) -> None:
    """(2, 3): both layers with experts would be new, and the plain ones no longer those there were."""
    sizes = tiny_sizes()
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), {})
    grown = replace(sizes, decoder=replace(sizes.decoder, layers=4, dense_layers=2))
    with pytest.raises(CheckpointError):
        load_weights(tmp_path, Learner(grown), added=AddedLayers(decoder=added))


def test_weights_are_averaged_with_those_that_had_fewer_layers(tmp_path: Path) -> None:
    sizes = tiny_sizes()
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), {})
    after = Learner(replace(sizes, clip=replace(sizes.clip, layers=2)))
    blend_weights(after, Blend(tmp_path, share=1.0, added=AddedLayers(clip=(1,))))
    new = after.model.model.vision_tower.vision_encoder.encoder.layers[1]
    assert not new.self_attn.out_proj.weight.any()
    assert new.self_attn.q_proj.weight.any()


def test_weights_are_averaged_with_those_they_were_trained_on_from(tmp_path: Path) -> None:
    before, after = tiny_learner(), tiny_learner()
    save_state(tmp_path, before, Optimiser({}, {}), {})
    with torch.no_grad():
        for parameter in after.parameters():
            parameter += 1
    blend_weights(after, Blend(tmp_path, share=0.25))
    same = before.state_dict()
    moved = [one - same[name] for name, one in after.named_parameters()]
    assert all(torch.allclose(one, torch.full_like(one, 0.75), atol=1e-5) for one in moved)


def test_layers_are_added_to_a_checkpoint(tmp_path: Path) -> None:
    sizes = read_sizes()
    save_state(tmp_path / "run", Learner(sizes), Optimiser({}, {}), {"step": 1})
    fields = {"name": "Test", "description": "A test.", "modes": ["tiny"], "tasks": ["text"]}
    export_checkpoint(tmp_path / "run", tmp_path / "out", fields, heads=True)
    deeper = Learner(replace(sizes, decoder=replace(sizes.decoder, layers=sizes.decoder.layers + 1)))
    with pytest.raises(CheckpointError, match="other sizes"):
        load_weights(tmp_path / "out", deeper)
    load_weights(tmp_path / "out", deeper, added=AddedLayers(decoder=(sizes.decoder.layers,)))


def test_where_only_tokens_learn_sam_stays_as_it_is(tmp_path: Path) -> None:
    before, after = tiny_learner(), tiny_learner()
    train(TOKENS, after, RunSettings(tmp_path, steps=1))
    tower, same = "model.model.vision_tower.", before.state_dict()
    moved = {name for name, tensor in after.state_dict().items() if not torch.equal(tensor, same[name])}
    assert not any(name.startswith("point_head") for name in moved)
    by_sam = {name for name in moved if "sam_encoder" in name}
    assert by_sam == {name for name in same if name.startswith(f"{tower}sam_encoder.proj.")}
    for part in (f"{tower}vision_encoder.encoder", "model.model.multi_modal_projector", "slot_head"):
        assert any(name.startswith(part) for name in moved), part
    assert {
        "position_head.weight",
        "block_head.weight",
        f"{tower}vision_encoder.embeddings.position_embedding.weight",
    } <= moved


@pytest.mark.parametrize("mode", [Mode.TINY, Mode.GUNDAM])
def test_tiles_are_asked_for_where_a_page_has_some(mode: Mode, tmp_path: Path) -> None:
    pages = PageKind((700, 700), (1.1, 1.1), (20.0, 30.0))
    before, after = tiny_learner(), tiny_learner()
    train(replace(READING, plans=(ViewPlan(pages, mode, pages=1),)), after, RunSettings(tmp_path, steps=1))
    moved = not torch.equal(before.tile_head.weight, after.tile_head.weight)
    assert moved == (mode is Mode.GUNDAM)


@pytest.mark.parametrize("pruned", [0.0, 1.0])
def test_whole_sequences_are_asked_what_they_have_kept(pruned: float, tmp_path: Path) -> None:
    before, after = tiny_learner(), tiny_learner()
    train(replace(READING, pruned=pruned), after, RunSettings(tmp_path, steps=1))
    same = torch.equal(before.kept_head.classes.weight, after.kept_head.classes.weight)
    assert same == (pruned == 1)


@pytest.mark.parametrize("markdown", [0.0, 1.0])
def test_edges_are_asked_for_where_boxes_are_said(markdown: float, tmp_path: Path) -> None:
    plan = ViewPlan(SMALL, Mode.TINY, pages=2, markdown=markdown)
    before, after = tiny_learner(), tiny_learner()
    train(replace(READING, plans=(plan,)), after, RunSettings(tmp_path, steps=1))
    assert torch.equal(before.edge_head.weight, after.edge_head.weight) == (markdown == 0)


def test_what_is_shown_of_a_batch_is_the_mean_over_its_parts() -> None:
    plans = tuple(ViewPlan(SMALL, mode, pages=1, markdown=1.0) for mode in (Mode.TINY, Mode.SMALL))
    learner = tiny_learner().eval()
    parts = [ReadingBatches((plan,), 1, seed=3, end_id=1)[0][0] for plan in plans]
    with torch.no_grad():
        figures = [READING.loss(learner, some, 0)[1] for some in (parts, parts[:1], parts[1:])]
    for name in ("look", "place", "kept", "edge", "slot", "norm", "position", "block", "kinds_right"):
        together, *apart = (float(one[name]) for one in figures)
        assert together == pytest.approx(sum(apart) / 2, rel=1e-4), name
    assert figures[0]["bytes"] == figures[1]["bytes"] + figures[2]["bytes"]


def test_what_has_learnt_before_moves_slower_and_what_tells_positions_and_blocks_does_not(
    tmp_path: Path,
) -> None:
    def moved(encoder_share: float) -> dict[str, float]:
        before, after = tiny_learner(), tiny_learner()
        train(
            replace(TOKENS, encoder_share=encoder_share), after, RunSettings(tmp_path / str(encoder_share), 1)
        )
        same = before.state_dict()
        return {name: float((one - same[name]).norm()) for name, one in after.state_dict().items()}

    slow, fast = moved(0.25), moved(1.0)
    projector = "model.model.multi_modal_projector.weight"
    assert slow[projector] == pytest.approx(fast[projector] / 4, rel=1e-3)
    for head in ("position_head.weight", "block_head.weight"):
        assert slow[head] == pytest.approx(fast[head])


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


def test_an_exported_checkpoint_loads_as_any_other(tmp_path: Path) -> None:
    save_state(tmp_path / "run", Learner(read_sizes()), Optimiser({}, {}), {"step": 1})
    fields = {
        "name": "Test",
        "description": "A test.",
        "modes": ["base", "gundam"],
        "tasks": ["text"],
        "x_height_px": {"least": 9, "well": 14},
        "gundam_up_to_aspect_ratio": 2.5,
        "light_pages_only": True,
        "rough_boxes": True,
    }
    export_checkpoint(tmp_path / "run", tmp_path / "out", fields)

    checkpoint = load_checkpoint(open_folder(tmp_path / "out"), torch.device("cpu"), torch.float32)

    assert checkpoint.info.modes == (Mode.BASE, Mode.GUNDAM)
    assert checkpoint.info.print_sizes == PrintSizes(9, 14)
    assert checkpoint.info.gundam_aspect_ratio == 2.5
    assert checkpoint.info.light_pages_only
    assert checkpoint.info.rough_boxes
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


def test_a_line_of_the_log_that_was_cut_short_swallows_no_other(tmp_path: Path) -> None:
    (tmp_path / LOG_FILE).write_text('{"step": 20}\n{"step": 40, "lo')
    for first in (20, 60):
        Journal(RunSettings(tmp_path, steps=99), 1, first).show(first + 20)
    lines = (tmp_path / LOG_FILE).read_text().splitlines()
    assert [json.loads(line)["step"] for line in (lines[0], *lines[2:])] == [20, 40, 80]
