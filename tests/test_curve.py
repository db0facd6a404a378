"""What a retention curve promises: its order, its points, its truth, its files, and `rtocr curve`."""

import csv
import dataclasses
import io
import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from rtocr_gui.documents import truth
from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.documents.truth import LARGEST_TRUTH_BYTES, Truth, find_truth, read_truth, scan_of_truth
from rtocr_gui.errors import DocumentError, ExportError
from rtocr_gui.export.curve import CurveSource, by_falling_ratio, curve_as_csv, curve_as_json, export_curve
from rtocr_gui.export.markdown import ExportPage, export_markdown
from rtocr_gui.ocr.curve import CURVE_RATIOS, CurvePoint, curve_settings, doubt, read_curve
from rtocr_gui.ocr.reading import TASKS, Mode, Reading, ReadingEvent, ReadSettings, Scaling, StopReason
from rtocr_gui.pruning.plan import PruneSettings
from tests.broken_files import encrypted_pdf, pdf_of_pages, text_pdf
from tests.fake_engine import FakeEngine
from tests.made_readings import REF, make_reading

SETTINGS = ReadSettings(Scaling(Mode.BASE), TASKS[0], PruneSettings(0.3, seed=5), max_new_tokens=77)


def text_at(retention: float | None) -> str:
    """Ten letters, of which every tenth of retention that is missing spoils one."""
    spoilt = 10 - round(10 * (0.76 if retention is None else retention))
    return "x" * spoilt + "abcdefghij"[spoilt:]


def make_points(
    truth: str | None = "abcdefghij", stop: StopReason = StopReason.END
) -> tuple[CurvePoint, ...]:
    def read(settings: ReadSettings) -> Reading:
        return make_reading(settings, text_at(settings.pruning.retention), stop_reason=stop)

    return tuple(read_curve(read, SETTINGS, truth))


# Readings and points


def test_a_curve_has_eight_ratios_up_to_all_tokens_and_the_detents_are_among_them() -> None:
    assert len(set(CURVE_RATIOS)) == 8
    assert max(CURVE_RATIOS) == 1
    assert {0.25, 0.5, 0.75, 0.84, 1.0} <= set(CURVE_RATIOS)


def test_all_tokens_come_first_then_automatic_then_falling_ratios_with_all_else_as_asked() -> None:
    wanted = curve_settings(SETTINGS)
    ratios = [settings.pruning.retention for settings in wanted]
    assert ratios[:2] == [1.0, None]
    assert ratios[2:] == sorted(CURVE_RATIOS[1:], reverse=True)
    assert {dataclasses.replace(settings, pruning=SETTINGS.pruning) for settings in wanted} == {SETTINGS}
    assert {settings.pruning.seed for settings in wanted} == {5}


def test_points_are_compared_with_the_all_token_reading_and_with_the_truth() -> None:
    points = make_points(truth="abcdefghiX")
    assert [point.similarity for point in points[:4]] == [1.0, 0.8, 1.0, 0.9]
    assert [point.error_rate for point in points[:4]] == pytest.approx([0.1, 0.3, 0.1, 0.2])
    assert points[1].automatic
    assert points[1].chosen_retention is None
    assert (points[4].chosen_retention, points[4].kept, points[4].total) == (0.84, 215, 256)
    assert (points[0].prefill_ms, points[0].decode_ms, points[0].tokens, points[0].passes) == (30, 400, 10, 3)


def test_points_tell_how_many_words_the_model_was_unsure_of() -> None:
    reading = make_reading(SETTINGS, "thank yov", word_count=2, unsure_words=((6, 9),))
    point = CurvePoint.of(reading, reading.text, truth=None)
    assert (point.words, point.unsure_words) == (2, 1)


@pytest.mark.parametrize("read_together", [True, False])
def test_a_time_of_decoding_that_others_shared_is_told_as_such(read_together: bool) -> None:
    reading = dataclasses.replace(make_reading(SETTINGS), read_together=read_together)
    point = CurvePoint.of(reading, reading.text, truth=None)
    (row,) = csv.DictReader(io.StringIO(curve_as_csv([point])))
    assert row["read_together"] == str(read_together)


