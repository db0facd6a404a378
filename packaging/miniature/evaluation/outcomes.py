"""Judges a reading, and stores the outcome in a file: one JSON line for each finished reading.

Knows pages, readings and truth; runs no model and aggregates nothing.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.page_sets import PageSet, TruePage
from recipe.blocks import Block
from recipe.states import HEADS_FILE
from rtocr_gui.cli.bench.readings_file import KeptReading
from rtocr_gui.cli.bench.scores import PageScore, Setting, score_page
from rtocr_gui.ocr.reading import Block as ReadBlock
from rtocr_gui.ocr.reading import EncodedPage, Reading
from rtocr_gui.pruning.plan import PruneMethod

LEAST_OVERLAP = 0.5
"""Intersection over union from which a block counts as found."""

_HEADING = re.compile(r"(#+) ")
_ITEM = re.compile(r"(?:(-|\*)|\d+\.) ")
_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one reading of one page.

    Attributes:
        page_set: name of the set.
        page: number of the page within it.
        setting: retention.
        score: text compared with the truth; None on an empty page.
        silent: True if the reading is empty.
        norm_correlation: correlation of a token's norm with log2(1 + characters it covers); None if unknown.
        blocks: number of blocks on the page, if places were requested, else 0.
        blocks_found: how many of them were found, by `LEAST_OVERLAP`.
        kinds_right: how many of those have the right kind.
        structure_right: True if headings, items and tables are as on the page; None if not requested.
        text: raw text of the reading.
    """

    page_set: str
    page: int
    setting: Setting
    score: PageScore | None
    silent: bool
    norm_correlation: float | None
    blocks: int
    blocks_found: int
    kinds_right: int
    structure_right: bool | None
    text: str


def judge(
    page_set: PageSet, index: int, setting: Setting, page: TruePage, encoded: EncodedPage, reading: Reading
) -> Outcome:
    """Compare a reading and the tokens of its page with the truth."""
    told = page.drawn if page_set.task.tells_places else None
    truth = told.markdown if told else page.text
    found = match_blocks(told.blocks, page.image.size, reading.blocks) if told else []
    score = score_page(f"{page_set.name}/{index}", KeptReading.of(reading), truth) if truth else None
    return Outcome(
        page_set=page_set.name,
        page=index,
        setting=setting,
        score=score,
        silent=not reading.text.strip(),
        norm_correlation=_norm_correlation(page, encoded),
        blocks=len(told.blocks) if told else 0,
        blocks_found=len(found),
        kinds_right=sum(found),
        structure_right=outline(reading.text) == outline(truth) if told else None,
        text=reading.raw_text,
    )


def match_blocks(true: Sequence[Block], size_px: tuple[int, int], read: Sequence[ReadBlock]) -> list[bool]:
    """Match true blocks with those that were read, one to one.

    Returns:
        For each block that was found, whether its kind is right.
    """
    left = [(box, block.label) for block in read for box in block.boxes]
    found = []
    for block in true:
        wanted = block.grid_box(size_px)
        overlaps = [_overlap(wanted, box) for box, _ in left]
        if overlaps and max(overlaps) >= LEAST_OVERLAP:
            _, label = left.pop(int(np.argmax(overlaps)))
            found.append(label == block.kind)
    return found


def _overlap(one: _Box, other: _Box) -> float:
    """Return the intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (sum(areas) - width * height)


def outline(markdown: str) -> list[str]:
    """Return the structure of a page: headings by level, items, and tables by the cells of each row."""
    parts = []
    for line in map(str.strip, markdown.splitlines()):
        if heading := _HEADING.match(line):
            parts.append(f"heading {len(heading[1])}")
        elif item := _ITEM.match(line):
            parts.append("item" if item[1] else "numbered item")
        elif line.startswith("<table"):
            parts.append(f"table {[row.count('<td') for row in line.split('<tr')[1:]]}")
    return parts


def _norm_correlation(page: TruePage, encoded: EncodedPage) -> float | None:
    if page.drawn is None or not page.text:
        return None
    layout, print_ = encoded.layout, page.drawn.print
    printed = np.array([not character.isspace() for character in print_.characters])
    x, y = print_.centres[printed].T
    left, top, right, bottom = layout.boxes[layout.prunable].T[:, :, None]  # (N, 1) each
    counts = ((x >= left) & (x < right) & (y >= top) & (y < bottom)).sum(axis=1)
    return float(np.corrcoef(encoded.measures.norms, np.log2(1 + counts))[0, 1])


def name_reader(checkpoint: Path, device: str = "cpu", dtype: str = "float32") -> str:
    """Identify what reads: a checkpoint by its content, without the training heads, and what it runs on."""
    digest = hashlib.sha256()
    for path in sorted([*checkpoint.glob("*.safetensors"), *checkpoint.glob("*.json")]):
        if path.name != HEADS_FILE:
            digest.update(path.read_bytes())
    return f"{digest.hexdigest()[:16]} {device} {dtype}"


class Record:
    """Outcomes on disk; a line that was cut short by a kill is skipped.

    Args:
        path: the file, which need not exist.
        reader: as from `name_reader`; outcomes of others are kept but not returned.
    """

    def __init__(self, path: Path, reader: str) -> None:
        self._path = path
        self._reader = reader
        self._outcomes = {_key(one): one for one in self._read()}

    @property
    def outcomes(self) -> list[Outcome]:
        """Outcomes of this reader."""
        return list(self._outcomes.values())

    def has(self, page_set: PageSet, page: int, setting: Setting) -> bool:
        """True if that reading is done."""
        return (page_set.name, page, setting) in self._outcomes

    def add(self, outcome: Outcome) -> None:
        """Store an outcome; it is in the file when this returns."""
        fields = asdict(outcome)
        fields["setting"] = [
            None if outcome.setting.method is None else outcome.setting.method.value,
            outcome.setting.retention,
        ]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"reader": self._reader, **fields}))
        self._outcomes[_key(outcome)] = outcome

    def _read(self) -> Iterator[Outcome]:
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                fields: Any = json.loads(line)
            except ValueError:
                continue
            if isinstance(fields, dict) and fields.pop("reader", None) == self._reader:
                yield _outcome(fields)


def _key(outcome: Outcome) -> tuple[str, int, Setting]:
    return outcome.page_set, outcome.page, outcome.setting


def _outcome(fields: dict[str, Any]) -> Outcome:
    method, retention = fields.pop("setting")
    score = fields.pop("score")
    return Outcome(
        **fields,
        setting=Setting(method and PruneMethod(method), retention),
        score=score and PageScore(**score),
    )
