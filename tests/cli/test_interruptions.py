"""Ctrl-C ends `rtocr` at once, and what was read until then is not lost."""

import signal
import sys
from types import SimpleNamespace

from rtocr_gui.cli import __main__ as entry
from rtocr_gui.cli import pages
from rtocr_gui.cli.progress import CLEAR_LINE
from rtocr_gui.ocr.reading import Reading, TextDelta
from tests.broken_files import encrypted_pdf
from tests.fake_engine import FakeEngine


def test_what_was_read_before_an_interruption_is_in_the_files_of_the_folder(
    rtocr, page, book, tmp_path, monkeypatch
):
    engine = FakeEngine()
    together = engine.read_together

    def interrupted(requests, most):
        for request, event in together(requests, most):
            yield request, event
            if isinstance(event, Reading) and request.page.ref.path == book:
                raise KeyboardInterrupt

    monkeypatch.setattr(engine, "read_together", interrupted)
    texts = tmp_path / "texts"
    texts.mkdir()
    assert rtocr("read", page, book, "-q", "-o", texts, engine=engine).code == 130
    assert "page 1 of page.png" in (texts / "page.md").read_text()
    assert (texts / "book.md").read_text().count("<!-- page: ") == 1


class InterruptedEngine(FakeEngine):
    """Ctrl-C is pressed after the second word of a page, as often as asked."""

    def __init__(self, page_index: int, times: int = 1) -> None:
        super().__init__()
        self.page_index, self.times = page_index, times

    def read(self, page, settings, cancel):
        words = 0
        for event in super().read(page, settings, cancel):
            yield event
            words += isinstance(event, TextDelta)
            if page.ref.index == self.page_index and words == 2 and isinstance(event, TextDelta):
                for _ in range(self.times):
                    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_stops_the_reading_and_what_was_read_is_written(rtocr, book, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    result = rtocr(
        "read", book, "-q", "-o", tmp_path / "out.md", "--together", 1, engine=InterruptedEngine(1)
    )
    assert result.code == 130
    assert (tmp_path / "out.md").read_text() == (
        "<!-- page: book.pdf, page 1 -->\n\npage 1 of book.pdf at 0.76\n"
        "\n---\n\n<!-- page: book.pdf, page 2 -->\n\npage 2\n"
    )
    assert result.told == [
        f"rtocr: warning: {book}, page 2 of 5: interrupted. The end of its text is missing.",
        "rtocr: interrupted.",
    ]
    assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_at_a_password_writes_what_was_read(rtocr, book, tmp_path, monkeypatch, capsys):
    locked, out = tmp_path / "locked.pdf", tmp_path / "out.md"
    locked.write_bytes(encrypted_pdf())
    told_before = []

    def press_ctrl_c(_prompt: str) -> str:
        told_before.append(capsys.readouterr().err)
        raise KeyboardInterrupt

    monkeypatch.setattr(pages.getpass, "getpass", press_ctrl_c)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    result = rtocr("read", book, locked, "-o", out, "--together", 2)
    assert result.code == 130
    assert out.read_text().count("<!-- page: ") == 5
    assert told_before[0].endswith(CLEAR_LINE), "the question is not asked behind the progress"
    assert result.err[0] == ""
    assert rtocr("read", locked, book, "-o", tmp_path / "none.md").code == 130
    assert not (tmp_path / "none.md").exists()


def test_an_interrupt_that_is_to_be_ignored_is_ignored(rtocr, book):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        result = rtocr("read", book, "-q", "--pages", "1-2", "--together", 1, engine=InterruptedEngine(1))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.code, result.err) == (0, [])
    assert "page 2 of book.pdf at" in result.out


def test_a_second_ctrl_c_does_not_wait_for_the_page(rtocr, book, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    engine = InterruptedEngine(1, times=2)
    result = rtocr("read", book, "-q", "-o", tmp_path / "out.md", "--together", 1, engine=engine)
    assert result.code == 130
    assert (
        tmp_path / "out.md"
    ).read_text() == "<!-- page: book.pdf, page 1 -->\n\npage 1 of book.pdf at 0.76\n"
    assert result.told == ["rtocr: interrupted."]
    assert signal.getsignal(signal.SIGINT) == before


def test_ctrl_c_keeps_what_was_read_of_each_page_that_was_under_way(rtocr, book, tmp_path):
    result = rtocr(
        "read", book, "-q", "-o", tmp_path / "out.md", "--together", 3, engine=InterruptedEngine(2)
    )
    assert result.code == 130
    # Pages take turns word by word, and one begins with each turn.
    said = [line for line in (tmp_path / "out.md").read_text().splitlines() if line.startswith("page ")]
    assert said == ["page 1 of book.pdf at", "page 2 of book.pdf", "page 3"]
    assert result.told == [
        *(
            f"rtocr: warning: {book}, page {number} of 5: interrupted. The end of its text is missing."
            for number in (1, 2, 3)
        ),
        "rtocr: interrupted.",
    ]


def test_a_second_ctrl_c_keeps_pages_that_were_read_before_one_that_was_not(rtocr, page, book, tmp_path):
    class SlowFirst(FakeEngine):
        """Says much of the first page; Ctrl-C is pressed twice when the other one has ended."""

        def read(self, page, settings, cancel):
            self.said = ["word "] * 50 if page.ref.index == 0 else []
            yield from super().read(page, settings, cancel)
            if page.ref.index == 1:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)

    output = tmp_path / "out.md"
    result = rtocr("read", book, "-q", "-o", output, "--pages", "1-2", engine=SlowFirst())
    assert result.code == 130
    assert output.read_text() == "<!-- page: book.pdf, page 2 -->\n\npage 2 of book.pdf at 0.76\n"


def test_ctrl_c_while_the_model_is_loaded_ends_at_once(rtocr, page):
    class InterruptedLoad(FakeEngine):
        def load(self, folder, device="auto", *rest):
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("unreachable")

    result = rtocr("read", page, engine=InterruptedLoad())
    assert (result.code, result.told) == (130, ["rtocr: interrupted."])


def test_an_interrupt_while_the_command_is_imported_is_told(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "rtocr_gui.cli.main")
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=interrupted)])
    assert entry.main() == 130
    assert capsys.readouterr().err == "rtocr: interrupted.\n"
