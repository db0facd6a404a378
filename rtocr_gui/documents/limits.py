"""Limits on the size and aspect ratio of a page, on the pages of a file, and on what decoding may take.

Pictures and PDF pages share these limits: a hostile or broken file must not fill the memory, and
a strip of a few pixels must not reach the model. Knows sizes only, no files and no pixels.
"""

from rtocr_gui.errors import DocumentError

PICTURE_PIXEL_LIMIT = 200_000_000
"""Most pixels a picture may decode to: an A0 sheet at 300 dpi (139 million) fits, a decompression bomb
does not."""

PDF_PIXEL_LIMIT = 64_000_000
"""Most pixels a PDF page is rendered to: an A0 sheet at 200 dpi fits."""

POINTS_PER_INCH = 72
"""The unit in which the size of a PDF page is given."""

PDF_LEAST_DPI = 36.0
"""A page too large to be rendered even at this resolution is refused."""

MEMORY_LIMIT_BYTES = 6 << 30
"""Memory to decode a page with: the largest picture in colour, a few times over."""

TIME_LIMIT_S, PREVIEW_TIME_LIMIT_S = 120.0, 20.0
"""Time to open a file or to decode a page, and for a thumbnail: the largest pictures take some seconds, and
so do maps in PDFs."""

MOST_PAGES = 20_000
"""Most pages in a file: even a long microfilm fits, but a file may claim to have two billion."""

ANIMATION_PIXEL_LIMIT = 10_000_000_000
"""Most pixels of all frames of an animation, each of which is made from the one before."""

SHORTEST_SIDE_PX = 8
LARGEST_ASPECT = 50


def check_page_count(count: int) -> None:
    """Refuse a file that claims to have more pages than a list can hold.

    Raises:
        DocumentError: it has more than `MOST_PAGES`.
    """
    if count > MOST_PAGES:
        raise DocumentError(
            f"RTOCR opens at most {MOST_PAGES:,} pages of a file, and this one says that it has more. "
            "Split it, or get a fresh copy."
        )


def check_page_size(width_px: int, height_px: int) -> None:
    """Refuse a page that is too large to hold in memory or too narrow to read.

    Args:
        width_px: width of the decoded page.
        height_px: height of the decoded page.

    Raises:
        DocumentError: it has too many pixels, or it is a strip: one side is shorter than
            `SHORTEST_SIDE_PX`, or more than `LARGEST_ASPECT` times as long as the other.
    """
    if _is_strip(width_px, height_px):
        raise DocumentError(
            f"The page is {width_px} x {height_px} pixels: a strip that narrow holds no readable text. "
            "Scan or crop it again."
        )
    if width_px * height_px > PICTURE_PIXEL_LIMIT:
        raise DocumentError(
            f"The page would unpack to {width_px * height_px / 1e6:,.0f} million pixels, but "
            f"RTOCR opens at most {PICTURE_PIXEL_LIMIT / 1e6:,.0f} million. Save it at a lower resolution."
        )


def check_animation_size(frames: int, width_px: int, height_px: int) -> None:
    """Refuse an animation whose last frame would take minutes to decode.

    Raises:
        DocumentError: it has too many pixels in all.
    """
    if frames * width_px * height_px > ANIMATION_PIXEL_LIMIT:
        raise DocumentError(
            f"The animation has {frames:,} frames of {width_px} x {height_px} pixels, which is too much to "
            "unpack. Save the frames you need as pictures."
        )


def check_part_size(width_px: int, height_px: int) -> None:
    """Refuse a part of a page that is too narrow to read.

    Raises:
        DocumentError: it is a strip, as in `check_page_size`.
    """
    if _is_strip(width_px, height_px):
        raise DocumentError(
            f"This part is {width_px} x {height_px} pixels: a strip that narrow holds no readable text. Read "
            "the whole page, or cut it another way."
        )


def _is_strip(width_px: int, height_px: int) -> bool:
    shorter, longer = sorted((width_px, height_px))
    return shorter < SHORTEST_SIDE_PX or longer > LARGEST_ASPECT * shorter
