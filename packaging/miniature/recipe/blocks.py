"""The blocks of a page as truth: their kinds, text, Markdown and boxes.

Writes Markdown with grounding as DeepSeek-OCR does: each block's kind and box, then its text. Knows no
pixels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rtocr_gui.ocr.reading import GREATEST_COORDINATE

KINDS = (
    "title",
    "sub_title",
    "text",
    "table",
    "image",
    "image_caption",
    "table_caption",
    "header",
    "footer",
    "page_number",
)
"""Kinds of blocks, with DeepSeek-OCR's names."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block in reading order.

    Attributes:
        kind: one of `KINDS`.
        box: xyxy in page pixels.
        text: its printed lines; "" for an image.
        markdown: the same as Markdown, paragraphs on one line; "" for an image.
    """

    kind: str
    box: tuple[float, float, float, float]
    text: str
    markdown: str

    def grid_box(self, page_size_px: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the box in 0..999 of the page."""
        width, height = page_size_px
        x1, y1, x2, y2 = self.box
        places = (x1 / width, y1 / height, x2 / width, y2 / height)
        left, top, right, bottom = (
            min(GREATEST_COORDINATE, max(0, round(place * GREATEST_COORDINATE))) for place in places
        )
        return left, top, right, bottom


def plain_text(blocks: Iterable[Block]) -> str:
    """Return the printed lines of all blocks, without blank lines."""
    return "\n".join(block.text for block in blocks if block.text)


def markdown_text(blocks: Iterable[Block]) -> str:
    """Return the page as Markdown."""
    return "\n\n".join(block.markdown for block in blocks if block.markdown)


def grounded_markdown(blocks: Sequence[Block], page_size_px: tuple[int, int]) -> str:
    """Return the page as Markdown, with the kind and box before each block."""
    parts = []
    for block in blocks:
        box = ", ".join(map(str, block.grid_box(page_size_px)))
        parts.append(f"<|ref|>{block.kind}<|/ref|><|det|>[[{box}]]<|/det|>\n{block.markdown}".rstrip())
    return "\n\n".join(parts)


def html_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table as DeepSeek-OCR writes it."""
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
