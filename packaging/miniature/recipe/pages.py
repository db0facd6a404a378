"""Generates pages with their truth.

A page is a function of its kind, a seed and an index; there is no state between pages. Knows no model.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from recipe import texts
from recipe.blocks import Block, grounded_markdown, markdown_text, plain_text
from recipe.degrade import Damage, choose_damage, damage_page
from recipe.design import Design, Layout, choose_design
from recipe.makeup import Column
from recipe.typefaces import find_typefaces
from recipe.typesetting import Print, Sheet

EVALUATION_SEED = 2026
"""No training uses pages of this seed."""

_MOST_INSET = 0.2
"""Largest inset, as a share of the width between the margins."""

_OF_DOCUMENTS, _OF_MANUALS = (18, 46, 10, 5, 9, 6, 6, 0), (18, 36, 10, 12, 3, 1, 6, 14)
"""How frequent headings, paragraphs, lists, definitions, tables, figures, code and tables of terms are."""

_SMALL_TYPE_BIAS = 1.4
"""Above 1, small type is more frequent than large: there is more to learn from it."""


@dataclass(frozen=True, slots=True)
class PageKind:
    """The common properties of pages.

    Attributes:
        width_px: least and greatest width.
        proportion: least and greatest height over width.
        x_height_px: least and greatest x-height of the body.
        rich: share of pages with all parts of a document; the others contain one or two kinds of blocks.
        damaged: share of pages that look scanned.
        blank: share of pages with nothing on them.
        most_characters: a page ends early once it has this many characters.
        held_out: True for the typefaces that the training never sees.
        manuals: share of the rich pages that are laid out like the manuals of programs.
    """

    width_px: tuple[int, int]
    proportion: tuple[float, float]
    x_height_px: tuple[float, float]
    rich: float = 0.5
    damaged: float = 0.5
    blank: float = 0.01
    most_characters: int = 100_000
    held_out: bool = False
    manuals: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Page:
    """A page and its truth.

    Attributes:
        image: grey image.
        blocks: blocks in reading order.
        print: every character and its place.
        family: name of the body's typeface.
        x_height_px: x-height of the body.
    """

    image: Image.Image
    blocks: tuple[Block, ...]
    print: Print
    family: str
    x_height_px: float

    @property
    def text(self) -> str:
        """The printed lines."""
        return plain_text(self.blocks)

    @property
    def markdown(self) -> str:
        """The page as Markdown."""
        return markdown_text(self.blocks)

    @property
    def grounded(self) -> str:
        """The page as Markdown with the kind and box of every block."""
        return grounded_markdown(self.blocks, self.image.size)


def draw_page(kind: PageKind, seed: int, index: int) -> Page:
    """Draw a page.

    Args:
        kind: properties of the page.
        seed: seed of the whole collection.
        index: index of the page within it.

    Returns:
        The page; always the same on the same machine.
    """
    rng = random.Random(f"{seed}:{index}")
    width = rng.randint(*kind.width_px)
    height = round(width * rng.uniform(*kind.proportion))
    low, high = kind.x_height_px
    x_height_px = low * (high / low) ** (rng.random() ** _SMALL_TYPE_BIAS)
    design = choose_design(rng, find_typefaces(kind.held_out), x_height_px)
    damage = choose_damage(rng) if rng.random() < kind.damaged else Damage.none(rng)
    sheet = Sheet(Image.new("L", (width, height), 255))
    rich = rng.random() < kind.rich
    blocks = [] if rng.random() < kind.blank else _make_up(sheet, rng, design, rich, kind)
    scan = damage_page(sheet.image, damage, np.random.default_rng(rng.getrandbits(64)))
    return Page(
        image=scan.image,
        blocks=tuple(scan.move_block(block) for block in blocks),
        print=scan.move_print(sheet.print),
        family=design.body.family.name,
        x_height_px=x_height_px,
    )


def _make_up(sheet: Sheet, rng: random.Random, design: Design, rich: bool, kind: PageKind) -> list[Block]:
    """Fill the sheet; a rich page has a title, running lines and columns."""
    (width, height), budget = sheet.image.size, kind.most_characters
    margins = [rng.uniform(0.01, 0.1) * side for side in (width, height, width, height)]
    if rich and rng.random() < 0.5:
        margins = [rng.uniform(0.06, 0.16) * side for side in (width, height, width, height)]
    if rng.random() < 0.15:
        margins[1] = height * rng.uniform(0.1, 0.6)
    if rich:
        room = _MOST_INSET * (width - margins[0] - margins[2]) / design.text_type.size_px
        layout = Layout.choose(rng)
        design = replace(design, layout=replace(layout, inset=min(layout.inset, room)))
        if kind.manuals and rng.random() < kind.manuals:  # nothing is drawn for pages that can be none
            design = replace(design, layout=replace(design.layout, manual=True, mono_words=True))
    column = Column(sheet, rng, design, margins[0], width - margins[2], margins[1], height - margins[3])
    if not rich:
        return column.fill(_plain_content(rng), budget)
    blocks, last = [], []
    if rng.random() < 0.4:
        blocks += _at_edge(column, "header", texts.running_line(rng))
    foot_px = 1.8 * design.text_type.size_px
    if rng.random() < 0.5 and column.bottom - column.top > 8 * foot_px:
        column.bottom -= foot_px
        number = rng.random() < 0.6
        text = _page_number(rng) if number else texts.running_line(rng)
        foot = Column(sheet, rng, design, column.left, column.right, column.bottom, column.bottom + foot_px)
        last = _at_edge(foot, "page_number" if number else "footer", text)
        column.bottom -= 0.5 * foot_px
    column.left += design.layout.inset * design.text_type.size_px
    if rng.random() < 0.5 and (title := column.heading(1)):
        blocks.append(title)
    gutter = design.text_type.size_px * (rng.uniform(1.2, 3) + design.layout.inset)
    if rng.random() < 0.4 and column.width - gutter > 28 * design.text_type.size_px:
        middle = (column.left + column.right) / 2
        halves = ((column.left, middle - gutter / 2), (middle + gutter / 2, column.right))
        for left, right in halves:
            half = Column(sheet, rng, design, left, right, column.top, column.bottom)
            blocks += half.fill(_rich_content(rng), budget // 2)
    else:
        blocks += column.fill(_rich_content(rng), budget)
    return blocks + last


def _at_edge(column: Column, kind: str, text: str) -> list[Block]:
    """Set a running line, possibly with a rule between it and the text."""
    text_px, above = column.design.text_type.size_px, column.top
    block = column.running_line(kind, text)
    if block and column.design.layout.ruled:
        y = column.top if kind == "header" else above - 0.3 * text_px
        column.sheet.canvas.line((column.left, y, column.right, y), fill=0)
    column.top += text_px * column.rng.uniform(0.2, 1)
    return [block] if block else []


def _page_number(rng: random.Random) -> str:
    number = rng.randint(1, 400)
    return rng.choice(
        (f"{number}", f"– {number} –", f"Page {number}", f"{number} / {number + rng.randint(0, 90)}")
    )


def _plain_content(rng: random.Random) -> Callable[[Column], Block | None]:
    """Return a source of one or two kinds of blocks, mostly paragraphs; sometimes it ends early."""
    kinds = rng.choices((Column.paragraph, Column.item_list, Column.code, Column.table), (80, 9, 5, 6), k=2)
    last = rng.randint(1, 4) if rng.random() < 0.15 else 1000

    def next_block(column: Column) -> Block | None:
        nonlocal last
        last -= 1
        return rng.choice(kinds)(column) if last >= 0 else None

    return next_block


def _rich_content(rng: random.Random) -> Callable[[Column], Block | None]:
    """Return a source of headings, paragraphs, lists, definitions, tables, code, and captioned figures."""
    waiting: list[str] = []

    def next_block(column: Column) -> Block | None:
        if waiting:
            return column.caption(waiting.pop())
        draw: Callable[[], Block | None] = rng.choices(
            (
                lambda: column.heading(2),
                column.paragraph,
                column.item_list,
                column.definitions,
                column.table,
                column.figure,
                column.code,
                column.term_table,
            ),
            _OF_MANUALS if column.design.layout.manual else _OF_DOCUMENTS,
        )[0]
        block = draw()
        if block is not None and block.kind in ("image", "table") and rng.random() < 0.6:
            waiting.append(f"{block.kind}_caption")
        return block

    return next_block
