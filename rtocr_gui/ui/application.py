"""Qt's application, which hears what the system asks of the program as a whole."""

from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication


class Application(QApplication):
    """Passes on files that were opened with the program: macOS sends an event for each.

    Signals:
        open_requested(Path): somebody opens this file with the program.
    """

    open_requested = Signal(object)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            self.open_requested.emit(Path(event.file()))
            return True
        return super().event(event)
