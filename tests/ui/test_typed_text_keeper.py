"""What was typed and not exported outlives a program that does not end as it should."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rtocr_gui.export.markdown import ExportPage
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.typed_text_keeper import TypedTextKeeper, take_left_behind
from tests.ui.steps import Draw, export_text, open_and_load

NEVER = 2**30
PAGE = ExportPage("a.png, page 1", "typed")


class Typing(QObject):
    """A person who types; `pages` is what they typed so far, and `told` what they were told."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.pages: tuple[ExportPage, ...] = ()
        self.told: list[str] = []

    def type(self, *pages: ExportPage) -> None:
        self.pages = pages
        self.changed.emit(None)


Begin = Callable[..., tuple[TypedTextKeeper, Typing]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "settings"


@pytest.fixture
def begin(qtbot: QtBot, folder: Path) -> Iterator[Begin]:
    keepers: list[TypedTextKeeper] = []

    def make(delay_ms: int = 1) -> tuple[TypedTextKeeper, Typing]:
        keeper, typing = TypedTextKeeper(folder, delay_ms), Typing()
        keeper.follow(typing.changed, lambda: typing.pages, typing.told.append)
        keepers.append(keeper)
        return keeper, typing

    yield make
    for keeper in keepers:
        assert keeper.close(5)


def kept_in(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))]


def test_what_was_typed_is_written_soon_and_gone_once_it_is_exported(
    qtbot: QtBot, folder: Path, begin: Begin
) -> None:
    _, typing = begin()
    typing.type(PAGE)
    qtbot.waitUntil(lambda: kept_in(folder) == ["<!-- page: a.png, page 1 -->\n\ntyped\n"])
    typing.type()
    qtbot.waitUntil(lambda: kept_in(folder) == [])


def test_who_types_is_told_once_that_it_is_not_safe(qtbot: QtBot, folder: Path, begin: Begin) -> None:
    folder.write_text("no folder")
    keeper, typing = begin()
    typing.type(PAGE)
    qtbot.waitUntil(lambda: len(typing.told) == 1)
    assert keeper.close(5, lost=True)
    QApplication.processEvents()
    (sentence,) = typing.told
    assert sentence.startswith("What you type is not backed up: ")


def test_nothing_stays_beside_the_settings_while_all_is_exported(
    qtbot: QtBot, folder: Path, begin: Begin
) -> None:
    _, typing = begin()
    for _ in range(2):
        typing.type(PAGE)
        qtbot.waitUntil(lambda: len(kept_in(folder)) == 1)
        assert take_left_behind(folder) == ()
        typing.type()
        qtbot.waitUntil(lambda: list(folder.iterdir()) == [])


def test_an_orderly_end_leaves_nothing_behind(qtbot: QtBot, folder: Path, begin: Begin) -> None:
    keeper, typing = begin()
    typing.type(PAGE)
    qtbot.waitUntil(lambda: len(kept_in(folder)) == 1)
    assert keeper.close(5)
    assert list(folder.iterdir()) == []


def test_what_was_typed_last_is_written_where_nobody_was_asked(folder: Path, begin: Begin) -> None:
    keeper, typing = begin(NEVER)
    typing.type(PAGE)
    assert not folder.exists()
    assert keeper.close(5, lost=True)
    (left,) = take_left_behind(folder)
    assert left.name.startswith("Typed text, ")
    assert [path.name for path in folder.iterdir()] == [left.name]
    assert "typed" in left.read_text(encoding="utf-8")
    assert take_left_behind(folder) == ()


def test_what_a_running_program_keeps_is_left_to_it(qtbot: QtBot, folder: Path, begin: Begin) -> None:
    _, typing = begin()
    typing.type(PAGE)
    qtbot.waitUntil(lambda: len(kept_in(folder)) == 1)
    (lock,) = folder.glob("*.lock")
    os.utime(lock, (1e9, 1e9))  # however long it has been running
    assert take_left_behind(folder) == ()
    assert len(kept_in(folder)) == 1


def test_what_a_program_of_the_same_process_number_left_is_found(folder: Path) -> None:
    folder.mkdir()
    (folder / "typed-0.md").write_text("typed")
    path = folder / "typed-0.md.lock"
    lock = QLockFile(str(path))
    assert lock.tryLock(0)
    of_this_process = path.read_bytes()
    lock.unlock()
    path.write_bytes(of_this_process)  # in a sandbox, each start may have the same number
    os.utime(path, (1e9, 1e9))
    (left,) = take_left_behind(folder)
    assert list(folder.iterdir()) == [left]


def test_a_folder_that_cannot_be_written_to_stops_nobody(
    qtbot: QtBot, folder: Path, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_text("a file")
    _, typing = begin()
    typing.type(PAGE)
    qtbot.waitUntil(lambda: "could not be kept" in caplog.text)
    assert folder.read_text() == "a file"


def test_the_session_tells_which_typed_text_is_in_no_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    assert session.unsaved.typed_texts() == ()
    with qtbot.waitSignal(session.unsaved.typed_changed):
        session.edit_text("typed")
    (page,) = session.unsaved.typed_texts()
    assert page.text == "typed"
    assert page.label == session.shelf.refs[0].label
    with qtbot.waitSignal(session.unsaved.typed_changed):
        export_text(qtbot, session, tmp_path / "out.md")
    assert session.unsaved.typed_texts() == ()


def test_the_session_tells_each_change_of_typed_text_and_of_none_that_was_emptied(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    kept: list[list[str]] = []
    open_and_load(qtbot, session, draw_page())
    session.unsaved.typed_changed.connect(
        lambda: kept.append([page.text for page in session.unsaved.typed_texts()])
    )
    for text in ("typed", "typed more", ""):
        session.edit_text(text)
        assert kept[-1] == [text] * bool(text)
