"""Texts go to the file that was chosen, and replace no scan and no other file unasked."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from rtocr_gui.export.text_formats import TextFormat
from rtocr_gui.ui.dialogs import questions
from rtocr_gui.ui.state.session import Session
from rtocr_gui.ui.state.shown import PageStatus
from rtocr_gui.ui.window.main_window import MainWindow
from tests.broken_files import pdf_of_pages
from tests.made_pages import page_image
from tests.ui.steps import (
    Draw,
    emissions,
    export_text,
    open_and_load,
    read,
    read_selected,
    sentences_in,
    until_idle,
    wait_until_idle,
)


def test_export_writes_the_file_that_was_chosen(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.md")
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export"].trigger()
    assert "page 1 of scan.png" in (tmp_path / "out.md").read_text(encoding="utf-8")
    assert sentences_in(window.notice_bar) == (f"Exported 1 page to {tmp_path / 'out.md'}.",)


def test_the_text_of_a_folder_is_exported_under_its_name_to_where_the_last_was(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suggested: list[Path] = []
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(
        questions,
        "ask_export_path",
        lambda _, title, path, kinds: suggested.append(path) or tmp_path / "out" / "mine.md",
    )
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    read(qtbot, window, session)
    folder = session.shelf.current.path.parent
    for _ in range(2):
        with qtbot.waitSignal(session.notice_raised):
            window.actions_by_name["export"].trigger()
    assert suggested[0].name == f"{folder.name}.md"
    assert suggested[1] == tmp_path / "out" / f"{folder.name}.md"
    assert session.choices.settings.last_folder == ""


def test_selected_pages_are_exported_alone_and_only_they_are_saved(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.md")
    open_and_load(qtbot, session, *(draw_page(name) for name in ("a.png", "b.png", "c.png")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 3)
    assert not window.actions_by_name["export_selected"].isEnabled()
    session.read_all()
    wait_until_idle(qtbot, session)
    window.page_list.select(session.shelf.refs[0])
    window.page_list.select_too([session.shelf.refs[2]])
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export_selected"].trigger()
    text = (tmp_path / "out.md").read_text()
    assert [f"of {name}.png" in text for name in "abc"] == [True, False, True]
    assert session.unsaved.loss(session.shelf.refs).read == 1


def export_by_scan(window: MainWindow, kind: TextFormat = TextFormat.MARKDOWN) -> None:
    """Choose a kind of file in the menu for one file for each scan."""
    menu = window.actions_by_name["export_by_scan"].menu()
    (action,) = (each for each in menu.actions() if kind.label in each.text())
    action.trigger()


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        (TextFormat.MARKDOWN, b"<!-- page: "),
        (TextFormat.PLAIN_TEXT, b"page 1 of"),
        (TextFormat.PDF, b"%PDF-"),
    ],
)
def test_each_file_can_be_exported_to_any_kind_of_file(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: TextFormat,
    begins: bytes,
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: out)
    open_and_load(qtbot, session, *(draw_page(name) for name in ("a.png", "b.png")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    until_idle(qtbot, session, session.read_all)
    with qtbot.waitSignal(session.notice_raised):
        export_by_scan(window, kind)
    assert sorted(file.name for file in out.iterdir()) == [f"a{kind.value}", f"b{kind.value}"]
    assert all(file.read_bytes().startswith(begins) for file in out.iterdir())
    assert session.unsaved.loss(session.shelf.refs).read == 0


def test_no_scan_gets_a_plain_text_that_would_be_its_true_one(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: tmp_path)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    export_by_scan(window, TextFormat.PLAIN_TEXT)
    assert not session.exporter.is_exporting
    assert sentences_in(window.notice_bar)[-1] == (
        "scan.png: a text there would be named as its true text. Export to another folder."
    )


def test_the_kind_of_file_that_was_exported_last_is_suggested_next(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suggested: list[str] = []

    def choose(_window: object, _title: str, suggestion: Path, _kinds: str) -> Path:
        suggested.append(suggestion.suffix)
        return tmp_path / "mine.PDF"

    monkeypatch.setattr(questions, "ask_export_path", choose)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    for _ in range(2):
        with qtbot.waitSignal(session.notice_raised):
            window.actions_by_name["export"].trigger()
    session.choices.remember(export_suffix="/../nonsense")
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export"].trigger()
    assert suggested == [".md", ".pdf", ".md"]


def test_each_file_is_exported_to_one_of_its_own_and_none_is_replaced_unasked(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.md").write_text("corrected by hand")
    asked: list[list[str]] = []
    answers = iter((False, True))

    def ask_replace(_: object, files: list[Path]) -> bool:
        asked.append([file.name for file in files])
        return next(answers)

    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: out)
    monkeypatch.setattr(questions, "ask_replace", ask_replace)
    action = window.actions_by_name["export_by_scan"]
    open_and_load(qtbot, session, *(draw_page(name, pages=2) for name in ("a.tiff", "b.tiff", "c.tiff")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 6)
    assert not action.isEnabled()
    session.read((session.shelf.refs[0], *session.shelf.refs[2:4]))
    wait_until_idle(qtbot, session)
    export_by_scan(window)
    assert asked == [["b.md"]]
    assert not session.exporter.is_exporting
    with qtbot.waitSignal(session.notice_raised):
        export_by_scan(window)
    assert {file.name: file.read_text().count("<!-- page: ") for file in out.iterdir()} == {
        "a.md": 1,
        "b.md": 2,
    }
    assert sentences_in(window.notice_bar)[-1] == (
        f"Exported 3 pages to 2 files in {out}. Pages without text, left out: 3."
    )
    assert session.unsaved.loss(session.shelf.refs).read == 0


def test_a_text_that_comes_while_the_question_is_open_replaces_no_file_unasked(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("corrected by hand")
    asked: list[list[str]] = []

    def ask_replace(_: object, files: list[Path]) -> bool:
        asked.append([file.name for file in files])
        session.shelf.select(session.shelf.refs[1])
        session.edit_text("typed meanwhile")
        return len(asked) == 1

    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: tmp_path)
    monkeypatch.setattr(questions, "ask_replace", ask_replace)
    open_and_load(qtbot, session, *(draw_page(name) for name in ("a.png", "b.png")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    read(qtbot, window, session)
    export_by_scan(window)
    assert asked == [["a.md"], ["b.md"]]
    assert not session.exporter.is_exporting


def test_a_file_keeps_its_name_whichever_scans_have_text(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    open_and_load(qtbot, session, *(draw_page(name) for name in ("scan.png", "scan.tiff")))
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    session.shelf.select(session.shelf.refs[1])
    session.edit_text("typed")
    before = session.exporter.files_in(tmp_path, TextFormat.MARKDOWN)
    session.shelf.select(session.shelf.refs[0])
    session.edit_text("typed too")
    assert before == session.exporter.files_in(tmp_path, TextFormat.MARKDOWN)[1:]


def test_no_open_scan_is_replaced_by_a_file_for_another(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scan = draw_page()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scan.md").symlink_to(scan)
    before = scan.read_bytes()
    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: tmp_path / "out")
    open_and_load(qtbot, session, scan)
    read(qtbot, window, session)
    export_by_scan(window)
    assert not session.exporter.is_exporting
    assert sentences_in(window.notice_bar)[-1] == (
        "scan.md: not overwritten, because it is open as a scan. Export to another folder."
    )
    assert scan.read_bytes() == before


def test_a_pdf_is_not_written_over_the_scan_and_another_name_is_suggested(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(pdf_of_pages(1))
    before = scan.read_bytes()
    (tmp_path / "scan (text).assets").mkdir()
    offered: list[tuple[str, str]] = []
    names = iter((scan, tmp_path / "scan (text).pdf"))

    def choose(_window: object, _title: str, suggestion: Path, kinds: str) -> Path:
        offered.append((suggestion.name, kinds))
        return next(names)

    monkeypatch.setattr(questions, "ask_export_path", choose)
    open_and_load(qtbot, session, scan)
    read(qtbot, window, session)
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export"].trigger()
    assert offered[1:] == [("scan (text).pdf", "Searchable PDF (*.pdf)")]
    assert sentences_in(window.notice_bar) == (
        "scan.pdf: not overwritten, because it is open as a scan. Choose another name.",
        f"Exported 1 page to {tmp_path / 'scan (text).pdf'}.",
    )
    assert scan.read_bytes() == before


def test_a_pdf_may_be_written_beside_scans_where_figures_would_be(
    qtbot: QtBot, window: MainWindow, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.assets").mkdir()
    page_image().save(tmp_path / "out.assets" / "page-1-figure-1.png")
    open_and_load(qtbot, session, tmp_path / "out.assets" / "page-1-figure-1.png")
    read(qtbot, window, session)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.pdf")
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export"].trigger()
    assert (tmp_path / "out.pdf").exists()


def test_a_scan_that_is_open_is_not_overwritten_by_an_export(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = draw_page()
    before = scan.read_bytes()
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: scan.parent / "." / scan.name)
    open_and_load(qtbot, session, scan)
    read(qtbot, window, session)
    window.actions_by_name["export_overlay"].trigger()
    assert not session.exporter.is_exporting
    assert sentences_in(window.notice_bar) == (
        "scan.png: not overwritten, because it is open as a scan. Export under another name.",
    )
    assert scan.read_bytes() == before


@pytest.mark.parametrize(
    ("action", "name", "ending"),
    [
        ("export", "out.png", ".md, .txt or .pdf"),
        ("export", "out.docx", ".md, .txt or .pdf"),
        ("export", "out.heic", ".md, .txt or .pdf"),
        ("export_overlay", "out.JPG", ".png"),
        ("export_overlay", "scan.txt", ".png"),
        ("export_plan", "out.pdf", ".json"),
        ("export_plan", "out.md", ".json"),
    ],
)
def test_nothing_is_exported_under_the_name_of_another_kind_of_file(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    name: str,
    ending: str,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / name)
    open_and_load(qtbot, session, draw_page())
    read(qtbot, window, session)
    window.actions_by_name[action].trigger()
    assert not session.exporter.is_exporting
    (sentence,) = sentences_in(window.notice_bar)
    assert sentence.startswith(f"{name}: not written, because it would be no {Path(name).suffix} file.")
    assert sentence.endswith(f"Choose a name that ends in {ending}.")


def test_plain_text_is_offered_and_not_written_under_the_name_of_a_true_text(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offered: list[tuple[str, str]] = []
    scan = draw_page()
    names = iter(("scan.txt", "Scan-page1.txt", "letter.txt", "scan.txt", None))

    def choose(_window: object, _title: str, suggestion: Path, kinds: str) -> Path | None:
        offered.append((suggestion.name, kinds))
        name = next(names)
        return scan.parent / name if name else None

    monkeypatch.setattr(questions, "ask_export_path", choose)
    open_and_load(qtbot, session, scan)
    read(qtbot, window, session)
    told = emissions(session.exporter.notice_raised)
    window.actions_by_name["export"].trigger()
    refused = sentences_in(window.notice_bar)
    assert "scan.txt: not written, because it is named as the true text of scan.png." in " ".join(refused)
    qtbot.waitUntil(lambda: bool(told))
    assert (scan.parent / "letter.txt").read_text(encoding="utf-8") == f"{session.current_text}\n"
    assert offered == [
        ("scan.md", "Markdown (*.md);;Plain text (*.txt);;Searchable PDF (*.pdf)"),
        ("scan (text).txt", "Plain text (*.txt)"),
        ("Scan-page1 (text).txt", "Plain text (*.txt)"),
    ]
    window.actions_by_name["export_selected"].trigger()
    assert not session.exporter.is_exporting, "the second question was answered with Cancel"
    assert sorted(path.name for path in scan.parent.glob("*.txt")) == ["letter.txt"]


def test_plain_text_has_no_figures_that_would_lie_in_the_way_of_a_scan(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "out.assets").mkdir()
    open_and_load(qtbot, session, draw_page("out.assets/scan.png"))
    read(qtbot, window, session)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.md")
    window.actions_by_name["export"].trigger()
    assert not session.exporter.is_exporting
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "out.txt")
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export"].trigger()
    assert [path.name for path in tmp_path.glob("out.*") if path.is_file()] == ["out.txt"]


@pytest.mark.parametrize("by_scan", [False, True])
def test_a_scan_that_is_open_is_not_replaced_by_a_figure(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    by_scan: bool,
) -> None:
    (tmp_path / "scan.assets").mkdir()
    figure = tmp_path / "scan.assets" / "page-1-figure-1.png"
    draw_page().replace(figure)
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / "scan.md")
    monkeypatch.setattr(questions, "ask_export_folder", lambda *_: tmp_path)
    open_and_load(qtbot, session, draw_page(), figure)
    qtbot.waitUntil(lambda: len(session.shelf.refs) == 2)
    read(qtbot, window, session)
    if by_scan:
        export_by_scan(window)
    else:
        window.actions_by_name["export"].trigger()
    assert not session.exporter.is_exporting
    (sentence,) = sentences_in(window.notice_bar)
    assert sentence.startswith(
        "page-1-figure-1.png: this scan is open, and it lies in the folder where the figures would be"
    )


def test_a_very_long_name_has_room_for_what_is_added_to_it(
    qtbot: QtBot,
    window: MainWindow,
    session: Session,
    draw_page: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "ask_export_path", lambda _, title, path, kinds: tmp_path / path.name)
    open_and_load(qtbot, session, draw_page(f"{240 * 'n'}.png"))
    with qtbot.waitSignal(session.notice_raised):
        window.actions_by_name["export_overlay"].trigger()
    assert (tmp_path / f"{200 * 'n'}-overlay.png").exists()
    monkeypatch.setattr(questions, "ask_export_path", lambda *_: tmp_path / f"{300 * 'n'}.png")
    with qtbot.waitSignal(session.notice_raised) as told:
        window.actions_by_name["export_overlay"].trigger()
    assert "was not written (File name too long)" in told.args[0].sentence


def test_the_overlay_of_a_page_that_is_only_looked_at_can_be_exported(
    qtbot: QtBot, window: MainWindow, session: Session, draw_page: Draw
) -> None:
    exports = [window.actions_by_name[name] for name in ("export_overlay", "export_plan")]
    open_and_load(qtbot, session, draw_page("a.png"), draw_page("b.png"))
    for ref in session.shelf.refs:
        with qtbot.waitSignal(session.planner.plan_changed, check_params_cb=lambda plan: plan is not None):
            session.shelf.select(None)
            assert not any(action.isEnabled() for action in exports)
            session.shelf.select(ref)
        assert all(action.isEnabled() for action in exports)


def test_exported_markdown_holds_every_page_that_has_text(
    qtbot: QtBot, session: Session, draw_page: Draw, states: dict[str, PageStatus], tmp_path: Path
) -> None:
    open_and_load(qtbot, session, draw_page("two.tiff", pages=2))
    session.read_all()
    qtbot.waitUntil(lambda: len(states) == 2 and not session.reader.activity.reading)
    session.edit_text("mine")
    export_text(qtbot, session, tmp_path / "out.md")
    written = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "mine" in written
    assert "page 2 of two.tiff" in written
    assert session.unsaved.loss(session.shelf.refs).typed == 0


def test_an_export_that_fails_is_told_and_the_edits_still_count_as_unsaved(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path, notices: list[str]
) -> None:
    open_and_load(qtbot, session, draw_page())
    session.edit_text("mine")
    export_text(qtbot, session, tmp_path)
    assert len(notices) == 1
    assert session.unsaved.loss(session.shelf.refs).typed == 1


def test_pages_that_left_while_a_file_was_being_named_do_not_cost_that_file(
    qtbot: QtBot, session: Session, draw_page: Draw, tmp_path: Path
) -> None:
    notices = emissions(session.notice_raised)
    open_and_load(qtbot, session, draw_page())
    read_selected(qtbot, session)
    (tmp_path / "out.md").write_text("before")
    refs = session.shelf.refs
    session.shelf.remove(refs)
    session.exporter.export_text(tmp_path / "out.md", refs)
    assert notices[-1].sentence == "out.md: not written: its pages are no longer in the list."
    assert (tmp_path / "out.md").read_text() == "before"
