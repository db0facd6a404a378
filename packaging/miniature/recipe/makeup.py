"""Makes up pages: fills columns with headings, paragraphs, lists, tables, figures and code.

A column is filled from the top until the next block has no room. Knows what blocks look like;
does not know what happens to the sheet afterwards.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from recipe import facts, texts
from recipe.blocks import Block, html_table
from recipe.design import Design
from recipe.typefaces import Style
from recipe.typesetting import Sheet, Type, break_lines

_TYPEWRITER_SCALE, _SHARE_WITH_TYPEWRITER = 0.92, 0.75
"""Size of monospaced words among others, and how much of a line to fill if it may contain some."""

_Emphasis = Callable[[int, Sequence[str]], Sequence[Type | None]]
"""Maps the number of a line in its block, and its words, to other types for its first words."""


def _no_emphasis(_line: int, _words: Sequence[str]) -> Sequence[Type | None]:
    return ()


def _here_and_there(rng: random.Random, type_: Type) -> _Emphasis:
    return lambda _, words: [type_ if rng.random() < 0.15 else None for _ in words]


def _at_the_beginning(type_: Type, words: int) -> _Emphasis:
    return lambda line, _: [type_] * words if line == 0 else ()


@dataclass(frozen=True, slots=True)
class _TableColumn:
    """A column of a table.

    Attributes:
        left: x of its left edge.
        right: x of its right edge.
        content: draws what a cell below the head says.
        type_: type of these cells.
        aligned_right: True to set cells and head at the right.
    """

    left: float
    right: float
    content: Callable[[], str]
    type_: Type
    aligned_right: bool = False


@dataclass(slots=True)
class Column:
    """A column that is being filled.

    Attributes:
        left: x of its left edge.
        right: x of its right edge.
        top: y of the next block.
        bottom: y below which nothing is placed.
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
        """Width in pixels."""
        return self.right - self.left

    def fill(self, things: Callable[["Column"], Block | None], budget: int) -> list[Block]:
        """Add blocks until the column or the character budget is full, or `things` fails twice running."""
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
        """Set a heading, to the left of inset blocks; level 1 is the page's title."""
        rng, layout, text_px = self.rng, self.design.layout, self.design.text_type.size_px
        scale = (rng.uniform(1.2, 1.9) if level == 1 else rng.uniform(1.0, 1.35)) * layout.heading_scale
        type_ = Type.of(self.design.display, self.design.heading_style, self.design.x_height_px * scale)
        centred = rng.random() < (0.4 if level == 1 else 0.1)
        mark = texts.section_number(rng, level) if layout.numbered and not centred else ""
        mark_px = type_.width(mark) + layout.number_gap * type_.size_px if mark else 0.0
        outdent_px = layout.inset * text_px
        words = texts.title(rng, may_begin_with_number=not mark)
        lines = break_lines(words, type_, self.width + outdent_px - mark_px)
        begun = self.top
        self.top += layout.above_heading * text_px
        block = self._lines(
            "title" if level == 1 else "sub_title",
            lines[:3],
            type_,
            centred=centred,
            start_px=-outdent_px,
            mark=mark,
            hanging_px=mark_px,
        )
        if block is None:
            self.top = begun
            return None
        self.top += type_.size_px * rng.uniform(0.1, 0.6) + layout.below_heading * text_px
        return Block(block.kind, block.box, block.text, f"{'#' * level} {block.markdown}")

    def paragraph(self) -> Block | None:
        """Set a paragraph, sometimes with emphasised words."""
        rng, type_ = self.rng, self.design.text_type
        text = texts.paragraph(rng, int(rng.lognormvariate(5.3, 0.8)) + 1)
        indent_px = self.design.indent * type_.size_px
        emphasis: _Emphasis = _no_emphasis
        room_px = self.width - indent_px
        if rng.random() < 0.2:
            set_off, share = self._set_off()
            emphasis = _here_and_there(rng, set_off)
            room_px *= share
        centred = rng.random() < 0.05
        return self._lines(
            "text",
            break_lines(text, type_, room_px),
            type_,
            first_indent_px=indent_px,
            emphasis=emphasis,
            centred=centred,
            justified=True,
        )

    def item_list(self) -> Block | None:
        """Set a list of items with bullets or numbers."""
        type_, rng, layout = self.design.text_type, self.rng, self.design.layout
        numbered = rng.random() < 0.4
        bullet = rng.choice("•–-*·")
        ending = rng.choice(".)")
        indent = type_.size_px * rng.uniform(1.4, 2.4)
        inset = type_.size_px * layout.list_inset
        items: list[Block] = []
        for number in range(1, rng.randint(2, 8)):
            mark = f"{number}{ending}" if numbered else bullet
            length = rng.randint(4, 90)
            lines = break_lines(texts.paragraph(rng, length), type_, self.width - inset - indent)
            item = self._lines("text", lines, type_, start_px=inset, mark=mark, hanging_px=indent)
            if item is None:
                break
            self.top += type_.size_px * layout.item_gap
            said = f"{f'{number}.' if numbered else '-'} {item.markdown.removeprefix(f'{mark} ')}"
            items.append(replace(item, markdown=said))
        return _joined(items, "\n")

    def definitions(self) -> Block | None:
        """Set a list of emphasised terms with their definitions, with hanging indents."""
        type_, rng, layout = self.design.text_type, self.rng, self.design.layout
        inset, hang = type_.size_px * layout.list_inset, type_.size_px * rng.uniform(1, 3)
        (term, share), entries = self._set_off(), []
        room_px = share * (self.width - inset - hang)
        for _ in range(rng.randint(1, 4)):
            lines = break_lines(texts.paragraph(rng, rng.randint(20, 250)), type_, room_px)
            entry = self._lines(
                "text",
                lines,
                type_,
                first_indent_px=-hang,
                emphasis=_at_the_beginning(term, words=rng.randint(1, 5)),
                start_px=inset,
                hanging_px=hang,
            )
            if entry is None:
                break
            self.top += type_.size_px * layout.item_gap
            entries.append(entry)
        return _joined(entries, "\n\n")

    def code(self) -> Block | None:
        """Set lines of code."""
        type_ = Type.of(self.design.mono, Style.REGULAR, self.design.x_height_px * self.rng.uniform(0.85, 1))
        lines = []
        for _ in range(self.rng.randint(1, 8)):
            lines += break_lines(facts.code(self.rng), type_, self.width)[:1]
        block = self._lines("text", lines, type_)
        return block and Block(block.kind, block.box, block.text, f"```\n{block.text}\n```")

    def table(self) -> Block | None:
        """Set a table, with or without rules."""
        rng, type_ = self.rng, self.design.text_type
        row_px = type_.size_px * rng.uniform(1.3, 2.0)
        count = rng.randint(2, 5)
        column_px = self.width * rng.uniform(0.7, 1) / count
        if self._rows(row_px) < 2 or column_px < 4 * type_.size_px:
            return None
        edges = self._column_edges(count, column_px)
        numeric = [rng.random() < 0.5 and index > 0 for index in range(count)]
        columns = [
            _TableColumn(left, right, partial(texts.cell, rng, is_numeric), type_, is_numeric)
            for left, right, is_numeric in zip(edges, edges[1:], numeric, strict=False)
        ]
        return self._set_table(columns, row_px, most_rows=9)

    def term_table(self) -> Block | None:
        """Set a table of terms, often typewritten, and descriptions that fill their cells, in tight rows."""
        rng, type_ = self.rng, self.design.text_type
        row_px = type_.size_px * rng.uniform(1.05, 1.6)
        width = self.width * rng.uniform(0.8, 1)
        if self._rows(row_px) < 2 or width < 14 * type_.size_px:
            return None
        terms_px = width * rng.uniform(0.2, 0.45)
        terms = self._typewriter if rng.random() < 0.6 else type_
        middle, right = self.left + terms_px, self.left + width
        columns = [
            _TableColumn(self.left, middle, partial(texts.term, rng), terms),
            _TableColumn(middle, right, partial(texts.description, rng), type_),
        ]
        if rng.random() < 0.3:
            last = right - (right - middle) * rng.uniform(0.2, 0.35)
            columns[1] = replace(columns[1], right=last)
            columns.append(_TableColumn(last, right, partial(texts.cell, rng, True), type_))
        return self._set_table(columns, row_px, most_rows=16)

    def _rows(self, row_px: float) -> int:
        """Return how many rows of a table fit."""
        return int((self.bottom - self.top) / row_px)

    def _set_table(self, columns: Sequence[_TableColumn], row_px: float, most_rows: int) -> Block:
        """Set a table with a row of heads, and rules between rows and columns, between rows, or none."""
        rng, type_ = self.rng, self.design.text_type
        ruled, top = rng.choice(("grid", "rows", "none")), self.top
        rows: list[list[str]] = []
        head = Type.of(self.design.body, Style.BOLD, self.design.x_height_px)
        padding = 0.3 * type_.size_px
        for row in range(min(self._rows(row_px), rng.randint(2, most_rows))):
            self.sheet.begin_line()
            baseline = self.top + (row_px + 1.2 * (head if row == 0 else type_).x_height_px) / 2
            rows.append([])
            for column in columns:
                cut = head if row == 0 else column.type_
                said = texts.cell(rng, numeric=False) if row == 0 else column.content()
                left, room_px = column.left + padding, column.right - column.left - 2 * padding
                words = next(iter(break_lines(said, cut, room_px)), [])
                words = [] if rng.random() < 0.04 else _cut_to_fit(words, cut, room_px)
                if column.aligned_right:
                    left += room_px - cut.width(" ".join(words))
                self.sheet.set_words(words, cut, left, baseline, cut.width(" "))
                rows[-1].append(" ".join(words))
            self.top += row_px
        edges = [*(column.left for column in columns), columns[-1].right]
        self._rule_table(ruled, edges, [top + row * row_px for row in range(len(rows) + 1)])
        printed = "\n".join("\t".join(row) for row in rows)
        return Block("table", (self.left, top, edges[-1], self.top), printed, html_table(rows))

    def _column_edges(self, count: int, column_px: float) -> list[float]:
        """Return where the columns of a table begin, and where the last one ends."""
        shares = [1.0] * count
        if self.design.layout.uneven:
            shares = [self.rng.uniform(0.6, 1.8) for _ in range(count)]
        widths = [column_px * count * share / sum(shares) for share in shares]
        return [self.left + sum(widths[:index]) for index in range(count + 1)]

    def figure(self) -> Block | None:
        """Draw a figure without words."""
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
        """Set a caption below a figure or a table."""
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
        """Set a header, a footer or a page number."""
        type_ = Type.of(self.design.body, Style.REGULAR, self.design.x_height_px * self.rng.uniform(0.85, 1))
        return self._lines(
            kind, break_lines(text, type_, self.width)[:1], type_, centred=self.rng.random() < 0.5
        )

    def _set_off(self) -> tuple[Type, float]:
        """Return the type of emphasised words, and how much of a line to fill if it contains some."""
        if self.design.layout.mono_words and self.rng.random() < 0.6:
            return self._typewriter, _SHARE_WITH_TYPEWRITER
        style = self.rng.choice((Style.BOLD, Style.ITALIC))
        return Type.of(self.design.body, style, self.design.x_height_px), 1.0

    @property
    def _typewriter(self) -> Type:
        """Type of monospaced words among others."""
        return Type.of(self.design.mono, Style.REGULAR, _TYPEWRITER_SCALE * self.design.x_height_px)

    def _room(self, type_: Type) -> int:
        """Return how many more lines fit."""
        return max(0, int((self.bottom - self.top) / (type_.size_px * self.design.leading)))

    def _next_baseline(self, type_: Type) -> float:
        """Begin a line, and move `top` below it; return its baseline."""
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
        first_indent_px: float = 0.0,
        emphasis: _Emphasis = _no_emphasis,
        centred: bool = False,
        justified: bool = False,
        start_px: float = 0.0,
        mark: str = "",
        hanging_px: float = 0.0,
    ) -> Block | None:
        """Set as many lines as fit; None if none fits.

        Args:
            kind: kind of the block.
            lines: words of each line.
            type_: type to set them in.
            first_indent_px: indentation of the first line relative to the others, unless they are centred.
            emphasis: types of emphasised words.
            centred: True to centre the lines.
            justified: True to justify them if the design does.
            start_px: distance of the block from the column's left edge.
            mark: bullet or number before the first line.
            hanging_px: room for the mark, by which all lines are indented.
        """
        left, width = self.left + start_px + hanging_px, self.width - start_px - hanging_px
        first_indent_px = 0.0 if centred else first_indent_px
        lines = _fitting(lines, type_, width, first_indent_px)[: self._room(type_)]
        if not lines:
            return None
        start, space, leftmost, rightmost = self.top, type_.width(" "), self.right, self.left
        for index, words in enumerate(lines):
            slack = width - type_.width(" ".join(words))
            indent = first_indent_px if index == 0 else 0.0
            gap = space
            if centred:
                indent = slack / 2
            elif justified and self.design.justified and index + 1 < len(lines) and len(words) > 1:
                gap += min(2 * space, max(0.0, slack - indent) / (len(words) - 1))
            set_off = emphasis(index, words)
            baseline = self._next_baseline(type_)
            if mark and index == 0:
                leftmost = left - hanging_px
                self.sheet.set_words([mark], type_, leftmost, baseline, space)
            end = self.sheet.set_words(words, type_, left + indent, baseline, gap, set_off)
            leftmost, rightmost = min(leftmost, left + indent), max(rightmost, end)
        said = [" ".join(words) for words in lines]
        said[0] = f"{mark} {said[0]}" if mark else said[0]
        return Block(kind, (leftmost, start, rightmost, self.top), "\n".join(said), " ".join(said))

    def _rule_table(self, ruled: str, columns: list[float], rows: list[float]) -> None:
        if ruled != "none":
            for y in rows:
                self.sheet.canvas.line((columns[0], y, columns[-1], y), fill=0)
        if ruled == "grid":
            for x in columns:
                self.sheet.canvas.line((x, rows[0], x, rows[-1]), fill=0)


def _fitting(lines: list[list[str]], type_: Type, room_px: float, first_indent_px: float) -> list[list[str]]:
    """Leave out lines of a word that is too wide; whichever is the first of the others is indented."""
    kept: list[list[str]] = []
    for words in lines:
        if type_.width(" ".join(words)) <= room_px - (0.0 if kept else first_indent_px):
            kept.append(words)
    return kept


def _cut_to_fit(words: list[str], type_: Type, room_px: float) -> list[str]:
    """Cut a word that is too wide for its cell: left out, it would make a cell that looks like none."""
    while words and type_.width(" ".join(words)) > room_px:
        words = [words[0][:-1]] if len(words[0]) > 1 else []
    return words


def _joined(blocks: list[Block], between: str) -> Block | None:
    """Join consecutive blocks into one, with `between` between them in Markdown."""
    if not blocks:
        return None
    lefts, tops, rights, bottoms = zip(*(block.box for block in blocks), strict=True)
    return Block(
        blocks[0].kind,
        (min(lefts), min(tops), max(rights), max(bottoms)),
        "\n".join(block.text for block in blocks),
        between.join(block.markdown for block in blocks),
    )
