"""What the curve reader promises: a reading at a time, nothing read twice, nothing foreign taken."""

import threading
from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.truth import Truth
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.curve import CURVE_RATIOS
from rtocr_gui.ocr.reading import TASKS, Mode, Reading, ReadSettings, Scaling
from rtocr_gui.ocr.text import comparison
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import ReadingFinished
from rtocr_gui.ui.state import curve_reader
from rtocr_gui.ui.state.curve_reader import CurveReader, CurveRequest
from rtocr_gui.ui.state.shown import CurveShown, PageFailure
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, load_model, pages_opened, until_reading_begins

SETTINGS = ReadSettings(Scaling(Mode.TINY), TASKS[1], PruneSettings(0.3))


class Heard:
    """Everything a curve reader told, in order."""

    def __init__(self, curve: CurveReader) -> None:
        self.shown: list[CurveShown] = []
        self.readings: list[Reading] = []
        self.failures: list[str] = []
        curve.curve_changed.connect(self.shown.append)
        curve.finished.connect(self.readings.append)
        curve.failed.connect(self.failures.append)

    @property
    def ended(self) -> bool:
        return bool(self.shown) and not self.shown[-1].running


@pytest.fixture
def page(qtbot: QtBot, bridge: EngineBridge, draw_page: Draw) -> PageRef:
    load_model(qtbot, bridge)
    (page,) = pages_opened(qtbot, bridge, draw_page())
    return page


@pytest.fixture
def curve(bridge: EngineBridge) -> CurveReader:
    return CurveReader(bridge)


@pytest.fixture
def heard(curve: CurveReader) -> Heard:
    return Heard(curve)


def test_points_come_one_by_one_until_the_curve_is_whole(
    qtbot: QtBot, curve: CurveReader, heard: Heard, page: PageRef
) -> None:
    truth = page.path.with_suffix(".txt")
    truth.write_text("page 1 of scan.png at 1.00", encoding="utf-8")
    curve.read(CurveRequest(page, SETTINGS), {})
    qtbot.waitUntil(lambda: heard.ended)
    assert [len(shown.points) for shown in heard.shown] == list(range(10))
    assert {shown.expected for shown in heard.shown} == {9}
    assert [shown.running for shown in heard.shown] == [True] * 9 + [False]
    points = heard.shown[-1].points
    assert [point.retention for point in points if not point.automatic] == list(CURVE_RATIOS)
    assert (points[0].similarity, points[0].error_rate) == (1.0, 0.0)
    assert 0 < points[-1].similarity < 1
    assert points[-1].error_rate is not None
    assert points[-1].error_rate > 0
    assert heard.shown[-1].truth.path == truth
    assert len(heard.readings) == 9
    assert curve.shown == heard.shown[-1]


def test_what_was_read_already_is_not_read_again(
    qtbot: QtBot, curve: CurveReader, heard: Heard, page: PageRef
) -> None:
    curve.read(CurveRequest(page, SETTINGS), {})
    qtbot.waitUntil(lambda: heard.ended)
    known = {reading.settings: reading for reading in heard.readings}
    half = known.pop(next(settings for settings in known if settings.pruning.retention == 0.5))
    before = heard.shown[-1]
    curve.read(CurveRequest(page, SETTINGS), known)
    qtbot.waitUntil(lambda: heard.ended)
    assert [reading.settings for reading in heard.readings[9:]] == [half.settings]
    assert [point.retention for point in heard.shown[-1].points] == [p.retention for p in before.points]


@pytest.mark.parametrize("missing", [0, 3, 8])
def test_known_readings_alone_are_compared_up_to_the_first_that_is_missing(
    qtbot: QtBot, curve: CurveReader, heard: Heard, page: PageRef, missing: int
) -> None:
    curve.read(CurveRequest(page, SETTINGS), {})
    qtbot.waitUntil(lambda: heard.ended)
    known = {reading.settings: reading for reading in heard.readings}
    del known[heard.readings[missing].settings]
    before = heard.shown[-1]
    curve.compare_again(CurveRequest(page, SETTINGS), known)
    assert not heard.ended
    qtbot.waitUntil(lambda: heard.ended)
    assert heard.shown[-1].points == before.points[:missing]
    assert len(heard.readings) == 9


