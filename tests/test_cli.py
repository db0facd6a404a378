"""The `rtocr` command: what it writes, what it tells, and what its exit codes promise to scripts."""

import argparse
import importlib.metadata
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from rtocr_gui.cli import __main__ as entry
from rtocr_gui.cli import markdown_output, pages, read, values
from rtocr_gui.cli import progress as progress_module
from rtocr_gui.cli.following import Following
from rtocr_gui.cli.main import main
from rtocr_gui.cli.progress import CLEAR_LINE, Progress, printable
from rtocr_gui.cli.values import page_selection, retention_ratio
from rtocr_gui.errors import CheckpointError, ReadingError
from rtocr_gui.export.markdown import export_markdown
from rtocr_gui.export.overlay import draw_overlay
from rtocr_gui.ocr.machine.spot import Spot
from rtocr_gui.ocr.memory.fit import Fit
from rtocr_gui.ocr.memory.need import MemoryNeed
from rtocr_gui.ocr.pages_together import PageFailed
from rtocr_gui.ocr.reading import TASKS, Mode, Reading, ReadSettings, Scaling, Stage, StopReason, TextDelta
from rtocr_gui.pruning.plan import PruneSettings, plan_pruning
from rtocr_gui.resources import resource_path
from tests.broken_files import PASSWORD, encrypted_pdf, pdf_of_pages, write_broken_files
from tests.fake_engine import FakeEngine
from tests.made_pages import page_image
from tests.made_readings import make_reading
from tests.readings import read_page
from tests.sample_pages import load_sample
from tests.tasks import TEXT

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture
def page(tmp_path) -> Path:
    path = tmp_path / "page.png"
    page_image().save(path)
    return path


@pytest.fixture
def book(tmp_path) -> Path:
    path = tmp_path / "book.pdf"
    path.write_bytes(pdf_of_pages(5, media_box=b"0 0 200 300"))
    return path


# Reading


@pytest.mark.parametrize(
    ("rotation", "size_px", "red_at"), [((), (300, 200), (5, 5)), (("--rotate", 90), (200, 300), (195, 5))]
)
def test_pages_are_turned_before_they_are_read(rtocr, tmp_path, monkeypatch, rotation, size_px, red_at):
    image = Image.new("RGB", (300, 200), "white")
    image.paste((255, 0, 0), (0, 0, 60, 40))
    image.save(tmp_path / "marked.png")
    engine, seen = FakeEngine(), []
    read_together = engine.read_together

    def look(requests, most):
        pages = list(requests)
        seen.extend(request.page.image for request in pages)
        return read_together(pages, most)

    monkeypatch.setattr(engine, "read_together", look)
    assert rtocr("read", tmp_path / "marked.png", *rotation, engine=engine).code == 0
    assert [image.size for image in seen] == [size_px]
    assert seen[0].getpixel(red_at) == (255, 0, 0)


@pytest.mark.parametrize(
    ("split", "sides"), [("left-right", ["left", "right"]), ("top-bottom", ["top", "bottom"])]
)
def test_pages_are_read_in_halves_as_they_lie(rtocr, page, tmp_path, split, sides):
    result = rtocr("read", page, tmp_path / "gone.png", page, "--split", split, "--rotate", 90)
    assert result.code == 1
    assert re.findall("<!-- page: (.*) -->", result.out) == [
        f"page.png, page 1, {side} half" for _ in range(2) for side in sides
    ]
    told = [line for line in result.err if "tokens at" in line or "with other pages" in line]
    assert [line.partition(": ")[0] for line in told] == [
        f"{page}, page 1 of 1, {side} half" for _ in range(2) for side in sides
    ]


def test_halves_too_narrow_to_read_are_reported_each(rtocr, tmp_path):
    page_image((400, 12)).save(tmp_path / "strip.png")
    result = rtocr("read", tmp_path / "strip.png", "--split", "top-bottom", "-q")
    assert result.code == 1
    assert len(result.err) == 2
    for side, line in zip(("top", "bottom"), result.err, strict=True):
        assert f"strip.png, page 1, {side} half: This part is 400 x " in line


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


@pytest.mark.parametrize(
    ("scans", "truth", "output"),
    [
        ("page.png", "page.txt", "page.txt"),
        ("page.png", "page.md", "link.txt"),
        (".", "page.txt", "page.txt"),
        ("book.pdf", "book-page3.txt", "book-page3.txt"),
        ("page.png", "page.md", "."),
        ("page.png", "elsewhere.txt", "page.md"),
    ],
)
def test_what_may_be_the_true_text_of_a_scan_is_not_overwritten(
    rtocr, page, book, tmp_path, scans, truth, output
):
    (tmp_path / truth).write_text("what is true")
    for link in ("link.txt", "page.md"):
        if truth != link:
            (tmp_path / link).symlink_to(tmp_path / truth)
    replace = ("--replace",) if output == "." else ()
    result = rtocr("read", tmp_path / scans, "-q", "-o", tmp_path / output, *replace)
    assert result.code == (1 if output == "." else 2)
    assert "may hold the true text of " in result.err[-1]
    assert (tmp_path / truth).read_text() == "what is true"


def test_what_was_exported_beside_a_scan_is_overwritten(rtocr, page):
    for _ in range(2):
        assert rtocr("read", page, "-q", "-o", page.with_suffix(".md")).code == 0
    long = page.with_suffix(".md").read_text() + 300_000 * "x"
    page.with_suffix(".md").write_text(long)
    assert rtocr("read", page, "-q", "-o", page.with_suffix(".md")).code == 0


def test_nothing_is_said_of_the_pace_where_nothing_was_decoded():
    settings = ReadSettings(Scaling(Mode.TINY), TEXT)
    assert read._summary(make_reading(settings, token_ids=())).startswith("0 tokens; ")


@pytest.mark.parametrize("command", ["plan", "curve"])
def test_a_turned_page_is_said_to_be_turned(rtocr, page, tmp_path, command):
    target = tmp_path / "told.json"
    assert rtocr(command, page, "--rotate", 270, "--json", target).code == 0
    told = json.loads(target.read_text())
    assert (told["page"], told["rotation_deg"]) == (1, 270)


def test_a_page_is_turned_by_quarters_only(rtocr, page):
    result = rtocr("read", page, "--rotate", 45)
    assert result.code == 2
    assert "invalid choice: 45" in result.err[-1]


def test_the_text_goes_to_stdout_as_markdown_and_progress_to_stderr(rtocr, page):
    result = rtocr("read", page, "--retention", "0.5")
    assert result.code == 0
    assert result.out == "<!-- page: page.png, page 1 -->\n\npage 1 of page.png at 0.50\n"
    assert len(result.err) == 2
    assert result.err[0].startswith("Fake model on cpu (float32, loaded in 0.0 s). Reads nothing.")
    assert "page 1 of 1: 6 tokens at 150 tokens/s; 32 of 64 visual tokens kept (as asked)" in result.err[1]


def test_a_folder_is_read_scan_by_scan_and_an_empty_one_is_told(rtocr, page, tmp_path):
    (tmp_path / "empty").mkdir()
    page.rename(tmp_path / "page 10.png")
    page_image().save(tmp_path / "page 9.png")
    result = rtocr("read", tmp_path, tmp_path / "empty", "-q")
    assert result.code == 1
    assert re.findall(r"<!-- page: (.*), page 1 -->", result.out) == ["page 9.png", "page 10.png"]
    assert len(result.err) == 1
    assert "without pictures" in result.err[0]


