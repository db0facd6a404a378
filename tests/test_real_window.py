"""The real program, the real model and a real window on a virtual display."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rtocr_gui.resources import resource_path

pytestmark = pytest.mark.xvfb

ROOT = Path(__file__).parent.parent
SAMPLE = resource_path("samples") / "notice.png"


def drive(environment: dict[str, str], scenario: str, *files: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.real_window_driver", scenario, *map(str, files)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_person_reads_a_page_and_tunes_it_by_eye(xvfb_display: dict[str, str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 no more")
    seen = drive(xvfb_display, "read_and_tune", SAMPLE, broken)
    assert seen["platform"] == "xcb"
    assert not seen["torch_at_show"]
    assert seen["first_text"]
    assert seen["overlay_changed_while_dragging"]
    assert seen["text_during_drag"] == seen["first_text"]
    assert int(seen["kept_by_second_reading"]) == seen["kept_while_dragging"]
    assert seen["pages"] == 1
    assert [sentence.split(":")[0] for sentence in seen["notices"]] == ["broken.pdf"]
    assert seen["ended"]


def test_closing_the_window_during_a_reading_ends_the_program_within_two_seconds(
    xvfb_display: dict[str, str],
) -> None:
    seen = drive(xvfb_display, "close_while_reading", SAMPLE)
    assert seen["text_came"]
    assert seen["code"] == 0
    assert seen["seconds"] < 2


def test_no_widget_takes_a_key_that_an_action_has_on_this_platform(xvfb_display: dict[str, str]) -> None:
    seen = drive(xvfb_display, "find_shared_keys")
    assert "Del" in seen["widgets"]
    assert seen["shared"] == []
