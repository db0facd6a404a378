"""Text that was left behind is put back into its pages, and replaces nothing there."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import Crop, PageRef
from rtocr_gui.ui.state.kept_text import KeptPage, LeftBehind
from rtocr_gui.ui.state.notices import LeaveText, Notice, RestoreText, ShowFolder, about_left_behind
from rtocr_gui.ui.state.page_entry import PageState, TextOrigin
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from tests.broken_files import encrypted_pdf
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    emissions,
    export_text,
    open_and_load,
    read_selected,
    until_idle,
    until_reading_begins,
)

KEPT = Path("/settings/Unsaved text.md")
RESTORED = f"It is in “{KEPT}” too."
ONLY_THERE = (
    f"is in “{KEPT}” only, because the page has another text, or its file is gone, has changed or was not "
    "opened."
)

Restore = Callable[..., Notice]


def page_of(path: Path, index: int = 0) -> PageRef:
    return PageRef(path, index, sha256(path.read_bytes()).hexdigest())


def left_behind(*texts: tuple[PageRef, str], origin: TextOrigin = TextOrigin.TYPED) -> LeftBehind:
    return LeftBehind(KEPT, tuple(KeptPage(ref.label, text, ref, origin) for ref, text in texts))


@pytest.fixture
def restore(qtbot: QtBot, session: Session) -> Restore:
    """Restores texts of pages, and returns what is said of it."""

    def take(*texts: tuple[PageRef, str], origin: TextOrigin = TextOrigin.TYPED) -> Notice:
        with qtbot.waitSignal(session._restorer.notice_raised) as raised:
            session.take_offer(RestoreText(left_behind(*texts, origin=origin)))
        notice = raised.args[0]
        assert isinstance(notice, Notice)
        return notice

    return take


def texts_of(session: Session) -> list[tuple[PageRef, str]]:
    return [(page.ref, page.text) for page in session._pages]


def test_a_text_is_in_its_page_again_edited_and_not_saved(
    session: Session, draw_page: Draw, restore: Restore, states: dict[str, PageStatus]
) -> None:
    path = draw_page("three.tiff", pages=3)
    first, second, third = (page_of(path, index) for index in range(3))
    notice = restore((second.rotated(90), "mine"))
    assert texts_of(session) == [(first, ""), (second.rotated(90), "mine"), (third, "")]
    assert notice.sentence == f"Restored the text of 1 page. {RESTORED}"
    assert notice.offers == (ShowFolder(KEPT),)
    assert session.current_text == "mine"
    assert session.page_name == "three.tiff, page 2"
    assert states[second.label].state is PageState.EDITED
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    assert [page.ref for page in session.unsaved.texts()] == [second.rotated(90)]
    asked = emissions(session.overwrite_questioned)
    session.read(session.shelf.refs)
    assert [question.edited for question in asked] == [frozenset([second.rotated(90)])]
    assert session.choices.settings.recent_files == (str(path),)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("side", [0, 1])
def test_a_text_of_a_rotated_half_brings_the_other_half_and_both_are_in_order(
    session: Session, draw_page: Draw, restore: Restore, degrees: int, beside: bool, side: int
) -> None:
    whole, after = page_of(draw_page("a.png")), page_of(draw_page("b.png"))
    halves = whole.rotated(degrees).halves(beside=beside)
    restore((halves[side], "mine"), (after, "after"))
    texts = ["", ""]
    texts[side] = "mine"
    assert texts_of(session) == [*zip(halves, texts, strict=True), (after, "after")]
    assert session.shelf.current == halves[side]


@pytest.mark.parametrize("degrees", [0, 180])
def test_texts_of_halves_of_halves_bring_what_is_missing_of_the_page(
    session: Session, draw_page: Draw, restore: Restore, degrees: int
) -> None:
    whole = page_of(draw_page("a.png")).rotated(degrees)
    left, right = whole.halves(beside=True)
    quarters = [*left.halves(beside=False), *right.halves(beside=False)]
    restore((quarters[1], "mine"))
    assert texts_of(session) == [(quarters[0], ""), (quarters[1], "mine"), (right, "")]


def test_texts_of_several_parts_bring_each_missing_part_once(
    session: Session, draw_page: Draw, restore: Restore
) -> None:
    left, right = page_of(draw_page("a.png")).halves(beside=True)
    (top, bottom), (other_top, other_bottom) = (half.halves(beside=False) for half in (left, right))
    bottom = bottom.rotated(180)
    restore((top, "one"), (bottom, "two"), (other_bottom, "three"))
    assert texts_of(session) == [(top, "one"), (bottom, "two"), (other_top, ""), (other_bottom, "three")]


def test_a_missing_part_follows_all_that_is_read_before_it(
    session: Session, draw_page: Draw, restore: Restore
) -> None:
    first, whole = page_of(draw_page("a.png")), page_of(draw_page("b.png"))
    left, right = whole.halves(beside=True)
    top, bottom = left.halves(beside=False)
    restore((top, "one"), (bottom, "two"), (first, "other"))
    assert texts_of(session) == [(top, "one"), (bottom, "two"), (right, ""), (first, "other")]


def test_of_a_page_that_is_split_otherwise_only_blank_parts_give_way(
    qtbot: QtBot, session: Session, draw_page: Draw, restore: Restore
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"))
    session.shelf.split(session.shelf.refs, beside=True)
    left, right = session.shelf.refs
    session.shelf.select(right)
    session.edit_text("new")
    top, bottom = left.halves(beside=False)
    restore((bottom, "mine"), (right.halves(beside=False)[0], "old"))
    assert texts_of(session) == [(top, ""), (bottom, "mine"), (right, "new")]


def test_cuts_of_cuts_are_made_again(session: Session, draw_page: Draw, restore: Restore) -> None:
    whole = page_of(draw_page("a.png"))
    left, right = whole.cropped(Crop(0.1, 0.1, 0.9, 0.9)).rotated(180).halves(beside=True)
    left, right = left.cropped(Crop(0, 0, 0.5, 1)), right.cropped(Crop(0, 0.5, 1, 1)).rotated(90)
    notice = restore((left, "left"), (right, "right"))
    assert notice.sentence == f"Restored the text of 2 pages. {RESTORED}"
    assert texts_of(session) == [(left, "left"), (right, "right")]


def test_the_program_shows_the_picture_of_a_part_that_was_restored(
    qtbot: QtBot, session: Session, draw_page: Draw, restore: Restore
) -> None:
    part = page_of(draw_page("a.png")).cropped(Crop(0, 0, 0.5, 0.25)).rotated(90)
    sizes: list[tuple[int, int]] = []
    session.page_image_changed.connect(lambda image: sizes.append((image.width(), image.height())))
    restore((part, "mine"))
    qtbot.waitUntil(lambda: sizes[-1:] == [(125, 200)])


def test_blank_pages_that_are_open_in_other_parts_give_way(
    qtbot: QtBot, session: Session, draw_page: Draw, restore: Restore
) -> None:
    paths = [draw_page(f"{name}.png") for name in "abc"]
    open_and_load(qtbot, session, *paths)
    first, second, third = session.shelf.refs
    session.shelf.split([first, second], beside=False)
    session.shelf.crop([third], Crop(0, 0, 0.5, 0.5))
    left, right = first.halves(beside=True)
    restore((right, "half"), (second.rotated(90), "whole"), (third, "uncropped"))
    assert texts_of(session) == [
        (left, ""),
        (right, "half"),
        (second.rotated(90), "whole"),
        (third, "uncropped"),
    ]


def test_halves_that_were_moved_are_restored_where_they_are_or_were(
    qtbot: QtBot, session: Session, draw_page: Draw, restore: Restore
) -> None:
    open_and_load(qtbot, session, *[draw_page(f"{name}.png") for name in "abc"])
    first, second, third = session.shelf.refs
    session.shelf.split([first, second], beside=True)
    (left, right), (other_left, other_right) = first.halves(beside=True), second.halves(beside=True)
    session.shelf.set_selection((right, other_right))
    session.shelf.move_selected(None)
    session.shelf.remove((other_right,))
    assert session.shelf.refs == (left, other_left, third, right)
    part = right.cropped(Crop(0, 0, 1, 0.5))
    restore((part, "mine"), (other_right, "too"))
    assert session.shelf.refs == (left, other_left, third, part, other_right)


def test_text_typed_or_read_meanwhile_stays_in_all_places_that_overlap(
    qtbot: QtBot, session: Session, draw_page: Draw, restore: Restore
) -> None:
    paths = [draw_page(f"{name}.png") for name in "abcd"]
    open_and_load(qtbot, session, *paths)
    typed, read, split, blank = session.shelf.refs
    session.edit_text("new")
    until_idle(qtbot, session, lambda: session.read((read,)))
    session.shelf.split([split], beside=True)
    left, right = split.halves(beside=True)
    session.shelf.select(right)
    session.edit_text("new right")
    before = texts_of(session)
    notice = restore((typed.rotated(90), "old"), (read, "old"), (split, "old"))
    assert texts_of(session) == before
    assert notice.sentence == (
        f"No text was restored. That of 3 pages is in “{KEPT}” only, because the pages have another text, or "
        "their files are gone, have changed or were not opened."
    )
    assert notice.stays_in_view
    notice = restore((left, "old left"), (right, "old right"), (blank.halves(beside=True)[0], "old"))
    assert notice.sentence.startswith(f"Restored the text of 2 pages. That of {right.label} is in ")
    assert notice.offers[0] == RestoreText(left_behind((right, "old right")))
    assert notice.offers[1:] == (ShowFolder(KEPT), LeaveText(KEPT))
    assert (left, "old left") in texts_of(session)
    assert (right, "new right") in texts_of(session)
    session.shelf.select(right)
    session.edit_text("")
    assert isinstance(notice.offers[0], RestoreText)
    session.take_offer(notice.offers[0])
    qtbot.waitUntil(lambda: (right, "old right") in texts_of(session))


def test_a_page_being_read_is_left_alone_and_one_that_waits_is_restored_and_waits_no_longer(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, restore: Restore
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    first, second = session.shelf.refs
    until_reading_begins(qtbot, fake_engine, lambda: session.read((first, second)))
    notice = restore((first, "old"), (second, "mine"))
    assert f"That of {first.label} {ONLY_THERE}" in notice.sentence
    assert not session.reader.is_waiting(second)
    until_idle(qtbot, session, fake_engine.gate.set)
    assert texts_of(session)[0][1].startswith("page 1 of a.png")
    assert texts_of(session)[1] == (second, "mine")


def test_text_that_is_cleared_again_stays_cleared(
    qtbot: QtBot, session: Session, draw_page: Draw, restore: Restore
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.edit_text("")
    restore((session.shelf.refs[0], "old"))
    assert session.current_text == ""


def test_of_a_file_that_changed_or_is_gone_nothing_is_restored(
    session: Session, draw_page: Draw, restore: Restore, notices: list[str]
) -> None:
    changed, gone = draw_page("changed.png"), draw_page("gone.png")
    texts = (page_of(changed), "old"), (page_of(gone), "old")
    draw_page("other.png").replace(changed)
    gone.unlink()
    restore(*texts)
    assert texts_of(session) == [(page_of(changed), "")]
    (sentence,) = notices
    assert sentence.startswith("No text was restored. That of 2 pages is in ")
    assert session.choices.settings.recent_files == (str(changed),)


def test_a_page_that_the_file_does_not_have_is_not_made_up(
    session: Session, draw_page: Draw, restore: Restore
) -> None:
    path = draw_page("two.tiff", pages=2)
    notice = restore((page_of(path, 2), "old"), (page_of(path, 10**400).halves(beside=True)[0], "old"))
    assert notice.sentence.startswith("No text was restored.")
    assert [ref.index for ref in session.shelf.refs] == [0, 1]


def test_nothing_but_files_is_opened(
    session: Session, draw_page: Draw, restore: Restore, notices: list[str], tmp_path: Path
) -> None:
    draw_page("in the folder.png")
    paths = [tmp_path, tmp_path / "a\0b", tmp_path / ("x" * 5000), tmp_path / "\ud800", Path("/dev/zero")]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        paths.append(tmp_path / "pipe")
    restore(*((PageRef(path, 0, "0"), "old") for path in paths))
    assert session.shelf.refs == ()
    assert len(notices) == 1


def test_a_file_that_is_no_scan_is_told_and_its_text_stays_where_it_is(
    session: Session, restore: Restore, notices: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "notes.png"
    path.write_text("no picture")
    restore((page_of(path), "old"))
    assert session.shelf.refs == ()
    assert any(sentence.startswith("notes.png: ") for sentence in notices)
    assert f"No text was restored. That of notes.png, page 1 {ONLY_THERE}" in notices


@pytest.mark.parametrize("gives_password", [True, False])
def test_the_text_of_an_encrypted_file_awaits_its_password(
    session: Session, restore: Restore, tmp_path: Path, gives_password: bool
) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf(pages=2))
    opener = session.opener
    if gives_password:
        opener.password_needed.connect(lambda question: opener.unlock(question.path, "secret"))
    else:
        opener.password_needed.connect(lambda question: opener.leave_locked(question.path))
    notice = restore((page_of(path, 1), "mine"))
    assert notice.is_passing is gives_password
    assert [text for _, text in texts_of(session)] == ["", "mine"] * gives_password


def test_who_types_meanwhile_goes_on_typing_there(
    qtbot: QtBot, session: Session, draw_page: Draw, restore: Restore
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"))
    here = session.shelf.current
    session.opener.requested.connect(lambda: session.edit_text("typing"))
    restore((page_of(draw_page("b.png")), "mine"))
    assert session.shelf.current == here
    assert [text for _, text in texts_of(session)] == ["typing", "mine"]


def test_texts_that_two_programs_left_are_all_restored_and_the_same_text_counts(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    first, second = page_of(draw_page("a.png")), page_of(draw_page("b.png"))
    told = emissions(session._restorer.notice_raised)
    session.take_offer(RestoreText(left_behind((first, "mine"))))
    session.take_offer(RestoreText(left_behind((first, "mine"), (second, "too"))))
    qtbot.waitUntil(lambda: len(told) == 2)
    assert texts_of(session) == [(first, "mine"), (second, "too")]
    assert [notice.sentence for notice in told] == [
        f"Restored the text of 1 page. {RESTORED}",
        f"Restored the text of 1 page. {RESTORED}",
    ]
    session.take_offer(RestoreText(left_behind((first, "mine"))))
    qtbot.waitUntil(lambda: len(told) == 3)
    assert told[-1].sentence == f"All this text is in its pages already. {RESTORED}"


def test_a_sample_page_that_was_typed_on_makes_no_exception(
    qtbot: QtBot, session: Session, draw_page: Draw, restore: Restore
) -> None:
    samples = [draw_page("letter.png"), draw_page("prices.png")]
    session.open_samples(samples)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    restore((page_of(samples[1]), "mine"))
    assert texts_of(session) == [(page_of(samples[1]), "mine")]
    assert len(session.unsaved.texts()) == 1


def test_a_half_that_was_restored_can_be_joined_removed_and_brought_back(
    session: Session, draw_page: Draw, restore: Restore
) -> None:
    before, whole, after = (page_of(draw_page(f"{name}.png")) for name in "abc")
    left, right = whole.halves(beside=True)
    restore((before, "1"), (right, "2"), (after, "3"))
    offers = emissions(session.notice_raised)
    session.shelf.remove((right,))
    assert session.shelf.refs == (before, left, after)
    session.take_offer(offers.pop().offers[0])
    assert session.shelf.refs == (before, left, right, after)
    session.shelf.join((left, right))
    assert session.shelf.refs == (before, whole, after)


@pytest.mark.parametrize(
    "origin", [TextOrigin.TYPED, TextOrigin.READ, TextOrigin.READ_IN_DOUBT, TextOrigin.READ_IN_PART]
)
def test_a_reading_of_a_restored_page_that_is_stopped_gives_the_text_back_unless_both_are_parts(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    restore: Restore,
    states: dict[str, PageStatus],
    origin: TextOrigin,
) -> None:
    path = draw_page()
    open_and_load(qtbot, session, path)
    restore((page_of(path), "as before"), origin=origin)
    before = states[page_of(path).label]
    until_reading_begins(qtbot, fake_engine, lambda: session.read_replacing(session.shelf.refs))
    session.stop()
    until_idle(qtbot, session, fake_engine.gate.set)
    is_replaced = origin is TextOrigin.READ_IN_PART
    assert (session.current_text != "as before") is is_replaced
    if not is_replaced:
        assert states[page_of(path).label] == before


@pytest.mark.parametrize("spoil", ["fail", "rotate"])
def test_a_restored_page_whose_newest_reading_failed_or_that_was_rotated_is_read_with_all_others(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    restore: Restore,
    states: dict[str, PageStatus],
    spoil: str,
) -> None:
    one, other = draw_page("one.png"), draw_page("other.png")
    open_and_load(qtbot, session, one, other)
    restore((page_of(one), "as before"), origin=TextOrigin.READ)
    if spoil == "rotate":
        session.shelf.select(page_of(one))
        session.shelf.rotate(90)
        assert states[page_of(one).label].state is PageState.UNREAD
        assert [kept.origin for kept in session.unsaved.texts()] == [TextOrigin.READ_IN_DOUBT]
    else:
        fake_engine.broken_pages.add(one.name)
        until_idle(qtbot, session, lambda: session.read((page_of(one),)))
        assert states[page_of(one).label].state is PageState.FAILED
        fake_engine.broken_pages.clear()
    fake_engine.asked.clear()
    until_idle(qtbot, session, session.read_all)
    assert len(fake_engine.asked) == 2


def test_a_text_that_was_to_be_checked_still_is(
    session: Session, draw_page: Draw, restore: Restore, states: dict[str, PageStatus]
) -> None:
    page = page_of(draw_page())
    restore((page, "gurbage"), origin=TextOrigin.READ_IN_DOUBT)
    assert states[page.label].state is PageState.CHECK
    assert "may be wrong" in states[page.label].sentence
    (kept,) = session.unsaved.texts()
    assert kept.origin is TextOrigin.READ_IN_DOUBT


def test_a_corrected_text_of_a_page_that_was_not_read_to_its_end_still_says_so(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    restore: Restore,
    states: dict[str, PageStatus],
    notices: list[str],
    tmp_path: Path,
) -> None:
    page = page_of(draw_page())
    restore((page, "half a page"), origin=TextOrigin.READ_IN_PART)
    for _ in range(2):
        session.edit_text("half a sheet")
        (kept,) = session.unsaved.texts()
        assert kept.origin is TextOrigin.TYPED_IN_PART
        session.shelf.remove((page,))
        restore((page, kept.text), origin=kept.origin)
    assert states[page.label].state is PageState.EDITED
    assert "not read to its end" in states[page.label].sentence
    export_text(qtbot, session, tmp_path / "out.md")
    assert notices[-1].endswith("Not read to the end: scan.png.")
    session.edit_text("")
    assert states[page.label].state is PageState.EDITED


def test_exported_texts_are_kept_with_the_others_and_restored_as_exported(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    path = draw_page("two.tiff", pages=2)
    open_and_load(qtbot, session, path)
    for ref, text in zip(session.shelf.refs, ("one", "two"), strict=True):
        session.shelf.select(ref)
        session.edit_text(text)
    export_text(qtbot, session, tmp_path / "out.md")
    assert session.unsaved.texts() == ()
    session.edit_text("two, corrected")
    kept = session.unsaved.texts()
    assert [(page.text, page.is_exported) for page in kept] == [("one", True), ("two, corrected", False)]
    session.shelf.remove(session.shelf.refs)
    with qtbot.waitSignal(session._restorer.notice_raised):
        session.take_offer(RestoreText(LeftBehind(KEPT, kept)))
    assert session.unsaved.texts() == kept
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_pages_are_restored_in_the_order_in_which_they_were(
    session: Session, draw_page: Draw, restore: Restore
) -> None:
    path = draw_page("four.tiff", pages=4)
    first, second, third, fourth = (page_of(path, index) for index in range(4))
    restore((fourth, "4"), (first, "1"), (third.halves(beside=True)[1], "3"))
    left, right = third.halves(beside=True)
    assert session.shelf.refs == (fourth, second, first, left, right)
    assert session.shelf.current == fourth


def test_a_text_that_was_read_is_no_text_that_was_typed(
    session: Session, draw_page: Draw, restore: Restore, states: dict[str, PageStatus]
) -> None:
    page = page_of(draw_page())
    restore((page, "as read"), origin=TextOrigin.READ)
    assert states[page.label].state is PageState.READ
    assert states[page.label].sentence == "Restored, as it was read before RTOCR ended."
    loss = session.unsaved.loss(session.shelf.refs)
    assert (loss.typed, loss.read) == (0, 1)
    session.edit_text("as corrected")
    assert states[page.label].state is PageState.EDITED
    (kept,) = session.unsaved.texts()
    assert kept.origin is TextOrigin.TYPED
    session.edit_text("as read")
    assert states[page.label].state is PageState.READ
    (kept,) = session.unsaved.texts()
    assert kept.origin is TextOrigin.READ


def test_a_text_that_was_read_in_part_stays_known_as_such_until_it_is_read_again(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    restore: Restore,
    states: dict[str, PageStatus],
    notices: list[str],
    tmp_path: Path,
) -> None:
    path = draw_page()
    page = page_of(path)
    open_and_load(qtbot, session, path)
    restore((page, "the first half"), origin=TextOrigin.READ_IN_PART)
    assert states[page.label].state is PageState.STOPPED
    (kept,) = session.unsaved.texts()
    assert kept.origin is TextOrigin.READ_IN_PART
    export_text(qtbot, session, tmp_path / "out.md")
    assert "Not read to the end: scan.png" in notices[-1]
    until_idle(qtbot, session, lambda: session.read(session.shelf.refs))
    assert states[page.label].state is PageState.READ
    (kept,) = session.unsaved.texts()
    assert kept.origin is TextOrigin.READ


def test_of_restored_pages_only_those_that_were_not_read_to_their_end_are_read_with_all_others(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, restore: Restore
) -> None:
    path = draw_page("three.tiff", pages=3)
    open_and_load(qtbot, session, path)
    restore((page_of(path, 0), "all of it"), origin=TextOrigin.READ)
    restore((page_of(path, 1), "half of it"), origin=TextOrigin.READ_IN_PART)
    until_idle(qtbot, session, session.read_all)
    assert texts_of(session)[0] == (page_of(path, 0), "all of it")
    assert len(fake_engine.asked) == 2
    until_idle(qtbot, session, session.read_all)
    assert len(fake_engine.asked) == 5, "once all are read, all are read again"


def test_text_is_offered_until_it_is_restored_or_the_person_does_not_want_it(
    session: Session, draw_page: Draw, restore: Restore
) -> None:
    def settled() -> tuple[str, ...]:
        return session.choices.settings.settled_texts

    path = draw_page()
    notice = restore((page_of(path), "mine"), (page_of(path, 1), "of a page that is not there"))
    assert settled() == ()
    session.take_offer(notice.offers[-1])
    assert settled() == (KEPT.name,)
    session.choices.remember(settled_texts=("Unsaved text, gone.md",))
    restore((page_of(path), "mine"))
    assert settled() == (KEPT.name,)


def test_only_what_is_known_to_have_pages_is_offered_to_be_restored(draw_page: Draw) -> None:
    known, unknown = left_behind((page_of(draw_page()), "mine")), LeftBehind(KEPT)
    assert [offer.label for offer in about_left_behind(known).offers] == [
        "Restore",
        "Show folder",
        "Do not offer again",
    ]
    assert "the file stays" in about_left_behind(known).sentence
    assert about_left_behind(unknown).sentence == (
        f"RTOCR has ended unexpectedly. Text that was not exported is in “{KEPT}”."
    )
    assert about_left_behind(unknown).offers == (ShowFolder(KEPT), LeaveText(KEPT))
