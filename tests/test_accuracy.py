"""`rtocr bench accuracy`: what it reads, what it keeps, what it tells, and what its figures mean."""

import itertools
import json
import math
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtocr_gui.cli.bench.readings_file import KeptReading
from rtocr_gui.cli.bench.scores import (
    ALL_TOKENS,
    PageScore,
    Setting,
    countable,
    format_table,
    make_rows,
    score_page,
)
from rtocr_gui.cli.main import main
from rtocr_gui.documents.omnidocbench import read_annotations
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.documents.truth import LARGEST_TRUTH_BYTES
from rtocr_gui.errors import DocumentError, ReadingError
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.reading import ReadingEvent, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PruneMethod
from tests.broken_files import encrypted_pdf, pdf_of_pages, text_pdf
from tests.fake_engine import FakeEngine
from tests.made_pages import page_image

READINGS = "rtocr-readings.jsonl"
QUICK = ("--methods", "rtprune,random", "--ratios", "0.5,auto")
PLAIN_METHODS = ",".join(method.value for method in PruneMethod if method is not PruneMethod.VISIONZIP)


class CountingEngine(FakeEngine):
    """Counts readings; fails or is interrupted at those a test names; runs in the precision it names."""

    def __init__(self) -> None:
        super().__init__()
        self.dtype = "float32"
        self.requests: list[tuple[str, ReadSettings]] = []
        self.fail_at: int | None = None
        self.interrupt_at: int | None = None

    def load(self, *how: Any) -> LoadedModel:
        return replace(super().load(*how), dtype=self.dtype)

    def read(self, page: PageImage, settings: ReadSettings, cancel: Any) -> Iterator[ReadingEvent]:
        self.requests.append((page.ref.path.name, settings))
        if len(self.requests) == self.fail_at:
            raise ReadingError("The model failed on this page.")
        if len(self.requests) == self.interrupt_at:
            raise KeyboardInterrupt
        yield from super().read(page, settings, cancel)


@pytest.fixture
def run(rtocr: Callable[..., SimpleNamespace]) -> Callable[..., SimpleNamespace]:
    """Runs `rtocr bench accuracy` with a fake engine: what that tells, and what was asked."""

    def run_command(*argv: object, engine: CountingEngine | None = None) -> SimpleNamespace:
        engine = engine or CountingEngine()
        result = rtocr("bench", "accuracy", *argv, engine=engine)
        return SimpleNamespace(**vars(result), asked=engine.requests)

    return run_command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three scans, two of them with a truth; the fake engine reads the first without a mistake at 0.50."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name, truth in (("a", "page 1 of a.png at 0.50"), ("b", "page 1 of c.png at 0.50"), ("c", None)):
        image = page_image()
        image.putpixel((0, 0), (ord(name), 0, 0))
        image.save(folder / f"{name}.png")
        if truth is not None:
            (folder / f"{name}.txt").write_text(truth)
    return folder


def table(text: str) -> dict[tuple[str, str], dict[str, str]]:
    head, _, *lines = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in text.splitlines()
        if line[:1] == "|"
    ]
    return {(line[0], line[1]): dict(zip(head[2:], line[2:], strict=True)) for line in lines}


