"""What is offered where memory ran out or a text went round in circles."""

import pytest

from rtocr_gui.ocr.memory.gentler import after_a_loop, after_memory_ran_out, smaller_views
from rtocr_gui.ocr.memory.need import View
from rtocr_gui.ocr.reading import TASKS, Mode, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PruneSettings

ALL = tuple(Mode)
GUNDAM_9 = View(Mode.GUNDAM, 9)


def settings_of(mode: Mode | None, most_tiles: int = 9) -> ReadSettings:
    return ReadSettings(Scaling(mode, most_tiles), TASKS[0], PruneSettings(0.5), max_new_tokens=77)


def scaling_after_a_loop(
    view: View, modes: tuple[Mode, ...] = ALL, illegible: tuple[View, ...] = ()
) -> Scaling | None:
    retry = after_a_loop(settings_of(view.mode), view, modes, lambda view: view not in illegible)
    return retry.scaling if retry else None


def test_fewer_tiles_come_before_smaller_modes_and_each_is_smaller_than_the_one_before() -> None:
    assert list(smaller_views(GUNDAM_9, ALL)) == [
        View(Mode.GUNDAM, 6),
        View(Mode.GUNDAM, 4),
        View(Mode.GUNDAM, 2),
        View(Mode.LARGE),
        View(Mode.BASE),
        View(Mode.SMALL),
        View(Mode.TINY),
    ]


def test_tiles_begin_below_those_that_the_page_had() -> None:
    assert list(smaller_views(View(Mode.GUNDAM, 4), (Mode.GUNDAM,))) == [View(Mode.GUNDAM, 2)]
    assert list(smaller_views(View(Mode.GUNDAM), (Mode.GUNDAM,))) == []


def test_only_modes_that_the_model_was_made_for_are_offered() -> None:
    assert list(smaller_views(View(Mode.LARGE), (Mode.GUNDAM, Mode.TINY, Mode.BASE))) == [
        View(Mode.BASE),
        View(Mode.TINY),
    ]


def test_where_memory_ran_out_the_largest_view_that_fits_is_offered() -> None:
    settings = settings_of(Mode.GUNDAM)
    retry = after_memory_ran_out(settings, GUNDAM_9, ALL, lambda view: view.mode is not Mode.GUNDAM)
    assert retry is not None
    assert retry.scaling == Scaling(Mode.LARGE)
    assert (retry.task, retry.pruning, retry.max_new_tokens) == (TASKS[0], PruneSettings(0.5), 77)


def test_where_nothing_fits_nothing_is_offered() -> None:
    assert after_memory_ran_out(settings_of(Mode.GUNDAM), GUNDAM_9, ALL, lambda view: False) is None
    assert after_memory_ran_out(settings_of(Mode.TINY), View(Mode.TINY), ALL, lambda view: True) is None


@pytest.mark.parametrize(
    ("view", "scaling"),
    [
        (GUNDAM_9, Scaling(Mode.GUNDAM, 6)),
        (View(Mode.GUNDAM, 6), Scaling(Mode.GUNDAM, 4)),
        (View(Mode.GUNDAM, 2), Scaling(Mode.LARGE)),
        (View(Mode.LARGE), Scaling(Mode.BASE)),
        (View(Mode.TINY), Scaling(Mode.SMALL)),
    ],
)
def test_after_a_loop_the_next_smaller_view_is_offered_and_after_the_smallest_a_larger_one(
    view: View, scaling: Scaling
) -> None:
    assert scaling_after_a_loop(view) == scaling


@pytest.mark.parametrize(("mode", "larger"), [(Mode.TINY, Mode.SMALL), (Mode.BASE, Mode.LARGE)])
def test_where_print_is_too_small_no_smaller_view_is_offered(mode: Mode, larger: Mode) -> None:
    def is_legible(_: View) -> bool:
        return False

    retry = after_a_loop(settings_of(mode), View(mode), ALL, is_legible)
    assert retry is not None
    assert retry.scaling.mode is larger
    assert after_a_loop(settings_of(mode), View(mode), (Mode.TINY, mode), is_legible) is None


def test_after_a_loop_views_that_show_the_print_too_small_are_passed_over() -> None:
    few_tiles = (View(Mode.GUNDAM, 4), View(Mode.GUNDAM, 2))
    assert scaling_after_a_loop(View(Mode.GUNDAM, 6), ALL, few_tiles) == Scaling(Mode.LARGE)


def test_a_page_too_small_for_tiles_counts_as_one_in_base() -> None:
    assert scaling_after_a_loop(View(Mode.GUNDAM)) == Scaling(Mode.SMALL)
    assert scaling_after_a_loop(View(Mode.GUNDAM), (Mode.GUNDAM,)) is None
    assert next(smaller_views(View(Mode.GUNDAM), ALL)) == View(Mode.SMALL)


def test_a_model_made_for_one_mode_has_nothing_else_to_offer_after_a_loop() -> None:
    assert scaling_after_a_loop(View(Mode.BASE), (Mode.BASE,)) is None


def test_a_page_that_chose_its_mode_is_offered_another_one() -> None:
    retry = after_a_loop(settings_of(None, 4), View(Mode.BASE), (Mode.SMALL, Mode.BASE), lambda _: True)
    assert retry is not None
    assert retry.scaling == Scaling(Mode.SMALL, 4)


def test_the_smallest_mode_may_be_left_for_tiles() -> None:
    assert scaling_after_a_loop(View(Mode.BASE), (Mode.BASE, Mode.GUNDAM)) == Scaling(Mode.GUNDAM)
