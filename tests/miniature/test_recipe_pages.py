"""The pages of the recipe tell the truth, and so do their dense labels."""

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageChops, ImageFont

from recipe.alphabet import ALPHABET, CLASS_OF, NOTHING
from recipe.blocks import KINDS, Block
from recipe.degrade import Damage, damage_page
from recipe.labels import (
    SLOT_COLUMNS,
    SLOT_LINES,
    SLOT_PLACES,
    UNSAID,
    block_labels,
    point_labels,
    slot_labels,
)
from recipe.pages import PageKind, draw_page
from recipe.shown import show
from recipe.stock import load_stock
from recipe.typefaces import FAMILIES, MissingMaterial, Style, about_missing_typefaces, find_typefaces
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.ocr.text.markup import strip_grounding
from tests.miniature.materials import DOCUMENT, SMALL, documents, made_print


def test_a_page_is_the_same_whenever_it_is_drawn() -> None:
    first = draw_page(SMALL, 3, 4)
    draw_page(SMALL, 3, 5)
    again = draw_page(SMALL, 3, 4)

    assert again.image.tobytes() == first.image.tobytes()
    assert again.grounded == first.grounded
    assert np.array_equal(again.print.boxes, first.print.boxes)


def test_missing_typefaces_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {stem: Path(stem) for family in FAMILIES for stem in family.stems if stem}
    monkeypatch.setattr("recipe.typefaces._font_files", lambda: there)
    assert about_missing_typefaces() == ""
    del there["Lato-Regular"], there["Hack-BoldItalic"]
    about = about_missing_typefaces()
    assert about.startswith("Without all styles of Lato, Hack, pages are not")
    assert "fonts-lato" in about


def test_where_no_held_out_typeface_is_installed_these_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {family.stems[0]: Path(family.stems[0]) for family in FAMILIES if not family.held_out}
    monkeypatch.setattr("recipe.typefaces._font_files", lambda: there)
    with pytest.raises(MissingMaterial, match=r"None of these typefaces is installed: Palatino, Open Sans\."):
        find_typefaces.__wrapped__(held_out=True)
    assert find_typefaces.__wrapped__(held_out=False)


def test_every_style_of_every_typeface_has_every_character() -> None:
    lacking = {}
    for typeface in (*find_typefaces(held_out=False), *find_typefaces(held_out=True)):
        for style in Style:
            font = typeface.font(style, 40)
            inks = {character: bytes(font.getmask(character)) for character in ("\uffff", *ALPHABET)}
            none = (inks.pop("\uffff"), inks.pop(" "))  # no font has the first, which shows what is missing
            if without := "".join(character for character, ink in inks.items() if ink in none):
                lacking[typeface.family.name, style] = without
    assert not lacking


def test_pages_of_many_sizes_leave_few_fonts_behind() -> None:
    for index in range(80):
        draw_page(SMALL, 5, index)
    assert sum(type(one) is ImageFont.FreeTypeFont for one in gc.get_objects()) < 100


def test_other_seeds_and_indices_give_other_pages() -> None:
    texts = {draw_page(SMALL, seed, index).text for seed in (1, 2) for index in (0, 1)}
    assert len(texts) == 4


def test_the_text_of_a_page_is_what_is_printed_on_it() -> None:
    for page in documents(6):
        printed = "".join(sorted(page.print.characters.replace(" ", "")))
        said = "".join(sorted("".join(page.text.split())))
        assert printed == said


def test_every_character_can_be_labelled() -> None:
    assert set("".join(page.text for page in documents(6))) <= set(ALPHABET) | set("\n\t")
    assert all(set(ALPHABET).issuperset("".join(words)) for words in load_stock().words)
    assert len(ALPHABET) < UNSAID


def test_markdown_without_grounding_is_the_markdown_of_the_blocks() -> None:
    for page in documents(4):
        assert strip_grounding(page.grounded, TASKS[0]).split() == page.markdown.split()


