"""A reading is traced once, when it is asked for, and the answer belongs to what is shown."""

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import TASKS, Mode, Reading, ReadSettings, Scaling
from rtocr_gui.ocr.text.token_places import TokenPlaces
from rtocr_gui.ocr.vision.cache import ByteBoundedCache
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.shown import TraceShown
from rtocr_gui.ui.state.tracer import KEPT_BYTES, Tracer, Traces
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, load_model, pages_opened

SETTINGS = ReadSettings(Scaling(Mode.TINY), TASKS[1])
TEXT = "page 1 of three.tiff at 0.76"
"""What the fake engine reads; each word with the blank before it is a token."""


@pytest.fixture
def readings(qtbot: QtBot, bridge: EngineBridge, draw_page: Draw) -> list[Reading]:
    """A reading of each page."""
    load_model(qtbot, bridge)
    made = []
    for ref in pages_opened(qtbot, bridge, draw_page("three.tiff", pages=3)):
        with qtbot.waitSignal(bridge.reading_finished) as caught:
            bridge.read_page(ref, SETTINGS)
        made.append(caught.args[0].reading)
    return made


@pytest.fixture
def traces() -> Traces:
    return ByteBoundedCache(KEPT_BYTES)


@pytest.fixture
def tracer(bridge: EngineBridge, traces: Traces) -> Tracer:
    return Tracer(bridge, traces, lambda: TEXT)


@pytest.fixture
def heard(tracer: Tracer) -> list[object]:
    """What the tracer told, in order."""
    told: list[object] = []
    for signal in (tracer.trace_changed, tracer.tracing_changed):
        signal.connect(told.append)
    tracer.failed.connect(lambda failure: told.append(failure.sentence))
    return told


@pytest.fixture
def traced(qtbot: QtBot, tracer: Tracer, readings: list[Reading]) -> Tracer:
    """After the first page was traced."""
    tracer.show_reading(readings[0])
    tracer.trace()
    qtbot.waitUntil(lambda: tracer.has_trace)
    return tracer


def test_the_trace_comes_only_when_asked_for_and_before_the_end_is_told(
    qtbot: QtBot, tracer: Tracer, heard: list[object], readings: list[Reading], fake_engine: FakeEngine
) -> None:
    tracer.show_reading(readings[0])
    assert (heard, fake_engine.traced) == ([None], [])
    tracer.trace()
    tracer.trace()
    qtbot.waitUntil(lambda: heard[-1] is False)
    assert fake_engine.traced == [SETTINGS]
    spans = ((0, 4), (4, 6), (6, 9), (9, 20), (20, 23), (23, 28))
    assert readings[0].raw_text == TEXT
    assert heard == [None, True, TraceShown(TEXT, spans, 2), False]
    tracer.trace()
    assert heard[-1] is False


def test_a_trace_is_kept_for_the_return_to_its_page(
    traced: Tracer, heard: list[object], readings: list[Reading], fake_engine: FakeEngine
) -> None:
    traced.show_reading(readings[1])
    assert not traced.has_trace
    traced.show_reading(readings[0])
    assert traced.has_trace
    assert [type(told) for told in heard[-2:]] == [type(None), TraceShown]
    assert len(fake_engine.traced) == 1


def test_another_reading_of_the_page_has_no_trace(traced: Tracer, readings: list[Reading]) -> None:
    traced.show_reading(replace(readings[0], token_ids=(1, 2)))
    assert not traced.has_trace
    traced.show_reading(None)
    assert not traced.has_trace


def test_another_model_forgets_all_traces(
    traced: Tracer, heard: list[object], readings: list[Reading]
) -> None:
    traced.forget()
    assert heard[-1] is None
    traced.show_reading(readings[0])
    assert not traced.has_trace


def test_only_as_many_traces_are_kept_as_the_bytes_allow(
    qtbot: QtBot, bridge: EngineBridge, readings: list[Reading]
) -> None:
    one = 6 * 64 * 4
    tracer = Tracer(bridge, ByteBoundedCache(2 * one), lambda: TEXT)
    for reading in readings:
        tracer.show_reading(reading)
        tracer.trace()
        qtbot.waitUntil(lambda: tracer.has_trace)
    kept = []
    for reading in readings:
        tracer.show_reading(reading)
        kept.append(tracer.has_trace)
    assert kept == [False, True, True]


def test_a_trace_of_a_page_that_was_left_is_stopped_and_its_answer_dropped(
    qtbot: QtBot,
    tracer: Tracer,
    heard: list[object],
    readings: list[Reading],
    fake_engine: FakeEngine,
    bridge: EngineBridge,
) -> None:
    fake_engine.gate.clear()
    tracer.show_reading(readings[0])
    tracer.trace()
    qtbot.waitUntil(lambda: len(fake_engine.traced) == 1)
    with qtbot.waitSignal(bridge.request_stopped):
        tracer.show_reading(readings[1])
    assert heard == [None, True, False, None]
    assert not tracer.is_tracing


def test_a_trace_that_another_asked_for_is_not_its_own(
    qtbot: QtBot, tracer: Tracer, bridge: EngineBridge, readings: list[Reading]
) -> None:
    other = Tracer(bridge, ByteBoundedCache(KEPT_BYTES), lambda: TEXT)
    for each in (tracer, other):
        each.show_reading(readings[0])
    other.trace()
    qtbot.waitUntil(lambda: other.has_trace)
    assert not tracer.has_trace


