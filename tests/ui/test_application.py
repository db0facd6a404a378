"""What the system asks of the program as a whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rtocr_gui import files
from rtocr_gui.ui import app
from tests.ui.steps import Draw

ROOT = Path(__file__).parents[2]

_OPENING = """
import sys
from PySide6.QtGui import QFileOpenEvent
from rtocr_gui.ui import app
from tests.fake_engine import FakeEngine

class Asked(app.Program):
    def start(self, files):
        super().start(files)
        application = app.Application.instance()
        self.bridge.document_opened.connect(self.tell)
        application.sendEvent(application, QFileOpenEvent(sys.argv[1]))

    def tell(self, opened):
        if opened.path.name == "scan.png":
            print(opened.path)
            app.Application.quit()

app.make_engine = FakeEngine
app.Program = Asked
sys.exit(app.main([]))
"""


_ICON = """
from rtocr_gui.ui.app import make_application

application = make_application()
print(application.windowIcon().availableSizes())
"""


def run(program: str, folder: Path, *arguments: Path) -> str:
    """What a program prints that runs in a process of its own, as there is one application in each."""
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, "RTOCR_CONFIG_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_file_that_is_opened_with_the_program_on_macos_is_opened(draw_page: Draw, tmp_path: Path) -> None:
    scan = draw_page("scan.png")
    assert run(_OPENING, tmp_path / "settings", scan) == f"{scan}\n"


def test_every_window_and_the_dock_have_the_icon(tmp_path: Path) -> None:
    assert "QSize(128, 128)" in run(_ICON, tmp_path / "settings")


def test_patterns_that_the_shell_leaves_to_the_program_stand_for_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draw_page: Draw
) -> None:
    pages = [draw_page("a.png"), draw_page("b.png")]
    names = [str(tmp_path / "*.png"), "none.pdf"]
    monkeypatch.setattr(files, "_shell_leaves_patterns", lambda: True)
    assert app._parse(names).files == [*pages, Path("none.pdf")]
