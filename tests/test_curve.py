"""What a retention curve promises: its order, its points, its truth, its files, and `rtocr curve`."""

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.truth import LARGEST_TRUTH_BYTES, find_truth, read_truth
from rtocr_gui.errors import DocumentError, ExportError
from rtocr_gui.export.curve import CurveSource, curve_as_csv, curve_as_json, export_curve
from rtocr_gui.export.markdown import ExportPage, export_markdown
from rtocr_gui.ocr.curve import CURVE_RATIOS, CurvePoint, curve_settings, doubt, read_curve
from rtocr_gui.ocr.reading import (
    TASKS,
    Mode,
    PrefillCost,
    Reading,
    ReadSettings,
    StageTimings,
    StopReason,
)
from rtocr_gui.pruning.plan import PruneSettings
from tests.ui.plans import make_plan

REF = PageRef(Path("/scans/page.png"), 0, "ab")
SETTINGS = ReadSettings(Mode.BASE, TASKS[0], PruneSettings(0.3, seed=5), max_new_tokens=77)


def reading_of(settings: ReadSettings, text: str, stop_reason: StopReason = StopReason.END) -> Reading:
    return Reading(
        ref=REF,
        settings=settings,
        model_name="Fake model",
        raw_text=text,
        text=text,
        token_ids=tuple(range(len(text))),
        stop_reason=stop_reason,
        plan=make_plan(settings.pruning.retention),
        cost=PrefillCost(10, 1.0, 1),
        cost_of_all=PrefillCost(10, 1.0, 1),
        passes=3,
        timings=StageTimings(1.0, 2.0, 30.0, 400.0),
    )


def text_at(retention: float | None) -> str:
    """Ten letters, of which every tenth of retention that is missing spoils one."""
    spoilt = 10 - round(10 * (0.76 if retention is None else retention))
    return "x" * spoilt + "abcdefghij"[spoilt:]


def make_points(
    truth: str | None = "abcdefghij", stop: StopReason = StopReason.END
) -> tuple[CurvePoint, ...]:
    def read(settings: ReadSettings) -> Reading:
        return reading_of(settings, text_at(settings.pruning.retention), stop)

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
    assert [point.similarity for point in points[:3]] == [1.0, 0.8, 0.9]
    assert [point.error_rate for point in points[:3]] == pytest.approx([0.1, 0.3, 0.2])
    assert points[1].automatic
    assert points[1].chosen_retention is None
    assert (points[3].chosen_retention, points[3].kept, points[3].total) == (0.84, 215, 256)
    assert (points[0].prefill_ms, points[0].decode_ms, points[0].tokens, points[0].passes) == (30, 400, 10, 3)


def test_without_a_truth_no_error_rate_is_made_up() -> None:
    assert {point.error_rate for point in make_points(truth=None)} == {None}


def test_a_cancelled_reading_ends_the_curve_and_is_no_point_of_it() -> None:
    asked: list[ReadSettings] = []

    def read(settings: ReadSettings) -> Reading:
        asked.append(settings)
        return reading_of(settings, "ab", StopReason.CANCELLED if len(asked) == 3 else StopReason.END)

    assert len(list(read_curve(read, SETTINGS, None))) == 2
    assert len(asked) == 3


def test_a_doubtful_all_token_reading_is_told() -> None:
    assert doubt(()) == ""
    assert doubt(make_points()) == ""
    assert "began to repeat itself" in doubt(make_points(stop=StopReason.LOOP))
    assert "was cut at its greatest length" in doubt(make_points(stop=StopReason.LENGTH))
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
    assert find_truth(scan, 0, 1) is None
    text = beside("scan.txt", "\ufeffplain\r\ntext\r\n")
    found = find_truth(scan, 0, 1)
    assert found is not None
    assert (found.path, found.text) == (text, "plain\ntext")
    beside("scan.md", "# marked up\n")
    found = find_truth(scan, 0, 1)
    assert found is not None
    assert found.text == "# marked up"


def test_a_page_of_several_has_its_own_truth_and_none_in_the_text_of_the_whole_file(
    tmp_path: Path, beside: Callable[..., Path]
) -> None:
    book = tmp_path / "book.pdf"
    beside("book.txt", "all of it")
    beside("book-page2.txt", "the second")
    assert find_truth(book, 0, 3) is None
    found = find_truth(book, 1, 3)
    assert found is not None
    assert found.text == "the second"


def test_what_rtocr_exported_is_not_taken_for_the_truth(tmp_path: Path, beside: Callable[..., Path]) -> None:
    export_markdown([ExportPage("scan.png, page 1", "as it was read")], tmp_path / "scan.md")
    assert find_truth(tmp_path / "scan.png", 0, 1) is None
    beside("scan.txt", "as it is")
    found = find_truth(tmp_path / "scan.png", 0, 1)
    assert found is not None
    assert found.text == "as it is"


def test_a_scan_called_like_a_text_is_not_its_own_truth(tmp_path: Path, beside: Callable[..., Path]) -> None:
    assert find_truth(beside("scan.txt", "really a picture"), 0, 1) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("Gr\u00fc\u00dfe".encode("latin-1"), "is not UTF-8"),
        (b"a" * (LARGEST_TRUTH_BYTES + 1), "more than 2 MB"),
    ],
)
def test_a_truth_that_cannot_be_used_is_refused_with_a_sentence(
    tmp_path: Path, beside: Callable[..., Path], content: bytes, complaint: str
) -> None:
    beside("scan.txt", content)
    with pytest.raises(DocumentError, match=complaint):
        find_truth(tmp_path / "scan.png", 0, 1)


def test_a_missing_truth_that_was_named_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"“gone.md” cannot be read as the true text .* \(No such file"):
        read_truth(tmp_path / "gone.md")


# Export

SOURCE = CurveSource(REF, "Fake model", SETTINGS, Path("/scans/page.txt"))


def test_csv_has_a_line_for_each_point_by_falling_ratio(tmp_path: Path) -> None:
    export_curve(make_points(), SOURCE, tmp_path / "curve.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "curve.csv").read_text(encoding="utf-8"))))
    assert [float(row["retention"]) for row in rows] == [1, 0.9, 0.84, 0.76, 0.75, 0.62, 0.5, 0.38, 0.25]
    assert rows[3]["automatic"] == "True"
    assert (rows[0]["kept"], rows[0]["similarity"], rows[0]["stop_reason"]) == ("256", "1.0", "end")


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


def test_another_kind_of_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"exported as \.csv or \.json"):
        export_curve(make_points(), SOURCE, tmp_path / "curve.xlsx")
    assert not list(tmp_path.glob("curve*"))
