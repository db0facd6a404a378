"""Requests on their way through the lanes: numbered, stopped, outdated by newer ones, answered if they fail.

Knows lanes, and the answers that any request may get; neither Qt nor what a request is for.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from rtocr_gui.ui.background.lanes import Lane
from rtocr_gui.ui.background.replies import RequestFailed, RequestStopped


class Stopped(BaseException):
    """Ends a job that was stopped; not an `Exception`, so that no handler of an export recovers from it."""


@dataclass(frozen=True, eq=False, slots=True)
class Request:
    """A request on its way.

    Attributes:
        id: its id.
        is_wanted: False once only the newest of such requests is answered, and there is a newer one.
        cancel: set once it is stopped.
    """

    id: int
    is_wanted: Callable[[], bool]
    cancel: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise `Stopped` if it was stopped or is no longer wanted."""
        if self.cancel.is_set() or not self.is_wanted():
            raise Stopped


class Requests:
    """All requests that have not been answered yet.

    Args:
        tell: called on a lane if a request was stopped or has failed.
    """

    def __init__(self, tell: Callable[[RequestStopped | RequestFailed], None]) -> None:
        self._tell = tell
        self._ids = itertools.count(1)
        # Held by the jobs that check them; an event vanishes with its last job.
        self._cancels: WeakValueDictionary[int, threading.Event] = WeakValueDictionary()
        self._newest_ids: dict[type, int] = {}  # by the reply that is wanted

    def new_id(self) -> int:
        """Return an id that is larger than those of all requests so far."""
        return next(self._ids)

    def submit(
        self,
        lane: Lane,
        job: Callable[[Request], object],
        *,
        newest: type | None = None,
    ) -> int:
        """Queue a job as a new request.

        Args:
            lane: where it runs.
            job: what to run.
            newest: a reply; the job is dropped if another request for it comes before its turn.

        Returns:
            The id of the request.
        """
        request_id = self.new_id()
        request = Request(request_id, lambda: newest is None or self._newest_ids[newest] == request_id)
        self._cancels[request_id] = request.cancel
        if newest is not None:
            self._newest_ids[newest] = request_id
        self.queue(lane, request, job)
        return request_id

    def queue(self, lane: Lane, request: Request, job: Callable[[Request], object]) -> None:
        """Queue a job of a request, which does not begin once that is stopped or no longer wanted.

        `Stopped` becomes a `RequestStopped` if that is why, anything else that it raises a `RequestFailed`.
        """

        def guarded() -> None:
            try:
                request.check()
                job(request)
            except Stopped:
                if request.cancel.is_set():
                    self._tell(RequestStopped(request.id))
            except BaseException as error:
                # The last line of defence: no unexpected error, nor a library's panic, kills the lane.
                self._tell(RequestFailed.by(request.id, error))

        lane.submit(guarded)

    def stop(self, request_id: int) -> None:
        """Stop a request, unless it is over."""
        cancel = self._cancels.get(request_id)
        if cancel is not None:
            cancel.set()

    def stop_all(self) -> None:
        """Stop whatever has not been answered yet."""
        for cancel in list(self._cancels.values()):
            cancel.set()