def test_space_around_a_text_is_no_mistake() -> None:
    reading = make_reading(SETTINGS, "\nabcdefghij\n\n")
    assert CurvePoint.of(reading, reading.text, truth="abcdefghij").error_rate == 0


def test_without_a_truth_no_error_rate_is_made_up() -> None:
    assert {point.error_rate for point in make_points(truth=None)} == {None}


def test_a_cancelled_reading_ends_the_curve_and_is_no_point_of_it() -> None:
    asked: list[ReadSettings] = []

    def read(settings: ReadSettings) -> Reading:
        asked.append(settings)
        stop = StopReason.CANCELLED if len(asked) == 3 else StopReason.END
        return make_reading(settings, "ab", stop_reason=stop)

    assert len(list(read_curve(read, SETTINGS, None))) == 2
    assert len(asked) == 3


def test_a_doubtful_all_token_reading_is_told() -> None:
    assert doubt(()) == ""
    assert doubt(make_points()) == ""
    assert "began to repeat itself" in doubt(make_points(stop=StopReason.LOOP))
    assert "was cut off at the length limit" in doubt(make_points(stop=StopReason.LENGTH))
    good, *rest = make_points()
    looping = dataclasses.replace(rest[-1], stop_reason=StopReason.LOOP)
    assert doubt((good, looping)) == ""
    assert not looping.is_whole


# Truth


@pytest.fixture
def beside(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file where the scan lies."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_the_truth_of_a_scan_has_its_name_and_markdown_goes_first(
    tmp_path: Path, beside: Callable[..., Path]
) -> None:
    scan = tmp_path / "scan.png"
    assert find_truth(PageRef(scan, 0, ""), 1) is None
    text = beside("scan.txt", "\ufeffplain\r\ntext\r\n")
    found = find_truth(PageRef(scan, 0, ""), 1)
    assert found is not None
    assert (found.path, found.text) == (text, "plain\ntext")
    beside("scan.md", "# marked up\n")
    found = find_truth(PageRef(scan, 0, ""), 1)
    assert found is not None
    assert found.text == "# marked up"


def test_a_scan_of_a_name_as_long_as_names_get_has_no_truth(tmp_path: Path) -> None:
    assert find_truth(PageRef(tmp_path / f"{'n' * 251}.pdf", 0, ""), 3) is None


def test_a_page_of_several_has_its_own_truth_and_none_in_the_text_of_the_whole_file(
    tmp_path: Path, beside: Callable[..., Path]
) -> None:
    book = tmp_path / "book.pdf"
    beside("book.txt", "all of it")
    beside("book-page2.txt", "the second")
    assert find_truth(PageRef(book, 0, ""), 3) is None
    found = find_truth(PageRef(book, 1, ""), 3)
    assert found is not None
    assert found.text == "the second"


