"""Writes PDF files whose pages are pictures, with text over them that can be found and copied but not seen.

Letters beyond the first 65,536 of Unicode need a font of their own, as a PDF numbers the letters of a font
with two bytes. Knows no model and no file.
"""

import ctypes
import io
import math
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from PIL import Image, ImageChops

from rtocr_gui.documents.limits import POINTS_PER_INCH
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.documents.unseen_font import LETTER_BASE, LETTER_GLYPH, LETTER_WIDTH, make_unseen_font

_JPEG_QUALITY, _LONGEST_JPEG_PX = 85, 65_500

_UNSTATED_LONGEST_PT = 842
"""Longest side of a page whose picture states no resolution, that of A4."""

_SHORTEST_PT, _LONGEST_PT = 3, 14_400
"""Shortest and longest side of a page that PDF readers show."""

_MOST_GREY = 8
"""Most that the channels of a grey pixel differ, as JPEG leaves them."""

_FIRST_LETTER, _BASIC_LETTERS, _SURROGATES, _REPLACEMENT = 0x20, 0x10000, range(0xD800, 0xE000), 0xFFFD
"""Code points that two bytes can number: from the first up to the second, without the surrogates. All others
become the last."""

_PRIVATE_NUMBERS = range(0xE000, 0xF900)
"""Numbers for further letters."""

_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
"""Brackets in a word that runs leftwards, as they are seen, and what in it runs rightwards all the same."""

_ALONE = threading.Lock()
"""PDFium must not be entered from two threads at once, not even for two files."""

