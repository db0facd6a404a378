"""Makes up pages: fills columns with headings, paragraphs, lists, tables, figures and code.

A column is filled from the top until the next thing has no room. Knows what blocks look like;
does not know what happens to the sheet afterwards.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from recipe import facts, texts
from recipe.blocks import Block, html_table
from recipe.typefaces import Style, Typeface
from recipe.typesetting import Sheet, Type, break_lines


@dataclass(frozen=True, slots=True)
class Design:
    """How a page looks.

    Attributes:
        body: typeface of the text.
        display: typeface of headings.
        mono: typeface of code.
        x_height_px: of the body.
        leading: distance from line to line in type sizes.
        paragraph_gap: extra space between blocks in type sizes.
        indent: of the first line of a paragraph, in type sizes.
        justified: True where lines are spread to the column's width.
        style: cut of the body.
        heading_style: cut of the headings.
    """

    body: Typeface
    display: Typeface
    mono: Typeface
    x_height_px: float
    leading: float
    paragraph_gap: float
    indent: float
    justified: bool
    style: Style
    heading_style: Style

    @property
    def text_type(self) -> Type:
        """What paragraphs are set in."""
        return Type.of(self.body, self.style, self.x_height_px)


def choose_design(rng: random.Random, typefaces: tuple[Typeface, ...], x_height_px: float) -> Design:
    """Choose how a page looks; typewriter faces are rare for the body."""
    mono = [typeface for typeface in typefaces if typeface.family.monospaced]
    others = [typeface for typeface in typefaces if not typeface.family.monospaced]
    body = rng.choice(mono) if mono and rng.random() < 0.12 else rng.choice(others)
    return Design(
        body=body,
        display=body if rng.random() < 0.6 else rng.choice(others),
        mono=rng.choice(mono or others),
        x_height_px=x_height_px,
        leading=rng.uniform(1.08, 1.55),
        paragraph_gap=rng.choice((0.0, rng.uniform(0.2, 1.0))),
        indent=rng.choice((0.0, 0.0, 1.0, 1.5)),
        justified=rng.random() < 0.45,
        style=rng.choices((Style.REGULAR, Style.BOLD, Style.ITALIC, Style.BOLD_ITALIC), (82, 8, 8, 2))[0],
        heading_style=rng.choices(
            (Style.BOLD, Style.REGULAR, Style.ITALIC, Style.BOLD_ITALIC), (75, 10, 10, 5)
        )[0],
    )


@dataclass(slots=True)
class Column:
    """A column that is being filled.

    Attributes:
        left: x of its left edge.
        right: x of its right edge.
        top: y where the next thing goes.
        bottom: y below which nothing goes.
    """

    sheet: Sheet
    rng: random.Random
    design: Design
    left: float
    right: float
    top: float
    bottom: float

    @property
    def width(self) -> float:
        """In pixels."""
        return self.right - self.left

    def fill(self, things: Callable[["Column"], "Block | None"], budget: int) -> list[Block]:
        """Add what `things` gives until column or budget of characters is used up, or nothing came twice."""
        blocks: list[Block] = []
        misses = 0
        while misses < 2 and self.top < self.bottom and sum(len(block.text) for block in blocks) < budget:
            block = things(self)
            misses = misses + 1 if block is None else 0
            if block is not None:
                blocks.append(block)
                self.top += self.design.paragraph_gap * self.design.text_type.size_px
        return blocks

    def heading(self, level: int) -> Block | None:
        """A heading; level 1 is the page's title."""
        scale = self.rng.uniform(1.2, 1.9) if level == 1 else self.rng.uniform(1.0, 1.35)
        type_ = Type.of(self.design.display, self.design.heading_style, self.design.x_height_px * scale)
        centred = self.rng.random() < (0.4 if level == 1 else 0.1)
        lines = break_lines(texts.title(self.rng), type_, self.width)
        block = self._lines("title" if level == 1 else "sub_title", lines[:3], type_, centred=centred)
        if block is None:
            return None
        self.top += type_.size_px * self.rng.uniform(0.1, 0.6)
        return Block(block.kind, block.box, block.text, f"{'#' * level} {block.markdown}")

    def paragraph(self, kind: str = "text") -> Block | None:
        """Running text, now and then with words set off."""
        type_ = self.design.text_type
        length = int(self.rng.lognormvariate(5.3, 0.8)) + 1
        lines = break_lines(
            texts.paragraph(self.rng, length), type_, self.width - self.design.indent * type_.size_px
        )
        emphasised = None
        if self.rng.random() < 0.2:
            style = self.rng.choice((Style.BOLD, Style.ITALIC))
            emphasised = Type.of(self.design.body, style, self.design.x_height_px)
        centred = self.rng.random() < 0.05
        return self._lines(
            kind,
            lines,
            type_,
            first_indent=self.design.indent,
            emphasised=emphasised,
            centred=centred,
            justified=True,
        )

    def item_list(self) -> Block | None:
        """Items with bullets or numbers."""
        type_, rng = self.design.text_type, self.rng
        numbered = rng.random() < 0.4
        bullet = rng.choice("•–-*·")
        ending = rng.choice(".)")
        indent = type_.size_px * rng.uniform(1.4, 2.4)
        printed, items, start, rightmost = [], [], self.top, self.left
        for number in range(1, rng.randint(2, 8)):
            mark = f"{number}{ending}" if numbered else bullet
            length = rng.randint(4, 90)
            lines = break_lines(texts.paragraph(rng, length), type_, self.width - indent)[: self._room(type_)]
            lines = [words for words in lines if type_.width(" ".join(words)) <= self.width - indent]
            if not lines:
                break
            for index, words in enumerate(lines):
                baseline = self._next_baseline(type_)
                if index == 0:
                    self.sheet.set_words([mark], type_, self.left, baseline, type_.width(" "))
                end = self.sheet.set_words(words, type_, self.left + indent, baseline, type_.width(" "))
                rightmost = max(rightmost, end)
            said = [" ".join(words) for words in lines]
            printed.append("\n".join([f"{mark} {said[0]}", *said[1:]]))
            items.append(f"{f'{number}.' if numbered else '-'} {' '.join(said)}")
        if not items:
            return None
        return Block("text", (self.left, start, rightmost, self.top), "\n".join(printed), "\n".join(items))

    def code(self) -> Block | None:
        """Lines of a program."""
        type_ = Type.of(self.design.mono, Style.REGULAR, self.design.x_height_px * self.rng.uniform(0.85, 1))
        lines = []
        for _ in range(self.rng.randint(1, 8)):
            lines += break_lines(facts.code(self.rng), type_, self.width)[:1]
        block = self._lines("text", lines, type_)
        return block and Block(block.kind, block.box, block.text, f"```\n{block.text}\n```")

    def table(self) -> Block | None:
        """Rows and columns, with or without rules."""
        rng, type_ = self.rng, self.design.text_type
        row_px = type_.size_px * rng.uniform(1.3, 2.0)
        room = int((self.bottom - self.top) / row_px)
        column_count = rng.randint(2, 5)
        column_px = self.width * rng.uniform(0.7, 1) / column_count
        if room < 2 or column_px < 4 * type_.size_px:
            return None
        numeric = [rng.random() < 0.5 and index > 0 for index in range(column_count)]
        ruled, top = rng.choice(("grid", "rows", "none")), self.top
        rows: list[list[str]] = []
        head = Type.of(self.design.body, Style.BOLD, self.design.x_height_px)
        padding = 0.3 * type_.size_px
        for row in range(min(room, rng.randint(2, 9))):
            self.sheet.begin_line()
            cut = head if row == 0 else type_
            baseline = self.top + (row_px + 1.2 * cut.x_height_px) / 2
            rows.append([])
            for index in range(column_count):
                said = texts.cell(rng, numeric[index] and row > 0)
                words = next(iter(break_lines(said, cut, column_px - 2 * padding)), [])
                words = [] if rng.random() < 0.04 else words
                text_px = cut.width(" ".join(words))
                if text_px > column_px - 2 * padding:
                    words, text_px = [], 0.0
                left = self.left + index * column_px + padding
                if numeric[index]:
                    left += column_px - 2 * padding - text_px
                self.sheet.set_words(words, cut, left, baseline, cut.width(" "))
                rows[-1].append(" ".join(words))
            self.top += row_px
        right = self.left + column_count * column_px
        self._rule_table(ruled, top, row_px, column_px, (len(rows), column_count))
        printed = "\n".join("\t".join(row) for row in rows)
        return Block("table", (self.left, top, right, self.top), printed, html_table(rows))

    def figure(self) -> Block | None:
        """A drawing without words."""
        height = self.width * self.rng.uniform(0.25, 0.7)
        if self.top + height > self.bottom:
            return None
        box = (self.left, self.top, self.right, self.top + height)
        canvas, grey = self.sheet.canvas, self.rng.randint(0, 160)
        canvas.rectangle(box, outline=grey, width=self.rng.randint(1, 3))
        bars = self.rng.randint(3, 12)
        for index in range(bars):
            x = self.left + self.width * (index + 0.2) / bars
            y = self.top + height * self.rng.uniform(0.1, 0.9)
            shape = (x, y, x + 0.6 * self.width / bars, self.top + height * 0.95)
            if self.rng.random() < 0.7:
                canvas.rectangle(shape, fill=self.rng.randint(0, 220))
            else:
                canvas.line(
                    (x, y, self.right - self.width * self.rng.random(), self.top + height / 2),
                    fill=grey,
                    width=2,
                )
        self.top += height + 0.4 * self.design.text_type.size_px
        return Block("image", box, "", "")

    def caption(self, kind: str) -> Block | None:
        """What stands under a figure or a table."""
        rng = self.rng
        type_ = Type.of(
            self.design.body,
            rng.choice((Style.REGULAR, Style.ITALIC)),
            self.design.x_height_px * rng.uniform(0.85, 1),
        )
        label = rng.choice(("Figure", "Fig.", "Table") if kind == "image_caption" else ("Table", "Tab."))
        said = f"{label} {rng.randint(1, 40)}{rng.choice('.:')} {texts.paragraph(rng, rng.randint(10, 90))}"
        return self._lines(kind, break_lines(said, type_, self.width), type_, centred=rng.random() < 0.3)

    def running_line(self, kind: str, text: str) -> Block | None:
        """A header, a footer or a page number."""
        type_ = Type.of(self.design.body, Style.REGULAR, self.design.x_height_px * self.rng.uniform(0.85, 1))
        return self._lines(
            kind, break_lines(text, type_, self.width)[:1], type_, centred=self.rng.random() < 0.5
        )

    def _room(self, type_: Type) -> int:
        return int((self.bottom - self.top) / (type_.size_px * self.design.leading))

    def _next_baseline(self, type_: Type) -> float:
        """Begin a line and move below it."""
        self.sheet.begin_line()
        baseline = self.top + 0.8 * type_.size_px
        self.top += type_.size_px * self.design.leading
        return baseline

    def _lines(
        self,
        kind: str,
        lines: list[list[str]],
        type_: Type,
        *,
        first_indent: float = 0.0,
        emphasised: Type | None = None,
        centred: bool = False,
        justified: bool = False,
    ) -> Block | None:
        """As many lines as there is room for. None where there is room for none."""
        lines = [words for words in lines if type_.width(" ".join(words)) <= self.width][: self._room(type_)]
        if not lines:
            return None
        start, space, leftmost, rightmost = self.top, type_.width(" "), self.right, self.left
        for index, words in enumerate(lines):
            slack = self.width - type_.width(" ".join(words))
            indent = first_indent * type_.size_px if index == 0 and not centred else 0.0
            gap = space
            if centred:
                indent = slack / 2
            elif justified and self.design.justified and index + 1 < len(lines) and len(words) > 1:
                gap += min(2 * space, max(0.0, slack - indent) / (len(words) - 1))
            emphasis = [emphasised if emphasised and self.rng.random() < 0.15 else None for _ in words]
            baseline = self._next_baseline(type_)
            end = self.sheet.set_words(words, type_, self.left + indent, baseline, gap, emphasis)
            leftmost, rightmost = min(leftmost, self.left + indent), max(rightmost, end)
        said = [" ".join(words) for words in lines]
        return Block(
            kind, (leftmost, start, min(self.right, rightmost), self.top), "\n".join(said), " ".join(said)
        )

    def _rule_table(
        self, ruled: str, top: float, row_px: float, column_px: float, shape: tuple[int, int]
    ) -> None:
        rows, columns = shape
        right, bottom = self.left + columns * column_px, top + rows * row_px
        if ruled != "none":
            for row in range(rows + 1):
                self.sheet.canvas.line((self.left, top + row * row_px, right, top + row * row_px), fill=0)
        if ruled == "grid":
            for column in range(columns + 1):
                x = self.left + column * column_px
                self.sheet.canvas.line((x, top, x, bottom), fill=0)
