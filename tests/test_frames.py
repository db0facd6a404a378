"""Each frame of a picture is a page, except for copies and masks, and costs no other where it is damaged."""

import io
import struct

import pytest
from PIL import Image, TiffImagePlugin

from rtocr_gui.documents import limits
from rtocr_gui.documents.decoding import pictures
from rtocr_gui.documents.decoding.pictures import OpenPicture
from rtocr_gui.documents.loading import open_document
from tests.broken_files import encoded
from tests.made_pages import page_image
from tests.opened_files import error_of, written


def test_one_frame_that_is_a_strip_does_not_keep_the_others_from_opening(tmp_path):
    path = tmp_path / "scan.tif"
    page_image().save(path, save_all=True, append_images=[Image.new("RGB", (1, 2000))])
    with open_document(path) as document:
        assert document.load_page(0).image.size == (400, 300)
        assert "strip" in str(error_of(lambda: document.load_page(1)))
        assert "strip" in str(error_of(lambda: document.thumbnail(1, 96)))


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "AVIF", "PNG"])
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


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
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
    monkeypatch.setattr(Image, "open", lambda *args, **kinds: opened.append(args) or real(*args, **kinds))
    picture = OpenPicture(path)
    del opened[:]
    for index in (4, 0, 1, 3, 3, 2):
        assert rgb_of(picture.render(index, 200)) == alone[index]
        assert picture.preview(index, 50).size_px == (50, 38)
    picture.close()
    assert len(opened) == 1


def rgb_of(page):
    """The colours of a rendered page."""
    data = b"".join(page.pixels)
    return Image.frombytes("RGB", page.size_px, data, "raw", "RGBX").tobytes()


def test_an_animation_rests_without_its_file_and_goes_on(tmp_path):
    picture = OpenPicture(animation(tmp_path, "GIF"))
    before = rgb_of(picture.render(3, 200))
    picture.close()
    assert picture._animation is None
    assert rgb_of(picture.render(3, 200)) == before
    picture.close()


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
    assert "5 frames of 200 x 150" in str(error_of(lambda: OpenPicture(animation(tmp_path, "GIF"))))


def test_an_animated_png_has_the_same_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ANIMATION_PIXEL_LIMIT", 5 * 200 * 150 - 1)
    assert "5 frames of 200 x 150" in str(error_of(lambda: OpenPicture(animation(tmp_path, "PNG"))))


def test_an_animation_that_grows_on_the_way_is_refused_from_there_on(tmp_path, monkeypatch):
    small, large = (encoded(page_image(size).convert("P"), "GIF") for size in ((20, 15), (200, 150)))
    frame = large[large.index(struct.pack("<BHHHH", 0x2C, 0, 0, 200, 150)) : -1]
    monkeypatch.setattr(limits, "ANIMATION_PIXEL_LIMIT", 5 * 200 * 150 - 1)
    picture = OpenPicture(written(tmp_path / "grows.gif", small[:-1] + 4 * frame + b";"))
    assert picture.render(0, 200).size_px == (20, 15)
    assert "5 frames of 200 x 150" in str(error_of(lambda: picture.render(4, 200)))
    picture.close()


def test_the_pages_of_a_tiff_are_counted_no_further_than_can_be_opened(tmp_path, monkeypatch):
    frames = [page_image(text=str(number)) for number in range(9)]
    path = written(tmp_path / "many", encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    monkeypatch.setattr(pictures, "MOST_PAGES", 3)
    sought: list[int] = []
    real = TiffImagePlugin.TiffImageFile.seek
    monkeypatch.setattr(
        TiffImagePlugin.TiffImageFile, "seek", lambda image, frame: (sought.append(frame), real(image, frame))
    )
    assert OpenPicture(path).count_pages() == 4
    assert max(sought) == 3


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
