"""What keeps a server from being asked is told in words: the network, a proxy, a login, an address."""

import errno
import socket
import ssl
import sys
import threading
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import constants

from rtocr_gui.errors import DownloadError, SettingsError
from rtocr_gui.ocr.library import hub as hub_module
from rtocr_gui.ocr.library.download import download_model
from rtocr_gui.ocr.library.download_progress import DownloadProgress, DownloadStage
from rtocr_gui.ocr.library.download_record import LONGEST_LINE
from rtocr_gui.ocr.library.hub_errors import explain
from rtocr_gui.ocr.library.model_source import REVISION, ModelSource
from tests.download.steps import AT_ONCE, run
from tests.hub_server import HubServer

pytestmark = pytest.mark.usefixtures("own_session")


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


@pytest.mark.parametrize("host", ["a..b", ".hf.co", f"{'a' * 64}.com"])
def test_the_name_of_a_host_that_there_cannot_be_is_told(folder: Path, host: str) -> None:
    with pytest.raises(DownloadError, match=r"The address of the server .* is invalid"):
        list(download_model(ModelSource(f"http://{host}"), folder, threading.Event(), AT_ONCE))
