"""What is remembered outlives the program, whichever way that ends."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rtocr_gui.settings import Settings, load_settings, save_settings
from rtocr_gui.ui import app
from rtocr_gui.ui.state import settings_keeper
from rtocr_gui.ui.state.settings_keeper import SettingsKeeper
from rtocr_gui.ui.state.unsaved_text_keeper import take_left_behind

ROOT = Path(__file__).parents[2]
NEVER = 2**30


class Changes(QObject):
    changed = Signal(object)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


@pytest.fixture
def keep(qtbot: QtBot, path: Path) -> Iterator[Callable[..., tuple[SettingsKeeper, Changes, list[str]]]]:
    """Begins to keep settings; what goes wrong is told in the list."""
    kept: list[SettingsKeeper] = []

    def begin(quiet_ms: int = NEVER) -> tuple[SettingsKeeper, Changes, list[str]]:
        keeper, changes, told = SettingsKeeper(path, quiet_ms), Changes(), []
        keeper.follow(changes.changed, told.append)
        kept.append(keeper)
        return keeper, changes, told

    yield begin
    for keeper in kept:
        assert keeper.close(5)


Keep = Callable[..., tuple[SettingsKeeper, Changes, list[str]]]


def test_a_change_is_written_soon(qtbot: QtBot, path: Path, keep: Keep) -> None:
    _, changes, told = keep(quiet_ms=1)
    changes.changed.emit(Settings(mode="base"))
    qtbot.waitUntil(path.exists)
    assert load_settings(path) == Settings(mode="base")
    assert not told


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("{")])
def test_a_file_that_is_lost_or_damaged_meanwhile_is_written_whole(
    path: Path, keep: Keep, damage: Callable[[Path], object]
) -> None:
    before = Settings(mode="tiny", retention=0.5, model_folder="/m")
    save_settings(before, path)
    keeper, changes, _ = keep()
    damage(path)
    changes.changed.emit(replace(before, mode="base"))
    assert keeper.close(5)
    assert load_settings(path) == replace(before, mode="base")


def test_what_was_not_written_yet_is_written_at_the_end(path: Path, keep: Keep) -> None:
    keeper, changes, _ = keep()
    for mode in ("tiny", "base"):
        changes.changed.emit(Settings(mode=mode))
    assert not path.exists()
    assert keeper.close(5)
    assert load_settings(path) == Settings(mode="base")


def test_settings_that_did_not_change_are_not_written(path: Path, keep: Keep) -> None:
    keeper, changes, _ = keep()
    changes.changed.emit(keeper.settings)
    assert keeper.close(5)
    assert not path.exists()


def test_two_windows_keep_each_others_changes(path: Path, keep: Keep) -> None:
    save_settings(Settings(mode="base", retention=0.5), path)
    (one, ones, _), (other, others, _) = keep(), keep()
    others.changed.emit(Settings(mode="base", retention=0.5, model_folder="/models/large"))
    assert other.close(5)
    ones.changed.emit(Settings(mode="tiny", retention=None))
    assert one.close(5)
    assert load_settings(path) == Settings(mode="tiny", retention=None, model_folder="/models/large")


def test_what_two_windows_opened_is_remembered_of_both(path: Path, keep: Keep) -> None:
    paths = [str(path.with_name(f"{name}.png")) for name in "abcdefghijkl"]
    before = Settings(recent_files=(paths[0],))
    save_settings(before, path)
    (one, ones, _), (other, others, _) = keep(), keep()
    ones.changed.emit(replace(before, recent_files=(paths[1], paths[0])))
    assert one.close(5)
    others.changed.emit(replace(before, recent_files=(paths[2],)))  # and forgot the first
    assert other.close(5)
    assert load_settings(path).recent_files == (paths[2], paths[1])


def test_what_another_window_opened_has_room_in_a_full_list_and_what_it_removed_stays_away(
    path: Path, keep: Keep
) -> None:
    paths = tuple(str(path.with_name(f"{name}.png")) for name in "abcdefghijkl")
    before = Settings(recent_files=paths[:10], own_models=("/m/1", "/m/2"))
    save_settings(before, path)
    (one, ones, _), (other, others, _) = keep(), keep()
    ones.changed.emit(
        replace(before, recent_files=(paths[10], *paths[:9]), own_models=("/m/1",), settled_texts=("x",))
    )
    assert one.close(5)
    others.changed.emit(
        replace(
            before,
            recent_files=(paths[11], *paths[:9]),
            own_models=("/m/1", "/m/2", "/m/3"),
            settled_texts=("y",),
        )
    )
    assert other.close(5)
    assert load_settings(path).recent_files == (paths[11], paths[10], *paths[:8])
    assert load_settings(path).own_models == ("/m/1", "/m/3")
    assert load_settings(path).settled_texts == ("y", "x")


def test_a_list_that_was_cleared_is_empty_and_a_long_one_is_cut(path: Path, keep: Keep) -> None:
    paths = tuple(str(path.with_name(f"{name}.png")) for name in "abcdefghijkl")
    before = Settings(recent_files=paths[:1])
    save_settings(before, path)
    (one, ones, _), (other, others, _), (third, thirds, _) = keep(), keep(), keep()
    ones.changed.emit(replace(before, recent_files=paths[2:]))
    assert one.close(5)
    others.changed.emit(replace(before, recent_files=paths[:2]))
    assert other.close(5)
    assert load_settings(path).recent_files == (paths[1], *paths[2:11])
    thirds.changed.emit(replace(before, recent_files=()))
    assert third.close(5)
    assert load_settings(path).recent_files == ()


def test_a_file_that_could_not_be_opened_is_told_and_not_written_over(
    path: Path, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    save_settings(Settings(mode="base"), path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        keeper, changes, told = keep()
    (sentence,) = told
    assert "could not be opened: Permission denied. RTOCR is using default settings" in sentence
    changes.changed.emit(Settings(mode="tiny"))
    assert keeper.close(5)
    assert load_settings(path) == Settings(mode="base")


def test_a_damaged_file_is_told_and_replaced_with_the_next_change(path: Path, keep: Keep) -> None:
    path.write_text("{")
    keeper, changes, told = keep()
    (sentence,) = told
    assert sentence.startswith(f"The settings in {path} were damaged.")
    assert sentence.endswith("renamed to settings.broken.json. RTOCR is using default settings.")
    changes.changed.emit(Settings(mode="tiny"))
    assert keeper.close(5)
    assert load_settings(path) == Settings(mode="tiny")


def test_settings_that_cannot_be_saved_are_told_once(qtbot: QtBot, path: Path, keep: Keep) -> None:
    keeper, changes, told = keep(quiet_ms=1)
    path.mkdir()
    changes.changed.emit(Settings(mode="tiny"))
    qtbot.waitUntil(lambda: len(told) == 1)
    changes.changed.emit(Settings(mode="base"))
    assert keeper.close(5)
    QApplication.processEvents()
    (sentence,) = told
    assert "could not be opened: Is a directory" in sentence


def test_a_disk_that_hangs_neither_holds_up_the_end_nor_brings_older_settings_back(
    qtbot: QtBot, path: Path, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, writing = threading.Event(), threading.Event()

    def save(settings: Settings, to: Path) -> None:
        writing.set()
        assert disk.wait(20)
        save_settings(settings, to)

    monkeypatch.setattr(settings_keeper, "save_settings", save)
    keeper, changes, _ = keep(quiet_ms=1)
    changes.changed.emit(Settings(mode="tiny"))
    qtbot.waitUntil(writing.is_set)
    changes.changed.emit(Settings(mode="base"))
    assert not keeper.close(0.01)
    disk.set()
    assert keeper.close(5)
    assert load_settings(path) == Settings(mode="base")


# --- the program asked to end ------------------------------------------------------------------------

_PROGRAM = """
import functools, json, os, sys, time
from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from rtocr_gui.ui import app
from rtocr_gui.ui.background.lanes import Lane
from tests.fake_engine import FakeEngine

