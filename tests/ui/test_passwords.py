"""Encrypted files: passwords are asked for one after the other, once, and tried on all files that wait."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, PasswordQuestion
from rtocr_gui.ui.window.main_window import MainWindow
from tests.broken_files import encrypted_pdf
from tests.ui.steps import sentences_in


def test_an_encrypted_file_asks_for_its_password(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[PasswordQuestion] = []
    monkeypatch.setattr(questions, "ask_password", lambda _, question: asked.append(question) or "")
    question = PasswordQuestion(tmp_path / "secret.pdf", "It is encrypted.")
    session.shelf.password_needed.emit(question)
    assert asked == [question]
    assert sentences_in(window.notice_bar) == ("secret.pdf: not opened. It is encrypted.",)


def test_passwords_are_asked_for_one_after_the_other(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    open_dialogs: list[str] = []
    asked: list[str] = []

    def ask(_: object, question: PasswordQuestion) -> str:
        assert not open_dialogs
        open_dialogs.append(question.path.name)
        asked.append(question.path.name)
        if question.path.name == "a.pdf":
            session.shelf.password_needed.emit(PasswordQuestion(tmp_path / "b.pdf", "It is encrypted."))
        open_dialogs.pop()
        return ""

    monkeypatch.setattr(questions, "ask_password", ask)
    session.shelf.password_needed.emit(PasswordQuestion(tmp_path / "a.pdf", "It is encrypted."))
    assert asked == ["a.pdf", "b.pdf"]


def test_a_password_is_tried_on_the_other_files_that_wait_and_those_of_another_one_are_asked_for(
    qtbot: QtBot, window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passwords = {"a.pdf": "summer", "b.pdf": "winter", "c.pdf": "summer", "d.pdf": "summer"}
    for name, password in passwords.items():
        (tmp_path / name).write_bytes(encrypted_pdf(password))
    asked: list[PasswordQuestion] = []
    others: list[PasswordQuestion] = []  # than the first, during which they come
    session.shelf.password_needed.connect(others.append)

    def ask(_: object, question: PasswordQuestion) -> str:
        asked.append(question)
        qtbot.waitUntil(lambda: len(others) == len(passwords) - 2 + len(asked))
        return passwords[question.path.name]

    monkeypatch.setattr(questions, "ask_password", ask)
    session.open_files([tmp_path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == len(passwords))
    assert [question.path.name for question in asked] == ["a.pdf", "b.pdf"]
    assert asked[0].sentence == asked[1].sentence


def test_an_encrypted_file_that_is_opened_twice_is_asked_for_once_and_a_wrong_password_is_told(
    qtbot: QtBot, window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scan = tmp_path / "a.pdf"
    scan.write_bytes(encrypted_pdf("summer"))
    asked: list[str] = []

    def ask(_: object, question: PasswordQuestion) -> str:
        asked.append(question.sentence)
        qtbot.waitUntil(lambda: session.shelf.files_left == 1)
        return "winter" if len(asked) == 1 else "summer"

    monkeypatch.setattr(questions, "ask_password", ask)
    session.open_files([scan, tmp_path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 1)
    assert [sentence.split(".")[0] for sentence in asked] == ["The PDF is encrypted", "The password is wrong"]


def test_a_file_whose_password_is_not_given_is_awaited_no_longer(
    qtbot: QtBot, window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scan = tmp_path / "a.pdf"
    scan.write_bytes(encrypted_pdf())
    monkeypatch.setattr(questions, "ask_password", lambda *_: "")
    session.open_files([scan])
    session.read_all()
    assert session.reader.activity == Activity(awaits_files=True)
    qtbot.waitUntil(lambda: session.reader.activity == Activity())
    assert window.status_line.findChildren(QLabel)[0].text() == "Ready"