def test_what_is_missing_is_not_read_for_a_truth_file_that_came_meanwhile(
    qtbot: QtBot, curve: CurveReader, heard: Heard, page: PageRef
) -> None:
    curve.read(CurveRequest(page, SETTINGS), {})
    qtbot.waitUntil(lambda: heard.ended)
    known = {reading.settings: reading for reading in heard.readings[:6]}
    page.path.with_suffix(".txt").write_text("page 1 of scan.png at 1.00", encoding="utf-8")
    curve.show_again(heard.shown[-1], CurveRequest(page, SETTINGS), known)
    qtbot.waitUntil(lambda: heard.ended and heard.shown[-1].truth is not None)
    assert [point.error_rate is None for point in heard.shown[-1].points] == [False] * 6
    assert len(heard.readings) == 9


def test_texts_are_compared_and_their_truth_is_sought_off_the_main_thread(
    qtbot: QtBot, curve: CurveReader, heard: Heard, page: PageRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def note(worth: object) -> Callable[..., object]:
        return lambda *_: threads.append(threading.current_thread().name) or worth

    monkeypatch.setattr(comparison, "similarity", note(1.0))
    monkeypatch.setattr(comparison, "character_error_rate", note(0.0))
    monkeypatch.setattr(curve_reader, "find_truth", note(Truth(page.path, "page")))
    curve.read(CurveRequest(page, SETTINGS), {})
    qtbot.waitUntil(lambda: heard.ended)
    assert threads == ["compute"] * 19
    known = {reading.settings: reading for reading in heard.readings}
    curve.read(CurveRequest(page, SETTINGS), known)
    qtbot.waitUntil(lambda: heard.ended)
    assert threads == ["compute"] * 38


def test_a_reading_that_a_person_asks_for_comes_between(
    qtbot: QtBot,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    curve: CurveReader,
    heard: Heard,
    page: PageRef,
) -> None:
    order: list[int] = []
    bridge.reading_finished.connect(lambda reply: order.append(reply.request_id))
    until_reading_begins(qtbot, fake_engine, lambda: curve.read(CurveRequest(page, SETTINGS), {}))
    own = bridge.read_page(page, SETTINGS)
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: heard.ended)
    assert order.index(own) == 1
    assert len(heard.shown[-1].points) == 9
    assert len(heard.readings) == 9


def test_stop_ends_the_reading_under_way_and_keeps_the_points(
    qtbot: QtBot, fake_engine: FakeEngine, curve: CurveReader, heard: Heard, page: PageRef
) -> None:
    curve.finished.connect(lambda _: fake_engine.gate.clear() if len(heard.readings) == 2 else None)
    curve.read(CurveRequest(page, SETTINGS), {})
    qtbot.waitUntil(lambda: len(curve.shown.points) == 2)
    curve.stop()
    qtbot.waitUntil(lambda: heard.ended)
    assert len(heard.shown[-1].points) == len(heard.readings) == 2
    assert heard.shown[-1].expected == 9
    assert heard.failures == []


def test_a_curve_that_is_forgotten_tells_nothing_more(
    qtbot: QtBot,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    curve: CurveReader,
    heard: Heard,
    page: PageRef,
) -> None:
    until_reading_begins(qtbot, fake_engine, lambda: curve.read(CurveRequest(page, SETTINGS), {}))
    with qtbot.waitSignal(bridge.reading_finished) as caught:
        curve.show(CurveShown())
        assert heard.shown[-1] == CurveShown()
        told = len(heard.shown)
        fake_engine.gate.set()
    reply = caught.args[0]
    assert isinstance(reply, ReadingFinished)
    assert len(heard.shown) == told
    curve.show(CurveShown())
    assert len(heard.shown) == told


def test_another_curve_takes_the_place_of_one_that_is_under_way(
    qtbot: QtBot, fake_engine: FakeEngine, curve: CurveReader, heard: Heard, page: PageRef
) -> None:
    until_reading_begins(qtbot, fake_engine, lambda: curve.read(CurveRequest(page, SETTINGS), {}))
    other = CurveRequest(page, ReadSettings(Scaling(Mode.BASE), TASKS[0]))
    curve.read(other, {})
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: heard.ended)
    assert {reading.mode for reading in heard.readings} == {Mode.BASE}
    assert len(curve.shown.points) == 9


def test_a_page_that_cannot_be_read_ends_the_curve_with_a_sentence(
    qtbot: QtBot, fake_engine: FakeEngine, curve: CurveReader, heard: Heard, page: PageRef
) -> None:
    fake_engine.broken_pages.add(page.path.name)
    curve.read(CurveRequest(page, SETTINGS), {})
    qtbot.waitUntil(lambda: bool(heard.failures))
    assert heard.failures == [PageFailure(page, "The model could not read this page.", ReadingError)]
    assert heard.ended
    assert heard.shown[-1].points == ()
