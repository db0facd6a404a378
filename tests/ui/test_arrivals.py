"""Files and pictures reach the window from wherever they are dropped, and from the clipboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QClipboard,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
)
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
)
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.parts.arrivals import Arrivals
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.ui.steps import (
    Draw,
    editor_of,
    open_and_load,
    sentences_in,
)


@pytest.fixture
def clipboard(qapp: QApplication) -> Iterator[QClipboard]:
    yield QGuiApplication.clipboard()
    QGuiApplication.clipboard().clear()


@pytest.fixture
def arrivals(clipboard: QClipboard) -> Arrivals:
    return Arrivals()


def dropped(
    arrivals: Arrivals, data: QMimeData, key: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> bool:
    """Drop data and tell whether a copy of it was taken."""
    actions, left = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(9, 9), actions, data, left, key)
    enter.ignore()
    arrivals.offer(enter)
    if enter.isAccepted():
        drop = QDropEvent(QPointF(9, 9), actions, data, left, key)
        arrivals.take(drop)
        assert drop.dropAction() is enter.dropAction() is Qt.DropAction.CopyAction
    return enter.isAccepted()


def picture() -> QImage:
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    return image


def test_dropped_files_are_told_as_paths(qtbot: QtBot, arrivals: Arrivals, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "scan 1.png")), QUrl("https://example.org/x.png")])
    with qtbot.waitSignal(arrivals.files_came) as caught:
        assert dropped(arrivals, data)
    assert caught.args == [[tmp_path / "scan 1.png"]]


def test_files_that_are_dropped_with_shift_stay_where_they_are(
    qtbot: QtBot, arrivals: Arrivals, tmp_path: Path
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "scan.png"))])
    with qtbot.waitSignal(arrivals.files_came):
        assert dropped(arrivals, data, Qt.KeyboardModifier.ShiftModifier)


def test_a_dropped_picture_is_told(qtbot: QtBot, arrivals: Arrivals) -> None:
    data = QMimeData()
    data.setImageData(picture())
    with qtbot.waitSignal(arrivals.picture_came) as caught:
        assert dropped(arrivals, data)
    assert caught.args == [picture()]


def test_what_is_no_page_is_not_taken(arrivals: Arrivals) -> None:
    data = QMimeData()
    data.setText("words")
    data.setUrls([QUrl("https://example.org/x.png")])
    assert not dropped(arrivals, data)


def test_a_copied_picture_is_told(qtbot: QtBot, arrivals: Arrivals, clipboard: QClipboard) -> None:
    clipboard.setImage(picture())
    with qtbot.waitSignal(arrivals.picture_came) as caught:
        arrivals.paste()
    assert caught.args == [picture()]


def test_pasting_words_is_told(qtbot: QtBot, arrivals: Arrivals, clipboard: QClipboard) -> None:
    clipboard.setText("words")
    with qtbot.waitSignal(arrivals.nothing_came) as caught:
        arrivals.paste()
    assert caught.args == ["There is no image and no file to paste."]


def test_copied_files_are_opened_by_paste(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(draw_page()))])
    QGuiApplication.clipboard().setMimeData(data)
    window.actions_by_name["paste"].trigger()
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 1)


def test_copied_files_and_pictures_go_to_the_window_also_while_the_person_types(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    files, picture, words = QMimeData(), QMimeData(), QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(draw_page("other.png")))])
    files.setText(files.urls()[0].toString())
    picture.setImageData(QImage(8, 8, QImage.Format.Format_RGB32))
    words.setText("words")
    pasted: list[object] = []
    window.actions_by_name["paste"].triggered.connect(lambda: pasted.append(copied))
    editor = editor_of(window)
    window.activateWindow()
    editor.setFocus()
    for copied in (files, picture, words):
        QGuiApplication.clipboard().setMimeData(copied)
        qtbot.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    QGuiApplication.clipboard().clear()
    qtbot.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert pasted == [files, picture, words]
    assert editor.toPlainText() == "words"
    assert sentences_in(window.notice_bar)[-1] == "There is no image and no file to paste."
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)


def test_a_copied_picture_goes_to_the_window_also_from_the_find_line(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    window.activateWindow()
    window.text_column.begin_find()
    line = window.text_column.find_bar.findChild(QLineEdit)
    words = QMimeData()
    words.setText("words")
    QGuiApplication.clipboard().setMimeData(words)
    qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    QGuiApplication.clipboard().setImage(QImage(8, 8, QImage.Format.Format_RGB32))
    with qtbot.waitSignal(window.arrivals.picture_came):
        qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert line.text() == "words"


def test_pasting_nothing_is_told(window: MainWindow) -> None:
    QGuiApplication.clipboard().clear()
    window.actions_by_name["paste"].trigger()
    assert sentences_in(window.notice_bar) == ("There is no image and no file to paste.",)


def test_files_dropped_on_a_pane_are_opened(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(draw_page("a.png"))), QUrl.fromLocalFile(str(draw_page("b.png")))])
    copy, left, no_key = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    place = window.page_column.page_view.viewport()
    QApplication.sendEvent(place, QDragEnterEvent(QPoint(5, 5), copy, data, left, no_key))
    QApplication.sendEvent(place, QDropEvent(QPoint(5, 5), copy, data, left, no_key))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