class TestTheBench:
    def test_reads_all_tokens_once_and_every_method_at_every_ratio(self, run: Any, folder: Path) -> None:
        result = run(folder, "--methods", PLAIN_METHODS, "--ratios", "0.5,0.7,auto")
        assert result.code == 0
        assert len(result.asked) == 2 * (1 + 5 * 3)
        rows = table(result.out)
        assert list(rows)[:3] == [("All tokens", "1"), ("RTPrune", "0.5"), ("Norm only", "0.5")]
        assert len(rows) == 16
        assert {row["Pages"] for row in rows.values()} == {"2"}
        assert rows["RTPrune", "0.5"]["Kept"] == rows["DivPrune", "0.5"]["Kept"] == "50.0%"

    def test_figures_go_where_they_were_asked_to_wherever_that_was_said(
        self, folder: Path, tmp_path: Path
    ) -> None:
        early = ["bench", "--json", str(tmp_path / "early.json"), "accuracy", str(folder), *QUICK]
        assert main(early, CountingEngine) == 0
        assert json.loads((tmp_path / "early.json").read_text())["rows"]

    def test_tells_error_rates_against_the_truth(self, run: Any, folder: Path, tmp_path: Path) -> None:
        run(folder, *QUICK, "--json", tmp_path / "figures.json")
        told = json.loads((tmp_path / "figures.json").read_text())
        row = next(row for row in told["rows"] if row["method"] == "rtprune" and row["retention"] == 0.5)
        assert row["character_error_rate"] == pytest.approx(1 / 46)
        assert row["distance_by_page"] == {
            "a.png, page 1": 0.0,
            "b.png, page 1": pytest.approx(1 / len("page1ofbpngat050")),
        }
        everything = told["rows"][0]
        assert everything["method"] is None
        assert row["relative_accuracy"] == pytest.approx(
            (1 - row["normalised_edit_distance"]) / (1 - everything["normalised_edit_distance"])
        )

    def test_tells_which_mode_each_page_got(self, run: Any, folder: Path, tmp_path: Path) -> None:
        result = run(folder, *QUICK, "--mode", "auto", "--json", tmp_path / "figures.json")
        told = json.loads((tmp_path / "figures.json").read_text())
        assert {asked.scaling for _, asked in result.asked} == {Scaling(None)}
        assert (told["mode"], set(told["mode_by_page"].values())) == ("auto", {"tiny"})
        assert list(told["mode_by_page"]) == ["a.png, page 1", "b.png, page 1"]

    def test_writes_the_table_as_markdown(self, run: Any, folder: Path, tmp_path: Path) -> None:
        result = run(folder, *QUICK, "--markdown", tmp_path / "table.md")
        written = (tmp_path / "table.md").read_text()
        assert written.startswith("Fake model, mode tiny, task text, on cpu (float32); 2 pages.")
        assert result.out in written
        assert run(folder, *QUICK, "--markdown", "-").out == written

    @pytest.mark.parametrize("name", ["b.txt", "c.txt", "c.md", "c-page2.txt"])
    @pytest.mark.parametrize("option", ["--markdown", "--json", "--readings"])
    def test_no_output_is_taken_for_a_true_text(self, run: Any, folder: Path, option: str, name: str) -> None:
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        result = run(folder, *QUICK, "--limit", "1", option, folder / name)
        assert result.code == 1
        assert "is named as the true text" in result.err[-1]
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    def test_every_reading_is_on_disk_before_the_next_one(
        self, run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced: list[int] = []
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
        run(folder, *QUICK)
        lines = (folder / READINGS).read_bytes().splitlines(keepends=True)
        assert synced == [*itertools.accumulate(map(len, lines))]

    def test_tells_how_long_the_pages_that_remain_will_take(self, run: Any, folder: Path) -> None:
        first, last = [line for line in run(folder, *QUICK).err if ": done" in line]
        assert re.fullmatch(r"1 of 2, a\.png, page 1: done, \d+ s left", first)
        assert last == "2 of 2, b.png, page 1: done"

    def test_does_not_read_again_what_is_read(self, run: Any, folder: Path) -> None:
        first = run(folder, *QUICK)
        second = run(folder, *QUICK)
        third = run(folder, "--methods", "rtprune,norm,random", "--ratios", "0.5,auto")
        assert len(first.asked) == 10
        assert second.asked == []
        assert second.out == first.out
        assert {asked.pruning.method for _, asked in third.asked} == {PruneMethod.NORM_ONLY}

    def test_reads_again_what_has_changed(self, run: Any, folder: Path) -> None:
        run(folder, *QUICK)
        page_image().save(folder / "a.png")
        (folder / "b.txt").write_text("another truth needs no other reading")
        assert {name for name, _ in run(folder, *QUICK).asked} == {"a.png"}

    @pytest.mark.parametrize("option", [("--mode", "base"), ("--task", "markdown"), ("--most-tiles", "4")])
    def test_another_mode_or_task_or_number_of_tiles_is_another_reading(
        self, run: Any, folder: Path, option: tuple[str, str]
    ) -> None:
        run(folder, *QUICK)
        assert len(run(folder, *QUICK, *option).asked) == 10

    def test_another_model_or_precision_is_another_reading(
        self, run: Any, folder: Path, tmp_path: Path
    ) -> None:
        weights, precise, quick = tmp_path / "model.safetensors", CountingEngine(), CountingEngine()
        quick.dtype = "bfloat16"
        for content, engine in (("old", precise), ("newer", precise), (None, quick)):
            if content is not None:
                weights.write_text(content)
            engine.requests.clear()
            assert len(run(folder, *QUICK, "--model", tmp_path, engine=engine).asked) == 10

    def test_another_seed_draws_anew_and_reads_nothing_else_again(self, run: Any, folder: Path) -> None:
        run(folder, *QUICK)
        again = run(folder, *QUICK, "--seed", "1").asked
        assert {asked.pruning.method for _, asked in again} == {PruneMethod.RANDOM}

    def test_each_page_draws_other_tokens_at_random(self, run: Any, folder: Path) -> None:
        asked = run(folder, "--methods", "random", "--ratios", "0.5").asked
        assert len({settings.pruning.seed for _, settings in asked if settings.pruning.retention != 1}) == 2

    def test_pages_of_one_file_are_read_and_drawn_and_kept_each(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "book.pdf").write_bytes(pdf_of_pages(2))
        for number in (1, 2):
            (tmp_path / f"book-page{number}.txt").write_text(f"page {number} of book.pdf at 0.50")
        result = run(tmp_path, "--methods", "rtprune,random", "--ratios", "0.5")
        rows = table(result.out)
        assert rows["RTPrune", "0.5"]["NED"] == rows["Random", "0.5"]["NED"] == "0.0000"
        drawn = [asked.pruning for _, asked in result.asked if asked.pruning.method is PruneMethod.RANDOM]
        assert len({pruning.seed for pruning in drawn}) == 2

    def test_interrupted_keeps_and_tells_what_is_done(self, run: Any, folder: Path, tmp_path: Path) -> None:
        engine = CountingEngine()
        engine.interrupt_at = 8
        result = run(folder, *QUICK, "--markdown", tmp_path / "table.md", engine=engine)
        assert result.code == 130
        assert table(result.out)["All tokens", "1"]["Pages"] == "2"
        assert table(result.out)["Random", "auto"]["Pages"] == "1"
        assert table((tmp_path / "table.md").read_text()) == table(result.out)
        assert len(run(folder, *QUICK).asked) == 3

    @pytest.mark.parametrize(("cut", "lost"), [(1, 0), (2, 1), (40, 1), (200, 1)])
    def test_killed_in_the_middle_of_a_line_loses_that_reading_alone(
        self, run: Any, folder: Path, cut: int, lost: int
    ) -> None:
        complete = run(folder, *QUICK).out
        readings = folder / READINGS
        readings.write_bytes(readings.read_bytes()[:-cut])
        again = run(folder, *QUICK)
        assert len(again.asked) == lost
        assert again.out == complete
        assert len(run(folder, *QUICK, "--seed", "1").asked) == 4
        assert run(folder, *QUICK).asked == run(folder, *QUICK, "--seed", "1").asked == []

    def test_lines_that_are_no_readings_are_told_and_passed_over(self, run: Any, folder: Path) -> None:
        run(folder, *QUICK)
        with (folder / READINGS).open("a") as stream:
            stream.write("null\n[1]\n{}\nnot json\n" + "[" * 100_000 + "\n")
            stream.write('{"key": {}, "reading": {"text": 5}}\n')
        result = run(folder, *QUICK)
        assert result.asked == []
        assert any("6 of its lines cannot be used" in line for line in result.err)

    def test_a_reading_that_fails_is_told_and_the_others_go_on(self, run: Any, folder: Path) -> None:
        engine = CountingEngine()
        engine.fail_at = 2
        result = run(folder, *QUICK, engine=engine)
        assert result.code == 1
        assert any("a.png, page 1, RTPrune at 0.5: The model failed" in line for line in result.err)
        rows = table(result.out)
        assert rows["RTPrune", "0.5"]["Pages"] == "1"
        assert rows["Random", "0.5"]["Pages"] == "2"
        assert any("see the column Pages" in line for line in result.err)

    def test_broken_scans_and_truths_are_told_and_left_out(self, run: Any, folder: Path) -> None:
        (folder / "broken.png").write_bytes(b"not a picture")
        (folder / "broken.txt").write_text("text")
        page_image().save(folder / "latin.png")
        (folder / "latin.txt").write_bytes("Größe".encode("latin-1"))
        page_image().save(folder / "huge.png")
        (folder / "huge.txt").write_bytes(b"x" * (LARGEST_TRUTH_BYTES + 1))
        page_image().save(folder / "empty.png")
        (folder / "empty.txt").write_text(" \n")
        (folder / "locked.pdf").write_bytes(encrypted_pdf())
        result = run(folder, *QUICK)
        assert result.code == 1
        assert table(result.out)["All tokens", "1"]["Pages"] == "2"
        told = "\n".join(result.err)
        assert "broken.png" in told
        assert "locked.pdf: The PDF is encrypted. Save it without a password" in told
        assert "not UTF-8" in told
        assert "more than 200 kB" in told
        assert "true text is not known: 2 pages" in told

    def test_a_limit_leaves_the_rest(self, run: Any, folder: Path) -> None:
        assert {name for name, _ in run(folder, *QUICK, "--limit", "1").asked} == {"a.png"}

    @pytest.mark.parametrize(
        "words",
        [
            ("--methods", "rtprune,magic"),
            ("--methods", ""),
            ("--ratios", "0.5,2"),
            ("--ratios", ""),
            ("--limit", "0"),
            ("--markdown", "table.png"),
        ],
    )
    def test_wrong_usage_is_refused(self, run: Any, folder: Path, words: tuple[str, ...]) -> None:
        assert run(folder, *words).code == 2

    def test_never_writes_over_a_truth(self, run: Any, folder: Path) -> None:
        result = run(folder, *QUICK, "--markdown", folder / "a.txt")
        assert result.code == 1
        assert "is not overwritten" in result.err[-1]
        assert (folder / "a.txt").read_text() == "page 1 of a.png at 0.50"

    def test_never_writes_over_the_finished_readings(self, run: Any, folder: Path) -> None:
        run(folder, *QUICK)
        before = (folder / READINGS).read_text()
        for words in ((), ("--readings", folder / READINGS)):
            result = run(folder, *QUICK, *words, "--json", folder / READINGS)
            assert result.code == 1
            assert result.err[-1].endswith(
                "The figures, the table and the readings each need a file of their own."
            )
        assert (folder / READINGS).read_text() == before

    def test_pages_of_a_pdf_are_compared_with_its_own_text(
        self, run: Any, folder: Path, tmp_path: Path
    ) -> None:
        (folder / "d.pdf").write_bytes(text_pdf(b"BT /F1 24 Tf 72 700 Td (page 1 of d.pdf at 0.50) Tj ET"))
        run(folder, *QUICK, "--json", tmp_path / "figures.json")
        told = json.loads((tmp_path / "figures.json").read_text())
        row = next(row for row in told["rows"] if row["method"] == "rtprune" and row["retention"] == 0.5)
        assert len(row["distance_by_page"]) == 3
        assert row["distance_by_page"]["d.pdf, page 1"] == 0

    def test_a_folder_without_anything_to_compare_is_told(self, run: Any, tmp_path: Path) -> None:
        page_image().save(tmp_path / "page.png")
        assert "contains no page to compare" in run(tmp_path).err[-1]
        assert run(tmp_path / "nowhere").code == 1

    def test_a_place_where_nothing_may_be_kept_is_told(self, run: Any, folder: Path) -> None:
        for place in (folder, folder / "nowhere" / "readings.jsonl", Path(os.devnull)):
            result = run(folder, *QUICK, "--readings", place)
            assert result.code == 1
            assert "--readings" in result.err[-1]
        assert not any("a.png" in line for line in result.err), "no page was read before"

    def test_what_reading_a_folder_skips_is_skipped(self, run: Any, folder: Path) -> None:
        (folder / "._a.png").write_bytes(b"resource fork")
        (folder / "old.pdf").mkdir()
        assert run(folder, *QUICK).code == 0


def block(text: str, order: Any = 1, **more: Any) -> dict[str, Any]:
    return {"category_type": "text_block", "text": text, "order": order, "ignore": False, **more}


def entry(name: Any, *blocks: Any) -> dict[str, Any]:
    return {"page_info": {"image_path": name}, "layout_dets": list(blocks)}


class TestOmniDocBench:
    def write(self, folder: Path, *entries: Any) -> Path:
        path = folder / "OmniDocBench.json"
        path.write_text(json.dumps(entries))
        return path

    def test_is_read_in_the_layout_it_is_published_in(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "images").mkdir()
        page_image().save(tmp_path / "images" / "one.jpg", quality=60)
        page_image().save(tmp_path / "two.jpg", quality=90)
        self.write(
            tmp_path,
            entry("one.jpg", block("at 0.50", 3), block("page 1 of one.jpg", 2)),
            entry("two.jpg", block("page 1 of two.jpg at 0.50")),
        )
        result = run(tmp_path, "--methods", "rtprune", "--ratios", "0.5")
        assert result.code == 0
        assert table(result.out)["RTPrune", "0.5"]["NED"] == "0.0000"
        assert table(result.out)["RTPrune", "0.5"]["Pages"] == "2"

    def test_pages_of_one_name_in_two_folders_are_two_pages(self, run: Any, tmp_path: Path) -> None:
        for folder in ("a", "b"):
            (tmp_path / "images" / folder).mkdir(parents=True)
            page_image().save(tmp_path / "images" / folder / "page.jpg", quality=60 if folder == "a" else 90)
        texts = {"a": "page 1 of page.jpg at 0.50", "b": "something else"}
        self.write(tmp_path, *(entry(f"{name}/page.jpg", block(text)) for name, text in texts.items()))
        result = run(tmp_path, "--methods", "rtprune", "--ratios", "0.5", "--json", tmp_path / "figures.json")
        assert result.code == 0
        *_, row = json.loads((tmp_path / "figures.json").read_text())["rows"]
        distances = row["distance_by_page"]
        assert list(distances) == ["images/a/page.jpg, page 1", "images/b/page.jpg, page 1"]
        assert distances["images/a/page.jpg, page 1"] == 0 < distances["images/b/page.jpg, page 1"]

    def test_gives_the_blocks_in_reading_order_without_what_is_not_read(self, tmp_path: Path) -> None:
        formula = {"category_type": "equation_isolated", "latex": "$$a^2$$", "order": 2}
        cells = {
            "category_type": "table",
            "latex": "x & y",
            "html": "<table><tr><td>x</td></tr></table>",
            "text": "",
            "order": 3,
        }
        path = self.write(
            tmp_path,
            entry(
                "page.jpg",
                cells,
                formula,
                block("Title", 1),
                block("7", None),
                block("ignored", 4, ignore=True),
                {"category_type": "figure", "order": 5},
                "no block",
                block("strange", "first"),
                block("stranger", math.inf),
                block("beyond all numbers", 10**400),
            ),
        )
        (page,) = read_annotations(path)
        assert not isinstance(page, DocumentError)
        assert page.text == "Title\n\n$$a^2$$\n\n<table><tr><td>x</td></tr></table>"
        assert page.picture == tmp_path / "images" / "page.jpg"

    @pytest.mark.parametrize(
        "name", ["../secret.png", "/etc/secret.png", "a/../../secret.png", "..\\secret.png", "C:\\secret.png"]
    )
    def test_never_leaves_its_folder(self, tmp_path: Path, name: str) -> None:
        (error,) = read_annotations(self.write(tmp_path, entry(name, block("text"))))
        assert isinstance(error, DocumentError)
        assert "leads out of the folder" in str(error)

    @pytest.mark.parametrize(
        "bad",
        [
            None,
            5,
            [],
            {},
            {"page_info": 3},
            entry(7),
            entry(""),
            entry("a.jpg") | {"layout_dets": {}},
            entry("a" * 5000),
        ],
    )
    def test_an_entry_that_cannot_be_used_leaves_the_others(self, tmp_path: Path, bad: Any) -> None:
        error, page = read_annotations(self.write(tmp_path, bad, entry("a.jpg", block("text"))))
        assert isinstance(error, DocumentError)
        assert "page 1" in str(error)
        assert not isinstance(page, DocumentError)
        assert page.text == "text"

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"\xff\xfe\x00", b"[" * 200_000, b'{"page_info": {}}', b"[" + b"9" * 5000 + b"]"],
    )
    def test_a_spoilt_annotation_file_is_told_in_a_sentence(
        self, run: Any, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / "OmniDocBench.json").write_bytes(content)
        result = run(tmp_path)
        assert result.code == 1
        assert "OmniDocBench.json" in "".join(result.err)
        assert "Traceback" not in "".join(result.err)

    def test_missing_and_broken_pictures_are_told_and_left_out(self, run: Any, tmp_path: Path) -> None:
        page_image().save(tmp_path / "good.jpg")
        (tmp_path / "broken.jpg").write_bytes(b"nothing")
        entries = [entry(f"{name}.jpg", block("text")) for name in ("missing", "broken", "good", "nul\0")]
        self.write(tmp_path, *entries, entry("good.jpg"))
        result = run(tmp_path, "--methods", "rtprune", "--ratios", "0.5")
        assert result.code == 1
        assert table(result.out)["All tokens", "1"]["Pages"] == "1"
        assert sum("jpg" in line for line in result.err if line.startswith("rtocr:")) == 3

    def test_several_annotation_files_are_not_guessed_at(self, run: Any, tmp_path: Path) -> None:
        for name in ("OmniDocBench_a.json", "OmniDocBench_b.json"):
            (tmp_path / name).write_text("[]")
        assert "2 annotation files" in run(tmp_path).err[-1]


