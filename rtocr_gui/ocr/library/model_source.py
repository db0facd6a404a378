"""Where to download the published DeepSeek-OCR, and where a copy of it belongs on this computer.

Quick to import: makes no request and opens no file. Honours the hub's own environment variables: HF_ENDPOINT
for the server, HF_HUB_CACHE and HF_HOME for the folder.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.library.download_record import LONGEST_LINE
from rtocr_gui.ocr.machine.hub_variables import check_hub_variables

REPOSITORY = "deepseek-ai/DeepSeek-OCR"
LICENCE = "MIT"
PUBLISHER = "DeepSeek"

REVISION = "9f30c71f441d010e5429c532364a86705536c53a"
"""The commit to download, wherever the repository's main branch points today."""

EXPECTED_BYTES = 6_683_000_000
"""Approximate size of the download, to show before the server is asked."""


def default_endpoint() -> str:
    """Return the server set in the environment, else huggingface.co.

    Raises:
        SettingsError: the environment does not let the hub's library be imported.
    """
    check_hub_variables()
    from huggingface_hub import constants

    return constants.ENDPOINT


def without_login(address: str) -> str:
    """Remove the user name and password from an address, if there are any."""
    return re.sub(r"^([^/]*//)[^/?#]*@", r"\1", address)


def default_cache() -> Path:
    """Return the folder in which programs on this computer share downloaded models, as an absolute path.

    Raises:
        SettingsError: the environment does not let the hub's library be imported.
    """
    check_hub_variables()
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).absolute()


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A server to download the published model from.

    Attributes:
        endpoint: address of a server that speaks the hub's protocol, without a trailing slash; may hold a
            user name and password.

    Raises:
        SettingsError: it is not an address, or too long to be recorded.
    """

    endpoint: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.endpoint)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
            usable = usable and self.address.isprintable()
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment or self.endpoint.endswith("/"):
            shown = self.endpoint.rpartition("@")[2]  # wherever a password may begin
            raise SettingsError(
                f"“{shown}” is not the address of a server: give one such as https://huggingface.co."
            )
        if len(self.address) > LONGEST_LINE:
            raise SettingsError(
                f"The address of the server has {len(self.address)} characters, which is too long. Give one "
                f"of at most {LONGEST_LINE}."
            )

    @classmethod
    def published(cls, endpoint: str = "") -> "ModelSource":
        """Return the server at an address; if none is given, the one set in the environment.

        Raises:
            SettingsError: it is no usable address, or the environment does not let the hub's library be
                imported.
        """
        check_hub_variables()
        return cls((endpoint.strip() or default_endpoint()).rstrip("/"))

    @property
    def address(self) -> str:
        """The endpoint without a user name and password, to be shown and recorded."""
        return without_login(self.endpoint)

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
