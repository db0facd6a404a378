"""Progress of a download: how far it is, how fast, and how long it will take.

Knows neither servers nor files; the clock is an argument.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rtocr_gui.units import size_in_words, time_in_words

SPEED_WINDOW_S = 8.0
UPDATE_INTERVAL_S = 0.1


class DownloadStage(Enum):
    """What a download is doing."""

    CONNECT = "connect"
    TRANSFER = "transfer"
    WAIT = "wait"
    VERIFY = "verify"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Progress of a download.

    Attributes:
        stage: what it is doing.
        done_bytes: bytes of all files that are on disk and hashed.
        total_bytes: bytes of all files; 0 until the server has listed them.
        bytes_per_second: average over the last seconds; None until it can be estimated.
        seconds_left: at that speed; None if unknown.
        file: the current file; empty between files.
        note: why it waits, as a sentence; empty otherwise.
    """

    stage: DownloadStage
    done_bytes: int
    total_bytes: int
    bytes_per_second: float | None = None
    seconds_left: float | None = None
    file: str = ""
    note: str = ""

    def __str__(self) -> str:
        """Return a human-readable line."""
        if self.stage is DownloadStage.CONNECT and not self.total_bytes:
            return "Asking the server…"
        line = size_in_words(self.done_bytes)
        if self.total_bytes:
            line = f"{line} of {size_in_words(self.total_bytes)}"
        if self.stage is DownloadStage.VERIFY:
            return f"{line} checked"
        if self.stage is DownloadStage.DONE:
            return "Complete"
        if self.stage is DownloadStage.PAUSED:
            return f"Paused at {line}"
        if self.stage is DownloadStage.WAIT:
            return f"{line} · {self.note}"
        if self.bytes_per_second:
            line += f" · {size_in_words(round(self.bytes_per_second))}/s"
        if self.seconds_left is not None:
            line += f" · {time_in_words(self.seconds_left)} left"
        return line


class Meter:
    """Counts bytes and reports progress.

    Args:
        clock: returns seconds since some fixed moment.

    Attributes:
        total_bytes: bytes of all files; 0 if not yet known.
        done_bytes: how many of them are on disk and hashed.
        received_bytes: bytes received since the meter was created, including discarded ones.
        file: the current file.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.total_bytes = 0
        self.done_bytes = 0
        self.received_bytes = 0
        self.file = ""
        self._clock = clock
        self._arrivals: deque[tuple[float, int]] = deque()
        self._next_update_s = 0.0

    def receive(self, byte_count: int) -> None:
        """Count bytes that were received and written to disk."""
        now_s = self._clock()
        self.received_bytes += byte_count
        self.done_bytes += byte_count
        if not self._arrivals or now_s - self._arrivals[-1][0] >= UPDATE_INTERVAL_S:
            self._arrivals.append((now_s, self.received_bytes))
        while now_s - self._arrivals[0][0] > SPEED_WINDOW_S and len(self._arrivals) > 2:
            self._arrivals.popleft()

    def pause(self) -> None:
        """Reset the speed: nothing arrives for a while."""
        self._arrivals.clear()

    def is_due(self) -> bool:
        """True if it is time for another update; at most once per `UPDATE_INTERVAL_S`."""
        if self._clock() < self._next_update_s:
            return False
        self._next_update_s = self._clock() + UPDATE_INTERVAL_S
        return True

    def progress(self, stage: DownloadStage, note: str = "") -> DownloadProgress:
        """Return the progress so far."""
        speed = self._bytes_per_second() if stage is DownloadStage.TRANSFER else None
        left_bytes = self.total_bytes - self.done_bytes
        return DownloadProgress(
            stage=stage,
            done_bytes=self.done_bytes,
            total_bytes=self.total_bytes,
            bytes_per_second=speed,
            seconds_left=left_bytes / speed if speed else None,
            file=self.file,
            note=note,
        )

    def _bytes_per_second(self) -> float | None:
        if len(self._arrivals) < 2:
            return None
        began_s, bytes_then = self._arrivals[0]
        elapsed_s = self._clock() - began_s
        return (self.received_bytes - bytes_then) / elapsed_s if elapsed_s >= 0.5 else None
