"""A download ends with the files that the server listed, and what arrived before a stop is not lost."""

import contextlib
import errno
import itertools
import shutil
import threading
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import constants, scan_cache_dir, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError

from rtocr_gui.errors import DownloadError
from rtocr_gui.ocr.library import hub as hub_module
from rtocr_gui.ocr.library.download import Patience, discard_download, download_model
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage, Meter
from rtocr_gui.ocr.library.download_record import read_record
from rtocr_gui.ocr.library.hub_errors import asked_wait_s
from rtocr_gui.ocr.library.model_source import REVISION, ModelSource, published_folder_in
from rtocr_gui.ocr.model.model_files import RECORD_FILE
from tests.download.steps import AT_ONCE, assert_whole, parts, run
from tests.hub_server import INFO, HubServer, Trouble
from tests.published_model import NEEDED, UNWANTED, WEIGHTS

pytestmark = pytest.mark.usefixtures("own_session")


# --- what a download brings ----------------------------------------------------------------------


def test_a_download_brings_the_files_that_are_needed_and_no_program(hub: HubServer, folder: Path) -> None:
    told = run(hub, folder)
    assert_whole(hub, folder)
    here = {path.name for path in folder.iterdir()}
    assert here == {*NEEDED, "rtocr-download.json", ".rtocr-download.lock"}
    assert {name for name, _ in hub.downloads} == set(NEEDED)
    assert not any(asked.path.endswith(tuple(UNWANTED)) for asked in hub.asked)
    total = sum(len(hub.files[name]) for name in NEEDED)
    assert told[0].stage is DownloadStage.CONNECT
    assert told[-1] == DownloadProgress(DownloadStage.DONE, total, total)
    done = [progress.done_bytes for progress in told]
    assert done == sorted(done)


def test_what_was_downloaded_is_written_down(hub: HubServer, folder: Path) -> None:
    run(hub, folder)
    record = read_record(folder)
    assert record is not None
    assert (record.endpoint, record.repository, record.commit) == (
        hub.endpoint,
        "deepseek-ai/DeepSeek-OCR",
        REVISION,
    )
    assert set(record.names) == set(NEEDED)
    assert [len(file.digest) for file in record.files if file.name == WEIGHTS] == [64]


def test_a_password_in_the_address_logs_in_but_is_not_written_down(hub: HubServer, folder: Path) -> None:
    source = ModelSource(hub.endpoint.replace("//", "//me:secret@"))
    hub.troubles[WEIGHTS] = [Trouble(cut_after=50_000)]
    with pytest.raises(DownloadError):
        list(download_model(source, folder, threading.Event(), Patience(waits_s=())))
    list(download_model(source, folder, threading.Event(), AT_ONCE))
    assert hub.downloads[-1] == (WEIGHTS, 50_000)
    assert_whole(hub, folder)
    assert {asked.headers["Authorization"] for asked in hub.asked} == {"Basic bWU6c2VjcmV0"}
    record = read_record(folder)
    assert record is not None
    assert record.endpoint == hub.endpoint
    assert "secret" not in (folder / RECORD_FILE).read_text()


def test_all_files_are_asked_of_one_commit(hub: HubServer, folder: Path) -> None:
    run(hub, folder)
    assert {asked.path.split("/")[4] for asked in hub.asked if "/resolve/" in asked.path} == {REVISION}


def test_a_second_download_reads_the_disk_and_not_the_network(hub: HubServer, folder: Path) -> None:
    run(hub, folder)
    hub.asked.clear()
    assert run(hub, folder)[-1].stage is DownloadStage.DONE
    assert hub.downloads == []


@pytest.mark.parametrize("content", [b"{}", None])
def test_what_others_put_into_the_folder_is_never_replaced(
    content: bytes | None, hub: HubServer, folder: Path
) -> None:
    foreign = content or hub.files["config.json"].replace(b"2D", b"1D")
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(foreign)
    for _ in range(2):
        with pytest.raises(
            DownloadError, match=r"contains a different “config\.json”.*Choose an empty folder"
        ):
            run(hub, folder)
    assert (folder / "config.json").read_bytes() == foreign
    assert not (folder / "rtocr-download.json").exists()
    assert hub.downloads == []


