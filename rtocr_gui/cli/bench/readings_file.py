"""Stores finished readings on disk, one JSON line each, so that a benchmark that was stopped can resume.

Keyed by the page, the model and how it runs, and the settings that a person can choose. Knows no truth and
no score.
"""

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import ExportError
from rtocr_gui.files import reason_of
from rtocr_gui.ocr.reading import Mode, Reading, ReadSettings, StopReason


@dataclass(frozen=True, slots=True)
class KeptReading:
    """The stored part of a reading.

    Attributes:
        text: the human-readable text, without grounding markup.
        mode: value of the `Mode` in which the page was read.
        kept: number of visual tokens kept.
        total: number of prunable visual tokens on the page, at least 1.
        stop_reason: value of a `StopReason`.
        encode_ms: time of encoding; all times are as in `StageTimings`.
        prune_ms: time of planning and merging.
        prefill_ms: time of the prefill.
        decode_ms: time of decoding.
        unsure_words: start and end (exclusive) of each word in `text` that the model was unsure of.
    """

    text: str
    mode: str
    kept: int
    total: int
    stop_reason: str
    encode_ms: float
    prune_ms: float
    prefill_ms: float
    decode_ms: float
    unsure_words: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, reading: Reading) -> Self:
        """Extract what a table needs from a reading."""
        return cls(
            text=reading.text,
            mode=reading.mode.value,
            kept=reading.kept,
            total=reading.total,
            stop_reason=reading.stop_reason.value,
            encode_ms=reading.timings.encode_ms,
            prune_ms=reading.timings.prune_ms,
            prefill_ms=reading.timings.prefill_ms,
            decode_ms=reading.timings.decode_ms,
            unsure_words=reading.unsure_words,
        )

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """Restore a reading from a line of the file.

        Raises:
            ValueError, TypeError, KeyError, OverflowError: it is not a reading.
        """
        reading = cls(
            text=fields["text"],
            mode=Mode(fields["mode"]).value,
            kept=int(fields["kept"]),
            total=int(fields["total"]),
            stop_reason=StopReason(fields["stop_reason"]).value,
            encode_ms=float(fields["encode_ms"]),
            prune_ms=float(fields["prune_ms"]),
            prefill_ms=float(fields["prefill_ms"]),
            decode_ms=float(fields["decode_ms"]),
            unsure_words=tuple((int(start), int(end)) for start, end in fields["unsure_words"]),
        )
        times = reading.encode_ms, reading.prune_ms, reading.prefill_ms, reading.decode_ms
        counts_fit = 0 <= reading.kept <= reading.total != 0
        if not (isinstance(fields["text"], str) and counts_fit and all(map(math.isfinite, times))):
            raise ValueError("not a reading")
        return reading


class ReadingsFile:
    """Readings of earlier runs and this one, to be closed; nothing is written before the first `add`.

    Args:
        path: the file, which need not exist.
        model: identifies the model and how it runs; readings by other models are not found.

    Attributes:
        path: the file.
        spoilt: number of unusable lines, e.g. the last one written by a program that was killed.

    Raises:
        ExportError: the file exists but cannot be read.
    """

    def __init__(self, path: Path, model: str) -> None:
        self.path = path
        self.spoilt = 0
        self._model = model
        self._readings: dict[str, KeptReading] = {}
        self._ends_whole = True
        self._descriptor: int | None = None
        try:
            with path.open("rb") as stream:
                for line in stream:
                    self._ends_whole = line.endswith(b"\n")
                    self._take(line)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ExportError(
                f"The finished readings in “{path}” cannot be used ({reason_of(error)}). Name another file "
                "with --readings."
            ) from error

    def close(self) -> None:
        """Close the file, if anything was written."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def find(self, ref: PageRef, asked: ReadSettings) -> KeptReading | None:
        """Return the reading of a page with these settings; None if there is none."""
        return self._readings.get(_flat(self._key(ref, asked)))

    def add(self, ref: PageRef, asked: ReadSettings, reading: Reading) -> None:
        """Store a reading; it is on disk when this returns.

        Raises:
            ExportError: it cannot be written.
        """
        key, kept = self._key(ref, asked), KeptReading.of(reading)
        line = json.dumps({"file": ref.label, "key": key, "reading": asdict(kept)}) + "\n"
        try:
            if self._descriptor is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
                self._descriptor = os.open(self.path, flags, 0o666)
                line = line if self._ends_whole else "\n" + line
            data = line.encode("ascii")
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise ExportError(
                f"A reading could not be written to “{self.path}” ({reason_of(error)}). Free some space, or "
                "name another file with --readings."
            ) from error
        self._readings[_flat(key)] = kept

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            self._readings[_flat(entry["key"])] = KeptReading.from_json(entry["reading"])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            self.spoilt += bool(line.strip())

    def _key(self, ref: PageRef, asked: ReadSettings) -> dict[str, Any]:
        return {
            "sha256": ref.sha256,
            "page": ref.index,
            "model": self._model,
            "mode": asked.scaling.name,
            "most_tiles": asked.scaling.most_tiles,
            "task": asked.task.name,
            "method": asked.pruning.method.value,
            "retention": asked.pruning.retention,
            "seed": asked.pruning.seed,
            "max_new_tokens": asked.max_new_tokens,
        }


def _flat(key: dict[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)
