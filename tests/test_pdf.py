"""PDFs: rendered page by page, opened with their password, and closed; and the text that they have."""

import io
import json
from pathlib import Path

import pypdfium2
import pytest

from rtocr_gui.documents.decoding import pdf as decoding
from rtocr_gui.documents.decoding.pdf import OpenPdf
from rtocr_gui.documents.decoding.worker import serve
from rtocr_gui.documents.loading import open_document
from rtocr_gui.errors import DocumentError, PasswordRequired
from tests.broken_files import PASSWORD, encrypted_pdf, pdf_of_pages, text_pdf, write_good_files
from tests.opened_files import BLACK, WHITE, error_of, first_page, written


def test_a_pdf_form_without_xfa_support_opens(tmp_path):
    form = "/AcroForm << /XFA [(a) 3 0 R] /Fields [] >>"
    content = pdf_of_pages(1).replace(b"/Type /Catalog", f"/Type /Catalog {form}".encode())
    assert first_page(written(tmp_path / "form.pdf", content)).getpixel((10, 2330)) == BLACK


def test_a_pdf_of_500_pages_lists_without_loading_one_and_renders_one_at_a_time(tmp_path, monkeypatch):
    path = written(tmp_path / "book.pdf", pdf_of_pages(500))
    loaded: list[int] = []
    get_page = pypdfium2.PdfDocument.get_page

    def record(document, index):
        loaded.append(index)
        return get_page(document, index)

    monkeypatch.setattr(pypdfium2.PdfDocument, "get_page", record)
    document = OpenPdf(path, None)
    assert (document.count_pages(), loaded) == (500, [])
    document.render(321, 72)
    assert loaded == [321]
    document.close()


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
    document = OpenPdf(written(tmp_path / "page.pdf", pdf_of_pages()), None)
    for render in (document.render, document.preview):
        with pytest.raises(DocumentError, match="not enough memory"):
            render(0, 100)
    document.close()


def test_a_large_pdf_page_is_rendered_at_a_resolution_that_fits_and_says_which(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "PDF_PIXEL_LIMIT", 1_000_000)
    document = OpenPdf(written(tmp_path / "poster.pdf", pdf_of_pages()), None)
    page = document.render(0, 200)
    document.close()
    width, height = page.size_px
    assert 990_000 < width * height < 1_003_000
    assert page.dpi == pytest.approx(width / 595 * 72, rel=0.01)


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


def test_a_document_is_closed_for_the_next_one_and_every_page_at_once(tmp_path, monkeypatch):
    closed: list[str] = []
    for owner in (pypdfium2.PdfDocument, pypdfium2.PdfPage, pypdfium2.PdfBitmap):
        close = owner.close
        monkeypatch.setattr(
            owner,
            "close",
            lambda self, *args, _close=close: (closed.append(type(self).__name__), _close(self, *args)),
        )
    one, other = (str(written(tmp_path / name, pdf_of_pages())) for name in ("one.pdf", "other.pdf"))
    expected: list[str] = []

    def questions():
        page, document = ["PdfPage", "PdfBitmap"], ["PdfDocument"]
        for (path, name, *arguments), closes in (
            ((one, "render", 0, 72), page),
            ((one, "preview", 0, 72), page),
            ((other, "count_pages"), document),
            ((other, "close"), document),
            ((other, "close"), []),
            ((one, "count_pages"), []),
        ):
            yield json.dumps([[path, None, 1], name, *arguments]).encode()
            expected.extend(closes)
            assert closed == expected

    serve(questions(), io.BytesIO())


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


# Text of its own


def own_text(path: Path, content: bytes, index: int = 0, rotation_deg: int = 0) -> str:
    document = OpenPdf(written(path, content), None)
    try:
        return document.own_text(index, rotation_deg)
    finally:
        document.close()


TWO_LINES = b"BT /F1 24 Tf 72 700 Td (The old harbour) Tj 0 -40 Td (is closed.) Tj ET"
PICTURE = (
    b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
    b"/Length 1 >>\nstream\n\xff\nendstream"
)


def test_a_page_that_was_not_scanned_has_a_text_of_its_own(tmp_path):
    assert own_text(tmp_path / "text.pdf", text_pdf(TWO_LINES)) == "The old harbour\nis closed."
    assert own_text(tmp_path / "drawing.pdf", pdf_of_pages()) == ""
    with pytest.raises(DocumentError, match="damaged"):
        own_text(tmp_path / "text.pdf", text_pdf(TWO_LINES), index=1)


