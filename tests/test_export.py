"""What leaves the program: Markdown that gives every page back, whole files, overlay and plan."""

import errno
import html
import json
import os
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFilter

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import ExportError
from rtocr_gui.export.file_names import text_files
from rtocr_gui.export.looks import BORDER_RGB, OPACITY, VEIL_RGB
from rtocr_gui.export.markdown import ExportPage, export_markdown, markdown_of_pages
from rtocr_gui.export.overlay import draw_overlay
from rtocr_gui.export.page_source import source_as_json
from rtocr_gui.export.plain_text import export_plain_text
from rtocr_gui.export.plan_json import PlanSource, plan_as_json
from rtocr_gui.export.tables import missing_ends
from rtocr_gui.export.text_formats import TextFormat
from rtocr_gui.export.writing import check_target, make_folder, write_bytes_atomically, write_text_atomically
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.tokens import TokenKind
from tests.made_pages import blank_page
from tests.made_plans import make_plan

# Markdown


def pages_of(markdown: str) -> list[ExportPage]:
    """Cut an exported file at its comments, as a script that reads it would."""
    parts = re.split(r"(?:\A|\n---\n\n)<!-- page: (.*) -->\n\n", markdown)
    assert parts[0] == ""
    return [
        ExportPage(html.unescape(label), text.removesuffix("\n"))
        for label, text in zip(parts[1::2], parts[2::2], strict=True)
    ]


def test_pages_are_separated_by_a_rule_and_named_by_a_comment():
    pages = [
        ExportPage("letter.pdf, page 1", "# Offer\n\nDear Sir"),
        ExportPage("letter.pdf, page 2", "Yours"),
    ]
    assert markdown_of_pages(pages) == (
        "<!-- page: letter.pdf, page 1 -->\n\n# Offer\n\nDear Sir\n"
        "\n---\n\n"
        "<!-- page: letter.pdf, page 2 -->\n\nYours\n"
    )


def test_a_rule_between_pages_never_turns_the_line_above_into_a_heading():
    from markdown_it import MarkdownIt

    pages = [
        ExportPage("a", text)
        for text in ("plain", "ends with a newline\n", "- a list", "| a |\n|---|\n| b |")
    ]
    tokens = [
        token.type for token in MarkdownIt("commonmark").enable("table").parse(markdown_of_pages(pages))
    ]
    assert tokens.count("hr") == 3
    assert tokens.count("html_block") == 4
    assert "heading_open" not in tokens


class Place(HTMLParser):
    """Which tables are open where the second page begins, and the element that it is alone in."""

    def __init__(self) -> None:
        super().__init__()
        self.of_second: list[str] | None = None
        self._tables: list[str] = []
        self._innermost = ""

    def handle_starttag(self, tag, attrs):
        self._innermost = tag
        if tag == "table":
            self._tables.append(tag)

    def handle_endtag(self, tag):
        if tag == "table" and self._tables:
            self._tables.pop()

    def handle_data(self, data):
        if data == "Second page":
            self.of_second = [*self._tables, self._innermost]


def place_of_second(markdown: str) -> list[str] | None:
    from markdown_it import MarkdownIt

    place = Place()
    place.feed(MarkdownIt("commonmark").render(markdown))
    return place.of_second


@pytest.mark.parametrize(
    "cut",
    [
        "<table><tr><td>1</td><td>2",
        "<table><tr><td>\n\n<TABLE border=1><tr><td>nested",
        "text\n\n```\n<table>",
        "~~~ python\nprint()\n",
        "```\n</table>\n```\n\n<table><tr><td>",
        "````\n```\ncode\n```",
        "  ```\ncode\n    ```",
        "```\ncode\n```x\ncode",
        "```\ncode\n~~~",
        "<table><tr><td>\n\n~~~~\ncode\n~~~",
        "<table><tr><td>`</td></tr></table>\n<table><tr><td>`",
        "</table>\n<table><tr><td>1",
        "<table><tr><td>1\n\nThe tag `</table>` ends it",
        "- item\n\n  ```\n  code",
        "- ```\n  code\n\ntext\n```\ncode",
        "text\n\n<pre>\nls -l",
        "<PRE class=x>",
        "<textarea>\n\nmore",
        "<script src=x>",
        "<style>\n\np {}",
        "<!-- a remark",
        "<!DOCTYPE html",
        "<?php\n\necho 1;",
        "<![CDATA[\n\nx",
        "<pre>\n<table><tr><td>1",
    ],
)
def test_what_a_page_leaves_open_does_not_take_in_the_next_one(cut):
    whole = markdown_of_pages([ExportPage("a", cut), ExportPage("b", "Second page")])
    assert place_of_second(whole) == ["p"]
    assert cut in whole
    assert markdown_of_pages([ExportPage("a", cut)]).endswith(f"{cut}\n")


