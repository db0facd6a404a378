"""Pictures become pages that are upright, in RGB, with print that can be seen and square pixels."""

import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from rtocr_gui.documents import limits
from rtocr_gui.documents.decoding.pictures import OpenPicture
from rtocr_gui.documents.loading import open_document
from tests.broken_files import encoded
from tests.made_pages import page_image
from tests.opened_files import BLACK, WHITE, error_of, first_page, written


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_the_exif_orientation_is_applied(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = written(tmp_path / "photo", encoded(page_image(), kind, exif=exif))
    with Image.open(path) as reference:
        expected = ImageOps.exif_transpose(reference).convert("RGB")
    assert first_page(path).tobytes() == expected.tobytes()
    assert first_page(path).size == ((300, 400) if orientation >= 5 else (400, 300))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16"])
def test_a_jpeg_2000_is_as_bright_as_it_was_saved(tmp_path, mode):
    deep = page_image().convert("L").convert("I;16").point(lambda level: level * 257)
    page = deep if mode == "I;16" else page_image().convert(mode)
    for kind in ({}, {"no_jp2": True}):
        found = first_page(written(tmp_path / "page.jp2", encoded(page, "JPEG2000", **kind)))
        assert (found.getpixel((5, 5)), found.getpixel((395, 5))) == (BLACK, WHITE)


def test_a_photograph_with_malformed_exif_tags_opens_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "ACME"
    maker, width_as_text = bytes.fromhex("010f0002"), bytes.fromhex("01000002")
    content = encoded(page_image(), "JPEG", exif=exif)
    assert maker in content
    path = written(tmp_path / "photo.jpg", content.replace(maker, width_as_text))
    assert first_page(path).size == (300, 400)


def test_a_picture_whose_exif_cannot_be_made_out_opens_as_it_is(tmp_path):
    content = encoded(page_image(), "PNG", exif=b"Exif\0\0garbage!!garbage")
    assert first_page(written(tmp_path / "photo.png", content)).tobytes() == page_image().tobytes()


def palette_page(**info: object) -> Image.Image:
    image = page_image().quantize(8)
    image.info.update(info)
    return image


MODES = {
    "RGB": page_image(),
    "RGBA": page_image().convert("RGBA"),
    "RGBA, half clear": Image.merge(
        "RGBA", (*page_image().split(), Image.linear_gradient("L").resize((400, 300)))
    ),
    "L": page_image().convert("L"),
    "LA": page_image().convert("LA"),
    "1": page_image().convert("1"),
    "P": palette_page(),
    "P, one clear colour": palette_page(transparency=1),
    "P, clear by degrees": palette_page(transparency=bytes([0, 100, 200])),
}


@pytest.mark.parametrize("mode", MODES)
def test_eight_bit_modes_become_rgb_as_pillow_converts_them(tmp_path, mode):
    path = written(tmp_path / "page.png", encoded(MODES[mode], "PNG"))
    with Image.open(path) as reference:
        reference.load()
        reference.info.clear()
        expected = reference.convert("RGB")
    image = first_page(path)
    assert image.mode == "RGB"
    assert image.tobytes() == expected.tobytes()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_print_on_a_transparent_ground_is_print_on_white(tmp_path, mode):
    ink = Image.new("L", (60, 40), 0)
    ink.paste(255, (10, 10, 30, 20))
    picture = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    picture.putalpha(ink)
    found = np.asarray(first_page(written(tmp_path / "logo.tif", encoded(picture.convert(mode), "TIFF"))))
    np.testing.assert_array_equal(found, 255 - np.asarray(ink)[..., None].repeat(3, axis=-1))


def test_print_on_a_clear_ground_of_its_own_colour_is_put_on_white(tmp_path):
    picture = Image.new("RGBA", (60, 40), (0, 0, 200, 0))
    picture.paste((0, 0, 200, 255), (10, 10, 30, 20))
    found = first_page(written(tmp_path / "stamp.png", encoded(picture, "PNG")))
    assert [found.getpixel((x, 15)) for x in (0, 20)] == [WHITE, (0, 0, 200)]


def test_print_in_several_colours_on_a_clear_black_ground_is_put_on_white(tmp_path):
    picture = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    picture.paste((51, 51, 51, 255), (10, 10, 30, 20))
    picture.paste((255, 0, 0, 255), (40, 10, 50, 20))
    found = first_page(written(tmp_path / "poster.png", encoded(picture, "PNG")))
    assert [found.getpixel((x, 15)) for x in (0, 20, 45)] == [WHITE, (51, 51, 51), (255, 0, 0)]


def test_white_print_on_a_clear_black_ground_stays_on_black(tmp_path):
    picture = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    picture.paste((255, 255, 255, 255), (10, 10, 30, 20))
    found = first_page(written(tmp_path / "logo.png", encoded(picture, "PNG")))
    assert (found.getpixel((0, 15)), found.getpixel((20, 15))) == (BLACK, WHITE)


def test_white_print_on_a_clear_white_ground_is_put_on_black(tmp_path):
    picture = Image.new("RGBA", (60, 40), (255, 255, 255, 0))
    picture.paste((255, 255, 255, 255), (10, 10, 30, 20))
    found = first_page(written(tmp_path / "logo.png", encoded(picture, "PNG")))
    assert (found.getpixel((0, 15)), found.getpixel((20, 15))) == (BLACK, WHITE)


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_white_picture_without_print_stays_white(tmp_path, alpha):
    picture = Image.new("RGBA", (60, 40), (255, 255, 255, alpha))
    found = first_page(written(tmp_path / "blank.png", encoded(picture, "PNG")))
    assert found.getcolors() == [(60 * 40, WHITE)]


@pytest.mark.parametrize("colour", [(255, 255, 255), (10, 200, 30), (0, 0, 0)])
@pytest.mark.parametrize("alpha", [Image.linear_gradient("L"), Image.new("L", (256, 256), 100)])
def test_alpha_that_shows_no_print_is_dropped(tmp_path, colour, alpha):
    picture = Image.new("RGB", alpha.size, colour)
    picture.putalpha(alpha)
    found = first_page(written(tmp_path / "shade.png", encoded(picture, "PNG")))
    assert found.getcolors() == [(256 * 256, colour)]


def test_alpha_is_dropped_where_the_colours_show_something(tmp_path):
    picture = Image.new("RGBA", (60, 40), (250, 250, 250, 0))
    picture.paste((0, 0, 0, 128), (10, 10, 30, 20))
    found = first_page(written(tmp_path / "scan.png", encoded(picture, "PNG")))
    assert (found.getpixel((0, 0)), found.getpixel((15, 15))) == ((250, 250, 250), (0, 0, 0))


def test_cmyk_becomes_rgb(tmp_path):
    path = written(tmp_path / "page.tif", encoded(page_image().convert("CMYK"), "TIFF"))
    image = first_page(path)
    assert image.getpixel((5, 5)) == BLACK
    assert image.getpixel((395, 5)) == WHITE


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_tiff_stored_in_one_piece_is_upright_in_any_mode(tmp_path, mode, orientation):
    drawn = page_image(text="mm").convert("L")
    turns = {1: None, 3: 180, 6: 90, 8: -90}[orientation]
    stored = drawn if turns is None else drawn.rotate(turns, expand=True)
    deep = {"I;16": np.uint16, "F": np.float32}.get(mode)
    turned = stored.convert(mode) if deep is None else Image.fromarray(np.asarray(stored, deep) * deep(257))
    data = encoded(turned, "TIFF", tiffinfo={274: orientation}, strip_size=2**30)
    found = np.asarray(first_page(written(tmp_path / "scan.tif", data)).convert("L"), int)
    assert found.shape == (300, 400)
    assert np.abs(found - np.asarray(drawn, int)).mean() < 3


@pytest.mark.parametrize(
    ("dpi", "orientation", "size"),
    [
        ((204, 98), 1, (400, 624)),
        ((98, 204), 1, (833, 300)),
        ((204, 98), 6, (624, 400)),
        ((204, 196), 1, (400, 300)),
        ((1200, 100), 1, (400, 300)),
    ],
)
def test_a_fax_gets_square_pixels(tmp_path, dpi, orientation, size):
    data = encoded(page_image(), "TIFF", dpi=dpi, tiffinfo={274: orientation})
    with open_document(written(tmp_path / "fax.tif", data)) as document:
        page = document.load_page(0)
        assert (page.image.size, page.dpi) == (size, max(dpi))
        small = document.thumbnail(0, 200).size
        assert small[0] / small[1] == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG"])
def test_pixels_are_made_square_where_only_their_ratio_is_stated(tmp_path, kind):
    data = bytearray(encoded(page_image(), kind, dpi=(200, 100)))
    if kind == "TIFF":
        data = bytearray(encoded(page_image(), kind, tiffinfo={282: 204.0, 283: 102.0, 296: 1}))
    elif kind == "JPEG":
        data[data.index(b"JFIF\0") + 7] = 0
    else:
        start = data.index(b"pHYs")
        data[start + 12] = 0
        data[start + 13 : start + 17] = zlib.crc32(data[start : start + 13]).to_bytes(4, "big")
    with open_document(written(tmp_path / "fax", bytes(data))) as document:
        page = document.load_page(0)
    assert (page.image.size, page.dpi) == ((400, 600), None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_that_speaks_of_a_pdf_is_none(tmp_path, kind):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Source", "converted from %PDF-1.7")
    extra = {"pnginfo": notes} if kind == "PNG" else {"comment": b"converted from %PDF-1.7"}
    assert first_page(written(tmp_path / "page", encoded(page_image(), kind, **extra))).size == (400, 300)


def test_a_fax_that_would_grow_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(limits, "PICTURE_PIXEL_LIMIT", 200_000)
    path = written(tmp_path / "fax.tif", encoded(page_image(), "TIFF", dpi=(204, 98)))
    picture = OpenPicture(path)
    assert "million pixels" in str(error_of(lambda: picture.render(0, 200)))


def test_only_the_first_shot_of_a_multi_picture_jpeg_is_a_page(tmp_path):
    shots = [page_image(), page_image((200, 150))]
    path = written(tmp_path / "phone.jpg", encoded(shots[0], "MPO", save_all=True, append_images=shots[1:]))
    with open_document(path) as document:
        assert len(document.pages) == 1
        assert document.load_page(0).image.size == (400, 300)


@pytest.mark.parametrize(("stated", "expected"), [((300, 300), 300), ((0, 0), None), (None, None)])
def test_the_resolution_is_the_one_the_file_states(tmp_path, stated, expected):
    options = {} if stated is None else {"dpi": stated}
    path = written(tmp_path / "page.tif", encoded(page_image(), "TIFF", **options))
    with open_document(path) as document:
        assert document.load_page(0).dpi == expected


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (8, 401), (401, 8)])
def test_a_strip_is_refused(tmp_path, size):
    path = written(tmp_path / "strip.png", encoded(Image.new("L", size), "PNG"))
    assert "strip" in str(error_of(lambda: open_document(path)))


@pytest.mark.parametrize("size", [(8, 8), (8, 400), (400, 8)])
def test_a_narrow_page_that_is_no_strip_opens(tmp_path, size):
    assert first_page(written(tmp_path / "page.png", encoded(Image.new("L", size), "PNG"))).size == size
