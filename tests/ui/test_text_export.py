"""Texts go to one Markdown file, with the figures of their pages beside it."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from rtocr_gui.documents.loading import open_document
from rtocr_gui.errors import ExportError
from rtocr_gui.export.markdown import ExportPage, export_markdown
from rtocr_gui.export.text_formats import TextFormat
from rtocr_gui.ocr.reading import TASKS, Mode
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.dialogs.questions import Leave
from rtocr_gui.ui.parts.named_label import NamedLabel
from rtocr_gui.ui.state import text_export
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import ExportProgress
from rtocr_gui.ui.window.main_window import MainWindow
from tests.fake_engine import FakeEngine
from tests.read_pdfs import texts_in
from tests.ui.steps import (
    Draw,
    begin_reading,
    emissions,
    export_text,
    held_lane,
    open_and_load,
    read_in_part,
    read_selected,
    sentences_in,
    until_idle,
    wait_until_idle,
)


@pytest.fixture(autouse=True)
def grounded(fake_engine: FakeEngine) -> FakeEngine:
    """Says a title, a picture, and a table."""
    fake_engine.tasks = TASKS[:1]
    fake_engine.said = [
        "<|ref|>title<|/ref|><|det|>[[100, 0, 600, 100]]<|/det|>\n# Report\n\n",
        "<|ref|>image<|/ref|><|det|>[[0, 0, 999, 500]]<|/det|>\n\n",
        "<|ref|>table<|/ref|><|det|>[[0, 600, 999, 999]]<|/det|>\n<table><tr><td>a</td></tr></table>\n",
    ]
    return fake_engine


class Disk:
    """Writes the text of exports once it is let; `full` says why it does not."""

    def __init__(self) -> None:
        self.began, self.gate = threading.Event(), threading.Event()
        self.full = ""

    def write(self, pages: Sequence[ExportPage], path: Path) -> None:
        self.began.set()
        assert self.gate.wait(20)
        if self.full:
            raise ExportError(self.full)
        export_markdown(pages, path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(text_export, "export_markdown", made.write)
    yield made
    made.gate.set()


def read_all(qtbot: QtBot, session: Session, path: Path) -> None:
    open_and_load(qtbot, session, path)
    session.read_all()
    qtbot.waitUntil(
        lambda: session.current_text.endswith("</table>\n") and not session.reader.activity.reading
    )


def test_figures_are_cut_out_and_linked(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page("two.tiff", pages=2))
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(lambda: notices == [f"Exported 2 pages and 2 figures to {tmp_path / 'out.md'}."])
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    for number in (1, 2):
        assert f"# Report\n\n![](out.assets/page-{number}-figure-1.png)\n\n<table>" in text
        with Image.open(tmp_path / "out.assets" / f"page-{number}-figure-1.png") as figure:
            assert figure.size == (400, 251)


def test_plain_text_has_no_figures_and_is_saved_all_the_same(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page("two.tiff", pages=2))
    session.exporter.export_text(tmp_path / "out.txt")
    qtbot.waitUntil(lambda: bool(notices))
    assert notices == [
        f"Exported 2 pages to {tmp_path / 'out.txt'}. Figures, left out of plain text: 2.",
    ]
    text = (tmp_path / "out.txt").read_text(encoding="utf-8")
    assert text == f"{session.current_text}\n{session.current_text}"
    assert not (tmp_path / "out.assets").exists()
    assert session.unsaved.loss(session.shelf.refs).read == 0


def test_an_export_that_waits_for_another_can_be_stopped(
    qtbot: QtBot,
    session: Session,
    window: MainWindow,
    bridge: EngineBridge,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    read_all(qtbot, session, draw_page())
    stop = window.actions_by_name["stop"]
    assert not stop.isEnabled()
    with held_lane(bridge._export_lane):
        session.exporter.export_text(tmp_path / "out.pdf")
        assert stop.isEnabled()
        stop.trigger()
    qtbot.waitUntil(lambda: bool(notices))
    assert not (tmp_path / "out.pdf").exists()
    assert not stop.isEnabled()


def test_while_pages_are_read_stop_ends_the_reading_alone_and_exporting_stops_by_its_own_action(
    qtbot: QtBot,
    session: Session,
    window: MainWindow,
    fake_engine: FakeEngine,
    bridge: EngineBridge,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    read_all(qtbot, session, draw_page())
    stop, stop_export = (window.actions_by_name[name] for name in ("stop", "stop_export"))
    with held_lane(bridge._export_lane):
        session.exporter.export_text(tmp_path / "kept.pdf")
        begin_reading(qtbot, session, fake_engine)
        stop.trigger()
    fake_engine.gate.set()
    qtbot.waitUntil(lambda: bool(notices))
    assert (tmp_path / "kept.pdf").exists()
    assert not stop_export.isEnabled()
    wait_until_idle(qtbot, session)
    begin_reading(qtbot, session, fake_engine)
    with held_lane(bridge._export_lane):
        session.exporter.export_text(tmp_path / "stopped.pdf")
        stop_export.trigger()
    qtbot.waitUntil(lambda: len(notices) == 2)
    assert not (tmp_path / "stopped.pdf").exists()
    assert session.is_reading
    until_idle(qtbot, session, fake_engine.gate.set)


def test_the_next_export_is_told_of_once_one_has_ended(
    qtbot: QtBot, session: Session, bridge: EngineBridge, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page("two.tiff", pages=2))
    said = emissions(session.exporter.progressed)
    with held_lane(bridge._export_lane):
        session.exporter.export_text(tmp_path / "one.pdf")
        session.exporter.export_text(tmp_path / "other.pdf", session.shelf.refs[:1])
    qtbot.waitUntil(lambda: len(notices) == 2)
    pages = [(progress.page, progress.page_count) for progress in said]
    assert pages == [(0, 2), (1, 2), (2, 2), (0, 1), (1, 1), (0, 0)]


def test_a_pdf_has_every_page_and_says_which_is_being_exported(
    qtbot: QtBot, session: Session, window: MainWindow, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    for ref in session.shelf.refs[1:]:
        session.read((ref,))
        wait_until_idle(qtbot, session)
    said = emissions(session.exporter.progressed)
    status = window.status_line.findChild(NamedLabel)
    words: list[str] = []
    session.exporter.progressed.connect(lambda _: words.append(status.text()))
    session.exporter.export_text(tmp_path / "out.pdf")
    qtbot.waitUntil(lambda: bool(notices))
    assert notices == [
        f"Exported 3 pages to {tmp_path / 'out.pdf'}. Pages that were not read, exported as pictures only: 1."
    ]
    assert said == [*(ExportProgress(page, 3) for page in range(4)), ExportProgress()]
    assert words == ["Exporting 3 pages", *(f"Exporting page {page} of 3" for page in (1, 2, 3)), "Ready"]
    assert [text.split() for text in texts_in(tmp_path / "out.pdf")] == [[], *[["Report", "a"]] * 2]
    assert not (tmp_path / "out.assets").exists()
    assert session.unsaved.loss(session.shelf.refs).read == 2, "their tables are in no file"


def test_text_without_markup_is_saved_in_a_pdf(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    fake_engine.said = ["One line\n", "and another"]
    open_and_load(qtbot, session, draw_page())
    session.read_all()
    wait_until_idle(qtbot, session)
    assert session.unsaved.loss(session.shelf.refs).read == 1
    session.exporter.export_text(tmp_path / "out.pdf")
    qtbot.waitUntil(lambda: notices == [f"Exported 1 page to {tmp_path / 'out.pdf'}."])
    assert session.unsaved.loss(session.shelf.refs).read == 0


def test_an_export_that_takes_its_time_can_be_stopped_and_files_that_are_whole_stay(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, *(draw_page(f"{name}.tiff", pages=2) for name in "abc"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 6)
    until_idle(qtbot, session, session.read_all)
    stop = window.actions_by_name["stop"]
    was_enabled: list[bool] = []

    def stop_at_third(progress: ExportProgress) -> None:
        was_enabled.append(stop.isEnabled())
        if progress.page == 3:
            stop.trigger()

    session.exporter.progressed.connect(stop_at_third)
    session.exporter.export_by_scan(tmp_path, TextFormat.PDF)
    qtbot.waitUntil(lambda: bool(notices))
    assert sorted(path.name for path in tmp_path.glob("*.pdf")) == ["a.pdf"]
    assert notices == [f"Exported 2 pages to 1 file in {tmp_path}. Then the export was stopped."]
    assert was_enabled[0]
    assert not stop.isEnabled()
    session.exporter.export_text(tmp_path / "all.pdf")
    qtbot.waitUntil(lambda: len(notices) == 2)
    assert notices[1] == "The export was stopped. Nothing was written."
    assert not (tmp_path / "all.pdf").exists()


def test_a_text_export_is_not_stopped_with_the_reading(
    qtbot: QtBot, session: Session, draw_page: Draw, disk: Disk, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page())
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(disk.began.is_set)
    session.exporter.export_text(tmp_path / "next.md")
    session.stop()
    disk.gate.set()
    qtbot.waitUntil(lambda: len(notices) == 2)
    assert (tmp_path / "out.md").exists()
    assert (tmp_path / "next.md").exists()


def test_what_failed_before_an_export_was_stopped_is_told(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, *(draw_page(f"{name}.tiff", pages=2) for name in "abc"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 6)
    until_idle(qtbot, session, session.read_all)
    (tmp_path / "a.pdf").mkdir()
    session.exporter.progressed.connect(lambda told: session.stop() if told.page == 3 else None)
    session.exporter.export_by_scan(tmp_path, TextFormat.PDF)
    qtbot.waitUntil(lambda: bool(notices))
    assert "a.pdf” is a folder" in notices[0]
    assert notices[0].endswith("Then the export was stopped.")
    assert [path.name for path in tmp_path.glob("*.pdf") if path.is_file()] == ["b.pdf"]


def test_where_a_pdf_cannot_be_written_no_page_is_rendered(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page())
    told = emissions(session.exporter.progressed)
    session.exporter.export_text(tmp_path / "nowhere" / "out.pdf")
    qtbot.waitUntil(lambda: bool(notices))
    assert "there is no folder" in notices[0]
    assert told == [ExportProgress(0, 1), ExportProgress()]


def test_a_pdf_shows_pages_as_they_are_turned_and_has_the_corrected_text(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page())
    session.texts.edit("# Annual report\n\n<table><tr><td>a</td><td>b</td></tr></table>\n")
    session.exporter.export_text(tmp_path / "upright.pdf")
    session.shelf.rotate(90)
    session.exporter.export_text(tmp_path / "turned.pdf")
    qtbot.waitUntil(lambda: len(notices) == 2)
    sizes = []
    for name in ("upright.pdf", "turned.pdf"):
        (text,) = texts_in(tmp_path / name)
        assert text.split() == ["Annual", "report", "a", "b"]
        with open_document(tmp_path / name) as document:
            sizes.append(document.load_page(0).image.size)
    assert sizes[0] == sizes[1][::-1]


def test_a_page_without_picture_is_missing_in_a_pdf_and_not_saved(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    gone, there, unread = draw_page("gone.png"), draw_page("there.png"), draw_page("unread.png")
    read_all(qtbot, session, gone)
    read_all(qtbot, session, there)
    unread.write_bytes(unread.read_bytes()[:-50])  # it may be shown, and so held, before it could be removed
    session.open_files([unread])
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    gone.unlink()
    session.exporter.export_text(tmp_path / "out.pdf")
    qtbot.waitUntil(lambda: bool(notices))
    assert notices[0].startswith(f"Exported 1 page to {tmp_path / 'out.pdf'}. gone.png, left out: ")
    assert len(texts_in(tmp_path / "out.pdf")) == 1
    there.unlink()
    session.exporter.export_text(tmp_path / "none.pdf")
    qtbot.waitUntil(lambda: len(notices) == 2)
    assert notices[1].startswith("“none.pdf” was not written. gone.png, left out: ")
    assert "there.png, left out: " in notices[1]
    assert not (tmp_path / "none.pdf").exists()


def test_a_page_that_is_only_a_picture_is_exported(
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    tmp_path: Path,
) -> None:
    fake_engine.said = ["<|ref|>image<|/ref|><|det|>[[0, 0, 999, 500]]<|/det|>"]
    open_and_load(qtbot, session, draw_page())
    actions = [window.actions_by_name[name] for name in ("export", "export_selected", "export_by_scan")]
    assert not any(action.isEnabled() for action in actions)
    session.read_all()
    wait_until_idle(qtbot, session)
    assert all(action.isEnabled() for action in actions)
    assert session.current_text == ""
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.md")
    for name in ("export", "export_selected"):
        (tmp_path / "out.md").unlink(missing_ok=True)
        with qtbot.waitSignal(session.notice_raised):
            window.actions_by_name[name].trigger()
        assert "![](out.assets/page-1-figure-1.png)" in (tmp_path / "out.md").read_text()
    fake_engine.dry = {Mode.TINY}  # memory runs out after the first word
    with qtbot.waitSignal(session.notice_raised):
        session.read(session.shelf.refs)
    wait_until_idle(qtbot, session)
    export_text(qtbot, session, tmp_path / "again.md")
    assert "![](again.assets/page-1-figure-1.png)" in (tmp_path / "again.md").read_text()
    session.edit_text(" ")
    session.edit_text("")
    assert session.exporter.has_content(session.shelf.refs), "nothing was changed"


def test_pages_of_files_of_the_same_name_are_told_apart_by_their_folders(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    for year in ("2025", "2026"):
        (tmp_path / year).mkdir()
    open_and_load(qtbot, session, *map(draw_page, ("2025/scan.png", "2026/scan.png", "letter.png")))
    for ref in session.shelf.refs:
        session.shelf.select(ref)
        session.edit_text("mine")
    labels = ["2025/scan.png, page 1", "2026/scan.png, page 1", "letter.png, page 1"]
    assert [page.label for page in session.unsaved.texts()] == labels
    export_text(qtbot, session, tmp_path / "out.md")
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("<!--")] == [
        f"<!-- page: {label} -->" for label in labels
    ]


def test_a_figure_keeps_its_place_in_a_corrected_text(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page())
    session.edit_text("# The report\n\nPreface\n\n<table><tr><td>a</td></tr></table>\n")
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(lambda: bool(notices))
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "# The report\n\nPreface\n\n![](out.assets/page-1-figure-1.png)\n\n<table>" in text
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_a_page_that_is_being_read_again_is_exported_as_it_was_read_before(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    read_all(qtbot, session, draw_page())
    whole = session.current_text
    fake_engine.reading_began.clear()
    begin_reading(qtbot, session, fake_engine)
    qtbot.waitUntil(lambda: session.current_text == "# Report\n\n")
    assert tuple(session.texts.of(session.shelf.selected)) == (whole,)
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(lambda: notices == [f"Exported 1 page and 1 figure to {tmp_path / 'out.md'}."])
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "# Report\n\n![](out.assets/page-1-figure-1.png)\n\n<table>" in text


def test_an_export_tells_which_page_was_not_read_to_its_end(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, draw_page())
    read_in_part(qtbot, session, fake_engine)
    export_text(qtbot, session, tmp_path / "out.md")
    assert notices[-1].endswith("out.md. Not read to the end: scan.png.")
    fake_engine.looping = set(Mode)
    session.read_selected()
    wait_until_idle(qtbot, session)
    export_text(qtbot, session, tmp_path / "out.md")
    assert notices[-1].endswith("out.md. Not read to the end: scan.png.")
    session.edit_text("A word was corrected.")
    export_text(qtbot, session, tmp_path / "out.md")
    assert notices[-1].endswith("out.md. Not read to the end: scan.png.")
    fake_engine.looping = set()
    until_idle(qtbot, session, lambda: session.read_replacing(session.shelf.refs))
    session.edit_text("as it should be")
    export_text(qtbot, session, tmp_path / "out.md")
    assert notices[-1].endswith("out.md.")


def test_an_export_tells_which_page_has_only_what_came_before_its_reading_failed(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    fake_engine.dry = set(Mode)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    assert session.current_text
    export_text(qtbot, session, tmp_path / "out.md")
    assert notices[-1].endswith("out.md. Not read to the end: scan.png.")


def test_of_many_pages_that_were_not_read_to_their_end_three_are_named(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    fake_engine.looping = set(Mode)
    read_all(qtbot, session, draw_page("book.tiff", pages=5))
    export_text(qtbot, session, tmp_path / "out.md")
    named = "book.tiff, page 1; book.tiff, page 2; book.tiff, page 3; 2 others"
    assert notices[-1].endswith(f"out.md. Not read to the end: {named}.")


def test_a_page_of_which_there_is_but_a_beginning_is_exported_so_and_that_is_told_until_it_is_dismissed(
    qtbot: QtBot, session: Session, fake_engine: FakeEngine, draw_page: Draw, tmp_path: Path
) -> None:
    told = emissions(session.notice_raised)
    open_and_load(qtbot, session, draw_page())
    begin_reading(qtbot, session, fake_engine)
    qtbot.waitUntil(lambda: session.current_text != "")
    export_text(qtbot, session, tmp_path / "out.md")
    assert "# Report" in (tmp_path / "out.md").read_text(encoding="utf-8")
    assert told[0].sentence.endswith("Pages still being read, exported as far as they were: 1.")
    assert not told[0].is_passing


def test_typed_text_that_was_exported_while_a_reading_replaced_it_was_exported(
    qtbot: QtBot,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    read_all(qtbot, session, draw_page())
    session.edit_text("mine")
    fake_engine.gate.clear()
    session.read_replacing(session.shelf.refs)
    qtbot.waitUntil(lambda: session.current_text == "# Report\n\n")
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(lambda: bool(notices))
    session.stop()
    qtbot.waitUntil(lambda: session.current_text == "mine" and not session.reader.activity.reading)
    assert "mine" in (tmp_path / "out.md").read_text(encoding="utf-8")
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_the_window_asks_before_it_closes_on_a_file_that_is_not_written_yet(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "rtocr_gui.ui.dialogs.questions.agrees", lambda _, title, *__: bool(asked.append(title))
    )
    read_all(qtbot, session, draw_page())
    session.exporter.export_text(tmp_path / "out.md")
    assert not window.close()
    assert asked == ["Close before the export is finished?"]
    disk.gate.set()
    qtbot.waitUntil(lambda: not session.exporter.is_exporting)
    assert window.close()
    assert len(asked) == 1


@pytest.fixture
def leaving(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was asked at closing by somebody who answers with an export each time."""
    asked: list[str] = []
    monkeypatch.setattr(questions, "ask_leave", lambda _, __, text: asked.append(text) or Leave.EXPORT)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.md")
    return asked


