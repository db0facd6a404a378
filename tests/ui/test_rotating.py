"""Turning a page: the picture turns, what a person typed stays, and a file opened again is the same page."""

import re
import threading
import weakref
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.loading import CLOSED, GONE
from rtocr_gui.documents.pages import PageRef, rotate
from rtocr_gui.errors import DocumentError
from rtocr_gui.ocr.reading import TASKS, Mode, Scaling
from rtocr_gui.ui.background import open_documents
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.open_documents import OpenDocuments
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import BlocksShown, PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.page_model import PageModel
from tests.fake_engine import FakeEngine
from tests.ui.steps import Draw, editor_of, emissions, open_and_load, until_idle, wait_until_idle

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
        session.shelf.rotate(degrees)
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
    assert session.shelf.current == session.shelf.current.unrotated


def test_the_list_shows_that_a_turned_page_is_to_be_read_again(
    qtbot: QtBot, window: MainWindow, session: Session, marked: Path
) -> None:
    open_and_load(qtbot, session, marked)
    until_idle(qtbot, session, session.read_selected)
    model = window.page_list.findChild(PageModel)
    assert model.row(0).state is PageState.READ
    session.shelf.rotate(90)
    assert model.row(0).state is PageState.UNREAD


def test_left_undoes_right(qtbot: QtBot, window: MainWindow, session: Session, marked: Path) -> None:
    open_and_load(qtbot, session, marked)
    ref = session.shelf.current
    for name, expected in (("rotate_right", ref.rotated(90)), ("rotate_left", ref)):
        with qtbot.waitSignal(session.page_image_changed):
            window.actions_by_name[name].trigger()
        assert session.shelf.current == expected


def test_a_turned_page_is_what_the_model_gets_and_what_the_list_shows(marked: Path) -> None:
    documents = OpenDocuments()
    (ref,) = documents.open(marked, None)
    upright, turned = documents.page(ref), documents.page(ref.rotated(270))
    small = documents.thumbnail(ref.rotated(270))
    documents.close_all()
    assert turned.ref == ref.rotated(270)
    assert turned.image.getpixel((5, 295)) == RED
    assert not ImageChops.difference(rotate(turned.image, 90), upright.image).getbbox()
    assert small.height > small.width


def test_a_file_that_is_closed_leaves_no_page_in_memory(draw_page: Draw) -> None:
    documents = OpenDocuments()
    closed, other = draw_page("closed.png"), draw_page("other.png")
    pages = {path: documents.open(path)[0] for path in (closed, other)}
    image = weakref.ref(documents.page(pages[closed]).image)
    documents.close(other)
    assert image() is not None
    documents.close(closed)
    assert image() is None


def test_a_file_that_was_opened_again_is_not_closed_by_who_closes_the_former(draw_page: Draw) -> None:
    documents, path = OpenDocuments(), draw_page()
    close_nothing = documents.closer(path)
    documents.open(path)
    close = documents.closer(path)
    (ref,) = documents.open(path)
    close()
    close_nothing()
    assert documents.page(ref).ref == ref
    documents.close_all()


def test_a_page_waits_for_its_file_that_is_about_to_be_opened(draw_page: Draw) -> None:
    documents, path = OpenDocuments(), draw_page()
    (ref,) = documents.open(path)
    documents.close(path)
    documents.expect(path)
    found: list[PageRef] = []
    waiting = threading.Thread(target=lambda: found.append(documents.page(ref).ref))
    waiting.start()
    with documents.opening(path):
        documents.open(path)
    waiting.join()
    assert found == [ref]
    documents.close_all()


def test_a_page_whose_file_could_not_be_opened_waits_no_longer(draw_page: Draw) -> None:
    documents, path = OpenDocuments(), draw_page()
    (ref,) = documents.open(path)
    documents.close(path)
    documents.expect(path)
    with suppress(DocumentError), documents.opening(path):
        raise DocumentError
    with pytest.raises(DocumentError, match=re.escape(CLOSED)):
        documents.page(ref)


