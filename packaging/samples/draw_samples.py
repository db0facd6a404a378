"""Draws the sample pages, and fresh pages of the same kind, with their text.

    python packaging/samples/draw_samples.py resources/samples
    python packaging/samples/draw_samples.py --fresh 50 --seed 7 FOLDER

Every page becomes NAME.png and NAME.txt: one line of text for each printed line, no blank lines.

The kind is called "large clean print": one column of upright type, 38 to 46 pixels high, ragged right,
on a page of 512 pixels, at most eight lines, sometimes under a bold heading. It is what the bundled
miniature reads best. Fresh pages contain random words, numbers, dates and amounts, so that nothing
on them can be guessed.
"""

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from rtocr_gui.cli.values import count_of

PAGE_PX = 512
PAPER = (254, 252, 246)
INK = (28, 28, 36)
HEADING_LARGEST_PX = 52
LINES_AT_MOST = 8

FONT_FOLDER = Path("/usr/share/fonts/truetype")
FACES = {
    "DejaVu Sans": ("dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf"),
    "DejaVu Serif": ("dejavu/DejaVuSerif.ttf", "dejavu/DejaVuSerif-Bold.ttf"),
    "Noto Sans": ("noto/NotoSans-Regular.ttf", "noto/NotoSans-Bold.ttf"),
    "Noto Serif": ("noto/NotoSerif-Regular.ttf", "noto/NotoSerif-Bold.ttf"),
}
"""Regular and bold font files of each family, relative to `FONT_FOLDER`."""

WORD_LIST = Path("/usr/share/dict/words")
NEEDED_PACKAGES = "fonts-dejavu-core fonts-noto-core wamerican"


class MissingMaterial(Exception):
    """A font or the word list is not installed."""


@dataclass(frozen=True, slots=True)
class Page:
    """The text and design of one page.

    Attributes:
        name: file name without suffix.
        family: a key of `FACES`.
        size_px: type size of the body, in pixels.
        lines: printed lines; an empty one leaves half a line of space.
        heading_px: type size of the bold first line; None for a page without a heading.
        leading: distance from line to line, in type sizes.
        left_px: left margin.
        top_px: space above the first line.
    """

    name: str
    family: str
    size_px: int
    lines: tuple[str, ...]
    heading_px: int | None
    leading: float
    left_px: int
    top_px: int

    @property
    def text(self) -> str:
        """The truth: the printed lines, without the spaces between paragraphs."""
        return "\n".join(line for line in self.lines if line)


SAMPLES = (
    Page(
        name="notice",
        family="DejaVu Serif",
        size_px=39,
        lines=(
            "Town Library",
            "",
            "Open every day",
            "from 9 to 18 hours.",
            "",
            "The reading room",
            "is on the first floor.",
            "Please keep quiet.",
        ),
        heading_px=46,
        leading=1.36,
        left_px=30,
        top_px=28,
    ),
    Page(
        name="letter",
        family="Noto Serif",
        size_px=41,
        lines=(
            "Dear Mrs. Porter,",
            "",
            "thank you for the",
            "map of the harbor.",
            "We will show it to",
            "our visitors in May.",
            "",
            "With best regards,",
            "Daniel Brook",
        ),
        heading_px=None,
        leading=1.32,
        left_px=34,
        top_px=16,
    ),
    Page(
        name="prices",
        family="Noto Sans",
        size_px=40,
        lines=(
            "Farm Market",
            "",
            "Rye bread $4.20",
            "Brown eggs $3.75",
            "Apples, one bag $2.90",
            "Honey, one jar $8.50",
            "Goat cheese $5.60",
            "",
            "We open at 7:30.",
        ),
        heading_px=48,
        leading=1.36,
        left_px=30,
        top_px=14,
    ),
)


