"""What the page list promises: it names every page and its state, and asks for few thumbnails."""

import sys

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QImage, QTextDocument
from PySide6.QtWidgets import QApplication, QListView
from pytestqt.qtbot import QtBot

from rtocr_gui.ui.parts.icons import icon
from rtocr_gui.ui.state.page_entry import PageEntry, PageState
from rtocr_gui.ui.window.page_delegate import _end_of_line
from rtocr_gui.ui.window.page_list import PageList, _PageListView
from tests.ui.steps import click_row, emissions, in_sight


def entries(count: int, first: int = 0) -> list[PageEntry]:
    return [PageEntry(key, f"scan {key}.png", "Page 1 of 1") for key in range(first, first + count)]


def picture(colour: str) -> QImage:
    image = QImage(60, 80, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


@pytest.fixture
def pages(qtbot: QtBot) -> PageList:
    return in_sight(qtbot, PageList(), 220, 400)


@pytest.fixture
def wanted(pages: PageList) -> list[object]:
    return emissions(pages.thumbnail_requested)


def view(pages: PageList) -> QListView:
    return pages.findChild(QListView)


def summary(pages: PageList, row: int) -> str:
    return view(pages).model().index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)


def test_of_five_hundred_pages_only_those_in_view_ask_for_a_thumbnail(
    qtbot: QtBot, pages: PageList, wanted: list[object]
) -> None:
    pages.set_pages(entries(500))
    qtbot.waitUntil(lambda: bool(wanted))
    assert wanted == list(range(len(wanted)))
    assert len(wanted) < 20


