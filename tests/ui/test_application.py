"""What the system asks of the program as a whole."""

import os
import subprocess
import sys
from pathlib import Path

from tests.ui.steps import Draw

ROOT = Path(__file__).parents[2]

_PROGRAM = """
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


def test_a_file_that_is_opened_with_the_program_on_macos_is_opened(draw_page: Draw, tmp_path: Path) -> None:
    scan = draw_page("scan.png")
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, scan],
        cwd=ROOT,
        env={**os.environ, "RTOCR_CONFIG_DIR": str(tmp_path / "settings")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{scan}\n"
