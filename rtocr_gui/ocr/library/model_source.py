"""Where to download the published DeepSeek-OCR, and where a copy of it belongs on this computer.

Quick to import: makes no request and opens no file. Honours the hub's own environment variables: HF_ENDPOINT
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
"""The commit to download, wherever the repository's main branch points today."""

EXPECTED_BYTES = 6_683_000_000
"""Approximate size of the download, to show before the server is asked."""


def default_endpoint() -> str:
    """Return the server set in the environment, else huggingface.co."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def default_cache() -> Path:
    """Return the folder in which programs on this computer share downloaded models."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One revision of a model on one server.

    Attributes:
        endpoint: address of a server that speaks the hub's protocol, without a trailing slash.
        repository: "owner/name".
        revision: commit, branch or tag; all files come from the commit that a branch or tag points to.
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
        """Return the published model on a server; if none is given, on the one set in the environment."""
        return cls((endpoint.strip() or default_endpoint()).rstrip("/"))

    @property
    def host(self) -> str:
        """Name of the server, with the port if one is given, but never with a password."""
        parts = urlsplit(self.endpoint)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def is_pinned(self) -> bool:
        """True if the revision is a commit and not a name that can move."""
        return len(self.revision) == 40 and all(digit in "0123456789abcdef" for digit in self.revision)

    def folder_in(self, cache: Path) -> Path:
        """Return where this revision belongs in the hub's cache, so that other programs find it."""
        return snapshots_in(cache, self.repository) / self.revision


def published_folder_in(cache: Path) -> Path:
    """Return where the published model belongs in the hub's cache, whichever server it comes from."""
    return snapshots_in(cache) / REVISION


def snapshots_in(cache: Path, repository: str = REPOSITORY) -> Path:
    """Return the folder in the hub's cache that holds a folder for each downloaded revision of a model."""
    return cache / f"models--{repository.replace('/', '--')}" / "snapshots"
