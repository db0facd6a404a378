"""`rtocr bench accuracy`: how well each method reads pages at each ratio, compared with their true text.

Reads every page with all tokens and then at every setting. Each finished reading is saved at once, so that
a run that was stopped resumes where it was and loses at most one reading; the figures are computed from
the saved readings. Knows no torch; how readings are scored is in `scores`.
"""

import argparse
import hashlib
import json
import os
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from rtocr_gui.cli.arguments import add_model, add_quiet, add_scaling, add_task
from rtocr_gui.cli.bench.readings_file import KeptReading, ReadingsFile
from rtocr_gui.cli.bench.scores import (
    ALL_TOKENS,
    PageScore,
    Row,
    Setting,
    format_table,
    make_rows,
    row_as_json,
    score_page,
)
from rtocr_gui.cli.bench.true_pages import TruePage, TruePages
from rtocr_gui.cli.following import follow
from rtocr_gui.cli.outputs import named_outputs, share_a_file, takes_stdout, write_output
from rtocr_gui.cli.pages import EngineFactory, Reader, choose_task, load_reader
from rtocr_gui.cli.progress import Progress
from rtocr_gui.cli.values import (
    count_of,
    json_target,
    path_name,
    readings_target,
    retention_ratio,
    text_target,
)
from rtocr_gui.documents.folders import looks_like_a_scan
from rtocr_gui.documents.truth import scan_it_is_named_for
from rtocr_gui.errors import DocumentError, ExportError, PruningError, ReadingError, SettingsError
from rtocr_gui.export.writing import check_target
from rtocr_gui.files import first_also_in, is_device, is_there
from rtocr_gui.ocr.reading import ReadSettings, Task
from rtocr_gui.pruning.plan import PruneMethod, PruneSettings
from rtocr_gui.units import counted, time_in_words

READINGS_NAME = "rtocr-readings.jsonl"
DEFAULT_RATIOS = (0.5, 0.7, 0.84, None)
_SEEDS = 2**32


def ratio_list(text: str) -> tuple[float | None, ...]:
    """Parse `0.5,0.84,auto`, each ratio once; None stands for auto."""
    return tuple(dict.fromkeys(retention_ratio(part.strip()) for part in text.split(",")))


