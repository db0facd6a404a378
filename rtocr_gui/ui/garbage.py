"""Collects garbage on the main thread only, and never within a call of Qt.

Python collects it wherever an object happens to be allocated. A Qt object collected on a lane would be
destroyed there, with timers that belong to the main thread, which crashes Qt; and one collected while Qt
disconnects another may wait for ever for a lock that its own thread holds.
"""

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1000


class MainThreadGarbage(QObject):
    """Decides instead of Python, as long as it lives, when to collect garbage; Python's thresholds stay.

    Args:
        parent: Qt parent, of the main thread.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(collect_if_due)
        self._timer.start(INTERVAL_MS)


def collect_if_due() -> None:
    """Collect the oldest generation that has grown past its threshold, and the younger ones."""
    for generation, (count, threshold) in reversed(
        list(enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)))
    ):
        if count > threshold > 0:
            gc.collect(generation)
            return
