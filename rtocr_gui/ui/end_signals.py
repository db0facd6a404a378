"""Ends the program in an orderly way when the system or the terminal asks for it (SIGTERM, SIGHUP, Ctrl+C).

The person is not asked anything then: whoever sent the signal does not wait for an answer.
"""

import signal
import socket
from types import FrameType

from PySide6.QtCore import QCoreApplication, QObject, QSocketNotifier, Slot

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has no SIGHUP, which tells that the terminal was closed


class EndSignals(QObject):
    """Leaves the event loop, and those of open dialogs, with the exit code that a shell gives the signal.

    Python runs its handlers only between two bytecode instructions, and an idle event loop runs none: the
    signal's number arrives through a socket, which Qt watches.

    Args:
        application: whose event loop it is.
    """

    def __init__(self, application: QCoreApplication) -> None:
        super().__init__(application)
        self._application = application
        self._numbers, self._written = socket.socketpair()
        self._written.setblocking(False)
        signal.set_wakeup_fd(self._written.fileno())
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as for what a script runs in the background
                signal.signal(number, _end_at_once_next_time)
        arrivals = QSocketNotifier(self._numbers.fileno(), QSocketNotifier.Type.Read, self)
        arrivals.activated.connect(self._end)

    @Slot()
    def _end(self) -> None:
        (number,) = self._numbers.recv(1)
        self._application.exit(128 + number)


def _end_at_once_next_time(number: int, _frame: FrameType | None) -> None:
    """Restore the default handler: a hanging window reads no socket, so a second signal kills it."""
    signal.signal(number, signal.SIG_DFL)
