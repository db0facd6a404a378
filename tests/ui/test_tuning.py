"""What tuning promises to a person: readings are compared with those of the same page, way and model."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.truth import Truth
from rtocr_gui.export.looks import VEIL_RGB, Look
from rtocr_gui.export.overlay import draw_lights, draw_overlay
from rtocr_gui.ocr.curve import CURVE_RATIOS
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.ocr.text import comparison
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.pruning.transport import transport_of
from rtocr_gui.tokens import GridName
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import ComparisonShown, CurveShown, FiguresShown
from rtocr_gui.ui.state.tuning import Tuning
from tests.broken_files import text_pdf
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, emissions, open_and_load, read_selected, until_reading_begins

ALL, HALF = PruneSettings(1.0), PruneSettings(0.5)

Lights = list[NDArray[np.float32] | None]
"""What was told of how much each visual token is lit."""


@pytest.fixture
def tuning(session: Session) -> Tuning:
    return session.tuning


@pytest.fixture
def figures(tuning: Tuning) -> list[FiguresShown]:
    return emissions(tuning.figures_changed)


@pytest.fixture
def curves(tuning: Tuning) -> list[CurveShown]:
    return emissions(tuning.curve_changed)


def compare(qtbot: QtBot, tuning: Tuning) -> ComparisonShown:
    with qtbot.waitSignal(
        tuning.comparison_changed, check_params_cb=lambda shown: shown is not None
    ) as caught:
        tuning.compare(ALL, HALF)
    shown: ComparisonShown = caught.args[0]
    return shown


def read_curve(qtbot: QtBot, tuning: Tuning, curves: list[CurveShown]) -> CurveShown:
    tuning.read_curve()
    qtbot.waitUntil(lambda: not curves[-1].running)
    return curves[-1]


# Figures


def test_figures_set_a_reading_against_the_all_token_reading_of_its_page(
    qtbot: QtBot, session: Session, tuning: Tuning, figures: list[FiguresShown], draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert figures[-1].plan is not None
    assert figures[-1].reading is not None
    assert figures[-1].all_tokens is None
    compare(qtbot, tuning)
    all_tokens = figures[-1].all_tokens
    assert all_tokens is not None
    assert all_tokens.kept == all_tokens.total == figures[-1].reading.total
    assert figures[-1].reading.kept < figures[-1].reading.total


def test_figures_of_another_mode_know_no_all_token_reading_of_this_one(
    qtbot: QtBot, session: Session, tuning: Tuning, figures: list[FiguresShown], draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    compare(qtbot, tuning)
    session.set_mode(Mode.SMALL)
    assert figures[-1].all_tokens is None


def test_figures_of_a_page_without_a_reading_hold_its_plan_alone(
    qtbot: QtBot, session: Session, figures: list[FiguresShown], draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    read_selected(qtbot, session)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    session.shelf.select(session.shelf.refs[1])
    qtbot.waitUntil(lambda: figures[-1].plan is not None)
    assert figures[-1].reading is None


def test_figures_and_lights_know_no_reading_of_the_model_before(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    fake_engine: FakeEngine,
    figures: list[FiguresShown],
    draw_page: Draw,
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    with qtbot.waitSignals([session.models.changed, tuning.comparison_changed]):
        session.models.choose(tmp_path / "other")
    assert session.current_text
    assert figures[-1].reading is None
    with qtbot.waitSignal(tuning.spotlight.failed):
        tuning.spotlight.trace()
    assert not fake_engine.traced
    read_selected(qtbot, session)
    assert figures[-1].reading is not None


# Comparing


def test_comparing_leaves_the_text_of_the_page_alone(
    qtbot: QtBot, session: Session, tuning: Tuning, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    shown = compare(qtbot, tuning)
    assert (shown.left.text[-4:], shown.right.text[-4:]) == ("1.00", "0.50")
    assert session.current_text == "mine"


def test_a_reading_of_the_page_is_not_made_again_to_compare_it(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.set_retention(0.5)
    read_selected(qtbot, session)
    compare(qtbot, tuning)
    assert [asked.pruning for asked in fake_engine.asked] == [HALF, ALL]


def test_another_model_compares_with_nothing_that_the_one_before_it_read(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    compare(qtbot, tuning)
    fake_engine.asked.clear()
    with qtbot.waitSignals([session.models.changed, tuning.comparison_changed]):
        session.models.choose(tmp_path / "elsewhere")
    qtbot.waitUntil(lambda: session.models.model.info.folder == tmp_path / "elsewhere")
    compare(qtbot, tuning)
    assert [asked.pruning for asked in fake_engine.asked] == [ALL, HALF]


def test_stop_stops_a_comparison_too(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    told: list[tuple[str, bool]] = []
    tuning.comparing_changed.connect(lambda *activity: told.append(activity))
    open_and_load(qtbot, session, draw_page())
    until_reading_begins(qtbot, fake_engine, lambda: tuning.compare(ALL, HALF))
    assert tuning.is_reading
    session.stop()
    assert not tuning.is_reading
    assert told[-1] == ("Stopped before both readings were complete.", False)


# Curve


def test_a_curve_takes_every_ratio_and_auto_and_its_readings_serve_the_figures(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    figures: list[FiguresShown],
    draw_page: Draw,
) -> None:
    open_and_load(qtbot, session, draw_page())
    shown = read_curve(qtbot, tuning, curves)
    assert [point.retention for point in shown.points if not point.automatic] == list(CURVE_RATIOS)
    assert len(shown.points) == shown.expected == 9
    assert all(point.error_rate is None for point in shown.points)
    assert figures[-1].all_tokens is not None


def test_a_curve_is_there_again_when_its_page_is(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    fake_engine: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    shown = read_curve(qtbot, tuning, curves)
    monkeypatch.delattr(comparison, "similarity")  # nothing is compared again
    first, second = session.shelf.refs
    session.shelf.select(second)
    assert curves[-1] == CurveShown()
    session.shelf.select(first)
    assert curves[-1] == shown
    assert len(fake_engine.asked) == 9


def test_a_curve_takes_in_a_truth_file_that_came_meanwhile(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    fake_engine: FakeEngine,
    draw_page: Draw,
) -> None:
    open_and_load(qtbot, session, draw_page("one.png"), draw_page("other.png"))
    first, second = session.shelf.refs
    shown = read_curve(qtbot, tuning, curves)
    assert [point.error_rate for point in shown.points] == [None] * 9
    session.shelf.select(second)
    first.path.with_suffix(".txt").write_text("page 1 of one.png at 1.00", encoding="utf-8")
    with qtbot.waitSignal(tuning.curve_changed, check_params_cb=lambda curve: curve.is_whole and curve.truth):
        session.shelf.select(first)
    assert curves[-1].points[0].error_rate == 0.0
    assert len(fake_engine.asked) == 9


def test_a_curve_has_the_newest_reading_when_its_page_comes_back(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    fake_engine: FakeEngine,
    draw_page: Draw,
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.set_retention(0.5)
    before = read_curve(qtbot, tuning, curves)
    fake_engine.said = ["Something else."]
    read_selected(qtbot, session)
    session.shelf.select(session.shelf.refs[1])
    session.shelf.select(session.shelf.refs[0])
    assert curves[-1].running
    qtbot.waitUntil(lambda: not curves[-1].running)
    differing = [one for one, other in zip(before.points, curves[-1].points, strict=True) if one != other]
    assert [point.retention for point in differing] == [0.5]
    assert len(fake_engine.asked) == 10


@pytest.mark.parametrize("change", ["rotate", "model"])
def test_a_curve_of_how_the_page_lay_or_of_another_model_does_not_come_back(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    draw_page: Draw,
    tmp_path: Path,
    change: str,
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_curve(qtbot, tuning, curves)
    if change == "rotate":
        session.shelf.rotate(90)
        session.shelf.rotate(-90)
    else:
        with qtbot.waitSignals([session.models.changed, tuning.comparison_changed]):
            session.models.choose(tmp_path / "other")
    assert curves[-1] == CurveShown()
    assert not tuning.has_curve


def test_a_truth_beside_the_page_gives_error_rates(
    qtbot: QtBot, session: Session, tuning: Tuning, curves: list[CurveShown], draw_page: Draw, tmp_path: Path
) -> None:
    (tmp_path / "scan.txt").write_text("page 1 of scan.png at 1.00", encoding="utf-8")
    open_and_load(qtbot, session, draw_page())
    shown = read_curve(qtbot, tuning, curves)
    assert shown.points[0].error_rate == 0
    assert all(point.error_rate for point in shown.points[1:])


def test_the_text_that_a_pdf_has_of_its_own_gives_error_rates(
    qtbot: QtBot, session: Session, tuning: Tuning, curves: list[CurveShown], tmp_path: Path
) -> None:
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(text_pdf(b"BT /F1 24 Tf 72 700 Td (page 1 of letter.pdf at 1.00) Tj ET"))
    open_and_load(qtbot, session, letter)
    shown = read_curve(qtbot, tuning, curves)
    assert shown.points[0].error_rate == 0
    assert all(point.error_rate for point in shown.points[1:])
    assert shown.truth is not None
    assert shown.truth.path == letter


def test_the_text_of_a_pdf_is_looked_for_as_the_page_is_rotated(
    qtbot: QtBot, session: Session, tuning: Tuning, curves: list[CurveShown], tmp_path: Path
) -> None:
    words = (72, b"on its"), (152, b"head")
    content = text_pdf(b"".join(b"BT /F1 24 Tf %d 700 Td (%b) Tj ET " % word for word in words))
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(content.replace(b"/MediaBox", b"/Rotate 180 /MediaBox"))
    open_and_load(qtbot, session, letter)
    session.shelf.rotate(180)
    assert read_curve(qtbot, tuning, curves).truth == Truth(letter, "on its head")


def test_a_truth_that_is_no_text_is_told_and_the_curve_goes_on(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    notices: list[str],
    draw_page: Draw,
    tmp_path: Path,
) -> None:
    (tmp_path / "scan.txt").write_bytes(b"\xff\xfe\x00")
    open_and_load(qtbot, session, draw_page())
    shown = read_curve(qtbot, tuning, curves)
    assert [point.error_rate for point in shown.points] == [None] * 9
    assert "not UTF-8" in notices[0]


def test_another_page_ends_a_curve_that_is_being_read(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    fake_engine: FakeEngine,
    draw_page: Draw,
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    until_reading_begins(qtbot, fake_engine, tuning.read_curve)
    session.shelf.select(session.shelf.refs[1])
    assert curves[-1] == CurveShown()
    assert not tuning.is_reading


@pytest.mark.parametrize("read_meanwhile", [False, True])
def test_a_curve_that_another_page_ended_is_there_again_as_far_as_it_came(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    fake_engine: FakeEngine,
    draw_page: Draw,
    read_meanwhile: bool,
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first, second = session.shelf.refs

    def hold_the_fourth() -> None:
        if len(fake_engine.asked) == 4:
            fake_engine.gate.clear()
            fake_engine.reading_began.clear()

    fake_engine.on_asked = hold_the_fourth
    tuning.read_curve()
    qtbot.waitUntil(lambda: len(curves[-1].points) == 3 and fake_engine.reading_began.is_set())
    before = curves[-1]
    session.shelf.select(second)
    fake_engine.gate.set()
    if read_meanwhile:
        session.shelf.select(first)
        read_selected(qtbot, session)  # at Auto, as for the second point
        session.shelf.select(second)
    read_so_far = len(fake_engine.asked)
    session.shelf.select(first)
    qtbot.waitUntil(lambda: not curves[-1].running)
    assert curves[-1] == replace(before, running=False)
    assert not tuning.is_reading
    assert len(fake_engine.asked) == read_so_far
    assert len(read_curve(qtbot, tuning, curves).points) == 9
    assert len(fake_engine.asked) == read_so_far + 6


def test_a_page_of_which_no_curve_was_begun_shows_none(
    qtbot: QtBot, session: Session, tuning: Tuning, curves: list[CurveShown], draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first, second = session.shelf.refs
    session.shelf.select(second)
    read_curve(qtbot, tuning, curves)
    session.shelf.select(first)
    compare(qtbot, tuning)  # which reads it with all tokens
    session.shelf.select(second)
    session.shelf.select(first)
    assert curves[-1] == CurveShown()
    assert not tuning.is_reading


def test_a_mode_a_task_or_tiles_that_are_chosen_already_leave_a_curve_alone(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    fake_engine: FakeEngine,
    draw_page: Draw,
) -> None:
    open_and_load(qtbot, session, draw_page())
    until_reading_begins(qtbot, fake_engine, tuning.read_curve)
    session.set_mode(session.choices.mode)
    session.set_most_tiles(session.choices.settings.most_tiles)
    session.set_task(session.choices.task)
    assert tuning.is_reading
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: not curves[-1].running)
    assert len(curves[-1].points) == 9


def test_a_curve_of_another_task_is_another(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    fake_engine: FakeEngine,
    draw_page: Draw,
) -> None:
    fake_engine.tasks = TASKS[:2]
    open_and_load(qtbot, session, draw_page())
    task = session.choices.task
    shown = read_curve(qtbot, tuning, curves)
    session.set_task(next(other for other in fake_engine.tasks if other != task))
    assert curves[-1] == CurveShown()
    session.set_task(task)
    assert curves[-1] == shown


def test_who_wants_another_model_waits_for_no_curve_of_this_one(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    until_reading_begins(qtbot, fake_engine, tuning.read_curve)
    with qtbot.waitSignal(session.models.adopted):
        session.models.choose(tmp_path / "elsewhere")
    assert not fake_engine.gate.is_set()
    assert not tuning.is_reading


# Where does it look?


@pytest.fixture
def lights(tuning: Tuning) -> Lights:
    return emissions(tuning.spotlight.attention_changed)


def lit(lights: Lights) -> list[int]:
    """The visual tokens that are lit, brightest first. The fake looks up word n in tokens n and n + 1."""
    newest = lights[-1]
    return [] if newest is None else np.argsort(-newest, kind="stable")[: np.count_nonzero(newest)].tolist()


def trace(qtbot: QtBot, tuning: Tuning) -> None:
    with qtbot.waitSignal(tuning.spotlight.tracing_changed, check_params_cb=lambda tracing: not tracing):
        tuning.spotlight.trace()


def test_selected_text_lights_up_where_it_was_read_once_the_reading_is_traced(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, lights: Lights, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    tuning.spotlight.set_on(True)
    pointed = emissions(tuning.spotlight.token_pointed)
    start = session.current_text.index("of")
    tuning.spotlight.point_at_text(start, start + 2)
    qtbot.waitUntil(lambda: lit(lights) == [2, 3])
    assert pointed == [2]
    tuning.spotlight.point_at_text(0, 4)
    assert lit(lights) == [0, 1]
    assert len(fake_engine.traced) == 1
    tuning.spotlight.point_at_text(4, 4)
    assert lit(lights) == []


def test_selecting_text_traces_nothing_while_nobody_asked_where_it_looks(
    qtbot: QtBot, session: Session, tuning: Tuning, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    tuning.spotlight.point_at_text(0, 4)
    assert not tuning.spotlight.is_tracing


def test_what_was_selected_before_is_lit_once_somebody_asks_where_it_looks(
    qtbot: QtBot, session: Session, tuning: Tuning, lights: Lights, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    tuning.spotlight.point_at_text(0, 4)
    tuning.spotlight.set_on(True)
    qtbot.waitUntil(lambda: lit(lights) == [0, 1])


def test_a_token_that_is_played_is_lit_and_marked_in_the_text(
    qtbot: QtBot, session: Session, tuning: Tuning, lights: Lights, draw_page: Draw
) -> None:
    marks = emissions(tuning.spotlight.text_marked)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    trace(qtbot, tuning)
    tuning.spotlight.point_at_token(2)
    assert lit(lights) == [2, 3]
    assert session.current_text[slice(*marks[-1])].strip() == "of"
    session.set_retention(0.3)
    read_selected(qtbot, session)
    assert marks[-1] is None
    assert lit(lights) == []


def test_all_that_was_read_is_lit_and_what_was_not_stays_dark(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, lights: Lights, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("all replaced")
    marks = emissions(tuning.spotlight.text_marked)
    tuning.spotlight.point_at_whole()
    qtbot.waitUntil(lambda: bool(lights) and lights[-1] is not None)
    assert sorted(lit(lights)) == list(range(7)), "six words, of which the last also looks at a seventh token"
    assert marks == [None]
    assert len(fake_engine.traced) == 1


def test_a_difference_is_lit_where_its_reading_found_it(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, lights: Lights, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    shown = compare(qtbot, tuning)
    tuning.point_at_difference(shown.comparison.differences[0])
    qtbot.waitUntil(lambda: lit(lights) == [5, 6])
    assert [settings.pruning for settings in fake_engine.traced] == [HALF]


def test_a_difference_of_a_reading_that_was_played_is_lit_at_once(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, lights: Lights, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.set_retention(0.5)
    read_selected(qtbot, session)
    trace(qtbot, tuning)
    shown = compare(qtbot, tuning)
    tuning.point_at_difference(shown.comparison.differences[0])
    assert lit(lights) == [5, 6]
    assert len(fake_engine.traced) == 1


@pytest.mark.parametrize("stop", ["session", "comparison", "page"])
def test_finding_the_place_of_a_difference_is_told_and_can_be_stopped(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, draw_page: Draw, stop: str
) -> None:
    told: list[tuple[str, bool]] = []
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    shown = compare(qtbot, tuning)
    tuning.comparing_changed.connect(lambda *activity: told.append(activity))
    fake_engine.gate.clear()
    tuning.point_at_difference(shown.comparison.differences[0])
    assert told == [("Finding where this was read…", True)]
    assert tuning.is_reading
    assert not session.can_unload
    stops = {
        "session": session.stop,
        "comparison": tuning.stop_comparing,
        "page": lambda: session.shelf.select(session.shelf.refs[1]),
    }
    stops[stop]()
    assert told[-1] == ("", False)
    assert not tuning.is_reading


def test_a_comparison_can_be_stopped_although_the_place_of_a_difference_is_found_meanwhile(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    shown = compare(qtbot, tuning)
    told: list[tuple[str, bool]] = []
    tuning.comparing_changed.connect(lambda *activity: told.append(activity))
    fake_engine.gate.clear()
    tuning.point_at_difference(shown.comparison.differences[0])
    tuning.compare(PruneSettings(0.3), HALF)
    with qtbot.waitSignal(tuning.comparison_changed):
        fake_engine.gate.set()
    assert all(can_be_stopped for _, can_be_stopped in told[:-1])
    assert told[-1] == ("", False)


def test_a_difference_is_lit_although_another_trace_comes_first(
    qtbot: QtBot, session: Session, tuning: Tuning, fake_engine: FakeEngine, lights: Lights, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    shown = compare(qtbot, tuning)
    fake_engine.gate.clear()
    tuning.spotlight.trace()
    tuning.point_at_difference(shown.comparison.differences[0])
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: len(fake_engine.traced) == 2)
    qtbot.waitUntil(lambda: lit(lights) == [5, 6])


def test_another_ratio_or_look_puts_the_lights_out(
    qtbot: QtBot, session: Session, tuning: Tuning, lights: Lights, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    shown = compare(qtbot, tuning)
    tuning.point_at_difference(shown.comparison.differences[0])
    qtbot.waitUntil(lambda: bool(lit(lights)))
    with qtbot.waitSignal(session.planner.plan_changed):
        session.set_retention(0.4)
    assert not lit(lights)
    tuning.point_at_difference(shown.comparison.differences[0])
    assert lit(lights)
    tuning.show_next_look()
    assert not lit(lights)


# The overlay and files


def test_the_looks_come_one_after_the_other_and_are_remembered(session: Session, tuning: Tuning) -> None:
    told = emissions(session.choices.look_changed)
    for _ in Look:
        tuning.show_next_look()
    assert [*told[-1:], *told[:-1]] == list(Look)
    tuning.set_look(Look.DENSITY)
    assert session.choices.settings.look == "density"


def test_each_setting_of_the_overlay_is_told_once_it_differs(session: Session) -> None:
    choices = session.choices
    opacities, grids, looks = map(
        emissions, (choices.opacity_changed, choices.grid_changed, choices.look_changed)
    )
    for _ in range(2):
        choices.remember(overlay_opacity=0.25, grid="global")
    assert (opacities, grids, looks) == ([0.25], ["global"], [])


def test_plan_curve_and_overlay_are_exported(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    curves: list[CurveShown],
    notices: list[str],
    draw_page: Draw,
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_curve(qtbot, tuning, curves)
    tuning.set_look(Look.NORM)
    export(tuning.plan_export(), tmp_path / "plan.json")
    export(tuning.curve_export(), tmp_path / "curve.csv")
    export(tuning.overlay_export(), tmp_path / "overlay.png")
    qtbot.waitUntil(lambda: len(notices) == 3)
    assert (tmp_path / "overlay.png").read_bytes().startswith(b"\x89PNG")
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    (ref,) = session.shelf.refs
    assert (plan["file"], plan["page"], plan["sha256"]) == (str(ref.path), 1, ref.sha256)
    assert (plan["model"], plan["mode"], plan["rotation_deg"]) == ("Fake model", "tiny", 0)
    assert len((tmp_path / "curve.csv").read_text(encoding="utf-8").splitlines()) == 10
    assert notices == [
        f"Exported the plan to {tmp_path / 'plan.json'}.",
        f"Exported 9 points of the curve to {tmp_path / 'curve.csv'}.",
        f"Exported the overlay to {tmp_path / 'overlay.png'}.",
    ]


def export(wanted: Callable[[Path], None] | None, path: Path) -> None:
    assert wanted is not None
    wanted(path)


def test_the_overlay_is_exported_as_opaque_as_it_is_shown(
    qtbot: QtBot, session: Session, tuning: Tuning, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    veiled = []
    for opacity in (0.05, 1.0):
        session.choices.remember(overlay_opacity=opacity)
        with qtbot.waitSignal(session.notice_raised):
            export(tuning.overlay_export(), tmp_path / "overlay.png")
        with Image.open(tmp_path / "overlay.png") as picture:
            veiled.append((np.asarray(picture) == VEIL_RGB).all(axis=-1).any())
    assert veiled == [False, True]


@pytest.mark.parametrize(
    ("look", "grid"), [(Look.KEPT, "local"), (Look.MASS, "local"), (Look.KEPT, "global")]
)
def test_the_overlay_is_exported_as_the_command_line_draws_it(
    qtbot: QtBot,
    session: Session,
    tuning: Tuning,
    draw_page: Draw,
    tmp_path: Path,
    look: Look,
    grid: GridName,
) -> None:
    session.set_mode(Mode.GUNDAM)
    transports = emissions(session.planner.transport_changed)
    plans = emissions(session.planner.plan_changed)
    open_and_load(qtbot, session, draw_page())
    plan = plans[-1]
    assert plan is not None
    tuning.set_look(look)
    session.choices.remember(grid=grid)
    with qtbot.waitSignal(session.notice_raised):
        export(tuning.overlay_export(), tmp_path / "overlay.png")
    assert not transports, "it is solved for the file"
    transport = transport_of(plan) if look is Look.MASS else None
    with (
        open_document(session.shelf.refs[0].path) as document,
        Image.open(tmp_path / "overlay.png") as picture,
    ):
        drawn = draw_overlay(document.load_page(0), plan, grid, look, transport)
        assert picture.tobytes() == drawn.tobytes()


@pytest.mark.parametrize("grid", ["local", "global"])
def test_lights_that_are_shown_are_exported_in_place_of_the_look(
    qtbot: QtBot, session: Session, tuning: Tuning, draw_page: Draw, tmp_path: Path, grid: GridName
) -> None:
    session.set_mode(Mode.GUNDAM)
    plans = emissions(session.planner.plan_changed)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.choices.remember(grid=grid)
    with qtbot.waitSignal(tuning.spotlight.attention_changed, check_params_cb=lambda lit: lit is not None):
        tuning.spotlight.point_at_whole()
    lights, plan = tuning.spotlight.lights, plans[-1]
    assert lights is not None
    for drawn in (
        lambda page: draw_lights(page, plan.layout, lights, grid),
        lambda page: draw_overlay(page, plan, grid),
    ):
        with qtbot.waitSignal(session.notice_raised):
            export(tuning.overlay_export(), tmp_path / "overlay.png")
        with (
            open_document(session.shelf.refs[0].path) as document,
            Image.open(tmp_path / "overlay.png") as picture,
        ):
            assert picture.tobytes() == drawn(document.load_page(0)).tobytes()
        tuning.spotlight.put_out()


def test_an_export_that_fails_is_told(
    qtbot: QtBot, session: Session, tuning: Tuning, notices: list[str], draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    export(tuning.plan_export(), tmp_path)
    export(tuning.overlay_export(), tmp_path / "nowhere" / "overlay.png")
    qtbot.waitUntil(lambda: len(notices) == 2)
    assert "there is no folder" in notices[1]


def test_what_was_shown_is_exported_though_another_page_came_before_the_file_was_named(
    qtbot: QtBot, session: Session, tuning: Tuning, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    plan, overlay = tuning.plan_export(), tuning.overlay_export()
    session.shelf.select(None)
    assert tuning.plan_export() is tuning.overlay_export() is tuning.curve_export() is None
    with qtbot.waitSignal(session.notice_raised):
        export(plan, tmp_path / "plan.json")
    assert (tmp_path / "plan.json").stat().st_size > 100
    assert not session.exporter.is_exporting
    with qtbot.waitSignal(session.notice_raised):
        export(overlay, tmp_path / "overlay.png")
        assert session.exporter.is_exporting
    assert not session.exporter.is_exporting
    with Image.open(tmp_path / "overlay.png") as picture:
        assert picture.width >= 400