def test_a_page_is_ended_also_after_lists_nested_too_deep():
    cut = f"{12 * '- '}cut here\n\n```\ncode"
    assert f"{cut}\n```\n" in markdown_of_pages([ExportPage("a", cut), ExportPage("b", "Second page")])


def test_what_a_page_ends_itself_is_not_ended_again():
    for whole in (
        "<table><tr><td>1</td></tr></table>",
        "```\n<table>\n```",
        "</table>",
        "a < table",
        "plain",
        "```foo``` is inline code",
        "````md\n```\n<table>\n````",
        "```\ncode\n```x\ncode\n  `````  ",
        "    ```\nno fence",
        "- ```\n  code\n  ```",
        "1. ```\n   code",
        "> ```\n> code",
        "The tag `<table>` and ``a ` <table>``",
        "<!-- <table> -->\n\ntext <!-- <table> -->",
        "<table><tr><td>1</td></tr></table>\n```",
        "<pre>\nls\n</pre>",
        "the tag <pre> in a line",
        "<div>\ntext",
        "<?php echo 1; ?>\ntext",
    ):
        assert missing_ends(whole) == ""


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "```",
                    "````",
                    "~~~",
                    "~~~~",
                    "  ```",
                    "   ~~~",
                    "``` py",
                    "~~~ a`b",
                    "```x",
                    "```foo``` in line",
                ),
                *("`", "`x", "`<table>`", "``<table>`", "words", "  words", "", "<!-- <table> -->"),
                *("<table>", "  <table>", "a <table> b", "</table>", "`</table>`", "<td>"),
                *("<table><tr><td>`", "<table><tr><td>1</td></tr></table>", "a <!-- <table> --> b"),
            ]
        ),
        max_size=7,
    ).map("\n".join)
)
def test_pages_end_as_markdown_has_it(text):
    ends = missing_ends(text)
    assert place_of_second(f"{text}\n{ends}\n\n---\n\nSecond page") == ["p"]
    assert not ends or place_of_second(f"{text}\n\n---\n\nSecond page") != ["p"]