def test_in_a_folder_each_scan_has_a_file_of_its_own(rtocr, page, book, tmp_path):
    page_image().save(tmp_path / "book.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "texts").mkdir()
    scans = (page, book, tmp_path / "broken.png", tmp_path / "book.png")
    result = rtocr("read", *scans, "--pages", "1-2", "-q", "-o", tmp_path / "texts")
    assert result.code == 1
    assert result.out == ""
    texts = {file.name: file.read_text() for file in (tmp_path / "texts").iterdir()}
    assert {name: re.findall("<!-- page: (.*) -->", text) for name, text in texts.items()} == {
        "page.md": ["page.png, page 1"],
        "book.md": ["book.pdf, page 1", "book.pdf, page 2"],
        "book (2).md": ["book.png, page 1"],
    }


def test_a_folder_that_is_not_there_is_no_file(rtocr, page, tmp_path):
    result = rtocr("read", page, "-o", f"{tmp_path}/texts/")
    assert result.code == 2
    assert "there is no folder" in result.err[-1]
    assert rtocr("read", page, "--replace", "-o", tmp_path / "out.md").code == 2
    assert rtocr("read", page, "-o", 300 * "a" + "/").code == 2
    assert rtocr("read", page, "--replace", "-o", 300 * "a").code == 2
    assert not list(tmp_path.glob("*.md"))


def test_a_scan_that_comes_again_is_written_again_to_its_file(rtocr, page, book, tmp_path):
    (tmp_path / "texts").mkdir()
    assert rtocr("read", page, book, page, "-q", "-o", tmp_path / "texts").code == 0
    assert (tmp_path / "texts" / "page.md").read_text().count("<!-- page: ") == 2
    assert (tmp_path / "texts" / "book.md").read_text().count("<!-- page: ") == 5


def test_a_file_that_cannot_be_replaced_is_told_before_anything_is_read(rtocr, page, tmp_path):
    (tmp_path / "texts" / "page.md").mkdir(parents=True)
    engine = FakeEngine()
    result = rtocr("read", page, "-q", "-o", tmp_path / "texts", "--replace", engine=engine)
    assert result.code == 1
    assert "is a folder" in result.err[-1]
    assert engine.loads == []


def test_a_folder_of_scans_can_be_the_one_to_write_to(rtocr, page, tmp_path):
    assert rtocr("read", tmp_path, "-q", "-o", tmp_path).code == 0
    assert (tmp_path / "page.md").exists()


def test_files_in_a_folder_are_replaced_only_if_that_is_asked_for(rtocr, page, book, tmp_path):
    corrected = "<!-- page: page.png, page 1 -->\n\ncorrected by hand"
    (tmp_path / "page.md").write_text(corrected)
    (tmp_path / "book.md").write_text("<!-- page: book.pdf, page 1 -->\n\nthis too")
    engine = FakeEngine()
    result = rtocr("read", page, book, "-q", "-o", tmp_path, engine=engine)
    assert result.code == 1
    assert "already contains “page.md” and 1 more of the files to write" in result.err[-1]
    assert engine.loads == []
    assert (tmp_path / "page.md").read_text() == corrected
    assert rtocr("read", page, book, "-q", "-o", tmp_path, "--replace").code == 0
    assert "page 1 of page.png" in (tmp_path / "page.md").read_text()


def test_no_scan_is_replaced_by_its_text_through_a_link_in_the_folder(rtocr, page, tmp_path):
    (tmp_path / "page.md").symlink_to(page)
    before = page.read_bytes()
    result = rtocr("read", page, "-q", "-o", tmp_path, "--replace")
    assert result.code == 1
    assert "is an input and is not overwritten" in result.err[-1]
    assert page.read_bytes() == before


def test_what_was_read_before_an_interruption_is_in_the_files_of_the_folder(
    rtocr, page, book, tmp_path, monkeypatch
):
    engine = FakeEngine()
    together = engine.read_together

    def interrupted(requests, most):
        for request, event in together(requests, most):
            yield request, event
            if isinstance(event, Reading) and request.page.ref.path == book:
                raise KeyboardInterrupt

    monkeypatch.setattr(engine, "read_together", interrupted)
    texts = tmp_path / "texts"
    texts.mkdir()
    assert rtocr("read", page, book, "-q", "-o", texts, engine=engine).code == 130
    assert "page 1 of page.png" in (texts / "page.md").read_text()
    assert (texts / "book.md").read_text().count("<!-- page: ") == 1


def test_pages_of_files_of_the_same_name_are_told_apart_by_their_folders(rtocr, page, tmp_path):
    for folder in ("may", "june"):
        (tmp_path / folder).mkdir()
        page_image().save(tmp_path / folder / "scan.png")
    files = (tmp_path / "may", page, tmp_path / "gone", tmp_path / "june" / "scan.png")
    result = rtocr("read", *files, "-q")
    assert re.findall("<!-- page: (.*) -->", result.out) == [
        "may/scan.png, page 1",
        "page.png, page 1",
        "june/scan.png, page 1",
    ]
    assert len(result.err) == 1
    assert "no such file" in result.err[0]


def test_a_dash_in_place_of_a_file_name_is_stdout(rtocr, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rtocr("read", page, "-q", "-o", "-").out == rtocr("read", page, "-q").out
    assert not Path("-").exists()


def test_several_files_and_pages_come_out_as_one_document_with_rules_between(rtocr, page, book):
    result = rtocr("read", page, book, "--pages", "1-2", "-q")
    assert result.out.count("\n---\n\n<!-- page: ") == 2
    assert [line for line in result.out.splitlines() if line.startswith("page ")] == [
        "page 1 of page.png at 0.76",
        "page 1 of book.pdf at 0.76",
        "page 2 of book.pdf at 0.76",
    ]


def test_what_is_written_to_a_file_is_what_would_go_to_stdout(rtocr, book, tmp_path):
    expected = rtocr("read", book, "-q").out
    result = rtocr("read", book, "-q", "-o", tmp_path / "out.md")
    assert (result.code, result.out, result.err) == (0, "", [])
    assert (tmp_path / "out.md").read_text(encoding="utf-8") == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.pdf", "out.md"]


def test_quiet_tells_errors_only(rtocr, page, tmp_path):
    result = rtocr("read", page, tmp_path / "missing.png", "-q")
    assert result.err == [
        f"rtocr: {tmp_path / 'missing.png'}: There is no such file. Check its name and location."
    ]


def test_pages_are_read_in_the_order_asked_for_each_once(rtocr, book):
    result = rtocr("read", book, "-q", "--pages", "4-,1-2,2")
    assert [line[5] for line in result.out.splitlines() if line.startswith("page ")] == list("4512")


def test_a_page_that_a_file_lacks_is_told_and_the_others_are_read(rtocr, book, page):
    result = rtocr("read", book, page, "-q", "--pages", "1,5-7")
    assert result.code == 1
    assert result.told == [
        f"rtocr: {book}: There is no page 6: the last one is page 5.",
        f"rtocr: {page}: There is no page 5: the last one is page 1.",
    ]
    assert result.out.count("<!-- page: ") == 3


def test_one_bad_file_among_good_ones_costs_nothing_but_itself(rtocr, page, book, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    broken = write_broken_files(folder)
    result = rtocr("read", page, *[file.path for file in broken], book, "-q")
    assert result.code == 1
    assert result.out.count("<!-- page: ") == 6
    assert len(result.err) == len(broken)
    for line, file in zip(result.err, broken, strict=True):
        where = f"{file.path}, page 1" if file.refused_at == "page" else str(file.path)
        assert line.startswith(f"rtocr: {where}: ")
        assert file.words in line


def test_a_page_the_model_fails_on_is_told_and_the_others_are_read(rtocr, page, book):
    engine = FakeEngine()
    engine.broken_pages = {"page.png"}
    result = rtocr("read", page, book, "-q", engine=engine)
    assert result.code == 1
    assert result.told == [f"rtocr: {page}, page 1: The model could not read this page."]
    assert result.out.count("<!-- page: ") == 5


def test_nothing_is_written_where_no_page_could_be_read(rtocr, tmp_path):
    out = tmp_path / "out.md"
    out.write_text("old")
    assert rtocr("read", tmp_path / "missing.png", "-o", out).code == 1
    assert out.read_text() == "old"


def test_the_model_is_loaded_once_and_only_when_a_page_is_at_hand(rtocr, page, book, tmp_path):
    loads: list[tuple[Path, str]] = []

    class CountingEngine(FakeEngine):
        def load(self, folder, device="auto", *rest):
            loads.append((folder, device))
            return super().load(folder, device)

    rtocr("read", tmp_path / "missing.png", engine=CountingEngine())
    assert loads == []
    rtocr("read", page, book, "--model", tmp_path, "--device", "cpu", engine=CountingEngine())
    assert loads == [(tmp_path, "cpu")]


def test_a_model_that_cannot_be_loaded_is_told_once(rtocr, page, book):
    engine = FakeEngine()
    engine.load_error = CheckpointError("There is no folder. Choose another.")
    result = rtocr("read", page, book, engine=engine)
    assert (result.code, result.out) == (1, "")
    assert result.err == ["rtocr: There is no folder. Choose another."]


def test_a_mode_or_task_the_model_was_not_made_for_is_warned_of_and_used(rtocr, page):
    result = rtocr("read", page, "-q", "--mode", "base", "--task", "markdown")
    assert result.code == 0
    assert result.told == [
        "rtocr: warning: Fake model was made for mode tiny, not for mode base. The result may be wrong.",
        "rtocr: warning: Fake model was made for task text, not for task markdown. The result may be wrong.",
    ]
    assert "page 1 of page.png" in result.out


@pytest.mark.parametrize(
    ("options", "mode", "task"), [((), "auto", "text"), (("--mode", "large"), "large", "text")]
)
def test_auto_is_the_default_mode_and_the_model_s_own_task_the_default_task(rtocr, page, options, mode, task):
    asked = []

    class RecordingEngine(FakeEngine):
        def read(self, page, settings, cancel):
            asked.append((settings.scaling.name, settings.task.name, settings.pruning.retention))
            return super().read(page, settings, cancel)

    rtocr("read", page, *options, engine=RecordingEngine())
    assert asked == [(mode, task, None)]


def test_the_mode_that_auto_came_to_is_told_without_a_warning(rtocr, page):
    result = rtocr("read", page, "--mode", "auto")
    assert (result.code, result.told) == (0, [])
    assert "; mode tiny; " in result.err[1]
    assert ", mode tiny\n" in rtocr("plan", page, "-q", "--mode", "auto").out
    assert json.loads(rtocr("plan", page, "-q", "--json").out)["mode"] == "tiny"


@pytest.mark.parametrize("command", ["read", "plan", "curve"])
def test_the_most_tiles_of_a_page_can_be_said(rtocr, page, command):
    asked = []

    class RecordingEngine(FakeEngine):
        def encode(self, page, scaling):
            asked.append(scaling)
            return super().encode(page, scaling)

    rtocr(command, page, "-q", engine=RecordingEngine())
    rtocr(command, page, "-q", "--mode", "gundam", "--most-tiles", "4", engine=RecordingEngine())
    assert [*dict.fromkeys(asked)] == [Scaling(None), Scaling(Mode.GUNDAM, most_tiles=4)]


@pytest.mark.parametrize("command", ["read", "plan", "curve"])
def test_where_and_how_a_model_runs_can_be_said_and_that_it_runs_anyway(rtocr, page, tmp_path, command):
    engine, options = FakeEngine(), ("--device", "cpu", "--precision", "float16", "--most-tiles", "4")
    engine.need = Fit("Large model", Spot("cpu", "float16", 1, 1), Scaling(None), MemoryNeed(2, 2, 2))
    assert rtocr(command, page, "--model", tmp_path, *options, engine=engine).code == 1
    assert rtocr(command, page, "--model", tmp_path, *options, "--anyway", engine=engine).code == 0
    assert engine.loads == [(tmp_path, "cpu", "float16", Scaling(None, most_tiles=4))]


@pytest.mark.parametrize(
    ("task", "words", "prompt"),
    [
        ("locate", "grand  total", "\nLocate <|ref|>grand total<|/ref|> in the image."),
        ("own", "Who signed this?", "\nWho signed this?"),
    ],
)
def test_a_model_that_takes_words_is_asked_in_words(rtocr, page, task, words, prompt):
    engine = FakeEngine()
    engine.tasks = TASKS
    engine.said = ["<|ref|>total<|/ref|><|det|>[[0, 333, 999, 666]]<|/det|>"]
    result = rtocr("read", page, "-q", "--task", task, "--words", words, engine=engine)
    assert (result.code, result.told) == (0, [])
    assert [settings.task.prompt for settings in engine.asked] == [prompt]


def test_words_that_are_located_come_with_their_places(rtocr, page):
    engine = FakeEngine()
    engine.tasks = TASKS
    engine.said = ["<|ref|>total<|/ref|><|det|>[[0, 333, 999, 666], [100, 0, 200, 999]]<|/det|>"]
    result = rtocr("read", page, "-q", "--task", "locate", "--words", "total", engine=engine)
    assert "\n- total: left 0.0 %, top 33.3 %, right 100.0 %, bottom 66.7 % of the page\n" in result.out
    assert "\n- total: left 10.0 %, top 0.0 %, right 20.0 %, bottom 100.0 % of the page\n" in result.out


def test_words_without_a_place_are_told(rtocr, page):
    engine = FakeEngine()
    engine.tasks = TASKS
    engine.said = ["<|ref|>total<|/ref|><|det|>[]<|/det|>"]
    result = rtocr("read", page, "-q", "--task", "locate", "--words", "total", engine=engine)
    assert result.told == [f"rtocr: warning: {page}, page 1 of 1: the model gave no position for “total”."]


def test_words_for_a_model_that_was_not_made_for_them_are_warned_of_and_used(rtocr, page):
    engine = FakeEngine()
    result = rtocr("read", page, "-q", "--task", "locate", "--words", "total", engine=engine)
    assert result.code == 0
    assert [line for line in result.told if "not for task locate" in line]
    assert engine.asked[0].task.words == "total"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--task", "locate"), 'task locate needs --words "..."'),
        (("--task", "own", "--words", "  "), "--words: There are no words to ask for. Type some."),
        (("--task", "own", "--words", "<image>"), "--words: “<image>” is a control code of the model"),
        (("--task", "own", "--words", "\udcff"), "--words: These words contain half a character"),
        (("--task", "text", "--words", "total"), "--words goes with --task locate or --task own"),
        (("--words", "total"), "--words goes with --task locate or --task own"),
    ],
)
def test_words_that_are_missing_or_have_no_task_are_told_before_a_model_is_loaded(
    rtocr, page, options, sentence
):
    engine = FakeEngine()
    engine.load_error = CheckpointError("Loaded.")
    result = rtocr("read", page, *options, engine=engine)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err[-1]


@pytest.mark.parametrize(
    ("reason", "words"), [(StopReason.LOOP, "repeat itself"), (StopReason.LENGTH, "length limit")]
)
def test_a_text_that_was_cut_short_is_warned_of(rtocr, page, reason, words):
    class StoppingEngine(FakeEngine):
        def read(self, page, settings, cancel):
            for event in super().read(page, settings, cancel):
                if isinstance(event, Reading):
                    values = {name: getattr(event, name) for name in Reading.__slots__}
                    event = Reading(**{**values, "stop_reason": reason})
                yield event

    result = rtocr("read", page, "-q", engine=StoppingEngine())
    assert result.code == 0
    assert len(result.told) == 1
    assert words in result.told[0]
    assert "page 1 of page.png" in result.out


@pytest.mark.parametrize(
    ("larger", "words"),
    [
        (Mode.BASE, "too small for mode tiny. Its text may be wrong. Try --mode base."),
        (
            None,
            "too small for Fake model. Its text may be wrong. Try --split top-bottom, or left-right if the "
            "page is wide. DeepSeek-OCR reads smaller print",
        ),
    ],
)
def test_print_that_is_too_small_is_warned_of_once_for_each_page(rtocr, book, larger, words):
    engine = FakeEngine()
    engine.too_small, engine.larger_mode = {Mode.TINY}, larger
    result = rtocr("read", book, "-q", "--pages", "1-2", engine=engine)
    assert result.code == 0
    assert len(result.told) == 2
    assert all(words in line and f"page {number} of 5" in line for number, line in enumerate(result.told, 1))
    assert rtocr("read", book, "-q").told == []


def test_a_page_without_text_is_told_but_not_to_quiet_people(rtocr, page):
    engine = FakeEngine()
    engine.said = ["\n"]
    result = rtocr("read", page, engine=engine)
    assert result.code == 0
    assert result.err[-1] == f"{page}, page 1 of 1: no text was found."
    assert rtocr("read", page, "-q", engine=engine).err == []
    assert not any("no text" in line for line in rtocr("read", page).err)


@pytest.fixture
def grounded() -> FakeEngine:
    """Says a text, a picture and a table."""
    engine = FakeEngine()
    engine.tasks = TASKS[:1]
    engine.said = [
        "<|ref|>text<|/ref|><|det|>[[0, 0, 999, 99]]<|/det|>\nSee below.\n\n",
        "<|ref|>image<|/ref|><|det|>[[100, 200, 500, 600]]<|/det|>\n\n",
        "<|ref|>table<|/ref|><|det|>[[0, 700, 999, 999]]<|/det|>\n"
        "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>\n",
    ]
    return engine


def test_figures_are_cut_out_and_linked_beside_a_file(rtocr, page, book, grounded, tmp_path):
    result = rtocr("read", book, page, "-q", "--pages", "1", "-o", tmp_path / "out.md", engine=grounded)
    assert (result.code, result.err) == (0, [])
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    names = ["page-1-figure-1.png", "page-2-figure-1.png"]
    assert sorted(path.name for path in (tmp_path / "out.assets").iterdir()) == names
    for name in names:
        assert f"See below.\n\n![](out.assets/{name})\n\n<table>" in text
    with Image.open(page) as whole, Image.open(tmp_path / "out.assets" / names[1]) as figure:
        assert figure.width == pytest.approx(whole.width * 400 / 999, abs=2)


@pytest.mark.parametrize("output", ["out.md", "."])
def test_no_scan_is_replaced_by_a_figure(rtocr, grounded, tmp_path, output):
    (tmp_path / "out.assets").mkdir()
    figure, page = tmp_path / "out.assets" / "page-1-figure-1.png", tmp_path / "out.png"
    for scan in (figure, page):
        page_image().save(scan)
    before = figure.read_bytes()
    result = rtocr("read", page, figure, "-q", "-o", tmp_path / output, engine=grounded)
    assert result.code == 1
    assert f"“{figure}” lies where figures would be written." in result.err[-1]
    assert figure.read_bytes() == before


def test_figures_are_beside_the_file_that_a_link_names(rtocr, page, grounded, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.md").symlink_to("real/real.md")
    assert rtocr("read", page, "-q", "-o", tmp_path / "link.md", engine=grounded).code == 0
    assert "![](real.assets/page-1-figure-1.png)" in (tmp_path / "real" / "real.md").read_text("utf-8")
    assert (tmp_path / "real" / "real.assets" / "page-1-figure-1.png").exists()


def test_figures_that_cannot_be_written_cost_no_text(rtocr, page, book, grounded, tmp_path):
    (tmp_path / "out.assets").write_text("in the way")
    result = rtocr("read", page, book, "-q", "--pages", "1", "-o", tmp_path / "out.md", engine=grounded)
    assert result.code == 1
    assert len(result.err) == 2
    assert all(
        "its figures were left out" in line and "is a file and not a folder" in line for line in result.err
    )
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert text.count("See below.") == 2
    assert "![](" not in text


def test_on_stdout_there_are_no_figures(rtocr, page, grounded, tmp_path):
    result = rtocr("read", page, "-q", engine=grounded)
    assert "![](" not in result.out
    assert [path.name for path in tmp_path.iterdir()] == ["page.png"]


def test_tables_come_as_html_or_with_pipes(rtocr, page, grounded):
    assert "<table><tr><td>a</td>" in rtocr("read", page, "-q", engine=grounded).out
    assert "<table><tr><td>a</td>" in rtocr("read", page, "-q", "--tables", "html", engine=grounded).out
    pipes = rtocr("read", page, "-q", "--tables", "pipe", engine=grounded).out
    assert "\n| a | b |\n| --- | --- |\n| 1 | 2 |\n" in pipes
    assert "<table" not in pipes


@pytest.mark.parametrize("command", ["read", "plan", "curve"])
def test_the_resolution_of_pdf_pages_can_be_chosen(rtocr, book, command):
    sizes = []

    class RecordingEngine(FakeEngine):
        def encode(self, page, scaling):
            sizes.append(page.image.size)
            return super().encode(page, scaling)

    rtocr(command, book, engine=RecordingEngine())
    rtocr(command, book, "--dpi", "72", engine=RecordingEngine())
    assert [*dict.fromkeys(sizes)] == [(556, 834), (200, 300)]


def test_file_names_cannot_break_lines_or_steer_the_terminal(rtocr, tmp_path):
    result = rtocr("read", tmp_path / "a\n\x1b[2Jb.png")
    assert len(result.err) == 1
    assert "a??[2Jb.png" in result.err[0]


# Passwords


def test_an_encrypted_file_is_read_with_its_password(rtocr, tmp_path):
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf())
    assert rtocr("read", path).told == [
        f"rtocr: {path}: The file is encrypted. Give its password with --password."
    ]
    assert "is wrong" in rtocr("read", path, "--password", "guess").told[0]
    assert rtocr("read", path, "--password", PASSWORD).code == 0


@pytest.mark.parametrize(
    ("typed", "code", "asked"), [(["guess", PASSWORD], 0, 2), (["a", "b", "c", "d"], 1, 3), ([""], 1, 1)]
)
def test_a_person_at_the_terminal_is_asked_for_the_password(rtocr, tmp_path, monkeypatch, typed, code, asked):
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf())
    prompts: list[str] = []
    answers = iter(typed)

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    monkeypatch.setattr(pages.getpass, "getpass", answer)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert rtocr("read", path, "-q").code == code
    assert len(prompts) == asked
    assert prompts[0].startswith("locked.pdf: The PDF is encrypted.")
    assert all("is wrong" in prompt for prompt in prompts[1:])


