"""Plans an evaluation: which pages a checkpoint reads, and at which settings.

Pages are drawn at a size that the view scales little or not at all: an x-height is the one in the view,
or on the tiles. Their seed is not used by the training. Knows no engine and no score.
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from PIL import Image

from recipe.pages import EVALUATION_SEED, Page, PageKind, draw_page
from recipe.stock import load_stock
from recipe.typefaces import digest_typefaces
from rtocr_gui.cli.bench.scores import ALL_TOKENS, Setting
from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.truth import find_truth
from rtocr_gui.ocr.model.model_info import ModelInfo
from rtocr_gui.ocr.reading import TASKS, Mode, Task
from rtocr_gui.ocr.vision.layout import TILE_PX
from rtocr_gui.ocr.vision.views import choose_tiles
from rtocr_gui.pruning.plan import PruneMethod

SAMPLES = Path(__file__).parents[3] / "resources" / "samples"
X_HEIGHTS_PX = (8.0, 10.0, 14.0, 20.0, 30.0)
RETENTIONS = (None, 0.84, 0.75, 0.5)

_A4_PX = (1240, 1754)
_VIEW_PX = {
    Mode.TINY: (512, 512),
    Mode.SMALL: (640, 640),
    Mode.BASE: (724, 1024),
    Mode.LARGE: (905, 1280),
    Mode.GUNDAM: _A4_PX,
}
"""Page sizes that fit a mode; all except Gundam's are shown unscaled."""

_SHAPES_PX = ((1754, 1240), (1240, 1240), (1600, 1600), (1920, 1056), (700, 1400))
"""Sizes of pages that Gundam cuts into other tiles than an upright A4 page."""

_MOST_CHARACTERS = 1500
_A4_X_HEIGHT_PX, _A4_CHARACTERS = 11.0, 2500
_SHAPE_X_HEIGHT_PX = 14.0
_BY_NAME = {task.name: task for task in TASKS}
_TEXT, _MARKDOWN = _BY_NAME["text"], _BY_NAME["markdown"]


class Group(Enum):
    """The purpose of a set of pages; the values are the names used on the command line."""

    SAMPLES = "samples"
    PRINT = "print"
    RETENTION = "retention"
    MARKDOWN = "markdown"
    EMPTY = "empty"
    A4 = "a4"
    SHAPE = "shape"


class Look(Enum):
    """How the pages of a set look; the values are shown in tables."""

    CLEAN = "clean"
    SCANNED = "scanned"
    HELD_OUT = "held-out type"


@dataclass(frozen=True, eq=False, slots=True)
class TruePage:
    """A page to read, and its true text.

    Attributes:
        image: the page.
        text: printed lines; "" on an empty page.
        drawn: the page as drawn by the recipe; None if it was not.
    """

    image: Image.Image
    text: str
    drawn: Page | None


@dataclass(frozen=True, slots=True)
class PageSet:
    """Pages of one kind, read in one mode for one task.

    Attributes:
        group: its purpose.
        mode: mode to read it in.
        task: task to read it with.
        look: clean, scanned, ...
        x_height_px: x-height of the body in the view or on the tiles; 0 if it varies.
        settings: settings to read each page at.
        kind: kind of pages to draw; None for the sample pages.
    """

    group: Group
    mode: Mode
    task: Task
    look: Look
    x_height_px: float
    settings: tuple[Setting, ...]
    kind: PageKind | None

    @property
    def name(self) -> str:
        """Its name in a record: another for other pages, even if only their texts or typefaces differ."""
        if self.kind is None:
            samples = b"".join(path.read_bytes() for path in sorted(SAMPLES.iterdir()))
            return f"{self._drawn_by}/{hashlib.sha256(samples).hexdigest()[:8]}"
        return f"{self._drawn_by}/{load_stock().digest}/{digest_typefaces(self.kind.held_out)}"

    @property
    def _drawn_by(self) -> str:
        """What decides its pages, except the texts and typefaces of this machine."""
        kind = hashlib.sha256(f"{EVALUATION_SEED} {self.kind}".encode()).hexdigest()[:8]
        return f"{self.group.value}/{self.mode.value}/{self.look.value}/{self.x_height_px:g}/{kind}"

    def page(self, index: int) -> TruePage | None:
        """Draw or open a page; None if the set has no more.

        Random choices differ between sets: otherwise all of them would show the same few designs.
        """
        if self.kind is not None:
            number = int(hashlib.sha256(f"{self._drawn_by}/{index}".encode()).hexdigest()[:10], 16)
            page = draw_page(self.kind, EVALUATION_SEED, number)
            return TruePage(page.image.convert("RGB"), page.text, page)
        paths = sorted(SAMPLES.glob("*.png"))
        if index >= len(paths):
            return None
        with open_document(paths[index]) as document:
            truth = find_truth(document.pages[0], 1)
            assert truth is not None
            return TruePage(document.load_page(0).image, truth.text, None)


