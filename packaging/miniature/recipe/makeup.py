"""Makes up pages: fills columns with headings, paragraphs, lists, tables, figures and code.

A column is filled from the top until the next thing has no room. Knows what blocks look like;
does not know what happens to the sheet afterwards.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from recipe import facts, texts
from recipe.blocks import Block, html_table
from recipe.typefaces import Style, Typeface
from recipe.typesetting import Sheet, Type, break_lines


@dataclass(frozen=True, slots=True)
class Spacing:
    """White space and rules as documents have them, and plain pages do not; lengths in type sizes.

    Attributes:
        above_heading: extra space.
        below_heading: extra space.
        heading_scale: by how much larger than otherwise headings are.
        numbered: True where headings have numbers.
        number_gap: from the number of a heading to its words.
        inset: of everything but headings and running lines.
        list_inset: of lists and definitions, on top of that.
        item_gap: extra space between their items.
        ruled: True where running lines are ruled off.
        mono_words: True where words are set off by a typewriter face.
        uneven: True where the columns of tables have unequal widths.
    """

    above_heading: float = 0.0
    below_heading: float = 0.0
    heading_scale: float = 1.0
    numbered: bool = False
    number_gap: float = 0.3
    inset: float = 0.0
    list_inset: float = 0.0
    item_gap: float = 0.0
    ruled: bool = False
    mono_words: bool = False
    uneven: bool = False

    @classmethod
    def choose(cls, rng: random.Random) -> "Spacing":
        """Choose the white space of a document."""
        return cls(
            above_heading=rng.uniform(0.2, 2.2),
            below_heading=rng.choice((0.0, rng.uniform(0.2, 1.2))),
            heading_scale=rng.uniform(1.0, 1.5),
            numbered=rng.random() < 0.5,
            number_gap=rng.uniform(0.3, 2.0),
            inset=rng.choice((0.0, 0.0, 0.0, rng.uniform(1, 5))),
            list_inset=rng.choice((0.0, rng.uniform(0.5, 3))),
            item_gap=rng.choice((0.0, rng.uniform(0.2, 1.2))),
            ruled=rng.random() < 0.3,
            mono_words=rng.random() < 0.35,
            uneven=rng.random() < 0.6,
        )


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
        spacing: of a document.
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
    spacing: Spacing = Spacing()

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
        """A heading; level 1 is the page's title. It stands to the left of what is inset."""
        rng, spacing, text_px = self.rng, self.design.spacing, self.design.text_type.size_px
        scale = (rng.uniform(1.2, 1.9) if level == 1 else rng.uniform(1.0, 1.35)) * spacing.heading_scale
        type_ = Type.of(self.design.display, self.design.heading_style, self.design.x_height_px * scale)
        centred = rng.random() < (0.4 if level == 1 else 0.1)
        mark = texts.section_number(rng, level) if spacing.numbered and not centred else ""
        mark_px = type_.width(mark) + spacing.number_gap * type_.size_px if mark else 0.0
        outdent_px = spacing.inset * text_px
        lines = break_lines(texts.title(rng), type_, self.width + outdent_px - mark_px)
        begun = self.top
        self.top += spacing.above_heading * text_px
        block = self._lines(
            "title" if level == 1 else "sub_title",
            lines[:3],
            type_,
            centred=centred,
            start_px=-outdent_px,
            mark=mark,
            mark_px=mark_px,
        )
        if block is None:
            self.top = begun
            return None
        self.top += type_.size_px * rng.uniform(0.1, 0.6) + spacing.below_heading * text_px
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
            emphasised = self._emphasis()
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
        type_, rng, spacing = self.design.text_type, self.rng, self.design.spacing
        numbered = rng.random() < 0.4
        bullet = rng.choice("•–-*·")
        ending = rng.choice(".)")
        indent = type_.size_px * rng.uniform(1.4, 2.4)
        inset = type_.size_px * spacing.list_inset
        items: list[Block] = []
        for number in range(1, rng.randint(2, 8)):
            mark = f"{number}{ending}" if numbered else bullet
            length = rng.randint(4, 90)
            lines = break_lines(texts.paragraph(rng, length), type_, self.width - inset - indent)
            item = self._lines("text", lines, type_, start_px=inset, mark=mark, mark_px=indent)
            if item is None:
                break
            self.top += type_.size_px * spacing.item_gap
            said = f"{f'{number}.' if numbered else '-'} {item.markdown.removeprefix(f'{mark} ')}"
            items.append(replace(item, markdown=said))
        return _joined(items)

    def definitions(self) -> Block | None:
        """Terms that are set off, each with what is said of it, whose further lines hang."""
        type_, rng, spacing = self.design.text_type, self.rng, self.design.spacing
        inset, hang = type_.size_px * spacing.list_inset, type_.size_px * rng.uniform(1, 3)
        term, entries = self._emphasis(), []
        for _ in range(rng.randint(1, 4)):
            lines = break_lines(
                texts.paragraph(rng, rng.randint(20, 250)), type_, 0.9 * (self.width - inset - hang)
            )
            entry = self._lines(
                "text",
                lines,
                type_,
                first_indent=-hang / type_.size_px,
                emphasised=term,
                emphasised_words=rng.randint(1, 5),
                start_px=inset,
                mark_px=hang,
            )
            if entry is None:
                break
            self.top += type_.size_px * spacing.item_gap
            entries.append(entry)
        return _joined(entries)

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
        edges = self._column_edges(column_count, column_px)
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
                left, room_px = edges[index] + padding, edges[index + 1] - edges[index] - 2 * padding
                words = next(iter(break_lines(said, cut, room_px)), [])
                words = [] if rng.random() < 0.04 else words
                text_px = cut.width(" ".join(words))
                if text_px > room_px:
                    words, text_px = [], 0.0
                if numeric[index]:
                    left += room_px - text_px
                self.sheet.set_words(words, cut, left, baseline, cut.width(" "))
                rows[-1].append(" ".join(words))
            self.top += row_px
        self._rule_table(ruled, edges, [top + row * row_px for row in range(len(rows) + 1)])
        printed = "\n".join("\t".join(row) for row in rows)
        return Block("table", (self.left, top, edges[-1], self.top), printed, html_table(rows))

    def _column_edges(self, count: int, column_px: float) -> list[float]:
        """Where the columns of a table begin, and where the last ends; the narrowest hold a short word."""
        shares = [1.0] * count
        if self.design.spacing.uneven:
            shares = [self.rng.uniform(0.6, 1.8) for _ in range(count)]
        widths = [column_px * count * share / sum(shares) for share in shares]
        return [self.left + sum(widths[:index]) for index in range(count + 1)]

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

    def _emphasis(self) -> Type:
        """What some words are set off by."""
        if self.design.spacing.mono_words and self.rng.random() < 0.6:
            return Type.of(self.design.mono, Style.REGULAR, 0.92 * self.design.x_height_px)
        return Type.of(self.design.body, self.rng.choice((Style.BOLD, Style.ITALIC)), self.design.x_height_px)

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
        emphasised_words: int | None = None,
        centred: bool = False,
        justified: bool = False,
        start_px: float = 0.0,
        mark: str = "",
        mark_px: float = 0.0,
    ) -> Block | None:
        """As many lines as there is room for. None where there is room for none.

        Args:
            kind: of the block.
            lines: words.
            type_: what they are set in.
            first_indent: of the first line, in type sizes.
            emphasised: what words are set off by: the first ones, or here and there one.
            emphasised_words: how many of the first; None for here and there one.
            centred: True where lines are centred.
            justified: True where they may be spread to the width.
            start_px: where the block begins, to the right of the column's left edge.
            mark: stands before the first line.
            mark_px: room for it, by which all lines are inset.
        """
        left, width = self.left + start_px + mark_px, self.width - start_px - mark_px
        lines = [words for words in lines if type_.width(" ".join(words)) <= width][: self._room(type_)]
        if not lines:
            return None
        start, space, leftmost, rightmost = self.top, type_.width(" "), self.right, self.left
        for index, words in enumerate(lines):
            slack = width - type_.width(" ".join(words))
            indent = first_indent * type_.size_px if index == 0 and not centred else 0.0
            gap = space
            if centred:
                indent = slack / 2
            elif justified and self.design.justified and index + 1 < len(lines) and len(words) > 1:
                gap += min(2 * space, max(0.0, slack - indent) / (len(words) - 1))
            if emphasised_words is not None:
                emphasis = [emphasised] * (emphasised_words if index == 0 else 0)
            else:
                emphasis = [emphasised if emphasised and self.rng.random() < 0.15 else None for _ in words]
            baseline = self._next_baseline(type_)
            if mark and index == 0:
                leftmost = left - mark_px
                self.sheet.set_words([mark], type_, leftmost, baseline, space)
            end = self.sheet.set_words(words, type_, left + indent, baseline, gap, emphasis)
            leftmost, rightmost = min(leftmost, left + indent), max(rightmost, end)
        said = [" ".join(words) for words in lines]
        said[0] = f"{mark} {said[0]}" if mark else said[0]
        return Block(
            kind, (leftmost, start, min(self.right, rightmost), self.top), "\n".join(said), " ".join(said)
        )

    def _rule_table(self, ruled: str, columns: list[float], rows: list[float]) -> None:
        if ruled != "none":
            for y in rows:
                self.sheet.canvas.line((columns[0], y, columns[-1], y), fill=0)
        if ruled == "grid":
            for x in columns:
                self.sheet.canvas.line((x, rows[0], x, rows[-1]), fill=0)


def _joined(blocks: list[Block]) -> Block | None:
    """Blocks one below the other as one."""
    if not blocks:
        return None
    lefts, tops, rights, bottoms = zip(*(block.box for block in blocks), strict=True)
    return Block(
        blocks[0].kind,
        (min(lefts), min(tops), max(rights), max(bottoms)),
        "\n".join(block.text for block in blocks),
        "\n".join(block.markdown for block in blocks),
    )
