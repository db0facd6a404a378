"""Lists the files of a model on a server, and fetches their bytes: two requests of the hub's protocol.

The session is that of huggingface_hub, with its proxies, certificates and offline switch. Its own download
is not used; see `packaging/decisions/5-a-download-that-goes-on.md`. A server's answers are untrusted input.
Knows no files on disk.
"""

import importlib.metadata
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
from huggingface_hub import constants, get_token
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import get_session

from rtocr_gui.errors import DownloadError
from rtocr_gui.files import reason_of
from rtocr_gui.ocr.library.hub_errors import explain_environment
from rtocr_gui.ocr.library.model_source import REPOSITORY, REVISION, ModelSource
from rtocr_gui.ocr.model.model_files import CONFIG_FILE, INDEX_FILE, TOKENIZER_FILE, ModelFile, is_weight_file
from rtocr_gui.version import program_version

_WANTED = frozenset({CONFIG_FILE, TOKENIZER_FILE, "tokenizer_config.json", INDEX_FILE})
_TOKEN_SERVER = "https://huggingface.co"
_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_MOST_FILES = 1000
_MOST_LISTING_BYTES = 4 * 2**20
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")
_AS_IT_IS = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """The content of a file as it arrives.

    Attributes:
        start: offset of the first byte in the file; not the requested one if the server cannot resume.
        chunks: the bytes from there.
    """

    start: int
    chunks: Iterator[bytes]


def list_files(
    source: ModelSource, timeout_s: float, stop_if_asked: Callable[[], None]
) -> tuple[ModelFile, ...]:
    """List the files to download, small ones first: config, tokenizer and safetensors, no code or pickles.

    Args:
        source: the server.
        timeout_s: longest silence.
        stop_if_asked: called for every piece of the listing that arrives; what it raises ends the request.

    Raises:
        DownloadError: the answer is not a hub's, the model has no such files, or no session can be opened
            in this environment.
        HUB_ERRORS: the server cannot be reached or refuses.
    """
    address = f"{source.endpoint}/api/models/{REPOSITORY}/revision/{REVISION}"
    with _answer_to(address, {"blobs": "true"}, _headers(source), timeout_s) as response:
        data = _read_listing(response, stop_if_asked)
    try:
        listing = json.loads(data)
        commit = str(listing["sha"])
        entries = list(listing["siblings"])
        files = [_read_entry(entry) for entry in entries if _is_wanted(entry["rfilename"])]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DownloadError(
            f"The server “{source.host}” did not answer like a model server: it may be the login page "
            "of the network. Open a page in the browser, or check the server's address."
        ) from error
    if commit != REVISION:
        raise DownloadError(
            f"The server “{source.host}” offers revision {commit[:12]}, not {REVISION[:12]} as asked "
            "for. Use another server."
        )
    names = [file.name for file in files]
    complete = {CONFIG_FILE, TOKENIZER_FILE} <= set(names) and any(map(is_weight_file, names))
    if not complete or len(set(names)) < len(names) or len(names) > _MOST_FILES:
        raise DownloadError(
            f"What the server “{source.host}” offers as {REPOSITORY} is not a model in safetensors "
            "files. Use another server."
        )
    return tuple(sorted(files, key=lambda file: file.size_bytes))


@contextmanager
def open_file(source: ModelSource, file: ModelFile, start: int, timeout_s: float) -> Iterator[OpenedFile]:
    """Request a file from a given byte on.

    Args:
        source: the server.
        file: a file in the listing.
        start: offset of the first byte wanted, less than the size of the file.
        timeout_s: longest silence.

    Yields:
        Its content. The chunks may raise `HUB_ERRORS` and may end too early.

    Raises:
        DownloadError: the server offers something other than it listed, or no session can be opened in this
            environment.
        HUB_ERRORS: the server cannot be reached or refuses.
    """
    address = f"{source.endpoint}/{REPOSITORY}/resolve/{REVISION}/{file.name}"
    headers = _headers(source)
    if start:
        headers["Range"] = f"bytes={start}-"
    with _answer_to(address, {}, headers, timeout_s) as response:
        for answer in (*response.history, response):
            _check_linked(source, file, answer.headers)
        first, size = _extent(response)
        if first not in (0, start) or size not in (None, file.size_bytes):
            raise DownloadError(
                f"The server “{source.host}” offers {size or 0:,} bytes of “{file.name}”, which has "
                f"{file.size_bytes:,}. Something on the way changes downloads, or the server is "
                "faulty. Try again later, or use another server."
            )
        yield OpenedFile(first, response.iter_bytes())


