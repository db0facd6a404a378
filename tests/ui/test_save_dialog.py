"""Where and under which name a file is saved: what is suggested, and what becomes of what was typed."""

import errno
import os
from pathlib import Path

import pytest
from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.ui.steps import Draw, open_and_load, read


def test_a_remembered_folder_that_is_out_of_reach_is_not_offered(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bool:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    asked: list[Path] = []
    monkeypatch.setattr(questions, "ask_export_path", lambda *words: asked.append(words[2]))
    session.choices.remember(export_folder="/mnt/share")
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    monkeypatch.setattr(os, "stat", fail)
    window.actions_by_name["export"].trigger()
    monkeypatch.undo()
    assert asked
    assert asked[0].parent != Path("/mnt/share")


def test_an_export_is_never_suggested_beside_a_pasted_page(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested: list[Path] = []
    monkeypatch.setattr(questions, "ask_export_path", lambda _, title, path, kinds: suggested.append(path))
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    session.choices.remember(export_folder="/no/such/folder")
    window.actions_by_name["export"].trigger()
    assert suggested[0].name == "scan.md"
    assert suggested[0].parent not in (session.shelf.current.path.parent, Path("/no/such/folder"))
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _: "/no/such/documents")
    window.actions_by_name["export"].trigger()
    assert suggested[1].parent == Path.home()


@pytest.mark.parametrize(
    ("action", "ending", "begins"),
    [
        ("export_plan", "-plan.json", b"{"),
        ("export_overlay", "-overlay.png", b"\x89PNG"),
        ("export_curve", "-curve.csv", b"retention,"),
    ],
)
def test_what_is_tuned_is_exported_to_the_file_that_was_chosen(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    action: str,
    ending: str,
    begins: bytes,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda _, title, path, kinds: tmp_path / path.name)
    open_and_load(qtbot, session, draw_page())
    session.tuning.read_curve()
    qtbot.waitUntil(lambda: session.tuning.has_curve and not session.tuning.is_reading)
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name[action].trigger()
    assert (tmp_path / f"scan{ending}").read_bytes().startswith(begins)


def test_a_page_is_told_from_others_of_its_file_in_the_suggested_name(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested: list[str] = []
    monkeypatch.setattr(questions, "ask_export_path", lambda _, __, path, ___: suggested.append(path.name))
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.shelf.split(session.shelf.refs[1:], beside=True)
    session.shelf.split(session.shelf.refs[2:], beside=True)
    for ref in session.shelf.refs[:3]:
        session.shelf.select(ref)
        qtbot.waitUntil(lambda: session.tuning.has_plan)
        window.actions_by_name["export_plan"].trigger()
    assert suggested == [
        "two-plan.json",
        "two-page-2-left-plan.json",
        "two-page-2-part-3-of-4-plan.json",
    ]


def test_a_place_where_nothing_could_be_written_is_not_suggested_again(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "none" / "out.json")
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(session.notice_raised) as told:
        window.actions_by_name["export_plan"].trigger()
    assert "was not written" in told.args[0].sentence
    assert session.choices.settings.export_folder == ""


def test_a_save_dialog_gives_a_name_without_a_suffix_the_suggested_one(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def accept(dialog: QFileDialog) -> int:
        dialog.selectFile("mine")
        return QFileDialog.DialogCode.Accepted

    monkeypatch.setattr(QFileDialog, "exec", accept)
    path = questions.ask_export_path(window, "Export curve", tmp_path / "scan-curve.csv", "Table (*.csv)")
    assert path == tmp_path / "mine.csv"


def test_a_save_dialog_takes_quotes_for_no_several_names(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(QFileDialog, "exec", lambda _: QFileDialog.DialogCode.Accepted)
    suggested = tmp_path / 'a 5" disk, "old".md'
    path = questions.ask_export_path(window, "Export Markdown", suggested, "Markdown (*.md)")
    assert path == tmp_path / "a 5' disk, 'old'.md"


@pytest.mark.parametrize("is_there", [False, True])
def test_a_date_at_the_end_of_a_name_is_no_suffix(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_there: bool
) -> None:
    def accept(dialog: QFileDialog) -> int:
        dialog.selectFile("Minutes 12.05.2026")
        return QFileDialog.DialogCode.Accepted

    written = tmp_path / "Minutes 12.05.2026.md"
    if is_there:
        written.touch()
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "exec", accept)
    monkeypatch.setattr(questions, "agrees", lambda _, title, text, verb: asked.append(text))
    path = questions.ask_export_path(window, "Export Markdown", tmp_path / "scan.md", "Markdown (*.md)")
    assert path == (None if is_there else written)
    assert asked == [f"“{written.name}” already exists. Exporting replaces it."] * is_there


@pytest.mark.parametrize(("kind", "name"), [("JSON (*.json)", "mine.json"), ("All files (*)", "mine.csv")])
def test_a_name_without_a_suffix_gets_that_of_the_kind_that_is_chosen(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, name: str
) -> None:
    def accept(dialog: QFileDialog) -> int:
        dialog.selectFile("mine")
        dialog.filterSelected.emit(kind)
        return QFileDialog.DialogCode.Accepted

    monkeypatch.setattr(QFileDialog, "exec", accept)
    kinds = "Table (*.csv);;JSON (*.json)"
    path = questions.ask_export_path(window, "Export curve", tmp_path / "scan-curve.csv", kinds)
    assert path == tmp_path / name


def test_no_dialog_stays_once_it_is_answered(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for kind in (QMessageBox, QFileDialog):
        monkeypatch.setattr(kind, "exec", lambda _: 0)
    questions.agrees(window, "Replace?", "It is lost.", "Replace")
    questions.ask_leave(window, "Export before closing?", "It is lost.")
    questions.tell_about_program(window)
    questions.ask_export_path(window, "Export curve", tmp_path / "curve.csv", "Table (*.csv)")
    qtbot.waitUntil(lambda: not window.findChildren(QDialog))
