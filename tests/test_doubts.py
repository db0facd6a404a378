"""Of several reasons to doubt a text, the gravest is told; what ended early is known to lack print."""

from dataclasses import replace

from rtocr_gui.ocr.doubts import doubt_about
from rtocr_gui.ocr.reading import TASKS, Doubt, Mode, ReadSettings, Scaling, StopReason
from rtocr_gui.ocr.vision.auto_mode import PagePrint
from tests.made_readings import make_reading

READ = make_reading(ReadSettings(Scaling(Mode.GUNDAM), TASKS[0]), "ten words", word_count=10)
PAGE = PagePrint((1000, 4000), 20.0, strokes=5)
WRONG = {
    Doubt.SMALL_PRINT: {"pitch_px": 1.0},
    Doubt.LONG_PAGE: {"gundam_aspect_ratio": 2.0},
    Doubt.UNREAD_PRINT: {"strokes": 500},
}


def test_the_gravest_doubt_is_told() -> None:
    page_print, reading = PAGE, replace(READ, unsure_words=((0, 3), (4, 9), (0, 3)))
    assert doubt_about(reading, page_print) is Doubt.UNSURE_WORDS
    for doubt in reversed(WRONG):
        page_print = replace(page_print, **WRONG[doubt])
        assert doubt_about(reading, page_print) is doubt


def test_a_text_without_any_fault_is_not_doubted() -> None:
    assert doubt_about(READ, PAGE) is None


def test_that_print_is_missing_in_a_text_that_ended_early_is_no_doubt() -> None:
    page_print = replace(PAGE, strokes=500)
    for reason in StopReason:
        doubt = Doubt.UNREAD_PRINT if reason is StopReason.END else None
        assert doubt_about(replace(READ, stop_reason=reason), page_print) is doubt
