"""The planner tells a transport only where one is wanted, and always that of the plan told last."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import PruningError
from rtocr_gui.ocr.reading import EncodedPage, Mode, Scaling
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.pruning.plan import PrunePlan, Transport
from rtocr_gui.ui.background import engine_bridge
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import PageEncoded
from rtocr_gui.ui.state.planner import Planner
from tests.made_plans import measure_by_seed
from tests.ui.steps import emissions, held_lane

SCALING = Scaling(Mode.TINY)
PAGE = PageRef(Path("scan.png"), 0, "0" * 64)


def even_transport(plan: PrunePlan) -> Transport:
    shape = (len(plan.kept), len(plan.merged))
    return Transport(np.full(shape, 0.5 / len(plan.kept), np.float32))


def encoded(ref: PageRef) -> EncodedPage:
    layout = build_layout(Mode.TINY, (400, 500), (0, 0))
    return EncodedPage(ref, Mode.TINY, layout, measure_by_seed(layout, 0), 1.0)


@pytest.fixture
def planner(qtbot: QtBot, bridge: EngineBridge, monkeypatch: pytest.MonkeyPatch) -> Planner:
    monkeypatch.setattr(engine_bridge, "_solve_transport", even_transport)
    made = Planner(bridge)
    made.show_page(PAGE, SCALING)
    with qtbot.waitSignal(made.plan_changed, check_params_cb=lambda plan: plan is not None):
        bridge.page_encoded.emit(PageEncoded(0, SCALING, encoded(PAGE)))
    return made


def test_no_transport_is_solved_that_nobody_wants(
    qtbot: QtBot, planner: Planner, bridge: EngineBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved: list[PrunePlan] = []
    monkeypatch.setattr(bridge, "solve_transport", lambda plan: solved.append(plan) or 0)
    for retention in (0.5, 0.25):
        with qtbot.waitSignal(planner.plan_changed):
            planner.set_retention(retention)
    assert solved == []
    planner.want_transport()
    assert [len(plan.kept) for plan in solved] == [16]


def test_a_transport_is_that_of_the_plan_told_last_and_is_solved_once(qtbot: QtBot, planner: Planner) -> None:
    told: list[tuple[PrunePlan, Transport]] = []
    plans = emissions(planner.plan_changed)
    planner.transport_changed.connect(lambda transport: told.append((plans[-1], transport)))
    for retention in (0.5, 0.25):
        with qtbot.waitSignal(planner.plan_changed):
            planner.set_retention(retention)
        planner.want_transport()
        planner.want_transport()
        qtbot.waitUntil(lambda: bool(told) and told[-1][0] is plans[-1])
    assert [(len(plan.kept), transport.mass.shape[0]) for plan, transport in told] == [(32, 32), (16, 16)]


def test_a_transport_that_comes_after_another_plan_is_dropped(
    qtbot: QtBot, planner: Planner, bridge: EngineBridge
) -> None:
    with (
        qtbot.assertNotEmitted(planner.transport_changed),
        qtbot.waitSignal(bridge.transport_solved),
        held_lane(bridge._compute_lane),
    ):
        with qtbot.waitSignal(planner.plan_changed):
            planner.set_retention(0.5)
        planner.want_transport()
        with qtbot.waitSignal(planner.plan_changed):
            planner.set_retention(0.25)


def test_a_transport_that_cannot_be_solved_is_told_and_may_be_asked_for_again(
    qtbot: QtBot, planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_plan: PrunePlan) -> Transport:
        raise PruningError("No room.")

    with monkeypatch.context() as patch:
        patch.setattr(engine_bridge, "_solve_transport", fail)
        with qtbot.waitSignal(planner.failed, check_params_cb=lambda failure: failure.sentence == "No room."):
            planner.want_transport()
    with qtbot.waitSignal(planner.transport_changed):
        planner.want_transport()


def test_a_page_that_is_read_again_keeps_its_plan_and_its_transport(
    qtbot: QtBot, planner: Planner, bridge: EngineBridge
) -> None:
    with qtbot.waitSignal(planner.transport_changed):
        planner.want_transport()
    with qtbot.assertNotEmitted(planner.plan_changed):
        bridge.page_encoded.emit(PageEncoded(0, SCALING, encoded(PAGE)))
        with qtbot.waitSignal(bridge.computed):  # on the lane of the transports
            bridge.compute(lambda: None)


def test_the_plan_follows_the_slider_while_many_other_pages_are_read(
    qtbot: QtBot, planner: Planner, bridge: EngineBridge
) -> None:
    for index in range(1, 9):
        bridge.page_encoded.emit(PageEncoded(0, SCALING, encoded(replace(PAGE, index=index))))
    with qtbot.waitSignal(planner.plan_changed, check_params_cb=lambda plan: len(plan.kept) == 16):
        planner.set_retention(0.25)
