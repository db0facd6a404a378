"""A model server on loopback that speaks the hub's protocol, and misbehaves where a test asks it to.

Model information with sizes and checksums, `resolve` with a redirect to another path for large files (as the
hub sends to its storage), HEAD, Range. A misbehaviour is a `Trouble` with one file, used up one request at a
time.
"""

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import unquote, urlsplit

REPOSITORY = "deepseek-ai/DeepSeek-OCR"
STORAGE = "/storage/"
INFO = "info"
"""Stands for the model information where troubles are named by file."""


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one request.

    Attributes:
        status: answer with this and nothing else.
        headers: more headers, or other values of them.
        cut_after: send so many bytes of the answer and close the connection.
        hang_after: send so many bytes and then nothing, until the server closes.
        content: answer with these bytes as the whole file, or as the model information.
        endless: answer with spaces until the client closes.
        ignore_range: send the whole file whatever was asked for.
        chunked: tell no length, and end politely.
        told_length: tell this length, whatever follows.
        pages: answer the model information with this text.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    hang_after: int | None = None
    content: bytes | None = None
    endless: bool = False
    ignore_range: bool = False
    chunked: bool = False
    told_length: int | None = None
    pages: str | None = None


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def first_byte(self) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else 0


class HubServer(ThreadingHTTPServer):
    """Serves one revision of one model.

    Args:
        files: content by name.
        commit: its revision.
    """

    daemon_threads = False
    block_on_close = True

    def __init__(self, files: Mapping[str, bytes], commit: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.commit = commit
        self.troubles: dict[str, list[Trouble]] = {}
        self.always: dict[str, Trouble] = {}
        self.asked: list[Asked] = []
        self.listing: dict[str, dict[str, Any]] = {}
        self.hanging = threading.Event()
        self.released = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="hub-server")
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def downloads(self) -> list[tuple[str, int]]:
        """Name and first byte of every file that was asked for, where the bytes are."""
        return [
            (asked.path.rpartition("/")[2], asked.first_byte)
            for asked in self.asked
            if asked.method == "GET" and not asked.path.startswith("/api/") and not self._moves(asked.path)
        ]

    def _moves(self, path: str) -> bool:
        return is_large(path.rpartition("/")[2]) and not path.startswith(STORAGE)

    def close(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()
        self._thread.join()

    def trouble(self, name: str) -> Trouble:
        """What goes wrong now with a file, or with `INFO`."""
        waiting = self.troubles.get(name)
        return waiting.pop(0) if waiting else self.always.get(name, Trouble())

    def entry(self, name: str) -> dict[str, Any]:
        """A file as the model information lists it."""
        content = self.files[name]
        entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git_blob_id(content)}
        if is_large(name):
            entry["lfs"] = {"size": len(content), "sha256": sha256(content), "pointerSize": 135}
        return entry | self.listing.get(name, {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> HubServer:
        return cast(HubServer, self.server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_HEAD(self) -> None:
        self._serve(with_body=False)

    def do_GET(self) -> None:
        self._serve(with_body=True)

    def _serve(self, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        asked = Asked(self.command, path, dict(self.headers.items()))
        self.hub.asked.append(asked)
        resolve = f"/{REPOSITORY}/resolve/{self.hub.commit}/"
        if path == f"/api/models/{REPOSITORY}/revision/{self.hub.commit}":
            self._tell_model()
        elif path.startswith(resolve) and path.removeprefix(resolve) in self.hub.files:
            self._resolve(asked, path.removeprefix(resolve), with_body)
        elif path.startswith(STORAGE) and path.removeprefix(STORAGE) in self.hub.files:
            self._send_file(asked, path.removeprefix(STORAGE), {}, with_body)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"", {"X-Error-Code": "EntryNotFound"})

    def _tell_model(self) -> None:
        trouble = self.hub.trouble(INFO)
        if trouble.endless:
            self._answer_endlessly(trouble.status or HTTPStatus.OK)
        elif trouble.status:
            self._answer(trouble.status, b"", trouble.headers)
        elif trouble.content is not None:
            self._answer(HTTPStatus.OK, trouble.content, trouble.headers)
        elif trouble.pages is not None:
            self._answer(HTTPStatus.OK, trouble.pages.encode(), {"Content-Type": "text/html"})
        else:
            told = {
                "id": REPOSITORY,
                "sha": self.hub.commit,
                "siblings": [self.hub.entry(name) for name in self.hub.files],
            }
            self._answer(HTTPStatus.OK, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def _resolve(self, asked: Asked, name: str, with_body: bool) -> None:
        content = self.hub.files[name]
        headers = {"X-Repo-Commit": self.hub.commit, "ETag": f'"{git_blob_id(content)}"'}
        if not is_large(name):
            self._send_file(asked, name, headers, with_body)
            return
        linked = {"X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{sha256(content)}"'}
        self._answer(HTTPStatus.FOUND, b"", headers | linked | {"Location": STORAGE + name})

    def _send_file(self, asked: Asked, name: str, headers: Mapping[str, str], with_body: bool) -> None:
        trouble = self.hub.trouble(name)
        if trouble.endless:
            self._answer_endlessly(trouble.status or HTTPStatus.OK)
            return
        if trouble.status:
            self._answer(trouble.status, b"", trouble.headers)
            return
        content = self.hub.files[name] if trouble.content is None else trouble.content
        first = 0 if trouble.ignore_range else asked.first_byte
        if first >= len(content):
            self._answer(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", {"Content-Range": f"bytes */{len(content)}"}
            )
            return
        body = content[first:]
        self.send_response(HTTPStatus.PARTIAL_CONTENT if first else HTTPStatus.OK)
        sent = dict(headers) | {"Accept-Ranges": "bytes"}
        if first:
            sent["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        if not trouble.chunked:
            sent["Content-Length"] = str(len(body) if trouble.told_length is None else trouble.told_length)
        for header, value in (sent | dict(trouble.headers)).items():
            self.send_header(header, value)
        self._end_headers()
        if with_body:
            limits = [limit for limit in (trouble.cut_after, trouble.hang_after) if limit is not None]
            self._write(body[: min(limits)] if limits else body)
            if trouble.hang_after is not None:
                self.hub.hanging.set()
                self.hub.released.wait()

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self._end_headers()
        self._write(body)

    def _answer_endlessly(self, status: int) -> None:
        self.send_response(status)
        self._end_headers()
        while self._write(b" " * 2**16):
            pass

    def _end_headers(self) -> None:
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _write(self, data: bytes) -> bool:
        """Send; False if whoever asked has gone."""
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            return False
        return True


def is_large(name: str) -> bool:
    """True for what the hub keeps apart, with a checksum of its own."""
    return name.endswith(".safetensors")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
