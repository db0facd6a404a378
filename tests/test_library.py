"""The models of this computer are found, described and checked without loading or running anything."""

import errno
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rtocr_gui.errors import CheckpointError, SettingsError
from rtocr_gui.ocr.engine_import import real_engine
from rtocr_gui.ocr.library import library as library_module
from rtocr_gui.ocr.library.download_progress import DownloadStage
from rtocr_gui.ocr.library.download_record import DownloadRecord, part_path, read_record, write_record
from rtocr_gui.ocr.library.library import ModelEntry, Origin, check_model, list_models, look_into
from rtocr_gui.ocr.library.model_source import (
    REPOSITORY,
    REVISION,
    ModelSource,
    default_cache,
    default_endpoint,
    published_folder_in,
)
from rtocr_gui.ocr.model.architecture import read_architecture
from rtocr_gui.ocr.model.folder import check_folder
from rtocr_gui.ocr.model.manifest import expected_tensors, unused_tensors
from rtocr_gui.ocr.model.model_files import ModelFile
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.resources import resource_path
from tests.hub_server import git_blob_id, is_large, sha256
from tests.published_model import NEEDED, WEIGHTS, published_files
from tests.small_checkpoint import write_checkpoint

CHECKOUT = Path(__file__).parents[1]
SOURCE = ModelSource("https://huggingface.co")


def download_into(folder: Path, tmp_path: Path) -> Path:
    """A folder as a finished download leaves it."""
    files = published_files(tmp_path)
    folder.mkdir(parents=True)
    recorded = []
    for name in NEEDED:
        content = files[name]
        (folder / name).write_bytes(content)
        digest = sha256(content) if is_large(name) else git_blob_id(content)
        recorded.append(ModelFile(name, len(content), digest))
    write_record(folder, DownloadRecord(SOURCE.endpoint, REPOSITORY, REVISION, tuple(recorded)))
    return folder


@pytest.fixture
def downloaded(tmp_path: Path) -> Path:
    return download_into(published_folder_in(tmp_path / "cache"), tmp_path)


def check(folder: Path) -> DownloadStage:
    *_, last = check_model(folder, threading.Event())
    return last.stage


# --- what there is -------------------------------------------------------------------------------


def test_a_fresh_computer_has_the_bundled_model(tmp_path: Path) -> None:
    (entry,) = list_models(resource_path("miniature"), cache=tmp_path / "nothing")
    assert entry.origin is Origin.BUNDLED
    assert entry.is_usable
    assert (entry.name, entry.source, entry.precision) == ("RTOCR Miniature", "comes with RTOCR", "bfloat16")
    assert entry.info is not None
    assert entry.info.modes == (Mode.TINY, Mode.SMALL, Mode.BASE, Mode.LARGE, Mode.GUNDAM)
    assert entry.size_bytes == resource_path("miniature/model.safetensors").stat().st_size


def test_downloaded_models_and_own_folders_are_listed_after_it(tmp_path: Path, downloaded: Path) -> None:
    own = write_checkpoint(tmp_path / "mine")
    gone = tmp_path / "gone"
    entries = list_models(resource_path("miniature"), [own, gone], tmp_path / "cache")
    assert [entry.folder for entry in entries] == [resource_path("miniature"), downloaded, own, gone]
    assert [entry.origin for entry in entries] == [
        Origin.BUNDLED,
        Origin.DOWNLOADED,
        Origin.OWN,
        Origin.OWN,
    ]
    assert entries[1].source == "downloaded from huggingface.co, revision 9f30c71"
    assert entries[1].name == "DeepSeek-OCR"
    assert entries[1].info is not None
    assert entries[1].info.tasks == TASKS
    assert entries[2].source == "your folder"
    assert "There is no folder" in entries[3].problem
    assert not entries[3].is_usable


def test_a_model_that_another_program_downloaded_is_found(tmp_path: Path) -> None:
    snapshot = published_folder_in(tmp_path / "cache").with_name("0" * 40)
    snapshot.parent.mkdir(parents=True)
    write_checkpoint(snapshot)
    entry = list_models(resource_path("miniature"), cache=tmp_path / "cache")[1]
    assert entry.is_usable
    assert entry.source == "in the shared Hugging Face cache"


