"""What the tests of downloads do first, and where they look."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

from rtocr_gui.ocr.library.download import Patience, download_model
from rtocr_gui.ocr.library.download_progress import DownloadProgress
from rtocr_gui.ocr.library.model_source import ModelSource
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from tests.hub_server import HubServer
from tests.published_model import NEEDED

AT_ONCE = Patience(silence_s=5, waits_s=(0.0, 0.0))


def run(
    hub: HubServer,
    folder: Path,
    cancel: threading.Event | None = None,
    patience: Patience = AT_ONCE,
    watch: Callable[[DownloadProgress], None] = lambda progress: None,
) -> list[DownloadProgress]:
    """Download to the end, and give all that was told."""
    told = []
    source, cancel = ModelSource(hub.endpoint), cancel or threading.Event()
    for progress in download_model(source, folder, cancel, patience, clock=itertools.count().__next__):
        told.append(progress)
        watch(progress)
    return told


def parts(folder: Path) -> list[Path]:
    """The beginnings of files that are not complete yet."""
    return list(folder.glob("[!.]*.part"))


def assert_whole(hub: HubServer, folder: Path) -> None:
    """The folder holds the model as the server has it, and no beginnings."""
    for name in NEEDED:
        assert (folder / name).read_bytes() == hub.files[name]
    assert parts(folder) == []
    assert inspect_checkpoint(folder).name == "DeepSeek-OCR"