@pytest.mark.parametrize("nested", [False, True])
def test_text_that_is_not_seen_is_not_what_is_printed(tmp_path, nested):
    unseen = TWO_LINES.replace(b"BT", b"BT 3 Tr")
    if nested:
        form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /Font << /F1 5 0 R >> >> "
        form += b"/Length %d >>\nstream\n%b\nendstream" % (len(unseen), unseen)
        content = text_pdf(b"/X1 Do", b"/XObject << /X1 6 0 R >>", form)
    else:
        content = text_pdf(unseen)
    assert own_text(tmp_path / "scan.pdf", content) == ""


@pytest.mark.parametrize(
    ("strips", "is_scan"), [([300], False), ([790], True), ([200] * 2, False), ([200] * 4, True)]
)
def test_text_on_a_page_that_is_a_picture_is_no_truth(tmp_path, strips, is_scan):
    placed = enumerate(strips)
    draw = b"".join(b"q 500 0 0 %d 0 %d cm /I1 Do Q " % (height, height * nth) for nth, height in placed)
    content = text_pdf(draw + TWO_LINES, b"/Font << /F1 5 0 R >> /XObject << /I1 6 0 R >>", PICTURE)
    assert bool(own_text(tmp_path / "page.pdf", content)) is not is_scan


def test_a_text_of_characters_that_the_file_does_not_tell_is_no_truth(tmp_path, monkeypatch):
    for told, text in (
        ("Har\ue001\ue002 \ue003", ""),
        ("The old harbour " * 9 + "\ue001", "The old harbour " * 9 + "\ue001"),
        ("so\ufffecalled, so\x02called", "so-\ncalled, so-\ncalled"),
    ):
        monkeypatch.setattr(pypdfium2.PdfTextPage, "get_text_range", lambda _, told=told: told)
        assert own_text(tmp_path / "page.pdf", text_pdf(TWO_LINES)) == text


def test_a_page_with_too_many_characters_has_no_text_of_its_own(tmp_path, monkeypatch):
    for most, text in ((100, "The old harbour\nis closed."), (10, "")):
        monkeypatch.setattr(decoding, "_MOST_CHARACTERS", most)
        assert own_text(tmp_path / "page.pdf", text_pdf(TWO_LINES)) == text


def test_a_page_with_too_many_parts_has_no_text_of_its_own(tmp_path, monkeypatch):
    content = text_pdf(b"0 0 9 9 re f " * 3 + TWO_LINES)
    monkeypatch.setattr(decoding, "_MOST_PARTS", 5)
    assert own_text(tmp_path / "page.pdf", content)
    monkeypatch.setattr(decoding, "_MOST_PARTS", 4)
    assert own_text(tmp_path / "page.pdf", content) == ""


@pytest.mark.parametrize(
    ("area", "text"),
    [("0 0 600 800", "The old harbour\nis closed."), ("0 690 600 800", ""), ("700 0 900 800", "")],
)
def test_text_outside_the_area_that_a_page_is_cropped_to_is_not_seen(tmp_path, area, text):
    boxes = b"/MediaBox [0 0 900 800] /CropBox [%b]" % area.encode()
    content = text_pdf(TWO_LINES).replace(b"/MediaBox [0 0 600 800]", boxes)
    assert own_text(tmp_path / "page.pdf", content) == text


def test_the_text_of_a_page_is_told_as_it_is_rotated(tmp_path):
    words = (72, b"The old"), (172, b"harbour")
    content = text_pdf(b"".join(b"BT /F1 24 Tf %d 700 Td (%b) Tj ET " % word for word in words))
    page = tmp_path / "page.pdf"
    assert own_text(page, content) == "The old harbour"
    on_its_head = content.replace(b"/MediaBox", b"/Rotate 180 /MediaBox")
    assert own_text(page, on_its_head) != "The old harbour"
    assert own_text(page, on_its_head, rotation_deg=180) == "The old harbour"


def test_looking_for_the_text_of_a_page_leaves_it_as_it_is(tmp_path):
    document = OpenPdf(written(tmp_path / "page.pdf", text_pdf(TWO_LINES)), None)
    assert document.own_text(0, 90)
    page = document.render(0, 72)
    document.close()
    assert page.size_px == (600, 800)
