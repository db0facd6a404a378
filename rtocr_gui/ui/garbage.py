"""Collects garbage on the main thread only.

Python collects it on whichever thread happens to allocate objects. A Qt object collected on a lane would be
destroyed there, with timers that belong to the main thread, which crashes Qt.
"""

import gc

from PySide6.QtCore import QObject, QTimer, Slot

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
        self._timer.timeout.connect(self.collect_if_due)
        self._timer.start(INTERVAL_MS)

    @Slot()
    def collect_if_due(self) -> None:
        """Collect the oldest generation that has grown past its threshold, and the younger ones."""
        for generation, (count, threshold) in reversed(
            list(enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)))
        ):
            if count > threshold > 0:
                gc.collect(generation)
                return
