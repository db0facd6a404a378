"""What an open page keeps, gives back and forgets, whatever becomes of its readings."""

from dataclasses import replace
from typing import Any

import pytest

from rtocr_gui.ocr.reading import TASKS, Block, Doubt, Mode, Reading, ReadSettings, Scaling, StopReason
from rtocr_gui.ocr.text.markup import parse_blocks
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.state.kept_readings import PRUNED_READINGS_KEPT
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.page_entry import PageState, TextOrigin
from rtocr_gui.ui.state.page_words import placeholder_of, summary_of
from tests.made_readings import REF, make_reading
from tests.tasks import MARKDOWN

GUNDAM, BASE = Scaling(Mode.GUNDAM), Scaling(Mode.BASE)


def asked(retention: float = 0.5, scaling: Scaling = BASE) -> ReadSettings:
    return ReadSettings(scaling, TASKS[1], PruneSettings(retention))


@pytest.fixture
def page() -> OpenPage:
    return OpenPage(REF)


def test_a_page_that_was_turned_has_no_reading_to_compare_with_and_no_offer(page: OpenPage) -> None:
    page.finish(make_reading(asked()))
    page.fail("There is not enough memory.", asked(scaling=Scaling(Mode.TINY)))
    page.rotate(90)
    assert page.readings.by_settings == {}
    assert page.retry_scaling is None


def test_an_edited_page_that_was_turned_was_not_read_as_it_lies_now(page: OpenPage) -> None:
    page.finish(make_reading(asked()))
    page.edit("mine")
    assert page.was_read_with(asked())
    page.rotate(90)
    assert not page.was_read_with(asked())
    page.rotate(-90)
    assert page.was_read_with(asked())


@pytest.mark.parametrize(
    ("reading", "shown"),
    [
        (make_reading(asked()), PageState.READ),
        (make_reading(asked(), stop_reason=StopReason.LOOP), PageState.CHECK),
        (make_reading(asked(), "", stop_reason=StopReason.LENGTH), PageState.CHECK),
        *((make_reading(asked(), doubt=doubt), PageState.CHECK) for doubt in Doubt),
        (make_reading(asked(), ""), PageState.EMPTY),
        (make_reading(asked(), "", blocks=(Block("image", ((0, 0, 9, 9),), 0, 0),)), PageState.READ),
    ],
)
def test_a_page_to_check_or_without_text_is_shown_so_but_it_is_read(
    page: OpenPage, reading: Reading, shown: PageState
) -> None:
    page.finish(reading)
    assert page.shown_state is shown
    assert page.was_read_with(asked())
    page.edit("mine")
    assert page.shown_state is PageState.EDITED


def test_a_page_whose_text_was_deleted_does_not_claim_to_be_unread(page: OpenPage) -> None:
    assert placeholder_of(page) == "Not read yet. Press Read."
    page.finish(make_reading(asked()))
    page.edit("")
    assert placeholder_of(page) == ""


def test_text_that_streams_in_anew_is_not_said_to_come_from_the_former_reading(page: OpenPage) -> None:
    reading = make_reading(asked())
    page.finish(reading)
    told = summary_of(page)
    assert told.startswith("Read from")
    page.begin()
    assert summary_of(page) == told, "its text is still there"
    page.begin_text(reading.settings.task)
    page.stream("Dear")
    assert summary_of(page) == ""
    page.give_up()
    assert summary_of(page) == told


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({}, TextOrigin.READ),
        ({"stop_reason": StopReason.CANCELLED}, TextOrigin.READ_IN_PART),
        ({"stop_reason": StopReason.LENGTH}, TextOrigin.READ_IN_DOUBT),
        ({"stop_reason": StopReason.LOOP}, TextOrigin.READ_IN_DOUBT),
        ({"doubt": Doubt.SMALL_PRINT}, TextOrigin.READ_IN_DOUBT),
    ],
)
def test_where_a_text_is_from_depends_on_how_its_reading_ended(
    page: OpenPage, changes: dict[str, Any], origin: TextOrigin
) -> None:
    page.finish(replace(make_reading(asked()), **changes))
    assert page.origin is origin
    page.begin()
    page.begin_text(TASKS[1])
    page.stream("beginning")
    assert page.origin is TextOrigin.READ_IN_PART
    page.give_up()
    assert page.origin is origin
    page.edit("mine")
    is_whole = changes.get("stop_reason", StopReason.END) is StopReason.END
    assert page.origin is (TextOrigin.TYPED if is_whole else TextOrigin.TYPED_IN_PART)