def test_a_page_of_a_pdf_that_was_not_scanned_is_its_own_truth_unless_there_is_another(
    tmp_path: Path, beside: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = text_pdf(b"BT /F1 24 Tf 72 700 Td (As it is printed) Tj ET")
    letter = beside("letter.PDF", printed)
    assert find_truth(PageRef(letter, 0, ""), 1) == Truth(letter, "As it is printed")
    assert find_truth(PageRef(letter, 5, ""), 9) is None, "the file has changed"
    assert find_truth(PageRef(beside("letter.png", printed), 0, ""), 1) is None
    assert find_truth(PageRef(beside("drawing.pdf", pdf_of_pages()), 0, ""), 1) is None
    assert find_truth(PageRef(beside("locked.pdf", encrypted_pdf()), 0, ""), 1) is None
    assert find_truth(PageRef(beside("cut.pdf", printed[:200]), 0, ""), 1) is None
    monkeypatch.setattr(truth, "LARGEST_TRUTH_BYTES", 15)
    assert find_truth(PageRef(letter, 0, ""), 1) is None
    text = beside("letter.txt", "as it should")
    assert find_truth(PageRef(letter, 0, ""), 1) == Truth(text, "as it should")


@pytest.mark.parametrize(
    ("scan", "text"),
    [("SCAN001.PNG", "scan001.md"), ("Ä.png", "a\u0308.txt"), ("Book.pdf", "book-Page3.md")],
)
def test_a_file_is_a_truth_also_if_its_name_is_the_scans_but_for_case_and_the_form_of_accents(
    tmp_path: Path, beside: Callable[..., Path], scan: str, text: str
) -> None:
    """As on Windows and macOS; elsewhere, no harm is done."""
    assert scan_of_truth(beside(text, "true"), [tmp_path / "other.png", tmp_path / scan]) == tmp_path / scan


def test_what_rtocr_exported_is_not_taken_for_the_truth(tmp_path: Path, beside: Callable[..., Path]) -> None:
    export_markdown([ExportPage("scan.png, page 1", "as it was read")], tmp_path / "scan.md")
    assert find_truth(PageRef(tmp_path / "scan.png", 0, ""), 1) is None
    beside("scan.txt", "as it is")
    found = find_truth(PageRef(tmp_path / "scan.png", 0, ""), 1)
    assert found is not None
    assert found.text == "as it is"
    assert read_truth(tmp_path / "scan.md").text == "as it was read", "named as the truth, it is one"


def test_a_scan_called_like_a_text_is_not_its_own_truth(beside: Callable[..., Path]) -> None:
    assert find_truth(PageRef(beside("scan.txt", "really a picture"), 0, ""), 1) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("Gr\u00fc\u00dfe".encode("latin-1"), "is not UTF-8"),
        (b"a" * (LARGEST_TRUTH_BYTES + 1), "more than 200 kB"),
    ],
)
def test_a_truth_that_cannot_be_used_is_refused_with_a_sentence(
    tmp_path: Path, beside: Callable[..., Path], content: bytes, complaint: str
) -> None:
    beside("scan.txt", content)
    with pytest.raises(DocumentError, match=complaint):
        find_truth(PageRef(tmp_path / "scan.png", 0, ""), 1)


def test_a_missing_truth_that_was_named_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"“gone.md” cannot be read as the true text .* \(No such file"):
        read_truth(tmp_path / "gone.md")


# Export

SOURCE = CurveSource(REF, "Fake model", SETTINGS, Path("/scans/page.txt"))


def test_csv_has_a_line_for_each_point_by_falling_ratio(tmp_path: Path) -> None:
    export_curve(make_points(), SOURCE, tmp_path / "curve.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "curve.csv").read_text(encoding="utf-8"))))
    assert [float(row["retention"]) for row in rows] == [1, 0.95, 0.9, 0.84, 0.76, 0.75, 0.65, 0.5, 0.25]
    assert rows[4]["automatic"] == "True"
    assert (rows[0]["kept"], rows[0]["similarity"], rows[0]["stop_reason"]) == ("256", "1.0", "end")


def test_automatic_retention_comes_after_the_same_ratio_as_chosen() -> None:
    points = make_points()
    chosen = next(point for point in points if point.chosen_retention == 0.84)
    in_order = [chosen, dataclasses.replace(points[1], retention=0.84)]
    assert by_falling_ratio(in_order) == by_falling_ratio(in_order[::-1]) == in_order


def test_csv_leaves_an_unknown_error_rate_empty() -> None:
    rows = list(csv.DictReader(io.StringIO(curve_as_csv(make_points(truth=None)))))
    assert {row["error_rate"] for row in rows} == {""}


def test_json_says_what_the_curve_is_of(tmp_path: Path) -> None:
    export_curve(make_points(), SOURCE, tmp_path / "curve.json")
    told = json.loads((tmp_path / "curve.json").read_text(encoding="utf-8"))
    assert told == curve_as_json(make_points(), SOURCE)
    assert {key: told[key] for key in ("file", "page", "model", "mode", "task", "method", "truth")} == {
        "file": "/scans/page.png",
        "page": 1,
        "model": "Fake model",
        "mode": "base",
        "task": "markdown",
        "method": "rtprune",
        "truth": "/scans/page.txt",
    }
    assert len(told["points"]) == 9


def test_json_names_the_mode_that_auto_came_to_once_it_is_known() -> None:
    asked = dataclasses.replace(SOURCE, settings=dataclasses.replace(SETTINGS, scaling=Scaling(None)))
    assert curve_as_json([], asked)["mode"] == "auto"
    assert curve_as_json([], dataclasses.replace(asked, mode=Mode.LARGE))["mode"] == "large"


def test_another_kind_of_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"exported as \.csv or \.json"):
        export_curve(make_points(), SOURCE, tmp_path / "curve.xlsx")
    assert not list(tmp_path.glob("curve*"))


