"""What every test stands on: no screen, temporary settings, no thread left behind."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from rtocr_gui.documents.pages import PageImage
from rtocr_gui.resources import resource_path
from tests.sample_pages import SAMPLES, load_sample
from tests.virtual_display import virtual_display

if TYPE_CHECKING:
    from PIL import Image

    from rtocr_gui.ocr.engine import Engine
    from tests.fake_engine import FakeEngine
    from tests.hub_server import HubServer

os.environ["QT_QPA_PLATFORM"] = "offscreen"
# What a shell or `nohup` starts may ignore signals; the programs that tests send them to must not.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("development", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "development")

THREAD_END_S = 5


@pytest.fixture(autouse=True)
def settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's settings are kept, so that no test meets those of a person or of another test."""
    folder = tmp_path / "settings"
    monkeypatch.setenv("RTOCR_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fails a test that leaves a Python thread running."""
    before = set(threading.enumerate())
    yield
    # Python keeps a dummy for every foreign thread that ever called it, long after that thread ended.
    started = [
        thread
        for thread in threading.enumerate()
        if thread not in before and not isinstance(thread, threading._DummyThread)
    ]
    for thread in started:
        thread.join(THREAD_END_S)
    left = [thread.name for thread in started if thread.is_alive()]
    assert not left, f"threads left running: {left}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of the real window where there is no X server to run virtually."""
    if not sys.platform.startswith("linux"):
        real_window = [item for item in items if item.get_closest_marker("xvfb")]
        config.hook.pytest_deselected(items=real_window)
        items[:] = [item for item in items if item not in real_window]


def pytest_sessionfinish() -> None:
    """Empty the clipboard: Qt's offscreen platform crashes at exit over what is left in it."""
    if "PySide6.QtWidgets" in sys.modules:
        from PySide6.QtWidgets import QApplication

        if QApplication.instance() is not None:
            QApplication.clipboard().clear()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One thread for torch, which small models are quickest on."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def samples() -> list[PageImage]:
    """The sample pages that come with the program."""
    return [load_sample(path) for path in SAMPLES]


@pytest.fixture(scope="session")
def miniature_engine() -> "Iterator[Engine]":
    """The bundled model, loaded once on the CPU."""
    import torch

    from rtocr_gui.ocr.engine import Engine

    torch.set_num_threads(1)
    engine = Engine()
    engine.load(resource_path("miniature"), device="cpu")
    yield engine
    engine.unload()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> "list[Image.Image]":
    """The pages whose print is measured from now on, as the engine sees them."""
    from rtocr_gui.ocr.vision import page_encoder
    from rtocr_gui.ocr.vision.auto_mode import stroke_pitch

    images: list[Image.Image] = []

    def measure(image: "Image.Image") -> float | None:
        images.append(image)
        return stroke_pitch(image)

    monkeypatch.setattr(page_encoder, "stroke_pitch", measure)
    return images


@pytest.fixture
def rtocr(capsys: pytest.CaptureFixture[str]) -> Callable[..., SimpleNamespace]:
    """Runs `rtocr` with a fake engine: exit code, stdout, lines on stderr, and those that complain."""
    from rtocr_gui.cli.main import main
    from tests.fake_engine import FakeEngine

    def run(*argv: object, engine: "FakeEngine | None" = None) -> SimpleNamespace:
        try:
            code = main([str(word) for word in argv], lambda: engine or FakeEngine())
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        lines = captured.err.splitlines()
        told = [line for line in lines if line.startswith("rtocr: ")]
        return SimpleNamespace(code=code, out=captured.out, err=lines, told=told)

    return run


@pytest.fixture
def own_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy and no login of the machine; the hub's session is made anew for each test."""
    from huggingface_hub.utils import close_session

    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    for name in (*proxies, "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    close_session()
    yield
    close_session()


@pytest.fixture
def hub(tmp_path: Path, own_session: None) -> "Iterator[HubServer]":
    """A model server that holds the published model in small."""
    from rtocr_gui.ocr.library.model_source import REVISION
    from tests.hub_server import HubServer
    from tests.published_model import published_files

    server = HubServer(published_files(tmp_path), REVISION)
    yield server
    server.close()


@pytest.fixture
def xvfb_display() -> Iterator[dict[str, str]]:
    """A virtual X display with a window manager: the environment to start a real window in."""
    with virtual_display() as environment:
        yield environment
