"""What a person gets where a page came to no good: another way at the press of a button, and no text lost."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import Doubt, Mode, Scaling
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.questions import Overwrite
from rtocr_gui.ui.state.notices import Notice, ReadAgain, ReadHalves
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    emissions,
    open_and_load,
    read_selected,
    until_idle,
    wait_until_idle,
)

TINY, BASE = Scaling(Mode.TINY), Scaling(Mode.BASE)


@pytest.fixture
def raised(session: Session) -> list[Notice]:
    return emissions(session.notice_raised)


def test_where_memory_runs_out_a_smaller_mode_is_one_press_away(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, raised: list[Notice]
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.GUNDAM}, BASE
    open_and_load(qtbot, session, draw_page())
    session.set_mode(Mode.GUNDAM)
    read_selected(qtbot, session)
    (notice,) = raised
    assert notice.sentence == "scan.png: There is not enough memory to read this page."
    assert notice.offers == (ReadAgain(session.shelf.current, BASE),)
    until_idle(qtbot, session, lambda: session.take_offer(notice.offers[0]))
    assert session.current_text.startswith("page 1 of scan.png")
    assert [settings.scaling.mode for settings in fake_engine.asked] == [Mode.GUNDAM, Mode.BASE]
    assert session.choices.mode is Mode.GUNDAM  # of all other pages


def test_where_memory_ran_out_the_page_keeps_the_text_it_had_and_says_what_happened(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    before = session.current_text
    fake_engine.dry = {Mode.TINY}
    read_selected(qtbot, session)
    assert session.current_text == before
    assert states["scan.png, page 1"].state is PageState.FAILED
    assert "not enough memory" in window.text_column.summary.text()


def test_typed_text_comes_back_where_the_reading_that_should_replace_it_fails(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    fake_engine.dry, fake_engine.retry = {Mode.TINY}, BASE
    until_idle(qtbot, session, lambda: session.read_replacing((session.shelf.current,)))
    assert fake_engine.reading_began.is_set()
    assert session.current_text == "mine"
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_the_list_gives_no_advice_on_a_page_that_was_corrected(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert "To try again" in states["scan.png, page 1"].sentence
    session.edit_text("mine")
    assert states["scan.png, page 1"].sentence == ""
    assert session.retry_scaling == BASE


def test_another_try_asks_before_it_replaces_what_was_typed(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, raised: list[Notice]
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    with qtbot.waitSignal(session.overwrite_questioned):
        session.take_offer(raised[0].offers[0])
    assert session.current_text == "mine"
    assert len(fake_engine.asked) == 1


@pytest.mark.parametrize("answer", [Overwrite.REPLACE, Overwrite.KEEP])
def test_only_who_agrees_to_another_try_has_the_page_scaled_in_another_way(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    raised: list[Notice],
    monkeypatch: pytest.MonkeyPatch,
    answer: Overwrite,
) -> None:
    monkeypatch.setattr(questions, "ask_overwrite", lambda *_: answer)
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    session.take_offer(raised[0].offers[0])
    wait_until_idle(qtbot, session)
    until_idle(qtbot, session, lambda: session.read_replacing((session.shelf.current,)))
    assert fake_engine.asked[-1].scaling == (BASE if answer is Overwrite.REPLACE else Scaling(None))


def test_what_came_before_memory_ran_out_is_kept_where_there_was_no_text(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.dry = {Mode.TINY}
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert session.current_text == "page"


def test_after_the_smallest_way_nothing_more_is_offered(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, raised: list[Notice]
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY, Mode.BASE}, BASE
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    fake_engine.retry = None
    until_idle(qtbot, session, lambda: session.take_offer(raised[0].offers[0]))
    assert [len(notice.offers) for notice in raised] == [1, 0]
    assert session.retry_scaling is None


def test_each_page_of_many_fails_alone_and_keeps_its_offer(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    raised: list[Notice],
    states: dict[str, PageStatus],
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    until_idle(qtbot, session, session.read_all)
    assert [notice.offers[0].ref.index for notice in raised] == [0, 1, 2]
    assert {status.state for status in states.values()} == {PageState.FAILED}
    session.shelf.select(session.shelf.refs[2])
    assert session.retry_scaling == BASE
    until_idle(qtbot, session, session.retry_current)
    assert session.current_text.startswith("page 3 of three.tiff")
    assert session.retry_scaling is None
    session.shelf.select(session.shelf.refs[0])
    assert session.retry_scaling == BASE


def test_a_reading_that_runs_in_circles_offers_another_way_and_keeps_its_text(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    raised: list[Notice],
) -> None:
    fake_engine.looping, fake_engine.retry = {Mode.TINY}, Scaling(Mode.GUNDAM, 4)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert session.current_text.startswith("page 1 of scan.png")
    assert "began to repeat itself" in window.text_column.summary.text()
    assert "“Read with at most 4 tiles” in the Read menu" in window.text_column.summary.text()
    assert raised[0].offers[0].label == "Read with at most 4 tiles"
    action = window.actions_by_name["retry"]
    assert (action.text(), action.isEnabled()) == ("Read with at most 4 tiles", True)
    until_idle(qtbot, session, action.trigger)
    assert fake_engine.asked[-1].scaling == Scaling(Mode.GUNDAM, 4)
    assert (action.text(), action.isEnabled()) == ("Read another &way", False)
    assert "Gundam, at most 4 tiles (this page only)" in window.text_column.summary.text()


TOO_LONG = (
    "The page is too long or too wide for Tiny mode of Fake model: the text may be wrong. "
    "If you split the page across its longer side, or crop it (Edit menu), it is read better."
)
ENDLESS = {"scan.png, page 1", "scan.png, page 1, top half"}


@pytest.mark.parametrize(("beside", "halves"), [(False, ("top", "bottom")), (True, ("left", "right"))])
def test_a_page_that_reached_the_length_limit_is_read_in_halves_if_that_is_wanted(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    raised: list[Notice],
    states: dict[str, PageStatus],
    beside: bool,
    halves: tuple[str, str],
) -> None:
    fake_engine.endless = ENDLESS
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert "each part has a limit of its own" in window.text_column.summary.text()
    (notice,) = raised
    offer = ReadHalves(session.shelf.current, beside)
    assert offer in notice.offers
    assert offer.label == f"Read in {' and '.join(halves)} halves"
    until_idle(qtbot, session, lambda: window.notice_bar.offer_taken.emit(offer))
    assert [ref.part for ref in session.shelf.refs] == [f"{half} half" for half in halves]
    assert all(session.texts.of(session.shelf.refs))
    assert notice not in window.notice_bar.notices
    offers = [offer for notice in raised[1:] for offer in notice.offers]
    assert offers[0].label == "Restore"
    top = [] if beside else [ReadHalves(session.shelf.refs[0], again) for again in (False, True)]
    assert offers[1:] == top


def test_a_page_that_was_rotated_since_is_still_read_in_halves_and_one_that_was_split_is_not(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.endless = ENDLESS
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    offer = ReadHalves(session.shelf.current, beside=False)
    session.shelf.rotate(90)
    until_idle(qtbot, session, lambda: window.notice_bar.offer_taken.emit(offer))
    halves = session.shelf.refs
    assert [ref.part for ref in halves] == ["top half", "bottom half"]
    window.notice_bar.offer_taken.emit(offer)
    assert session.shelf.refs == halves
    assert len(fake_engine.asked) == 3


@pytest.fixture
def typed_on(qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw) -> Session:
    """With a page that was too long, and on which the person typed."""
    fake_engine.endless = ENDLESS
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    return session


def test_who_typed_is_asked_before_the_page_is_read_in_halves(
    window: MainWindow, typed_on: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(questions, "agrees", lambda _, title, *__: asked.append(title))
    window.notice_bar.offer_taken.emit(ReadHalves(typed_on.shelf.current, beside=False))
    assert asked == ["Split page?"]
    assert typed_on.current_text == "mine"


def test_a_page_that_leaves_the_list_while_the_person_is_asked_is_not_read_in_halves(
    window: MainWindow, typed_on: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def agree_late(*_: object) -> bool:
        typed_on.shelf.remove(typed_on.shelf.refs)
        return True

    monkeypatch.setattr(questions, "agrees", agree_late)
    window.notice_bar.offer_taken.emit(ReadHalves(typed_on.shelf.current, beside=False))
    assert typed_on.shelf.refs == ()
    assert typed_on.reader.activity.is_idle


def test_two_ways_that_both_go_in_circles_are_not_offered_in_turn_for_ever(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, raised: list[Notice]
) -> None:
    fake_engine.looping, fake_engine.retry = {Mode.TINY, Mode.BASE}, BASE
    open_and_load(qtbot, session, draw_page())
    session.set_mode(Mode.TINY)
    read_selected(qtbot, session)
    fake_engine.retry = TINY
    until_idle(qtbot, session, lambda: session.take_offer(raised[0].offers[0]))
    assert len(fake_engine.asked) == 2
    assert session.retry_scaling is None
    assert len(raised) == 1


def test_a_mode_that_auto_came_to_and_that_went_in_circles_is_not_offered_by_name(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, raised: list[Notice]
) -> None:
    fake_engine.looping, fake_engine.retry = {Mode.TINY, Mode.BASE}, BASE
    open_and_load(qtbot, session, draw_page())
    assert session.choices.mode is None
    read_selected(qtbot, session)
    fake_engine.retry = TINY
    until_idle(qtbot, session, lambda: session.take_offer(raised[0].offers[0]))
    assert session.retry_scaling is None
    assert len(raised) == 1


def test_a_page_without_text_says_in_its_place_how_to_try_once_more(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(
        session.texts.text_changed, check_params_cb=lambda shown: "not enough memory" in shown.placeholder
    ) as shown:
        session.read_selected()
    assert shown.args[0].placeholder.endswith("To try again, choose “Read in Base mode” in the Read menu.")


def test_print_too_small_for_the_mode_is_told_with_the_text_until_a_larger_mode_is_chosen(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
) -> None:
    fake_engine.doubts, fake_engine.larger_mode = {Mode.TINY: Doubt.SMALL_PRINT}, Mode.BASE
    open_and_load(qtbot, session, draw_page())
    session.set_mode(Mode.TINY)
    read_selected(qtbot, session)
    sentence = "The print seems too small for Tiny mode: the text may be wrong. Choose Base mode."
    assert window.text_column.summary.text().endswith(sentence)
    assert states["scan.png, page 1"] == PageStatus(session.shelf.refs[0], PageState.CHECK, sentence)
    session.set_mode(Mode.BASE)
    read_selected(qtbot, session)
    assert "too small" not in window.text_column.summary.text()
    assert states["scan.png, page 1"] == PageStatus(session.shelf.refs[0], PageState.READ, "")


@pytest.mark.parametrize(
    ("doubt", "sentence"),
    [
        (
            Doubt.SMALL_PRINT,
            "The print seems too small for Tiny mode: the text may be wrong. Choose Base mode.",
        ),
        (Doubt.LONG_PAGE, TOO_LONG),
        (Doubt.UNREAD_PRINT, ""),
    ],
)
def test_what_is_known_against_a_text_is_told_before_the_page_is_read(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    doubt: Doubt,
    sentence: str,
) -> None:
    fake_engine.doubts, fake_engine.larger_mode = {Mode.TINY: doubt}, Mode.BASE
    shown = window.text_column.text_pane.editor.placeholderText
    open_and_load(qtbot, session, draw_page(), draw_page("other.png"))
    qtbot.waitUntil(lambda: session.planner.plan is not None)
    assert shown() == f"Not read yet. Press Read. {sentence}".rstrip()
    session.shelf.select(session.shelf.refs[1])
    assert shown() == "Not read yet. Press Read."
    qtbot.waitUntil(lambda: session.planner.plan is not None)
    assert shown() == f"Not read yet. Press Read. {sentence}".rstrip()
    session.set_mode(Mode.BASE)
    assert shown() == "Not read yet. Press Read."
    qtbot.waitUntil(lambda: session.planner.plan is not None)
    assert shown() == "Not read yet. Press Read."


@pytest.mark.parametrize(
    ("doubt", "sentence"),
    [
        (Doubt.LONG_PAGE, TOO_LONG),
        (
            Doubt.UNREAD_PRINT,
            "Much of the print on this page seems to be missing in the text. "
            "If you split the page across its longer side, or crop it (Edit menu), more of it is read.",
        ),
        (
            Doubt.UNSURE_WORDS,
            "Fake model was unsure of 33 % of the words: the text may be wrong. "
            "The print may be blurred, on its side, or of a kind that the model does not know.",
        ),
    ],
)
def test_why_a_text_may_be_wrong_is_told_with_it_and_what_helps(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    doubt: Doubt,
    sentence: str,
) -> None:
    fake_engine.doubts = {Mode.TINY: doubt}
    fake_engine.said, fake_engine.unsure_of = ["thank ", "yov ", "Mrs"], {"yov"}
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert window.text_column.summary.text().endswith(sentence)


@pytest.mark.parametrize("doubt", [Doubt.UNREAD_PRINT, Doubt.UNSURE_WORDS])
def test_where_the_person_had_few_tokens_kept_more_of_them_are_advised(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw, doubt: Doubt
) -> None:
    fake_engine.doubts = {Mode.TINY: doubt}
    open_and_load(qtbot, session, draw_page())
    session.settle_retention(0.25)
    read_selected(qtbot, session)
    advice = "Only 25 % of the tokens were kept: keep more of them, or choose Auto."
    assert window.text_column.summary.text().endswith(advice)
    session.settle_retention(1.0)
    read_selected(qtbot, session)
    assert "keep more of them" not in window.text_column.summary.text()


def test_print_too_small_for_every_mode_of_a_model_says_which_model_reads_it(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.doubts, fake_engine.said = {Mode.TINY: Doubt.SMALL_PRINT}, ["\n"]
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(
        session.texts.text_changed,
        check_params_cb=lambda shown: "too small for Fake model" in shown.placeholder,
    ) as shown:
        session.read_selected()
    assert "Model > Models…" in shown.args[0].placeholder


def test_a_loop_without_another_way_says_what_a_person_can_try(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.looping = {Mode.TINY}
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert "Try another mode or retention." in window.text_column.summary.text()
    assert not window.notice_bar.notices


def test_overlay_comparison_and_curve_follow_the_way_of_the_page_until_a_mode_is_chosen(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, raised: list[Notice]
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    with qtbot.waitSignal(
        session.planner.plan_changed, check_params_cb=lambda plan: plan and len(plan.norms) == 256
    ):
        session.take_offer(raised[0].offers[0])
    qtbot.waitUntil(lambda: not session.reader.activity.reading)
    with qtbot.waitSignal(session.tuning.curve_changed, check_params_cb=lambda shown: len(shown.points) == 9):
        session.tuning.read_curve()
    assert {settings.scaling for settings in fake_engine.asked[1:]} == {BASE}
    fake_engine.too_large = set()
    with qtbot.waitSignal(
        session.planner.plan_changed, check_params_cb=lambda plan: plan and len(plan.norms) == 64
    ):
        session.set_mode(Mode.TINY)
    read_selected(qtbot, session)
    assert fake_engine.asked[-1].scaling == TINY


def test_an_offer_for_a_page_that_was_removed_leaves_and_does_nothing(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    raised: list[Notice],
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.shelf.remove((session.shelf.current,))
    assert window.notice_bar.notices == ()
    session.take_offer(raised[0].offers[0])
    assert not session.reader.activity.page_count


def test_another_model_starts_without_offers(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert session.retry_scaling == BASE
    assert [bool(notice.offers) for notice in window.notice_bar.notices] == [True]
    told = emissions(session.texts.text_changed)
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan is not None):
        session.models.choose(tmp_path / "elsewhere")
    assert session.retry_scaling is None
    assert window.notice_bar.notices == ()
    assert "Read menu" not in told[-1].placeholder


def test_the_button_of_the_notice_reads_the_page(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    (notice,) = window.notice_bar.notices
    until_idle(qtbot, session, lambda: window.notice_bar.offer_taken.emit(notice.offers[0]))
    assert session.current_text.startswith("page 1 of scan.png")


def test_an_offer_is_withdrawn_once_its_page_is_read_in_another_way(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.too_large, fake_engine.retry = {Mode.TINY}, BASE
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    until_idle(qtbot, session, session.read_all)
    assert len(window.notice_bar.notices) == 2
    session.set_mode(Mode.SMALL)
    read_selected(qtbot, session)
    (notice,) = window.notice_bar.notices
    assert notice.offers[0].ref == session.shelf.refs[1]
