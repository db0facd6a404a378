"""Pages with light print on a dark ground, shown inverted to models that only read dark print."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.ocr.reading import Mode, ReadSettings, Scaling
from rtocr_gui.ocr.vision.dark_pages import as_light_page, has_dark_ground
from tests.readings import read_page
from tests.small_checkpoint import write_checkpoint
from tests.tasks import TEXT

if TYPE_CHECKING:
    from rtocr_gui.ocr.engine import Engine

WORDS = "the quick brown fox jumps over it "


def printed(ground: str, ink: str, size: tuple[int, int] = (800, 400), lines: int = 9) -> Image.Image:
    """A page with lines of print of one colour on a ground of another."""
    page = Image.new("RGB", size, ground)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(24)
    for line in range(lines):
        draw.text((24, 20 + 40 * line), WORDS * 2, ink, font)
    return page


def with_border(page: Image.Image, share: float) -> Image.Image:
    """The page as a scanner with its lid open sees it: black around it, on a share of the picture."""
    scale = (1 - share) ** 0.5
    framed = Image.new("RGB", page.size, "black")
    framed.paste(page.resize((round(page.width * scale), round(page.height * scale))), (0, 0))
    return framed


def strip_on_black(page: Image.Image, share: float) -> Image.Image:
    """A narrow page, such as a receipt, in the middle of a black scan."""
    framed = Image.new("RGB", page.size, "black")
    framed.paste(page.crop((0, 0, round(share * page.width), page.height)), (page.width // 3, 0))
    return framed


def with_dark_top(page: Image.Image, share: float) -> Image.Image:
    """The page with light print on black down to a share of its height."""
    dark = page.copy()
    dark.paste(ImageOps.invert(page.crop((0, 0, page.width, round(share * page.height)))))
    return dark


def with_white_fields(page: Image.Image) -> Image.Image:
    """The page as a form, with fields to write in."""
    form = page.copy()
    for field in ((300, 300, 700, 350), (40, 20, 240, 70)):
        form.paste("white", field)
    return form


def with_noise(page: Image.Image, deviation: float = 8) -> Image.Image:
    grain = np.random.default_rng(3).normal(0, deviation, (page.height, page.width, 1))
    return Image.fromarray(np.clip(np.asarray(page) + grain, 0, 255).astype(np.uint8))


PAGE = printed("white", "black")


@pytest.mark.parametrize(
    "page",
    [
        printed("black", "white"),
        printed("#282c34", "#abb2bf"),
        printed("#051005", "#50dc5a"),
        printed("#0f1e50", "#faf0c8"),
        printed("#191919", "#6e6e6e"),
        printed("#3c5046", "#c8c8c8"),
        printed("#1e1e1e", "#e6e6e6", (1920, 1080), lines=1),
        with_noise(printed("#1e1e1e", "#e6e6e6")),
        printed("black", "white").filter(ImageFilter.GaussianBlur(1)),
        printed("black", "white").convert("L"),
        with_dark_top(PAGE, 0.8),
        Image.new("RGB", (100, 100), "black"),
        printed("#ed7d31", "white"),
        printed("#a5a5a5", "white"),
        printed("#5b9bd5", "white", lines=1),
        printed("#70ad47", "#f2f2f2"),
        printed("#ffc000", "white", (1920, 1080), lines=4),
        with_noise(printed("#a5a5a5", "white")),
        printed("#ed7d31", "white").filter(ImageFilter.GaussianBlur(1)),
    ],
    ids=[
        "white on black",
        "an editor",
        "a terminal",
        "a slide",
        "faint print",
        "a blackboard",
        "one line on a screen",
        "noise",
        "blurred",
        "grey",
        "light footer",
        "nothing on it",
        "orange",
        "mid-grey",
        "one line on light blue",
        "near white on green",
        "gold",
        "mid-grey and noise",
        "orange and blurred",
    ],
)
def test_a_page_with_light_print_on_a_dark_ground_is_inverted(page: Image.Image) -> None:
    assert has_dark_ground(page)
    assert ImageChops.difference(as_light_page(page), ImageOps.invert(page)).getbbox() is None


@pytest.mark.parametrize(
    "page",
    [
        PAGE,
        PAGE.convert("L"),
        Image.new("RGB", (100, 100), "white"),
        with_border(PAGE, 0.2),
        with_border(PAGE, 0.5),
        with_border(PAGE, 0.8),
        strip_on_black(PAGE, 0.38),
        strip_on_black(PAGE, 0.2),
        with_noise(with_border(PAGE, 0.2)),
        with_dark_top(PAGE, 0.2),
        with_dark_top(PAGE, 0.5),
        ImageEnhance.Brightness(PAGE).enhance(0.25),
        with_noise(Image.new("RGB", (400, 400), "#ebebeb"), 4),
        with_noise(Image.new("RGB", (400, 400), "#5a5a5a"), 4),
        printed("#c82828", "black"),
        printed("#5a78c8", "#000028"),
        printed("#c8c8c3", "#323232"),
        printed("#cdb487", "black").filter(ImageFilter.GaussianBlur(1)),
        with_noise(Image.new("RGB", (400, 400), "#cdb487"), 4),
        Image.new("RGB", (100, 100), "#a5a5a5"),
        printed("#ffeb3c", "white"),
        ImageOps.expand(printed("#be9b6e", "#907850"), 40, "white"),
        with_white_fields(printed("#ed7d31", "#b05020")),
        with_white_fields(printed("#c8c8c3", "#b0b0b0")),
    ],
    ids=[
        "black on white",
        "grey",
        "nothing on it",
        "a border on 20 %",
        "a border on 50 %",
        "a border on 80 %",
        "a receipt on black",
        "a narrow receipt on black",
        "a border and noise",
        "a dark heading",
        "half of it dark",
        "in bad light",
        "empty, with noise",
        "empty, in bad light",
        "red paper",
        "blue paper",
        "recycled paper",
        "old paper, blurred",
        "empty, yellowed",
        "empty, mid-grey",
        "white on yellow",
        "faint print on brown paper in a white margin",
        "faint print on orange with white fields",
        "faint print on grey with white fields",
    ],
)
def test_a_page_with_dark_print_on_a_light_ground_stays_as_it_is(page: Image.Image) -> None:
    assert not has_dark_ground(page)
    assert as_light_page(page) is page


@given(st.integers(128, 255), st.floats(0, 0.5), st.integers(0, 255))
@settings(max_examples=50)
def test_print_half_as_bright_as_a_ground_that_is_not_dark_keeps_a_page_light(
    ground: int, share: float, spot: int
) -> None:
    page = Image.new("L", (200, 200), ground)
    page.paste(int(share * ground), (20, 20, 60, 22))
    page.paste(spot, (100, 20, 140, 24))

    assert not has_dark_ground(page)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(1, 255))
@settings(max_examples=50)
def test_no_page_is_dark_once_it_was_inverted(width: int, height: int, seed: int, brightest: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, brightest, (height, width, 3), dtype=np.uint8)
    light = as_light_page(Image.fromarray(pixels))

    assert as_light_page(light) is light


def encoded(folder: Path, page: Image.Image, name: str, **description: object) -> tuple[Mode, np.ndarray]:
    """The mode that Auto chooses for a page, and the norms of the page's tokens in Tiny."""
    from rtocr_gui.ocr.engine import Engine

    own = {"name": "Mine", "description": "Reads.", "modes": ["tiny", "small", "base"], "tasks": ["text"]}
    (folder / "rtocr.json").write_text(json.dumps(own | description))
    engine = Engine(threads=1)
    engine.load(folder, device="cpu")
    one = PageImage(PageRef(Path(name), 0, sha256=name), page, dpi=96)
    chosen, tiny = engine.encode(one, Scaling(None)), engine.encode(one, Scaling(Mode.TINY))
    engine.unload()
    return chosen.mode, tiny.measures.norms


