"""Files that must not be opened, made by hand, and the words each of them must be refused with.

    python -m tests.broken_files FOLDER

writes them, with three good files between them, to try the program on. Tests take them from here.
"""

import hashlib
import struct
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.made_pages import page_image

PASSWORD = "secret"
PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
ENCRYPTED_ID = bytes(range(16))


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """One file and what the program says of it.

    Attributes:
        path: where it is.
        words: part of the sentence it must be refused with.
        refused_at: "open" or "page": when it becomes clear.
    """

    path: Path
    words: str
    refused_at: str = "open"


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    """The bytes of a picture file."""
    stream = BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def png(width: int, height: int) -> bytes:
    """A white 1-bit PNG of any size, packed row by row, so that a bomb costs little to make."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    row = b"\0" + b"\xff" * ((width + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def endless_png() -> bytes:
    """A good PNG that claims to be an animation of two billion frames."""
    good, frames = encoded(page_image(), "PNG"), b"acTL" + struct.pack(">II", 2**31 - 1, 0)
    return good[:33] + struct.pack(">I", 8) + frames + struct.pack(">I", zlib.crc32(frames)) + good[33:]


def sized(picture: bytes, mark: bytes, side_px: int) -> bytes:
    """A picture file that claims to be a square of this size in what follows a mark."""
    before, mark, after = picture.partition(mark)
    assert mark
    return before + mark + struct.pack(">II", side_px, side_px) + after[8:]


def pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer\n<< /Root 1 0 R /Size %d %b >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )


def pdf_of_pages(
    count: int = 1,
    media_box: bytes = b"0 0 595 842",
    content: bytes = b"0 0 100 100 re f",
    trailer: bytes = b"",
    further: Sequence[bytes] = (),
    claimed: int | None = None,
) -> bytes:
    """A PDF whose pages each draw a black square at the bottom left; it may claim to have more of them."""
    kids = b" ".join(b"%d 0 R" % (4 + index) for index in range(count))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [%b] /Contents 3 0 R >>" % media_box
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, count if claimed is None else claimed),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
            *[page] * count,
            *further,
        ],
        trailer,
    )


def text_pdf(content: bytes, resources: bytes = b"/Font << /F1 5 0 R >>", *further: bytes) -> bytes:
    """A PDF of one page, 600 points wide and 800 high, which has Helvetica as /F1."""
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << %b >> >>"
            % resources,
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *further,
        ]
    )


def long_jpeg() -> bytes:
    """A JPEG of a quarter of a megabyte, whose last scan of a white page comes again three thousand times."""
    stream = BytesIO()
    Image.new("L", (4000, 4000), 255).save(stream, "JPEG", progressive=True)
    good = stream.getvalue()[:-2]
    scan = good[good.rindex(b"\xff\xc4", 0, good.rindex(b"\xff\xda")) :]
    return good + scan * 3000 + b"\xff\xd9"


def endless_pdf() -> bytes:
    """A PDF of one page that draws ten thousand million squares: each form on it draws the next ten times."""
    depth, draws = 10, b"/X1 Do " * 10
    forms = [
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << /X1 %d 0 R >> >> "
        b"/Length %d >>\nstream\n%b\nendstream" % (7 + nested, len(draws), draws)
        for nested in range(depth)
    ]
    square = (
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Length 12 >>\nstream\n0 0 9 9 re f\nendstream"
    )
    return text_pdf(b"/X1 Do", b"/XObject << /X1 6 0 R >>", *forms, square)


def unpacking_pdf() -> bytes:
    """A PDF of three kilobytes and one page, whose content unpacks to six gigabytes."""
    packer = zlib.compressobj(9)
    packer.compress(bytes(1 << 20))
    packer.flush(zlib.Z_FULL_FLUSH)
    mebibyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = zlib.compress(b"\x78\x9c" + mebibyte * 1024, 9)
    stream = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%b\nendstream"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents [%b] >>" % (b" 4 0 R" * 6)
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            page,
            stream % (len(packed), packed),
        ]
    )


def encrypted_pdf(password: str = PASSWORD, pages: int = 1) -> bytes:
    """Pages, encrypted by the standard security handler, revision 2 (PDF 1.4, section 3.5)."""
    padded = (password.encode("latin-1") + PADDING)[:32]
    permissions = struct.pack("<i", -4)
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + permissions + ENCRYPTED_ID).digest()[:5]
    content_key = hashlib.md5(key + (3).to_bytes(3, "little") + b"\0\0").digest()[:10]
    handler = b"<< /Filter /Standard /V 1 /R 2 /O <%b> /U <%b> /P -4 >>" % (
        owner.hex().encode(),
        rc4(key, PADDING).hex().encode(),
    )
    file_id = ENCRYPTED_ID.hex().encode()
    return pdf_of_pages(
        pages,
        content=rc4(content_key, b"0 0 100 100 re f"),
        trailer=b"/Encrypt %d 0 R /ID [<%b> <%b>]" % (4 + pages, file_id, file_id),
        further=[handler],
    )


def rc4(key: bytes, data: bytes) -> bytes:
    """The RC4 cipher, as old PDFs use it."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def write_broken_files(folder: Path) -> list[BrokenFile]:
    """Write every kind of file that cannot be read, one of each.

    A file that its owner may not read is among them; to the superuser it is an ordinary page.
    """
    photo = page_image((640, 480))
    good_png, good_jpeg, good_tiff = (encoded(photo, kind) for kind in ("PNG", "JPEG", "TIFF"))
    good_jp2, good_avif = encoded(photo, "JPEG2000"), encoded(photo, "AVIF")
    unknown = "is not a PDF, PNG, JPEG, JPEG 2000, TIFF, WebP, AVIF, BMP or GIF file"
    heic = "is a HEIC picture, which RTOCR does not read"
    damaged_picture, damaged_pdf = "picture is damaged or cut off", "PDF is damaged or cut off"
    empty, strip = "is empty (0 bytes)", "a strip that narrow"
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n%%EOF\n"
    unknown_handler = b"/Encrypt << /Filter /Nobody /V 1 >> /ID [<00> <00>]"
    contents: list[tuple[str, bytes, str, str]] = [
        ("empty.png", b"", empty, "open"),
        ("empty.pdf", b"", empty, "open"),
        ("text.png", b"Dear Sir or Madam,\n" * 40, unknown, "open"),
        ("notes.txt", "Grüße\n".encode(), unknown, "open"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", unknown, "open"),
        ("drawing.eps", eps, unknown, "open"),  # which Pillow would hand to Ghostscript
        ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", heic, "open"),
        ("photo.heif", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", heic, "open"),
        ("page.ppm", b"P6 100 100 255\n" + bytes(30_000), unknown, "open"),
        ("noise.jpg", b"\xff\xd8\xff" + bytes(range(256)) * 8, unknown, "open"),
        ("beginning-only.png", good_png[:20], damaged_picture, "open"),
        ("no-pixels.png", png(0, 0), unknown, "open"),
        ("cut-off.png", good_png[: len(good_png) // 2], damaged_picture, "page"),
        ("cut-off.jpg", good_jpeg[: len(good_jpeg) // 2], damaged_picture, "page"),
        ("cut-off.tif", good_tiff[: len(good_tiff) // 2], damaged_picture, "page"),
        ("cut-off.jp2", good_jp2[: len(good_jp2) // 2], damaged_picture, "page"),
        ("cut-off.avif", good_avif[:-9], damaged_picture, "page"),
        (
            "beginning-only.avif",
            good_avif[: len(good_avif) // 2],
            "AVIF picture is damaged or cut off",
            "open",
        ),
        ("strip-1x20000.png", png(1, 20_000), strip, "open"),
        ("strip-20000x1.png", png(20_000, 1), strip, "open"),
        ("bomb.png", png(30_000, 30_000), "would unpack to", "open"),
        ("bomb.avif", sized(good_avif, b"ispe\0\0\0\0", 15_000), "would unpack to", "open"),
        ("bomb.jp2", sized(good_jp2, b"ihdr", 30_000), "would unpack to", "open"),
        ("bomb-inside.jp2", sized(good_jp2, b"\xff\x4f\xff\x51\0\x2f\0\0", 30_000), damaged_picture, "page"),
        ("endless.png", endless_png(), "opens at most 20,000", "open"),
        ("endless.pdf", pdf_of_pages(claimed=10**6), "opens at most 20,000", "open"),
        ("encrypted.pdf", encrypted_pdf(), "is encrypted", "open"),
        ("unknown-protection.pdf", pdf_of_pages(trailer=unknown_handler), "is protected in a way", "open"),
        ("no-pages.pdf", pdf_of_pages(0), "has no pages", "open"),
        ("cut-off.pdf", pdf_of_pages()[:120], damaged_pdf, "open"),
        ("noise.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 8, damaged_pdf, "open"),
        (
            "missing-page.pdf",
            pdf_of_pages().replace(b"[4 0 R]", b"[9 0 R]"),
            "page of the PDF is damaged",
            "page",
        ),
        ("huge-page.pdf", pdf_of_pages(media_box=b"0 0 1000000 1000000"), "too large to be rendered", "page"),
        (
            "cropped-away.pdf",
            pdf_of_pages(media_box=b"0 0 612 792] /CropBox [900 900 1000 1000"),
            "The page is empty",
            "page",
        ),
        ("strip.pdf", pdf_of_pages(media_box=b"0 0 1 14400"), strip, "page"),
    ]
    for name, content, _, _ in contents:
        (folder / name).write_bytes(content)
    broken = [BrokenFile(folder / name, words, when) for name, _, words, when in contents]
    (folder / "folder.png").mkdir(exist_ok=True)
    unreadable = folder / "unreadable.png"
    unreadable.unlink(missing_ok=True)
    unreadable.write_bytes(good_png)
    unreadable.chmod(0)
    return [
        *broken,
        BrokenFile(folder / "folder.png", "is a folder"),
        BrokenFile(folder / "missing.png", "no such file"),
    ]


def write_good_files(folder: Path) -> list[Path]:
    """Write a picture, a PDF with two pages, and a picture that is called a PDF."""
    paths = [folder / "good.png", folder / "good.pdf", folder / "good-picture-called.pdf"]
    page_image().save(paths[0])
    paths[1].write_bytes(pdf_of_pages(2))
    paths[2].write_bytes(encoded(page_image(), "JPEG"))
    return paths


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in write_good_files(folder):
        print(f"{path}: good")
    for broken in write_broken_files(folder):
        print(f"{broken.path}: … {broken.words} …")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.broken_files FOLDER")
    main(Path(sys.argv[1]))
