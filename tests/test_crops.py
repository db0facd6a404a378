"""Cropping pages: which pixels are left, however the page lies and whatever is cut before and after."""

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.pages import ROTATIONS_DEG, Crop, Half, PageRef, rotate
from rtocr_gui.errors import DocumentError
from rtocr_gui.export.page_source import source_as_json
from tests.made_pages import noise_page, page_image

PAGE = PageRef(Path("/scans/book.pdf"), 2, "0" * 64)
UPPER_LEFT = Crop(0, 0, 0.5, 0.25)


@st.composite
def crops(draw: st.DrawFn) -> Crop:
    left, right = sorted(draw(st.lists(st.integers(0, 1000), min_size=2, max_size=2, unique=True)))
    top, bottom = sorted(draw(st.lists(st.integers(0, 1000), min_size=2, max_size=2, unique=True)))
    return Crop(left / 1000, top / 1000, right / 1000, bottom / 1000)


@pytest.mark.parametrize(
    "edges", [(0.5, 0, 0.5, 1), (0, 0.6, 1, 0.5), (-0.1, 0, 1, 1), (0, 0, 1, 1.01), (0, 0, float("nan"), 1)]
)
def test_a_crop_has_an_area_on_the_page(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="no part of a page"):
        Crop(*edges)


@given(crops(), st.sampled_from([0, 90, 180, 270, -90]))
def test_a_crop_is_turned_with_the_page(crop: Crop, degrees: int) -> None:
    turned = crop.rotated(degrees)
    back = turned.rotated(-degrees)
    edges = ("left", "top", "right", "bottom")
    assert [getattr(back, edge) for edge in edges] == pytest.approx([getattr(crop, edge) for edge in edges])
    sides = turned.right - turned.left, turned.bottom - turned.top
    assert sides[:: -1 if degrees % 180 else 1] == pytest.approx(
        (crop.right - crop.left, crop.bottom - crop.top)
    )


@given(crops(), st.integers(2, 3000), st.integers(2, 3000))
def test_at_least_two_pixels_are_left_each_way(crop: Crop, width: int, height: int) -> None:
    left, top, right, bottom = crop.box_px(width, height)
    assert 0 <= left <= right - 2 <= width - 2
    assert 0 <= top <= bottom - 2 <= height - 2
    assert right - left <= max(2, (crop.right - crop.left) * width + 1)


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
def test_a_page_is_cropped_as_it_lies(tmp_path: Path, rotation_deg: int) -> None:
    page = noise_page(300, 200)
    page.save(tmp_path / "page.png")
    turned = rotate(page, rotation_deg)
    width, height = turned.size
    box = 30, 20, 150, 120
    crop = Crop(box[0] / width, box[1] / height, box[2] / width, box[3] / height)
    with open_document(tmp_path / "page.png") as document:
        ref = document.pages[0].rotated(rotation_deg).cropped(crop)
        part = document.load_page(0, rotation_deg=rotation_deg, cuts=ref.cuts)
    assert part.ref == ref
    assert np.array_equal(np.asarray(part.image), np.asarray(turned.crop(box)))


def test_cuts_are_made_one_after_the_other(tmp_path: Path) -> None:
    page = noise_page(400, 400)
    page.save(tmp_path / "page.png")
    with open_document(tmp_path / "page.png") as document:
        inner = document.pages[0].cropped(Crop(0.5, 0.5, 1, 1)).cropped(Crop(0, 0, 0.25, 0.5))
        part = document.load_page(0, cuts=inner.cuts).image
        half = document.load_page(0, cuts=(Crop(0, 0, 1, 0.5), Half.LEFT)).image
        of_half = document.load_page(0, cuts=(Half.LEFT, Crop(0, 0, 1, 0.5))).image
    assert np.array_equal(np.asarray(part), np.asarray(page.crop((200, 200, 250, 300))))
    assert half.height == of_half.height == 200
    assert 130 < half.width < 270
    assert np.array_equal(np.asarray(half)[:, :100], np.asarray(page)[:200, :100])