def plan_sets(info: ModelInfo, modes: Sequence[Mode], groups: Sequence[Group]) -> list[PageSet]:
    """List the page sets to measure a checkpoint with.

    Args:
        info: description of the checkpoint, for its tasks.
        modes: modes to measure; the first is used for the sample pages.
        groups: requested kinds of figures.
    """
    reads_markdown = _MARKDOWN in info.tasks
    steady = Mode.BASE if Mode.BASE in modes else modes[0]
    all_settings = (ALL_TOKENS, *(Setting(PruneMethod.RTPRUNE, ratio) for ratio in RETENTIONS))
    sets = [PageSet(Group.SAMPLES, modes[0], _TEXT, Look.CLEAN, 0.0, all_settings, None)]
    for mode in modes:
        sets += [_print(mode, look, x_height) for look, x_height in itertools.product(Look, X_HEIGHTS_PX)]
        if reads_markdown:
            sets.append(_markdown(mode))
        sets += [_empty(mode, look) for look in (Look.CLEAN, Look.SCANNED)]
    kind = _kind(steady, (10.0, 20.0), Look.CLEAN, rich=0.3)
    sets.append(PageSet(Group.RETENTION, steady, _TEXT, Look.CLEAN, 0.0, all_settings, kind))
    if Mode.GUNDAM in modes:
        kind = _plain_kind(_A4_PX, (_A4_X_HEIGHT_PX,) * 2, _A4_CHARACTERS)
        a4_px = _A4_X_HEIGHT_PX * scale_of(Mode.GUNDAM)
        sets.append(PageSet(Group.A4, Mode.GUNDAM, _TEXT, Look.CLEAN, a4_px, (ALL_TOKENS,), kind))
        sets += map(_shape, _SHAPES_PX)
    return [one for one in sets if one.group in groups]


def scale_of(mode: Mode) -> float:
    """Return how much larger type is in the view, or on the tiles, than on the page drawn for a mode."""
    return _tile_scale(_A4_PX) if mode is Mode.GUNDAM else 1.0


def _tile_scale(size_px: tuple[int, int]) -> float:
    _, down = choose_tiles(size_px)
    return down * TILE_PX / size_px[1]


def _kind(mode: Mode, x_height_px: tuple[float, float], look: Look, rich: float) -> PageKind:
    low, high = (x_height / scale_of(mode) for x_height in x_height_px)
    return replace(
        _plain_kind(_VIEW_PX[mode], (low, high), _MOST_CHARACTERS),
        rich=rich,
        damaged=float(look is Look.SCANNED),
        held_out=look is Look.HELD_OUT,
    )


def _plain_kind(size_px: tuple[int, int], x_height_px: tuple[float, float], most_characters: int) -> PageKind:
    """Clean text without Markdown; the x-height is that on the page."""
    width, height = size_px
    return PageKind(
        (width, width),
        (height / width,) * 2,
        x_height_px,
        rich=0.0,
        damaged=0.0,
        blank=0.0,
        most_characters=most_characters,
    )


def _shape(size_px: tuple[int, int]) -> PageSet:
    kind = _plain_kind(size_px, (_SHAPE_X_HEIGHT_PX / _tile_scale(size_px),) * 2, _MOST_CHARACTERS)
    return PageSet(Group.SHAPE, Mode.GUNDAM, _TEXT, Look.CLEAN, _SHAPE_X_HEIGHT_PX, (ALL_TOKENS,), kind)


def _print(mode: Mode, look: Look, x_height_px: float) -> PageSet:
    kind = _kind(mode, (x_height_px, x_height_px), look, rich=0.0)
    return PageSet(Group.PRINT, mode, _TEXT, look, x_height_px, (ALL_TOKENS,), kind)


def _markdown(mode: Mode) -> PageSet:
    kind = _kind(mode, (10.0, 20.0), Look.CLEAN, rich=1.0)
    return PageSet(Group.MARKDOWN, mode, _MARKDOWN, Look.CLEAN, 0.0, (ALL_TOKENS,), kind)


def _empty(mode: Mode, look: Look) -> PageSet:
    width, height = _VIEW_PX[mode]
    damaged = float(look is Look.SCANNED)
    kind = PageKind((width, width), (height / width,) * 2, (10.0, 20.0), rich=0.0, damaged=damaged, blank=1.0)
    return PageSet(Group.EMPTY, mode, _TEXT, look, 0.0, (ALL_TOKENS,), kind)
