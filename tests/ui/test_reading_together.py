"""Where the model reads several pages at a time, each page still goes its own way."""

from unittest.mock import create_autospec

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import TASKS, Mode, ReadSettings, Scaling, StopReason, TextDelta
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    emissions,
    held_lane,
    load_model,
    open_and_load,
    pages_opened,
    until_idle,
    wait_until_idle,
)

SETTINGS = ReadSettings(Scaling(Mode.TINY), TASKS[1])


@pytest.fixture
def book(qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw) -> tuple[PageRef, ...]:
    """Five open pages, and a model that reads two at a time."""
    fake_engine.pages_at_once = 2
    open_and_load(qtbot, session, draw_page("book.tiff", pages=5))
    return session.shelf.refs


@pytest.fixture
def five(qtbot: QtBot, bridge: EngineBridge, fake_engine: FakeEngine, draw_page: Draw) -> tuple[PageRef, ...]:
    """Five pages of a document that only the bridge knows, whose model reads two at a time."""
    fake_engine.pages_at_once = 2
    load_model(qtbot, bridge)
    return pages_opened(qtbot, bridge, draw_page("book.tiff", pages=5))


def text_of(session: Session, ref: PageRef) -> str:
    session.shelf.select(ref)
    return session.current_text


def test_as_many_pages_are_in_hand_as_the_model_takes_and_the_others_wait(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, book: tuple[PageRef, ...]
) -> None:
    fake_engine.gate.clear()
    session.read_all()
    qtbot.waitUntil(lambda: session.reader.activity.tokens == 2)  # a word of each
    assert session.reader.activity.together == 2
    assert (session.reader.activity.page, session.reader.activity.page_count) == (1, 5)
    assert [text_of(session, ref) != "" for ref in book] == [True, True, False, False, False]
    until_idle(qtbot, session, fake_engine.gate.set)
    for number, ref in enumerate(book, start=1):
        assert text_of(session, ref).startswith(f"page {number} of book.tiff")


def test_the_first_words_of_the_shown_page_can_be_copied_where_another_page_had_some_before(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    book: tuple[PageRef, ...],
) -> None:
    fake_engine.gate.clear()
    session.shelf.select(book[1])
    session.read_all()
    qtbot.waitUntil(lambda: session.reader.activity.tokens == 2)
    assert session.current_text
    assert window.actions_by_name["copy"].isEnabled()
    assert window.actions_by_name["export_selected"].isEnabled()


def test_a_page_that_is_turned_is_not_read_beside_its_former_self(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, book: tuple[PageRef, ...]
) -> None:
    fake_engine.gate.clear()
    session.read_selected()
    qtbot.waitUntil(lambda: session.reader.activity.tokens == 1)
    session.shelf.rotate(90)
    assert session.reader.activity.together == 1
    session.edit_text("mine")
    assert session.reader.activity.page_count == 1
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text == "mine"


