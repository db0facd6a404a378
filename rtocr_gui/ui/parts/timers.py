"""Timers that fire once. Knows no widget."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def one_shot(parent: QObject, interval_ms: int, slot: Callable[[], object]) -> QTimer:
    """Make a timer that calls a slot once, so many milliseconds after it was last started.

    The keyword `interval` is of no use: PySide looks for the method with the locale's capital of its first
    letter, which in Turkish is not I, and fails.
    """
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(slot)
    return timer
