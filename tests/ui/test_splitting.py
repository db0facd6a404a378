"""Splitting pages into halves and joining them again: places, texts, and what is opened once more."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import Half
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.notices import BringBack, Notice
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.page_model import PageModel, PageRow
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    emissions,
    export_text,
    open_and_load,
    read_selected,
    until_idle,
    until_reading_begins,
)

HALVES = [Half.LEFT, Half.RIGHT]


def listed(session: Session) -> list[tuple[int, Half | None]]:
    """Page numbers from 1 and halves, in the order of the list."""
    return [(ref.index + 1, ref.half) for ref in session.shelf.refs]


def rows(window: MainWindow) -> list[PageRow]:
    """What the list shows of each page."""
    model = window.page_list.findChild(PageModel)
    return [model.row(position) for position in range(model.rowCount())]


def take(window: MainWindow, name: str) -> None:
    action = window.actions_by_name[name]
    assert action.isEnabled()
    action.trigger()


def split_and_remove_left(qtbot: QtBot, window: MainWindow, session: Session, path: Path) -> list[Notice]:
    """Type on the left half of a page and remove it; returns the notices from then on."""
    open_and_load(qtbot, session, path)
    take(window, "split_beside")
    session.shelf.set_selection(session.shelf.refs[:1])
    session.edit_text("left")
    notices = emissions(session.notice_raised)
    take(window, "remove")
    return notices


def test_a_page_becomes_two_in_its_place_and_one_again(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3))
    session.shelf.select(session.shelf.refs[1])
    before = session.shelf.refs
    with qtbot.waitSignal(session.page_image_changed) as shown:
        take(window, "split_above")
    assert listed(session) == [(1, None), (2, Half.TOP), (2, Half.BOTTOM), (3, None)]
    assert session.shelf.current == session.shelf.refs[1]
    assert shown.args[0].height() < shown.args[0].width()
    assert session.shelf.selected == session.shelf.refs[1:3]
    assert [row.entry.detail for row in rows(window)[1:3]] == ["Page 2, top", "Page 2, bottom"]
    take(window, "join")
    assert session.shelf.refs == before
    assert session.shelf.current == before[1]


def test_both_halves_are_read_and_exported_in_order(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    fake_engine: FakeEngine,
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, draw_page())
    take(window, "split_beside")
    read_selected(qtbot, session)
    assert len(fake_engine.asked) == 2
    export_text(qtbot, session, tmp_path / "out.md")
    said = (tmp_path / "out.md").read_text(encoding="utf-8")
    places = [said.index(f"<!-- page: scan.png, page 1, {side} half -->") for side in ("left", "right")]
    assert places == sorted(places)


def test_all_selected_pages_are_split_and_only_the_halves_joined(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3))
    assert not window.actions_by_name["join"].isEnabled()
    session.shelf.set_selection(session.shelf.refs[:2])
    take(window, "split_beside")
    assert listed(session) == [*((page, half) for page in (1, 2) for half in HALVES), (3, None)]
    assert session.shelf.selected == session.shelf.refs[:4]
    session.shelf.set_selection(session.shelf.refs[3:])
    take(window, "join")
    assert listed(session) == [(1, Half.LEFT), (1, Half.RIGHT), (2, None), (3, None)]
    session.shelf.set_selection(session.shelf.refs[2:])
    assert not window.actions_by_name["join"].isEnabled()


def test_halves_are_split_again_and_joined_step_by_step_or_at_once(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=2))
    take(window, "split_beside")
    take(window, "split_above")
    quarters = session.shelf.refs[:4]
    assert [row.entry.detail for row in rows(window)] == [
        *(f"Page 1, {side}, {end}" for side in ("left", "right") for end in ("top", "bottom")),
        "Page 2",
    ]
    session.shelf.set_selection(quarters[1:2])
    take(window, "join")
    assert [ref.part for ref in session.shelf.refs] == [
        "left half",
        "right half, top half",
        "right half, bottom half",
        "",
    ]
    session.shelf.set_selection(session.shelf.refs[:1])
    take(window, "join")
    assert [ref.part for ref in session.shelf.refs] == ["", ""]
    take(window, "split_above")
    take(window, "split_above")
    assert session.shelf.refs[0].part == "part 1 of 4"
    take(window, "join")
    assert [ref.part for ref in session.shelf.refs] == ["top half", "bottom half", ""]


def test_parts_of_a_page_that_are_rotated_together_stay_in_the_order_in_which_they_are_read(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    take(window, "split_beside")
    session.shelf.set_selection(session.shelf.refs[:1])
    take(window, "split_above")
    session.shelf.set_selection(session.shelf.refs)
    session.shelf.rotate(180)
    assert [ref.part for ref in session.shelf.refs] == [
        "left half",
        "right half, top half",
        "right half, bottom half",
    ]


@pytest.mark.usefixtures("agreeing")
@pytest.mark.parametrize("are_all", [True, False])
def test_parts_come_back_over_the_page_that_was_opened_anew_if_they_show_all_of_it(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, are_all: bool
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    take(window, "split_beside")
    session.shelf.set_selection(session.shelf.refs[1:])
    take(window, "split_above")
    parts = session.shelf.refs
    for ref in parts:
        session.shelf.select(ref)
        session.edit_text(ref.part)
    if not are_all:
        session.shelf.remove(parts[1:2])
    session.shelf.set_selection(session.shelf.refs)
    notices = emissions(session.notice_raised)
    take(window, "remove")
    with qtbot.waitSignal(session.shelf.pages_opened):
        session.open_files([path])
    session.take_offer(notices[0].offers[0])
    assert session.shelf.refs == (parts if are_all else (parts[0].whole,))


def test_halves_of_a_page_that_waits_to_be_read_wait_in_its_place(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, fake_engine: FakeEngine
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3))
    until_reading_begins(qtbot, fake_engine, session.read_all)
    session.shelf.select(session.shelf.refs[1])
    take(window, "split_above")
    assert [row.state for row in rows(window)] == [PageState.READING] + [PageState.WAITING] * 3
    until_idle(qtbot, session, fake_engine.gate.set)
    assert [row.state for row in rows(window)] == [PageState.READ] * 4


def test_a_half_is_not_compared_with_the_true_text_of_the_page(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    path = draw_page()
    path.with_suffix(".txt").write_text("page 1 of scan.png at 0.76", encoding="utf-8")
    open_and_load(qtbot, session, path)
    take(window, "split_beside")
    with qtbot.waitSignal(session.tuning.curve_changed, check_params_cb=lambda curve: curve.is_whole) as told:
        session.tuning.read_curve()
    assert told.args[0].truth is None


def test_a_rotated_page_is_split_as_it_lies_and_joined_as_it_lies(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.shelf.rotate(90)
    take(window, "split_beside")
    assert [ref.part for ref in session.shelf.refs] == ["left half", "right half"]
    session.shelf.set_selection(session.shelf.refs[1:])
    session.shelf.rotate(90)
    assert [ref.rotation_deg for ref in session.shelf.refs] == [90, 180]
    take(window, "join")
    assert [ref.rotation_deg for ref in session.shelf.refs] == [90]


def test_a_page_is_joined_as_its_first_part_lies(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    take(window, "split_beside")
    session.shelf.set_selection(session.shelf.refs[:1])
    take(window, "split_above")
    session.shelf.set_selection(session.shelf.refs[2:])
    session.shelf.rotate(180)
    take(window, "join")
    assert [ref.rotation_deg for ref in session.shelf.refs] == [0]


@pytest.mark.parametrize(
    ("degrees", "sides"),
    [
        (90, ["top half", "bottom half"]),
        (180, ["left half", "right half"]),
        (270, ["top half", "bottom half"]),
    ],
)
def test_halves_that_are_rotated_together_stay_in_the_order_in_which_they_are_read(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, degrees: int, sides: list[str]
) -> None:
    open_and_load(qtbot, session, draw_page(pages=2))
    take(window, "split_beside")
    session.edit_text("left as it was")
    was_left = session.shelf.current
    session.shelf.set_selection(session.shelf.refs[:2])
    session.shelf.rotate(degrees)
    assert [ref.part for ref in session.shelf.refs] == [*sides, ""]
    assert session.shelf.current == was_left.rotated(degrees)
    assert session.current_text == "left as it was"


def test_halves_that_are_not_rotated_together_are_told_apart_by_how_they_are_turned(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    take(window, "split_beside")
    session.shelf.select(session.shelf.refs[1])
    session.shelf.rotate(180)
    assert [row.entry.detail for row in rows(window)] == ["left", "left, turned 180°"]
    assert window.windowTitle() == "scan.png, left half, turned 180° — RTOCR"
    until_idle(qtbot, session, session.read_all)
    export_text(qtbot, session, tmp_path / "out.md")
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "<!-- page: scan.png, page 1, left half -->" in text
    assert "<!-- page: scan.png, page 1, left half, turned 180° -->" in text
    session.shelf.select(session.shelf.refs[0])
    session.shelf.rotate(180)
    assert {row.entry.detail for row in rows(window)} == {"left", "right"}


def test_halves_that_were_put_in_another_order_stay_there(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    take(window, "split_beside")
    session.shelf.set_selection(session.shelf.refs[:1])
    session.shelf.move_selected(None)
    session.shelf.rotate(180)
    assert listed(session) == [(1, Half.RIGHT), (1, Half.LEFT)]


@pytest.mark.parametrize("agrees", [True, False])
def test_text_that_would_be_lost_is_asked_about_and_can_be_brought_back(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    agrees: bool,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        questions, "agrees", lambda _, title, text, verb: asked.append(f"{title} {verb}") or agrees
    )
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    notices = emissions(session.notice_raised)
    take(window, "split_above")
    assert asked == ["Split page? Split"]
    if not agrees:
        assert (listed(session), session.current_text, notices) == ([(1, None)], "mine", [])
        return
    assert listed(session) == [(1, Half.TOP), (1, Half.BOTTOM)]
    assert session.current_text == ""
    assert [notice.sentence for notice in notices] == ["Split scan.png."]
    (offer,) = notices[0].offers
    assert isinstance(offer, BringBack)
    session.take_offer(offer)
    assert (listed(session), session.current_text) == ([(1, None)], "mine")


@pytest.mark.usefixtures("agreeing")
def test_a_page_is_not_brought_back_over_the_text_of_its_halves(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("of the page")
    notices = emissions(session.notice_raised)
    take(window, "split_beside")
    session.edit_text("of the half")
    session.take_offer(notices[0].offers[0])
    assert listed(session) == [(1, half) for half in HALVES]
    assert session.current_text == "of the half"
    assert notices[-1].sentence.startswith("scan.png was not restored")
    take(window, "join")
    assert (listed(session), notices[-1].sentence) == ([(1, None)], "Joined 2 halves.")
    session.take_offer(notices[-1].offers[0])
    assert listed(session) == [(1, half) for half in HALVES]
    assert session.current_text == "of the half"


@pytest.mark.usefixtures("agreeing")
def test_a_half_does_not_come_back_over_the_page_it_was_joined_to(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    notices = split_and_remove_left(qtbot, window, session, draw_page())
    take(window, "join")
    session.take_offer(notices[0].offers[0])
    assert listed(session) == [(1, None)]
    assert notices[-1].sentence.startswith("scan.png, left half was not restored")
    take(window, "remove")
    session.take_offer(notices[-1].offers[0])
    assert (listed(session), session.current_text) == ([(1, Half.LEFT)], "left")


@pytest.mark.usefixtures("agreeing")
def test_two_halves_come_back_over_the_page_that_was_opened_anew(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    take(window, "split_beside")
    session.edit_text("left")
    session.shelf.set_selection(session.shelf.refs)
    notices = emissions(session.notice_raised)
    take(window, "remove")
    with qtbot.waitSignal(session.shelf.pages_opened):
        session.open_files([path])
    assert listed(session) == [(1, None)]
    session.take_offer(notices[0].offers[0])
    assert (listed(session), session.current_text) == ([(1, half) for half in HALVES], "left")


@pytest.mark.usefixtures("agreeing")
def test_a_page_that_was_split_joined_and_moved_stays_there_when_another_comes_back(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3))
    take(window, "split_beside")
    take(window, "join")
    session.shelf.set_selection(session.shelf.refs[:1])
    session.shelf.move_selected(None)
    take(window, "split_beside")
    expected = listed(session)
    session.shelf.select(session.shelf.refs[1])
    session.shelf.set_selection(session.shelf.refs[1:2])
    session.edit_text("three")
    notices = emissions(session.notice_raised)
    take(window, "remove")
    session.take_offer(notices[0].offers[0])
    assert listed(session) == expected == [(2, None), (3, None), (1, Half.LEFT), (1, Half.RIGHT)]


@pytest.mark.usefixtures("agreeing")
def test_a_half_that_was_removed_comes_back_beside_the_other(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    notices = split_and_remove_left(qtbot, window, session, draw_page())
    assert listed(session) == [(1, Half.RIGHT)]
    session.take_offer(notices[0].offers[0])
    assert listed(session) == [(1, half) for half in HALVES]
    assert session.current_text == "left"


def test_a_file_that_is_opened_again_keeps_its_halves(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    path = draw_page(pages=2)
    open_and_load(qtbot, session, path)
    take(window, "split_above")
    session.edit_text("mine")
    before = session.shelf.refs
    session.shelf.select(before[2])
    with qtbot.waitSignal(session.page_selected):
        session.open_files([path])
    assert session.shelf.refs == before
    assert (session.shelf.current, session.current_text) == (before[0], "mine")


def test_halves_of_an_earlier_version_of_the_file_leave_unless_edited(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    take(window, "split_above")
    session.edit_text("mine")
    with qtbot.waitSignal(session.shelf.pages_opened):
        session.open_files([draw_page(pages=2)])
    assert listed(session) == [(1, Half.TOP), (1, None), (2, None)]


@pytest.mark.usefixtures("agreeing")
def test_a_page_that_is_split_while_it_is_read_is_read_no_further(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    fake_engine: FakeEngine,
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    take(window, "split_above")
    until_idle(qtbot, session, fake_engine.gate.set)
    assert listed(session) == [(1, Half.TOP), (1, Half.BOTTOM)]
    assert [row.state for row in rows(window)] == [PageState.UNREAD] * 2


@pytest.mark.parametrize("action", ["split_beside", "join"])
def test_what_was_asked_about_is_split_or_joined_whatever_is_shown_meanwhile(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
) -> None:
    first, second = draw_page("first.png"), draw_page("second.png")
    open_and_load(qtbot, session, first, second)
    if action == "join":
        session.shelf.split(session.shelf.refs, beside=True)
    for ref in session.shelf.refs:
        session.shelf.select(ref)
        session.edit_text("typed")
    before = session.shelf.refs
    session.shelf.select(before[0])

    def agree_late(*_: object) -> bool:
        session.shelf.select(before[-1])  # as a file does that was still opening
        session.shelf.set_selection(before[-1:])
        return True

    monkeypatch.setattr(questions, "agrees", agree_late)
    window.actions_by_name[action].trigger()
    assert [ref.path for ref in session.shelf.refs if ref not in before] == [first] * (
        2 if action != "join" else 1
    )
    assert [ref for ref in before if ref.path == second] == [
        ref for ref in session.shelf.refs if ref.path == second
    ]


def test_halves_that_changed_places_are_copied_in_the_order_of_the_list(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    take(window, "split_beside")
    for ref, text in zip(session.shelf.refs, ("left", "right"), strict=True):
        session.shelf.select(ref)
        session.edit_text(text)
    session.shelf.set_selection(session.shelf.refs)
    for _ in range(2):
        take(window, "rotate_right")
    assert session.shelf.selected == session.shelf.refs
    assert tuple(session.texts.of(session.shelf.selected)) == ("right", "left")