def method_list(text: str) -> tuple[PruneMethod, ...]:
    """Parse `rtprune,random`, each method once."""
    names = [part.strip() for part in text.split(",")]
    known = {method.value: method for method in PruneMethod}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"“{unknown[0]}” is not a method: choose from {', '.join(known)}")
    return tuple(dict.fromkeys(known[name] for name in names))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `rtocr bench accuracy`."""
    names = ",".join(method.value for method in PruneMethod)
    parser.description = (
        "Read every page of a folder with all visual tokens and then by each method at each ratio, and "
        "compare the texts with the true text. The folder contains scans with their true text beside them "
        "(NAME.md or NAME.txt), PDF files that were not scanned, or OmniDocBench as published. Finished "
        f"readings are saved in {READINGS_NAME}: a run that was stopped resumes where it left off."
    )
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=path_name,
        help="scans with their true text, PDF files with text, or OmniDocBench",
    )
    parser.add_argument(
        "--methods",
        type=method_list,
        default=tuple(PruneMethod),
        metavar="LIST",
        help=f"methods to compare ({names})",
    )
    parser.add_argument(
        "--ratios",
        type=ratio_list,
        default=DEFAULT_RATIOS,
        metavar="LIST",
        help="shares of visual tokens to keep, or auto (0.5,0.7,0.84,auto); all tokens are always read",
    )
    parser.add_argument(
        "--limit", type=count_of("a number of pages"), metavar="N", help="only the first N pages"
    )
    parser.add_argument(
        "--json",
        type=json_target,
        default=argparse.SUPPRESS,  # `bench --json FILE accuracy` has set it already
        metavar="FILE",
        help="write the figures, also page by page; - writes to stdout instead of the table",
    )
    parser.add_argument(
        "--markdown", type=text_target, metavar="FILE", help="write the table; - writes to stdout"
    )
    parser.add_argument(
        "--readings",
        type=readings_target,
        metavar="FILE",
        help=f"where to save finished readings ({READINGS_NAME} in the folder)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the random method (0); each page makes its own draw",
    )
    add_scaling(parser, None, "the model's default, so that all pages are scaled alike")
    add_task(parser)
    add_model(parser)
    add_quiet(parser)


def run(arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress) -> bool:
    """Read what has not been read yet, and report the figures.

    Args:
        arguments: as returned by `arguments.parse_arguments`.
        engine_factory: makes the engine once there is a page.
        progress: receives progress, warnings and errors.

    Returns:
        True if every page was read at every setting.

    Raises:
        DocumentError: the folder contains nothing to read.
        CheckpointError: the model cannot be loaded.
        SettingsError: an output file is also an input, or two outputs share a file.
        ExportError: a file cannot be written.
        KeyboardInterrupt: Ctrl-C; the figures of what was read so far are reported first.
    """
    finder = TruePages(progress)
    pages = finder.find(arguments.folder, arguments.limit)
    readings_path: Path = arguments.readings or arguments.folder / READINGS_NAME
    _protect_inputs([*named_outputs(arguments), readings_path], pages, arguments.folder)
    _check_place_of_readings(readings_path)
    reader = load_reader(arguments, engine_factory, progress)
    task = choose_task(arguments, reader.model.info, progress)
    with closing(ReadingsFile(readings_path, _model_key(reader))) as readings:
        if readings.spoilt:
            progress.complain(
                f"{readings.path.name}: {readings.spoilt} of its lines cannot be used and are read again."
            )
        bench = _AccuracyBench(arguments, progress, reader, task, readings)
        try:
            all_read = bench.read(pages)
        finally:
            bench.report(pages)
    return all_read and finder.all_usable


class _AccuracyBench:
    def __init__(
        self,
        arguments: argparse.Namespace,
        progress: Progress,
        reader: Reader,
        task: Task,
        readings: ReadingsFile,
    ) -> None:
        self._arguments = arguments
        self._progress = progress
        self._reader = reader
        self._task = task
        self._readings = readings
        self._settings = (
            ALL_TOKENS,
            *(Setting(method, ratio) for ratio in arguments.ratios for method in arguments.methods),
        )

    def read(self, pages: list[TruePage]) -> bool:
        """Read every page at the settings at which it has not been read; False if any reading failed."""
        left = [(page, missing) for page in pages if (missing := self._missing(page))]
        if len(left) < len(pages):
            self._progress.say(f"{len(pages) - len(left)} of {len(pages)} pages were read before.")
        all_read = True
        started = time.monotonic()
        for done, (page, missing) in enumerate(left, start=1):
            label = f"{done} of {len(left)}, {page.ref.label}"
            all_read &= self._read_page(page, missing, label)
            seconds_left = (time.monotonic() - started) / done * (len(left) - done)
            rest = f", {time_in_words(seconds_left)} left" if done < len(left) else ""
            self._progress.say(f"{label}: done{rest}")
        return all_read

    def _missing(self, page: TruePage) -> list[Setting]:
        return [setting for setting in self._settings if self._find(setting, page) is None]

    def _find(self, setting: Setting, page: TruePage) -> KeptReading | None:
        return self._readings.find(page.ref, self._asked(setting, page))

    def _read_page(self, page: TruePage, missing: list[Setting], label: str) -> bool:
        self._progress.show(f"{label}: open")
        all_read = True
        try:
            image = page.load()
            for number, setting in enumerate(missing, start=1):
                what = f"{setting.label} at {setting.ratio}"
                self._progress.show(f"{label}: {number} of {len(missing)}, {what}")
                asked = self._asked(setting, page)
                try:
                    events = self._reader.engine.read(image, asked, threading.Event())
                    self._readings.add(page.ref, asked, follow(events, f"{label}: {what}", self._progress))
                except (ReadingError, PruningError) as error:
                    self._progress.complain(f"{page.ref.label}, {what}: {error}")
                    all_read = False
        except DocumentError as error:
            self._progress.complain(f"{page.ref.label}: {error}")
            all_read = False
        return all_read

    def _asked(self, setting: Setting, page: TruePage) -> ReadSettings:
        """Return the settings of a reading; a random choice is determined by the page and the seed."""
        method = setting.method or PruneMethod.RTPRUNE
        drawn = int(page.ref.sha256[:8], 16) + page.ref.index + self._arguments.seed
        seed = drawn % _SEEDS if method is PruneMethod.RANDOM else 0
        pruning = PruneSettings(setting.retention, method=method, seed=seed)
        return ReadSettings(self._reader.scaling, self._task, pruning)

    def report(self, pages: list[TruePage]) -> None:
        """Report the figures of all readings so far, in the requested formats."""
        scores = {setting: self._scores(setting, pages) for setting in self._settings}
        rows = make_rows(scores)
        table = format_table(rows)
        model = self._reader.model
        self._progress.clear()
        if not takes_stdout(self._arguments):
            sys.stdout.write(table)
        if any(len(found) < len(pages) for found in scores.values()):
            self._progress.complain("not every page was read at every setting: see the column Pages.")
        if self._arguments.markdown is not None:
            heading = (
                f"{model.info.name}, mode {self._reader.scaling.name}, task {self._task.name}, "
                f"on {model.device} ({model.dtype}); {counted(len(pages), 'page')}.\n\n"
            )
            write_output(self._arguments.markdown, f"{heading}{table}\n{_notes(rows)}")
        if self._arguments.json is not None:
            figures = {
                "model": model.info.name,
                "device": model.device,
                "dtype": model.dtype,
                "mode": self._reader.scaling.name,
                "mode_by_page": self._modes(pages),
                "task": self._task.name,
                "seed": self._arguments.seed,
                "pages": len(pages),
                "rows": [row_as_json(row, scores[row.setting]) for row in rows],
            }
            write_output(self._arguments.json, json.dumps(figures, indent=1, allow_nan=False) + "\n")

    def _modes(self, pages: list[TruePage]) -> dict[str, str]:
        """Return the mode of each page that was read."""
        return {self._name(page): reading.mode for page in pages if (reading := self._find(ALL_TOKENS, page))}

    def _scores(self, setting: Setting, pages: list[TruePage]) -> list[PageScore]:
        return [
            score_page(self._name(page), reading, page.truth)
            for page in pages
            if (reading := self._find(setting, page))
        ]

    def _name(self, page: TruePage) -> str:
        """Return a name for a page that is unique within the folder and its subfolders."""
        folder = os.path.relpath(page.ref.path.parent, self._arguments.folder)
        return page.ref.label if folder == os.curdir else f"{Path(folder).as_posix()}/{page.ref.label}"


def _check_place_of_readings(path: Path) -> None:
    """Check before any page is read whether its reading can be kept; finished readings may be read-only."""
    try:
        if not is_there(path):
            check_target(path)
        elif is_device(path):
            raise ExportError(f"“{path}” is a device or a pipe.")
    except ExportError as error:
        raise ExportError(f"{error} --readings names another file.") from error


def _protect_inputs(targets: list[Path], pages: list[TruePage], folder: Path) -> None:
    """Refuse to overwrite an input, to make a true text of an output, or to write two outputs to one file."""
    inputs = {path for page in pages for path in (page.ref.path, page.source)}
    if (target := first_also_in(targets, inputs)) is not None:
        raise SettingsError(f"“{target}” is an input and is not overwritten. Choose another name.")
    scans = [path for path in folder.iterdir() if looks_like_a_scan(path)]
    for target in targets:
        if (scan := scan_it_is_named_for(target, scans)) is not None:
            raise SettingsError(f"“{target}” is named as the true text of “{scan}”. Choose another name.")
    if share_a_file(targets):
        raise SettingsError("The figures, the table and the readings each need a file of their own.")


def _model_key(reader: Reader) -> str:
    """Identify a checkpoint by the names, sizes and times of its files, and by how it runs."""
    folder = reader.model.info.folder
    files = sorted(path for pattern in ("*.json", "*.safetensors") for path in folder.glob(pattern))
    stamps = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    digest = hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]
    return f"{reader.model.info.name}, {reader.model.dtype} on {reader.model.device}, {digest}"


def _notes(rows: list[Row]) -> str:
    """Explain the columns to a reader of the table."""
    encodings = [row.encode_ms for row in rows if row.encode_ms]
    encoding = f" Encoding a page took {encodings[0]:.0f} ms on average." if encodings else ""
    return (
        "NED is the normalised edit distance over letters and digits, averaged over pages; CER counts all "
        "characters and sums them over pages; both are best at 0. Relative accuracy is (1 - NED) / (1 - NED "
        "with all tokens). Cut off are readings that were stopped in a loop or at the length limit. "
        "Unsure is the share of the words that the model was unsure of, precision the share of these that "
        "are wrong, recall the share of the wrong words that are among these; words left out do not count. "
        f"Times are means per page.{encoding} A reading after the first of a page takes the one before as "
        "its draft, so decoding times cannot be compared. Pruning includes measuring the tokens of a page "
        "only in the reading that encodes it: that with all tokens, and the first by VisionZip.\n"
    )