# `rtocr curve`


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    Image.new("RGB", (400, 500), "white").save(path)
    return path


def table_of(out: str) -> list[list[str]]:
    return [line.split() for line in out.partition("retention")[2].splitlines()[1:]]


def test_the_command_prints_a_line_for_each_point_by_falling_ratio(
    rtocr: Callable[..., SimpleNamespace], page: Path
) -> None:
    result = rtocr("curve", page)
    assert (result.code, result.told) == (0, [])
    assert result.out.startswith("page.png, page 1, Fake model, mode tiny, task text\n\nretention")
    lines = table_of(result.out)
    assert [line[0] for line in lines] == ["100", "95", "90", "84", "Auto", "75", "65", "50", "25"]
    assert " ".join(lines[0]) == "100 % 64 of 64 100.0 % 0 of 6 3 ms 40 ms 6 for 6 tokens"
    assert " ".join(lines[4]).startswith("Auto 76 % 48 of 64")


def test_the_truth_beside_the_scan_is_taken_and_named(
    rtocr: Callable[..., SimpleNamespace], page: Path
) -> None:
    page.with_suffix(".txt").write_text("page 1 of page.png at 0.84", encoding="utf-8")
    result = rtocr("curve", page)
    assert "error rates against page.txt" in result.out
    errors = {line[0]: line[7] for line in table_of(result.out)}
    assert errors["84"] == "0.0"
    assert errors["100"] == "11.5"


def test_a_truth_that_is_named_goes_before_the_one_beside_the_scan(
    rtocr: Callable[..., SimpleNamespace], page: Path, tmp_path: Path
) -> None:
    page.with_suffix(".txt").write_text("beside", encoding="utf-8")
    (tmp_path / "true.md").write_text("page 1 of page.png at 0.50", encoding="utf-8")
    result = rtocr("curve", page, "--truth", tmp_path / "true.md")
    assert "error rates against true.md" in result.out
    gone = rtocr("curve", page, "--truth", tmp_path / "gone.md")
    assert gone.code == 1
    assert "cannot be read as the true text" in gone.told[0]


def test_the_text_of_a_pdf_is_looked_for_as_its_page_is_rotated(
    rtocr: Callable[..., SimpleNamespace], tmp_path: Path
) -> None:
    words = (72, b"page 1 of"), (192, b"letter.pdf at 1.00")
    content = text_pdf(b"".join(b"BT /F1 24 Tf %d 700 Td (%b) Tj ET " % word for word in words))
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(content.replace(b"/MediaBox", b"/Rotate 180 /MediaBox"))
    for rotation_deg, is_found in ((180, True), (0, False)):
        told = json.loads(rtocr("curve", letter, "--rotate", rotation_deg, "--json", "-").out)
        assert (told["points"][0]["error_rate"] == 0) is is_found


def test_a_truth_nobody_named_that_cannot_be_used_costs_the_error_rates_alone(
    rtocr: Callable[..., SimpleNamespace], page: Path
) -> None:
    page.with_suffix(".txt").write_bytes(b"\xff\xfe")
    result = rtocr("curve", page)
    assert result.code == 0
    assert "is not UTF-8" in result.told[0]
    assert len(table_of(result.out)) == 9


