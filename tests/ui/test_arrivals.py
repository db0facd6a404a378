"""Files and pictures reach the window from wherever they are dropped, and from the clipboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QClipboard, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.parts.arrivals import Arrivals


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
