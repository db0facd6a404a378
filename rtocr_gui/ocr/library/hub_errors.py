"""Explains in sentences what went wrong between this computer and a model server, and what may be retried.

Knows the errors of httpx2 and of the hub's library; knows no files.
"""

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from rtocr_gui.errors import DownloadError, SettingsError
from rtocr_gui.ocr.library.model_source import REPOSITORY, REVISION, ModelSource

HUB_ERRORS = (httpx2.HTTPError, httpx2.InvalidURL, OfflineModeIsEnabled)
"""Errors that a request to a server can raise."""

_TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 60.0


def may_pass(error: Exception) -> bool:
    """True for errors worth a retry: a lost connection, a timeout, a busy or failing server."""
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in _TRANSIENT_STATUSES
    return isinstance(error, httpx2.TransportError) and not isinstance(
        error, httpx2.ProxyError | httpx2.UnsupportedProtocol
    )


def is_unreachable(error: Exception) -> bool:
    """True if no connection could be made at all."""
    return isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)


def asked_wait_s(error: Exception) -> float:
    """Return the seconds a busy server asks to wait before a retry; 0 if it does not ask, at most 60."""
    if isinstance(error, HfHubHTTPError):
        asked = error.response.headers.get("Retry-After", "")
        if asked.isascii() and asked.isdecimal():
            return min(float(asked), _LONGEST_WAIT_S)
    return 0.0


def explain(error: Exception, source: ModelSource) -> DownloadError:
    """Explain an error.

    Args:
        error: one of `HUB_ERRORS`.
        source: what was requested.

    Returns:
        An error to raise from it, which states what happened and what to do.
    """
    return DownloadError(f"{what_happened(error, source)} {_advice(error, source)}")


def explain_environment(error: Exception) -> DownloadError:
    """Explain why no session can be opened in this environment.

    Args:
        error: `OSError` if certificates cannot be read, any other if a proxy is invalid or cannot be used.

    Returns:
        An error to raise from it, which names the variables or settings to correct.
    """
    if isinstance(error, OSError):
        return DownloadError(
            "SSL_CERT_FILE does not name a certificate file that can be read. Correct it, or unset it."
        )
    return DownloadError(
        "RTOCR cannot use the proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or the system's settings name. "
        "Give one such as http://proxy:8080, or none; a SOCKS5 proxy needs the Python package “socksio” "
        "(pip install socksio)."
    )


def what_happened(error: Exception, source: ModelSource) -> str:
    """Say in one sentence what happened, without advice."""
    asked = _server_asked(error, source)
    server = f"“{asked.host}”"
    if isinstance(error, OfflineModeIsEnabled):
        return "Downloads are switched off on this computer (HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set)."
    if isinstance(error, HfHubHTTPError):
        return _what_was_answered(error.response.status_code, source)
    if isinstance(error, httpx2.ProxyError):
        return f"The proxy {_proxy(asked)} did not let RTOCR through to {server}.".replace("  ", " ")
    if isinstance(error, httpx2.ConnectError):
        causes = list(_causes(error))
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return f"The connection to {server} is not secure: its certificate cannot be verified."
        if proxy := _proxy(asked):
            return f"The proxy {proxy} cannot be reached."
        if asked.host == source.host and any(isinstance(cause, socket.gaierror) for cause in causes):
            return f"The server {server} cannot be found: this computer seems to be offline."
        return f"The server {server} cannot be reached."
    if isinstance(error, httpx2.TimeoutException):
        return f"The server {server} has stopped responding."
    if isinstance(error, httpx2.TooManyRedirects):
        return f"The server {server} keeps redirecting RTOCR in a loop."
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return f"The address of the server {server}, or one that it redirects RTOCR to, is invalid."
    return f"The connection to {server} was cut."


def _server_asked(error: Exception, source: ModelSource) -> ModelSource:
    """Return the server that did not answer: the source, or one to which it redirected RTOCR."""
    if not isinstance(error, httpx2.TransportError) or isinstance(error, httpx2.UnsupportedProtocol):
        return source
    try:
        url = error.request.url
        return ModelSource(f"{url.scheme}://{url.netloc.decode()}")
    except (RuntimeError, SettingsError):  # the error does not say, or no name of a server is so long
        return source


def _what_was_answered(status: int, source: ModelSource) -> str:
    server = f"“{source.host}”"
    if status == 401:
        return f"The server {server} asks for a login (401)."
    if status == 403:
        return f"The server {server} does not allow the download (403)."
    if status == 404:
        return f"The server {server} has no {REPOSITORY} at revision {REVISION[:7]} (404)."
    if status == 407:
        return f"The proxy {_proxy(source)} asks for a user name and password (407).".replace("  ", " ")
    if status == 416:
        return f"The file on the server {server} is shorter than its listing says (416)."
    if status == 429:
        return f"The server {server} received too many requests (429)."
    if status >= 500:
        return f"The server {server} has an internal error ({status})."
    return f"The server {server} answered with the error {status}."


def _advice(error: Exception, source: ModelSource) -> str:
    if isinstance(error, OfflineModeIsEnabled):
        return "Unset it, or choose a folder with the model."
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status in (401, 403, 404):
            return "Check the server's address; the published model needs no account on huggingface.co."
        if status == 407:
            return "Put them in HTTPS_PROXY, as in http://name:password@proxy:8080."
        return "What was downloaded is kept: try again later to resume."
    if isinstance(error, httpx2.ProxyError):
        return "Check HTTPS_PROXY, or ask your network administrator."
    if isinstance(error, httpx2.ConnectError):
        if any(isinstance(cause, ssl.SSLError) for cause in _causes(error)):
            return "A proxy that inspects connections causes this; name its certificate in SSL_CERT_FILE."
        if _proxy(_server_asked(error, source)):
            return "Check HTTPS_PROXY and HTTP_PROXY."
        return "Check the network, then try again; if the network requires a proxy, set HTTPS_PROXY."
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol | httpx2.TooManyRedirects):
        return "Check its address."
    return "What was downloaded is kept: try again to resume."


def _proxy(source: ModelSource) -> str:
    """Return the proxy for a server, in quotes and without its password; empty if there is none."""
    parts = urlsplit(source.address)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or proxy_bypass(parts.netloc):
        return ""
    try:
        address = urlsplit(proxy if "//" in proxy else f"//{proxy}")
        return f"“{address.hostname}:{address.port}”" if address.port else f"“{address.hostname}”"
    except ValueError:
        return "of HTTPS_PROXY"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