def test_a_page_of_a_closed_file_is_said_to_be_closed_or_gone(draw_page: Draw) -> None:
    documents = OpenDocuments()
    path = draw_page()
    (ref,) = documents.open(path)
    documents.close(path)
    with pytest.raises(DocumentError, match=re.escape(CLOSED)):
        documents.page(ref)
    path.unlink()
    with pytest.raises(DocumentError, match=re.escape(GONE)):
        documents.page(ref)


def test_the_memory_of_a_large_page_goes_back_to_the_system_once_another_is_shown(
    draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    returned: list[bool] = []
    documents = OpenDocuments()
    first, second = documents.open(draw_page("two.tiff", pages=2))
    monkeypatch.setattr(open_documents, "LARGE_PX", 400 * 500)
    monkeypatch.setattr(open_documents, "return_freed_memory", lambda: returned.append(image() is None))
    image = weakref.ref(documents.page(first).image)
    documents.page(first)
    assert returned == []
    documents.page(second)
    assert returned == [True]
    monkeypatch.setattr(open_documents, "LARGE_PX", 400 * 500 + 1)
    documents.page(first)
    assert returned == [True]


def test_a_turned_page_keeps_its_place_and_what_was_typed(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3))
    session.shelf.select(session.shelf.refs[1])
    session.edit_text("mine")
    states = emissions(session.texts.page_status_changed)
    rotate_and_see(qtbot, session, 90)
    assert [ref.index for ref in session.shelf.refs] == [0, 1, 2]
    assert session.shelf.current == session.shelf.refs[1]
    assert window.page_list.current_key == session.shelf.current
    assert session.current_text == "mine"
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    assert states == [PageStatus(session.shelf.current, PageState.EDITED, "")]


def read(qtbot: QtBot, session: Session) -> str:
    with qtbot.waitSignal(session.texts.reading_changed, check_params_cb=lambda record: record is not None):
        session.read_selected()
    return session.current_text


def begin_to_read(qtbot: QtBot, session: Session, engine: FakeEngine) -> None:
    """Read the page that is shown, as far as its first word."""
    engine.gate.clear()
    with qtbot.waitSignal(session.texts.text_appended):
        session.read_selected()


def newest(told: list[PageStatus], ref: PageRef) -> PageState:
    return next(status.state for status in reversed(told) if status.ref == ref)


@pytest.fixture
def figured(fake_engine: FakeEngine) -> FakeEngine:
    """Reads a heading and a figure on every page."""
    fake_engine.tasks = TASKS[:1]
    fake_engine.said = [
        "<|ref|>title<|/ref|><|det|>[[100, 0, 600, 100]]<|/det|>\n# Report\n\n",
        "<|ref|>image<|/ref|><|det|>[[0, 0, 999, 500]]<|/det|>\n\n",
    ]
    return fake_engine


def test_a_turned_page_keeps_its_text_which_says_that_it_is_of_the_page_before(
    qtbot: QtBot, session: Session, draw_page: Draw, fake_engine: FakeEngine
) -> None:
    open_and_load(qtbot, session, draw_page())
    records: list[object] = []
    summaries: list[str] = []
    session.texts.reading_changed.connect(records.append)
    session.texts.text_changed.connect(lambda shown: summaries.append(shown.summary))
    text = read(qtbot, session)
    rotate_and_see(qtbot, session, 90)
    assert session.current_text == text
    assert summaries[-1].startswith("Read before it was rotated")
    assert records[-1] is None
    read(qtbot, session)
    assert len(fake_engine.asked) == 2
    assert summaries[-1].startswith("Read from")


def test_a_page_that_is_turned_back_is_as_it_was(
    qtbot: QtBot, session: Session, draw_page: Draw, figured: FakeEngine
) -> None:
    open_and_load(qtbot, session, draw_page())
    records: list[object] = []
    blocks: list[BlocksShown] = []
    session.texts.reading_changed.connect(records.append)
    session.texts.blocks_changed.connect(blocks.append)
    read(qtbot, session)
    before = records[-1], blocks[-1]
    rotate_and_see(qtbot, session, 90)
    assert blocks[-1] == BlocksShown(lack="The page was rotated. Read it again to see its blocks.")
    rotate_and_see(qtbot, session, 270)
    assert (records[-1], blocks[-1]) == before


