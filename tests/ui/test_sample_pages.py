"""Sample pages make room for the person's own, unless the person typed on them or opened them."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Loss
from tests.ui.steps import Draw, emissions, wait_until_idle


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


def test_sample_pages_opened_beside_the_persons_own_stay_until_the_next_file(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    samples = [draw_page("letter.png"), draw_page("prices.png")]
    session.open_samples(samples)
    session.open_files([draw_page("mine.png")])  # before the last sample has come
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    assert [ref.path.name for ref in session.shelf.refs] == ["mine.png"]
    session.open_samples(samples)
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    assert [ref.path.name for ref in session.shelf.refs] == ["mine.png", "letter.png", "prices.png"]
    session.open_files([draw_page("other.png")])
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
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
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    session.open_files([tmp_path if by_folder else samples[0]])
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    opened = samples if by_folder else samples[:1]
    assert {ref.path for ref in session.shelf.refs} == {own, *opened}
    session.open_samples(samples)
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    session.open_files([draw_page("own/other.png")])
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    assert {ref.path for ref in session.shelf.refs} == {own, *opened, tmp_path / "own" / "other.png"}
