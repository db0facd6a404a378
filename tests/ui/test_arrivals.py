"""Files and pictures reach the window from wherever they are dropped, and from the clipboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.arrivals import Arrivals

SAVED = Path("/tmp/Pasted image 1.png")


@pytest.fixture
def arrivals(qapp: QApplication) -> Iterator[Arrivals]:
    yield Arrivals(lambda image: None if image.isNull() else SAVED)
    QGuiApplication.clipboard().clear()


def dropped(arrivals: Arrivals, data: QMimeData) -> bool:
    """Drop data and tell whether it was taken."""
    copy, left, no_key = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(QPoint(9, 9), copy, data, left, no_key)
    enter.ignore()
    arrivals.offer(enter)
    if enter.isAccepted():
        arrivals.take(QDropEvent(QPointF(9, 9), copy, data, left, no_key))
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


def test_a_dropped_picture_is_made_a_file(qtbot: QtBot, arrivals: Arrivals) -> None:
    data = QMimeData()
    data.setImageData(picture())
    with qtbot.waitSignal(arrivals.files_came) as caught:
        assert dropped(arrivals, data)
    assert caught.args == [[SAVED]]


def test_what_is_no_page_is_not_taken(arrivals: Arrivals) -> None:
    data = QMimeData()
    data.setText("words")
    data.setUrls([QUrl("https://example.org/x.png")])
    assert not dropped(arrivals, data)


def test_a_copied_picture_is_made_a_file(qtbot: QtBot, arrivals: Arrivals) -> None:
    QGuiApplication.clipboard().setImage(picture())
    with qtbot.waitSignal(arrivals.files_came) as caught:
        arrivals.paste()
    assert caught.args == [[SAVED]]


def test_pasting_words_is_told(qtbot: QtBot, arrivals: Arrivals) -> None:
    QGuiApplication.clipboard().setText("words")
    with qtbot.waitSignal(arrivals.nothing_came) as caught:
        arrivals.paste()
    assert caught.args == ["There is no image and no file to paste."]
