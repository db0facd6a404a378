"""What the session promises of models: the one chosen last is used, and why one cannot be is told."""

from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from rtocr_gui.errors import CheckpointError
from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, ModelStatus, PageStatus
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_loading,
    held_lane,
    open_and_load,
    read_selected,
    until_idle,
    until_loaded,
    until_reading_begins,
)


def test_a_model_that_cannot_be_loaded_is_told(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, notices: list[str]
) -> None:
    fake_engine.load_error = CheckpointError("The folder holds no model.")
    with qtbot.waitSignal(
        session.models.changed, check_params_cb=lambda status: not status.loading
    ) as caught:
        session.models.load()
    status: ModelStatus = caught.args[0]
    assert status.model is None
    assert notices == ["The folder holds no model."]


def test_read_without_a_model_tries_to_load_it_once_more_and_tells_why_not(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, notices: list[str]
) -> None:
    fake_engine.load_error = CheckpointError("The folder holds no model.")
    with qtbot.waitSignal(session.page_image_changed):
        session.models.load()
        session.open_files([draw_page()])
    qtbot.waitUntil(lambda: len(notices) == 1)
    session.read_selected()
    assert session.reader.activity.page_count == 1
    qtbot.waitUntil(lambda: len(notices) == 2)
    assert session.reader.activity == Activity()
    fake_engine.load_error = None
    session.read_selected()
    session.read_selected()
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.76") and not session.reader.activity.reading)
    assert len(fake_engine.loads) == 1


def test_read_all_tells_once_that_no_model_can_be_loaded_however_many_files_are_still_being_opened(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
) -> None:
    fake_engine.load_error = CheckpointError("The folder holds no model.")
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([draw_page()])
    with held_lane(bridge._page_lane):
        session.open_files([draw_page(name=name) for name in ("1.png", "2.png", "3.png")])
        session.read_all()
        qtbot.waitUntil(lambda: len(notices) == 1)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 4)
    assert session.reader.activity == Activity()
    assert not session.models.status.loading
    assert len(notices) == 1


def test_where_nothing_loads_as_it_is_remembered_the_bundled_model_is_offered(
    qtbot: QtBot, bridge: EngineBridge, fake_engine: FakeEngine, tmp_path: Path
) -> None:
    settings = Settings(model_folder=str(tmp_path / "gone"), device="cuda:7")
    session = Session(bridge, settings, tmp_path / "bundled")
    fake_engine.load_error = CheckpointError("The folder is gone.")
    with qtbot.waitSignal(session.notice_raised) as caught:
        session.models.load()
    (offer,) = caught.args[0].offers
    fake_engine.load_error = None
    until_loaded(qtbot, session, lambda: session.take_offer(offer))
    assert (session.choices.settings.model_folder, session.choices.settings.device) == ("", "auto")
    shiboken6.delete(session)


def test_a_model_that_cannot_be_loaded_leaves_the_former_one_in_use(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    before = session.models.model
    fake_engine.load_error = CheckpointError("The folder holds no model.")
    with qtbot.waitSignal(session.notice_raised):
        session.models.choose(tmp_path / "elsewhere")
    assert session.models.model is before
    assert session.choices.settings.model_folder == ""
    read_selected(qtbot, session)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_pages_that_were_to_be_read_are_read_after_another_model_was_chosen_also_where_that_fails(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
    begun: list[int],
    precision: str,
) -> None:
    fake_engine.broken_precisions = {"float16"}
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    until_reading_begins(qtbot, fake_engine, session.read_all)
    session.models.choose_precision(precision)
    assert session.reader.activity.page_count == 3
    until_idle(qtbot, session, fake_engine.gate.set)
    assert begun == [1, 1, 2, 3]
    assert {status.state for status in states.values()} == {PageState.READ}


def test_a_chosen_model_is_remembered_once_it_is_loaded(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    until_loaded(qtbot, session, lambda: session.models.choose(tmp_path / "elsewhere"))
    assert session.choices.settings.model_folder == str(tmp_path / "elsewhere")


def test_of_models_that_are_chosen_one_after_the_other_the_last_is_loaded_and_told(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    told: list[tuple[str, bool]] = []
    session.models.changed.connect(lambda status: told.append((status.sentence, status.loading)))
    readies: list[str] = []
    session.models.ready.connect(lambda: readies.append(session.choices.settings.model_folder))
    begin_loading(qtbot, fake_engine, lambda: session.models.choose(tmp_path / "one"))
    for name in ("two", "three"):
        session.models.choose(tmp_path / name)
    fake_engine.load_gate.set()
    qtbot.waitUntil(lambda: not told[-1][1])
    assert [folder.name for folder, *_ in fake_engine.loads[1:]] == ["one", "three"]
    waits = [(f"Loading {name}…", True) for name in ("one", "two", "three")]
    assert list(dict.fromkeys(told)) == [*waits, ("Fake model", False)]
    assert readies == [str(tmp_path / "three")]
