"""A lane: one long-lived worker thread that runs jobs in the order in which they came.

Knows threads and queues; knows neither Qt nor what the jobs do. Jobs report through whatever they close over
(the bridge's signals), also their errors. One that raises all the same is left to `threading.excepthook`, and
the lane goes on.
"""

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable

Job = Callable[[], None]


class Lane:
    """Runs jobs one after another on its own daemon thread.

    Args:
        name: the thread's name, for stack traces and the leftover-thread check of the tests.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
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
        """True while a job waits behind the running one."""
        return self._unfinished > 1

    def submit(self, job: Job) -> None:
        """Queue a job; after `close_soon` or `finish` it is dropped."""
        if not self._closed:
            with self._counting:
                self._unfinished += 1
            self._jobs.put(job)

    def close_soon(self) -> None:
        """Accept no more jobs, and drop those that have not begun."""
        self._closed = self._dropping = True
        self._jobs.put(None)

    def finish(self, timeout_s: float) -> bool:
        """Accept no more jobs, and wait until the queued ones are done; False if they are not in time."""
        self._closed = True
        self._jobs.put(None)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the jobs that are not dropped to end; False if one still runs after `timeout_s`."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                if not self._dropping:
                    job()
            except BaseException:
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))
            with self._counting:
                self._unfinished -= 1


def wait_for(lanes: Iterable[Lane], timeout_s: float) -> bool:
    """Wait for the jobs of all lanes to end; False if one still runs after `timeout_s`, counted together."""
    deadline = time.monotonic() + timeout_s
    return all(lane.wait(max(0.0, deadline - time.monotonic())) for lane in lanes)
