"""Opening files: every file is known by its content, and every bad one says what is wrong."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from rtocr_gui.documents import folders
from rtocr_gui.documents.decoding import pictures
from rtocr_gui.documents.decoding.pictures import OpenPicture
from rtocr_gui.documents.decoding.worker import open_scan
from rtocr_gui.documents.folders import SUPPORTED_SUFFIXES, ListedFiles, ScansBelow, find_below, list_files
from rtocr_gui.documents.loading import open_document
from rtocr_gui.errors import DocumentError, FileOutdated, PasswordRequired
from tests.broken_files import encoded, encrypted_pdf, pdf_of_pages, write_broken_files, write_good_files
from tests.made_pages import page_image
from tests.opened_files import error_of, first_page, written

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

    picture = OpenPicture(written(tmp_path / "page.png", encoded(page_image(), "PNG")))
    monkeypatch.setattr(Image.Image, "load", fail)
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    assert "Input/output error" in str(error_of(lambda: picture.render(0, 200)))


def test_a_disk_that_fails_before_it_is_known_what_a_file_is_is_named(tmp_path):
    assert "cannot be read" in str(error_of(lambda: open_scan(tmp_path / "gone.png", None)))


@pytest.mark.parametrize("name", ["page\0.png", "page\ud800.png"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    assert "no file name can have" in str(error_of(lambda: open_document(tmp_path / name)))


def test_a_folder_stands_for_the_scans_in_it_in_the_order_of_their_numbers(tmp_path):
    names = ["A.png", "b.png", "C.png", "Scan 2.PNG", "scan 10.png", "scan 11.pdf"]
    for name in (*reversed(names), ".scan 1.png", "notes.txt"):
        written(tmp_path / name, b"x")
    (tmp_path / "scan 3.png").mkdir()
    assert [path.name for path in list_files(tmp_path).files] == names
    assert list_files(tmp_path / "notes.txt").files == (tmp_path / "notes.txt",)
    assert "without pictures" in str(error_of(lambda: list_files(tmp_path / "scan 3.png")))
    (tmp_path / "scan 3.png" / "2025" / "May").mkdir(parents=True)
    written(tmp_path / "scan 3.png" / "notes.txt", b"x")
    assert "without pictures" in str(error_of(lambda: list_files(tmp_path / "scan 3.png")))
    written(tmp_path / "scan 3.png" / "2025" / "May" / "1.png", b"x")
    assert "only in its subfolders" in str(error_of(lambda: list_files(tmp_path / "scan 3.png")))


def test_a_folder_says_whether_scans_in_its_subfolders_are_left_out(tmp_path):
    written(tmp_path / "1.png", b"x")
    for name in ("June", ".cache", "letter.assets"):
        (tmp_path / name).mkdir()
        written(tmp_path / name / ("notes.txt" if name == "June" else "2.png"), b"x")
    assert list_files(tmp_path) == ListedFiles((tmp_path / "1.png",))
    (tmp_path / "June" / "bills").mkdir()
    written(tmp_path / "June" / "bills" / "3.pdf", b"x")
    written(tmp_path / "4.heic", b"x")
    told = list_files(tmp_path)
    assert told.files == (tmp_path / "1.png",)
    assert "HEIC: 1." in told.left_out
    assert told.left_out.endswith(" Scans in its subfolders are left out. Open them too.")


def test_the_scans_below_a_folder_are_found_at_any_depth_in_the_order_of_their_numbers(tmp_path):
    names = ["2/b.png", "2/part 9/1.png", "2/part 10/1.png", "2/part 10/2.png", "10/a.pdf"]
    others = ["own.png", "2/notes.txt", ".cache/1.png", "2/letter.assets/1.png", "2/.hidden.png"]
    for name in (*reversed(names), *others, "10/photo.heic"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        written(tmp_path / name, b"x")
    found = find_below(tmp_path)
    assert found.files == tuple(tmp_path / name for name in names)
    assert "does not read HEIC: 1." in found.left_out
    assert find_below(tmp_path / "own.png") == find_below(tmp_path / "10") == ScansBelow()


def test_links_to_folders_are_not_followed_when_scans_are_looked_for_below(tmp_path):
    (tmp_path / "scans" / "May").mkdir(parents=True)
    written(tmp_path / "above.png", b"x")
    written(tmp_path / "scans" / "May" / "1.png", b"x")
    (tmp_path / "scans" / "May" / "up").symlink_to("..")
    (tmp_path / "scans" / "May" / "out").symlink_to(tmp_path)
    assert find_below(tmp_path / "scans").files == (tmp_path / "scans" / "May" / "1.png",)


def test_more_files_than_are_looked_at_below_a_folder_are_none(tmp_path, monkeypatch):
    (tmp_path / "May").mkdir()
    written(tmp_path / "May" / "1.txt", b"x")
    written(tmp_path / "May" / "2.png", b"x")
    monkeypatch.setattr(folders, "MOST_ENTRIES", 3)
    assert find_below(tmp_path).files == (tmp_path / "May" / "2.png",)
    monkeypatch.setattr(folders, "MOST_ENTRIES", 2)
    assert find_below(tmp_path) == ScansBelow()
    assert "except perhaps in its subfolders" in str(error_of(lambda: list_files(tmp_path)))
    written(tmp_path / "0.png", b"x")
    assert list_files(tmp_path).files == (tmp_path / "0.png",)
    assert list_files(tmp_path).left_out.startswith("Its subfolders are left out")


def test_a_subfolder_that_cannot_be_read_does_not_cost_the_scans_of_the_others(tmp_path, monkeypatch):
    for name in ("May", "June"):
        (tmp_path / name).mkdir()
        written(tmp_path / name / "1.png", b"x")
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "May":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert find_below(tmp_path).files == (tmp_path / "June" / "1.png",)


def test_a_folder_says_which_of_its_pictures_are_in_formats_that_are_not_read(tmp_path):
    for name in ("1.heic", "2.HEIC", ".3.heic", "notes.txt"):
        written(tmp_path / name, b"x")
    (tmp_path / "4.heic").mkdir()
    assert "are HEIC, which RTOCR does not read" in str(error_of(lambda: list_files(tmp_path)))
    written(tmp_path / "5.jxl", b"x")
    assert "are HEIC and JPEG XL, which" in str(error_of(lambda: list_files(tmp_path)))
    written(tmp_path / "6.png", b"x")
    assert list_files(tmp_path).files == (tmp_path / "6.png",)
    assert "does not read HEIC and JPEG XL: 3." in list_files(tmp_path).left_out
    assert list_files(tmp_path / "6.png").left_out == ""
    assert "without pictures" in str(error_of(lambda: list_files(tmp_path / "4.heic")))


def test_a_scan_that_cannot_be_reached_does_not_cost_the_others_of_its_folder(tmp_path):
    written(tmp_path / "a.png", b"x")
    (tmp_path / "b.png").symlink_to("b" * 300)
    assert [path.name for path in list_files(tmp_path).files] == ["a.png", "b.png"]
    assert "cannot be read" in str(error_of(lambda: open_document(tmp_path / "b.png")))


def test_a_folder_that_cannot_be_listed_says_why(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert "Permission denied" in str(error_of(lambda: list_files(tmp_path)))


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

    picture = OpenPicture(path)
    monkeypatch.setattr(Image.Image, "convert", fail)
    assert "not enough memory" in str(error_of(lambda: picture.render(0, 200)))


def test_a_large_file_that_is_no_document_is_refused_before_it_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read whole"))
    assert "This is not a PDF" in str(error_of(lambda: open_document(written(tmp_path / "x.png", b"film"))))


def test_the_pixel_limit_holds_below_pillow_s_own(tmp_path, monkeypatch):
    path = written(tmp_path / "page.png", encoded(page_image((100, 100)), "PNG"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(pictures, "PICTURE_PIXEL_LIMIT", 9_999)
    assert "would unpack" in str(error_of(lambda: OpenPicture(path)))


SMALL = page_image((48, 40))


FUZZED = {
    "png": encoded(SMALL, "PNG"),
    "jpeg": encoded(SMALL, "JPEG", exif=Image.Exif()),
    "tiff": encoded(SMALL, "TIFF", compression="tiff_lzw"),
    "webp": encoded(SMALL, "WEBP"),
    "jp2": encoded(SMALL, "JPEG2000"),
    "j2k": encoded(SMALL, "JPEG2000", no_jp2=True),
    "avif": encoded(SMALL, "AVIF"),
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


# Documents


@pytest.mark.parametrize("kind", pictures.FORMATS)
@pytest.mark.parametrize("suffix", [".png", ".pdf", ".txt", ""])
def test_a_picture_is_known_by_its_content_and_not_by_its_name(tmp_path, kind, suffix):
    path = written(tmp_path / f"page{suffix}", encoded(page_image(), kind))
    with open_document(path) as document:
        assert len(document.pages) == 1
        assert document.load_page(0).image.size == (400, 300)


def test_a_pdf_is_known_by_its_content_and_not_by_its_name(tmp_path):
    assert first_page(written(tmp_path / "page.png", pdf_of_pages())).size == (1653, 2339)


def test_the_file_dialog_offers_every_kind_of_file():
    few = {".png", ".jpg", ".jpeg", ".jp2", ".tif", ".tiff", ".webp", ".avif", ".bmp", ".gif", ".pdf"}
    assert few <= set(SUPPORTED_SUFFIXES)


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
    with pytest.raises(FileOutdated, match="not open any more"):
        document.load_page(0)


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