def test_a_revision_of_which_no_model_is_there_is_not_listed(tmp_path: Path) -> None:
    snapshots = published_folder_in(tmp_path / "cache").parent
    for number, name in enumerate([".rtocr-download.lock", "tokenizer.json"]):
        (snapshots / f"{number:040}").mkdir(parents=True)
        (snapshots / f"{number:040}" / name).write_text("")
    assert len(list_models(resource_path("miniature"), cache=tmp_path / "cache")) == 1


def test_files_that_are_links_as_in_the_hubs_own_cache_are_followed(tmp_path: Path) -> None:
    real = write_checkpoint(tmp_path / "blobs")
    snapshot = published_folder_in(tmp_path / "cache")
    snapshot.mkdir(parents=True)
    for path in real.iterdir():
        try:
            (snapshot / path.name).symlink_to(path)
        except OSError:
            pytest.skip("links need a privilege on this system")
    assert list_models(resource_path("miniature"), cache=tmp_path / "cache")[1].is_usable


def test_a_folder_is_listed_once_under_whatever_name(tmp_path: Path, downloaded: Path) -> None:
    other_name = downloaded.parent / ".." / "snapshots" / REVISION
    bundled = resource_path("miniature")
    entries = list_models(bundled, [other_name, bundled, downloaded], tmp_path / "cache")
    assert [entry.folder for entry in entries] == [bundled, downloaded]


def test_a_path_that_leads_nowhere_hides_no_other_model(tmp_path: Path) -> None:
    loop, unheard_of = tmp_path / "loop", Path("a\0b")
    try:
        loop.symlink_to(loop)
    except OSError:
        pytest.skip("links need a privilege on this system")
    own = write_checkpoint(tmp_path / "mine")
    entries = list_models(resource_path("miniature"), [loop, unheard_of, own], tmp_path / "cache")[1:]
    assert [entry.folder for entry in entries if entry.problem.startswith("There is no folder")] == [
        loop,
        unheard_of,
    ]
    assert entries[2].is_usable
    assert entries[1].is_at(unheard_of)
    assert not entries[0].is_at(own)


def test_an_unfinished_download_says_how_far_it_is(downloaded: Path) -> None:
    total = sum((downloaded / name).stat().st_size for name in NEEDED)
    size = (downloaded / WEIGHTS).stat().st_size
    weights = ModelFile(WEIGHTS, size, sha256((downloaded / WEIGHTS).read_bytes()))
    part = part_path(downloaded, weights)
    (downloaded / WEIGHTS).rename(part)
    os.truncate(part, size // 2)
    entry = look_into(downloaded, Origin.DOWNLOADED)
    assert entry.is_unfinished
    assert not entry.is_usable
    assert (entry.done_bytes, entry.total_bytes) == (total - size + size // 2, total)
    assert entry.problem == "The download is not finished. Start it again to resume it."


@pytest.mark.parametrize(
    ("variables", "cache", "endpoint"),
    [
        ({"HF_HOME": "{home}"}, "{home}/hub", "https://huggingface.co"),
        ({"HF_HOME": "/x", "HF_HUB_CACHE": "{home}"}, "{home}", "https://huggingface.co"),
        ({"HF_HOME": "models"}, "{checkout}/models/hub", "https://huggingface.co"),
        ({"HF_HUB_CACHE": "models"}, "{checkout}/models", "https://huggingface.co"),
        ({"HF_ENDPOINT": "http://mirror:8080/"}, "{default}", "http://mirror:8080"),
    ],
)
def test_the_hubs_environment_is_honoured(
    variables: dict[str, str], cache: str, endpoint: str, tmp_path: Path
) -> None:
    program = (
        "from rtocr_gui.ocr.library.model_source import *; print(default_cache()); print(default_endpoint());"
        "print(ModelSource.published().host)"
    )
    places = {
        "home": str(tmp_path),
        "default": str(tmp_path / ".cache" / "huggingface" / "hub"),
        "checkout": str(CHECKOUT),
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "XDG_"))}
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env=clean
        | {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
        | {name: value.format(**places) for name, value in variables.items()},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [Path(told[0]), told[1]] == [Path(cache.format(**places)), endpoint]
    assert told[2] == endpoint.partition("://")[2]


@pytest.mark.parametrize("name", ["HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT"])
def test_a_variable_with_which_the_hubs_library_cannot_be_imported_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "10s")
    for use in (default_cache, default_endpoint, real_engine, lambda: ModelSource.published("http://mirror")):
        with pytest.raises(SettingsError, match=f"^The environment variable {name} is “10s”, which is not a"):
            use()
    monkeypatch.setenv(name, " 10 ")
    assert ModelSource.published("http://mirror").host == "mirror"


