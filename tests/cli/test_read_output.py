"""Where `rtocr read` writes the text and the figures, and what it never replaces."""

import errno
import itertools
import os
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from rtocr_gui import files
from rtocr_gui.cli import text_output
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.documents.picture_pdf import PicturePdf
from rtocr_gui.export import writing
from rtocr_gui.export.markdown import export_markdown
from rtocr_gui.ocr.reading import TASKS
from tests.fake_engine import FakeEngine
from tests.made_pages import page_image
from tests.read_pdfs import sizes_in, texts_in


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


@pytest.mark.parametrize(
    ("scans", "output"), [("page.png", "page.txt"), (".", "PAGE.TXT"), ("book.pdf", "book-page3.txt")]
)
def test_plain_text_is_not_written_under_the_name_of_a_true_text(rtocr, page, book, tmp_path, scans, output):
    page.with_name("PAGE.png").write_bytes(page.read_bytes())
    result = rtocr("read", tmp_path / scans, "-q", "-o", tmp_path / output)
    assert result.code == 2
    assert "is named as the true text of " in result.err[-1]
    assert not (tmp_path / output).exists()


def test_what_was_exported_beside_a_scan_is_overwritten(rtocr, page):
    for _ in range(2):
        assert rtocr("read", page, "-q", "-o", page.with_suffix(".md")).code == 0
    long = page.with_suffix(".md").read_text() + 300_000 * "x"
    page.with_suffix(".md").write_text(long)
    assert rtocr("read", page, "-q", "-o", page.with_suffix(".md")).code == 0


def test_a_folder_is_read_scan_by_scan_and_an_empty_one_is_told(rtocr, page, tmp_path):
    (tmp_path / "empty").mkdir()
    page.rename(tmp_path / "page 10.png")
    page_image().save(tmp_path / "page 9.png")
    result = rtocr("read", tmp_path, tmp_path / "empty", "-q")
    assert result.code == 1
    assert re.findall(r"<!-- page: (.*), page 1 -->", result.out) == ["page 9.png", "page 10.png"]
    assert len(result.err) == 1
    assert "without pictures" in result.err[0]


def test_pictures_of_a_folder_that_are_not_read_are_warned_of(rtocr, page, tmp_path):
    (tmp_path / "photo.HEIC").touch()
    result = rtocr("read", tmp_path, "-q")
    assert result.code == 0
    assert len(result.err) == 1
    assert "warning: " in result.err[0]
    assert "does not read HEIC: 1" in result.err[0]


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
        "book (pdf).md": ["book.pdf, page 1", "book.pdf, page 2"],
        "book (png).md": ["book.png, page 1"],
    }


def test_a_folder_that_is_not_there_is_no_file(rtocr, page, tmp_path):
    result = rtocr("read", page, "-o", f"{tmp_path}/texts/")
    assert result.code == 2
    assert "there is no folder" in result.err[-1]
    assert rtocr("read", page, "--replace", "-o", tmp_path / "out.md").code == 2
    assert rtocr("read", page, "-o", 300 * "a" + "/").code == 2
    assert rtocr("read", page, "--replace", "-o", 300 * "a").code == 2
    assert not list(tmp_path.glob("*.md"))


@pytest.mark.parametrize(
    ("kind", "begins"), [("md", b"<!-- page: "), ("txt", b"page 1 of"), ("pdf", b"%PDF-")]
)
def test_files_in_a_folder_are_of_the_kind_that_is_asked_for(rtocr, page, book, tmp_path, kind, begins):
    (tmp_path / "texts").mkdir()
    assert rtocr("read", page, book, "-q", "-o", tmp_path / "texts", "--format", kind).code == 0
    files = sorted((tmp_path / "texts").iterdir())
    assert [file.name for file in files] == [f"book.{kind}", f"page.{kind}"]
    assert all(file.read_bytes().startswith(begins) for file in files)
    again = rtocr("read", page, "-q", "-o", tmp_path / "texts", "--format", kind)
    assert (again.code, "already contains" in again.err[-1]) == (1, True)


