"""What was opened last is offered again."""

import shutil
import tempfile
from pathlib import Path

import pytest
from PySide6.QtGui import QAction, QGuiApplication, QImage, QTextDocument
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from rtocr_gui.settings import Settings
from rtocr_gui.ui.app import Program
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, sentences_in, until_idle, wait_until_idle


def recent(window: MainWindow) -> list[QAction]:
    """The actions of the menu, as they are when it is opened, the last one of which clears it."""
    menu: QMenu = window.actions_by_name["open_recent"].menu()
    menu.aboutToShow.emit()
    return [action for action in menu.actions() if not action.isSeparator()]


def tip(action: QAction) -> str:
    shown = QTextDocument()
    shown.setHtml(action.toolTip())
    return shown.toPlainText()


def test_files_and_folders_are_offered_newest_first_by_their_paths_and_opened_again(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    assert not window.actions_by_name["open_recent"].isEnabled()
    (tmp_path / "a").mkdir()
    (tmp_path / "R&D").mkdir()
    inside, one, other = (draw_page(name) for name in ("R&D/1.png", "scan.png", "a/scan.png"))
    session.open_files([one])
    session.open_files([inside.parent])
    session.open_files([other, one])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    paths = [other, one, inside.parent]
    assert session.choices.settings.recent_files == tuple(map(str, paths))
    *offered, clear = recent(window)
    assert [tip(action) for action in offered] == [str(path) for path in paths]
    assert [action.text() for action in offered] == [
        "scan.png (in a)",
        f"scan.png (in {tmp_path.name})",
        "R&&D",
    ]
    session.shelf.remove(session.shelf.refs)
    offered[2].trigger()
    qtbot.waitUntil(lambda: inside in [ref.path for ref in session.shelf.refs])
    assert session.choices.settings.recent_files[0] == str(inside.parent)
    clear.trigger()
    assert session.choices.settings.recent_files == ()
    assert not window.actions_by_name["open_recent"].isEnabled()


def test_the_name_of_a_folder_is_never_taken_for_rich_text(
    window: MainWindow, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "<b>R&D" / "<img src=x>"
    session.choices.remember(recent_files=(str(path),))
    assert tip(recent(window)[0]) == str(path)


def test_the_ten_newest_are_remembered(session: Session, tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number}.png").write_bytes(b"")
        session.open_files([tmp_path / f"{number}.png"])
    assert [Path(path).stem for path in session.choices.settings.recent_files] == [
        str(n) for n in range(11, 1, -1)
    ]


def test_a_file_that_is_gone_is_told_and_leaves_the_list(
    qtbot: QtBot, window: MainWindow, session: Session, notices: list[str], draw_page: Draw, tmp_path: Path
) -> None:
    stays, gone = draw_page("stays.png"), tmp_path / "gone.png"
    session.choices.remember(recent_files=(str(stays), str(gone)))
    recent(window)[1].trigger()
    qtbot.waitUntil(lambda: bool(notices))
    assert notices == ["gone.png: There is no such file. Check its name and location."]
    assert session.choices.settings.recent_files == (str(stays),)


def test_neither_samples_nor_pasted_pictures_are_remembered(qtbot: QtBot, program: Program) -> None:
    picture = QImage(40, 40, QImage.Format.Format_RGB32)
    picture.fill(0)
    program.start([])
    program.window.arrivals.picture_came.emit(picture)
    qtbot.waitUntil(lambda: [ref.path.stem for ref in program.session.shelf.refs] == ["Pasted image 1"])
    assert program.session.choices.settings.recent_files == ()


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_pasted_picture_is_read_at_once_if_that_is_wanted(
    qtbot: QtBot, program: Program, fake_engine: FakeEngine, draw_page: Draw, is_wanted: bool
) -> None:
    picture = QImage(40, 40, QImage.Format.Format_RGB32)
    action = program.window.actions_by_name["read_pasted"]
    assert action.isChecked()
    action.setChecked(is_wanted)
    assert program.session.choices.settings.read_pasted == is_wanted
    program.start([])
    qtbot.waitUntil(lambda: program.session.models.is_loaded)
    program.window.arrivals.picture_came.emit(picture)
    qtbot.waitUntil(lambda: [ref.path.stem for ref in program.session.shelf.refs] == ["Pasted image 1"])
    wait_until_idle(qtbot, program.session)
    program.window.arrivals.files_came.emit([draw_page()])
    qtbot.waitUntil(lambda: len(program.session.shelf.refs) == 2)
    wait_until_idle(qtbot, program.session)
    assert len(fake_engine.asked) == is_wanted


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_text_of_a_pasted_picture_is_copied_once_it_is_read_if_that_is_wanted(
    qtbot: QtBot, program: Program, fake_engine: FakeEngine, draw_page: Draw, is_wanted: bool
) -> None:
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("before")
    program.window.actions_by_name["copy_pasted"].setChecked(is_wanted)
    program.start([draw_page()])
    qtbot.waitUntil(lambda: program.session.models.is_loaded and len(program.session.shelf.refs) == 1)
    program.window.arrivals.picture_came.emit(QImage(40, 40, QImage.Format.Format_RGB32))
    qtbot.waitUntil(lambda: len(fake_engine.asked) == 1)
    wait_until_idle(qtbot, program.session)
    text = program.session.current_text
    assert text.startswith("page 1 of Pasted image 1")
    assert clipboard.text() == (text if is_wanted else "before")
    clipboard.setText("something else")
    until_idle(qtbot, program.session, program.session.read_all)
    program.session.settle_retention(0.5)
    wait_until_idle(qtbot, program.session)
    assert clipboard.text() == "something else"
    clipboard.clear()


def test_a_picture_that_cannot_be_saved_is_told_and_the_next_one_opened(
    qtbot: QtBot, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = QImage(40, 40, QImage.Format.Format_RGB32)
    with monkeypatch.context() as disk:
        disk.setattr(tempfile, "mkdtemp", unusable)
        program.window.arrivals.picture_came.emit(picture)
    assert sentences_in(program.window.notice_bar) == (
        "The image could not be saved to a file. Free some space, and try again.",
    )
    program.window.arrivals.picture_came.emit(picture)
    qtbot.waitUntil(lambda: [ref.path.stem for ref in program.session.shelf.refs] == ["Pasted image 1"])


def test_pictures_are_opened_also_once_their_folder_was_cleaned_away(
    qtbot: QtBot, program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    picture = QImage(40, 40, QImage.Format.Format_RGB32)
    opened = program.session.shelf.pages_changed
    program.session.choices.remember(read_pasted=False)
    with qtbot.waitSignal(opened):
        program.window.arrivals.picture_came.emit(picture)
    for folder in tmp_path.glob("rtocr-*"):
        shutil.rmtree(folder)
    with qtbot.waitSignal(opened):
        program.window.arrivals.picture_came.emit(picture)
    assert [path.name for path in tmp_path.rglob("Pasted*")] == ["Pasted image 2.png"]
    assert sentences_in(program.window.notice_bar) == ()


def unusable(*_: object) -> str:
    raise FileNotFoundError("No usable temporary directory found")


def test_a_folder_is_asked_for_and_its_scans_are_opened(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [tmp_path, None]
    monkeypatch.setattr(questions, "ask_folder", lambda *_: answers.pop())
    window.actions_by_name["open_folder"].trigger()
    assert session.choices.settings == Settings()
    scan = draw_page()
    window.actions_by_name["open_folder"].trigger()
    qtbot.waitUntil(lambda: [ref.path for ref in session.shelf.refs] == [scan])
    assert session.choices.settings.last_folder == str(tmp_path)
    assert session.choices.settings.recent_files == (str(tmp_path),)


def test_a_folder_that_is_gone_is_not_where_files_are_looked_for(
    window: MainWindow, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(questions, "ask_files", lambda _, folder: begun.append(folder) or [])
    monkeypatch.setattr(questions, "ask_folder", lambda _, folder: begun.append(folder))
    for folder in (tmp_path, tmp_path / "stick"):
        session.choices.remember(last_folder=str(folder))
        window.actions_by_name["open"].trigger()
        window.actions_by_name["open_folder"].trigger()
    assert begun == [str(tmp_path), str(tmp_path), "", ""]
