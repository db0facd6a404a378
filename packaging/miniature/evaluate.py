"""Measures how well a checkpoint reads with the program's own engine, and prints the tables of its card.

    python packaging/miniature/evaluate.py CHECKPOINT figures.jsonl
    python packaging/miniature/evaluate.py CHECKPOINT figures.jsonl --groups print markdown --minutes 9

Every finished reading is saved in the file: the same command resumes where it was stopped, and more `--pages`
add to what is there. The first page of every set comes before the second of any, so that a partial run is a
fair sample of the whole. Readings are greedy and made from the page alone: no earlier text serves as a draft.
"""

import argparse
import hashlib
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.outcomes import Record, judge, name_reader
from evaluation.page_sets import Group, PageSet, TruePage, plan_sets
from evaluation.tables import card_tables
from recipe.commands import above_0, count, failures_in_words
from recipe.typefaces import about_missing_typefaces
from rtocr_gui.cli.bench.scores import Setting
from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.ocr.engine import Engine
from rtocr_gui.ocr.reading import EncodedPage, Mode, Reading, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PruneSettings

_FEWEST_NEW_TOKENS = 400
_TOKENS_PER_CHARACTER = 2.5


@failures_in_words()
def main() -> int:
    options = _parse()
    folder = options.checkpoint.resolve()
    engine = Engine(options.threads)
    loaded = engine.load(folder, device=options.device)
    info = loaded.info
    modes = [mode for mode in Mode if mode.value in options.modes] if options.modes else info.modes
    sets = plan_sets(info, modes, [Group(name) for name in options.groups])
    record = Record(options.record, name_reader(folder, loaded.device, loaded.dtype))
    jobs = missing_readings(sets, options.pages, record)
    if missing := about_missing_typefaces():
        print(missing, file=sys.stderr)
    read_pages(engine, jobs, record, options.minutes)
    print(card_tables(sets, record.outcomes))
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how well a checkpoint reads.")
    parser.add_argument("checkpoint", type=Path, help="checkpoint folder")
    parser.add_argument("record", type=Path, help="file for finished readings (JSON lines)")
    parser.add_argument("--pages", type=count, default=4, help="pages of each set (default 4)")
    groups = [group.value for group in Group]
    parser.add_argument("--groups", nargs="+", choices=groups, default=groups, help="which figures (all)")
    modes = [mode.value for mode in Mode]
    parser.add_argument("--modes", nargs="+", choices=modes, help="(those the checkpoint was made for)")
    parser.add_argument("--minutes", type=above_0, default=float("inf"), help="stop after this time")
    parser.add_argument("--threads", type=count, help="CPU threads (torch's own choice)")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def missing_readings(
    sets: Sequence[PageSet], pages: int, record: Record
) -> list[tuple[PageSet, int, list[Setting]]]:
    """Return the readings still to be done, page by page."""
    jobs = (
        (one, page, [setting for setting in one.settings if not record.has(one, page, setting)])
        for page in range(pages)
        for one in sets
    )
    return [job for job in jobs if job[2]]


def read_pages(
    engine: Engine, jobs: Sequence[tuple[PageSet, int, list[Setting]]], record: Record, minutes: float
) -> None:
    """Read pages one after the other for at most this many minutes, saving each finished reading."""
    began = time.monotonic()
    for number, (page_set, index, settings) in enumerate(jobs, start=1):
        if time.monotonic() - began > 60 * minutes:
            print(f"{len(jobs) - number + 1} pages left: run the command again to continue", file=sys.stderr)
            return
        page = page_set.page(index)
        if page is None:
            continue
        for setting, encoded, reading in _readings(engine, page_set, index, page, settings):
            outcome = judge(page_set, index, setting, page, encoded, reading)
            record.add(outcome)
            errors = f"{outcome.score.error_rate:.1%}" if outcome.score else "empty"
            label = f"{number} of {len(jobs)}: {page_set.name}/{index}, {setting.label} {setting.ratio}"
            print(f"{label}: {errors}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _readings(
    engine: Engine, page_set: PageSet, index: int, page: TruePage, settings: Sequence[Setting]
) -> Iterator[tuple[Setting, EncodedPage, Reading]]:
    ref = PageRef(Path(page_set.name), index, hashlib.sha256(page.image.tobytes()).hexdigest())
    truth = page.drawn.grounded if page.drawn and page_set.task.tells_places else page.text
    for setting in settings:
        asked = ReadSettings(
            Scaling(page_set.mode),
            page_set.task,
            PruneSettings(setting.retention),
            max_new_tokens=max(_FEWEST_NEW_TOKENS, round(_TOKENS_PER_CHARACTER * len(truth))),
        )
        _, encoded, *_, reading = engine.read(
            PageImage(ref, page.image, None), asked, threading.Event(), draft=()
        )
        assert isinstance(encoded, EncodedPage)
        assert isinstance(reading, Reading)
        yield setting, encoded, reading


if __name__ == "__main__":
    sys.exit(main())