def test_the_environment_of_this_process_is_the_default() -> None:
    assert default_endpoint().startswith("http")
    assert default_cache().name


def test_modes_are_listed_from_the_smallest_to_the_largest(tmp_path: Path) -> None:
    reads = look_into(write_checkpoint(tmp_path / "model")).reads
    assert reads.startswith("Tiny, Small, Base, Large, Gundam: ")


# --- what cannot be used -------------------------------------------------------------------------


def refused(folder: Path) -> ModelEntry:
    entry = look_into(folder)
    assert not entry.is_usable
    assert entry.problem.endswith(".")
    assert entry.size_bytes == 0
    return entry


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "mine")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "can run any program" in refused(folder).problem


def test_a_folder_of_something_else_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    entry = refused(tmp_path)
    assert entry.name == tmp_path.name
    assert "no file “config.json”" in entry.problem


@pytest.mark.parametrize("kept_share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_named(kept_share: float, downloaded: Path) -> None:
    path = downloaded / WEIGHTS
    os.truncate(path, int(path.stat().st_size * kept_share))
    assert f"“{WEIGHTS}” is damaged" in refused(downloaded).problem
    with pytest.raises(CheckpointError, match=rf"“{WEIGHTS}” is damaged: it has [\d,]+ bytes and had"):
        check(downloaded)


def test_nothing_of_a_folder_is_executed(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "mine")
    witness = tmp_path / "ran"
    for name in ("modeling_deepseekocr.py", "configuration_deepseek_v2.py", "conftest.py", "__init__.py"):
        (folder / name).write_text(f"open({str(witness)!r}, 'w')")
    assert look_into(folder).is_usable
    check(folder)
    assert not witness.exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"endpoint": "e", "repository": "r", "commit": "c", "files": []}',
        '{"endpoint": "e", "repository": "r", "commit": "c", "files": {"a": {}}}',
        '{"endpoint": "e\\n", "repository": "r", "commit": "c", "files": {}}',
        '{"endpoint": "e", "repository": "r", "commit": "c", "files": {"../a": {"size": 1, "digest": "%s"}}}'
        % ("0" * 64),
        '{"endpoint": "e", "repository": "r", "commit": "c", "files": {"é": {"size": 1, "digest": "%s"}}}'
        % ("0" * 64),
        '{"endpoint": "e", "repository": "r", "commit": "c", "files": {"%s": {"size": 1, "digest": '
        % ("a" * 201)
        + '"%s"}}}' % ("0" * 64),
        '{"endpoint": "e", "repository": "r", "commit": "c", "files": {"a": {"size": -1, "digest": "%s"}}}'
        % ("0" * 64),
    ],
)
def test_a_record_of_nonsense_is_refused(content: str, downloaded: Path) -> None:
    (downloaded / "rtocr-download.json").write_text(content, encoding="utf-8")
    assert "“rtocr-download.json” is damaged" in refused(downloaded).problem


def test_the_longest_name_in_a_record_leaves_room_for_the_name_of_its_part(tmp_path: Path) -> None:
    file = ModelFile("a" * 200, 1, "0" * 64)
    write_record(tmp_path, DownloadRecord(SOURCE.endpoint, REPOSITORY, REVISION, (file,)))
    part_path(tmp_path, file).write_bytes(b"")
    assert look_into(tmp_path).is_unfinished