def test_who_exports_at_closing_is_left_alone_by_the_window_once_the_text_is_written(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    disk: Disk,
    leaving: list[str],
    tmp_path: Path,
) -> None:
    read_all(qtbot, session, draw_page("two.tiff", pages=2))
    assert not window.close()
    qtbot.waitUntil(disk.began.is_set)
    assert window.isVisible()
    assert sentences_in(window.notice_bar) == ("The window closes once the text is written.",)
    disk.gate.set()
    qtbot.waitUntil(window.isHidden)
    assert (tmp_path / "out.md").read_text(encoding="utf-8").count("# Report") == 2
    assert len(leaving) == 1


def test_an_export_at_closing_stops_what_is_being_read_writes_it_as_far_as_it_is_and_closes(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    fake_engine: FakeEngine,
    draw_page: Draw,
    leaving: list[str],
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, draw_page("three.tiff", pages=3))
    until_idle(qtbot, session, session.read_selected)
    fake_engine.gate.clear()
    session.read_all()
    session.shelf.select(session.shelf.refs[1])
    qtbot.waitUntil(lambda: session.current_text.startswith("# Report"))
    assert not window.close()
    qtbot.waitUntil(window.isHidden)
    assert (tmp_path / "out.md").read_text(encoding="utf-8").count("# Report") == 2
    assert len(leaving) == 1