def test_documents_hold_every_kind_of_block_in_boxes_on_the_page() -> None:
    pages = documents(60)
    kinds = {block.kind for page in pages for block in page.blocks}

    assert kinds >= {
        "title", "sub_title", "text", "table", "table_caption", "image", "image_caption", "header", "footer"
    }  # fmt: skip
    for page in pages:
        for block in page.blocks:
            left, top, right, bottom = block.grid_box(page.image.size)
            assert 0 <= left < right <= 999
            assert 0 <= top < bottom <= 999


def test_boxes_end_where_the_text_of_their_blocks_ends() -> None:
    kind = replace(DOCUMENT, damaged=0.0)
    for page in (draw_page(kind, 5, index) for index in range(6)):
        x, y = page.print.centres.T
        for block in page.blocks:
            if block.kind in ("image", "table"):
                continue
            left, top, right, bottom = block.box
            inside = page.print.boxes[(x > left) & (x < right) & (y > top) & (y < bottom)]
            assert abs(inside[:, 0].min() - left) < 2, block.kind
            assert abs(inside[:, 2].max() - right) < 2, block.kind


def test_ink_is_where_the_characters_are_said_to_be_even_on_a_skewed_page() -> None:
    page = draw_page(PageKind((600, 600), (1.0, 1.0), (12.0, 13.0), rich=0.0, damaged=0.0), 11, 2)
    scan = damage_page(page.image, Damage(skew_degrees=2.0), np.random.default_rng(1))
    moved = scan.move_print(page.print)
    pixels = np.asarray(scan.image)
    for character, (left, top, right, bottom) in zip(moved.characters, moved.boxes, strict=True):
        if character.isalnum():
            part = pixels[round(top) : round(bottom), round(left) : round(right)]
            assert part.min() < pixels.max() - 60, character


def test_damage_depends_on_its_generator_only() -> None:
    page = draw_page(SMALL, 1, 1)
    damage = Damage(noise=9, shade=0.3, blur_px=0.5, jpeg_quality=60)
    one, other, third = (
        damage_page(page.image, damage, np.random.default_rng(seed)).image for seed in (1, 1, 2)
    )
    assert ImageChops.difference(one, other).getbbox() is None
    assert ImageChops.difference(one, third).getbbox() is not None


def test_points_are_labelled_with_the_character_that_covers_them() -> None:
    labels = point_labels(made_print({(64, 32): "ab", (200, 96): "c d"}), (256, 128))

    assert labels.shape == (8, 64)
    assert labels[2, 16:20].tolist() == [CLASS_OF["a"]] * 2 + [CLASS_OF["b"]] * 2
    assert labels[6, 50:56].tolist() == [CLASS_OF["c"]] * 2 + [NOTHING] * 2 + [CLASS_OF["d"]] * 2
    assert (labels != NOTHING).sum() == 8


def test_a_thin_character_between_two_points_is_labelled_all_the_same() -> None:
    assert (point_labels(made_print({(65, 32): "i"}, advance=0.5), (128, 64)) == CLASS_OF["i"]).sum() == 1


def test_slots_hold_the_characters_of_each_token_line_by_line_and_column_by_column() -> None:
    print_ = made_print({(40, 40): "no", (0, 4): "Go on", (64, 4): "x"})
    slots = slot_labels(print_, (128, 64)).reshape(2, SLOT_LINES, SLOT_COLUMNS, SLOT_PLACES)

    assert slots[0, 0, 0].tolist() == [CLASS_OF["G"], CLASS_OF["o"], NOTHING, UNSAID]
    assert slots[0, 0, 1].tolist() == [CLASS_OF[" "], CLASS_OF["o"], NOTHING, UNSAID]
    assert slots[0, 0, 2].tolist() == [CLASS_OF["n"], NOTHING, UNSAID, UNSAID]
    assert slots[0, 0, 3].tolist() == [NOTHING, UNSAID, UNSAID, UNSAID]
    assert slots[0, 1, 2, :2].tolist() == [CLASS_OF["n"], NOTHING]
    assert slots[0, 1, 3, :2].tolist() == [CLASS_OF["o"], NOTHING]
    assert slots[0, 2].flatten()[:5].tolist() == [NOTHING, UNSAID, UNSAID, UNSAID, UNSAID]
    assert slots[1, 0, 0, :2].tolist() == [CLASS_OF["x"], NOTHING]


