"""`rtocr read`: which pages it reads and how, and what it tells of each of them."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from rtocr_gui.cli import pages
from rtocr_gui.cli.reading_words import summary_of, warnings_about
from rtocr_gui.errors import CheckpointError
from rtocr_gui.ocr.reading import TASKS, Doubt, Mode, Reading, ReadSettings, Scaling, StopReason
from tests.broken_files import PASSWORD, encrypted_pdf, write_broken_files
from tests.fake_engine import FakeEngine
from tests.made_pages import page_image
from tests.made_readings import make_reading
from tests.tasks import TEXT


@pytest.mark.parametrize(
    ("rotation", "size_px", "red_at"), [((), (300, 200), (5, 5)), (("--rotate", 90), (200, 300), (195, 5))]
)
def test_pages_are_turned_before_they_are_read(rtocr, tmp_path, monkeypatch, rotation, size_px, red_at):
    image = Image.new("RGB", (300, 200), "white")
    image.paste((255, 0, 0), (0, 0, 60, 40))
    image.save(tmp_path / "marked.png")
    engine, seen = FakeEngine(), []
    read_together = engine.read_together

    def look(requests, most):
        pages = list(requests)
        seen.extend(request.page.image for request in pages)
        return read_together(pages, most)

    monkeypatch.setattr(engine, "read_together", look)
    assert rtocr("read", tmp_path / "marked.png", *rotation, engine=engine).code == 0
    assert [image.size for image in seen] == [size_px]
    assert seen[0].getpixel(red_at) == (255, 0, 0)


@pytest.mark.parametrize(
    ("split", "sides"), [("left-right", ["left", "right"]), ("top-bottom", ["top", "bottom"])]
)
def test_pages_are_read_in_halves_as_they_lie(rtocr, page, tmp_path, split, sides):
    result = rtocr("read", page, tmp_path / "gone.png", page, "--split", split, "--rotate", 90)
    assert result.code == 1
    assert re.findall("<!-- page: (.*) -->", result.out) == [
        f"page.png, page 1, {side} half" for _ in range(2) for side in sides
    ]
    told = [line for line in result.err if "tokens at" in line or "with other pages" in line]
    assert [line.partition(": ")[0] for line in told] == [
        f"{page}, page 1 of 1, {side} half" for _ in range(2) for side in sides
    ]


def test_halves_too_narrow_to_read_are_reported_each(rtocr, tmp_path):
    page_image((400, 12)).save(tmp_path / "strip.png")
    result = rtocr("read", tmp_path / "strip.png", "--split", "top-bottom", "-q")
    assert result.code == 1
    assert len(result.err) == 2
    for side, line in zip(("top", "bottom"), result.err, strict=True):
        assert f"strip.png, page 1, {side} half: This part is 400 x " in line


def test_nothing_is_said_of_the_pace_where_nothing_was_decoded():
    settings = ReadSettings(Scaling(Mode.TINY), TEXT)
    assert summary_of(make_reading(settings, token_ids=())).startswith("0 tokens; ")


def test_a_page_is_turned_by_quarters_only(rtocr, page):
    result = rtocr("read", page, "--rotate", 45)
    assert result.code == 2
    assert "invalid choice: 45" in result.err[-1]


def test_the_text_goes_to_stdout_as_markdown_and_progress_to_stderr(rtocr, page):
    result = rtocr("read", page, "--retention", "0.5")
    assert result.code == 0
    assert result.out == "<!-- page: page.png, page 1 -->\n\npage 1 of page.png at 0.50\n"
    assert len(result.err) == 2
    assert result.err[0].startswith("Fake model on cpu (float32, loaded in 0.0 s). Reads nothing.")
    assert "page 1 of 1: 6 tokens at 150 tokens/s; 32 of 64 visual tokens kept (as asked)" in result.err[1]


def test_pages_of_files_of_the_same_name_are_told_apart_by_their_folders(rtocr, page, tmp_path):
    for folder in ("may", "june"):
        (tmp_path / folder).mkdir()
        page_image().save(tmp_path / folder / "scan.png")
    files = (tmp_path / "may", page, tmp_path / "gone", tmp_path / "june" / "scan.png")
    result = rtocr("read", *files, "-q")
    assert re.findall("<!-- page: (.*) -->", result.out) == [
        "may/scan.png, page 1",
        "page.png, page 1",
        "june/scan.png, page 1",
    ]
    assert len(result.err) == 1
    assert "no such file" in result.err[0]


def test_several_files_and_pages_come_out_as_one_document_with_rules_between(rtocr, page, book):
    result = rtocr("read", page, book, "--pages", "1-2", "-q")
    assert result.out.count("\n---\n\n<!-- page: ") == 2
    assert [line for line in result.out.splitlines() if line.startswith("page ")] == [
        "page 1 of page.png at 0.76",
        "page 1 of book.pdf at 0.76",
        "page 2 of book.pdf at 0.76",
    ]


def test_quiet_tells_errors_only(rtocr, page, tmp_path):
    result = rtocr("read", page, tmp_path / "missing.png", "-q")
    assert result.err == [
        f"rtocr: {tmp_path / 'missing.png'}: There is no such file. Check its name and location."
    ]


def test_pages_are_read_in_the_order_asked_for_each_once(rtocr, book):
    result = rtocr("read", book, "-q", "--pages", "4-,1-2,2")
    assert [line[5] for line in result.out.splitlines() if line.startswith("page ")] == list("4512")


def test_a_page_that_a_file_lacks_is_told_and_the_others_are_read(rtocr, book, page):
    result = rtocr("read", book, page, "-q", "--pages", "1,5-7")
    assert result.code == 1
    assert result.told == [
        f"rtocr: {book}: There is no page 6: the last one is page 5.",
        f"rtocr: {page}: There is no page 5: the last one is page 1.",
    ]
    assert result.out.count("<!-- page: ") == 3


def test_one_bad_file_among_good_ones_costs_nothing_but_itself(rtocr, page, book, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    broken = write_broken_files(folder)
    result = rtocr("read", page, *[file.path for file in broken], book, "-q")
    assert result.code == 1
    assert result.out.count("<!-- page: ") == 6
    assert len(result.err) == len(broken)
    for line, file in zip(result.err, broken, strict=True):
        where = f"{file.path}, page 1" if file.refused_at == "page" else str(file.path)
        assert line.startswith(f"rtocr: {where}: ")
        assert file.words in line


def test_a_page_the_model_fails_on_is_told_and_the_others_are_read(rtocr, page, book):
    engine = FakeEngine()
    engine.broken_pages = {"page.png"}
    result = rtocr("read", page, book, "-q", engine=engine)
    assert result.code == 1
    assert result.told == [f"rtocr: {page}, page 1: The model could not read this page."]
    assert result.out.count("<!-- page: ") == 5


def test_the_model_is_loaded_once_and_only_when_a_page_is_at_hand(rtocr, page, book, tmp_path):
    loads: list[tuple[Path, str]] = []

    class CountingEngine(FakeEngine):
        def load(self, folder, device="auto", *rest):
            loads.append((folder, device))
            return super().load(folder, device)

    rtocr("read", tmp_path / "missing.png", engine=CountingEngine())
    assert loads == []
    rtocr("read", page, book, "--model", tmp_path, "--device", "cpu", engine=CountingEngine())
    assert loads == [(tmp_path, "cpu")]


def test_a_model_that_cannot_be_loaded_is_told_once(rtocr, page, book):
    engine = FakeEngine()
    engine.load_error = CheckpointError("There is no folder. Choose another.")
    result = rtocr("read", page, book, engine=engine)
    assert (result.code, result.out) == (1, "")
    assert result.err == ["rtocr: There is no folder. Choose another."]


def test_a_mode_or_task_the_model_was_not_made_for_is_warned_of_and_used(rtocr, page):
    result = rtocr("read", page, "-q", "--mode", "base", "--task", "markdown")
    assert result.code == 0
    assert result.told == [
        "rtocr: warning: Fake model was made for mode tiny, not for mode base. The result may be wrong.",
        "rtocr: warning: Fake model was made for task text, not for task markdown. The result may be wrong.",
    ]
    assert "page 1 of page.png" in result.out


@pytest.mark.parametrize(
    ("options", "mode", "task"), [((), "auto", "text"), (("--mode", "large"), "large", "text")]
)
def test_auto_is_the_default_mode_and_the_model_s_own_task_the_default_task(rtocr, page, options, mode, task):
    asked = []

    class RecordingEngine(FakeEngine):
        def read(self, page, settings, cancel):
            asked.append((settings.scaling.name, settings.task.name, settings.pruning.retention))
            return super().read(page, settings, cancel)

    rtocr("read", page, *options, engine=RecordingEngine())
    assert asked == [(mode, task, None)]


def test_the_mode_that_auto_came_to_is_told_without_a_warning(rtocr, page):
    result = rtocr("read", page, "--mode", "auto")
    assert (result.code, result.told) == (0, [])
    assert "; mode tiny; " in result.err[1]
    assert ", mode tiny\n" in rtocr("plan", page, "-q", "--mode", "auto").out
    assert json.loads(rtocr("plan", page, "-q", "--json").out)["mode"] == "tiny"


@pytest.mark.parametrize(
    ("task", "words", "prompt"),
    [
        ("locate", "grand  total", "\nLocate <|ref|>grand total<|/ref|> in the image."),
        ("own", "Who signed this?", "\nWho signed this?"),
    ],
)
def test_a_model_that_takes_words_is_asked_in_words(rtocr, page, task, words, prompt):
    engine = FakeEngine()
    engine.tasks = TASKS
    engine.said = ["<|ref|>total<|/ref|><|det|>[[0, 333, 999, 666]]<|/det|>"]
    result = rtocr("read", page, "-q", "--task", task, "--words", words, engine=engine)
    assert (result.code, result.told) == (0, [])
    assert [settings.task.prompt for settings in engine.asked] == [prompt]


def test_words_that_are_located_come_with_their_places(rtocr, page):
    engine = FakeEngine()
    engine.tasks = TASKS
    engine.said = ["<|ref|>total<|/ref|><|det|>[[0, 333, 999, 666], [100, 0, 200, 999]]<|/det|>"]
    result = rtocr("read", page, "-q", "--task", "locate", "--words", "total", engine=engine)
    assert "\n- total: left 0.0 %, top 33.3 %, right 100.0 %, bottom 66.7 % of the page\n" in result.out
    assert "\n- total: left 10.0 %, top 0.0 %, right 20.0 %, bottom 100.0 % of the page\n" in result.out


def test_words_that_were_found_are_not_told_as_missing_whatever_is_written(rtocr, page, tmp_path):
    engine = FakeEngine()
    engine.tasks = TASKS
    engine.said = ["<|ref|>total<|/ref|><|det|>[[100, 0, 200, 999]]<|/det|>"]
    for name in ("places.md", "places.pdf"):
        output = tmp_path / name
        command = ("read", page, "-q", "--task", "locate", "--words", "total", "-o", output)
        assert rtocr(*command, engine=engine).told == []
        assert output.exists()


def test_words_without_a_place_are_told(rtocr, page):
    engine = FakeEngine()
    engine.tasks = TASKS
    engine.said = ["<|ref|>total<|/ref|><|det|>[]<|/det|>"]
    result = rtocr("read", page, "-q", "--task", "locate", "--words", "total", engine=engine)
    assert result.told == [f"rtocr: warning: {page}, page 1 of 1: the model gave no position for “total”."]


def test_words_for_a_model_that_was_not_made_for_them_are_warned_of_and_used(rtocr, page):
    engine = FakeEngine()
    result = rtocr("read", page, "-q", "--task", "locate", "--words", "total", engine=engine)
    assert result.code == 0
    assert [line for line in result.told if "not for task locate" in line]
    assert engine.asked[0].task.words == "total"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--task", "locate"), 'task locate needs --words "..."'),
        (("--task", "own", "--words", "  "), "--words: There are no words to ask for. Type some."),
        (("--task", "own", "--words", "<image>"), "--words: “<image>” is a control code of the model"),
        (("--task", "own", "--words", "\udcff"), "--words: These words contain half a character"),
        (("--task", "text", "--words", "total"), "--words goes with --task locate or --task own"),
        (("--words", "total"), "--words goes with --task locate or --task own"),
    ],
)
def test_words_that_are_missing_or_have_no_task_are_told_before_a_model_is_loaded(
    rtocr, page, options, sentence
):
    engine = FakeEngine()
    engine.load_error = CheckpointError("Loaded.")
    result = rtocr("read", page, *options, engine=engine)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err[-1]


@pytest.mark.parametrize(
    ("reason", "words"), [(StopReason.LOOP, "repeat itself"), (StopReason.LENGTH, "length limit")]
)
def test_a_text_that_was_cut_short_is_warned_of(rtocr, page, reason, words):
    class StoppingEngine(FakeEngine):
        def read(self, page, settings, cancel):
            for event in super().read(page, settings, cancel):
                if isinstance(event, Reading):
                    values = {name: getattr(event, name) for name in Reading.__slots__}
                    event = Reading(**{**values, "stop_reason": reason})
                yield event

    result = rtocr("read", page, "-q", engine=StoppingEngine())
    assert result.code == 0
    assert len(result.told) == 1
    assert words in result.told[0]
    assert "page 1 of page.png" in result.out


@pytest.mark.parametrize(
    ("larger", "words"),
    [
        (Mode.BASE, "too small for mode tiny. Its text may be wrong. Try --mode base."),
        (
            None,
            "too small for Fake model. Its text may be wrong. Try --split top-bottom, or left-right if the "
            "page is wide. DeepSeek-OCR reads smaller print",
        ),
    ],
)
def test_print_that_is_too_small_is_warned_of_once_for_each_page(rtocr, book, larger, words):
    engine = FakeEngine()
    engine.doubts, engine.larger_mode = {Mode.TINY: Doubt.SMALL_PRINT}, larger
    result = rtocr("read", book, "-q", "--pages", "1-2", engine=engine)
    assert result.code == 0
    assert len(result.told) == 2
    assert all(words in line and f"page {number} of 5" in line for number, line in enumerate(result.told, 1))
    assert rtocr("read", book, "-q").told == []


@pytest.mark.parametrize("mode", [Mode.TINY, Mode.GUNDAM])
@pytest.mark.parametrize("needs_large_print", [False, True])
def test_deepseek_ocr_is_advised_where_it_reads_smaller_print(mode, needs_large_print):
    reading = make_reading(
        ReadSettings(Scaling(mode), TEXT), doubt=Doubt.SMALL_PRINT, needs_large_print=needs_large_print
    )
    (told,) = warnings_about(reading)
    assert told.endswith("DeepSeek-OCR reads smaller print: rtocr models download.") is needs_large_print


def test_a_page_of_which_much_was_not_read_is_warned_of(rtocr, page):
    engine = FakeEngine()
    engine.doubts = {Mode.TINY: Doubt.UNREAD_PRINT}
    assert (
        "much of its print seems to be missing in the text. Try --split"
        in rtocr("read", page, engine=engine).err[-1]
    )
    assert "missing in the text" not in " ".join(rtocr("read", page).err)


@pytest.mark.parametrize("doubt", [Doubt.UNREAD_PRINT, Doubt.UNSURE_WORDS])
def test_where_few_tokens_were_kept_as_asked_more_are_advised(rtocr, page, doubt):
    engine = FakeEngine()
    engine.doubts = {Mode.TINY: doubt}
    (told,) = rtocr("read", page, "-q", "--retention", "0.5", engine=engine).told
    assert told.endswith("Try a larger --retention.")
    (told,) = rtocr("read", page, "-q", "--retention", "1", engine=engine).told
    assert "--retention" not in told


def test_unsure_words_are_counted_and_a_page_with_many_is_warned_of(rtocr, page):
    engine = FakeEngine()
    engine.said, engine.unsure_of = ["thank ", "yov ", "Mrs"], {"yov"}
    told = rtocr("read", page, engine=engine).err[-1]
    assert "3 tokens at 75 tokens/s; 1 of 3 words unsure; " in told
    engine.doubts = {Mode.TINY: Doubt.UNSURE_WORDS}
    (told,) = rtocr("read", page, "-q", engine=engine).told
    assert "Fake model was unsure of 33 % of the words. The text may be wrong. The print may be" in told


def test_a_page_that_is_too_long_for_its_mode_is_warned_of(rtocr, book):
    engine = FakeEngine()
    engine.doubts = {Mode.TINY: Doubt.LONG_PAGE}
    words = "too long or too wide for mode tiny of Fake model. Its text may be wrong. "
    (told,) = rtocr("read", book, "-q", "--pages", "1", engine=engine).told
    assert told.endswith(f"{words}Try --split top-bottom, or left-right if the page is wide.")
    halves = rtocr("read", book, "-q", "--pages", "1", "--split", "top-bottom", engine=engine).told
    assert [line.endswith(f"{words}Try --crop to read one part after the other.") for line in halves] == [
        True
    ] * 2


def test_a_page_without_text_is_told_but_not_to_quiet_people(rtocr, page):
    engine = FakeEngine()
    engine.said = ["\n"]
    result = rtocr("read", page, engine=engine)
    assert result.code == 0
    assert result.err[-1] == f"{page}, page 1 of 1: no text was found."
    assert rtocr("read", page, "-q", engine=engine).err == []
    assert not any("no text" in line for line in rtocr("read", page).err)


def test_file_names_cannot_break_lines_or_steer_the_terminal(rtocr, tmp_path):
    result = rtocr("read", tmp_path / "a\n\x1b[2Jb.png")
    assert len(result.err) == 1
    assert "a??[2Jb.png" in result.err[0]


# Passwords


def test_an_encrypted_file_is_read_with_its_password(rtocr, tmp_path):
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf())
    assert rtocr("read", path).told == [
        f"rtocr: {path}: The file is encrypted. Give its password with --password."
    ]
    assert "is wrong" in rtocr("read", path, "--password", "guess").told[0]
    assert rtocr("read", path, "--password", PASSWORD).code == 0


@pytest.mark.parametrize(
    ("typed", "code", "asked"), [(["guess", PASSWORD], 0, 2), (["a", "b", "c", "d"], 1, 3), ([""], 1, 1)]
)
def test_a_person_at_the_terminal_is_asked_for_the_password(rtocr, tmp_path, monkeypatch, typed, code, asked):
    path = tmp_path / "locked.pdf"
    path.write_bytes(encrypted_pdf())
    prompts: list[str] = []
    answers = iter(typed)

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return next(answers)

    monkeypatch.setattr(pages.getpass, "getpass", answer)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert rtocr("read", path, "-q").code == code
    assert len(prompts) == asked
    assert prompts[0].startswith("locked.pdf: The PDF is encrypted.")
    assert all("is wrong" in prompt for prompt in prompts[1:])


def test_a_password_that_is_refused_with_ctrl_d_costs_that_file_only(rtocr, page, tmp_path, monkeypatch):
    path = tmp_path / "locked\x1b[2J.pdf"
    path.write_bytes(encrypted_pdf())
    prompts: list[str] = []

    def press_ctrl_d(prompt: str) -> str:
        prompts.append(prompt)
        raise EOFError

    monkeypatch.setattr(pages.getpass, "getpass", press_ctrl_d)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    result = rtocr("read", path, page, "-q")
    assert (result.code, result.out.count("<!-- page: ")) == (1, 1)
    assert [line.partition(": The PDF is encrypted.")[0] for line in result.told] == [
        f"rtocr: {tmp_path / 'locked?[2J.pdf'}"
    ]
    assert len(prompts) == 1
    assert prompts[0].startswith("locked?[2J.pdf: "), "the prompt cannot steer the terminal"


# Several pages at a time


class CountingEngine(FakeEngine):
    """Notes how many pages were asked for at a time, and which of them ended."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[int | None] = []
        self.ended: list[int] = []

    def read(self, page, settings, cancel):
        self.said = ["long "] * 20 if page.ref.index == 0 else []
        yield from super().read(page, settings, cancel)
        self.ended.append(page.ref.index)

    def read_together(self, requests, most=None):
        self.together.append(most)
        return super().read_together(requests, most)


@pytest.mark.parametrize(
    ("options", "most"), [((), None), (("--together", 4), 4), (("--together", "auto"), None)]
)
def test_several_pages_are_read_at_a_time(rtocr, book, options, most):
    engine = CountingEngine()
    assert rtocr("read", book, "-q", *options, engine=engine).code == 0
    assert engine.together == [most]


def test_one_page_is_read_by_itself(rtocr, page, book):
    engine = CountingEngine()
    rtocr("read", page, book, "-q", "--pages", "1", "--together", 4, engine=engine)
    rtocr("read", book, "-q", "--pages", "3", "--together", 4, engine=engine)
    assert engine.together == [4, 1]


def test_pages_are_written_in_their_order_whichever_ends_first(rtocr, page, book, tmp_path):
    engine = CountingEngine()
    result = rtocr("read", book, tmp_path / "missing.png", page, "-q", engine=engine)
    assert engine.ended[0] != 0
    assert [line[:6] for line in result.out.splitlines() if line.startswith(("page", "long"))] == [
        "long l",
        *(f"page {number}" for number in range(2, 6)),
        "long l",
    ]
    assert len(result.told) == 1