def test_a_text_that_was_read_before_the_page_was_turned_is_in_doubt(page: OpenPage) -> None:
    page.finish(make_reading(asked()))
    page.rotate(90)
    assert page.origin is TextOrigin.READ_IN_DOUBT


def test_what_came_before_a_reading_failed_is_a_part_also_after_an_empty_reading(page: OpenPage) -> None:
    page.finish(make_reading(asked(), ""))
    page.begin()
    page.begin_text(TASKS[1])
    page.stream("half a li")
    page.fail("The model could not read this page.")
    assert (page.text, page.origin) == ("half a li", TextOrigin.READ_IN_PART)


@pytest.mark.parametrize("before", [None, make_reading(asked(), "")])
def test_what_came_before_a_reading_failed_is_a_part_also_once_it_is_corrected_or_no_longer_is(
    page: OpenPage, before: Reading | None
) -> None:
    if before is not None:
        page.finish(before)
    page.begin()
    page.begin_text(TASKS[1])
    page.stream("half a li")
    page.fail("The model could not read this page.")
    assert page.is_cut
    page.edit("half a line")
    assert (page.state, page.origin) == (PageState.EDITED, TextOrigin.TYPED_IN_PART)
    page.edit("half a li")
    assert not page.edited
    assert page.shown_state is (PageState.STOPPED if before is None else PageState.CHECK)
    assert page.origin is TextOrigin.READ_IN_PART


def test_figures_of_a_page_that_another_model_read_or_that_was_turned_are_not_compared(
    page: OpenPage,
) -> None:
    assert page.comparable_reading == (None, "Not read yet: press Read to measure.")
    reading = make_reading(asked())
    page.finish(reading)
    assert page.comparable_reading == (reading, "")
    page.rotate(90)
    assert page.comparable_reading == (None, "Read before it was rotated: press Read to measure.")
    page.rotate(-90)
    page.forget_readings()
    assert page.comparable_reading == (None, "Read by another model: press Read to measure.")


def test_another_model_scales_a_page_as_it_scales_all(page: OpenPage) -> None:
    page.scaling = BASE
    page.finish(make_reading(asked()))
    page.forget_readings()
    assert (page.text, page.scaling, page.readings.by_settings) == ("page", None, {})


def test_a_page_whose_reading_failed_has_failed_still_where_the_next_one_is_stopped_at_once(
    page: OpenPage,
) -> None:
    page.begin()
    page.begin_text(TASKS[1])
    page.stream("half a")
    page.fail("There is not enough memory.", asked(scaling=Scaling(Mode.TINY)))
    page.begin()
    assert (page.sentence, page.retry_scaling) == ("", None)
    page.give_up()
    assert (page.text, page.state) == ("half a", PageState.FAILED)
    assert (page.sentence, page.retry_scaling) == ("There is not enough memory.", Scaling(Mode.TINY))
    page.begin()
    page.finish(make_reading(asked()))
    assert (page.state, page.sentence) == (PageState.READ, "")


def test_a_way_out_of_a_loop_is_offered_again_where_the_next_reading_is_stopped(
    page: OpenPage,
) -> None:
    way_out = asked(scaling=GUNDAM)
    page.finish(make_reading(asked(), stop_reason=StopReason.LOOP, retry=way_out))
    said = page.sentence
    page.begin()
    assert page.retry_scaling is None
    page.give_up()
    assert (page.sentence, page.retry_scaling) == (said, GUNDAM)


def test_what_came_before_a_reading_failed_stays_where_the_next_one_is_stopped(page: OpenPage) -> None:
    page.begin()
    page.begin_text(TASKS[1])
    page.stream("beginning")
    page.fail("The model could not read this page.")
    page.begin()
    page.give_up()
    assert page.text == "beginning"


def test_a_beginning_stays_where_another_reading_is_stopped_before_its_first_token(page: OpenPage) -> None:
    page.finish(make_reading(asked(), "beginning", stop_reason=StopReason.CANCELLED))
    page.begin()
    page.finish(make_reading(asked(), "", stop_reason=StopReason.CANCELLED))
    assert (page.text, page.state) == ("beginning", PageState.STOPPED)


