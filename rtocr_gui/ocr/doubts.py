"""Judges whether a text may be wrong or incomplete although it was read to its end.

Knows a reading and the strokes on its page; no model.
"""

from rtocr_gui.ocr.reading import Doubt, Reading, StopReason
from rtocr_gui.ocr.text.unsure_words import is_unsure
from rtocr_gui.ocr.vision.unread_print import has_unread_print


def doubt_about(reading: Reading, strokes: int) -> Doubt | None:
    """Return the gravest doubt that a text gives rise to; None if it gives rise to none.

    Args:
        reading: the reading, with its unsure words.
        strokes: how many strokes the letters of its page have, as `count_strokes` counts them; 0 if they are
            not counted.
    """
    is_whole = reading.stop_reason is StopReason.END  # of any other, it is known that print is missing
    if is_whole and has_unread_print(reading.text, strokes):
        return Doubt.UNREAD_PRINT
    return Doubt.UNSURE_WORDS if is_unsure(len(reading.unsure_words), reading.word_count) else None
