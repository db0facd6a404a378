"""The sample pages are what the bundled miniature reads well, at the size it was made for."""

import subprocess
import sys
from pathlib import Path

import pytest
from rapidfuzz.distance import Levenshtein

from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.model.folder import inspect_checkpoint
from rtocr_gui.ocr.reading import Reading, ReadSettings, Scaling, StopReason
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.resources import resource_path
from tests.readings import read_page
from tests.sample_pages import SAMPLES, load_sample

ALL_TOKENS = PruneSettings(retention=1.0)
AUTOMATIC = PruneSettings()
DRAW_SAMPLES = Path(__file__).parents[1] / "packaging" / "samples" / "draw_samples.py"
MINIATURE = inspect_checkpoint(resource_path("miniature"))


def truth_of(path: Path) -> str:
    return path.with_suffix(".txt").read_text(encoding="utf-8").strip()


def read(engine: Engine, path: Path, pruning: PruneSettings) -> Reading:
    settings = ReadSettings(Scaling(MINIATURE.modes[0]), MINIATURE.tasks[0], pruning, max_new_tokens=400)
    return read_page(engine, load_sample(path), settings)


def error_rate(reading: Reading, truth: str) -> float:
    return Levenshtein.distance(reading.text.strip(), truth) / len(truth)


def test_there_are_three_sample_pages_each_with_its_text() -> None:
    assert len(SAMPLES) == 3
    assert all(truth_of(path) for path in SAMPLES)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_page_needs_no_scaling_in_the_mode_offered_first(path: Path) -> None:
    side = MINIATURE.modes[0].view_px
    assert load_sample(path).image.size == (side, side)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_miniature_reads_a_sample_page_with_under_five_percent_errors(
    path: Path, miniature_engine: Engine
) -> None:
    reading = read(miniature_engine, path, ALL_TOKENS)
    assert reading.stop_reason is StopReason.END
    assert error_rate(reading, truth_of(path)) < 0.05, reading.text


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_automatic_retention_merges_tokens_of_a_sample_page_and_still_reads_most_of_it(
    path: Path, miniature_engine: Engine
) -> None:
    reading = read(miniature_engine, path, AUTOMATIC)
    assert reading.kept < reading.total
    assert error_rate(reading, truth_of(path)) < 0.15, reading.text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_miniature_reads_fifty_fresh_pages_with_under_ten_percent_errors(
    tmp_path: Path, miniature_engine: Engine
) -> None:
    drawing = [sys.executable, DRAW_SAMPLES, "--fresh", "50", "--seed", "20", tmp_path]
    drawn = subprocess.run(drawing, capture_output=True, text=True, check=False)
    assert drawn.returncode == 0, drawn.stderr
    paths = sorted(tmp_path.glob("*.png"))
    truths = [truth_of(path) for path in paths]
    texts = [read(miniature_engine, path, ALL_TOKENS).text.strip() for path in paths]
    assert len(paths) == 50
    assert sum(map(Levenshtein.distance, texts, truths)) / sum(map(len, truths)) < 0.10
