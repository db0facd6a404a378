"""What a column is filled with stands where its block says, as its layout asks for."""

import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from recipe.blocks import Block
from recipe.design import Design, Layout, choose_design
from recipe.makeup import Column
from recipe.pages import PageKind, draw_page
from recipe.typefaces import Style, find_typefaces
from recipe.typesetting import Sheet
from tests.miniature.materials import DOCUMENT

PLAIN = Layout()
FULL = Layout(
    above_heading=2.0,
    below_heading=1.0,
    heading_scale=1.5,
    numbered=True,
    number_gap=1.5,
    inset=3.0,
    list_inset=2.0,
    item_gap=1.0,
    mono_words=True,
    uneven=True,
)
DOCUMENTS = replace(DOCUMENT, damaged=0.0)
MANUALS = replace(DOCUMENTS, manuals=1.0)
NARROW = PageKind((256, 430), (1.0, 1.2), (10.0, 40.0), rich=1.0, damaged=0.0)


def column(layout: Layout, seed: int = 1, height_px: float = 900) -> Column:
    rng = random.Random(seed)
    faces = find_typefaces(held_out=False)
    design = replace(choose_design(rng, faces, 10.0), layout=layout, style=Style.REGULAR, indent=0.0)
    return Column(Sheet(Image.new("L", (900, 1000), 255)), rng, design, 150, 800, 50, 50 + height_px)


def text_px(design: Design) -> float:
    return design.text_type.size_px


def lefts(of: Column) -> list[float]:
    """Where each printed line begins."""
    print_ = of.sheet.print
    return [float(print_.boxes[print_.lines == line, 0].min()) for line in np.unique(print_.lines)]


@pytest.mark.parametrize("kind", [DOCUMENTS, MANUALS, NARROW], ids=["document", "manual", "narrow"])
def test_every_character_is_on_the_sheet_and_in_the_box_of_a_block(kind: PageKind) -> None:
    for index in range(120):
        page = draw_page(kind, 31, index)
        x, y = page.print.centres.T
        boxes = np.array([block.box for block in page.blocks]).reshape(-1, 4, 1)
        left, top, right, bottom = boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]
        inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        assert inside.any(axis=0).all(), index
        assert (y < page.image.height).all(), index


@pytest.mark.parametrize(
    ("centred", "said"), [(False, "short\n{0}"), (True, "{0}\n{0}\nshort\n{0}")], ids=["left", "centred"]
)
def test_an_indented_line_ends_in_its_column_whichever_is_the_first(centred: bool, said: str) -> None:
    of = column(PLAIN)
    type_ = of.design.text_type
    wide = "m" * int(of.width / type_.width("m"))
    lines = [[wide], [wide], ["short"], [wide]]
    block = of._lines("text", lines, type_, first_indent_px=2 * type_.width("m"), centred=centred)
    assert block is not None
    assert block.text == said.format(wide)
    assert of.sheet.print.boxes[:, 2].max() <= of.right + 1


def heading(of: Column) -> Block:
    """The first heading that is not centred."""
    while True:
        block = of.heading(2)
        assert block is not None
        centre = (block.box[0] + block.box[2]) / 2
        if abs(centre - (of.left + of.right) / 2) > 60:
            return block


def test_a_numbered_heading_stands_left_of_the_text_with_its_number_in_box_and_words() -> None:
    of = column(FULL)
    block = heading(of)
    assert block.box[0] == pytest.approx(150 - 3 * text_px(of.design), abs=2)
    assert block.text.split()[0].rstrip(".").replace(".", "").isdigit()
    assert block.markdown == f"## {block.text.replace(chr(10), ' ')}"
    plain = column(PLAIN)
    assert heading(plain).box[0] == pytest.approx(150, abs=2)


def test_space_above_and_below_headings_is_that_of_the_layout() -> None:
    tops = {}
    for name, layout in (("plain", PLAIN), ("loose", Layout(above_heading=2.0, below_heading=1.0))):
        of = column(layout)
        block = of.heading(2)
        assert block is not None
        tops[name] = block.box[1], of.top
    size = text_px(column(PLAIN).design)
    assert tops["loose"][0] - tops["plain"][0] == pytest.approx(2 * size)
    assert tops["loose"][1] - tops["plain"][1] == pytest.approx(3 * size)


def test_a_heading_without_room_below_its_space_is_left_out_and_takes_none() -> None:
    of = column(FULL, height_px=15)
    assert of.heading(1) is None
    assert of.top == 50
    assert of.sheet.print.characters == ""


def test_items_are_inset_with_their_marks_and_apart() -> None:
    plain, full = column(PLAIN), column(FULL)
    blocks = [of.item_list() for of in (plain, full)]
    assert all(blocks)
    size = text_px(full.design)
    assert min(lefts(full)) - min(lefts(plain)) == pytest.approx(2 * size, abs=1)
    heights = [block.box[3] - block.box[1] for block in blocks if block]
    items = len(blocks[1].markdown.splitlines()) if blocks[1] else 0
    assert items > 1
    assert heights[1] - heights[0] >= (items - 1) * size - 1