def kept_reading(text: str, **more: Any) -> KeptReading:
    fields = {
        "mode": "tiny",
        "kept": 5,
        "total": 10,
        "stop_reason": "end",
        "encode_ms": 0,
        "prune_ms": 1,
        "prefill_ms": 2,
        "decode_ms": 3,
        "unsure_words": [],
    }
    return KeptReading.from_json({"text": text, **fields, **more})


def scored(page: str, text: str, truth: str) -> PageScore:
    return score_page(page, kept_reading(text), truth)


class TestScores:
    def test_only_letters_digits_and_underscores_of_any_script_count(self) -> None:
        assert countable("Größe: 3,5 m — 你好_x!\n**b**") == "Größe35m你好_xb"
        assert countable('<table><tr><td colspan="2">1 &lt; 2 &amp; 3</td></tr></table>') == "123"
        assert countable("a < b and c > d") == "abandcd"

    def test_tags_without_an_end_take_no_time(self) -> None:
        assert countable("<td" * 300_000) == "td" * 300_000

    def test_distance_is_over_the_longer_text(self) -> None:
        assert scored("p", "abcd", "ab").distance == 0.5
        assert scored("p", "ab", "abcd").distance == 0.5
        assert scored("p", "", "abcd").distance == 1.0
        assert scored("p", "A", "a").distance == 1.0

    def test_error_rate_counts_every_character_and_blank_space_once(self) -> None:
        score = scored("p", "one,\n\n two", "one two")
        assert (score.error_rate, score.characters) == (pytest.approx(1 / 7), 7)

    @given(st.text(), st.text(min_size=1).filter(str.strip))
    def test_any_text_has_a_score(self, text: str, truth: str) -> None:
        score = scored("p", text, truth)
        assert 0 <= score.distance <= 1
        assert score.error_rate >= 0
        assert scored("p", truth, truth).distance == 0

    def test_distances_are_averaged_over_pages_and_error_rates_over_characters(self) -> None:
        setting = Setting(PruneMethod.RTPRUNE, 0.5)
        scores = [scored("long", "a" * 90, "a" * 100), scored("short", "", "a" * 10)]
        (row,) = make_rows({setting: scores})
        assert row.distance == pytest.approx((0.1 + 1) / 2)
        assert row.error_rate == pytest.approx(20 / 110)
        assert row.relative_accuracy is None

    def test_accuracy_is_relative_to_all_tokens_on_the_pages_both_have(self) -> None:
        setting = Setting(PruneMethod.NORM_ONLY, None)
        everything = [scored("a", "ab", "abcd"), scored("b", "", "abcd")]
        rows = make_rows({ALL_TOKENS: everything, setting: [scored("a", "a", "abcd")]})
        assert [row.relative_accuracy for row in rows] == [1.0, 0.5]
        assert rows[1].setting.ratio == "auto"

    def test_nothing_relative_is_told_where_all_tokens_read_nothing(self) -> None:
        setting = Setting(PruneMethod.RTPRUNE, 0.5)
        rows = make_rows({ALL_TOKENS: [scored("a", "", "x")], setting: [scored("a", "x", "x")]})
        assert [row.relative_accuracy for row in rows] == [None, None]

    def test_readings_that_were_stopped_are_counted(self) -> None:
        cut_off = score_page("a", kept_reading("x", stop_reason="loop"), "x")
        (row,) = make_rows({ALL_TOKENS: [cut_off, scored("b", "x", "x")]})
        assert row.cut_off == 1

    def test_unsure_words_are_judged_by_how_many_of_them_are_wrong_and_of_the_wrong_ones_unsure(self) -> None:
        read, truth = "Deer Mrs Potter thank you fur it", "Dear Mrs Porter, and thank you for it"
        unsure = [(0, 4), (5, 8), (9, 15), (400, 500)]  # the last one is no word of the text
        score = score_page("a", kept_reading(read, unsure_words=unsure), truth)
        assert (score.words, score.wrong_words, score.unsure_words, score.found_words) == (7, 3, 3, 2)
        (row,) = make_rows({ALL_TOKENS: [score, scored("b", "you", "you")]})
        assert (row.unsure, row.precision, row.recall) == (3 / 8, 2 / 3, 2 / 3)
        assert "|  37.5% |     66.7% |  66.7% |" in format_table([row])

    def test_nothing_is_told_of_words_that_there_are_not(self) -> None:
        (row,) = make_rows({ALL_TOKENS: [scored("a", "", "word")]})
        assert (row.unsure, row.precision, row.recall) == (None, None, None)
        assert "%" not in format_table([row]).splitlines()[-1].split("|")[9]

    def test_settings_without_a_page_have_no_row(self) -> None:
        assert make_rows({ALL_TOKENS: []}) == []
        assert format_table([]).count("\n") == 2

    @pytest.mark.parametrize(
        "spoilt",
        [
            {"total": 0},
            {"kept": 11},
            {"stop_reason": "bored"},
            {"encode_ms": math.nan},
            {"kept": "five"},
            {"unsure_words": [[1]]},
        ],
    )
    def test_a_kept_reading_that_makes_no_sense_is_refused(self, spoilt: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"."):
            kept_reading("x", **spoilt)


def test_the_readings_of_the_bench_are_the_engine_s(run: Any, folder: Path) -> None:
    run(folder, "--methods", "rtprune", "--ratios", "0.5")
    lines = [json.loads(line) for line in (folder / READINGS).read_text().splitlines()]
    assert [line["file"] for line in lines] == ["a.png, page 1"] * 2 + ["b.png, page 1"] * 2
    assert [line["reading"]["text"] for line in lines[:2]] == [
        "page 1 of a.png at 1.00",
        "page 1 of a.png at 0.50",
    ]
    assert all(isinstance(KeptReading.from_json(line["reading"]), KeptReading) for line in lines)


def test_a_folder_that_may_not_be_read_is_told(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    result = run(folder)
    assert result.code == 1
    assert "Permission denied" in result.err[-1]