def test_a_kind_of_file_goes_with_a_folder_alone(rtocr, page, tmp_path):
    for output in (tmp_path / "out.md", "-"):
        result = rtocr("read", page, "-q", "-o", output, "--format", "pdf")
        assert (result.code, "goes with -o FOLDER" in result.err[-1]) == (2, True)


def test_no_text_in_a_folder_is_named_as_the_true_text_of_a_scan(rtocr, page, tmp_path):
    result = rtocr("read", page, "-q", "-o", tmp_path, "--format", "txt")
    assert result.code == 1
    assert "would be named as the true text of" in result.err[-1]
    assert not list(tmp_path.glob("*.txt"))


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


def test_a_dash_in_place_of_a_file_name_is_stdout(rtocr, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rtocr("read", page, "-q", "-o", "-").out == rtocr("read", page, "-q").out
    assert not Path("-").exists()


def test_what_is_written_to_a_file_is_what_would_go_to_stdout(rtocr, book, tmp_path):
    expected = rtocr("read", book, "-q").out
    result = rtocr("read", book, "-q", "-o", tmp_path / "out.md")
    assert (result.code, result.out, result.err) == (0, "", [])
    assert (tmp_path / "out.md").read_text(encoding="utf-8") == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.pdf", "out.md"]


def test_nothing_is_written_where_no_page_could_be_read(rtocr, tmp_path):
    out = tmp_path / "out.md"
    out.write_text("old")
    assert rtocr("read", tmp_path / "missing.png", "-o", out).code == 1
    assert out.read_text() == "old"


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


@pytest.mark.parametrize(
    ("tables", "table"),
    [
        ((), "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>"),
        (("--tables", "pipe"), "| a | b |\n| --- | --- |\n| 1 | 2 |"),
    ],
)
def test_a_file_that_is_named_so_is_plain_text_without_figures(
    rtocr, page, book, grounded, tmp_path, tables, table
):
    (tmp_path / "out.assets").mkdir()
    page = page.rename(tmp_path / "out.assets" / "page-1-figure-1.png")
    out = tmp_path / "out.txt"
    result = rtocr("read", book, page, "-q", "--pages", "1", "-o", out, *tables, engine=grounded)
    assert (result.code, result.err) == (0, [])
    text = f"See below.\n\n\n{table}\n"
    assert out.read_text(encoding="utf-8") == f"{text}\n{text}"
    assert list((tmp_path / "out.assets").iterdir()) == [page]


def test_a_file_that_is_named_so_is_a_pdf_of_the_pages_in_which_blocks_have_their_text(
    rtocr, page, book, grounded, tmp_path
):
    out = tmp_path / "out.PDF"
    result = rtocr("read", book, page, "-q", "--pages", "1", "-o", out, "--rotate", "90", engine=grounded)
    assert (result.code, result.err) == (0, [])
    assert not (tmp_path / "out.assets").exists()
    assert [text.split() for text in texts_in(out)] == [["See", "below.", "a", "b", "1", "2"]] * 2
    assert sizes_in(out) == [pytest.approx((300, 200), abs=1), pytest.approx((632, 842), abs=1)]


def test_a_page_of_a_pdf_that_could_not_be_read_is_there_without_text(rtocr, page, book, tmp_path):
    engine = FakeEngine()
    engine.broken_pages = {"page.png"}
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"no picture")
    out = tmp_path / "out.pdf"
    result = rtocr("read", page, damaged, book, "-q", "--pages", "1", "-o", out, engine=engine)
    assert result.code == 1
    assert [text.split()[:2] for text in texts_in(out)] == [[], ["page", "1"]]


@pytest.mark.parametrize("name", ["out.md", "out.pdf"])
def test_a_full_disk_ends_the_reading_and_is_tried_again_in_the_end(
    rtocr, page, book, tmp_path, monkeypatch, name
):
    write, tries = files.write_atomically, []

    def write_when_free(path: Path, data: bytes) -> None:
        tries.append(len(data))
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, "full")
        write(path, data)

    monkeypatch.setattr(writing, "write_atomically", write_when_free)
    result = rtocr("read", page, book, "-q", "-o", tmp_path / name)
    assert result.code == 1
    assert f"“{name}” was not written: the disk is full" in result.err[-1]
    assert len(tries) == 2
    assert (tmp_path / name).exists()