@pytest.mark.parametrize("seed", range(4))
def test_an_item_has_one_mark_in_markdown(seed: int) -> None:
    block = column(FULL, seed).item_list()
    assert block is not None
    marks = [line.split()[0] for line in block.markdown.splitlines()]
    assert marks in (["-"] * len(marks), [f"{number}." for number in range(1, len(marks) + 1)])
    assert len(block.markdown.split()) == len(block.text.split())


def test_what_follows_a_term_hangs_and_entries_are_paragraphs() -> None:
    for seed in range(20):
        of = column(FULL, seed)
        block = of.definitions()
        assert block is not None
        entries = block.markdown.split("\n\n")
        starts = lefts(of)
        if len(entries) > 1 and len(starts) > len(entries):
            break
    assert min(starts) == pytest.approx(150 + 2 * text_px(of.design), abs=2)
    assert starts.count(min(starts)) == len(entries)
    assert block.text.count("\n") == len(starts) - 1


def test_columns_of_a_table_have_equal_widths_unless_the_layout_says_otherwise() -> None:
    spread = {}
    for name, layout in (("plain", PLAIN), ("uneven", FULL)):
        edges = np.array(column(layout)._column_edges(4, 100))
        assert edges[-1] - edges[0] == pytest.approx(400)
        spread[name] = float(np.ptp(np.diff(edges)))
    assert spread["plain"] < 1e-6 < 10 < spread["uneven"]


def test_a_word_too_wide_for_its_cell_is_cut_and_not_left_out() -> None:
    cells: list[str] = []
    for seed in range(60):
        of = column(FULL, seed)
        of.right = of.left + 300
        block = of.table()
        cells += block.text.replace("\n", "\t").split("\t") if block else []
    assert len(cells) > 200
    assert 0 < cells.count("") / len(cells) < 0.08


def term_tables(count: int) -> list[tuple[Column, Block]]:
    columns = [column(FULL, seed) for seed in range(count)]
    tables = [(of, of.term_table()) for of in columns]
    return [(of, block) for of, block in tables if block is not None]


def test_a_table_of_terms_has_many_words_in_a_cell_and_stays_in_its_column() -> None:
    tables = term_tables(40)
    assert len(tables) == 40
    rows = [line.split("\t") for _, block in tables for line in block.text.splitlines()[1:]]
    assert {len(row) for row in rows} == {2, 3}
    descriptions = [row[1] for row in rows]
    assert (
        np.mean([len(said.split()) for said in descriptions])
        > 3
        > np.mean([len(row[0].split()) for row in rows])
    )
    assert 0 < descriptions.count("") / len(rows) < 0.08
    for of, block in tables:
        assert block.box[2] <= of.right
        assert of.sheet.print.boxes[:, 2].max() <= block.box[2]
        assert block.markdown.count("<tr>") == len(block.text.splitlines())


def test_rows_of_a_table_of_terms_may_be_as_tight_as_lines() -> None:
    heights = [
        (block.box[3] - block.box[1]) / len(block.text.splitlines()) / text_px(of.design)
        for of, block in term_tables(40)
    ]
    assert 1.05 <= min(heights) < 1.2 < 1.5 < max(heights) <= 1.6


def test_a_table_of_terms_without_room_is_left_out() -> None:
    of = column(FULL)
    of.right = of.left + 13 * text_px(of.design)
    assert of.term_table() is None
    assert column(FULL, height_px=15).term_table() is None


def test_manuals_have_more_tables_than_other_documents() -> None:
    tables = {
        name: sum(block.kind == "table" for index in range(80) for block in draw_page(kind, 35, index).blocks)
        for name, kind in (("manual", MANUALS), ("document", DOCUMENTS))
    }
    assert tables["manual"] > 1.1 * tables["document"] > 0


def test_rules_of_a_table_stand_where_its_columns_end() -> None:
    of = column(FULL)
    edges = [150.0, 260.0, 500.0]
    of._rule_table("grid", edges, [100.0, 140.0])
    row = np.asarray(of.sheet.image)[120]
    assert np.flatnonzero(row == 0).tolist() == [150, 260, 500]


def test_running_lines_of_some_documents_are_ruled_off() -> None:
    def dark_rows(page_index: int) -> bool:
        page = draw_page(DOCUMENTS, 33, page_index)
        if not any(block.kind == "header" for block in page.blocks):
            return False
        header = next(block for block in page.blocks if block.kind == "header")
        strip = np.asarray(page.image)[int(header.box[3]) : int(header.box[3]) + 3]
        return bool(((strip < 100).mean(axis=1) > 0.5).any())

    assert any(dark_rows(index) for index in range(40))
