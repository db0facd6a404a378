"""Measure how well a checkpoint reads the sample pages and fresh pages of their kind.

    python packaging/miniature/evaluate.py resources/miniature --json figures.json

Every page is read through the program's own engine, on the CPU, with all visual tokens, at the automatic
retention and at fixed ratios. The character error rate is the edit distance over the length of the truth,
summed over all pages.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.pages import PageImage
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.reading import ModelInfo, Reading, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PruneSettings

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "resources" / "samples"
DRAW_SAMPLES = ROOT / "packaging" / "samples" / "draw_samples.py"
RETENTIONS = {"all tokens": 1.0, "auto": None, "0.9": 0.9, "0.75": 0.75, "0.5": 0.5}
MAX_NEW_TOKENS = 400


@dataclass(slots=True)
class Tally:
    """Sums over the pages of one folder at one retention.

    Attributes:
        edits: edit distance between reading and truth, in characters.
        characters: length of the truth.
        kept: share of the prunable tokens that was kept, page by page.
        page_error_rates: character error rate of each page, by name.
    """

    edits: int = 0
    characters: int = 0
    kept: list[float] = field(default_factory=list)
    page_error_rates: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, reading: Reading, truth: str) -> None:
        """Count one page.

        Args:
            name: of the page, unique within the folder.
            reading: what the model said.
            truth: what is printed there.
        """
        edits = Levenshtein.distance(reading.text.strip(), truth)
        self.edits += edits
        self.characters += len(truth)
        self.kept.append(len(reading.plan.kept) / len(reading.plan.norms))
        self.page_error_rates[name] = edits / len(truth)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is said of one folder of pages at one retention; shares and rates in 0..1."""

    pages: int
    character_error_rate: float
    worst_page: float
    mean_kept: float
    least_kept: float


def load_page(path: Path) -> PageImage:
    document = open_document(path)
    try:
        return document.load_page(0)
    finally:
        document.close()


def measure_folder(engine: Engine, info: ModelInfo, folder: Path) -> tuple[dict[str, Figures], float]:
    """Read every NAME.png of a folder against NAME.txt.

    Returns:
        The figures by retention, and the mean correlation between a token's norm and the share of edge
        pixels in the cell it covers.
    """
    tallies = {name: Tally() for name in RETENTIONS}
    correlations = []
    for path in sorted(folder.glob("*.png")):
        page = load_page(path)
        truth = path.with_suffix(".txt").read_text(encoding="utf-8").strip()
        measures = engine.encode(page, Scaling(info.modes[0])).measures
        correlations.append(np.corrcoef(measures.norms, measures.patch_density)[0, 1])
        for name, retention in RETENTIONS.items():
            settings = ReadSettings(
                Scaling(info.modes[0]), info.tasks[0], PruneSettings(retention), max_new_tokens=MAX_NEW_TOKENS
            )
            *_, reading = engine.read(page, settings, threading.Event())
            assert isinstance(reading, Reading)
            tallies[name].add(path.stem, reading, truth)
    figures = {
        name: Figures(
            pages=len(tally.kept),
            character_error_rate=tally.edits / tally.characters,
            worst_page=max(tally.page_error_rates.values()),
            mean_kept=float(np.mean(tally.kept)),
            least_kept=min(tally.kept),
        )
        for name, tally in tallies.items()
    }
    return figures, float(np.mean(correlations))


def draw_fresh_pages(count: int, seed: int, folder: Path) -> None:
    subprocess.run(
        [sys.executable, DRAW_SAMPLES, "--fresh", str(count), "--seed", str(seed), folder], check=True
    )


def print_table(title: str, figures: dict[str, Figures], correlation: float) -> None:
    print(f"\n{title}: norm/ink correlation {correlation:.3f}")
    print(f"{'retention':<12}{'pages':>6}{'CER':>9}{'worst page':>12}{'mean kept':>11}{'least kept':>12}")
    for name, row in figures.items():
        print(
            f"{name:<12}{row.pages:>6}{row.character_error_rate:>9.2%}{row.worst_page:>12.2%}"
            f"{row.mean_kept:>11.3f}{row.least_kept:>12.3f}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how well a checkpoint reads large clean print.")
    parser.add_argument("checkpoint", type=Path, help="checkpoint folder")
    parser.add_argument("--pages", type=int, default=50, help="how many fresh pages (default 50)")
    parser.add_argument("--seed", type=int, default=2026, help="seed of the fresh pages (default 2026)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()

    started = time.perf_counter()
    engine = Engine()
    info = engine.load(options.checkpoint.resolve(), device="cpu").info
    report: dict[str, object] = {"seed": options.seed}
    with tempfile.TemporaryDirectory() as fresh:
        draw_fresh_pages(options.pages, options.seed, Path(fresh))
        for title, folder in (("samples", SAMPLES), ("fresh pages", Path(fresh))):
            figures, correlation = measure_folder(engine, info, folder)
            print_table(title, figures, correlation)
            report[title] = {
                "norm_ink_correlation": correlation,
                "by_retention": {name: asdict(row) for name, row in figures.items()},
            }
    engine.unload()
    print(f"\n{time.perf_counter() - started:.0f} s")
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