@given(
    st.lists(
        st.builds(
            ExportPage,
            st.one_of(
                st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
                st.text("-<>&!\n#;4amp5"),
            ),
            st.text(st.characters(codec="utf-8")).filter(
                lambda text: "<!-- page: " not in text and not missing_ends(text)
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_cutting_the_file_at_its_comments_gives_every_page_back(pages):
    assert pages_of(markdown_of_pages(pages)) == pages


def test_no_pages_give_no_text():
    assert markdown_of_pages([]) == ""


def test_no_file_name_controls_the_terminal_that_shows_its_comment():
    comment = markdown_of_pages([ExportPage("a\x1b]0;b\x07\x9bc.png", "")])
    assert comment.splitlines()[0] == "<!-- page: a\ufffd]0;b\ufffd\ufffdc.png -->"


@pytest.mark.parametrize(
    "label", ["a--b.png", "a-->b.png", "--->", "-", "x\ny.png", "x\ry.png", "AT&T &#45;.png"]
)
def test_no_file_name_can_end_the_comment_that_names_it(label):
    comment = markdown_of_pages([ExportPage(label, "")]).splitlines()[0]
    assert comment.startswith("<!-- page: ")
    assert comment.endswith(" -->")
    assert "--" not in comment[4:-3]
    assert html.unescape(comment.removeprefix("<!-- page: ").removesuffix(" -->")) == label


def test_a_file_name_that_is_no_text_does_not_stop_the_export(tmp_path):
    export_markdown([ExportPage(os.fsdecode(b"scan\xff.png"), "text")], tmp_path / "out.md")
    assert "scan?.png" in (tmp_path / "out.md").read_text(encoding="utf-8")


def test_an_exported_file_is_utf_8_and_ends_with_a_newline(tmp_path):
    path = tmp_path / "out.md"
    export_markdown([ExportPage("a", "Grüße, 漢字\r\nx")], path)
    assert path.read_bytes().endswith("Grüße, 漢字\r\nx\n".encode())


def test_plain_text_is_the_texts_of_the_pages_with_an_empty_line_between_them(tmp_path):
    path = tmp_path / "out.TXT"
    texts = ("# Grüße, 漢字\r\nx", " \n", "\n  <table><tr><td>a\n\n", "", "end")
    export_plain_text([ExportPage("a", text) for text in texts], path)
    assert path.read_bytes() == "# Grüße, 漢字\r\nx\n\n  <table><tr><td>a\n\nend\n".encode()


# Writing


def fail_with(number: int):
    def fail(*_args, **_options):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EACCES, "cannot be changed. Choose another location"),
        (errno.EROFS, "cannot be changed. Choose another location"),
        (errno.EIO, "(Input/output error). Choose another location"),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_export_says_why_and_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, step, number, words
):
    path = tmp_path / "out.md"
    path.write_text("old")
    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail_with(number))
    with pytest.raises(ExportError) as caught:
        write_text_atomically(path, "new")
    assert words in str(caught.value)
    assert "“out.md” was not written" in str(caught.value)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_may_be_open_in_another_program_of_windows_is_told_so(tmp_path, monkeypatch):
    def refuse(*_):
        error = PermissionError(errno.EACCES, "Access is denied")
        error.winerror = 5
        raise error

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(
        ExportError, match=r"or another program has the file open\. Close it there, or choose"
    ):
        write_text_atomically(tmp_path / "out.csv", "x")


def test_a_missing_folder_is_named_though_a_link_leads_there(tmp_path):
    (tmp_path / "out.md").symlink_to(tmp_path / "nowhere" / "out.md")
    with pytest.raises(ExportError) as caught:
        write_text_atomically(tmp_path / "out.md", "x")
    assert f"there is no folder “{tmp_path / 'nowhere'}”" in str(caught.value)


@pytest.mark.parametrize("name", ["no-such-folder/out.md", "file.txt/out.md"])
def test_a_missing_folder_is_named(tmp_path, name):
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(ExportError, match="there is no folder"):
        write_text_atomically(tmp_path / name, "new")


@pytest.mark.parametrize("name", ["no-such-folder/figures", "file.txt/figures"])
def test_a_missing_folder_in_which_one_is_to_be_made_is_named(tmp_path, name):
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(ExportError, match="there is no folder"):
        make_folder(tmp_path / name)


@pytest.mark.parametrize("name", ["no-such-folder/out.md", "file.txt/out.md", ".", "link-to-nowhere"])
def test_a_place_is_refused_beforehand_in_the_words_of_writing(tmp_path, name):
    (tmp_path / "file.txt").write_text("")
    (tmp_path / "link-to-nowhere").symlink_to("no-such-folder/out.md")
    with pytest.raises(ExportError) as before:
        check_target(tmp_path / name)
    with pytest.raises(ExportError) as after:
        write_text_atomically(tmp_path / name, "new")
    assert str(before.value) == str(after.value)


@pytest.mark.parametrize("name", ["new.md", "old.md"])
def test_a_folder_that_cannot_be_changed_is_refused_beforehand(tmp_path, monkeypatch, name):
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "old.md").touch()
    monkeypatch.setattr(os, "access", lambda folder, _: folder != closed.resolve())
    with pytest.raises(ExportError, match=f"“{name}” was not written: the folder .* cannot be changed"):
        check_target(closed / name)


