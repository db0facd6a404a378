"""The comparer has only those readings made that are missing, and shows nothing that is out of date."""

import dataclasses

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import TASKS, Mode, Reading, ReadSettings, Scaling, StopReason
from rtocr_gui.ocr.text.comparison import character_error_rate
from rtocr_gui.pruning.plan import PruneMethod, PruneSettings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.comparer import STOPPED, Comparer
from rtocr_gui.ui.state.shown import ComparisonShown, pruning_label
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, load_model, pages_opened, until_reading_begins

SETTINGS = ReadSettings(Scaling(Mode.TINY), TASKS[1])
ALL, HALF, AUTO = PruneSettings(1.0), PruneSettings(0.5), PruneSettings()


class Told:
    """Everything a comparer told, in order."""

    def __init__(self, comparer: Comparer) -> None:
        self.shown: list[ComparisonShown | None] = []
        self.activities: list[tuple[str, bool]] = []
        self.readings: list[Reading] = []
        comparer.comparison_changed.connect(self.shown.append)
        comparer.activity_changed.connect(lambda *activity: self.activities.append(activity))
        comparer.page_read.connect(self.readings.append)

    @property
    def read(self) -> list[PruneSettings]:
        return [reading.settings.pruning for reading in self.readings]


@pytest.fixture
def refs(qtbot: QtBot, bridge: EngineBridge, draw_page: Draw) -> tuple[PageRef, ...]:
    load_model(qtbot, bridge)
    return pages_opened(qtbot, bridge, draw_page("scan.tiff", pages=2))


@pytest.fixture
def comparer(bridge: EngineBridge, refs: tuple[PageRef, ...]) -> Comparer:
    made = Comparer(bridge)
    made.show_page(refs[0], SETTINGS)
    return made


@pytest.fixture
def told(comparer: Comparer) -> Told:
    return Told(comparer)


def compare(
    qtbot: QtBot,
    comparer: Comparer,
    left: PruneSettings,
    right: PruneSettings,
    readings: dict[ReadSettings, Reading] | None = None,
) -> ComparisonShown:
    with qtbot.waitSignal(comparer.comparison_changed) as caught:
        comparer.compare(left, right, readings or {})
    shown: ComparisonShown = caught.args[0]
    return shown


def known(told: Told) -> dict[ReadSettings, Reading]:
    return {reading.settings: reading for reading in told.readings}


def test_both_readings_are_made_compared_and_told(qtbot: QtBot, comparer: Comparer, told: Told) -> None:
    shown = compare(qtbot, comparer, ALL, AUTO)
    assert (shown.left_label, shown.right_label) == ("All tokens", "Auto (76 %)")
    assert (shown.comparison.left, shown.comparison.right) == (shown.left.text, shown.right.text)
    assert [change.left_excerpt for change in shown.comparison.differences] == ["1.00"]
    assert told.read == [ALL, AUTO]
    assert told.activities[0] == ("Waiting for the model…", True)
    assert ("Reading: All tokens…", True) in told.activities
    assert told.activities[-1] == ("", False)
    assert not comparer.running


def test_a_reading_the_page_has_is_not_made_again(qtbot: QtBot, comparer: Comparer, told: Told) -> None:
    compare(qtbot, comparer, ALL, AUTO)
    kept = known(told)
    told.readings.clear()
    compare(qtbot, comparer, HALF, ALL, kept)
    assert told.read == [HALF]
    kept |= known(told)
    told.readings.clear()
    shown = compare(qtbot, comparer, HALF, ALL, kept)
    assert told.read == []
    assert shown.left_label == "RTPrune 50 %"


def test_a_reading_compared_with_itself_is_made_once(qtbot: QtBot, comparer: Comparer, told: Told) -> None:
    shown = compare(qtbot, comparer, HALF, HALF)
    assert told.read == [HALF]
    assert shown.comparison.differences == ()


def test_both_are_compared_with_the_true_text_if_there_is_one_that_can_be_used(
    qtbot: QtBot, comparer: Comparer, refs: tuple[PageRef, ...]
) -> None:
    shown = compare(qtbot, comparer, ALL, HALF)
    assert shown.error_rates is None
    truth = refs[0].path.with_name("scan-page1.txt")
    truth.write_text(shown.left.text, encoding="utf-8")
    comparer.show_page(refs[0], SETTINGS, page_count=2)
    shown = compare(qtbot, comparer, ALL, HALF)
    wrong = character_error_rate(shown.right.text, shown.left.text)
    assert wrong > 0
    assert shown.error_rates == (0, wrong)
    truth.write_bytes(b"\xff\xfe\xfd")
    shown = compare(qtbot, comparer, ALL, HALF)
    assert shown.error_rates is None


