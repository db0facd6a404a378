"""Cuts the figures of a page out of its picture into files, and links them in its text.

The figures of `report.md` go into `report.assets/` next to it, numbered by page within the export:
`page-1-figure-1.png`. A file of that name from an earlier export is replaced, whole or not at all, and
nothing else in the folder is touched. Knows nothing about readings: people edit what was read.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.export.writing import make_folder, write_picture_atomically
from rtocr_gui.files import resolved
from rtocr_gui.ocr.reading import Block

_FIGURE_LABEL = "image"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a page.

    Attributes:
        block: a block with one box, the figure's place on the page.
        place: index of the character in the page's text that it precedes.
    """

    block: Block
    place: int


def figures_of(blocks: Sequence[Block], places: Sequence[int]) -> tuple[Figure, ...]:
    """Select the figures among the blocks of a page, one for each of their boxes.

    Args:
        blocks: blocks in the order in which the model emitted them.
        places: index of the character in the text that each block precedes.
    """
    return tuple(
        Figure(Block(block.label, (box,), block.start, block.end), place)
        for block, place in zip(blocks, places, strict=True)
        if block.label.lower() == _FIGURE_LABEL
        for box in block.boxes
    )


def assets_folder(markdown: Path) -> Path:
    """Return the folder for the figures of a Markdown file, which is beside the file that a link names."""
    file = resolved(markdown)
    return file.with_name(f"{file.stem}.assets")


def write_figures(page: PageImage, figures: Sequence[Figure], number: int, folder: Path) -> None:
    """Cut figures out of their page.

    Args:
        page: the rendered page.
        figures: figures of the page.
        number: number of the page in the export, from 1.
        folder: target folder, created if missing.

    Raises:
        ExportError: a figure was not written; those before it were.
    """
    if figures:
        make_folder(folder)
    for figure, name in zip(figures, _names(figures, number), strict=True):
        ((left, top, right, bottom),) = figure.block.boxes_px(page.image.size)
        box = math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
        write_picture_atomically(folder / name, page.image.crop(box))


def link_figures(text: str, figures: Sequence[Figure], number: int, folder: Path) -> str:
    """Insert links to the figures of a page at their places in its text, each as its own paragraph.

    Args:
        text: Markdown of the page.
        figures: as passed to `write_figures`.
        number: as passed to `write_figures`.
        folder: as passed to `write_figures`; the links begin with its name.
    """
    pieces, done = [], 0
    for figure, name in zip(figures, _names(figures, number), strict=True):
        line = max(done, text.rfind("\n", 0, figure.place) + 1)
        pieces += [text[done:line].strip("\n"), f"![]({quote(os.fsencode(folder.name))}/{name})"]
        done = line
    rest = text[done:]
    if not pieces:
        return text
    ending = "\n" if text.endswith("\n") else ""
    return "\n\n".join(piece for piece in [*pieces, rest.strip("\n")] if piece) + ending


def _names(figures: Sequence[Figure], number: int) -> list[str]:
    return [f"page-{number}-figure-{index}.png" for index in range(1, len(figures) + 1)]
