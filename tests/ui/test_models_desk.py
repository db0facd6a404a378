"""The window of models lies over the one window, and reading goes on with what is chosen there."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.errors import DownloadError
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage
from rtocr_gui.ocr.library.model_source import snapshots_in
from rtocr_gui.ui.dialogs.models_desk import ModelsDesk
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.small_checkpoint import write_checkpoint
from tests.ui.steps import until_loaded


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "bundled")


@pytest.fixture
def desk(
    window: MainWindow, session: Session, bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModelsDesk]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    made = ModelsDesk(session, bundled, window)
    window.models_requested.connect(made.open)
    yield made
    assert made.close(5)


def listed(desk: ModelsDesk) -> list[str]:
    assert desk.window is not None
    return [desk.window.list.topLevelItem(row).text(0) for row in range(desk.window.list.topLevelItemCount())]


def test_nothing_is_made_before_the_window_is_asked_for(desk: ModelsDesk) -> None:
    assert desk.window is None


def test_the_action_opens_it_and_lists_the_bundled_model(
    qtbot: QtBot, window: MainWindow, desk: ModelsDesk
) -> None:
    window.actions_by_name["models"].trigger()
    assert desk.window is not None
    assert desk.window.isVisible()
    qtbot.waitUntil(lambda: len(listed(desk)) == 1)


def test_a_chosen_model_is_loaded_and_the_bundled_one_by_no_name(
    qtbot: QtBot, session: Session, desk: ModelsDesk, tmp_path: Path, bundled: Path
) -> None:
    other = write_checkpoint(tmp_path / "other")
    desk.open()
    assert desk.window is not None
    until_loaded(qtbot, session, lambda: desk.window.model_chosen.emit(other))
    assert session.choices.settings.model_folder == str(other)
    until_loaded(qtbot, session, lambda: desk.window.model_chosen.emit(bundled))
    assert session.choices.settings.model_folder == ""


def test_a_folder_of_the_person_s_is_remembered(
    qtbot: QtBot, session: Session, desk: ModelsDesk, tmp_path: Path
) -> None:
    own = write_checkpoint(tmp_path / "own")
    desk.open()
    assert desk.window is not None
    desk.window.folder_named.emit(own)
    qtbot.waitUntil(lambda: session.choices.settings.own_models == (str(own),))
    qtbot.waitUntil(lambda: len(listed(desk)) == 2)


def test_a_model_that_was_chosen_elsewhere_is_listed_when_it_opens_again(
    qtbot: QtBot, session: Session, desk: ModelsDesk, tmp_path: Path
) -> None:
    desk.open()
    qtbot.waitUntil(lambda: len(listed(desk)) == 1)
    other = write_checkpoint(tmp_path / "other")
    until_loaded(qtbot, session, lambda: session.models.choose(other))
    desk.open()
    qtbot.waitUntil(lambda: len(listed(desk)) == 2)
    qtbot.waitUntil(lambda: session.choices.settings.own_models == (str(other),))


def test_a_model_that_was_downloaded_for_all_programs_is_not_remembered_as_the_person_s_own(
    qtbot: QtBot, session: Session, desk: ModelsDesk, tmp_path: Path
) -> None:
    snapshots = snapshots_in(tmp_path / "cache")
    snapshots.mkdir(parents=True)
    downloaded = write_checkpoint(snapshots / "9f30c71")
    own = write_checkpoint(tmp_path / "own")
    desk.open()
    until_loaded(qtbot, session, lambda: session.models.choose(downloaded))
    desk.open()
    assert desk.window is not None
    desk.window.folder_named.emit(own)
    qtbot.waitUntil(lambda: session.choices.settings.own_models == (str(own),))
    qtbot.waitUntil(lambda: len(listed(desk)) == 3)


def test_opening_it_again_brings_the_same_window(window: MainWindow, desk: ModelsDesk) -> None:
    desk.open()
    first = desk.window
    assert first is not None
    first.close()
    window.actions_by_name["models"].trigger()
    assert desk.window is first
    assert first.isVisible()


def test_the_folder_of_a_download_is_remembered_as_long_as_there_is_something_in_it(
    qtbot: QtBot, window: MainWindow, session: Session, desk: ModelsDesk, tmp_path: Path, bundled: Path
) -> None:
    desk.open()
    assert desk.window is not None
    desk.window.download.target_chosen.emit(tmp_path / "mine")
    assert session.choices.settings.download_folder == ""
    desk.window.download.download_requested.emit("http://127.0.0.1:9")
    assert session.choices.settings.download_folder == str(tmp_path / "mine")
    start = desk.window.download.start
    qtbot.waitUntil(lambda: start.text() == "&Try again", timeout=15_000)
    next_desk = ModelsDesk(session, bundled, window)
    next_desk.open()
    qtbot.waitUntil(lambda: len(listed(next_desk)) == 1)
    assert next_desk.window is not None
    assert str(tmp_path / "mine") not in next_desk.window.download.place.text()
    assert next_desk.close(5)


@pytest.mark.parametrize(
    ("problem", "told"),
    [("", "Downloaded and checked."), ("The disk is full.", "The disk is full.")],
)
def test_how_a_download_ended_is_told_where_its_window_was_closed(
    qtbot: QtBot, desk: ModelsDesk, problem: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def download(*arguments: object) -> Iterator[DownloadProgress]:
        assert go_on.wait(10)
        if problem:
            raise DownloadError(problem)
        yield DownloadProgress(DownloadStage.DONE, 7, 7)

    monkeypatch.setattr("rtocr_gui.ocr.library.download.download_model", download)
    desk.open()
    assert desk.window is not None
    desk.window.download.download_requested.emit("")
    desk.window.close()
    with qtbot.waitSignal(desk.notice_raised) as raised:
        go_on.set()
    assert raised.args[0].sentence.startswith(f"DeepSeek-OCR: {told}")
    desk.open()
    with qtbot.assertNotEmitted(desk.notice_raised):
        desk.window.download.download_requested.emit("")
        qtbot.waitUntil(lambda: desk.window.download.start.isHidden())
        qtbot.waitUntil(lambda: desk.window.download.pause.isHidden())