def test_files_that_may_not_be_looked_at_are_told(downloaded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    (downloaded / WEIGHTS).unlink()
    monkeypatch.setattr(library_module, "bytes_there", refuse)
    assert "cannot be read: Permission denied" in refused(downloaded).problem


def test_a_record_is_read_as_it_was_always_written(downloaded: Path) -> None:
    files = {"config.json": {"size": 7, "digest": "a" * 40}, WEIGHTS: {"size": 9, "digest": "b" * 64}}
    told = {"endpoint": "https://huggingface.co", "repository": "o/n", "commit": REVISION, "files": files}
    (downloaded / "rtocr-download.json").write_text(json.dumps(told))
    assert read_record(downloaded) == DownloadRecord(
        "https://huggingface.co",
        "o/n",
        REVISION,
        (ModelFile("config.json", 7, "a" * 40), ModelFile(WEIGHTS, 9, "b" * 64)),
    )


# --- the thorough check --------------------------------------------------------------------------


def test_a_download_is_checked_byte_for_byte(downloaded: Path) -> None:
    cancel = threading.Event()
    told = list(check_model(downloaded, cancel))
    total = sum((downloaded / name).stat().st_size for name in NEEDED)
    assert told[-1].stage is DownloadStage.DONE
    assert (told[-1].done_bytes, told[-1].total_bytes) == (total, total)


def test_an_own_folder_is_checked_without_a_record(tmp_path: Path) -> None:
    assert check(write_checkpoint(tmp_path / "mine")) is DownloadStage.DONE


def test_a_file_that_was_tampered_with_is_named(downloaded: Path) -> None:
    path = downloaded / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    assert look_into(downloaded).is_usable, "a quick look does not read the weights"
    with pytest.raises(CheckpointError, match=rf"“{WEIGHTS}” is not what was downloaded: its checksum"):
        check(downloaded)


def test_a_small_file_that_was_tampered_with_is_named(downloaded: Path) -> None:
    path = downloaded / "config.json"
    path.write_bytes(path.read_bytes().replace(b"512", b"513"))
    with pytest.raises(CheckpointError, match=r"“config\.json” is not what was downloaded"):
        check(downloaded)


def test_a_file_that_is_gone_is_named(downloaded: Path) -> None:
    (downloaded / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"“tokenizer\.json” is missing"):
        check(downloaded)


def test_a_check_can_be_stopped(downloaded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtocr_gui.ocr.library.library.time.monotonic", itertools.count().__next__)
    cancel = threading.Event()
    stages = []
    for progress in check_model(downloaded, cancel):
        stages.append(progress.stage)
        cancel.set()
    assert stages == [DownloadStage.VERIFY, DownloadStage.PAUSED]


# --- the published layout ------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="a file with holes takes its whole length there")
def test_a_folder_of_the_published_size_is_checked_by_its_headers_alone(tmp_path: Path) -> None:
    """All 2711 tensors of the real model, in a file of its real length that is empty but for its start."""
    config = json.loads((CHECKOUT / "tests" / "golden" / "deepseek_ocr_config.json").read_text())
    architecture = read_architecture(config)
    (tmp_path / "config.json").write_text(json.dumps(config))
    header: dict[str, object] = {}
    end = 0
    for name, shape in (expected_tensors(architecture) | unused_tensors(architecture)).items():
        is_table = name.endswith("position_ids")
        size = 8 if is_table else 2
        for side in shape:
            size *= side
        header[name] = {
            "dtype": "I64" if is_table else "BF16",
            "shape": shape,
            "data_offsets": [end, end + size],
        }
        end += size
    assert (len(header), end) == (2711, 6_672_214_536)
    text = json.dumps(header).encode()
    with (tmp_path / WEIGHTS).open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + end)
    places = {"weight_map": dict.fromkeys(header, WEIGHTS)}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(places))
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        check(tmp_path)
    checked = check_folder(tmp_path)
    assert (checked.parameter_count, checked.precision) == (3_335_504_128, "bfloat16")