def test_a_restored_beginning_stays_where_a_reading_is_stopped_before_its_first_token(page: OpenPage) -> None:
    page.restore("beginning", TextOrigin.READ_IN_PART, is_exported=False)
    page.begin()
    assert page.origin is TextOrigin.READ_IN_PART
    page.finish(make_reading(asked(), "", stop_reason=StopReason.CANCELLED))
    assert (page.text, page.state, page.is_cut) == ("beginning", PageState.STOPPED, True)


def test_a_page_that_was_not_read_is_as_it_was_once_all_typing_is_undone(page: OpenPage) -> None:
    page.edit("mine")
    assert page.state is PageState.EDITED
    page.edit("")
    assert page.state is PageState.UNREAD
    assert page.is_blank
    assert page.is_saved
    page.finish(make_reading(asked()))
    page.edit("")
    assert page.state is PageState.EDITED, "clearing text that was read is an edit"


@pytest.mark.parametrize(
    ("looped", "offered", "is_another_way"),
    [(GUNDAM, Scaling(Mode.GUNDAM, 4), True), (BASE, Scaling(Mode.BASE, 4), False)],
)
def test_fewer_tiles_are_another_way_where_there_are_tiles(
    page: OpenPage, looped: Scaling, offered: Scaling, is_another_way: bool
) -> None:
    way_out = asked(scaling=offered)
    page.finish(make_reading(asked(scaling=looped), stop_reason=StopReason.LOOP, retry=way_out))
    assert page.retry_scaling == (offered if is_another_way else None)


def test_a_reading_that_was_stopped_is_not_kept_for_comparisons(page: OpenPage) -> None:
    page.readings.keep(make_reading(asked()))
    page.readings.keep(make_reading(asked(), "pa", stop_reason=StopReason.CANCELLED))
    page.readings.keep(make_reading(asked(0.9), "pa", stop_reason=StopReason.CANCELLED))
    assert [reading.text for reading in page.readings.by_settings.values()] == ["page"]


def test_the_newest_pruned_readings_are_kept_and_those_of_all_tokens(page: OpenPage) -> None:
    whole = asked(1.0)
    ratios = [asked(number / 100) for number in range(1, PRUNED_READINGS_KEPT + 1)]
    for settings in (whole, *ratios):
        page.readings.keep(make_reading(settings))
    assert [*page.readings.by_settings] == [whole, *ratios]
    page.readings.keep(make_reading(ratios[0], "read once more"))
    page.readings.keep(make_reading(asked(0.9)))
    assert [*page.readings.by_settings] == [whole, *ratios[2:], ratios[0], asked(0.9)]
    assert page.readings.by_settings[ratios[0]].text == "read once more"


def test_only_a_page_that_is_not_being_read_gives_way_to_itself_as_it_was_before() -> None:
    pages = OpenPages()
    pages.add((REF,))
    pages[REF].edit("mine")
    removed = pages.remove((REF,))
    pages.add((REF,))
    assert pages.blank_twins(removed) == (REF,)
    pages[REF].begin()
    assert pages.blank_twins(removed) == ()


def test_blocks_are_where_the_model_says_until_the_reading_that_ends_says_better(page: OpenPage) -> None:
    settings = ReadSettings(BASE, MARKDOWN, PruneSettings(0.5))
    raw_text = "<|ref|>title<|/ref|><|det|>[[0, 0, 900, 90]]<|/det|>\n# Report"
    (rough,) = parse_blocks(raw_text, MARKDOWN)
    moved = replace(rough, boxes=((10, 40, 310, 80),))
    page.begin_text(MARKDOWN)
    page.stream(raw_text)
    assert page.blocks.blocks == (rough,)
    page.finish(make_reading(settings, "# Report", raw_text=raw_text, blocks=(moved,)))
    assert page.blocks.blocks == (moved,)
    page.begin_text(MARKDOWN)
    page.stream(raw_text.replace("Report", "Rep"))
    assert page.blocks.blocks == (replace(rough, end=len("# Rep")),)
    page.give_up()
    assert page.blocks.blocks == (moved,)


@pytest.mark.parametrize("needs_large_print", [False, True])
def test_deepseek_ocr_is_advised_where_it_reads_smaller_print(
    page: OpenPage, needs_large_print: bool
) -> None:
    page.finish(make_reading(asked(), doubt=Doubt.SMALL_PRINT, needs_large_print=needs_large_print))
    assert ("reads smaller print" in summary_of(page)) is needs_large_print
