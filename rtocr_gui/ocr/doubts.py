"""Judges whether a text may be wrong or incomplete although it was read to its end.

Knows a reading and the print of its page; no model.
"""

from rtocr_gui.ocr.reading import Doubt, Reading, StopReason
from rtocr_gui.ocr.text.unsure_words import is_unsure
from rtocr_gui.ocr.vision.auto_mode import PagePrint
from rtocr_gui.ocr.vision.unread_print import has_unread_print


def doubt_about(reading: Reading, page_print: PagePrint) -> Doubt | None:
    """Return the gravest doubt about a text; None if there is none.

    Args:
        reading: the reading, with its unsure words.
        page_print: the print of its page.
    """
    if not page_print.is_legible_in(reading.mode):
        return Doubt.SMALL_PRINT
    if page_print.is_too_long_for(reading.mode):
        return Doubt.LONG_PAGE
    is_whole = reading.stop_reason is StopReason.END  # of any other, it is known that print is missing
    if is_whole and has_unread_print(reading.text, page_print.strokes):
        return Doubt.UNREAD_PRINT
    return Doubt.UNSURE_WORDS if is_unsure(len(reading.unsure_words), reading.word_count) else None
