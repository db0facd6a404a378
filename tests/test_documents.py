"""Opening files: every kind of page comes out upright in RGB, and every bad file says what is wrong."""

import hashlib
import io
import os
import re
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, ImageOps, PngImagePlugin, TiffImagePlugin

from rtocr_gui.documents import limits, pdf, pictures
from rtocr_gui.documents.loading import SUPPORTED_SUFFIXES, files_at, open_document
from rtocr_gui.errors import DocumentError, PasswordRequired
from tests.broken_files import (
    PASSWORD,
    encoded,
    encrypted_pdf,
    pdf_of_pages,
    write_broken_files,
    write_good_files,
)
from tests.made_pages import page_image

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def first_page(path: Path) -> Image.Image:
    with open_document(path) as document:
        return document.load_page(0).image


def error_of(action: Callable[[], object]) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        action()
    return caught.value


# Bad files


def test_every_broken_file_is_refused_with_a_sentence_that_says_what_is_wrong_and_what_to_do(tmp_path):
    for broken in write_broken_files(tmp_path):
        if broken.refused_at == "open":
            sentence = str(error_of(lambda path=broken.path: open_document(path)))
        else:
            with open_document(broken.path) as document:
                sentence = str(error_of(lambda document=document: document.load_page(0)))
        assert broken.words in sentence, f"{broken.path.name}: {sentence}"
        assert re.search(r"\. [A-Z].*\.$", sentence), f"{broken.path.name}: what to do about it? {sentence}"
        assert broken.path.name not in sentence, "whoever shows the sentence names the file"


def test_the_thumbnail_of_a_broken_page_is_refused_like_the_page(tmp_path):
    for broken in write_broken_files(tmp_path):
        if broken.refused_at == "page":
            with open_document(broken.path) as document, pytest.raises(DocumentError, match=broken.words):
                document.thumbnail(0, 96)


def test_good_files_open_although_broken_ones_were_refused_before_them(tmp_path):
    for broken in write_broken_files(tmp_path):
        with pytest.raises(DocumentError), open_document(broken.path) as document:
            document.load_page(0)
    for path in write_good_files(tmp_path):
        assert first_page(path).mode == "RGB"


def test_a_file_without_permission_says_so(tmp_path, monkeypatch):
    path = written(tmp_path / "page.png", encoded(page_image(), "PNG"))

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "no permission" in str(error_of(lambda: open_document(path)))


def test_a_failing_disk_is_named(tmp_path, monkeypatch):
    path = written(tmp_path / "page.png", encoded(page_image(), "PNG"))

    def fail(*_args, **_options):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    assert "Input/output error" in str(error_of(lambda: open_document(path)))


def test_a_disk_that_fails_while_a_page_is_drawn_is_named_and_the_picture_not_blamed(tmp_path, monkeypatch):
    def fail(*_args):
        raise OSError(5, "Input/output error")

    with open_document(written(tmp_path / "page.png", encoded(page_image(), "PNG"))) as document:
        monkeypatch.setattr(Image.Image, "load", fail)
        monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
        assert "Input/output error" in str(error_of(lambda: document.load_page(0, 200)))