def test_what_another_has_traced_is_not_traced_once_more(
    qtbot: QtBot,
    tracer: Tracer,
    traces: Traces,
    bridge: EngineBridge,
    readings: list[Reading],
    fake_engine: FakeEngine,
) -> None:
    other = Tracer(bridge, traces, lambda: TEXT)
    for each in (tracer, other):
        each.show_reading(readings[0])
    tracer.trace()
    qtbot.waitUntil(lambda: tracer.has_trace)
    other.trace()
    assert other.has_trace
    assert len(fake_engine.traced) == 1


def test_a_trace_can_be_stopped_and_asked_for_again(
    qtbot: QtBot, tracer: Tracer, heard: list[object], readings: list[Reading], fake_engine: FakeEngine
) -> None:
    fake_engine.gate.clear()
    tracer.show_reading(readings[0])
    tracer.trace()
    tracer.stop()
    assert heard == [None, True, False]
    fake_engine.gate.set()
    tracer.trace()
    qtbot.waitUntil(lambda: tracer.has_trace)


def test_a_failure_is_told_in_a_sentence_and_ends_it(
    qtbot: QtBot, tracer: Tracer, heard: list[object], readings: list[Reading], fake_engine: FakeEngine
) -> None:
    fake_engine.broken_pages.add("three.tiff")
    tracer.show_reading(readings[0])
    with qtbot.waitSignal(tracer.failed):
        tracer.trace()
    assert heard == [None, True, False, "The model could not trace this page."]


def test_a_text_of_another_model_is_not_explained_by_this_one(
    qtbot: QtBot, tracer: Tracer, readings: list[Reading]
) -> None:
    tracer.show_reading(replace(readings[0], raw_text="something else"))
    with qtbot.waitSignal(tracer.failed) as caught:
        tracer.trace()
    assert "another model" in caught.args[0].sentence
    assert not tracer.has_trace


@pytest.mark.parametrize(
    ("empty", "sentence"),
    [
        (False, "The model in use has not read any text here yet. Read the page first."),
        (True, "No text was found on this page, so there is nothing to show."),
    ],
)
def test_what_was_not_read_cannot_be_traced(
    tracer: Tracer, heard: list[object], readings: list[Reading], empty: bool, sentence: str
) -> None:
    tracer.show_reading(replace(readings[0], token_ids=(), raw_text="") if empty else None)
    tracer.trace()
    assert heard[-2:] == [False, sentence]
    assert not tracer.is_tracing


def test_a_selection_lights_what_was_looked_at_for_it(traced: Tracer) -> None:
    start = TEXT.index("of")
    sought: list[TokenPlaces] = []
    traced.seek(sought.append)
    lit = traced.attention_of(sought[0].tokens_at(start, start + 2))
    assert lit is not None
    assert lit.shape == (64,)
    assert lit[:6].tolist() == pytest.approx([0, 0, 0.4, 0.1, 0, 0])
    both = traced.attention_of(sought[0].tokens_at(start, start + 12))  # "of three.tiff"
    assert both is not None
    assert both[:6].tolist() == pytest.approx([0, 0, 0.4, 0.4, 0.1, 0]), "the most, not the sum"
    assert sought[0].place_of(2) == (6, 9)


def test_a_corrected_text_still_finds_its_places_and_an_added_one_has_none(
    qtbot: QtBot, bridge: EngineBridge, traces: Traces, readings: list[Reading]
) -> None:
    shown = "Today: page 1 of three.tiff at 0.77"
    tracer = Tracer(bridge, traces, lambda: shown)
    tracer.show_reading(readings[0])
    sought: list[TokenPlaces] = []
    tracer.seek(sought.append)
    qtbot.waitUntil(lambda: bool(sought))
    start = shown.index("0.77")
    lit = tracer.attention_of(sought[0].tokens_at(start, start + 4))
    assert lit is not None
    assert lit.argmax() == 5
    assert tracer.attention_of(sought[0].tokens_at(0, 6)) is None
    assert sought[0].place_of(2) == (shown.index(" of"), shown.index(" of") + 3)


def test_what_is_sought_waits_for_the_trace_and_is_dropped_for_what_is_sought_next(
    qtbot: QtBot, tracer: Tracer, readings: list[Reading]
) -> None:
    sought: list[int] = []
    tracer.show_reading(readings[0])
    tracer.seek(lambda _: sought.append(1))
    tracer.seek(lambda _: sought.append(2))
    qtbot.waitUntil(lambda: bool(sought))
    assert sought == [2]
    tracer.show_reading(readings[1])
    tracer.seek(lambda _: sought.append(3))
    tracer.show_reading(readings[0])
    assert tracer.has_trace
    assert sought == [2]


def test_a_token_lights_its_cells(traced: Tracer) -> None:
    lit = traced.attention_of(np.array([3]))
    assert lit is not None
    assert lit[:6].tolist() == pytest.approx([0, 0, 0, 0.4, 0.1, 0])


def test_without_a_trace_nothing_lights(tracer: Tracer, readings: list[Reading]) -> None:
    tracer.show_reading(readings[0])
    assert tracer.attention_of(np.array([0])) is None