def test_a_password_that_is_refused_with_ctrl_d_costs_that_file_only(rtocr, page, tmp_path, monkeypatch):
    path = tmp_path / "locked\x1b[2J.pdf"
    path.write_bytes(encrypted_pdf())
    prompts: list[str] = []

    def press_ctrl_d(prompt: str) -> str:
        prompts.append(prompt)
        raise EOFError

    monkeypatch.setattr(pages.getpass, "getpass", press_ctrl_d)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    result = rtocr("read", path, page, "-q")
    assert (result.code, result.out.count("<!-- page: ")) == (1, 1)
    assert [line.partition(": The PDF is encrypted.")[0] for line in result.told] == [
        f"rtocr: {tmp_path / 'locked?[2J.pdf'}"
    ]
    assert len(prompts) == 1
    assert prompts[0].startswith("locked?[2J.pdf: "), "the prompt cannot steer the terminal"


# Several pages at a time


class CountingEngine(FakeEngine):
    """Notes how many pages were asked for at a time, and which of them ended."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[int | None] = []
        self.ended: list[int] = []

    def read(self, page, settings, cancel):
        self.said = ["long "] * 20 if page.ref.index == 0 else []
        yield from super().read(page, settings, cancel)
        self.ended.append(page.ref.index)

    def read_together(self, requests, most=None):
        self.together.append(most)
        return super().read_together(requests, most)


@pytest.mark.parametrize(
    ("options", "most"), [((), None), (("--together", 4), 4), (("--together", "auto"), None)]
)
def test_several_pages_are_read_at_a_time(rtocr, book, options, most):
    engine = CountingEngine()
    assert rtocr("read", book, "-q", *options, engine=engine).code == 0
    assert engine.together == [most]


def test_one_page_is_read_by_itself(rtocr, page, book):
    engine = CountingEngine()
    rtocr("read", page, book, "-q", "--pages", "1", "--together", 4, engine=engine)
    rtocr("read", book, "-q", "--pages", "3", "--together", 4, engine=engine)
    assert engine.together == [4, 1]


def test_pages_are_written_in_their_order_whichever_ends_first(rtocr, page, book, tmp_path):
    engine = CountingEngine()
    result = rtocr("read", book, tmp_path / "missing.png", page, "-q", engine=engine)
    assert engine.ended[0] != 0
    assert [line[:6] for line in result.out.splitlines() if line.startswith(("page", "long"))] == [
        "long l",
        *(f"page {number}" for number in range(2, 6)),
        "long l",
    ]
    assert len(result.told) == 1


# Interruptions


class InterruptedEngine(FakeEngine):
    """Ctrl-C is pressed after the second word of a page, as often as asked."""

    def __init__(self, page_index: int, times: int = 1) -> None:
        super().__init__()
        self.page_index, self.times = page_index, times

    def read(self, page, settings, cancel):
        words = 0
        for event in super().read(page, settings, cancel):
            yield event
            words += isinstance(event, TextDelta)
            if page.ref.index == self.page_index and words == 2 and isinstance(event, TextDelta):
                for _ in range(self.times):
                    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_stops_the_reading_and_what_was_read_is_written(rtocr, book, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    result = rtocr(
        "read", book, "-q", "-o", tmp_path / "out.md", "--together", 1, engine=InterruptedEngine(1)
    )
    assert result.code == 130
    assert (tmp_path / "out.md").read_text() == (
        "<!-- page: book.pdf, page 1 -->\n\npage 1 of book.pdf at 0.76\n"
        "\n---\n\n<!-- page: book.pdf, page 2 -->\n\npage 2\n"
    )
    assert result.told == [
        f"rtocr: warning: {book}, page 2 of 5: interrupted. The end of its text is missing.",
        "rtocr: interrupted.",
    ]
    assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_at_a_password_writes_what_was_read(rtocr, book, tmp_path, monkeypatch, capsys):
    locked, out = tmp_path / "locked.pdf", tmp_path / "out.md"
    locked.write_bytes(encrypted_pdf())
    told_before = []

    def press_ctrl_c(_prompt: str) -> str:
        told_before.append(capsys.readouterr().err)
        raise KeyboardInterrupt

    monkeypatch.setattr(pages.getpass, "getpass", press_ctrl_c)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    result = rtocr("read", book, locked, "-o", out, "--together", 2)
    assert result.code == 130
    assert out.read_text().count("<!-- page: ") == 5
    assert told_before[0].endswith(CLEAR_LINE), "the question is not asked behind the progress"
    assert result.err[0] == ""
    assert rtocr("read", locked, book, "-o", tmp_path / "none.md").code == 130
    assert not (tmp_path / "none.md").exists()


def test_an_interrupt_that_is_to_be_ignored_is_ignored(rtocr, book):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        result = rtocr("read", book, "-q", "--pages", "1-2", "--together", 1, engine=InterruptedEngine(1))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.code, result.err) == (0, [])
    assert "page 2 of book.pdf at" in result.out


def test_a_file_that_stdout_goes_to_is_written_to_and_not_replaced(rtocr, page, tmp_path, monkeypatch):
    file, status = tmp_path / "notes.md", os.fstat
    file.write_text("Mine.")
    monkeypatch.setattr(os, "fstat", lambda fd: file.stat() if fd == 1 else status(fd))
    result = rtocr("read", page, "-q", "-o", file)
    assert (result.code, result.out) == (0, rtocr("read", page, "-q").out)
    assert rtocr("plan", page, "--overlay", file).code == 2
    assert file.read_text() == "Mine."


def test_a_folder_that_is_gone_is_told(rtocr, page, monkeypatch):
    monkeypatch.setattr(Path, "cwd", gone)
    result = rtocr("read", page, "-q")
    assert (result.code, result.err) == (
        1,
        ["rtocr: The current folder no longer exists. Change to another one."],
    )


def gone():
    raise FileNotFoundError(2, "No such file or directory")


def test_a_long_output_is_not_written_again_at_each_page(rtocr, book, tmp_path, monkeypatch):
    written, seconds = [], itertools.count()

    def export(pages, path):
        written.append(len(pages))
        export_markdown(pages, path)

    monkeypatch.setattr(markdown_output, "export_markdown", export)
    clock = SimpleNamespace(monotonic=lambda: next(seconds))  # each writing takes one
    monkeypatch.setattr(markdown_output, "time", clock)
    rtocr("read", book, "-q", "-o", tmp_path / "out.md")
    assert written == [1, 5]
    assert (tmp_path / "out.md").read_text().count("<!-- page: ") == 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_gets_each_page_once(rtocr, book, tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    rtocr("read", book, "-q", "-o", pipe)
    reader.join(10)
    assert not reader.is_alive()
    assert got[0].count("<!-- page: ") == 5


def test_a_second_ctrl_c_does_not_wait_for_the_page(rtocr, book, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    engine = InterruptedEngine(1, times=2)
    result = rtocr("read", book, "-q", "-o", tmp_path / "out.md", "--together", 1, engine=engine)
    assert result.code == 130
    assert (
        tmp_path / "out.md"
    ).read_text() == "<!-- page: book.pdf, page 1 -->\n\npage 1 of book.pdf at 0.76\n"
    assert result.told == ["rtocr: interrupted."]
    assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_keeps_what_was_read_of_each_page_that_was_under_way(rtocr, book, tmp_path):
    result = rtocr(
        "read", book, "-q", "-o", tmp_path / "out.md", "--together", 3, engine=InterruptedEngine(2)
    )
    assert result.code == 130
    # Pages take turns word by word, and one begins with each turn.
    said = [line for line in (tmp_path / "out.md").read_text().splitlines() if line.startswith("page ")]
    assert said == ["page 1 of book.pdf at", "page 2 of book.pdf", "page 3"]
    assert result.told == [
        *(
            f"rtocr: warning: {book}, page {number} of 5: interrupted. The end of its text is missing."
            for number in (1, 2, 3)
        ),
        "rtocr: interrupted.",
    ]


def test_a_second_ctrl_c_keeps_pages_that_were_read_before_one_that_was_not(rtocr, page, book, tmp_path):
    class SlowFirst(FakeEngine):
        """Says much of the first page; Ctrl-C is pressed twice when the other one has ended."""

        def read(self, page, settings, cancel):
            self.said = ["word "] * 50 if page.ref.index == 0 else []
            yield from super().read(page, settings, cancel)
            if page.ref.index == 1:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)

    output = tmp_path / "out.md"
    result = rtocr("read", book, "-q", "-o", output, "--pages", "1-2", engine=SlowFirst())
    assert result.code == 130
    assert output.read_text() == "<!-- page: book.pdf, page 2 -->\n\npage 2 of book.pdf at 0.76\n"


def test_ctrl_c_while_the_model_is_loaded_ends_at_once(rtocr, page):
    class InterruptedLoad(FakeEngine):
        def load(self, folder, device="auto", *rest):
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("unreachable")

    result = rtocr("read", page, engine=InterruptedLoad())
    assert (result.code, result.told) == (130, ["rtocr: interrupted."])


# Planning


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


# The command line


_OUTPUTS = [("plan", "--overlay"), ("plan", "--json"), ("curve", "--json"), ("curve", "--csv")]


@pytest.mark.parametrize(
    ("command", "option", "place", "words"),
    [(*output, "no-folder/out", "there is no folder") for output in [("read", "-o"), *_OUTPUTS]]
    + [(*output, ".", "is a folder. Choose a file name") for output in _OUTPUTS],
)
def test_a_place_that_cannot_be_written_to_is_told_before_a_model_is_loaded(
    rtocr, page, tmp_path, command, option, place, words
):
    engine = FakeEngine()
    result = rtocr(command, page, option, tmp_path / place, engine=engine)
    assert (result.code, result.out) == (1, "")
    assert len(result.err) == 1
    assert words in result.told[0]
    assert not engine.loads


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["fly"],
        ["read"],
        ["plan"],
        ["read", ""],
        ["read", "a.png", "-o", ""],
        ["plan", "a.png", "--overlay", ""],
        ["models", "check", ""],
        ["read", "a.png", "--unheard-of", "b.png"],
        ["read", "a.png", "--mode", "huge"],
        ["read", "a.png", "--task", "poem"],
        ["read", "a.png", "--most-tiles", "1"],
        ["read", "a.png", "--most-tiles", "ten"],
        ["curve", "a.png", "--task", "locate"],
        ["read", "a.png", "--device", "abacus"],
        ["read", "a.png", "--device", "cuda:one"],
        ["read", "a.png", "--device", "cuda:01"],
        ["read", "a.png", "--device", "cpu:0"],
        ["read", "a.png", "--pages", "0"],
        ["read", "a.png", "--pages", "3-1"],
        ["read", "a.png", "--pages", "one"],
        ["read", "a.png", "--retention", "0.005"],
        ["read", "a.png", "--retention", "1.1"],
        ["read", "a.png", "--retention", "nan"],
        ["read", "a.png", "--dpi", "10"],
        ["read", "a.png", "--together", "0"],
        ["plan", "a.png", "--page", "0"],
        ["plan", "a.png", "--page", "two"],
        ["read", "a.png", "-o", "a.png"],
        ["read", "b.png", "./a.png", "-o", "a.png"],
        ["plan", "a.png", "--overlay", "a.png"],
        ["plan", "a.png", "--overlay", "x", "--json", "x"],
        ["plan", "a.png", "--overlay", "-"],
        ["curve", "a.png", "--json", "-", "--csv", "-"],
        ["bench", "accuracy", "scans", "--json", "-", "--markdown", "-"],
        ["bench", "accuracy", "scans", "--readings", "-"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_a_reason(rtocr, argv):
    result = rtocr(*argv)
    assert (result.code, result.out) == (2, "")
    assert "error: " in result.err[-1]


def test_files_may_stand_on_either_side_of_an_option(rtocr, page, monkeypatch):
    monkeypatch.chdir(page.parent)
    for name in ("after.png", "-dash.png"):
        page_image().save(name)
    result = rtocr("read", page, "--pages", "1", "after.png", "--", "-dash.png")
    assert (result.code, result.out.count("<!-- page:")) == (0, 3)
    for *name, why in (
        ("", "the name is empty"),
        ("--", "", "the name is empty"),
        ("-", "pages cannot be read from a pipe"),
    ):
        refused = rtocr("read", page, "--pages", "1", *name)
        assert refused.code == 2
        assert f"argument FILE: {why}" in refused.err[-1]


def test_an_interrupt_while_the_command_is_imported_is_told(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "rtocr_gui.cli.main")
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=interrupted)])
    assert entry.main() == 130
    assert capsys.readouterr().err == "rtocr: interrupted.\n"


def test_that_there_is_no_memory_for_an_engine_is_told(page, capsys):
    def no_memory():
        raise MemoryError

    assert main(["read", str(page)], no_memory) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "rtocr: there is not enough memory. Close other programs."
    )


def test_a_link_in_a_folder_that_leads_nowhere_is_told(rtocr, page):
    (page.parent / "lost.png").symlink_to(page.parent / "nowhere.png")
    result = rtocr("read", page.parent)
    assert (result.code, result.out.count("<!-- page:")) == (1, 1)
    assert "lost.png: There is no such file." in result.told[0]


@pytest.mark.parametrize("command", ["read", "plan", "curve"])
def test_whoever_pipes_pages_in_is_told_to_name_a_file_and_a_file_of_that_name_can_be(
    rtocr, page, monkeypatch, command
):
    refused = rtocr(command, "-")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err[-1].endswith(
        "pages cannot be read from a pipe: name the file that contains them (./- for one called -)"
    )
    monkeypatch.chdir(page.rename(page.with_name("-")).parent)
    assert rtocr(command, "./-").code == 0


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("read", ["--words", "total"]),
        ("read", ["-o", "a.png"]),
        ("read", ["-o", "a.docx"]),
        ("plan", ["--overlay", "x", "--json", "x"]),
        ("curve", ["--json", "-", "--csv", "-"]),
    ],
)
def test_options_that_do_not_go_together_show_the_usage_of_their_command(rtocr, command, argv):
    result = rtocr(command, "a.png", *argv)
    assert result.code == 2
    assert result.err[0].startswith(f"usage: rtocr {command} ")
    assert result.err[-1].startswith(f"rtocr {command}: error: ")


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["plan", "--json", "SCAN", "b.png"], "give --json=FILE.json or put --json after the file"),
        (["read", "b.png", "-o", "SCAN"], "give -o FILE.md"),
        (["bench", "--json", "SCAN"], "give --json=FILE.json or put --json after the file"),
    ],
)
def test_no_scan_is_taken_for_the_file_to_write(rtocr, tmp_path, words, advice):
    scan = tmp_path / "a.JPG"
    page_image().save(scan)
    before = scan.read_bytes()
    result = rtocr(*[scan if word == "SCAN" else word for word in words])
    assert (result.code, result.out) == (2, "")
    assert result.err[-1].endswith(f"“{scan}” looks like a scan and is not overwritten: {advice}")
    assert scan.read_bytes() == before


def test_a_folder_may_be_named_like_a_file(rtocr, page, tmp_path):
    folder = tmp_path / "scans.html"
    folder.mkdir()
    assert rtocr("read", page, "-q", "-o", folder).code == 0
    assert [path.suffix for path in folder.iterdir()] == [".md"]


def test_no_scan_of_a_folder_is_overwritten_through_a_link(rtocr, tmp_path):
    (tmp_path / "scans").mkdir()
    scan = tmp_path / "scans" / "a.png"
    page_image().save(scan)
    before = scan.read_bytes()
    (tmp_path / "out.md").symlink_to(scan)
    result = rtocr("read", tmp_path / "scans", "-o", tmp_path / "out.md")
    assert (result.code, result.out) == (2, "")
    assert result.err[-1].endswith("is an input and is not overwritten")
    assert scan.read_bytes() == before


def test_an_overlay_is_a_png_picture(rtocr, page, tmp_path):
    overlay = tmp_path / "new.jpg"
    result = rtocr("plan", page, "--overlay", overlay)
    assert (result.code, result.out) == (2, "")
    assert result.err[-1].endswith(
        f"“{overlay}” does not end in .png, and an overlay is a PNG picture: give --overlay FILE.png"
    )
    assert not overlay.exists()


def test_a_link_to_itself_can_be_named_as_output(rtocr, page, tmp_path):
    loop = tmp_path / "loop.md"
    loop.symlink_to(loop)
    assert rtocr("read", page, "-q", "-o", loop).code == 0
    assert "page 1 of page.png" in loop.read_text()


@pytest.mark.parametrize(
    ("text", "count", "indices", "missing"),
    [
        ("1-3,5", 9, [0, 1, 2, 4], None),
        ("2-", 3, [1, 2], None),
        ("3,1,3", 3, [2, 0], None),
        ("2-5", 3, [1, 2], 4),
        ("7-", 3, [], 7),
        ("1-999999999999", 2, [0, 1], 3),
    ],
)
def test_page_ranges_are_understood(text, count, indices, missing):
    selection = page_selection(text)
    assert (selection.indices(count), selection.first_missing(count)) == (indices, missing)


@pytest.mark.parametrize("left_to_the_program", [True, False])
def test_patterns_that_the_shell_leaves_to_the_program_stand_for_files(
    rtocr, page, tmp_path, monkeypatch, left_to_the_program
):
    """As the shells of Windows do; elsewhere, a pattern that arrives was quoted."""
    monkeypatch.setattr(values, "_shell_leaves_patterns", lambda: left_to_the_program)
    (tmp_path / "b[1].png").write_bytes(page.read_bytes())
    (tmp_path / "b1.png").write_bytes(b"")
    result = rtocr("read", "-q", tmp_path / "b[1].png", tmp_path / "p*.png", tmp_path / "no*.png")
    read = ["page 1 of b[1].png", "page 1 of page.png"] if left_to_the_program else ["page 1 of b[1].png"]
    assert re.findall(r"page 1 of \S+", result.out) == read
    assert "no*.png: There is no such file" in result.told[-1]


def test_the_retention_ratio_is_auto_or_a_number():
    assert [retention_ratio(text) for text in ("auto", "0.01", "1", ".5")] == [None, 0.01, 1.0, 0.5]
    with pytest.raises(argparse.ArgumentTypeError):
        retention_ratio("84%")


@pytest.mark.parametrize("argv", [["--help"], ["read", "--help"], ["plan", "--help"], ["bench", "--help"]])
def test_help_goes_to_stdout(rtocr, argv):
    result = rtocr(*argv)
    assert (result.code, result.err) == (0, [])
    assert result.out.startswith("usage: rtocr")


def test_the_version_is_the_installed_one(rtocr, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.2.3" if name == "rtocr-gui" else "")
    assert rtocr("--version").out == "rtocr 1.2.3\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_live_line_is_overwritten_and_gone_before_a_line_that_stays():
    terminal = Terminal()
    progress = Progress(terminal, quiet=False)
    progress.show("page 1: open")
    progress.show("page 1: decode")
    progress.say("page 1: done")
    progress.clear()
    assert terminal.getvalue() == (
        f"{CLEAR_LINE}page 1: open{CLEAR_LINE}page 1: decode{CLEAR_LINE}page 1: done\n"
    )


def test_the_live_line_is_overwritten_with_blanks_where_escapes_would_be_printed(monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setattr(progress_module, "_KNOWS_ESCAPES", False)
    terminal = Terminal()
    progress = Progress(terminal, quiet=False)
    progress.show("page 1")
    progress.clear()
    blank = f"\r{' ' * 9}\r"
    assert terminal.getvalue() == f"{blank}page 1{blank}"


@pytest.mark.parametrize(
    ("text", "shown"), [("财务报告.pdf: open", "财务报告."), ("report.pdf: open", "report.pd")]
)
def test_the_live_line_is_as_long_as_the_terminal_is_wide(monkeypatch, text, shown):
    monkeypatch.setenv("COLUMNS", "10")
    terminal = Terminal()
    Progress(terminal, quiet=False).show(text)
    assert terminal.getvalue() == CLEAR_LINE + shown


def test_the_width_is_that_of_the_terminal_that_the_line_is_shown_on(monkeypatch):
    """And not that of stdout, which may be a file or another terminal."""
    termios = pytest.importorskip("termios")  # is there where terminals can be made
    monkeypatch.delenv("COLUMNS", raising=False)
    near, far = os.openpty()
    termios.tcsetwinsize(far, (24, 10))
    with os.fdopen(far, "w", encoding="utf-8") as terminal:
        Progress(terminal, quiet=False).show("report.pdf: open")
        assert os.read(near, 100).decode() == CLEAR_LINE + "report.pd"
    os.close(near)


def test_the_live_line_names_none_of_the_pages_that_ended(monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(Progress, "update", lambda _, text: shown.append(text))
    following = Following(Progress(io.StringIO(), quiet=True))
    for label in ("page 1", "page 2", "page 3"):
        following.tell(label, Stage.DECODE)
    following.tell("page 2", TextDelta("x", 1))
    following.tell("page 1", make_reading(ReadSettings(Scaling(Mode.TINY), TEXT)))
    following.tell("page 2", PageFailed(ReadingError("The model failed.")))
    following.tell("page 3", TextDelta("x", 1))
    assert [line.partition(":")[0] for line in shown] == ["page 1 and 2 more", "page 3"]


def test_updates_of_the_live_line_come_no_more_often_than_anyone_can_read(monkeypatch):
    now_s = iter([0.0, 0.0, 0.05, 0.2, 0.2])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(now_s))
    terminal = Terminal()
    progress = Progress(terminal, quiet=False)
    for tokens in range(3):
        progress.update(f"{tokens} tokens")
    assert terminal.getvalue() == f"{CLEAR_LINE}0 tokens{CLEAR_LINE}2 tokens"


@pytest.mark.parametrize(("stream", "quiet"), [(Terminal(), True), (io.StringIO(), False)])
def test_there_is_no_live_line_in_a_log_or_for_quiet_people(stream, quiet):
    Progress(stream, quiet).show("page 1: decode, 3 tokens")
    assert stream.getvalue() == ""


# As a process of its own


def in_process(program: str, *argv: object, **options: object) -> subprocess.Popen[bytes]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *map(str, argv)],
        cwd=CHECKOUT,
        env={**environment, "PYTHONIOENCODING": "ascii"},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )


FAKE = """
import sys
from rtocr_gui.cli.main import main
from tests.fake_engine import FakeEngine
try:
    code = main(sys.argv[1:], FakeEngine)