def test_a_folder_that_cannot_be_changed_is_refused_beforehand_as_a_place_for_files(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda folder, _: folder != tmp_path)
    with pytest.raises(ExportError, match=r"The folder .* cannot be changed\. Choose another one"):
        check_target(tmp_path, may_be_folder=True)


@pytest.mark.parametrize("name", ["new.md", "file.txt", "link", "pipe", os.devnull])
def test_a_place_is_found_for_a_file_a_link_a_pipe_and_a_device(tmp_path, name):
    (tmp_path / "file.txt").write_text("old")
    (tmp_path / "link").symlink_to("later.md")
    os.mkfifo(tmp_path / "pipe")
    check_target(tmp_path / name)
    assert (tmp_path / "file.txt").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.txt", "link", "pipe"]


def test_a_folder_as_target_is_refused(tmp_path):
    with pytest.raises(ExportError, match="is a folder"):
        write_text_atomically(tmp_path, "new")


def test_a_device_is_written_into_and_not_replaced():
    write_text_atomically(Path(os.devnull), "new")
    assert not Path(os.devnull).is_file()


def test_half_a_character_is_pointed_at(tmp_path):
    with pytest.raises(ExportError, match="character 3 of the text"):
        write_text_atomically(tmp_path / "out.md", "ab\ud800")
    assert list(tmp_path.iterdir()) == []


def test_bytes_are_written_as_they_are(tmp_path):
    write_bytes_atomically(tmp_path / "x", b"\r\n\0")
    assert (tmp_path / "x").read_bytes() == b"\r\n\0"


# Overlay and plan


PAGE = PageRef(Path("page.png"), 0, "0" * 64)


VEILED = tuple(round(255 + (channel - 255) * OPACITY) for channel in VEIL_RGB)