def test_a_change_of_one_page_is_seen_and_lays_out_no_other(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[QListView] = []
    lay_out = QListView.doItemsLayout
    monkeypatch.setattr(
        _PageListView, "doItemsLayout", lambda self: laid_out.append(self) or lay_out(self), raising=False
    )
    pages = in_sight(qtbot, PageList(), 220, 400)
    pages.set_pages(entries(500))
    qtbot.waitUntil(lambda: bool(laid_out))
    before = view(pages).viewport().grab().toImage()
    laid_out.clear()
    pages.set_state(1, PageState.READ, "")
    QApplication.processEvents()
    assert view(pages).viewport().grab().toImage() != before
    assert not laid_out


def test_pages_that_are_scrolled_to_ask_once(qtbot: QtBot, pages: PageList, wanted: list[object]) -> None:
    pages.set_pages(entries(500))
    qtbot.waitUntil(lambda: bool(wanted))
    view(pages).scrollToBottom()
    qtbot.waitUntil(lambda: 499 in wanted)
    view(pages).scrollToTop()
    view(pages).scrollToBottom()
    with qtbot.waitSignal(pages.thumbnail_requested):
        pages.set_pages(entries(501))
        view(pages).scrollToBottom()
    assert len(wanted) == len(set(wanted))
    assert len(wanted) < 40


def test_a_page_whose_thumbnail_failed_asks_again_once_the_list_is_told_anew(
    qtbot: QtBot, pages: PageList, wanted: list[object]
) -> None:
    pages.set_pages(entries(2))
    qtbot.waitUntil(lambda: wanted == [0, 1])
    pages.set_thumbnail(0, picture("magenta"))
    pages.set_thumbnail(1, QImage())
    pages.set_pages(entries(2))
    qtbot.waitUntil(lambda: wanted == [0, 1, 1])


def test_a_row_is_told_anew_where_pages_come_behind_it(qtbot: QtBot, pages: PageList) -> None:
    pages.set_pages([PageEntry(0, "scan.png", "")])
    renamed = PageEntry(0, "scan.png", "in 2025")
    with qtbot.waitSignal(view(pages).model().dataChanged) as told:
        pages.set_pages([renamed, PageEntry(1, "scan.png", "in 2026")])
    assert told.args[0].row() == 0
    assert [summary(pages, row) for row in (0, 1)] == [
        f"scan.png\nin {year}\nNot read" for year in (2025, 2026)
    ]


@pytest.mark.parametrize(
    ("name", "fitting", "shown"),
    [
        ("a long name of a scan.png", "a long na", "a long "),
        ("Rechnung_2024_Schmidt.png", "Rechnung_2024_Sch", "Rechnung_2024_"),
        ("photo.jpg", "photo.j", "photo"),
        ("a Donaudampfschifffahrt.png", "a Donaudampf", "a Donaudampf"),
        ("scan 1.png", "scan 1.png", "scan 1.png"),
    ],
)
def test_a_name_that_takes_two_lines_is_broken_between_its_words(
    pages: PageList, name: str, fitting: str, shown: str
) -> None:
    metrics = pages.fontMetrics()
    assert name[: _end_of_line(name, metrics, metrics.horizontalAdvance(fitting))] == shown


@pytest.mark.parametrize("scale", [1, 1.25, 1.5, 1.75, 2])
def test_the_frame_of_a_thumbnail_is_its_edge_on_scaled_screens_too(pages: PageList, scale: float) -> None:
    pages.set_pages(entries(1))
    pages.set_thumbnail(0, picture("magenta"))
    viewport = view(pages).viewport()
    shown = QImage(viewport.size() * scale, QImage.Format.Format_RGB32)
    shown.setDevicePixelRatio(scale)
    viewport.render(shown)
    middle = round(view(pages).visualRect(view(pages).model().index(0, 0)).height() * scale / 2)
    inside = [x for x in range(shown.width()) if shown.pixelColor(x, middle) == QColor("magenta")]
    assert inside == list(range(inside[0], inside[-1] + 1))


def test_a_thumbnail_is_painted_and_a_missing_one_leaves_a_frame(pages: PageList) -> None:
    pages.set_pages(entries(2))
    pages.set_thumbnail(0, picture("magenta"))
    pages.set_thumbnail(1, QImage())
    pages.set_thumbnail("gone", picture("magenta"))
    shown = view(pages).viewport().grab().toImage()
    row_height = view(pages).visualRect(view(pages).model().index(0, 0)).height()
    rows = [
        {
            shown.pixelColor(x, y).name()
            for x in range(0, shown.width(), 2)
            for y in range(top, top + row_height, 2)
        }
        for top in (0, row_height)
    ]
    assert QColor("magenta").name() in rows[0]
    assert QColor("magenta").name() not in rows[1]


@pytest.mark.parametrize("detail", ["", "Page 1"])
def test_a_long_name_takes_the_line_of_the_detail_where_there_is_none(pages: PageList, detail: str) -> None:
    def painted(label: str) -> QImage:
        pages.set_pages([PageEntry(0, label, detail)])
        return view(pages).viewport().grab().toImage()

    names = [f"minutes of the meeting of the {day} of May.png" for day in ("11th", "22nd")]
    shown = [painted(name) for name in names]
    assert (shown[0] == shown[1]) is bool(detail)


def test_the_second_line_of_a_long_name_begins_with_a_word(pages: PageList) -> None:
    def painted(spaces: int) -> QImage:
        pages.set_pages([PageEntry(0, f"minutes{' ' * spaces}May.png", "")])
        return view(pages).viewport().grab().toImage()

    assert painted(60) == painted(66)


def test_the_page_that_is_looked_at_stays_in_sight_where_the_list_gets_less_room(pages: PageList) -> None:
    pages.set_pages(entries(20))
    pages.select(19)
    current = view(pages).currentIndex()
    view(pages).scrollTo(current)
    pages.resize(220, 300)
    assert view(pages).visualRect(current).bottom() < view(pages).viewport().height()
    view(pages).scrollToTop()
    pages.resize(220, 200)
    assert view(pages).verticalScrollBar().value() == 0


@pytest.mark.parametrize("state", list(PageState))
def test_every_state_has_its_own_icon_and_its_words(pages: PageList, state: PageState) -> None:
    pages.set_pages(entries(1))
    pages.set_state(0, state, "Because.")
    assert summary(pages, 0) == f"scan 0.png\nPage 1 of 1\n{state.value}: Because."
    others = [other for other in PageState if other is not state]
    images = [icon(other.icon_name).pixmap(32).toImage() for other in others]
    assert icon(state.icon_name).pixmap(32).toImage() not in images
    assert not view(pages).viewport().grab().isNull()


def test_a_state_for_a_page_that_left_the_list_is_harmless(pages: PageList) -> None:
    pages.set_pages(entries(1))
    pages.set_state("gone", PageState.READ)
    assert "Not read" in summary(pages, 0)


def test_the_person_selects_and_the_program_selects_silently(qtbot: QtBot, pages: PageList) -> None:
    heard = emissions(pages.page_selected)
    pages.set_pages(entries(3))
    pages.select(0)
    assert (pages.current_key, heard) == (0, [])
    qtbot.keyClick(view(pages), Qt.Key.Key_Down)
    assert heard == [1]
    click_row(qtbot, view(pages), 2)
    assert heard == [1, 2]
    pages.select("gone")
    assert pages.current_key is None


@pytest.mark.parametrize("key", [Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_PageDown])
def test_a_page_that_is_gone_to_with_ctrl_is_selected_alone(
    qtbot: QtBot, pages: PageList, key: Qt.Key
) -> None:
    pages.set_pages(entries(3))
    pages.select(0)
    ctrl, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(view(pages), key, ctrl)
    assert pages.current_key != 0
    assert pages.selected_keys == (pages.current_key,)
    pages.select(1)
    qtbot.keyClick(view(pages), Qt.Key.Key_Up, ctrl | shift)
    assert pages.selected_keys == (0, 1)
    qtbot.keyClick(view(pages), Qt.Key.Key_Space, ctrl)
    assert pages.selected_keys == (1,)


def test_pages_that_stay_keep_thumbnail_state_selection_and_place(pages: PageList) -> None:
    pages.set_pages(entries(50))
    pages.set_state(30, PageState.EDITED)
    pages.select(30)
    view(pages).scrollTo(view(pages).model().index(30, 0), QListView.ScrollHint.PositionAtTop)
    place = view(pages).verticalScrollBar().value()
    pages.set_pages(entries(45))
    assert pages.current_key == 30
    assert "Edited" in summary(pages, 30)
    assert view(pages).verticalScrollBar().value() == place
    pages.set_pages([])
    assert pages.current_key is None


def test_delete_asks_for_the_selected_pages_to_leave(qtbot: QtBot, pages: PageList) -> None:
    pages.set_pages(entries(2))
    pages.select(1)
    view(pages).setFocus()
    with qtbot.waitSignal(pages.remove_requested):
        qtbot.keyClick(view(pages), Qt.Key.Key_Delete)


@pytest.mark.parametrize(("system", "asked"), [("darwin", 1), ("linux", 0)])
def test_what_a_mac_calls_delete_is_backspace(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, system: str, asked: int
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    pages = in_sight(qtbot, PageList(), 220, 400)
    with qtbot.waitActive(pages):
        pages.activateWindow()
    pages.set_pages(entries(2))
    pages.select(1)
    view(pages).setFocus()
    removals: list[str] = []
    pages.remove_requested.connect(lambda: removals.append("asked for"))
    qtbot.keyClick(view(pages), Qt.Key.Key_Backspace)
    assert len(removals) == asked
    qtbot.keyClick(view(pages), Qt.Key.Key_Delete)
    assert len(removals) == asked + 1


def test_several_pages_are_selected_in_the_order_of_the_list_while_one_is_looked_at(
    qtbot: QtBot, pages: PageList
) -> None:
    pages.set_pages(entries(4))
    told = emissions(pages.selection_changed)
    pages.page_selected.connect(pages.select)  # as the window answers
    pages.select(3)
    click_row(qtbot, view(pages), 1, Qt.KeyboardModifier.ControlModifier)
    assert (pages.selected_keys, pages.current_key) == ((1, 3), 1)
    click_row(qtbot, view(pages), 2, Qt.KeyboardModifier.NoModifier)
    click_row(qtbot, view(pages), 0, Qt.KeyboardModifier.ShiftModifier)
    assert (pages.selected_keys, pages.current_key) == ((0, 1, 2), 0)
    assert told == [(3,), (1, 3), (2,), (0, 1, 2)]


def test_a_list_that_is_told_anew_keeps_what_of_the_selection_is_still_there(
    qtbot: QtBot, pages: PageList
) -> None:
    pages.set_pages(entries(5))
    pages.select(2)
    click_row(qtbot, view(pages), 4, Qt.KeyboardModifier.ShiftModifier)
    assert (pages.selected_keys, pages.current_key) == ((2, 3, 4), 4)
    pages.set_pages(entries(4, first=1))
    assert (pages.selected_keys, pages.current_key) == ((2, 3, 4), 4)
    told = emissions(pages.selection_changed)
    pages.set_pages(entries(3, first=2)[:2])
    assert (pages.selected_keys, pages.current_key) == ((2, 3), None)
    assert told[-1] == (2, 3)


@pytest.mark.parametrize("change", ["pages come", "pages are renamed"])
def test_shift_goes_on_from_where_it_began_when_pages_come_or_are_renamed(
    qtbot: QtBot, pages: PageList, change: str
) -> None:
    pages.set_pages(entries(3))
    click_row(qtbot, view(pages), 0)
    click_row(qtbot, view(pages), 1, Qt.KeyboardModifier.ShiftModifier)
    if change == "pages come":
        pages.set_pages(entries(4))
    else:
        pages.rename({1: "turned", 2: "too"})
        pages.set_pages([PageEntry(key, "", "") for key in (0, "turned", "too")])
    assert pages.selected_keys == (0, 1 if change == "pages come" else "turned")
    click_row(qtbot, view(pages), 2, Qt.KeyboardModifier.ShiftModifier)
    assert len(pages.selected_keys) == 3


def test_a_page_with_another_name_keeps_its_state_and_asks_for_another_thumbnail(
    qtbot: QtBot, pages: PageList, wanted: list[object]
) -> None:
    pages.set_pages(entries(2))
    qtbot.waitUntil(lambda: wanted == [0, 1])
    pages.set_state(1, PageState.EDITED)
    pages.rename({1: "turned"})
    qtbot.waitUntil(lambda: wanted == [0, 1, "turned"])
    assert "Edited" in summary(pages, 1)


def test_the_page_that_is_looked_at_stays_selected_when_nothing_else_is(
    qtbot: QtBot, pages: PageList
) -> None:
    pages.set_pages(entries(2))
    pages.select(1)
    below = QPoint(20, view(pages).viewport().height() - 5)
    qtbot.mouseClick(view(pages).viewport(), Qt.MouseButton.LeftButton, pos=below)
    click_row(qtbot, view(pages), 1, Qt.KeyboardModifier.ControlModifier)
    assert pages.selected_keys == (1,)


def test_one_page_that_the_program_goes_to_is_selected_alone(qtbot: QtBot, pages: PageList) -> None:
    pages.set_pages(entries(3))
    pages.select(0)
    click_row(qtbot, view(pages), 1, Qt.KeyboardModifier.ShiftModifier)
    pages.select(1)
    assert pages.selected_keys == (0, 1)
    pages.select(2)
    assert pages.selected_keys == (2,)


def test_the_page_that_is_looked_at_is_marked_among_those_that_are_selected(
    qtbot: QtBot, pages: PageList
) -> None:
    pages.set_pages(entries(3))
    pages.select(0)
    click_row(qtbot, view(pages), 1, Qt.KeyboardModifier.ShiftModifier)
    image, palette = view(pages).viewport().grab().toImage(), view(pages).palette()
    places = [view(pages).visualRect(view(pages).model().index(row, 0)) for row in range(3)]
    x = view(pages).fontMetrics().height() // 10 + 1
    found = [image.pixelColor(x, place.center().y()) for place in places]
    assert found == [palette.highlight().color(), palette.highlightedText().color(), palette.base().color()]


def test_the_row_that_has_the_keyboard_stands_in_a_frame(qtbot: QtBot, pages: PageList) -> None:
    pages.set_pages(entries(2))
    pages.select(0)
    row, palette = view(pages).visualRect(view(pages).currentIndex()), view(pages).palette()
    edge = QPoint(row.center().x(), row.top() + view(pages).fontMetrics().height() // 10)
    pages.setFocus()
    qtbot.waitUntil(view(pages).hasFocus)
    shown = view(pages).viewport().grab().toImage()
    assert shown.pixelColor(edge) == palette.highlightedText().color()
    view(pages).clearFocus()
    shown = view(pages).viewport().grab().toImage()
    assert shown.pixelColor(edge) == palette.highlight().color()


def test_the_context_menu_offers_groups_of_actions(pages: PageList) -> None:
    groups = [[QAction("Read"), QAction("Stop")], [QAction("Copy")]]
    pages.offer(*groups)
    assert [action.text() for action in view(pages).actions()] == ["Read", "Stop", "", "Copy"]


def test_a_file_name_is_never_taken_for_rich_text(pages: PageList) -> None:
    pages.set_pages([PageEntry(0, "<b>scan</b>.png", "")])
    tip = QTextDocument()
    tip.setHtml(view(pages).model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole))
    assert tip.toPlainText().startswith("<b>scan</b>.png")
    assert len(tip.toPlainText().splitlines()) > 1, "each line is its own"


def test_an_icon_follows_a_dark_palette(monkeypatch: pytest.MonkeyPatch, pages: PageList) -> None:
    drawn = icon("open")

    def brightest(colour: str) -> int:
        palette = pages.palette()
        palette.setColor(palette.ColorRole.ButtonText, QColor(colour))
        monkeypatch.setattr(QGuiApplication, "palette", lambda: palette)
        shown = drawn.pixmap(32).toImage()
        colours = [shown.pixelColor(x, y) for x in range(32) for y in range(32)]
        return max(colour.lightness() for colour in colours if colour.alpha() > 200)

    assert brightest("black") < 30
    assert brightest("white") > 220


def test_a_name_that_breaks_lines_takes_one_line(pages: PageList) -> None:
    pages.set_pages([PageEntry(0, "two\nlines.png", "")])
    broken = pages.grab().toImage()
    pages.set_pages([PageEntry(0, "two lines.png", "")])
    assert broken == pages.grab().toImage()


def test_large_print_makes_the_list_ask_for_more_width(pages: PageList) -> None:
    font, usual_px = pages.font(), pages.sizeHint().width()
    font.setPointSizeF(2 * font.pointSizeF())
    pages.setFont(font)
    assert pages.sizeHint().width() == pytest.approx(2 * usual_px, rel=0.1)