except SystemExit as end:
    code = end.code
heavy = {"torch", "transformers", "ot", "PySide6"} & set(sys.modules)
assert not heavy, heavy
sys.exit(code)
"""


CLOSING = """
import os, sys
os.close(int(sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-W", "error", "-c", *sys.argv[2:]])
"""
"""Runs a program with a stream closed, as `2>&-` does."""

NAMED = """
from tests import fake_engine
ModelInfo = fake_engine.ModelInfo
fake_engine.ModelInfo = lambda folder, _, *others: ModelInfo(folder, "l\\u00ebtter\\u65e5\\u672c", *others)
"""
"""Gives the model of the fake engine a name that few character sets have."""


@pytest.mark.parametrize(
    ("argv", "code"), [(["--help"], 0), (["read"], 2), (["read", "no-such-file.png"], 1)]
)
def test_help_and_errors_come_without_importing_torch_or_qt(argv, code):
    process = in_process(FAKE, *argv)
    _, errors = process.communicate()
    assert process.returncode == code, errors.decode()


def test_stdout_is_utf_8_whatever_the_locale_says(tmp_path):
    path = tmp_path / "Grüße.png"
    page_image().save(path)
    process = in_process(FAKE, "read", path, "-q")
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert "page 1 of Grüße.png at 0.76\n".encode() in output


@pytest.mark.parametrize("command", ["read", "plan", "curve"])
def test_a_reader_that_goes_away_ends_the_command_without_a_traceback(page, command):
    process = in_process(FAKE, command, page, "-q")
    process.stdout.close()
    assert (process.wait(), process.stderr.read()) == (1, b"")
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's own")
def test_a_full_disk_behind_the_output_is_told_in_a_sentence(page):
    with Path("/dev/full").open("wb") as full:
        process = in_process(FAKE, "read", page, "-q", stdout=full)
        errors = process.communicate()[1]
    assert process.returncode == 1
    assert errors == b"rtocr: the output could not be written: No space left on device.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="stands for what a Unix shell can do")
def test_progress_that_nobody_listens_to_costs_no_text(page, tmp_path):
    heard, spoken = os.pipe()
    os.close(heard)
    process = in_process(FAKE, "read", page, "-o", tmp_path / "out.md", stdout=spoken, stderr=spoken)
    os.close(spoken)
    assert process.wait() == 0
    assert "page 1 of page.png" in (tmp_path / "out.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="stands for what a Unix shell can do")
@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_stream_that_is_closed_costs_no_text(page, tmp_path, stream):
    process = in_process(CLOSING, stream, FAKE, "read", page, "-q", "-o", tmp_path / "out.md")
    assert process.communicate() == (b"", b"")
    assert process.returncode == 0
    assert "page 1 of page.png" in (tmp_path / "out.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="stands for what a Unix shell can do")
def test_a_name_that_the_locale_cannot_write_costs_no_text_where_a_stream_is_closed(
    page, tmp_path, monkeypatch
):
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    process = in_process(CLOSING, 2, NAMED + FAKE, "read", page, "-o", tmp_path / "out.md")
    assert process.communicate() == (b"", b"")
    assert process.returncode == 0
    assert "page 1 of page.png" in (tmp_path / "out.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="stands for what a Unix shell can do")
def test_text_that_would_go_to_a_closed_stdout_is_not_read_at_all(page):
    process = in_process(CLOSING, 1, FAKE, "read", page)
    errors = process.communicate()[1]
    assert process.returncode == 1
    assert errors.decode() == "rtocr: stdout is closed. Open it, or name a file to write to.\n"


def test_an_error_of_the_system_that_is_not_about_the_output_is_not_said_to_be(page):
    def broken_engine(*_):
        raise OSError("libcudart.so.12: cannot open shared object file")

    with pytest.raises(OSError, match="libcudart"):
        main(["read", str(page), "-q"], broken_engine)


# With the bundled model


LETTER = resource_path("samples/letter.png")

REAL = """
import sys
from rtocr_gui.cli.main import main
code = main(sys.argv[1:])
assert "torch" in sys.modules
assert "PySide6" not in sys.modules
sys.exit(code)
"""


def test_what_the_bundled_model_reads_is_what_the_command_writes(capsys, miniature_engine):
    assert main(["read", str(LETTER), "--device", "cpu", "--retention", "1"], lambda: miniature_engine) == 0
    captured = capsys.readouterr()
    settings = ReadSettings(Scaling(Mode.TINY), TEXT, PruneSettings(1.0))
    reading = read_page(miniature_engine, load_sample(LETTER), settings)
    assert captured.out == f"<!-- page: letter.png, page 1 -->\n\n{reading.text}\n"
    assert "Dear" in reading.text
    assert "RTOCR Miniature on cpu" in captured.err
    assert "64 of 64 visual tokens kept" in captured.err


def test_the_bundled_model_plans_without_a_display_and_without_qt(tmp_path):
    process = in_process(
        REAL, "plan", LETTER, "--json", tmp_path / "plan.json", "--overlay", tmp_path / "o.png"
    )
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    assert json.loads((tmp_path / "plan.json").read_text())["counts"]["prunable"] == 64
    with Image.open(tmp_path / "o.png") as picture:
        assert picture.size == (512, 512)
