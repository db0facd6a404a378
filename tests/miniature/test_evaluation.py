"""The figures of a checkpoint are what was read, and the card tells them."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evaluate import missing_readings, read_pages
from evaluation import page_sets
from evaluation.card import write_card
from evaluation.outcomes import Outcome, Record, match_blocks, name_reader, outline
from evaluation.page_sets import Group, plan_sets, scale_of
from evaluation.tables import card_tables
from recipe.blocks import Block as TrueBlock
from recipe.muon import Optimiser
from recipe.states import HEADS_FILE, save_state
from recipe.training import LOG_FILE, RunSettings, train
from recipe.typefaces import find_typefaces
from rtocr_gui.cli.bench.scores import ALL_TOKENS, PageScore, Setting
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.ocr.reading import Block as ReadBlock
from rtocr_gui.pruning.plan import PruneMethod
from tests.miniature.materials import ENCODER, MINIATURE, tiny_learner

SCORE = PageScore("page", 0.02, 0.015, 1000, 1.0, False, 1000, 10, 90, 900)


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


def test_figures_are_not_continued_on_pages_of_other_texts(
    change_texts: Callable[[], None], tmp_path: Path
) -> None:
    info = inspect_checkpoint(MINIATURE)
    sets = plan_sets(info, [Mode.TINY], [Group.SAMPLES, Group.EMPTY])
    record = Record(tmp_path / "figures.jsonl", "weights")
    for one in sets:
        for setting in one.settings:
            record.add(Outcome(one.name, 0, setting, SCORE, False, 0.9, 0, 0, 0, None, ""))
    assert not missing_readings(sets, 1, record)

    change_texts()

    assert [one.group for one, *_ in missing_readings(sets, 1, record)] == [Group.EMPTY, Group.EMPTY]


def test_figures_are_not_continued_on_other_sample_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (samples,) = plan_sets(inspect_checkpoint(MINIATURE), [Mode.TINY], [Group.SAMPLES])
    before = samples.name
    shutil.copytree(page_sets.SAMPLES, tmp_path / "samples")
    monkeypatch.setattr(page_sets, "SAMPLES", tmp_path / "samples")
    assert samples.name == before
    (tmp_path / "samples" / "letter.txt").write_text("Dear all")
    assert samples.name != before


@pytest.mark.parametrize("held_out", [True, False])
def test_figures_are_not_continued_on_pages_in_other_typefaces(
    held_out: bool, change_typefaces: Callable[[bool], None]
) -> None:
    sets = plan_sets(inspect_checkpoint(MINIATURE), [Mode.TINY], [Group.SAMPLES, Group.PRINT])
    before = [one.name for one in sets]
    change_typefaces(held_out)
    changed = [one for one, name in zip(sets, before, strict=True) if one.name != name]
    assert changed == [one for one in sets if one.kind and one.kind.held_out is held_out]


def test_figures_are_of_what_reads_and_where_whether_or_not_heads_lie_beside_them(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    digest = name_reader(tmp_path)
    (tmp_path / HEADS_FILE).write_bytes(b"heads")
    assert name_reader(tmp_path) == digest
    assert name_reader(tmp_path, "cuda", "bfloat16") != digest
    (tmp_path / "rtocr.json").write_text("{}")
    assert name_reader(tmp_path) != digest, "it is described otherwise"
    (tmp_path / "rtocr.json").unlink()
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    assert name_reader(tmp_path) != digest


def test_a_card_tells_pages_only_about_and_no_line_that_was_cut_short(tmp_path: Path) -> None:
    said = {"stage": "both", "seed": 9, "step": 323, "items_per_step": 14}
    save_state(tmp_path, tiny_learner(), Optimiser({}, {}), said)
    cut_short = '{"step": 340, "lo'
    (tmp_path / LOG_FILE).write_text(f'{{"step": 320, "loss": 2.6, "seconds": 900}}\n{cut_short}')
    card = write_card(inspect_checkpoint(MINIATURE), [tmp_path], "")
    assert "| both | 9 | 323 | about 4,500 | 0.2 | loss 2.6 |" in card


def test_a_card_tells_the_training_and_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = find_typefaces(held_out=False)
    other = replace(learnt[0], family=replace(learnt[0].family, name="Some Other Type"))
    monkeypatch.setattr("evaluation.card.find_typefaces", lambda held_out: (other,) if held_out else learnt)
    once, twice = tmp_path / "once", tmp_path / "twice"
    train(ENCODER, tiny_learner(), RunSettings(once, steps=2, show_steps=1))
    train(ENCODER, tiny_learner(), RunSettings(twice, steps=2, show_steps=1, passes=2))
    card = write_card(inspect_checkpoint(MINIATURE), [once, twice], "| the | tables |\n")

    assert f"| encoder | 9 | 2 | {2 * ENCODER.items_per_batch} | 0.0 | loss " in card
    assert f"| encoder | 9 | 2 | 2 x {ENCODER.items_per_batch} | 0.0 | loss " in card
    assert "| the | tables |" in card
    assert "Some Other Type" in card.partition("Held out")[2]
    assert "$" not in card


def test_the_tables_tell_what_was_measured_and_dash_what_was_not() -> None:
    info = replace(inspect_checkpoint(MINIATURE), modes=(Mode.BASE, Mode.GUNDAM), tasks=TASKS[:2])
    sets = plan_sets(info, info.modes, list(Group))
    outcome = Outcome("", 0, ALL_TOKENS, SCORE, False, 0.91, 0, 0, 0, None, "")
    printed = next(one for one in sets if one.group is Group.PRINT and one.x_height_px == 10)
    documents = next(one for one in sets if one.group is Group.MARKDOWN)
    outcomes = [
        replace(outcome, page_set=printed.name),
        replace(outcome, page_set=printed.name, page=1, score=replace(SCORE, error_rate=0.045, cut_off=True)),
        replace(
            outcome, page_set=documents.name, blocks=8, blocks_found=6, kinds_right=4, structure_right=True
        ),
    ]

    tables = card_tables(sets, outcomes)

    assert "| base | clean | 2 | – | 3.0% | – | – | – |" in tables
    assert "| base | 1 | 1.5% | 75.0% | 50.0% | 100.0% | 0 of 1 |" in tables
    assert "| base | 0 of 0 | 1 of 2 | 0.91 | 2.0 |" in tables
    assert "Gundam" not in tables


def test_only_pages_that_were_read_at_every_setting_compare() -> None:
    info = replace(inspect_checkpoint(MINIATURE), modes=(Mode.BASE,), tasks=TASKS[:1])
    sets = plan_sets(info, info.modes, [Group.RETENTION])
    half = Setting(PruneMethod.RTPRUNE, 0.5)
    outcomes = [
        Outcome(
            sets[0].name,
            page,
            setting,
            PageScore(f"page {page}", 0.1 * page, 0.1 * page, 1000, 1.0, False, 1000, 10, 90, 900),
            *(False, 0.9, 0, 0, 0, None, ""),
        )
        for setting, pages in ((ALL_TOKENS, (1, 2, 3)), (half, (1, 3)))
        for page in pages
    ]
    tables = card_tables(sets, outcomes)
    assert [line.split("|")[3].strip() for line in tables.splitlines() if "%" in line] == ["2", "2"]
    assert tables.count("0.2000") == 2


def test_pages_of_an_evaluation_are_as_large_as_their_names_say() -> None:
    info = replace(inspect_checkpoint(MINIATURE), modes=(Mode.BASE, Mode.GUNDAM), tasks=TASKS[:2])
    sets = plan_sets(info, info.modes, [Group.PRINT, Group.A4])

    assert len({one.name for one in sets}) == len(sets)
    for one in sets:
        assert one.kind is not None
        assert one.kind.x_height_px[0] * scale_of(one.mode) == pytest.approx(one.x_height_px)


def test_pages_of_other_shapes_are_cut_into_other_tiles() -> None:
    sets = plan_sets(inspect_checkpoint(MINIATURE), [Mode.GUNDAM], [Group.SHAPE])
    outcome = Outcome("", 0, ALL_TOKENS, SCORE, False, 0.9, 0, 0, 0, None, "")
    tables = card_tables(sets, [replace(outcome, page_set=one.name) for one in sets])
    tiles = [line.split(" | ")[1] for line in tables.splitlines() if line.endswith("| 1.5% |")]
    assert tiles == ["3 x 2", "2 x 2", "3 x 3", "4 x 2", "1 x 2"]


def test_what_is_drawn_for_one_set_is_not_drawn_for_the_next() -> None:
    info = inspect_checkpoint(MINIATURE)
    pages = [one.page(0) for one in plan_sets(info, [Mode.TINY, Mode.SMALL], [Group.PRINT])]
    begins = {page.text.split()[0] for page in pages if page and page.text}
    families = {page.drawn.family for page in pages if page and page.drawn}
    assert len(begins) > len(pages) / 2
    assert len(families) > 5
