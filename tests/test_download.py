"""A download ends with the files that the server listed, or with a sentence; what arrived is not lost."""

import contextlib
import errno
import gzip
import itertools
import shutil
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from huggingface_hub import constants, scan_cache_dir, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError

from rtocr_gui.errors import CheckpointError, DownloadError, SettingsError
from rtocr_gui.ocr.library import download as download_module
from rtocr_gui.ocr.library import hub as hub_module
from rtocr_gui.ocr.library.download import Patience, discard_download, download_model
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage, Meter
from rtocr_gui.ocr.library.download_record import LONGEST_LINE, read_record, write_record
from rtocr_gui.ocr.library.hub_errors import asked_wait_s, explain
from rtocr_gui.ocr.library.model_source import REVISION, ModelSource, published_folder_in
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from rtocr_gui.ocr.model.model_files import RECORD_FILE
from tests.hub_server import INFO, HubServer, Trouble
from tests.published_model import NEEDED, UNWANTED, WEIGHTS

pytestmark = pytest.mark.usefixtures("own_session")

AT_ONCE = Patience(silence_s=5, waits_s=(0.0, 0.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "DeepSeek-OCR"


def run(
    hub: HubServer,
    folder: Path,
    cancel: threading.Event | None = None,
    patience: Patience = AT_ONCE,
    watch: Callable[[DownloadProgress], None] = lambda progress: None,
) -> list[DownloadProgress]:
    """Download to the end, and give all that was told."""
    told = []
    source, cancel = ModelSource(hub.endpoint), cancel or threading.Event()
    for progress in download_model(source, folder, cancel, patience, clock=itertools.count().__next__):
        told.append(progress)
        watch(progress)
    return told


def parts(folder: Path) -> list[Path]:
    return list(folder.glob("[!.]*.part"))


def assert_whole(hub: HubServer, folder: Path) -> None:
    for name in NEEDED:
        assert (folder / name).read_bytes() == hub.files[name]
    assert parts(folder) == []
    assert inspect_checkpoint(folder).name == "DeepSeek-OCR"


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


# --- what is not what was listed -----------------------------------------------------------------


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_wrong_bytes_are_told_and_removed(name: str, hub: HubServer, folder: Path) -> None:
    hub.troubles[name] = [Trouble(content=bytes(len(hub.files[name])))]
    with pytest.raises(DownloadError, match=rf"“{name}” arrived damaged: its checksum.*It was removed"):
        run(hub, folder)
    assert not (folder / name).exists()
    assert parts(folder) == []
    run(hub, folder)
    assert_whole(hub, folder)


def test_a_beginning_that_was_damaged_on_disk_is_found_out(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(cut_after=1000)
    with pytest.raises(DownloadError):
        run(hub, folder, patience=Patience(waits_s=()))
    parts(folder)[0].write_bytes(bytes(1000))
    hub.always.clear()
    with pytest.raises(DownloadError, match="arrived damaged"):
        run(hub, folder)
    run(hub, folder)
    assert_whole(hub, folder)


@pytest.mark.parametrize("shift", [-10, 10])
def test_a_file_of_another_length_is_refused(shift: int, hub: HubServer, folder: Path) -> None:
    size = len(hub.files[WEIGHTS])
    hub.always[WEIGHTS] = Trouble(content=bytes(size + shift))
    with pytest.raises(
        DownloadError, match=rf"offers {size + shift:,} bytes of “{WEIGHTS}”, which has {size:,}"
    ):
        run(hub, folder)


def test_more_bytes_than_listed_are_not_kept(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(content=hub.files[WEIGHTS] + bytes(5_000_000), chunked=True)
    with pytest.raises(DownloadError, match="arrived damaged"):
        run(hub, folder)
    assert parts(folder) == []


def test_a_rest_of_another_file_is_refused(hub: HubServer, folder: Path) -> None:
    size = len(hub.files[WEIGHTS])
    hub.troubles[WEIGHTS] = [
        Trouble(cut_after=50_000),
        Trouble(headers={"Content-Range": f"bytes 40000-{size - 1}/{size}"}),
    ]
    with pytest.raises(DownloadError, match="Something on the way changes downloads"):
        run(hub, folder)


@pytest.mark.parametrize("extent", ["9" * 5000 + "-1/2", "0-1/" + "9" * 5000])
def test_a_rest_of_absurd_extent_is_refused(extent: str, hub: HubServer, folder: Path) -> None:
    hub.troubles[WEIGHTS] = [
        Trouble(cut_after=50_000),
        Trouble(headers={"Content-Range": f"bytes {extent}"}),
    ]
    with pytest.raises(DownloadError, match="Something on the way changes downloads"):
        run(hub, folder)


@pytest.mark.parametrize("headers", [{"X-Linked-Size": "7"}, {"X-Linked-ETag": f'"{"0" * 64}"'}])
def test_a_server_that_contradicts_its_own_listing_is_refused(
    headers: dict[str, str], hub: HubServer, folder: Path
) -> None:
    hub.always[WEIGHTS] = Trouble(headers=headers)
    with pytest.raises(DownloadError, match=f"contradicts itself about “{WEIGHTS}”"):
        run(hub, folder)


def test_a_model_that_cannot_be_used_is_told_after_it_arrived(hub: HubServer, folder: Path) -> None:
    hub.files["config.json"] = hub.files["config.json"].replace(b"deepseek_vl_v2", b"deepseek_vl_v9")
    with pytest.raises(CheckpointError, match="model_type"):
        run(hub, folder)


# --- what a server answers instead ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, r"asks for a login \(401\).*no account"),
        (403, r"does not allow the download \(403\)"),
        (404, r"has no deepseek-ai/DeepSeek-OCR at revision 9f30c71 \(404\)"),
        (407, r"proxy asks for a user name and password \(407\).*HTTPS_PROXY"),
        (418, r"answered with the error 418"),
        (429, r"received too many requests \(429\)"),
        (500, r"has an internal error \(500\).*try again later"),
        (503, r"has an internal error \(503\)"),
    ],
)
@pytest.mark.parametrize("name", [INFO, WEIGHTS])
def test_a_refusal_is_told_in_words(
    status: int, sentence: str, name: str, hub: HubServer, folder: Path
) -> None:
    hub.always[name] = Trouble(status=status)
    with pytest.raises(DownloadError, match=sentence):
        run(hub, folder)


def test_a_file_shorter_than_the_server_said_is_told(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(status=416)
    with pytest.raises(DownloadError, match=r"is shorter than its listing says \(416\)"):
        run(hub, folder)


@pytest.mark.parametrize(
    "page", ["<html>Welcome to the hotel</html>", "[]", '{"sha": 5}', "null", "[" * 200_000]
)
def test_a_login_page_is_not_taken_for_a_server(page: str, hub: HubServer, folder: Path) -> None:
    hub.always[INFO] = Trouble(pages=page)
    with pytest.raises(DownloadError, match="login page of the network"):
        run(hub, folder)


@pytest.mark.parametrize(
    "entry",
    [{"size": -1}, {"size": "7"}, {"size": 2**60}, {"lfs": {"sha256": "../x"}}, {"lfs": {}}, {"size": True}],
)
def test_a_listing_of_nonsense_is_refused(entry: dict[str, object], hub: HubServer, folder: Path) -> None:
    hub.listing[WEIGHTS] = entry
    with pytest.raises(DownloadError, match="did not answer like a model server"):
        run(hub, folder)
    assert parts(folder) == []


@pytest.mark.parametrize("name", ["../a.safetensors", "a" * 201 + ".safetensors"])
def test_a_name_that_no_disk_can_take_is_refused(name: str, hub: HubServer, folder: Path) -> None:
    hub.listing[WEIGHTS] = {"rfilename": name}
    with pytest.raises(DownloadError):
        run(hub, folder)
    assert parts(folder) == []


def test_a_listing_without_end_is_not_read_to_the_end(hub: HubServer, folder: Path) -> None:
    hub.always[INFO] = Trouble(endless=True)
    with pytest.raises(DownloadError, match="did not answer like a model server"):
        run(hub, folder)


def test_a_listing_is_never_unpacked(hub: HubServer, folder: Path) -> None:
    """A small answer may unpack to more than memory holds."""
    packed = gzip.compress(b" " * 2**20)
    hub.always[INFO] = Trouble(content=packed, headers={"Content-Encoding": "gzip"})
    with pytest.raises(DownloadError, match="did not answer like a model server"):
        run(hub, folder)
    assert hub.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("name", [INFO, WEIGHTS])
def test_what_a_server_sends_along_with_a_refusal_is_not_read(
    name: str, hub: HubServer, folder: Path
) -> None:
    hub.always[name] = Trouble(status=404, endless=True)
    with pytest.raises(DownloadError, match=r"\(404\)"):
        run(hub, folder)


def test_another_revision_than_the_pinned_one_is_refused(hub: HubServer, folder: Path) -> None:
    hub.always[INFO] = Trouble(pages='{"sha": "%s", "siblings": []}' % ("0" * 40))
    with pytest.raises(DownloadError, match=r"offers revision 000000000000"):
        run(hub, folder)


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", WEIGHTS])
def test_a_model_without_safetensors_is_refused_before_anything_is_downloaded(
    missing: str, hub: HubServer, folder: Path
) -> None:
    del hub.files[missing]
    with pytest.raises(DownloadError, match="is not a model in safetensors files"):
        run(hub, folder)
    assert hub.downloads == []


def test_a_listing_without_measure_is_refused_before_anything_is_downloaded(
    hub: HubServer, folder: Path
) -> None:
    hub.files |= {f"more-{number}.safetensors": b"x" for number in range(1001)}
    with pytest.raises(DownloadError, match="not a model in safetensors files"):
        run(hub, folder)
    assert hub.downloads == []


def test_a_server_that_is_not_there_is_told_at_once(hub: HubServer, folder: Path) -> None:
    hub.close()
    told: list[DownloadProgress] = []
    with pytest.raises(DownloadError, match=r"cannot be reached\. Check the network"):
        run(hub, folder, watch=told.append)
    assert DownloadStage.WAIT not in {progress.stage for progress in told}


def test_a_proxy_that_is_not_there_is_told_without_its_password(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = HubServer({}, REVISION)
    closed.close()
    monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@127.0.0.1:{closed.server_port}")
    with pytest.raises(DownloadError, match=r"The proxy “127\.0\.0\.1:\d+” cannot be reached") as caught:
        run(hub, folder)
    assert "secret" not in str(caught.value)


UNUSABLE_PROXY = (
    r"cannot use the proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or the system's .* http://proxy:8080"
)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ALL_PROXY", "socks5h://127.0.0.1:9", f"{UNUSABLE_PROXY}.*pip install socksio"),
        ("HTTPS_PROXY", "socks4://127.0.0.1:9", UNUSABLE_PROXY),
        ("HTTPS_PROXY", "foo://bar", UNUSABLE_PROXY),
        ("HTTP_PROXY", "http://me:secret@host:port", UNUSABLE_PROXY),
        ("SSL_CERT_FILE", "nowhere.pem", "SSL_CERT_FILE does not name a certificate file that can be read"),
        ("SSL_CERT_FILE", __file__, "SSL_CERT_FILE does not name a certificate file that can be read"),
    ],
)
def test_a_variable_with_which_no_server_can_be_asked_is_named(
    name: str, value: str, sentence: str, hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "ALL_PROXY":
        monkeypatch.setitem(sys.modules, "socksio", None)  # type: ignore[arg-type]  # as if not installed
    monkeypatch.setenv(name, value)
    with pytest.raises(DownloadError, match=sentence) as caught:
        run(hub, folder)
    assert "secret" not in str(caught.value)
    assert not folder.exists()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks://127.0.0.1:9", "host:port"])
def test_a_proxy_of_the_system_with_which_no_server_can_be_asked_is_told(
    proxy: str, hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # type: ignore[arg-type]  # as if not installed
    of_the_system = {"http": proxy, "https": proxy}  # as Windows and macOS have it
    monkeypatch.setattr("httpx2._utils.getproxies", lambda: of_the_system)
    with pytest.raises(DownloadError, match=UNUSABLE_PROXY):
        run(hub, folder)


def test_a_login_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path))
    with pytest.raises(DownloadError, match=r"Your login file .* cannot be read.*needs no account"):
        hub_module._headers(ModelSource("https://huggingface.co"))


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
def test_a_login_that_no_header_can_hold_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "“hf_secret”")
    with pytest.raises(DownloadError, match=f"^Your login in {name} contains .* in plain ASCII") as caught:
        hub_module._headers(ModelSource("https://huggingface.co"))
    assert "hf_secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("login", "encoding"), [("“hf_secret”", "utf-8"), ("hf_secret", "utf-16"), ("hf_secret", "utf-16-le")]
)
def test_a_login_file_that_no_header_can_hold_is_named(
    login: str, encoding: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """PowerShell writes UTF-16."""
    file = tmp_path / "token"
    file.write_text(login, encoding=encoding)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(file))
    with pytest.raises(DownloadError, match=r"^Your login in “.*token” contains .* in plain ASCII"):
        hub_module._headers(ModelSource("https://huggingface.co"))