def test_a_download_is_thrown_away_where_its_folder_cannot_be(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the root of a drive, or a folder in one that may not be written to."""

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    folder.mkdir(parents=True)
    (folder / f"config.json.{'ab' * 6}.part").write_bytes(b"begun")
    monkeypatch.setattr(Path, "rmdir", refuse)
    discard_download(folder)
    assert list(folder.iterdir()) == []


def test_throwing_a_download_away_leaves_what_others_put_there(folder: Path) -> None:
    folder.mkdir(parents=True)
    ours, foreign = folder / f"config.json.{'ab' * 6}.part", folder / "holiday.mp4.part"
    for path in (ours, foreign):
        path.write_bytes(b"begun")
    discard_download(folder)
    assert [path.name for path in folder.iterdir()] == ["holiday.mp4.part"]
    assert foreign.read_bytes() == b"begun"


def test_a_file_that_was_changed_is_downloaded_again_and_no_other(hub: HubServer, folder: Path) -> None:
    run(hub, folder)
    hub.asked.clear()
    (folder / "config.json").write_bytes(hub.files["config.json"].replace(b"2D", b"1D"))
    run(hub, folder)
    assert hub.downloads == [("config.json", 0)]
    assert_whole(hub, folder)


def test_other_programs_find_the_model_in_the_hubs_cache(hub: HubServer, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    snapshot = published_folder_in(cache)
    run(hub, snapshot)
    found = try_to_load_from_cache("deepseek-ai/DeepSeek-OCR", WEIGHTS, cache, REVISION)
    assert found == str(snapshot / WEIGHTS)
    (repository,) = scan_cache_dir(cache).repos
    assert repository.repo_id == "deepseek-ai/DeepSeek-OCR"
    assert {revision.commit_hash for revision in repository.revisions} == {REVISION}


def test_a_persons_token_goes_to_its_own_server_only(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)  # as HF_ENDPOINT sets it
    run(hub, folder)
    assert not any("Authorization" in asked.headers for asked in hub.asked)
    shutil.rmtree(folder)
    monkeypatch.setattr(hub_module, "_TOKEN_SERVER", hub.endpoint)
    run(hub, folder)
    assert hub.asked[-1].headers["Authorization"] == "Bearer hf_secret"


@pytest.mark.parametrize("name", [INFO, "config.json", WEIGHTS])
def test_a_token_that_is_refused_is_left_out(
    name: str, hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have expired, and the published model needs none."""
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    monkeypatch.setattr(hub_module, "_TOKEN_SERVER", hub.endpoint)
    hub.troubles[name] = [Trouble(status=401)]
    run(hub, folder)
    assert_whole(hub, folder)
    assert sum("Authorization" not in asked.headers for asked in hub.asked) == (2 if name == WEIGHTS else 1)


def test_a_persons_token_belongs_to_huggingface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    headers = hub_module._headers(ModelSource("https://huggingface.co"))
    assert headers["Authorization"] == "Bearer hf_secret"


# --- pausing, cutting, going on ------------------------------------------------------------------


def test_a_pause_keeps_what_arrived_and_the_next_run_goes_on_there(hub: HubServer, folder: Path) -> None:
    cancel = threading.Event()
    hub.troubles[WEIGHTS] = [Trouble(hang_after=100_000)]

    def pause(progress: DownloadProgress) -> None:
        if progress.file == WEIGHTS:
            cancel.set()

    told = run(hub, folder, cancel, watch=pause)
    assert told[-1].stage is DownloadStage.PAUSED
    (part,) = parts(folder)
    kept = part.stat().st_size
    assert 0 < kept <= 100_000
    assert part.read_bytes() == hub.files[WEIGHTS][:kept]
    assert not (folder / WEIGHTS).exists()
    hub.asked.clear()
    assert run(hub, folder)[-1].stage is DownloadStage.DONE
    assert hub.downloads == [(WEIGHTS, kept)]
    assert_whole(hub, folder)


def test_a_pause_does_not_wait_for_the_end_of_a_listing(hub: HubServer, folder: Path) -> None:
    cancel = threading.Event()
    hub.always[INFO] = Trouble(endless=True)
    told = run(hub, folder, cancel, watch=lambda progress: cancel.set())
    assert [progress.stage for progress in told] == [DownloadStage.CONNECT, DownloadStage.PAUSED]
    assert len(hub.asked) == 1
    assert not folder.exists()


def test_a_program_that_ends_in_the_middle_leaves_what_arrived(hub: HubServer, folder: Path) -> None:
    hub.troubles[WEIGHTS] = [Trouble(hang_after=100_000)]
    source, clock = ModelSource(hub.endpoint), itertools.count().__next__
    steps = download_model(source, folder, threading.Event(), AT_ONCE, clock)
    with contextlib.closing(steps):
        while not (next(steps).file == WEIGHTS and parts(folder)):
            pass
    hub.asked.clear()
    run(hub, folder)
    assert_whole(hub, folder)


def test_a_cut_is_mended_by_going_on_where_it_happened(hub: HubServer, folder: Path) -> None:
    cuts = (50_000, 60_000, 10_000)
    assert len(cuts) > len(AT_ONCE.waits_s)
    hub.troubles[WEIGHTS] = [Trouble(cut_after=size) for size in cuts]
    told = run(hub, folder)
    assert_whole(hub, folder)
    assert [first for name, first in hub.downloads if name == WEIGHTS] == [0, 50_000, 110_000, 120_000]
    (note, *_) = [progress.note for progress in told if progress.stage is DownloadStage.WAIT]
    assert note == f"The connection to “{hub.endpoint[7:]}” was cut. Trying again…"


def test_a_server_that_ends_a_file_early_without_a_word_is_asked_for_the_rest(
    hub: HubServer, folder: Path
) -> None:
    hub.troubles[WEIGHTS] = [Trouble(cut_after=50_000, chunked=True)]
    run(hub, folder)
    assert [first for name, first in hub.downloads if name == WEIGHTS] == [0, 50_000]
    assert_whole(hub, folder)


def test_a_silent_server_counts_as_a_cut(hub: HubServer, folder: Path) -> None:
    hub.troubles[WEIGHTS] = [Trouble(hang_after=50_000)]
    told = run(hub, folder, patience=Patience(silence_s=2, waits_s=(0.0,)))
    assert any("has stopped responding" in progress.note for progress in told)
    assert [first for name, first in hub.downloads if name == WEIGHTS] == [0, 50_000]
    assert_whole(hub, folder)


def test_a_server_that_cannot_go_on_sends_the_file_anew(hub: HubServer, folder: Path) -> None:
    hub.troubles[WEIGHTS] = [Trouble(cut_after=50_000), Trouble(ignore_range=True)]
    told = run(hub, folder)
    assert_whole(hub, folder)
    assert told[-1].done_bytes == told[-1].total_bytes


def test_a_beginning_that_the_server_cannot_continue_is_dropped(hub: HubServer, folder: Path) -> None:
    hub.troubles[WEIGHTS] = [Trouble(cut_after=50_000), Trouble(status=416)]
    run(hub, folder)
    assert [first for name, first in hub.downloads if name == WEIGHTS] == [0, 50_000, 0]
    assert_whole(hub, folder)


def test_a_beginning_that_is_too_long_is_dropped(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(cut_after=1000)
    with pytest.raises(DownloadError):
        run(hub, folder, patience=Patience(waits_s=()))
    (part,) = parts(folder)
    part.write_bytes(bytes(len(hub.files[WEIGHTS]) + 1))
    hub.always.clear()
    run(hub, folder)
    assert_whole(hub, folder)


def test_a_server_that_has_a_fault_for_a_moment_is_asked_again(hub: HubServer, folder: Path) -> None:
    hub.troubles[INFO] = [Trouble(status=503), Trouble(status=502)]
    hub.troubles["config.json"] = [Trouble(status=500)]
    hub.troubles[WEIGHTS] = [Trouble(status=429, headers={"Retry-After": "0"})]
    told = run(hub, folder)
    notes = [progress.note for progress in told if progress.stage is DownloadStage.WAIT]
    assert ["(503)" in notes[0], "(502)" in notes[1], "(500)" in notes[2], "(429)" in notes[3]] == [True] * 4
    assert_whole(hub, folder)


@pytest.mark.parametrize(
    ("asked", "wait_s"),
    [("7", 7), ("9999", 60), ("x", 0), ("٧", 0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), (None, 0)],
)
def test_a_busy_server_may_ask_for_up_to_a_minute(asked: str | None, wait_s: float) -> None:
    headers = [] if asked is None else [(b"Retry-After", asked.encode())]
    request = httpx2.Request("GET", "https://huggingface.co")
    response = httpx2.Response(503, headers=headers, request=request)
    assert asked_wait_s(HfHubHTTPError("busy", response=response)) == wait_s


def test_a_wait_ends_at_once_when_the_download_is_paused(hub: HubServer, folder: Path) -> None:
    cancel = threading.Event()
    hub.always[INFO] = Trouble(status=503, headers={"Retry-After": "50"})

    def pause(progress: DownloadProgress) -> None:
        if progress.stage is DownloadStage.WAIT:
            cancel.set()

    told = run(hub, folder, cancel, watch=pause)
    assert told[-1].stage is DownloadStage.PAUSED


def test_a_server_that_cuts_again_and_again_is_given_up_and_what_arrived_is_kept(
    hub: HubServer, folder: Path
) -> None:
    hub.troubles[WEIGHTS] = [Trouble(cut_after=70_000)]
    hub.always[WEIGHTS] = Trouble(cut_after=0)
    with pytest.raises(DownloadError, match=r"was cut\. What was downloaded is kept"):
        run(hub, folder)
    (part,) = parts(folder)
    assert part.stat().st_size == 70_000
    assert len([name for name, _ in hub.downloads if name == WEIGHTS]) == 1 + len(AT_ONCE.waits_s)


def test_a_server_that_always_begins_anew_and_is_always_cut_is_given_up(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(ignore_range=True, cut_after=50_000)
    with pytest.raises(DownloadError, match="was cut"):
        run(hub, folder)


# --- figures -------------------------------------------------------------------------------------


def test_speed_and_time_left_are_those_of_the_last_seconds() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    meter.total_bytes = 1000
    meter.done_bytes = 500
    meter.receive(0)
    assert meter.progress(DownloadStage.TRANSFER).bytes_per_second is None
    for _ in range(20):
        now[0] += 1
        meter.receive(10)
    progress = meter.progress(DownloadStage.TRANSFER)
    assert progress.bytes_per_second == pytest.approx(10)
    assert progress.seconds_left == pytest.approx((1000 - 700) / 10)
    now[0] += 1
    meter.receive(98)
    assert meter.progress(DownloadStage.TRANSFER).bytes_per_second == pytest.approx(20, rel=0.1)
    meter.pause()
    assert meter.progress(DownloadStage.TRANSFER).bytes_per_second is None


def test_nobody_is_told_more_often_than_he_can_follow() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    due = []
    for _ in range(100):
        now[0] += 0.01
        due.append(meter.is_due())
    assert sum(due) == pytest.approx(10, abs=1)


def test_the_request_does_not_report_the_programs_of_this_computer() -> None:
    headers = hub_module._headers(ModelSource("https://mirror.example"))
    assert set(headers) == {"User-Agent"}
    assert headers["User-Agent"].startswith("rtocr/")
    assert "torch" not in headers["User-Agent"]