class Prepared(app.Program):
    def start(self, files):
        super().start(files)
        self.bridge.document_opened.connect(self.work)
        self.session.choices.remember(read_pasted=False)
        if sys.argv[2] in ("rotating", "restoring"):
            self.session.page_image_changed.connect(self.type if sys.argv[2] == "rotating" else self.restore)
        else:
            self.window.arrivals.picture_came.emit(QImage(90, 90, QImage.Format.Format_RGB32))

    def work(self, opened):
        if opened.path.name != "Pasted image 1.png":
            return
        self.session.choices.remember(mode="base")
        if sys.argv[2] == "hanging":
            print("ready", flush=True)
            while True:
                time.sleep(0.01)
        if sys.argv[2] == "rendering":
            os.unlink = self.refuse
        if sys.argv[2] == "closing":
            self.bridge.close = lambda *_: print("closing", flush=True) or time.sleep(60)
        if sys.argv[2] == "failing":
            QTimer.singleShot(0, self.fail)
            return
        if sys.argv[2] in ("typing", "closing"):
            self.session.page_image_changed.connect(self.type)
            return
        if sys.argv[2] == "reading":
            self.session.read_all()
            return
        if sys.argv[2] == "asking":
            QTimer.singleShot(0, lambda: print("ready", flush=True))
            self.window.dialogs.tell_about_program()
        print("ready", flush=True)

    def refuse(self, path, **_):
        raise OSError(f"{path} is in use")

    def fail(self):
        QTimer.singleShot(0, self.tell)
        lane = Lane("failing")
        lane.submit(functools.partial(int, "no number"))
        lane.finish(20)
        raise LookupError("nobody foresaw this")

    def tell(self):
        print(json.dumps([notice.sentence for notice in self.window.notice_bar.notices]), flush=True)

    def type(self, _):
        self.session.page_image_changed.disconnect(self.type)
        if sys.argv[2] == "rotating":
            self.session.shelf.split(self.session.shelf.selected, beside=True)
            self.session.shelf.rotate(90)
        self.session.edit_text("what I typed")
        print("ready", flush=True)

    def restore(self, _):
        self.session.page_image_changed.disconnect(self.restore)
        self.session.notice_raised.connect(self.tell_restored)
        bar = self.window.notice_bar
        (offer,) = (offer for notice in bar.notices for offer in notice.offers if offer.label == "Restore")
        bar.offer_taken.emit(offer)

    def tell_restored(self, _):
        told = self.session.page_name, self.session.current_text, self.session.shelf.current.rotation_deg
        print(json.dumps(told), flush=True)