_LETTERS_BY_NUMBER = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
1 beginbfrange
<0000> <FFFF> <0000>
endbfrange
$othersendcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word, and where it is printed, in pixels of the page.

    Attributes:
        text: the word.
        left: its left edge.
        right: its right edge.
        top: the upper edge of its line, at `left`.
        bottom: the lower edge of its line, at `left`.
        slope: how much its line falls from one pixel to the next on its right.
    """

    text: str
    left: float
    right: float
    top: float
    bottom: float
    slope: float


class PicturePdf:
    """A PDF in the making. Use it from one thread only, and close it (it is a context manager)."""

    def __init__(self) -> None:
        with _pdfium() as pdfium:
            self._pdf = pdfium.PdfDocument.new()
        self._fonts: dict[tuple[tuple[str, int], ...], Any] = {}

    def add_page(self, page: PageImage, lines: Iterable[Sequence[PlacedWord]]) -> None:
        """Add a page.

        Args:
            page: its picture, which is compressed as JPEG, or as a fax if it is black and white.
            lines: the words of each line, in the order in which they are copied.
        """
        scale = _points_per_pixel(page)
        sheet_file = _as_pdf(page.image, scale)
        words = [word for line in lines for word in _as_seen(line)]
        letters = {letter for _, seen in words for letter in seen}
        others = sorted(letter for letter in letters if ord(letter) >= _BASIC_LETTERS)
        free = (number for number in _PRIVATE_NUMBERS if chr(number) not in letters)
        numbers = dict(zip(others, free, strict=False))
        with _pdfium() as pdfium:
            with closing(pdfium.PdfDocument(sheet_file)) as source:
                self._pdf.import_pages(source)
            last = len(self._pdf) - 1
            try:
                with closing(self._pdf[last]) as sheet:
                    font = self._font(pdfium.raw, tuple(numbers.items())) if words else None
                    for word, seen in words:
                        text = _text_object(pdfium.raw, self._pdf, font, seen, numbers)
                        _place(pdfium.raw, text, word, seen, page.image.height, scale)
                        pdfium.raw.FPDFPage_InsertObject(sheet, text)
                    sheet.gen_content()
            except BaseException:
                del self._pdf[last]
                raise

    def save(self) -> bytes:
        """Return the file with the pages so far.

        Raises:
            MemoryError: there is not enough memory.
        """
        stream = io.BytesIO()
        with _pdfium() as pdfium:
            try:
                self._pdf.save(stream)
            except pdfium.PdfiumError as error:
                raise MemoryError from error
        return stream.getvalue()

    def close(self) -> None:
        """Release it. Closing twice is harmless."""
        with _pdfium() as pdfium:
            while self._fonts:
                pdfium.raw.FPDFFont_Close(self._fonts.popitem()[1])
            self._pdf.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _font(self, raw: Any, others: tuple[tuple[str, int], ...]) -> Any:
        """Return the font of a page with these letters beyond the first 65,536, and their numbers."""
        if others not in self._fonts:
            font, glyphs = make_unseen_font(), LETTER_GLYPH.to_bytes(2, "big") * _BASIC_LETTERS
            data = _as_array(font), len(font), _letters_by_number(others), _as_array(glyphs), len(glyphs)
            loaded = raw.FPDFText_LoadCidType2Font(self._pdf, *data)
            if not loaded:
                raise MemoryError
            self._fonts[others] = loaded
        return self._fonts[others]


@contextmanager
def _pdfium() -> Iterator[Any]:
    """Enter PDFium, which is imported with the first file, as that initialises it."""
    with _ALONE:
        import pypdfium2

        yield pypdfium2


def runs_leftwards(text: str) -> bool:
    """True if most letters of a text are of a script that is written from right to left."""
    directions = Counter(map(unicodedata.bidirectional, text))
    return directions["R"] + directions["AL"] > directions["L"]


def _as_seen(line: Sequence[PlacedWord]) -> Iterator[tuple[PlacedWord, str]]:
    """Yield each word with its letters as they are seen from left to right, and a blank if its line goes on.

    Readers of PDFs expect this order also of Arabic and Hebrew.
    """
    goes_leftwards = runs_leftwards("".join(word.text for word in line))
    for word in line:
        seen = _reversed(word.text) if runs_leftwards(word.text) else word.text
        if word is not line[-1]:
            seen = f" {seen}" if goes_leftwards else f"{seen} "
        yield word, seen


def _reversed(word: str) -> str:
    backwards = word[::-1].translate(_MIRRORED)
    return _NUMBER.sub(lambda number: number[0][::-1], backwards)


def _text_object(raw: Any, pdf: Any, font: Any, seen: str, numbers: Mapping[str, int]) -> Any:
    """Make a text that is not seen."""
    codes = [_number_of(letter, numbers) for letter in seen]
    text = raw.FPDFPageObj_CreateTextObj(pdf, font, 1.0)
    raw.FPDFText_SetCharcodes(text, (ctypes.c_uint32 * len(codes))(*codes), len(codes))
    raw.FPDFTextObj_SetTextRenderMode(text, raw.FPDF_TEXTRENDERMODE_INVISIBLE)
    return text


def _place(raw: Any, text: Any, word: PlacedWord, seen: str, page_height_px: int, scale: float) -> None:
    """Stretch a word over its print, with the blank beside it."""
    height = word.bottom - word.top
    letter = (word.right - word.left) / len(word.text)
    across = letter / LETTER_WIDTH
    left = word.left - letter * seen.startswith(" ")
    base = page_height_px - word.bottom + LETTER_BASE * height
    matrix = (across, -word.slope * across, 0, height, left, base)
    raw.FPDFPageObj_SetMatrix(text, raw.FS_MATRIX(*(scale * number for number in matrix)))


def _number_of(letter: str, numbers: Mapping[str, int]) -> int:
    number = numbers.get(letter, ord(letter))
    is_letter = _FIRST_LETTER <= number < _BASIC_LETTERS and number not in _SURROGATES
    return number if is_letter else _REPLACEMENT


def _letters_by_number(others: Iterable[tuple[str, int]]) -> bytes:
    """Write the table that tells PDF readers which letters the numbers in a font stand for."""
    private = [
        f"1 beginbfchar\n<{number:04X}> <{letter.encode('utf-16-be').hex()}>\nendbfchar\n"
        for letter, number in others
    ]
    return _LETTERS_BY_NUMBER.replace("$others", "".join(private)).encode("ascii") + b"\0"


def _as_array(data: bytes) -> Any:
    return (ctypes.c_ubyte * len(data)).from_buffer_copy(data)


def _points_per_pixel(page: PageImage) -> float:
    longest_px = max(page.image.size)
    stated = POINTS_PER_INCH / page.dpi if page.dpi else _UNSTATED_LONGEST_PT / longest_px
    return min(max(stated, _SHORTEST_PT / min(page.image.size)), _LONGEST_PT / longest_px)


def _as_pdf(picture: Image.Image, points_per_pixel: float) -> bytes:
    """Return a picture as a PDF of one page: compressed as a fax if it is black and white, else as JPEG."""
    if max(picture.size) > _LONGEST_JPEG_PX:
        shown = picture.reduce(math.ceil(max(picture.size) / _LONGEST_JPEG_PX))
        points_per_pixel *= picture.width / shown.width
        picture = shown
    picture = _without_colour(picture)
    options = {"resolution": POINTS_PER_INCH / points_per_pixel}
    if picture.mode == "L" and {grey for _, grey in picture.getcolors(2) or [(0, None)]} <= {0, 255}:
        picture = picture.convert("1", dither=Image.Dither.NONE)
    else:
        options["quality"] = _JPEG_QUALITY
    stream = io.BytesIO()
    picture.save(stream, "PDF", **options)
    return stream.getvalue()


def _without_colour(picture: Image.Image) -> Image.Image:
    """Return a picture as grey if it is."""
    red, green, blue = picture.split()
    differences = (ImageChops.difference(red, other).histogram() for other in (green, blue))
    return picture if any(any(counts[_MOST_GREY + 1 :]) for counts in differences) else green