def test_the_offline_switch_is_obeyed(hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
        run(hub, folder)
    assert hub.asked == []


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (httpx2.ProxyError("403 Forbidden"), "did not let RTOCR through to “huggingface.co”"),
        (caused(httpx2.ConnectError("x"), ssl.SSLCertVerificationError()), "certificate cannot be verified"),
        (caused(httpx2.ConnectError("x"), OSError(errno.EHOSTUNREACH, "")), "cannot be reached"),
        (httpx2.ReadTimeout("x"), "has stopped responding"),
        (httpx2.TooManyRedirects("x"), "keeps redirecting RTOCR in a loop"),
        (httpx2.UnsupportedProtocol("x"), "or one that it redirects RTOCR to, is invalid"),
        (httpx2.InvalidURL("x"), "or one that it redirects RTOCR to, is invalid"),
        (httpx2.ReadError("x"), "was cut. What was downloaded is kept"),
    ],
)
def test_an_error_of_the_network_is_told_in_words(error: Exception, sentence: str) -> None:
    told = str(explain(error, ModelSource("https://huggingface.co")))
    assert sentence in told
    assert told.endswith(".")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (httpx2.ConnectError, "The server “storage.example” cannot be reached"),
        (httpx2.ReadTimeout, "The server “storage.example” has stopped responding"),
        (httpx2.ReadError, "The connection to “storage.example” was cut"),
        (httpx2.TooManyRedirects, "The server “huggingface.co” keeps redirecting"),
        (httpx2.UnsupportedProtocol, "The address of the server “huggingface.co”, or one that"),
    ],
)
def test_the_server_that_does_not_answer_is_named_and_not_the_one_that_redirects_to_it(
    error: type[httpx2.RequestError], sentence: str, own_session: None
) -> None:
    request = httpx2.Request("GET", "https://me:secret@storage.example/model")
    told = explain(
        caused(error("x", request=request), socket.gaierror()), ModelSource("https://huggingface.co")
    )
    assert sentence in str(told)
    assert "offline" not in str(told)


