"""What was read or typed and not exported outlives a program that does not end as it should."""

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.export.markdown import markdown_of_pages
from rtocr_gui.files import write_atomically
from rtocr_gui.ui.state import unsaved_text_keeper
from rtocr_gui.ui.state.kept_text import KeptPage
from rtocr_gui.ui.state.page_entry import TextOrigin
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.unsaved_text_keeper import UnsavedTextKeeper, take_left_behind
from tests.fake_engine import FakeEngine
from tests.ui.steps import (
    Draw,
    begin_reading,
    export_text,
    open_and_load,
    read_selected,
    until_idle,
    wait_until_idle,
)

NEVER = 2**30


def kept(name: str, text: str) -> KeptPage:
    ref = PageRef(Path("/scans", name).absolute(), 0, "0")
    return KeptPage(ref.label, text, ref, TextOrigin.READ)


PAGE = kept("a.png", "typed")


class Work(QObject):
    """What a person reads and types; `pages` is what is in no file, and `told` what they were told."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.pages: tuple[KeptPage, ...] = ()
        self.told: list[str] = []

    def leave(self, *pages: KeptPage) -> None:
        self.pages = pages
        self.changed.emit(None)


Begin = Callable[..., tuple[UnsavedTextKeeper, Work]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "settings"


@pytest.fixture
def begin(qtbot: QtBot, folder: Path) -> Iterator[Begin]:
    keepers: list[UnsavedTextKeeper] = []

    def make(delay_ms: int = 1) -> tuple[UnsavedTextKeeper, Work]:
        keeper, work = UnsavedTextKeeper(folder, delay_ms), Work()
        keeper.follow(work.changed, lambda: work.pages, work.told.append)
        keepers.append(keeper)
        return keeper, work

    yield make
    for keeper in keepers:
        assert keeper.close(5)


def kept_in(folder: Path) -> list[str]:
    """What a person reads in each file."""
    texts = []
    for path in sorted(folder.glob("*.md")):
        with suppress(FileNotFoundError):  # it went away just now
            texts.append(path.read_text(encoding="utf-8"))
    return [text.partition("\n<!-- RTOCR can")[0] for text in texts]


def test_what_is_in_no_file_is_written_soon_and_gone_once_it_is_exported(
    qtbot: QtBot, folder: Path, begin: Begin
) -> None:
    _, work = begin()
    work.leave(PAGE)
    qtbot.waitUntil(lambda: kept_in(folder) == ["<!-- page: a.png, page 1 -->\n\ntyped\n"])
    work.leave()
    qtbot.waitUntil(lambda: kept_in(folder) == [])


def test_what_is_written_is_what_an_export_of_the_same_pages_holds(
    qtbot: QtBot, folder: Path, begin: Begin
) -> None:
    _, work = begin()
    table, other = kept("b.png", "<table><tr><td>cut short"), kept("c.png", "d")
    for pages in ((PAGE,), (table, PAGE), (table, PAGE, table, PAGE), (other, table, PAGE), (PAGE, other)):
        work.leave(*pages)
        qtbot.waitUntil(lambda: kept_in(folder) == [markdown_of_pages(work.pages)])


def test_half_a_character_costs_nothing_else(qtbot: QtBot, folder: Path, begin: Begin) -> None:
    _, work = begin()
    work.leave(kept("a.png", "half \ud83d"), PAGE)
    qtbot.waitUntil(lambda: len(kept_in(folder)) == 1)
    assert "half ?" in kept_in(folder)[0]
    assert not work.told


def test_a_disk_that_hangs_gets_the_newest_text_only(
    qtbot: QtBot, folder: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, disk, written = threading.Event(), threading.Event(), list[bytes]()

    def write(path: Path, data: bytes, *, mode: int) -> None:
        writing.set()
        assert disk.wait(20)
        written.append(data)
        write_atomically(path, data, mode=mode)

    monkeypatch.setattr(unsaved_text_keeper, "write_atomically", write)
    keeper, work = begin()
    work.leave(PAGE)
    qtbot.waitUntil(writing.is_set)
    for text in ("newer", "newest"):
        with qtbot.waitSignal(keeper._timer.timeout):
            work.leave(kept("a.png", text))
    disk.set()
    qtbot.waitUntil(lambda: len(written) == 2)
    assert b"\n\nnewest\n" in written[-1]


def test_text_that_takes_long_to_write_is_written_less_often(
    qtbot: QtBot, folder: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count()
    monkeypatch.setattr(unsaved_text_keeper, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    keeper, work = begin()
    work.leave(PAGE)
    qtbot.waitUntil(lambda: len(kept_in(folder)) == 1 and not keeper._lane.is_busy)
    work.leave()
    assert keeper._timer.interval() == 1000 * unsaved_text_keeper.PAUSES


def test_who_has_text_in_no_file_is_told_once_that_it_is_not_safe(
    qtbot: QtBot, folder: Path, begin: Begin
) -> None:
    folder.write_text("no folder")
    keeper, work = begin()
    work.leave(PAGE)
    qtbot.waitUntil(lambda: len(work.told) == 1)
    assert keeper.close(5, lost=True)
    QApplication.processEvents()
    (sentence,) = work.told
    assert sentence.startswith("Text that is not exported is not backed up: ")


def test_nothing_stays_beside_the_settings_while_all_is_exported(
    qtbot: QtBot, folder: Path, begin: Begin
) -> None:
    _, work = begin()
    for _ in range(2):
        work.leave(PAGE)
        qtbot.waitUntil(lambda: len(kept_in(folder)) == 1)
        assert take_left_behind(folder) == ()
        work.leave()
        qtbot.waitUntil(lambda: list(folder.iterdir()) == [])


def test_an_orderly_end_leaves_nothing_behind(qtbot: QtBot, folder: Path, begin: Begin) -> None:
    keeper, work = begin()
    work.leave(PAGE)
    qtbot.waitUntil(lambda: len(kept_in(folder)) == 1)
    assert keeper.close(5)
    assert list(folder.iterdir()) == []


def test_what_came_last_is_written_where_nobody_was_asked(folder: Path, begin: Begin) -> None:
    keeper, work = begin(NEVER)
    work.leave(PAGE)
    assert not folder.exists()
    assert keeper.close(5, lost=True)
    (left,) = take_left_behind(folder)
    assert left.path.name.startswith("Unsaved text, ")
    assert list(folder.iterdir()) == [left.path]
    assert kept_in(folder) == [markdown_of_pages([PAGE])]
    assert left.pages == (PAGE,)
    assert take_left_behind(folder) == (left,), "whoever did nothing about it is told again"
    assert take_left_behind(folder, [left.path.name]) == ()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_nobody_else_may_read_what_is_kept(qtbot: QtBot, folder: Path, begin: Begin) -> None:
    _, work = begin()
    work.leave(PAGE)
    qtbot.waitUntil(lambda: len(kept_in(folder)) == 1)
    assert [path.stat().st_mode & 0o777 for path in folder.glob("*.md")] == [0o600]


def test_what_is_too_large_or_no_file_is_reported_without_texts_to_restore(
    folder: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, work = begin(NEVER)
    work.leave(PAGE)
    assert keeper.close(5, lost=True)
    (folder / "unsaved-folder.md").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "unsaved-pipe.md")
    monkeypatch.setattr(unsaved_text_keeper, "MOST_BYTES", 100)
    left = take_left_behind(folder)
    assert len(left) == len(list(folder.iterdir())) >= 2
    assert all(each.pages == () for each in left)


def test_a_file_that_cannot_be_read_is_reported_without_texts_to_restore(
    folder: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    keeper, work = begin(NEVER)
    work.leave(PAGE)
    assert keeper.close(5, lost=True)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        (left,) = take_left_behind(folder)
    assert left.pages == ()
    assert "could not be read: " in caplog.text
    assert kept_in(folder) == [markdown_of_pages([PAGE])]


def test_what_a_running_program_keeps_is_left_to_it(qtbot: QtBot, folder: Path, begin: Begin) -> None:
    _, work = begin()
    work.leave(PAGE)
    qtbot.waitUntil(lambda: len(kept_in(folder)) == 1)
    (lock,) = folder.glob("*.lock")
    os.utime(lock, (1e9, 1e9))  # however long it has been running
    assert take_left_behind(folder) == ()
    assert len(kept_in(folder)) == 1


def test_what_a_program_of_the_same_process_number_left_is_found(folder: Path) -> None:
    folder.mkdir()
    (folder / "unsaved-0.md").write_text("typed")
    path = folder / "unsaved-0.md.lock"
    lock = QLockFile(str(path))
    assert lock.tryLock(0)
    of_this_process = path.read_bytes()
    lock.unlock()
    path.write_bytes(of_this_process)  # in a sandbox, each start may have the same number
    os.utime(path, (1e9, 1e9))
    (left,) = take_left_behind(folder)
    assert list(folder.iterdir()) == [left.path]
    assert left.pages == ()


def test_a_folder_that_cannot_be_written_to_stops_nobody(
    qtbot: QtBot, folder: Path, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_text("a file")
    _, work = begin()
    work.leave(PAGE)
    qtbot.waitUntil(lambda: "could not be kept" in caplog.text)
    assert folder.read_text() == "a file"


def test_the_session_tells_which_text_is_in_no_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    assert session.unsaved.texts() == ()
    with qtbot.waitSignal(session.unsaved.changed):
        session.edit_text("typed")
    (page,) = session.unsaved.texts()
    assert page.text == "typed"
    assert page.label == session.shelf.refs[0].label
    with qtbot.waitSignal(session.unsaved.changed):
        export_text(qtbot, session, tmp_path / "out.md")
    assert session.unsaved.texts() == ()


def test_the_session_tells_each_change_of_a_text_and_of_none_that_was_emptied(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    kept: list[list[str]] = []
    open_and_load(qtbot, session, draw_page())
    session.unsaved.changed.connect(lambda: kept.append([page.text for page in session.unsaved.texts()]))
    for text in ("typed", "typed more", ""):
        session.edit_text(text)
        assert kept[-1] == [text] * bool(text)


def test_the_session_tells_of_a_text_while_it_is_still_being_read(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    kept: list[list[str]] = []
    open_and_load(qtbot, session, draw_page())
    session.unsaved.changed.connect(lambda: kept.append([page.text for page in session.unsaved.texts()]))
    begin_reading(qtbot, session, fake_engine)
    qtbot.waitUntil(lambda: session.current_text == "page")
    assert kept[-1] == ["page"]
    until_idle(qtbot, session, fake_engine.gate.set)


def test_what_was_read_is_written_while_nothing_is_typed(
    qtbot: QtBot, folder: Path, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    keeper, told = UnsavedTextKeeper(folder, delay_ms=1), list[str]()
    keeper.follow(session.unsaved.changed, session.unsaved.texts, told.append)
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.read_all()
    wait_until_idle(qtbot, session)
    first, second = session.shelf.refs
    text = f"<!-- page: {first.label} -->\n\n{session.current_text}\n"
    qtbot.waitUntil(lambda: f"page: {second.label}" in "".join(kept_in(folder)))
    assert kept_in(folder)[0].startswith(text)
    export_text(qtbot, session, tmp_path / "out.md")
    qtbot.waitUntil(lambda: kept_in(folder) == [])
    assert keeper.close(5)
    assert not told


def test_a_page_counts_as_far_as_it_has_been_read_and_one_that_is_read_again_as_it_was_before(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    for is_first in (True, False):
        with qtbot.waitSignal(session.unsaved.changed):
            begin_reading(qtbot, session, fake_engine)
        qtbot.waitUntil(lambda: session.current_text == "page")
        (page,) = session.unsaved.texts()
        assert (page.text == "page") is is_first
        until_idle(qtbot, session, fake_engine.gate.set)
        (page,) = session.unsaved.texts()
        assert page.text == session.current_text != "page"


def test_what_was_read_counts_also_once_it_is_copied(qtbot: QtBot, session: Session, draw_page: Draw) -> None:
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    session.unsaved.note_copied(session.shelf.refs)
    assert not session.unsaved.loss(session.shelf.refs).is_text
    assert len(session.unsaved.texts()) == 1


def test_a_sample_page_counts_once_it_was_typed_on_or_opened_by_the_person(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    def counted() -> list[str]:
        return [page.label.partition(",")[0] for page in session.unsaved.texts()]

    session.models.load()
    samples = [draw_page("letter.png"), draw_page("prices.png"), draw_page("table.png")]
    session.open_samples(samples)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    session.read_all()
    wait_until_idle(qtbot, session)
    assert counted() == []
    session.edit_text("typed")
    assert counted() == ["letter.png"]
    with qtbot.waitSignals([session.opener.opened, session.unsaved.changed]):
        session.open_files(samples[2:])
    assert counted() == ["letter.png", "table.png"]
