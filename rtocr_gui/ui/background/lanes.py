"""A lane: one long-lived worker thread that runs jobs in the order in which they came, idle ones last.

Knows threads and queues; knows neither Qt nor what the jobs do. Jobs report through whatever
they close over (the bridge's signals) and must not raise.
"""

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterable
from enum import IntEnum, auto

Job = Callable[[], None]


class _Turn(IntEnum):
    """What waits for its turn; the least comes first."""

    JOB = auto()
    IDLE_JOB = auto()
    END = auto()


class Lane:
    """Runs jobs one after another on its own daemon thread.

    Args:
        name: the thread's name, for stack traces and the leftover-thread check of the tests.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.PriorityQueue[tuple[_Turn, int, Job | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._closed = self._dropping = False
        self._unfinished = 0
        self._counting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_busy(self) -> bool:
        """True while a job runs or waits."""
        return self._unfinished > 0

    @property
    def is_awaited(self) -> bool:
        """True while a job that is not idle waits for its turn."""
        first = next(iter(self._jobs.queue), None)
        return first is not None and first[0] is _Turn.JOB

    def submit(self, job: Job, *, is_idle: bool = False) -> None:
        """Queue a job; after `close_soon` or `finish` it is dropped.

        Args:
            job: what to run.
            is_idle: True to have it wait until no other job does, except idle ones that came later.
        """
        if not self._closed:
            with self._counting:
                self._unfinished += 1
            self._put(_Turn.IDLE_JOB if is_idle else _Turn.JOB, job)

    def close_soon(self) -> None:
        """Accept no more jobs, and drop those that have not begun."""
        self._closed = self._dropping = True
        self._put(_Turn.END)

    def finish(self, timeout_s: float) -> bool:
        """Accept no more jobs, and wait until the queued ones are done; False if they are not in time."""
        self._closed = True
        self._put(_Turn.END)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the jobs that are not dropped to end; False if one still runs after `timeout_s`."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _put(self, turn: _Turn, job: Job | None = None) -> None:
        self._jobs.put((turn, next(self._numbers), job))

    def _run(self) -> None:
        while (job := self._jobs.get()[-1]) is not None:
            if not self._dropping:
                job()
            with self._counting:
                self._unfinished -= 1


def wait_for(lanes: Iterable[Lane], timeout_s: float) -> bool:
    """Wait for the jobs of all lanes to end; False if one still runs after `timeout_s`, counted together."""
    deadline = time.monotonic() + timeout_s
    return all(lane.wait(max(0.0, deadline - time.monotonic())) for lane in lanes)
