"""The window of models lies over the one window, and reading goes on with what is chosen there."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.errors import DownloadError
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage
from rtocr_gui.ocr.library.model_source import snapshots_in
from rtocr_gui.ui.dialogs.models_opener import ModelsOpener
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.small_checkpoint import write_checkpoint
from tests.ui.steps import until_loaded


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "bundled")


@pytest.fixture
def opener(
    window: MainWindow, session: Session, bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModelsOpener]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    made = ModelsOpener(session, bundled, window)
    window.models_requested.connect(made.open)
    yield made
    assert made.close(5)


def listed(opener: ModelsOpener) -> list[str]:
    assert opener.window is not None
    return [
        opener.window.list.topLevelItem(row).text(0) for row in range(opener.window.list.topLevelItemCount())
    ]


def test_nothing_is_made_before_the_window_is_asked_for(opener: ModelsOpener) -> None:
    assert opener.window is None


def test_the_action_opens_it_and_lists_the_bundled_model(
    qtbot: QtBot, window: MainWindow, opener: ModelsOpener
) -> None:
    window.actions_by_name["models"].trigger()
    assert opener.window is not None
    assert opener.window.isVisible()
    qtbot.waitUntil(lambda: len(listed(opener)) == 1)


def test_why_it_cannot_be_opened_is_told(
    qtbot: QtBot, opener: ModelsOpener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "10s")
    with qtbot.waitSignal(opener.notice_raised) as raised:
        opener.open()
    assert "HF_HUB_DOWNLOAD_TIMEOUT is “10s”" in raised.args[0].sentence
    assert opener.window is None
    monkeypatch.delenv("HF_HUB_DOWNLOAD_TIMEOUT")
    opener.open()
    assert opener.window is not None


def test_a_chosen_model_is_loaded_and_the_bundled_one_by_no_name(
    qtbot: QtBot, session: Session, opener: ModelsOpener, tmp_path: Path, bundled: Path
) -> None:
    other = write_checkpoint(tmp_path / "other")
    opener.open()
    assert opener.window is not None
    until_loaded(qtbot, session, lambda: opener.window.model_chosen.emit(other))
    assert session.choices.settings.model_folder == str(other)
    until_loaded(qtbot, session, lambda: opener.window.model_chosen.emit(bundled))
    assert session.choices.settings.model_folder == ""


def test_a_folder_of_the_person_s_is_remembered(
    qtbot: QtBot, session: Session, opener: ModelsOpener, tmp_path: Path
) -> None:
    own = write_checkpoint(tmp_path / "own")
    opener.open()
    assert opener.window is not None
    opener.window.folder_named.emit(own)
    qtbot.waitUntil(lambda: session.choices.settings.own_models == (str(own),))
    qtbot.waitUntil(lambda: len(listed(opener)) == 2)


def test_a_model_that_was_chosen_elsewhere_is_listed_when_it_opens_again(
    qtbot: QtBot, session: Session, opener: ModelsOpener, tmp_path: Path
) -> None:
    opener.open()
    qtbot.waitUntil(lambda: len(listed(opener)) == 1)
    other = write_checkpoint(tmp_path / "other")
    until_loaded(qtbot, session, lambda: session.models.choose(other))
    opener.open()
    qtbot.waitUntil(lambda: len(listed(opener)) == 2)
    qtbot.waitUntil(lambda: session.choices.settings.own_models == (str(other),))


def test_a_model_that_was_downloaded_for_all_programs_is_not_remembered_as_the_person_s_own(
    qtbot: QtBot, session: Session, opener: ModelsOpener, tmp_path: Path
) -> None:
    snapshots = snapshots_in(tmp_path / "cache")
    snapshots.mkdir(parents=True)
    downloaded = write_checkpoint(snapshots / "9f30c71")
    own = write_checkpoint(tmp_path / "own")
    opener.open()
    until_loaded(qtbot, session, lambda: session.models.choose(downloaded))
    opener.open()
    assert opener.window is not None
    opener.window.folder_named.emit(own)
    qtbot.waitUntil(lambda: session.choices.settings.own_models == (str(own),))
    qtbot.waitUntil(lambda: len(listed(opener)) == 3)


def test_opening_it_again_brings_the_same_window(window: MainWindow, opener: ModelsOpener) -> None:
    opener.open()
    first = opener.window
    assert first is not None
    first.close()
    window.actions_by_name["models"].trigger()
    assert opener.window is first
    assert first.isVisible()


def test_the_folder_of_a_download_is_remembered_as_long_as_there_is_something_in_it(
    qtbot: QtBot, window: MainWindow, session: Session, opener: ModelsOpener, tmp_path: Path, bundled: Path
) -> None:
    opener.open()
    assert opener.window is not None
    opener.window.download.target_chosen.emit(tmp_path / "mine")
    assert session.choices.settings.download_folder == ""
    opener.window.download.download_requested.emit("http://127.0.0.1:9")
    assert session.choices.settings.download_folder == str(tmp_path / "mine")
    start = opener.window.download.start
    qtbot.waitUntil(lambda: start.text() == "&Try again", timeout=15_000)
    next_opener = ModelsOpener(session, bundled, window)
    next_opener.open()
    qtbot.waitUntil(lambda: len(listed(next_opener)) == 1)
    assert next_opener.window is not None
    assert str(tmp_path / "mine") not in next_opener.window.download.place.text()
    assert next_opener.close(5)


@pytest.mark.parametrize(
    ("problem", "told"),
    [("", "Downloaded and checked."), ("The disk is full.", "The disk is full.")],
)
def test_how_a_download_ended_is_told_where_its_window_was_closed(
    qtbot: QtBot, opener: ModelsOpener, problem: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def download(*arguments: object) -> Iterator[DownloadProgress]:
        assert go_on.wait(10)
        if problem:
            raise DownloadError(problem)
        yield DownloadProgress(DownloadStage.DONE, 7, 7)

    monkeypatch.setattr("rtocr_gui.ocr.library.download.download_model", download)
    opener.open()
    assert opener.window is not None
    opener.window.download.download_requested.emit("")
    opener.window.close()
    with qtbot.waitSignal(opener.notice_raised) as raised:
        go_on.set()
    assert raised.args[0].sentence.startswith(f"DeepSeek-OCR: {told}")
    opener.open()
    with qtbot.assertNotEmitted(opener.notice_raised):
        opener.window.download.download_requested.emit("")
        qtbot.waitUntil(lambda: opener.window.download.start.isHidden())
        qtbot.waitUntil(lambda: opener.window.download.pause.isHidden())
