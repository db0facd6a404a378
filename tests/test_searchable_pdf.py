"""PDFs of pages: they look like the scans, and their text is found, copied and unseen."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.documents.picture_pdf import PicturePdf, PlacedWord
from rtocr_gui.documents.unseen_font import make_unseen_font
from rtocr_gui.errors import ExportError
from rtocr_gui.export.searchable_pdf import add_page, is_kept_whole, write_pdf
from rtocr_gui.export.text_formats import TextFormat, format_of
from rtocr_gui.ocr.reading import Block
from tests.made_pages import blank_page, noise_page, page_image, text_page
from tests.read_pdfs import sizes_in, texts_in


def pdf_of(*pages: tuple[PageImage, str]) -> bytes:
    with PicturePdf() as pdf:
        for page, text in pages:
            add_page(pdf, page, text)
        return pdf.save()


def picture_in(data: bytes, scale: float = 1) -> Image.Image:
    """The first page as it looks."""
    with closing(pypdfium2.PdfDocument(data)) as document:
        return document[0].render(scale=scale).to_pil().convert("RGB")


def of_picture(image: Image.Image, dpi: float | None = 72) -> PageImage:
    return PageImage(blank_page((8, 8)).ref, image, dpi)


def test_a_page_looks_like_its_scan_and_the_text_is_unseen():
    page = of_picture(page_image((400, 300)))
    for text in ("", "A good page", "Words that\nnobody printed"):
        shown = picture_in(pdf_of((page, text)))
        assert shown.size == (400, 300)
        assert max(ImageChops.difference(shown, page.image).getextrema())[1] < 60
        assert np.abs(np.asarray(shown, float) - np.asarray(page.image)).mean() < 1


def test_text_is_copied_line_by_line_in_its_order():
    page = text_page(words="Grüße aus Łódź\nund von 漢字\n\nÇa va", size=(700, 400))
    assert texts_in(pdf_of((page, "Grüße aus Łódź\nund von 漢字\n\nÇa va"))) == [
        "Grüße aus Łódź\nund von 漢字\nÇa va"
    ]


def test_letters_of_all_of_unicode_are_copied_on_every_page():
    pages = [(text_page(words="x y z"), text) for text in ("𝒳 ∈ ℝ 😀", "plain", "𠀋 e\u0301 𝒳")]
    assert texts_in(pdf_of(*pages)) == [text for _, text in pages]


@pytest.mark.parametrize(
    "text",
    [
        "שלום עולם טוב 12\nمرحبا بالعالم",
        "ישראל (המדינה) היא",
        "בשנת 1948 קמה",
        "the word שלום means peace",
        "peace is שלום",
    ],
)
def test_words_that_run_leftwards_are_copied_as_they_were_read(text):
    page = of_picture(Image.new("RGB", (500, 300), "white"))
    assert texts_in(pdf_of((page, text))) == [text]


@pytest.mark.parametrize("number", ["1948", "3.14", "١٢٣"])
def test_numbers_in_a_word_that_runs_leftwards_are_not_reversed(number):
    page = of_picture(Image.new("RGB", (500, 300), "white"))
    assert number in texts_in(pdf_of((page, f"לפי סעיף-{number} לחוק")))[0]


def test_a_word_that_runs_leftwards_stands_over_its_print():
    words = [PlacedWord("שלום", 200, 300, 50, 80, 0), PlacedWord("עולם", 80, 180, 50, 80, 0)]
    with PicturePdf() as pdf:
        pdf.add_page(of_picture(page_image()), [words])
        data = pdf.save()
    with closing(pypdfium2.PdfDocument(data)) as document:
        copied = document[0].get_textpage()
        boxes = [copied.get_charbox(index) for index in range(copied.count_chars())]
        first = [box for box, letter in zip(boxes, copied.get_text_range(), strict=True) if letter in "שלום"][
            :4
        ]
    assert min(box[0] for box in first) == pytest.approx(200, abs=2)
    assert max(box[2] for box in first) == pytest.approx(300, abs=2)


def test_half_a_letter_becomes_the_mark_for_what_is_unknown():
    assert texts_in(pdf_of((text_page(), "a\ud83db\udfffc"))) == ["a\ufffdb\ufffdc"]


def test_a_word_is_found_where_it_is_printed():
    page = text_page(words="Hello there")
    font = ImageFont.load_default(40)
    left, right = 20 + font.getlength("Hello "), 20 + font.getlength("Hello there")
    with closing(pypdfium2.PdfDocument(pdf_of((page, "Hello there")))) as document:
        text = document[0].get_textpage()
        first, last = text.get_charbox(6), text.get_charbox(10)
        points = 72 / 200
        assert first[0] == pytest.approx(left * points, abs=2)
        assert last[2] == pytest.approx(right * points, abs=2)
        top, bottom = (document[0].get_height() - edge for edge in (first[3], first[1]))
        assert 20 * points <= top < bottom <= 70 * points


def test_a_word_on_a_skewed_line_rises_with_it():
    word = PlacedWord("rising", 100, 300, top=200, bottom=220, slope=-0.1)
    with PicturePdf() as pdf:
        pdf.add_page(of_picture(page_image()), [(word,)])
        data = pdf.save()
    with closing(pypdfium2.PdfDocument(data)) as document:
        text = document[0].get_textpage()
        boxes = [text.get_charbox(index) for index in range(6)]
    assert [round(box[0]) for box in boxes] == pytest.approx([100 + 200 * n / 6 for n in range(6)], abs=2)
    rise = boxes[-1][1] - boxes[0][1]
    assert rise == pytest.approx(0.1 * 200 * 5 / 6, abs=1)


@pytest.mark.parametrize(
    ("size", "dpi", "points"),
    [
        ((1654, 2339), 200, (595, 842)),
        ((1000, 2000), None, (421, 842)),
        ((30_000, 1000), 72, (14_400, 480)),
        ((100, 100), 10, (720, 720)),
        ((100, 200), 10_000, (3, 6)),
    ],
)
def test_a_page_is_as_large_as_its_scan_states(size, dpi, points):
    page = of_picture(Image.new("RGB", size, "white"), dpi)
    assert sizes_in(pdf_of((page, ""))) == [pytest.approx(points, abs=1)]


@pytest.mark.parametrize(
    ("picture", "filters", "mode"),
    [
        (page_image().convert("1").convert("RGB"), ["CCITTFaxDecode"], "L"),
        (page_image().convert("L").convert("RGB"), ["DCTDecode"], "L"),
        (Image.blend(page_image(), Image.new("RGB", (400, 300), "red"), 0.2), ["DCTDecode"], "RGB"),
        (noise_page(70_000, 8), ["DCTDecode"], "RGB"),
        (Image.new("RGB", (50, 50), (70, 70, 70)), ["DCTDecode"], "L"),
    ],
    ids=["black and white", "grey", "colour", "too long for JPEG", "one grey"],
)
def test_pictures_are_compressed_as_suits_them(picture, filters, mode):
    with closing(pypdfium2.PdfDocument(pdf_of((of_picture(picture), "")))) as document:
        (image,) = document[0].get_objects()
        assert image.get_filters() == filters
        stored = image.get_bitmap().to_pil()
    if filters == ["DCTDecode"]:
        assert stored.mode == mode
        assert stored.size in (picture.size, (35_000, 4))
    else:
        assert ImageChops.difference(stored.convert("RGB"), picture).getbbox() is None


def test_markup_is_left_out_and_what_it_marks_is_not():
    text = (
        "# Title\n\n***It* **is** 2 ** 3 = 2**3**1 \\(not\\) H<sub>2</sub>O\n![](page.assets/figure.png)\n"
        "<table><tr><td>Tea &amp; milk</td><td colspan=2>1 < 2</td></tr>"
        "<tr><td>of the<br>day</td></tr></table>\n"
        "```python\nprint(1)\n```"
    )
    page = of_picture(Image.new("RGB", (400, 400), "white"))
    assert texts_in(pdf_of((page, text))) == [
        "Title\n***It* is 2 ** 3 = 2**3**1 not H2O\nTea & milk 1 < 2\nof the\nday\nprint(1)"
    ]


def test_leaders_are_left_out_and_are_no_loss():
    text = "Preface ........ 1\nThe mole . . . . . . . 12\nThe harbour.......31"
    page = of_picture(Image.new("RGB", (400, 400), "white"))
    assert texts_in(pdf_of((page, text))) == ["Preface 1\nThe mole 12\nThe harbour 31"]
    assert is_kept_whole(text)
    assert not is_kept_whole("# Contents\nPreface ........ 1")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "markup", ["![", "![a](", "![](x", "&#" + "9" * 5000, "**", "*a ", "<td", "# ", "---|", "\\(", " *a"]
)
def test_markup_that_never_ends_costs_no_time(markup):
    page = of_picture(Image.new("RGB", (60, 60), "white"))
    pdf_of((page, (markup * 100_000)[:100_000]))


def test_letters_for_private_use_stay_what_they_are():
    assert texts_in(pdf_of((text_page(), "\ue000 😀 \ue001"))) == ["\ue000 😀 \ue001"]


def middles_of(text: str, blocks: list[Block]) -> dict[str, float]:
    """How far from the top of an empty page, 500 high, the middle of each word is placed."""
    with PicturePdf() as pdf:
        add_page(pdf, of_picture(Image.new("RGB", (500, 500), "white")), text, blocks)
        data = pdf.save()
    with closing(pypdfium2.PdfDocument(data)) as document:
        copied = document[0].get_textpage()
        words = copied.get_text_range().split()
        middles = [
            500 - sum(copied.get_charbox(copied.get_text_range().index(word))[1::2]) / 2 for word in words
        ]
    return dict(zip(words, middles, strict=True))


def test_the_text_of_a_block_is_placed_in_its_box():
    text = "typed\n\nlow\n\nhigh\n\nhigher"
    blocks = [
        Block("text", ((0, 500, 999, 999),), 7, 10),
        Block("image", (), 12, 12),
        Block("text", ((0, 0, 999, 499), (0, 0, 999, 250)), 12, 24),
    ]
    assert middles_of(text, blocks) == pytest.approx(
        {"typed": 300, "low": 425, "high": 50, "higher": 175}, abs=2
    )


def test_a_block_without_a_place_goes_with_the_one_before():
    blocks = [Block("text", ((0, 500, 999, 999),), 0, 3), Block("text", (), 5, 10)]
    assert middles_of("low\n\nlower", blocks) == pytest.approx({"low": 300, "lower": 425}, abs=2)


def test_no_box_is_heeded_where_one_of_them_was_found_by_its_text():
    lower_half = ((0, 500, 999, 999),)
    blocks = [Block("text", lower_half, 0, 4, is_found=True), Block("text", lower_half, 6, 9)]
    assert middles_of("high\n\nlow", blocks) == pytest.approx({"high": 100, "low": 350}, abs=2)


@pytest.mark.parametrize("is_found", [False, True])
def test_words_are_not_held_in_a_box_that_was_found_by_them(is_found):
    picture = Image.new("RGB", (600, 500), "white")
    for row, line in enumerate(("All of this is one block,", "or so the model says of it.")):
        ImageDraw.Draw(picture).text((40, 80 + 300 * row), line, "black", ImageFont.load_default(24))
    text = "All of this is one block, or so the model says of it."
    block = Block("text", ((0, 100, 999, 300),), 0, len(text), is_found)
    with PicturePdf() as pdf:
        add_page(pdf, of_picture(picture), text, [block])
        data = pdf.save()
    with closing(pypdfium2.PdfDocument(data)) as document:
        copied = document[0].get_textpage()
        _, bottom, _, top = copied.get_charbox(copied.get_text_range().index("says"))
    assert (500 - (bottom + top) / 2 > 300) is is_found


def test_a_page_too_large_for_the_memory_says_so(monkeypatch):
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(PicturePdf, "add_page", full)
    with PicturePdf() as pdf, pytest.raises(ExportError, match="not enough memory"):
        add_page(pdf, blank_page((20, 20)), "text")


@pytest.mark.parametrize("step", ["FPDFText_LoadCidType2Font", "FPDFText_SetCharcodes"])
def test_a_page_that_fails_is_not_in_the_pdf(monkeypatch, step):
    def full(*_: object) -> None:
        raise MemoryError

    with PicturePdf() as pdf:
        add_page(pdf, blank_page((20, 20)), "")
        with monkeypatch.context() as patch:
            patch.setattr(pypdfium2.raw, step, full)
            with pytest.raises(ExportError):
                add_page(pdf, text_page(), "text")
        add_page(pdf, text_page(), "other text")
        assert texts_in(pdf.save()) == ["", "other text"]


def test_a_font_that_is_not_loaded_is_no_silence(monkeypatch):
    monkeypatch.setattr(pypdfium2.raw, "FPDFText_LoadCidType2Font", lambda *_: None)
    with PicturePdf() as pdf, pytest.raises(ExportError, match="not enough memory"):
        add_page(pdf, text_page(), "text")


def test_a_pdf_that_cannot_be_put_together_says_so(monkeypatch, tmp_path):
    def fail(*_: object) -> None:
        raise pypdfium2.PdfiumError("no")

    monkeypatch.setattr(pypdfium2.PdfDocument, "save", fail)
    with (
        PicturePdf() as pdf,
        pytest.raises(ExportError, match="was not written: there is not enough"),
    ):
        write_pdf(pdf, tmp_path / "out.pdf")
    assert not (tmp_path / "out.pdf").exists()


def test_a_pdf_is_closed(monkeypatch):
    closed: list[object] = []
    close = pypdfium2.PdfDocument.close
    monkeypatch.setattr(pypdfium2.PdfDocument, "close", lambda self: (closed.append(self), close(self)))
    pdf = PicturePdf()
    pdf.close()
    assert closed == [pdf._pdf]


def test_a_pdf_grows_by_its_pages_only():
    page, text = text_page(), "Hello there"
    sizes = [len(pdf_of(*[(page, text)] * count)) for count in (1, 2, 3)]
    assert sizes[2] - sizes[1] == pytest.approx(sizes[1] - sizes[0], abs=100)
    assert sizes[1] - sizes[0] < 20_000


def test_a_closed_pdf_is_closed_again_without_harm():
    pdf = PicturePdf()
    add_page(pdf, text_page(), "Hello there")
    pdf.close()
    pdf.close()


def test_the_font_is_a_font(tmp_path):
    path = tmp_path / "unseen.ttf"
    path.write_bytes(make_unseen_font())
    font = ImageFont.truetype(path, 100)
    assert font.getlength("any") == 150
    assert font.getmetrics() == (80, 20)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.md", TextFormat.MARKDOWN),
        ("a.TXT", TextFormat.PLAIN_TEXT),
        ("a.txt.Pdf", TextFormat.PDF),
        ("pdf", TextFormat.MARKDOWN),
        ("a.markdown", TextFormat.MARKDOWN),
    ],
)
def test_the_name_of_a_file_tells_what_it_holds(name, kind):
    assert format_of(Path(name)) is kind