def test_stopping_ends_the_reading_and_leaves_what_was_shown(
    qtbot: QtBot, bridge: EngineBridge, comparer: Comparer, told: Told, fake_engine: FakeEngine
) -> None:
    compare(qtbot, comparer, ALL, HALF)
    fake_engine.gate.clear()
    with qtbot.waitSignal(bridge.text_streamed):
        comparer.compare(AUTO, HALF, {})
    with qtbot.waitSignal(bridge.reading_finished) as caught:
        comparer.stop()
    assert caught.args[0].reading.stop_reason is StopReason.CANCELLED
    assert told.activities[-1] == (STOPPED, False)
    assert len(told.shown) == 1
    assert len(told.readings) == 2
    comparer.stop()
    assert told.activities[-2][1]


def test_another_page_mode_or_task_ends_and_clears_the_comparison(
    qtbot: QtBot, comparer: Comparer, told: Told, fake_engine: FakeEngine, refs: tuple[PageRef, ...]
) -> None:
    others = [
        (refs[1], SETTINGS),
        (refs[0], dataclasses.replace(SETTINGS, scaling=Scaling(Mode.SMALL))),
        (refs[0], dataclasses.replace(SETTINGS, task=TASKS[0])),
        (None, SETTINGS),
    ]
    fake_engine.gate.clear()
    for page in others:
        comparer.show_page(refs[0], SETTINGS)
        comparer.compare(ALL, HALF, {})
        assert comparer.running
        comparer.show_page(*page)
        assert not comparer.running
        assert told.activities[-1] == ("", False)
    assert set(told.shown) == {None}
    fake_engine.gate.set()
    comparer.show_page(refs[1], SETTINGS)
    shown = compare(qtbot, comparer, ALL, HALF)
    assert "page 2" in shown.left.text
    assert [reading.ref for reading in told.readings] == [refs[1], refs[1]]


def test_another_ratio_of_the_same_page_leaves_the_comparison(
    qtbot: QtBot, comparer: Comparer, told: Told, refs: tuple[PageRef, ...]
) -> None:
    compare(qtbot, comparer, ALL, HALF)
    comparer.show_page(refs[0], dataclasses.replace(SETTINGS, pruning=PruneSettings(0.3)))
    assert len(told.shown) == 1


def test_asking_again_gives_up_what_was_asked_before(
    qtbot: QtBot, comparer: Comparer, told: Told, fake_engine: FakeEngine
) -> None:
    until_reading_begins(qtbot, fake_engine, lambda: comparer.compare(ALL, HALF, {}))
    with qtbot.waitSignal(comparer.comparison_changed):
        comparer.compare(AUTO, HALF, {})
        fake_engine.gate.set()
    assert told.read == [AUTO, HALF]
    assert len(told.shown) == 1


def test_readings_of_others_are_not_taken_for_its_own(
    qtbot: QtBot, bridge: EngineBridge, comparer: Comparer, told: Told, refs: tuple[PageRef, ...]
) -> None:
    bridge.read_page(refs[1], SETTINGS)
    compare(qtbot, comparer, ALL, HALF)
    assert {reading.ref for reading in told.readings} == {refs[0]}


def test_a_page_that_cannot_be_read_is_told(
    qtbot: QtBot, comparer: Comparer, told: Told, fake_engine: FakeEngine
) -> None:
    fake_engine.broken_pages.add("scan.tiff")
    comparer.compare(ALL, HALF, {})
    qtbot.waitUntil(lambda: not comparer.running)
    assert told.activities[-1] == ("The model could not read this page.", False)
    assert told.shown == []


def test_nothing_is_asked_without_a_page(bridge: EngineBridge) -> None:
    comparer = Comparer(bridge)
    told = Told(comparer)
    comparer.compare(ALL, HALF, {})
    assert not comparer.running
    assert told.activities == []


def test_a_way_of_pruning_is_named_for_people() -> None:
    assert [
        pruning_label(pruning, 0.768)
        for pruning in (ALL, HALF, AUTO, PruneSettings(0.5, method=PruneMethod.RANDOM))
    ] == ["All tokens", "RTPrune 50 %", "Auto (77 %)", "Random 50 %"]
    assert pruning_label(AUTO) == "Auto"
    assert pruning_label(PruneSettings(method=PruneMethod.RANDOM), 0.768) == "Random, Auto (77 %)"
