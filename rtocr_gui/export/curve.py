"""Exports a retention curve as a table (CSV) or plain data (JSON), for the user's own plots and scripts.

Points are sorted by falling ratio, including automatic retention; times are measured milliseconds. Knows no
engine and no plot.
"""

import csv
import dataclasses
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import ExportError
from rtocr_gui.export.page_source import source_as_json
from rtocr_gui.export.writing import write_text_atomically
from rtocr_gui.ocr.curve import CurvePoint
from rtocr_gui.ocr.reading import Mode, ReadSettings


@dataclass(frozen=True, slots=True)
class CurveSource:
    """What a curve describes.

    Attributes:
        ref: the page.
        model_name: which model read it.
        settings: settings of its readings; their ratio has no meaning.
        truth: file with the true text that error rates refer to; None without one.
        mode: mode in which the page was read, if known; the settings may leave it to the page.
    """

    ref: PageRef
    model_name: str
    settings: ReadSettings
    truth: Path | None = None
    mode: Mode | None = None

    @property
    def mode_name(self) -> str:
        """The mode if known, else the one in the settings."""
        return self.mode.value if self.mode else self.settings.scaling.name


def curve_as_csv(points: Iterable[CurvePoint]) -> str:
    """Format one line per point under a header line; an unknown error rate is an empty cell."""
    stream = io.StringIO()
    writer = csv.DictWriter(
        stream, [field.name for field in dataclasses.fields(CurvePoint)], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(_plain(point) for point in by_falling_ratio(points))
    return stream.getvalue()


def curve_as_json(points: Iterable[CurvePoint], source: CurveSource) -> dict[str, Any]:
    """Describe a curve and its source using only dicts, lists, strings, numbers, booleans and None."""
    return {
        **source_as_json(source.ref, source.model_name, source.mode_name),
        "task": source.settings.task.name,
        "method": source.settings.pruning.method.value,
        "truth": None if source.truth is None else str(source.truth),
        "points": [_plain(point) for point in by_falling_ratio(points)],
    }


def curve_json_text(points: Iterable[CurvePoint], source: CurveSource) -> str:
    """Format `curve_as_json` as text that ends with a newline."""
    return json.dumps(curve_as_json(points, source), indent=1) + "\n"


def by_falling_ratio(points: Iterable[CurvePoint]) -> list[CurvePoint]:
    """Sort points by falling ratio, as in tables and files."""
    return sorted(points, key=lambda point: (-point.retention, point.automatic))


def export_curve(points: Iterable[CurvePoint], source: CurveSource, path: Path) -> None:
    """Write a curve in the format given by the file's suffix: `.csv` or `.json`.

    Raises:
        ExportError: nothing was written, and an existing file is unchanged.
    """
    match path.suffix.lower():
        case ".csv":
            text = curve_as_csv(points)
        case ".json":
            text = curve_json_text(points, source)
        case _:
            raise ExportError(f"“{path.name}” was not written: a curve is exported as .csv or .json.")
    write_text_atomically(path, text)


def _plain(point: CurvePoint) -> dict[str, Any]:
    return dataclasses.asdict(point) | {"stop_reason": point.stop_reason.value}
