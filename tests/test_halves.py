"""Cutting pages into halves: between the lines, each mark once, however the page lies."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from rtocr_gui.documents.halves import cut_half
from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.pages import Half, PageRef
from rtocr_gui.errors import DocumentError
from tests.made_pages import noise_page, page_image

Colour = tuple[int, int, int]
WORDS = "Each line of this page has a colour of its own"
PAIRS = [(Half.TOP, Half.BOTTOM), (Half.LEFT, Half.RIGHT)]


def line_colours(count: int) -> list[Colour]:
    return [(220 if number % 2 else 0, 0, 10 * number) for number in range(count)]


def lined_page(colours: list[Colour], skew_deg: float, first_px: int = 30) -> Image.Image:
    """A page whose lines are 18 pixels high and 24 apart."""
    image = Image.new("RGB", (600, 50 + 24 * len(colours)), "white")
    draw = ImageDraw.Draw(image)
    for number, colour in enumerate(colours):
        draw.text((40, first_px + 24 * number), WORDS, colour, font_size=18)
    return image.rotate(skew_deg, Image.Resampling.NEAREST, fillcolor="white")


def has(image: Image.Image, colour: Colour) -> bool:
    return bool((np.asarray(image) == colour).all(axis=2).any())


def ink(image: Image.Image) -> int:
    return int((255 - np.asarray(image.convert("L"), dtype=np.int64)).sum())


@pytest.mark.parametrize("first_px", [22, 28, 34, 40])
@pytest.mark.parametrize("skew_deg", [-2, 0, 1.3])
def test_no_line_is_cut_and_the_halves_are_alike(skew_deg: float, first_px: int) -> None:
    colours = line_colours(20)
    page = lined_page(colours, skew_deg, first_px)
    top, bottom = (cut_half(page, half) for half in PAIRS[0])
    seen = [(has(top, colour), has(bottom, colour)) for colour in colours]
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {(True, False), (False, True)}
    assert 8 <= sum(above for above, _ in seen) <= 12
    assert top.width == bottom.width == page.width
    assert ink(top) + ink(bottom) == ink(page)


def test_faint_print_is_cut_where_dark_print_is() -> None:
    def faint(image: Image.Image) -> Image.Image:
        return image.point(lambda value: 255 - (255 - value) // 4)

    page = Image.new("RGB", (600, 800), "white")
    ImageDraw.Draw(page).line((300, 350, 300, 450), "black", 3)
    for half in PAIRS[0]:
        assert cut_half(faint(page), half) == faint(cut_half(page, half))


@pytest.mark.parametrize("gutter_px", [350, 400, 450])
def test_the_pages_of_an_open_book_come_apart_where_they_meet(gutter_px: int) -> None:
    page = Image.new("RGB", (800, 500), "#f4f0e6")
    draw = ImageDraw.Draw(page)
    draw.line((gutter_px, 0, gutter_px, 500), "#d8d0c0", 3)
    for number in range(15):
        y = 60 + 24 * number
        draw.line((30, y, gutter_px - 25, y), "black", 9)
        draw.line((gutter_px + 25, y, 770, y), "red", 9)
    left, right = (cut_half(page, half) for half in PAIRS[1])
    assert (has(left, (0, 0, 0)), has(left, (255, 0, 0))) == (True, False)
    assert (has(right, (0, 0, 0)), has(right, (255, 0, 0))) == (False, True)


@pytest.mark.parametrize("pair", PAIRS)
def test_an_empty_page_is_cut_in_the_middle(pair: tuple[Half, Half]) -> None:
    parts = [cut_half(Image.new("RGB", (300, 300), "ivory"), half) for half in pair]
    assert all(140 <= min(part.size) <= 160 for part in parts)
    assert all(part.getcolors() == [(part.width * part.height, (255, 255, 240))] for part in parts)


@given(st.integers(30, 90), st.integers(30, 90), st.integers(0, 2**32 - 1), st.sampled_from(PAIRS))
def test_every_mark_is_in_one_half(width: int, height: int, seed: int, pair: tuple[Half, Half]) -> None:
    marks = np.random.default_rng(seed).random((height, width, 1)) < 0.05
    page = Image.fromarray(np.where(marks, 0, 255).astype(np.uint8).repeat(3, axis=2))
    assert sum(ink(cut_half(page, half)) for half in pair) == ink(page)


@given(st.integers(2, 20), st.integers(2, 20), st.sampled_from(PAIRS))
def test_even_the_smallest_page_has_two_halves(width: int, height: int, pair: tuple[Half, Half]) -> None:
    parts = [cut_half(noise_page(width, height), half) for half in pair]
    along = 0 if pair[0].is_beside else 1
    assert all(part.size[along] >= 1 for part in parts)
    assert sum(part.size[along] for part in parts) >= (width, height)[along]


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("beside", [True, False])
def test_the_halves_are_those_of_the_page_as_it_lies(tmp_path: Path, rotation_deg: int, beside: bool) -> None:
    corners = ("red", "lime", "blue", "black")  # clockwise from the top left
    page = Image.new("RGB", (300, 200), "white")
    for colour, place in zip(corners, ((10, 10), (200, 10), (200, 150), (10, 150)), strict=True):
        page.paste(Image.new("RGB", (80, 40), colour), place)
    page.save(tmp_path / "page.png")
    with open_document(tmp_path / "page.png") as document:
        ref = document.pages[0].rotated(rotation_deg)
        whole = document.load_page(0, rotation_deg=rotation_deg).image
        parts = [
            document.load_page(0, rotation_deg=one.rotation_deg, cuts=one.cuts)
            for one in ref.halves(beside=beside)
        ]
        small = [document.thumbnail(0, 100, part.ref.rotation_deg, part.ref.cuts) for part in parts]
    turned = rotation_deg // 90
    seen = [corners[(place - turned) % 4] for place in range(4)]
    expected = [{seen[0], seen[3]}, {seen[1], seen[2]}] if beside else [set(seen[:2]), set(seen[2:])]
    rgb = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "black": (0, 0, 0)}
    found = [{colour for colour in corners if has(part.image, rgb[colour])} for part in parts]
    assert found == expected
    assert [part.ref for part in parts] == list(ref.halves(beside=beside))
    across = 1 if beside else 0
    assert all(part.image.size[across] == whole.size[across] for part in parts)
    assert all(one.size[across] > one.size[1 - across] * 0.6 for one in small)


def test_halves_are_named_as_they_lie_and_belong_to_one_page(tmp_path: Path) -> None:
    page = PageRef(tmp_path / "book.pdf", 2, "0" * 64)
    left, right = page.halves(beside=True)
    assert (left.label, right.label) == ("book.pdf, page 3, left half", "book.pdf, page 3, right half")
    assert left.rotated(90).label == "book.pdf, page 3, top half"
    assert page.rotated(270).halves(beside=False)[0].unrotated == right
    for one, other in pairwise((left, page, right.rotated(90), page.halves(beside=False)[0])):
        assert one.overlaps(other)
        assert one.whole == other.whole == page
    assert not left.overlaps(right.rotated(180))
    assert not left.overlaps(PageRef(tmp_path / "book.pdf", 1, "0" * 64))


def test_a_half_too_narrow_to_read_says_so(tmp_path: Path) -> None:
    page_image((400, 12)).save(tmp_path / "strip.png")
    with open_document(tmp_path / "strip.png") as document:
        assert document.load_page(0, cuts=(Half.LEFT,)).image.height == 12
        with pytest.raises(DocumentError, match="Read the whole page"):
            document.load_page(0, cuts=(Half.TOP,))