def load_font(family: str, bold: bool, size_px: int) -> ImageFont.FreeTypeFont:
    """Load a face of `FACES`, laid out without the optional shaping library, to be the same on every machine.

    Raises:
        MissingMaterial: the font file is not installed.
    """
    path = FONT_FOLDER / FACES[family][bold]
    try:
        return ImageFont.truetype(path, size_px, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise MissingMaterial(f"The font {path} is missing. Install {NEEDED_PACKAGES}.") from error


def draw(page: Page) -> Image.Image:
    """Draw a page as an RGB picture of `PAGE_PX` by `PAGE_PX`.

    Raises:
        MissingMaterial: a font file is not installed.
        ValueError: the lines do not fit on the page.
    """
    image = Image.new("RGB", (PAGE_PX, PAGE_PX), PAPER)
    canvas = ImageDraw.Draw(image)
    top = float(page.top_px)
    for index, line in enumerate(page.lines):
        heading = index == 0 and page.heading_px is not None
        size = page.heading_px if index == 0 and page.heading_px is not None else page.size_px
        if not line:
            top += size * page.leading / 2
            continue
        font = load_font(page.family, heading, size)
        right, bottom = page.left_px + font.getlength(line), top + size * page.leading
        if max(right, bottom) >= PAGE_PX:
            raise ValueError(f"{line!r} does not fit on the page {page.name!r}.")
        canvas.text((page.left_px, top), line, fill=INK, font=font)
        top = bottom
    return image


def read_words() -> tuple[str, ...]:
    """Read English words of 2 to 11 letters.

    Raises:
        MissingMaterial: the word list is not installed.
    """
    try:
        words = WORD_LIST.read_text(encoding="utf-8").split()
    except OSError as error:
        raise MissingMaterial(f"The word list {WORD_LIST} is missing. Install {NEEDED_PACKAGES}.") from error
    return tuple(word for word in words if word.isascii() and word.isalpha() and 1 < len(word) < 12)


def fresh_word(words: tuple[str, ...], rng: random.Random) -> str:
    """Return a word, a number, a date or an amount, sometimes with a capital or a punctuation mark."""
    kind = rng.random()
    if kind < 0.88:
        word = rng.choice(words)
        word = word.capitalize() if rng.random() < 0.2 else word
    elif kind < 0.92:
        word = str(rng.randint(0, 9999))
    elif kind < 0.96:
        word = f"{rng.randint(1, 31):02d}/{rng.randint(1, 12):02d}/{rng.randint(1950, 2030)}"
    else:
        word = f"${rng.randint(0, 999)}.{rng.randint(0, 99):02d}"
    return word + rng.choice(",.;:!?") if rng.random() < 0.12 else word


def fill_line(next_word: Callable[[], str], font: ImageFont.FreeTypeFont, width_px: float) -> str:
    """Return as many words as fit into `width_px`."""
    line = ""
    while True:
        longer = f"{line} {next_word()}".strip()
        if font.getlength(longer) <= width_px:
            line = longer
        elif line:
            return line


def fresh_page(name: str, words: tuple[str, ...], rng: random.Random) -> Page:
    """Return a page of the same kind as the samples, with random text."""
    family = rng.choice(sorted(FACES))
    size = rng.randint(38, 46)
    leading = rng.uniform(1.22, 1.45)
    left, top = rng.randint(10, 40), rng.randint(8, 40)
    heading = min(HEADING_LARGEST_PX, round(size * 1.15)) if rng.random() < 0.3 else None
    bottom = top + 0.0
    lines: list[str] = []
    for _ in range(rng.randint(3, LINES_AT_MOST)):
        line_px = heading if heading is not None and not lines else size
        if bottom + line_px * leading >= PAGE_PX:
            break
        font = load_font(family, line_px == heading and not lines, line_px)
        width = (PAGE_PX - left - 8) * rng.uniform(0.6, 1)
        lines.append(fill_line(lambda: fresh_word(words, rng), font, width))
        bottom += line_px * leading
        if rng.random() < 0.15 and bottom + 1.5 * size * leading < PAGE_PX:
            lines.append("")
            bottom += size * leading / 2
    return Page(name, family, size, tuple(lines), heading, leading, left, top)


def save(page: Page, folder: Path) -> None:
    """Write NAME.png and NAME.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    draw(page).save(folder / f"{page.name}.png", optimize=True)
    (folder / f"{page.name}.txt").write_text(page.text + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw the sample pages, or fresh pages of the same kind.")
    parser.add_argument("folder", type=Path, help="folder to write the pages to")
    parser.add_argument(
        "--fresh",
        type=count_of("a number of pages"),
        metavar="N",
        help="draw N fresh pages instead of the samples",
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the fresh pages (default 1)")
    options = parser.parse_args()
    try:
        if options.fresh is None:
            pages: tuple[Page, ...] = SAMPLES
        else:
            rng, words = random.Random(options.seed), read_words()
            pages = tuple(fresh_page(f"fresh_{i:03d}", words, rng) for i in range(options.fresh))
        for page in pages:
            save(page, options.folder)
    except MissingMaterial as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
