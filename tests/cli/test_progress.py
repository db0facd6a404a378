"""The live line: as wide as the terminal, gone before a line that stays, and in no log."""

import io
import os

import pytest

from rtocr_gui.cli import progress as progress_module
from rtocr_gui.cli.following import Following
from rtocr_gui.cli.progress import CLEAR_LINE, Progress
from rtocr_gui.errors import ReadingError
from rtocr_gui.ocr.pages_together import PageFailed
from rtocr_gui.ocr.reading import Mode, ReadSettings, Scaling, Stage, TextDelta
from tests.made_readings import make_reading
from tests.tasks import TEXT


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_live_line_is_overwritten_and_gone_before_a_line_that_stays():
    terminal = Terminal()
    progress = Progress(terminal, quiet=False)
    progress.show("page 1: open")
    progress.show("page 1: decode")
    progress.say("page 1: done")
    progress.clear()
    assert terminal.getvalue() == (
        f"{CLEAR_LINE}page 1: open{CLEAR_LINE}page 1: decode{CLEAR_LINE}page 1: done\n"
    )


def test_the_live_line_is_overwritten_with_blanks_where_escapes_would_be_printed(monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setattr(progress_module, "_KNOWS_ESCAPES", False)
    terminal = Terminal()
    progress = Progress(terminal, quiet=False)
    progress.show("page 1")
    progress.clear()
    blank = f"\r{' ' * 9}\r"
    assert terminal.getvalue() == f"{blank}page 1{blank}"


@pytest.mark.parametrize(
    ("text", "shown"), [("财务报告.pdf: open", "财务报告."), ("report.pdf: open", "report.pd")]
)
def test_the_live_line_is_as_long_as_the_terminal_is_wide(monkeypatch, text, shown):
    monkeypatch.setenv("COLUMNS", "10")
    terminal = Terminal()
    Progress(terminal, quiet=False).show(text)
    assert terminal.getvalue() == CLEAR_LINE + shown


def test_the_width_is_that_of_the_terminal_that_the_line_is_shown_on(monkeypatch):
    """And not that of stdout, which may be a file or another terminal."""
    termios = pytest.importorskip("termios")  # is there where terminals can be made
    monkeypatch.delenv("COLUMNS", raising=False)
    near, far = os.openpty()
    termios.tcsetwinsize(far, (24, 10))
    with os.fdopen(far, "w", encoding="utf-8") as terminal:
        Progress(terminal, quiet=False).show("report.pdf: open")
        assert os.read(near, 100).decode() == CLEAR_LINE + "report.pd"
    os.close(near)


def test_the_live_line_names_none_of_the_pages_that_ended(monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(Progress, "update", lambda _, text: shown.append(text))
    following = Following(Progress(io.StringIO(), quiet=True))
    for label in ("page 1", "page 2", "page 3"):
        following.tell(label, Stage.DECODE)
    following.tell("page 2", TextDelta("x", 1))
    following.tell("page 1", make_reading(ReadSettings(Scaling(Mode.TINY), TEXT)))
    following.tell("page 2", PageFailed(ReadingError("The model failed.")))
    following.tell("page 3", TextDelta("x", 1))
    assert [line.partition(":")[0] for line in shown] == ["page 1 and 2 more", "page 3"]


def test_updates_of_the_live_line_come_no_more_often_than_anyone_can_read(monkeypatch):
    now_s = iter([0.0, 0.0, 0.05, 0.2, 0.2])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(now_s))
    terminal = Terminal()
    progress = Progress(terminal, quiet=False)
    for tokens in range(3):
        progress.update(f"{tokens} tokens")
    assert terminal.getvalue() == f"{CLEAR_LINE}0 tokens{CLEAR_LINE}2 tokens"


@pytest.mark.parametrize(("stream", "quiet"), [(Terminal(), True), (io.StringIO(), False)])
def test_there_is_no_live_line_in_a_log_or_for_quiet_people(stream, quiet):
    Progress(stream, quiet).show("page 1: decode, 3 tokens")
    assert stream.getvalue() == ""