def test_a_single_page_is_read_by_itself(
    qtbot: QtBot, session: Session, book: tuple[PageRef, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_together = create_autospec(FakeEngine.read_together, side_effect=FakeEngine.read_together)
    monkeypatch.setattr(FakeEngine, "read_together", read_together)
    session.read_selected()
    wait_until_idle(qtbot, session)
    assert [call.kwargs for call in read_together.call_args_list] == [{"most": 1}]
    assert text_of(session, book[0]).startswith("page 1 of book.tiff")


def test_a_page_that_fails_fails_alone(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    fake_engine.pages_at_once = 2
    fake_engine.broken_pages = {"broken.png"}
    open_and_load(qtbot, session, draw_page("first.png"), draw_page("broken.png"), draw_page("last.png"))
    session.read_all()
    wait_until_idle(qtbot, session)
    assert [states[ref.label].state for ref in session.shelf.refs] == [
        PageState.READ,
        PageState.FAILED,
        PageState.READ,
    ]


def test_stop_ends_all_pages_in_hand_and_begins_no_other(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, book: tuple[PageRef, ...]
) -> None:
    fake_engine.gate.clear()
    session.read_all()
    qtbot.waitUntil(lambda: session.reader.activity.tokens == 2)
    session.stop()
    wait_until_idle(qtbot, session)
    assert len(fake_engine.asked) == 2


def test_a_page_that_is_removed_ends_alone(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, book: tuple[PageRef, ...]
) -> None:
    fake_engine.gate.clear()
    session.read_all()
    qtbot.waitUntil(lambda: session.reader.activity.tokens == 2)
    session.shelf.remove((book[0],))
    until_idle(qtbot, session, fake_engine.gate.set)
    assert [text_of(session, ref).startswith(f"page {ref.index + 1}") for ref in session.shelf.refs] == [
        True
    ] * 4


def test_pages_asked_for_later_join(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, book: tuple[PageRef, ...]
) -> None:
    fake_engine.gate.clear()
    session.read(book[:2])
    qtbot.waitUntil(lambda: session.reader.activity.tokens == 2)
    session.read(book[2:])
    assert session.reader.activity.page_count == 5
    until_idle(qtbot, session, fake_engine.gate.set)
    assert text_of(session, book[4]).startswith("page 5")


def test_a_page_that_is_looked_at_does_not_wait_until_all_are_read(
    qtbot: QtBot, bridge: EngineBridge, fake_engine: FakeEngine, five: tuple[PageRef, ...]
) -> None:
    order: list[tuple[str, int]] = []
    bridge.page_encoded.connect(lambda reply: order.append(("encoded", reply.request_id)))
    bridge.reading_finished.connect(lambda reply: order.append(("read", reply.request_id)))
    fake_engine.gate.clear()
    reading = [bridge.read_page(ref, SETTINGS, with_others=True) for ref in five[:4]]
    qtbot.waitUntil(fake_engine.reading_began.is_set)
    looked_at = bridge.encode_page(five[4], SETTINGS.scaling)
    with held_lane(bridge._page_lane):
        pass  # the page to encode has been rendered
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: sum(kind == "read" for kind, _ in order) == 4)
    assert order.index(("encoded", looked_at)) < order.index(("read", reading[0]))


def test_who_else_wants_the_model_has_a_turn_before_further_pages_begin(
    qtbot: QtBot, bridge: EngineBridge, fake_engine: FakeEngine, five: tuple[PageRef, ...]
) -> None:
    order: list[int] = []
    for signal in (bridge.reading_finished, bridge.reading_traced):
        signal.connect(lambda reply: order.append(reply.request_id))
    begun: set[int] = set()
    bridge.stage_entered.connect(lambda reply: begun.add(reply.request_id))
    fake_engine.gate.clear()
    reading = [bridge.read_page(ref, SETTINGS, with_others=True) for ref in five[:4]]
    qtbot.waitUntil(lambda: len(begun) == 2)
    trace = bridge.trace_page(five[0], SETTINGS, [0, 1])
    with held_lane(bridge._reading_lane):
        pass  # the page to trace has been rendered
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: len(order) == 5)
    assert order[2] == trace
    assert set(order[:2]) == set(reading[:2])


def test_a_page_stopped_before_its_turn_is_told(
    qtbot: QtBot, bridge: EngineBridge, fake_engine: FakeEngine, five: tuple[PageRef, ...]
) -> None:
    ended: dict[int, StopReason | None] = {}
    bridge.reading_finished.connect(lambda reply: ended.update({reply.request_id: reply.reading.stop_reason}))
    bridge.request_stopped.connect(lambda reply: ended.update({reply.request_id: None}))
    fake_engine.gate.clear()
    reading = [bridge.read_page(ref, SETTINGS, with_others=True) for ref in five[:4]]
    qtbot.waitUntil(fake_engine.reading_began.is_set)
    bridge.stop(reading[3])
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: len(ended) == 4)
    assert ended == {**dict.fromkeys(reading[:3], StopReason.END), reading[3]: None}


def test_an_unforeseen_error_is_told_of_every_page_in_hand_and_the_next_ones_are_read(
    qtbot: QtBot,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    five: tuple[PageRef, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed: list[int] = []
    bridge.request_failed.connect(lambda reply: failed.append(reply.request_id))
    reading_alone = fake_engine.read

    def fail_on_the_first(page, settings, cancel):  # type: ignore[no-untyped-def]
        for event in reading_alone(page, settings, cancel):
            yield event
            if page.ref == five[0] and isinstance(event, TextDelta):
                raise ZeroDivisionError

    monkeypatch.setattr(fake_engine, "read", fail_on_the_first)
    fake_engine.gate.clear()
    begun: set[int] = set()
    bridge.stage_entered.connect(lambda reply: begun.add(reply.request_id))
    reading = [bridge.read_page(ref, SETTINGS, with_others=True) for ref in five[:2]]
    qtbot.waitUntil(lambda: len(begun) == 2)
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: len(failed) == 2)
    assert failed == reading
    with qtbot.waitSignal(bridge.reading_finished):
        bridge.read_page(five[2], SETTINGS)


def test_pages_that_leave_the_list_while_they_are_read_are_not_counted_as_done(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, book: tuple[PageRef, ...]
) -> None:
    fake_engine.gate.clear()
    session.read_all()
    qtbot.waitUntil(fake_engine.reading_began.is_set)
    activities = emissions(session.reader.activity_changed)
    session.shelf.remove(book[:2])
    fake_engine.gate.set()
    wait_until_idle(qtbot, session)
    counts = [(activity.page, activity.page_count) for activity in activities if activity.reading]
    assert counts[-1] == (3, 3)
