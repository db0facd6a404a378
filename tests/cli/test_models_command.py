"""`rtocr models` lists, downloads and checks models, and tells what went wrong in a sentence."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import constants

from rtocr_gui.cli.main import main
from rtocr_gui.ocr.library.model_source import published_folder_in
from rtocr_gui.resources import resource_path
from rtocr_gui.settings import Settings, save_settings, settings_path
from tests.hub_server import HubServer, Trouble
from tests.published_model import NEEDED, WEIGHTS
from tests.small_checkpoint import write_checkpoint

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, own_session: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    return cache


def test_models_are_listed_with_what_they_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[0] == "RTOCR Miniature"
    assert "  comes with RTOCR" in listed
    assert "  39.9 MB, bfloat16, 19.9 million weights" in listed
    assert "  reads Tiny, Small, Base, Large, Gundam: Plain text, Document to Markdown" in listed


def test_the_remembered_folder_is_listed_and_why_it_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_checkpoint(tmp_path / "mine")
    (folder / "config.json").unlink()
    save_settings(Settings(model_folder=str(folder)), settings_path())
    assert main(["models", "list"]) == 0
    listed = capsys.readouterr().out
    assert f"mine\n  {folder}\n  your folder\n  cannot be used: The folder" in listed


def test_all_folders_of_the_person_are_listed_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (str(write_checkpoint(tmp_path / name)) for name in ("one", "two", "three"))
    save_settings(Settings(model_folder=second, own_models=(first, second)), settings_path())
    assert main(["models"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [listed.count(f"  {folder}") for folder in (first, second, third)] == [1, 1, 0]


def test_settings_that_cannot_be_opened_are_told_and_what_else_there_is_is_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings_path().mkdir(parents=True)
    assert main(["models"]) == 0
    told = capsys.readouterr()
    assert "could not be opened" in told.err
    assert told.out.startswith("RTOCR Miniature\n")


def test_a_download_puts_the_model_where_all_programs_look(
    hub: HubServer, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "download", "--endpoint", hub.endpoint]) == 0
    told = capsys.readouterr()
    folder = published_folder_in(own_cache)
    assert told.err == f"DeepSeek-OCR from {hub.endpoint[7:]} to {folder}\n"
    assert told.out.startswith(
        f"DeepSeek-OCR\n  {folder}\n  downloaded from {hub.endpoint[7:]}, revision 9f30c71"
    )
    main(["models"])
    assert str(folder) in capsys.readouterr().out


def test_a_download_may_go_to_a_folder_and_in_silence(
    hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "here"
    arguments = ["models", "download", "--endpoint", hub.endpoint, "--folder", str(folder), "--quiet"]
    assert main(arguments) == 0
    assert capsys.readouterr().err == ""
    assert {path.name for path in folder.iterdir()} >= set(NEEDED)


def test_a_model_is_downloaded_and_checked_also_where_stdout_is_closed(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "here")
    for arguments, code in (
        (["download", "--endpoint", hub.endpoint, "--folder", folder, "--quiet"], 0),
        (["check", folder, "--quiet"], 0),
        (["fit", folder], 1),
        (["list"], 1),
    ):
        monkeypatch.setattr(sys, "stdout", None)
        assert main(["models", *arguments]) == code
    assert capsys.readouterr().err.count("stdout is closed") == 2


def test_a_download_that_fails_tells_why_and_goes_on_next_time(
    hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["models", "download", "--endpoint", hub.endpoint, "--folder", str(tmp_path / "here")]
    hub.troubles[WEIGHTS] = [Trouble(cut_after=50_000), Trouble(status=403)]
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert "was cut. Trying again…" in told.err
    assert told.err.splitlines()[-1].startswith("rtocr: The server “127.0.0.1:")
    assert told.out == ""
    assert main(arguments) == 0
    assert hub.downloads[-1] == (WEIGHTS, 50_000)


def test_an_address_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "download", "--endpoint", "huggingface"]) == 1
    assert "“huggingface” is not the address of a server" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["models"],
        ["models", "download", "--endpoint", "http://127.0.0.1:9", "--folder", "here"],
        ["read", str(resource_path("samples/letter.png"))],
        ["bench", "decoding"],
    ],
)
def test_a_timeout_that_is_no_number_ends_no_command_in_a_traceback(words: list[str], tmp_path: Path) -> None:
    """In a process of its own, as the hub's library reads it when it is imported."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "rtocr_gui.cli", *words],
        cwd=tmp_path,
        env=os.environ | {"HF_HUB_DOWNLOAD_TIMEOUT": "10s", "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    (told,) = [line for line in ended.stderr.splitlines() if line.startswith("rtocr: ")]
    assert "HF_HUB_DOWNLOAD_TIMEOUT is “10s”, which is not a whole number" in told
    assert "Traceback" not in ended.stderr


def test_a_folder_is_checked(hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "here"
    main(["models", "download", "--endpoint", hub.endpoint, "--folder", str(folder)])
    capsys.readouterr()
    assert main(["models", "check", str(folder)]) == 0
    assert capsys.readouterr().out.endswith("\nOK: every byte matches the download.\n")
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    capsys.readouterr()
    assert main(["models", "check", str(folder)]) == 1
    assert f"rtocr: The model file “{WEIGHTS}” is not what was downloaded" in capsys.readouterr().err


def test_the_bundled_model_is_known_and_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "check", str(resource_path("miniature"))]) == 0
    checked = capsys.readouterr().out.splitlines()
    assert checked[2] == "  comes with RTOCR"
    assert checked[-1] == "OK: config, tokenizer and weights fit together."


