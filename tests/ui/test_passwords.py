"""Encrypted files: passwords are asked for one after the other, once, and tried on all files that wait."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.notices import Offer
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity, PasswordQuestion
from rtocr_gui.ui.window.main_window import MainWindow
from tests.broken_files import PASSWORD, encrypted_pdf
from tests.ui.steps import Draw, open_and_load, sentences_in, wait_until_idle


def test_an_encrypted_file_asks_for_its_password(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[PasswordQuestion] = []
    monkeypatch.setattr(questions, "ask_password", lambda _, question: asked.append(question) or "")
    question = PasswordQuestion(tmp_path / "secret.pdf", "It is encrypted.")
    session.opener.password_needed.emit(question)
    assert asked == [question]
    assert sentences_in(window.notice_bar) == ("secret.pdf: not opened. It is encrypted.",)


@pytest.mark.parametrize("by_offer", [True, False])
def test_a_password_that_was_not_given_can_be_given_later(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    by_offer: bool,
) -> None:
    scan = tmp_path / "a.pdf"
    scan.write_bytes(encrypted_pdf())
    answers = iter(["", PASSWORD])
    monkeypatch.setattr(questions, "ask_password", lambda *_: next(answers))
    session.open_files([scan])
    qtbot.waitUntil(lambda: bool(sentences_in(window.notice_bar)))
    assert session.shelf.refs == ()
    if by_offer:
        buttons = window.notice_bar.findChildren(QPushButton)
        next(button for button in buttons if button.isVisible()).click()
    else:
        session.open_files([scan])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 1)
    assert sentences_in(window.notice_bar) == ()


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
            session.opener.password_needed.emit(PasswordQuestion(tmp_path / "b.pdf", "It is encrypted."))
        open_dialogs.pop()
        return ""

    monkeypatch.setattr(questions, "ask_password", ask)
    session.opener.password_needed.emit(PasswordQuestion(tmp_path / "a.pdf", "It is encrypted."))
    assert asked == ["a.pdf", "b.pdf"]


def test_a_password_is_tried_on_the_other_files_that_wait_and_those_of_another_one_are_asked_for(
    qtbot: QtBot, window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passwords = {"a.pdf": "summer", "b.pdf": "winter", "c.pdf": "summer", "d.pdf": "summer"}
    for name, password in passwords.items():
        (tmp_path / name).write_bytes(encrypted_pdf(password))
    asked: list[PasswordQuestion] = []
    others: list[PasswordQuestion] = []  # than the first, during which they come
    session.opener.password_needed.connect(others.append)

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
        qtbot.waitUntil(lambda: session.opener.files_left == 1)
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


@pytest.mark.parametrize("is_given", [True, False])
def test_read_all_waits_for_a_password_until_it_is_given_or_not(
    qtbot: QtBot, session: Session, tmp_path: Path, draw_page: Draw, is_given: bool
) -> None:
    locked = tmp_path / "locked.pdf"
    locked.write_bytes(encrypted_pdf())
    open_and_load(qtbot, session, draw_page())
    with qtbot.waitSignal(session.opener.password_needed):
        session.open_files([locked])
        session.read_all()
    qtbot.waitUntil(lambda: session.reader.activity == Activity(page=1, page_count=1, awaits_files=True))
    if is_given:
        session.opener.unlock(locked, PASSWORD)
        qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    else:
        session.opener.leave_locked(locked)
    wait_until_idle(qtbot, session)
    assert all(session.unsaved.loss([ref]).read for ref in session.shelf.refs)
    assert session.opener.files_left == 0


def test_of_an_encrypted_file_come_back_the_pages_that_were_removed_and_no_others(
    qtbot: QtBot, session: Session, tmp_path: Path, offers: list[Offer]
) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf(pages=3))
    asked: list[Path] = []
    session.opener.password_needed.connect(lambda question: asked.append(question.path))
    session.opener.password_needed.connect(lambda question: session.opener.unlock(question.path, PASSWORD))
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    first, second, third = session.shelf.refs
    session.shelf.select(second)
    session.edit_text("mine")
    session.shelf.remove((first, third))
    session.shelf.remove((second,))
    session.take_offer(offers[0])
    qtbot.waitUntil(lambda: len(asked) == 2)
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.rotate(90)
    session.shelf.rotate(270)
    assert asked == [path, path]
    assert session.shelf.refs == (second,)
    session.open_files([path])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)


def test_an_encrypted_file_whose_password_was_not_given_for_a_page_that_came_back_is_opened_whole_later(
    qtbot: QtBot, session: Session, tmp_path: Path, offers: list[Offer]
) -> None:
    def open_with_password() -> None:
        with qtbot.waitSignal(session.page_image_changed):
            session.opener.unlock(path, PASSWORD)

    def until_asked(ask: Callable[[], None]) -> None:
        with qtbot.waitSignal(session.opener.password_needed):
            ask()

    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf(pages=2))
    until_asked(lambda: session.open_files([path]))
    open_with_password()
    session.edit_text("mine")
    session.shelf.remove(session.shelf.refs)
    until_asked(lambda: session.take_offer(offers[0]))
    assert len(session.shelf.refs) == 2
    session.shelf.remove(session.shelf.refs[1:])
    until_asked(lambda: session.open_files([path]))
    session.opener.unlock(path, PASSWORD)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)


def test_an_encrypted_page_that_came_back_is_shown_once_its_password_is_given(
    qtbot: QtBot, session: Session, bridge: EngineBridge, tmp_path: Path, offers: list[Offer]
) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf(pages=2))
    with qtbot.waitSignal(session.opener.password_needed):
        session.open_files([path])
    with qtbot.waitSignal(session.page_image_changed):
        session.opener.unlock(path, PASSWORD)
    session.edit_text("mine")
    session.shelf.remove(session.shelf.refs)
    qtbot.waitUntil(lambda: not bridge._documents._documents)  # until it is closed, its pages can be shown
    with qtbot.waitSignals([session.opener.password_needed, session.shelf.page_failed]):
        session.take_offer(offers[0])
    with qtbot.waitSignals([session.page_image_changed, session.shelf.pages_changed]):
        session.opener.unlock(path, PASSWORD)