def test_a_part_too_narrow_to_read_says_so(tmp_path: Path) -> None:
    page_image((400, 300)).save(tmp_path / "page.png")
    with open_document(tmp_path / "page.png") as document:
        for cuts in ((Crop(0, 0, 0.01, 1),), (Crop(0, 0, 0.01, 1), Half.TOP)):
            with pytest.raises(DocumentError, match=r"^This part is 4 x 300 pixels.* Read the whole page"):
                document.load_page(0, cuts=cuts)


@pytest.mark.parametrize("cut", [Half.TOP, Half.BOTTOM, Half.LEFT, Crop(0, 0, 1, 0.5)])
def test_the_thumbnail_of_a_part_that_is_too_narrow_to_read_is_no_unexpected_error(
    tmp_path: Path, cut: Crop | Half
) -> None:
    path = tmp_path / "banner.png"
    noise_page(800, 20).save(path)
    with open_document(path) as document:
        for count in range(15):
            assert 1 <= min(document.thumbnail(0, 100, cuts=(cut,) * count).size) <= 100


@pytest.mark.parametrize(
    "cuts",
    [
        (Crop(0.4, 0.4, 0.5, 0.5),),
        (Half.TOP, Crop(0.8, 0.8, 1, 1)),
        (Crop(0, 0, 0.001, 0.001), Half.LEFT),
        (Half.LEFT, Half.TOP, Half.RIGHT, Half.BOTTOM, Crop(0, 0, 1, 1)),
    ],
)
def test_the_thumbnail_of_a_part_is_no_larger_than_others_and_shows_all_there_is(
    tmp_path: Path, cuts: tuple[Crop | Half, ...]
) -> None:
    noise_page(2000, 1500).save(tmp_path / "page.png")
    with open_document(tmp_path / "page.png") as document:
        small = document.thumbnail(0, 100, cuts=cuts)
        page = document.load_page(0).image
    longest = max(page.size) * min(cut.right - cut.left for cut in cuts if isinstance(cut, Crop))
    assert min(100, longest) * 0.5 <= max(small.size) <= 100


def test_parts_are_named_as_they_lie(tmp_path: Path) -> None:
    cropped = PAGE.cropped(UPPER_LEFT)
    left, right = cropped.halves(beside=True)
    assert cropped.label == "book.pdf, page 3, cropped"
    assert right.rotated(90).label == "book.pdf, page 3, cropped, bottom half"
    assert PAGE.halves(beside=True)[0].cropped(UPPER_LEFT).part == "left half, cropped"
    assert cropped.cropped(UPPER_LEFT).part == "cropped"
    assert left.cropped(UPPER_LEFT).part == "cropped, left half, cropped"


def test_each_part_leads_back_to_what_it_was_cut_from() -> None:
    cropped = PAGE.rotated(90).cropped(UPPER_LEFT)
    left = cropped.halves(beside=True)[0]
    assert left.joined == cropped
    assert left.cropped(UPPER_LEFT).joined == cropped
    assert left.cropped(UPPER_LEFT).uncropped == left
    assert cropped.cropped(UPPER_LEFT).uncropped == PAGE.rotated(90)
    assert (cropped.is_cropped, left.is_cropped, PAGE.is_cropped) == (True, False, False)
    for ref in (PAGE, left):
        assert ref.uncropped == ref
    assert cropped.joined == cropped
    assert {ref.whole for ref in (PAGE, cropped, left, left.cropped(UPPER_LEFT))} == {PAGE}


def test_parts_overlap_unless_they_are_the_two_halves_of_one() -> None:
    cropped = PAGE.cropped(UPPER_LEFT)
    left, right = cropped.halves(beside=True)
    assert not left.overlaps(right)
    assert not left.overlaps(right.cropped(UPPER_LEFT))
    for other in (PAGE, cropped, PAGE.halves(beside=True)[1], PAGE.cropped(Crop(0.9, 0.9, 1, 1))):
        assert left.overlaps(other)
        assert other.overlaps(left)