def test_a_folder_that_is_not_there_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "check", str(tmp_path / "nowhere")]) == 1
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["models", "sell"], ["models", "check"], ["models", "download", "now"]])
def test_wrong_usage_is_told_with_exit_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process alone there")
def test_ctrl_c_keeps_what_arrived_and_the_same_command_goes_on(hub: HubServer, tmp_path: Path) -> None:
    """In a process of its own, with the server and the cache from the environment."""
    hub.troubles[WEIGHTS] = [Trouble(hang_after=100_000)]
    command = [sys.executable, "-W", "error", "-m", "rtocr_gui.cli", "models", "download"]
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment = clean | {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home")}
    folder = published_folder_in(tmp_path / "home" / "hub")
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert hub.hanging.wait(60)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert told.splitlines()[-2:] == [
        "What was downloaded is kept: the same command resumes the download.",
        "rtocr: interrupted.",
    ]
    (part,) = folder.glob("model*.part")
    kept = part.stat().st_size
    finished = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    assert finished.stdout.startswith("DeepSeek-OCR\n")
    assert hub.downloads[-1] == (WEIGHTS, kept)
    assert (folder / WEIGHTS).read_bytes() == hub.files[WEIGHTS]


def test_what_a_model_needs_is_told_mode_by_mode_against_what_is_free(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(write_checkpoint(tmp_path / "mine"))
    monkeypatch.setattr("rtocr_gui.ocr.engine.free_bytes", lambda device: 64_000_000)
    assert main(["models", "fit", folder, "--device", "cpu", "--precision", "float32"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "DeepSeek-OCR on the CPU in float32: 64.0 MB of memory is free."
    modes = [line.split(maxsplit=3) for line in told[1:]]
    assert [(mode, word) for mode, _, _, word in modes] == [
        ("Tiny", "fits"),
        ("Small", "fits"),
        ("Base", "does not fit"),
        ("Large", "does not fit"),
        ("Gundam", "does not fit"),
    ]
    monkeypatch.setattr("rtocr_gui.ocr.engine.free_bytes", lambda device: 1000)
    assert main(["models", "fit", folder, "--device", "cpu"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith("1.0 kB is free. Close other programs.")
