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
    """A server to download the published model from.

    Attributes:
        endpoint: address of a server that speaks the hub's protocol, without a trailing slash.
    """

    endpoint: str

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
        """Return the server at an address; if none is given, the one set in the environment."""
        return cls((endpoint.strip() or default_endpoint()).rstrip("/"))

    @property
    def host(self) -> str:
        """Name of the server, with the port if one is given, but never with a password."""
        parts = urlsplit(self.endpoint)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def published_folder_in(cache: Path) -> Path:
    """Return where the published model belongs in the hub's cache, so that other programs find it."""
    return snapshots_in(cache) / REVISION


def snapshots_in(cache: Path) -> Path:
    """Return the folder in the hub's cache that holds a folder for each revision of the published model."""
    return cache / f"models--{REPOSITORY.replace('/', '--')}" / "snapshots"