def test_an_overlooked_character_moves_none_of_the_next_column() -> None:
    both = [
        slot_labels(made_print({place: word}), (64, 64))
        for place, word in (((0, 4), "Gone"), ((8, 4), "one"))
    ]
    one, other = (slots.reshape(SLOT_LINES, SLOT_COLUMNS, SLOT_PLACES) for slots in both)
    assert one[0, 0].tolist() != other[0, 0].tolist()
    assert one[0, 1:].tolist() == other[0, 1:].tolist()


def test_an_empty_token_is_said_to_be_empty() -> None:
    slots = slot_labels(made_print({}), (64, 64))
    assert slots[0, 0] == NOTHING
    assert (slots[0, 1:] == UNSAID).all()


@pytest.mark.parametrize("mode", list(Mode))
def test_characters_stay_where_their_ink_is_in_every_mode(mode: Mode) -> None:
    page = draw_page(PageKind((900, 900), (1.2, 1.3), (14.0, 15.0), rich=0.0, damaged=0.0), 2, 1)
    shown = show(page, mode)
    points = shown.view_points
    view = shown.view.reshape(len(points), 16, -1, 4).float()
    ink = view.amax(dim=(1, 3)) - view.amin(dim=(1, 3))

    assert ink[points != NOTHING].mean() > 3 * ink[points == NOTHING].mean()
    if mode is Mode.GUNDAM:
        assert shown.tiles is not None
        assert len(shown.tiles) == shown.crop_wh[0] * shown.crop_wh[1]


def test_tokens_are_part_of_the_block_that_covers_most_of_them_and_one_speaks_for_each() -> None:
    heading = Block("sub_title", (10, 4, 120, 20), "", "")
    paragraph = Block("text", (10, 24, 170, 120), "", "")
    hidden = Block("page_number", (10, 122, 20, 127), "", "")
    edges = np.array([(12, 12, 12), (12, 32, 110), (12, 124, 124)], np.float32)
    corners = np.array([(x, y) for y in (0, 64, 128) for x in (0, 64, 128)], np.float32)
    tokens = np.concatenate([corners, corners + 64], axis=1)
    told, speakers = block_labels((heading, paragraph, hidden), edges, (192, 192), tokens)

    assert speakers.tolist() == [0, 3, -1]  # the paragraph begins where the heading speaks already
    kinds = [KINDS[kind] if kind >= 0 else None for kind in told.kinds.tolist()]
    assert kinds == ["sub_title", "text", "text", "text", "text", "text", None, None, None]
    assert told.speaks.nonzero().flatten().tolist() == [0, 3]
    assert np.allclose(told.boxes[0] * 192, heading.box)
    assert np.allclose(told.boxes[1:6] * 192, paragraph.box)
    assert told.within[0].tolist() == [2, 1, 16, 5]
    assert told.within[1:3].tolist() == [[16, 6, 16, 16], [16, 6, 10, 16]]
    assert told.within[3:6].tolist() == [[2, 16, 16, 14], [16, 16, 16, 14], [16, 16, 10, 14]]


def test_a_page_without_blocks_tells_of_none() -> None:
    nothing = np.empty((0, 3), np.float32)
    told, speakers = block_labels((), nothing, (64, 64), np.array([[0, 0, 64, 64]], np.float32))
    assert told.kinds.tolist() == [-1]
    assert told.speaks.tolist() == [False]
    assert len(speakers) == 0