def test_points_are_written_as_json_and_csv(
    rtocr: Callable[..., SimpleNamespace], page: Path, tmp_path: Path
) -> None:
    assert rtocr("curve", page, "-q", "--json", tmp_path / "c.json", "--csv", tmp_path / "c.csv").code == 0
    told = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert (told["file"], told["mode"], told["truth"]) == (str(page), "tiny", None)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text(encoding="utf-8"))))
    assert [float(row["retention"]) for row in rows] == [point["retention"] for point in told["points"]]
    assert len(rows) == 9


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_a_dash_puts_the_points_on_stdout_in_place_of_the_table(
    rtocr: Callable[..., SimpleNamespace],
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = rtocr("curve", page, option, tmp_path / "curve")
    assert rtocr("curve", page, option, "-").out == (tmp_path / "curve").read_text(encoding="utf-8")
    assert table_of(result.out)
    assert not Path("-").exists()


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_neither_the_scan_nor_the_truth_is_written_over(
    rtocr: Callable[..., SimpleNamespace], page: Path, tmp_path: Path, option: str
) -> None:
    truth = tmp_path / "true.md"
    truth.write_text("truth", encoding="utf-8")
    for target in (page, truth):
        assert rtocr("curve", page, "--truth", truth, option, target).code == 2
    assert truth.read_text(encoding="utf-8") == "truth"
    assert rtocr("curve", page, "--json", tmp_path / "same", "--csv", tmp_path / "same").code == 2


def test_a_truth_nobody_named_is_not_written_over_either(
    rtocr: Callable[..., SimpleNamespace], page: Path
) -> None:
    truth = page.with_suffix(".txt")
    truth.write_text("truth", encoding="utf-8")
    for half in ((), ("--half", "top")):
        result = rtocr("curve", page, "--csv", truth, *half)
        assert result.code == 2
        assert "may hold the true text" in result.err[-1]
    assert truth.read_text(encoding="utf-8") == "truth"


def test_a_ratio_is_no_option_of_a_curve(rtocr: Callable[..., SimpleNamespace], page: Path) -> None:
    assert rtocr("curve", page, "--retention", "0.5").code == 2


def test_a_curve_whose_reading_of_all_tokens_is_doubtful_is_told(
    rtocr: Callable[..., SimpleNamespace], page: Path
) -> None:
    engine = FakeEngine()
    engine.looping.add(Mode.TINY)
    (warning,) = rtocr("curve", page, engine=engine).told
    assert warning.startswith(f"rtocr: warning: {page}, page 1: ")
    assert "began to repeat itself" in warning


def test_a_page_that_cannot_be_read_is_told(rtocr: Callable[..., SimpleNamespace], page: Path) -> None:
    engine = FakeEngine()
    engine.broken_pages.add(page.name)
    result = rtocr("curve", page, engine=engine)
    assert (result.code, result.out) == (1, "")
    assert result.told == [f"rtocr: {page}, page 1: The model could not read this page."]
    missing = rtocr("curve", page, "--page", "2")
    assert missing.code == 1
    assert "page 2" in missing.told[0]


class InterruptedEngine(FakeEngine):
    """Ctrl-C arrives while the fourth reading is under way."""

    readings = 0

    def read(
        self, page: PageImage, settings: ReadSettings, cancel: threading.Event
    ) -> Iterator[ReadingEvent]:
        self.readings += 1
        for event in super().read(page, settings, cancel):
            if self.readings == 4 and not cancel.is_set():
                signal.raise_signal(signal.SIGINT)
            yield event


def test_ctrl_c_ends_the_curve_and_the_points_until_then_are_written(
    rtocr: Callable[..., SimpleNamespace], page: Path, tmp_path: Path
) -> None:
    result = rtocr("curve", page, "--csv", tmp_path / "c.csv", engine=InterruptedEngine())
    assert result.code == 130
    assert [line[0] for line in table_of(result.out)] == ["100", "95", "Auto"]
    assert len((tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()) == 4