@contextmanager
def _answer_to(
    address: str, parameters: dict[str, str], headers: dict[str, str], timeout_s: float
) -> Iterator[httpx2.Response]:
    """Ask a server for content that is not compressed; its answer is read within.

    If it refuses the login, which may have expired, it is asked without: the published model needs none. What
    it sends along with a refusal is not read, as it may never end.
    """
    headers = headers | _AS_IT_IS
    with ExitStack() as held:
        ask = partial(_session().stream, "GET", address, params=parameters, timeout=timeout_s)
        try:
            response = held.enter_context(ask(headers=headers))
            if response.status_code == 401 and "Authorization" in headers:
                held.close()
                del headers["Authorization"]
                response = held.enter_context(ask(headers=headers))
        except UnicodeError as error:  # of Python's sockets, for the name of a host
            raise httpx2.InvalidURL(f"no host can have this name: {error}") from error
        if response.is_error:
            raise HfHubHTTPError(f"{response.status_code} for {response.url}", response=response)
        yield response


def _session() -> httpx2.Client:
    """Return the library's session, which it creates from the environment on first use.

    Raises:
        DownloadError: the environment names a proxy or certificates that cannot be used.
    """
    try:
        return get_session()
    except (ImportError, ValueError, httpx2.InvalidURL, OSError) as error:
        raise explain_environment(error) from error


def _read_listing(response: httpx2.Response, stop_if_asked: Callable[[], None]) -> bytes:
    """Read an answer without unpacking it, and of one that is far too long only the beginning."""
    data = bytearray()
    for chunk in response.iter_raw():
        stop_if_asked()
        data += chunk
        if len(data) > _MOST_LISTING_BYTES:
            break
    return bytes(data)


def _extent(response: httpx2.Response) -> tuple[int, int | None]:
    """Return the offset of an answer's first byte, and the size of the whole file if it is stated."""
    headers = response.headers
    if response.status_code == 206:
        found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        return (int(found[1]), int(found[2])) if found else (-1, None)
    length = headers.get("Content-Length", "")
    encoded = headers.get("Content-Encoding", "identity") != "identity"
    return 0, int(length) if length.isdecimal() and not encoded else None


def _check_linked(source: ModelSource, file: ModelFile, headers: httpx2.Headers) -> None:
    """Refuse a file if the hub's own headers contradict the listing."""
    size = headers.get(constants.HUGGINGFACE_HEADER_X_LINKED_SIZE, str(file.size_bytes))
    etag = headers.get(constants.HUGGINGFACE_HEADER_X_LINKED_ETAG, file.digest)
    if size != str(file.size_bytes) or etag.removeprefix("W/").strip('"') != file.digest:
        raise DownloadError(
            f"The server “{source.host}” contradicts itself about “{file.name}”: it listed a different size "
            "or checksum than it offers now. Try again later, or use another server."
        )


def _headers(source: ModelSource) -> dict[str, str]:
    """Build the request headers; the user's token is sent only to the server it belongs to.

    Building the library's own headers would first ask huggingface.co for a list of programs to report.

    Raises:
        DownloadError: the token cannot be read, or cannot be a token.
    """
    library = importlib.metadata.version("huggingface_hub")
    headers = {"User-Agent": f"rtocr/{program_version(otherwise='0')}; hf_hub/{library}"}
    if token := _token(source):
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _token(source: ModelSource) -> str:
    """Return the user's token for a server; empty if there is none.

    Raises:
        DownloadError: it cannot be read, or cannot be a token.
    """
    if source.endpoint != _TOKEN_SERVER or constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        return ""
    try:
        token = get_token() or ""
        if not (token.isascii() and token.isprintable()):
            raise UnicodeError("no header can hold these characters")
        return token
    except UnicodeError as error:
        file = f"“{constants.HF_TOKEN_PATH}”"
        place = next((name for name in _TOKEN_VARIABLES if os.environ.get(name, "").strip()), file)
        raise DownloadError(
            f"Your login in {place} contains characters that no token has. Write it in plain ASCII, or "
            "remove it: the published model needs no account."
        ) from error
    except OSError as error:
        raise DownloadError(
            f"Your login file “{constants.HF_TOKEN_PATH}” cannot be read: {reason_of(error)}. Remove it, "
            "or make it readable: the published model needs no account."
        ) from error


def _is_wanted(name: object) -> bool:
    return isinstance(name, str) and name.isascii() and (name in _WANTED or is_weight_file(name))


def _read_entry(entry: Mapping[str, Any]) -> ModelFile:
    """Read one entry of a listing; the checksum of a large file is of its content, not its LFS pointer."""
    large = entry.get("lfs")
    return ModelFile(entry["rfilename"], entry["size"], entry["blobId"] if large is None else large["sha256"])