app.make_engine = FakeEngine
app.Program = Prepared
if sys.argv[2] in ("reading", "rotating"):
    app.UnsavedTextKeeper = functools.partial(app.UnsavedTextKeeper, delay_ms=1)
sys.exit(app.main(sys.argv[1:2]))
"""


DOINGS = ("typing", "reading", "waiting", "asking", "rendering", "closing", "hanging", "failing")


@dataclass(frozen=True)
class Running:
    """A program that was started, in folders of its own."""

    process: "subprocess.Popen[str]"
    temporary: Path
    settings: Path

    def tells(self, word: str) -> bool:
        return self.process.stdout is not None and self.process.stdout.readline() == f"{word}\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """A program for each of the things it can be busy with, all of them under way."""
    with ExitStack() as running:
        yield {
            doing: running.enter_context(started(doing, tmp_path_factory.mktemp(doing))) for doing in DOINGS
        }


@contextmanager
def started(doing: str, folder: Path) -> Iterator[Running]:
    temporary, settings = folder / "temporary", folder / "settings"
    temporary.mkdir(exist_ok=True)
    settings.mkdir(exist_ok=True)
    (settings / "unsaved-left.md").write_text("typed before")
    if doing == "failing":
        (settings / "Unsaved text, settled.md").touch()
        save_settings(Settings(settled_texts=("Unsaved text, settled.md",)), settings / "settings.json")
    Image.new("RGB", (40, 50), "white").save(folder / "scan.png")
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(folder / "scan.png"), doing],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary), "RTOCR_CONFIG_DIR": str(settings)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process, temporary, settings)
        finally:
            process.kill()  # where a test went wrong


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize(
    ("name", "doing"), [("SIGHUP", "typing"), ("SIGINT", "waiting"), ("SIGTERM", "asking")]
)
def test_a_program_that_is_asked_to_end_remembers_and_cleans_up(
    programs: dict[str, Running], name: str, doing: str
) -> None:
    program, number = programs[doing], getattr(signal, name)
    assert program.tells("ready")
    assert list(program.temporary.rglob("*.png"))
    program.process.send_signal(number)
    assert program.process.wait(20) == 128 + number
    remembered = json.loads((program.settings / "settings.json").read_bytes())
    assert remembered["mode"] == "base"
    assert all(remembered[name] for name in ("window_geometry", "window_state", "column_state"))
    assert not list(program.temporary.iterdir())
    left = take_left_behind(program.settings)
    assert [page.text for each in left for page in each.pages] == ["what I typed"] * (doing == "typing")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
def test_a_pasted_picture_that_is_in_use_does_not_spoil_the_end(programs: dict[str, Running]) -> None:
    program = programs["rendering"]
    assert program.tells("ready")
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(20) == 128 + signal.SIGTERM


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
def test_a_second_signal_while_the_program_ends_costs_no_text(programs: dict[str, Running]) -> None:
    program = programs["closing"]
    for word in ("ready", "closing"):
        assert program.tells(word)
        program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(20) == -signal.SIGTERM
    left = take_left_behind(program.settings)
    assert [page.text for each in left for page in each.pages] == ["what I typed"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
def test_a_second_signal_ends_a_program_that_hangs(programs: dict[str, Running]) -> None:
    program = programs["hanging"]
    assert program.tells("ready")
    while program.process.poll() is None:  # one may come before the other was taken note of
        program.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            program.process.wait(0.1)
    assert program.process.returncode == -signal.SIGTERM


def test_what_was_read_outlives_a_program_that_is_killed(qtbot: QtBot, programs: dict[str, Running]) -> None:
    program = programs["reading"]

    def kept() -> list[str]:
        return [path.read_text() for path in program.settings.glob("unsaved-????????.md")]

    qtbot.waitUntil(lambda: "page 1 of Pasted image 1.png" in "".join(kept()), timeout=20_000)
    program.process.kill()
    program.process.wait(20)
    left = take_left_behind(program.settings)
    assert "page 1 of scan.png at " in "".join(each.path.read_text() for each in left)


def test_what_was_typed_into_a_rotated_half_when_the_program_was_killed_is_restored_by_the_next(
    qtbot: QtBot, tmp_path: Path
) -> None:
    with started("rotating", tmp_path) as killed:
        assert killed.tells("ready")
        qtbot.waitUntil(lambda: bool(list(killed.settings.glob("unsaved-????????.md"))), timeout=20_000)
        killed.process.kill()
        killed.process.wait(20)
    with started("restoring", tmp_path) as program:
        assert program.process.stdout is not None
        assert json.loads(program.process.stdout.readline()) == ["scan.png, top half", "what I typed", 90]
        assert "what I typed" in "".join(map(Path.read_text, program.settings.glob("Unsaved text*.md")))


def test_text_that_was_left_behind_and_an_unforeseen_error_are_told(programs: dict[str, Running]) -> None:
    program = programs["failing"]
    assert program.process.stdout is not None
    unforeseen, left = json.loads(program.process.stdout.readline())
    path, settled = sorted(program.settings.glob("Unsaved text*.md"))
    assert settled.name == "Unsaved text, settled.md"
    assert left.startswith("RTOCR has ended unexpectedly.")
    assert str(path) in left
    assert path.read_text() == "typed before"
    assert unforeseen.startswith("An unexpected error occurred (LookupError). Details are in the log")
    log = (program.settings / "rtocr.log").read_text()
    assert "nobody foresaw this" in log
    assert "invalid literal for int" in log


def test_a_long_log_is_begun_anew_and_the_one_before_is_kept(tmp_path: Path) -> None:
    (tmp_path / "rtocr.log").write_bytes(b"x" * app.LOG_BYTES)
    say = (
        "import logging, sys; from pathlib import Path; from rtocr_gui.ui import app;"
        "app._start_log(Path(sys.argv[1], 'rtocr.log')); logging.warning('news')"
    )
    subprocess.run([sys.executable, "-c", say, tmp_path], cwd=ROOT, stderr=subprocess.DEVNULL, check=True)
    assert (tmp_path / "rtocr.log").read_text().endswith("WARNING root: news\n")
    assert (tmp_path / "rtocr.log.1").stat().st_size == app.LOG_BYTES


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
def test_a_log_on_a_full_disk_is_no_reason_for_tracebacks() -> None:
    say = (
        "import logging; from pathlib import Path; from rtocr_gui.ui import app;"
        "app._start_log(Path('/dev/full')); logging.warning('news')"
    )
    told = subprocess.run([sys.executable, "-c", say], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.partition(" WARNING ")[2] for line in told.stderr.splitlines()] == ["root: news"]


@pytest.mark.parametrize("settings", [Settings(retention=0.5)])
def test_a_ratio_that_was_set_for_other_pages_is_told_at_the_start_and_left_at_a_press(
    program: app.Program,
) -> None:
    program.start([])
    (notice,) = program.window.notice_bar.notices
    assert program.window.page_list.isAncestorOf(program.window.focusWidget())
    assert (
        notice.sentence == "Pages are read with 50 % of their visual tokens, the retention you set last time."
    )
    program.window.notice_bar.offer_taken.emit(notice.offers[0])
    assert program.session.choices.settings.retention is None
    assert program.window.retention_bar._retention is None