def test_who_closes_again_while_an_export_at_closing_waits_for_the_model_to_stop_is_told_of_that_export(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    bridge: EngineBridge,
    draw_page: Draw,
    leaving: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(questions, "agrees", lambda _, title, *__: bool(asked.append(title)))
    open_and_load(qtbot, session, draw_page())
    until_idle(qtbot, session, session.read_selected)
    with held_lane(bridge._model_lane):
        session.read_selected()
        assert not window.close()
        assert not window.close()
    assert asked == ["Close before the export is finished?"]
    qtbot.waitUntil(window.isHidden)
    assert "# Report" in (tmp_path / "out.md").read_text(encoding="utf-8")
    assert len(leaving) == 1


def test_the_window_stays_where_the_export_at_closing_failed_whatever_is_exported_later(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    disk: Disk,
    leaving: list[str],
    tmp_path: Path,
) -> None:
    read_all(qtbot, session, draw_page("two.tiff", pages=2))
    disk.full = "The disk is full."
    disk.gate.set()
    assert not window.close()
    qtbot.waitUntil(lambda: sentences_in(window.notice_bar) == ("The disk is full.",))
    disk.full = ""
    export_text(qtbot, session, tmp_path / "out.md")
    assert sentences_in(window.notice_bar) == (f"Exported 2 pages and 2 figures to {tmp_path / 'out.md'}.",)
    assert window.isVisible()


def test_the_window_stays_where_not_all_is_in_the_file_that_was_exported_at_closing(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    leaving: list[str],
    tmp_path: Path,
) -> None:
    read_all(qtbot, session, draw_page("two.tiff", pages=2))
    (tmp_path / "out.assets").write_bytes(b"in the way of figures")
    with qtbot.waitSignal(session.notice_raised):
        assert not window.close()
    *_, exported, stays = sentences_in(window.notice_bar)
    assert "figures left out" in exported
    assert stays == "The window stays open, as the file lacks something. Close it again to leave."
    assert window.isVisible()
    assert window.close()
    assert len(leaving) == 1


def test_what_was_typed_while_the_window_waited_for_its_export_is_asked_about_again(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, disk: Disk, leaving: list[str]
) -> None:
    read_all(qtbot, session, draw_page("two.tiff", pages=2))
    assert not window.close()
    session.edit_text("later")
    disk.gate.set()
    qtbot.waitUntil(window.isHidden)
    assert [text.partition(" of ")[0] for text in leaving] == [
        "The text read from 2 pages was not exported. It will be lost when the window closes.",
        "You edited the text",
    ]


def test_what_was_typed_during_an_export_still_counts_as_unsaved(
    qtbot: QtBot, session: Session, draw_page: Draw, disk: Disk, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page())
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(disk.began.is_set)
    session.edit_text("later")
    disk.gate.set()
    qtbot.waitUntil(lambda: bool(notices))
    assert "later" not in (tmp_path / "out.md").read_text(encoding="utf-8")
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_a_text_that_was_emptied_is_saved_by_leaving_its_page_out(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page("two.tiff", pages=2))
    session.edit_text("")
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(lambda: bool(notices))
    assert notices[0].endswith("Pages without text, left out: 1.")
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_a_page_whose_file_is_gone_loses_its_figures_and_not_its_text(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    path = draw_page("two.tiff", pages=2)
    read_all(qtbot, session, path)
    path.write_bytes(b"no picture any more")
    (tmp_path / "out.assets").write_bytes(b"mine")
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(lambda: bool(notices))
    assert "figures left out: " in notices[0]
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert text.count("# Report") == 2
    assert "![](" not in text
    assert (tmp_path / "out.assets").read_bytes() == b"mine"


def test_whatever_keeps_figures_from_being_cut_the_text_is_written(
    qtbot: QtBot,
    session: Session,
    draw_page: Draw,
    notices: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(text_export, "write_figures", fail)
    read_all(qtbot, session, draw_page())
    export_text(qtbot, session, tmp_path / "out.md")
    assert "figures left out: An unexpected error occurred (MemoryError)." in notices[0]
    assert "![](" not in (tmp_path / "out.md").read_text(encoding="utf-8")


def test_the_window_goes_on_while_a_text_is_written(
    qtbot: QtBot, session: Session, draw_page: Draw, disk: Disk, notices: list[str], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.edit_text("mine")
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(disk.began.is_set)
    with qtbot.waitSignal(session.page_image_changed):
        session.shelf.select(session.shelf.refs[1])
    assert session.exporter.is_exporting
    assert session.unsaved.loss(session.shelf.refs).typed == 1
    disk.gate.set()
    qtbot.waitUntil(lambda: not session.exporter.is_exporting)
    assert notices == [
        f"Exported 1 page to {tmp_path / 'out.md'}. Pages without text, left out: 1.",
    ]
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_a_text_that_could_not_be_written_was_not_exported(
    qtbot: QtBot, session: Session, draw_page: Draw, disk: Disk, notices: list[str], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    session.exporter.export_text(tmp_path / "out.md")
    disk.full = "The disk is full."
    disk.gate.set()
    qtbot.waitUntil(lambda: notices == ["The disk is full."])
    assert not session.exporter.is_exporting
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_a_file_that_cannot_be_written_costs_no_other_and_stays_unsaved(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, *(draw_page(name) for name in ("a.png", "b.png")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    until_idle(qtbot, session, session.read_all)
    (tmp_path / "a.md").mkdir()
    with qtbot.waitSignal(session.notice_raised):
        session.exporter.export_by_scan(tmp_path, TextFormat.MARKDOWN)
    assert (tmp_path / "b.md").read_text().count("# Report") == 1
    assert notices[-1].startswith(f"Exported 1 page and 1 figure to 1 file in {tmp_path}. ")
    assert f"“{tmp_path / 'a.md'}” is a folder." in notices[-1]
    assert [page.path.name for page in session.shelf.refs if session.unsaved.loss([page]).read] == ["a.png"]
    (tmp_path / "b.md").unlink()
    (tmp_path / "b.md").mkdir()
    with qtbot.waitSignal(session.notice_raised):
        session.exporter.export_by_scan(tmp_path, TextFormat.MARKDOWN)
    assert all(f"“{tmp_path / name}” is a folder." in notices[-1] for name in ("a.md", "b.md"))
    assert "Other problems" not in notices[-1]


def test_a_notice_tells_some_problems_and_counts_the_others(
    qtbot: QtBot, session: Session, draw_page: Draw, notices: list[str], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, *(draw_page(f"{name}.png") for name in "abcdef"))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 6)
    until_idle(qtbot, session, session.read_all)
    for name in "abcde":
        (tmp_path / f"{name}.md").mkdir()
    with qtbot.waitSignal(session.notice_raised):
        session.exporter.export_by_scan(tmp_path, TextFormat.MARKDOWN)
    assert notices[-1].count("is a folder") == 3
    assert notices[-1].endswith("Other problems: 2.")


def test_of_two_exports_to_one_file_the_later_one_stays(
    qtbot: QtBot, session: Session, draw_page: Draw, disk: Disk, notices: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.md"
    open_and_load(qtbot, session, draw_page())
    session.edit_text("early")
    session.exporter.export_text(out)
    session.edit_text("later")
    session.exporter.export_text(out)
    disk.gate.set()
    qtbot.waitUntil(lambda: notices == [f"Exported 1 page to {out}."] * 2)
    assert out.read_text(encoding="utf-8").endswith("\n\nlater\n")
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_pages_that_are_removed_while_they_are_exported_were_exported_with_their_figures(
    qtbot: QtBot, session: Session, draw_page: Draw, disk: Disk, notices: list[str], tmp_path: Path
) -> None:
    read_all(qtbot, session, draw_page())
    session.exporter.export_text(tmp_path / "early.md")
    qtbot.waitUntil(disk.began.is_set)
    session.exporter.export_text(tmp_path / "out.md")
    session.shelf.remove(session.shelf.refs)
    disk.gate.set()
    qtbot.waitUntil(lambda: notices[-1] == f"Exported 1 page and 1 figure to {tmp_path / 'out.md'}.")


def test_tables_are_written_with_pipes_once_that_is_chosen(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    notices: list[str],
    tmp_path: Path,
) -> None:
    read_all(qtbot, session, draw_page())
    window.actions_by_name["pipe_tables"].trigger()
    assert session.choices.settings.pipe_tables
    session.exporter.export_text(tmp_path / "out.md")
    qtbot.waitUntil(lambda: bool(notices))
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "\n| a |\n| --- |\n" in text
    assert session.current_text.endswith("</table>\n")
