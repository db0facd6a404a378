"""Pages that were removed are gone, and come back to their places with all that they had."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.notices import Offer
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.page_texts import EARLIER_VERSION
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Loss, PageStatus
from tests.broken_files import encrypted_pdf
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, emissions, export_text, held_lane, open_and_load, until_idle


def test_a_removed_page_is_gone_and_its_neighbour_is_shown(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first = session.shelf.current
    session.shelf.remove((first,))
    assert len(session.shelf.refs) == 1
    assert session.shelf.current is not None
    assert session.shelf.current.index == 1


def test_pages_that_went_meanwhile_are_not_removed_again(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first, second = session.shelf.refs
    session.shelf.remove((first,))
    session.shelf.remove((first, second))
    assert session.shelf.refs == ()


def test_a_file_that_is_opened_anew_while_it_is_removed_stays_open(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.open_files([path])
    session.shelf.remove(session.shelf.refs)
    with qtbot.waitSignal(session.page_image_changed):
        qtbot.waitUntil(lambda: len(session.shelf.refs) == 1)


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
    session.shelf.remove((*book[:2], book[3]))
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


@pytest.mark.parametrize("is_saved", [True, False])
def test_the_way_back_to_a_split_page_stays_if_its_text_is_in_no_file_and_to_a_removed_one_leaves_by_itself(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, is_saved: bool
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first, second = session.shelf.refs
    until_idle(qtbot, session, session.read_all)
    if is_saved:
        export_text(qtbot, session, tmp_path / "out.md")
    told = emissions(session.notice_raised)
    session.shelf.split([first], beside=True)
    session.shelf.remove((second,))
    assert [notice.is_passing for notice in told] == [is_saved, True]


def test_a_page_that_is_only_a_picture_comes_back_too(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, offers: list[Offer]
) -> None:
    fake_engine.said = ["<|ref|>image<|/ref|><|det|>[[0, 0, 999, 500]]<|/det|>"]
    open_and_load(qtbot, session, draw_page())
    refs = session.shelf.refs
    until_idle(qtbot, session, session.read_all)
    session.shelf.remove(refs)
    session.take_offer(offers[0])
    assert session.exporter.has_content(refs)


def test_the_picture_of_a_page_comes_back_too_and_no_other_page_of_its_file(
    qtbot: QtBot, session: Session, draw_page: Draw, offers: list[Offer]
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    first, second = session.shelf.refs
    session.shelf.remove((first,))
    assert not offers, "there was no text to lose"
    session.edit_text("mine")
    session.shelf.rotate(90)
    session.shelf.remove((second.rotated(90),))
    with qtbot.waitSignal(session.page_image_changed) as shown:
        session.take_offer(offers[0])
    assert (shown.args[0].width(), shown.args[0].height()) == (500, 400)
    assert session.shelf.refs == (second.rotated(90),)
    until_idle(qtbot, session, lambda: session.read_replacing(session.shelf.refs))
    assert session.current_text.startswith("page 2 of two.tiff")


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
        session.shelf.remove((book[index],))
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
    session.shelf.remove(session.shelf.refs)
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
        session.shelf.remove((session.shelf.current,))
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


def test_a_page_that_is_open_with_newer_text_can_be_brought_back_once_that_left(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], offers: list[Offer]
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.edit_text("former")
    session.shelf.remove(session.shelf.refs)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    session.edit_text("newer")
    session.take_offer(offers.pop())
    assert session.current_text == "newer"
    assert notices[-1] == (
        "scan.png was not restored, because the list has it again, whole or in parts. "
        "Remove it from the list first."
    )
    again = offers.pop()
    session.shelf.remove(session.shelf.refs)
    session.take_offer(again)
    assert session.current_text == "former"


def test_the_text_of_a_page_comes_back_where_its_file_is_gone(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], offers: list[Offer]
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.edit_text("mine")
    session.shelf.remove(session.shelf.refs)
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
    session.shelf.remove(session.shelf.refs)
    draw_page("other.png").replace(path)
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    with qtbot.waitSignal(session.page_message_changed, check_params_cb=EARLIER_VERSION.__eq__):
        session.take_offer(offers[0])
    assert session.shelf.current == former
    assert session.current_text == "mine"
    assert [entry.detail for entry in listed[-1]] == ["earlier version", ""]


def test_a_page_comes_back_as_read_by_the_former_model_where_there_is_another_by_now(
    qtbot: QtBot, session: Session, draw_page: Draw, offers: list[Offer], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page(), draw_page("other.png"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    book = session.shelf.refs
    until_idle(qtbot, session, lambda: session.read(book))
    session.shelf.remove(book[:1])
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
    session.shelf.remove(session.shelf.refs)
    closed: list[Path] = []
    monkeypatch.setattr(bridge, "close_document", closed.append)
    session.take_offer(offers[0])
    session.shelf.remove(session.shelf.refs)
    assert not closed, "it may come"
    qtbot.waitUntil(lambda: closed == [path])
    assert session.shelf.refs == ()


def test_a_page_that_comes_back_while_its_file_is_being_opened_has_it_opened_once(
    qtbot: QtBot, session: Session, bridge: EngineBridge, draw_page: Draw, offers: list[Offer]
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    session.edit_text("mine")
    session.shelf.remove(session.shelf.refs)
    opened = emissions(bridge.document_opened)
    with held_lane(bridge._page_lane):
        session.open_files([path])
        session.take_offer(offers[0])
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    assert (len(opened), session.current_text) == (1, "mine")


def test_no_thumbnail_is_rendered_of_a_page_that_is_gone(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    gone, there = session.shelf.refs
    session.shelf.remove((gone,))
    rendered: list[PageRef] = []
    monkeypatch.setattr(bridge, "render_thumbnail", rendered.append)
    for ref in (gone, there):
        session.shelf.want_thumbnail(ref)
    assert rendered == [there]


def test_no_picture_is_rendered_once_the_last_page_is_gone(
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    gone, last = session.shelf.refs
    rendered: list[PageRef | None] = []
    monkeypatch.setattr(bridge, "render_page", lambda ref: rendered.append(ref) or 1)
    for ref in (gone, last):
        session.shelf.remove((ref,))
    assert rendered == [last]


@pytest.mark.parametrize("content", [b"not a picture", encrypted_pdf()], ids=["broken", "locked"])
def test_a_file_is_let_go_of_whose_page_was_removed_while_it_could_not_be_opened_again(
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    content: bytes,
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    closed: list[Path] = []
    monkeypatch.setattr(bridge, "close_document", closed.append)
    path.write_bytes(content)
    session.open_files([path])
    session.shelf.remove(session.shelf.refs)
    assert not closed, "it may come"
    qtbot.waitUntil(lambda: closed == [path])
