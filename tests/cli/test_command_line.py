"""The command line of `rtocr`: its options, what is wrong usage, and which files it may write."""

import argparse
import importlib.metadata
import re
from pathlib import Path

import pytest

from rtocr_gui import files
from rtocr_gui.cli.main import main
from rtocr_gui.cli.values import page_selection, retention_ratio
from rtocr_gui.ocr.machine.spot import Spot
from rtocr_gui.ocr.memory.fit import Fit
from rtocr_gui.ocr.memory.need import MemoryNeed
from rtocr_gui.ocr.reading import Mode, Scaling
from tests.fake_engine import FakeEngine
from tests.made_pages import page_image


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


def test_a_folder_that_is_gone_is_told(rtocr, page, monkeypatch):
    monkeypatch.setattr(Path, "cwd", gone)
    result = rtocr("read", page, "-q")
    assert (result.code, result.err) == (
        1,
        ["rtocr: The current folder no longer exists. Change to another one."],
    )


def gone():
    raise FileNotFoundError(2, "No such file or directory")


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
@pytest.mark.parametrize("name", ["a.JPG", "a.heic"])
def test_no_scan_is_taken_for_the_file_to_write(rtocr, tmp_path, words, advice, name):
    scan = tmp_path / name
    page_image().save(scan, "JPEG")
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
    monkeypatch.setattr(files, "_shell_leaves_patterns", lambda: left_to_the_program)
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