def test_parts_of_parts_are_told_apart_however_often_a_page_was_split() -> None:
    top, bottom = PAGE.halves(beside=False)
    first, second = top.halves(beside=False)
    assert [ref.part for ref in (first, second, bottom)] == ["part 1 of 4", "part 2 of 4", "bottom half"]
    assert [part.part for half in (second, bottom) for part in half.halves(beside=False)] == [
        "part 3 of 8",
        "part 4 of 8",
        "part 3 of 4",
        "part 4 of 4",
    ]
    assert second.rotated(180).part == "part 3 of 4"
    assert second.halves(beside=True)[1].cropped(UPPER_LEFT).part == "part 2 of 4, right half, cropped"
    assert not any(map(first.overlaps, (second, bottom, bottom.halves(beside=True)[0])))
    assert all(map(first.overlaps, (PAGE, top, first.cropped(UPPER_LEFT), top.cropped(UPPER_LEFT))))
    assert second.other_halves == (bottom, first)
    assert second.cut_from == (PAGE, top)
    assert second.joined == top
    assert sorted((bottom, second, first), key=lambda ref: ref.reading_order) == [first, second, bottom]


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=12), st.sampled_from(ROTATIONS_DEG))
def test_however_a_page_is_split_its_parts_have_names_of_their_own_and_lie_apart(
    splits: list[tuple[int, bool]], rotation_deg: int
) -> None:
    parts = [PAGE.rotated(rotation_deg)]
    for number, beside in splits:
        at = number % len(parts)
        parts[at : at + 1] = parts[at].halves(beside=beside)
    assert len({ref.part for ref in parts}) == len(parts)
    assert not any(one.overlaps(other) for one, other in combinations(parts, 2))
    assert sorted(parts, key=lambda ref: ref.reading_order) == parts


def test_the_source_of_a_part_says_how_it_was_cut() -> None:
    ref = PAGE.cropped(UPPER_LEFT).halves(beside=True)[1]
    told = json.loads(json.dumps(source_as_json(ref, "A model", "base")))
    assert told["cuts"] == [{"left": 0, "top": 0, "right": 0.5, "bottom": 0.25}, "right"]


@pytest.mark.parametrize("command", ["plan", "curve"])
@pytest.mark.parametrize(("rotation_deg", "in_file"), [(0, (0, 0, 0.5, 0.25)), (90, (0, 0.5, 0.25, 1))])
def test_a_part_is_planned_as_it_lies(rtocr, tmp_path, command, rotation_deg, in_file):
    page, target = tmp_path / "page.png", tmp_path / "told.json"
    page_image((600, 600)).save(page)
    page.with_suffix(".txt").write_text("the whole page")
    turning = "--rotate", rotation_deg
    result = rtocr(command, page, "--crop", "0,0,50,25", "--half", "left", *turning, "--json", target)
    assert result.code == 0
    told = json.loads(target.read_text())
    crop, half = told["cuts"]
    assert (tuple(crop.values()), half) == (in_file, "bottom" if rotation_deg else "left")
    assert told.get("truth") is None


def test_the_parts_of_pages_are_read(rtocr, tmp_path):
    page = tmp_path / "page.png"
    page_image((600, 600)).save(page)
    result = rtocr("read", page, page, "--crop", "0,0,100,50", "--split", "left-right")
    assert result.code == 0
    assert re.findall("<!-- page: (.*) -->", result.out) == [
        f"page.png, page 1, cropped, {side} half" for _ in range(2) for side in ("left", "right")
    ]


@pytest.mark.parametrize(
    "area", ["", "0,0,50", "0,0,50,50,50", "0,0,0,50", "50,0,0,50", "0,0,101,1", "a,b,c,d"]
)
def test_what_is_no_part_of_a_page_is_wrong_usage(rtocr, tmp_path, area):
    result = rtocr("read", tmp_path / "page.png", f"--crop={area}")
    assert result.code == 2
    assert f"--crop: “{area}” is not a part of a page" in result.err[-1]


def test_a_part_is_not_compared_with_the_true_text_of_the_page(rtocr, tmp_path):
    page, target = tmp_path / "page.png", tmp_path / "told.json"
    page_image((600, 600)).save(page)
    page.with_suffix(".txt").write_text("the whole page")
    for crop, has_truth in (((), True), (("--crop", "0,0,100,50"), False)):
        assert rtocr("curve", page, *crop, "--json", target).code == 0
        assert (json.loads(target.read_text()).get("truth") is not None) is has_truth
