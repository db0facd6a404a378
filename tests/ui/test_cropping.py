"""Cropping pages in the window: the frame that is drawn, what is listed then, and the way back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QRubberBand
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import Crop
from rtocr_gui.ocr.reading import Block
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.page.crop_frame import HINT
from rtocr_gui.ui.page.page_view import PageView
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.made_plans import make_plan
from tests.ui.steps import (
    Draw,
    emissions,
    export_text,
    in_sight,
    open_and_load,
    read_selected,
    tooltip_at,
)

LEFT = Qt.MouseButton.LeftButton
PAGE = QSize(400, 500)
UPPER_HALF = Crop(0, 0, 1, 0.5)


@pytest.fixture
def view(qtbot: QtBot) -> PageView:
    made = in_sight(qtbot, PageView(), 600, 700)
    page = QImage(PAGE, QImage.Format.Format_RGB32)
    page.fill(QColor("white"))
    made.show_page(page)
    return made


def place(view: PageView, x: int, y: int) -> QPoint:
    """Viewport position of a page pixel, at a display scale of 1."""
    return (view.content_rect().topLeft().toPointF() + QPoint(x, y).toPointF() * view.zoom).toPoint()


def draw_frame(view: PageView, begin: tuple[int, int], end: tuple[int, int]) -> None:
    """Draw a frame from one page pixel to another."""
    QTest.mousePress(view.viewport(), LEFT, pos=place(view, *begin))
    QTest.mouseMove(view.viewport(), place(view, *end))
    QTest.mouseRelease(view.viewport(), LEFT, pos=place(view, *end))


def edges(crop: Crop) -> tuple[float, ...]:
    return (
        crop.left * PAGE.width(),
        crop.top * PAGE.height(),
        crop.right * PAGE.width(),
        crop.bottom * PAGE.height(),
    )


@pytest.mark.parametrize(
    ("begin", "end"), [((100, 50), (300, 250)), ((300, 250), (100, 50)), ((100, 250), (300, 50))]
)
@pytest.mark.parametrize("zoom", [PageView.fit_page, PageView.actual_size, PageView.fit_width])
def test_what_the_frame_surrounds_is_kept(
    view: PageView, begin: tuple[int, int], end: tuple[int, int], zoom: Callable[[PageView], None]
) -> None:
    zoom(view)
    drawn, changes = emissions(view.crop_drawn), emissions(view.cropping_changed)
    view.set_cropping(True)
    draw_frame(view, begin, end)
    assert len(drawn) == 1
    assert edges(drawn[0]) == pytest.approx((100, 50, 300, 250), abs=2)
    assert changes == [True, False]


def test_the_frame_is_seen_while_it_is_drawn_and_the_hint_before(view: PageView) -> None:
    band = view.findChild(QRubberBand)
    hint = next(label for label in view.findChildren(QLabel) if label.text() == HINT)
    assert (band.isVisible(), hint.isVisible()) == (False, False)
    view.set_cropping(True)
    assert hint.isVisible()
    assert view.viewport().rect().contains(hint.geometry())
    assert view.viewport().cursor().shape() is Qt.CursorShape.CrossCursor
    QTest.mousePress(view.viewport(), LEFT, pos=place(view, 100, 50))
    QTest.mouseMove(view.viewport(), place(view, 300, 250))
    assert (band.isVisible(), hint.isVisible()) == (True, False)
    corners = band.geometry().topLeft(), band.geometry().bottomRight() + QPoint(1, 1)
    assert corners == (place(view, 100, 50), place(view, 300, 250))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert (band.isVisible(), hint.isVisible()) == (False, False)
    assert view.viewport().cursor().shape() is not Qt.CursorShape.CrossCursor


def test_a_narrow_view_has_room_for_the_hint(view: PageView) -> None:
    view.set_cropping(True)
    view.resize(260, 400)
    hint = next(label for label in view.findChildren(QLabel) if label.text() == HINT)
    assert view.viewport().rect().contains(hint.geometry())
    assert hint.height() >= hint.heightForWidth(hint.width())


def test_a_frame_beyond_the_page_ends_at_its_edge(view: PageView) -> None:
    drawn = emissions(view.crop_drawn)
    view.set_cropping(True)
    draw_frame(view, (200, 250), (500, 600))
    assert edges(drawn[0]) == pytest.approx((200, 250, 400, 500), abs=2)


def test_a_click_or_a_frame_beside_the_page_crops_nothing(view: PageView) -> None:
    drawn = emissions(view.crop_drawn)
    view.set_cropping(True)
    QTest.mouseClick(view.viewport(), LEFT, pos=place(view, 200, 250))
    draw_frame(view, (200, 250), (202, 400))
    assert view.viewport().cursor().shape() is Qt.CursorShape.CrossCursor, "the frame can be drawn again"
    draw_frame(view, (-20, -20), (-2, 600))
    draw_frame(view, (-20, -20), (420, 520))
    assert drawn == []
    assert view.viewport().cursor().shape() is Qt.CursorShape.CrossCursor


def test_a_frame_begins_where_it_was_begun_on_the_page_also_after_the_page_was_moved(view: PageView) -> None:
    drawn = emissions(view.crop_drawn)
    view.set_cropping(True)
    QTest.mousePress(view.viewport(), LEFT, pos=place(view, 100, 50))
    QTest.mouseMove(view.viewport(), place(view, 200, 150))
    view.zoom_in()
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    QTest.mouseMove(view.viewport(), place(view, 300, 250))
    QTest.mouseRelease(view.viewport(), LEFT, pos=place(view, 300, 250))
    assert edges(drawn[0]) == pytest.approx((100, 50, 300, 250), abs=2)


def test_cells_tell_nothing_of_themselves_while_a_frame_can_be_drawn(view: PageView) -> None:
    view.show_plan(make_plan(page_size_px=(PAGE.width(), PAGE.height())))
    view.show_blocks([Block("text", ((0, 0, 999, 999),), 0, 1)])
    hovered, spot = emissions(view.block_hovered), place(view, 200, 250)
    view.set_cropping(True)
    QTest.mouseMove(view.viewport(), spot)
    assert (tooltip_at(view, spot), hovered) == ("", [])
    view.set_cropping(False)
    QTest.mouseMove(view.viewport(), place(view, 210, 260))
    assert (tooltip_at(view, spot)[:4], hovered) == ("Kept", [0])
    view.set_cropping(True)
    assert hovered == [0, None]


def test_the_mouse_draws_no_frame_once_cropping_has_ended(view: PageView) -> None:
    drawn = emissions(view.crop_drawn)
    view.set_cropping(True)
    view.set_cropping(False)
    draw_frame(view, (100, 50), (300, 250))
    assert not drawn
    assert not view.findChild(QRubberBand).isVisible()
    assert all(label.isHidden() for label in view.findChildren(QLabel) if label.text() == HINT)


def test_enter_keeps_what_is_in_view(view: PageView) -> None:
    drawn, changes = emissions(view.crop_drawn), emissions(view.cropping_changed)
    view.set_cropping(True)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert (drawn, changes) == ([], [True]), "all of the page is in view"
    view.fit_width()
    view.zoom_in()
    QTest.keyClick(view, Qt.Key.Key_Return)
    left, top, right, bottom = edges(drawn[0])
    seen = view.view_rect().size().toSizeF() / view.zoom
    assert (right - left, bottom - top) == pytest.approx((seen.width(), seen.height()), abs=2)


def test_nothing_is_cropped_without_a_page_and_another_page_ends_it(view: PageView) -> None:
    changes = emissions(view.cropping_changed)
    view.set_cropping(True)
    view.show_message("Gone")
    view.set_cropping(True)
    assert changes == [True, False, False]


def draw_upper_half(window: MainWindow) -> None:
    action = window.actions_by_name["crop"]
    action.trigger()
    draw_frame(window.page_column.page_view, (-10, -10), (410, 250))
    assert not action.isChecked()


def test_a_page_is_cropped_in_its_place_read_exported_and_made_whole_again(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    fake_engine: FakeEngine,
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3))
    before, uncrop = session.shelf.refs, window.actions_by_name["uncrop"]
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.select(before[1])
    assert not uncrop.isEnabled()
    with qtbot.waitSignal(session.page_image_changed) as shown:
        draw_upper_half(window)
    assert [ref.part for ref in session.shelf.refs] == ["", "cropped", ""]
    assert session.shelf.current == session.shelf.refs[1]
    assert shown.args[0].size().toTuple() == pytest.approx((400, 250), abs=3)
    assert [row.detail for row in session._pages.entries][1] == "Page 2, cropped"
    read_selected(qtbot, session)
    assert len(fake_engine.asked) == 1
    export_text(qtbot, session, tmp_path / "out.md")
    assert "<!-- page: scan.png, page 2, cropped -->" in (tmp_path / "out.md").read_text(encoding="utf-8")
    uncrop.trigger()
    assert session.shelf.refs == before
    assert session.shelf.current == before[1]


@pytest.mark.usefixtures("agreeing")
def test_text_comes_back_with_the_page_or_with_its_part(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("of the page")
    notices = emissions(session.notice_raised)
    session.shelf.crop(session.shelf.refs, UPPER_HALF)
    assert (session.current_text, notices[-1].sentence) == ("", "Cropped scan.png.")
    session.take_offer(notices[-1].offers[0])
    assert (session.current_text, session.shelf.refs[0].part) == ("of the page", "")
    session.shelf.crop(session.shelf.refs, UPPER_HALF)
    session.edit_text("of the part")
    window.actions_by_name["uncrop"].trigger()
    assert notices[-1].sentence == "Uncropped scan.png, cropped."
    session.take_offer(notices[-1].offers[0])
    assert (session.current_text, session.shelf.refs[0].part) == ("of the part", "cropped")


@pytest.mark.usefixtures("agreeing")
def test_a_cropped_page_is_split_and_joined_and_its_halves_are_cropped(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.shelf.crop(session.shelf.refs, UPPER_HALF)
    window.actions_by_name["split_beside"].trigger()
    session.shelf.set_selection(session.shelf.refs[:1])
    session.shelf.crop(session.shelf.selected, UPPER_HALF)
    assert [ref.part for ref in session.shelf.refs] == ["cropped, left half, cropped", "cropped, right half"]
    session.edit_text("left")
    notices = emissions(session.notice_raised)
    assert session.shelf.to_uncrop == session.shelf.refs[:1]
    window.actions_by_name["join"].trigger()
    assert [ref.part for ref in session.shelf.refs] == ["cropped"]
    session.take_offer(notices[-1].offers[0])
    assert [ref.part for ref in session.shelf.refs] == ["cropped, left half, cropped", "cropped, right half"]
    assert session.current_text == "left"


def test_typed_text_is_asked_about_before_a_crop(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("typed")
    asked: list[str] = []
    monkeypatch.setattr(questions, "agrees", lambda _window, title, *_: bool(asked.append(title)))
    session.shelf.set_selection(session.shelf.refs)
    window.dialogs.ask_crop(UPPER_HALF)
    assert asked == ["Crop page?"]
    assert (session.current_text, session.shelf.refs[0].cuts) == ("typed", ())


def test_all_selected_pages_are_cropped_alike(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3))
    assert window.actions_by_name["crop"].iconText() == "Crop page"
    session.shelf.set_selection(session.shelf.refs[:2])
    assert window.actions_by_name["crop"].iconText() == "Crop 2 pages"
    window.dialogs.ask_crop(UPPER_HALF)
    assert [ref.part for ref in session.shelf.refs] == ["cropped", "cropped", ""]
    window.actions_by_name["uncrop"].trigger()
    assert [ref.part for ref in session.shelf.refs] == ["", "", ""]


def test_pages_that_left_before_they_are_uncropped_stay_away_and_the_others_are_made_whole(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=2))
    before = session.shelf.refs
    session.shelf.crop(before, UPPER_HALF)
    cropped = session.shelf.refs
    session.shelf.remove(cropped[:1])
    session.shelf.uncrop(cropped)
    assert session.shelf.refs == before[1:]


def test_escape_ends_cropping_and_dismisses_the_notices_only_after_that(view: PageView) -> None:
    def keeps_escape() -> bool:
        asks = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
        asks.ignore()
        QApplication.sendEvent(view, asks)
        return asks.isAccepted()

    view.set_cropping(True)
    assert keeps_escape()
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert not keeps_escape()


def test_halves_that_are_rotated_apart_keep_their_order(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    window.actions_by_name["split_beside"].trigger()
    session.shelf.set_selection(session.shelf.refs[:1])
    session.shelf.rotate(90)
    session.shelf.set_selection(session.shelf.refs)
    session.shelf.rotate(180)
    assert [ref.part for ref in session.shelf.refs] == ["bottom half", "left half"]
