"""Turning a page: the picture turns, what a person typed stays, and a file opened again is the same page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef, rotate
from rtocr_gui.ui.main_window import MainWindow
from rtocr_gui.ui.open_documents import OpenDocuments
from rtocr_gui.ui.page_model import PageState
from rtocr_gui.ui.session import Session
from rtocr_gui.ui.shown import PageStatus
from tests.fake_engine import FakeEngine
from tests.ui.steps import open_and_load

Draw = Callable[..., Path]

RED, WHITE = (255, 0, 0), (255, 255, 255)


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """A page of 300 x 200 pixels with a red upper left corner."""
    image = Image.new("RGB", (300, 200), WHITE)
    image.paste(RED, (0, 0, 60, 40))
    path = tmp_path / "marked.png"
    image.save(path)
    return path


def rotate_and_see(qtbot: QtBot, session: Session, degrees: int) -> QImage:
    with qtbot.waitSignal(session.page_image_changed) as shown:
        session.rotate_current(degrees)
    return shown.args[0]


def corners(image: QImage) -> list[bool]:
    """Which corners are red: upper left, upper right, lower right, lower left."""
    right, bottom = image.width() - 5, image.height() - 5
    places = ((5, 5), (right, 5), (right, bottom), (5, bottom))
    return [image.pixelColor(*place) == QColor(*RED) for place in places]


def test_a_page_turns_clockwise_quarter_by_quarter_and_comes_round(
    qtbot: QtBot, session: Session, marked: Path
) -> None:
    open_and_load(qtbot, session, marked)
    seen = [rotate_and_see(qtbot, session, 90) for _ in range(4)]
    assert [(image.width(), image.height()) for image in seen] == [(200, 300), (300, 200)] * 2
    assert [corners(image).index(True) for image in seen] == [1, 2, 3, 0]
    assert session.current == session.current.unrotated


def test_left_undoes_right(qtbot: QtBot, window: MainWindow, session: Session, marked: Path) -> None:
    open_and_load(qtbot, session, marked)
    ref = session.current
    for name, expected in (("rotate_right", ref.rotated(90)), ("rotate_left", ref)):
        with qtbot.waitSignal(session.page_image_changed):
            window.actions_by_name[name].trigger()
        assert session.current == expected


def test_a_turned_page_is_what_the_model_gets_and_what_the_list_shows(marked: Path) -> None:
    documents = OpenDocuments()
    (ref,) = documents.open(marked, None)
    upright, turned = documents.page(ref, 200), documents.page(ref.rotated(270), 200)
    small = documents.thumbnail(ref.rotated(270))
    documents.close_all()
    assert turned.ref == ref.rotated(270)
    assert turned.image.getpixel((5, 295)) == RED
    assert not ImageChops.difference(rotate(turned.image, 90), upright.image).getbbox()
    assert small.height > small.width


def test_a_turned_page_keeps_its_place_and_what_was_typed(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtocr_gui.ui.questions.agrees", lambda *_: True)
    open_and_load(qtbot, session, draw_page(pages=3))
    session.select_page(session.refs[1])
    session.edit_text("mine")
    states: list[PageStatus] = []
    session.page_status_changed.connect(states.append)
    rotate_and_see(qtbot, session, 90)
    assert [ref.index for ref in session.refs] == [0, 1, 2]
    assert session.current == session.refs[1]
    assert window.page_list.selected_key == session.current
    assert session.current_text == "mine"
    assert session.unexported_edits == 1
    assert states == [PageStatus(session.current, PageState.EDITED, "")]


def test_a_turned_page_is_read_anew_and_its_figures_are_not_those_from_before(
    qtbot: QtBot, session: Session, draw_page: Draw, fake_engine: FakeEngine
) -> None:
    open_and_load(qtbot, session, draw_page())
    records: list[object] = []
    session.reading_changed.connect(records.append)
    for _ in range(2):
        with qtbot.waitSignal(session.reading_changed, check_params_cb=lambda record: record is not None):
            session.read_current()
        assert session.current_text == "page 1 of scan.png at 0.76"
        rotate_and_see(qtbot, session, 90)
        assert records[-1] is None
        assert session.current_text == "page 1 of scan.png at 0.76"
    assert len(fake_engine.asked) == 2


def test_turning_a_page_that_is_being_read_stops_that_and_gives_its_text_back(
    qtbot: QtBot, session: Session, draw_page: Draw, fake_engine: FakeEngine
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    fake_engine.gate.clear()
    with qtbot.waitSignal(session.text_appended):
        session.read_replacing((session.current,))
    rotate_and_see(qtbot, session, 180)
    assert session.current_text == "mine"
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: not session.activity.reading)
    assert session.current_text == "mine"


def test_a_file_that_is_opened_again_shows_its_page_as_it_was_turned(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    path = draw_page(pages=2)
    open_and_load(qtbot, session, path)
    session.edit_text("mine")
    rotate_and_see(qtbot, session, 90)
    turned = session.refs
    session.select_page(session.refs[1])
    with qtbot.waitSignal(session.page_selected):
        session.open_files([path])
    assert session.refs == turned
    assert session.current == turned[0]
    assert session.current_text == "mine"


def test_a_page_cannot_be_turned_by_half_a_quarter(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="45"):
        PageRef(tmp_path, 0, "").rotated(45)


def test_nothing_is_turned_where_no_page_is_shown(window: MainWindow, session: Session) -> None:
    session.rotate_current(90)
    assert session.refs == ()
    assert not window.actions_by_name["rotate_right"].isEnabled()
