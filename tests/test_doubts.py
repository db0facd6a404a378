"""Of several reasons to doubt a text, the gravest is told; what ended early is known to lack print."""

from dataclasses import replace

from rtocr_gui.ocr.doubts import doubt_about
from rtocr_gui.ocr.reading import TASKS, Doubt, Mode, ReadSettings, Scaling, StopReason
from rtocr_gui.ocr.vision.auto_mode import PagePrint
from tests.made_readings import make_reading

READ = make_reading(ReadSettings(Scaling(Mode.GUNDAM), TASKS[0]), "ten words", word_count=10)
PAGE = PagePrint((1000, 4000), 20.0)


def test_the_gravest_doubt_is_told() -> None:
    long = replace(PAGE, gundam_aspect_ratio=2.0)
    assert long.doubt_in(Mode.GUNDAM) is Doubt.LONG_PAGE
    assert replace(long, pitch_px=1.0).doubt_in(Mode.GUNDAM) is Doubt.SMALL_PRINT
    reading = replace(READ, unsure_words=((0, 3), (4, 9), (0, 3)))
    assert doubt_about(reading, 5) is Doubt.UNSURE_WORDS
    assert doubt_about(reading, 500) is Doubt.UNREAD_PRINT


def test_a_page_or_text_without_any_fault_is_not_doubted() -> None:
    assert PAGE.doubt_in(Mode.GUNDAM) is None
    assert replace(PAGE, gundam_aspect_ratio=2.0).doubt_in(Mode.LARGE) is None
    assert doubt_about(READ, 5) is None


def test_that_print_is_missing_in_a_text_that_ended_early_is_no_doubt() -> None:
    for reason in StopReason:
        doubt = Doubt.UNREAD_PRINT if reason is StopReason.END else None
        assert doubt_about(replace(READ, stop_reason=reason), 500) is doubt