def test_a_redirect_to_a_name_that_no_server_has_is_told_of_the_one_that_was_asked() -> None:
    request = httpx2.Request("GET", f"https://{'a' * 400}.example/model")
    told = explain(httpx2.ReadError("x", request=request), ModelSource("https://huggingface.co"))
    assert "The connection to “huggingface.co” was cut" in str(told)


def test_a_name_that_cannot_be_found_means_offline() -> None:
    told = explain(caused(httpx2.ConnectError("x"), socket.gaierror()), ModelSource("https://huggingface.co"))
    assert "this computer seems to be offline" in str(told)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "huggingface.co",
        "ftp://a",
        "https://",
        "https://a:port",
        "https://me:#secret@a",
        "file:///etc",
        "https://a/\u200b",
    ],
)
def test_what_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(SettingsError, match="not the address of a server") as caught:
        ModelSource(endpoint)
    assert "secret" not in str(caught.value)


def test_an_address_too_long_to_be_written_down_is_refused() -> None:
    longest = f"https://me:secret@{'a' * (LONGEST_LINE - len('https://'))}"
    assert len(ModelSource(longest).address) == LONGEST_LINE
    with pytest.raises(SettingsError, match=r"has 301 characters, .* at most 300\."):
        ModelSource(f"{longest}a")


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "https://mirror.example")
    assert ModelSource.published().endpoint == "https://mirror.example"
    assert ModelSource.published(" http://localhost:8080/ ").endpoint == "http://localhost:8080"


# --- the disk ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("host", ["a..b", ".hf.co", f"{'a' * 64}.com"])
def test_the_name_of_a_host_that_there_cannot_be_is_told(folder: Path, host: str) -> None:
    with pytest.raises(DownloadError, match=r"The address of the server .* is invalid"):
        list(download_model(ModelSource(f"http://{host}"), folder, threading.Event(), AT_ONCE))


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
