"""The folder of a download: what room it needs, who may write to it, and what discarding leaves of it."""

import contextlib
import errno
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtocr_gui.errors import DownloadError
from rtocr_gui.ocr.library import download as download_module
from rtocr_gui.ocr.library.download import Patience, discard_download, download_model
from rtocr_gui.ocr.library.download_progress import DownloadStage
from rtocr_gui.ocr.library.download_record import read_record, write_record
from rtocr_gui.ocr.library.model_source import ModelSource, published_folder_in
from rtocr_gui.ocr.model.model_files import RECORD_FILE
from tests.download.steps import AT_ONCE, assert_whole, parts, run
from tests.hub_server import INFO, HubServer, Trouble
from tests.published_model import WEIGHTS

pytestmark = pytest.mark.usefixtures("own_session")


def test_too_little_space_is_told_before_anything_is_downloaded(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=150_000_000))
    with pytest.raises(
        DownloadError, match=r"needs another [\d.]+ kB of disk space, but only 150 MB is free"
    ):
        run(hub, folder)
    assert hub.downloads == []


def test_space_is_asked_for_what_is_missing_only(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(hub, folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    assert run(hub, folder)[-1].stage is DownloadStage.DONE


def test_a_disk_that_fills_up_is_told_and_what_arrived_is_kept(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(*arguments: object) -> None:
        if parts(folder):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download_module.os, "fsync", fill_up)
    with pytest.raises(DownloadError, match=r"is full\. Free some space and try again"):
        run(hub, folder)
    assert len(parts(folder)) == 1


def test_a_folder_that_cannot_be_made_is_told(hub: HubServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be written to"):
        run(hub, tmp_path / "file" / "models")


@pytest.mark.parametrize("name", [INFO, "space"])
def test_a_download_that_wrote_nothing_leaves_no_folder(
    name: str, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other programs take a folder of a revision in the shared cache for a complete model."""
    hub.always[name] = Trouble(status=403)
    if name == "space":
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    (tmp_path / "cache").mkdir()
    with pytest.raises(DownloadError):
        run(hub, published_folder_in(tmp_path / "cache"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_was_there_stays_where_nothing_was_written(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(parents=True)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(DownloadError, match="Free some space"):
        run(hub, folder)
    assert list(folder.iterdir()) == []


def test_two_downloads_do_not_write_into_one_folder(hub: HubServer, folder: Path) -> None:
    steps = download_model(ModelSource(hub.endpoint), folder, threading.Event(), AT_ONCE)
    with contextlib.closing(steps):
        while next(steps).stage is DownloadStage.CONNECT:
            pass
        with pytest.raises(DownloadError, match="Another RTOCR is downloading"):
            run(hub, folder)
        with pytest.raises(DownloadError, match="Another RTOCR is downloading"):
            discard_download(folder)
    run(hub, folder)
    assert_whole(hub, folder)


def test_a_discarded_download_leaves_nothing(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(cut_after=1000)
    with pytest.raises(DownloadError):
        run(hub, folder, patience=Patience(waits_s=()))
    assert parts(folder)
    discard_download(folder)
    assert not folder.exists()
    discard_download(folder)


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_damaged_record_keeps_no_download_from_going_on_or_being_discarded(
    hub: HubServer, folder: Path, goes_on: bool
) -> None:
    hub.troubles[WEIGHTS] = [Trouble(cut_after=1000)]
    with pytest.raises(DownloadError):
        run(hub, folder, patience=Patience(waits_s=()))
    (folder / RECORD_FILE).write_text("{")
    if goes_on:
        run(hub, folder)
        assert_whole(hub, folder)
    else:
        discard_download(folder)
        assert parts(folder) == []
        assert not (folder / RECORD_FILE).exists()


def test_a_download_that_begins_while_another_is_discarded_is_alone(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever locks the folder while the lock is removed must not be left with a lock that nobody sees."""
    hub.always[WEIGHTS] = Trouble(cut_after=1000)
    with pytest.raises(DownloadError):
        run(hub, folder, patience=Patience(waits_s=()))
    unlink, refused = Path.unlink, []

    def unlink_while_another_begins(path: Path, missing_ok: bool = False) -> None:
        if path.name.endswith(".lock") and not refused:
            with pytest.raises(DownloadError, match="Another RTOCR is downloading") as error:
                discard_download(folder)
            refused.append(error)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink_while_another_begins)
    discard_download(folder)
    assert refused
    assert not folder.exists()


def test_discarding_touches_neither_a_finished_model_nor_a_persons_files(
    hub: HubServer, folder: Path
) -> None:
    run(hub, folder)
    (folder / "notes.txt").write_text("mine")
    discard_download(folder)
    assert_whole(hub, folder)
    assert (folder / "notes.txt").exists()


def test_discarding_a_repair_leaves_what_was_downloaded_before(hub: HubServer, folder: Path) -> None:
    run(hub, folder)
    (folder / WEIGHTS).write_bytes(b"damaged")
    (folder / "config.json").unlink()
    hub.always[WEIGHTS] = Trouble(cut_after=1000)
    with pytest.raises(DownloadError):
        run(hub, folder, patience=Patience(waits_s=()))
    there = set(folder.glob("[!.]*")) - set(parts(folder))
    discard_download(folder)
    assert set(folder.iterdir()) == there
    assert (folder / "tokenizer.json").read_bytes() == hub.files["tokenizer.json"]


def test_a_download_that_was_complete_but_never_said_so_is_repaired_too(hub: HubServer, folder: Path) -> None:
    run(hub, folder)
    record = read_record(folder)
    assert record is not None
    write_record(folder, replace(record, was_complete=False))
    (folder / WEIGHTS).write_bytes(b"damaged")
    hub.always[WEIGHTS] = Trouble(cut_after=1000)
    with pytest.raises(DownloadError):
        run(hub, folder, patience=Patience(waits_s=()))
    discard_download(folder)
    assert (folder / "config.json").exists()


def test_discarding_leaves_the_right_files_that_were_there_before(hub: HubServer, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_bytes(hub.files[name])
    hub.always[WEIGHTS] = Trouble(cut_after=1000)
    for _ in range(2):
        with pytest.raises(DownloadError):
            run(hub, folder, patience=Patience(waits_s=()))
    (folder / "tokenizer.json").write_bytes(hub.files["tokenizer.json"].upper())
    with pytest.raises(DownloadError, match="different “tokenizer"):
        run(hub, folder)
    discard_download(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "tokenizer.json"]
