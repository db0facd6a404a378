"""Wishes in any order: nothing that was typed is lost, panes and session agree, and all comes to rest."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QListView, QPlainTextEdit, QPushButton, QTabWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.reading import TASKS, Mode, Scaling
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.questions import Overwrite
from rtocr_gui.ui.parts.actions import TEXT_KEYS
from rtocr_gui.ui.state.page_entry import PageState
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import Activity
from rtocr_gui.ui.window.main_window import MainWindow
from rtocr_gui.ui.window.page_model import PageModel, PageRow
from tests.fake_engine import FakeEngine

FILES = ("a.tif", "b.tif", "c.tif")
ASKS_FOR_MORE = {
    *("open", "open_folder", "paste", "models", "use_folder", "about", "about_model", "shortcuts", "quit"),
    *("export", "export_selected", "export_by_scan", "export_overlay", "export_plan", "export_curve"),
}
"""Actions that open a dialogue."""

LEFT_OUT = {*ASKS_FOR_MORE, *TEXT_KEYS, "join_lines"}
"""Actions that are not tried; those that change text are wishes of their own, whose outcome is remembered."""


class RoundTrip(QObject):
    """Goes to a lane, behind all that was asked of it, and comes back behind its answers."""

    ended = Signal()


class Person:
    """Somebody who does this and that, and remembers what was typed on which page."""

    def __init__(
        self,
        qtbot: QtBot,
        window: MainWindow,
        session: Session,
        bridge: EngineBridge,
        engine: FakeEngine,
        folder: Path,
    ) -> None:
        self.qtbot, self.window, self.session = qtbot, window, session
        self.bridge, self.engine, self.folder = bridge, engine, folder
        self.typed: dict[PageRef, str] = {}
        self.untyped: dict[PageRef, str] = {}
        for number in range(len(FILES)):
            self.change_file(number)

    @property
    def editor(self) -> QPlainTextEdit:
        return self.window.text_column.text_pane.findChild(QPlainTextEdit)

    @property
    def rows(self) -> list[PageRow]:
        model = self.window.page_list.findChild(PageModel)
        return [model.row(position) for position in range(model.rowCount())]

    def any_page(self, number: int) -> tuple[PageRef, ...]:
        refs = self.session.shelf.refs
        return (refs[number % len(refs)],) if refs else ()

    @property
    def marked(self) -> list[tuple[int, int]]:
        """The words that are underlined as unsure."""
        wave = QTextCharFormat.UnderlineStyle.WaveUnderline
        marks = [mark for mark in self.editor.extraSelections() if mark.format.underlineStyle() is wave]
        return [(mark.cursor.selectionStart(), mark.cursor.selectionEnd()) for mark in marks]

    # Wishes: each does something else for each number

    def open(self, number: int) -> None:
        self.session.open_files([self.folder / FILES[number % len(FILES)]])

    def change_file(self, number: int) -> None:
        frames = [Image.new("L", (40 + number, 50), 200 + frame) for frame in range(1 + number % 3)]
        frames[0].save(self.folder / FILES[number % len(FILES)], save_all=True, append_images=frames[1:])

    def select(self, number: int) -> None:
        for ref in self.any_page(number):
            self.session.shelf.select(ref)

    def select_all(self, number: int) -> None:
        self.window.page_list.findChild(QListView).selectAll()

    def type(self, number: int) -> None:
        if self.session.shelf.current is not None and not self.editor.isReadOnly():
            page = self.session.shelf.current.unrotated
            if page not in self.typed:
                self.untyped[page] = self.editor.toPlainText()
            self.editor.appendPlainText(f"typed {number}")
            self.typed[page] = self.editor.toPlainText()

    def join_lines(self, number: int) -> None:
        before = self.editor.toPlainText()
        self.window.actions_by_name["join_lines"].trigger()
        after = self.editor.toPlainText()
        if self.session.shelf.current is not None and after != before:
            page = self.session.shelf.current.unrotated
            if page not in self.typed:
                self.untyped[page] = before
            self.typed[page] = after

    def undo(self, number: int) -> None:
        before = self.editor.toPlainText()
        self.editor.undo()
        after = self.editor.toPlainText()
        if self.session.shelf.current is not None and after != before:
            page = self.session.shelf.current.unrotated
            self.typed[page] = after
            if after == self.untyped.get(page):
                del self.typed[page]  # who undoes all typing edited nothing

    def replace_everywhere(self, number: int) -> None:
        words, by = (("page", "sheet"), ("typed", "written"))[number % 2]
        self.type_everywhere(lambda: self.session.finder.replace_everywhere(words, by))

    def type_everywhere(self, write: Callable[[], object]) -> None:
        """Do what changes the texts of many pages, and remember what it wrote."""
        before = {page.ref.unrotated: page.text for page in self.session._pages}
        write()
        for page in self.session._pages:
            ref = page.ref.unrotated
            if page.text != before[ref]:
                if ref not in self.typed:
                    self.untyped[ref] = before[ref]
                self.typed[ref] = page.text
                if page.text == page.read_text:
                    del self.typed[ref]

    def move_cursor(self, number: int) -> None:
        to = QTextCursor.MoveOperation.End if number % 2 else QTextCursor.MoveOperation.NextWord
        self.editor.moveCursor(to, QTextCursor.MoveMode.KeepAnchor)

    def read_replacing(self, number: int) -> None:
        for ref in self.any_page(number):
            self.typed.pop(ref.unrotated, None)
            self.session.read_replacing((ref,), (None, Scaling(Mode.SMALL))[number % 2])

    def remove(self, number: int) -> None:
        self.session.shelf.remove(self.any_page(number) if number % 4 else self.session.shelf.refs)

    def split_or_join(self, number: int) -> None:
        if number % 3:
            self.session.shelf.split(self.session.shelf.selected, beside=number % 2 == 0)
        else:
            self.session.shelf.join(self.session.shelf.to_join)

    def move(self, number: int) -> None:
        for ref in self.any_page(number):
            self.session.shelf.move_selected(ref if number % 3 else None)

    def take_offer(self, number: int) -> None:
        buttons = [
            button for button in self.window.notice_bar.findChildren(QPushButton) if button.isVisible()
        ]
        if buttons:
            button = buttons[number % len(buttons)]
            self.type_everywhere(button.click) if button.text() == "Undo" else button.click()

    def act(self, number: int) -> None:
        actions = self.window.actions_by_name
        names = [name for name in actions if actions[name].isEnabled() and name not in LEFT_OUT]
        actions[names[number % len(names)]].trigger()

    def settle_retention(self, number: int) -> None:
        self.session.settle_retention((None, 0.3, 0.7)[number % 3])

    def set_mode(self, number: int) -> None:
        self.session.set_mode((None, Mode.TINY, Mode.SMALL)[number % 3])

    def set_task(self, number: int) -> None:
        self.session.set_task(TASKS[number % 2])

    def choose_model(self, number: int) -> None:
        self.session.models.choose((None, self.folder / "a", self.folder / "b")[number % 3])

    def break_models(self, number: int) -> None:
        self.engine.load_error = CheckpointError("The weights are damaged.") if number % 2 else None

    def break_pages(self, number: int) -> None:
        self.engine.broken_pages = {FILES[0]} if number % 2 else set()
        self.engine.looping = {Mode.TINY} if number % 3 else set()
        self.engine.dry = {Mode.SMALL} if number % 4 == 0 else set()
        self.engine.retry = Scaling(Mode.SMALL)

    def say_other_words(self, number: int) -> None:
        told = ["<|ref|>title<|/ref|><|det|>[[1, 2, 300, 400]]<|/det|>\n", "# Head\n"]
        self.engine.said = told if number % 2 else []

    def hold_the_model(self, number: int) -> None:
        (self.engine.gate, self.engine.load_gate)[number % 2].clear()

    def let_the_model_go_on(self, number: int) -> None:
        (self.engine.gate, self.engine.load_gate)[number % 2].set()

    def compare(self, number: int) -> None:
        self.session.tuning.compare(PruneSettings(retention=1.0), PruneSettings(retention=0.5))

    def export(self, number: int) -> None:
        self.session.exporter.export_text(self.folder / ("out.md", "out.txt", "out.pdf")[number % 3])

    def find(self, number: int) -> None:
        self.session.finder.search(("page", "typed", "")[number % 3])

    def show_tab(self, number: int) -> None:
        tabs = self.window.findChildren(QTabWidget)[number % 2]
        tabs.setCurrentIndex((tabs.currentIndex() + 1) % tabs.count())

    def wait(self, number: int) -> None:
        """Let a lane come to all that was asked of it, and see its answers."""
        bridge = self.bridge
        lanes = [
            bridge._file_lane,
            bridge._page_lane,
            bridge._thumbnail_lane,
            bridge._reading_lane,
            bridge._plan_lane,
            bridge._compute_lane,
            bridge._export_lane,
        ]
        if self.engine.gate.is_set() and self.engine.load_gate.is_set():
            lanes.append(bridge._model_lane)
        trip = RoundTrip()
        with self.qtbot.waitSignal(trip.ended):
            lanes[number % len(lanes)].submit(trip.ended.emit)

    # What holds at any time, and in the end

    def check(self) -> None:
        refs = self.session.shelf.refs
        assert self.editor.toPlainText() == self.session.current_text
        not_told_yet = self.session.shelf._appended
        assert [row.entry.key for row in self.rows] == [ref for ref in refs if ref not in not_told_yet]
        assert self.session.shelf.current in refs or self.session.shelf.current is None
        open_pages = [ref.unrotated for ref in refs]
        assert [place for place in self.session._pages._places if place in open_pages] == open_pages
        self.typed = {ref: text for ref, text in self.typed.items() if ref in open_pages}
        if self.session.shelf.current is not None:
            text = self.session.current_text
            assert self.typed.get(self.session.shelf.current.unrotated, text) == text

    def rest(self) -> None:
        session, engine = self.session, self.engine
        engine.load_gate.set()
        engine.gate.set()
        self.qtbot.waitUntil(lambda: not session.models.status.loading)
        engine.load_error = None
        if session.models.model is None:
            session.models.load()
        self.qtbot.waitUntil(
            lambda: not session.models.status.loading and session.reader.activity == Activity()
        )
        self.qtbot.waitUntil(lambda: not (session.tuning.is_reading or session.exporter.is_exporting))
        self.qtbot.waitUntil(lambda: len(self.rows) == len(session.shelf.refs))
        self.check()
        assert not {row.state for row in self.rows} & {PageState.WAITING, PageState.READING}
        for ref in session.shelf.refs:
            session.shelf.select(ref)
            self.check()
            assert not self.editor.isReadOnly()
            page = session._pages[ref]
            if page.text == page.read_text and session.choices.settings.unsure_marked:
                self.qtbot.waitUntil(lambda page=page: self.marked == list(page.unsure_words))


WISHES: tuple[Callable[[Person, int], None], ...] = (
    *(Person.open, Person.change_file, Person.select, Person.select_all, Person.remove, Person.move),
    *(Person.split_or_join, Person.split_or_join),
    *(Person.take_offer, Person.take_offer),
    *(
        Person.type,
        Person.undo,
        Person.join_lines,
        Person.move_cursor,
        Person.find,
        Person.find,
        Person.replace_everywhere,
        Person.show_tab,
    ),
    *(Person.act, Person.act, Person.act, Person.act, Person.read_replacing, Person.compare, Person.export),
    *(Person.settle_retention, Person.set_mode, Person.set_task, Person.choose_model),
    *(Person.break_models, Person.break_pages, Person.say_other_words),
    *(Person.hold_the_model, Person.let_the_model_go_on, Person.wait, Person.wait),
)


@pytest.mark.parametrize(
    "seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(10, 300))]
)
def test_whatever_a_person_does(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    bridge: EngineBridge,
    fake_engine: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr(questions, "agrees", lambda *_: False)
    chance = random.Random(seed)
    answers = Overwrite.KEEP, Overwrite.READ_NOTHING
    monkeypatch.setattr(questions, "ask_overwrite", lambda *_: chance.choice(answers))
    fake_engine.unsure_of = {"page", "of"}
    fake_engine.tasks = TASKS[:2]
    fake_engine.pages_at_once = chance.choice((1, 3))
    person = Person(qtbot, window, session, bridge, fake_engine, tmp_path)
    session.models.load()
    session.open_files([tmp_path / name for name in FILES[:2]])
    qtbot.waitUntil(lambda: len(session.shelf.refs) > 0)
    for _ in range(chance.randrange(10, 60)):
        chance.choice(WISHES)(person, chance.randrange(100))
        person.check()
    person.rest()