def test_only_a_model_that_reads_light_pages_only_is_shown_dark_pages_inverted(tmp_path: Path) -> None:
    folder, dark = write_checkpoint(tmp_path / "model"), ImageOps.invert(PAGE)
    light_mode, light = encoded(folder, PAGE, "light")

    for description, is_inverted in (
        ({}, False),
        ({"light_pages_only": False}, False),
        ({"light_pages_only": True}, True),
    ):
        mode, norms = encoded(folder, dark, "dark", **description)

        assert np.array_equal(norms, light) is is_inverted, description
        assert mode is light_mode


def test_the_size_of_print_is_measured_on_the_page_as_the_model_sees_it(
    tmp_path: Path, measured: list[Image.Image]
) -> None:
    encoded(write_checkpoint(tmp_path / "model"), ImageOps.invert(PAGE), "dark", light_pages_only=True)

    (seen,) = measured
    assert ImageChops.difference(seen, PAGE).getbbox() is None


def test_the_miniature_reads_light_print_as_it_reads_dark_print(miniature_engine: "Engine") -> None:
    page = Image.new("RGB", (512, 200), "white")
    ImageDraw.Draw(page).text((20, 60), "The door is open", "black", ImageFont.load_default(40))
    dark, light = (
        read_page(
            miniature_engine,
            PageImage(PageRef(Path(name), 0, sha256=name), image, dpi=96),
            ReadSettings(Scaling(Mode.BASE), TEXT, max_new_tokens=60),
        )
        for name, image in (("dark", ImageOps.invert(page)), ("light", page))
    )

    assert dark.raw_text == light.raw_text
    assert dark.raw_text.strip() == "The door is open"
