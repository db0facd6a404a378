"""Where the published DeepSeek-OCR is to be had, and where a copy of it belongs on this computer.

Quick to import: asks nobody and opens no file. The hub's own environment variables are honoured: HF_ENDPOINT
for the server, HF_HUB_CACHE and HF_HOME for the folder.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rtocr_gui.errors import SettingsError

REPOSITORY = "deepseek-ai/DeepSeek-OCR"
LICENCE = "MIT"
PUBLISHER = "DeepSeek"

REVISION = "9f30c71f441d010e5429c532364a86705536c53a"
"""The commit that is downloaded, wherever the main branch of the repository points by now."""

EXPECTED_BYTES = 6_683_000_000
"""About what the download weighs, to tell before the server is asked."""


def default_endpoint() -> str:
    """The server that the environment names, else huggingface.co."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def default_cache() -> Path:
    """The folder in which the programs of this computer share downloaded models."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One revision of a model on one server.

    Attributes:
        endpoint: address of a server that speaks the hub's protocol, without a slash at its end.
        repository: "owner/name".
        revision: commit, branch or tag; of a branch, all files are taken of the commit that it points to.
    """

    endpoint: str
    repository: str = REPOSITORY
    revision: str = REVISION

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.endpoint)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment or self.endpoint.endswith("/"):
            raise SettingsError(
                f"“{self.endpoint}” is not the address of a server: give one such as https://huggingface.co."
            )

    @classmethod
    def published(cls, endpoint: str = "") -> "ModelSource":
        """The published model on a server; on the one of the environment where none is named."""
        return cls((endpoint.strip() or default_endpoint()).rstrip("/"))

    @property
    def host(self) -> str:
        """Name of the server, with its port where that is unusual and never with a password."""
        parts = urlsplit(self.endpoint)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def is_pinned(self) -> bool:
        """True where the revision is a commit and not a name that can move."""
        return len(self.revision) == 40 and all(digit in "0123456789abcdef" for digit in self.revision)

    def folder_in(self, cache: Path) -> Path:
        """Where the files of this revision belong in the hub's cache, so that other programs find them."""
        return snapshots_in(cache, self.repository) / self.revision


def published_folder_in(cache: Path) -> Path:
    """Where the published model belongs in the hub's cache, whichever server it comes from."""
    return snapshots_in(cache) / REVISION


def snapshots_in(cache: Path, repository: str = REPOSITORY) -> Path:
    """The folder of the hub's cache that holds a folder for each downloaded revision of a model."""
    return cache / f"models--{repository.replace('/', '--')}" / "snapshots"