@pytest.mark.parametrize(
    ("mode", "size", "crop", "grid", "kind"),
    [
        (Mode.TINY, (500, 700), (0, 0), "local", TokenKind.GLOBAL),
        (Mode.BASE, (700, 990), (0, 0), "global", TokenKind.GLOBAL),
        (Mode.BASE, (990, 300), (0, 0), "local", TokenKind.GLOBAL),
        (Mode.GUNDAM, (700, 990), (2, 3), "local", TokenKind.LOCAL),
        (Mode.GUNDAM, (700, 990), (2, 3), "global", TokenKind.GLOBAL),
    ],
)
def test_merged_cells_are_veiled_and_kept_cells_are_clear(mode, size, crop, grid, kind):
    plan = make_plan(0.5, mode, size, crop)
    pixels = np.asarray(draw_overlay(blank_page(size), plan, grid)).astype(int)
    layout = plan.layout
    checked = {True: 0, False: 0}
    for position, kept in zip(layout.prunable, plan.is_kept, strict=True):
        left, top, right, bottom = layout.boxes[position]
        if layout.kinds[position] == kind and right - left > 8 and bottom - top > 8:
            centre = pixels[int(top + bottom) // 2, int(left + right) // 2]
            np.testing.assert_allclose(centre, (255, 255, 255) if kept else VEILED, atol=1)
            checked[bool(kept)] += 1
    assert min(checked.values()) > 10


def test_a_line_runs_between_kept_and_merged_cells_only():
    size = (512, 512)
    plan = make_plan(0.5, Mode.TINY, size)
    pixels = np.asarray(draw_overlay(blank_page(size), plan))
    border = (pixels == BORDER_RGB).all(axis=-1)
    kept = plan.is_kept.reshape(8, 8)
    for row in range(8):
        for column in range(7):
            edge = border[row * 64 + 32, column * 64 + 60 : column * 64 + 68]
            assert edge.any() == (kept[row, column] != kept[row, column + 1])
    assert not border[:, :2].all(axis=0).any(), "the edge of the page is no border"


@pytest.mark.parametrize(
    ("mode", "size", "crop", "reach_px"),
    [
        (Mode.TINY, (37, 23), (0, 0), 1),
        (Mode.BASE, (700, 990), (0, 0), 1),
        (Mode.GUNDAM, (3100, 1500), (3, 2), 2),
    ],
)
@pytest.mark.parametrize("grid", ["local", "global"])
def test_the_line_is_where_kept_and_merged_pixels_are_near(mode, size, crop, reach_px, grid):
    page = blank_page(size)
    plan = make_plan(0.5, mode, size, crop)
    layout = plan.layout
    merged = Image.new("L", size)
    kind = TokenKind.LOCAL if grid == "local" and crop[0] else TokenKind.GLOBAL
    for position in layout.prunable[~plan.is_kept]:
        if layout.kinds[position] == kind and not layout.padding[position]:
            left, top, right, bottom = np.rint(layout.boxes[position]).astype(int).tolist()
            merged.paste(255, (left, top, right, bottom))
    window_px = 2 * reach_px + 1
    expected = ImageChops.difference(
        merged.filter(ImageFilter.MaxFilter(window_px)), merged.filter(ImageFilter.MinFilter(window_px))
    )
    border = (np.asarray(draw_overlay(page, plan, grid)) == BORDER_RGB).all(axis=-1)
    np.testing.assert_array_equal(border, np.asarray(expected) == 255)


def test_a_large_scan_is_drawn_in_seconds():
    size = (4960, 7016)
    page, plan = blank_page(size), make_plan(0.5, Mode.GUNDAM, size, (2, 3))
    started_s = time.process_time()
    draw_overlay(page, plan)
    assert time.process_time() - started_s < 8


def test_text_beneath_the_veil_stays_legible():
    page = blank_page((512, 512))
    page.image.paste("black", (0, 0, 512, 256))
    plan = make_plan(0.02, Mode.TINY, (512, 512))
    pixels = np.asarray(draw_overlay(page, plan).convert("L")).astype(float) / 255
    veiled = ~plan.is_kept.reshape(8, 8)
    row = np.flatnonzero(veiled[0])[0]
    column = np.flatnonzero(veiled[7])[0]
    dark, light = pixels[32, row * 64 + 32] ** 2.2, pixels[480, column * 64 + 32] ** 2.2
    assert (light + 0.05) / (dark + 0.05) > 4.5


def test_keeping_everything_leaves_the_page_as_it_is():
    page = blank_page((640, 480))
    assert draw_overlay(page, make_plan(1.0, Mode.BASE, (640, 480))).tobytes() == page.image.tobytes()


def test_drawing_leaves_the_page_itself_alone():
    page = blank_page((640, 480))
    before = page.image.tobytes()
    draw_overlay(page, make_plan(0.3, Mode.BASE, (640, 480)))
    assert page.image.tobytes() == before


def test_a_plan_for_another_page_is_refused():
    with pytest.raises(ValueError, match="not"):
        draw_overlay(blank_page((100, 100)), make_plan(0.3, Mode.BASE, (640, 480)))


def test_the_source_of_a_half_names_it_as_it_is_in_the_file():
    (top, _) = PAGE.rotated(90).halves(beside=False)
    told = source_as_json(top, "A model", "base")
    assert (told["rotation_deg"], told["cuts"]) == (90, ["left"])


@pytest.mark.parametrize(
    ("mode", "crop", "sequence", "prunable"), [(Mode.BASE, (0, 0), 273, 256), (Mode.GUNDAM, (2, 3), 903, 856)]
)
def test_a_plan_as_json_tells_the_fate_of_every_token(mode, crop, sequence, prunable):
    plan = make_plan(0.25, mode, (700, 990), crop)
    told = json.loads(json.dumps(plan_as_json(plan, PlanSource(PAGE, "A model", mode))))
    of = {"file": "page.png", "page": 1, "sha256": "0" * 64, "rotation_deg": 0, "cuts": []}
    assert told.items() >= (of | {"model": "A model", "mode": mode.value}).items()
    counts = told["counts"]
    assert (counts["sequence"], counts["prunable"], len(told["tokens"])) == (sequence, prunable, prunable)
    assert counts["kept"] == prunable // 4 == sum(token["kept"] for token in told["tokens"])
    assert counts["kept"] + counts["merged"] == prunable
    assert counts["selected"] == counts["kept"] + counts["newlines"] - counts["fallen_newlines"] + 1
    assert len(told["fallen_newlines"]) == counts["fallen_newlines"]
    assert sorted(token["rank"] for token in told["tokens"]) == list(range(prunable))
    assert all(token["kept"] == (token["rank"] < counts["kept"]) for token in told["tokens"])
    by_rank = sorted(told["tokens"], key=lambda token: token["rank"])
    assert [token["norm"] for token in by_rank] == sorted((token["norm"] for token in by_rank), reverse=True)
    assert {token["kind"] for token in told["tokens"]} == ({"local", "global"} if crop[0] else {"global"})
    assert told["grids"] == {"local": [crop[1] * 10, crop[0] * 10], "global": [16, 16]}
    assert any(token["box"] is None for token in told["tokens"]), "letterbox padding covers no page"
    assert told["automatic_retention"] == pytest.approx(0.6 + 0.4 - 0.24)
    assert (told["retention"], told["automatic"], told["page_size_px"]) == (0.25, False, [700, 990])


def test_the_same_plan_gives_the_same_json():
    source = PlanSource(PAGE, "A model", Mode.BASE)
    first, second = (plan_as_json(make_plan(0.25, Mode.BASE, (700, 990)), source) for _ in range(2))
    assert first == second


# A file for each scan


def names_of(*scans: str | Path) -> list[str]:
    return [file.name for file in text_files(map(Path, scans), Path("out"), TextFormat.MARKDOWN).values()]


@pytest.mark.parametrize(
    ("scans", "names"),
    [
        (("a/letter.png", "b/notice.png", "v1.2.tif"), ["letter.md", "notice.md", "v1.2.md"]),
        (("a/letter.png", "b/notice.png", "a/letter.png"), ["letter.md", "notice.md"]),
        (("a/letter.png", "a/Letter.pdf"), ["letter (png).md", "Letter (pdf).md"]),
        (("may/1.png", "june/1.png", "june/2.png"), ["1 (may).md", "1 (june).md", "2.md"]),
        (("may/1.png", "june/1.pdf"), ["1 (png).md", "1 (pdf).md"]),
        (("may/1/a.png", "june/1/a.png"), ["a (may, 1).md", "a (june, 1).md"]),
        (("may/1.png", "may/1.tif", "1.tif"), ["1 (may, png).md", "1 (may, tif).md", "1 (tif).md"]),
        (("/1.png", "/may/1.png"), ["1.md", "1 (may).md"]),
        (("a/cafe\u0301.png", "b/caf\u00e9.png"), ["cafe\u0301 (a).md", "caf\u00e9 (b).md"]),
    ],
)
def test_files_are_named_after_their_scans_and_what_tells_these_apart(scans, names):
    assert names_of(*scans) == names


def test_names_that_a_file_system_takes_for_one_are_numbered():
    assert names_of("a/1 (B).png", "b/1.png", "c/1.png") == ["1 (B).md", "1 (b) (2).md", "1 (c).md"]
    assert names_of("may/1.png", "May/1.png") == ["1 (may, png).md", "1 (May, png) (2).md"]
    composed, decomposed = "may/caf\u00e9.png", "may/cafe\u0301.png"
    assert names_of(composed, decomposed)[1] == "cafe\u0301 (may, png) (2).md"


def test_names_of_any_length_leave_room_for_their_endings():
    scans = [Path(folder, 125 * "ä" + ".png") for folder in "ab"]
    assert names_of(*scans) == [100 * "ä" + ".md", 100 * "ä" + " (2).md"]


def test_many_scans_of_one_name_are_named_in_linear_time():
    def seconds(count: int) -> float:
        scans = [Path(str(number), "scan.png") for number in range(count)]
        began = time.process_time()
        assert len(set(text_files(scans, Path("out"), TextFormat.MARKDOWN).values())) == count
        return time.process_time() - began

    # Linear time is 16 times as long, and quadratic time 256 times.
    assert min(seconds(8000) for _ in range(3)) < 64 * min(seconds(500) for _ in range(3))
