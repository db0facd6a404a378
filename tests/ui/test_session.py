"""What the session promises to a person, with a fake engine behind the real bridge."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import CheckpointError, DocumentError, ReadingError
from rtocr_gui.ocr.reading import TASKS, Mode, Scaling, TextDelta
from rtocr_gui.settings import Settings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.open_documents import OpenDocuments
from rtocr_gui.ui.state.notices import Offer
from rtocr_gui.ui.state.open_pages import RemovedPages
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.page_texts import EARLIER_VERSION
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, Loss, ModelStatus, OverwriteQuestion, PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.page_model import PageModel
from tests.broken_files import PASSWORD, encrypted_pdf
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_loading,
    begin_reading,
    emissions,
    export_text,
    held_lane,
    open_and_load,
    read_selected,
    until_idle,
    until_loaded,
    until_reading_begins,
    wait_until_idle,
)


@pytest.fixture
def begun(session: Session) -> list[int]:
    """The number of each page whose reading began, in order."""
    told: list[int] = []
    session.texts.page_status_changed.connect(
        lambda status: told.append(status.ref.index + 1) if status.state is PageState.READING else None
    )
    return told


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


@pytest.mark.parametrize("then", ["nothing", "stop"])
def test_what_is_typed_stays_where_the_stop_of_a_reading_comes_too_late(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    then: str,
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    monkeypatch.setattr(bridge, "stop", lambda _: None)
    session.edit_text("typed")
    if then == "stop":
        session.stop()
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text == "typed"


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
    assert notices == ["b.png, page 1: The model could not read this page."]


def test_the_first_of_many_files_is_shown_before_the_others_are_opened(
    qtbot: QtBot, session: Session, bridge: EngineBridge, draw_page: Draw
) -> None:
    told: list[str] = []
    bridge.document_opened.connect(lambda reply: told.append(reply.path.name))
    session.page_image_changed.connect(lambda _: told.append("picture"))
    session.open_files(draw_page(name) for name in ("a.png", "b.png", "c.png"))
    qtbot.waitUntil(lambda: len(told) == 4)
    assert told == ["a.png", "picture", "b.png", "c.png"]


def test_one_broken_file_among_good_ones_does_not_stop_the_others(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, notices: list[str]
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    session.open_files([draw_page("a.png"), broken, draw_page("c.png")])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2 and len(notices) == 1)
    assert notices[0].startswith("broken.png: ")


def test_stop_keeps_what_was_read_and_forgets_the_rest(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
) -> None:
    open_and_load(qtbot, session, draw_page(name="three.tiff", pages=3))
    until_reading_begins(qtbot, fake_engine, session.read_all)
    until_idle(qtbot, session, session.stop)
    assert session.current_text == "page"
    ended = [status.state for status in states.values() if status.state is not PageState.UNREAD]
    assert ended == [PageState.STOPPED]


def test_pages_that_wait_are_shown_so_until_they_are_read_or_reading_is_stopped(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    def shown() -> list[PageState]:
        return [states[ref.label].state for ref in session.shelf.refs]

    open_and_load(qtbot, session, draw_page(name="three.tiff", pages=3))
    until_reading_begins(qtbot, fake_engine, session.read_all)
    assert shown() == [PageState.READING, PageState.WAITING, PageState.WAITING]
    texts = emissions(session.texts.text_changed)
    session.shelf.select(session.shelf.refs[2])
    assert texts[-1].placeholder == "Waiting to be read."
    session.shelf.select(session.shelf.refs[1])
    session.edit_text("mine")
    assert shown() == [PageState.READING, PageState.EDITED, PageState.WAITING]
    until_idle(qtbot, session, session.stop)
    assert shown() == [PageState.STOPPED, PageState.EDITED, PageState.UNREAD]
    session.shelf.select(session.shelf.refs[2])
    assert texts[-1].placeholder == "Not read yet. Press Read."


def test_read_all_goes_on_after_stop_and_begins_anew_only_where_every_page_was_read_in_just_this_way(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path, begun: list[int]
) -> None:
    def read_all() -> list[int]:
        begun.clear()
        until_idle(qtbot, session, session.read_all)
        return list(begun)

    open_and_load(qtbot, session, draw_page(name="three.tiff", pages=3))
    read_selected(qtbot, session)
    until_reading_begins(qtbot, fake_engine, session.read_all)
    until_idle(qtbot, session, session.stop)
    fake_engine.gate.set()
    assert begun == [1, 2]
    assert read_all() == [2, 3]
    assert read_all() == [1, 2, 3]
    session.set_retention(0.4)
    read_selected(qtbot, session)
    assert read_all() == [2, 3]
    session.shelf.rotate(90)
    assert read_all() == [1]
    with qtbot.waitSignal(session.models.adopted):
        session.models.choose(tmp_path / "elsewhere")
    assert read_all() == [1, 2, 3]


def test_read_all_reads_files_that_are_still_being_opened_but_none_that_are_opened_later_or_after_stop(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    def open_files(*names: str) -> None:
        session.open_files([draw_page(name=name) for name in names])

    def wait_for(*names: str) -> None:
        qtbot.waitUntil(lambda: {ref.path.name for ref in session.shelf.refs} >= set(names))
        wait_until_idle(qtbot, session)

    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    open_files("second.png", "third.png")
    session.read_all()
    wait_for("second.png", "third.png")
    open_files("later.png")
    session.read_all()
    session.stop()
    wait_for("later.png")
    open_files("last.png")
    wait_for("last.png")
    read_states = {label for label, status in states.items() if status.state is PageState.READ}
    assert read_states == {"scan.png, page 1", "second.png, page 1", "third.png, page 1"}
    assert len(fake_engine.asked) == 3  # no page was read again


@pytest.mark.parametrize("is_given", [True, False])
def test_read_all_waits_for_a_password_until_it_is_given_or_not(
    qtbot: QtBot, session: Session, tmp_path: Path, draw_page: Draw, is_given: bool
) -> None:
    locked = tmp_path / "locked.pdf"
    locked.write_bytes(encrypted_pdf())
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(session.shelf.password_needed):
        session.open_files([locked])
        session.read_all()
    qtbot.waitUntil(lambda: session.reader.activity == Activity(page=1, page_count=1, awaits_files=True))
    if is_given:
        session.shelf.open_file(locked, PASSWORD)
        qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    else:
        session.shelf.leave_locked(locked)
    wait_until_idle(qtbot, session)
    assert all(session.unsaved.loss([ref]).read for ref in session.shelf.refs)
    assert session.shelf.files_left == 0


def stop_while_it_streams(
    qtbot: QtBot, session: Session, engine: FakeEngine, ask: Callable[[], None]
) -> None:
    """Ask for a reading and stop it after its first word."""
    engine.gate.clear()
    ask()
    qtbot.waitUntil(lambda: session.current_text == "page")
    until_idle(qtbot, session, session.stop)
    engine.gate.set()


@pytest.mark.parametrize("asked_by", ["slider", "person"])
def test_a_page_that_was_read_gets_its_text_back_where_it_is_read_again_and_stopped(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
    asked_by: str,
) -> None:
    readings = emissions(session.texts.reading_changed)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    ask = session.read_selected if asked_by == "person" else lambda: session.settle_retention(0.25)
    stop_while_it_streams(qtbot, session, fake_engine, ask)
    assert session.current_text == "page 1 of scan.png at 0.76"
    assert readings[-1].text == session.current_text
    assert states["scan.png, page 1"] == PageStatus(session.shelf.current, PageState.READ, "")


def test_a_page_on_which_nothing_was_found_is_empty_again_where_another_reading_is_stopped(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    fake_engine.said = ["\n"]
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    fake_engine.said = []
    stop_while_it_streams(qtbot, session, fake_engine, session.read_selected)
    assert session.current_text.strip() == ""


def test_typed_text_comes_back_where_the_reading_that_should_replace_it_is_stopped(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    stop_while_it_streams(
        qtbot, session, fake_engine, lambda: session.read_replacing((session.shelf.current,))
    )
    assert session.current_text == "mine"
    assert states["scan.png, page 1"].state is PageState.EDITED
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_who_undoes_all_typing_edited_nothing(
    qtbot: QtBot, session: Session, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    text = session.current_text
    session.edit_text(f"{text} and mine")
    assert states["scan.png, page 1"].state is PageState.EDITED
    with qtbot.waitSignal(session.texts.summary_changed) as told:
        session.edit_text(text)
    assert "edited" not in told.args[0]
    assert states["scan.png, page 1"].state is PageState.READ
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_a_beginning_replaces_a_beginning(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page())
    stop_while_it_streams(qtbot, session, fake_engine, session.read_selected)
    fake_engine.said = ["pages", " and"]
    fake_engine.gate.clear()
    session.read_selected()
    qtbot.waitUntil(lambda: session.current_text == "pages")
    until_idle(qtbot, session, session.stop)
    assert session.current_text == "pages"
    assert states["scan.png, page 1"].state is PageState.STOPPED


def test_a_page_that_is_stopped_before_the_model_began_is_as_it_was_before(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    states: dict[str, PageStatus],
) -> None:
    open_and_load(qtbot, session, draw_page())
    with held_lane(bridge._model_lane):
        session.read_selected()
        session.stop()
    qtbot.waitUntil(lambda: not session.reader.activity.reading)
    assert [status.state for status in states.values()] == [PageState.UNREAD]
    read_selected(qtbot, session)


def test_a_page_that_is_stopped_before_the_model_began_has_not_failed_where_it_cannot_be_rendered(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    states: dict[str, PageStatus],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendering, is_stopped = threading.Event(), threading.Event()

    def render(_documents: OpenDocuments, _ref: PageRef) -> None:
        rendering.set()
        is_stopped.wait()
        raise DocumentError("The file is damaged.")

    open_and_load(qtbot, session, draw_page())
    monkeypatch.setattr(OpenDocuments, "page", render)
    session.read_selected()
    qtbot.waitUntil(rendering.is_set)
    session.stop()
    is_stopped.set()
    wait_until_idle(qtbot, session)
    assert [status.state for status in states.values()] == [PageState.UNREAD]


def test_typed_text_is_not_replaced_without_asking(qtbot: QtBot, session: Session, draw_page: Draw) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    with qtbot.waitSignal(session.overwrite_questioned) as asked:
        session.read_selected()
    question: OverwriteQuestion = asked.args[0]
    assert question.edited == {session.shelf.current}
    assert session.current_text == "mine"
    session.read_replacing(question.refs)
    qtbot.waitUntil(lambda: session.current_text.startswith("page 1") and not session.reader.activity.reading)
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_pages_that_left_while_the_person_was_asked_are_not_read(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    kept, removed = session.shelf.refs
    session.edit_text("mine")
    with qtbot.waitSignal(session.overwrite_questioned) as asked:
        session.read((kept, removed))
    question: OverwriteQuestion = asked.args[0]
    assert (question.refs, question.edited) == ((kept, removed), {kept})
    session.remove_pages((removed,))
    session.read_replacing(question.refs)
    assert session.reader.activity.page_count == 1
    wait_until_idle(qtbot, session)
    assert session.current_text.startswith("page 1")


def test_letting_the_slider_go_reads_a_read_page_again(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.settle_retention(0.25)
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.25") and not session.reader.activity.reading)


def test_letting_the_slider_go_leaves_a_corrected_page_alone(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    asked = emissions(session.overwrite_questioned)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan.retention == 0.25):
        session.settle_retention(0.25)
    assert not asked
    assert not session.reader.activity.reading
    assert session.current_text == "mine"


def test_letting_the_slider_go_counts_for_a_corrected_page_that_is_about_to_be_read_again(
    qtbot: QtBot, session: Session, bridge: EngineBridge, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("mine")
    with held_lane(bridge._model_lane):
        session.read_replacing((session.shelf.current,))
        session.settle_retention(0.25)
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.25") and not session.reader.activity.reading)


def test_letting_the_slider_go_reads_nothing_where_the_person_switched_that_off(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    before = session.current_text
    session.choices.remember(reread_on_release=False)
    with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan.retention == 0.25):
        session.settle_retention(0.25)
    assert not session.reader.activity.reading
    assert session.current_text == before


def test_moving_the_slider_during_a_reading_starts_it_over_at_the_new_ratio(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.settle_retention(0.3)
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.30") and not session.reader.activity.reading)


def test_pages_that_wait_are_not_read_at_a_ratio_that_the_slider_passes_over(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    session.settle_retention(0.8)
    until_reading_begins(qtbot, fake_engine, session.read_all)
    session.set_retention(0.2)
    assert session.planner.plan is not None
    until_idle(qtbot, session, fake_engine.gate.set)
    texts = []
    for ref in session.shelf.refs:
        session.shelf.select(ref)
        texts.append(session.current_text)
    assert [text.rpartition(" at ")[2] for text in texts] == 3 * ["0.80"]
    session.read_all()
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text.endswith("at 0.20")


def test_a_page_whose_slider_is_let_go_is_read_before_those_that_wait(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, begun: list[int]
) -> None:
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    until_reading_begins(qtbot, fake_engine, session.read_all)
    session.settle_retention(0.3)
    until_idle(qtbot, session, fake_engine.gate.set)
    assert begun == [1, 1, 2, 3]


def test_a_page_that_waits_goes_first_once_its_slider_is_let_go(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, begun: list[int]
) -> None:
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    session.shelf.select(session.shelf.refs[2])
    read_selected(qtbot, session)
    begun.clear()
    fake_engine.gate.clear()
    session.read_all()
    session.settle_retention(0.3)
    until_idle(qtbot, session, fake_engine.gate.set)
    assert begun == [1, 3, 2]


def test_another_mode_gives_another_plan(qtbot: QtBot, session: Session, draw_page: Draw) -> None:
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(
        session.planner.plan_changed, check_params_cb=lambda plan: plan is not None
    ) as caught:
        session.set_mode(Mode.GUNDAM)
    assert len(caught.args[0].norms) == 856


def test_exported_markdown_holds_every_page_that_has_text(
    qtbot: QtBot, session: Session, draw_page: Draw, states: dict[str, PageStatus], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.read_all()
    qtbot.waitUntil(lambda: len(states) == 2 and not session.reader.activity.reading)
    session.edit_text("mine")
    export_text(qtbot, session, tmp_path / "out.md")
    written = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "mine" in written
    assert "page 2 of two.tiff" in written
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_an_export_that_fails_is_told_and_the_edits_still_count_as_unsaved(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, notices: list[str]
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    export_text(qtbot, session, tmp_path)
    assert len(notices) == 1
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_a_picture_without_a_file_is_stored_off_the_main_thread_and_shown(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    stored_on: list[threading.Thread] = []

    class Picture(QImage):
        def save(self, *where: object) -> bool:
            stored_on.append(threading.current_thread())
            return super().save(*where)

    open_and_load(qtbot, session, draw_page())
    picture = Picture(90, 60, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    with qtbot.waitSignal(session.page_image_changed) as caught:
        session.shelf.open_picture(picture, tmp_path / "pasted.png")
    assert session.shelf.current.path == tmp_path / "pasted.png"
    assert caught.args == [picture]
    (thread,) = stored_on
    assert thread is not threading.main_thread()


def test_a_picture_that_cannot_be_stored_is_told_so(
    qtbot: QtBot, session: Session, notices: list[str], tmp_path: Path
) -> None:
    with qtbot.waitSignal(session.notice_raised):
        session.shelf.open_picture(
            QImage(90, 60, QImage.Format.Format_RGB32), tmp_path / "nowhere" / "pasted.png"
        )
    assert notices == ["pasted.png: The image could not be saved to a file. Free some space, and try again."]
    assert session.shelf.refs == ()


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
    with held_lane(bridge._document_lane):
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


def test_a_removed_page_is_gone_and_its_neighbour_is_shown(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first = session.shelf.current
    session.remove_pages((first,))
    assert len(session.shelf.refs) == 1
    assert session.shelf.current is not None
    assert session.shelf.current.index == 1


def test_pages_that_went_meanwhile_are_not_removed_again(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first, second = session.shelf.refs
    session.remove_pages((first,))
    session.remove_pages((first, second))
    assert session.shelf.refs == ()


def test_a_file_that_is_opened_anew_while_it_is_removed_stays_open(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.open_files([path])
    session.remove_pages(session.shelf.refs)
    with qtbot.waitSignal(session.page_image_changed):
        qtbot.waitUntil(lambda: len(session.shelf.refs) == 1)


@pytest.fixture
def offers(session: Session) -> list[Offer]:
    """What the session offers, in order."""
    made: list[Offer] = []
    session.notice_raised.connect(lambda notice: made.extend(notice.offers))
    return made


def test_pages_that_were_removed_come_back_to_their_places_with_text_and_state(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    states: dict[str, PageStatus],
    notices: list[str],
    offers: list[Offer],
) -> None:
    open_and_load(qtbot, session, draw_page("book.tiff", pages=4), draw_page("last.png"))
    book = session.shelf.refs
    until_idle(qtbot, session, lambda: session.read(book[:2]))
    session.edit_text("mine")
    states.clear()
    session.remove_pages((*book[:2], book[3]))
    assert notices == ["Removed 3 pages."]
    session.take_offer(offers[0])
    assert session.shelf.refs == book
    assert session.shelf.current == book[0]
    assert session.current_text == "mine"
    assert states[book[0].label].state is PageState.EDITED
    assert states[book[1].label].state is PageState.READ
    assert session.unsaved.loss(book) == Loss(typed=1, read=1, in_hand=0)
    session.shelf.select(book[1])
    assert session.current_text.startswith("page 2 of book.tiff")


def test_a_page_that_is_only_a_picture_comes_back_too(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, offers: list[Offer]
) -> None:
    fake_engine.said = ["<|ref|>image<|/ref|><|det|>[[0, 0, 999, 500]]<|/det|>"]
    open_and_load(qtbot, session, draw_page())
    refs = session.shelf.refs
    until_idle(qtbot, session, session.read_all)
    session.remove_pages(refs)
    session.take_offer(offers[0])
    assert session.exporter.has_content(refs)


def test_the_picture_of_a_page_comes_back_too_and_no_other_page_of_its_file(
    qtbot: QtBot, session: Session, draw_page: Draw, offers: list[Offer]
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first, second = session.shelf.refs
    session.remove_pages((first,))
    assert not offers, "there was no text to lose"
    session.edit_text("mine")
    session.shelf.rotate(90)
    session.remove_pages((second.rotated(90),))
    with qtbot.waitSignal(session.page_image_changed) as shown:
        session.take_offer(offers[0])
    assert (shown.args[0].width(), shown.args[0].height()) == (500, 400)
    assert session.shelf.refs == (second.rotated(90),)
    until_idle(qtbot, session, lambda: session.read_replacing(session.shelf.refs))
    assert session.current_text.startswith("page 2 of two.tiff")


def test_of_an_encrypted_file_come_back_the_pages_that_were_removed_and_no_others(
    qtbot: QtBot, session: Session, tmp_path: Path, offers: list[Offer]
) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf(pages=3))
    asked: list[Path] = []
    session.shelf.password_needed.connect(lambda question: asked.append(question.path))
    session.shelf.password_needed.connect(lambda question: session.shelf.open_file(question.path, PASSWORD))
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    first, second, third = session.shelf.refs
    session.shelf.select(second)
    session.edit_text("mine")
    session.remove_pages((first, third))
    session.remove_pages((second,))
    session.take_offer(offers[0])
    qtbot.waitUntil(lambda: len(asked) == 2)
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.rotate(90)
    session.shelf.rotate(270)
    assert asked == [path, path]
    assert session.shelf.refs == (second,)
    session.open_files([path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)


def test_an_encrypted_file_whose_password_was_not_given_for_a_page_that_came_back_is_opened_whole_later(
    qtbot: QtBot, session: Session, tmp_path: Path, offers: list[Offer]
) -> None:
    def open_with_password() -> None:
        with qtbot.waitSignal(session.page_image_changed):
            session.shelf.open_file(path, PASSWORD)

    def until_asked(ask: Callable[[], None]) -> None:
        with qtbot.waitSignal(session.shelf.password_needed):
            ask()

    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf(pages=2))
    until_asked(lambda: session.open_files([path]))
    open_with_password()
    session.edit_text("mine")
    session.remove_pages(session.shelf.refs)
    until_asked(lambda: session.take_offer(offers[0]))
    assert len(session.shelf.refs) == 2
    session.remove_pages(session.shelf.refs[1:])
    until_asked(lambda: session.open_files([path]))
    open_with_password()
    assert len(session.shelf.refs) == 2


def test_an_encrypted_page_that_came_back_is_shown_once_its_password_is_given(
    qtbot: QtBot, session: Session, bridge: EngineBridge, tmp_path: Path, offers: list[Offer]
) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf(pages=2))
    with qtbot.waitSignal(session.shelf.password_needed):
        session.open_files([path])
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.open_file(path, PASSWORD)
    session.edit_text("mine")
    session.remove_pages(session.shelf.refs)
    qtbot.waitUntil(lambda: not bridge._documents._documents)  # until it is closed, its pages can be shown
    with qtbot.waitSignals([session.shelf.password_needed, session.shelf.page_failed]):
        session.take_offer(offers[0])
    with qtbot.waitSignals([session.page_image_changed, session.shelf.pages_changed]):
        session.shelf.open_file(path, PASSWORD)


def test_choosing_what_was_chosen_already_is_no_change(qtbot: QtBot, session: Session) -> None:
    session.choices.remember(text_zoom=3)
    with qtbot.assertNotEmitted(session.choices.changed):
        session.choices.remember(text_zoom=3)


@pytest.mark.parametrize("leaving", [(1, 2), (1, 2, 3), (3, 2), (3, 0, 2), (0, 1, 2, 3)])
def test_pages_that_were_removed_one_by_one_come_back_to_their_places(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    offers: list[Offer],
    leaving: tuple[int, ...],
) -> None:
    open_and_load(qtbot, session, draw_page("book.tiff", pages=4))
    book = session.shelf.refs
    for index in leaving:
        session.shelf.select(book[index])
        session.edit_text("mine")
        session.remove_pages((book[index],))
    for offer in reversed(offers):
        session.take_offer(offer)
    assert session.shelf.refs == book


def test_a_page_that_was_removed_while_it_was_read_comes_back_as_it_was_before(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    states: dict[str, PageStatus],
    offers: list[Offer],
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    fake_engine.gate.clear()
    session.read_replacing(session.shelf.refs)
    qtbot.waitUntil(lambda: session.current_text.startswith("page"))
    session.remove_pages(session.shelf.refs)
    session.take_offer(offers[0])
    assert session.current_text == "mine"
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text == "mine"
    assert states["scan.png, page 1"].state is PageState.EDITED
    until_idle(qtbot, session, lambda: session.read_replacing(session.shelf.refs))
    assert session.current_text.startswith("page 1 of scan.png")


def test_a_page_that_comes_back_takes_the_place_of_itself_opened_again_but_of_no_text(
    qtbot: QtBot, session: Session, draw_page: Draw, offers: list[Offer]
) -> None:
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    first, second = session.shelf.refs
    for text in ("one", "two"):
        session.edit_text(text)
        session.remove_pages((session.shelf.current,))
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    session.shelf.rotate(90)
    session.shelf.select(second)
    session.edit_text("newer")
    for offer in tuple(offers):
        session.take_offer(offer)
    assert session.shelf.refs == (first, second)
    assert session.current_text == "one"
    session.shelf.select(second)
    assert session.current_text == "newer"


def test_a_notice_tells_pages_of_files_of_one_name_apart(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    tmp_path: Path,
    draw_page: Draw,
    notices: list[str],
) -> None:
    paths = []
    for folder in ("may", "june"):
        (tmp_path / folder).mkdir()
        paths.append(draw_page().rename(tmp_path / folder / "scan.png"))
    open_and_load(qtbot, session, *paths)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    fake_engine.broken_pages = {"scan.png"}
    session.read_all()
    wait_until_idle(qtbot, session)
    assert {sentence.partition(":")[0] for sentence in notices} == {
        "may/scan.png, page 1",
        "june/scan.png, page 1",
    }


def test_a_page_that_is_open_with_newer_text_can_be_brought_back_once_that_left(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], offers: list[Offer]
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.edit_text("former")
    session.remove_pages(session.shelf.refs)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    session.edit_text("newer")
    session.take_offer(offers.pop())
    assert session.current_text == "newer"
    assert notices[-1] == (
        "scan.png, page 1 was not restored, because the list has it again, whole or in halves. "
        "Remove it from the list first."
    )
    again = offers.pop()
    session.remove_pages(session.shelf.refs)
    session.take_offer(again)
    assert session.current_text == "former"


def test_the_text_of_a_page_comes_back_where_its_file_is_gone(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], offers: list[Offer]
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.edit_text("mine")
    session.remove_pages(session.shelf.refs)
    path.unlink()
    session.take_offer(offers[0])
    qtbot.waitUntil(lambda: "scan.png: There is no such file. Check its name and location." in notices)
    assert session.current_text == "mine"


def test_the_text_of_a_page_comes_back_beside_a_newer_version_of_its_file(
    qtbot: QtBot, session: Session, draw_page: Draw, offers: list[Offer]
) -> None:
    listed = emissions(session.shelf.pages_changed)
    path = draw_page()
    open_and_load(qtbot, session, path)
    (former,) = session.shelf.refs
    session.edit_text("mine")
    session.remove_pages(session.shelf.refs)
    draw_page("other.png").replace(path)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=EARLIER_VERSION.__eq__):
        session.take_offer(offers[0])
    assert session.shelf.current == former
    assert session.current_text == "mine"
    assert [entry.detail for entry in listed[-1]] == ["earlier version", ""]


def test_what_was_read_comes_back_where_its_file_changed_and_was_opened_again(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], offers: list[Offer]
) -> None:
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    until_idle(qtbot, session, lambda: session.read(session.shelf.refs[:1]))
    former, text = session.shelf.refs, session.current_text
    draw_page("other.png").replace(path)
    session.open_files([path])
    qtbot.waitUntil(lambda: bool(offers))
    assert notices == ["two.tiff has changed and was opened again. Removed 2 pages of its earlier version."]
    assert len(session.shelf.refs) == 1
    session.take_offer(offers[0])
    assert session.shelf.refs[:2] == former
    assert session.current_text == text != ""


def test_a_changed_file_of_which_nothing_was_read_is_opened_again_without_a_word(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str]
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    draw_page("other.png").replace(path)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    assert notices == []


def test_a_page_comes_back_as_read_by_the_former_model_where_there_is_another_by_now(
    qtbot: QtBot, session: Session, draw_page: Draw, offers: list[Offer], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page(), draw_page("other.png"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    book = session.shelf.refs
    until_idle(qtbot, session, lambda: session.read(book))
    session.remove_pages(book[:1])
    with qtbot.waitSignal(session.models.adopted):
        session.models.choose(tmp_path / "elsewhere")
    session.take_offer(offers[0])
    assert session.current_text.startswith("page 1 of scan.png")
    begun: list[PageRef] = []
    session.texts.page_status_changed.connect(
        lambda status: begun.append(status.ref) if status.state is PageState.READING else None
    )
    until_idle(qtbot, session, lambda: session.read(book[1:]))
    begun.clear()
    until_idle(qtbot, session, session.read_all)
    assert begun == [book[0]]


def test_a_file_is_let_go_of_whose_page_came_back_and_left_again(
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    offers: list[Offer],
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.edit_text("mine")
    session.remove_pages(session.shelf.refs)
    closed: list[Path] = []
    monkeypatch.setattr(bridge, "close_document", closed.append)
    session.take_offer(offers[0])
    session.remove_pages(session.shelf.refs)
    assert not closed, "it may come"
    qtbot.waitUntil(lambda: closed == [path])
    assert session.shelf.refs == ()


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


def test_read_after_stop_reads_the_page_again(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.stop()
    session.read_selected()
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: session.current_text.endswith("at 0.76") and not session.reader.activity.reading)


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


@pytest.mark.parametrize("wish", ["model", "rotate"])
def test_a_page_that_was_stopped_is_not_read_for_another_model_nor_as_it_lies_now(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path, wish: str
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    session.stop()
    if wish == "rotate":
        session.shelf.rotate(90)
    else:
        with qtbot.waitSignal(session.models.ready):
            session.models.choose(tmp_path / "elsewhere")
    fake_engine.gate.set()
    wait_until_idle(qtbot, session)
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


def test_typed_text_that_waits_to_be_replaced_is_shown_as_typed_again_once_more_is_typed(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, states: dict[str, PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    begin_reading(qtbot, session, fake_engine)
    second = session.shelf.refs[1]
    session.shelf.select(second)
    session.edit_text("mine")
    session.read_replacing((second,))
    assert states[second.label].state is PageState.WAITING
    session.edit_text("all mine")
    assert states[second.label].state is PageState.EDITED
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text == "all mine"


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


def test_a_folder_opens_its_scans_and_an_empty_one_says_so(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("page 10.png", "page 9.png"):
        draw_page(name)
    session.open_files([tmp_path / "empty", tmp_path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    assert [ref.path.name for ref in session.shelf.refs] == ["page 9.png", "page 10.png"]
    assert session.shelf.current == session.shelf.refs[0]
    assert notices == ["empty: This is a folder without pictures or PDFs. Choose another."]


def test_the_scans_of_a_folder_come_before_a_file_that_was_named_after_it(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    names = ["folder/1.png", "folder/2.png", "last.png"]
    *_, last = [draw_page(name) for name in names]
    session.open_files([tmp_path / "folder", last])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    assert [ref.path for ref in session.shelf.refs] == [tmp_path / name for name in names]


def test_no_thumbnail_is_rendered_of_a_page_that_is_gone(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    gone, there = session.shelf.refs
    session.remove_pages((gone,))
    rendered: list[PageRef] = []
    monkeypatch.setattr(bridge, "render_thumbnail", rendered.append)
    for ref in (gone, there):
        session.shelf.want_thumbnail(ref)
    assert rendered == [there]


def test_two_damaged_files_of_one_name_are_told_one_by_one(
    qtbot: QtBot, session: Session, window: MainWindow, tmp_path: Path
) -> None:
    paths = [tmp_path / folder / "scan.png" for folder in ("one", "other")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(b"not a picture")
    session.open_files(paths)
    qtbot.waitUntil(lambda: len(window.notice_bar.notices) == 2)


def test_a_file_is_let_go_of_whose_page_was_removed_while_it_could_not_be_opened_again(
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    notices: list[str],
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    closed: list[Path] = []
    monkeypatch.setattr(bridge, "close_document", closed.append)
    path.write_bytes(b"not a picture")
    session.open_files([path])
    session.remove_pages(session.shelf.refs)
    assert not closed, "it may come"
    qtbot.waitUntil(lambda: len(notices) == 1)
    assert closed == [path]


def test_files_of_one_name_are_listed_with_what_of_their_folders_tells_them_apart(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    listed = emissions(session.shelf.pages_changed)
    for folder in ("2025/bills", "2026/bills"):
        (tmp_path / folder).mkdir(parents=True)
    paths = [draw_page(name) for name in ("2025/bills/scan.png", "2026/bills/scan.png", "letter.png")]
    with qtbot.waitSignal(session.shelf.pages_changed, check_params_cb=lambda entries: len(entries) == 3):
        session.open_files(paths)
    details = {entry.key.path: entry.detail for entry in listed[-1]}
    years = [str(Path(year, "bills")) for year in ("2025", "2026")]
    assert [details[path] for path in paths] == [f"in {years[0]}", f"in {years[1]}", ""]


def test_a_file_is_listed_once_whatever_way_it_is_named(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    path = draw_page()
    (tmp_path / "aside").mkdir()
    open_and_load(qtbot, session, path, draw_page("other.png"))
    with qtbot.waitSignal(session.page_selected):
        session.open_files([tmp_path / "aside" / ".." / path.name])
    assert [ref.path.name for ref in session.shelf.refs] == ["scan.png", "other.png"]
    assert session.choices.settings.recent_files[0] == str(path)


def test_a_page_of_a_file_that_changed_is_never_read_in_its_place(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str]
) -> None:
    open_and_load(qtbot, session, draw_page("scan.png"))
    session.edit_text("old and mine")
    old = session.shelf.current
    draw_page("other.png").replace(old.path)
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([old.path])
    qtbot.waitUntil(lambda: session.shelf.current != old)
    session.edit_text("new and mine")
    session.read_replacing((old,))
    qtbot.waitUntil(lambda: any("has changed" in notice for notice in notices))
    assert session.current_text == "new and mine"
    assert session.unsaved.loss(session.shelf.refs).typed == 2


def test_a_file_that_was_put_back_is_shown_again_when_it_is_opened_again(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    path.rename(away)
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=lambda text: "no longer" in text):
        session.shelf.select(session.shelf.refs[1])
    away.rename(path)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
        session.shelf.select(session.shelf.refs[1])


def see_picture(qtbot: QtBot, session: Session, ref: PageRef) -> None:
    """Show a page, and wait for its picture."""
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.select(ref)


def miss_picture(qtbot: QtBot, session: Session, ref: PageRef) -> None:
    """Show a page whose file is away, and wait for what stands in place of its picture."""
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=lambda text: "no longer" in text):
        session.shelf.select(ref)


def test_a_page_without_picture_and_text_failed_until_its_file_is_put_back(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, states: dict[str, PageStatus]
) -> None:
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    path.rename(away)
    miss_picture(qtbot, session, session.shelf.refs[1])
    lost = states["two.tiff, page 2"]
    assert (lost.state, "no longer" in lost.sentence) == (PageState.FAILED, True)
    away.rename(path)
    session.shelf.select(session.shelf.refs[0])
    see_picture(qtbot, session, session.shelf.refs[1])
    assert states["two.tiff, page 2"] == PageStatus(session.shelf.refs[1], PageState.UNREAD, "")


def test_a_page_without_picture_is_not_told_besides_to_have_no_plan(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    tmp_path: Path,
    notices: list[str],
) -> None:
    failures = emissions(bridge.request_failed)
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    path.rename(tmp_path / "away")
    miss_picture(qtbot, session, session.shelf.refs[1])
    qtbot.waitUntil(lambda: len(failures) == 2)
    assert notices == []


def test_an_edited_page_stays_edited_while_its_file_is_away_and_once_it_is_put_back(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, states: dict[str, PageStatus]
) -> None:
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    read_selected(qtbot, session)
    session.edit_text("mine")
    edited = session.shelf.current
    see_picture(qtbot, session, session.shelf.refs[1])
    path.rename(away)
    miss_picture(qtbot, session, edited)
    assert states[edited.label].state is PageState.EDITED
    away.rename(path)
    see_picture(qtbot, session, session.shelf.refs[1])
    see_picture(qtbot, session, edited)
    assert states[edited.label].state is PageState.EDITED
    assert session.current_text == "mine"


def test_why_a_reading_ended_is_still_told_after_the_picture_was_away(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
    states: dict[str, PageStatus],
) -> None:
    fake_engine.looping = {Mode.TINY}
    path, away = draw_page("two.tiff", pages=2), tmp_path / "away"
    open_and_load(qtbot, session, path)
    read_selected(qtbot, session)
    looped = session.shelf.current
    told = states[looped.label]
    assert "repeat itself" in told.sentence
    see_picture(qtbot, session, session.shelf.refs[1])
    path.rename(away)
    miss_picture(qtbot, session, looped)
    away.rename(path)
    see_picture(qtbot, session, session.shelf.refs[1])
    see_picture(qtbot, session, looped)
    assert states[looped.label] == told


def test_a_page_that_is_being_read_is_shown_so_though_its_file_went_away(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
    states: dict[str, PageStatus],
) -> None:
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    begin_reading(qtbot, session, fake_engine)
    being_read = session.shelf.current
    see_picture(qtbot, session, session.shelf.refs[1])
    path.rename(tmp_path / "away")
    miss_picture(qtbot, session, being_read)
    assert states[being_read.label].state is PageState.READING


def test_an_earlier_version_of_a_file_keeps_its_state_and_says_that_only_its_text_is_left(
    qtbot: QtBot, session: Session, draw_page: Draw, states: dict[str, PageStatus], notices: list[str]
) -> None:
    messages = emissions(session.page_message_changed)
    open_and_load(qtbot, session, draw_page("scan.png"))
    session.edit_text("old and mine")
    old = session.shelf.current
    draw_page("other.png").replace(old.path)
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([old.path])
    qtbot.waitUntil(lambda: session.shelf.current != old)
    session.shelf.select(old)
    qtbot.waitUntil(lambda: "only its text is left" in messages[-1])
    assert states[old.label].state is PageState.EDITED
    assert notices == []


def test_a_page_that_cannot_be_encoded_keeps_its_picture(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages: list[str] = []
    open_and_load(qtbot, session, draw_page())
    session.page_message_changed.connect(messages.append)

    def fail(*_: object) -> None:
        raise ReadingError("There is not enough memory.")

    monkeypatch.setattr(fake_engine, "encode", fail)
    with qtbot.waitSignal(session.notice_raised):
        session.set_mode(Mode.LARGE)
    assert notices == ["scan.png, page 1: There is not enough memory."]
    assert not messages


def test_the_persons_own_pages_take_the_place_of_sample_pages(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    notices = emissions(session.notice_raised)
    session.open_samples([draw_page("letter.png"), draw_page("prices.png")])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    session.open_files([draw_page("mine.png")])
    qtbot.waitUntil(lambda: [ref.path.name for ref in session.shelf.refs] == ["mine.png"])
    assert session.shelf.current == session.shelf.refs[0]
    assert not notices


def test_a_sample_page_is_no_loss_and_can_be_restored_once_it_was_read_and_stays_once_it_was_edited(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    notices = emissions(session.notice_raised)
    session.models.load()
    session.open_samples([draw_page("letter.png"), draw_page("prices.png")])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    session.read_all()
    wait_until_idle(qtbot, session)
    assert session.unsaved.loss(session.shelf.refs) == Loss(typed=0, read=0, in_hand=0)
    session.edit_text("What I typed.")
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    session.open_files([draw_page("mine.png")])
    qtbot.waitUntil(lambda: [ref.path.name for ref in session.shelf.refs] == ["letter.png", "mine.png"])
    assert notices[-1].sentence == "The sample pages were removed to make room for yours."
    (offer,) = notices[-1].offers
    session.take_offer(offer)
    assert [ref.path.name for ref in session.shelf.refs] == ["letter.png", "prices.png", "mine.png"]
    assert session.current_text.startswith("page 1 of prices.png")


@pytest.mark.parametrize(("interval_ms", "fewest", "most"), [(2**30, 2, 2), (0, 3, 10)])
def test_the_list_is_told_of_many_files_at_once_and_of_their_states(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    interval_ms: int,
    fewest: int,
    most: int,
) -> None:
    session.shelf.findChild(QTimer).setInterval(interval_ms)
    listed = emissions(session.shelf.pages_changed)
    paths = [draw_page(f"{number}.png") for number in range(10)]
    session.open_files(paths)
    session.read_all()
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    assert [ref.path for ref in session.shelf.refs] == paths
    assert fewest <= len(listed) <= most
    model = window.page_list.findChild(PageModel)
    assert [model.row(position).entry.key for position in range(model.rowCount())] == list(session.shelf.refs)
    assert PageState.UNREAD not in {model.row(position).state for position in range(10)}


def test_the_list_is_told_of_many_files_that_are_opened_again_at_once_too(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    paths = [draw_page(f"{number}.png") for number in range(10)]
    session.open_files(paths)
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    session.remove_pages(session.shelf.refs[3:5])
    session.shelf.findChild(QTimer).setInterval(2**30)
    listed = emissions(session.shelf.pages_changed)
    session.open_files(paths)
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    assert [ref.path for ref in session.shelf.refs] == [*paths[:3], *paths[5:], *paths[3:5]]
    assert [entry.key for entry in listed[-1]] == list(session.shelf.refs)
    assert len(listed) <= 2


def test_pages_of_a_file_that_changed_leave_the_list_at_once_though_more_files_are_coming(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    paths = [draw_page(f"{number}.png") for number in range(5)]
    session.open_files(paths)
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    draw_page("other.png").replace(paths[2])
    session.shelf.findChild(QTimer).setInterval(2**30)
    model = window.page_list.findChild(PageModel)
    left: list[bool] = []

    def look(removed: RemovedPages) -> None:
        left.extend(model.position(page.ref) is None for page in removed.pages)

    session.shelf.pages_outdated.connect(look)
    session.open_files(paths)
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    assert left == [True]
    assert [ref.path for ref in session.shelf.refs] == [*paths[:2], *paths[3:], paths[2]]


def test_a_page_is_in_the_list_before_it_is_shown_though_more_files_are_coming(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    session.shelf.findChild(QTimer).setInterval(2**30)
    are_current: list[bool] = []

    def go_down() -> None:
        session.shelf.show_neighbour(down=True)
        are_current.append(window.page_list.current_key == session.shelf.current == session.shelf.refs[-1])

    session.shelf.pages_opened.connect(go_down)
    session.open_files(draw_page(f"{number}.png") for number in range(5))
    qtbot.waitUntil(lambda: len(are_current) == 5)
    assert all(are_current)


def test_sample_pages_opened_beside_the_persons_own_stay_until_the_next_file(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    samples = [draw_page("letter.png"), draw_page("prices.png")]
    session.open_samples(samples)
    session.open_files([draw_page("mine.png")])  # before the last sample has come
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    assert [ref.path.name for ref in session.shelf.refs] == ["mine.png"]
    session.open_samples(samples)
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    assert [ref.path.name for ref in session.shelf.refs] == ["mine.png", "letter.png", "prices.png"]
    session.open_files([draw_page("other.png")])
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    assert [ref.path.name for ref in session.shelf.refs] == ["mine.png", "other.png"]


@pytest.mark.parametrize("by_folder", [False, True])
def test_a_sample_file_that_the_person_opens_is_the_persons_own(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, by_folder: bool
) -> None:
    samples = [draw_page("letter.png"), draw_page("prices.png")]
    (tmp_path / "own").mkdir()
    own = draw_page("own/own.png")
    session.open_samples(samples)
    session.open_files([own])
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    session.open_files([tmp_path if by_folder else samples[0]])
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    opened = samples if by_folder else samples[:1]
    assert {ref.path for ref in session.shelf.refs} == {own, *opened}
    session.open_samples(samples)
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    session.open_files([draw_page("own/other.png")])
    qtbot.waitUntil(lambda: session.shelf.files_left == 0)
    assert {ref.path for ref in session.shelf.refs} == {own, *opened, tmp_path / "own" / "other.png"}


def test_pages_that_left_while_a_file_was_being_named_do_not_cost_that_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    notices = emissions(session.notice_raised)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    (tmp_path / "out.md").write_text("before")
    refs = session.shelf.refs
    session.remove_pages(refs)
    session.exporter.export_text(tmp_path / "out.md", refs)
    assert notices[-1].sentence == "out.md: not written: its pages are no longer in the list."
    assert (tmp_path / "out.md").read_text() == "before"
