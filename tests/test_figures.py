"""Figures are cut out of their page and linked where they stand."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.errors import ExportError
from rtocr_gui.export.figures import assets_folder, figures_of, link_figures, write_figures
from rtocr_gui.ocr.reading import TASKS, Block
from rtocr_gui.ocr.text.markup import parse_blocks, strip_grounding

RAW = (
    "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 99]]<|/det|>\n# Report\n\n"
    "<|ref|>image<|/ref|><|det|>[[100, 200, 500, 600], [600, 200, 999, 600]]<|/det|>\n"
    "<|ref|>image_caption<|/ref|><|det|>[[100, 620, 500, 650]]<|/det|>\nFigure 1\n\n"
    "<|ref|>Image<|/ref|><|det|>[[0, 700, 300, 999]]<|/det|>\n"
)
TEXT = strip_grounding(RAW, TASKS[0])
BLOCKS = parse_blocks(RAW, TASKS[0])
FIGURES = figures_of(BLOCKS, [block.start for block in BLOCKS])
ASSETS = Path("a.assets")


def page(size: tuple[int, int] = (999, 1998)) -> PageImage:
    """Red where the first figure lies, white elsewhere."""
    image = Image.new("RGB", size, "white")
    image.paste("red", (100, 400, 500, 1200))
    return PageImage(PageRef(Path("/scans/a.png"), 0, sha256="a"), image, dpi=None)


def test_only_pictures_are_figures_each_box_for_itself() -> None:
    assert [figure.block.boxes[0][:2] for figure in FIGURES] == [(100, 200), (600, 200), (0, 700)]


def test_a_figure_is_cut_out_of_the_page_to_its_edges(tmp_path: Path) -> None:
    folder = assets_folder(tmp_path / "report.md")
    write_figures(page(), FIGURES, 3, folder)
    assert folder == tmp_path / "report.assets"
    assert sorted(file.name for file in folder.iterdir()) == [f"page-3-figure-{n}.png" for n in (1, 2, 3)]
    with Image.open(folder / "page-3-figure-1.png") as figure:
        assert figure.size == (400, 800)
        assert figure.getcolors() == [(400 * 800, (255, 0, 0))]


def test_a_figure_keeps_the_pixels_that_its_edges_run_through(tmp_path: Path) -> None:
    write_figures(page((998, 998)), FIGURES, 1, tmp_path)
    with Image.open(tmp_path / "page-1-figure-1.png") as figure:
        assert figure.size == (500 - 99, 600 - 199)


def test_a_page_without_figures_makes_no_folder(tmp_path: Path) -> None:
    write_figures(page(), (), 1, tmp_path / "out.assets")
    assert list(tmp_path.iterdir()) == []
    assert link_figures("text\n", (), 1, tmp_path / "out.assets") == "text\n"


def test_an_earlier_export_is_replaced_and_nothing_else_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out.assets"
    folder.mkdir()
    for name in ("page-1-figure-1.png", "mine.txt"):
        (folder / name).write_bytes(b"old")
    write_figures(page(), FIGURES[:1], 1, folder)
    assert (folder / "mine.txt").read_bytes() == b"old"
    assert (folder / "page-1-figure-1.png").read_bytes() != b"old"


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "out.assets").write_bytes(b"mine")
    with pytest.raises(ExportError, match="is a file and not a folder"):
        write_figures(page(), FIGURES, 1, tmp_path / "out.assets")
    assert (tmp_path / "out.assets").read_bytes() == b"mine"


def test_links_stand_in_paragraphs_of_their_own_where_the_figures_stood() -> None:
    assert link_figures(TEXT, FIGURES, 1, Path("report.assets")) == (
        "# Report\n\n"
        "![](report.assets/page-1-figure-1.png)\n\n![](report.assets/page-1-figure-2.png)\n\n"
        "Figure 1\n\n"
        "![](report.assets/page-1-figure-3.png)\n"
    )


def linked(text: str, *places: int) -> str:
    """The text with figures at some places, each seen as 《1》."""
    figures = figures_of([Block("image", ((1, 1, 9, 9),), 0, 0)] * len(places), places)
    return re.sub(
        r"!\[\]\(a\.assets/page-1-figure-(\d)\.png\)", r"《\1》", link_figures(text, figures, 1, ASSETS)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntw^o three", "《1》\n\none\ntwo three"),
        ("one two\nth^ree", "one two\nthree\n\n《1》"),
        ("one^\n\ntwo", "one\n\n《1》\n\ntwo"),
        ("one\n^\ntwo\n", "one\n\n《1》\n\ntwo\n"),
        ("one\n\n^\n\n\ntwo", "one\n\n《1》\n\n\n\ntwo"),
        ("# One\n^two", "# One\n\n《1》\n\ntwo"),
        ("# One\n\ntwo^", "# One\n\ntwo\n\n《1》"),
        ("\n^\none", "《1》\n\none"),
        ("one\n\n[1^]: two", "one\n\n《1》\n\n[1]: two"),
        ("one\n\n[1]: two\n^</pre>\n# Three", "one\n\n《1》\n\n[1]: two\n</pre>\n# Three"),
        ("^```\none\n```\n", "《1》\n\n```\none\n```\n"),
        ("```\none\n\n^two\n```\n\nend", "```\none\n\ntwo\n```\n\n《1》\n\nend"),
        ("```\none\n^two", "《1》\n\n```\none\ntwo"),
        ("| a |\n|---|\n|^1|\n", "| a |\n|---|\n|1|\n\n《1》\n"),
        ("- one\n- t^wo\n- three\n", "《1》\n\n- one\n- two\n- three\n"),
        ("<table>\n<tr>^</tr>\n</table>\nx", "《1》\n\n<table>\n<tr></tr>\n</table>\nx"),
        ("<table><tr><td>1\n\n^2</td></tr></table>", "《1》\n\n<table><tr><td>1\n\n2</td></tr></table>"),
        ("one\n\n<table><tr><td>1\n\n^2", "one\n\n《1》\n\n<table><tr><td>1\n\n2"),
        ("one\n\n<!-- 1\n\n2^", "one\n\n《1》\n\n<!-- 1\n\n2"),
    ],
)
def test_a_figure_stands_between_blocks_near_its_place(text: str, expected: str) -> None:
    assert linked(text.replace("^", ""), text.index("^")) == expected


def test_figures_keep_their_order_wherever_they_move() -> None:
    assert linked("one two", 1, 2, 6, 7) == "《1》\n\n《2》\n\none two\n\n《3》\n\n《4》"
    assert linked("one\n\ntwo", 5, 0) == "one\n\n《1》\n\n《2》\n\ntwo"


LINES = [
    *(
        "words",
        "more words",
        "",
        "",
        "# Title",
        "---",
        "```",
        "~~~",
        "- item",
        "  more",
        "2. item",
        "> quoted",
    ),
    *(
        "    code",
        "| a | b |",
        "|---|---|",
        "<table><tr><td>1",
        "2</td></tr></table>",
        "<table><tr><td>3</td>",
    ),
    *("<div>", "</div>", "<!--", "-->", "<pre>", "</pre>", "`a <table>`", "[1]: note"),
]


@example("[1]: note\n</pre>\n# Title", [9])
@example("[1]: note\n2. item\n\n    code", [22])
@given(st.lists(st.sampled_from(LINES), max_size=12).map("\n".join), st.lists(st.integers(0, 80), max_size=3))
def test_a_text_with_figures_looks_as_before_but_for_them(text: str, places: list[int]) -> None:
    places = sorted(min(place, len(text)) for place in places)
    result = linked(text, *places)
    numbers = "".join(str(number) for number in range(1, len(places) + 1))
    assert "".join(re.findall("《(.)》", result)) == numbers
    assert re.sub(r"《.》|\n", "", result) == text.replace("\n", "")
    parser = MarkdownIt("commonmark").enable("table")
    shown = parser.render(f"{result}\n")
    assert "".join(re.findall("<p>《(.)》</p>\n", shown)) == numbers
    assert re.sub("<p>《.》</p>\n", "", shown) == parser.render(f"{text}\n")


def test_a_name_in_no_known_alphabet_makes_a_link() -> None:
    folder = Path(os.fsdecode(b"caf\xe9.assets"))
    assert link_figures("", FIGURES[:1], 1, folder) == "![](caf%E9.assets/page-1-figure-1.png)"


def test_any_file_name_makes_a_link_that_leads_there() -> None:
    folder = assets_folder(Path("my (new) ünit [2] 50%.md"))
    text = link_figures("", FIGURES[:1], 1, folder)
    (paragraph,) = [token for token in MarkdownIt("commonmark").parse(text) if token.type == "inline"]
    (image,) = paragraph.children or []
    assert image.attrs["src"] == ("my%20%28new%29%20%C3%BCnit%20%5B2%5D%2050%25.assets/page-1-figure-1.png")
