"""`rtocr plan`: what it tells, and the files and pictures that it writes."""

import json
from pathlib import Path

import pytest
from PIL import Image

from rtocr_gui.cli.progress import printable
from rtocr_gui.export.overlay import draw_overlay
from rtocr_gui.ocr.reading import Mode, Scaling
from rtocr_gui.pruning.plan import PruneSettings, plan_pruning
from tests.fake_engine import FakeEngine
from tests.sample_pages import load_sample


@pytest.mark.parametrize("command", ["plan", "curve"])
@pytest.mark.parametrize(("rotation_deg", "in_file"), [(0, "left"), (90, "bottom"), (180, "right")])
def test_a_half_is_planned_as_it_lies(rtocr, page, tmp_path, command, rotation_deg, in_file):
    target = tmp_path / "told.json"
    page.with_suffix(".txt").write_text("the whole page")
    result = rtocr(command, page, "--half", "left", "--rotate", rotation_deg, "--json", target)
    assert result.code == 0
    told = json.loads(target.read_text())
    assert (told["cuts"], told["rotation_deg"]) == ([in_file], rotation_deg)
    assert told.get("truth") is None


@pytest.mark.parametrize("command", ["plan", "curve"])
def test_a_turned_page_is_said_to_be_turned(rtocr, page, tmp_path, command):
    target = tmp_path / "told.json"
    assert rtocr(command, page, "--rotate", 270, "--json", target).code == 0
    told = json.loads(target.read_text())
    assert (told["page"], told["rotation_deg"]) == (1, 270)


def test_a_plan_is_told_in_lines(rtocr, book):
    result = rtocr("plan", book, "--page", "2", "--retention", "0.25")
    assert result.code == 0
    assert result.out.splitlines()[0] == "book.pdf, page 2, Fake model, mode tiny"
    assert "retention ratio  0.250 (as asked; automatic would be 0.760)" in result.out
    assert "kept             16\nmerged           48\n" in result.out


def test_file_names_cannot_steer_the_terminal_or_stop_the_lines_of_a_plan(rtocr, page):
    path = page.rename(page.with_name("a\n\x1b[2Jb.png"))
    result = rtocr("plan", path, "-q")
    assert result.code == 0
    assert result.out.splitlines()[0] == "a??[2Jb.png, page 1, Fake model, mode tiny"
    assert printable("scan\udcff.png") == "scan?.png", "a name that is no text"


def test_a_plan_goes_to_stdout_as_json(rtocr, book):
    result = rtocr("plan", book, "--json", "-q", "--mode", "gundam")
    plan = json.loads(result.out)
    assert (plan["file"], plan["page"], plan["mode"], plan["model"]) == (str(book), 1, "gundam", "Fake model")
    assert len(plan["tokens"]) == plan["counts"]["prunable"] == 856
    assert plan["automatic"] is True


def test_a_plan_and_its_picture_go_to_files(rtocr, page, tmp_path):
    overlay, plan = tmp_path / "overlay.png", tmp_path / "plan.json"
    result = rtocr("plan", page, "--overlay", overlay, "--json", plan, "-q")
    assert (result.code, result.out, result.err) == (0, "", [])
    assert json.loads(plan.read_text())["counts"]["prunable"] == 64
    with Image.open(overlay) as picture:
        assert (picture.format, picture.size) == ("PNG", (400, 300))


def test_a_plan_goes_to_stdout_where_a_dash_stands_for_the_file(rtocr, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rtocr("plan", page, "--json", "-", "-q").out == rtocr("plan", page, "--json", "-q").out
    assert not Path("-").exists()


@pytest.mark.parametrize("grid", ["local", "global"])
def test_either_grid_can_be_shown(rtocr, page, tmp_path, grid):
    engine, overlay = FakeEngine(), tmp_path / "overlay.png"
    rtocr("plan", page, "--mode", "gundam", "--grid", grid, "--overlay", overlay, engine=engine)
    shown = load_sample(page)
    encoded = engine.encode(shown, Scaling(Mode.GUNDAM))
    drawn = draw_overlay(shown, plan_pruning(encoded.layout, encoded.measures, PruneSettings()), grid)
    with Image.open(overlay) as picture:
        assert picture.tobytes() == drawn.tobytes()


@pytest.mark.parametrize("look", ["norm", "mass", "density"])
def test_every_look_can_be_drawn(rtocr, page, tmp_path, look):
    overlay = tmp_path / "overlay.png"
    result = rtocr("plan", page, "--overlay", overlay, "--look", look, "-q")
    assert (result.code, result.err) == (0, [])
    with Image.open(overlay) as picture:
        assert picture.width == 400
        assert picture.height > 300, "the legend lies beneath the page"


def test_an_overlay_replaces_an_overlay_and_no_other_picture(rtocr, page, tmp_path):
    overlay, scan = tmp_path / "overlay.png", tmp_path / "scan.png"
    for look in ("kept", "norm"):
        assert rtocr("plan", page, "--overlay", overlay, "--look", look, "-q").code == 0
    scan.touch()
    assert rtocr("plan", page, "--overlay", scan, "-q").code == 0, "it was empty"
    scan.write_bytes(page.read_bytes())
    result = rtocr("plan", page, "--overlay", scan)
    assert result.code == 2
    assert f"“{scan}” may be a scan and is not overwritten" in result.err[-1]
    assert scan.read_bytes() == page.read_bytes()


@pytest.mark.parametrize(("option", "value"), [("--look", "norm"), ("--grid", "global")])
def test_a_look_without_an_overlay_is_wrong_usage(rtocr, page, option, value):
    result = rtocr("plan", page, option, value)
    assert result.code == 2
    assert f"{option} goes with --overlay PNG" in result.err[-1]


def test_a_page_that_cannot_be_planned_is_told(rtocr, book, tmp_path):
    assert rtocr("plan", book, "--page", "9").told == [
        f"rtocr: {book}, page 9: There is no page 9: the file has 5 pages."
    ]
    missing = rtocr("plan", tmp_path / "missing.png")
    assert missing.code == 1
    assert "no such file" in missing.told[0]