@pytest.mark.parametrize("turned_back", [False, True])
def test_a_page_that_is_being_read_is_read_as_it_lies_now(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    fake_engine: FakeEngine,
    told: list[PageStatus],
    turned_back: bool,
) -> None:
    open_and_load(qtbot, session, draw_page())
    begin_to_read(qtbot, session, fake_engine)
    session.shelf.rotate(90)
    if turned_back:
        session.shelf.rotate(270)
    with qtbot.waitSignal(session.texts.text_appended):
        pass
    assert session.reader.activity.reading
    until_idle(qtbot, session, fake_engine.gate.set)
    assert session.current_text == "page 1 of scan.png at 0.76"
    assert newest(told, session.shelf.current) is PageState.READ
    assert len(fake_engine.asked) == 2


def test_pages_that_wait_are_read_as_they_lie_now(
    qtbot: QtBot, session: Session, draw_page: Draw, fake_engine: FakeEngine, told: list[PageStatus]
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3))
    fake_engine.gate.clear()
    with qtbot.waitSignal(session.texts.text_appended):
        session.read_all()
    session.shelf.select(session.shelf.refs[2])
    rotate_and_see(qtbot, session, 90)
    until_idle(qtbot, session, fake_engine.gate.set)
    assert [newest(told, ref) for ref in session.shelf.refs] == [PageState.READ] * 3


def test_a_page_that_waits_for_the_model_is_read_as_it_lies_now(
    qtbot: QtBot, session: Session, draw_page: Draw, told: list[PageStatus]
) -> None:
    path = draw_page()
    with qtbot.waitSignal(session.page_image_changed):
        session.open_files([path])
    session.read_selected()
    session.shelf.rotate(90)
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([path])
    session.models.load()
    wait_until_idle(qtbot, session)
    assert newest(told, session.shelf.current) is PageState.READ


@pytest.mark.parametrize("turned_back", [False, True])
def test_stop_gives_a_turned_page_its_text_back(
    qtbot: QtBot, session: Session, draw_page: Draw, fake_engine: FakeEngine, turned_back: bool
) -> None:
    open_and_load(qtbot, session, draw_page())
    text = read(qtbot, session)
    begin_to_read(qtbot, session, fake_engine)
    session.shelf.rotate(90)
    if turned_back:
        session.shelf.rotate(270)
    assert session.current_text == text
    session.stop()
    wait_until_idle(qtbot, session)
    assert session.current_text == text


def test_what_comes_of_a_reading_after_its_page_was_turned_is_dropped(
    qtbot: QtBot, session: Session, bridge: EngineBridge, draw_page: Draw, fake_engine: FakeEngine
) -> None:
    open_and_load(qtbot, session, draw_page())
    text = read(qtbot, session)
    fake_engine.gate.clear()
    with qtbot.waitSignal(bridge.text_streamed) as streamed:
        session.read_selected()
    for degrees in (90, 270):
        session.shelf.rotate(degrees)
    session.stop()
    bridge.text_streamed.emit(replace(streamed.args[0], text="late"))
    assert session.current_text == text
    wait_until_idle(qtbot, session)
    assert session.current_text == text