def test_a_page_that_could_not_be_read_has_no_place_in_markdown(rtocr, page, book, tmp_path):
    engine = FakeEngine()
    engine.broken_pages = {"page.png"}
    assert rtocr("read", page, book, "-q", "--pages", "1", "-o", tmp_path / "out.md", engine=engine).code == 1
    assert (tmp_path / "out.md").read_text("utf-8").count("<!-- page:") == 1


def test_a_page_too_large_for_the_memory_is_left_out_of_a_pdf(rtocr, page, book, tmp_path, monkeypatch):
    add = PicturePdf.add_page

    def add_small(pdf: PicturePdf, page: PageImage, lines: object) -> None:
        if page.ref.path.suffix == ".png":
            raise MemoryError
        add(pdf, page, lines)

    monkeypatch.setattr(PicturePdf, "add_page", add_small)
    result = rtocr("read", page, book, "-q", "--pages", "1", "-o", tmp_path / "out.pdf")
    assert result.code == 1
    assert "page.png, page 1: left out. There is not enough memory" in result.err[0]
    assert len(texts_in(tmp_path / "out.pdf")) == 1


def test_a_pdf_is_replaced_only_where_that_is_wanted(rtocr, page, book, tmp_path):
    before = book.read_bytes()
    result = rtocr("read", page, "-q", "-o", book)
    assert (result.code, result.err[-1]) == (
        2,
        f"rtocr read: error: “{book}” already exists: choose another name, or give --replace",
    )
    assert rtocr("read", page, book, "-q", "-o", book, "--replace").code == 2
    assert book.read_bytes() == before
    assert rtocr("read", page, "-q", "-o", book, "--replace").code == 0
    assert [text.split()[:4] for text in texts_in(book)] == [["page", "1", "of", "page.png"]]


def test_a_name_that_ends_like_a_folder_is_no_pdf(rtocr, page, tmp_path):
    result = rtocr("read", page, "-q", "-o", f"{tmp_path}/out.pdf/")
    assert result.code == 2
    assert "there is no folder" in result.err[-1]


def test_a_folder_may_be_named_like_a_pdf(rtocr, page, tmp_path):
    (tmp_path / "texts.pdf").mkdir()
    assert rtocr("read", page, "-q", "-o", tmp_path / "texts.pdf").code == 0
    assert [path.name for path in (tmp_path / "texts.pdf").iterdir()] == ["page.md"]


def test_lines_are_joined_to_paragraphs_where_that_is_wanted(rtocr, page, grounded):
    engine = FakeEngine()
    engine.said = ["It begins on this line\n", "and goes on in the next."]
    assert "this line\nand goes" in rtocr("read", page, "-q", engine=engine).out
    assert "this line and goes" in rtocr("read", page, "-q", "--join-lines", engine=engine).out
    assert "See below.\n\n\n<table>" in rtocr("read", page, "-q", "--join-lines", engine=grounded).out


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


def test_a_file_that_stdout_goes_to_is_written_to_and_not_replaced(rtocr, page, tmp_path, monkeypatch):
    file, status = tmp_path / "notes.md", os.fstat
    file.write_text("Mine.")
    monkeypatch.setattr(os, "fstat", lambda fd: file.stat() if fd == 1 else status(fd))
    result = rtocr("read", page, "-q", "-o", file)
    assert (result.code, result.out) == (0, rtocr("read", page, "-q").out)
    assert rtocr("plan", page, "--overlay", file).code == 2
    assert file.read_text() == "Mine."


def test_a_long_output_is_not_written_again_at_each_page(rtocr, book, tmp_path, monkeypatch):
    written, seconds = [], itertools.count()

    def export(pages, path):
        written.append(len(pages))
        export_markdown(pages, path)

    monkeypatch.setattr(text_output, "export_markdown", export)
    clock = SimpleNamespace(monotonic=lambda: next(seconds))  # each writing takes one
    monkeypatch.setattr(text_output, "time", clock)
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
