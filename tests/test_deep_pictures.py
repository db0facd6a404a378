"""Pictures with more than eight bits for a colour are as bright as they say, and nothing is clipped."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from rtocr_gui.documents.loading import open_document
from tests.broken_files import encoded
from tests.made_pages import page_image
from tests.opened_files import error_of, first_page, written


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


def test_a_deep_tiff_in_which_0_is_white_is_no_negative(tmp_path):
    grey = np.asarray(page_image().convert("L"), np.float32)
    data = encoded(
        Image.fromarray(255 - grey), "TIFF", tiffinfo={TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: 0}
    )
    found = np.asarray(first_page(written(tmp_path / "scan.tif", data)).convert("L"), int)
    assert np.abs(found - grey).mean() < 3
