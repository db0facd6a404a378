"""What the session promises of reading pages, with a fake engine behind the real bridge."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import TASKS, Mode, Scaling, TextDelta
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Loss, PageStatus
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    emissions,
    open_and_load,
    read_selected,
    until_idle,
    wait_until_idle,
)


def test_the_plan_of_the_first_page_is_there_before_anything_is_read(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    with qtbot.waitSignal(
        session.planner.plan_changed, check_params_cb=lambda plan: plan is not None
    ) as caught:
        session.models.load()
        session.open_files([draw_page()])
    assert caught.args[0].automatic
    assert session.current_text == ""


def test_a_page_is_read_at_the_ratio_of_the_slider(qtbot: QtBot, session: Session, draw_page: Draw) -> None:
    open_and_load(qtbot, session, draw_page())
    session.set_retention(0.4)
    read_selected(qtbot, session)
    assert session.current_text == "page 1 of scan.png at 0.40"


def test_streamed_text_adds_up_to_the_text_that_is_kept(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    streamed = emissions(session.texts.text_appended)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert "".join(streamed) == session.current_text


def test_text_of_no_whole_token_is_not_wiped_by_what_follows(
    qtbot: QtBot, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PartOfAToken(TextDelta):
        def __init__(self, text: str, _: int) -> None:
            super().__init__(text, 0)

    monkeypatch.setattr("tests.fake_engine.TextDelta", PartOfAToken)
    monkeypatch.setattr("rtocr_gui.ui.background.page_reading.DELTA_INTERVAL_S", 0)
    seen: list[str] = []
    session.texts.text_appended.connect(lambda _: seen.append(session.current_text))
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert len(seen) > 1
    assert seen[-1] == session.current_text


def test_what_looked_like_text_and_turns_out_to_be_markup_is_taken_back(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def show(text: str) -> None:
        shown.append(text)
        assert text == session.current_text

    monkeypatch.setattr("rtocr_gui.ui.background.page_reading.DELTA_INTERVAL_S", 0)
    fake_engine.tasks = TASKS[:1]
    fake_engine.said = ["<|re", "f|>title<|/ref|><|det|>[[1, 2, 300, 400]]<|/det|>\n", "# Head"]
    open_and_load(qtbot, session, draw_page())
    shown = [""]
    session.texts.text_changed.connect(lambda text: show(text.text))
    session.texts.text_appended.connect(lambda more: show(shown[-1] + more))
    read_selected(qtbot, session)
    assert list(dict.fromkeys(shown)) == ["", "<|re", "# Head"]


def test_a_reading_asked_for_before_the_model_is_there_starts_when_it_is(
    qtbot: QtBot, session: Session, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    with qtbot.waitSignal(session.page_image_changed, check_params_cb=lambda image: image is not None):
        session.open_files([draw_page()])
    session.read_selected()
    assert [status.state for status in states.values()] == [PageState.WAITING]
    session.models.load()
    qtbot.waitUntil(lambda: any(status.state is PageState.READ for status in states.values()))


def test_a_failing_page_says_why_and_the_rest_goes_on(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
    notices: list[str],
) -> None:
    fake_engine.broken_pages = {"b.png"}
    open_and_load(qtbot, session, *(draw_page(name) for name in ("a.png", "b.png", "c.png")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    session.read_all()
    qtbot.waitUntil(lambda: len(states) == 3 and not session.reader.activity.reading)
    assert [states[f"{name}.png, page 1"].state for name in "abc"] == [
        PageState.READ,
        PageState.FAILED,
        PageState.READ,
    ]
    assert notices == ["b.png: The model could not read this page."]


def test_another_mode_gives_another_plan(qtbot: QtBot, session: Session, draw_page: Draw) -> None:
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(
        session.planner.plan_changed, check_params_cb=lambda plan: plan is not None
    ) as caught:
        session.set_mode(Mode.GUNDAM)
    assert len(caught.args[0].norms) == 856


def test_choosing_what_was_chosen_already_is_no_change(qtbot: QtBot, session: Session) -> None:
    session.choices.remember(text_zoom=3)
    with qtbot.assertNotEmitted(session.choices.changed):
        session.choices.remember(text_zoom=3)


def test_the_model_runs_on_its_own_thread(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    assert fake_engine.threads == {"model"}


def test_another_model_plans_the_page_from_its_own_tokens(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    plans = emissions(session.planner.plan_changed)
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(session.models.adopted):
        session.models.choose(tmp_path / "elsewhere")
    qtbot.waitUntil(lambda: plans[-1] is not None)
    norms = [plan.norms.tolist() for plan in plans if plan is not None]
    assert norms[0] != norms[-1]


def test_pressing_read_twice_reads_once(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.read_selected()
    assert session.reader.activity.page_count == 1
    assert session.reader.activity.reading
    until_idle(qtbot, session, fake_engine.gate.set)
    assert len(fake_engine.asked) == 1


def test_pages_are_counted_from_one_each_time_they_are_read(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    until_idle(qtbot, session, session.read_all)
    counted: list[tuple[int, int]] = []
    session.reader.activity_changed.connect(
        lambda activity: counted.append((activity.page, activity.page_count)) if activity.reading else None
    )
    until_idle(qtbot, session, session.read_all)
    assert list(dict.fromkeys(counted)) == [(1, 2), (2, 2)]


def test_a_page_that_is_begun_anew_is_still_in_hand(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.settle_retention(0.5)
    assert session.unsaved.loss(session.shelf.refs) == Loss(typed=0, read=0, in_hand=1)
    session.stop()
    assert session.unsaved.loss(session.shelf.refs).in_hand == 0
    wait_until_idle(qtbot, session)


def test_a_page_that_is_read_anew_is_counted_once(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    counts: list[int] = []
    session.reader.activity_changed.connect(lambda activity: counts.append(activity.page_count))
    session.settle_retention(0.5)
    session.shelf.rotate(90)
    session.settle_retention(0.6)
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.60") and not session.reader.activity.reading)
    assert set(counts) == {0, 1}


def test_a_page_that_is_edited_while_it_is_turned_and_read_anew_is_counted_no_more(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.shelf.rotate(90)
    session.edit_text("mine")
    assert session.reader.activity.page <= session.reader.activity.page_count == 1
    until_idle(qtbot, session, fake_engine.gate.set)


def test_another_mode_says_nothing_anew_of_pages_that_stay_as_they_are(
    qtbot: QtBot, session: Session, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.read_replacing((session.shelf.current,), Scaling(Mode.BASE))
    qtbot.waitUntil(lambda: session.current_text != "" and not session.reader.activity.reading)
    shown = emissions(session.texts.text_changed)
    states.clear()
    session.set_most_tiles(5)
    assert "this page only" not in shown[-1].summary
    assert not states
