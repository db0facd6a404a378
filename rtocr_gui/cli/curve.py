"""`rtocr curve`: what the text of one page loses as fewer of its visual tokens are kept.

Reads the page at the ratios of a curve and prints a table by falling ratio. Each reading is written to the
files as soon as it is done, so that Ctrl-C costs only the current one. Knows no torch.
"""

import argparse
import sys
import threading
from dataclasses import replace
from pathlib import Path

from rtocr_gui.cli.columns import aligned
from rtocr_gui.cli.following import follow, interrupt_sets
from rtocr_gui.cli.pages import PAGE_ERRORS, EngineFactory, choose_task, load_page, load_reader, open_asking
from rtocr_gui.cli.progress import Progress, printable
from rtocr_gui.cli.values import STDOUT
from rtocr_gui.documents.pages import PageRef
from rtocr_gui.documents.truth import Truth, find_truth, read_truth
from rtocr_gui.errors import DocumentError
from rtocr_gui.export.curve import CurveSource, by_falling_ratio, curve_as_csv, curve_json_text
from rtocr_gui.export.writing import write_text_atomically
from rtocr_gui.ocr.curve import CURVE_RATIOS, CurvePoint, doubt, read_curve
from rtocr_gui.ocr.reading import Reading, ReadSettings, StopReason
from rtocr_gui.units import error_in_percent, percent, share_of_whole

_ENDS = {StopReason.END: "", StopReason.LOOP: "loops", StopReason.LENGTH: "cut"}


def run(arguments: argparse.Namespace, engine_factory: EngineFactory, progress: Progress) -> bool:
    """Read the curve of one page and report it in the requested formats.

    Args:
        arguments: as returned by `arguments.parse_arguments`.
        engine_factory: makes the engine once the page is open.
        progress: receives progress, warnings and errors.

    Returns:
        True if the page could be read at every ratio.

    Raises:
        CheckpointError: the model cannot be loaded.
        ExportError: a file cannot be written.
        KeyboardInterrupt: Ctrl-C; the points so far are written.
    """
    path: Path = arguments.file
    name = str(path)
    try:
        with open_asking(path, arguments.password, progress) as document:
            name = f"{path}, page {arguments.page}"
            page = load_page(document, arguments)
            truth = _truth(arguments.truth, page.ref, len(document.pages), progress)
    except PAGE_ERRORS as error:
        progress.complain(f"{name}: {error}")
        return False
    reader = load_reader(arguments, engine_factory, progress)
    settings = ReadSettings(reader.scaling, choose_task(arguments, reader.model.info, progress))
    source = CurveSource(page.ref, reader.model.info.name, settings, truth.path if truth else None)
    cancel = threading.Event()
    points: list[CurvePoint] = []

    def read(wanted: ReadSettings) -> Reading:
        nonlocal source
        ratio = wanted.pruning.retention
        at = "Auto" if ratio is None else percent(ratio)
        label = f"{name}: {len(points) + 1} of {len(CURVE_RATIOS) + 1}, {at}"
        reading = follow(reader.engine.read(page, wanted, cancel), label, progress)
        source = replace(source, mode=reading.mode)
        return reading

    all_read = True
    with interrupt_sets(cancel):
        try:
            for point in read_curve(read, settings, truth.text if truth else None):
                points.append(point)
                _write_files(arguments, points, source)
        except PAGE_ERRORS as error:
            progress.complain(f"{name}: {error}")
            all_read = False
    progress.clear()
    if points:
        sys.stdout.write(_for_stdout(arguments, points, source))
    if doubtful := doubt(points):
        progress.complain(f"warning: {name}: {doubtful}")
    if cancel.is_set():
        raise KeyboardInterrupt
    return all_read


def _truth(given: Path | None, ref: PageRef, page_count: int, progress: Progress) -> Truth | None:
    """Return the truth given by option, which must be usable, or one beside the scan if it is usable."""
    if given is not None:
        return read_truth(given)
    try:
        return find_truth(ref, page_count)
    except DocumentError as error:
        progress.complain(f"warning: {error}")
        return None


def _write_files(arguments: argparse.Namespace, points: list[CurvePoint], source: CurveSource) -> None:
    if isinstance(arguments.json, Path):
        write_text_atomically(arguments.json, curve_json_text(points, source))
    if isinstance(arguments.csv, Path):
        write_text_atomically(arguments.csv, curve_as_csv(points))


def _for_stdout(arguments: argparse.Namespace, points: list[CurvePoint], source: CurveSource) -> str:
    """Return the output requested with `-`, or else the human-readable table."""
    if arguments.json == STDOUT:
        return curve_json_text(points, source)
    if arguments.csv == STDOUT:
        return curve_as_csv(points)
    return _table(points, source)


def _table(points: list[CurvePoint], source: CurveSource) -> str:
    """Format the curve as a human-readable table."""
    has_truth = source.truth is not None
    error = ["error"] if has_truth else []
    columns = ["retention", "kept", "similarity", *error, "unsure", "prefill", "decode", "passes", ""]
    rows = [columns, *(_cells(point) for point in by_falling_ratio(points))]
    settings = source.settings
    head = (
        f"{printable(source.ref.label)}, {source.model_name}, mode {source.mode_name}, "
        f"task {settings.task.name}"
    )
    against = f"error rates against {printable(source.truth.name)}\n" if source.truth is not None else ""
    return f"{head}\n{against}\n" + "\n".join(aligned(rows, left=())) + "\n"


def _cells(point: CurvePoint) -> list[str]:
    ratio = percent(point.retention)
    error = [] if point.error_rate is None else [error_in_percent(point.error_rate)]
    return [
        f"Auto {ratio}" if point.automatic else ratio,
        f"{point.kept} of {point.total}",
        share_of_whole(point.similarity),
        *error,
        f"{point.unsure_words} of {point.words}",
        f"{point.prefill_ms:.0f} ms",
        f"{point.decode_ms:.0f} ms",
        f"{point.passes} for {point.tokens} tokens",
        _ENDS.get(point.stop_reason, ""),
    ]
