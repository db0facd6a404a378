"""`rtocr` as a process of its own: streams, character sets and imports, and the bundled model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from rtocr_gui.cli.main import main
from rtocr_gui.ocr.reading import Mode, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.resources import resource_path
from tests.made_pages import page_image
from tests.readings import read_page
from tests.sample_pages import load_sample
from tests.tasks import TEXT

CHECKOUT = Path(__file__).parents[2]


def in_process(program: str, *argv: object, **options: object) -> subprocess.Popen[bytes]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *map(str, argv)],
        cwd=CHECKOUT,
        env={**environment, "PYTHONIOENCODING": "ascii"},
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )


FAKE = """
import sys
from rtocr_gui.cli.main import main
from tests.fake_engine import FakeEngine
try:
    code = main(sys.argv[1:], FakeEngine)
except SystemExit as end:
    code = end.code
heavy = {"torch", "transformers", "ot", "PySide6"} & set(sys.modules)
assert not heavy, heavy
sys.exit(code)
"""


CLOSING = """
import os, sys
os.close(int(sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-W", "error", "-c", *sys.argv[2:]])
"""
"""Runs a program with a stream closed, as `2>&-` does."""


NAMED = """
from tests import fake_engine
ModelInfo = fake_engine.ModelInfo
fake_engine.ModelInfo = lambda folder, _, *others: ModelInfo(folder, "l\\u00ebtter\\u65e5\\u672c", *others)
"""
"""Gives the model of the fake engine a name that few character sets have."""


@pytest.mark.parametrize(
    ("argv", "code"), [(["--help"], 0), (["read"], 2), (["read", "no-such-file.png"], 1)]
)
def test_help_and_errors_come_without_importing_torch_or_qt(argv, code):
    process = in_process(FAKE, *argv)
    _, errors = process.communicate()
    assert process.returncode == code, errors.decode()


def test_stdout_is_utf_8_whatever_the_locale_says(tmp_path):
    path = tmp_path / "Grüße.png"
    page_image().save(path)
    process = in_process(FAKE, "read", path, "-q")
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert "page 1 of Grüße.png at 0.76\n".encode() in output


@pytest.mark.parametrize("command", ["read", "plan", "curve"])
def test_a_reader_that_goes_away_ends_the_command_without_a_traceback(page, command):
    heard, spoken = os.pipe()
    os.close(heard)
    process = in_process(FAKE, command, page, "-q", stdout=spoken)
    os.close(spoken)
    assert (process.communicate()[1], process.returncode) == (b"", 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's own")
def test_a_full_disk_behind_the_output_is_told_in_a_sentence(page):
    with Path("/dev/full").open("wb") as full:
        process = in_process(FAKE, "read", page, "-q", stdout=full)
        errors = process.communicate()[1]
    assert process.returncode == 1
    assert errors == b"rtocr: the output could not be written: No space left on device.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="stands for what a Unix shell can do")
def test_progress_that_nobody_listens_to_costs_no_text(page, tmp_path):
    heard, spoken = os.pipe()
    os.close(heard)
    process = in_process(FAKE, "read", page, "-o", tmp_path / "out.md", stdout=spoken, stderr=spoken)
    os.close(spoken)
    assert process.wait() == 0
    assert "page 1 of page.png" in (tmp_path / "out.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="stands for what a Unix shell can do")
@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_stream_that_is_closed_costs_no_text(page, tmp_path, stream):
    process = in_process(CLOSING, stream, FAKE, "read", page, "-q", "-o", tmp_path / "out.md")
    assert process.communicate() == (b"", b"")
    assert process.returncode == 0
    assert "page 1 of page.png" in (tmp_path / "out.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="stands for what a Unix shell can do")
def test_a_name_that_the_locale_cannot_write_costs_no_text_where_a_stream_is_closed(
    page, tmp_path, monkeypatch
):
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    process = in_process(CLOSING, 2, NAMED + FAKE, "read", page, "-o", tmp_path / "out.md")
    assert process.communicate() == (b"", b"")
    assert process.returncode == 0
    assert "page 1 of page.png" in (tmp_path / "out.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="stands for what a Unix shell can do")
def test_text_that_would_go_to_a_closed_stdout_is_not_read_at_all(page):
    process = in_process(CLOSING, 1, FAKE, "read", page)
    errors = process.communicate()[1]
    assert process.returncode == 1
    assert errors.decode() == "rtocr: stdout is closed. Open it, or name a file to write to.\n"


def test_an_error_of_the_system_that_is_not_about_the_output_is_not_said_to_be(page):
    def broken_engine(*_):
        raise OSError("libcudart.so.12: cannot open shared object file")

    with pytest.raises(OSError, match="libcudart"):
        main(["read", str(page), "-q"], broken_engine)


# With the bundled model


LETTER = resource_path("samples/letter.png")


REAL = """
import sys
from rtocr_gui.cli.main import main
code = main(sys.argv[1:])
assert "torch" in sys.modules
assert "PySide6" not in sys.modules
sys.exit(code)
"""


def test_what_the_bundled_model_reads_is_what_the_command_writes(capsys, miniature_engine):
    assert main(["read", str(LETTER), "--device", "cpu", "--retention", "1"], lambda: miniature_engine) == 0
    captured = capsys.readouterr()
    settings = ReadSettings(Scaling(Mode.TINY), TEXT, PruneSettings(1.0))
    reading = read_page(miniature_engine, load_sample(LETTER), settings)
    assert captured.out == f"<!-- page: letter.png, page 1 -->\n\n{reading.text}\n"
    assert "Dear" in reading.text
    assert "RTOCR Miniature on cpu" in captured.err
    assert "64 of 64 visual tokens kept" in captured.err


def test_the_bundled_model_plans_without_a_display_and_without_qt(tmp_path):
    process = in_process(
        REAL, "plan", LETTER, "--json", tmp_path / "plan.json", "--overlay", tmp_path / "o.png"
    )
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    assert json.loads((tmp_path / "plan.json").read_text())["counts"]["prunable"] == 64
    with Image.open(tmp_path / "o.png") as picture:
        assert picture.size == (512, 512)
