"""The window of models offers what can be done, and a download shown in it ends with a model to use."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QTextDocument
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage
from rtocr_gui.ocr.library.library import ModelEntry, Origin, look_into
from rtocr_gui.ocr.library.model_source import published_folder_in
from rtocr_gui.ocr.reading import Task
from rtocr_gui.resources import resource_path
from rtocr_gui.ui.background.model_library import ModelLibrary
from rtocr_gui.ui.background.models_shown import CheckShown, DownloadShown, DownloadState, ModelsListed
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.models_opener import wire
from rtocr_gui.ui.dialogs.models_window import ModelsWindow
from tests.hub_server import INFO, HubServer, Trouble
from tests.published_model import WEIGHTS
from tests.small_checkpoint import write_checkpoint
from tests.ui.steps import choices, emissions, in_sight

BUNDLED = resource_path("miniature")
TARGET = Path("/models/DeepSeek-OCR")


@pytest.fixture(scope="module")
def miniature() -> ModelEntry:
    return look_into(BUNDLED, Origin.BUNDLED)


@pytest.fixture
def window(qtbot: QtBot) -> ModelsWindow:
    return in_sight(qtbot, ModelsWindow())


@pytest.fixture
def library(qtbot: QtBot, tmp_path: Path, hub: HubServer) -> Iterator[ModelLibrary]:
    made = ModelLibrary(BUNDLED, cache=tmp_path / "cache")
    yield made
    hub.released.set()
    assert made.close(15)


def listed(*entries: ModelEntry) -> ModelsListed:
    return ModelsListed(entries, TARGET, 412_000_000_000)


def select(window: ModelsWindow, row: int) -> None:
    item = window.list.topLevelItem(row)
    assert item is not None
    window.list.setCurrentItem(item)


def names(window: ModelsWindow) -> list[str]:
    return [item.text(0) for item in window.list.findItems("", Qt.MatchFlag.MatchContains)]


# --- the list ------------------------------------------------------------------------------------


def test_words_leave_their_room_to_the_list(qtbot: QtBot, window: ModelsWindow) -> None:
    about = window.download.about
    qtbot.waitUntil(lambda: about.height() == about.heightForWidth(about.width()))


def test_the_window_fits_on_a_small_screen_with_its_lower_end_in_reach(
    qtbot: QtBot, window: ModelsWindow, miniature: ModelEntry
) -> None:
    window.show_models(listed(miniature))
    window.resize(640, 400)
    assert (window.width(), window.height()) == (640, 400)
    close = window.findChild(QDialogButtonBox)
    assert window.rect().contains(close.geometry())
    window.download.start.setFocus()
    qtbot.keyClick(window.download.start, Qt.Key.Key_Tab)
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Backtab)
    assert window.download.start.hasFocus()
    assert window.download.start.visibleRegion().boundingRect() == window.download.start.rect()


def test_a_new_window_is_no_larger_than_its_screen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = SimpleNamespace(availableSize=lambda: QSize(640, 400))
    monkeypatch.setattr(ModelsWindow, "screen", lambda _: screen)
    window = ModelsWindow()
    qtbot.addWidget(window)
    window.show()
    assert window.width() <= 640
    assert window.height() <= 400


@pytest.mark.parametrize("state", DownloadState)
def test_no_two_buttons_share_a_mnemonic(window: ModelsWindow, state: DownloadState) -> None:
    window.download.show_download(DownloadShown(state))
    buttons = [button.text() for button in window.findChildren(QPushButton)]
    labels = [label.text() for label in window.findChildren(QLabel) if label.buddy()]
    keys = [QKeySequence.mnemonic(text).toString() for text in (*buttons, *labels) if "&" in text]
    assert len(keys) >= 9
    assert len(keys) == len(set(keys))


def test_a_model_shows_its_size_precision_and_what_it_reads(
    window: ModelsWindow, miniature: ModelEntry
) -> None:
    window.show_models(listed(miniature))
    item = window.list.topLevelItem(0)
    assert item is not None
    assert [item.text(column) for column in range(4)] == [
        "RTOCR Miniature",
        "39.9 MB",
        "bfloat16",
        "Tiny, Small, Base, Large, Gundam: Plain text, Document to Markdown",
    ]
    assert "Comes with RTOCR" in window.details.text()
    assert str(TARGET) in window.download.place.text()
    assert "412 GB free" in window.download.place.text()


def test_a_usable_model_can_be_chosen(qtbot: QtBot, window: ModelsWindow, miniature: ModelEntry) -> None:
    window.show_models(listed(miniature))
    with qtbot.waitSignal(window.model_chosen) as chosen:
        qtbot.mouseClick(window.use, Qt.MouseButton.LeftButton)
    assert chosen.args == [BUNDLED]
    with qtbot.waitSignal(window.model_chosen):
        qtbot.keyClick(window.list, Qt.Key.Key_Return)


def test_models_are_listed_also_where_the_environment_names_no_server(
    qtbot: QtBot, library: ModelLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "mirror.example")
    with qtbot.waitSignal(library.models_listed) as caught:
        library.refresh()
    assert caught.args[0].models[0].folder == BUNDLED


def test_the_model_in_use_is_marked_and_not_offered_again(
    window: ModelsWindow, miniature: ModelEntry
) -> None:
    window.show_models(listed(miniature, replace(miniature, folder=TARGET, origin=Origin.OWN)))
    window.show_in_use(TARGET)
    assert names(window) == ["RTOCR Miniature", "RTOCR Miniature (in use)"]
    select(window, 1)
    assert not window.use.isEnabled()
    assert not window.forget.isEnabled()
    window.show_in_use(BUNDLED)
    assert names(window) == ["RTOCR Miniature (in use)", "RTOCR Miniature"]
    assert window.use.isEnabled()


def test_a_model_that_cannot_be_used_says_why(window: ModelsWindow, tmp_path: Path) -> None:
    window.show_models(listed(look_into(tmp_path / "gone")))
    assert not window.use.isEnabled()
    assert "There is no folder" in window.details.text()
    assert window.forget.isVisible()


@pytest.mark.parametrize("reads", [True, False], ids=["reads", "problem"])
def test_what_a_model_says_of_itself_is_never_taken_for_rich_text(
    window: ModelsWindow, miniature: ModelEntry, reads: bool
) -> None:
    assert miniature.info is not None
    strange = replace(miniature.info, tasks=(Task("<img src=x>", "<img src=x>", ""),))
    entry = replace(miniature, info=strange if reads else None, problem="" if reads else "No <img src=x>.")
    window.show_models(listed(entry))
    item, tip = window.list.topLevelItem(0), QTextDocument()
    assert item is not None
    tip.setHtml(item.toolTip(3))
    assert tip.toPlainText() == (entry.reads or entry.problem)


def test_the_selection_survives_a_new_list(window: ModelsWindow, miniature: ModelEntry) -> None:
    other = replace(miniature, folder=TARGET)
    window.show_models(listed(miniature, other))
    select(window, 1)
    window.show_models(listed(replace(miniature, folder=Path("/new")), miniature, other))
    assert window.selected == other


def test_a_check_is_told_beside_its_model_only(
    qtbot: QtBot, window: ModelsWindow, miniature: ModelEntry
) -> None:
    window.show_models(listed(miniature, replace(miniature, folder=TARGET)))
    with qtbot.waitSignal(window.check_requested) as asked:
        window.check.click()
    assert asked.args == [BUNDLED]
    window.show_check(CheckShown(BUNDLED, True, "Checking: 1.0 of 6.7 GB"))
    assert "Checking: 1.0 of 6.7 GB" in window.details.text()
    with qtbot.waitSignal(window.check_stop_requested):
        window.check.click()
    window.show_check(CheckShown(BUNDLED, False, "In order."))
    assert window.check.text() == "Chec&k"
    select(window, 1)
    assert "In order." not in window.details.text()
    select(window, 0)
    assert "In order." in window.details.text()
    window.show_models(listed(miniature, replace(miniature, folder=Path("/new"))))
    assert "In order." in window.details.text()
    window.show_models(listed(replace(miniature, precision="float32")))
    assert "In order." not in window.details.text(), "it has changed since"


def test_the_result_of_a_check_ends_as_the_model_is_downloaded_again(
    window: ModelsWindow, miniature: ModelEntry
) -> None:
    window.show_models(listed(replace(miniature, folder=TARGET)))
    window.show_check(CheckShown(TARGET, False, "It is damaged.", is_bad=True))
    window.follow_download(DownloadShown(DownloadState.DONE))
    assert "It is damaged." in window.details.text()
    window.follow_download(DownloadShown(DownloadState.RUNNING))
    assert "It is damaged." not in window.details.text()


def test_return_in_the_field_of_the_server_closes_nothing(qtbot: QtBot, window: ModelsWindow) -> None:
    qtbot.keyClicks(window.download.server, "http://mirror")
    qtbot.keyClick(window.download.server, Qt.Key.Key_Return)
    assert window.isVisible()
    with qtbot.waitSignal(window.download.download_requested) as asked:
        window.download.start.click()
    assert asked.args == ["http://mirror"]


def test_everything_can_be_told_without_seeing_it(window: ModelsWindow) -> None:
    for button in window.findChildren(QPushButton):
        assert button.text()
        assert button.toolTip() or button.text() == "Close" or "Close" in button.text()
    box = window.download
    for widget in (window.list, window.details, box.server, box.bar, box.status):
        assert widget.accessibleName()


# --- with the library behind it ------------------------------------------------------------------


def download_ends(library: ModelLibrary, *states: DownloadState) -> bool:
    return library.download.shown.state in states


def test_a_download_that_is_cut_in_half_is_resumed_and_ends_with_a_model_to_use(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    wire(window, library)
    library.refresh()
    qtbot.waitUntil(lambda: names(window) == ["RTOCR Miniature"])
    window.download.server.setText(hub.endpoint)
    size = len(hub.files[WEIGHTS])
    hub.troubles[WEIGHTS] = [Trouble(cut_after=size // 2), Trouble(status=403)]
    window.download.start.click()
    assert choices(window.download) == ["Pause", "Cancel"]
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.FAILED), timeout=15_000)
    assert "does not allow the download (403)" in window.download.status.text()
    assert 40 < 100 * window.download.bar.value() / window.download.bar.maximum() < 70
    qtbot.waitUntil(lambda: len(names(window)) == 2)
    window.download.start.click()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)
    assert hub.downloads[-1] == (WEIGHTS, size // 2)
    folder = published_folder_in(tmp_path / "cache")
    qtbot.waitUntil(lambda: look_into(folder).is_usable and names(window)[1:] == ["DeepSeek-OCR"])
    select(window, 1)
    qtbot.waitUntil(window.use.isEnabled)
    with qtbot.waitSignal(window.model_chosen) as chosen:
        window.use.click()
    assert chosen.args == [folder]


def test_a_paused_download_is_offered_again_by_the_next_program(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    hub.troubles[WEIGHTS] = [Trouble(hang_after=100_000)]
    library.download.start(hub.endpoint)
    qtbot.waitUntil(hub.hanging.is_set, timeout=15_000)
    library.download.pause()
    assert library.download.shown.state is DownloadState.STOPPING
    hub.released.set()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.PAUSED), timeout=15_000)
    next_library = ModelLibrary(BUNDLED, cache=tmp_path / "cache")
    wire(window, next_library)
    next_library.refresh()
    qtbot.waitUntil(lambda: download_ends(next_library, DownloadState.PAUSED))
    assert choices(window.download) == ["Resume", "Cancel"]
    assert window.download.bar.value() > 0
    kept = next_library.download.shown.arrived_bytes
    assert kept > 0
    next_library.download.start("http://127.0.0.1:9")
    qtbot.waitUntil(lambda: download_ends(next_library, DownloadState.FAILED), timeout=15_000)
    assert next_library.download.shown.arrived_bytes == kept
    assert next_library.close(5)
    hasty_library = ModelLibrary(BUNDLED, cache=tmp_path / "cache")
    hasty_library.download.start("http://127.0.0.1:9")  # before its folder was looked into
    qtbot.waitUntil(lambda: hasty_library.download.shown.arrived_bytes == kept, timeout=15_000)
    assert hasty_library.close(5)


def test_a_paused_download_to_a_folder_of_the_persons_is_offered_again_by_the_next_program(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    library.choose_target(folder)
    hub.troubles[WEIGHTS] = [Trouble(hang_after=100_000)]
    with qtbot.waitSignal(library.begun_changed) as remembered:
        library.download.start(hub.endpoint)
    assert remembered.args == [folder]
    qtbot.waitUntil(hub.hanging.is_set, timeout=15_000)
    library.download.pause()
    hub.released.set()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.PAUSED), timeout=15_000)
    next_library = ModelLibrary(BUNDLED, begun=folder, cache=tmp_path / "cache")
    wire(window, next_library)
    next_library.refresh()
    qtbot.waitUntil(lambda: names(window)[1:] == ["DeepSeek-OCR"])
    assert choices(window.download) == ["Resume", "Cancel"]
    assert str(folder) in window.download.place.text()
    with qtbot.waitSignal(next_library.begun_changed) as forgotten:
        next_library.download.discard()
    assert forgotten.args == [None]
    qtbot.waitUntil(lambda: names(window) == ["RTOCR Miniature"])
    assert not folder.exists()
    assert next_library.close(5)


def test_a_download_that_began_before_the_list_was_there_ends_in_its_folder(
    qtbot: QtBot, hub: HubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"  # what was begun there before has been removed since
    library = ModelLibrary(BUNDLED, begun=folder, cache=tmp_path / "cache")
    targets: list[Path] = []
    library.models_listed.connect(lambda told: targets.append(told.target))
    library.refresh()
    with qtbot.waitSignals([library.own_folders_changed, library.download.ended], timeout=15_000):
        library.download.start(hub.endpoint)
    with qtbot.waitSignal(library.models_listed):
        library.refresh()
    assert set(targets) == {folder}
    assert library.close(5)


def test_a_download_that_another_program_ended_is_listed_and_remembered(qtbot: QtBot, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "mine")
    library = ModelLibrary(BUNDLED, begun=folder, cache=tmp_path / "cache")
    with (
        qtbot.waitSignal(library.begun_changed) as forgotten,
        qtbot.waitSignal(library.own_folders_changed) as remembered,
    ):
        library.refresh()
    assert remembered.args == [(folder,)]
    assert forgotten.args == [None]
    for _ in range(2):
        with qtbot.waitSignal(library.models_listed) as listed:
            library.refresh()
        assert [entry.folder for entry in listed.args[0].models] == [BUNDLED, folder]
        assert listed.args[0].target != folder
    assert library.close(5)


@pytest.mark.parametrize("own", ["", "mine"], ids=["shared", "own"])
def test_what_another_program_was_downloading_is_there_once_it_has_ended(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path, own: str
) -> None:
    other = ModelLibrary(BUNDLED, cache=tmp_path / "cache")
    remembered = emissions(library.own_folders_changed)
    for each in (library, other):
        if own:
            each.choose_target(tmp_path / own)
    hub.troubles[WEIGHTS] = [Trouble(hang_after=100_000)]
    other.download.start(hub.endpoint)
    qtbot.waitUntil(hub.hanging.is_set, timeout=15_000)
    wire(window, library)
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.FAILED), timeout=15_000)
    assert "Another RTOCR is downloading" in window.download.status.text()
    hub.released.set()
    qtbot.waitUntil(lambda: download_ends(other, DownloadState.DONE), timeout=15_000)
    library.refresh()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.FOUND))
    assert choices(window.download) == ["Download again"]
    qtbot.waitUntil(lambda: names(window)[1:] == ["DeepSeek-OCR"])
    assert remembered == ([(tmp_path / own,)] if own else [])
    assert other.close(5)


def test_what_another_program_has_completed_meanwhile_is_not_lost_by_cancelling(
    qtbot: QtBot, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    library.choose_target(folder)
    hub.troubles[INFO] = [Trouble(status=403)]
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.FAILED), timeout=15_000)
    write_checkpoint(folder)
    with qtbot.waitSignal(library.own_folders_changed) as remembered:
        library.download.discard()
    assert remembered.args == [(folder,)]
    assert download_ends(library, DownloadState.FOUND)


def test_the_folder_of_a_download_that_is_done_can_be_forgotten(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    wire(window, library)
    library.choose_target(tmp_path / "mine")
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)
    qtbot.waitUntil(lambda: len(names(window)) == 2)
    select(window, 1)
    window.forget.click()
    for _ in range(2):
        with qtbot.waitSignal(library.models_listed):
            library.refresh()
        assert names(window) == ["RTOCR Miniature"]


def test_a_discarded_download_can_begin_again(
    qtbot: QtBot, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    hub.troubles[WEIGHTS] = [Trouble(hang_after=100_000)]
    library.download.start(hub.endpoint)
    qtbot.waitUntil(hub.hanging.is_set, timeout=15_000)
    library.download.discard()
    hub.released.set()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.IDLE), timeout=15_000)
    assert not published_folder_in(tmp_path / "cache").exists()
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)


def test_an_unfinished_repair_is_offered_by_the_next_program_and_not_to_be_thrown_away(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)
    folder = published_folder_in(tmp_path / "cache")
    (folder / WEIGHTS).unlink()
    next_library = ModelLibrary(BUNDLED, cache=tmp_path / "cache")
    wire(window, next_library)
    next_library.refresh()
    qtbot.waitUntil(lambda: download_ends(next_library, DownloadState.PAUSED))
    assert choices(window.download) == ["Resume"]
    assert next_library.close(5)


def test_a_model_that_was_deleted_is_offered_for_download_again(
    qtbot: QtBot, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)
    shutil.rmtree(published_folder_in(tmp_path / "cache"))
    library.refresh()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.IDLE))


def test_an_address_that_makes_no_sense_is_told(library: ModelLibrary) -> None:
    library.download.start("not an address")
    assert library.download.shown.state is DownloadState.FAILED
    assert "not the address of a server" in library.download.shown.problem


def test_a_download_into_a_folder_of_the_persons_is_remembered(
    qtbot: QtBot, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    library.choose_target(folder)
    with qtbot.waitSignal(library.own_folders_changed, timeout=15_000) as remembered:
        library.download.start(hub.endpoint)
    assert remembered.args == [(folder,)]
    assert look_into(folder).is_usable


def test_a_named_folder_is_listed_selected_and_remembered(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_checkpoint(tmp_path / "mine")
    monkeypatch.setattr(questions, "ask_model_folder", lambda parent, start: folder)
    wire(window, library)
    library.refresh()
    with qtbot.waitSignal(library.own_folders_changed) as remembered:
        window.browse.click()
    assert remembered.args == [(folder,)]
    qtbot.waitUntil(lambda: window.selected is not None and window.selected.folder == folder)
    assert window.use.isEnabled()
    window.forget.click()
    qtbot.waitUntil(lambda: names(window) == ["RTOCR Miniature"])
    assert folder.exists()


def test_a_named_folder_without_a_model_is_told_and_not_remembered(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "ask_model_folder", lambda parent, start: tmp_path)
    wire(window, library)
    library.refresh()
    heard = emissions(library.own_folders_changed)
    window.browse.click()
    qtbot.waitUntil(lambda: "no file “config.json”" in window.details.text())
    assert heard == []
    assert not window.use.isEnabled()


def test_a_download_in_another_folder_can_be_gone_on_with_or_forgotten(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    library.choose_target(folder)
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)
    (folder / WEIGHTS).unlink()
    next_library = ModelLibrary(BUNDLED, (folder,), cache=tmp_path / "cache")
    wire(window, next_library)
    next_library.refresh()
    qtbot.waitUntil(lambda: len(names(window)) == 2)
    select(window, 1)
    assert window.forget.isVisibleTo(window)
    assert "choose it below with Change" in window.details.text()
    next_library.choose_target(folder)
    qtbot.waitUntil(lambda: choices(window.download) == ["Resume"])
    assert "choose it below" not in window.details.text()
    assert not window.forget.isVisibleTo(window)
    assert next_library.close(5)


def test_a_begun_download_stays_listed_where_another_folder_is_chosen_until_it_is_deleted(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    begun, other = tmp_path / "begun", tmp_path / "other"
    wire(window, library)
    library.choose_target(begun)
    hub.troubles[WEIGHTS] = [Trouble(hang_after=100_000)]
    library.download.start(hub.endpoint)
    qtbot.waitUntil(hub.hanging.is_set, timeout=15_000)
    library.download.pause()
    hub.released.set()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.PAUSED), timeout=15_000)
    with qtbot.waitSignal(library.own_folders_changed) as remembered:
        library.choose_target(other)
    assert remembered.args == [(begun,)]
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)
    qtbot.waitUntil(lambda: len(names(window)) == 3)
    select(window, 1)
    assert window.details.text().startswith("The download is not finished.")
    library.choose_target(begun)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.PAUSED))
    with qtbot.waitSignal(library.own_folders_changed) as remembered:
        library.download.discard()
    assert remembered.args == [(other,)]
    qtbot.waitUntil(lambda: len(names(window)) == 2)


def test_an_unusable_folder_is_not_remembered_with_the_next_usable_one(
    qtbot: QtBot, library: ModelLibrary, tmp_path: Path
) -> None:
    usable = write_checkpoint(tmp_path / "mine")
    library.name_folder(tmp_path)
    with qtbot.waitSignal(library.own_folders_changed) as remembered:
        library.name_folder(usable)
    assert remembered.args == [(usable,)]


def test_a_remembered_folder_stays_so_while_it_is_away(qtbot: QtBot, tmp_path: Path) -> None:
    away, usable = tmp_path / "away", write_checkpoint(tmp_path / "mine")
    library = ModelLibrary(BUNDLED, (away,), cache=tmp_path / "cache")
    with qtbot.waitSignal(library.own_folders_changed) as remembered:
        library.name_folder(usable)
    assert remembered.args == [(away, usable)]
    assert library.close(5)


def test_a_model_named_by_a_link_is_selected_once_and_marked_in_use(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, other = tmp_path / "link", write_checkpoint(tmp_path / "other")
    link.symlink_to(BUNDLED)
    monkeypatch.setattr(questions, "ask_model_folder", lambda parent, start: link)
    library.name_folder(other)
    wire(window, library)
    library.refresh()
    qtbot.waitUntil(lambda: len(names(window)) == 2)
    select(window, 1)
    with qtbot.waitSignal(library.models_listed):
        window.browse.click()
    assert window.selected is not None
    assert window.selected.folder == BUNDLED
    window.show_in_use(link)
    assert names(window)[0] == "RTOCR Miniature (in use)"
    assert not window.use.isEnabled()
    select(window, 1)
    with qtbot.waitSignal(library.models_listed):
        library.refresh()
    assert window.selected.folder == other


def test_a_file_that_was_tampered_with_is_named(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    wire(window, library)
    library.refresh()
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)
    qtbot.waitUntil(lambda: len(names(window)) == 2)
    select(window, 1)
    qtbot.waitUntil(window.use.isEnabled)
    path = published_folder_in(tmp_path / "cache") / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert window.download.status.text().startswith("Downloaded and checked.")
    window.check.click()
    qtbot.waitUntil(lambda: f"“{WEIGHTS}” is not what was downloaded" in window.details.text())
    assert window.download.status.text() == "The model is in this folder."
    select(window, 0)
    window.check.click()
    qtbot.waitUntil(lambda: "OK: config, tokenizer and weights fit together." in window.details.text())


def test_a_file_that_a_check_misses_is_missing_in_the_list_too(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, tmp_path: Path
) -> None:
    folder = published_folder_in(tmp_path / "cache")  # from another program, so without a record
    folder.parent.mkdir(parents=True)
    write_checkpoint(folder)
    wire(window, library)
    library.refresh()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.FOUND))
    assert window.download.status.text() == "The model is in this folder."
    next(folder.glob("*.safetensors")).unlink()
    select(window, 1)
    window.check.click()
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.IDLE))
    assert window.download.status.text() == ""
    assert not window.use.isEnabled()
    assert window.details.text().count(" has no ") == 1


def test_what_a_check_found_is_told_beside_the_new_list(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, hub: HubServer, tmp_path: Path
) -> None:
    wire(window, library)
    library.download.start(hub.endpoint)
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.DONE), timeout=15_000)
    qtbot.waitUntil(lambda: len(names(window)) == 2)
    select(window, 1)
    qtbot.waitUntil(window.use.isEnabled)
    (published_folder_in(tmp_path / "cache") / WEIGHTS).unlink()
    window.check.click()
    qtbot.waitUntil(lambda: window.details.text().startswith("The download is not finished."))
    assert choices(window.download) == ["Resume"]
    assert f"“{WEIGHTS}” is missing" in window.details.text()


def test_a_download_whose_model_is_in_use_is_not_to_be_chosen(
    window: ModelsWindow, miniature: ModelEntry
) -> None:
    window.show_models(listed(miniature, replace(miniature, folder=TARGET)))
    window.download.show_download(DownloadShown(DownloadState.DONE))
    for in_use, said in ((BUNDLED, "Select it above and press Use."), (TARGET, "Downloaded and checked.")):
        window.show_in_use(in_use)
        assert window.download.status.text().endswith(said)


def test_a_folder_is_listed_while_another_model_is_checked(
    qtbot: QtBot, window: ModelsWindow, library: ModelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = threading.Event()

    def check_for_long(folder: Path, stop: threading.Event) -> Iterator[DownloadProgress]:
        began.set()
        assert stop.wait(10)
        yield DownloadProgress(DownloadStage.PAUSED, 0, 0)

    monkeypatch.setattr("rtocr_gui.ui.background.model_checker.check_model", check_for_long)
    folder = write_checkpoint(tmp_path / "mine")
    wire(window, library)
    library.refresh()
    qtbot.waitUntil(lambda: names(window) == ["RTOCR Miniature"])
    window.check.click()
    qtbot.waitUntil(began.is_set)
    library.name_folder(folder)
    qtbot.waitUntil(lambda: len(names(window)) == 2)
    window.check.click()
    qtbot.waitUntil(lambda: "The check was stopped." in window.details.text())


def test_what_nobody_foresaw_is_told_and_logged(
    qtbot: QtBot, library: ModelLibrary, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("rtocr_gui.ocr.library.download.download_model", fail)
    library.download.start("http://127.0.0.1:9")
    qtbot.waitUntil(lambda: download_ends(library, DownloadState.FAILED))
    assert "unexpected error occurred (RuntimeError)" in library.download.shown.problem
    assert "boom" in caplog.text


def test_closing_stops_a_download(qtbot: QtBot, tmp_path: Path, hub: HubServer) -> None:
    library = ModelLibrary(BUNDLED, cache=tmp_path / "cache")
    hub.troubles[WEIGHTS] = [Trouble(hang_after=1000)]
    library.download.start(hub.endpoint)
    qtbot.waitUntil(hub.hanging.is_set, timeout=15_000)
    assert not library.close(0)
    hub.released.set()
    assert library.close(15)
    folder = published_folder_in(tmp_path / "cache")
    assert len(list(folder.glob("model*.part"))) == 1
