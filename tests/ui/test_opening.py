"""Files are opened in their order, listed once, and each that cannot be opened is told."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.state.notices import Offer
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.page_model import PageModel
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, emissions, held_lane, open_and_load, wait_until_idle


def test_the_first_of_many_files_is_shown_before_the_others_are_opened(
    qtbot: QtBot, session: Session, bridge: EngineBridge, draw_page: Draw
) -> None:
    pictures = emissions(session.page_image_changed)
    with qtbot.waitSignal(bridge.document_opened):
        session.open_files(draw_page(f"{number}.png") for number in range(9))
    with held_lane(bridge._file_lane):
        qtbot.waitUntil(lambda: len(pictures) == 1)
        assert session.opener.files_left > 0


def test_one_broken_file_among_good_ones_does_not_stop_the_others(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, notices: list[str]
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    session.open_files([draw_page("a.png"), broken, draw_page("c.png")])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2 and len(notices) == 1)
    assert notices[0].startswith("broken.png: ")


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
    told = emissions(session.opener.changed)
    with qtbot.waitSignal(session.page_image_changed) as caught:
        session.opener.open_picture(picture, tmp_path / "pasted.png")
        assert told == [1]
    assert session.shelf.current.path == tmp_path / "pasted.png"
    assert caught.args == [picture]
    (thread,) = stored_on
    assert thread is not threading.main_thread()


def test_a_picture_that_cannot_be_stored_is_told_so(
    qtbot: QtBot, session: Session, notices: list[str], tmp_path: Path
) -> None:
    with qtbot.waitSignal(session.notice_raised):
        session.opener.open_picture(
            QImage(90, 60, QImage.Format.Format_RGB32), tmp_path / "nowhere" / "pasted.png"
        )
    assert notices == ["pasted.png: The image could not be saved to a file. Free some space, and try again."]
    assert session.shelf.refs == ()


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
        "may/scan.png",
        "june/scan.png",
    }


def test_a_folder_opens_its_scans_and_an_empty_one_says_so(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("page 10.png", "page 9.png"):
        draw_page(name)
    session.open_files([tmp_path / "empty", tmp_path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2 and bool(notices))
    assert [ref.path.name for ref in session.shelf.refs] == ["page 9.png", "page 10.png"]
    assert session.shelf.current == session.shelf.refs[0]
    assert notices == ["empty: This is a folder without pictures or PDFs. Choose another."]


def test_pictures_of_a_folder_that_are_not_read_are_told(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    draw_page()
    (tmp_path / "photo.heic").touch()
    session.open_files([tmp_path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 1 and bool(notices))
    assert notices == [
        f"{tmp_path.name}: Pictures left out, as RTOCR does not read HEIC: 1. Save them as JPEG or PNG first."
    ]
    assert session.choices.settings.recent_files == (str(tmp_path),), "the others can be opened again"


@pytest.mark.parametrize("has_own", [True, False])
def test_the_scans_in_the_subfolders_of_a_folder_are_opened_if_that_is_wanted(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    offers: list[Offer],
    has_own: bool,
) -> None:
    paths = []
    for name in ("May/1.png", "May/copies/2.png", "June/3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        paths.append(draw_page(name))
    (tmp_path / "May" / "photo.heic").touch()
    own = [draw_page("own.png")] if has_own else []
    session.open_files([tmp_path])
    qtbot.waitUntil(lambda: bool(offers) and len(session.shelf.refs) == len(own))
    (notice,) = window.notice_bar.notices
    assert "in its subfolders" in notice.sentence
    (button,) = (one for one in window.notice_bar.findChildren(QPushButton) if one.text() == "Open 3 files")
    assert f"Open the scans in 3 subfolders of {tmp_path}" in button.toolTip()
    button.click()
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3 + len(own))
    assert [ref.path for ref in session.shelf.refs] == [*own, paths[2], paths[0], paths[1]]
    assert session.shelf.current.path == paths[2]
    (notice,) = window.notice_bar.notices
    assert "does not read HEIC: 1." in notice.sentence
    assert session.choices.settings.recent_files == (str(tmp_path),)


def test_the_scans_of_a_folder_come_before_a_file_that_was_named_after_it(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    names = ["folder/1.png", "folder/2.png", "last.png"]
    *_, last = [draw_page(name) for name in names]
    session.open_files([tmp_path / "folder", last])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    assert [ref.path for ref in session.shelf.refs] == [tmp_path / name for name in names]


def test_two_damaged_files_of_one_name_are_told_one_by_one(
    qtbot: QtBot, session: Session, window: MainWindow, tmp_path: Path
) -> None:
    paths = [tmp_path / folder / "scan.png" for folder in ("one", "other")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(b"not a picture")
    session.open_files(paths)
    qtbot.waitUntil(lambda: len(window.notice_bar.notices) == 2)


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
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
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
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    session.shelf.remove(session.shelf.refs[3:5])
    session.shelf.findChild(QTimer).setInterval(2**30)
    listed = emissions(session.shelf.pages_changed)
    session.open_files(paths)
    qtbot.waitUntil(lambda: session.opener.files_left == 0)
    assert [ref.path for ref in session.shelf.refs] == [*paths[:3], *paths[5:], *paths[3:5]]
    assert [entry.key for entry in listed[-1]] == list(session.shelf.refs)
    assert len(listed) <= 2


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