def test_what_was_typed_on_a_turned_page_can_be_undone_after_files_came_meanwhile(
    qtbot: QtBot, window: MainWindow, session: Session, marked: Path, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, marked, draw_page("b.png"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    editor = editor_of(window)
    editor.insertPlainText("typed")
    session.shelf.rotate(90)
    session.shelf.select(session.shelf.refs[1])
    with qtbot.waitSignal(session.shelf.pages_changed):
        session.open_files([draw_page("c.png")])
    session.shelf.select(session.shelf.refs[0])
    editor.undo()
    assert session.current_text == ""


def test_what_was_typed_can_be_undone_and_gone_on_with_where_the_cursor_is(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    open_and_load(qtbot, session, draw_page())
    editor = editor_of(window)
    editor.insertPlainText("mine")
    rotate_and_see(qtbot, session, 90)
    assert editor.textCursor().position() == 4
    editor.undo()
    assert session.current_text == ""


def test_an_offer_for_a_page_is_good_for_it_however_it_is_turned(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, fake_engine: FakeEngine
) -> None:
    open_and_load(qtbot, session, draw_page())
    fake_engine.too_large = {Mode.TINY}
    fake_engine.retry = Scaling(Mode.SMALL)
    with qtbot.waitSignal(session.notice_raised) as raised:
        session.read_selected()
    rotate_and_see(qtbot, session, 90)
    session.take_offer(raised.args[0].offers[0])
    wait_until_idle(qtbot, session)
    assert session.current_text == "page 1 of scan.png at 0.76"
    assert window.notice_bar.notices == ()


@pytest.mark.parametrize("turned_back", [False, True])
def test_figures_are_exported_as_they_were_read(
    qtbot: QtBot, session: Session, draw_page: Draw, figured: FakeEngine, tmp_path: Path, turned_back: bool
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, session)
    rotate_and_see(qtbot, session, 90)
    if turned_back:
        rotate_and_see(qtbot, session, 270)
    with qtbot.waitSignal(session.notice_raised):
        session.exporter.export_text(tmp_path / "out.md")
    (figure,) = tmp_path.glob("out*/*.png")
    with Image.open(figure) as cut:
        assert cut.width == 400  # as wide as the page was then


def test_a_page_that_is_turned_while_it_is_exported_was_exported(
    qtbot: QtBot, session: Session, draw_page: Draw, figured: FakeEngine, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text(f"{read(qtbot, session)} mine")
    with qtbot.waitSignal(session.notice_raised):
        session.exporter.export_text(tmp_path / "out.md")
        session.shelf.rotate(90)
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_a_file_that_is_opened_again_shows_its_page_as_it_was_turned(
    qtbot: QtBot, session: Session, draw_page: Draw
) -> None:
    path = draw_page(pages=2)
    open_and_load(qtbot, session, path)
    session.edit_text("mine")
    rotate_and_see(qtbot, session, 90)
    session.shelf.select(session.shelf.refs[1])
    rotate_and_see(qtbot, session, 180)
    turned = session.shelf.refs
    with qtbot.waitSignal(session.page_selected):
        session.open_files([path])
    assert session.shelf.refs == turned
    assert session.shelf.current == turned[0]
    assert session.current_text == "mine"


def test_a_page_cannot_be_turned_by_half_a_quarter(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="45"):
        PageRef(tmp_path, 0, "").rotated(45)


def test_all_pages_of_a_file_are_turned_and_those_of_others_are_not(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    fake_engine: FakeEngine,
    told: list[PageStatus],
) -> None:
    open_and_load(qtbot, session, draw_page(pages=3), draw_page("other.png"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 4)
    of_file = [ref for ref in session.shelf.refs if ref.path.name == "scan.png"]
    session.shelf.select(of_file[1])
    fake_engine.gate.clear()
    session.read((of_file[2],))
    rotate_and_see(qtbot, session, 90)
    with qtbot.waitSignal(session.page_image_changed):
        window.actions_by_name["rotate_file"].trigger()
    until_idle(qtbot, session, fake_engine.gate.set)
    turns = {ref.label: ref.rotation_deg for ref in session.shelf.refs}
    expected = {ref.label: 90 for ref in of_file} | {"scan.png, page 2": 180, "other.png, page 1": 0}
    assert turns == expected
    assert session.shelf.current == of_file[1].rotated(180)
    assert newest(told, of_file[2].rotated(90)) is PageState.READ


def test_nothing_is_turned_where_no_page_is_shown(window: MainWindow, session: Session) -> None:
    session.shelf.rotate(90)
    session.shelf.rotate(90, whole_file=True)
    assert session.shelf.refs == ()
    assert not window.actions_by_name["rotate_right"].isEnabled()


def test_only_the_animation_that_was_shown_last_keeps_its_file_open(tmp_path: Path) -> None:
    documents = OpenDocuments()
    rests: list[Path] = []
    frames = [Image.new("L", (60, 40), shade) for shade in (0, 255)]
    refs = []
    for name in ("a.gif", "b.gif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        refs.append(documents.open(tmp_path / name)[0])
        document = documents._documents[tmp_path / name]
        document.rest = lambda path=tmp_path / name: rests.append(path)  # type: ignore[method-assign,misc]
    for ref in (refs[0], refs[0], refs[1], refs[0]):
        documents.thumbnail(ref)
    documents.close_all()
    assert rests == [tmp_path / "a.gif", tmp_path / "b.gif"]
