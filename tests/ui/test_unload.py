"""A model gives its memory back when asked to or when idle, and is there again when something needs it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.idle_unloader import LARGE_BYTES, IdleUnloader
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import ModelStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine, Panic
from tests.ui.steps import (
    Draw,
    begin_loading,
    begin_reading,
    emissions,
    held_lane,
    open_and_load,
    read_selected,
    sentences_in,
    until_idle,
    until_loaded,
    wait_until_idle,
)

NEVER = 2**30


@pytest.fixture
def statuses(session: Session) -> list[ModelStatus]:
    return emissions(session.models.changed)


@pytest.fixture
def idle(session: Session) -> IdleUnloader:
    return session.models.idle


def unload(qtbot: QtBot, session: Session) -> None:
    with qtbot.waitSignal(session.models.changed, check_params_cb=lambda status: status.unloaded):
        session.models.unload()


def test_an_unloaded_model_is_named_as_such_and_the_plan_stays(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    plans: list[object] = []
    open_and_load(qtbot, session, draw_page())
    session.planner.plan_changed.connect(plans.append)
    with qtbot.waitSignal(session.models.changed, check_params_cb=lambda status: status.unloaded):
        window.actions_by_name["unload"].trigger()
    assert not fake_engine.is_loaded
    assert window.tool_bar.model_chip.text() == "Fake model (unloaded)"
    assert window.tool_bar.mode_box.currentText() == "Auto (Tiny)"
    assert not window.actions_by_name["unload"].isEnabled()
    assert window.actions_by_name["read"].isEnabled()
    assert not plans
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan.retention == 0.4):
        session.set_retention(0.4)  # the slider needs no model
    assert not fake_engine.is_loaded


def test_reading_loads_the_model_again_and_goes_on(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    statuses: list[ModelStatus],
) -> None:
    open_and_load(qtbot, session, draw_page())
    unload(qtbot, session)
    statuses.clear()
    agreed: list[bool] = []
    session.models.changed.connect(lambda status: agreed.append(status == session.models.status))
    read_selected(qtbot, session)
    assert session.current_text.startswith("page 1 of scan.png")
    assert agreed == [True, True]
    assert [(status.loading, status.unloaded) for status in statuses] == [(True, True), (False, False)]
    assert fake_engine.loads[0] == fake_engine.loads[1]
    assert window.tool_bar.model_chip.text() == "Fake model"
    assert window.actions_by_name["unload"].isEnabled()


def test_what_was_read_before_is_still_known_after_the_model_came_back(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    unload(qtbot, session)
    with qtbot.waitSignal(session.tuning.comparison_changed, check_params_cb=lambda shown: shown is not None):
        session.tuning.compare(PruneSettings(1.0), PruneSettings())
    assert [settings.pruning for settings in fake_engine.asked] == [PruneSettings(), PruneSettings(1.0)]


def test_another_model_that_was_put_in_the_folder_is_told_apart_when_it_is_loaded(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("book.tiff", pages=2))
    _, second = session.shelf.refs
    read_selected(qtbot, session)
    unload(qtbot, session)
    (former,), (now,) = fake_engine.tasks, TASKS[:1]
    assert fake_engine.asked[-1].task == former
    fake_engine.tasks = (now,)
    session.shelf.select(second)
    read_selected(qtbot, session)
    assert window.tool_bar.task_box.currentText() == now.label
    assert fake_engine.asked[-1].task == now
    fake_engine.asked.clear()
    until_idle(qtbot, session, session.read_all)
    assert [settings.task for settings in fake_engine.asked] == [now], "the first page is read again"


@pytest.mark.parametrize("wish", ["encode", "curve", "trace"])
def test_every_wish_that_needs_the_model_brings_it_back(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, wish: str
) -> None:
    wishes = {
        "encode": lambda: session.set_mode(Mode.BASE),
        "curve": session.tuning.read_curve,
        "trace": session.tuning.spotlight.trace,
    }
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    unload(qtbot, session)
    with qtbot.waitSignal(
        session.models.changed, check_params_cb=lambda status: not (status.loading or status.unloaded)
    ):
        wishes[wish]()
    assert fake_engine.is_loaded


def test_a_model_that_does_not_come_back_is_told_and_leaves_the_page_as_it_was(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    unload(qtbot, session)
    fake_engine.load_error = CheckpointError("The folder is gone.")
    read_selected(qtbot, session)
    assert sentences_in(window.notice_bar) == ("The folder is gone.",)
    assert session.current_text == ""
    assert window.tool_bar.model_chip.text() == "Fake model (unloaded)"
    fake_engine.load_error = None
    read_selected(qtbot, session)
    assert session.current_text.startswith("page 1 of scan.png")


def test_a_model_whose_library_panics_is_no_longer_said_to_be_loading(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    unload(qtbot, session)
    fake_engine.load_error = Panic()
    read_selected(qtbot, session)
    assert "(Panic)" in sentences_in(window.notice_bar)[0]
    assert not session.models.status.loading


def test_a_comparison_is_told_that_its_model_does_not_come_back(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    told: list[tuple[str, bool]] = []
    session.tuning.comparing_changed.connect(lambda *activity: told.append(activity))
    open_and_load(qtbot, session, draw_page())
    unload(qtbot, session)
    fake_engine.load_error = CheckpointError("The folder is gone.")
    session.tuning.compare(PruneSettings(1.0), PruneSettings())
    qtbot.waitUntil(lambda: bool(told) and not told[-1][1])
    assert told[-1] == ("The model could not be loaded again.", False)


@pytest.mark.parametrize("pages_at_once", [1, 4])
def test_pages_that_wait_for_a_model_that_does_not_come_back_are_told_once(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    draw_page: Draw,
    statuses: list[ModelStatus],
    pages_at_once: int,
) -> None:
    fake_engine.pages_at_once = pages_at_once
    open_and_load(qtbot, session, draw_page("eight.tiff", pages=8))
    unload(qtbot, session)
    statuses.clear()
    fake_engine.load_error = CheckpointError("The folder is gone.")
    with held_lane(bridge._model_lane):
        session.read_all()
    wait_until_idle(qtbot, session)
    assert sentences_in(window.notice_bar) == ("The folder is gone.",)
    assert [status.loading for status in statuses] == [True, False]


def test_a_load_that_fails_after_the_former_model_made_room_leaves_it_to_come_back(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        fake_engine.unload()
        raise CheckpointError("Memory ran out.")

    open_and_load(qtbot, session, draw_page())
    with monkeypatch.context() as patch, qtbot.waitSignal(session.notice_raised):
        patch.setattr(fake_engine, "load", fail)
        session.models.choose(tmp_path / "elsewhere")
    assert window.tool_bar.model_chip.text() == "Fake model (unloaded)"
    read_selected(qtbot, session)
    assert session.current_text.startswith("page 1 of scan.png")
    assert fake_engine.loads[0] == fake_engine.loads[1]


def test_nothing_is_unloaded_under_a_reading(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    assert not window.actions_by_name["unload"].isEnabled()
    fake_engine.gate.set()
    qtbot.waitUntil(window.actions_by_name["unload"].isEnabled)


def test_a_large_model_that_idles_is_unloaded(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    draw_page: Draw,
    idle: IdleUnloader,
) -> None:
    fake_engine.weight_bytes = LARGE_BYTES
    open_and_load(qtbot, session, draw_page())
    assert idle.timer.isActive()
    assert idle.timer.interval() == 15 * 60 * 1000
    qtbot.waitUntil(lambda: not bridge.is_model_busy)
    with qtbot.waitSignal(session.models.changed, check_params_cb=lambda status: status.unloaded):
        idle.timer.timeout.emit()
    assert not idle.timer.isActive()
    read_selected(qtbot, session)
    assert idle.timer.isActive()


def test_whatever_is_asked_begins_the_idle_time_anew(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, idle: IdleUnloader
) -> None:
    fake_engine.weight_bytes = LARGE_BYTES
    open_and_load(qtbot, session, draw_page())
    begun: list[bool] = []

    class Watched(QTimer):
        def start(self, *duration_ms: int) -> None:
            begun.append(True)
            super().start(*duration_ms)

    idle.timer = Watched(idle)
    idle.timer.start(NEVER)
    begun.clear()
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan.retention == 0.4):
        session.set_retention(0.4)
    assert len(begun) == 1
    read_selected(qtbot, session)
    assert len(begun) > 4


def test_the_time_that_one_long_pass_takes_is_not_idle(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, idle: IdleUnloader
) -> None:
    fake_engine.weight_bytes = LARGE_BYTES
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    idle.timer.stop()
    idle.timer.timeout.emit()
    assert idle.timer.isActive()
    until_idle(qtbot, session, fake_engine.gate.set)
    assert fake_engine.is_loaded


def test_the_miniature_never_goes(
    qtbot: QtBot, session: Session, draw_page: Draw, idle: IdleUnloader
) -> None:
    open_and_load(qtbot, session, draw_page())
    assert not idle.timer.isActive()


def test_a_person_can_keep_the_model_for_ever_or_let_it_go_sooner(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    idle: IdleUnloader,
) -> None:
    fake_engine.weight_bytes = LARGE_BYTES
    open_and_load(qtbot, session, draw_page())
    choices = {choice.text(): choice for choice in window.actions_by_name["idle"].menu().actions()}
    assert [label for label, choice in choices.items() if choice.isChecked()] == ["After 15 minutes"]
    choices["Never"].trigger()
    assert not idle.timer.isActive()
    assert session.choices.settings.unload_after_min == 0
    choices["After 5 minutes"].trigger()
    assert idle.timer.interval() == 5 * 60 * 1000


def test_another_device_is_remembered_once_the_model_runs_there(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    devices = {choice.data(): choice for choice in window.actions_by_name["device"].menu().actions()}
    assert devices["auto"].isChecked()
    until_loaded(qtbot, session, devices["cpu"].trigger)
    assert fake_engine.loads[-1][1] == session.choices.settings.device == "cpu"
    fake_engine.load_error = CheckpointError("This computer has no such device.")
    with qtbot.waitSignal(session.notice_raised):
        devices["auto"].trigger()
    assert session.choices.settings.device == "cpu"
    assert devices["cpu"].isChecked()
    assert not devices["auto"].isChecked()


def test_another_precision_is_remembered_once_the_model_runs_in_it(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    precisions = {choice.data(): choice for choice in window.actions_by_name["precision"].menu().actions()}
    until_loaded(qtbot, session, precisions["float16"].trigger)
    assert fake_engine.loads[-1][2] == session.choices.settings.precision == "float16"


def test_the_device_and_the_model_in_use_are_not_loaded_once_more_under_a_reading(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    (in_use,) = (each for each in window.actions_by_name["device"].menu().actions() if each.isChecked())
    in_use.trigger()
    window.actions_by_name["use_bundled"].trigger()
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text == "page 1 of scan.png at 0.76"
    assert len(fake_engine.loads) == 1
    assert in_use.isChecked()


def test_a_model_that_was_let_go_is_loaded_where_it_is_chosen_once_more(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    unload(qtbot, session)
    until_loaded(qtbot, session, window.actions_by_name["use_bundled"].trigger)
    assert len(fake_engine.loads) == 2


def test_choices_made_while_a_model_is_loading_add_up_and_only_what_worked_is_remembered(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    fake_engine.broken_precisions = {"float16"}
    begin_loading(qtbot, fake_engine, lambda: session.models.choose_device("cpu"))
    session.models.choose_precision("float16")
    session.models.choose_precision("bfloat16")
    until_loaded(qtbot, session, fake_engine.load_gate.set)
    assert [load[1:3] for load in fake_engine.loads[1:]] == [("cpu", "auto"), ("cpu", "bfloat16")]
    with qtbot.waitSignal(session.notice_raised):
        session.models.choose_precision("float16")
    assert (session.choices.settings.device, session.choices.settings.precision) == ("cpu", "bfloat16")


def test_a_device_that_no_menu_offers_is_shown_where_it_is_remembered(window: MainWindow) -> None:
    window.model_menus.show_settings(Settings(device="cuda:1", unload_after_min=7))
    checked = [
        choice.text()
        for name in ("device", "idle")
        for choice in window.actions_by_name[name].menu().actions()
        if choice.isChecked()
    ]
    assert checked == ["cuda:1", "After 7 minutes"]


def test_the_menu_of_the_model_chip_offers_the_same(window: MainWindow) -> None:
    offered = window.tool_bar.model_chip.menu().actions()
    assert all(window.actions_by_name[name] in offered for name in ("device", "precision", "idle", "unload"))


def test_a_model_in_whose_place_another_is_loaded_is_not_unloaded(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_loading(qtbot, fake_engine, lambda: session.models.choose_device("cpu"))
    assert not session.can_unload
    assert not window.actions_by_name["unload"].isEnabled()
    until_loaded(qtbot, session, fake_engine.load_gate.set)
    assert session.can_unload


def test_a_model_that_pages_wait_for_is_not_unloaded(
    qtbot: QtBot, window: MainWindow, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    begin_reading(qtbot, session, fake_engine)

    def choose() -> None:
        session.models.choose_device("cpu")
        fake_engine.gate.set()  # the page is let go of, and waits for the other model

    begin_loading(qtbot, fake_engine, choose)
    assert session.reader.activity.page_count == 1
    assert not session.can_unload
    assert not window.actions_by_name["unload"].isEnabled()
    fake_engine.load_gate.set()
    wait_until_idle(qtbot, session)
    assert session.can_unload
