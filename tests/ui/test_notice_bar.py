"""What the notices promise: problems stay, good news leaves, and what can be done is one press away."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QCursor, QTextDocument
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import Mode, Scaling
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.state.kept_text import LeftBehind
from rtocr_gui.ui.state.notices import (
    LoadModel,
    Notice,
    ReadAgain,
    ShowFolder,
    about_file,
    about_left_behind,
    about_left_out,
    about_page,
    about_removed,
    about_replaced,
)
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.shown import Replacing, TextChange
from rtocr_gui.ui.window.notice_bar import VISIBLE_LINES, NoticeBar
from tests.ui.steps import emissions, sentences_in

NEVER = 2**30
GOOD = Notice("Exported 1 page to out.md.", is_passing=True)
BAD = Notice("The folder holds no model.")
RETRY = ReadAgain(PageRef(Path("scan.png"), 0, "0" * 64), Scaling(Mode.BASE))
LACK = Notice("scan.png: There is not enough memory.", (RETRY,))

MakeBar = Callable[..., NoticeBar]


@pytest.fixture
def make_bar(qtbot: QtBot) -> MakeBar:
    windows: list[QWidget] = []  # Qt's own reference is a weak one

    def make(leave_after_ms: int = NEVER) -> NoticeBar:
        window, bar, editor = QWidget(), NoticeBar(leave_after_ms), QPlainTextEdit()
        windows.append(window)
        qtbot.addWidget(window)
        layout = QVBoxLayout(window)
        layout.addWidget(bar)
        layout.addWidget(editor)
        window.resize(600, 400)
        window.move(QCursor.pos() + QPoint(50, 50))  # what lies under the cursor stays
        window.show()
        editor.setFocus()
        return bar

    return make


def take_all(bar: NoticeBar) -> QPushButton:
    """The button for all pages that failed, whether it is shown or not."""
    return next(each for each in bar.findChildren(QPushButton) if each.text().startswith("Read all "))


def button(bar: NoticeBar) -> QPushButton:
    (found,) = (each for each in bar.findChildren(QPushButton) if not each.isHidden())
    return found


def test_good_news_leaves_by_itself_and_problems_stay(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar(leave_after_ms=1)
    bar.add(BAD)
    bar.add(GOOD)
    assert bar.notices == (BAD, GOOD)
    qtbot.waitUntil(lambda: bar.notices == (BAD,))
    assert bar.isVisible()


def test_good_news_that_is_out_of_sight_stays(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.add(GOOD)
    for number in range(9):
        bar.add(replace(BAD, sentence=f"{number}. {BAD.sentence}"))
    scroll, leaving = bar.findChild(QScrollArea).verticalScrollBar(), bar.findChild(QTimer)
    qtbot.waitUntil(lambda: scroll.value() == scroll.maximum() > 0)
    with qtbot.waitSignal(leaving.timeout):
        leaving.start(0)
    assert bar.notices[0] == GOOD
    scroll.setValue(0)
    leaving.start(0)
    qtbot.waitUntil(lambda: GOOD not in bar.notices)


def test_good_news_stays_until_all_of_it_was_in_sight(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.add(GOOD)
    for number in range(9):
        bar.add(replace(BAD, sentence=f"{number}. {BAD.sentence}"))
    scroll, leaving = bar.findChild(QScrollArea).verticalScrollBar(), bar.findChild(QTimer)
    qtbot.waitUntil(lambda: scroll.maximum() > 0)
    scroll.setValue(bar.fontMetrics().height() // 2)
    with qtbot.waitSignal(leaving.timeout):
        leaving.start(0)
    assert bar.notices[0] == GOOD


def test_news_of_an_export_replaces_that_of_the_one_before_though_both_show_their_folder(
    make_bar: MakeBar,
) -> None:
    bar = make_bar()
    notices = [replace(GOOD, offers=(ShowFolder(Path(f"/{name}/out.md")),)) for name in "ab"]
    for notice in notices:
        bar.add(notice)
    assert bar.notices == (notices[1],)


def test_the_bar_hides_once_all_good_news_left(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar(leave_after_ms=1)
    bar.add(GOOD)
    qtbot.waitUntil(bar.isHidden)


def test_every_one_of_a_few_notices_is_seen(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.add(BAD)
    qtbot.waitUntil(bar.isVisible)
    for number in range(VISIBLE_LINES - 1):
        bar.add_problem(f"scan {number}.png: No.")
    scroll = bar.findChild(QScrollArea)
    needed = scroll.widget().layout().totalHeightForWidth(scroll.viewport().width())
    assert needed > VISIBLE_LINES * bar.fontMetrics().height()
    assert scroll.height() >= needed


def test_a_name_of_any_length_is_seen_whole(make_bar: MakeBar) -> None:
    bar, sentence = make_bar(), f"Exported 1 page to /home/me/{230 * 'n'}.md."
    bar.add(Notice(sentence))
    (label,) = bar.findChildren(QLabel)
    shown = QTextDocument()
    shown.setHtml(label.toolTip())
    shown.setTextWidth(600)
    assert shown.toPlainText().replace("\u200b", "") == sentence
    assert shown.idealWidth() <= 600


def test_a_notice_that_fits_in_one_line_is_seen_without_scrolling(make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.window().resize(900, 400)
    bar.add(Notice("Exported the text of 3 pages to scans.md.", is_passing=True))
    QApplication.processEvents()
    assert bar.findChild(QScrollArea).verticalScrollBar().maximum() == 0


def test_nothing_leaves_from_under_the_pointer(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar(leave_after_ms=1)
    bar.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    bar.add(GOOD)
    with qtbot.waitSignals([bar.findChild(QTimer).timeout] * 3):
        pass
    assert bar.notices == (GOOD,)
    bar.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    qtbot.waitUntil(bar.isHidden)


def test_nothing_leaves_while_it_has_the_focus(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar(leave_after_ms=1)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    bar.add(GOOD)
    bar.findChild(QToolButton).setFocus()
    with qtbot.waitSignals([bar.findChild(QTimer).timeout] * 3):
        pass
    assert bar.notices == (GOOD,)


def test_good_news_takes_the_place_of_older_good_news(make_bar: MakeBar) -> None:
    bar = make_bar()
    newer = Notice("Exported the plan to plan.json.", is_passing=True)
    bar.add(GOOD)
    bar.add(BAD)
    bar.add(newer)
    assert bar.notices == (BAD, newer)


def test_offers_to_bring_pages_back_stand_beside_other_good_news_and_leave_with_it(
    qtbot: QtBot, make_bar: MakeBar
) -> None:
    bar = make_bar(leave_after_ms=1)
    pages = OpenPages()
    pages.add([PageRef(Path("book.pdf"), index, "0" * 64) for index in range(2)])
    for ref in pages.refs:
        bar.add(about_removed(pages.remove([ref])))
    bar.add(GOOD)
    assert sentences_in(bar) == ("Removed book.pdf, page 1.", "Removed book.pdf, page 2.", GOOD.sentence)
    qtbot.waitUntil(bar.isHidden)


def test_what_is_said_twice_stands_there_once(make_bar: MakeBar) -> None:
    bar = make_bar()
    for notice in (BAD, LACK, BAD, Notice("It failed again.", LACK.offers)):
        bar.add(notice)
    assert sentences_in(bar) == (BAD.sentence, "It failed again.")


def test_the_way_back_to_a_text_is_not_lost_when_the_same_is_done_again(make_bar: MakeBar) -> None:
    bar = make_bar()
    for text in ("tin", "tin tin"):
        change = TextChange(RETRY.ref, text, ((0, 3, "tan"),))
        bar.add(about_replaced(Replacing("tin", "tan", (change,)), left_alone=0))
    first, second = bar.notices
    assert first.sentence == second.sentence


def test_an_offer_is_named_for_those_who_do_not_see_it_and_taken_once(
    qtbot: QtBot, make_bar: MakeBar
) -> None:
    bar = make_bar()
    bar.add(LACK)
    assert button(bar).text() == "Read in Base mode"
    assert "not enough memory" in button(bar).accessibleDescription()
    with qtbot.waitSignal(bar.offer_taken) as taken:
        button(bar).click()
    assert taken.args == [RETRY]
    assert bar.isHidden()


def test_an_offer_can_be_taken_with_the_keyboard_alone(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.add(LACK)
    dismiss = bar.findChild(QToolButton)
    assert button(bar).focusPolicy() & Qt.FocusPolicy.TabFocus
    assert dismiss.focusPolicy() & Qt.FocusPolicy.TabFocus
    with qtbot.waitSignal(bar.offer_taken):
        qtbot.keyClick(button(bar), Qt.Key.Key_Space)


def test_fewer_tiles_are_offered_by_their_number() -> None:
    assert ReadAgain(RETRY.ref, Scaling(Mode.GUNDAM, 4)).label == "Read with at most 4 tiles"
    assert ReadAgain(RETRY.ref, Scaling(None, 4)).label == "Read with at most 4 tiles"


def test_dismiss_forgets_everything(make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.add(LACK)
    bar.add(GOOD)
    bar.findChild(QToolButton).click()
    assert not bar.notices
    assert bar.isHidden()


def test_the_escape_key_dismisses_all_but_what_nothing_tells_again(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar, saved = make_bar(), about_left_behind(LeftBehind(Path("/home/me/Unsaved text.md")))
    dismiss, editor = bar.findChild(QToolButton), bar.window().findChild(QPlainTextEdit)
    bar.add(BAD)
    assert "Esc" in dismiss.toolTip()
    qtbot.waitUntil(editor.hasFocus)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    qtbot.waitUntil(bar.isHidden)
    for notice in (BAD, saved):
        bar.add(notice)
    assert "Esc" not in dismiss.toolTip()
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert bar.notices == (BAD, saved)
    dismiss.click()
    assert bar.isHidden()


def test_notices_that_are_out_of_view_are_counted_also_those_that_are_kept_no_longer(
    qtbot: QtBot, make_bar: MakeBar
) -> None:
    bar = make_bar()
    dismiss = bar.findChild(QToolButton)
    for number in range(60):
        bar.add_problem(f"scan {number}.png, page 1: The file is no longer where it was.")
        if number < VISIBLE_LINES:
            assert dismiss.text() == "Dismiss"
    assert dismiss.text() == "Dismiss all 60"
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not bar.notices)
    bar.add(BAD)
    assert dismiss.text() == "Dismiss"


def test_where_text_was_saved_stays_in_sight_however_many_files_cannot_be_opened(
    qtbot: QtBot, make_bar: MakeBar
) -> None:
    bar, saved = make_bar(), about_left_behind(LeftBehind(Path("/home/me/Unsaved text.md")))
    bar.add(saved)
    for number in range(60):
        bar.add_problem(f"scan {number}.png: The file is empty (0 bytes). Copy or scan it again.")
    assert [notice.sentence[:12] for notice in bar.notices[-2:]] == ["scan 59.png:", "RTOCR has en"]
    scroll = bar.findChild(QScrollArea)
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().value() == scroll.verticalScrollBar().maximum() > 0)
    shown = next(label for label in bar.findChildren(QLabel) if label.text() == saved.sentence)
    assert not shown.visibleRegion().isEmpty()


def test_pages_that_fail_once_more_are_counted_once(make_bar: MakeBar) -> None:
    bar = make_bar()
    for ref in 2 * [PageRef(Path(f"{number}.png"), 0, "1" * 64) for number in range(60)]:
        bar.withdraw([ref])
        bar.add(about_page(ref, ref.path.name, "It failed."))
    assert bar.findChild(QToolButton).text() == "Dismiss all 60"


def test_what_was_said_of_a_page_leaves_once_it_is_read_again_but_not_the_way_back_to_its_text(
    make_bar: MakeBar,
) -> None:
    bar = make_bar()
    pages = OpenPages()
    pages.add([RETRY.ref])
    back = about_left_out(pages.remove(pages.refs))
    other = about_page(PageRef(Path("other.png"), 0, "1" * 64), "other.png", "It failed.")
    for notice in (about_page(RETRY.ref, "scan.png", "It failed."), back, other, BAD):
        bar.add(notice)
    bar.withdraw([RETRY.ref.rotated(90)])
    assert bar.notices == (back, other, BAD)


def test_a_long_notice_wraps_and_many_scroll(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.window().resize(300, 400)
    bar.add(Notice("a long sentence about what happened " * 4, LACK.offers))
    one = bar.sizeHint().height()
    for number in range(60):
        bar.add(Notice(f"notice {number} " * 20))
    assert len(bar.notices) == 50
    assert bar.sizeHint().height() <= 2 * one
    scroll = bar.findChild(QScrollArea)
    assert scroll.horizontalScrollBar().maximum() == 0
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().value() == scroll.verticalScrollBar().maximum() > 0)
    assert scroll.focusPolicy() is Qt.FocusPolicy.TabFocus
    scroll.setFocus()
    qtbot.keyClick(scroll, Qt.Key.Key_Up)
    assert scroll.verticalScrollBar().value() < scroll.verticalScrollBar().maximum()
    bar.clear()
    bar.add(Notice("short"))
    assert scroll.focusPolicy() is Qt.FocusPolicy.NoFocus


def test_offers_to_read_or_to_load_leave_when_there_is_another_model(make_bar: MakeBar) -> None:
    bar = make_bar()
    pages = OpenPages()
    pages.add([RETRY.ref])
    another = LoadModel("Use another", LoadRequest(Path("a")))
    stays = (about_removed(pages.remove(pages.refs)), BAD)
    for notice in (LACK, Notice("It was not loaded.", (another,)), *stays):
        bar.add(notice)
    bar.withdraw_model_offers()
    assert bar.notices == stays


def test_what_is_said_of_two_files_of_one_name_is_said_twice(make_bar: MakeBar) -> None:
    bar = make_bar()
    for folder in ("one", "other"):
        ref = PageRef(Path(folder, "scan.png"), 0, folder)
        bar.add(about_page(ref, ref.path.name, "It failed.", (ReadAgain(ref, Scaling(Mode.BASE)),)))
    assert len(bar.notices) == 2
    assert take_all(bar).text() == "Read all 2 again"


def test_offers_to_read_many_pages_are_taken_with_one_press(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar()
    taken = emissions(bar.offer_taken)
    offers = [ReadAgain(PageRef(Path("book.pdf"), page, "0" * 64), Scaling(Mode.BASE)) for page in range(3)]
    bar.add(BAD)
    bar.add(Notice("book.pdf, page 1: There is not enough memory.", (offers[0],)))
    assert take_all(bar).isHidden(), "one page has its own button"
    for offer in offers[1:]:
        bar.add(Notice(f"{offer.ref.label}: There is not enough memory.", (offer,)))
    assert take_all(bar).text() == "Read all 3 again"
    qtbot.mouseClick(take_all(bar), Qt.MouseButton.LeftButton)
    assert taken == offers
    assert bar.notices == (BAD,)
    assert take_all(bar).isHidden()


def test_no_name_in_an_offer_is_taken_for_rich_text(make_bar: MakeBar) -> None:
    page = ReadAgain(PageRef(Path("<img src=x>.png"), 0, "0" * 64), Scaling(Mode.BASE))
    model = LoadModel("Load again", LoadRequest(Path("<b>mine")))
    one, two = make_bar(), make_bar()
    one.add(Notice("It failed.", (page,)))
    two.add(Notice("It failed.", (page, model)))
    assert shown_tip(button(one).toolTip()) == page.tip
    assert button(one).accessibleDescription() == f"It failed. {page.tip}"
    assert [shown_tip(action.toolTip()) for action in button(two).menu().actions()] == [page.tip, model.tip]


def shown_tip(tip: str) -> str:
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


def test_a_long_name_does_not_push_the_offer_out_of_sight(make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.add(Notice(f"{'x' * 250}.png, page 1: There is not enough memory.", (RETRY,)))
    QApplication.processEvents()
    assert button(bar).visibleRegion().boundingRect() == button(bar).rect()


def test_no_notice_is_cut_through_a_line(qtbot: QtBot, make_bar: MakeBar) -> None:
    bar = make_bar()
    bar.add(BAD)
    for number in range(VISIBLE_LINES):
        ref = replace(RETRY.ref, path=Path(f"{number}.png"))
        bar.add(Notice(f"{number}.png: There is not enough memory.", (replace(RETRY, ref=ref),), about=ref))
    scroll = bar.findChild(QScrollArea)
    place = scroll.verticalScrollBar()
    content = scroll.widget()
    qtbot.waitUntil(lambda: content.height() == content.layout().totalHeightForWidth(content.width()))
    qtbot.waitUntil(lambda: place.value() == place.maximum())
    rows = [found.parentWidget() for found in scroll.findChildren(QPushButton)]
    assert len(rows) == VISIBLE_LINES
    margin_px = 4
    assert all(
        row.y() >= place.value() or row.geometry().bottom() < place.value() + margin_px for row in rows
    )


def test_what_is_said_of_a_file_replaces_what_was_said_of_it_before_but_not_what_is_said_of_others(
    make_bar: MakeBar,
) -> None:
    bar, scan, other = make_bar(), Path("/a/scan.pdf"), Path("/a/other.pdf")
    said = about_file(scan, "The file is damaged."), about_file(other, "The file is damaged.")
    for notice in (*said, about_file(scan, "The file needs a password.")):
        bar.add(notice)
    assert bar.notices == (said[1], about_file(scan, "The file needs a password."))
