"""Cuts the figures of a page out of its picture into files, and links them in its text.

The figures of `report.md` go into `report.assets/` next to it, numbered by page within the export:
`page-1-figure-1.png`. A file of that name from an earlier export is replaced, whole or not at all, and
nothing else in the folder is touched. A link is a paragraph of its own, so its place is between two blocks of
the text. Knows nothing about readings: people edit what was read.
"""

import math
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rtocr_gui.documents.folders import FIGURES_SUFFIX
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.export.blocks import SENTINEL_PARAGRAPH, blocks_of, missing_breaks
from rtocr_gui.export.tables import open_tables
from rtocr_gui.export.writing import make_folder, write_picture_atomically
from rtocr_gui.files import identity, resolved
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


def figures_of(blocks: Sequence[Block], places: Sequence[int] | None = None) -> tuple[Figure, ...]:
    """Select the figures among the blocks of a page, one for each of their boxes.

    Args:
        blocks: blocks in the order in which the model emitted them.
        places: index of the character in the text that each block precedes; None for the text as it was read.
    """
    if places is None:
        places = [block.start for block in blocks]
    return tuple(
        Figure(Block(block.label, (box,), block.start, block.end), place)
        for block, place in zip(blocks, places, strict=True)
        if block.label.lower() == _FIGURE_LABEL
        for box in block.boxes
    )


def assets_folder(markdown: Path) -> Path:
    """Return the folder for the figures of a Markdown file, which is beside the file that a link names."""
    file = resolved(markdown)
    return file.with_name(f"{file.stem}{FIGURES_SUFFIX}")


def scan_in_the_way(outputs: Iterable[Path], scans: Iterable[Path]) -> Path | None:
    """Return a scan that lies where the figures of Markdown files are written; None if none does."""
    one_of_each = {scan.parent: scan for scan in scans}
    by_folder = {identity(folder): scan for folder, scan in one_of_each.items()}
    for figures in map(identity, map(assets_folder, outputs)):
        if figures in by_folder:
            return by_folder[figures]
    return None


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
    """Insert links to the figures of a page near their places in its text, each as its own paragraph.

    A figure in the middle of a paragraph, a table, a list or code is linked before or after it, whichever is
    nearer. Their order stays, and so does every character of the text.

    Args:
        text: Markdown of the page.
        figures: as passed to `write_figures`.
        number: as passed to `write_figures`.
        folder: as passed to `write_figures`; the links begin with its name.
    """
    places = _between_blocks(text, [figure.place for figure in figures])
    for place, name in reversed(list(zip(places, _names(figures, number), strict=True))):
        before, after = text[:place], text[place:]
        link = f"![]({quote(os.fsencode(folder.name))}/{name})"
        text = "".join((before, missing_breaks(before[::-1]), link, missing_breaks(after), after))
    return text


def _between_blocks(text: str, places: Sequence[int]) -> list[int]:
    """Move places in a text to the nearest ones after a block, or to its beginning; the order stays.

    A line right after the definition of a link is more of its paragraph (CommonMark) or begins a block
    (markdown-it), and programs differ: a moved place is between blocks either way.
    """
    if not places:
        return []
    starts: list[int] = []
    gaps = [0]  # before each block, and after the last one
    depth = 0
    others = blocks_of(text + SENTINEL_PARAGRAPH, with_definitions=False)
    other_starts = [block.start for block in others]
    for block in blocks_of(text + SENTINEL_PARAGRAPH):
        before = bisect_left(other_starts, block.start)
        if depth or (before and others[before - 1].end > block.start):
            gaps[-1] = block.end  # a blank line ends no table of HTML
        else:
            starts.append(block.start)
            gaps.append(block.end)
        depth = open_tables(block.tags, depth)
    moved = [0]
    for place in places:
        index = max(0, bisect_right(starts, place) - 1)
        is_after = gaps[index + 1] - place < place - starts[index]
        is_open = index == len(starts) - 1  # so that nothing can follow it
        gap = gaps[index + 1] if is_after and not is_open else gaps[index]
        moved.append(max(moved[-1], min(gap, len(text.removesuffix("\n")))))
    return moved[1:]


def _names(figures: Sequence[Figure], number: int) -> list[str]:
    return [f"page-{number}-figure-{index}.png" for index in range(1, len(figures) + 1)]
