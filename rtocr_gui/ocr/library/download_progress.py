"""How far a download is, how fast it goes, and how long it will take.

Knows neither servers nor files; the clock is an argument.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rtocr_gui.units import size_in_words

SPEED_WINDOW_S = 8.0
UPDATE_INTERVAL_S = 0.1


class DownloadStage(Enum):
    """What a download is busy with."""

    CONNECT = "connect"
    TRANSFER = "transfer"
    WAIT = "wait"
    VERIFY = "verify"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far a download is.

    Attributes:
        stage: what it is busy with.
        done_bytes: bytes of all files that are on disk and hashed.
        total_bytes: bytes of all files; 0 before the server told.
        bytes_per_second: over the last seconds; None before enough arrived to tell.
        seconds_left: at that speed; None where it cannot be told.
        file: the file at hand; empty between files.
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
        """A line for people."""
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


def time_in_words(seconds: float) -> str:
    """A time as people give it, e.g. "3 min"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 100 * 3600 else "more than 4 days"


class Meter:
    """Counts bytes, and gives the progress.

    Args:
        clock: seconds since some moment.

    Attributes:
        total_bytes: of all files; 0 where not yet known.
        done_bytes: of them, on disk and hashed.
        received_bytes: arrived since the meter was made, also those thrown away again.
        file: the file at hand.
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
        """Count bytes that arrived over the network and are on disk."""
        now_s = self._clock()
        self.received_bytes += byte_count
        self.done_bytes += byte_count
        if not self._arrivals or now_s - self._arrivals[-1][0] >= UPDATE_INTERVAL_S:
            self._arrivals.append((now_s, self.received_bytes))
        while now_s - self._arrivals[0][0] > SPEED_WINDOW_S and len(self._arrivals) > 2:
            self._arrivals.popleft()

    def pause(self) -> None:
        """Forget the speed: nothing arrives for a while."""
        self._arrivals.clear()

    def is_due(self) -> bool:
        """True now and then: as often as anyone can follow."""
        if self._clock() < self._next_update_s:
            return False
        self._next_update_s = self._clock() + UPDATE_INTERVAL_S
        return True

    def progress(self, stage: DownloadStage, note: str = "") -> DownloadProgress:
        """How far it is."""
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