@pytest.mark.parametrize("name", ["page\0.png", "page\ud800.png"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    assert "no file name can have" in str(error_of(lambda: open_document(tmp_path / name)))


def test_a_folder_stands_for_the_scans_in_it_in_the_order_of_their_numbers(tmp_path):
    names = ["A.png", "b.png", "C.png", "Scan 2.PNG", "scan 10.png", "scan 11.pdf"]
    for name in (*reversed(names), ".scan 1.png", "notes.txt"):
        written(tmp_path / name, b"x")
    (tmp_path / "scan 3.png").mkdir()
    assert [path.name for path in files_at(tmp_path)] == names
    assert files_at(tmp_path / "notes.txt") == (tmp_path / "notes.txt",)
    assert "without pictures" in str(error_of(lambda: files_at(tmp_path / "scan 3.png")))
    (tmp_path / "scan 3.png" / "2025").mkdir()
    written(tmp_path / "scan 3.png" / "notes.txt", b"x")
    assert "in its subfolders" in str(error_of(lambda: files_at(tmp_path / "scan 3.png")))


def test_a_scan_that_cannot_be_reached_does_not_cost_the_others_of_its_folder(tmp_path):
    written(tmp_path / "a.png", b"x")
    (tmp_path / "b.png").symlink_to("b" * 300)
    assert [path.name for path in files_at(tmp_path)] == ["a.png", "b.png"]
    assert "cannot be read" in str(error_of(lambda: open_document(tmp_path / "b.png")))


def test_a_folder_that_cannot_be_listed_says_why(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert "Permission denied" in str(error_of(lambda: files_at(tmp_path)))


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a file" in str(error_of(lambda: open_document(tmp_path / "pipe.png")))


def test_no_pdf_without_pages_inherits_the_error_of_the_file_before_it(tmp_path):
    locked = written(tmp_path / "locked.pdf", encrypted_pdf())
    without_pages = written(tmp_path / "none.pdf", pdf_of_pages(0))
    assert isinstance(error_of(lambda: open_document(locked)), PasswordRequired)
    error = error_of(lambda: open_document(without_pages))
    assert not isinstance(error, PasswordRequired)
    assert "no pages" in str(error)


def test_a_picture_too_large_for_the_memory_says_so(tmp_path, monkeypatch):
    path = written(tmp_path / "page.png", encoded(page_image(), "PNG"))

    def fail(*_args, **_options):
        raise MemoryError

    with open_document(path) as document:
        monkeypatch.setattr(Image.Image, "convert", fail)
        assert "not enough memory" in str(error_of(lambda: document.load_page(0)))


def test_one_frame_that_is_a_strip_does_not_keep_the_others_from_opening(tmp_path):
    path = tmp_path / "scan.tif"
    page_image().save(path, save_all=True, append_images=[Image.new("RGB", (1, 2000))])
    with open_document(path) as document:
        assert document.load_page(0).image.size == (400, 300)
        assert "strip" in str(error_of(lambda: document.load_page(1)))
        assert "strip" in str(error_of(lambda: document.thumbnail(1, 96)))


SMALL = page_image((48, 40))
FUZZED = {
    "png": encoded(SMALL, "PNG"),
    "jpeg": encoded(SMALL, "JPEG", exif=Image.Exif()),
    "tiff": encoded(SMALL, "TIFF", compression="tiff_lzw"),
    "webp": encoded(SMALL, "WEBP"),
    "bmp": encoded(SMALL, "BMP"),
    "gif": encoded(SMALL, "GIF", save_all=True, append_images=[SMALL.rotate(90)]),
    "pdf": pdf_of_pages(media_box=b"0 0 60 60"),
}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", FUZZED)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_a_page_or_a_sentence_and_never_another_error(tmp_path, kind, data):
    content = bytearray(FUZZED[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = written(tmp_path / "fuzzed", bytes(content[: data.draw(st.integers(1, len(content)))]))
    try:
        with open_document(path) as document:
            assert document.load_page(0, dpi=72).image.mode == "RGB"
            assert max(document.thumbnail(0, 32).size) <= 32
    except DocumentError:
        return


# Pictures


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("suffix", [".png", ".pdf", ".txt", ""])
def test_a_picture_is_known_by_its_content_and_not_by_its_name(tmp_path, kind, suffix):
    path = written(tmp_path / f"page{suffix}", encoded(page_image(), kind))
    with open_document(path) as document:
        assert len(document.pages) == 1
        assert document.load_page(0).image.size == (400, 300)


def test_a_pdf_is_known_by_its_content_and_not_by_its_name(tmp_path):
    assert first_page(written(tmp_path / "page.png", pdf_of_pages())).size == (1653, 2339)


def test_the_file_dialog_offers_every_kind_of_file():
    assert {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".pdf"} <= set(
        SUPPORTED_SUFFIXES
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_exif_orientation_is_applied(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = written(tmp_path / "photo", encoded(page_image(), kind, exif=exif))
    with Image.open(path) as reference:
        expected = ImageOps.exif_transpose(reference).convert("RGB")
    assert first_page(path).tobytes() == expected.tobytes()
    assert first_page(path).size == ((300, 400) if orientation >= 5 else (400, 300))


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


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(tmp_path, kind):
    ramp = np.linspace(0, 65535, 40 * 256).astype(np.uint16).reshape(40, 256)
    path = written(tmp_path / "scan", encoded(Image.fromarray(ramp), kind))
    found = np.asarray(first_page(path)).astype(int)
    np.testing.assert_array_equal(found[..., 0], np.rint(ramp / 257).astype(int))
    assert (found == found[..., :1]).all()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_fewer_bits_in_a_picture_of_sixteen_are_seen(tmp_path, bits):
    values = np.full((40, 40), 2**bits - 1, np.uint16)
    values[10:20] = 0
    found = np.asarray(first_page(written(tmp_path / "scan.png", encoded(Image.fromarray(values), "PNG"))))
    assert [found[row, 0, 0] for row in (0, 15)] == [255, 0]


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_eight_bits_in_a_deep_picture_are_taken_as_they_are(tmp_path, mode):
    grey = page_image(text="mm").convert("L").point(lambda level: 30 + level * 200 // 255)
    found = first_page(written(tmp_path / "scan.tif", encoded(grey.convert(mode), "TIFF")))
    assert found.tobytes() == grey.convert("RGB").tobytes()


@pytest.mark.parametrize(("bits", "white_is_zero"), [(12, False), (16, False), (16, True)])
def test_a_deep_tiff_is_as_bright_as_it_says(tmp_path, bits, white_is_zero):
    rows = [[2**bits - 1] * 32] * 16 + [[0] * 32] * 16
    packed = b"".join(int("".join(f"{one:0{bits}b}" for one in row), 2).to_bytes(4 * bits) for row in rows)
    tiff = tiff_by_hand(packed, bits, meaning=0 if white_is_zero else 1)
    found = np.asarray(first_page(written(tmp_path / "scan.tif", tiff)))
    assert [found[row, 0, 0] for row in (0, 31)] == ([0, 255] if white_is_zero else [255, 0])


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize(("channels", "is_solid"), [(3, False), (4, False), (4, True)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_fewer_bits_in_deep_colours_are_seen(tmp_path, bits, channels, is_solid, kind):
    most = 2**bits - 1
    values = np.full((32, 32, channels), most, np.uint16)
    values[..., 3:] = 65535 if is_solid else most
    values[10:20, :, :3] = 0
    values[20:, :, 1] = most // 2
    data = (
        png_by_hand(values)
        if kind == "PNG"
        else tiff_by_hand(values.astype("<u2").tobytes(), 16, 2, channels)
    )
    found = np.asarray(first_page(written(tmp_path / "scan", data)))
    np.testing.assert_array_equal(found[[0, 15, 25], 0, 0], [255, 0, 255])
    assert [found[row, 0, 1] for row in (0, 15, 25)] == [
        255,
        0,
        pytest.approx(127, abs=43 if bits == 10 else 9),
    ]


@pytest.mark.parametrize("print_level", [20, 45, 63])
def test_dark_print_on_a_clear_ground_of_16_bits_is_as_dark_as_in_8(tmp_path, print_level):
    levels = np.zeros((32, 32, 4), np.uint8)
    levels[10:20] = (print_level, print_level, print_level, 255)
    shallow = written(tmp_path / "8.png", encoded(Image.fromarray(levels), "PNG"))
    deep = written(tmp_path / "16.png", png_by_hand(levels.astype(np.uint16) * 257))
    assert first_page(deep).tobytes() == first_page(shallow).tobytes()


def test_a_bmp_of_16_bits_a_pixel_is_no_deep_picture(tmp_path):
    pixels = np.full((32, 32), 0b00101_001010_00101, "<u2").tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, 32, 32, 1, 16, 3, len(pixels), 0, 0, 0, 0)
    masks = struct.pack("<3I", 0xF800, 0x07E0, 0x001F)
    start = 14 + len(header) + len(masks)
    bmp = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + masks + pixels
    assert first_page(written(tmp_path / "dark.bmp", bmp)).getpixel((0, 0)) == (41, 40, 41)


@pytest.mark.parametrize("bits", [12, 14])
def test_fewer_bits_are_seen_where_0_is_white(tmp_path, bits):
    values = np.zeros((32, 32), "<u2")
    values[10:20] = 2**bits - 1
    found = np.asarray(
        first_page(written(tmp_path / "scan.tif", tiff_by_hand(values.tobytes(), 16, meaning=0)))
    )
    assert [found[row, 0, 0] for row in (0, 15)] == [255, 0]


def test_a_blank_deep_page_in_which_0_is_white_is_blank(tmp_path):
    noise = np.random.default_rng(1).integers(0, 200, (32, 32)).astype("<u2")
    found = first_page(written(tmp_path / "scan.tif", tiff_by_hand(noise.tobytes(), 16, meaning=0)))
    assert min(least for least, _ in found.getextrema()) >= 254


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [3, 4])
def test_deep_colours_one_after_the_other_are_read_whole(tmp_path, order, channels):
    ramp = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    planes = [ramp, ramp // 2, ramp[::-1], np.full_like(ramp, 65535)][:channels]
    path = written(tmp_path / "scan.tif", planar_tiff(planes, order))
    np.testing.assert_array_equal(np.asarray(first_page(path)), np.stack(planes[:3], axis=-1) // 256)


def planar_tiff(planes: list[np.ndarray], order: str) -> bytes:
    """An uncompressed TIFF of 16 bits that holds one colour after the other."""
    count, (height, width) = len(planes), planes[0].shape
    pixels = [plane.astype(f"{order}u2").tobytes() for plane in planes]
    shorts = {256: width, 257: height, 259: 1, 262: 2, 277: count, 278: height, 284: 2, 338: 2}
    lists = {
        258: (3, struct.pack(f"{order}{count}H", *[16] * count)),
        273: (4, struct.pack(f"{order}{count}I", *(512 + len(pixels[0]) * plane for plane in range(count)))),
        279: (4, struct.pack(f"{order}{count}I", *map(len, pixels))),
    }
    if count == 3:
        del shorts[338]
    entries, behind = b"", b""
    for tag in sorted({**shorts, **lists}):
        if tag in shorts:
            entries += struct.pack(f"{order}HHIHH", tag, 3, 1, shorts[tag], 0)
        else:
            entries += struct.pack(f"{order}HHII", tag, lists[tag][0], count, 256 + len(behind))
            behind += lists[tag][1]
    mark = b"II" if order == "<" else b"MM"
    header = mark + struct.pack(f"{order}HIH", 42, 8, len(shorts) + len(lists)) + entries + bytes(4)
    return (header.ljust(256, b"\0") + behind).ljust(512, b"\0") + b"".join(pixels)


def test_a_black_page_of_deep_colours_stays_black(tmp_path):
    black = png_by_hand(np.zeros((32, 32, 3), np.uint16))
    assert first_page(written(tmp_path / "scan.png", black)).getextrema() == ((0, 0),) * 3


def test_a_deep_tiff_without_signs_is_as_bright_as_it_is(tmp_path):
    values = np.full((32, 32), 2**32 - 1, "<u4")
    values[10:20] = 0
    values[20:] = 2**30
    found = np.asarray(first_page(written(tmp_path / "scan.tif", tiff_by_hand(values.tobytes(), 32))))
    assert [found[row, 0, 0] for row in (0, 15, 25)] == [255, 0, 64]


@pytest.mark.parametrize("bits", [10, 64])
def test_a_tiff_of_a_kind_that_cannot_be_opened_is_no_other_file(tmp_path, bits):
    path = written(tmp_path / "scan.tif", tiff_by_hand(bytes(32 * 32 * bits // 8), bits))
    assert "This kind of TIFF cannot be opened" in str(error_of(lambda: open_document(path)))


def tiff_by_hand(pixels: bytes, bits: int, meaning: int = 1, channels: int = 1) -> bytes:
    """A TIFF of 32 x 32 pixels of a kind that Pillow does not write; `meaning` is the photometric one."""
    depths = struct.pack(f"<{channels}H", *[bits] * channels)
    tags = [
        (256, 32),
        (257, 32),
        (258, 152 if channels > 2 else bits),
        (259, 1),
        (262, meaning),
        (273, 160),
        (277, channels),
        (278, 32),
        (279, len(pixels)),
        (338, 2),
    ][: 9 + (channels == 4)]
    entries = b"".join(
        struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, channels if tag == 258 else 1, value)
        for tag, value in tags
    )
    header = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)
    return header.ljust(152, b"\0") + depths.ljust(8, b"\0") + pixels


def png_by_hand(values: np.ndarray) -> bytes:
    """A PNG of (height, width, channels) values of 16 bits, which Pillow does not write."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_deep_grey_without_a_range_is_stretched_from_darkest_to_brightest(tmp_path, dtype):
    values = np.full((40, 40), 1000, dtype)
    values[10:20] = 3000
    values[20:30] = 2000
    found = np.asarray(first_page(written(tmp_path / "scan.tif", encoded(Image.fromarray(values), "TIFF"))))
    assert [found[row, 0, 0] for row in (0, 15, 25)] == [0, 255, 128]


@pytest.mark.parametrize(("dtype", "most"), [(np.uint16, 65535), (np.int32, 10**6), (np.float32, 3.0)])
def test_a_deep_grey_page_is_brought_to_eight_bits_in_its_full_height(tmp_path, dtype, most):
    values = np.linspace(0, most, 700).astype(dtype)[:, None].repeat(40, axis=1)
    found = np.asarray(first_page(written(tmp_path / "scan.tif", encoded(Image.fromarray(values), "TIFF"))))
    expected = np.rint(values.astype(float) * 255 / most)
    assert np.abs(found[..., 0] - expected).max() <= (1 if dtype is np.uint16 else 0)


def test_values_that_are_no_numbers_spoil_no_other(tmp_path):
    values = np.full((40, 40), 1000, np.float32)
    values[10:20] = 3000
    values[0, 0], values[0, 1], values[0, 2] = np.inf, -np.inf, np.nan
    found = np.asarray(first_page(written(tmp_path / "scan.tif", encoded(Image.fromarray(values), "TIFF"))))
    assert [found[place][0] for place in ((0, 0), (0, 1), (0, 2), (5, 5), (15, 5))] == [255, 0, 0, 0, 255]


def test_a_deep_grey_page_of_nothing_opens(tmp_path):
    nothing = Image.fromarray(np.full((40, 40), np.nan, np.float32))
    assert first_page(written(tmp_path / "nan.tif", encoded(nothing, "TIFF"))).getextrema() == ((0, 0),) * 3


@pytest.mark.parametrize(
    ("value", "meaning", "level"),
    [(0.0, 1, 0), (0.9, 1, 255), (7.0, 1, 255), (1000.0, 1, 255), (0.0, 0, 255), (1.0, 0, 255)],
)
def test_a_deep_grey_page_of_one_value_is_blank(tmp_path, value, meaning, level):
    flat = Image.fromarray(np.full((40, 40), value, np.float32))
    extra = {"tiffinfo": {TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: meaning}}
    found = first_page(written(tmp_path / "flat.tif", encoded(flat, "TIFF", **extra)))
    assert found.getextrema() == ((level, level),) * 3


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_every_frame_is_a_page(tmp_path, kind):
    frames = [page_image(text=str(number)) for number in range(3)]
    path = written(tmp_path / "many", encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    with open_document(path) as document:
        assert [page.index for page in document.pages] == [0, 1, 2]
        found = [document.load_page(index).image for index in (2, 0, 1)]
    assert {image.mode for image in found} == {"RGB"}
    assert len({image.tobytes() for image in found}) == 3


def animation(tmp_path, kind, size=(200, 150)):
    frames = [page_image(size, text=str(number)) for number in range(5)]
    frames[2].info["transparency"] = 0
    return written(tmp_path / "moves", encoded(frames[0], kind, save_all=True, append_images=frames[1:]))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_the_frames_of_an_animation_are_the_same_in_any_order_and_it_is_opened_once(
    tmp_path, kind, monkeypatch
):
    path = animation(tmp_path, kind)
    alone = []
    for index in range(5):
        with open_document(path) as document:
            alone.append(document.load_page(index).image.tobytes())
    opened: list[object] = []
    real = Image.open
    with open_document(path) as document:
        monkeypatch.setattr(Image, "open", lambda *args, **kinds: opened.append(args) or real(*args, **kinds))
        for index in (4, 0, 1, 3, 3, 2):
            assert document.load_page(index).image.tobytes() == alone[index]
            assert document.thumbnail(index, 50).size == (50, 38)
    assert len(opened) == 1


def test_an_animation_rests_without_its_file_and_goes_on(tmp_path):
    with open_document(animation(tmp_path, "GIF")) as document:
        before = document.load_page(3).image.tobytes()
        document.rest()
        assert isinstance(document._source, pictures.PictureFile)
        assert document._source._animation is None
        assert document.load_page(3).image.tobytes() == before


def test_a_frame_that_is_damaged_does_not_cost_those_before_it(tmp_path):
    content = animation(tmp_path, "GIF").read_bytes()
    path = written(tmp_path / "cut", content[: len(content) * 3 // 4])
    with open_document(path) as document:
        last = len(document.pages) - 1
        for _ in range(2):
            assert document.load_page(0).image.size == (200, 150)
            assert "damaged" in str(error_of(lambda: document.load_page(last)))


def test_an_animation_whose_last_frame_would_take_minutes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ANIMATION_PIXEL_LIMIT", 5 * 200 * 150 - 1)
    assert "5 frames of 200 x 150" in str(error_of(lambda: open_document(animation(tmp_path, "GIF"))))


def test_an_animated_png_has_the_same_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ANIMATION_PIXEL_LIMIT", 5 * 200 * 150 - 1)
    assert "5 frames of 200 x 150" in str(error_of(lambda: open_document(animation(tmp_path, "PNG"))))


def test_an_animation_that_grows_on_the_way_is_refused_from_there_on(tmp_path, monkeypatch):
    small, large = (encoded(page_image(size).convert("P"), "GIF") for size in ((20, 15), (200, 150)))
    frame = large[large.index(struct.pack("<BHHHH", 0x2C, 0, 0, 200, 150)) : -1]
    monkeypatch.setattr(limits, "ANIMATION_PIXEL_LIMIT", 5 * 200 * 150 - 1)
    with open_document(written(tmp_path / "grows.gif", small[:-1] + 4 * frame + b";")) as document:
        assert document.load_page(0).image.size == (20, 15)
        assert "5 frames of 200 x 150" in str(error_of(lambda: document.load_page(4)))


def test_the_pages_of_a_tiff_are_counted_no_further_than_can_be_opened(tmp_path, monkeypatch):
    frames = [page_image(text=str(number)) for number in range(9)]
    path = written(tmp_path / "many", encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    monkeypatch.setattr(limits, "MOST_PAGES", 3)
    monkeypatch.setattr(pictures, "MOST_PAGES", 3)
    sought: list[int] = []
    real = TiffImagePlugin.TiffImageFile.seek
    monkeypatch.setattr(
        TiffImagePlugin.TiffImageFile, "seek", lambda image, frame: (sought.append(frame), real(image, frame))
    )
    assert "at most 3 pages" in str(error_of(lambda: open_document(path)))
    assert max(sought) == 3


def test_a_large_file_that_is_no_document_is_refused_before_it_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read whole"))
    assert "This is not a PDF" in str(error_of(lambda: open_document(written(tmp_path / "x.png", b"film"))))


def test_a_pdf_form_without_xfa_support_opens_without_advice_for_developers(tmp_path, caplog):
    form = "/AcroForm << /XFA [(a) 3 0 R] /Fields [] >>"
    path = written(
        tmp_path / "form.pdf", pdf_of_pages(1).replace(b"/Type /Catalog", f"/Type /Catalog {form}".encode())
    )
    with open_document(path) as document:
        assert len(document.pages) == 1
    assert not caplog.records


def marked_tiff(*frames):
    """A TIFF of frames with these values of NewSubfileType."""
    stream = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(stream, new=True) as writer:
        for frame, kind in frames:
            frame.save(writer, "TIFF", tiffinfo={254: kind})
            writer.newFrame()
    return stream.getvalue()


def test_reduced_copies_and_masks_in_a_tiff_are_no_pages(tmp_path):
    whole, small, last = page_image(), page_image((40, 30)), page_image((200, 150))
    marked = marked_tiff((small, 1), (whole, 0), (whole, 4), (small, 3), (last, 2))
    with open_document(written(tmp_path / "scan.tif", marked)) as document:
        sizes = [document.load_page(page.index).image.size for page in document.pages]
        assert sizes == [(400, 300), (200, 150)]
        assert document.thumbnail(1, 100).size == (100, 75)
    only = open_document(written(tmp_path / "pyramid.tif", marked_tiff((whole, 0), (small, 1), (small, 1))))
    with only as document:
        assert len(document.pages) == 1


def test_a_damaged_frame_of_a_tiff_costs_no_other(tmp_path):
    whole = encoded(page_image(), "TIFF", save_all=True, append_images=[page_image((200, 150)), page_image()])
    photometric = struct.pack("<HHI", TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 3, 1)
    second = whole.index(photometric, whole.index(photometric) + 1) + len(photometric)
    damaged = whole[:second] + struct.pack("<H", 9999) + whole[second + 2 :]
    with open_document(written(tmp_path / "scan.tif", damaged)) as document:
        assert [document.load_page(index).image.size for index in (0, 2)] == [(400, 300)] * 2
        assert "damaged" in str(error_of(lambda: document.load_page(1)))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_a_tiff_that_was_cut_off_gives_the_pages_before(tmp_path, share):
    pages = [page_image(text=word) for word in ("one", "two", "three", "four")]
    whole = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    cut = whole[: round(share * len(whole))]
    with open_document(written(tmp_path / "scan.tif", cut)) as document:
        for index in range(int(4 * share)):
            assert document.load_page(index).image.tobytes() == pages[index].tobytes()
        assert "damaged" in str(error_of(lambda: document.load_page(len(document.pages) - 1)))


def test_a_tiff_of_which_every_frame_claims_to_be_a_copy_has_pages_nevertheless(tmp_path):
    frames = marked_tiff((page_image(), 1), (page_image((200, 150)), 1))
    with open_document(written(tmp_path / "scan.tif", frames)) as document:
        assert [document.load_page(index).image.size for index in (0, 1)] == [(400, 300), (200, 150)]


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


def test_a_deep_tiff_in_which_0_is_white_is_no_negative(tmp_path):
    grey = np.asarray(page_image().convert("L"), np.float32)
    data = encoded(
        Image.fromarray(255 - grey), "TIFF", tiffinfo={TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: 0}
    )
    found = np.asarray(first_page(written(tmp_path / "scan.tif", data)).convert("L"), int)
    assert np.abs(found - grey).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_that_speaks_of_a_pdf_is_none(tmp_path, kind):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Source", "converted from %PDF-1.7")
    extra = {"pnginfo": notes} if kind == "PNG" else {"comment": b"converted from %PDF-1.7"}
    assert first_page(written(tmp_path / "page", encoded(page_image(), kind, **extra))).size == (400, 300)


def test_a_fax_that_would_grow_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "PICTURE_PIXEL_LIMIT", 200_000)
    path = written(tmp_path / "fax.tif", encoded(page_image(), "TIFF", dpi=(204, 98)))
    with open_document(path) as document:
        assert "million pixels" in str(error_of(lambda: document.load_page(0)))


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


def test_the_pixel_limit_holds_below_pillow_s_own(tmp_path, monkeypatch):
    path = written(tmp_path / "page.png", encoded(page_image((100, 100)), "PNG"))
    monkeypatch.setattr(pictures, "PICTURE_PIXEL_LIMIT", 9_999)
    assert "would unpack" in str(error_of(lambda: open_document(path)))


# PDFs


def test_a_pdf_of_500_pages_lists_without_loading_one_and_renders_one_at_a_time(tmp_path, monkeypatch):
    path = written(tmp_path / "book.pdf", pdf_of_pages(500))
    loaded: list[int] = []
    get_page = pypdfium2.PdfDocument.get_page

    def record(document, index):
        loaded.append(index)
        return get_page(document, index)

    monkeypatch.setattr(pypdfium2.PdfDocument, "get_page", record)
    with open_document(path) as document:
        assert [page.index for page in document.pages] == list(range(500))
        assert loaded == []
        document.load_page(321)
        assert loaded == [321]


def test_a_pdf_page_is_rendered_at_200_dpi_unless_told_otherwise(tmp_path):
    with open_document(written(tmp_path / "page.pdf", pdf_of_pages())) as document:
        page = document.load_page(0)
        assert (page.image.size, page.dpi, page.image.mode) == ((1653, 2339), 200, "RGB")
        assert page.image.getpixel((10, 2330)) == BLACK
        assert page.image.getpixel((10, 10)) == WHITE
        assert document.load_page(0, dpi=72).image.size == (595, 842)


def test_a_pdf_page_too_large_for_the_memory_says_so(tmp_path, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr("pypdfium2.PdfPage.render", full)
    with open_document(written(tmp_path / "page.pdf", pdf_of_pages())) as document:
        for render in (lambda: document.load_page(0), lambda: document.thumbnail(0, 100)):
            with pytest.raises(DocumentError, match="not enough memory"):
                render()


def test_a_large_pdf_page_is_rendered_at_a_resolution_that_fits_and_says_which(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "PDF_PIXEL_LIMIT", 1_000_000)
    with open_document(written(tmp_path / "poster.pdf", pdf_of_pages())) as document:
        page = document.load_page(0)
    assert 990_000 < page.image.width * page.image.height < 1_003_000
    assert page.dpi == pytest.approx(page.image.width / 595 * 72, rel=0.01)


def test_an_encrypted_pdf_opens_with_its_password_only(tmp_path):
    path = written(tmp_path / "locked.pdf", encrypted_pdf())
    assert "Enter its password" in str(error_of(lambda: open_document(path)))
    wrong = error_of(lambda: open_document(path, "Secret"))
    assert isinstance(wrong, PasswordRequired)
    assert "wrong" in str(wrong)
    with open_document(path, PASSWORD) as document:
        assert document.load_page(0).image.getpixel((10, 2330)) == BLACK


def test_a_password_for_another_file_does_no_harm_where_only_the_owner_has_one(tmp_path):
    path = tmp_path / "owned.pdf"
    path.write_bytes(encrypted_pdf(password=""))
    with open_document(path, password="of another") as document:
        assert len(document.pages) == 1


def test_a_password_for_a_file_that_needs_none_does_no_harm(tmp_path):
    for path in write_good_files(tmp_path):
        with open_document(path, PASSWORD) as document:
            document.load_page(0)


def test_what_was_filled_into_a_form_is_on_the_page(tmp_path):
    appearance = b"0 g 0 0 100 100 re f"
    content = pdf_of_pages(
        content=b"",
        further=[
            b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (X) /Rect [0 0 100 100] /F 4 "
            b"/AP << /N 6 0 R >> >>",
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 100 100] /Length %d >>\nstream\n%b\nendstream"
            % (len(appearance), appearance),
        ],
    )
    content = content.replace(b"/Pages 2 0 R", b"/Pages 2 0 R /AcroForm << /Fields [5 0 R] >>", 1)
    content = content.replace(b"/Contents 3 0 R", b"/Contents 3 0 R /Annots [5 0 R]")
    assert first_page(written(tmp_path / "form.pdf", content)).getpixel((10, 2330)) == BLACK


def test_pdfium_is_never_entered_from_two_threads_at_once(tmp_path, monkeypatch):
    path = written(tmp_path / "page.pdf", pdf_of_pages(4))
    inside = threading.Semaphore(1)
    collisions: list[str] = []

    def guarded(method):
        def call(*args, **options):
            if not inside.acquire(blocking=False):
                collisions.append(method.__name__)
                return method(*args, **options)
            try:
                return method(*args, **options)
            finally:
                inside.release()

        return call

    for owner, name in (
        (pypdfium2.PdfPage, "render"),
        (pypdfium2.PdfDocument, "get_page"),
        (pypdfium2.PdfDocument, "init_forms"),
    ):
        monkeypatch.setattr(owner, name, guarded(getattr(owner, name)))

    def read_all() -> None:
        with open_document(path) as document:
            for index in range(4):
                document.load_page(index)
                document.thumbnail(index, 64)

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert collisions == []


def test_a_closed_pdf_lets_go_of_its_file_and_of_every_page(tmp_path, monkeypatch):
    closed: list[str] = []
    for owner in (pypdfium2.PdfDocument, pypdfium2.PdfPage, pypdfium2.PdfBitmap):
        close = owner.close
        monkeypatch.setattr(
            owner,
            "close",
            lambda self, *args, _close=close: (closed.append(type(self).__name__), _close(self, *args)),
        )
    document = open_document(written(tmp_path / "page.pdf", pdf_of_pages()))
    document.load_page(0)
    assert closed == ["PdfDocument", "PdfBitmap", "PdfPage"]
    document.close()
    document.close()
    assert closed == ["PdfDocument", "PdfBitmap", "PdfPage", "PdfDocument"]


def test_more_pdfs_can_be_open_than_a_process_may_have_files(tmp_path):
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    limits_before = resource.getrlimit(resource.RLIMIT_NOFILE)
    paths = [written(tmp_path / f"{number}.pdf", encrypted_pdf("secret")) for number in range(60)]
    in_use = max(int(handle.name) for handle in Path("/dev/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (in_use + 20, limits_before[1]))
    try:
        documents = [open_document(path, "secret") for path in paths]
        for document in documents:
            document.load_page(0)
            document.rest()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits_before)


def test_a_pdf_that_was_dropped_unclosed_is_closed_by_the_next_one(tmp_path, monkeypatch):
    closed: list[object] = []
    close = pypdfium2.PdfDocument.close
    monkeypatch.setattr(pypdfium2.PdfDocument, "close", lambda self: (closed.append(self), close(self)))
    path = written(tmp_path / "page.pdf", pdf_of_pages())
    document = open_document(path)
    document.load_page(0)
    closed.clear()
    del document
    assert closed == [], "the collector must not enter PDFium"
    with open_document(path):
        assert len(closed) == 2, "and its own, which waits for a page"


def test_a_pdf_that_is_refused_for_its_many_pages_is_closed(tmp_path, monkeypatch):
    closed: list[object] = []
    close = pypdfium2.PdfDocument.close
    monkeypatch.setattr(pypdfium2.PdfDocument, "close", lambda self: (closed.append(self), close(self)))
    path = written(tmp_path / "endless.pdf", pdf_of_pages(claimed=10**6))
    error = error_of(lambda: open_document(path))
    assert "at most 20,000 pages" in str(error)
    assert len(closed) == 1, "at once, and not by the next one"


# Documents


def test_pages_are_named_by_the_absolute_path_and_the_hash_of_the_content(tmp_path, monkeypatch):
    path = written(tmp_path / "book.pdf", pdf_of_pages(2))
    monkeypatch.chdir(tmp_path)
    with open_document(Path("book.pdf")) as document:
        assert document.path == path
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert [(page.path, page.index, page.sha256) for page in document.pages] == [
            (path, 0, digest),
            (path, 1, digest),
        ]
        assert document.load_page(1).ref == document.pages[1]


@pytest.mark.parametrize("content", [encoded(page_image(), "PNG"), pdf_of_pages()], ids=["picture", "pdf"])
def test_a_file_that_changes_or_goes_away_while_it_is_open_is_noticed(tmp_path, content):
    path = written(tmp_path / "page", content)
    opened = path.stat()
    with open_document(path) as document:
        os.utime(path, ns=(opened.st_atime_ns, opened.st_mtime_ns + 10**9))
        assert "has changed" in str(error_of(lambda: document.load_page(0))), "of the same size"
        path.write_bytes(content + b"\n")
        os.utime(path, ns=(opened.st_atime_ns, opened.st_mtime_ns))
        assert "has changed" in str(error_of(lambda: document.load_page(0))), "of the same time"
        path.unlink()
        assert "no longer where it was" in str(error_of(lambda: document.thumbnail(0, 64)))


def test_a_closed_document_and_a_page_that_is_not_there_say_so(tmp_path):
    with open_document(written(tmp_path / "page.png", encoded(page_image(), "PNG"))) as document:
        assert "the file has 1 page." in str(error_of(lambda: document.load_page(1)))
        assert "no page 0" in str(error_of(lambda: document.load_page(-1)))
    assert "was closed" in str(error_of(lambda: document.load_page(0)))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(page_image((1200, 900)), "JPEG"), (120, 90)),
        (encoded(page_image((1200, 900)).convert("1"), "PNG"), (120, 90)),
        (pdf_of_pages(), (85, 120)),
        (pdf_of_pages(media_box=b"0 0 50 1000"), (7, 120)),
    ],
    ids=["jpeg", "png", "pdf", "narrow pdf"],
)
def test_a_thumbnail_is_the_page_made_small(tmp_path, content, expected):
    with open_document(written(tmp_path / "page", content)) as document:
        small = document.thumbnail(0, 120)
        whole = document.load_page(0).image.resize(small.size)
    assert (small.size, small.mode) == (expected, "RGB")
    difference = np.abs(np.asarray(small).astype(int) - np.asarray(whole)).mean()
    assert difference < 12


def test_the_thumbnail_of_a_turned_photograph_is_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = written(tmp_path / "photo.jpg", encoded(page_image((1200, 900)), "JPEG", exif=exif))
    with open_document(path) as document:
        assert document.thumbnail(0, 120).size == (90, 120)
